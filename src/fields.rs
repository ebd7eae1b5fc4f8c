//! Finds the fields of a file: the spans that state a version, a reference, a hash, a base, a variant or an architecture.
//!
//! Only where they are and what kind they are of; what they must say is `rules`' business.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::Result;
use regex::bytes::{Captures, Regex};

use crate::config::Config;
use crate::tree::Role;
use crate::version::{Variant, apk_arch, release_arch};

/// A version as it stands in text: SemVer's grammar without build metadata, leading zeros let through to be reported.
pub const VERSION: &str = r"\d+\.\d+\.\d+(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?";

/// The base of a variant as it stands in text: `3.18`, `1809`, `ltsc2022`.
const BASE: &str = r"(?:\d+(?:\.\d+)*|ltsc\d+)";

/// What a field must say: `None` where anything is right, an error that says why where nothing is.
pub type Must = Option<Result<String, String>>;

/// A span of a file that states something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Where it stands, in bytes.
    pub span: Range<usize>,
    /// What it states.
    pub kind: Kind,
    /// It stands in a comment: carried along when what it says is replaced, and otherwise not a statement.
    pub in_comment: bool,
}

/// What a field states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A version; `key` where it stands behind the version key.
    Version {
        /// Behind the version key, rather than in an address or a label.
        key: bool,
    },
    /// The name of a version directory in a path.
    Directory,
    /// The tag of the image: `0.25.6-alpine3.18`, `0.25.6`.
    Tag,
    /// The end of a tag whose version is a variable: the `alpine3.18` of `${version}-alpine3.18`.
    TagVariant,
    /// A version, or a tag, with nothing beside it that says whose: only another version of this tree is taken for one.
    Mention,
    /// The SHA-256 of the archive with that end of its name (`linux-arm64.tar.gz`); `None` where nothing tells which.
    Hash(Option<String>),
    /// The tag of a base image.
    Base {
        /// The last part of the image's name: `alpine`, `servercore`.
        image: String,
    },
    /// The name of a variant as a word or part of a path.
    Variant,
    /// The labels of a `case` that chooses by what `apk` prints, and what they must be.
    Labels(Must),
    /// The release's name of an architecture behind such labels, and what it must be.
    Arch(Must),
}

impl Kind {
    /// What a summary calls it.
    pub fn label(&self) -> String {
        match self {
            Self::Version { .. } => "version".to_owned(),
            Self::Directory => "directory".to_owned(),
            Self::Tag | Self::TagVariant => "reference".to_owned(),
            Self::Mention => "mention".to_owned(),
            Self::Hash(None) => "sha256".to_owned(),
            Self::Hash(Some(platform)) => format!("sha256 {}", arch_of(platform)),
            Self::Base { .. } => "base".to_owned(),
            Self::Variant => "variant".to_owned(),
            Self::Labels(_) | Self::Arch(_) => "architecture".to_owned(),
        }
    }

    /// The name of the rule that it follows, as findings give it: the label's first word.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Version { .. } => "version",
            Self::Directory => "directory",
            Self::Tag | Self::TagVariant => "reference",
            Self::Mention => "mention",
            Self::Hash(_) => "hash",
            Self::Base { .. } => "base",
            Self::Variant => "variant",
            Self::Labels(_) | Self::Arch(_) => "architecture",
        }
    }
}

/// `arm64` of `linux-arm64.tar.gz`; of other systems their name too: `windows-amd64`.
fn arch_of(platform: &str) -> &str {
    let stem = platform.split('.').next().unwrap_or(platform);
    stem.strip_prefix("linux-").unwrap_or(stem)
}

/// The field's text. Bytes that are not UTF-8 show as U+FFFD; no field that is right has any.
pub fn said(text: &[u8], span: &Range<usize>) -> String {
    String::from_utf8_lossy(&text[span.clone()]).into_owned()
}

/// The patterns of one repository's fields, made once per run.
pub struct Scanner {
    /// In order of precedence: where two find the same place, the first is right.
    plain: Vec<Plain>,
    hash: Regex,
    archive: Regex,
    branch: Regex,
    branch_end: Regex,
    from: Regex,
    key: String,
    image: String,
}

/// A pattern whose group `it` is a field.
struct Plain {
    pattern: Regex,
    kind: Kind,
    roles: &'static [Role],
}

const EVERYWHERE: &[Role] = &[Role::Dockerfile, Role::Script, Role::Workflow];
const IN_CODE: &[Role] = &[Role::Dockerfile, Role::Script];

impl Scanner {
    /// The patterns for a repository with those names and variants.
    pub fn new<'a>(config: &Config, variants: impl Iterator<Item = &'a Variant>) -> Result<Self> {
        let (mut names, mut families) = (BTreeSet::new(), BTreeSet::new());
        for variant in variants {
            names.insert(regex::escape(&variant.name));
            families.insert(regex::escape(&variant.family));
        }
        // Where one name begins another the longer one must be tried first.
        let alternatives = |set: BTreeSet<String>| Vec::from_iter(set.into_iter().rev()).join("|");
        let (names, families) = (alternatives(names), alternatives(families));
        let word = format!("(?:{names}|(?:{families})-?{BASE})");
        let image = regex::escape(&config.image);
        let key = regex::escape(&config.version_key());
        let server = regex::escape(&config.server);
        let directory = config.directory.regex();
        let holder = r"(?:\$\{[^}\s]*\}|\$\([^)\s]*\)|\$\w+(?:\[\w+\])?|\{\d+\})";
        let reference = format!(r#"(?m)(?:^|[^\w./@-])(?:docker\.io/)?(?:library/)?{image}:"#);
        let is_lines = config.directory.has_lines();
        let path = match is_lines {
            true => format!(r#"(?m)(?:^|[\s"'=/\\(])(?<it>{directory})(?:[/\\\s"');]|$)"#),
            false => format!(r#"(?m)(?:^|[\s"'=/\\(])(?<it>{directory})[/\\](?:{word}|tests)\b"#),
        };
        let plain = [
            (format!(r"{reference}{holder}-(?<it>[A-Za-z][\w.-]*)"), Kind::TagVariant, EVERYWHERE),
            (format!(r"{reference}(?<it>\d+\.\d+\.\d+[\w.-]*)"), Kind::Tag, EVERYWHERE),
            (
                format!(r#"\b{key}(?:[ \t]*=[ \t]*|[ \t]+)["']?v?(?<it>\d[\w+-]*(?:\.[\w+-]+)*)"#),
                Kind::Version { key: true },
                EVERYWHERE,
            ),
            (
                format!(
                    r"\b{server}-v(?<it>\d+\.\d+\.\d+(?:-[\w.-]+?)?)(?:-(?:linux|windows|darwin|freebsd|\W)|\.[A-Za-z]|[^\w.-]|$)"
                ),
                Kind::Version { key: false },
                EVERYWHERE,
            ),
            (format!(r"/{server}/releases/download/v(?<it>{VERSION})"), Kind::Version { key: false }, EVERYWHERE),
            (format!(r#"image\.version["']?[= \t]["']?(?<it>{VERSION})"#), Kind::Version { key: false }, IN_CODE),
            (path, Kind::Directory, EVERYWHERE),
            (format!(r"(?m)(?:^|[^\w.:-]|[}})]-)(?<it>{word})"), Kind::Variant, &[Role::Script]),
            (format!(r"(?m)(?:^|[^\w.-])v?(?<it>{VERSION})"), Kind::Mention, IN_CODE),
        ];
        let plain = plain
            .into_iter()
            .map(|(pattern, kind, roles)| Ok(Plain { pattern: bytes_regex(&pattern)?, kind, roles }))
            .collect::<Result<_>>()?;
        let label = r#"["']?[\w-]+["']?"#;
        let go_on = r"[ \t]*(?:[\\`]\r?\n[ \t]*)?";
        Ok(Self {
            plain,
            hash: bytes_regex(r"\b[0-9a-fA-F]{64}\b")?,
            archive: bytes_regex(&format!(
                r#"(?<ours>\b{server}-v[^\s"'/]*?-)?\b(?<os>linux|windows|darwin|freebsd)-(?<arch>[a-z0-9]+|\$\{{?\w+\}}?)\.(?<ending>tar\.gz|tgz|zip)\b"#
            ))?,
            branch: bytes_regex(&format!(
                r#"(?:(?<labels>{label}(?:[ \t]*\|[ \t]*{label})*)[ \t]*\){go_on}(?:\w+=[^;\r\n]*;{go_on})*?)?\b\w*[aA](?:rch|RCH)=["']?(?<arch>\w[\w.-]*)"#
            ))?,
            branch_end: bytes_regex(r";;|\besac\b|\bfi\b|\belif\b")?,
            from: bytes_regex(
                r"(?mi)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(?<image>(?:[\w.-]+(?::\d+)?/)*[\w.-]+)(?::(?<tag>[^\s@]*))?",
            )?,
            key: config.version_key(),
            image: config.image.clone(),
        })
    }

    /// The fields of a file, in the order in which they stand there; none overlaps another.
    pub fn scan(&self, text: &[u8], role: Role) -> Vec<Field> {
        let mut found: Vec<(Range<usize>, Kind)> = Vec::new();
        if role == Role::Dockerfile {
            self.scan_archives(text, &mut found);
            self.scan_bases(text, &mut found);
        }
        for plain in self.plain.iter().filter(|plain| plain.roles.contains(&role)) {
            // A match may end in the character that the next one begins with, so each search starts where a field ended.
            let mut from = 0;
            while let Some(group) = plain.pattern.captures_at(text, from).and_then(|groups| groups.name("it")) {
                from = group.end();
                let span = trimmed(text, group.range());
                if plain.kind == Kind::Tag || is_whole(text, &span, &plain.kind) {
                    found.push((span, plain.kind.clone()));
                }
            }
        }
        // Stable: of those that begin at the same place the first one found comes first.
        found.sort_by_key(|(span, _)| span.start);
        let mut fields: Vec<Field> = Vec::with_capacity(found.len());
        for (span, kind) in found {
            if fields.last().is_none_or(|last| last.span.end <= span.start) {
                fields.push(Field { in_comment: is_comment(text, span.start), span, kind });
            }
        }
        fields
    }

    /// Hashes, and the architectures that they belong to.
    fn scan_archives(&self, text: &[u8], found: &mut Vec<(Range<usize>, Kind)>) {
        let archives = self.archives(text);
        let branches = self.branches(text);
        let chooses_by_apk = contains(text, b"apk --print-arch");
        for branch in &branches {
            if let (true, Some(labels)) = (chooses_by_apk, &branch.labels) {
                let (labels_must, arch_must) = pairing(&said(text, labels), branch, &branches);
                found.push((labels.clone(), Kind::Labels(labels_must)));
                found.push((branch.arch.clone(), Kind::Arch(arch_must)));
            }
        }
        let hashes: Vec<Range<usize>> = self.hash.find_iter(text).map(|hash| hash.range()).collect();
        // An image's digest says which bytes the base is, not which archive.
        let hashes = hashes.into_iter().filter(|hash| !text[..hash.start].ends_with(b"@sha256:"));
        let (in_branch, single): (Vec<_>, Vec<_>) = hashes
            .map(|hash| (branches.iter().find(|branch| branch.range.contains(&hash.start)), hash))
            .partition(|(branch, _)| branch.is_some());
        for (branch, hash) in in_branch {
            let platform = branch.map(|branch| format!("{}-{}.{}", archives.os, branch.name, archives.ending));
            found.push((hash, Kind::Hash(platform)));
        }
        // Without an archive of its own a hash is somebody else's, of a tool that the image installs.
        if let Some(platform) = &archives.single {
            let named = |hash: &Range<usize>| contains(line_before(text, hash.start), self.key.as_bytes());
            let (ours, other): (Vec<_>, Vec<_>) = single.into_iter().map(|(_, hash)| hash).partition(named);
            let hashes = if ours.is_empty() { other } else { ours };
            let platform = (hashes.len() == 1).then(|| platform.clone());
            found.extend(hashes.into_iter().map(|hash| (hash, Kind::Hash(platform.clone()))));
        }
    }

    /// What the addresses in a Dockerfile say of the archives it downloads.
    fn archives(&self, text: &[u8]) -> Archives {
        let all: Vec<Captures> = self.archive.captures_iter(text).collect();
        let ours = all.iter().filter(|groups| groups.name("ours").is_some()).collect::<Vec<_>>();
        let relevant = if ours.is_empty() { all.iter().collect() } else { ours };
        let group = |groups: &Captures, name: &str| said(text, &groups.name(name).map_or(0..0, |group| group.range()));
        let any = relevant.iter().find(|groups| groups["arch"].starts_with(b"$"));
        let single: BTreeSet<String> = relevant
            .iter()
            .filter(|groups| !groups["arch"].starts_with(b"$"))
            .map(|groups| format!("{}-{}.{}", group(groups, "os"), group(groups, "arch"), group(groups, "ending")))
            .collect();
        Archives {
            os: any.map_or("linux".to_owned(), |groups| group(groups, "os")),
            ending: any.map_or("tar.gz".to_owned(), |groups| group(groups, "ending")),
            single: if any.is_none() && single.len() == 1 { single.into_iter().next() } else { None },
        }
    }

    /// The branches of a Dockerfile that name an architecture.
    fn branches(&self, text: &[u8]) -> Vec<Branch> {
        let mut branches: Vec<Branch> = Vec::new();
        for groups in self.branch.captures_iter(text) {
            let (Some(all), Some(arch)) = (groups.get(0), groups.name("arch")) else { continue };
            let end = self.branch_end.find_at(text, arch.end()).map_or(text.len(), |end| end.start());
            if let Some(last) = branches.last_mut() {
                last.range.end = last.range.end.min(all.start());
            }
            if is_comment(text, arch.start()) {
                continue;
            }
            let labels = groups.name("labels").map(|labels| labels.range());
            let said_arch = said(text, &arch.range());
            let apk = labels.as_ref().and_then(|labels| right_arch(&said(text, labels), &said_arch));
            branches.push(Branch { range: all.start()..end, labels, arch: arch.range(), name: apk.unwrap_or(said_arch) });
        }
        branches
    }

    /// The tags of the images that stages begin with.
    fn scan_bases(&self, text: &[u8], found: &mut Vec<(Range<usize>, Kind)>) {
        for groups in self.from.captures_iter(text) {
            let (Some(image), Some(tag)) = (groups.name("image"), groups.name("tag")) else { continue };
            let image = said(text, &image.range());
            if image == self.image {
                continue;
            }
            let image = image.rsplit('/').next().unwrap_or(&image).to_owned();
            let variable = tag.as_bytes().strip_prefix(b"$").map(|name| name.trim_ascii());
            let span = match variable {
                None => Some(tag.range()),
                Some(name) => default_of(text, &String::from_utf8_lossy(name)),
            };
            found.extend(span.map(|span| (span, Kind::Base { image })));
        }
    }

    /// The images that the stages of a Dockerfile begin with, without tag; `scratch` and names of stages too.
    pub fn stages(&self, text: &[u8]) -> Vec<String> {
        let last = |image: String| image.rsplit('/').next().unwrap_or_default().to_owned();
        self.from.captures_iter(text).filter_map(|groups| Some(last(said(text, &groups.name("image")?.range())))).collect()
    }

    /// Whether a Dockerfile downloads an archive of the server.
    pub fn downloads(&self, text: &[u8]) -> bool {
        self.archive.captures_iter(text).any(|groups| groups.name("ours").is_some())
    }
}

/// What a Dockerfile's addresses say of the archives: system and ending where the architecture is a variable, or the only one.
struct Archives {
    os: String,
    ending: String,
    single: Option<String>,
}

/// A branch of a `case` or an `if` that names an architecture.
struct Branch {
    range: Range<usize>,
    labels: Option<Range<usize>>,
    arch: Range<usize>,
    /// The release's name that must stand there.
    name: String,
}

/// The labels of a `case` branch, without quotes.
fn labels_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('|').map(|label| label.trim().trim_matches(['"', '\'']))
}

/// The release's name for the labels of a branch: what stands there where one of them pairs with it, else the first one's;
/// `None` where `apk` prints none of them.
fn right_arch(labels: &str, found: &str) -> Option<String> {
    let mut names = labels_in(labels).filter_map(release_arch).peekable();
    let first = *names.peek()?;
    Some(names.find(|name| *name == found).unwrap_or(first).to_owned())
}

/// What the labels and the architecture of a branch must be, where they are wrong.
fn pairing(labels: &str, branch: &Branch, all: &[Branch]) -> (Must, Must) {
    if all.iter().filter(|other| other.name == branch.name).count() > 1 {
        let why = format!("two branches are for {}: give each architecture one, and its own name", branch.name);
        return (Some(Err(why)), None);
    }
    if right_arch(labels, &branch.name).is_some() {
        return (None, Some(Ok(branch.name.clone())));
    }
    let labels_must = apk_arch(&branch.name)
        .map(str::to_owned)
        .ok_or_else(|| format!("`apk --print-arch` never prints {labels}, and {} is no architecture of Alpine's", branch.name));
    (Some(labels_must), None)
}

/// The value that an `ARG` of this name (`NAME`, `{NAME}`) has by default.
fn default_of(text: &[u8], name: &str) -> Option<Range<usize>> {
    let name = regex::escape(name.trim_matches(['{', '}']));
    let pattern = bytes_regex(&format!(r#"(?mi)^[ \t]*ARG[ \t]+{name}=["']?(?<it>[^\s"']+)"#)).ok()?;
    Some(pattern.captures(text)?.name("it")?.range())
}

fn bytes_regex(pattern: &str) -> Result<Regex> {
    Ok(Regex::new(&format!("(?-u){pattern}"))?)
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}

/// A span without the `.` and `-` at its end, which are the sentence's.
fn trimmed(text: &[u8], span: Range<usize>) -> Range<usize> {
    let kept = text[span.clone()].iter().rposition(|byte| !matches!(byte, b'.' | b'-')).map_or(0, |last| last + 1);
    span.start..span.start + kept
}

/// Whether the word ends where the span does: `127.0.0` is not all of `127.0.0.1`, nor `alpine3.1` of `alpine3.1-slim`.
fn is_whole(text: &[u8], span: &Range<usize>, kind: &Kind) -> bool {
    let rest = &text[span.end..];
    let word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    match rest.first() {
        Some(b'.') => !word(rest.get(1)),
        Some(b'-') => !matches!(kind, Kind::Variant) || !word(rest.get(1)),
        other => !word(other),
    }
}

/// Whether a place is in a line that is nothing but a comment.
fn is_comment(text: &[u8], at: usize) -> bool {
    line_before(text, at).trim_ascii_start().starts_with(b"#")
}

/// The line of a place, as far as that place.
fn line_before(text: &[u8], at: usize) -> &[u8] {
    let start = text[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    &text[start..at]
}
