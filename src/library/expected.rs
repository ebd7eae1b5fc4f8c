//! What each part of an entry is expected to say, for the image that it is for. The one definition of it: the check reports
//! the parts that differ, the update writes them.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Result, bail};

use super::Names;
use super::entries::folder;
use super::images::Image;
use super::manifest::{Field, Manifest, Paragraph};
use crate::tag::Level;
use crate::version::Variant;

/// What a field is expected to say.
pub struct Expectation<'a> {
    /// Its name.
    pub name: String,
    /// The field, or where its line goes in a paragraph that lacks it.
    pub field: Result<&'a Field, usize>,
    /// The parts that it has.
    pub parts: Vec<Part>,
    /// The parts that it lacks.
    pub missing: Vec<String>,
}

/// A part of a field.
pub struct Part {
    /// Where it stands.
    pub span: Range<usize>,
    /// What it says.
    pub found: String,
    /// What it is expected to say; `None` where it is to go.
    pub expected: Option<String>,
    /// The rule that says so.
    pub rule: &'static str,
}

impl Part {
    /// Whether it says what is expected.
    pub fn is_right(&self) -> bool {
        self.expected.as_ref() == Some(&self.found)
    }
}

/// A span of the file, and what is put there.
pub type Edit = (Range<usize>, String);

impl Expectation<'_> {
    /// Whether the field says what is expected.
    pub fn is_right(&self) -> bool {
        self.missing.is_empty() && self.parts.iter().all(Part::is_right)
    }

    /// What the field is expected to say, part by part.
    pub fn values(&self) -> impl Iterator<Item = &String> {
        self.parts
            .iter()
            .filter_map(|part| part.expected.as_ref())
            .chain(&self.missing)
    }

    /// How the field comes to say it: each part in its place; where some come or go, all of them in one line, with the
    /// comments between them above it.
    pub fn edits(&self, manifest: &Manifest) -> Vec<Edit> {
        let values: Vec<&str> = self.values().map(String::as_str).collect();
        let newline = manifest.newline();
        let line = format!("{}: {}{newline}", self.name, values.join(", "));
        let field = match self.field {
            Ok(field) => field,
            Err(at) if manifest.text[..at].ends_with('\n') => return vec![(at..at, line)],
            // The last line had no end, and has none again.
            Err(at) => return vec![(at..at, format!("{newline}{}", line.trim_end()))],
        };
        let is_in_place =
            self.missing.is_empty() && self.parts.iter().all(|part| part.expected.is_some());
        if is_in_place {
            let wrong = self.parts.iter().filter(|part| !part.is_right());
            return wrong
                .filter_map(|part| Some((part.span.clone(), part.expected.clone()?)))
                .collect();
        }
        let text = &manifest.text[field.lines.clone()];
        let comments: String = text
            .split_inclusive('\n')
            .filter(|line| line.starts_with('#'))
            .collect();
        let line = if values.is_empty() {
            String::new()
        } else {
            line
        };
        let line = if text.ends_with('\n') {
            line
        } else {
            line.trim_end().to_owned()
        };
        vec![(field.lines.clone(), comments + &line)]
    }
}

/// What the fields of an entry for this image are expected to say.
pub fn expectations<'a>(
    manifest: &Manifest,
    entry: &'a Paragraph,
    image: &Image,
    names: &Names,
) -> Vec<Expectation<'a>> {
    let mut all = Vec::new();
    for field in &entry.fields {
        let name = &manifest.text[field.name.clone()];
        let parts = match name {
            "Tags" | "SharedTags" => tags(manifest, field, image, names),
            "Constraints" => hosts(manifest, field, image),
            _ if name == "Directory" || name.ends_with("-Directory") => {
                directory(manifest, entry, field, image)
            }
            _ => continue,
        };
        all.push(Expectation {
            name: name.to_owned(),
            field: Ok(field),
            parts,
            missing: Vec::new(),
        });
    }
    match all.iter_mut().find(|field| field.name == "Constraints") {
        Some(field) => {
            let has = |host: &&String| {
                field
                    .parts
                    .iter()
                    .any(|part| part.expected.as_ref() == Some(host))
            };
            field.missing = image
                .constraints
                .iter()
                .filter(|host| !has(host))
                .cloned()
                .collect();
        }
        None if !image.constraints.is_empty() => {
            let (name, field) = ("Constraints".to_owned(), Err(entry.span.end));
            all.push(Expectation {
                name,
                field,
                parts: Vec::new(),
                missing: image.constraints.clone(),
            });
        }
        None => {}
    }
    all
}

/// A field whose whole value is to be this.
pub fn whole<'a>(manifest: &Manifest, field: &'a Field, expected: &str) -> Expectation<'a> {
    let (found, expected) = (
        manifest.said(&field.value).into_owned(),
        Some(expected.to_owned()),
    );
    let part = Part {
        span: field.value.clone(),
        found,
        expected,
        rule: "commit",
    };
    let name = manifest.text[field.name.clone()].to_owned();
    Expectation {
        name,
        field: Ok(field),
        parts: vec![part],
        missing: Vec::new(),
    }
}

fn tags(manifest: &Manifest, field: &Field, image: &Image, names: &Names) -> Vec<Part> {
    let mut seen = BTreeSet::new();
    let part = |span: &Range<usize>| {
        let found = manifest.said(span).into_owned();
        let tag = names.split(&found);
        let name = name_of(tag.name, &image.variant);
        let rule = if name == tag.name {
            "version"
        } else {
            "variant"
        };
        let expected =
            Some(tag.level.render(&image.version, &name)).filter(|tag| seen.insert(tag.clone()));
        Part {
            span: span.clone(),
            found,
            expected,
            rule,
        }
    };
    field.items.iter().map(part).collect()
}

/// The name that a tag is to have: of another base of the variant's family, or of the family misspelt, the variant's own.
pub fn name_of(found: &str, variant: &Variant) -> String {
    match Variant::parse(found).filter(|other| variant.is_on(&other.family)) {
        Some(other) if !other.base.is_empty() => variant.name.clone(),
        Some(_) if variant.is_windows() => variant.family.clone(),
        _ => found.to_owned(),
    }
}

/// Whether a tag of an image may have this name.
pub fn is_name_of(name: &str, variant: &Variant) -> bool {
    let is_linux = name == "linux" && !variant.is_windows();
    name.is_empty() || name == variant.name || name == variant.family || is_linux
}

fn hosts(manifest: &Manifest, field: &Field, image: &Image) -> Vec<Part> {
    let mut left: Vec<&String> = image.constraints.iter().collect();
    let part = |span: &Range<usize>| {
        let found = manifest.said(span).into_owned();
        let family = Variant::parse(&found)
            .filter(Variant::is_windows)
            .map(|variant| variant.family);
        let expected = match family {
            // A condition of another kind is the maintainers' choice.
            None => Some(found.clone()),
            Some(family) => {
                let same = |host: &&String| {
                    Variant::parse(host).is_some_and(|variant| variant.family == family)
                };
                left.iter().position(same).map(|at| left.remove(at).clone())
            }
        };
        Part {
            span: span.clone(),
            found,
            expected,
            rule: "constraint",
        }
    };
    let mut parts: Vec<Part> = field.items.iter().map(part).collect();
    // A host of another family stands where the right one is expected.
    for part in parts.iter_mut().filter(|part| part.expected.is_none()) {
        part.expected = (!left.is_empty()).then(|| left.remove(0).clone());
    }
    parts
}

/// The folder; of one architecture, what it is below the folder of the others.
fn directory(manifest: &Manifest, entry: &Paragraph, field: &Field, image: &Image) -> Vec<Part> {
    let found = manifest.said(&field.value).into_owned();
    let parts: Vec<&str> = found
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    let is_own = Some(parts.join("/")) == folder(manifest, entry);
    let family = parts
        .get(1)
        .and_then(|name| Variant::parse(name))
        .map(|variant| variant.family);
    let expected = match parts.as_slice() {
        // An empty part, or a `.`, makes no difference.
        _ if parts.join("/") == image.path() => found.clone(),
        [_, _, rest @ ..] if is_own || family.as_ref() == Some(&image.variant.family) => {
            [&[image.path().as_str()], rest].concat().join("/")
        }
        _ => found.clone(),
    };
    vec![Part {
        span: field.value.clone(),
        found,
        expected: Some(expected),
        rule: "directory",
    }]
}

/// The tags of a version and some names, each name with each of these levels, in their order.
pub fn tags_of<'a>(image: &Image, names: &'a [String], levels: &'a BTreeSet<Level>) -> Vec<String> {
    names
        .iter()
        .flat_map(|name| {
            levels
                .iter()
                .map(|level| level.render(&image.version, name))
        })
        .collect()
}

/// A text with spans replaced.
pub fn apply(text: &str, mut edits: Vec<Edit>) -> Result<String> {
    // Stable: what is put in at one place stays in its order, and in front of what is replaced there.
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (span, new) in edits {
        if span.start < from {
            bail!("two edits of one place");
        }
        out.push_str(&text[from..span.start]);
        out.push_str(&new);
        from = span.end;
    }
    out.push_str(&text[from..]);
    Ok(out)
}

/// The names of an image's tags, and those of the tags that it shares.
///
/// As Docker's official images have them: a system's smallest image has the tags without a name, the newest base the name
/// of its family.
pub(super) fn names_of(image: &Image, images: &[Image]) -> (Vec<String>, Vec<String>) {
    let Variant { name, family, .. } = &image.variant;
    let is_windows = image.variant.is_windows();
    let beside = || {
        images.iter().filter(|other| {
            other.directory == image.directory && other.variant.is_windows() == is_windows
        })
    };
    let smallest = if is_windows { "nanoserver" } else { "scratch" };
    let has_smallest = beside().any(|other| other.variant.family == smallest);
    let is_smallest = if has_smallest {
        family == smallest
    } else {
        is_windows || beside().next() == Some(image)
    };
    let newest = beside()
        .filter(|other| other.variant.family == *family)
        .max_by_key(|other| other.variant.base_numbers());
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
