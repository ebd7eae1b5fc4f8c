//! The rules about what a job runs for and when: the items of its matrix, and the tags that start the workflow.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Workflow;
use crate::fields::workflow::{Job, Part};
use crate::fields::{Field, Kind};
use crate::text::span_of;

impl Workflow<'_> {
    /// No list has a series twice, and no list of a matrix any item: that would be built twice, and another one not at all.
    pub(super) fn check_lists(&self) {
        let (text, structure) = (self.text, self.structure);
        let is_plain = |item: &&Part| {
            let lines = &structure.lines[item.lines.clone()];
            lines.len() == 1 && lines[0].keys.is_empty()
        };
        let code = |item: &Part| {
            let line = &structure.lines[item.lines.start];
            line.span.start + line.indent + 1..line.end
        };
        let lists = structure.lists();
        for list in &lists {
            let rows = list.iter().filter(|item| !is_plain(item));
            let rows = rows.filter(|item| structure.is_in_matrix(item.span.start));
            let mut known = BTreeSet::new();
            for row in rows.filter(|row| !known.insert(text[row.span.clone()].trim())) {
                let first = span_of(text, text[code(row)].trim());
                self.report(&first, "job", " twice in a list");
            }
        }
        let lists = lists
            .into_iter()
            .map(|list| list.iter().filter(is_plain).map(code).collect());
        for list in lists.chain(structure.bracket_lists(text)) {
            let list: Vec<Range<usize>> = list;
            // Looked up by the byte in front of the first item: an item may be empty, at the very end.
            let first = list.first().map(|item| item.start - 1);
            let in_matrix = first.is_some_and(|at| self.structure.is_in_matrix(at));
            let mut known = BTreeSet::new();
            for item in list {
                let said = text[item].trim();
                let bare = said.trim_matches(['"', '\'']);
                let whole = span_of(text, bare);
                let named = self.fields_in(&whole).filter(|field| field.is_directory());
                if in_matrix && named.count() > 1 && bare.contains(' ') {
                    let why = ", expected a comma between two series";
                    self.report(&whole, "series", why);
                }
                if !bare.is_empty() && !known.insert(bare) {
                    let tag = bare.strip_suffix(".*").is_some_and(is_series);
                    let rule = match tag || self.fields_in(&whole).any(Field::is_directory) {
                        true => "series",
                        false if in_matrix => "job",
                        false => continue,
                    };
                    self.report(&whole, rule, " twice in a list");
                }
            }
        }
    }

    /// No command has one image twice among the arguments that have lines of their own.
    pub(super) fn check_commands(&self) {
        let lines = self.structure.lines.chunk_by(|a, b| a.command == b.command);
        for command in lines {
            let mut known = BTreeSet::new();
            for line in &command[1..] {
                let code = &self.text[line.span.start..line.end];
                let bare = code.trim_end_matches(['\\', '`']).trim();
                let whole = span_of(self.text, bare);
                let is_variant = |field: &Field| matches!(field.kind, Kind::Variant { .. });
                let is_image = self.fields_in(&whole).any(is_variant) && !bare.contains('/');
                if is_image && !known.insert(bare) {
                    self.report(&whole, "job", " twice in a command");
                }
            }
        }
    }

    /// A job that asks for tags asks for some that start the workflow: one of them begins as its condition says.
    pub(super) fn check_tags(&self, job: &Job, tags: &BTreeSet<&str>) {
        let conditions = self.asked(job).into_iter();
        for condition in conditions.filter(|one| one.is_of_ref && !tags.is_empty()) {
            let asked = &self.text[condition.start];
            let number = asked.strip_prefix('v').unwrap_or(asked);
            let is_part = |c: char| c.is_ascii_digit() || "._x".contains(c);
            let is_version =
                number.starts_with(|c: char| c.is_ascii_digit()) && number.chars().all(is_part);
            let fits = |tag: &&str| {
                let start = format!("{tag}.");
                let rest = asked.strip_prefix(&*start);
                let is_in = condition.is_anywhere && start.contains(asked);
                is_in || start.starts_with(asked) || rest.is_some_and(|rest| !rest.contains('x'))
            };
            if is_version && !tags.iter().any(fits) {
                let all = Vec::from_iter(tags.iter().map(|tag| format!("{tag}.*"))).join(", ");
                let why = format!(", expected a tag that starts this workflow: {all}");
                let bare = span_of(self.text, asked.trim_end_matches('.'));
                self.report(&bare, "series", &why);
            }
        }
    }

    /// How the tags begin that start the workflow, where all of them name a series: `v2.14` for `v2.14.*`.
    pub(super) fn tags(&self) -> BTreeSet<&str> {
        let first = self.structure.jobs.first();
        let head = &self.text[..first.map_or(0, |job| job.part.span.start)];
        let words = head.split(|c: char| c.is_whitespace() || "[],'\"".contains(c));
        let tags = words.filter(|word| word.starts_with('v') && word.ends_with('*'));
        let tags = tags.map(|tag| tag.strip_suffix(".*").filter(|tag| is_series(tag)));
        tags.collect::<Option<_>>().unwrap_or_default()
    }
}

/// Whether a text has the form of `v2.14`.
fn is_series(text: &str) -> bool {
    let numbers = text
        .strip_prefix('v')
        .and_then(|numbers| numbers.split_once('.'));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}
