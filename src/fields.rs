//! Finds the fields of a file: the spans that state a version, a reference, a hash, a base, a variant or an architecture.
//!
//! Only where they are and what kind they are of; what they must say is `rules`' business.

mod archives;
pub mod hosts;
mod patterns;

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Context, Result};
use memchr::memmem;
use regex::bytes::Regex;

use crate::config::Config;
use crate::fields::archives::ArchiveScanner;
use crate::fields::patterns::{Needs, Words, plain};
use crate::parallel;
use crate::tree::Role;
use crate::version::Variant;

/// A version as it stands in text: SemVer's grammar without build metadata, leading zeros let through to be reported.
pub const VERSION: &str = r"\d+\.\d+\.\d+(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?";

/// What a field must say: `None` where anything is right, an error that says why where nothing is.
pub type Must = Option<Result<String, String>>;

/// The systems that archives are built for, as their names give them: where a version ends and the system begins.
const SYSTEMS: &str =
    "linux|windows|darwin|freebsd|netbsd|openbsd|dragonfly|solaris|illumos|aix|android";

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
    /// Whether there can be a reference at all.
    named: Needs,
}

/// A pattern whose group `it` is a field.
struct Plain {
    pattern: Regex,
    kind: Kind,
    roles: &'static [Role],
    needs: Needs,
}

impl Scanner {
    /// The patterns for a repository with those names and variants.
    pub fn new(config: &Config, variants: &BTreeSet<Variant>) -> Result<Self> {
        let words = Words::new(config, variants);
        let plain = plain(config, variants, &words);
        let Words {
            reference,
            word,
            default,
            ..
        } = &words;
        let rest = [
            r"(?i)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(?<image>(?:[\w.-]+(?::\d+)?/)*[\w.-]+)(?::(?<tag>[^\s@]*))?".to_owned(),
            format!(r"{reference}(?:\$[{{(]*(?:env:)?(?<version>[A-Za-z_]\w*)|\d[\w.]*)[^\s$-]*(?:-\$\{{?(?<variant>\w+))?"),
            format!(
                r#"(?m)(?:^|[\s;$:])(?<name>\w+)[ \t]*=[ \t]*[("'@]*(?:\w+[ ,"']+)?{default}v?(?:(?<version>{VERSION})|(?<variant>{word}))"#
            ),
        ];
        let archives = ArchiveScanner::patterns(config);
        let all: Vec<&String> = plain
            .iter()
            .map(|plain| &plain.0)
            .chain(&rest)
            .chain(&archives)
            .collect();
        // Making a pattern takes longer than reading a small repository: two threads are worth it at once.
        let made: Result<Vec<Regex>> = parallel::map(&all, 2, |_, pattern| bytes_regex(pattern))
            .into_iter()
            .collect();
        let mut made = made?.into_iter();
        let plain = plain.into_iter().zip(made.by_ref());
        let plain = plain
            .map(|((_, kind, roles, needs), pattern)| Plain {
                pattern,
                kind,
                roles,
                needs,
            })
            .collect();
        let mut next = || made.next().context("a pattern is missing");
        let (from, variable, value) = (next()?, next()?, next()?);
        let archives = ArchiveScanner::new(config, next)?;
        let (key, image) = (config.version_key(), config.image.clone());
        let named = Needs::any_of([format!("{image}:").as_str()]);
        Ok(Self {
            plain,
            archives,
            from,
            variable,
            value,
            key,
            image,
            named,
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
        for plain in self
            .plain
            .iter()
            .filter(|plain| plain.roles.contains(&role) && plain.needs.are_in(text))
        {
            // A match may end in the character that the next one begins with, so each search starts where a field ended.
            let mut from = 0;
            while let Some(group) = plain
                .pattern
                .captures_at(text, from)
                .and_then(|groups| groups.name("it"))
            {
                from = group.end();
                let span = trimmed(text, group.range());
                let has_end = matches!(
                    plain.kind,
                    Kind::Tag | Kind::Family | Kind::Version { key: false }
                );
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
                fields.push(Field {
                    in_comment,
                    span,
                    kind,
                });
            }
        }
        fields
    }

    /// The values of the variables that references are made of.
    fn scan_variables(&self, text: &[u8], role: Role, found: &mut Vec<(Range<usize>, Kind)>) {
        let (mut versions, mut variants) = (BTreeSet::new(), BTreeSet::new());
        if !self.named.are_in(text) {
            return;
        }
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
                (_, Some(variant)) if variants.contains(&groups["name"]) => {
                    found.push((variant.range(), Kind::TagVariant))
                }
                _ => {}
            }
        }
    }

    /// The tags of the images that stages begin with.
    fn scan_bases(&self, text: &[u8], found: &mut Vec<(Range<usize>, Kind)>) {
        for (image, tag) in self.froms(text) {
            let (image, Some(tag)) = (said(text, &image), tag) else {
                continue;
            };
            if image == self.image {
                continue;
            }
            let image = image.rsplit('/').next().unwrap_or(&image).to_owned();
            let variable = text[tag.clone()]
                .strip_prefix(b"$")
                .map(|name| name.trim_ascii());
            let span = match variable {
                None => Some(tag),
                Some(name) => default_of(text, &String::from_utf8_lossy(name)),
            };
            found.extend(span.map(|span| (span, Kind::Base { image })));
        }
    }

    /// The images that stages begin with, and their tags. Few lines can be such, so that only those are given to the pattern.
    fn froms(&self, text: &[u8]) -> impl Iterator<Item = (Range<usize>, Option<Range<usize>>)> {
        let mut start = 0;
        let lines = text
            .split_inclusive(|&byte| byte == b'\n')
            .map(move |line| {
                start += line.len();
                (start - line.len(), line)
            });
        let is_from = |line: &[u8]| {
            line.trim_ascii_start()
                .get(..4)
                .is_some_and(|word| word.eq_ignore_ascii_case(b"FROM"))
        };
        lines
            .filter(move |(_, line)| is_from(line))
            .filter_map(|(start, line)| {
                let groups = self.from.captures(line)?;
                let range = |name| {
                    groups
                        .name(name)
                        .map(|group| start + group.start()..start + group.end())
                };
                Some((range("image")?, range("tag")))
            })
    }

    /// Whether a Dockerfile downloads an archive of the server.
    pub fn downloads(&self, text: &[u8]) -> bool {
        self.archives.downloads(text)
    }

    /// The images that the stages of a Dockerfile begin with, without tag; `scratch` and names of stages too.
    pub fn stages(&self, text: &[u8]) -> Vec<String> {
        let last = |image: String| image.rsplit('/').next().unwrap_or_default().to_owned();
        self.froms(text)
            .map(|(image, _)| last(said(text, &image)))
            .collect()
    }
}

/// The value that an `ARG` of this name (`NAME`, `{NAME}`) has by default.
fn default_of(text: &[u8], name: &str) -> Option<Range<usize>> {
    let name = regex::escape(name.trim_matches(['{', '}']));
    let pattern = bytes_regex(&format!(
        r#"(?mi)^[ \t]*ARG[ \t]+{name}=["']?(?<it>[^\s"']+)"#
    ))
    .ok()?;
    Some(pattern.captures(text)?.name("it")?.range())
}

fn bytes_regex(pattern: &str) -> Result<Regex> {
    Ok(Regex::new(&format!("(?-u){pattern}"))?)
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    memmem::find(text, what).is_some()
}

/// A span without the `.` at its end, which is the sentence's, and the `-` in front of a variable.
fn trimmed(text: &[u8], span: Range<usize>) -> Range<usize> {
    if text[..span.end].ends_with(b"-")
        && !text
            .get(span.end)
            .is_some_and(|next| b"${(%".contains(next))
    {
        // Nothing follows that would be the rest of it: it is wrong as it stands.
        return span;
    }
    let kept = text[span.clone()]
        .iter()
        .rposition(|byte| !matches!(byte, b'.' | b'-'))
        .map_or(0, |last| last + 1);
    span.start..span.start + kept
}

/// Whether the word ends where the span does: `127.0.0` is not all of `127.0.0.1`, nor `alpine3.1` of `alpine3.1-slim`.
fn is_whole(text: &[u8], span: &Range<usize>, kind: &Kind) -> bool {
    let rest = &text[span.end..];
    let word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
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
    let end = text[at..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(text.len(), |newline| at + newline);
    &text[start..end]
}

/// The line of a place, as far as that place.
fn line_before(text: &[u8], at: usize) -> &[u8] {
    let start = text[..at]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |newline| newline + 1);
    &text[start..at]
}
