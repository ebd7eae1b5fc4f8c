//! Entries that a file does not have yet: a variant like its nearest sibling, a line like the newest one so far, a first file.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};

use super::entries::{Home, homes, successors};
use super::format::architectures;
use super::images::Image;
use super::manifest::{Manifest, TAGS};
use super::must::{Edit, Must, Part, musts};
use super::plan::{Offer, Plan, Wanted, apply, commits, names};
use super::tags::{Level, Names, is_preview};
use crate::version::{Variant, WINDOWS};

/// A file and what its entries are for, while entries are added to it.
struct Draft<'a> {
    manifest: Manifest,
    homes: Vec<Home<'a>>,
    names: Names,
    offer: &'a Offer<'a>,
    wanted: &'a Wanted<'a>,
}

/// The text with what is wanted beside what it offers: lines first, then variants, in the order in which they are built. What
/// is among the folders that it offered `before` the update is there already.
pub fn add(
    mut text: String,
    before: &[String],
    offer: &Offer,
    wanted: &Wanted,
    plan: &mut Plan,
) -> Result<String> {
    let (mut lines, mut variants): (Vec<&Image>, Vec<&Image>) = (Vec::new(), Vec::new());
    for add in &wanted.adds {
        let add = add.trim_end_matches('/');
        let found = offer
            .images
            .iter()
            .find(|image| image.directory == add || image.path() == add);
        let Some(image) = found else {
            let all: Vec<String> = offer.images.iter().map(Image::path).collect();
            bail!(
                "no `{add}` in {}: wanted a version directory of {}",
                offer.place,
                all.join(", ")
            );
        };
        if image.directory == add {
            lines.push(image)
        } else {
            variants.push(image)
        }
    }
    lines.sort_by_key(|image| &image.version);
    variants.sort_by_key(|image| offer.images.iter().position(|other| other == *image));
    for (image, is_line) in lines
        .into_iter()
        .map(|image| (image, true))
        .chain(variants.into_iter().map(|image| (image, false)))
    {
        let draft = Draft::new(&text, offer, wanted);
        let what = if is_line {
            image.directory.clone()
        } else {
            image.path()
        };
        let is_it = |offered: &&Image| {
            if is_line {
                offered.directory == what
            } else {
                offered.path() == what
            }
        };
        if draft.images().any(|offered| is_it(&offered)) {
            // An entry may have come to it in this update.
            let was_there = before.iter().any(|folder| {
                *folder == what || is_line && folder.starts_with(&format!("{what}/"))
            });
            ensure!(
                !was_there,
                "the file offers {what} already: leave `--add {what}` out, or name a variant of it that is not offered"
            );
            text = draft.manifest.text;
            continue;
        }
        text = if is_line {
            draft.add_line(image, plan)?
        } else {
            draft.add_variant(image, plan)?
        };
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

    /// The entries of a version directory, each with its number among all.
    fn of(&self, directory: &str) -> impl Iterator<Item = (usize, &'a Image)> {
        let homes = self
            .homes
            .iter()
            .enumerate()
            .filter_map(|(index, home)| Some((index, home.image()?)));
        homes.filter(move |(_, image)| image.directory == directory)
    }

    /// A whole line: entries like those of the newest line so far, in front of the first older one, which hands over the
    /// tags that are the newest line's.
    fn add_line(&self, image: &Image, plan: &mut Plan) -> Result<String> {
        let newest = self
            .images()
            .max_by_key(|image| (!is_preview(&image.version), &image.version));
        let model = newest.context("the file offers nothing that a line could be like")?;
        let offered: BTreeSet<&Variant> = self
            .of(&model.directory)
            .map(|(_, image)| &image.variant)
            .collect();
        let targets = successors(&offered, self.offer.images, &image.directory);
        let levels = match is_preview(&image.version) {
            true => Some(BTreeSet::from([Level::Full])),
            false if image.line() > model.line() => None,
            false => Some(BTreeSet::from([Level::Full, Level::Minor])),
        };
        let mut texts = Vec::new();
        for (index, sibling) in self.of(&model.directory) {
            if let Some(target) = targets.get(&sibling.variant) {
                texts.push(self.like(index, target, levels.as_ref(), &|_, _| false)?);
                plan.added.push(target.path());
            }
        }
        plan.versions.insert(image.version.clone());
        ensure!(
            !texts.is_empty(),
            "{} has no variant like one of {}, which the file offers",
            image.directory,
            model.directory
        );
        let text = texts.join(self.manifest.newline());
        let mut edits = self.hand_over(image, &text, plan)?;
        let is_older = |home: &Home| {
            home.image()
                .is_some_and(|other| other.line() < image.line())
        };
        edits.push(match self.homes.iter().position(is_older) {
            Some(index) => self.put_before(index, &text, self.heading(index)),
            None => self.put_after(self.homes.len().saturating_sub(1), &text),
        });
        Ok(apply(&self.manifest.text, edits))
    }

    /// The edits with which other entries give up the tags that new ones have, and those of older lines what is the newest's.
    fn hand_over(&self, image: &Image, new: &str, plan: &mut Plan) -> Result<Vec<Edit>> {
        let (new, _) = Manifest::parse(new.to_owned());
        let taken: BTreeSet<String> = new
            .paragraphs
            .iter()
            .flat_map(|entry| new.tags(entry))
            .map(|(_, _, tag)| tag.into_owned())
            .collect();
        let mut edits = Vec::new();
        for (entry, home) in self.manifest.entries().iter().zip(&self.homes) {
            let mut musts = Vec::new();
            for name in TAGS {
                let Some(field) = self.manifest.own(entry, name) else {
                    continue;
                };
                let is_newest = |tag: &str| match (self.names.split(tag).level, home.image()) {
                    (_, Some(old)) if is_preview(&image.version) || old.line() > image.line() => {
                        false
                    }
                    (Level::Bare, Some(_)) => true,
                    (Level::Major, Some(old)) => old.version.major == image.version.major,
                    _ => false,
                };
                let part = |(span, found): (&Range<usize>, Cow<str>)| {
                    let expected = Some(found.to_string())
                        .filter(|tag| !taken.contains(tag) && !is_newest(tag));
                    Part {
                        span: span.clone(),
                        found: found.into_owned(),
                        expected,
                        rule: "latest",
                    }
                };
                let parts = self.manifest.items(entry, name).map(part).collect();
                musts.push(Must {
                    name: name.to_owned(),
                    field: Ok(field),
                    parts,
                    missing: Vec::new(),
                });
            }
            plan.take(
                &self.manifest,
                &musts,
                home.image().map(Image::path).unwrap_or_default(),
                &mut edits,
            )?;
        }
        Ok(edits)
    }

    /// One variant of a line that is offered: like its family's last entry there, else like that of another line.
    fn add_variant(&self, image: &Image, plan: &mut Plan) -> Result<String> {
        let (directory, is_family) = (&image.directory, |other: &Image| {
            other.variant.family == image.variant.family
        });
        let own: Vec<(usize, &Image)> = self.of(directory).collect();
        ensure!(
            !own.is_empty(),
            "the file offers nothing of {directory}: `--add {directory}` adds the whole line"
        );
        let levels: BTreeSet<Level> = own
            .iter()
            .flat_map(|(index, _)| self.manifest.tags(&self.manifest.entries()[*index]))
            .map(|(_, _, tag)| self.names.split(&tag).level)
            .collect();
        let sibling = own.iter().rfind(|(_, other)| is_family(other)).copied();
        let all = self
            .homes
            .iter()
            .enumerate()
            .filter_map(|(index, home)| Some((index, home.image()?)));
        let cousin = || {
            all.filter(|(_, other)| is_family(other))
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
                let architectures = architectures(&self.manifest, &self.manifest.entries()[index]);
                self.like(index, image, levels, &|name, tag| {
                    taken.has(name, tag, &architectures)
                })?
            }
            None => {
                let linux = own.iter().find(|(_, other)| !other.variant.is_windows());
                let offered = linux.map(|(index, _)| {
                    architectures(&self.manifest, &self.manifest.entries()[*index])
                });
                let offered = offered
                    .filter(|_| !image.variant.is_windows())
                    .unwrap_or_default();
                let architectures = if offered.is_empty() {
                    every(image)
                } else {
                    offered
                };
                entry(
                    image,
                    self.offer.images,
                    &levels,
                    &architectures,
                    &|name, tag| taken.has(name, tag, &architectures),
                )
            }
        };
        let text = text
            .replace("\r\n", "\n")
            .replace('\n', self.manifest.newline());
        plan.added.push(image.path());
        let before = own.iter().rfind(|(_, other)| other.is_built_before(image));
        let edit = match sibling.or(before.copied()) {
            Some((index, _)) => self.put_after(index, &text),
            None => self.put_before(own[0].0, &text, None),
        };
        Ok(apply(&self.manifest.text, vec![edit]))
    }

    /// The text of an entry, written for another image, with tags of these levels (`None`: of its own), but those to skip.
    fn like(
        &self,
        index: usize,
        image: &Image,
        levels: Option<&BTreeSet<Level>>,
        skip: &dyn Fn(&str, &str) -> bool,
    ) -> Result<String> {
        let lines =
            self.manifest.text[self.manifest.entries()[index].span.clone()].split_inclusive('\n');
        let mut text: String = lines.filter(|line| !line.starts_with('#')).collect();
        if !text.ends_with('\n') {
            text.push_str(self.manifest.newline());
        }
        let (copy, _) = Manifest::parse(text);
        let entry = copy.global().context("an entry has no field")?;
        let mut musts = musts(&copy, entry, image, &self.names);
        for must in musts
            .iter_mut()
            .filter(|must| TAGS.contains(&must.name.as_str()))
        {
            levels
                .into_iter()
                .for_each(|levels| self.set_levels(must, image, levels));
            let is_free = |tag: &String| !skip(&must.name, tag);
            must.parts
                .iter_mut()
                .for_each(|part| part.expected = part.expected.take().filter(is_free));
            must.missing.retain(|(_, tag)| is_free(tag));
            let is_empty =
                must.missing.is_empty() && must.parts.iter().all(|part| part.expected.is_none());
            ensure!(
                must.name != "Tags" || !is_empty,
                "every tag that {} could have is another entry's",
                image.path()
            );
        }
        musts.extend(commits(&copy, entry, self.wanted));
        let mut edits = Vec::new();
        for must in musts.iter().filter(|must| !must.is_right()) {
            edits.extend(must.edits(&copy)?);
        }
        Ok(apply(&copy.text, edits))
    }

    /// Leaves each name of a list with tags of just these levels.
    fn set_levels(&self, must: &mut Must, image: &Image, levels: &BTreeSet<Level>) {
        let mut last: BTreeMap<String, usize> = BTreeMap::new();
        for (index, part) in must.parts.iter_mut().enumerate() {
            let Some(tag) = part.expected.take() else {
                continue;
            };
            let split = self.names.split(&tag);
            last.insert(split.name.to_owned(), index);
            part.expected = levels.contains(&split.level).then_some(tag);
        }
        for (name, index) in last {
            for tag in levels
                .iter()
                .map(|level| level.render(&image.version, &name))
            {
                if !must
                    .parts
                    .iter()
                    .any(|part| part.expected.as_ref() == Some(&tag))
                {
                    must.missing.push((Some(index), tag));
                }
            }
        }
    }

    /// Where the comment begins that stands somewhere above an entry and names its line.
    fn heading(&self, index: usize) -> Option<usize> {
        let image = self.homes[index].image()?;
        let (start, end) = (
            self.manifest.paragraphs[index].span.end,
            self.manifest.paragraphs[index + 1].span.start,
        );
        let gap = &self.manifest.text[start..end];
        let line = format!("{}.{}", image.version.major, image.version.minor);
        let is_heading = |comment: &&str| comment.starts_with('#') && comment.contains(&line);
        gap.split_inclusive('\n')
            .any(|line| is_heading(&line))
            .then(|| start + gap.find('#').unwrap_or_default())
    }

    /// Puts a text in front of an entry, and of the comment that stands right above it, or in front of its line's heading.
    fn put_before(&self, index: usize, text: &str, heading: Option<usize>) -> Edit {
        let start = heading.unwrap_or(
            self.manifest
                .with_comment(&self.manifest.entries()[index])
                .start,
        );
        (start..start, format!("{text}{}", self.manifest.newline()))
    }

    /// Puts a text behind an entry.
    fn put_after(&self, index: usize, text: &str) -> Edit {
        let (end, newline) = (
            self.manifest.entries()[index].span.end,
            self.manifest.newline(),
        );
        let text = match self.manifest.text[..end].ends_with('\n') {
            true => format!("{newline}{text}"),
            // The last line had no end, and has none again.
            false => format!("{newline}{newline}{}", text.trim_end()),
        };
        (end..end, text)
    }
}

/// The tags that a file has.
struct Taken {
    own: BTreeSet<String>,
    shared: BTreeSet<(String, String)>,
}

impl Taken {
    fn new(manifest: &Manifest) -> Self {
        let mut taken = Self {
            own: BTreeSet::new(),
            shared: BTreeSet::new(),
        };
        for entry in manifest.entries() {
            let architectures = architectures(manifest, entry);
            for (name, _, tag) in manifest.tags(entry) {
                if name == "Tags" {
                    taken.own.insert(tag.to_string());
                } else {
                    taken.shared.extend(
                        architectures
                            .iter()
                            .map(|(_, architecture)| (tag.to_string(), architecture.clone())),
                    );
                }
            }
        }
        taken
    }

    /// Whether a new entry for those architectures cannot have that tag in that field.
    fn has(&self, field: &str, tag: &str, architectures: &[(usize, String)]) -> bool {
        let is_shared = |only: Option<&str>| {
            self.shared.iter().any(|(shared, architecture)| {
                shared == tag && only.is_none_or(|only| only == architecture)
            })
        };
        self.own.contains(tag)
            || match field {
                "Tags" => is_shared(None),
                _ => architectures.iter().any(|(_, architecture)| {
                    architecture != WINDOWS && is_shared(Some(architecture))
                }),
            }
    }
}

/// Every architecture that an image can be built for.
fn every(image: &Image) -> Vec<(usize, String)> {
    image
        .architectures
        .iter()
        .map(|architecture| (0, (*architecture).to_owned()))
        .collect()
}

/// The names of an image's tags, and those of the tags that it shares.
///
/// As Docker's official images have them: a system's smallest image has the tags without a name, the newest base the name
/// of its family.
fn names_of(image: &Image, images: &[Image]) -> (Vec<String>, Vec<String>) {
    let Variant { name, family, .. } = &image.variant;
    let is_windows = image.variant.is_windows();
    let beside = || {
        images.iter().filter(|other| {
            other.directory == image.directory && other.variant.is_windows() == is_windows
        })
    };
    let smallest = if is_windows { "nanoserver" } else { "scratch" };
    let is_smallest = if beside().any(|other| other.variant.family == smallest) {
        family == smallest
    } else {
        beside().next() == Some(image) || is_windows
    };
    let numbers = |variant: &Variant| -> Vec<u64> {
        variant
            .base
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect()
    };
    let newest = beside()
        .filter(|other| other.variant.family == *family)
        .max_by_key(|other| numbers(&other.variant));
    let (mut own, mut shared) = (vec![name.clone()], Vec::new());
    if is_windows && name != family {
        shared.push(family.clone());
    } else if newest == Some(image) && name != family {
        own.push(family.clone());
    }
    if is_smallest {
        shared.push(String::new());
        own.extend((!is_windows).then(|| "linux".to_owned()));
    }
    (own, shared)
}

/// An entry for an image that nothing in the file is like.
fn entry(
    image: &Image,
    images: &[Image],
    levels: &BTreeSet<Level>,
    architectures: &[(usize, String)],
    skip: &dyn Fn(&str, &str) -> bool,
) -> String {
    let (own, shared) = names_of(image, images);
    let mut text = String::new();
    let mut line = |name: &str, values: Vec<String>| {
        if !values.is_empty() {
            text.push_str(&format!("{name}: {}\n", values.join(", ")));
        }
    };
    for (field, names) in TAGS.into_iter().zip([own, shared]) {
        let tags = names.iter().flat_map(|name| {
            levels
                .iter()
                .map(|level| level.render(&image.version, name))
        });
        line(field, tags.filter(|tag| !skip(field, tag)).collect());
    }
    line(
        "Architectures",
        architectures
            .iter()
            .map(|(_, architecture)| architecture.clone())
            .collect(),
    );
    line("Directory", vec![image.path()]);
    line("Constraints", image.constraints.clone());
    text
}

/// A first file: what holds for all entries, then one for each image of each line that is released, the newest line first.
pub fn first(global: &[(&str, String)], images: &[Image]) -> String {
    let mut text: String = global
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    let mut lines: Vec<&Image> = Vec::new();
    for image in images
        .iter()
        .rev()
        .filter(|image| !is_preview(&image.version))
    {
        if !lines.iter().any(|line| line.line() == image.line()) {
            lines.push(image);
        }
    }
    for (index, newest) in lines.iter().enumerate() {
        let is_first_of_major = lines[..index]
            .iter()
            .all(|line| line.version.major != newest.version.major);
        let mut levels = BTreeSet::from([Level::Full, Level::Minor]);
        levels.extend((is_first_of_major && newest.version.major > 0).then_some(Level::Major));
        levels.extend((index == 0).then_some(Level::Bare));
        for image in images
            .iter()
            .filter(|image| image.directory == newest.directory)
        {
            text.push('\n');
            text.push_str(&entry(image, images, &levels, &every(image), &|_, _| false));
        }
    }
    text
}
