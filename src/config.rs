//! What repository this is: the names of its image and server, and how its version directories are called.
//!
//! Said by `update.toml`, else read off the download addresses of the tree's own Dockerfiles, else this project's.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use regex::bytes::Regex;
use semver::Version;
use serde::Deserialize;

use crate::tree::{Files, below, is_dockerfile, read_if_there};
use crate::version::parse_version;

/// The names that the fields of a repository are made of.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The Docker Hub name: `nats-streaming`.
    pub image: String,
    /// The GitHub project, and the prefix of its archives: `nats-streaming-server`.
    pub server: String,
    /// The GitHub owner of the server.
    #[serde(default = "default_owner")]
    pub owner: String,
    /// How version directories are named.
    #[serde(default)]
    pub directory: Pattern,
}

fn default_owner() -> String {
    "nats-io".to_owned()
}

impl Default for Config {
    /// This repository.
    fn default() -> Self {
        Self {
            image: "nats-streaming".to_owned(),
            server: "nats-streaming-server".to_owned(),
            owner: default_owner(),
            directory: Pattern::default(),
        }
    }
}

impl Config {
    /// Reads `update.toml` in `root`; `None` where there is none. Unknown keys, missing ones and wrong types are errors with
    /// line and column.
    pub fn from_file(root: &Path) -> Result<Option<Self>> {
        let path = root.join("update.toml");
        let Some(text) = read_if_there(&path)? else {
            return Ok(None);
        };
        Self::parse(text, &path.display().to_string()).map(Some)
    }

    /// Reads the text of an `update.toml`, which errors call `place`.
    pub fn parse(text: Vec<u8>, place: &str) -> Result<Self> {
        let text = String::from_utf8(text).with_context(|| format!("{place} is not UTF-8"))?;
        let config: Self = toml::from_str(&text).with_context(|| format!("cannot read {place}"))?;
        for (key, value) in [
            ("image", &config.image),
            ("server", &config.server),
            ("owner", &config.owner),
        ] {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            ensure!(
                !value.is_empty() && value.chars().all(plain),
                "{place}: `{key} = \"{value}\"` is no name: wanted letters, digits, `-`, `_` and `.`"
            );
        }
        Ok(config)
    }

    /// Reads the names off the archives that the tree's Dockerfiles download: `…/<owner>/<server>/releases/download/…/<server>-v…`
    /// says owner and server, and the image is the server without its `-server`. The newest version directory that has such
    /// addresses decides, after them templates; this repository's names where there is none, or more than one.
    pub fn infer(files: &Files, directory: Pattern) -> Result<Self> {
        let mut folders: Vec<(Option<Version>, &str)> = Vec::new();
        for folder in files.keys().filter_map(|path| path.split('/').next()) {
            if folders.last().is_none_or(|(_, last)| *last != folder) {
                folders.push((directory.parse(folder), folder));
            }
        }
        folders.sort();
        for (_, folder) in folders.into_iter().rev() {
            let addresses = addresses(files, folder)?;
            if let [(owner, server)] = Vec::from_iter(&addresses).as_slice() {
                let image = server.strip_suffix("-server").unwrap_or(server).to_owned();
                return Ok(Self {
                    image,
                    server: server.clone(),
                    owner: owner.clone(),
                    directory,
                });
            }
            if !addresses.is_empty() {
                break;
            }
        }
        Ok(Self {
            directory,
            ..Self::default()
        })
    }

    /// The name under which Dockerfiles and scripts keep the version: `NATS_STREAMING_SERVER`.
    pub fn version_key(&self) -> String {
        self.server.to_uppercase().replace(['-', '.'], "_")
    }

    /// The name of a release's archive; `platform` is its end: `linux-arm64.tar.gz`, `windows-amd64.zip`.
    pub fn archive(&self, version: &Version, platform: &str) -> String {
        format!("{}-v{version}-{platform}", self.server)
    }

    /// Where the server's releases are, without a final `/`.
    pub fn releases(&self) -> String {
        format!(
            "https://github.com/{}/{}/releases/download",
            self.owner, self.server
        )
    }
}

/// The owners and servers whose archives the Dockerfiles of a folder download.
fn addresses(files: &Files, folder: &str) -> Result<BTreeSet<(String, String)>> {
    static ARCHIVE: LazyLock<Regex> = LazyLock::new(|| {
        let pattern =
            r"(?-u)github\.com/([\w.-]+)/([\w.-]+)/releases/download/(?:[^/\s]+/([\w.-]+?)-v)?";
        Regex::new(pattern).expect("a fixed pattern")
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (mut named, mut others) = (BTreeSet::new(), BTreeSet::new());
    for (path, file) in
        below(files, folder).filter(|(path, _)| path.rsplit('/').next().is_some_and(is_dockerfile))
    {
        let bytes = file.read().with_context(|| format!("cannot read {path}"))?;
        for address in ARCHIVE.captures_iter(&bytes) {
            // An address may be put together of parts, the archive's name one of its own.
            let is_named = address
                .get(3)
                .is_some_and(|name| name.as_bytes() == &address[2]);
            let set = if is_named { &mut named } else { &mut others };
            set.insert((text(&address[1]), text(&address[2])));
        }
    }
    Ok(if named.is_empty() { others } else { named })
}

/// How version directories are named: a directory per version (`{version}`, the default), or per line (`{major}.{minor}.x`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(String);

impl Default for Pattern {
    fn default() -> Self {
        Self("{version}".to_owned())
    }
}

impl TryFrom<String> for Pattern {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        let pattern = Self(text);
        let example = Version::new(1234, 5678, 9);
        let name = pattern.render(&example);
        let lines = pattern.has_lines();
        ensure!(
            name.starts_with(|c: char| c.is_ascii_digit() || c == 'v')
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
                && name.contains("1234")
                && pattern.parse(&name).is_some_and(|version| if lines {
                    true
                } else {
                    version == example
                }),
            "`{}` cannot name version directories: wanted `{{version}}`, or a line such as `{{major}}.{{minor}}.x`",
            pattern.0
        );
        Ok(pattern)
    }
}

impl Pattern {
    /// A directory per line rather than per version.
    pub fn lines() -> Self {
        Self("{major}.{minor}.x".to_owned())
    }

    /// Whether one directory holds a whole line of versions, one after the other.
    pub fn has_lines(&self) -> bool {
        !self.0.contains("{version}")
    }

    /// The name of the version directory of `version`.
    pub fn render(&self, version: &Version) -> String {
        self.0
            .replace("{version}", &version.to_string())
            .replace("{major}", &version.major.to_string())
            .replace("{minor}", &version.minor.to_string())
    }

    /// The version of a directory, of a line its first one (`2.14.x` is 2.14.0); `None` where the name does not fit.
    pub fn parse(&self, name: &str) -> Option<Version> {
        if !self.has_lines() {
            let (before, after) = self.0.split_once("{version}")?;
            let version = parse_version(name.strip_prefix(before)?.strip_suffix(after)?).ok()?;
            return (self.render(&version) == name).then_some(version);
        }
        let mut numbers = name
            .split(|c: char| !c.is_ascii_digit())
            .filter(|digits| !digits.is_empty());
        let mut number = || numbers.next().map_or(Some(0), |digits| digits.parse().ok());
        let version = Version::new(number()?, number()?, 0);
        (self.render(&version) == name).then_some(version)
    }

    /// A regular expression that matches the name of any version directory.
    pub fn regex(&self) -> String {
        regex::escape(&self.0)
            .replace(r"\{version\}", crate::fields::VERSION)
            .replace(r"\{major\}", r"\d+")
            .replace(r"\{minor\}", r"\d+")
    }
}

/// The pattern that the names of these directories follow: lines, where one of them is called `2.14.x`.
pub fn infer_pattern<'a>(mut directories: impl Iterator<Item = &'a str>) -> Pattern {
    let lines = Pattern::lines();
    if directories.any(|name| lines.parse(name).is_some()) {
        lines
    } else {
        Pattern::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_name_gives_its_version_back() {
        let version = Pattern::default();
        assert_eq!(version.parse("0.25.6"), Some(Version::new(0, 25, 6)));
        assert_eq!(
            version.parse("2.14.0-RC.3").map(|v| v.to_string()),
            Some("2.14.0-RC.3".to_owned())
        );
        for bad in ["v0.25.6", "0.25", "0.25.x", "tests", "0.25.6 "] {
            assert_eq!(version.parse(bad), None, "{bad}");
        }
        let lines = Pattern::lines();
        assert_eq!(lines.parse("2.14.x"), Some(Version::new(2, 14, 0)));
        for bad in ["2.14", "2.14.3", "02.14.x", "2.14.x.x", "x"] {
            assert_eq!(lines.parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pattern_that_cannot_name_directories_is_refused() {
        for good in [
            "{version}",
            "{major}.{minor}.x",
            "{major}.x",
            "v{version}",
            "{major}.{minor}",
        ] {
            assert!(Pattern::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "x",
            "{minor}.x",
            "../{version}",
            "a/{version}",
            "{patch}",
            "{version}{version}",
            "{major}{minor}",
        ] {
            assert!(Pattern::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
