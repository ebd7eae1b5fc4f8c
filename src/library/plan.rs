//! What an update of a library file is told, and what it will do.

use std::collections::BTreeSet;

use semver::Version;
use serde::Serialize;

use super::entries::{Home, homes, variants};
use super::expected::{Context, Edit, Expectation, Part};
use super::images::{Image, images};
use super::manifest::{Manifest, Paragraph};
use crate::finding::Problem;
use crate::repository::Repository;
use crate::repository::config::Pattern;
use crate::tag::Endings;

/// What an update of a library file is told.
pub struct Wanted<'a> {
    /// What `GitCommit` is to say.
    pub commit: String,
    /// What `GitFetch` is to say, where it is to change.
    pub fetch: Option<String>,
    /// Version directories, or folders of variants, to offer too.
    pub adds: Vec<String>,
    /// Whether a folder is the same at an older commit as at the one that is wanted, as far as anybody knows.
    pub is_same: &'a dyn Fn(&str, &str) -> bool,
}

/// What a tree says to a library file.
pub struct View {
    /// Its images.
    pub images: Vec<Image>,
    /// How its version directories are named.
    pub pattern: Pattern,
}

impl View {
    /// That of a repository.
    pub fn of(repository: &Repository) -> Self {
        Self {
            images: images(repository),
            pattern: repository.names.config.directory.clone(),
        }
    }
}

/// What an update of a library file will do.
#[derive(Debug, Default)]
pub struct Plan {
    /// The new text.
    pub text: String,
    /// The versions that entries come to.
    pub versions: BTreeSet<Version>,
    /// What changes, in the order of the file.
    pub changes: Vec<Change>,
    /// The folders of the entries that are removed.
    pub removed: Vec<String>,
    /// The folders of the entries that are new.
    pub added: Vec<String>,
    /// What the tree has and the file does not offer.
    pub not_offered: Vec<String>,
    /// What is left that is not as expected.
    pub remaining: Vec<Problem>,
    /// What the user should know of what is done.
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
    /// The folder of the entry; empty for the first paragraph.
    pub entry: String,
    /// The field's name.
    pub field: String,
    /// What it said.
    pub found: String,
    /// What it will say.
    pub expected: String,
    /// Whether it was wrong before, and nobody asked for it.
    #[serde(skip)]
    pub is_fix: bool,
}

/// The names that tags can end in, for a file and a tree. Families that are no longer in the tree are left out.
pub fn names(manifest: &Manifest, view: &View) -> Endings {
    let images = &view.images;
    let own: BTreeSet<&String> = images.iter().map(|image| &image.variant.family).collect();
    let old = variants(manifest, &view.pattern);
    let old: Vec<_> = old.filter(|old| own.contains(&old.family)).collect();
    let variants = images.iter().map(|image| &image.variant).chain(&old);
    Endings::new(variants).and("linux")
}

/// A file, what its entries are for, and what is wanted of it.
pub(super) struct Draft<'a> {
    pub(super) manifest: Manifest,
    pub(super) homes: Vec<Home<'a>>,
    pub(super) context: Context<'a>,
    pub(super) view: &'a View,
    pub(super) wanted: &'a Wanted<'a>,
}

impl<'a> Draft<'a> {
    /// Of a text; `follow` is for `homes`, and `new` will be offered too.
    pub(super) fn new(
        text: &str,
        (view, wanted): (&'a View, &'a Wanted<'a>),
        follow: bool,
        new: Option<&'a Image>,
    ) -> Self {
        let (manifest, _) = Manifest::parse(text);
        let homes = homes(&manifest, &view.images, &view.pattern, follow);
        let context = Context::new(&manifest, names(&manifest, view), &homes, new);
        Self {
            manifest,
            homes,
            context,
            view,
            wanted,
        }
    }

    pub(super) fn entry(&self, index: usize) -> &Paragraph {
        &self.manifest.entries()[index]
    }
}

/// Whether a part of a field was wrong, or missing, before an update.
pub(super) type WasWrong<'a> = dyn Fn(&Expectation, &Part) -> bool + 'a;

/// What changes in the fields of a paragraph, of which parts were wrong before; adds the edits with which it does.
pub(super) fn changes(
    manifest: &Manifest,
    entry: &str,
    (fields, was_wrong): (&[Expectation], &WasWrong),
    edits: &mut Vec<Edit>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for field in fields.iter().filter(|field| !field.is_right()) {
        edits.extend(field.edits(manifest));
        let parts = field.parts.iter().filter(|part| !part.is_right());
        changes.extend(parts.map(|part| Change {
            entry: entry.to_owned(),
            field: field.name.clone(),
            found: part.found.clone(),
            expected: part.expected.clone().unwrap_or_default(),
            is_fix: was_wrong(field, part),
        }));
    }
    changes
}
