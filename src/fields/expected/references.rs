//! What references, and the names of variants by themselves, are expected to say.

use std::collections::BTreeSet;

use super::{Expected, Scope};
use crate::fields::spans::{has, is_setting, last_word, line_before};
use crate::fields::{Field, Kind, Made, Named};
use crate::repository::{Directory, Document};
use crate::text::{first_of, is_like};
use crate::version::{Variant, is_arch, parse_version};

impl<'a> Scope<'a> {
    /// An image that is copied from is one variant's, and not the file's own. A tag without a variant names none, unless the
    /// image is the owner's own: `nats-io/nats:2.14.5`.
    pub(super) fn copied(&self, field: &Field, document: &Document, said: Expected) -> Expected {
        let line = line_before(&document.text, field.span.start);
        let image = line.rsplit(u8::is_ascii_whitespace).next();
        let copied = image.and_then(|image| image.strip_prefix(b"--from="));
        // A label that gives the file's own image copies nothing.
        let is_label = copied.is_none() && !is_setting(line) && line.contains(&b'=');
        let Some(own) = self.variant.filter(|_| self.builds && !is_label) else {
            return said;
        };
        let owner = format!("{}/", self.names.config.owner);
        let is_bare = self.split(&document.found(field)).name.is_empty();
        let is_none = copied.is_some_and(|image| is_bare && !image.starts_with(owner.as_bytes()));
        match &said {
            _ if is_none => Expected::Impossible(
                "expected a tag with a variant behind the version, to copy from".to_owned(),
            ),
            Expected::Exactly(new) if self.split(new).name == own.name => {
                Expected::Impossible(format!("{own} copies from itself"))
            }
            _ => said,
        }
    }

    /// Whether a tag gives the version that its directory is at, and one of the variants there.
    pub fn is_own_tag(&self, found: &str) -> bool {
        let tag = self.split(found);
        let given = parse_version(tag.version);
        let directory = self.directory_for(tag.version);
        directory.is_some_and(|one| Some(&one.version) == given.as_ref() && one.has(tag.name))
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
        match self.resolve(tag.name, directory, false) {
            Ok(variant) => Expected::Exactly(format!("{}-{variant}", directory.version)),
            Err(why) => Expected::Impossible(why),
        }
    }

    /// A variant without a version: of the file's own directory; at the root of the one that is named beside it, or of any.
    pub(super) fn variant(
        &self,
        found: &str,
        directory: Option<&str>,
        is_source: bool,
    ) -> Expected {
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
                // Where there is one version at a time, scripts and workflows are for the newest.
                let holder = holder.filter(|_| self.names.config.directory.has_series());
                match self.named.or(holder).or(self.directories.newest()) {
                    Some(directory) => directory,
                    None => return Expected::Anything,
                }
            }
        };
        match self.resolve(found, directory, is_source) {
            Ok(variant) => Expected::Exactly(variant),
            Err(why) => Expected::Impossible(why),
        }
    }

    fn renamed(&self, directory: &Directory, name: &str) -> Option<&'a str> {
        // A name means the variant that had it before, even where another one has come to it.
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

    /// Whether what a field names is there; for an item of a matrix, whether anything that is made of it is.
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
    pub fn item(&self, found: &str, made: &[Made]) -> Expected {
        let mut all = BTreeSet::new();
        for one in made {
            let name = one.name(found);
            let new = match self.named(one.names, &name, one.directory.as_deref()) {
                Expected::Impossible(why) => {
                    return Expected::Impossible(match name == found {
                        true => why,
                        false => format!("the matrix makes {name} from it: {why}"),
                    });
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
                "the matrix makes several names of it, which need {}: give each its own row",
                several.join(" and ")
            )),
        }
    }

    /// The name of a step moves with the variant that it is about, and is never wrong.
    pub(super) fn caption(&self, found: &str, family: &str, directory: Option<&str>) -> Expected {
        let named = self.named(Named::Variant, &format!("{family}{found}"), directory);
        match named {
            Expected::Exactly(new) => new
                .strip_prefix(family)
                .map_or(Expected::Anything, |new| Expected::Exactly(new.to_owned())),
            _ => Expected::Anything,
        }
    }

    /// The variant that a reference to `name` should name: of several of a family the one with the file's own base, else the one
    /// that is named, else the only one. In scripts a family without a base is an alias, which is left.
    fn resolve(
        &self,
        name: &str,
        directory: &Directory,
        is_source: bool,
    ) -> Result<String, String> {
        let name = self.renamed(directory, name).unwrap_or(name);
        let Some(wanted) = Variant::parse(name) else {
            return Err(format!("`{name}` cannot be the name of a variant"));
        };
        // In a command or a list no other variant takes the place of a removed one, but to copy from.
        let gone = self.change.gone.get(&directory.name);
        let may_stand_in = self.variant.is_some() || is_source;
        if !may_stand_in && gone.is_some_and(|gone| gone.contains(name)) {
            return Err(format!("{name} is removed from {}", directory.name));
        }
        let all = directory.variants.iter();
        let family: Vec<&Variant> = all.filter(|one| one.family == wanted.family).collect();
        // An alias: `alpine`, or the `alpine3` of `alpine3.22`.
        let is_alias = |one: &&Variant| {
            let rest = one.base.strip_prefix(&wanted.base);
            wanted.base.is_empty() || rest.is_some_and(|rest| rest.starts_with('.'))
        };
        // Another one: `linux`, `latest`, `amd64`; not a word that may be a typo for a family.
        let may_be = |family: &str| is_like(family, name) || family == wanted.family;
        let is_other =
            is_arch(name) || wanted.base.is_empty() && !self.names.endings.families().any(may_be);
        if self.variant.is_none() && (is_other || family.iter().any(is_alias)) {
            return Ok(name.to_owned());
        }
        let own_base = self.variant.map(Variant::base_tag);
        let own_base = own_base.filter(|base| !base.is_empty());
        // A container of Windows runs on its own base alone.
        let bound =
            own_base.filter(|_| self.builds && self.variant.is_some_and(Variant::is_windows));
        // A script that is called after a Windows is for no other.
        let is_of_script = self.year.is_some() && wanted.windows_year() == self.year;
        let is_named = |one: &&&Variant| one.name == name;
        let is_only = family.len() == 1;
        let on_own = || family.iter().filter(|one| Some(one.base_tag()) == own_base);
        let free = || {
            family
                .iter()
                .filter(|one| bound.is_none() || is_only && one.name == name)
        };
        let found = on_own().find(is_named).or_else(|| on_own().next());
        let found = found.or_else(|| free().find(is_named));
        let found = found.or_else(|| free().next().filter(|_| is_only && !is_of_script));
        let Some(found) = found else {
            let what = match bound {
                Some(base) => format!("{} on {base}", wanted.family),
                None => format!("variant {name}"),
            };
            let all = Vec::from_iter(&directory.variants);
            let names = if family.is_empty() { &all } else { &family };
            let names: Vec<&str> = names.iter().map(|one| one.name.as_str()).collect();
            let has = if names.is_empty() {
                "none".to_owned()
            } else {
                first_of(&names, 10)
            };
            let directory = &directory.name;
            return Err(format!("no {what} in {directory}, which has {has}"));
        };
        match self.variant {
            Some(own) if own.is_windows() != found.is_windows() => {
                let system = |one: &Variant| if one.is_windows() { "Windows" } else { "Linux" };
                let (host, guest) = (system(own), system(found));
                Err(format!("{found} is for {guest}, and {own} for {host}"))
            }
            _ => Ok(found.name.clone()),
        }
    }
}

/// Whether a variant is that of the image which a build is to copy from: `BASE_IMAGE=nats:2.14.5-alpine3.22`.
pub(super) fn is_source(document: &Document, field: &Field) -> bool {
    let line = line_before(&document.text, field.span.start);
    let name = memchr::memrchr(b'=', line).map(|at| last_word(&line[..at]));
    name.is_some_and(|name| has(name, b"BASE"))
}
