//! What `--remove` asks for: which series go as wholes, what is not there, and which scripts have nothing left to do.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::options::{Options, Remove, is_meant};
use super::targets::{existing, existing_variants};
use crate::repository::{Repository, join};
use crate::version::Variant;

/// The series that go as wholes.
pub(super) fn series(before: &Repository, options: &Options) -> Result<BTreeSet<String>> {
    let whole = options.removes.iter();
    let whole = whole.filter(|remove| remove.variant.is_none());
    let asked: BTreeSet<String> = whole.filter_map(|remove| remove.series.clone()).collect();
    let mut trees = before.trees.iter();
    ensure!(
        asked.is_empty() || trees.any(|tree| !asked.contains(&tree.directory.name)),
        "`--remove` would remove every version directory: keep one"
    );
    let there = asked.into_iter();
    Ok(there.filter(|name| before.tree(name).is_some()).collect())
}

/// What is to be removed and is not there: where git would have its files, by a pattern, and what to say of it.
pub fn missing(repository: &Repository, options: &Options) -> Vec<(String, String)> {
    let is_there = |remove: &&Remove| {
        repository.trees.iter().any(|tree| {
            let has = |variant: &Variant| tree.directory.has(&variant.name);
            is_meant(&remove.series, &tree.directory.name)
                && remove.variant.as_ref().is_none_or(has)
        })
    };
    let missing = options.removes.iter().filter(|remove| !is_there(remove));
    let missing = missing.map(|Remove { series, variant }| {
        let place = series.as_deref();
        let said = match (variant, place) {
            (None, _) => format!(
                "no version directory {}: {}",
                place.unwrap_or_default(),
                existing(repository)
            ),
            (Some(variant), place) => {
                let here = place.map_or(String::new(), |place| format!(" in {place}"));
                let all = existing_variants(repository, series);
                format!("no variant {variant}{here}: {all}")
            }
        };
        let variant = variant.as_ref().map_or("", |variant| &variant.name);
        (join(&[place.unwrap_or("*"), variant, "*"]), said)
    });
    missing.collect()
}

/// Whether a script is for a variant's Windows, whose year or base is in its name, and no other variant needs it.
pub(super) fn is_for_runner_of(script: &str, gone: &Variant, others: &[Variant]) -> bool {
    let is_named = |variant: &Variant| {
        let names = variant.windows_name().into_iter();
        let mut names = names.chain([variant.base_tag().to_owned()]);
        variant.is_on_windows_base() && names.any(|name| script.contains(&name))
    };
    is_named(gone) && !others.iter().any(is_named)
}
