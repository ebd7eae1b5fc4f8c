//! The labels of runners, which the jobs of a workflow run on, and the names of jobs that are named after one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::matrix::{as_key, is_path, last_name};
use super::spans::{after, is_word, line_before, skip, trimmed_end};
use super::workflow::{Line, Structure};
use super::{Field, Kind};

/// The keys of matrices that a `runs-on` takes its value from.
pub(super) fn taken<'t>(text: &'t [u8], structure: &Structure) -> BTreeSet<&'t [u8]> {
    let is_runs_on = |line: &&Line| line.key(text) == Some(b"runs-on");
    let runs_on = structure.lines.iter().filter(is_runs_on);
    let expressions = runs_on.flat_map(|line| &line.expressions);
    let name = |span: &Range<usize>| {
        let from = span.start + memchr::memmem::find(&text[span.clone()], b"matrix.")? + 7;
        Some(last_name(as_key(&text[from..skip(text, from, is_path)])))
    };
    expressions.filter_map(name).collect()
}

/// Whether the label of a runner stands at a place in a line: behind `runs-on` or its `labels`, or behind a key of a matrix that a
/// `runs-on` takes its value from. What stands in an expression (`${{ … }}`) is none.
pub(super) fn is_label(
    (text, structure): (&[u8], &Structure),
    taken: &BTreeSet<&[u8]>,
    (at, number): (usize, usize),
) -> bool {
    let line = &structure.lines[number];
    let above = || {
        let mut above = structure.upwards(number).skip(1);
        above.find_map(|line| structure.lines[line].keys.first())
    };
    let key = line.key_before(at).or_else(above);
    let next = line.expressions.partition_point(|span| span.end <= at);
    let expression = line.expressions.get(next);
    let is_one = key.map(|key| &text[key.clone()]).is_some_and(|key| {
        key == b"runs-on" || key == b"labels" || line.in_matrix && taken.contains(key)
    });
    is_one && !expression.is_some_and(|span| span.contains(&at))
}

/// Whether a condition asks for the label of a runner at a place: `matrix.os == 'windows-2022'`, of such a key of a matrix.
pub(super) fn is_asked(text: &[u8], taken: &BTreeSet<&[u8]>, at: usize) -> bool {
    let label = trimmed_end(line_before(text, at), |byte| byte == b'-' || is_word(byte));
    let before = label.strip_suffix(b"'").unwrap_or_default();
    let before = before.trim_ascii_end();
    let key = before.strip_suffix(b"==").or(before.strip_suffix(b"!="));
    let key = key.unwrap_or_default().trim_ascii_end();
    let path = key[trimmed_end(key, is_path).len()..].strip_prefix(b"matrix.");
    path.is_some_and(|path| taken.contains(last_name(as_key(path))))
}

/// The versions in the names of jobs that are named after a Windows: where those are given or needed, and in the `name` of the job.
pub(super) fn job_names(text: &[u8], structure: &Structure, fields: &[Field]) -> Vec<Field> {
    let jobs = structure.jobs.iter().enumerate();
    let jobs: BTreeMap<&[u8], usize> = jobs
        .map(|(number, job)| (&text[job.name.clone()], number))
        .collect();
    let is_part = |byte: u8| is_word(byte) || byte == b'-';
    let is_field = |at: usize| {
        let place = fields.binary_search_by_key(&at, |field| field.span.start);
        place.is_ok()
    };
    let mut names = Vec::new();
    for behind in memchr::memmem::find_iter(text, b"indows").map(|at| at + b"indows".len()) {
        let server = skip(text, behind, |byte| b" -_".contains(&byte));
        let server = after(text, server, b"Server").unwrap_or(server);
        let start = skip(text, server, |byte| b" -_".contains(&byte));
        let end = skip(text, start, |byte| byte.is_ascii_digit());
        let number = structure.line_at(start);
        let Some(line) = structure
            .lines
            .get(number)
            .filter(|line| line.span.contains(&start))
        else {
            continue;
        };
        if end != start + 4 || start >= line.end || is_field(start) {
            continue;
        }
        // GitHub takes names of a hundred letters.
        let from = line.span.start.max(start.saturating_sub(100));
        let word = from + trimmed_end(&text[from..start], is_part).len()..skip(text, end, is_part);
        let own = structure.job_at(start).filter(|job| {
            let is_below = line.above == Some(job.part.lines.start);
            word.start == job.name.start || is_below && line.key(text) == Some(b"name")
        });
        let before = &text[..word.start];
        let is_needed = before.ends_with(b"needs.")
            || before.ends_with(b"needs['")
            || structure.is_below(text, number, b"needs");
        let needed = jobs.get(&text[word]).filter(|_| is_needed);
        let own = own.and_then(|job| jobs.get(&text[job.name.clone()]));
        if let Some(job) = needed.or(own).copied() {
            names.push(Field {
                span: start..end,
                kind: Kind::JobName { job },
                in_comment: false,
            });
        }
    }
    names
}
