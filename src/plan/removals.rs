//! What `--remove` asks for: which series go as wholes, what is not there, and which scripts have nothing left to do.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::options::{Options, Remove, is_meant};
use super::targets::{existing, families};
use crate::repository::{Repository, Tree};
use crate::text::is_like;
use crate::version::Variant;

/// The series that go as wholes.
pub(super) fn series(before: &Repository, options: &Options) -> Result<BTreeSet<String>> {
    let whole = options.removes.iter();
    let whole = whole.filter(|remove| remove.variant.is_none());
    let asked: BTreeSet<String> = whole.filter_map(|remove| remove.series.clone()).collect();
    let mut trees = before.trees.iter();
    ensure!(
        asked.is_empty() || trees.any(|tree| !asked.contains(&tree.directory.name)),
        "`--remove` would leave no version directory at all"
    );
    let there = asked.into_iter();
    Ok(there.filter(|name| before.tree(name).is_some()).collect())
}

/// What is to be removed and is not there: a run that was killed may have removed it already.
pub(super) fn missing(before: &Repository, options: &Options) -> Result<Vec<String>> {
    let is_there = |remove: &&Remove| {
        before.trees.iter().any(|tree| {
            let has = |variant: &Variant| tree.directory.has(&variant.name);
            is_meant(&remove.series, &tree.directory.name)
                && remove.variant.as_ref().is_none_or(has)
        })
    };
    let missing = options.removes.iter().filter(|remove| !is_there(remove));
    let mut notes = Vec::new();
    for remove in missing {
        let pattern = &before.names.config.directory;
        let families = families(before);
        let is_slip = match (&remove.series, &remove.variant) {
            (_, Some(Variant { family, .. })) => {
                !families.contains(&family.as_str())
                    && families.iter().any(|known| is_like(known, family))
            }
            (series, None) => series.iter().all(|name| pattern.matches(name).is_none()),
        };
        ensure!(
            !is_slip,
            "`--remove {remove}`: there is nothing of that name; {}, with variants of {}",
            existing(before),
            families.join(", ")
        );
        let of_family = |variant: &&Variant| {
            let meant = remove
                .variant
                .as_ref()
                .filter(|meant| meant.base.is_empty());
            meant.is_some_and(|meant| meant.family == variant.family)
        };
        let trees = before.trees.iter();
        let trees = trees.filter(|tree| is_meant(&remove.series, &tree.directory.name));
        let is_folder = |tree: &Tree| {
            let name = remove.variant.as_ref().map(|variant| &variant.name);
            name.is_some_and(|name| tree.folder(name).is_some())
        };
        ensure!(
            !trees.clone().any(is_folder),
            "`--remove {remove}`: there is such a folder, and it is no variant"
        );
        let all = trees.flat_map(|tree| &tree.directory.variants);
        let names: BTreeSet<&str> = all.filter(of_family).map(|one| one.name.as_str()).collect();
        ensure!(
            names.is_empty(),
            "`--remove {remove}`: expected the name of a variant, one of {}",
            Vec::from_iter(names).join(", ")
        );
        notes.push(format!("{remove} is not there: nothing to remove"));
    }
    Ok(notes)
}

/// Whether a script is for the runner of a variant's Windows, whose year is in its name, and no other variant needs it.
pub(super) fn is_for_runner_of(script: &str, gone: &Variant, others: &[Variant]) -> bool {
    let is_named = |variant: &Variant| {
        variant
            .windows_year()
            .is_some_and(|year| script.contains(&year.to_string()))
    };
    is_named(gone) && !others.iter().any(is_named)
}
