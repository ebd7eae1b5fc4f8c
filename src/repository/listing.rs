//! Lists the files of a folder and decides what each of them is, before any is read.
//!
//! Symbolic links are never followed.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use super::{Body, Document, Folder, Item, LARGEST_DOCUMENT, Names, Origin, TESTS, read_file};
use crate::fields::DocumentKind;
use crate::fields::scan::is_script;
use crate::version::Variant;

/// Whether a file of that name is a Dockerfile, rather than what an editor or a merge left beside one.
pub fn is_dockerfile(name: &str) -> bool {
    let beside = ["~", ".bak", ".orig", ".rej", ".swp", ".tmp", "ignore"];
    name.starts_with("Dockerfile") && !beside.iter().any(|ending| name.ends_with(ending))
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
        let is_workflow = name.ends_with(".yml") || name.ends_with(".yaml");
        let is_own_script = folder == TESTS && depth == 1 && is_script(name);
        match self {
            Self::Tests => is_script(name).then_some(DocumentKind::Script),
            Self::Workflows => is_workflow.then_some(DocumentKind::Workflow),
            Self::VersionDirectory if is_own_script => Some(DocumentKind::Script),
            _ => is_dockerfile(name).then_some(DocumentKind::Dockerfile),
        }
    }

    fn is_flat(self) -> bool {
        matches!(self, Self::Tests | Self::Workflows)
    }
}

/// Problems of a folder, of which there may be several.
pub(super) type Problems = Vec<String>;

/// What stands where a file or a folder is expected, and is none.
fn misplaced(place: &str, found: fs::FileType, expected: &str) -> String {
    let found = match () {
        () if found.is_symlink() => "a symbolic link",
        () if found.is_dir() => "a folder",
        () if found.is_file() => "a file",
        () => "neither a file nor a folder",
    };
    format!("{place}: {found}, where a {expected} is expected: put the {expected} itself there")
}

/// Whether that is a folder, and nothing else on the way to it.
fn is_folder(root: &Path, name: &str) -> Result<bool, String> {
    for (end, _) in name.match_indices('/').chain([(name.len(), "")]) {
        let place = &name[..end];
        match fs::symlink_metadata(root.join(place)) {
            Ok(found) if found.is_dir() => {}
            Ok(found) => return Err(misplaced(place, found.file_type(), "folder")),
            Err(problem) if problem.kind() == ErrorKind::NotFound => return Ok(false),
            Err(problem) => return Err(format!("{place}: {problem}")),
        }
    }
    Ok(true)
}

/// The folders of a folder of the repository, where there is one, the first one for the files directly in it. Documents are
/// not read yet.
pub(super) fn list(root: &Path, name: &str, role: Role) -> (Vec<Folder>, Problems) {
    let mut folders = vec![Folder::new(name, "")];
    match is_folder(root, name) {
        Ok(true) => {}
        missing => return (folders, Vec::from_iter(missing.err())),
    }
    let mut problems = Problems::new();
    let depth = if role.is_flat() { 1 } else { usize::MAX };
    for entry in WalkDir::new(root.join(name)).min_depth(1).max_depth(depth) {
        let path = match &entry {
            Ok(entry) => Some(entry.path()),
            Err(problem) => problem.path(),
        };
        let inside = path.and_then(|path| path.strip_prefix(root).ok());
        let parts = inside.unwrap_or(Path::new(name)).iter();
        let parts: Vec<_> = parts.map(|part| part.to_string_lossy()).collect();
        let place = parts.join("/");
        let added = match entry {
            Ok(entry) => add(&mut folders, &entry, &place, role),
            Err(problem) => {
                let why = problem.io_error();
                let why = why.map_or("unreadable".to_owned(), ToString::to_string);
                Err(format!("{place}: {why}"))
            }
        };
        problems.extend(added.err());
    }
    folders[1..].sort_by(|a, b| a.name.cmp(&b.name));
    for folder in &mut folders {
        folder.items.sort_by(|a, b| a.name.cmp(&b.name));
        // Of thousands of folders, nearly all have one file.
        folder.items.shrink_to_fit();
    }
    (folders, problems)
}

/// Adds what is in a folder. Its path is relative to the root.
fn add(folders: &mut Vec<Folder>, entry: &DirEntry, path: &str, role: Role) -> Result<(), String> {
    let kind = entry.file_type();
    let Some(name) = entry.file_name().to_str() else {
        let shown = entry.file_name().to_string_lossy();
        let is_nothing = role.is_flat() && role.kind("", &shown, 0).is_none();
        let is_nothing = is_nothing.then_some(());
        return is_nothing.ok_or_else(|| format!("{path}: its name is not UTF-8"));
    };
    if name == ".git" {
        return Err(format!(
            "{path}: a git repository of its own, which cannot be moved along: remove it"
        ));
    }
    let depth = entry.depth() - 1;
    // The walk finishes each folder before the next: the last one listed is the one that it is in.
    let folder = if depth == 0 { 0 } else { folders.len() - 1 };
    let document = role.kind(&folders[folder].name, name, depth);
    let names_a_folder = depth == 0 && !role.is_flat();
    let variant = Variant::parse(name).filter(|_| names_a_folder);
    let is_variant = variant.is_some_and(|variant| {
        kind.is_symlink() || role == Role::VersionDirectory && variant.has_numbered_base()
    });
    if document.is_some() && !kind.is_file() {
        return Err(misplaced(path, kind, "file"));
    }
    if document.is_none() && is_variant && !kind.is_dir() {
        return Err(misplaced(path, kind, "folder"));
    }
    if kind.is_dir() {
        if names_a_folder {
            let above = folders[0].origin.clone().unwrap_or_default();
            folders.push(Folder::new(&above, name));
        }
        return Ok(());
    }
    let body = match document {
        Some(kind) => Body::Unread(kind),
        None if role.is_flat() => return Ok(()),
        None if kind.is_symlink() => Body::Link,
        None if kind.is_file() => Body::Other,
        None => return Err(format!("{path}: neither a file nor a folder: remove it")),
    };
    let origin = folders[folder].origin.as_deref().unwrap_or_default();
    let inside = path.strip_prefix(origin).unwrap_or(path);
    folders[folder].items.push(Item {
        name: inside.trim_start_matches('/').to_owned(),
        origin: Origin::At(path.to_owned()),
        body,
    });
    Ok(())
}

/// The folders with their documents read.
pub(super) fn load(folders: &[Folder], root: &Path, names: &Names) -> (Vec<Folder>, Problems) {
    let (mut folders, mut problems) = (folders.to_vec(), Problems::new());
    for item in folders.iter_mut().flat_map(|folder| &mut folder.items) {
        let Body::Unread(kind) = item.body else {
            continue;
        };
        let path = item.origin.path();
        match read_file(&root.join(path), LARGEST_DOCUMENT) {
            Ok((text, mode)) => {
                let document = Document::new(&names.scanner, kind, text, mode);
                item.body = Body::Document(Arc::new(document));
            }
            Err(problem) => problems.push(format!("{path}: {problem:#}")),
        }
    }
    (folders, problems)
}
