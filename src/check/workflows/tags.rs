//! An image is tagged with the name of the variant that it is built from, and copies from another one.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Workflow;
use super::builds::Build;
use crate::fields::{Field, Kind};
use crate::repository::{Directories, Item, Repository};
use crate::version::Variant;

/// Checks the steps that build an image and the commands that do. Returns what they build, in their order.
pub(super) fn check<'a>(
    (workflow, commands): (&Workflow<'a>, &[Range<usize>]),
    repository: &Repository,
    directories: &Directories,
) -> Vec<Build<'a>> {
    let text = workflow.text;
    // One that is not there has a finding of its own.
    let is_there = |field: &&Field| {
        let name = &text[field.span.clone()];
        match &field.kind {
            Kind::Variant { directory: None } => directories.holder(name).is_some(),
            Kind::Variant {
                directory: Some(directory),
            } => directories.get(directory).is_some_and(|one| one.has(name)),
            _ => false,
        }
    };
    let all = workflow.fields(|kind| matches!(kind, Kind::Variant { .. }));
    let (variants, others): (Vec<&Field>, Vec<&Field>) = all.partition(is_there);
    let all = directories.iter().flat_map(|directory| &directory.variants);
    let steps = Steps {
        workflow,
        repository,
        variants,
        others,
        families: all.map(|variant| variant.family.as_str()).collect(),
    };
    let mut builds = Vec::new();
    for lines in steps.built_from_a_context() {
        let built = steps.check_step(&lines);
        builds.extend(built.map(|variant| Build { lines, variant }));
    }
    for lines in commands {
        let built = steps.check_command(lines);
        let lines = lines.clone();
        builds.extend(built.map(|variant| Build { lines, variant }));
    }
    builds.sort_by_key(|build| build.lines.start);
    builds
}

struct Steps<'w, 'a> {
    workflow: &'w Workflow<'a>,
    repository: &'w Repository,
    variants: Vec<&'a Field>,
    /// The names of variants that are not there.
    others: Vec<&'a Field>,
    families: BTreeSet<&'w str>,
}

impl<'a> Steps<'_, 'a> {
    /// The lines below each `with:` that has a `context:`.
    fn built_from_a_context(&self) -> Vec<Range<usize>> {
        let structure = self.workflow.structure;
        let lines = 0..structure.lines.len();
        let contexts = lines.filter(|number| self.key(*number) == Some(b"context"));
        let with = contexts.filter_map(|number| structure.lines[number].above);
        let with: BTreeSet<usize> = with.collect();
        with.into_iter().map(|with| structure.below(with)).collect()
    }

    /// Where some lines begin and end.
    fn span(&self, part: &Range<usize>) -> Range<usize> {
        let lines = &self.workflow.structure.lines[part.clone()];
        let ends = lines.first().zip(lines.last());
        ends.map_or(0..0, |(first, last)| first.span.start..last.span.end)
    }

    fn said(&self, field: &Field) -> &str {
        &self.workflow.text[field.span.clone()]
    }

    /// The first of some fields, where they all say the same.
    fn only(&self, fields: &[&'a Field]) -> Option<&'a Field> {
        let first = *fields.first()?;
        let mut fields = fields.iter();
        fields
            .all(|field| self.said(field) == self.said(first))
            .then_some(first)
    }

    fn line(&self, field: &Field) -> usize {
        self.workflow.structure.line_at(field.span.start)
    }

    fn key(&self, line: usize) -> Option<&[u8]> {
        self.workflow.structure.lines[line].key(self.workflow.text.as_bytes())
    }

    /// The variants that these lines name and that are there; none where a path among them names one that is not.
    fn inside(&self, part: &Range<usize>) -> Vec<&'a Field> {
        let Range { start, end } = self.span(part);
        let of = |fields: &'_ [&'_ Field]| {
            let from = fields.partition_point(|field| field.span.start < start);
            from..from + fields[from..].partition_point(|field| field.span.start < end)
        };
        let others = &self.others[of(&self.others)];
        match others.iter().any(|field| self.in_path(field)) {
            true => Vec::new(),
            false => self.variants[of(&self.variants)].to_vec(),
        }
    }

    fn in_path(&self, field: &Field) -> bool {
        self.workflow.text[..field.span.start].ends_with(['/', '\\'])
    }

    /// A step: its context and its file, its tags, its arguments. Returns the variant that it builds.
    fn check_step(&self, step: &Range<usize>) -> Option<&'a Field> {
        let all = self.inside(step);
        let is_of = |field: &&Field, keys: &[&[u8]]| {
            let line = self.line(field);
            let above = || self.key(self.workflow.structure.lines[line].above?);
            let key = self.key(line).or_else(above);
            key.is_some_and(|key| keys.contains(&key))
        };
        let of = |keys: &[&[u8]]| -> Vec<&'a Field> {
            let all = all.iter().copied();
            all.filter(|field| is_of(field, keys)).collect()
        };
        let inputs = of(&[b"context", b"file"]);
        if of(&[b"tags"]).is_empty() {
            self.compare(&of(&[b"context"]), &of(&[b"file"]));
        }
        self.compare(&inputs, &of(&[b"tags"]));
        let built = self.only(&inputs);
        self.check_sources(step, built, &of(&[b"build-args"]));
        built
    }

    /// The image that another one copies from is not itself, unless the file says so, and on Windows is on the same base.
    fn check_sources(&self, lines: &Range<usize>, built: Option<&Field>, sources: &[&Field]) {
        let Some(built) = built.and_then(|field| Variant::parse(self.said(field))) else {
            return;
        };
        for field in sources {
            let Some(source) = Variant::parse(self.said(field)) else {
                continue;
            };
            let is_other = source.is_windows() && source.base_tag() != built.base_tag();
            let why = match source == built {
                true if self.is_made_of_itself(lines, field) => continue,
                true => format!(": {built} copies from itself"),
                false if is_other => format!(": {built} is on another base"),
                false => continue,
            };
            self.workflow.report(&field.span, "variant", &why);
        }
    }

    /// Whether what is built from names no image but that of its own variant, as a `Dockerfile.preview` can.
    fn is_made_of_itself(&self, lines: &Range<usize>, variant: &Field) -> bool {
        let (name, directory) = (self.said(variant), variant.kind.directory());
        let tree = directory.and_then(|name| self.repository.tree(name));
        let folder = tree.and_then(|tree| tree.folder(name));
        let item = folder.and_then(|folder| folder.item(self.workflow.file(lines)));
        item.and_then(Item::document).is_some_and(|document| {
            let tags = document.statements();
            let mut tags = tags.filter(|field| field.kind == Kind::Tag);
            tags.all(|tag| document.found(tag).ends_with(name))
        })
    }

    /// A command: its path, and what stands behind `--tag` and `-t`. Returns the variant that it builds.
    fn check_command(&self, command: &Range<usize>) -> Option<&'a Field> {
        let all = self.inside(command).into_iter();
        let (paths, names): (Vec<&Field>, Vec<&Field>) = all.partition(|one| self.in_path(one));
        let behind = |options: &'_ [&'_ str]| -> Vec<&'a Field> {
            let names = names.iter().copied();
            names.filter(|one| self.is_behind(one, options)).collect()
        };
        let tags = behind(&["--tag ", "--tag=", "-t "]);
        // `docker build --tag … .`, in the folder that its step has gone to
        let is_here = paths.is_empty() && self.workflow.code(command).ends_with(" .");
        let ways = is_here.then(|| self.workflow.ways(command.start));
        let way = ways.and_then(|mut ways| ways.pop());
        let way = way.map(|line| line..line + 1);
        self.check_families(command, way.as_ref());
        let paths = way.map_or(paths, |way| self.inside(&way));
        let built = self.only(&paths);
        self.check_sources(command, built, &behind(&["--build-arg ", "--build-arg="]));
        self.compare(&paths, &tags);
        built
    }

    fn compare(&self, paths: &[&'a Field], tags: &[&'a Field]) {
        let one = |fields| self.only(fields).map(|field| self.said(field));
        let (wrong, expected, why) = match (one(tags), one(paths)) {
            (_, Some(built)) => (tags, built, "is what is built here"),
            (Some(tagged), None) => (paths, tagged, "is what the image is tagged with"),
            (None, None) => return,
        };
        for field in wrong.iter().filter(|field| self.said(field) != expected) {
            let why = format!("{expected} {why}");
            let workflow = self.workflow;
            workflow.report_expected(&field.span, "variant", expected, &why);
        }
    }

    /// The family in front of an expression is the same one in the path, or in the line that goes to the folder, and in the tags of a
    /// command.
    fn check_families(&self, command: &Range<usize>, way: Option<&Range<usize>>) {
        // Each family with the text in front of it, and where it begins.
        let mut named: Vec<(&str, &str, usize)> = Vec::new();
        for part in way.into_iter().chain([command]) {
            let code = self.workflow.code(part);
            let start = self.workflow.structure.lines[part.start].span.start;
            for (at, _) in code.match_indices("${{") {
                let before = code[..at].strip_suffix("ltsc").unwrap_or(&code[..at]);
                let before = before.strip_suffix('-').unwrap_or(before);
                let bare = before.trim_end_matches(|c: char| c.is_ascii_lowercase());
                let family = &before[bare.len()..];
                if self.families.contains(family) {
                    named.push((family, bare, start + bare.len()));
                }
            }
        }
        let is_path = |(_, before, _): &(&str, &str, usize)| before.ends_with(['/', '\\']);
        let (paths, tags): (Vec<_>, Vec<_>) = named.into_iter().partition(is_path);
        let built: BTreeSet<&str> = paths.iter().map(|(family, ..)| *family).collect();
        let is_tag = |before: &str| {
            // `nats:$env:TAG-nanoserver-`
            let word = before.rsplit([' ', '"', '\'']).next().unwrap_or_default();
            let is_tag = before.ends_with("}-") || word.contains(':') && word.ends_with('-');
            is_tag && !is_value_of(before, &["--build-arg ", "--build-arg="])
        };
        let tags = tags.iter().filter(|(_, before, _)| is_tag(before));
        for (family, _, at) in tags.filter(|(family, ..)| !built.contains(family)) {
            if let (1, Some(expected)) = (built.len(), built.first()) {
                let span = *at..at + family.len();
                let why = format!("{expected} is what is built here");
                self.workflow
                    .report_expected(&span, "variant", expected, &why);
            }
        }
    }

    /// Whether a name is part of the value of one of these options.
    fn is_behind(&self, field: &Field, options: &[&str]) -> bool {
        let at = field.span.start;
        let line = self.workflow.line_of(field);
        is_value_of(self.workflow.before(line.span.start, at), options)
    }
}

/// Whether what follows a text is part of the value of one of these options.
fn is_value_of(before: &str, options: &[&str]) -> bool {
    options.iter().any(|option| {
        // The last one in front of it: each option has a value of its own.
        let rest = before.rfind(option).map(|at| &before[at + option.len()..]);
        rest.is_some_and(|rest| !without_expressions(rest).trim_start().contains(' '))
    })
}

/// A text without its `${{ … }}`, which may hold blanks.
fn without_expressions(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("${{") {
        out += before;
        rest = inside.split_once("}}").map_or("", |(_, after)| after);
    }
    out + rest
}
