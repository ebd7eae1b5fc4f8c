//! What `--remove` asks for: which series go as wholes, what is not there, and which scripts have nothing left to do.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::options::{Options, Remove, is_meant};
use crate::repository::Repository;
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
pub(super) fn missing(before: &Repository, options: &Options) -> Vec<String> {
    let is_there = |remove: &&Remove| {
        before.trees.iter().any(|tree| {
            let has = |variant: &Variant| tree.directory.has(&variant.name);
            is_meant(&remove.series, &tree.directory.name)
                && remove.variant.as_ref().is_none_or(has)
        })
    };
    let missing = options.removes.iter().filter(|remove| !is_there(remove));
    let say =
        |remove: &Remove| format!("no variant or series {remove} is there: nothing to remove");
    missing.map(say).collect()
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
