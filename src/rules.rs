//! What each field must say. The one definition of it: `check` reports the fields that differ, `update` writes them.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use semver::Version;

use crate::config::Config;
use crate::fields::{Field, Kind, Must, Scanner, said};
use crate::sums::Sha256;
use crate::tree::{Role, Tree};
use crate::version::{Variant, parse_version};

/// A version directory, with what its name and files say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Its name: `0.25.6`, `2.14.x`.
    pub name: String,
    /// The version that it is at.
    pub version: Version,
    /// Its variants, by name.
    pub variants: Vec<Variant>,
}

impl Directory {
    /// The variant whose name a text is, or ends in: `0.25.6-alpine3.18` names `alpine3.18`.
    pub fn named(&self, text: &str) -> Option<&Variant> {
        let is_end = |name: &str| {
            text.strip_suffix(name)
                .is_some_and(|before| before.is_empty() || before.ends_with('-'))
        };
        self.variants
            .iter()
            .filter(|variant| is_end(&variant.name))
            .max_by_key(|variant| variant.name.len())
    }
}

/// A tree, with what is needed to say what its fields must be.
pub struct Model {
    /// The files.
    pub tree: Tree,
    /// The patterns of its fields.
    pub scanner: Arc<Scanner>,
    /// Its version directories, the newest last.
    pub directories: Vec<Directory>,
    known: Known,
}

/// What a tree's names are looked up in, however many directories it has.
#[derive(Default)]
pub struct Known {
    /// The place of each version directory, by its name.
    places: BTreeMap<String, usize>,
    versions: BTreeSet<String>,
    variants: BTreeSet<String>,
}

impl Known {
    fn new(directories: &[Directory]) -> Self {
        let variants = directories.iter().flat_map(|directory| &directory.variants);
        Self {
            places: directories
                .iter()
                .enumerate()
                .map(|(place, directory)| (directory.name.clone(), place))
                .collect(),
            versions: directories
                .iter()
                .map(|directory| directory.version.to_string())
                .collect(),
            variants: variants.map(|variant| variant.name.clone()).collect(),
        }
    }
}

impl Model {
    /// Looks at a tree's version directories.
    ///
    /// A directory named after its version is at that version. A line is at the one that most of its Dockerfiles give for
    /// the version key, of those that belong to the line where there are any; where none gives one, at the line's first.
    pub fn new(tree: Tree) -> Result<Self> {
        let scanner = Scanner::new(&tree.config, &variants(&tree))?;
        Ok(Self::with(tree, Arc::new(scanner)))
    }

    /// The model of another state of this tree; its patterns are made anew only where there are other variants.
    pub fn next(&self, tree: Tree) -> Result<Self> {
        if self.tree.config != tree.config || variants(&self.tree) != variants(&tree) {
            return Self::new(tree);
        }
        Ok(Self::with(tree, Arc::clone(&self.scanner)))
    }

    fn with(tree: Tree, scanner: Arc<Scanner>) -> Self {
        let pattern = &tree.config.directory;
        let mut directories = Vec::new();
        for name in &tree.directories {
            let Some(named) = pattern.parse(name) else {
                continue;
            };
            let given = if pattern.has_lines() {
                most_given(&tree, &scanner, name)
            } else {
                None
            };
            directories.push(Directory {
                name: name.clone(),
                version: given.unwrap_or(named),
                variants: tree.variants(name),
            });
        }
        directories.sort_by(|a, b| a.version.cmp(&b.version));
        let known = Known::new(&directories);
        Self {
            tree,
            scanner,
            directories,
            known,
        }
    }

    /// The version directory of that name.
    pub fn directory(&self, name: &str) -> Option<&Directory> {
        self.known
            .places
            .get(name)
            .map(|&place| &self.directories[place])
    }

    /// The scope of the file at `path`, in a tree at rest: nothing is being replaced, and no release is known.
    pub fn scope<'a>(&'a self, path: &str) -> Scope<'a> {
        let own = self
            .tree
            .directory_of(path)
            .and_then(|name| self.directory(name));
        let folder = path.split('/').nth(1);
        let variant = own.and_then(|own| {
            own.variants
                .iter()
                .find(|variant| Some(variant.name.as_str()) == folder)
        });
        let builds = path.ends_with("/Dockerfile");
        Scope {
            config: &self.tree.config,
            directories: &self.directories,
            known: &self.known,
            own,
            variant,
            builds,
            old: None,
            renames: &NONE,
            hosts: &NONE,
            hash: &|_| None,
        }
    }

    /// The fields of a text, each with what it must be.
    pub fn judge(&self, text: &[u8], role: Role, scope: &Scope) -> Vec<(Field, Must)> {
        let fields = self.scanner.scan(text, role).into_iter();
        fields
            .map(|field| (field.clone(), scope.must(&field, text, role)))
            .collect()
    }
}

/// What the patterns of a tree are made from: its variants, and the families that have a template.
fn variants(tree: &Tree) -> BTreeSet<Variant> {
    let named = tree.directories.iter().flat_map(|name| tree.variants(name));
    named
        .chain(tree.templates().into_iter().filter_map(Variant::parse))
        .collect()
}

fn most_given(tree: &Tree, scanner: &Scanner, directory: &str) -> Option<Version> {
    let mut counts: BTreeMap<Version, usize> = BTreeMap::new();
    for (_, file) in tree.dockerfiles(directory) {
        for field in scanner.scan(file.text(), Role::Dockerfile) {
            if field.kind == (Kind::Version { key: true })
                && let Ok(version) = parse_version(&said(file.text(), &field.span))
            {
                *counts.entry(version).or_default() += 1;
            }
        }
    }
    let belongs = |version: &Version| tree.config.directory.render(version) == directory;
    counts
        .into_iter()
        .max_by_key(|(version, count)| (belongs(version), *count, version.clone()))
        .map(|(version, _)| version)
}

/// No renames, no hosts.
static NONE: BTreeMap<String, String> = BTreeMap::new();

/// Where a file stands, which is what its fields must say depends on.
pub struct Scope<'a> {
    /// What repository it is.
    pub config: &'a Config,
    /// All version directories, the newest last.
    pub directories: &'a [Directory],
    /// Their names.
    pub known: &'a Known,
    /// The version directory that the file is in; `None` at the root.
    pub own: Option<&'a Directory>,
    /// The variant whose folder the file is in.
    pub variant: Option<&'a Variant>,
    /// The file is the Dockerfile that the variant is built from, rather than another beside it.
    pub builds: bool,
    /// The version that an update replaces, which comments and mentions may still give.
    pub old: Option<&'a Version>,
    /// The variants that an update moves to another base: old name → new name.
    pub renames: &'a BTreeMap<String, String>,
    /// The hosts that workflows must run on: operating system → the version in its label.
    pub hosts: &'a BTreeMap<String, String>,
    /// The hash of an archive of the scope's version, by the end of its name, where it is known.
    pub hash: &'a dyn Fn(&str) -> Option<Sha256>,
}

impl Scope<'_> {
    /// What a field must say in this scope. `text` is the whole file.
    pub fn must(&self, field: &Field, text: &[u8], role: Role) -> Must {
        let found = said(text, &field.span);
        let is_old = self.old.is_some_and(|old| found.contains(&old.to_string()));
        let moves = self.renames.keys().any(|name| found.ends_with(name));
        if field.in_comment && !is_old && !moves {
            return None;
        }
        match &field.kind {
            Kind::Version { .. } => {
                let version = self.directory_for(&found)?.version.to_string();
                // Some addresses begin with the variable, and the variable with the `v`.
                let with_v = found.starts_with('v')
                    && role == Role::Dockerfile
                    && !has_v_before_variable(text);
                Some(Ok(if with_v {
                    format!("v{version}")
                } else {
                    version
                }))
            }
            Kind::Directory => self.directory_name(&found),
            Kind::Tag => {
                // The image's name stands between: a look back of no more than that keeps long lines cheap.
                let before = &text[field.span.start.saturating_sub(100)..field.span.start];
                let last_word = before
                    .rsplit(u8::is_ascii_whitespace)
                    .next()
                    .unwrap_or_default();
                let copies = last_word.starts_with(b"--from=");
                match self.split_tag(&found) {
                    (_, None) if copies && self.builds => {
                        Some(Err("names no variant to copy from".to_owned()))
                    }
                    _ => self.tag(&found),
                }
            }
            Kind::TagVariant | Kind::Variant => self.variant_name(&found),
            Kind::Mention => self.mention(&found, role),
            Kind::Hash(None) => Some(Err("nothing tells which archive it is of".to_owned())),
            Kind::Hash(Some(platform)) => match (self.hash)(platform) {
                Some(hash) => Some(Ok(in_case_of(&found, hash))),
                None => found
                    .parse::<Sha256>()
                    .err()
                    .map(|_| Err("wanted the 64 hex digits of a SHA-256".to_owned())),
            },
            Kind::Family => None,
            Kind::Host { system } => self.hosts.get(system).map(|label| Ok(label.clone())),
            Kind::Base { image } => {
                let base = self.base(image, &found)?;
                let is_pinned = text[field.span.end..].starts_with(b"@sha256:");
                Some(if is_pinned && base != found {
                    Err(format!(
                        "is pinned by its digest: put {base} and its digest there by hand"
                    ))
                } else {
                    Ok(base)
                })
            }
            Kind::Labels(must) | Kind::Arch(must) => must.clone(),
        }
    }

    /// The version directory that a file speaks of where it gives this version: its own; at the root the newest, or the
    /// one of the same line.
    fn directory_for(&self, version: &str) -> Option<&Directory> {
        let line = || {
            let name = self.config.directory.render(&parse_version(version).ok()?);
            self.known
                .places
                .get(&name)
                .map(|&place| &self.directories[place])
        };
        let is_line = self.config.directory.has_lines();
        self.own
            .or_else(|| if is_line { line() } else { None })
            .or(self.directories.last())
    }

    fn directory_name(&self, found: &str) -> Must {
        if self.own.is_none() && self.config.directory.has_lines() {
            return None;
        }
        Some(Ok(self.directory_for(found)?.name.clone()))
    }

    fn tag(&self, found: &str) -> Must {
        let (version, rest) = self.split_tag(found);
        let directory = self.directory_for(version)?;
        let Some(rest) = rest else {
            return Some(Ok(directory.version.to_string()));
        };
        Some(
            self.resolve(rest, directory)
                .map(|variant| format!("{}-{variant}", directory.version)),
        )
    }

    /// A variant without a version: of the file's own directory; at the root of the newest that has it.
    fn variant_name(&self, found: &str) -> Must {
        let directory = self.own.or_else(|| {
            let has = |directory: &&Directory| {
                directory
                    .variants
                    .iter()
                    .any(|variant| variant.name == found)
            };
            self.directories
                .iter()
                .rev()
                .find(has)
                .or(self.directories.last())
        })?;
        Some(self.resolve(found, directory))
    }

    /// A bare version is ours where it is the version that is replaced, or, in a script, another of the same line.
    fn mention(&self, found: &str, role: Role) -> Must {
        let (version, _) = self.split_tag(found);
        let directory = self.directory_for(version)?;
        let is_old = self.old.is_some_and(|old| old.to_string() == version);
        let line = |version: &Version| (version.major, version.minor);
        let lines = [Some(&directory.version), self.old].map(|version| version.map(line));
        let is_near = role == Role::Script
            && parse_version(version).is_ok_and(|version| lines.contains(&Some(line(&version))));
        if is_old || is_near {
            self.tag(found)
        } else {
            None
        }
    }

    fn base(&self, image: &str, found: &str) -> Option<String> {
        let variant = self
            .variant
            .filter(|variant| variant.is_on(image) && !variant.base.is_empty())?;
        let refined = found
            .strip_prefix(&variant.base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']));
        Some(if refined {
            found.to_owned()
        } else {
            variant.base.clone()
        })
    }

    /// Splits a tag into version and variant. A version can end in a suffix with dashes, and a variant can hold some: the
    /// variants of the tree decide, then the versions that are known, then the families.
    fn split_tag<'t>(&self, tag: &'t str) -> (&'t str, Option<&'t str>) {
        if !tag
            .trim_start_matches('v')
            .starts_with(|c: char| c.is_ascii_digit())
        {
            return ("", Some(tag));
        }
        let dashes = || tag.match_indices('-').map(|(at, _)| at);
        // The longest name of a variant that it ends in.
        let is_variant = |at: &usize| *at > 0 && self.is_variant(&tag[at + 1..]);
        if let Some(at) = dashes().find(is_variant) {
            return (&tag[..at], Some(&tag[at + 1..]));
        }
        let old = self.old.map(ToString::to_string);
        let is_version = |version: &str| {
            self.known.versions.contains(version) || old.as_deref() == Some(version)
        };
        if is_version(tag) {
            return (tag, None);
        }
        if let Some(at) = dashes().find(|at| is_version(&tag[..*at])) {
            return (&tag[..at], Some(&tag[at + 1..]));
        }
        let is_family = |at: &usize| {
            let named = Variant::parse(&tag[at + 1..]);
            let mut known = self
                .known
                .variants
                .iter()
                .filter_map(|name| Variant::parse(name));
            named.is_some_and(|named| known.any(|variant| variant.family == named.family))
        };
        match dashes().find(is_family).or_else(|| dashes().next()) {
            Some(at) => (&tag[..at], Some(&tag[at + 1..])),
            None => (tag, None),
        }
    }

    fn is_variant(&self, name: &str) -> bool {
        self.known.variants.contains(name) || self.renames.contains_key(name)
    }

    /// The variant that a reference to `name` must be to: of several of a family the one with the file's own base, else
    /// the one that is named, else the only one. In scripts a family without base is an alias, which is left.
    fn resolve(&self, name: &str, directory: &Directory) -> Result<String, String> {
        let name = self.renames.get(name).map_or(name, String::as_str);
        let Some(wanted) = Variant::parse(name) else {
            return Err(format!("`{name}` is no variant's name"));
        };
        let family: Vec<&Variant> = directory
            .variants
            .iter()
            .filter(|variant| variant.family == wanted.family)
            .collect();
        let own_base = self
            .variant
            .map(|variant| variant.base.as_str())
            .filter(|base| !base.is_empty());
        let names = |variants: &[&Variant]| {
            variants
                .iter()
                .map(|v| v.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let found = match family.as_slice() {
            [] => {
                let all = names(&directory.variants.iter().collect::<Vec<_>>());
                let has = if all.is_empty() { "none at all" } else { &all };
                return Err(format!(
                    "no variant {name} in {}, which has {has}",
                    directory.name
                ));
            }
            _ if wanted.base.is_empty() && self.variant.is_none() => return Ok(name.to_owned()),
            [only] => only,
            several => several
                .iter()
                .find(|variant| Some(variant.base.as_str()) == own_base)
                .or_else(|| several.iter().find(|variant| variant.name == name))
                .ok_or_else(|| {
                    format!(
                        "no variant {name} in {}: say which of {}",
                        directory.name,
                        names(several)
                    )
                })?,
        };
        match self.variant {
            Some(own) if own.is_windows() != found.is_windows() => {
                Err(format!("{found} does not run on the system of {own}"))
            }
            Some(own) if own == *found && self.builds => {
                Err(format!("{own} would be made of itself"))
            }
            _ => Ok(found.name.clone()),
        }
    }
}

/// Whether an address in a text has its `v` before the variable with the version: `/v${VERSION}/`, `-v{0}-`.
fn has_v_before_variable(text: &[u8]) -> bool {
    text.windows(3)
        .any(|three| b"/-".contains(&three[0]) && three[1] == b'v' && b"${".contains(&three[2]))
}

/// A hash in the case that the file writes its hashes in.
fn in_case_of(found: &str, hash: Sha256) -> String {
    let upper = found.parse::<Sha256>().is_ok()
        && found.contains(|c: char| c.is_ascii_uppercase())
        && !found.contains(|c: char| c.is_ascii_lowercase());
    if upper {
        hash.to_string().to_uppercase()
    } else {
        hash.to_string()
    }
}

/// The text with every field that must say something else rewritten. Fields that nothing is right for stay: `check` says why.
pub fn rewrite(text: &[u8], fields: &[(Field, Must)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    for (field, must) in fields {
        if let Some(Ok(value)) = must {
            out.extend_from_slice(&text[from..field.span.start]);
            out.extend_from_slice(value.as_bytes());
            from = field.span.end;
        }
    }
    out.extend_from_slice(&text[from..]);
    out
}

/// Lines and columns in a text. Places that are asked for in their order cost one pass over it.
pub struct Places<'a> {
    text: &'a [u8],
    last: Cell<(usize, usize, usize)>,
}

impl<'a> Places<'a> {
    /// Those of a text.
    pub fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            last: Cell::new((0, 1, 1)),
        }
    }

    /// Line and column of a byte, from 1; the column counts characters.
    pub fn of(&self, at: usize) -> (usize, usize) {
        let at = at.min(self.text.len());
        let (from, mut line, mut column) = if self.last.get().0 <= at {
            self.last.get()
        } else {
            (0, 1, 1)
        };
        for byte in &self.text[from..at] {
            match byte {
                b'\n' => (line, column) = (line + 1, 1),
                // The bytes of a UTF-8 character after its first.
                0x80..=0xbf => {}
                _ => column += 1,
            }
        }
        self.last.set((at, line, column));
        (line, column)
    }
}
