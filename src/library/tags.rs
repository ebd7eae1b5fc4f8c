//! Tags taken apart: which version they give, how much of it, and the name behind it.

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
    /// The tag of a version and a name.
    pub fn render(self, version: &Version, name: &str) -> String {
        let given = match self {
            Self::Full => version.to_string(),
            Self::Minor => format!("{}.{}", version.major, version.minor),
            Self::Major => version.major.to_string(),
            Self::Bare if name.is_empty() => return "latest".to_owned(),
            Self::Bare => return name.to_owned(),
        };
        if name.is_empty() {
            given
        } else {
            format!("{given}-{name}")
        }
    }
}

/// Whether a version is not a release yet.
///
/// `-binary` is what the server's project calls a release that was built again (2.10.27-binary).
pub fn is_preview(version: &Version) -> bool {
    !version.pre.is_empty() && version.pre.as_str() != "binary"
}

/// The words that tags end in, which tell where a version with a suffix ends.
pub struct Names {
    families: BTreeSet<String>,
    suffixes: BTreeSet<String>,
}

impl Names {
    /// From the variants that there are or were, the versions that there are, and the tags of the file.
    pub fn new<'a>(
        variants: impl Iterator<Item = &'a Variant>,
        versions: impl Iterator<Item = &'a Version>,
        tags: impl Iterator<Item = &'a str>,
    ) -> Self {
        let families = variants
            .map(|variant| variant.family.clone())
            .chain(["linux".to_owned()])
            .collect();
        let suffixes = versions
            .map(|version| version.pre.to_string())
            .filter(|suffix| !suffix.is_empty())
            .collect();
        let mut names = Self { families, suffixes };
        let seen: BTreeSet<String> = tags
            .filter_map(|tag| {
                let Tag {
                    level: Level::Full,
                    version,
                    name,
                } = names.split(tag)
                else {
                    return None;
                };
                let (_, suffix) = version.split_once('-').filter(|_| !name.is_empty())?;
                Some(suffix.to_owned())
            })
            .collect();
        names.suffixes.extend(seen);
        names
    }

    /// Splits a tag. What does not begin with a version is a name as a whole.
    pub fn split<'a>(&self, tag: &'a str) -> Tag<'a> {
        if tag == "latest" {
            return Tag {
                level: Level::Bare,
                version: "",
                name: "",
            };
        }
        let end = tag
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(tag.len());
        let (numbers, rest) = tag.split_at(end);
        let is_number = numbers.split('.').all(|number| !number.is_empty());
        let level = match numbers.split('.').count() {
            3 => Level::Full,
            2 => Level::Minor,
            1 => Level::Major,
            _ => Level::Bare,
        };
        let rest = rest
            .strip_prefix('-')
            .or(if rest.is_empty() { Some("") } else { None });
        let Some(rest) = rest.filter(|_| is_number && level != Level::Bare) else {
            return Tag {
                level: Level::Bare,
                version: "",
                name: tag,
            };
        };
        let suffix = if level == Level::Full {
            self.suffix(rest)
        } else {
            0
        };
        let version = if suffix == 0 { end } else { end + 1 + suffix };
        Tag {
            level,
            version: &tag[..version],
            name: tag[version..].trim_start_matches('-'),
        }
    }

    /// How long a version's own suffix (`RC.3`, `binary`) is in what stands behind its numbers.
    fn suffix(&self, rest: &str) -> usize {
        let starts = || std::iter::once(0).chain(rest.match_indices('-').map(|(at, _)| at + 1));
        if let Some(start) = starts().find(|&start| self.is_name(&rest[start..])) {
            return start.saturating_sub(1);
        }
        let is_known = |suffix: &&String| {
            rest.strip_prefix(suffix.as_str())
                .is_some_and(|after| after.is_empty() || after.starts_with('-'))
        };
        if let Some(suffix) = self
            .suffixes
            .iter()
            .filter(is_known)
            .max_by_key(|suffix| suffix.len())
        {
            return suffix.len();
        }
        let words = ["alpha", "beta", "binary", "dev", "preview", "rc"];
        if words
            .iter()
            .any(|word| rest.to_lowercase().starts_with(word))
        {
            rest.len()
        } else {
            0
        }
    }

    fn is_name(&self, text: &str) -> bool {
        Variant::parse(text).is_some_and(|variant| self.families.contains(&variant.family))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_split_where_its_version_ends() {
        let variants = ["alpine3.22", "windowsservercore-ltsc2022", "scratch"]
            .map(|name| Variant::parse(name).unwrap());
        let versions = [Version::parse("2.14.0-RC.3").unwrap()];
        let tags = ["2.10.27-binary-alpine3.21", "2.10-alpine"];
        let names = Names::new(variants.iter(), versions.iter(), tags.into_iter());
        for (tag, level, version, name) in [
            ("0.25.6", Level::Full, "0.25.6", ""),
            ("0.25.6-alpine3.18", Level::Full, "0.25.6", "alpine3.18"),
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
            ("2.14.0-slim", Level::Full, "2.14.0", "slim"),
            ("v2.14.0", Level::Bare, "", "v2.14.0"),
            ("1.2.3.4", Level::Bare, "", "1.2.3.4"),
        ] {
            assert_eq!(
                names.split(tag),
                Tag {
                    level,
                    version,
                    name
                },
                "{tag}"
            );
            assert!(!version.contains('x') && tag.starts_with(version));
        }
    }
}
