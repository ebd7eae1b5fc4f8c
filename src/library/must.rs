//! What each part of an entry must say, for the image that it is for. The one definition of it: the check reports the parts
//! that differ, the update writes them.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::bail;

use super::entries::folder;
use super::images::Image;
use super::manifest::{Field, Manifest, Paragraph};
use super::tags::Names;
use crate::version::Variant;

/// What a field must say.
pub struct Must<'a> {
    /// Its name.
    pub name: String,
    /// The field, or where its line goes in a paragraph that lacks it.
    pub field: Result<&'a Field, usize>,
    /// The parts that it has.
    pub parts: Vec<Part>,
    /// The parts that it lacks, each with the number of the part that it must follow; `None` is the last.
    pub missing: Vec<(Option<usize>, String)>,
}

/// A part of a field.
pub struct Part {
    /// Where it stands.
    pub span: Range<usize>,
    /// What it says.
    pub found: String,
    /// What it must say; `None` where it must go.
    pub expected: Option<String>,
    /// The rule that says so.
    pub rule: &'static str,
}

impl Part {
    /// Whether it says what it must.
    pub fn is_right(&self) -> bool {
        self.expected.as_ref() == Some(&self.found)
    }
}

/// A span of the file, and what is put there.
pub type Edit = (Range<usize>, String);

impl Must<'_> {
    /// Whether the field says what it must.
    pub fn is_right(&self) -> bool {
        self.missing.is_empty() && self.parts.iter().all(Part::is_right)
    }

    /// How the field comes to say what it must, the rest of its layout kept. An error where that would lose a comment.
    pub fn edits(&self, manifest: &Manifest) -> anyhow::Result<Vec<Edit>> {
        let field = match self.field {
            Ok(field) => field,
            Err(at) => {
                let missing: Vec<&str> =
                    self.missing.iter().map(|(_, text)| text.as_str()).collect();
                let newline = manifest.newline();
                let (before, after) = if manifest.text[..at].ends_with('\n') {
                    ("", newline)
                } else {
                    (newline, "")
                };
                return Ok(vec![(
                    at..at,
                    format!("{before}{}: {}{after}", self.name, missing.join(", ")),
                )]);
            }
        };
        let nothing_kept = self.parts.iter().all(|part| part.expected.is_none());
        if self.missing.is_empty() && nothing_kept {
            return cut(manifest, field.lines.clone()).map(|edit| vec![edit]);
        }
        let mut edits = Vec::new();
        for part in self.parts.iter().filter(|part| !part.is_right()) {
            edits.extend(
                part.expected
                    .clone()
                    .map(|expected| (part.span.clone(), expected)),
            );
        }
        let mut runs: Vec<Range<usize>> = Vec::new();
        for (index, _) in self
            .parts
            .iter()
            .enumerate()
            .filter(|(_, part)| part.expected.is_none())
        {
            match runs.last_mut().filter(|run| run.end == index) {
                Some(run) => run.end = index + 1,
                None => runs.push(index..index + 1),
            }
        }
        for Range { start, end } in runs {
            let span = |part: &Part| part.span.clone();
            let ahead = self
                .parts
                .get(end)
                .map(|next| self.parts[start].span.start..span(next).start);
            let behind = start
                .checked_sub(1)
                .map(|last| self.parts[last].span.end..self.parts[end - 1].span.end);
            let has_comment = |range: &Range<usize>| manifest.text[range.clone()].contains("\n#");
            let range = ahead
                .filter(|range| !has_comment(range))
                .or(behind)
                .unwrap_or(field.value.clone());
            edits.push(cut(manifest, range)?);
        }
        for (after, text) in &self.missing {
            let index = after.unwrap_or(self.parts.len().saturating_sub(1));
            let end = self
                .parts
                .get(index)
                .map_or(field.value.end, |part| part.span.end);
            let is_first = nothing_kept && text == &self.missing[0].1;
            let comma = if is_first { "" } else { ", " };
            edits.push((end..end, format!("{comma}{text}")));
        }
        Ok(edits)
    }
}

/// The edit that takes a span out, which must not hold a comment.
fn cut(manifest: &Manifest, span: Range<usize>) -> anyhow::Result<Edit> {
    let text = &manifest.text[span.clone()];
    if text.starts_with('#') || text.contains("\n#") {
        let line = manifest.text[..span.start].matches('\n').count() + 1;
        bail!(
            "line {line}: a comment stands among what must be taken out: put it above its field, then run this again"
        );
    }
    Ok((span, String::new()))
}

/// What the fields of an entry for this image must say.
pub fn musts<'a>(
    manifest: &Manifest,
    entry: &'a Paragraph,
    image: &Image,
    names: &Names,
) -> Vec<Must<'a>> {
    let mut musts = Vec::new();
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
        musts.push(Must {
            name: name.to_owned(),
            field: Ok(field),
            parts,
            missing: Vec::new(),
        });
    }
    let all = image.constraints.iter();
    let constraints = musts.iter_mut().find(|must| must.name == "Constraints");
    match constraints {
        Some(must) => {
            let has = |host: &&String| {
                must.parts
                    .iter()
                    .any(|part| part.expected.as_ref() == Some(host))
            };
            let missing: Vec<String> = all.filter(|host| !has(host)).cloned().collect();
            must.missing = missing.into_iter().map(|host| (None, host)).collect();
        }
        None if !image.constraints.is_empty() => {
            let missing = all.map(|host| (None, host.clone())).collect();
            musts.push(Must {
                name: "Constraints".to_owned(),
                field: Err(entry.span.end),
                parts: Vec::new(),
                missing,
            });
        }
        None => {}
    }
    musts
}

fn tags(manifest: &Manifest, field: &Field, image: &Image, names: &Names) -> Vec<Part> {
    let mut seen = BTreeSet::new();
    let mut part = |span: &Range<usize>| {
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
    field.items.iter().map(&mut part).collect()
}

/// The name that a tag must have: of another base of the variant's family, or of the family misspelt, the variant's own.
pub fn name_of(found: &str, variant: &Variant) -> String {
    match Variant::parse(found) {
        Some(other) if !other.base.is_empty() && variant.is_on(&other.family) => {
            variant.name.clone()
        }
        Some(other)
            if other.base.is_empty() && variant.is_windows() && variant.is_on(&other.family) =>
        {
            variant.family.clone()
        }
        _ => found.to_owned(),
    }
}

/// Whether a tag of an image may have this name.
pub fn is_name_of(name: &str, variant: &Variant) -> bool {
    name.is_empty()
        || name == variant.name
        || name == variant.family
        || name == "linux" && !variant.is_windows()
}

fn hosts(manifest: &Manifest, field: &Field, image: &Image) -> Vec<Part> {
    let mut left: Vec<&String> = image.constraints.iter().collect();
    let mut part = |span: &Range<usize>| {
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
    let mut parts: Vec<Part> = field.items.iter().map(&mut part).collect();
    // A host of another family stands where the right one must.
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
