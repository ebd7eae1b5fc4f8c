//! The fields of a document: the spans that state a version, a reference, a hash, a base, a variant or an architecture.
//!
//! `scan` finds where they are; `expected` says what they should say, to `check` and to the plan alike.

mod about;
mod branches;
mod checks;
mod commands;
mod downloads;
pub mod expected;
mod failures;
mod hashes;
mod items;
mod matrix;
mod runners;
pub mod scan;
pub mod series;
mod spans;
pub mod workflow;

use std::borrow::Cow;
use std::ops::Range;

pub use self::matrix::{compared, last_name, saying_more};
pub use self::spans::{past_any_case, variable_of};
use self::workflow::Structure;

/// The folder of scripts, of the repository and of a version directory.
pub const TESTS: &str = "tests";

/// The systems of GitHub's runners.
pub const RUNNERS: [&str; 3] = ["ubuntu", "windows", "macos"];

/// How a file is read for its fields. Where it lives decides that, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// A Dockerfile of a version directory or a template.
    Dockerfile,
    /// A script directly in a folder `tests`.
    Script,
    /// A workflow of `.github/workflows`.
    Workflow,
}

/// A span of a document that states something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Where it stands, in bytes.
    pub span: Range<usize>,
    /// What it states.
    pub kind: Kind,
    /// It stands in a comment: carried along when what it says is replaced, and otherwise not a statement.
    pub in_comment: bool,
}

impl Field {
    /// Whether it is the name of a version directory.
    pub fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory { .. })
    }
}

/// What a field states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A version.
    Version {
        /// Behind the version key, rather than in an address or a label.
        key: bool,
    },
    /// The name of a version directory.
    Directory {
        /// It is a path, or behind the version key. In a workflow another such word may be anybody's: `go: [1.22.x]`.
        is_certain: bool,
    },
    /// The tag of the image: `0.25.6-alpine3.18`, `0.25.6`.
    Tag,
    /// The end of a tag whose version is a variable: the `alpine3.18` of `${version}-alpine3.18`.
    TagVariant,
    /// A version, or a tag, that is neither behind the key nor in a reference: ours where it is the one that is replaced.
    Mention {
        /// Nothing says that it is another program's.
        is_ours: bool,
    },
    /// The SHA-256 of the archive with that end of its name (`linux-arm64.tar.gz`); `None` where nothing tells which.
    Hash(Option<Box<str>>),
    /// The tag of a base image.
    Base {
        /// The last part of the image's name: `alpine`, `servercore`.
        image: Box<str>,
    },
    /// The name of a variant as a word or part of a path; in a workflow with the series that its path or its job names.
    Variant {
        /// The version directory that it belongs to, where the text says it.
        directory: Option<Box<str>>,
    },
    /// The name of a variant, or the base of one, in the name of a step: moves with the variant, and is never wrong.
    Caption {
        /// The family whose base it is, where it is the base alone: the `3.18` of `Alpine 3.18`.
        family: Option<Box<str>>,
        /// The version directory that its job is about.
        directory: Option<Box<str>>,
    },
    /// A family whose base is a variable, `alpine$base` say: all its variants at once.
    Family,
    /// The name of a script in `tests`.
    Script {
        /// The version directory that it is in, where the text says it.
        directory: Option<Box<str>>,
    },
    /// An item of a matrix that names are made of: the `2022` of `nanoserver-ltsc${{ matrix.ltsc }}`.
    Item {
        /// The names, at least one.
        made: Box<[Made]>,
    },
    /// The version in the label of a GitHub runner: the `22.04` of `ubuntu-22.04`.
    Runner {
        /// The operating system: `ubuntu`, `windows`, `macos`.
        system: Box<str>,
        /// A condition asks for it: `matrix.os == 'ubuntu-22.04'`.
        is_asked: bool,
    },
    /// The version of a runner in the name of a job that is named after it: the `2019` of `windows-2019`, also where others need it.
    JobName {
        /// The number of the job in the workflow.
        job: usize,
    },
    /// The labels of a branch in a `case` over what `apk --print-arch` prints.
    Labels {
        /// The release's name of the architecture behind them.
        arch: Box<str>,
        /// Another branch is for the same architecture.
        twice: bool,
    },
    /// The release's name of an architecture in a branch of such a `case`.
    Arch {
        /// The labels in front of it, where there are any.
        labels: Option<Box<str>>,
    },
    /// The owner and project in an address of our archives: `nats-io/nats-server`.
    Owner,
}

/// A name that is made of an item of a matrix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Made {
    /// What it is the name of.
    pub names: Named,
    /// The version directory that this is in, where the text says it.
    pub directory: Option<Box<str>>,
    /// What stands in front of the item.
    pub before: Box<str>,
    /// What stands behind the item.
    pub after: Box<str>,
}

impl Made {
    /// The name that is made of an item.
    pub fn name(&self, item: &str) -> String {
        [&self.before, item, &self.after].concat()
    }
}

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// A version directory.
    Directory,
    /// A variant.
    Variant,
    /// A script in `tests`.
    Script,
}

impl Named {
    fn rule(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Variant => "variant",
            Self::Script => "file",
        }
    }
}

impl Kind {
    /// What a summary calls it.
    pub fn label(&self) -> String {
        match self {
            Self::Hash(None) => "sha256".to_owned(),
            Self::Hash(Some(platform)) => format!("sha256 {}", arch_of(platform)),
            Self::Runner { system, .. } => format!("runner {system}"),
            Self::Script { .. } => "script".to_owned(),
            Self::Mention { .. } => "version".to_owned(),
            Self::Caption { family: None, .. } => "variant".to_owned(),
            Self::Caption { .. } => "base".to_owned(),
            Self::Item { .. } => "item".to_owned(),
            Self::JobName { .. } => "job".to_owned(),
            _ => self.rule().to_owned(),
        }
    }

    /// The names of one kind that a matrix makes of the item that this is.
    pub fn made(&self, named: Named) -> impl Iterator<Item = &Made> {
        let made = match self {
            Self::Item { made } => &made[..],
            _ => &[],
        };
        made.iter().filter(move |made| made.names == named)
    }

    /// The version directory that a name belongs to, where the text says it.
    pub fn directory(&self) -> Option<&str> {
        match self {
            Self::Variant { directory }
            | Self::Script { directory }
            | Self::Caption { directory, .. } => directory.as_deref(),
            Self::Item { made } => made.first()?.directory.as_deref(),
            _ => None,
        }
    }

    /// The name of the rule that it follows, as findings give it.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Version { .. } => "version",
            Self::Directory { .. } => "directory",
            Self::Tag | Self::TagVariant => "reference",
            Self::Mention { .. } | Self::Caption { .. } | Self::JobName { .. } => "mention",
            Self::Hash(_) => "hash",
            Self::Base { .. } => "base",
            Self::Variant { .. } | Self::Family => "variant",
            Self::Script { .. } => Named::Script.rule(),
            Self::Item { made } => made.first().map_or("variant", |made| made.names.rule()),
            Self::Runner { .. } => "runner",
            Self::Labels { .. } | Self::Arch { .. } => "architecture",
            Self::Owner => "owner",
        }
    }
}

/// `arm64` of `linux-arm64.tar.gz`; of other systems their name too: `windows-amd64`.
fn arch_of(platform: &str) -> &str {
    let stem = platform.split('.').next().unwrap_or(platform);
    stem.strip_prefix("linux-").unwrap_or(stem)
}

/// The fields that begin in a part of the text, of all of them in their order.
pub fn fields_in<'f>(fields: &'f [Field], part: &Range<usize>) -> impl Iterator<Item = &'f Field> {
    let from = fields.partition_point(|field| field.span.start < part.start);
    let end = part.end;
    let inside = fields[from..].iter();
    inside.take_while(move |field| field.span.start < end)
}

/// A span's text. Bytes that are not UTF-8 show as U+FFFD; no field that is right has any.
pub fn found<'t>(text: &'t [u8], span: &Range<usize>) -> Cow<'t, str> {
    let text = &text[span.clone()];
    // Checking alone is faster where it is UTF-8.
    std::str::from_utf8(text).map_or_else(|_| String::from_utf8_lossy(text), Cow::Borrowed)
}

/// What a document says as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The images that its stages begin with, the last part of each name; names of stages too.
    pub stages: Vec<Box<str>>,
    /// The last stage begins with an image that a variable names.
    pub has_variable_stage: bool,
    /// It gives an image of ours by its whole tag.
    pub has_reference: bool,
    /// It downloads an archive of the server.
    pub downloads: bool,
    /// It has a hash that would stay where its version moves: outside of Dockerfiles any beside an archive of ours
    /// or the version key, and the digest of an image of ours.
    pub has_stray_hash: bool,
    /// Archives without a hash beside others that have one, each with where it is named.
    pub unpinned: Vec<(usize, Box<str>)>,
    /// Where hashes of ours are compared, and a difference does not end the build.
    pub unheeded: Vec<usize>,
    /// The systems in the names of our archives.
    pub systems: Vec<Range<usize>>,
    /// The lines and jobs of a workflow.
    pub structure: Structure,
}
