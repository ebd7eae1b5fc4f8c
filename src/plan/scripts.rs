//! Extends the scripts that build and run images by a variant that is added: what stands there for its nearest sibling
//! stands there for it too, right behind.
//!
//! A script that says it in a form which is not understood is left as it is, and `check` then says what is missing in it.

use std::collections::BTreeMap;

use super::draft::nearest;
use super::edits::Edit;
use super::passages;
use super::targets::Target;
use super::units::{mentions, renamed, replaced};
use crate::check::scripts_of;
use crate::repository::{Repository, TESTS, join};
use crate::version::Variant;

/// A script with another text, or a new one.
pub(super) struct Script {
    /// The version directory that it is in; `None` for those of the root.
    pub(super) directory: Option<String>,
    /// Its name.
    pub(super) name: String,
    /// Its text.
    pub(super) text: Vec<u8>,
    /// Permission bits as `chmod` counts them.
    pub(super) mode: u32,
    /// Where the script is that a new one is made from.
    pub(super) made_from: Option<String>,
    /// What is new in it.
    pub(super) edits: Vec<Edit>,
}

impl Script {
    pub(super) fn path(&self) -> String {
        let directory = self.directory.as_deref().unwrap_or_default();
        join(&[directory, TESTS, &self.name])
    }
}

/// The scripts that change, and those that are new.
pub(super) fn extended(after: &Repository, targets: &[Target]) -> Vec<Script> {
    let mut scripts: BTreeMap<String, Script> = BTreeMap::new();
    for target in targets.iter().filter(|target| !target.adds.is_empty()) {
        let Some(tree) = after.tree(&target.directory) else {
            continue;
        };
        let variants = &tree.directory.variants;
        let mut adds = target.adds.clone();
        adds.sort();
        let is_new = |variant: &Variant| {
            tree.folder(&variant.name)
                .is_some_and(|folder| folder.origin.is_none())
                && target.adds.contains(variant)
        };
        let siblings = variants.iter().filter(|variant| !is_new(variant));
        let mut siblings: Vec<Variant> = siblings.cloned().collect();
        for variant in adds.iter().filter(|variant| is_new(variant)) {
            let Some(sibling) = nearest(variant, &siblings).cloned() else {
                continue;
            };
            for place in scripts_of(after, tree) {
                let path = place.path();
                let was = scripts.get(&path);
                let text = was.map_or(&place.document.text, |script| &script.text);
                let Ok(text) = std::str::from_utf8(text) else {
                    continue;
                };
                if !mentions(text, &sibling.name) || mentions(text, &variant.name) {
                    continue;
                }
                let mut script = Script {
                    directory: place.tree.map(|tree| tree.directory.name.clone()),
                    name: place.item.name.clone(),
                    text: Vec::new(),
                    mode: place.document.mode,
                    made_from: None,
                    edits: was.map(|was| was.edits.clone()).unwrap_or_default(),
                };
                if let Some(name) = named_after(&script.name, &sibling, variant) {
                    script.name = name;
                    let path = script.path();
                    let there = scripts_of(after, tree).find(|other| other.path() == path);
                    let made = scripts.get(&path);
                    let known = [&siblings[..], std::slice::from_ref(variant)].concat();
                    let with = |all: &[Variant]| for_another_runner(text, (&sibling, variant), all);
                    let old = made
                        .map(|made| made.text.as_slice())
                        .or(there.map(|there| there.document.text.as_slice()));
                    let Some(new) = with(&known) else { continue };
                    match old {
                        // Somebody has given it a form of its own.
                        Some(old) if with(&siblings).is_none_or(|was| was.as_bytes() != old) => {
                            continue;
                        }
                        Some(_) if made.is_none() => {
                            script.edits = vec![added(&new, variant)];
                        }
                        _ => script.made_from = Some(place.item.origin.path().to_owned()),
                    }
                    script.text = new.into_bytes();
                    scripts.insert(path, script);
                } else if let Some(new) =
                    passages::repeated(text, &sibling.name, &variant.name, variants)
                {
                    script.edits.push(added(&new, variant));
                    script.text = new.into_bytes();
                    scripts.insert(path, script);
                }
            }
            siblings.push(variant.clone());
        }
    }
    scripts.into_values().collect()
}

/// What a summary says of a variant that is new in a script.
fn added(text: &str, variant: &Variant) -> Edit {
    let line = text.lines().position(|line| mentions(line, &variant.name));
    let line = line.map_or(1, |line| line + 1);
    Edit::new("variant".to_owned(), line, "", &variant.name)
}

/// What the script for another Windows is called, where one is named after its Windows: a runner runs the containers of its
/// own base.
fn named_after(name: &str, sibling: &Variant, added: &Variant) -> Option<String> {
    let (old, new) = (sibling.windows_year()?, added.windows_year()?);
    let renamed = renamed(name, sibling, added);
    (old != new && renamed != name).then_some(renamed)
}

/// A script that is for one Windows, made one for another: with the variants that have a counterpart there.
fn for_another_runner(
    text: &str,
    (sibling, added): (&Variant, &Variant),
    variants: &[Variant],
) -> Option<String> {
    let year = |variant: &Variant| variant.windows_year().map(|year| year.to_string());
    let mut out = text.to_owned();
    let mut stays: Vec<Variant> = variants.to_vec();
    let all = variants.iter();
    for variant in all.filter(|variant| mentions(text, &variant.name)) {
        let is_same = variant.base == sibling.base;
        let counterpart = variant.on(&added.base).filter(|_| is_same)?;
        if variants.contains(&counterpart) {
            out = replaced(&out, &variant.name, &counterpart.name);
        } else {
            stays.retain(|other| other != variant);
            out = passages::dropped(&out, &variant.name, &stays)?;
        }
    }
    Some(out.replace(&year(sibling)?, &year(added)?))
}
