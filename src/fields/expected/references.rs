//! What references, and the names of variants by themselves, are expected to say.

use std::collections::BTreeMap;

use super::{Expected, Scope, list};
use crate::fields::Field;
use crate::repository::{Directory, Document};
use crate::version::Variant;

impl<'a> Scope<'a> {
    /// What is copied from is one image: a tag without a variant names none.
    pub(super) fn copied(&self, field: &Field, document: &Document) -> Option<Expected> {
        // The image's name stands between: a look back of no more than that keeps long lines cheap.
        let before = &document.text[field.span.start.saturating_sub(100)..field.span.start];
        let last_word = before
            .rsplit(u8::is_ascii_whitespace)
            .next()
            .unwrap_or_default();
        let names_none = self.split(&document.found(field)).name.is_empty();
        (self.builds && last_word.starts_with(b"--from=") && names_none)
            .then(|| Expected::Impossible("names no variant to copy from".to_owned()))
    }

    pub(super) fn tag(&self, found: &str) -> Expected {
        let tag = self.split(found);
        if tag.version.is_empty() && tag.name.is_empty() && self.variant.is_none() {
            // `latest`, in a script.
            return Expected::Anything;
        }
        let Some(directory) = self.directory_for(tag.version) else {
            return Expected::Anything;
        };
        if tag.name.is_empty() {
            return Expected::Exactly(directory.version.to_string());
        }
        match self.resolve(tag.name, directory) {
            Ok(variant) => Expected::Exactly(format!("{}-{variant}", directory.version)),
            Err(why) => Expected::Impossible(why),
        }
    }

    /// A variant without a version: of the file's own directory; at the root of the one that is named beside it, or of any.
    pub(super) fn variant(&self, found: &str, directory: Option<&str>) -> Expected {
        let named = directory.map(|name| self.directories.get(name));
        let directory = match (self.own, named) {
            (Some(own), _) => own,
            (None, Some(Some(directory))) => directory,
            // That the directory is not there is a finding of its own.
            (None, Some(None)) => return Expected::Anything,
            (None, None) => {
                let moving = |(_, renames): &(&String, &BTreeMap<String, String>)| {
                    renames.contains_key(found)
                };
                let moved = || {
                    self.directories
                        .get(self.change.renames.iter().find(moving)?.0)
                };
                match self
                    .directories
                    .holder(found)
                    .or_else(moved)
                    .or(self.directories.newest())
                {
                    Some(directory) => directory,
                    None => return Expected::Anything,
                }
            }
        };
        match self.resolve(found, directory) {
            Ok(variant) => Expected::Exactly(variant),
            Err(why) => Expected::Impossible(why),
        }
    }

    fn renamed(&self, directory: &Directory, name: &str) -> Option<&'a str> {
        // One that is there is meant, even where another one has come to its name.
        let renames = self.change.renames.get(&directory.name)?;
        renames.get(name).map(String::as_str)
    }

    /// The name of a step moves with the variant that it is about, and is otherwise nobody's concern.
    pub(super) fn caption(
        &self,
        found: &str,
        family: Option<&str>,
        directory: Option<&str>,
    ) -> Expected {
        let is_meant =
            |name: &&String| directory.is_none_or(|directory| directory == name.as_str());
        let stays = |directory: &Directory, name: &str| directory.has(name);
        for (name, renames) in self
            .change
            .renames
            .iter()
            .filter(|(name, _)| is_meant(name))
        {
            let others = self
                .directories
                .iter()
                .filter(|other| other.name != *name && directory.is_none());
            for (old, new) in renames {
                let (Some(from), Some(to)) = (Variant::parse(old), Variant::parse(new)) else {
                    continue;
                };
                let is_it = family.map_or(found == old, |family| {
                    from.family == family && from.base == found
                });
                if is_it && !others.clone().any(|other| stays(other, old)) {
                    return Expected::Exactly(if family.is_some() { to.base } else { to.name });
                }
            }
        }
        Expected::Anything
    }

    /// The variant that a reference to `name` is to be to: of several of a family the one with the file's own base, else
    /// the one that is named, else the only one. In scripts a family without base is an alias, which is left.
    fn resolve(&self, name: &str, directory: &Directory) -> Result<String, String> {
        let name = self.renamed(directory, name).unwrap_or(name);
        let Some(wanted) = Variant::parse(name) else {
            return Err(format!("`{name}` cannot be the name of a variant"));
        };
        let family: Vec<&Variant> = directory
            .variants
            .iter()
            .filter(|variant| variant.family == wanted.family)
            .collect();
        let own_base = self
            .variant
            .map(|variant| variant.base.as_str())
            .filter(|base| !base.is_empty());
        let names = |variants: &[&Variant]| {
            list(
                &variants
                    .iter()
                    .map(|variant| variant.name.as_str())
                    .collect::<Vec<_>>(),
            )
        };
        let found = match family.as_slice() {
            [] => {
                let all: Vec<&Variant> = directory.variants.iter().collect();
                let has = if all.is_empty() {
                    "none at all".to_owned()
                } else {
                    names(&all)
                };
                return Err(format!(
                    "no variant {name} in {}, which has {has}",
                    directory.name
                ));
            }
            _ if wanted.base.is_empty() && self.variant.is_none() => return Ok(name.to_owned()),
            [only] => only,
            several => several
                .iter()
                .find(|variant| Some(variant.base.as_str()) == own_base)
                .or_else(|| several.iter().find(|variant| variant.name == name))
                .ok_or_else(|| {
                    format!(
                        "no variant {name} in {}: choose one of {}",
                        directory.name,
                        names(several)
                    )
                })?,
        };
        match self.variant {
            Some(own) if own.is_windows() != found.is_windows() => {
                Err(format!("{found} does not run on the system of {own}"))
            }
            Some(own) if own == *found && self.builds => Err(format!("{own} copies from itself")),
            _ => Ok(found.name.clone()),
        }
    }
}
