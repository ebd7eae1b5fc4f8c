//! Versions of the server, the variants it is packed as, and the architectures it is built for.
//!
//! The types here cannot hold a wrong value; where the values stand in files is `fields`' business.

use std::fmt;

use semver::Version;

/// Reads a release's version: SemVer, a leading `v` accepted.
///
/// One with build metadata (`+…`) is none, because the version becomes a Docker tag, and those have no `+`.
pub fn parse_version(text: &str) -> Option<Version> {
    let version = Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()?;
    version.build.is_empty().then_some(version)
}

/// Whether a version is below another one. Between pre-releases of one version the word counts, in either case: a preview comes
/// before a release candidate, where SemVer has `RC` before `preview`.
pub fn is_below(version: &Version, other: &Version) -> bool {
    const ORDER: [&str; 6] = ["dev", "alpha", "beta", "pre", "preview", "rc"];
    let rank = |version: &Version| {
        let word = version
            .pre
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()?;
        let word = word.to_ascii_lowercase();
        ORDER.iter().position(|known| *known == word)
    };
    let core = |version: &Version| (version.major, version.minor, version.patch);
    match (rank(version), rank(other)) {
        (Some(own), Some(others)) if core(version) == core(other) => {
            (own, version) < (others, other)
        }
        _ => version < other,
    }
}

/// A folder of a version directory, its name split: `windowsservercore-1809` is family `windowsservercore`, base `1809`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variant {
    /// The folder's name, which is also the end of the image's tag.
    pub name: String,
    /// What the variants on different bases have in common: `alpine`, `nanoserver`, `scratch`.
    pub family: String,
    /// The tag of the base image: `3.18`, `ltsc2022`; empty where the name has none.
    pub base: String,
}

impl Variant {
    /// Splits a name at the end of its leading letters; `None` where it does not begin with a lower-case letter, or holds
    /// anything but letters, digits, `.`, `_` and `-`.
    pub fn parse(name: &str) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        let rest = name.trim_start_matches(|c: char| c.is_ascii_lowercase());
        let family = &name[..name.len() - rest.len()];
        let is_name = !family.is_empty() && name.chars().all(allowed);
        is_name.then(|| Self {
            name: name.to_owned(),
            family: family.to_owned(),
            base: rest.trim_start_matches('-').to_owned(),
        })
    }

    /// Whether its containers run on Windows: the families that Microsoft calls Server Core and Nano Server.
    pub fn is_windows(&self) -> bool {
        self.family.starts_with("windows") || self.family.starts_with("nanoserver")
    }

    /// The tag that its base image has: the base without what may stand behind its number, `3.18` of `alpine3.18-otel`;
    /// nothing where the base has none.
    pub fn base_tag(&self) -> &str {
        let number = self.base.strip_prefix("ltsc").unwrap_or(&self.base);
        let digits = number.find(|c: char| !c.is_ascii_digit() && c != '.');
        let length = digits.unwrap_or(number.len());
        match &number[length..] {
            _ if length == 0 => "",
            rest if rest.is_empty() || rest.starts_with('-') => {
                &self.base[..self.base.len() - rest.len()]
            }
            _ => &self.base,
        }
    }

    /// Whether it is on a base that Windows has: of a Windows Server, or of a release between them.
    pub fn is_on_windows_base(&self) -> bool {
        // <https://learn.microsoft.com/windows/release-health/windows-server-release-info>
        const BETWEEN: [&str; 5] = ["1709", "1803", "1903", "1909", "2004"];
        self.windows_year().is_some() || self.is_windows() && BETWEEN.contains(&self.base_tag())
    }

    /// What scripts for its Windows are called after: the year of the server, or the base where there is none.
    pub fn windows_name(&self) -> Option<String> {
        let year = self.windows_year().map(|year| year.to_string());
        let base = Some(self.base_tag().to_owned()).filter(|_| self.is_on_windows_base());
        year.or(base)
    }

    /// The year of the Windows Server whose base it is on: `1809` is of Server 2019.
    pub fn windows_year(&self) -> Option<u32> {
        match self.base_tag() {
            _ if !self.is_windows() => None,
            "1809" => Some(2019),
            base => base.strip_prefix("ltsc")?.parse().ok(),
        }
    }

    /// The same family on another base, named as this one is.
    pub fn on(&self, base: &str) -> Option<Self> {
        let start = self.name.strip_suffix(self.base.as_str())?;
        let is_bare = self.base.is_empty() && self.is_windows();
        let dash = if is_bare { "-" } else { "" };
        let suffix = self.base.strip_prefix(self.base_tag());
        let suffix = suffix.filter(|_| self.has_numbered_base());
        let suffix = suffix.unwrap_or_default();
        Self::parse(&format!("{start}{dash}{base}{suffix}"))
    }

    /// Whether a release of the base is part of the name, rather than nothing or a word such as `edge`.
    pub fn has_numbered_base(&self) -> bool {
        self.base.starts_with(|c: char| c.is_ascii_digit()) || self.base.starts_with("ltsc")
    }

    /// Whether the base is a tag of the image of that name: `windowsservercore-1809` is on `servercore`.
    pub fn is_on(&self, image: &str) -> bool {
        !image.is_empty() && self.family.ends_with(image)
    }
}

/// The year of a Windows Server in the name of a script: `build-images-2019.ps1`.
pub fn year_in(name: &str) -> Option<u32> {
    let numbers = name.split(|c: char| !c.is_ascii_digit());
    let mut numbers = numbers.filter_map(|number| number.parse().ok());
    numbers.find(|year| (2000..3000).contains(year))
}

/// The names by which Debian and Ubuntu tag their releases too: <https://hub.docker.com/_/debian>, <https://hub.docker.com/_/ubuntu>.
const RELEASE_NAMES: [(&str, &str); 9] = [
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("bionic", "18.04"),
    ("focal", "20.04"),
    ("jammy", "22.04"),
    ("noble", "24.04"),
];

/// The name of the release of a base, where it has one.
pub fn release_name(base: &str) -> Option<&'static str> {
    let mut all = RELEASE_NAMES.iter();
    Some(all.find(|(_, number)| *number == base)?.0)
}

/// Whether a word is the name of such a release.
pub fn is_release_name(word: &str) -> bool {
    RELEASE_NAMES.iter().any(|(name, _)| *name == word)
}

/// Whether a base is numbers: `3.19`, `1809`, `ltsc2022`.
pub fn is_numbered(base: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = base.strip_prefix("ltsc").unwrap_or(base);
    numbers.split('.').all(is_number)
}

/// The numbers in a base.
pub fn numbers(base: &str) -> Vec<u64> {
    let numbers = base.split(|c: char| !c.is_ascii_digit());
    numbers.filter_map(|digits| digits.parse().ok()).collect()
}

impl fmt::Display for Variant {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(&self.name)
    }
}

/// What `apk --print-arch` prints, what the release's archives call the same architecture, and what Docker's official images
/// call it, where they have it.
///
/// Alpine's names: the architectures of its mirrors. The release's: Go's GOARCH, for 32-bit ARM with GOARM's number. Docker's:
/// <https://github.com/docker-library/official-images#architectures-other-than-amd64>.
const ARCHITECTURES: [(&str, &str, &str); 9] = [
    ("aarch64", "arm64", "arm64v8"),
    ("armhf", "arm6", "arm32v6"),
    ("armv7", "arm7", "arm32v7"),
    ("loongarch64", "loong64", ""),
    ("ppc64le", "ppc64le", "ppc64le"),
    ("riscv64", "riscv64", "riscv64"),
    ("s390x", "s390x", "s390x"),
    ("x86", "386", "i386"),
    ("x86_64", "amd64", "amd64"),
];

/// Docker's names of the other architectures that official images can be built for.
const OTHERS: [&str; 3] = ["arm32v5", "mips64le", WINDOWS];

/// Docker's name of the architecture of Windows.
pub const WINDOWS: &str = "windows-amd64";

/// The release's name of the architecture that Alpine calls `apk`; `None` where Alpine has none of that name.
pub fn release_arch(apk: &str) -> Option<&'static str> {
    let mut all = ARCHITECTURES.iter();
    Some(all.find(|names| names.0 == apk)?.1)
}

/// Alpine's name of the architecture that the release calls `release`.
pub fn apk_arch(release: &str) -> Option<&'static str> {
    let mut all = ARCHITECTURES.iter();
    Some(all.find(|names| names.1 == release)?.0)
}

/// Whether anybody calls an architecture so: Alpine, the release, or Docker.
pub fn is_arch(name: &str) -> bool {
    release_arch(name).is_some() || apk_arch(name).is_some() || is_docker_arch(name)
}

/// Whether official images can be built for an architecture that Docker calls so.
pub fn is_docker_arch(name: &str) -> bool {
    !name.is_empty()
        && (OTHERS.contains(&name) || ARCHITECTURES.iter().any(|names| names.2 == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_architecture_has_several_names() {
        for name in ["aarch64", "arm6", "arm64v8"] {
            assert!(is_arch(name), "{name}");
        }
        assert!(!is_arch("alpine"));
    }

    #[test]
    fn of_pre_releases_the_word_counts() {
        let version = |text: &str| parse_version(text).expect(text);
        for (lower, higher) in [
            ("2.11.0-preview.2", "2.11.0-RC.1"),
            ("2.11.0-beta.9", "2.11.0-RC.1"),
            ("2.11.0-RC.2", "2.11.0-RC.10"),
            ("2.11.0-RC.2", "2.11.0"),
            ("2.11.0", "2.12.0-preview.1"),
        ] {
            assert!(is_below(&version(lower), &version(higher)), "{lower}");
            assert!(!is_below(&version(higher), &version(lower)), "{higher}");
        }
    }

    #[test]
    fn a_version_is_any_semver_version_that_a_tag_can_hold() {
        for good in [
            "0.25.6",
            "v2.14.5",
            "2.14.0-RC.3",
            "2.11.0-preview.1",
            "2.10.27-binary",
        ] {
            assert_eq!(
                parse_version(good).unwrap().to_string(),
                good.trim_start_matches('v')
            );
        }
        for bad in [
            "",
            "v",
            "0.25",
            "latest.1",
            "../../etc",
            "1.2.3/..",
            "01.2.3",
            "1.2.3+x",
            "vv1.2.3",
            "1.2.3 ",
        ] {
            assert!(parse_version(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_variant_is_a_family_and_a_base() {
        for (name, family, base) in [
            ("alpine3.18", "alpine", "3.18"),
            ("scratch", "scratch", ""),
            (
                "windowsservercore-ltsc2022",
                "windowsservercore",
                "ltsc2022",
            ),
            ("nanoserver-1809", "nanoserver", "1809"),
        ] {
            let variant = Variant::parse(name).unwrap();
            assert_eq!(
                (variant.family.as_str(), variant.base.as_str()),
                (family, base)
            );
        }
        for bad in ["", "3.18", "Alpine", "al/pine", "-x", ".git"] {
            assert_eq!(Variant::parse(bad), None, "{bad}");
        }
    }
}
