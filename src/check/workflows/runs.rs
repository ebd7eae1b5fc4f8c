//! The rules about what a job runs with and when: names that its matrix has, and tags that start the workflow.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Workflow;
use crate::fields::Field;
use crate::fields::workflow::{Job, Part};
use crate::finding::Finding;
use crate::repository::{Repository, TESTS, Tree};

impl Workflow<'_> {
    /// What an expression takes from the matrix is there.
    pub(super) fn check_matrix(&self, job: &Job, findings: &mut Vec<Finding>) {
        let text = self.text.as_bytes();
        let lines = &self.structure.lines[job.part.lines.clone()];
        let Some(at) = lines
            .iter()
            .position(|line| line.key(text) == Some(b"matrix"))
        else {
            return;
        };
        let inside = lines[at + 1..]
            .iter()
            .take_while(|line| line.indent > lines[at].indent);
        let mut keys: BTreeSet<&[u8]> = BTreeSet::new();
        for line in lines[at..at + 1].iter().chain(inside) {
            // What is made elsewhere, or taken from an anchor, may have any.
            let code = &self.text[line.span.start..line.end];
            if !line.expressions().is_empty() || code.contains(['*', '&']) {
                return;
            }
            keys.extend(line.keys().iter().map(|key| &text[key.clone()]));
        }
        for span in lines.iter().flat_map(|line| line.expressions()) {
            let inside = &self.text[span.clone()];
            for (at, _) in inside.match_indices("matrix.") {
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                let name = &inside[at + 7..];
                let name = &name[..name.find(|c| !is_word(c)).unwrap_or(name.len())];
                let is_free = !inside[..at].ends_with(|c: char| is_word(c) || c == '.');
                if is_free && !name.is_empty() && !keys.contains(name.as_bytes()) {
                    let start = span.start + at + 7;
                    let why = ": the matrix of the job has no such name";
                    let place = start..start + name.len();
                    findings.push(self.finding(&place, "job", why));
                }
            }
        }
    }

    /// No list of a matrix has an item twice: what it stands for is built twice, and another one not at all.
    pub(super) fn check_lists(&self, findings: &mut Vec<Finding>) {
        let (text, structure) = (self.text, self.structure);
        let is_plain = |item: &&Part| {
            let lines = &structure.lines[item.lines.clone()];
            lines.len() == 1 && lines[0].keys().is_empty()
        };
        let code = |item: &Part| {
            let line = &structure.lines[item.lines.start];
            line.span.start + line.indent + 1..line.end
        };
        let lists = structure.lists().into_iter();
        let lists = lists.map(|list| list.iter().filter(is_plain).map(code).collect());
        for list in lists.chain(structure.bracket_lists(text)) {
            let list: Vec<Range<usize>> = list;
            // By what stands in front of the first one: an item may be empty, at the very end.
            if !list
                .first()
                .is_some_and(|item| self.structure.is_in_matrix(item.start - 1))
            {
                continue;
            }
            let mut known = BTreeSet::new();
            for item in list {
                let said = text[item.clone()].trim();
                let bare = said.trim_matches(['"', '\'']);
                if !bare.is_empty() && !known.insert(bare) {
                    let start = item.start + text[item].find(bare).unwrap_or_default();
                    let span = start..start + bare.len();
                    let is_series = self.fields_in(&span).any(Field::is_directory);
                    let rule = if is_series { "series" } else { "job" };
                    findings.push(self.finding(&span, rule, " twice in a list"));
                }
            }
        }
    }

    /// The scripts that a job runs in the version directories of its matrix are in each of them.
    pub(super) fn check_runs(
        &self,
        job: &Job,
        repository: &Repository,
        findings: &mut Vec<Finding>,
    ) {
        let lines = &self.structure.lines[job.part.lines.clone()];
        let has = |key: &[u8]| {
            lines
                .iter()
                .any(|line| line.key(self.text.as_bytes()) == Some(key))
        };
        // What runs for some of them alone is not known.
        if [&b"include"[..], b"exclude"].into_iter().any(has) {
            return;
        }
        let is_item = |field: &&Field| {
            field.is_directory()
                && !field.in_comment
                && self.structure.is_in_matrix(field.span.start)
        };
        let names = self.fields_in(&job.part.span).filter(is_item);
        let names: BTreeSet<&str> = names.map(|field| &self.text[field.span.clone()]).collect();
        let trees: Vec<&Tree> = names
            .into_iter()
            .filter_map(|name| repository.tree(name))
            .collect();
        // Each step once: however many folders it goes to, its scripts are the same.
        let mut known = BTreeSet::new();
        for span in lines.iter().flat_map(|line| line.expressions()) {
            let is_it = self.text[span.clone()].trim().starts_with("matrix.");
            let behind = self.text[span.end..].trim_start_matches('}');
            let tests = behind.strip_prefix(['/', '\\']);
            let Some(rest) = tests.and_then(|rest| rest.strip_prefix(TESTS)) else {
                continue;
            };
            if !is_it {
                continue;
            }
            let line = self.structure.line_at(span.start);
            if !known.insert(self.step_start(line)) {
                continue;
            }
            let step = self.step(line);
            let is_free = self.structure.lines[step]
                .iter()
                .all(|line| line.key(self.text.as_bytes()) != Some(b"if"));
            let is_whole = !rest.starts_with(['/', '\\']);
            if is_free && is_whole {
                let folder = self.text.len() - behind.len();
                for tree in &trees {
                    self.check_scripts(folder, tree, &trees, findings);
                }
            }
        }
    }

    /// The tags that start the workflow are those that jobs ask for: some begins as a condition says.
    pub(super) fn check_tags(&self, job: &Job, tags: &BTreeSet<&str>, findings: &mut Vec<Finding>) {
        for part in self.conditions(job) {
            let asked = &self.text[part.clone()];
            if is_series(asked) && !tags.contains(asked) {
                let all = Vec::from_iter(tags.iter().map(|tag| format!("{tag}.*"))).join(", ");
                let why = format!(": no such tag starts this workflow, only {all}");
                findings.push(self.finding(&part, "series", &why));
            }
        }
    }

    /// How the tags begin that start the workflow, where each names a series: `v2.14` of `v2.14.*`.
    pub(super) fn tags(&self) -> Option<BTreeSet<&str>> {
        let text = self.text.as_bytes();
        let lines = &self.structure.lines;
        let is_tags = |number: &usize| {
            let above = lines[*number].above;
            let is_push = above.is_some_and(|above| lines[above].key(text) == Some(b"push"));
            lines[*number].key(text) == Some(b"tags") && is_push
        };
        let at = (0..lines.len()).find(is_tags)?;
        let below = lines[at + 1..].iter();
        let below = below.take_while(|line| {
            line.indent > lines[at].indent || line.indent == lines[at].indent && line.is_item
        });
        let end = below.last().unwrap_or(&lines[at]).end;
        let is_end = |c: char| c.is_whitespace() || "[],'\"".contains(c);
        let words = self.text[lines[at].span.start..end].split(is_end);
        let words = words.filter(|word| !["", "-", "tags:"].contains(word));
        let series = words.map(|word| word.strip_suffix(".*").filter(|word| is_series(word)));
        series.collect()
    }
}

/// Whether a text is `v2.14`.
fn is_series(text: &str) -> bool {
    let numbers = text
        .strip_prefix('v')
        .and_then(|numbers| numbers.split_once('.'));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}
