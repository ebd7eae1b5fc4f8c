//! The labels of runners, which the jobs of a workflow run on.

use std::collections::BTreeSet;
use std::ops::Range;

use super::spans::{after, is_word, skip};
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
