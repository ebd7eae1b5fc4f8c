//! Lists the files of a folder and decides what each of them is, before any is read.
//!
//! Symbolic links are never followed.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::ensure;
use walkdir::WalkDir;

use super::{
    Body, Document, Folder, Item, LARGEST_DOCUMENT, Names, Origin, TESTS, join, read_file,
};
use crate::fields::DocumentKind;
use crate::fields::scan::is_script;
use crate::text::harmless_list;
use crate::version::Variant;

/// A folder whose files are listed.
pub(super) struct Listed {
    pub(super) name: String,
    /// Folders of it, the first one for the files directly in it.
    pub(super) folders: Vec<(String, Vec<Entry>)>,
}

/// A file that is listed.
pub(super) struct Entry {
    name: String,
    kind: Option<DocumentKind>,
    is_link: bool,
}

/// Whether a file of that name is a Dockerfile, rather than what an editor or a merge left beside one.
pub fn is_dockerfile(name: &str) -> bool {
    let beside = [
        "~",
        ".bak",
        ".dockerignore",
        ".orig",
        ".rej",
        ".swp",
        ".tmp",
    ];
    name.starts_with("Dockerfile") && !beside.iter().any(|ending| name.ends_with(ending))
}

fn is_workflow(name: &str) -> bool {
    name.ends_with(".yml") || name.ends_with(".yaml")
}

/// What a folder is read for: how deep, and which of its files are documents.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    VersionDirectory,
    Templates,
    Tests,
    Workflows,
}

impl Role {
    /// How a file of that name is read: `depth` counts the folders above it, and `folder` is the first of them.
    fn kind(self, folder: &str, name: &str, depth: usize) -> Option<DocumentKind> {
        match self {
            Self::Tests => is_script(name).then_some(DocumentKind::Script),
            Self::Workflows => is_workflow(name).then_some(DocumentKind::Workflow),
            Self::VersionDirectory if folder == TESTS && depth == 1 && is_script(name) => {
                Some(DocumentKind::Script)
            }
            Self::VersionDirectory | Self::Templates => {
                is_dockerfile(name).then_some(DocumentKind::Dockerfile)
            }
        }
    }

    fn is_flat(self) -> bool {
        matches!(self, Self::Tests | Self::Workflows)
    }
}

/// Whether that is a folder, and no link on the way to it.
fn is_folder(root: &Path, name: &str) -> bool {
    let mut path = root.to_owned();
    name.split('/').all(|part| {
        path.push(part);
        fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir())
    })
}

/// Problems of a folder, of which there may be several.
pub(super) type Problems = Vec<String>;

impl Listed {
    /// Lists a folder of the repository, where there is one.
    pub(super) fn read(root: &Path, name: &str, role: Role) -> (Self, Problems) {
        let mut listed = Self {
            name: name.to_owned(),
            folders: vec![(String::new(), Vec::new())],
        };
        let mut problems = Problems::new();
        let start = root.join(name);
        if !is_folder(root, name) {
            return (listed, problems);
        }
        let depth = if role.is_flat() { 1 } else { usize::MAX };
        for entry in WalkDir::new(&start).min_depth(1).max_depth(depth) {
            let problem = match entry {
                Ok(entry) => listed.add(&start, &entry, role).err(),
                Err(problem) => {
                    let path = problem.path().unwrap_or(&start);
                    let path = path.strip_prefix(root).unwrap_or(&start).display();
                    let why = problem.io_error();
                    let why = why.map_or("unreadable".to_owned(), ToString::to_string);
                    Some(format!("{path}: {why}"))
                }
            };
            problems.extend(problem);
        }
        (listed, problems)
    }

    fn add(&mut self, start: &Path, entry: &walkdir::DirEntry, role: Role) -> Result<(), String> {
        let kind = entry.file_type();
        let inside = entry.path().strip_prefix(start).unwrap_or(entry.path());
        let shown = || join(&[&self.name, &inside.display().to_string()]);
        let Some(name) = entry.file_name().to_str() else {
            return match role {
                Role::Tests | Role::Workflows => Ok(()),
                _ => Err(format!("{}: its name is not UTF-8", shown())),
            };
        };
        if name == ".git" {
            let place = shown();
            return Err(format!(
                "{place}: a git repository of its own, which cannot be moved along: remove it"
            ));
        }
        let depth = entry.depth() - 1;
        // The walk goes through each folder at once: the last one is the one that it is in.
        let last = self.folders.last().filter(|_| depth > 0);
        let folder = last.map_or("", |(folder, _)| folder);
        let document = role.kind(folder, name, depth);
        let names_a_folder = depth == 0 && !role.is_flat();
        let is_variant =
            |name: &str| Variant::parse(name).is_some_and(|variant| variant.has_numbered_base());
        if kind.is_dir() {
            if document.is_some() {
                return Err(format!("{}: a folder, where a file is expected", shown()));
            }
            if names_a_folder {
                self.folders.push((name.to_owned(), Vec::new()));
            }
            return Ok(());
        }
        if kind.is_symlink()
            && (document.is_some() || names_a_folder && Variant::parse(name).is_some())
        {
            let what = if document.is_some() { "file" } else { "folder" };
            return Err(format!(
                "{}: a symbolic link, where a {what} is expected: put the {what} itself there",
                shown()
            ));
        }
        if kind.is_file() && names_a_folder && role == Role::VersionDirectory && is_variant(name) {
            return Err(format!("{}: a file, where a folder is expected", shown()));
        }
        if role.is_flat() && document.is_none() {
            return Ok(());
        }
        if !kind.is_file() && !kind.is_symlink() {
            let place = shown();
            return Err(format!("{place}: neither a file nor a folder: remove it"));
        }
        let parts = inside.iter().skip(usize::from(depth > 0));
        let parts: Vec<&str> = parts.filter_map(|part| part.to_str()).collect();
        let entry = Entry {
            name: parts.join("/"),
            kind: document,
            is_link: kind.is_symlink(),
        };
        let place = match depth {
            0 => 0,
            _ => self.folders.len() - 1,
        };
        self.folders[place].1.push(entry);
        Ok(())
    }

    pub(super) fn variants(&self) -> impl Iterator<Item = Variant> {
        let builds = |entries: &[Entry]| entries.iter().any(|entry| is_dockerfile(&entry.name));
        let folders = self.folders.iter();
        let folders = folders.filter(move |(name, entries)| !name.is_empty() && builds(entries));
        folders.filter_map(|(name, _)| Variant::parse(name))
    }

    /// The names of its scripts.
    pub(super) fn scripts(&self) -> impl Iterator<Item = String> {
        let entries = self.folders.iter().flat_map(|(_, entries)| entries);
        let scripts = entries.filter(|entry| entry.kind == Some(DocumentKind::Script));
        scripts.map(|entry| entry.name.clone())
    }

    /// The texts of its Dockerfiles.
    pub(super) fn dockerfiles(&self, root: &Path) -> Vec<Vec<u8>> {
        let entries = self
            .folders
            .iter()
            .flat_map(|(folder, entries)| entries.iter().map(move |entry| (folder, entry)));
        let dockerfiles = entries.filter(|(_, entry)| entry.kind == Some(DocumentKind::Dockerfile));
        // What cannot be read is reported when all are.
        let path =
            |folder: &str, entry: &Entry| root.join(join(&[&self.name, folder, &entry.name]));
        let read = |(folder, entry): (&String, &Entry)| {
            read_file(&path(folder, entry), LARGEST_DOCUMENT).ok()
        };
        dockerfiles.filter_map(read).map(|(text, _)| text).collect()
    }

    /// Its folders with their documents read, the first one with the files directly in it.
    pub(super) fn load(&self, root: &Path, names: &Names) -> (Vec<Folder>, Problems) {
        let mut problems = Problems::new();
        let mut load = |folder: &str, entry: &Entry| {
            let path = join(&[&self.name, folder, &entry.name]);
            let body = match entry.kind {
                _ if entry.is_link => Body::Link,
                None => Body::Other,
                Some(kind) => match read_file(&root.join(&path), LARGEST_DOCUMENT) {
                    Ok((text, mode)) => {
                        Body::Document(Arc::new(Document::new(&names.scanner, kind, text, mode)))
                    }
                    Err(problem) => {
                        problems.push(format!("{path}: {problem:#}"));
                        Body::Other
                    }
                },
            };
            Item {
                name: entry.name.clone(),
                origin: Origin::At(path),
                body,
            }
        };
        let mut folders: Vec<Folder> = Vec::with_capacity(self.folders.len());
        for (name, entries) in &self.folders {
            let mut items: Vec<Item> = entries.iter().map(|entry| load(name, entry)).collect();
            items.sort_by(|a, b| a.name.cmp(&b.name));
            folders.push(Folder {
                name: name.clone(),
                origin: Some(join(&[&self.name, name])),
                items,
            });
        }
        folders[1..].sort_by(|a, b| a.name.cmp(&b.name));
        (folders, problems)
    }
}

/// An error that names all problems, where there are any.
pub(super) fn refuse(problems: &[String]) -> anyhow::Result<()> {
    ensure!(
        problems.is_empty(),
        "cannot read the repository:\n  {}",
        harmless_list(problems)
    );
    Ok(())
}
