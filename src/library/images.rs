//! What a tree offers: an image for each variant, with what its Dockerfile says that a library file must agree with.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use crate::check::{copies, no_change};
use crate::fields::Kind;
use crate::fields::expected::{Expected, Scope};
use crate::release::checksums::Sha256;
use crate::repository::{Directories, Names, Place, Repository, Tree, is_dockerfile};
use crate::version::{Variant, docker_arch};

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
    /// On Windows: the host that it needs, and those that what it copies from needs.
    pub constraints: Vec<String>,
    /// Docker's names of the architectures that it can be built for; empty where the Dockerfile does not tell.
    pub architectures: BTreeSet<&'static str>,
    /// The names of the Dockerfiles in its folder.
    pub files: BTreeSet<String>,
    /// The versions and references in its Dockerfile that are not what is expected, as `update check` says it.
    pub wrong: Vec<String>,
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
    let mut dockerfiles: BTreeMap<&str, Dockerfile> = BTreeMap::new();
    let places = Repository::documents_of(tree).filter(Place::is_dockerfile);
    for place in places.filter(Place::builds) {
        if let Some(variant) = place.variant() {
            dockerfiles.insert(&variant.name, Dockerfile::new(names, &place, variant));
        }
    }
    let image = |variant: &Variant| {
        let name = variant.name.as_str();
        let copies = copies.get(name).cloned().unwrap_or_default();
        let own = dockerfiles.get(name);
        let sources = || copies.iter().filter_map(|name| dockerfiles.get(name));
        let hosts = own.into_iter().chain(sources());
        let hosts = hosts.filter_map(|file| file.host.clone());
        let hosts = hosts.filter(|_| variant.is_windows());
        let mut architectures = own.map_or(BTreeSet::new(), |own| own.architectures.clone());
        if architectures.is_empty() {
            architectures.extend(sources().flat_map(|source| &source.architectures));
        }
        let folder = tree.folder(name);
        let files = folder.iter().flat_map(|folder| &folder.items);
        let files = files.filter(|item| is_dockerfile(&item.name));
        Image {
            directory: tree.directory.name.clone(),
            variant: variant.clone(),
            version: tree.directory.version.clone(),
            constraints: hosts.collect(),
            architectures,
            files: files.map(|item| item.name.clone()).collect(),
            wrong: own.map(|own| own.wrong.clone()).unwrap_or_default(),
            copies: copies.into_iter().map(str::to_owned).collect(),
        }
    };
    let mut images: Vec<Image> = tree.directory.variants.iter().map(image).collect();
    images.sort_by_key(Image::order);
    images
}

/// What one Dockerfile says.
#[derive(Default)]
struct Dockerfile {
    wrong: Vec<String>,
    architectures: BTreeSet<&'static str>,
    host: Option<String>,
}

impl Dockerfile {
    fn new(names: &Names, place: &Place, variant: &Variant) -> Self {
        let none = Directories::default();
        let scope = Scope::of(names, &none, no_change(), place);
        let (document, path) = (place.document, place.path());
        let mut dockerfile = Self::default();
        for field in document.statements() {
            let found = document.found(field);
            match &field.kind {
                // A pin at zeros says that there is no such archive.
                Kind::Hash(Some(platform)) if found.parse().ok() != Some(Sha256::ZERO) => {
                    dockerfile.architectures.extend(docker_arch(platform));
                }
                Kind::Tag | Kind::TagVariant | Kind::Version { key: true } => {
                    let wrong = match scope.expected(field, document) {
                        Expected::Exactly(right) if right != found => {
                            format!("{path}: found {found}, expected {right}")
                        }
                        Expected::Impossible(why) => format!("{path}: found {found}: {why}"),
                        _ => continue,
                    };
                    dockerfile.wrong.push(wrong);
                }
                // The host that a variant of Windows needs: its family, on the base that it begins with.
                Kind::Base { image }
                    if variant.is_windows()
                        && variant.is_on(image)
                        && !found.starts_with(variant.base_tag()) =>
                {
                    let host = format!("{}-{found}", variant.family);
                    dockerfile.host.get_or_insert(host);
                }
                _ => {}
            }
        }
        if variant.is_windows() {
            dockerfile.host.get_or_insert(variant.name.clone());
        }
        dockerfile
    }
}
