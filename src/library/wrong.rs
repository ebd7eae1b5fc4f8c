//! What was wrong in a file before an update, by what the file itself says: an entry is compared with the version that the entries
//! of its directory have, as it will be with that of the tree.

use std::collections::BTreeMap;

use semver::Version;

use super::entries::{Folder, Home, split};
use super::expected::{Context, Expectation, Part, expectations};
use super::images::Image;
use super::plan::Draft;
use crate::version::parse_version;

/// The images that the entries of a file are for before an update, as far as they are known; `added` are the folders of the entries
/// that come with it.
pub(super) fn before(draft: &Draft, added: &[String]) -> Vec<Option<Image>> {
    let (manifest, names) = (&draft.manifest, &draft.context.names);
    let entries = manifest.entries().iter();
    let folders = entries.map(|entry| split(manifest, entry, &draft.view.pattern));
    let folders: Vec<Option<Folder>> = folders.collect();
    let mut counts: BTreeMap<&str, BTreeMap<Version, usize>> = BTreeMap::new();
    for (entry, folder) in manifest.entries().iter().zip(&folders) {
        let Some((directory, _)) = folder else {
            continue;
        };
        let counts = counts.entry(directory).or_default();
        for (_, _, tag) in manifest.tags(entry) {
            if let Some(version) = parse_version(names.split(&tag).version) {
                *counts.entry(version).or_default() += 1;
            }
        }
    }
    let image = |(folder, home): (&Option<Folder>, &Home)| {
        let (directory, variant) = folder.as_ref()?;
        let (copies, constraints) = match home {
            Home::Image(image) => (image.copies.clone(), image.constraints.clone()),
            // It still had what only one release has at a time.
            Home::Gone => Default::default(),
            Home::Unknown => return None,
        };
        let counts = counts.get(directory.as_str())?.iter();
        let (version, _) = counts.max_by_key(|(_, count)| **count)?;
        let image = Image {
            directory: directory.clone(),
            variant: variant.clone(),
            version: version.clone(),
            copies,
            constraints,
        };
        Some(image).filter(|image| !added.contains(&image.path()))
    };
    folders.iter().zip(&draft.homes).map(image).collect()
}

/// What was wrong in each entry.
pub(super) struct Wrong<'a> {
    draft: &'a Draft<'a>,
    before: &'a [Option<Image>],
    context: Context<'a>,
}

impl<'a> Wrong<'a> {
    /// By the images of `before`.
    pub(super) fn new(draft: &'a Draft<'a>, before: &'a [Option<Image>]) -> Self {
        let home = |image: &'a Option<Image>| image.as_ref().map_or(Home::Unknown, Home::Image);
        let homes: Vec<Home> = before.iter().map(home).collect();
        let names = draft.context.names.clone();
        let context = Context::new(&draft.manifest, names, &homes, None);
        Self {
            draft,
            before,
            context,
        }
    }

    /// Whether a part of a field of an entry was wrong, or missing, already.
    pub(super) fn of(&self, index: usize) -> impl Fn(&Expectation, &Part) -> bool {
        let (manifest, entry) = (&self.draft.manifest, self.draft.entry(index));
        let image = self.before[index].as_ref();
        let was = image.map(|image| expectations(manifest, entry, (image, false), &self.context));
        let was = was.unwrap_or_default();
        move |field, part| {
            let fields = was.iter().filter(|was| was.name == field.name);
            let mut parts = fields.flat_map(|was| &was.parts);
            parts.any(|was| {
                let is_same =
                    was.span == part.span && (part.span.is_some() || self.is_alike(was, part));
                is_same && !was.is_right()
            })
        }
    }

    /// Whether the same is missing, but for the version.
    fn is_alike(&self, a: &Part, b: &Part) -> bool {
        let said = |part: &Part| {
            let tag = part.expected.as_deref().unwrap_or_default();
            let tag = self.context.names.split(tag);
            (tag.level, tag.name.to_owned())
        };
        said(a) == said(b)
    }
}
