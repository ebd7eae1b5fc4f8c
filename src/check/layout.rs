//! The rules about folders: each version directory has variants and is named after its version, each variant has a
//! Dockerfile, and nothing looks like a version directory that is none.

use crate::finding::Finding;
use crate::repository::{Names, Repository, Tree};
use crate::version::Variant;

/// Checks the folders of a version directory.
pub(super) fn check_folders(names: &Names, tree: &Tree, findings: &mut Vec<Finding>) {
    let directory = &tree.directory;
    if directory.variants.is_empty() {
        let message =
            "found no variant, expected a folder such as alpine3.18 with a Dockerfile".to_owned();
        findings.push(Finding::of(&directory.name, "folder", message).expected("a variant"));
    }
    let name = names.config.directory.render(&directory.version);
    if name != directory.name {
        let version = &directory.version;
        let message = format!(
            "found Dockerfiles at {version}, expected a version of {}",
            directory.name
        );
        findings.push(Finding::of(&directory.name, "folder", message).expected(&*directory.name));
    }
    let folders = tree.folders.iter();
    for folder in folders.filter(|folder| !folder.items.is_empty()) {
        let lower = folder.name.to_ascii_lowercase();
        let looks_like = Variant::parse(&lower)
            .is_some_and(|variant| names.endings.families().any(|one| one == variant.family));
        let path = format!("{}/{}", directory.name, folder.name);
        if looks_like && lower != folder.name {
            let message = format!("found {}, expected {lower}: it is no variant", folder.name);
            let finding = Finding::of(&path, "folder", message).found(&*folder.name);
            findings.push(finding.expected(lower));
        } else if looks_like && folder.item("Dockerfile").is_none() {
            let message = "found no Dockerfile in a variant's folder: add it, or remove the folder"
                .to_owned();
            findings.push(Finding::of(&path, "folder", message).expected("Dockerfile"));
        }
    }
}

/// Folders that look like version directories and do not fit the layout.
pub(super) fn check_strays(repository: &Repository, findings: &mut Vec<Finding>) {
    for stray in &repository.strays {
        let first = repository.trees.first();
        let others = first.map_or("`directory` in update.toml", |tree| &tree.directory.name);
        let message = format!(
            "found a name that looks like a version, expected one like {others}: rename or remove it"
        );
        findings.push(Finding::of(stray, "layout", message).found(&**stray));
    }
}
