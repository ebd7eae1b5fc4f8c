//! The file from which Docker builds official images (`library/<image>` in docker-library/official-images): is it right for
//! a tree, and what is to be written for it to be.
//!
//! Works on texts and trees in memory; git is `git`'s business, files are `commands`'.

mod add;
mod check;
mod entries;
mod expected;
mod format;
mod images;
mod levels;
mod manifest;
mod plan;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use semver::Version;

pub use self::check::{Seen, check};
pub use self::entries::{Home, homes};
pub use self::format::{DEFAULT_FETCH, misshapen};
pub use self::images::{Image, images};
pub use self::manifest::{Manifest, Paragraph};
pub use self::plan::{Change, Offer, Plan, Wanted, names};
pub use self::update::plan;
use crate::finding::Problem;
use crate::repository::Repository;
use crate::tag::{Endings, Tag};
use crate::version::{Variant, parse_version};

/// Where official-images keeps the file of an image.
pub const OFFICIAL_IMAGES: &str = "https://github.com/docker-library/official-images";

/// The file of an image where a clone of official-images stands beside the repository: none where it is not there.
pub fn beside(root: &Path, image: &str) -> Option<PathBuf> {
    let beside = Path::new("../official-images/library").join(image);
    let file = match root == Path::new(".") {
        true => beside,
        false => root.join(beside),
    };
    Some(file).filter(|file| file.is_file())
}

/// Takes a file apart, and says what in it is not of its grammar, without which nothing else of it is known.
pub fn parse(text: &str) -> (Manifest, Vec<Problem>) {
    Manifest::parse(text.to_owned())
}

/// The rules of the format that a file breaks.
pub fn broken_rules(manifest: &Manifest) -> Vec<Problem> {
    format::check(manifest)
}

/// The version at which a file offers each version directory of a tree. Of a tree with a directory for each version, the newest
/// one stands for what the file offers, whatever that is.
pub fn offered(text: &str, repository: &Repository) -> BTreeMap<String, Version> {
    let (manifest, _) = parse(text);
    let (images, pattern) = (images(repository), &repository.names.config.directory);
    let (images, place) = (images.as_slice(), "");
    let names = names(
        &manifest,
        &Offer {
            images,
            pattern,
            place,
        },
    );
    let newest = repository.trees.last().map(|tree| &tree.directory.name);
    let mut offered: BTreeMap<String, Version> = BTreeMap::new();
    for entry in manifest.entries() {
        let folder = entries::folder(&manifest, entry).unwrap_or_default();
        let directory = folder.split('/').next().map(str::to_owned);
        let directory = match pattern.has_series() {
            true => directory,
            false => newest.cloned(),
        };
        let tags = manifest.items(entry, "Tags");
        let version = tags.filter_map(|(_, tag)| parse_version(names.split(&tag).version));
        if let (Some(directory), Some(version)) = (directory, version.max())
            && offered.get(&directory).is_none_or(|known| *known < version)
        {
            offered.insert(directory, version);
        }
    }
    offered
}

/// What the tags of a file are split with.
pub struct Names {
    endings: Endings,
    suffixes: BTreeSet<String>,
}

impl Names {
    /// From the variants that there are or were, the versions that there are, and the tags of the file.
    fn new<'a>(
        variants: impl Iterator<Item = &'a Variant>,
        versions: impl Iterator<Item = &'a Version>,
        tags: impl Iterator<Item = &'a str>,
    ) -> Self {
        let suffixes = versions
            .map(|version| version.pre.to_string())
            .filter(|suffix| !suffix.is_empty())
            .collect();
        let mut names = Self {
            endings: Endings::new(variants).and("linux"),
            suffixes,
        };
        let seen: BTreeSet<String> = tags
            .filter_map(|tag| {
                let Tag { version, name, .. } = names.split(tag);
                let (_, suffix) = version.split_once('-').filter(|_| !name.is_empty())?;
                Some(suffix.to_owned())
            })
            .collect();
        names.suffixes.extend(seen);
        names
    }

    /// Splits a tag. What does not begin with a version is a name as a whole.
    pub fn split<'t>(&self, tag: &'t str) -> Tag<'t> {
        self.endings.split(tag, &self.suffixes)
    }
}
