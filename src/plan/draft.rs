//! The repository with its files where an update will put them, their fields not yet written.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use super::targets::{Target, variants_of};
use super::units::renamed;
use crate::fields::scan::is_script;
use crate::repository::{Directory, Folder, Item, Origin, Repository, TEMPLATES, TESTS, Tree};
use crate::version::{Variant, numbers};

/// The repository with the targets' files in their places.
pub(super) fn draft(
    before: &Repository,
    targets: &[Target],
    gone: &BTreeSet<String>,
) -> Result<Repository> {
    let mut after = before.clone();
    let trees = &mut after.trees;
    trees.retain(|tree| !gone.contains(&tree.directory.name));
    for target in targets {
        let source = target.source.as_ref();
        let mut tree = match source.and_then(|source| before.tree(source)) {
            Some(source) if target.is_copy() => copy(source),
            Some(source) => source.clone(),
            None => new(before, target)?,
        };
        let empties = |other: &Tree| {
            other.directory.name == target.directory
                || Some(&other.directory.name) == target.source.as_ref() && !target.is_copy()
        };
        for other in after.trees.iter().filter(|other| empties(other)) {
            let is_source = Some(&other.directory.name) == target.source.as_ref();
            let is_empty = other.folders.iter().all(|folder| folder.items.is_empty());
            ensure!(
                is_source || is_empty,
                "{} is there already, but holds no variant: remove it",
                other.directory.name
            );
        }
        after.trees.retain(|other| !empties(other));
        tree.directory.name.clone_from(&target.directory);
        tree.directory.version = target.version.clone();
        for folder in &mut tree.folders {
            if let Some(name) = target.renames.get(&folder.name) {
                folder.name.clone_from(name);
            }
        }
        let is_gone = |folder: &Folder| target.removes.iter().any(|gone| gone.name == folder.name);
        tree.folders.retain(|folder| !is_gone(folder));
        tree.refresh();
        add_variants(before, target, &mut tree);
        add_from_templates(before, &mut tree);
        tree.refresh();
        let variants = tree.directory.variants.clone();
        if let Some(tests) = tree.folders.iter_mut().find(|folder| folder.name == TESTS) {
            rename_scripts(tests, &target.renames, &variants);
        }
        tree.refresh();
        let folders = tree.folders.iter();
        let names: BTreeSet<&str> = folders.map(|folder| folder.name.as_str()).collect();
        ensure!(
            names.len() == tree.folders.len(),
            "two folders of {} would have one name: rename or remove one of them",
            target.directory
        );
        ensure!(
            !tree.directory.variants.is_empty(),
            "every variant of {0} would be removed, and a version directory needs one: `--remove {0}` removes a whole series",
            target.directory
        );
        after.trees.push(tree);
    }
    after.trees.sort_by(|a, b| a.directory.cmp(&b.directory));
    // The scripts of the root are for all series, or for the newest version.
    let has_series = after.names.config.directory.has_series();
    let is_target = |name: &str| targets.iter().any(|target| target.directory == name);
    let stays = after.trees.iter();
    let stays = stays.filter(|tree| has_series || is_target(&tree.directory.name));
    let variants = stays.flat_map(|tree| tree.directory.variants.clone());
    let variants: Vec<Variant> = variants.collect();
    for target in targets {
        rename_scripts(&mut after.tests, &target.renames, &variants);
    }
    Ok(after)
}

/// Renames the scripts that are named after a base which moves, and which no variant that stays is on: `build-images-2022.ps1`
/// and `build-images-ltsc2022.ps1` are for one Windows.
fn rename_scripts(tests: &mut Folder, renames: &BTreeMap<String, String>, stays: &[Variant]) {
    for (old, new) in renames {
        let (Some(old), Some(new)) = (Variant::parse(old), Variant::parse(new)) else {
            continue;
        };
        if stays.iter().any(|variant| variant.base == old.base) {
            continue;
        }
        let names: BTreeSet<String> = tests.items.iter().map(|item| item.name.clone()).collect();
        for item in tests.items.iter_mut().filter(|item| is_script(&item.name)) {
            let name = renamed(&item.name, &old, &new);
            if !names.contains(&name) {
                item.name = name;
            }
        }
        tests.items.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

/// A directory of nothing but what templates give.
fn new(before: &Repository, target: &Target) -> Result<Tree> {
    let empty = |variant: &Variant| Folder {
        name: variant.name.clone(),
        ..Folder::default()
    };
    let mut directory = Directory::new(&target.directory, target.version.clone());
    directory.variants = variants_of(before, target);
    let there = before.tree(&target.directory);
    let mut tree = Tree {
        folders: directory.variants.iter().map(empty).collect(),
        directory,
        origin: there.and_then(|there| there.origin.clone()),
    };
    add_from_templates(before, &mut tree);
    Ok(tree)
}

/// A directory whose files are copies of those of another.
fn copy(source: &Tree) -> Tree {
    let item = |item: &Item| Item {
        origin: Origin::CopyOf(item.origin.path().to_owned()),
        ..item.clone()
    };
    let folder = |folder: &Folder| Folder {
        name: folder.name.clone(),
        origin: None,
        items: folder.items.iter().map(item).collect(),
    };
    Tree {
        directory: source.directory.clone(),
        origin: None,
        folders: source.folders.iter().map(folder).collect(),
    }
}

/// Adds the folders of new variants: empty ones for a template to fill, else copies of the nearest sibling.
fn add_variants(before: &Repository, target: &Target, tree: &mut Tree) {
    for variant in target.adds.clone() {
        let has_template = before.template(&variant.family).is_some();
        let sibling = nearest(&variant, &tree.directory.variants).filter(|_| !has_template);
        let folder = sibling.and_then(|sibling| tree.folder(&sibling.name));
        let items = folder.iter().flat_map(|folder| &folder.items);
        let made = |item: &Item| Item {
            origin: Origin::MadeFrom(item.origin.path().to_owned()),
            ..item.clone()
        };
        let items = items.map(made).collect();
        let is_kept = |folder: &Folder| folder.name != variant.name || !folder.items.is_empty();
        tree.folders.retain(is_kept);
        tree.folders.push(Folder {
            name: variant.name.clone(),
            items,
            ..Folder::default()
        });
        tree.directory.variants.push(variant);
    }
}

/// Adds what the templates of a directory's variants have and their folders do not.
fn add_from_templates(before: &Repository, tree: &mut Tree) {
    let variants = tree.directory.variants.clone();
    for folder in &mut tree.folders {
        let Some(variant) = variants.iter().find(|variant| variant.name == folder.name) else {
            continue;
        };
        let template = before.template(&variant.family);
        for source in template.iter().flat_map(|template| &template.items) {
            if folder.item(&source.name).is_none() {
                let origin =
                    Origin::MadeFrom(format!("{TEMPLATES}/{}/{}", variant.family, source.name));
                folder.items.push(Item {
                    origin,
                    ..source.clone()
                });
            }
        }
        folder.items.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

/// The variant of the same family whose base is the nearest: the next lower one, or else the lowest.
pub(super) fn nearest<'a>(variant: &Variant, siblings: &'a [Variant]) -> Option<&'a Variant> {
    let is_sibling = |sibling: &&Variant| sibling.family == variant.family && *sibling != variant;
    let mut family: Vec<&Variant> = siblings.iter().filter(is_sibling).collect();
    family.sort_by_key(|sibling| numbers(&sibling.base));
    // `alpine3.18` rather than `alpine3.18-slim`, where both are there.
    let suffix = |one: &Variant| one.base[one.base_tag().len()..].to_owned();
    if family
        .iter()
        .any(|sibling| suffix(sibling) == suffix(variant))
    {
        family.retain(|sibling| suffix(sibling) == suffix(variant));
    }
    let lower = family
        .iter()
        .rev()
        .find(|sibling| numbers(&sibling.base) < numbers(&variant.base))
        .copied();
    lower.or(family.first().copied())
}

/// Where to correct a file's text: where it comes from, but in the new file where a sibling was copied.
pub(super) fn place_of(item: &Item, path: &str) -> String {
    match &item.origin {
        Origin::MadeFrom(sibling) if !sibling.starts_with(TEMPLATES) => path.to_owned(),
        origin => origin.path().to_owned(),
    }
}
