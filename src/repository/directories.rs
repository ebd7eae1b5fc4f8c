//! Version directories by themselves: what each is called, the version that it is at, its variants and scripts.

use std::collections::BTreeMap;

use semver::Version;

use crate::version::Variant;

/// What a version directory is called, and what is in it, without its files. In the order of versions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Directory {
    /// The version that it is at.
    pub version: Version,
    /// Its name: `0.25.6`, `2.14.x`.
    pub name: String,
    /// Its variants, by name.
    pub variants: Vec<Variant>,
    /// The names of the scripts in its `tests`.
    pub scripts: Vec<String>,
}

impl Directory {
    /// One with nothing in it yet.
    pub fn new(name: &str, version: Version) -> Self {
        let (name, variants, scripts) = (name.to_owned(), Vec::new(), Vec::new());
        Self {
            version,
            name,
            variants,
            scripts,
        }
    }

    /// The variant whose name a text is, or ends in: `0.25.6-alpine3.18` names `alpine3.18`.
    pub fn named(&self, text: &str) -> Option<&Variant> {
        let is_end = |name: &str| {
            text.strip_suffix(name)
                .is_some_and(|before| before.is_empty() || before.ends_with('-'))
        };
        let named = self.variants.iter().filter(|variant| is_end(&variant.name));
        named.max_by_key(|variant| variant.name.len())
    }

    /// Whether it has a variant of that name.
    pub fn has(&self, name: &str) -> bool {
        self.variants.iter().any(|variant| variant.name == name)
    }
}

/// The version directories of a repository, without their files, the newest last.
#[derive(Debug, Clone, Default)]
pub struct Directories {
    all: Vec<Directory>,
    places: BTreeMap<String, usize>,
    /// The newest place that has a variant of each name.
    holders: BTreeMap<String, usize>,
    /// The names of the scripts in `tests` at the root.
    pub scripts: Vec<String>,
}

impl Directories {
    /// In any order; `scripts` are the names of those at the root.
    pub fn new(mut all: Vec<Directory>, scripts: Vec<String>) -> Self {
        all.sort();
        let places = all.iter().enumerate();
        let places = places.map(|(at, one)| (one.name.clone(), at)).collect();
        let mut holders = BTreeMap::new();
        for (place, directory) in all.iter().enumerate() {
            let names = directory.variants.iter().map(|variant| &variant.name);
            holders.extend(names.map(|name| (name.clone(), place)));
        }
        Self {
            all,
            places,
            holders,
            scripts,
        }
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<&Directory> {
        self.places.get(name).map(|place| &self.all[*place])
    }

    /// The newest one with a variant of that name.
    pub fn holder(&self, variant: &str) -> Option<&Directory> {
        self.holders.get(variant).map(|place| &self.all[*place])
    }

    /// The one at the highest version; one without variants only where no other has any.
    pub fn newest(&self) -> Option<&Directory> {
        let has_variants = |directory: &&Directory| !directory.variants.is_empty();
        self.all.iter().rfind(has_variants).or(self.all.last())
    }

    /// All of them, the newest last.
    pub fn iter(&self) -> std::slice::Iter<'_, Directory> {
        self.all.iter()
    }
}
