//! The levels of a version directory's tags (`2.14.5`, `2.14`, `2`, none): which only the newest release has, and which a
//! pre-release gets once it is a release.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::entries::Home;
use super::images::Image;
use super::manifest::Manifest;
use crate::tag::{Endings, Level, is_preview};
use crate::version::parse_version;

/// The releases that own the tags which only one version directory can have at a time.
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

    /// The version of the other directory that owns the tags of a level, if one does; a full version is every directory's own.
    /// Pre-releases are not looked at.
    pub fn other(&self, image: &Image, level: Level) -> Option<&'a Version> {
        let (major, series) = (image.version.major, image.series());
        let (from, to) = match level {
            _ if is_preview(&image.version) => return None,
            Level::Full => return None,
            Level::Minor => (series, series),
            Level::Major => ((major, 0), (major, u64::MAX)),
            Level::Bare => ((0, 0), (u64::MAX, u64::MAX)),
        };
        let (_, owner) = self.of_minor.range(from..=to).next_back()?;
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
    /// In all of the file.
    all: BTreeSet<Level>,
    /// The tags whose owner is another directory.
    misplaced: BTreeSet<String>,
}

impl<'a> Held<'a> {
    /// By a file whose entries are for those images.
    pub fn new(manifest: &Manifest, homes: &[Home<'a>], owners: &Owners, names: &Endings) -> Self {
        let (mut held, mut has_release) = (Self::default(), false);
        for (entry, home) in manifest.entries().iter().zip(homes) {
            let mut levels = BTreeSet::new();
            for (_, _, found) in manifest.tags(entry) {
                let tag = names.split(&found);
                let level = tag.level;
                let is_preview = parse_version(tag.version).is_some_and(|one| is_preview(&one));
                has_release |= !is_preview;
                levels.insert(level);
                let is_misplaced = match home {
                    Home::Image(image) => owners.other(image, level).is_some(),
                    Home::Gone => true,
                    Home::Unknown => false,
                };
                if level >= Level::Major && is_misplaced {
                    held.misplaced.insert(found.into_owned());
                }
            }
            held.all.extend(levels.iter().copied());
            if let Some(image) = home.image() {
                let own = held.directories.entry(&image.directory).or_default();
                own.extend(levels);
            }
        }
        // Nothing but pre-releases: a release will have all.
        if !has_release {
            held.all = Level::ALL.into();
        }
        held
    }

    /// The levels that the tags of a version directory have.
    pub fn of(&self, image: &Image) -> impl Iterator<Item = Level> {
        let own = self.directories.get(image.directory.as_str());
        own.into_iter().flatten().copied()
    }

    /// The levels that each name of a new entry has: those of its version directory, of a new one those of the file, as far as
    /// they are its own to have.
    pub fn of_new(&self, image: &Image, owners: &Owners) -> BTreeSet<Level> {
        let held = self.directories.get(image.directory.as_str());
        let all = held.unwrap_or(&self.all).iter().copied();
        let all = all.filter(|level| owners.allows(image, *level));
        all.chain([Level::Full]).collect()
    }

    /// Whether an entry is to get a tag of a level for a name that it has: where its directory is the newest release now, or a
    /// release at all.
    pub fn lacks(&self, image: &Image, level: Level, tag: &str, owners: &Owners) -> bool {
        let held = self.directories.get(image.directory.as_str());
        let has_some = held.is_some_and(|levels| levels.contains(&level));
        let is_due = self.all.contains(&level) && !has_some || self.misplaced.contains(tag);
        level != Level::Full && owners.allows(image, level) && is_due
    }
}
