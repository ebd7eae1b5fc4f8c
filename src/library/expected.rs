//! What each part of an entry is expected to say, for the image that it is for. The one definition of it: the check reports
//! the parts that differ, the update writes them, and a new entry is made of nothing else.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Result, ensure};

use super::entries::{Home, folder, plain};
use super::format::misshapen;
use super::images::Image;
use super::levels::{Held, Owners};
use super::manifest::{Field, Manifest, Paragraph};
use crate::tag::{Endings, Level};
use crate::text::{is_like, spliced};
use crate::version::Variant;

/// What a field is expected to say.
pub struct Expectation<'a> {
    /// Its name.
    pub name: String,
    /// The field, or where its line goes in a paragraph that lacks it.
    pub field: Result<&'a Field, usize>,
    /// Its parts, in their order.
    pub parts: Vec<Part>,
}

/// A part of a field.
pub struct Part {
    /// Where it stands; `None` where it is missing.
    pub span: Option<Range<usize>>,
    /// What it says.
    pub found: String,
    /// What it is expected to say; `None` where it is to go.
    pub expected: Option<String>,
    /// The rule that says so.
    pub rule: &'static str,
}

impl Part {
    /// A part that is there.
    fn new(
        span: &Range<usize>,
        found: String,
        expected: Option<String>,
        rule: &'static str,
    ) -> Self {
        let span = Some(span.clone());
        Self {
            span,
            found,
            expected,
            rule,
        }
    }

    fn missing(expected: String, rule: &'static str) -> Self {
        let (span, found, expected) = (None, String::new(), Some(expected));
        Self {
            span,
            found,
            expected,
            rule,
        }
    }

    /// Whether it says what is expected.
    pub fn is_right(&self) -> bool {
        self.span.is_some() && self.expected.as_ref() == Some(&self.found)
    }
}

/// A span of the file, and what is put there.
pub type Edit = (Range<usize>, String);

/// What the entries of a file are compared with, besides the image that each is for.
pub struct Context<'a> {
    /// What its tags are split with.
    pub names: Endings,
    /// Which releases have the tags that only one can have at a time.
    pub owners: Owners<'a>,
    /// Which levels its tags have.
    pub held: Held<'a>,
}

impl<'a> Context<'a> {
    /// That of a file whose entries are for those images, with one that it will offer too.
    pub fn new(
        manifest: &Manifest,
        names: Endings,
        homes: &[Home<'a>],
        more: Option<&'a Image>,
    ) -> Self {
        let owners = Owners::new(homes.iter().filter_map(Home::image).chain(more));
        let held = Held::new(manifest, homes, &owners, &names);
        Self {
            names,
            owners,
            held,
        }
    }
}

impl<'a> Expectation<'a> {
    fn of(name: &str, field: Result<&'a Field, usize>, parts: Vec<Part>) -> Self {
        let name = name.to_owned();
        Self { name, field, parts }
    }

    /// A field whose whole value is to be this.
    pub fn whole(manifest: &Manifest, field: &'a Field, expected: &str) -> Self {
        let found = manifest.said(&field.value).into_owned();
        let part = Part::new(&field.value, found, Some(expected.to_owned()), "commit");
        Self::of(manifest.name(field), Ok(field), vec![part])
    }

    /// A field that is not there, with where its line goes.
    pub fn missing(name: &str, at: usize, values: &[String], rule: &'static str) -> Self {
        let values = values.iter();
        let parts = values.map(|value| Part::missing(value.clone(), rule));
        Self::of(name, Err(at), parts.collect())
    }

    /// Whether the field says what is expected.
    pub fn is_right(&self) -> bool {
        self.parts.iter().all(Part::is_right)
    }

    /// What the field is expected to say, part by part.
    pub fn values(&self) -> impl Iterator<Item = &String> {
        self.parts.iter().filter_map(|part| part.expected.as_ref())
    }

    /// How the field comes to say it: each part in its place; where some come or go, all of them in one line, with the
    /// comments between them above it.
    pub fn edits(&self, manifest: &Manifest) -> Vec<Edit> {
        let values: Vec<&str> = self.values().map(String::as_str).collect();
        let newline = manifest.newline;
        let line = format!("{}: {}{newline}", self.name, values.join(", "));
        let field = match self.field {
            Ok(field) => field,
            Err(at) if manifest.text[..at].ends_with('\n') => return vec![(at..at, line)],
            // The last line had no end, and has none again.
            Err(at) => return vec![(at..at, format!("{newline}{}", line.trim_end()))],
        };
        let in_place = self.parts.iter().map(|part| {
            let edit = part.span.clone().zip(part.expected.clone())?;
            Some((!part.is_right()).then_some(edit))
        });
        if let Some(edits) = in_place.collect::<Option<Vec<Option<Edit>>>>() {
            return edits.into_iter().flatten().collect();
        }
        let text = &manifest.text[field.lines.clone()];
        let lines = text.split_inclusive('\n');
        let comments = lines.filter(|line| line.starts_with('#'));
        let line = match values.is_empty() {
            true => "",
            false if text.ends_with('\n') => &line,
            false => line.trim_end(),
        };
        vec![(field.lines.clone(), comments.collect::<String>() + line)]
    }
}

/// What the fields of an entry for this image are expected to say. A new entry is made like one that is there.
pub fn expectations<'a>(
    manifest: &Manifest,
    entry: &'a Paragraph,
    (image, is_new): (&Image, bool),
    context: &Context,
) -> Vec<Expectation<'a>> {
    let mut all = Vec::new();
    for field in &entry.fields {
        let name = manifest.name(field);
        let parts = match name {
            "Tags" | "SharedTags" => tags(manifest, field, (image, is_new), context),
            "Constraints" => constraints(manifest, field, image),
            _ if manifest.bare_name(field) == "Directory" => {
                directory(manifest, entry, field, image)
            }
            _ => continue,
        };
        all.push(Expectation::of(name, Ok(field), parts));
    }
    let has_hosts = all.iter().any(|field| field.name == "Constraints");
    if !has_hosts && !image.constraints.is_empty() {
        let (at, hosts) = (entry.span.end, &image.constraints);
        all.push(Expectation::missing("Constraints", at, hosts, "constraint"));
    }
    all
}

/// The tags of a field, each moved to the image's version and variant. Those that are another release's now are dropped, and
/// those that are this one's now are added.
fn tags(
    manifest: &Manifest,
    field: &Field,
    (image, is_new): (&Image, bool),
    context: &Context,
) -> Vec<Part> {
    let wanted = is_new.then(|| context.held.of_new(image, &context.owners));
    let own = names_for(&image.variant);
    let mut seen = BTreeSet::new();
    let mut parts: Vec<(String, Part)> = Vec::new();
    for span in field.items.iter().filter(|span| !span.is_empty()) {
        let found = manifest.said(span).into_owned();
        let tag = context.names.split(&found);
        let name = name_of(tag.name, &image.variant);
        // What nobody can read as a tag of the image is left to whoever wrote it.
        let is_unread = tag.level == Level::Bare && !own.contains(&name);
        if is_unread || misshapen("Tags", &found).is_some() {
            let same = (!is_new).then(|| found.clone());
            parts.push((name, Part::new(span, found, same, "variant")));
            continue;
        }
        let right = tag.level.render(&image.version, &name);
        let stays = match &wanted {
            Some(wanted) => wanted.contains(&tag.level),
            None => context.owners.other(image, tag.level).is_none(),
        };
        let rule = match name == tag.name {
            _ if !stays => "latest",
            true => "version",
            false => "variant",
        };
        let expected = (stays && seen.insert(right.clone())).then_some(right);
        parts.push((name, Part::new(span, found, expected, rule)));
    }
    for name in own {
        for level in Level::ALL {
            let tag = level.render(&image.version, &name);
            let last = parts.iter().rposition(|(other, _)| *other == name);
            let is_missing = match &wanted {
                Some(wanted) => wanted.contains(&level),
                None => context.held.lacks(image, level, &tag, &context.owners),
            };
            if let Some(last) = last.filter(|_| is_missing && !seen.contains(&tag)) {
                parts.insert(last + 1, (name.clone(), Part::missing(tag, "latest")));
            }
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

/// The name that a tag should have: the variant's own for another base of the family, on Windows the family for its end alone.
pub fn name_of(found: &str, variant: &Variant) -> String {
    match Variant::parse(found).filter(|other| variant.is_on(&other.family)) {
        Some(other) if !other.base.is_empty() => variant.name.clone(),
        Some(_) if variant.is_windows() => variant.family.clone(),
        _ => found.to_owned(),
    }
}

/// The names that the tags of an image may have.
pub fn names_for(variant: &Variant) -> BTreeSet<String> {
    let own = [&variant.name, &variant.family].map(String::clone);
    let mut names = BTreeSet::from_iter(own);
    names.insert(String::new());
    names.extend((!variant.is_windows()).then(|| "linux".to_owned()));
    names
}

/// The hosts that are needed, also in the place of what looks like one; a condition of another kind is the maintainers' choice.
fn constraints(manifest: &Manifest, field: &Field, image: &Image) -> Vec<Part> {
    // An empty item is the format's business.
    let items = field.items.iter().filter(|item| !item.is_empty());
    let found = items.clone().map(|item| manifest.said(item).into_owned());
    let found: Vec<String> = found.collect();
    let is_host = |name: &&String| {
        let name = name.to_lowercase();
        let mut needed = image.constraints.iter();
        Variant::parse(&name).is_some_and(|host| host.is_windows())
            || name.contains(' ')
            || needed.any(|host| is_like(host, &name))
    };
    let others = found.iter().filter(|name| !is_host(name));
    let mut wanted: Vec<String> = image.constraints.iter().chain(others).cloned().collect();
    if found.len() == wanted.len() && wanted.iter().all(|host| found.contains(host)) {
        wanted.clone_from(&found);
    }
    let mut wanted = wanted.into_iter();
    let part = |(span, found)| Part::new(span, found, wanted.next(), "constraint");
    let mut parts: Vec<Part> = items.zip(found).map(part).collect();
    parts.extend(wanted.map(|host| Part::missing(host, "constraint")));
    parts
}

/// The folder; of one architecture, what it is below the folder of the others.
fn directory(manifest: &Manifest, entry: &Paragraph, field: &Field, image: &Image) -> Vec<Part> {
    let found = manifest.said(&field.value).into_owned();
    let said = plain(&found);
    let parts: Vec<&str> = said.split('/').collect();
    let is_own = Some(&said) == folder(manifest, entry).as_ref();
    let family = |name: &&str| Variant::parse(name).map(|variant| variant.family);
    let is_family = || parts.get(1).and_then(family).as_ref() == Some(&image.variant.family);
    let expected = match parts.as_slice() {
        // An empty part, or a `.`, makes no difference.
        _ if said == image.path() => found.clone(),
        [_, _, rest @ ..] if is_own || is_family() => {
            [&[image.path().as_str()], rest].concat().join("/")
        }
        _ => found.clone(),
    };
    vec![Part::new(&field.value, found, Some(expected), "directory")]
}

/// A text with spans replaced.
pub fn apply(text: &str, mut edits: Vec<Edit>) -> Result<String> {
    // Stable: what is put in at one place stays in its order, and in front of what is replaced there.
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let mut pairs = edits.windows(2);
    let is_apart = pairs.all(|two| two[0].0.end <= two[1].0.start);
    ensure!(is_apart, "two edits of one place");
    Ok(spliced(text, edits))
}
