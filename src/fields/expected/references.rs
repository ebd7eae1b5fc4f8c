//! What references, and the names of variants by themselves, are expected to say.

use std::collections::BTreeSet;

use super::{Expected, Scope};
use crate::fields::spans::{is_setting, line_before};
use crate::fields::{Field, Kind, Made, Named};
use crate::repository::{Directory, Document};
use crate::text::first_of;
use crate::version::{Variant, parse_version};

impl<'a> Scope<'a> {
    /// What is copied from is one image, and another one: a tag without a variant names none.
    pub(super) fn copied(&self, field: &Field, document: &Document, said: Expected) -> Expected {
        let line = line_before(&document.text, field.span.start);
        let last_word = line.rsplit(u8::is_ascii_whitespace).next();
        let copied = last_word.and_then(|word| word.strip_prefix(b"--from="));
        let owned = copied.and_then(|image| image.strip_prefix(self.names.config.owner.as_bytes()));
        let is_owners = owned.is_some_and(|image| image.starts_with(b"/"));
        let is_copy = copied.is_some();
        let is_label = !is_copy && !is_setting(line) && line.contains(&b'=');
        let name = |tag: &'_ str| match field.kind {
            Kind::TagVariant => tag.to_owned(),
            _ => self.split(tag).name.to_owned(),
        };
        match (&said, self.variant.filter(|_| self.builds)) {
            // In the owner's own place a tag without a variant may be anything.
            (_, Some(_)) if is_copy && !is_owners && name(&document.found(field)).is_empty() => {
                Expected::Impossible("names no variant to copy from".to_owned())
            }
            (Expected::Exactly(new), Some(own)) if !is_label && name(new) == own.name => {
                Expected::Impossible(format!("{own} copies from itself"))
            }
            _ => said,
        }
    }

    /// The version directory that a path names: where there is one at a time, the newest, whatever it was called before.
    fn spoken_of(&self, name: &str) -> Option<&'a Directory> {
        let has_series = self.names.config.directory.has_series();
        let newest = || self.directories.newest().filter(|_| !has_series);
        self.directories.get(name).or_else(newest)
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
        let named = directory.map(|name| self.spoken_of(name));
        let directory = match (self.own, named) {
            (Some(own), _) => own,
            (None, Some(Some(directory))) => directory,
            // That the directory is not there is a finding of its own.
            (None, Some(None)) => return Expected::Anything,
            (None, None) => {
                let mut renames = self.change.renames.iter();
                let moving = renames.find(|(_, renames)| renames.contains_key(found));
                let moved = moving.and_then(|(name, _)| self.directories.get(name));
                let holder = self.directories.holder(found).or(moved);
                match self.named.or(holder).or(self.directories.newest()) {
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

    /// A name of what must be there: in the version directory that is named, else in one of them, or at the root.
    pub(super) fn named(&self, kind: Named, name: &str, directory: Option<&str>) -> Expected {
        let named = directory.map(|name| self.spoken_of(name));
        let own = self.own.or(named.flatten());
        if own.is_none() && named.is_some() {
            // That the directory is not there is a finding of its own.
            return Expected::Anything;
        }
        let is_it = |directory: &&Directory| own.is_none_or(|own| own.name == directory.name);
        let all = self.directories.iter().chain(self.own);
        let meant: Vec<&Directory> = all.filter(is_it).collect();
        let renames = match kind {
            Named::Variant => &self.change.renames,
            _ => &self.change.scripts,
        };
        let of_root = |names: &[String]| {
            kind == Named::Script
                && own.is_none_or(|own| own.scripts.is_empty())
                && names.iter().any(|other| other == name)
        };
        let is_there = |directory: &&Directory| match kind {
            Named::Directory => directory.name == name,
            Named::Variant => directory.has(name),
            Named::Script => directory.scripts.iter().any(|script| script == name),
        };
        let names = meant.iter().map(|directory| directory.name.as_str());
        let mut names = names.chain([""]);
        let renamed = names.find_map(|directory| renames.get(directory)?.get(name));
        let stays = own.is_none() && meant.iter().any(is_there);
        match renamed {
            Some(new) if !stays => Expected::Exactly(new.clone()),
            _ if meant.iter().any(is_there) || of_root(&self.directories.scripts) => {
                Expected::Anything
            }
            _ => Expected::Impossible(match (kind, own) {
                (Named::Directory, _) => format!("no version directory {name}"),
                (Named::Variant, Some(own)) => format!("no variant {name} in {}", own.name),
                (Named::Variant, None) => format!("no variant {name} in any version directory"),
                (Named::Script, Some(own)) if !own.scripts.is_empty() => {
                    format!("no script {name} in {}/tests", own.name)
                }
                (Named::Script, _) => format!("no script {name} in tests"),
            }),
        }
    }

    /// Whether what a field names is there under that very name. An item of a matrix is where anything that is made of it is.
    pub fn is_there(&self, field: &Field, document: &Document) -> bool {
        let found = document.found(field);
        let is_there = |kind, name: &str, directory: &Option<Box<str>>| {
            let expected = self.named(kind, name, directory.as_deref());
            !matches!(expected, Expected::Impossible(_))
        };
        match &field.kind {
            Kind::Variant { directory } => is_there(Named::Variant, &found, directory),
            Kind::Script { directory } => is_there(Named::Script, &found, directory),
            Kind::Item { made } => made.iter().any(|one| {
                let name = one.name(&found);
                is_there(one.names, &name, &one.directory)
            }),
            _ => true,
        }
    }

    /// An item of a matrix: each name that is made of it is there, and they all move alike.
    pub(super) fn item(&self, found: &str, made: &[Made]) -> Expected {
        let mut all = BTreeSet::new();
        for one in made {
            let name = one.name(found);
            let new = match self.named(one.names, &name, one.directory.as_deref()) {
                Expected::Impossible(why) => {
                    let is_there = |one: &&Made| {
                        let expected =
                            self.named(one.names, &one.name(found), one.directory.as_deref());
                        !matches!(expected, Expected::Impossible(_))
                    };
                    let there = made.iter().find(is_there).map(|one| one.name(found));
                    let there = there.filter(|there| *there != name);
                    let beside = there.map_or(String::new(), |name| format!(" beside {name}"));
                    return Expected::Impossible(format!(
                        "{why}, a name that the matrix makes{beside}"
                    ));
                }
                Expected::Exactly(new) => new,
                Expected::Anything => name,
            };
            let start = new.strip_prefix(&*one.before);
            let item = start.and_then(|rest| rest.strip_suffix(&*one.after));
            all.insert(item.map_or(new.clone(), str::to_owned));
        }
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        match all.as_slice() {
            [one] => Expected::Exactly((*one).to_owned()),
            several => Expected::Impossible(format!(
                "it would have to become {} at once: give each a row of its own in the matrix",
                several.join(" and ")
            )),
        }
    }

    /// The name of a step moves with the variant that it is about, and is otherwise nobody's concern.
    pub(super) fn caption(
        &self,
        found: &str,
        family: Option<&str>,
        directory: Option<&str>,
    ) -> Expected {
        let is_meant = |name: &str| directory.is_none_or(|directory| directory == name);
        let all = self.change.renames.iter();
        for (name, renames) in all.filter(|(name, _)| is_meant(name)) {
            let others = self.directories.iter();
            let others = others.filter(|other| other.name != *name && directory.is_none());
            for (old, new) in renames {
                let (Some(from), Some(to)) = (Variant::parse(old), Variant::parse(new)) else {
                    continue;
                };
                let is_it = family.map_or(found == old, |family| {
                    from.family == family && from.base == found
                });
                if is_it && !others.clone().any(|other| other.has(old)) {
                    return Expected::Exactly(if family.is_some() { to.base } else { to.name });
                }
            }
        }
        Expected::Anything
    }

    fn is_windows(&self) -> bool {
        self.variant.is_some_and(Variant::is_windows)
    }

    /// The variant that a reference to `name` is to be to: of several of a family the one with the file's own base, else
    /// the one that is named, else the only one. In scripts a family without base is an alias, which is left.
    fn resolve(&self, name: &str, directory: &Directory) -> Result<String, String> {
        let name = self.renamed(directory, name).unwrap_or(name);
        let Some(wanted) = Variant::parse(name) else {
            return Err(format!("`{name}` cannot be the name of a variant"));
        };
        let behind = name.rsplit('-').next().and_then(parse_version);
        if behind.is_some() && !directory.has(name) {
            return Err("expected the version in front of the variant".to_owned());
        }
        let family: Vec<&Variant> = directory
            .variants
            .iter()
            .filter(|variant| variant.family == wanted.family)
            .collect();
        // No other one takes its place in a command or a list.
        let gone = self.change.gone.get(&directory.name);
        if self.variant.is_none() && gone.is_some_and(|gone| gone.contains(name)) {
            return Err(format!("{name} is removed from {}", directory.name));
        }
        // An alias: the `alpine3` of `alpine3.22`.
        let is_start = |variant: &&Variant| {
            let rest = variant.base.strip_prefix(&wanted.base);
            !wanted.base.is_empty() && rest.is_some_and(|rest| rest.starts_with('.'))
        };
        if self.variant.is_none() && family.iter().any(is_start) {
            return Ok(name.to_owned());
        }
        let own_base = self.variant.map(Variant::base_tag);
        let own_base = own_base.filter(|base| !base.is_empty());
        let is_on_own = |variant: &&&Variant| Some(variant.base_tag()) == own_base;
        let is_named = |variant: &&&Variant| variant.name == name;
        let names = |variants: &[&Variant]| {
            let names: Vec<&str> = variants.iter().map(|variant| &*variant.name).collect();
            first_of(&names, 10)
        };
        let found = match family.as_slice() {
            [] => {
                let has = match Vec::from_iter(&directory.variants).as_slice() {
                    [] => "none at all".to_owned(),
                    all => names(all),
                };
                let directory = &directory.name;
                return Err(format!("no variant {name} in {directory}, which has {has}"));
            }
            _ if wanted.base.is_empty() && self.variant.is_none() => return Ok(name.to_owned()),
            // A container of Windows runs on its own base alone.
            [only]
                if self.is_windows()
                    && self.builds
                    && only.name != name
                    && own_base.is_some_and(|base| base != only.base_tag()) =>
            {
                let directory = &directory.name;
                return Err(format!(
                    "no variant {name} in {directory}, and {only} is on another base"
                ));
            }
            [only] => only,
            several => several
                .iter()
                .filter(is_on_own)
                .find(is_named)
                .or(several.iter().find(is_on_own))
                .or_else(|| {
                    let runs = !self.is_windows() || !self.builds;
                    several.iter().find(is_named).filter(|_| runs)
                })
                .ok_or_else(|| match own_base {
                    Some(base) if self.is_windows() => format!(
                        "no {} on {base} in {}, which has {}",
                        wanted.family,
                        directory.name,
                        names(several)
                    ),
                    _ => format!(
                        "no variant {name} in {}: choose one of {}",
                        directory.name,
                        names(several)
                    ),
                })?,
        };
        match self.variant {
            Some(own) if own.is_windows() != found.is_windows() => {
                Err(format!("{found} does not run on the system of {own}"))
            }
            _ => Ok(found.name.clone()),
        }
    }
}
