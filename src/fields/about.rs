//! What the parts of a workflow are about: the version directory that a job, a step or a command names.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use semver::Version;

use super::workflow::Structure;
use super::{Field, Kind, found, runners};
use crate::repository::config::Pattern;

/// Finds out what each job is about: the version directory that its paths and its matrix name alone, else the one that
/// anything in it does, else the one that it is named after.
fn name_jobs(structure: &mut Structure, text: &[u8], fields: &[Field], pattern: &Pattern) {
    let is_name = |field: &&Field| field.is_directory() && structure.is_said(field.span.start);
    let mut named = fields.iter().filter(is_name).peekable();
    let mut all = Vec::new();
    for job in &structure.jobs {
        let (mut paths, mut items, mut others) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        while let Some(field) = named.next_if(|field| field.span.start < job.part.span.end) {
            let names = match field.kind {
                _ if field.span.start < job.part.span.start => continue,
                Kind::Directory { is_certain: true } => &mut paths,
                _ if structure.is_in_matrix(field.span.start) => &mut items,
                _ => &mut others,
            };
            names.insert(found(text, &field.span));
        }
        // `go: [1.22.x]` is another program's.
        let major = |name: &str| name.split('.').next().map(str::to_owned);
        let majors: BTreeSet<_> = paths.iter().map(|name| major(name)).collect();
        items.retain(|name| majors.is_empty() || majors.contains(&major(name)));
        paths.extend(items);
        let names = if paths.is_empty() { others } else { paths };
        all.push(match names.len() {
            0 => named_after(&text[job.name.clone()], pattern),
            1 => names.first().map(|name| (**name).into()),
            _ => None,
        });
    }
    for (job, directory) in structure.jobs.iter_mut().zip(all) {
        job.directory = directory;
    }
}

/// What the commands and the items of lists are about: the version directories that they name, in paths before others. By the
/// line with which each begins, and whether that is an item: `None` where it names several.
#[derive(Default)]
struct Parts {
    by_paths: BTreeMap<(usize, bool), Option<Box<str>>>,
    by_any: BTreeMap<(usize, bool), Option<Box<str>>>,
}

impl Parts {
    /// The parts that a line is in, the smallest first.
    fn around(structure: &Structure, line: usize) -> impl Iterator<Item = (usize, bool)> {
        let lines = &structure.lines;
        let numbers = std::iter::successors(Some(line), |line| lines[*line].above);
        let items = numbers.filter(|number| lines[*number].is_item);
        let items = items.map(|number| (number, true));
        std::iter::once((lines[line].command, false)).chain(items)
    }

    fn of(text: &[u8], structure: &Structure, fields: &[Field]) -> Self {
        let mut parts = Self::default();
        let named = fields
            .iter()
            .filter(|field| field.is_directory() && structure.is_said(field.span.start));
        for field in named {
            let (line, name) = (
                structure.line_at(field.span.start),
                found(text, &field.span),
            );
            let named = match field.kind {
                Kind::Directory { is_certain: true } => &mut parts.by_paths,
                _ => &mut parts.by_any,
            };
            for part in Self::around(structure, line) {
                let known = named.get(&part);
                // What is above knows it too, then.
                if known.is_some_and(|known| known.as_deref().is_none_or(|known| *known == *name)) {
                    break;
                }
                let several = known.is_some();
                named.insert(part, (!several).then(|| (*name).into()));
            }
        }
        parts
    }

    /// The version directory that the smallest part around a line is about, of those that name any; else what its job is.
    fn directory(&self, structure: &Structure, line: usize) -> Option<Box<str>> {
        let mut around = Self::around(structure, line);
        let named = |part| self.by_paths.get(&part).or(self.by_any.get(&part));
        match around.find_map(named) {
            Some(named) => named.clone(),
            None => structure
                .job_at(structure.lines[line].span.start)?
                .directory
                .clone(),
        }
    }
}

/// The series that the name of a job ends in or has in it, as a version directory: `2.14.x` of `linux-2_14`.
fn named_after(name: &[u8], directory: &Pattern) -> Option<Box<str>> {
    let name = std::str::from_utf8(name).ok()?;
    let parts: Vec<&str> = name.split(['-', '_']).collect();
    let version = |two: &[&str]| Some(Version::new(two[0].parse().ok()?, two[1].parse().ok()?, 0));
    let version = parts.windows(2).skip(1).find_map(version)?;
    directory
        .has_series()
        .then(|| directory.render(&version).into())
}

/// The structure of a text. Adds to its fields what depends on that: the runners, and the series that each variant belongs to.
pub(super) fn complete(
    text: &[u8],
    pattern: &Pattern,
    fields: &mut Vec<Field>,
    runners: &[usize],
) -> Structure {
    let mut structure = Structure::new(text);
    name_jobs(&mut structure, text, fields, pattern);
    let parts = Parts::of(text, &structure, fields);
    let lines = &structure.lines;
    // What the parts around a line are about that was asked for last.
    let mut around: (usize, Option<Box<str>>) = (usize::MAX, None);
    let mut last: Option<Range<usize>> = None;
    // The folder of scripts that a step has gone to: where the step begins, and the version directory.
    let mut step = 0;
    let mut went_to: Option<(usize, Box<str>)> = None;
    let mut line = 0;
    fields.retain_mut(|field| {
        let at = field.span.start;
        let begins = |line: usize| lines.get(line).is_some_and(|next| next.span.start <= at);
        while begins(line + 1) {
            line += 1;
            if lines[line].is_item {
                step = line;
            }
        }
        let above = last.as_ref().filter(|last| last.end + 1 == at);
        let in_path = above.map(|last| found(text, last).into());
        // `2.14.x/tests/build-images.sh`
        let in_tests = last.as_ref().filter(|last| {
            let between = text.get(last.end..at).unwrap_or_default();
            between == b"/tests/" || between == br"\tests\"
        });
        let in_tests = in_tests.map(|last| found(text, last).into());
        last = field.is_directory().then(|| field.span.clone());
        if field.is_directory() && text[field.span.end..].get(1..6) == Some(b"tests") {
            went_to = Some((step, found(text, &field.span).into()));
        }
        let gone_to = || {
            let (at, name) = went_to.as_ref()?;
            (*at == step).then(|| name.clone())
        };
        if around.0 != line && !lines.is_empty() {
            around = (line, parts.directory(&structure, line));
        }
        let of_part = || around.1.clone();
        let here = lines.get(line).filter(|line| line.span.contains(&at));
        field.in_comment |= here.is_some_and(|line| at >= line.end);
        match &mut field.kind {
            Kind::TagVariant => {
                field.kind = Kind::Variant {
                    directory: of_part(),
                }
            }
            Kind::Variant { directory } => *directory = in_path.or_else(of_part),
            Kind::Script { directory } => *directory = in_tests.or_else(gone_to).or_else(of_part),
            Kind::Caption { family, directory } => {
                let is_name = here.is_some_and(|line| {
                    let is_key = line.keys.iter().any(|key| key.contains(&at));
                    is_key || line.key(text) == Some(b"name")
                });
                if is_name || field.in_comment {
                    *directory = of_part();
                } else if family.is_some() {
                    return false;
                } else {
                    *directory = in_path.or_else(of_part);
                }
            }
            _ => {}
        }
        true
    });
    let labels = runners::labels(text, &structure, runners);
    if !labels.is_empty() {
        fields.extend(labels);
        fields.sort_by_key(|field| field.span.start);
    }
    structure
}
