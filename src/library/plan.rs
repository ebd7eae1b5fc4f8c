//! What an update of a library file is told, and what it will do.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde::Serialize;

use super::Names;
use super::entries::{Home, homes, variants};
use super::expected::{Context, Edit, Expectation};
use super::images::Image;
use super::manifest::Manifest;
use crate::finding::Problem;
use crate::repository::config::Pattern;

/// What an update of a library file is told.
pub struct Wanted<'a> {
    /// What `GitCommit` is to say.
    pub commit: String,
    /// What `GitFetch` is to say, where it is to say something else.
    pub fetch: Option<String>,
    /// Version directories, or folders of variants, to offer too.
    pub adds: Vec<String>,
    /// Whether a folder is the same at an older commit as at the one that is wanted, as far as anybody knows.
    pub is_same: &'a dyn Fn(&str, &str) -> bool,
}

/// What the tree says to a library file.
pub struct Offer<'a> {
    /// Its images.
    pub images: &'a [Image],
    /// How its version directories are named.
    pub pattern: &'a Pattern,
    /// Where it was looked at, for people.
    pub place: &'a str,
}

/// What an update of a library file will do.
#[derive(Debug, Default)]
pub struct Plan {
    /// The new text.
    pub text: String,
    /// The versions that entries come to.
    pub versions: BTreeSet<Version>,
    /// What changes, by paragraph: its folder, nothing for the first one, and its parts.
    pub changes: Vec<(String, Vec<Change>)>,
    /// The folders of the entries that are removed.
    pub removed: Vec<String>,
    /// The folders of the entries that are new.
    pub added: Vec<String>,
    /// What the tree has and the file does not offer.
    pub not_offered: Vec<String>,
    /// What is left that is not as expected.
    pub remaining: Vec<Problem>,
    /// What is done, and somebody should know.
    pub warnings: Vec<String>,
}

impl Plan {
    /// The versions that entries come to, the newest one first, in a sentence.
    pub fn newest_first(&self) -> String {
        let versions = self.versions.iter().rev().map(ToString::to_string);
        Vec::from_iter(versions).join(", ")
    }
}

/// A part of a field that says something else after an update; empty where it was or will not be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The field's name.
    pub field: String,
    /// What it said.
    pub found: String,
    /// What it will say.
    pub expected: String,
}

/// The names that tags can end in, for a file and a tree. A family that the tree has no longer goes with its entries.
pub fn names(manifest: &Manifest, offer: &Offer) -> Names {
    let own = offer.images.iter().map(|image| &image.variant.family);
    let own: BTreeSet<&String> = own.collect();
    let old = variants(manifest, offer.pattern);
    let old: Vec<_> = old.filter(|old| own.contains(&old.family)).collect();
    let entries = manifest.entries().iter();
    let tags = entries.flat_map(|entry| manifest.tags(entry));
    let tags: Vec<_> = tags.map(|(_, _, tag)| tag).collect();
    Names::new(
        offer.images.iter().map(|image| &image.variant).chain(&old),
        offer.images.iter().map(|image| &image.version),
        tags.iter().map(|tag| &**tag),
    )
}

/// A file, what its entries are for, and what is wanted of it.
pub(super) struct Draft<'a> {
    pub(super) manifest: Manifest,
    pub(super) homes: Vec<Home<'a>>,
    pub(super) context: Context<'a>,
    pub(super) offer: &'a Offer<'a>,
    pub(super) wanted: &'a Wanted<'a>,
}

impl<'a> Draft<'a> {
    /// Of a text; `follow` is for `homes`, and `new` will be offered too.
    pub(super) fn new(
        text: &str,
        (offer, wanted): (&'a Offer<'a>, &'a Wanted<'a>),
        follow: bool,
        new: Option<&'a Image>,
    ) -> Self {
        let (manifest, _) = Manifest::parse(text.to_owned());
        let homes = homes(&manifest, offer.images, offer.pattern, follow);
        let context = Context::new(&manifest, names(&manifest, offer), &homes, new);
        Self {
            manifest,
            homes,
            context,
            offer,
            wanted,
        }
    }
}

/// Changes by paragraph, the first change of each deciding where it stands.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) all: Vec<(String, Vec<Change>)>,
    places: BTreeMap<String, usize>,
}

impl Changes {
    /// Takes up what changes in a paragraph, and adds the edits with which it does.
    pub(super) fn take(
        &mut self,
        manifest: &Manifest,
        fields: &[Expectation],
        title: &str,
        edits: &mut Vec<Edit>,
    ) {
        for field in fields.iter().filter(|field| !field.is_right()) {
            edits.extend(field.edits(manifest));
            for part in field.parts.iter().filter(|part| !part.is_right()) {
                let place = *self.places.entry(title.to_owned()).or_insert_with(|| {
                    self.all.push((title.to_owned(), Vec::new()));
                    self.all.len() - 1
                });
                self.all[place].1.push(Change {
                    field: field.name.clone(),
                    found: part.found.clone(),
                    expected: part.expected.clone().unwrap_or_default(),
                });
            }
        }
    }
}
