//! Entries that a file does not have yet, rendered from their images: a variant beside those of its series, a series like
//! the newest one so far.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};

use super::Names;
use super::entries::{Home, homes, successors};
use super::expected::{Edit, Expectation, Part, apply, name_of, names_of, tags_of};
use super::format::architectures;
use super::images::Image;
use super::manifest::{Manifest, Paragraph, TAGS};
use super::plan::{Offer, Plan, Wanted, names};
use super::taken::Taken;
use crate::tag::{Level, is_preview};
use crate::text::is_within;
use crate::version::Variant;

/// A file and what its entries are for, while entries are added to it.
struct Draft<'a> {
    manifest: Manifest,
    homes: Vec<Home<'a>>,
    names: Names,
    offer: &'a Offer<'a>,
    wanted: &'a Wanted<'a>,
}

/// The text with what is wanted beside what it offers: series first, then variants, in the order in which they are built.
/// What is among the folders that it offered `before` the update is there already.
pub(super) fn add(
    mut text: String,
    before: &[String],
    offer: &Offer,
    wanted: &Wanted,
    plan: &mut Plan,
) -> Result<String> {
    let (mut series, mut variants): (Vec<&Image>, Vec<&Image>) = (Vec::new(), Vec::new());
    for add in &wanted.adds {
        let add = add.trim_end_matches('/');
        let found = offer
            .images
            .iter()
            .find(|image| image.directory == add || image.path() == add);
        let Some(image) = found else {
            let all: Vec<String> = offer.images.iter().map(Image::path).collect();
            bail!(
                "no `{add}` in {}: expected a version directory of {}",
                offer.place,
                all.join(", ")
            );
        };
        if image.directory == add {
            series.push(image)
        } else {
            variants.push(image)
        }
    }
    series.sort_by_key(|image| &image.version);
    variants.sort_by_key(|image| offer.images.iter().position(|other| other == *image));
    let all = series
        .into_iter()
        .map(|image| (image, true))
        .chain(variants.into_iter().map(|image| (image, false)));
    for (image, is_series) in all {
        let draft = Draft::new(&text, offer, wanted);
        let what = if is_series {
            image.directory.clone()
        } else {
            image.path()
        };
        let is_it = |offered: &&Image| {
            if is_series {
                offered.directory == what
            } else {
                offered.path() == what
            }
        };
        if !draft.images().any(|offered| is_it(&offered)) {
            text = if is_series {
                draft.add_series(image, plan)?
            } else {
                draft.add_variant(image, plan)?
            };
            continue;
        }
        // An entry may have come to it in this update.
        ensure!(
            !before.iter().any(|folder| is_within(folder, &what)),
            "the file offers {what} already: leave `--add {what}` out, or name a variant of it that is not offered"
        );
    }
    Ok(text)
}

impl<'a> Draft<'a> {
    fn new(text: &str, offer: &'a Offer, wanted: &'a Wanted<'a>) -> Self {
        let (manifest, _) = super::parse(text);
        let homes = homes(
            &manifest,
            offer.images,
            offer.pattern,
            false,
            &BTreeSet::new(),
        );
        let names = names(&manifest, offer);
        Self {
            manifest,
            homes,
            names,
            offer,
            wanted,
        }
    }

    /// The images that are offered.
    fn images(&self) -> impl Iterator<Item = &'a Image> {
        self.homes.iter().filter_map(Home::image)
    }

    /// The entries whose image is known, each with its number among all.
    fn entries(&self) -> impl Iterator<Item = (usize, &'a Image)> {
        self.homes
            .iter()
            .enumerate()
            .filter_map(|(index, home)| Some((index, home.image()?)))
    }

    fn entry(&self, index: usize) -> &Paragraph {
        &self.manifest.entries()[index]
    }

    /// A whole series: entries like those of the newest series so far, in front of the first older one, which hands over
    /// the tags that are the newest series'.
    fn add_series(&self, image: &Image, plan: &mut Plan) -> Result<String> {
        let newest = self
            .images()
            .max_by_key(|image| (!is_preview(&image.version), &image.version));
        let model = newest.context("the file offers nothing that a series could be like")?;
        let of_model = || {
            self.entries()
                .filter(|(_, other)| other.directory == model.directory)
        };
        let offered: BTreeSet<&Variant> = of_model().map(|(_, image)| &image.variant).collect();
        let successors = successors(&offered, self.offer.images, &image.directory);
        let levels = match is_preview(&image.version) {
            true => Some(BTreeSet::from([Level::Full])),
            false if image.series() > model.series() => None,
            false => Some(BTreeSet::from([Level::Full, Level::Minor])),
        };
        let mut texts = Vec::new();
        for (index, sibling) in of_model() {
            if let Some(successor) = successors.get(&sibling.variant) {
                texts.push(self.like(index, successor, levels.as_ref(), &|_, _| false)?);
                plan.added.push(successor.path());
            }
        }
        ensure!(
            !texts.is_empty(),
            "{} has no variant like one of {}, which the file offers",
            image.directory,
            model.directory
        );
        plan.versions.insert(image.version.clone());
        let text = texts.join(self.manifest.newline());
        let mut edits = self.hand_over(image, &text, plan);
        let is_older = |home: &Home| {
            home.image()
                .is_some_and(|other| other.series() < image.series())
        };
        edits.push(match self.homes.iter().position(is_older) {
            Some(index) => self.put_before(index, &text),
            None => self.put_after(self.homes.len().saturating_sub(1), &text),
        });
        apply(&self.manifest.text, edits)
    }

    /// The edits with which other entries give up the tags that new ones have, and those of older series what is the
    /// newest's.
    fn hand_over(&self, image: &Image, new: &str, plan: &mut Plan) -> Vec<Edit> {
        let (new, _) = Manifest::parse(new.to_owned());
        let tags = new.paragraphs.iter().flat_map(|entry| new.tags(entry));
        let taken: BTreeSet<String> = tags.map(|(_, _, tag)| tag.into_owned()).collect();
        let mut edits = Vec::new();
        for (entry, home) in self.manifest.entries().iter().zip(&self.homes) {
            let is_newest = |tag: &str| match (self.names.split(tag).level, home.image()) {
                (_, Some(old)) if is_preview(&image.version) || old.series() > image.series() => {
                    false
                }
                (Level::Bare, Some(_)) => true,
                (Level::Major, Some(old)) => old.version.major == image.version.major,
                _ => false,
            };
            let part = |(span, found): (&Range<usize>, Cow<str>)| {
                let expected =
                    Some(found.to_string()).filter(|tag| !taken.contains(tag) && !is_newest(tag));
                Part {
                    span: span.clone(),
                    found: found.into_owned(),
                    expected,
                    rule: "latest",
                }
            };
            let field = |name: &&'static str| {
                let field = self.manifest.own(entry, name)?;
                let parts = self.manifest.items(entry, name).map(part).collect();
                Some(Expectation {
                    name: (*name).to_owned(),
                    field: Ok(field),
                    parts,
                    missing: Vec::new(),
                })
            };
            let fields: Vec<Expectation> = TAGS.iter().filter_map(field).collect();
            plan.take(
                &self.manifest,
                &fields,
                home.image().map(Image::path).unwrap_or_default(),
                &mut edits,
            );
        }
        edits
    }

    /// One variant of a series that is offered: like its family's last entry there, else like that of another series.
    fn add_variant(&self, image: &Image, plan: &mut Plan) -> Result<String> {
        let directory = &image.directory;
        let own: Vec<(usize, &Image)> = self
            .entries()
            .filter(|(_, other)| other.directory == *directory)
            .collect();
        ensure!(
            !own.is_empty(),
            "the file offers nothing of {directory}: `--add {directory}` adds the whole series"
        );
        let tags = own
            .iter()
            .flat_map(|(index, _)| self.manifest.tags(self.entry(*index)));
        let levels: BTreeSet<Level> = tags
            .map(|(_, _, tag)| self.names.split(&tag).level)
            .collect();
        let is_family = |other: &Image| other.variant.family == image.variant.family;
        let sibling = own.iter().rfind(|(_, other)| is_family(other)).copied();
        let cousin = || {
            self.entries()
                .filter(|(_, other)| is_family(other))
                .max_by_key(|(_, other)| &other.version)
        };
        let taken = Taken::new(&self.manifest);
        let text = match sibling.or_else(cousin) {
            Some((index, other)) => {
                let levels = if other.directory == *directory {
                    None
                } else {
                    Some(&levels)
                };
                let architectures = names_in(&architectures(&self.manifest, self.entry(index)));
                self.like(index, image, levels, &|name, tag| {
                    taken.has(name, tag, &architectures)
                })?
            }
            None => {
                let linux = own
                    .iter()
                    .find(|(_, other)| !other.variant.is_windows() && !image.variant.is_windows());
                let offered = linux
                    .map(|(index, _)| names_in(&architectures(&self.manifest, self.entry(*index))));
                let every = || {
                    image
                        .architectures
                        .iter()
                        .map(|name| (*name).to_owned())
                        .collect()
                };
                let architectures: Vec<String> = offered.unwrap_or_else(every);
                let (own, shared) = names_of(image, self.offer.images);
                let is_free = |field: &str, tags: Vec<String>| -> Vec<String> {
                    tags.into_iter()
                        .filter(|tag| !taken.has(field, tag, &architectures))
                        .collect()
                };
                self.render(&[
                    ("Tags", is_free("Tags", tags_of(image, &own, &levels))),
                    (
                        "SharedTags",
                        is_free("SharedTags", tags_of(image, &shared, &levels)),
                    ),
                    ("Architectures", architectures.clone()),
                    ("Directory", vec![image.path()]),
                    ("Constraints", image.constraints.clone()),
                ])
            }
        };
        plan.added.push(image.path());
        let before = own
            .iter()
            .rfind(|(_, other)| other.order() <= image.order());
        let edit = match sibling.or(before.copied()) {
            Some((index, _)) => self.put_after(index, &text),
            None => self.put_before(own[0].0, &text),
        };
        apply(&self.manifest.text, vec![edit])
    }

    fn render(&self, fields: &[(&str, Vec<String>)]) -> String {
        let lines = fields.iter().filter(|(_, values)| !values.is_empty());
        lines
            .map(|(name, values)| {
                format!("{name}: {}{}", values.join(", "), self.manifest.newline())
            })
            .collect()
    }

    /// The text of an entry for another image: the fields of this one, with tags of these levels (`None`: of its own), but
    /// those to skip.
    fn like(
        &self,
        index: usize,
        image: &Image,
        levels: Option<&BTreeSet<Level>>,
        skip: &dyn Fn(&str, &str) -> bool,
    ) -> Result<String> {
        let entry = self.entry(index);
        let mut fields: Vec<(&str, Vec<String>)> = Vec::new();
        for field in &entry.fields {
            let name = &self.manifest.text[field.name.clone()];
            let values = match name {
                "Tags" | "SharedTags" => {
                    let tags: Vec<String> = self.tags_like(entry, name, image, levels);
                    let free: Vec<String> =
                        tags.into_iter().filter(|tag| !skip(name, tag)).collect();
                    ensure!(
                        name != "Tags" || !free.is_empty(),
                        "every tag that {} could have is another entry's",
                        image.path()
                    );
                    free
                }
                "Constraints" => image.constraints.clone(),
                _ if name.ends_with("Directory") => vec![image.path()],
                _ if name.ends_with("GitCommit") => vec![self.wanted.commit.clone()],
                _ => field
                    .items
                    .iter()
                    .map(|item| self.manifest.said(item).into_owned())
                    .collect(),
            };
            fields.push((name, values));
        }
        if !fields.iter().any(|(name, _)| *name == "Constraints") {
            fields.push(("Constraints", image.constraints.clone()));
        }
        Ok(self.render(&fields))
    }

    /// The tags of an entry's field as another image has them.
    fn tags_like(
        &self,
        entry: &Paragraph,
        field: &str,
        image: &Image,
        levels: Option<&BTreeSet<Level>>,
    ) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for (_, tag) in self.manifest.items(entry, field) {
            let split = self.names.split(&tag);
            let name = name_of(split.name, &image.variant);
            tags.push(split.level.render(&image.version, &name));
            if !names.contains(&name) {
                names.push(name);
            }
        }
        levels.map_or(tags, |levels| tags_of(image, &names, levels))
    }

    /// Puts a text in front of an entry, and of the comment right above it, or in front of the heading of its series.
    fn put_before(&self, index: usize, text: &str) -> Edit {
        let (start, end) = (
            self.manifest.paragraphs[index].span.end,
            self.manifest.paragraphs[index + 1].span.start,
        );
        let gap = &self.manifest.text[start..end];
        let series = self.homes[index]
            .image()
            .map(|image| format!("{}.{}", image.version.major, image.version.minor));
        let is_heading = |line: &str| {
            line.starts_with('#') && series.as_ref().is_some_and(|series| line.contains(series))
        };
        let at = match gap.split_inclusive('\n').any(is_heading) {
            true => start + gap.find('#').unwrap_or_default(),
            false => self.manifest.with_comment(self.entry(index)).start,
        };
        (at..at, format!("{text}{}", self.manifest.newline()))
    }

    /// Puts a text behind an entry.
    fn put_after(&self, index: usize, text: &str) -> Edit {
        let (end, newline) = (self.entry(index).span.end, self.manifest.newline());
        let text = match self.manifest.text[..end].ends_with('\n') {
            true => format!("{newline}{text}"),
            // The last line had no end, and has none again.
            false => format!("{newline}{newline}{}", text.trim_end()),
        };
        (end..end, text)
    }
}

fn names_in(architectures: &[(usize, String)]) -> Vec<String> {
    architectures.iter().map(|(_, name)| name.clone()).collect()
}
