//! What repository this is: the names of its image and server, and how its version directories are named.
//!
//! Said by `update.toml`; what that leaves out is read off the archives that the tree's own Dockerfiles download.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};
use memchr::memmem;
use semver::Version;
use serde::Deserialize;

use crate::text::{Places, first_of, harmless};
use crate::version::parse_version;

/// The names that the fields of a repository are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The Docker Hub name: `nats-streaming`.
    pub image: String,
    /// The GitHub project, and the prefix of its archives: `nats-streaming-server`.
    pub server: String,
    /// The GitHub owner of the server.
    pub owner: String,
    /// How version directories are named.
    pub directory: Pattern,
}

/// What an `update.toml` says. Every key may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    image: Option<Name>,
    server: Option<Name>,
    owner: Option<Name>,
    /// How version directories are named, where that is said.
    pub directory: Option<Pattern>,
}

/// A name on GitHub or Docker Hub.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Name(String);

const NO_NAME: &str =
    "not a name: expected letters, digits, `-`, `_` and `.`, beginning with a letter or a digit";
const NO_PATTERN: &str = "cannot name version directories: expected `{version}`, or a series such as `{major}.{minor}.x`";
const BARE: &str = "would make names that are bare numbers, which cannot be told from other numbers in a file: add a letter, as in \
     `{major}.{minor}.x`";

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_it = is_name(&text);
        is_it.then_some(Self(text)).ok_or(NO_NAME)
    }
}

/// The owners and servers whose archives Dockerfiles download, each with the paths of those.
type Found = BTreeMap<(String, String), Vec<String>>;

/// The image that a server's is called by itself.
fn image_of(server: &str) -> &str {
    server.strip_suffix("-server").unwrap_or(server)
}

impl Stated {
    /// Reads the text of an `update.toml`. Errors name `place`, line and key, and never repeat the text: it may be
    /// anything.
    pub fn parse(text: &[u8], place: &str) -> Result<Self> {
        let text = std::str::from_utf8(text).map_err(|_| anyhow!("{place} is not UTF-8"))?;
        toml::from_str(text).map_err(|problem| {
            let at = problem.span().map_or(0, |span| span.start);
            let (line, column) = Places::new(text.as_bytes()).of(at);
            let said = text.lines().nth(line - 1).unwrap_or_default().trim_start();
            let key = ["image", "server", "owner", "directory"]
                .into_iter()
                .find(|key| said.starts_with(key));
            let key = key.map_or(String::new(), |key| format!("`{key}`: "));
            // Any other message may repeat what is in the file.
            let why = problem.message().trim();
            let is_ours = [NO_NAME, NO_PATTERN, BARE].contains(&why);
            let why = match is_ours || why.starts_with("unknown field") {
                true => key + &harmless(why),
                false => "expected a line such as `image = \"nats-streaming\"`".to_owned(),
            };
            anyhow!("{place}:{line}:{column}: {why}")
        })
    }

    /// The whole of it. `texts` are Dockerfiles with their paths, in groups, the newest version directory first: the first group
    /// with archives of ours says whose they are. An error where nothing does, or where there are several.
    pub fn complete(
        self,
        directory: Pattern,
        texts: impl Iterator<Item = Vec<(String, Vec<u8>)>>,
    ) -> Result<Config> {
        let [image, server, owner] =
            [self.image, self.server, self.owner].map(|name| Some(name?.0));
        let stated = owner.clone().zip(server.clone());
        let mut found: Found = stated.map(|one| (one, Vec::new())).into_iter().collect();
        for group in texts {
            if !found.is_empty() {
                break;
            }
            for (path, text) in &group {
                archives(path, text, &mut found);
            }
            found.retain(|(_, name), _| server.as_ref().is_none_or(|server| server == name));
        }
        if found.len() != 1 {
            bail!("{}", unknown(&found, &directory));
        }
        let (from, server) = found.into_keys().next().unwrap_or_default();
        Ok(Config {
            image: image.unwrap_or_else(|| image_of(&server).to_owned()),
            owner: owner.unwrap_or(from),
            server,
            directory,
        })
    }
}

/// Why nobody can tell what repository this is, with an `update.toml` that says so.
fn unknown(found: &Found, Pattern(directory): &Pattern) -> String {
    let named = |((owner, server), paths): (&(String, String), &Vec<String>)| {
        format!("{owner}/{server} ({})", first_of(paths, 3))
    };
    let names: Vec<String> = found.iter().map(named).collect();
    let what = match names.is_empty() {
        true => "no Dockerfile downloads an archive of https://github.com/<owner>/<server>/releases/download/ whose name \
                 begins with <server>-v"
            .to_owned(),
        false => format!("its Dockerfiles download archives of {}", names.join(" and of ")),
    };
    let most = found.iter().max_by_key(|(_, paths)| paths.len());
    let most = most.map(|((owner, server), _)| (owner.as_str(), server.as_str()));
    let (owner, server) = most.unwrap_or(("nats-io", "nats-streaming-server"));
    let image = image_of(server);
    format!(
        "do not know this repository: {what}.\n\
         Add an `update.toml` to the repository's top folder that says which server it is for, for example:\n\
         image = \"{image}\"\nserver = \"{server}\"\nowner = \"{owner}\"\ndirectory = \"{directory}\""
    )
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    // No repository of GitHub, and no image, has a longer name.
    let is_short = text.len() <= 128;
    is_short && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain)
}

/// Adds the owners and servers whose archives a Dockerfile downloads:
/// `github.com/<owner>/<server>/releases/download/…/<server>-v…`.
fn archives(path: &str, text: &[u8], found: &mut Found) {
    const DOWNLOAD: &[u8] = b"/releases/download/";
    for at in memmem::find_iter(text, DOWNLOAD) {
        let before = &text[at.saturating_sub(200)..at];
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`".contains(byte);
        let after = &text[at + DOWNLOAD.len()..];
        let after = &after[..after.len().min(400)];
        let after = after.split(is_end).next().unwrap_or_default();
        let before = before.rsplit(is_end).next().unwrap_or_default();
        let slash = |byte: &u8| *byte == b'/';
        let mut parts = before.rsplit(slash).map(String::from_utf8_lossy);
        let (Some(server), Some(owner), Some(host)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let file = after.rsplit(slash).next().unwrap_or_default();
        let is_ours = file.starts_with(format!("{server}-v").as_bytes());
        if host == "github.com" && is_name(&owner) && is_name(&server) && is_ours {
            let one = (owner.into_owned(), server.into_owned());
            let paths = found.entry(one).or_default();
            paths.extend((paths.last().is_none_or(|last| last != path)).then(|| path.to_owned()));
        }
    }
}

/// The name of a variable that is called after an image or a server.
pub fn upper_cased(name: &str) -> String {
    name.to_uppercase().replace(['-', '.'], "_")
}

impl Config {
    /// The name under which Dockerfiles and scripts keep the version: `NATS_STREAMING_SERVER`.
    pub fn version_key(&self) -> String {
        upper_cased(&self.server)
    }

    /// The name of a release's archive; `platform` is its end: `linux-arm64.tar.gz`, `windows-amd64.zip`.
    pub fn archive(&self, version: &Version, platform: &str) -> String {
        format!("{}-v{version}-{platform}", self.server)
    }

    /// Where the server is: `https://github.com/nats-io/nats-streaming-server`.
    pub fn project(&self) -> String {
        format!("https://github.com/{}/{}", self.owner, self.server)
    }
}

/// How version directories are named: one per version (`{version}`), or one per series (`{major}.{minor}.x`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(String);

impl TryFrom<String> for Pattern {
    type Error = &'static str;

    /// Reads a pattern. An error where it could not name directories, or where a bare number would fit it: any number in a text
    /// could then be one.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let pattern = Self(text);
        let example = Version::new(1234, 5678, 9);
        let name = pattern.render(&example);
        let fits = |found: Version| pattern.has_series() || found == example;
        let is_one = name.starts_with(|c: char| c.is_ascii_digit() || c == 'v')
            && is_name(&name)
            && name.contains("1234")
            && pattern.matches(&name).is_some_and(fits);
        let is_bare = pattern.has_series() && !name.contains(|c: char| c.is_ascii_alphabetic());
        match (is_one, is_bare) {
            (true, false) => Ok(pattern),
            (true, true) => Err(BARE),
            (false, _) => Err(NO_PATTERN),
        }
    }
}

impl Default for Pattern {
    fn default() -> Self {
        Self("{version}".to_owned())
    }
}

impl Pattern {
    /// A directory per series rather than per version.
    pub fn series() -> Self {
        Self("{major}.{minor}.x".to_owned())
    }

    /// The pattern that the names of these folders follow: that of series, where more of them fit it.
    pub fn infer(folders: &[&str]) -> Self {
        let fitting = |pattern: &Self| {
            let fits = |name: &&&str| pattern.matches(name).is_some();
            folders.iter().filter(fits).count()
        };
        let (series, version) = (Self::series(), Self::default());
        match fitting(&series) > fitting(&version) {
            true => series,
            false => version,
        }
    }

    /// Whether one directory holds a whole series of versions, one after the other.
    pub fn has_series(&self) -> bool {
        !self.0.contains("{version}")
    }

    /// The name of the version directory of `version`.
    pub fn render(&self, version: &Version) -> String {
        self.0
            .replace("{version}", &version.to_string())
            .replace("{major}", &version.major.to_string())
            .replace("{minor}", &version.minor.to_string())
    }

    /// The version of a directory, of a series its first one (`2.14.x` is 2.14.0); `None` where the name does not fit.
    pub fn matches(&self, name: &str) -> Option<Version> {
        if let Some((before, after)) = self.0.split_once("{version}") {
            let version = name.strip_prefix(before)?.strip_suffix(after)?;
            // SemVer has one way to write a version, but for a `v` in front of it.
            return parse_version(version).filter(|_| !version.starts_with('v'));
        }
        let numbers = name.split(|c: char| !c.is_ascii_digit());
        let mut numbers = numbers.filter(|digits| !digits.is_empty());
        let mut number = || numbers.next().map_or(Some(0), |digits| digits.parse().ok());
        let version = Version::new(number()?, number()?, 0);
        (self.render(&version) == name).then_some(version)
    }

    /// The shortest words that the numbers of a version, or the name of a version directory, can hold: the last digit in front of a
    /// `.`, and what stands in front of the pattern's first number, or behind it.
    pub fn starts(&self) -> Vec<String> {
        let (before, rest) = self.0.split_once('{').unwrap_or_default();
        let behind = rest
            .split_once('}')
            .and_then(|(_, rest)| rest.chars().next())
            .filter(|sign| *sign != '.');
        let digits = |sign: char| (0..10).map(move |digit| format!("{digit}{sign}"));
        let mut starts: Vec<String> = digits('.').collect();
        match before {
            "" => starts.extend(behind.into_iter().flat_map(digits)),
            before => starts.push(before.to_owned()),
        }
        starts
    }

    /// Whether a text is the name of a version directory.
    pub fn is_name(&self, text: &[u8]) -> bool {
        !text.is_empty() && self.length(text) == text.len()
    }

    /// The length of the directory's name that a text begins with; 0 where it begins with none.
    pub fn length(&self, text: &[u8]) -> usize {
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
        let word = text.iter().take(200).take_while(is_part).count();
        let Ok(word) = std::str::from_utf8(&text[..word]) else {
            return 0;
        };
        // A name ends where the word does, but for the `.` of a sentence.
        let word = word.trim_end_matches(['.', '-']);
        match self.matches(word).is_some() {
            true => word.len(),
            false => 0,
        }
    }
}

/// Whether a folder's name looks like that of a version directory, of whatever layout: `0.25.6`, `v2.14.0-RC.3`, `2.x`; also to
/// somebody who does not see what the letters are.
pub fn looks_like_a_version(name: &str) -> bool {
    let name = name.strip_prefix('v').unwrap_or(name);
    let numbers = name.split_once('-').map_or(name, |(numbers, _)| numbers);
    let is_number = |part: &str| !part.is_empty() && part.chars().all(char::is_numeric);
    let parts: Vec<&str> = numbers.split('.').collect();
    let (first, rest) = (parts[0], &parts[1..]);
    let is_letter = |c: char| c.eq_ignore_ascii_case(&'x') || !c.is_ascii();
    let is_open = |part: &str| part.chars().count() == 1 && part.chars().all(is_letter);
    is_number(first) && !rest.is_empty() && rest.iter().all(|part| is_number(part) || is_open(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_name_gives_its_version_back() {
        let version = Pattern::default();
        let text = |name: &str| version.matches(name).map(|version| version.to_string());
        assert_eq!(text("0.25.6").as_deref(), Some("0.25.6"));
        assert_eq!(text("2.14.0-RC.3").as_deref(), Some("2.14.0-RC.3"));
        for bad in ["v0.25.6", "0.25", "0.25.x", "tests", "0.25.6 "] {
            assert_eq!(version.matches(bad), None, "{bad}");
        }
        let series = Pattern::series();
        assert_eq!(series.matches("2.14.x"), Some(Version::new(2, 14, 0)));
        for bad in ["2.14", "2.14.3", "02.14.x", "2.14.x.x", "x"] {
            assert_eq!(series.matches(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pattern_that_cannot_name_directories_is_refused() {
        for good in [
            "{version}",
            "{major}.{minor}.x",
            "{major}.x",
            "v{version}",
            "v{major}",
        ] {
            assert!(Pattern::try_from(good.to_owned()).is_ok(), "{good}");
        }
        let none = [
            "",
            "x",
            "{minor}.x",
            "../{version}",
            "a/{version}",
            "{patch}",
        ];
        let doubtful = ["{version}{version}", "{major}{minor}"];
        let numbers = ["{major}", "{major}.{minor}"];
        for bad in [&none[..], &doubtful, &numbers].concat() {
            assert!(Pattern::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_version_directories_are_known_by_their_look() {
        for name in [
            "0.25.6",
            "v0.25.6",
            "0.25.x",
            "2.x",
            "2.14.0-RC.3",
            "0.25",
            "2.14.X",
            "2.14.х",
            "2.1４.x",
        ] {
            assert!(looks_like_a_version(name), "{name}");
        }
        for name in ["2019", "tests", "docs", "v", "1.x.y", "", "a.1"] {
            assert!(!looks_like_a_version(name), "{name}");
        }
    }
}
