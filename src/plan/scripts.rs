//! Scripts for a variant that is added: what stands there for its nearest sibling stands there for it too, right behind.
//!
//! A script that says it in a form which is not understood is left as it is, and `check` then says what is missing in it.

use super::edits::Edit;
use super::passages;
use super::units::{mentions, renamed, replaced};
use crate::version::Variant;

/// What a summary says of a variant that is new in a script.
pub(super) fn added(text: &str, variant: &Variant) -> Edit {
    let line = text.lines().position(|line| mentions(line, &variant.name));
    let line = line.map_or(1, |line| line + 1);
    Edit::new("variant".to_owned(), line, "", &variant.name)
}

/// The name of a script for another Windows, made of one that is named after its Windows: a runner runs only containers of its
/// own base.
pub(super) fn named_after(name: &str, sibling: &Variant, added: &Variant) -> Option<String> {
    let (old, new) = (sibling.windows_name()?, added.windows_name()?);
    let renamed = renamed(name, sibling, added);
    (old != new && renamed != name).then_some(renamed)
}

/// A script that is for one Windows, made one for another: with the variants that have a counterpart there.
pub(super) fn for_another_runner(
    text: &str,
    (sibling, added): (&Variant, &Variant),
    variants: &[Variant],
) -> Option<String> {
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
    Some(out.replace(&sibling.windows_name()?, &added.windows_name()?))
}
