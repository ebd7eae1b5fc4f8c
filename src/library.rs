//! The file from which Docker builds official images (`library/<image>` in docker-library/official-images): is it right for
//! a tree, and what is to be written for it to be.
//!
//! Works on texts and trees in memory; git is `git`'s business, files are `commands`'.

mod add;
mod check;
mod entries;
mod expected;
mod format;
mod heirs;
mod images;
mod levels;
mod manifest;
mod plan;
mod update;
mod wrong;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use semver::Version;

pub use self::check::check;
use self::entries::without_entry;
pub use self::entries::{Home, homes};
pub use self::format::{DEFAULT_FETCH, broken_rules, misshapen};
pub use self::images::{Image, images};
pub use self::manifest::{Manifest, Paragraph};
pub use self::plan::{Change, Plan, View, Wanted, names};
pub use self::update::plan;
use crate::version::parse_version;

/// Where official-images keeps the file of an image.
pub const OFFICIAL_IMAGES: &str = "https://github.com/docker-library/official-images";

/// The file of an image where a clone of official-images stands beside the repository: none where it is not there.
pub fn beside(root: &Path, image: &str) -> Option<PathBuf> {
    let beside = Path::new("official-images/library").join(image);
    // `..` only where the name of the root does not tell what is above it.
    let file = match root.file_name() {
        Some(_) => root.with_file_name(beside),
        None if root == Path::new(".") => Path::new("..").join(beside),
        None => root.join("..").join(beside),
    };
    Some(file).filter(|file| file.is_file())
}

/// The version at which a file offers each version directory of a tree, and how many of its variants it does not offer.
/// With a directory for each version, whatever the file offers counts for the newest one.
pub fn offered(text: &str, view: &View) -> BTreeMap<String, (Version, usize)> {
    let (manifest, _) = Manifest::parse(text);
    let names = names(&manifest, view);
    let mut offered: BTreeMap<String, (Version, usize)> = BTreeMap::new();
    let homes = homes(&manifest, &view.images, &view.pattern, true);
    let without = without_entry(&view.images, &homes);
    let lacking = |directory: &str| {
        let without = without.iter();
        without.filter(|image| image.directory == directory).count()
    };
    for (entry, home) in manifest.entries().iter().zip(&homes) {
        let tags = manifest.items(entry, "Tags");
        let version = tags.filter_map(|(_, tag)| parse_version(names.split(&tag).version));
        if let (Some(image), Some(version)) = (home.image(), version.max()) {
            let directory = image.directory.as_str();
            let known = offered.entry(directory.to_owned());
            let known = known.or_insert_with(|| (version.clone(), lacking(directory)));
            known.0 = version.max(known.0.clone());
        }
    }
    offered
}

/// How many entries of a file an update would change or remove, by version directory: of a file that one would refuse, none.
pub fn outdated(text: &str, view: &View) -> BTreeMap<String, usize> {
    let (manifest, _) = Manifest::parse(text);
    let commits = manifest.global().into_iter();
    let mut commits = commits.flat_map(|global| manifest.commits(global));
    let commit = commits.next().map(|field| manifest.said(&field.value));
    // Where only the commit is another one, nothing that the file says of an image is.
    let wanted = Wanted {
        commit: commit.unwrap_or_default().into_owned(),
        fetch: None,
        adds: Vec::new(),
        is_same: &|_, _| true,
    };
    let plan = plan(text, view, &wanted).unwrap_or_default();
    let changed = plan.changes.iter().map(|change| &change.entry);
    let entries: BTreeSet<&String> = changed.chain(&plan.removed).collect();
    let mut outdated = BTreeMap::new();
    for (directory, _) in entries.iter().filter_map(|entry| entry.split_once('/')) {
        *outdated.entry(directory.to_owned()).or_default() += 1;
    }
    outdated
}
