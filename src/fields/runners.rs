//! The labels of runners, which the jobs of a workflow run on, and the names of jobs that are named after one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::spans::{after, is_word, skip, trimmed_end};
use super::workflow::{Line, Structure};
use super::{Field, Kind, RUNNERS};

/// The versions in the labels of runners.
///
/// A runner is named behind `runs-on` and its `labels`, and behind a key of the `matrix` that a `runs-on` takes its value from.
/// What stands in an expression (`${{ … }}`) is no label.
pub(super) fn labels(text: &[u8], structure: &Structure, runners: &[usize]) -> Vec<Field> {
    let lines = &structure.lines;
    let is_runs_on = |line: &&Line| line.key(text) == Some(b"runs-on");
    let runs_on = lines.iter().filter(is_runs_on);
    let expressions = runs_on.flat_map(|line| &line.expressions);
    let taken: BTreeSet<&[u8]> = expressions
        .filter_map(|span| {
            let from = span.start + memchr::memmem::find(&text[span.clone()], b"matrix.")? + 7;
            Some(&text[from..skip(text, from, |byte| byte == b'-' || is_word(byte))])
        })
        .collect();
    let said = |key: &Range<usize>| &text[key.clone()];
    let mut labels = Vec::new();
    let mut runners = runners.iter().copied().peekable();
    for (number, line) in lines.iter().enumerate() {
        if runners.peek().is_none_or(|at| *at >= line.span.end) {
            continue;
        }
        let lines_above = || structure.upwards(number).skip(1);
        let above = || lines_above().filter_map(|line| line.keys.first());
        let mut keys = line.keys.iter().peekable();
        let mut expressions = line.expressions.iter().peekable();
        let mut key = above().next();
        while let Some(at) = runners.next_if(|at| *at < line.span.end) {
            while let Some(next) = keys.next_if(|key| key.start < at) {
                key = Some(next);
            }
            while expressions.next_if(|span| span.end <= at).is_some() {}
            let in_expression = expressions.peek().is_some_and(|span| span.contains(&at));
            let names = key.map(said).is_some_and(|key| {
                key == b"runs-on" || key == b"labels" || line.in_matrix && taken.contains(key)
            });
            if at < line.end && names && !in_expression {
                labels.extend(label(text, at));
            }
        }
    }
    labels
}

/// The versions in the names of jobs that are named after a Windows: where those are given or needed, and in the `name` of the job.
pub(super) fn job_names(text: &[u8], structure: &Structure, labels: &[Field]) -> Vec<Field> {
    let jobs = structure.jobs.iter().enumerate();
    let jobs: BTreeMap<&[u8], usize> = jobs
        .map(|(number, job)| (&text[job.name.clone()], number))
        .collect();
    let is_part = |byte: u8| is_word(byte) || byte == b'-';
    let is_label = |at: usize| {
        labels
            .binary_search_by_key(&at, |label| label.span.start)
            .is_ok()
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
        if end != start + 4 || start >= line.end || is_label(start) {
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

/// The version in a label that begins there. Larger runners and those of another processor have more behind it: they are
/// somebody's choice.
fn label(text: &[u8], at: usize) -> Option<Field> {
    let mut systems = RUNNERS.into_iter();
    let system = systems.find(|system| text[at..].starts_with(system.as_bytes()))?;
    let from = after(text, at + system.len(), b"-")?;
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let numbers = skip(text, from, is_digit);
    let more = after(text, numbers, b".").map(|more| (more, skip(text, more, is_digit)));
    let numbers = more
        .filter(|(more, end)| end > more)
        .map_or(numbers, |(_, end)| end);
    let end = after(text, from, b"latest").unwrap_or(numbers);
    let opens = at.checked_sub(1).is_none_or(|before| {
        text[before].is_ascii_whitespace() || b"[\"',{".contains(&text[before])
    });
    let closes = text
        .get(end)
        .is_none_or(|next| next.is_ascii_whitespace() || b"]\"',}".contains(next));
    let kind = Kind::Runner {
        system: system.into(),
    };
    (opens && closes && end > from).then_some(Field {
        span: from..end,
        kind,
        in_comment: false,
    })
}
