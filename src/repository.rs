//! A repository in memory: version directories, their variants and documents, scripts, workflows and templates.
//!
//! It is read once. A path is taken apart while it is read and put together where it is printed, and nowhere else.

pub mod config;
mod directories;
mod files;
mod listing;
mod read;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use semver::Version;

use self::config::Config;
pub use self::directories::{Directories, Directory};
pub use self::files::{LARGEST_DOCUMENT, mode, read_file, read_if_there};
pub use self::listing::is_dockerfile;
pub use self::read::{Outline, discover};
use crate::fields::scan::{Scanner, is_script};
use crate::fields::{DocumentKind, Facts, Field, Kind, Named, found};
use crate::tag::Endings;
use crate::text::is_within;
use crate::version::{Variant, parse_version, year_in};

pub use crate::fields::TESTS;

/// Where workflows are.
pub const WORKFLOWS: &str = ".github/workflows";
/// Where templates are.
pub const TEMPLATES: &str = "templates";

/// A file that can hold fields, with its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// How it is read.
    pub kind: DocumentKind,
    /// Its bytes, mostly text, not always UTF-8.
    pub text: Vec<u8>,
    /// In the order in which they stand there; none overlaps another.
    pub fields: Vec<Field>,
    /// What it says as a whole.
    pub facts: Facts,
    /// Permission bits as `chmod` counts them; 0 where the system has none.
    pub mode: u32,
}

impl Document {
    /// Scans a text.
    pub fn new(scanner: &Scanner, kind: DocumentKind, text: Vec<u8>, mode: u32) -> Self {
        let (fields, facts) = scanner.scan(&text, kind);
        Self {
            kind,
            text,
            fields,
            facts,
            mode,
        }
    }

    /// Its text, where that is UTF-8.
    pub fn utf8(&self) -> Option<&str> {
        std::str::from_utf8(&self.text).ok()
    }

    /// A field's text.
    pub fn found(&self, field: &Field) -> Cow<'_, str> {
        found(&self.text, &field.span)
    }

    /// Whether a span stands in quotes.
    pub fn is_quoted(&self, span: &Range<usize>) -> bool {
        let is_quote = |byte: Option<&u8>| byte.is_some_and(|byte| b"\"'".contains(byte));
        is_quote(self.text[..span.start].last()) && is_quote(self.text.get(span.end))
    }

    /// The fields that are statements, rather than mentions in a comment.
    pub fn statements(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.in_comment)
    }

    /// Whether a part of the text has something to do with a field.
    pub fn has_field(&self, part: &Range<usize>) -> bool {
        let before = self
            .fields
            .partition_point(|field| field.span.start < part.end);
        let last = self.fields[..before].last();
        last.is_some_and(|field| field.span.end > part.start)
    }

    /// The names of one kind that a workflow gives, also where a matrix makes them, each with where it does, in bytes, and the
    /// version directory that it is of, where the text says it.
    pub fn names_of(&self, named: Named) -> impl Iterator<Item = (usize, Option<&str>, String)> {
        self.statements().flat_map(move |field| {
            let (at, found) = (field.span.start, self.found(field));
            match (&field.kind, named) {
                (Kind::Directory { .. }, Named::Directory) => vec![(at, None, found.into_owned())],
                (Kind::Variant { directory }, Named::Variant)
                | (Kind::Script { directory }, Named::Script) => {
                    vec![(at, directory.as_deref(), found.into_owned())]
                }
                (kind, _) => {
                    let made = kind.made(named);
                    let made = made.map(|made| (at, made.directory.as_deref(), made.name(&found)));
                    made.collect()
                }
            }
        })
    }

    /// The years of the Windows Servers that the variants and scripts which it names are for, each with its place.
    pub fn windows_years(&self) -> impl Iterator<Item = (usize, u32)> {
        let year = |name: &str| Variant::parse(name)?.windows_year();
        let variants = self.names_of(Named::Variant);
        let variants = variants.filter_map(move |(at, _, name)| Some((at, year(&name)?)));
        let scripts = self.names_of(Named::Script);
        variants.chain(scripts.filter_map(|(at, _, name)| Some((at, year_in(&name)?))))
    }

    /// The versions behind the version key; where there is none, those in addresses and labels.
    pub fn versions(&self) -> impl Iterator<Item = Version> {
        let has_key = |key| {
            let is_it = move |field: &&Field| field.kind == Kind::Version { key };
            self.statements().filter(is_it)
        };
        let is_keyed = has_key(true).next().is_some();
        has_key(is_keyed).filter_map(|field| parse_version(&self.found(field)))
    }
}

/// What is in a file.
#[derive(Debug, Clone)]
pub enum Body {
    /// Text with fields.
    Document(Arc<Document>),
    /// The same, which is not read yet.
    Unread(DocumentKind),
    /// Anything else. It is never read, unless a template has a file of its name.
    Other,
    /// A symbolic link, which travels as the link that it is.
    Link,
}

/// A file of a folder.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its path in the folder.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What is in it.
    pub body: Body,
}

/// Where a file of a repository comes from, each by its path on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is there.
    At(String),
    /// It is new, a copy of that one in a directory that is copied.
    CopyOf(String),
    /// It is new, made from that template or sibling.
    MadeFrom(String),
}

impl Origin {
    /// The file on disk.
    pub fn path(&self) -> &str {
        match self {
            Self::At(path) | Self::CopyOf(path) | Self::MadeFrom(path) => path,
        }
    }
}

impl Item {
    /// Its document.
    pub fn document(&self) -> Option<&Arc<Document>> {
        match &self.body {
            Body::Document(document) => Some(document),
            _ => None,
        }
    }
}

/// A folder, with everything below it.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// Its name.
    pub name: String,
    /// Where it is on disk; `None` where it is new.
    pub origin: Option<String>,
    /// By name.
    pub items: Vec<Item>,
}

impl Folder {
    /// One that is there, below that path, and still empty.
    fn new(above: &str, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            origin: Some(join(&[above, name])),
            items: Vec::new(),
        }
    }

    /// The variant that it is of: where it holds a Dockerfile and is named like one.
    pub fn variant(&self) -> Option<Variant> {
        let builds = self.items.iter().any(|item| is_dockerfile(&item.name));
        Variant::parse(&self.name).filter(|_| builds)
    }

    /// The names of its scripts.
    pub fn scripts(&self) -> Vec<String> {
        let is_script = |item: &&Item| is_script(&item.name);
        let scripts = self.items.iter().filter(is_script);
        scripts.map(|item| item.name.clone()).collect()
    }

    /// The file of that name.
    pub fn item(&self, name: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.name == name)
    }
}

/// A version directory with its files.
#[derive(Debug, Clone)]
pub struct Tree {
    /// What it is called.
    pub directory: Directory,
    /// Where it is on disk; `None` where it is new.
    pub origin: Option<String>,
    /// Its folders, by name: the first one, without a name, for the files directly in it; variants, `tests`, others.
    pub folders: Vec<Folder>,
}

impl Tree {
    /// The folder of that name.
    pub fn folder(&self, name: &str) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.name == name)
    }

    /// Lists variants and scripts anew, after its folders have changed.
    pub fn refresh(&mut self) {
        self.folders.sort_by(|a, b| a.name.cmp(&b.name));
        self.directory.variants = self.folders.iter().filter_map(Folder::variant).collect();
        self.directory.scripts = self.folder(TESTS).map(Folder::scripts).unwrap_or_default();
    }

    /// The versions that its Dockerfiles give for the version key, each with how many do.
    pub fn versions(&self) -> BTreeMap<Version, usize> {
        let mut counts = BTreeMap::new();
        let items = self.folders.iter().flat_map(|folder| &folder.items);
        let documents = items
            .filter_map(Item::document)
            .filter(|document| document.kind == DocumentKind::Dockerfile);
        documents
            .flat_map(|document| document.versions())
            .for_each(|version| *counts.entry(version).or_default() += 1);
        counts
    }
}

/// The names of a repository: what its documents are scanned with, and their tags split.
pub struct Names {
    /// What repository it is.
    pub config: Config,
    /// Finds the fields of its documents.
    pub scanner: Scanner,
    /// What tags end in.
    pub endings: Endings,
}

impl Names {
    /// From its configuration, its variants and its scripts; an error where there are too many of them.
    pub fn new(
        config: Config,
        variants: &BTreeSet<Variant>,
        scripts: &BTreeSet<String>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            scanner: Scanner::new(&config, variants, scripts)?,
            endings: Endings::new(variants.iter()),
            config,
        })
    }
}

/// A repository.
#[derive(Clone)]
pub struct Repository {
    /// Its top folder.
    pub root: PathBuf,
    /// Its names.
    pub names: Arc<Names>,
    /// Its version directories, the newest last.
    pub trees: Vec<Tree>,
    /// `tests` at the root, with its scripts.
    pub tests: Folder,
    /// `.github/workflows`, with its workflows.
    pub workflows: Folder,
    /// The folders of `templates`, one per family.
    pub templates: Vec<Folder>,
    /// Folders that look like version directories and do not fit the layout.
    pub strays: Vec<String>,
}

/// A document and where it is.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// What its path begins with: the version directory, `templates`, nothing.
    above: &'a str,
    /// The folder in front of its name.
    pub folder: &'a str,
    /// The file.
    pub item: &'a Item,
    /// Its document.
    pub document: &'a Arc<Document>,
    /// The version directory that it is in; `None` at the root.
    pub tree: Option<&'a Tree>,
}

impl<'a> Place<'a> {
    /// The variant whose folder it is in.
    pub fn variant(&self) -> Option<&'a Variant> {
        let mut variants = self.tree?.directory.variants.iter();
        variants.find(|variant| variant.name == self.folder)
    }

    /// Its path, with `/` between the parts on every system.
    pub fn path(&self) -> String {
        join(&[self.above, self.folder, &self.item.name])
    }

    /// Whether it is a script.
    pub fn is_script(&self) -> bool {
        self.document.kind == DocumentKind::Script
    }

    /// Whether it is a Dockerfile.
    pub fn is_dockerfile(&self) -> bool {
        self.document.kind == DocumentKind::Dockerfile
    }

    /// Whether it is what its variant is built from, rather than another Dockerfile beside it.
    pub fn builds(&self) -> bool {
        self.item.name == "Dockerfile"
    }
}

/// A path of parts, empty ones left out.
pub fn join(parts: &[&str]) -> String {
    let parts = parts.iter().copied().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("/")
}

impl Repository {
    /// The version directories, without their files.
    pub fn directories(&self) -> Directories {
        let all = self.trees.iter().map(|tree| tree.directory.clone());
        Directories::new(all.collect(), self.tests.scripts())
    }

    /// The version directory of that name.
    pub fn tree(&self, name: &str) -> Option<&Tree> {
        self.trees.iter().find(|tree| tree.directory.name == name)
    }

    /// The version directory that a path is in.
    pub fn tree_of(&self, path: &str) -> Option<&Tree> {
        let mut trees = self.trees.iter();
        trees.find(|tree| is_within(path, &tree.directory.name))
    }

    /// The name of the version directory that a path is in.
    pub fn part_of(&self, path: &str) -> Option<String> {
        self.tree_of(path).map(|tree| tree.directory.name.clone())
    }

    /// The documents of a version directory.
    pub fn documents_of(tree: &Tree) -> impl Iterator<Item = Place<'_>> {
        let folders = tree.folders.iter();
        folders.flat_map(|folder| in_folder(&tree.directory.name, folder, Some(tree)))
    }

    /// The scripts and workflows of the root.
    pub fn shared_documents(&self) -> impl Iterator<Item = Place<'_>> {
        in_folder("", &self.tests, None).chain(self.workflow_documents())
    }

    /// Its workflows.
    pub fn workflow_documents(&self) -> impl Iterator<Item = Place<'_>> {
        in_folder("", &self.workflows, None)
    }

    /// The variants of all version directories.
    pub fn variants(&self) -> impl Iterator<Item = &Variant> {
        let trees = self.trees.iter();
        trees.flat_map(|tree| &tree.directory.variants)
    }

    /// The documents of templates.
    pub fn template_documents(&self) -> impl Iterator<Item = Place<'_>> {
        let folders = self.templates.iter();
        folders.flat_map(|folder| in_folder(TEMPLATES, folder, None))
    }

    /// The folders of the root and the templates, each with what its path begins with.
    pub fn shared_folders(&self) -> impl Iterator<Item = (&str, &Folder)> {
        let shared = [&self.tests, &self.workflows].map(|folder| ("", folder));
        let templates = self.templates.iter().map(|folder| (TEMPLATES, folder));
        shared.into_iter().chain(templates)
    }

    /// Every file, with its path.
    pub fn items(&self) -> impl Iterator<Item = (String, &Item)> {
        let inside = self.trees.iter().flat_map(|tree| {
            let above = tree.directory.name.as_str();
            tree.folders.iter().map(move |folder| (above, folder))
        });
        let folders = inside.chain(self.shared_folders());
        folders.flat_map(|(above, folder)| {
            let path = move |item: &Item| join(&[above, &folder.name, &item.name]);
            folder.items.iter().map(move |item| (path(item), item))
        })
    }

    /// Every folder, to be changed, with its path.
    fn folders_mut(&mut self) -> impl Iterator<Item = (String, &mut Folder)> {
        let inside = self.trees.iter_mut().flat_map(|tree| {
            let above = tree.directory.name.as_str();
            tree.folders.iter_mut().map(move |folder| (above, folder))
        });
        let shared = [&mut self.tests, &mut self.workflows].map(|folder| ("", folder));
        let templates = self.templates.iter_mut().map(|folder| (TEMPLATES, folder));
        let folders = inside.chain(shared).chain(templates);
        folders.map(|(above, folder)| (join(&[above, &folder.name]), folder))
    }

    /// Every file, to be changed, with its path.
    pub fn items_mut(&mut self) -> impl Iterator<Item = (String, &mut Item)> {
        self.folders_mut().flat_map(|(above, folder)| {
            let path = move |item: &Item| join(&[&above, &item.name]);
            folder.items.iter_mut().map(move |item| (path(item), item))
        })
    }

    /// Removes a script.
    pub fn remove(&mut self, path: &str) {
        for (above, folder) in self.folders_mut() {
            folder
                .items
                .retain(|item| join(&[&above, &item.name]) != path);
        }
        self.trees.iter_mut().for_each(Tree::refresh);
    }

    /// Adds a file to `tests` of the root, or of a version directory.
    pub fn add(&mut self, directory: Option<&str>, item: Item) {
        let place = join(&[directory.unwrap_or_default(), TESTS]);
        let mut folders = self.folders_mut();
        if let Some((_, folder)) = folders.find(|(path, _)| *path == place) {
            folder.items.push(item);
            folder.items.sort_by(|a, b| a.name.cmp(&b.name));
        }
        drop(folders);
        self.trees.iter_mut().for_each(Tree::refresh);
    }

    /// The variants of a version directory that have a template: each with it, and with its own folder.
    pub fn stamped<'a>(
        &'a self,
        tree: &'a Tree,
    ) -> impl Iterator<Item = (&'a Variant, &'a Folder, &'a Folder)> {
        tree.directory.variants.iter().filter_map(|variant| {
            let template = self.template(&variant.family)?;
            Some((variant, template, tree.folder(&variant.name)?))
        })
    }

    /// The template of a family.
    pub fn template(&self, family: &str) -> Option<&Folder> {
        let mut templates = self.templates.iter();
        // A folder without a Dockerfile is of something else.
        templates.find(|folder| {
            folder.name == family && folder.items.iter().any(|item| is_dockerfile(&item.name))
        })
    }
}

/// The documents of a folder.
fn in_folder<'a>(
    above: &'a str,
    folder: &'a Folder,
    tree: Option<&'a Tree>,
) -> impl Iterator<Item = Place<'a>> {
    folder.items.iter().filter_map(move |item| {
        Some(Place {
            above,
            folder: &folder.name,
            item,
            document: item.document()?,
            tree,
        })
    })
}
