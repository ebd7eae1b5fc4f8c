//! Which image of the tree each entry is for, also where a version or a base has moved since the file was written.

use std::collections::{BTreeMap, BTreeSet};

use super::images::Image;
use super::manifest::{Manifest, Paragraph};
use crate::repository::config::Pattern;
use crate::tag::is_preview;
use crate::version::{Variant, parse_version};

/// What became of the image that an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home<'a> {
    /// It is this one.
    Image(&'a Image),
    /// It is not in the tree any more.
    Gone,
    /// Its folder is not called like a variant of a version: nothing is known of it.
    Unknown,
}

impl<'a> Home<'a> {
    /// The image, where there is one.
    pub fn image(&self) -> Option<&'a Image> {
        match self {
            Self::Image(image) => Some(image),
            _ => None,
        }
    }
}

/// The images of a tree that no entry is for.
pub fn without_entry<'i>(images: &'i [Image], homes: &[Home]) -> Vec<&'i Image> {
    let offered = homes.iter().filter_map(Home::image).map(Image::path);
    let offered: BTreeSet<String> = offered.collect();
    let images = images.iter();
    images
        .filter(|image| !offered.contains(&image.path()))
        .collect()
}

/// The folder of an entry, split into version directory and variant.
pub(super) type Folder = (String, Variant);

/// What an entry's `Directory` says, without empty parts and `.`.
pub fn folder(manifest: &Manifest, entry: &Paragraph) -> Option<String> {
    manifest.value(entry, "Directory").map(|said| plain(&said))
}

/// A path without empty parts and `.`.
pub fn plain(path: &str) -> String {
    let is_part = |part: &&str| !part.is_empty() && *part != ".";
    let parts: Vec<&str> = path.split('/').filter(is_part).collect();
    parts.join("/")
}

/// The folder of an entry, where it is called like that of a variant.
pub(super) fn split(manifest: &Manifest, entry: &Paragraph, pattern: &Pattern) -> Option<Folder> {
    let path = folder(manifest, entry)?;
    let (directory, variant) = path.split_once('/')?;
    series(directory, pattern)?;
    Some((directory.to_owned(), Variant::parse(variant)?))
}

/// Major and minor of a version directory, of this tree's pattern or of another that it may have had: `2.14.5`, `2.14.x`.
fn series(directory: &str, pattern: &Pattern) -> Option<(u64, u64)> {
    let own = pattern.matches(directory);
    let own = own.or_else(|| Pattern::series().matches(directory));
    let version = own.or_else(|| parse_version(directory))?;
    Some((version.major, version.minor))
}

/// The variants that the entries have.
pub fn variants<'a>(
    manifest: &'a Manifest,
    pattern: &'a Pattern,
) -> impl Iterator<Item = Variant> + 'a {
    let entries = manifest.entries().iter();
    entries.filter_map(|entry| Some(split(manifest, entry, pattern)?.1))
}

/// The image that each entry is for.
///
/// `follow` lets a file that offers one version go on to the newest release in the tree, although the old one is still there.
pub fn homes<'a>(
    manifest: &Manifest,
    images: &'a [Image],
    pattern: &Pattern,
    follow: bool,
) -> Vec<Home<'a>> {
    let entries = manifest.entries().iter();
    let folders = entries.map(|entry| split(manifest, entry, pattern));
    let folders: Vec<Option<Folder>> = folders.collect();
    let mut offered: BTreeMap<&str, BTreeSet<&Variant>> = BTreeMap::new();
    for (directory, variant) in folders.iter().flatten() {
        offered.entry(directory).or_default().insert(variant);
    }
    let moved = directories(&offered.keys().copied().collect(), images, pattern, follow);
    let targets = offered.iter().filter_map(|(directory, variants)| {
        let successors = successors(variants, images, moved.get(directory)?);
        Some((*directory, successors))
    });
    let targets: BTreeMap<&str, BTreeMap<&Variant, &Image>> = targets.collect();
    let home = |folder: &Option<Folder>| match folder {
        None => Home::Unknown,
        Some((directory, variant)) => {
            let images = targets.get(directory.as_str());
            let image = images.and_then(|images| images.get(variant));
            image.map_or(Home::Gone, |image| Home::Image(image))
        }
    };
    folders.iter().map(home).collect()
}

/// The directory of the tree for each one of the file: the same, or another of its series, or the tree's only one for the file's
/// only one.
fn directories<'a, 'b>(
    offered: &BTreeSet<&'b str>,
    images: &'a [Image],
    pattern: &Pattern,
    follow: bool,
) -> BTreeMap<&'b str, &'a str> {
    let there = images.iter().map(|image| (image.directory.as_str(), image));
    let there: BTreeMap<&str, &'a Image> = there.collect();
    // The newest that is a release, else the newest.
    let newest = |among: &dyn Fn(&Image) -> bool| {
        let found = there.values().filter(|image| among(image));
        let newest = found.max_by_key(|image| (!is_preview(&image.version), &image.version));
        newest.map(|image| image.directory.as_str())
    };
    let follows = follow && !pattern.has_series();
    let mut moved: BTreeMap<&str, &str> = BTreeMap::new();
    for name in offered {
        let here = there.get(name).map(|image| image.directory.as_str());
        let of_series = || newest(&|image| Some(image.series()) == series(name, pattern));
        let found = match follows && offered.len() == 1 {
            true => newest(&|_| true),
            false => here.or_else(of_series),
        };
        moved.extend(found.map(|found| (*name, found)));
    }
    // The file's only directory is gone: it has become the tree's only one.
    if let ([gone], [there], true) = (
        Vec::from_iter(offered).as_slice(),
        Vec::from_iter(there.values()).as_slice(),
        moved.is_empty(),
    ) {
        moved.insert(gone, &there.directory);
    }
    moved
}

/// What each variant has become in a version directory: itself, or the one new variant of its family where it alone is gone.
pub fn successors<'a, 'b>(
    offered: &BTreeSet<&'b Variant>,
    images: &'a [Image],
    directory: &str,
) -> BTreeMap<&'b Variant, &'a Image> {
    let there = images.iter().filter(|image| image.directory == directory);
    let there: Vec<&Image> = there.collect();
    let same = |variant: &Variant| there.iter().copied().find(|one| one.variant == *variant);
    let mut gone: BTreeMap<&str, usize> = BTreeMap::new();
    offered
        .iter()
        .filter(|variant| same(variant).is_none())
        .for_each(|variant| *gone.entry(&variant.family).or_default() += 1);
    let successor = |variant: &Variant| {
        let is_new = |image: &&Image| {
            image.variant.family == variant.family && !offered.contains(&image.variant)
        };
        let new: Vec<&Image> = there.iter().copied().filter(is_new).collect();
        match new.as_slice() {
            [only] if gone.get(variant.family.as_str()) == Some(&1) => Some(*only),
            _ => None,
        }
    };
    offered
        .iter()
        .filter_map(|variant| Some((*variant, same(variant).or_else(|| successor(variant))?)))
        .collect()
}
