//! The steps that turn the tree on disk into a plan's, in an order in which the same command can begin anew after each of them:
//! what names the version, and what is new, comes last.

use std::collections::BTreeMap;

use super::{FileChange, Plan};
use crate::repository::{Body, Folder, Item, Origin, join};
use crate::write::{Content, NewFile, Step};

/// The steps of a plan.
pub fn steps(plan: &Plan) -> Vec<Step> {
    let changes = plan.changes.iter();
    let changes: Changes = changes.map(|change| (&*change.path, change)).collect();
    let (mut files, mut last, mut scripts, mut folders, mut trees) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let names_version = |item: &Item| {
        item.document()
            .is_some_and(|document| document.versions().next().is_some())
    };
    for tree in &plan.after.trees {
        let name = &tree.directory.name;
        let Some(origin) = &tree.origin else {
            let inside = tree.folders.iter();
            let inside = inside.flat_map(|folder| files_of(name, folder, &folder.name, &changes));
            trees.push(Step::Folder {
                path: name.clone(),
                files: inside.collect(),
            });
            continue;
        };
        for folder in &tree.folders {
            let to = join(&[origin, &folder.name]);
            let Some(from) = &folder.origin else {
                let files = files_of(name, folder, "", &changes).collect();
                folders.push(Step::Folder { path: to, files });
                continue;
            };
            for item in &folder.items {
                let path = join(&[name, &folder.name, &item.name]);
                let steps = match names_version(item) {
                    true => &mut last,
                    false => &mut files,
                };
                steps.extend(rewritten(item, &path, from, &changes));
                scripts.extend(renamed(item, from));
            }
            folders.extend(moved(from, to));
        }
        trees.extend(moved(origin, name.clone()));
    }
    for (above, folder) in plan.after.shared_folders() {
        let from = join(&[above, &folder.name]);
        for item in &folder.items {
            let path = join(&[&from, &item.name]);
            files.extend(rewritten(item, &path, &from, &changes));
            scripts.extend(renamed(item, &from));
        }
    }
    let gone = plan.gone.iter().map(|path| {
        // A version directory that moves has its old name until then.
        let tree = plan.after.tree_of(path);
        let now = tree.and_then(|tree| {
            let rest = &path[tree.directory.name.len()..];
            Some(tree.origin.clone()? + rest)
        });
        Step::Remove {
            now: now.unwrap_or_else(|| path.clone()),
            path: path.clone(),
        }
    });
    [files, last, scripts, folders, trees, gone.collect()].concat()
}

/// What happens to files, by their new paths.
type Changes<'a> = BTreeMap<&'a str, &'a FileChange>;

/// A file whose text is new, where it is now: in a folder that is there.
fn rewritten(item: &Item, path: &str, folder: &str, changes: &Changes) -> Option<Step> {
    let change = changes.get(path)?;
    let (path, before) = match &item.origin {
        Origin::At(_) if change.after.is_none() => return None,
        Origin::At(at) => (at.clone(), change.before.clone()),
        _ => (join(&[folder, &item.name]), None),
    };
    let file = new_file(item, change, String::new());
    Some(Step::File { path, before, file })
}

/// A file or a folder that gets another name.
fn moved(from: &str, to: String) -> Option<Step> {
    let from = from.to_owned();
    (from != to).then_some(Step::Rename { from, to })
}

/// A file that gets another name in its folder, which has its old path still.
fn renamed(item: &Item, folder: &str) -> Option<Step> {
    match &item.origin {
        Origin::At(from) => moved(from, join(&[folder, &item.name])),
        _ => None,
    }
}

/// A new file, by its path in a new folder.
fn new_file(item: &Item, change: &FileChange, path: String) -> NewFile {
    let from = item.origin.path().to_owned();
    let (content, mode) = match (&change.after, &item.body) {
        (Some(text), _) => (Content::Text(text.bytes.clone()), text.mode),
        (None, Body::Document(document)) => (Content::Text(document.text.clone()), document.mode),
        (None, Body::Link) => (Content::LinkLike(from), 0),
        (None, Body::Other | Body::Unread(_)) => (Content::CopyOf(from), 0),
    };
    NewFile {
        path,
        content,
        mode,
    }
}

/// The new files of a folder in a version directory; `start` is what their paths begin with in the folder that is made.
fn files_of<'a>(
    directory: &'a str,
    folder: &'a Folder,
    start: &'a str,
    changes: &'a Changes,
) -> impl Iterator<Item = NewFile> + 'a {
    folder.items.iter().filter_map(move |item| {
        let change = changes.get(&*join(&[directory, &folder.name, &item.name]))?;
        Some(new_file(item, change, join(&[start, &item.name])))
    })
}
