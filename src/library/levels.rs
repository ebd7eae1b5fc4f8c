//! How much of its version a version directory's tags give: what the newest release alone has, and what a release has that
//! was a pre-release before.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::Names;
use super::entries::Home;
use super::images::Image;
use super::manifest::Manifest;
use crate::tag::{Level, is_preview};
use crate::version::parse_version;

/// The releases to which tags belong that are of one version directory at a time.
pub struct Owners<'a> {
    of_minor: BTreeMap<(u64, u64), &'a Image>,
}

impl<'a> Owners<'a> {
    /// Of the images that a file offers.
    pub fn new(offered: impl Iterator<Item = &'a Image>) -> Self {
        let mut of_minor: BTreeMap<(u64, u64), &Image> = BTreeMap::new();
        for image in offered.filter(|image| !is_preview(&image.version)) {
            let newest = of_minor.entry(image.series()).or_insert(image);
            if newest.version < image.version {
                *newest = image;
            }
        }
        Self { of_minor }
    }

    /// The release that has the tags of a level, for an image to have them or not. Full versions are everybody's own.
    fn of(&self, image: &Image, level: Level) -> Option<&'a Image> {
        let major = image.version.major;
        match level {
            Level::Full => None,
            Level::Minor => self.of_minor.get(&image.series()).copied(),
            Level::Major => self
                .of_minor
                .range((major, 0)..=(major, u64::MAX))
                .next_back()
                .map(|(_, image)| *image),
            Level::Bare => self.of_minor.values().next_back().copied(),
        }
    }

    /// The version of another directory, whose tags of that level are. What a pre-release has is not looked at here.
    pub fn other(&self, image: &Image, level: Level) -> Option<&'a Version> {
        let owner = self
            .of(image, level)
            .filter(|_| !is_preview(&image.version))?;
        (owner.directory != image.directory).then_some(&owner.version)
    }

    /// Whether an image may have tags of a level.
    pub fn allows(&self, image: &Image, level: Level) -> bool {
        match level {
            Level::Full => true,
            _ if is_preview(&image.version) => false,
            Level::Major if image.version.major == 0 => false,
            _ => self.other(image, level).is_none(),
        }
    }
}

/// Which levels the tags of a file have.
#[derive(Default)]
pub struct Held<'a> {
    /// By version directory of the tree.
    directories: BTreeMap<&'a str, BTreeSet<Level>>,
    /// The directories whose entries were at a pre-release.
    previews: BTreeSet<&'a str>,
    /// The levels that releases have in this file; all, where it offers none.
    releases: BTreeSet<Level>,
    /// The tags whose owner is another directory.
    misplaced: BTreeSet<String>,
}

impl<'a> Held<'a> {
    /// By a file whose entries are for those images.
    pub fn new(manifest: &Manifest, homes: &[Home<'a>], owners: &Owners, names: &Names) -> Self {
        let mut held = Self::default();
        for (entry, home) in manifest.entries().iter().zip(homes) {
            let (mut levels, mut was_preview) = (BTreeSet::new(), false);
            for (_, _, found) in manifest.tags(entry) {
                let tag = names.split(&found);
                levels.insert(tag.level);
                was_preview |=
                    parse_version(tag.version).is_some_and(|version| is_preview(&version));
                let is_misplaced = match home {
                    Home::Image(image) => owners.other(image, tag.level).is_some(),
                    Home::Gone => true,
                    Home::Unknown => false,
                };
                if tag.level >= Level::Major && is_misplaced {
                    held.misplaced.insert(found.into_owned());
                }
            }
            if !was_preview {
                held.releases.extend(levels.iter().copied());
            }
            if let Some(image) = home.image() {
                if was_preview {
                    held.previews.insert(&image.directory);
                }
                let own = held.directories.entry(&image.directory).or_default();
                own.extend(levels);
            }
        }
        if held.releases.is_empty() {
            held.releases.extend(Level::ALL);
        }
        held
    }

    /// The levels that each name of a new entry has: those of its version directory, of a new one those of the releases in
    /// the file, as far as they are its own to have.
    pub fn of_new(&self, image: &Image, owners: &Owners) -> BTreeSet<Level> {
        let held = self.directories.get(image.directory.as_str());
        let all = held.unwrap_or(&self.releases).iter().copied();
        let all = all.filter(|level| owners.allows(image, *level));
        all.chain([Level::Full]).collect()
    }

    /// Whether an entry is to have a tag at another level of a name that it has: where its directory is the newest release
    /// now, or a release at all.
    pub fn lacks(&self, image: &Image, level: Level, tag: &str, owners: &Owners) -> bool {
        let directory = image.directory.as_str();
        let is_due = match level {
            Level::Full => false,
            Level::Minor => self.previews.contains(directory),
            Level::Major | Level::Bare => true,
        };
        let held = self.directories.get(directory);
        let has_some = || held.is_some_and(|levels| levels.contains(&level));
        let has_none = || self.releases.contains(&level) && !has_some();
        is_due && owners.allows(image, level) && (has_none() || self.misplaced.contains(tag))
    }
}
