//! What a tree offers: an image for each variant, with what it copies from.

use std::collections::BTreeSet;

use semver::Version;

use crate::check::copies;
use crate::repository::{Names, Repository, Tree};
use crate::version::Variant;

/// A variant of a version directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The version directory.
    pub directory: String,
    /// The variant.
    pub variant: Variant,
    /// The version that the directory is at.
    pub version: Version,
    /// The variants that it copies from, by name.
    pub copies: BTreeSet<String>,
    /// On Windows: the hosts that it needs, and that what it copies from needs.
    pub constraints: Vec<String>,
}

impl Image {
    /// The folder: `0.25.6/alpine3.18`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.directory, self.variant)
    }

    /// The series that its version belongs to: major and minor.
    pub fn series(&self) -> (u64, u64) {
        (self.version.major, self.version.minor)
    }

    /// Where it stands in the order in which images are built: Linux first, and what is copied from before what copies.
    pub(super) fn order(&self) -> (bool, bool) {
        (self.variant.is_windows(), !self.copies.is_empty())
    }
}

/// The images of a repository, the newest version directory last, in each the order in which they are built.
pub fn images(repository: &Repository) -> Vec<Image> {
    let (names, trees) = (&repository.names, repository.trees.iter());
    trees.flat_map(|tree| of_tree(names, tree)).collect()
}

fn of_tree(names: &Names, tree: &Tree) -> Vec<Image> {
    let copies = copies(names, tree);
    let image = |variant: &Variant| {
        let name = variant.name.as_str();
        let copies = copies.get(name).cloned().unwrap_or_default();
        let is_host = |name: &&str| Variant::parse(name).is_some_and(|host| host.is_windows());
        let hosts = [name].into_iter().chain(copies.iter().copied());
        let hosts = hosts.filter(|name| variant.is_windows() && is_host(name));
        Image {
            directory: tree.directory.name.clone(),
            variant: variant.clone(),
            version: tree.directory.version.clone(),
            constraints: hosts.map(str::to_owned).collect(),
            copies: copies.iter().map(|name| (*name).to_owned()).collect(),
        }
    };
    let mut images: Vec<Image> = tree.directory.variants.iter().map(image).collect();
    images.sort_by_key(Image::order);
    images
}
