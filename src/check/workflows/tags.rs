//! An image is tagged with the name of the variant that it is built from, and copies from another one.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Workflow;
use crate::fields::{Field, Kind};
use crate::finding::Finding;
use crate::repository::Directories;

/// Checks the steps that build an image and the commands that do.
pub(super) fn check(workflow: &Workflow, directories: &Directories, findings: &mut Vec<Finding>) {
    let text = workflow.text;
    // One that is not there has a finding of its own.
    let is_there = |field: &&Field| match &field.kind {
        Kind::Variant { directory } => {
            let name = &text[field.span.clone()];
            match directory {
                Some(directory) => directories
                    .get(directory)
                    .is_some_and(|directory| directory.has(name)),
                None => directories.holder(name).is_some(),
            }
        }
        _ => false,
    };
    let all = workflow.fields(|kind| matches!(kind, Kind::Variant { .. }));
    let (variants, others): (Vec<&Field>, Vec<&Field>) = all.partition(is_there);
    let steps = Steps {
        workflow,
        variants,
        others,
    };
    for step in steps.built_from_a_context() {
        steps.check_step(&step, findings);
    }
    for command in steps.commands() {
        steps.check_command(&command, findings);
    }
}

struct Steps<'a> {
    workflow: &'a Workflow<'a>,
    variants: Vec<&'a Field>,
    /// Those that are not there.
    others: Vec<&'a Field>,
}

impl Steps<'_> {
    /// The lines below each `with:` that has a `context:`.
    fn built_from_a_context(&self) -> Vec<Range<usize>> {
        let lines = &self.workflow.structure.lines;
        let contexts = (0..lines.len()).filter(|number| self.key(*number) == Some(b"context"));
        let with: BTreeSet<usize> = contexts.filter_map(|number| lines[number].above).collect();
        let inside = |with: usize| {
            let below = lines[with + 1..].iter();
            let end = below
                .take_while(|line| line.indent > lines[with].indent)
                .count();
            with + 1..with + 1 + end
        };
        with.into_iter().map(inside).collect()
    }

    /// The commands that build something: lines that go on are one.
    fn commands(&self) -> Vec<Range<usize>> {
        let mut commands = Vec::new();
        let mut from = 0;
        for (number, line) in self.workflow.structure.lines.iter().enumerate() {
            let code = self.workflow.text[line.span.start..line.end].trim_end();
            if !code.ends_with(['\\', '`']) {
                commands.push(from..number + 1);
                from = number + 1;
            }
        }
        commands.retain(|command| self.code(command).contains(" build "));
        commands
    }

    fn code(&self, part: &Range<usize>) -> &str {
        let lines = &self.workflow.structure.lines[part.clone()];
        match (lines.first(), lines.last()) {
            (Some(first), Some(last)) => &self.workflow.text[first.span.start..last.end],
            _ => "",
        }
    }

    fn said(&self, field: &Field) -> &str {
        &self.workflow.text[field.span.clone()]
    }

    fn line(&self, field: &Field) -> usize {
        self.workflow.structure.line_at(field.span.start)
    }

    fn key(&self, line: usize) -> Option<&[u8]> {
        self.workflow.structure.lines[line].key(self.workflow.text.as_bytes())
    }

    /// The variants that some lines name and that are there; nothing where a path among them leads nowhere.
    fn inside(&self, part: &Range<usize>) -> Vec<&Field> {
        let lines = &self.workflow.structure.lines[part.clone()];
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
            return Vec::new();
        };
        let (start, end) = (first.span.start, last.span.end);
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

    /// A step: its context and its file, its tags, its arguments.
    fn check_step(&self, step: &Range<usize>, findings: &mut Vec<Finding>) {
        let all = self.inside(step);
        let is_of = |field: &&Field, keys: &[&[u8]]| {
            let line = self.line(field);
            let key = match self.key(line) {
                None => self.workflow.structure.lines[line]
                    .above
                    .and_then(|above| self.key(above)),
                key => key,
            };
            key.is_some_and(|key| keys.contains(&key))
        };
        let of = |keys: &[&[u8]]| -> Vec<&Field> {
            all.iter()
                .copied()
                .filter(|field| is_of(field, keys))
                .collect()
        };
        let inputs = of(&[b"context", b"file"]);
        self.compare(&inputs, &of(&[b"tags"]), findings);
        let built: BTreeSet<&str> = inputs.iter().map(|field| self.said(field)).collect();
        for field in of(&[b"build-args"]) {
            let name = self.said(field);
            if built.len() == 1 && built.contains(name) {
                let why = format!(": {name} copies from itself");
                findings.push(self.workflow.finding(&field.span, "variant", &why));
            }
        }
    }

    /// A command: its path, and what stands behind `--tag` and `-t`.
    fn check_command(&self, command: &Range<usize>, findings: &mut Vec<Finding>) {
        let (paths, names): (Vec<&Field>, Vec<&Field>) = self
            .inside(command)
            .into_iter()
            .partition(|field| self.in_path(field));
        let tags: Vec<&Field> = names
            .into_iter()
            .filter(|field| self.is_tag(field))
            .collect();
        self.compare(&paths, &tags, findings);
    }

    fn compare(&self, paths: &[&Field], tags: &[&Field], findings: &mut Vec<Finding>) {
        let one = |fields: &[&Field]| -> Option<String> {
            let names: BTreeSet<&str> = fields.iter().map(|field| self.said(field)).collect();
            let first = names.first().filter(|_| names.len() == 1);
            first.map(|name| (*name).to_owned())
        };
        let (wrong, expected, why) = match (one(tags), one(paths)) {
            (_, Some(built)) => (tags, built, "is what is built here"),
            (Some(tagged), None) => (paths, tagged, "is what the image is tagged with"),
            (None, None) => return,
        };
        for field in wrong.iter().filter(|field| self.said(field) != expected) {
            let why = format!("{expected} {why}");
            let finding = self
                .workflow
                .expected(&field.span, "variant", &expected, &why);
            findings.push(finding);
        }
    }

    /// Whether the name of a variant is the end of a tag that an image gets: behind `--tag` or `-t`.
    fn is_tag(&self, field: &Field) -> bool {
        let at = field.span.start;
        let line = self.workflow.line_of(field);
        let before = self.workflow.before(line.span.start, at);
        ["--tag ", "--tag=", "-t "].iter().any(|option| {
            // In front of this very word: of several, each has its own.
            let rest = before.rfind(option).map(|at| &before[at + option.len()..]);
            rest.is_some_and(|rest| !without_expressions(rest).trim_start().contains(' '))
        })
    }
}

/// A text without the blanks in `${{ … }}`.
fn without_expressions(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("${{") {
        out += before;
        rest = inside.split_once("}}").map_or("", |(_, after)| after);
    }
    out + rest
}
