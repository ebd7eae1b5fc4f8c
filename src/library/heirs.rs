//! What becomes of the tags of an entry whose image is gone: the one other entry of its family takes its place, as for a base that
//! moves, where it has no tags of the family yet; else those that nothing has any more are named.

use std::collections::{BTreeMap, BTreeSet};

use super::entries::{Home, folder};
use super::format::architectures;
use super::manifest::{Manifest, Paragraph};
use super::plan::Draft;
use crate::version::Variant;

impl Draft<'_> {
    /// The folder that the entry of an image had, split.
    fn gone(&self, index: usize) -> Option<(String, Variant)> {
        let is_gone = matches!(self.homes[index], Home::Gone);
        let folder = folder(&self.manifest, self.entry(index)).filter(|_| is_gone)?;
        let (directory, name) = folder.split_once('/')?;
        Some((directory.to_owned(), Variant::parse(name)?))
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
        for index in 0..self.homes.len() {
            let Some((directory, variant)) = self.gone(index) else {
                continue;
            };
            let is_heir = |(_, home): &(usize, &Home)| {
                home.image().is_some_and(|image| {
                    image.directory == directory && image.variant.family == variant.family
                })
            };
            let all: Vec<(usize, &Home)> = self.homes.iter().enumerate().filter(is_heir).collect();
            let &[(heir, Home::Image(image))] = all.as_slice() else {
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
        let mut lost: Vec<String> = Vec::new();
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
                if !is_own && !now.contains(&(now_called, architecture)) && !lost.contains(&found) {
                    lost.push(found);
                }
            }
        }
        lost
    }
}
