//! What a tree offers: an image for each variant, with what its Dockerfile says that a library file must agree with.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use crate::fields::{Field, Kind, said};
use crate::rules::{Directory, Model};
use crate::sums::Sha256;
use crate::tree::{Role, below, is_dockerfile};
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
    /// The versions and references in its Dockerfile that are not what they must be, as `update check` says it.
    pub wrong: Vec<String>,
}

impl Image {
    /// The folder: `0.25.6/alpine3.18`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.directory, self.variant)
    }

    /// The line that its version belongs to: major and minor.
    pub fn line(&self) -> (u64, u64) {
        (self.version.major, self.version.minor)
    }

    /// Where it stands in the order in which images are built: Linux first, and what is copied from before what copies.
    fn order(&self) -> (bool, bool) {
        (self.variant.is_windows(), !self.copies.is_empty())
    }

    /// Whether it is built before another of the same directory, or as early.
    pub fn is_built_before(&self, other: &Self) -> bool {
        self.order() <= other.order()
    }
}

/// The images of a tree, the newest version directory last, in each the order in which they are built.
pub fn images(model: &Model) -> Vec<Image> {
    model
        .directories
        .iter()
        .flat_map(|directory| of_directory(model, directory))
        .collect()
}

fn of_directory(model: &Model, directory: &Directory) -> Vec<Image> {
    let seen: BTreeMap<&str, Seen> = directory
        .variants
        .iter()
        .map(|variant| (variant.name.as_str(), Seen::new(model, directory, variant)))
        .collect();
    let image = |variant: &Variant| {
        let own = &seen[variant.name.as_str()];
        let sources = || own.copies.iter().filter_map(|name| seen.get(name.as_str()));
        let hosts = std::iter::once(own)
            .chain(sources())
            .filter_map(|seen| seen.host.clone());
        let all = || {
            sources()
                .flat_map(|source| source.architectures.iter().copied())
                .collect()
        };
        Image {
            directory: directory.name.clone(),
            variant: variant.clone(),
            version: directory.version.clone(),
            copies: own.copies.clone(),
            constraints: if variant.is_windows() {
                hosts.collect()
            } else {
                Vec::new()
            },
            architectures: if own.architectures.is_empty() {
                all()
            } else {
                own.architectures.clone()
            },
            files: files(model, directory, variant),
            wrong: own.wrong.clone(),
        }
    };
    let mut images: Vec<Image> = directory.variants.iter().map(image).collect();
    images.sort_by_key(Image::order);
    images
}

/// The names of the Dockerfiles in a variant's folder.
fn files(model: &Model, directory: &Directory, variant: &Variant) -> BTreeSet<String> {
    let folder = format!("{}/{variant}", directory.name);
    below(&model.tree.files, &folder)
        .map(|(path, _)| path[folder.len() + 1..].to_owned())
        .filter(|name| is_dockerfile(name))
        .collect()
}

/// What one Dockerfile says.
struct Seen {
    wrong: Vec<String>,
    copies: BTreeSet<String>,
    architectures: BTreeSet<&'static str>,
    host: Option<String>,
}

impl Seen {
    fn new(model: &Model, directory: &Directory, variant: &Variant) -> Self {
        let path = format!("{}/{variant}/Dockerfile", directory.name);
        let text = model
            .tree
            .files
            .get(&path)
            .map(|file| file.text())
            .unwrap_or_default();
        let fields = model.judge(text, Role::Dockerfile, &model.scope(&path));
        let statements = || fields.iter().filter(|(field, _)| !field.in_comment);
        let is_reference = |kind: &Kind| matches!(kind, Kind::Tag | Kind::TagVariant);
        let copies = statements()
            .filter(|(field, _)| is_reference(&field.kind))
            .filter_map(|(field, must)| {
                let named = match must {
                    Some(Ok(right)) => right.clone(),
                    _ => said(text, &field.span),
                };
                directory
                    .named(&named)
                    .filter(|source| *source != variant)
                    .map(|source| source.name.clone())
            });
        let archives = statements().filter_map(|(field, _)| match &field.kind {
            // A pin at zeros says that there is no such archive.
            Kind::Hash(Some(platform)) => Some(platform)
                .filter(|_| said(text, &field.span).parse().ok() != Some(Sha256::ZERO)),
            _ => None,
        });
        let states = |kind: &Kind| is_reference(kind) || *kind == Kind::Version { key: true };
        let wrong = statements()
            .filter(|(field, _)| states(&field.kind))
            .filter_map(|(field, must)| {
                let found = said(text, &field.span);
                match must {
                    Some(Ok(right)) if *right != found => {
                        Some(format!("{path} says {found}, must be {right}"))
                    }
                    Some(Err(why)) => Some(format!("{path} says {found}: {why}")),
                    _ => None,
                }
            });
        Self {
            wrong: wrong.collect(),
            copies: copies.collect(),
            architectures: archives
                .filter_map(|platform| docker_arch(platform))
                .collect(),
            host: host(text, statements().map(|(field, _)| field), variant),
        }
    }
}

/// The host that a variant of Windows needs: its family, on the base that it begins with.
fn host<'a>(
    text: &[u8],
    mut fields: impl Iterator<Item = &'a Field>,
    variant: &Variant,
) -> Option<String> {
    if !variant.is_windows() {
        return None;
    }
    let base =
        fields.find(|field| matches!(&field.kind, Kind::Base { image } if variant.is_on(image)));
    let base = base
        .map(|field| said(text, &field.span))
        .filter(|base| !base.starts_with(&variant.base));
    Some(base.map_or(variant.name.clone(), |base| {
        format!("{}-{base}", variant.family)
    }))
}
