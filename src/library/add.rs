//! Entries that a file does not have yet, rendered from their images: a variant beside those of its series, a series like the
//! newest one so far. The update of all entries moves the tags that go from one to another.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};

use super::entries::{Home, folder, successors};
use super::expected::{Edit, apply, expectations};
use super::format::architectures;
use super::images::Image;
use super::manifest::Manifest;
use super::plan::{Draft, Plan, View, Wanted};
use crate::tag::is_preview;
use crate::text::is_within;
use crate::version::{Variant, WINDOWS};

/// The names and values of a new entry's fields.
type Fields = Vec<(String, Vec<String>)>;

/// The text with what is wanted beside what it offers: series first, then variants, in the order in which they are built.
pub(super) fn add(
    mut text: String,
    view: &View,
    wanted: &Wanted,
    plan: &mut Plan,
) -> Result<String> {
    let (manifest, _) = Manifest::parse(&text);
    let all = manifest.entries().iter();
    let before: Vec<String> = all.filter_map(|entry| folder(&manifest, entry)).collect();
    let mut adds: Vec<(bool, usize, &str)> = Vec::new();
    for add in &wanted.adds {
        let add = add.trim_end_matches('/').trim_start_matches("./");
        let mut images = view.images.iter();
        let is_it = |image: &Image| image.directory == add || image.path() == add;
        let Some(at) = images.position(is_it) else {
            let all: BTreeSet<&str> = view.images.iter().map(|image| &*image.directory).collect();
            let all = Vec::from_iter(all).join(", ");
            let example = view.images.last().map(Image::path).unwrap_or_default();
            bail!(
                "no `{add}` in the tree: expected one of {all}, or a variant of one, such as {example}"
            )
        };
        adds.push((view.images[at].directory != add, at, add));
    }
    // Series first; images are in the order of their versions.
    adds.sort_unstable();
    for (is_variant, at, what) in adds {
        let image = &view.images[at];
        let is_offered = |image: &&Image| before.contains(&image.path());
        let meant = view.images.iter();
        let mut meant = meant.filter(|image| is_within(&image.path(), what));
        if before.iter().any(|folder| is_within(folder, what)) {
            ensure!(
                meant.all(|image| is_offered(&image)),
                "the file offers {what} already: leave `--add {what}` out, or name a variant of it that is not offered"
            );
            continue;
        }
        let draft = Draft::new(&text, (view, wanted), false, Some(image));
        // An entry of the file may move to it in this update.
        let mut offered = draft.homes.iter().filter_map(Home::image);
        if !offered.any(|offered| is_within(&offered.path(), what)) {
            let edit = match is_variant {
                true => draft.variant(image, plan)?,
                false => draft.series(image, plan)?,
            };
            text = apply(&text, vec![edit])?;
        }
    }
    Ok(text)
}

impl<'a> Draft<'a> {
    /// The entries whose image is known, each with its number among all.
    fn entries(&self) -> impl Iterator<Item = (usize, &'a Image)> {
        let homes = self.homes.iter().enumerate();
        homes.filter_map(|(index, home)| Some((index, home.image()?)))
    }

    /// A whole series: entries like those of the newest series so far.
    fn series(&self, image: &Image, plan: &mut Plan) -> Result<Edit> {
        let entries = self.entries();
        let newest = entries.max_by_key(|(_, image)| (!is_preview(&image.version), &image.version));
        let (_, model) =
            newest.context("the file offers no entry on which a new series could be modelled")?;
        let is_of_model = |(_, other): &(usize, &Image)| other.directory == model.directory;
        let of_model = || self.entries().filter(is_of_model);
        let offered: BTreeSet<&Variant> = of_model().map(|(_, image)| &image.variant).collect();
        let successors = successors(&offered, &self.view.images, &image.directory);
        let mut texts = Vec::new();
        for (index, sibling) in of_model() {
            if let Some(successor) = successors.get(&sibling.variant) {
                texts.push(self.rendered(self.like(index, successor)));
                plan.added.push(successor.path());
            }
        }
        let (new, old) = (&image.directory, &model.directory);
        ensure!(
            !texts.is_empty(),
            "{new} has no variant like one of {old}, the newest series in the file: write its first entry by hand"
        );
        plan.versions.insert(image.version.clone());
        let text = texts.join(self.manifest.newline);
        let order: Vec<(u64, u64)> = self.entries().map(|(_, image)| image.series()).collect();
        let is_ascending = order.first() < order.last();
        let is_older = |(_, other): &(usize, &Image)| other.series() < image.series();
        let older = self.entries().filter(is_older).map(|(index, _)| index);
        let older: Vec<usize> = older.collect();
        Ok(match (older.first(), older.last()) {
            (Some(first), _) if !is_ascending => self.put_before(*first, &text),
            (_, Some(last)) => self.put_after(*last, &text),
            _ if is_ascending => self.put_before(0, &text),
            _ => self.put_after(self.homes.len().saturating_sub(1), &text),
        })
    }

    /// One variant of a series that is offered: like its family's last entry there, else like that of another series.
    fn variant(&self, image: &Image, plan: &mut Plan) -> Result<Edit> {
        let directory = &image.directory;
        let is_own = |(_, other): &(usize, &Image)| other.directory == *directory;
        let own: Vec<(usize, &Image)> = self.entries().filter(is_own).collect();
        ensure!(
            !own.is_empty(),
            "the file offers nothing of {directory}: `--add {directory}` adds the whole series"
        );
        let is_family = |other: &Image| other.variant.family == image.variant.family;
        let sibling = own.iter().rfind(|(_, other)| is_family(other)).copied();
        let cousins = self.entries().filter(|(_, other)| is_family(other));
        let cousin = cousins.max_by_key(|(_, other)| &other.version);
        let (model, _) = sibling.or(cousin).with_context(|| {
            let family = &image.variant.family;
            format!("the file has no entry of {family} on which a new one could be modelled: write the first by hand")
        })?;
        let mut fields = self.like(model, image);
        self.remove_taken(&mut fields);
        let has_tags = |(name, tags): &(String, Vec<String>)| name == "Tags" && !tags.is_empty();
        ensure!(
            fields.iter().any(has_tags),
            "every tag that {} could have is another entry's",
            image.path()
        );
        plan.added.push(image.path());
        let text = self.rendered(fields);
        let before = own.iter().rfind(|(_, one)| one.order() <= image.order());
        Ok(match sibling.or(before.copied()) {
            Some((index, _)) => self.put_after(index, &text),
            None => self.put_before(own[0].0, &text),
        })
    }

    /// Removes the tags that other entries have; of shared ones those for the same architectures.
    fn remove_taken(&self, fields: &mut Fields) {
        let (mut own, mut shared, mut taken) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for entry in self.manifest.entries() {
            for (name, _, tag) in self.manifest.tags(entry) {
                taken.insert(tag.to_string());
                if name == "Tags" {
                    own.insert(tag.into_owned());
                    continue;
                }
                for (_, architecture) in architectures(&self.manifest, entry) {
                    shared.insert((tag.to_string(), architecture));
                }
            }
        }
        let named = fields.iter().find(|(name, _)| name == "Architectures");
        let named = named.map(|(_, names)| names.clone()).unwrap_or_default();
        let is_shared = |tag: &String| {
            let mut names = named.iter().filter(|name| *name != WINDOWS);
            names.any(|name| shared.contains(&(tag.clone(), name.clone())))
        };
        for (name, tags) in fields {
            match name.as_str() {
                "Tags" => tags.retain(|tag| !taken.contains(tag)),
                "SharedTags" => tags.retain(|tag| !own.contains(tag) && !is_shared(tag)),
                _ => {}
            }
        }
    }

    /// What an entry for another image says: the fields of this one, written for that image.
    fn like(&self, index: usize, image: &Image) -> Fields {
        let (manifest, entry) = (&self.manifest, self.entry(index));
        let expected = expectations(manifest, entry, (image, true), &self.context);
        let values = |name: &str| {
            let field = expected.iter().find(|field| field.name == name)?;
            Some(field.values().cloned().collect())
        };
        let mut fields = Fields::new();
        for field in &entry.fields {
            let name = manifest.name(field);
            let items = field.items.iter();
            let items = items.map(|item| manifest.said(item).into_owned());
            let values = match name {
                _ if name.ends_with("GitCommit") => vec![self.wanted.commit.clone()],
                _ => values(name).unwrap_or_else(|| items.collect()),
            };
            fields.push((name.to_owned(), values));
        }
        if manifest.own(entry, "Constraints").is_none() {
            fields.push(("Constraints".to_owned(), image.constraints.clone()));
        }
        fields
    }

    fn rendered(&self, fields: Fields) -> String {
        let newline = self.manifest.newline;
        let fields = fields.into_iter().filter(|(_, values)| !values.is_empty());
        fields
            .map(|(name, values)| format!("{name}: {}{newline}", values.join(", ")))
            .collect()
    }

    /// Puts a text in front of an entry, and of the comment right above it, or in front of the heading of its series.
    fn put_before(&self, index: usize, text: &str) -> Edit {
        let start = self.manifest.paragraphs[index].span.end;
        let end = self.manifest.paragraphs[index + 1].span.start;
        let gap = &self.manifest.text[start..end];
        let series = self.homes[index].image().map(|image| {
            let (major, minor) = image.series();
            format!("{major}.{minor}")
        });
        let is_heading = |line: &str| {
            line.starts_with('#') && series.as_ref().is_some_and(|series| line.contains(series))
        };
        let at = match gap.split_inclusive('\n').any(is_heading) {
            true => start + gap.find('#').unwrap_or_default(),
            false => self.manifest.with_comment(self.entry(index)).start,
        };
        (at..at, format!("{text}{}", self.manifest.newline))
    }

    /// Puts a text behind an entry.
    fn put_after(&self, index: usize, text: &str) -> Edit {
        let (end, newline) = (self.entry(index).span.end, self.manifest.newline);
        let text = match self.manifest.text[..end].ends_with('\n') {
            true => format!("{newline}{text}"),
            // The file ended without a newline, and does so again.
            false => format!("{newline}{newline}{}", text.trim_end()),
        };
        (end..end, text)
    }
}
