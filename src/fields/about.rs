//! What the parts of a workflow are about: the version directory that a job, a step or a command names.

use std::collections::BTreeMap;

use semver::Version;

use super::spans::{has, is_tag, trimmed_end};
use super::workflow::{SETTINGS, Structure};
use super::{Field, Kind, found, runners};
use crate::repository::config::Pattern;

/// The version directory that each command, item of a list and job is about: the one that it names, in paths and matrices before
/// anything else; `None` where it names several. Each by the line with which it begins, and whether it is a command.
#[derive(Default)]
struct Parts {
    by_paths: BTreeMap<(usize, bool), Option<Box<str>>>,
    by_any: BTreeMap<(usize, bool), Option<Box<str>>>,
    /// The version directory of the folder to which a step has gone, for each line.
    here: Vec<Option<Box<str>>>,
}

impl Parts {
    /// The parts that a line is in, the smallest first.
    fn around(structure: &Structure, line: usize) -> impl Iterator<Item = (usize, bool)> {
        let lines = &structure.lines;
        let job = structure.job_at(lines[line].span.start);
        let job = job.map(|job| job.part.lines.start);
        let parts = structure
            .upwards(line)
            .filter(move |number| lines[*number].is_item || Some(*number) == job);
        let parts = parts.map(|number| (number, false));
        std::iter::once((lines[line].command, true)).chain(parts)
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
            let in_matrix = structure.is_in_matrix(field.span.start);
            let named = match field.kind {
                Kind::Directory { is_certain: true } => &mut parts.by_paths,
                _ if in_matrix => &mut parts.by_paths,
                _ => &mut parts.by_any,
            };
            for part in Self::around(structure, line) {
                let known = named.get(&part);
                // Then the parts around it have it too.
                if known.is_some_and(|known| known.as_deref().is_none_or(|known| *known == *name)) {
                    break;
                }
                let several = known.is_some();
                named.insert(part, (!several).then(|| (*name).into()));
            }
        }
        let mut here = None;
        for line in &structure.lines {
            // A step begins where the repository is.
            if line.is_item || line.key(text) == Some(b"run") {
                here = None;
            }
            if let Some(named) = parts
                .named((line.command, true))
                .filter(|_| line.destination(text).is_some())
            {
                here = named.clone();
            }
            parts.here.push(here.clone());
        }
        parts
    }

    fn named(&self, part: (usize, bool)) -> Option<&Option<Box<str>>> {
        self.by_paths.get(&part).or(self.by_any.get(&part))
    }

    /// The version directory that the smallest part around a line names, of those that name any; else that of its job.
    fn directory(&self, structure: &Structure, line: usize) -> Option<Box<str>> {
        let mut around = Self::around(structure, line);
        let command = around.next().and_then(|command| self.named(command));
        let here = || self.here[line].is_some().then(|| &self.here[line]);
        let named = command.or_else(here);
        match named.or_else(|| around.find_map(|part| self.named(part))) {
            Some(named) => named.clone(),
            None => structure
                .job_at(structure.lines[line].span.start)?
                .directory
                .clone(),
        }
    }
}

/// Whether the folder in front of a name is called like a version directory, and is none of ours, or it would be known:
/// `HEAD~5:2.8.x/alpine3.15`.
fn is_below_other(text: &[u8], at: usize, pattern: &Pattern) -> bool {
    let above = text[..at].strip_suffix(b"/");
    let name = above.map(|above| &above[trimmed_end(above, is_tag).len()..]);
    name.is_some_and(|name| pattern.is_name(name))
}

/// What an input is called, in part, whose value is the name of a version directory.
const INPUTS: [&[u8]; 5] = [b"series", b"dir", b"folder", b"release", b"line"];

/// Whether a place is the value of such an input of a workflow or an action of this repository.
fn is_given(text: &[u8], structure: &Structure, at: usize) -> bool {
    let number = structure.line_at(at);
    let line = structure.lines.get(number);
    let key = line.and_then(|line| line.key_before(at));
    let is_one = key.is_some_and(|key| INPUTS.iter().any(|name| has(&text[key.clone()], name)));
    if !is_one || !structure.is_below(text, number, b"with") {
        return false;
    }
    let step = structure.item_at(at).map(|step| step.lines);
    let job = || structure.job_at(at).map(|job| job.part.lines.clone());
    let lines = structure.lines[step.or_else(job).unwrap_or_default()].iter();
    // Nobody writes it further down.
    let mut uses = lines
        .take(64)
        .filter(|line| line.key(text) == Some(b"uses"));
    uses.any(|line| has(&text[line.span.start..line.end], b" ./"))
}

/// The series in a name, as a version directory: `2.14.x` of `linux-2_14`.
fn named_after(name: &[u8], directory: &Pattern) -> Option<Box<str>> {
    let name = std::str::from_utf8(name).ok()?;
    let parts: Vec<&str> = name.split(['-', '_']).collect();
    let version = |two: &[&str]| Some(Version::new(two[0].parse().ok()?, two[1].parse().ok()?, 0));
    let version = parts.windows(2).skip(1).find_map(version)?;
    directory
        .has_series()
        .then(|| directory.render(&version).into())
}

/// The series after which a variable or an output is called: `2.14.x` of `ALPINE_2_14`.
fn of_setting(
    text: &[u8],
    structure: &Structure,
    line: usize,
    pattern: &Pattern,
) -> Option<Box<str>> {
    let lines = &structure.lines;
    let above = lines[lines[line].above?].key(text)?;
    let is_setting = SETTINGS.contains(&above);
    let key = lines[line].key(text).filter(|_| is_setting)?;
    named_after(key, pattern)
}

/// The structure of a text. Adds to its fields what depends on that: the runners, and the series that each variant belongs to.
pub(super) fn complete(text: &[u8], pattern: &Pattern, fields: &mut Vec<Field>) -> Structure {
    let mut structure = Structure::new(text);
    let parts = Parts::of(text, &structure, fields);
    // `defaults: {run: {working-directory: ./2.14.x/tests}}` in front of the jobs
    let is_default = |field: &&Field| {
        let at = field.span.start;
        let is_below = || structure.is_below(text, structure.line_at(at), b"defaults");
        field.is_directory() && structure.job_at(at).is_none() && is_below()
    };
    let default = fields.iter().find(is_default);
    let default: Option<Box<str>> = default.map(|field| found(text, &field.span).into());
    for job in &mut structure.jobs {
        job.directory = match parts.named((job.part.lines.start, false)) {
            Some(named) => named.clone(),
            None => named_after(&text[job.name.clone()], pattern).or(default.clone()),
        };
    }
    let lines = &structure.lines;
    // The line that was asked for last, and what the parts around it are about.
    let mut around: (usize, Option<Box<str>>) = (usize::MAX, None);
    let taken = runners::taken(text, &structure);
    fields.retain_mut(|field| {
        let at = field.span.start;
        let line = structure.line_at(at);
        let here = lines.get(line).filter(|line| line.span.contains(&at));
        // A comment is about what follows it.
        let about = line.min(lines.len().saturating_sub(1));
        if around.0 != about && !lines.is_empty() {
            let of_key = of_setting(text, &structure, about, pattern);
            around = (about, of_key.or_else(|| parts.directory(&structure, about)));
        }
        let of_part = || around.1.clone();
        field.in_comment |= here.is_some_and(|line| at >= line.end);
        match &mut field.kind {
            Kind::Directory { is_certain } => *is_certain |= is_given(text, &structure, at),
            Kind::TagVariant => {
                field.kind = Kind::Variant {
                    directory: of_part(),
                }
            }
            Kind::Variant { directory: None } if is_below_other(text, at, pattern) => return false,
            // What stands in a path has its directory already.
            Kind::Variant { directory } | Kind::Script { directory } => {
                *directory = directory.take().or_else(of_part);
            }
            Kind::Runner { is_asked, .. } => {
                let place = (at, line);
                *is_asked = runners::is_asked(text, &taken, at);
                let is_label = || runners::is_label((text, &structure), &taken, place);
                return here.is_some() && !field.in_comment && (*is_asked || is_label());
            }
            Kind::Caption { family, directory } => {
                let is_name = here.is_some_and(|line| {
                    let is_key = line.keys.iter().any(|key| key.contains(&at));
                    is_key || line.key(text) == Some(b"name")
                });
                if family.is_some() && !is_name && !field.in_comment {
                    return false;
                }
                *directory = of_part();
            }
            _ => {}
        }
        true
    });
    if fields
        .iter()
        .any(|field| matches!(field.kind, Kind::Runner { .. }))
    {
        fields.extend(runners::job_names(text, &structure, fields));
        fields.sort_by_key(|field| field.span.start);
    }
    structure
}
