//! The rules about what a job runs with and when: names that its matrix has, and tags that start the workflow.

use std::collections::BTreeSet;

use super::Workflow;
use crate::fields::workflow::Job;
use crate::finding::Finding;

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
