//! Tags of images taken apart: which version they give, how much of it, and the name behind it.

use std::collections::BTreeSet;

use semver::Version;

use crate::version::Variant;

/// How much of a version a tag gives, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `0.25.6-alpine`
    Full,
    /// `0.25-alpine`
    Minor,
    /// `2-alpine`
    Major,
    /// `alpine`, and `latest`, which is the tag without any name.
    Bare,
}

/// A tag, split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag<'a> {
    /// How much of the version it gives.
    pub level: Level,
    /// The version, as much as is given: `0.25.6`, `0.25`, nothing.
    pub version: &'a str,
    /// What stands behind it: `alpine3.18`, `linux`, nothing.
    pub name: &'a str,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Full, Self::Minor, Self::Major, Self::Bare];

    /// The tag of a version and a name.
    pub fn render(self, version: &Version, name: &str) -> String {
        let given = match self {
            Self::Full => version.to_string(),
            Self::Minor => format!("{}.{}", version.major, version.minor),
            Self::Major => version.major.to_string(),
            Self::Bare if name.is_empty() => return "latest".to_owned(),
            Self::Bare => return name.to_owned(),
        };
        match name.is_empty() {
            true => given,
            false => format!("{given}-{name}"),
        }
    }
}

/// Whether images in a folder are an owner's: `nats-io` is `natsio` on Docker Hub.
pub fn is_owner(folder: &[u8], owner: &str) -> bool {
    folder == owner.as_bytes() || folder == owner.replace('-', "").as_bytes()
}

/// Whether a version is not a release yet.
///
/// `-binary` is what the server's project calls a release that was built again (2.10.27-binary).
pub fn is_preview(version: &Version) -> bool {
    !version.pre.is_empty() && version.pre.as_str() != "binary"
}

/// How the suffixes of pre-releases begin, where nothing else is known of them.
const STAGES: [&str; 6] = ["alpha", "beta", "binary", "dev", "preview", "rc"];

/// The words that tags end in, which tell where a version with a suffix ends.
#[derive(Debug, Clone, Default)]
pub struct Endings {
    variants: BTreeSet<String>,
    families: BTreeSet<String>,
}

impl Endings {
    /// From the variants that there are or were.
    pub fn new<'a>(variants: impl Iterator<Item = &'a Variant>) -> Self {
        let mut endings = Self::default();
        for variant in variants {
            endings.variants.insert(variant.name.clone());
            endings.families.insert(variant.family.clone());
        }
        endings
    }

    /// The same with a name that is not one of a variant.
    pub fn and(mut self, name: &str) -> Self {
        self.families.insert(name.to_owned());
        self
    }

    /// The families of the variants that are known.
    pub fn families(&self) -> impl Iterator<Item = &str> {
        self.families.iter().map(String::as_str)
    }

    /// Splits a tag; what does not begin with a version is a name as a whole.
    pub fn split<'t>(&self, tag: &'t str) -> Tag<'t> {
        let bare = |name| Tag {
            level: Level::Bare,
            version: "",
            name,
        };
        if tag == "latest" {
            return bare("");
        }
        let start = usize::from(tag.starts_with('v'));
        let is_digit = |c: char| c.is_ascii_digit() || c == '.';
        let end = tag[start..].find(|c| !is_digit(c));
        let end = end.map_or(tag.len(), |end| start + end);
        let (numbers, rest) = (&tag[start..end], &tag[end..]);
        let level = match numbers.split('.').count() {
            _ if numbers.split('.').any(str::is_empty) => return bare(tag),
            3 => Level::Full,
            2 => Level::Minor,
            1 => Level::Major,
            _ => return bare(tag),
        };
        let Some(rest) = rest.strip_prefix('-').or(rest.is_empty().then_some("")) else {
            return bare(tag);
        };
        let suffix = match level {
            Level::Full => self.suffix(rest),
            _ => 0,
        };
        let end = if suffix == 0 { end } else { end + 1 + suffix };
        let name = tag[end..].strip_prefix('-').unwrap_or_default();
        Tag {
            level,
            version: &tag[..end],
            name,
        }
    }

    /// How long a version's own suffix (`RC.3`, `binary`) is in what stands behind its numbers: it ends where a variant
    /// begins, else where a family does.
    fn suffix(&self, rest: &str) -> usize {
        let starts = || std::iter::once(0).chain(rest.match_indices('-').map(|(at, _)| at + 1));
        if let Some(start) = starts().find(|&start| self.variants.contains(&rest[start..])) {
            return start.saturating_sub(1);
        }
        let is_name = |start: &usize| {
            let word = &rest[*start..];
            let behind = word.trim_start_matches(|c: char| c.is_ascii_lowercase());
            self.families.contains(&word[..word.len() - behind.len()])
        };
        if let Some(start) = starts().find(is_name) {
            return start.saturating_sub(1);
        }
        let is_stage = |stage: &&str| {
            rest.get(..stage.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(stage))
        };
        match STAGES.iter().any(is_stage) {
            true => rest.len(),
            false => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_split_where_its_version_ends() {
        let names = ["alpine3.22", "windowsservercore-ltsc2022", "scratch"];
        let variants = names.map(|name| Variant::parse(name).unwrap());
        let endings = Endings::new(variants.iter()).and("linux");
        for (tag, level, version, name) in [
            ("0.25.6", Level::Full, "0.25.6", ""),
            ("v0.25.6-alpine3.18", Level::Full, "v0.25.6", "alpine3.18"),
            ("0.25-linux", Level::Minor, "0.25", "linux"),
            ("2", Level::Major, "2", ""),
            (
                "2-windowsservercore-1809",
                Level::Major,
                "2",
                "windowsservercore-1809",
            ),
            ("latest", Level::Bare, "", ""),
            ("alpine3.18", Level::Bare, "", "alpine3.18"),
            ("2.10.27-binary", Level::Full, "2.10.27-binary", ""),
            (
                "2.10.27-binary-alpine",
                Level::Full,
                "2.10.27-binary",
                "alpine",
            ),
            ("2.14.0-RC.3-linux", Level::Full, "2.14.0-RC.3", "linux"),
            ("2.14.0-rc1", Level::Full, "2.14.0-rc1", ""),
            ("2.14.0-odd-scratch", Level::Full, "2.14.0-odd", "scratch"),
            ("2.14.0-slim", Level::Full, "2.14.0", "slim"),
            ("1.2.3.4", Level::Bare, "", "1.2.3.4"),
        ] {
            assert_eq!(
                endings.split(tag),
                Tag {
                    level,
                    version,
                    name
                },
                "{tag}"
            );
        }
    }
}
