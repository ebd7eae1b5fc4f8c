//! What each field is expected to say. The one definition of it: `check` reports the fields that say something else, an
//! update writes them.

mod architectures;
mod references;
mod runners;

use self::references::is_source;
use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use self::architectures::labels;
use super::spans::{has, line_before};
use super::{DocumentKind, Field, Kind, Named};
use crate::release::checksums::{Checksums, Sha256};
use crate::repository::{Directories, Directory, Document, Names, Place};
use crate::tag::Tag;
use crate::text::{first_of, has_word};
use crate::version::{Variant, is_release_name, parse_version, release_name, year_in};

/// What a field is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it says is right.
    Anything,
    /// Exactly this.
    Exactly(String),
    /// Nothing can be right, and why.
    Impossible(String),
}

impl Expected {
    /// What is to be written, where that is something else than what was found.
    pub fn instead_of(&self, found: &str) -> Option<&str> {
        match self {
            Self::Exactly(text) if text != found => Some(text),
            _ => None,
        }
    }
}

/// Whether YAML reads an item without quotes as another number: 3.2 for `3.20`.
pub fn is_misread(item: &str) -> bool {
    item.ends_with('0') && item.contains('.') && item.parse::<f64>().is_ok()
}

/// The version directory that a script names alone, by its name or, where it is a series, by a version behind the version key.
pub fn named_alone<'a>(
    names: &Names,
    directories: &'a Directories,
    place: &Place,
) -> Option<&'a Directory> {
    let (document, pattern) = (place.document, &names.config.directory);
    let fields = document.statements().filter(|_| place.is_script());
    let named = fields.filter_map(|field| match field.kind {
        Kind::Directory { .. } => Some(document.found(field).into_owned()),
        Kind::Version { key: true } if pattern.has_series() => {
            Some(pattern.render(&parse_version(&document.found(field))?))
        }
        _ => None,
    });
    let named: BTreeSet<String> = named.collect();
    let first = named.first().filter(|_| named.len() == 1)?;
    directories.get(first)
}

/// What an update changes, by version directory; for a check nothing.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The versions that are replaced, which comments and mentions may still give.
    pub old: BTreeMap<String, BTreeSet<Version>>,
    /// The variants that move to another base: old name → new name.
    pub renames: BTreeMap<String, BTreeMap<String, String>>,
    /// The variants that are removed, by version directory.
    pub gone: BTreeMap<String, BTreeSet<String>>,
    /// The scripts that get another name, by version directory (an empty name for the root): old name → new name.
    pub scripts: BTreeMap<String, BTreeMap<String, String>>,
    /// The checksums that are known of a directory's version, and whether they are all that the release has.
    pub checksums: BTreeMap<String, (Checksums, bool)>,
    /// The runners that workflows are to have: operating system → the version in the label.
    pub runners: BTreeMap<String, String>,
}

impl Change {
    /// The Windows Servers that move to another one: old year → new year.
    fn years(&self) -> BTreeMap<String, String> {
        let year = |name: &str| Some(Variant::parse(name)?.windows_year()?.to_string());
        let renames = self.renames.values().flatten();
        let years = renames.filter_map(|(old, new)| Some((year(old)?, year(new)?)));
        years.collect()
    }

    /// The hash of an archive; zeros where the release lacks it, `None` where nothing is known.
    fn hash(&self, directory: &str, archive: &str) -> Option<Sha256> {
        let (checksums, is_all) = self.checksums.get(directory)?;
        checksums.get(archive).or(is_all.then_some(Sha256::ZERO))
    }
}

/// Where a document stands: what its fields are expected to say depends on that.
pub struct Scope<'a> {
    /// The names of the repository.
    pub names: &'a Names,
    /// The version directories. A document in one of them depends on no other.
    pub directories: &'a Directories,
    /// The version directory that it is in; `None` at the root.
    pub own: Option<&'a Directory>,
    /// The variant whose folder it is in.
    pub variant: Option<&'a Variant>,
    /// At the root: the version directory that a script names alone.
    named: Option<&'a Directory>,
    /// The Windows that a script is called after, by its year.
    year: Option<u32>,
    /// It is what the variant is built from, rather than another Dockerfile beside it.
    pub builds: bool,
    /// What an update changes.
    pub change: &'a Change,
}

impl<'a> Scope<'a> {
    /// The scope of a document.
    pub fn of(
        names: &'a Names,
        directories: &'a Directories,
        change: &'a Change,
        place: &Place<'a>,
    ) -> Self {
        let own = place.tree.map(|tree| &tree.directory);
        Self {
            names,
            directories,
            own,
            named: named_alone(names, directories, place).filter(|_| own.is_none()),
            variant: place.variant(),
            year: year_in(&place.item.name).filter(|_| place.is_script()),
            builds: place.builds(),
            change,
        }
    }

    /// The command that writes what is expected into a field.
    pub fn fix(&self, field: &Field) -> String {
        let named = field.kind.directory();
        let named = named.and_then(|name| self.directories.get(name));
        let directory = self
            .own
            .or(named)
            .or(self.named)
            .or(self.directories.newest());
        let pattern = &self.names.config.directory;
        // An update of a version does not write to a directory that is named after another one.
        let own = directory.filter(|one| pattern.render(&one.version) == one.name);
        own.map_or(String::new(), |one| format!("update {}", one.version))
    }

    /// What each field of a document is expected to say, in their order.
    pub fn judge(&self, document: &Document) -> Vec<Expected> {
        let fields = document.fields.iter();
        let expected = fields.map(|field| self.expected(field, document));
        let mut expected: Vec<Expected> = expected.collect();
        if document.kind == DocumentKind::Workflow {
            runners::move_windows(document, &self.change.years(), &mut expected);
            runners::move_names(document, &mut expected);
        }
        expected
    }

    /// What a field is expected to say. A tag with a digest behind it cannot change: the digest would stay.
    pub fn expected(&self, field: &Field, document: &Document) -> Expected {
        let found = document.found(field);
        let expected = self.by_kind(field, &found, document);
        match expected.instead_of(&found) {
            Some(new) if document.text[field.span.end..].starts_with(b"@sha256:") => {
                let why = format!("is pinned by digest; change tag and digest to {new} by hand");
                Expected::Impossible(why)
            }
            _ => expected,
        }
    }

    fn by_kind(&self, field: &Field, found: &str, document: &Document) -> Expected {
        let is_told = self.is_replaced(found) || self.is_renamed(found);
        if field.in_comment && !is_told {
            return Expected::Anything;
        }
        if document.kind == DocumentKind::Workflow
            && matches!(field.kind, Kind::Version { .. } | Kind::Tag)
            && !self.is_current(found)
            && !self.is_argument(found, field, document)
        {
            return Expected::Anything;
        }
        match &field.kind {
            Kind::Version { .. } | Kind::Mention { is_ours: true }
                if document.facts.has_stray_hash
                    && !field.in_comment
                    && self.is_replaced(found) =>
            {
                Expected::Impossible("a hash in this file, or in a list that it copies, would stay: change both by hand".into())
            }
            Kind::Version { .. } => self.version(found),
            Kind::Directory { is_certain: true } => self.directory(found),
            Kind::Directory { is_certain: false } => Expected::Anything,
            Kind::Tag => self.copied(field, document, self.tag(found)),
            Kind::TagVariant => self.copied(field, document, self.variant(found, None, false)),
            Kind::Variant { directory } => {
                self.variant(found, directory.as_deref(), is_source(document, field))
            }
            Kind::Caption { family, directory } => {
                let family = family.as_deref().unwrap_or_default();
                self.caption(found, family, directory.as_deref())
            }
            Kind::Script { directory } => self.named(Named::Script, found, directory.as_deref()),
            Kind::Item { made } => {
                let item = self.item(found, made);
                let said = item.instead_of(found).unwrap_or(found);
                match is_misread(said) && !document.is_quoted(&field.span) {
                    true => Expected::Impossible(format!(
                        "{said} is a number to YAML, which drops the 0 at its end: put it in quotes"
                    )),
                    false => item,
                }
            }
            Kind::Mention { is_ours } => {
                let is_code = document.kind == DocumentKind::Dockerfile && !field.in_comment;
                self.mention(found, *is_ours, is_code)
            }
            Kind::Hash(None) => {
                let key = self.names.config.version_key();
                Expected::Impossible(format!(
                    "cannot tell which archive this hash belongs to: expected one instruction that \
                     downloads the archive, by an address with ${{{key}}}, and checks this hash, \
                     without another download, another folder or a variable set again in between"
                ))
            }
            Kind::Hash(Some(platform)) => self.hash(found, platform),
            Kind::Base { image } => self.base(field, image, document),
            // A job's name moves with its runners.
            Kind::Family | Kind::JobName { .. } => Expected::Anything,
            Kind::Runner { system, .. } => self
                .change
                .runners
                .get(&**system)
                .map_or(Expected::Anything, |label| Expected::Exactly(label.clone())),
            Kind::Labels { arch, twice } => labels(found, arch, *twice),
            Kind::Arch { labels } => self.arch(found, labels.as_deref()),
            Kind::Owner => {
                let config = &self.names.config;
                let project = format!("{}/{}", config.owner, config.server);
                match found == project {
                    true => Expected::Anything,
                    false => Expected::Impossible(format!(
                        "expected {project}, which publishes the releases"
                    )),
                }
            }
        }
    }

    fn split<'t>(&self, tag: &'t str) -> Tag<'t> {
        self.names.endings.split(tag)
    }

    /// The version directory that a document speaks of where it gives this version: its own; at the root the one of the same
    /// series, the one that is or was at that version, else the newest.
    fn directory_for(&self, version: &str) -> Option<&'a Directory> {
        self.directory_at(|| parse_version(version))
    }

    fn directory_at(&self, version: impl Fn() -> Option<Version>) -> Option<&'a Directory> {
        let pattern = &self.names.config.directory;
        let meant = || {
            let given = version()?;
            let was = |one: &&Directory| self.old(one).any(|old| *old == given);
            let moved = self
                .directories
                .iter()
                .find(was)
                .filter(|_| !pattern.has_series());
            moved.or_else(|| self.directories.get(&pattern.render(&given)))
        };
        self.own.or_else(meant).or(self.directories.newest())
    }

    fn old(&self, directory: &Directory) -> impl Iterator<Item = &'a Version> {
        self.change.old.get(&directory.name).into_iter().flatten()
    }

    /// Whether a text gives a version that is being replaced.
    fn is_replaced(&self, found: &str) -> bool {
        if self.change.old.is_empty() {
            return false;
        }
        let version = self.split(found).version;
        let given = parse_version(version);
        let is_old = |one: &Directory| self.old(one).any(|old| Some(old) == given.as_ref());
        self.directory_for(version).is_some_and(is_old)
    }

    /// Whether a workflow of several series gives the version that one of them is at or moves from, or one of its variants. Any
    /// other may be that of a test, or of a release long past.
    fn is_current(&self, found: &str) -> bool {
        let pattern = &self.names.config.directory;
        let is_at = || {
            let tag = self.split(found);
            parse_version(tag.version).is_some_and(|given| {
                let directory = self.directories.get(&pattern.render(&given));
                directory.is_some_and(|one| one.version == given || one.has(tag.name))
            })
        };
        !pattern.has_series() || self.is_replaced(found) || is_at()
    }

    /// Whether a text ends in the name of a variant or a script that moves.
    fn is_renamed(&self, found: &str) -> bool {
        let is_meant = |name: &str| self.own.is_none_or(|own| own.name == name);
        let renames = self.change.renames.iter();
        let renames = renames.filter(|(name, _)| is_meant(name));
        let variants = renames.flat_map(|(_, renames)| renames.keys());
        let scripts = self.change.scripts.values().flat_map(BTreeMap::keys);
        let mut names = variants.chain(scripts);
        names.any(|name| found.ends_with(name.as_str()))
    }

    /// Whether a workflow gives a version of a series that is here to a Dockerfile as its own, behind the version key.
    fn is_argument(&self, found: &str, field: &Field, document: &Document) -> bool {
        let (text, structure) = (&document.text, &document.facts.structure);
        let (start, pattern) = (field.span.start, &self.names.config.directory);
        let is_here = || {
            let given = parse_version(found);
            given.is_some_and(|given| self.directories.get(&pattern.render(&given)).is_some())
        };
        let is_below = || structure.is_below(text, structure.line_at(start), b"build-args");
        field.kind == (Kind::Version { key: true })
            && is_here()
            && (has(line_before(text, start), b"--build-arg") || is_below())
    }

    fn version(&self, found: &str) -> Expected {
        let Some(directory) = self.directory_for(found) else {
            return Expected::Anything;
        };
        Expected::Exactly(directory.version.to_string())
    }

    fn directory(&self, found: &str) -> Expected {
        let pattern = &self.names.config.directory;
        // `alpine/v3.20/community`: nothing in a Dockerfile tells names of directories from those of others.
        if self.variant.is_some() && self.directories.get(found).is_none() && pattern.has_series() {
            return Expected::Anything;
        }
        if self.own.is_some() || !pattern.has_series() {
            let directory = self.directory_at(|| pattern.matches(found));
            let name = directory.map(|directory| directory.name.clone());
            return name.map_or(Expected::Anything, Expected::Exactly);
        }
        if self.directories.get(found).is_some() {
            return Expected::Anything;
        }
        let all = self.directories.iter();
        let names: Vec<&str> = all.map(|directory| directory.name.as_str()).collect();
        let names = first_of(&names, 10);
        Expected::Impossible(format!("there is no such version directory, only {names}"))
    }

    /// A bare version is ours where it is one that is replaced; our image in another registry moves with its variant, too.
    fn mention(&self, found: &str, is_ours: bool, is_code: bool) -> Expected {
        let given = self.split(found).version;
        let directory = self.directory_for(given);
        let is_current =
            directory.is_some_and(|one| parse_version(given).as_ref() == Some(&one.version));
        match (self.is_replaced(found), is_ours) {
            (true, true) => self.tag(found),
            (true, false) if is_code => Expected::Impossible(format!(
                "cannot tell whether this is the server's version: if it is, write ${{{}}}; \
                 if it is another program's, change it, update, and change it back",
                self.names.config.version_key()
            )),
            (false, true) if is_current && self.is_renamed(found) => self.tag(found),
            _ => Expected::Anything,
        }
    }

    fn hash(&self, found: &str, platform: &str) -> Expected {
        let changed = |own: &&Directory| self.change.checksums.contains_key(&own.name);
        let published = self.own.filter(changed).and_then(|own| {
            let archive = self.names.config.archive(&own.version, platform);
            self.change.hash(&own.name, &archive)
        });
        let digits = found.len();
        let is_other = found.bytes().all(|byte| byte.is_ascii_hexdigit())
            && [32, 40, 56, 96, 128].contains(&digits);
        let is_lower = !found.bytes().any(|byte| byte.is_ascii_uppercase());
        // PowerShell's way to write it, which BusyBox's `sha256sum -c` never finds equal.
        let is_upper = || {
            let has_lower = found.bytes().any(|byte| byte.is_ascii_lowercase());
            platform.starts_with("windows") && !has_lower
        };
        let expected = "expected the 64 hex digits of a SHA-256";
        match (published, found.parse::<Sha256>()) {
            _ if is_other => Expected::Impossible(format!(
                "it has {digits} digits, expected the 64 of a SHA-256"
            )),
            (None, Ok(_)) if is_lower || is_upper() => Expected::Anything,
            (Some(hash), Ok(_)) if !is_lower && is_upper() => {
                Expected::Exactly(hash.to_string().to_uppercase())
            }
            (published, Ok(pinned)) => Expected::Exactly(published.unwrap_or(pinned).to_string()),
            (Some(hash), Err(_)) => Expected::Exactly(hash.to_string()),
            (None, Err(_)) => Expected::Impossible(expected.to_owned()),
        }
    }

    fn base(&self, field: &Field, image: &str, document: &Document) -> Expected {
        let found = document.found(field);
        // `golang:${GO}-alpine` is another image's stage.
        let is_base = image.is_empty() || self.variant.is_some_and(|own| own.is_on(image));
        if found.starts_with('$') && is_base {
            // Beside the Dockerfile that is built another may take any base.
            let may_be_any = !self.builds || document.facts.has_reference;
            let why = "expected the base of the folder's name, not a variable";
            let name = found.trim_matches(['$', '{', '}']);
            // An `ARG` of a base stands above the first stage, and nobody has that many.
            let mut fields = document.fields.iter();
            let first = fields.find(|one| matches!(one.kind, Kind::Base { .. }));
            let end = first.map_or(0, |first| first.span.start);
            let head = &document.text[..end.min(64 << 10)];
            let is_set = name.contains(':') || has_word(head, name);
            return match image.is_empty() && may_be_any {
                true if is_set => Expected::Anything,
                true => Expected::Impossible("no `ARG` above it gives it a value".to_owned()),
                false => Expected::Impossible(why.to_owned()),
            };
        }
        let is_ours = |variant: &&Variant| variant.is_on(image) && !variant.base_tag().is_empty();
        let Some(variant) = self.variant.filter(is_ours) else {
            return Expected::Anything;
        };
        let base = variant.base_tag();
        let rest = found.strip_prefix(base);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-'])) {
            return Expected::Exactly(found.into_owned());
        }
        // `12-slim`
        let number = found.strip_prefix("ltsc").unwrap_or(&found);
        let is_numbered = number.starts_with(|c: char| c.is_ascii_digit());
        // `bookworm-slim`
        let word = found.split('-').next().unwrap_or_default();
        let name = release_name(base).filter(|_| !is_numbered && is_release_name(word));
        if let Some(name) = name {
            return Expected::Exactly(format!("{name}{}", &found[word.len()..]));
        }
        let suffix = found.find('-').filter(|_| is_numbered);
        let suffix = suffix.map_or("", |at| &found[at..]);
        Expected::Exactly(format!("{base}{suffix}"))
    }
}
