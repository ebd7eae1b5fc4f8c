//! What becomes of the tags of an entry whose image is gone: the one other entry of its family takes its place, as for a base that
//! moves, where it has no tags of the family yet; else those that nothing has any more are named.

use std::collections::{BTreeMap, BTreeSet};

use super::entries::{Folder, Home, split};
use super::format::architectures;
use super::images::Image;
use super::manifest::{Manifest, Paragraph};
use super::plan::Draft;
use crate::version::Variant;

impl Draft<'_> {
    /// The folder of an entry whose image is gone.
    fn gone(&self, index: usize) -> Option<Folder> {
        let is_gone = matches!(self.homes[index], Home::Gone);
        let folder = || split(&self.manifest, self.entry(index), &self.view.pattern);
        is_gone.then(folder)?
    }

    /// Whether an entry has a tag that is not called after its variant alone: `2.14-alpine`, `latest`.
    fn has_aliases(&self, index: usize, variant: &Variant) -> bool {
        let mut tags = self.manifest.tags(self.entry(index));
        tags.any(|(_, _, tag)| self.context.names.split(&tag).name != variant.name)
    }

    /// Gives the entries whose image is gone the images of those that take their place. Returns the numbers of the latter, which
    /// go instead, each with the folder that is gone.
    pub(super) fn inherit(&mut self) -> BTreeMap<usize, String> {
        let mut heirs = BTreeMap::new();
        let mut of_family: BTreeMap<(&str, &str), Vec<(usize, &Image)>> = BTreeMap::new();
        for (index, home) in self.homes.iter().enumerate() {
            if let Some(image) = home.image() {
                let family = (image.directory.as_str(), image.variant.family.as_str());
                of_family.entry(family).or_default().push((index, image));
            }
        }
        for index in 0..self.homes.len() {
            let Some((directory, variant)) = self.gone(index) else {
                continue;
            };
            let family = of_family.get(&(directory.as_str(), variant.family.as_str()));
            let Some(&[(heir, image)]) = family.map(Vec::as_slice) else {
                continue;
            };
            if self.has_aliases(index, &variant) && !self.has_aliases(heir, &image.variant) {
                self.homes[index] = Home::Image(image);
                self.homes[heir] = Home::Gone;
                heirs.insert(heir, format!("{directory}/{variant}"));
            }
        }
        heirs
    }

    /// The tags of entries that go, for which no entry of another text has an image of the same architecture any more, though
    /// their version directory is there.
    pub(super) fn lost(&self, after: &Manifest, heirs: &BTreeMap<usize, String>) -> Vec<String> {
        let offered = |manifest: &Manifest, entry: &Paragraph| {
            let tags = manifest.tags(entry);
            let tags: Vec<String> = tags.map(|(_, _, tag)| tag.into_owned()).collect();
            let all = architectures(manifest, entry).into_iter();
            let all = all.flat_map(move |(_, name)| {
                let with = move |tag: &String| (tag.clone(), name.clone());
                tags.iter().map(with).collect::<Vec<_>>()
            });
            all.collect::<Vec<_>>()
        };
        let now = after.entries().iter();
        let now: BTreeSet<_> = now.flat_map(|entry| offered(after, entry)).collect();
        let (mut lost, mut known) = (Vec::new(), BTreeSet::new());
        for index in (0..self.homes.len()).filter(|index| !heirs.contains_key(index)) {
            let Some((directory, variant)) = self.gone(index) else {
                continue;
            };
            let mut images = self.view.images.iter();
            let Some(image) = images.find(|image| image.directory == directory) else {
                continue;
            };
            for (found, architecture) in offered(&self.manifest, self.entry(index)) {
                let tag = self.context.names.split(&found);
                let now_called = tag.level.render(&image.version, tag.name);
                let is_own = tag.name == variant.name;
                let is_lost = !is_own && !now.contains(&(now_called, architecture));
                if is_lost && known.insert(found.clone()) {
                    lost.push(found);
                }
            }
        }
        lost
    }
}
