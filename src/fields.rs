//! Finds the fields of a file: the spans that state a version, a reference, a hash, a base, a variant or an architecture.
//!
//! Only where they are and what kind they are of; what they must say is `rules`' business.

mod archives;
pub mod hosts;

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::Result;
use regex::bytes::Regex;

use crate::config::Config;
use crate::fields::archives::ArchiveScanner;
use crate::tree::Role;
use crate::version::Variant;

/// A version as it stands in text: SemVer's grammar without build metadata, leading zeros let through to be reported.
pub const VERSION: &str = r"\d+\.\d+\.\d+(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?";

/// The base of a variant as it stands in text: `3.18`, `1809`, `ltsc2022`.
const BASE: &str = r"(?:\d+(?:\.\d+)*|ltsc\d+)";

/// What a field must say: `None` where anything is right, an error that says why where nothing is.
pub type Must = Option<Result<String, String>>;

/// The systems that archives are built for, as their names give them: where a version ends and the system begins.
const SYSTEMS: &str = "linux|windows|darwin|freebsd|netbsd|openbsd|dragonfly|solaris|illumos|aix|android";

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
    /// A family whose base is a variable, `alpine$base` say: all its variants at once.
    Family,
    /// The version in the label of a GitHub host: the `22.04` of `ubuntu-22.04`.
    Host {
        /// The operating system: `ubuntu`, `windows`, `macos`.
        system: String,
    },
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
            Self::Variant | Self::Family => "variant".to_owned(),
            Self::Host { system } => format!("host {system}"),
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
            Self::Variant | Self::Family => "variant",
            Self::Host { .. } => "host",
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
    archives: ArchiveScanner,
    from: Regex,
    /// The variables in references: for the version, or, in the group `variant`, for the variant.
    variable: Regex,
    /// What a variable is set to, where that is a version, or, in the group `variant`, a variant.
    value: Regex,
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
    pub fn new(config: &Config, variants: &BTreeSet<Variant>) -> Result<Self> {
        let (word, families) = words(variants);
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
        // Shells write a default as `${NAME:-0.25.6}`.
        let default = r#"(?:["']?\$\{\w+:?[-=])?"#;
        let address = Kind::Version { key: false };
        let plain = [
            (format!(r"{reference}{holder}-(?<it>[A-Za-z][\w.-]*)"), Kind::TagVariant, EVERYWHERE),
            (format!(r"{reference}(?<it>v?\d+\.\d+\.\d+[\w.-]*)"), Kind::Tag, EVERYWHERE),
            (format!(r"{reference}(?<it>{word})"), Kind::TagVariant, &[Role::Script]),
            // What a Dockerfile copies from is one image: a tag that moves is not, and must become one.
            (format!(r"{reference}(?<it>(?:v?\d[\w.]*-)?(?:{word}|{families}\b))"), Kind::Tag, &[Role::Dockerfile]),
            (
                format!(r#"\b{key}(?:[ \t]*=[ \t]*|:?[-=]|[ \t]+){default}["']?(?<it>v?\d[\w+-]*(?:\.[\w+-]+)*)"#),
                Kind::Version { key: true },
                EVERYWHERE,
            ),
            (
                format!(r"\b{server}-v(?<it>\d+\.\d+\.\d+(?:-[\w.-]+?)??)(?:-(?:{SYSTEMS}|\W)|\.[A-Za-z]|[^\w.-]|$)"),
                address.clone(),
                EVERYWHERE,
            ),
            (format!(r"/{server}/releases/download/v(?<it>{VERSION})"), address.clone(), EVERYWHERE),
            (format!(r#"image\.version["']?[= \t]["']?(?<it>{VERSION})"#), address, IN_CODE),
            (path, Kind::Directory, EVERYWHERE),
            (format!(r#"\.\.[/\\](?<it>{directory})(?:[/\\\s"');]|$)"#), Kind::Directory, EVERYWHERE),
            (format!(r"(?m)(?:^|[^\w.:-]|[}})]-)(?<it>{word})"), Kind::Variant, &[Role::Script]),
            (format!(r"(?m)(?:^|[^A-Za-z.])(?<it>{families})[-\d.]*[{{$*]"), Kind::Family, &[Role::Script]),
            (format!(r"(?m)(?:^|[^\w.-]|:-)v?(?<it>{VERSION})"), Kind::Mention, IN_CODE),
        ];
        let plain = plain
            .into_iter()
            .map(|(pattern, kind, roles)| Ok(Plain { pattern: bytes_regex(&pattern)?, kind, roles }))
            .collect::<Result<_>>()?;
        Ok(Self {
            plain,
            archives: ArchiveScanner::new(config)?,
            from: bytes_regex(
                r"(?mi)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(?<image>(?:[\w.-]+(?::\d+)?/)*[\w.-]+)(?::(?<tag>[^\s@]*))?",
            )?,
            variable: bytes_regex(&format!(
                r"{reference}(?:\$[{{(]*(?:env:)?(?<version>[A-Za-z_]\w*)|\d[\w.]*)[^\s$-]*(?:-\$\{{?(?<variant>\w+))?"
            ))?,
            value: bytes_regex(&format!(
                r#"(?m)(?:^|[\s;$:])(?<name>\w+)[ \t]*=[ \t]*[("'@]*(?:\w+[ ,"']+)?{default}v?(?:(?<version>{VERSION})|(?<variant>{word}))"#
            ))?,
            key: config.version_key(),
            image: config.image.clone(),
        })
    }

    /// The fields of a file, in the order in which they stand there; none overlaps another.
    pub fn scan(&self, text: &[u8], role: Role) -> Vec<Field> {
        let mut found: Vec<(Range<usize>, Kind)> = Vec::new();
        if role == Role::Dockerfile {
            self.archives.scan(text, &mut found);
            self.scan_bases(text, &mut found);
        }
        if role == Role::Workflow {
            hosts::scan(text, &mut found);
        }
        self.scan_variables(text, role, &mut found);
        for plain in self.plain.iter().filter(|plain| plain.roles.contains(&role)) {
            // A match may end in the character that the next one begins with, so each search starts where a field ended.
            let mut from = 0;
            while let Some(group) = plain.pattern.captures_at(text, from).and_then(|groups| groups.name("it")) {
                from = group.end();
                let span = trimmed(text, group.range());
                let has_end = matches!(plain.kind, Kind::Tag | Kind::Family | Kind::Version { key: false });
                if has_end || is_whole(text, &span, &plain.kind) {
                    found.push((span, plain.kind.clone()));
                }
            }
        }
        // Stable: of those that begin at the same place the first one found comes first.
        found.sort_by_key(|(span, _)| span.start);
        let mut fields: Vec<Field> = Vec::with_capacity(found.len());
        // One pass over the text, however many fields are in a line.
        let (mut at, mut in_comment) = (0, false);
        for (span, kind) in found {
            if fields.last().is_none_or(|last| last.span.end <= span.start) {
                if text[at..span.start].contains(&b'\n') || fields.is_empty() {
                    in_comment = is_comment(text, span.start);
                }
                at = span.start;
                fields.push(Field { in_comment, span, kind });
            }
        }
        fields
    }

    /// The values of the variables that references are made of.
    fn scan_variables(&self, text: &[u8], role: Role, found: &mut Vec<(Range<usize>, Kind)>) {
        let (mut versions, mut variants) = (BTreeSet::new(), BTreeSet::new());
        for groups in self.variable.captures_iter(text) {
            versions.extend(groups.name("version").map(|name| name.as_bytes()));
            variants.extend(groups.name("variant").map(|name| name.as_bytes()));
        }
        versions.remove(self.key.as_bytes());
        // A script's words that are variants' names are found anyway.
        if versions.is_empty() && (variants.is_empty() || role == Role::Script) {
            return;
        }
        for groups in self.value.captures_iter(text) {
            match (groups.name("version"), groups.name("variant")) {
                (Some(version), _) if versions.contains(&groups["name"]) => {
                    found.push((version.range(), Kind::Version { key: false }));
                }
                (_, Some(variant)) if variants.contains(&groups["name"]) => found.push((variant.range(), Kind::TagVariant)),
                _ => {}
            }
        }
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

    /// Whether a Dockerfile downloads an archive of the server.
    pub fn downloads(&self, text: &[u8]) -> bool {
        self.archives.downloads(text)
    }

    /// The images that the stages of a Dockerfile begin with, without tag; `scratch` and names of stages too.
    pub fn stages(&self, text: &[u8]) -> Vec<String> {
        let last = |image: String| image.rsplit('/').next().unwrap_or_default().to_owned();
        self.from.captures_iter(text).filter_map(|groups| Some(last(said(text, &groups.name("image")?.range())))).collect()
    }
}

/// The patterns for the name of a variant, of the tree's or of another base, and for that of a family.
fn words(variants: &BTreeSet<Variant>) -> (String, String) {
    // Where one name begins another the longer one must be tried first; no name at all must match nothing.
    let any_of = |names: BTreeSet<&str>| match names.is_empty() {
        true => r"[^\s\S]".to_owned(),
        false => format!("(?:{})", Vec::from_iter(names.into_iter().rev().map(regex::escape)).join("|")),
    };
    let named = |has_base: bool| variants.iter().filter(move |variant| variant.base.is_empty() != has_base);
    let families = any_of(variants.iter().map(|variant| variant.family.as_str()).collect());
    let [based, plain] = [true, false].map(|has_base| any_of(named(has_base).map(|variant| variant.name.as_str()).collect()));
    (format!("(?:{based}|{families}-?{BASE}|{plain})"), families)
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

/// A span without the `.` at its end, which is the sentence's, and the `-` in front of a variable.
fn trimmed(text: &[u8], span: Range<usize>) -> Range<usize> {
    if text[..span.end].ends_with(b"-") && !text.get(span.end).is_some_and(|next| b"${(%".contains(next)) {
        // Nothing follows that would be the rest of it: it is wrong as it stands.
        return span;
    }
    let kept = text[span.clone()].iter().rposition(|byte| !matches!(byte, b'.' | b'-')).map_or(0, |last| last + 1);
    span.start..span.start + kept
}

/// Whether the word ends where the span does: `127.0.0` is not all of `127.0.0.1`, nor `alpine3.1` of `alpine3.1-slim`.
fn is_whole(text: &[u8], span: &Range<usize>, kind: &Kind) -> bool {
    let rest = &text[span.end..];
    let word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    match rest.first() {
        Some(b'{' | b'$' | b'*') => !matches!(kind, Kind::Variant | Kind::TagVariant),
        Some(b'.') if matches!(rest.get(1), Some(b'{' | b'$' | b'*')) => false,
        Some(b'.') => !word(rest.get(1)),
        Some(b'-') => !matches!(kind, Kind::Variant) || !word(rest.get(1)),
        other => !word(other),
    }
}

/// Whether a place is in a line that is nothing but a comment.
fn is_comment(text: &[u8], at: usize) -> bool {
    line_before(text, at).trim_ascii_start().starts_with(b"#")
}

/// The line of a place.
fn line_at(text: &[u8], at: usize) -> &[u8] {
    let start = at - line_before(text, at).len();
    let end = text[at..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |newline| at + newline);
    &text[start..end]
}

/// The line of a place, as far as that place.
fn line_before(text: &[u8], at: usize) -> &[u8] {
    let start = text[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    &text[start..at]
}
