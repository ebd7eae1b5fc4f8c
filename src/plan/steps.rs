//! The steps that make a plan's tree of the one that is there, in an order in which the same command can begin anew after
//! each of them: what names the version, and what is new, comes last.

use std::collections::BTreeMap;

use super::{FileChange, Plan};
use crate::repository::{Body, Folder, Item, Origin, TEMPLATES, Tree, join};
use crate::write::{Content, NewFile, Step};

/// The steps of a plan.
pub fn steps(plan: &Plan) -> Vec<Step> {
    let changes: BTreeMap<&str, &FileChange> = plan
        .changes
        .iter()
        .map(|change| (change.path.as_str(), change))
        .collect();
    let (mut files, mut last, mut scripts, mut folders, mut trees) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let names_version = |item: &Item| {
        item.document()
            .is_some_and(|document| document.versions().next().is_some())
    };
    for tree in &plan.after.trees {
        let name = &tree.directory.name;
        let Some(origin) = &tree.origin else {
            trees.push(Step::Folder {
                path: name.clone(),
                files: files_of_tree(tree, &changes),
            });
            continue;
        };
        for item in &tree.items {
            files.extend(rewritten(
                item,
                &join(&[name, &item.name]),
                origin,
                &changes,
            ));
        }
        for folder in &tree.folders {
            let path = join(&[name, &folder.name]);
            let Some(from) = &folder.origin else {
                let files = files_of(folder, &path, "", &changes);
                folders.push(Step::Folder {
                    path: join(&[origin, &folder.name]),
                    files,
                });
                continue;
            };
            for item in &folder.items {
                let steps = if names_version(item) {
                    &mut last
                } else {
                    &mut files
                };
                steps.extend(rewritten(item, &join(&[&path, &item.name]), from, &changes));
                scripts.extend(renamed(item, from));
            }
            let to = join(&[origin, &folder.name]);
            if *from != to {
                folders.push(Step::Rename {
                    from: from.clone(),
                    to,
                });
            }
        }
        if origin != name {
            trees.push(Step::Rename {
                from: origin.clone(),
                to: name.clone(),
            });
        }
    }
    let shared = [&plan.after.tests, &plan.after.workflows].map(|folder| ("", folder));
    let templates = plan
        .after
        .templates
        .iter()
        .map(|folder| (TEMPLATES, folder));
    for (above, folder) in shared.into_iter().chain(templates) {
        let from = join(&[above, &folder.name]);
        for item in &folder.items {
            files.extend(rewritten(
                item,
                &join(&[&from, &item.name]),
                &from,
                &changes,
            ));
            scripts.extend(renamed(item, &from));
        }
    }
    let gone = plan.gone.iter().map(|path| {
        // A version directory that moves has its old name until then.
        let now = path.split_once('/').and_then(|(directory, rest)| {
            let origin = plan.after.tree(directory)?.origin.as_ref()?;
            Some(join(&[origin, rest]))
        });
        Step::Remove {
            now: now.unwrap_or_else(|| path.clone()),
            path: path.clone(),
        }
    });
    [files, last, scripts, folders, trees, gone.collect()]
        .into_iter()
        .flatten()
        .collect()
}

/// A file whose text is new, where it is now: in a folder that is there.
fn rewritten(
    item: &Item,
    path: &str,
    folder: &str,
    changes: &BTreeMap<&str, &FileChange>,
) -> Option<Step> {
    let change = changes.get(path)?;
    match &item.origin {
        Origin::At(at) => {
            let content = Content::Text(change.after.clone()?.bytes);
            Some(Step::File {
                path: at.clone(),
                before: change.before.clone(),
                file: NewFile {
                    content,
                    ..new_file(item, change, "")
                },
            })
        }
        _ => Some(Step::File {
            path: join(&[folder, &item.name]),
            before: None,
            file: new_file(item, change, ""),
        }),
    }
}

/// A file that gets another name in its folder, which has its old path still.
fn renamed(item: &Item, folder: &str) -> Option<Step> {
    let to = join(&[folder, &item.name]);
    match &item.origin {
        Origin::At(from) if *from != to => Some(Step::Rename {
            from: from.clone(),
            to,
        }),
        _ => None,
    }
}

/// A new file, by its path in a new folder.
fn new_file(item: &Item, change: &FileChange, path: &str) -> NewFile {
    let from = item.origin.path().to_owned();
    let (content, mode) = match (&change.after, &item.body) {
        (Some(text), _) => (Content::Text(text.bytes.clone()), text.mode),
        (None, Body::Document(document)) => (Content::Text(document.text.clone()), document.mode),
        (None, Body::Link) => (Content::LinkLike(from), 0),
        (None, Body::Other) => (Content::CopyOf(from), 0),
    };
    NewFile {
        path: path.to_owned(),
        content,
        mode,
    }
}

fn files_of(
    folder: &Folder,
    path: &str,
    start: &str,
    changes: &BTreeMap<&str, &FileChange>,
) -> Vec<NewFile> {
    let file = |item: &Item| {
        let change = changes.get(join(&[path, &item.name]).as_str())?;
        Some(new_file(item, change, &join(&[start, &item.name])))
    };
    folder.items.iter().filter_map(file).collect()
}

fn files_of_tree(tree: &Tree, changes: &BTreeMap<&str, &FileChange>) -> Vec<NewFile> {
    let name = &tree.directory.name;
    let direct = Folder {
        name: String::new(),
        origin: None,
        items: tree.items.clone(),
    };
    let mut files = files_of(&direct, name, "", changes);
    for folder in &tree.folders {
        files.extend(files_of(
            folder,
            &join(&[name, &folder.name]),
            &folder.name,
            changes,
        ));
    }
    files
}
