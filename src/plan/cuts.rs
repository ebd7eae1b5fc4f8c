//! What is taken out of workflows: jobs, items of lists and arguments that are about what is removed alone.

use std::collections::BTreeSet;
use std::ops::Range;

use super::edits::Edit;
use super::workflows::{Workflow, gap_at};
use crate::fields::workflow::{Line, Part};
use crate::repository::Directory;
use crate::text::Places;

/// What is taken out of a workflow: whole jobs, items of lists, items in brackets, where they are about it alone.
pub(super) struct Matter<'a> {
    /// Whether a part of the text is about what is removed.
    pub(super) is_about: &'a dyn Fn(&Range<usize>) -> bool,
    /// Whether it is about something that stays.
    pub(super) is_about_others: &'a dyn Fn(&Range<usize>) -> bool,
    /// Whether a variable, or an output, of that name is about it alone.
    pub(super) is_called_so: &'a dyn Fn(&str) -> bool,
    /// Whether a job that does anything else stays.
    pub(super) keeps_other_steps: bool,
}

impl Matter<'_> {
    fn is_alone(&self, part: &Range<usize>) -> bool {
        (self.is_about)(part) && !(self.is_about_others)(part)
    }

    /// Where the comments begin that end at a place and are about what is removed alone.
    fn heading(&self, text: &str, end: usize) -> usize {
        let mut start = end;
        for line in text[..end].split_inclusive('\n').rev() {
            let part = start - line.len()..start;
            if !line.trim_start().starts_with('#') || !self.is_alone(&part) {
                break;
            }
            start = part.start;
        }
        start
    }
}

impl Workflow<'_> {
    /// Where the text is about some series alone; `stay` are the others. And the jobs that go.
    pub(super) fn cuts_of_series(
        self,
        gone: &[Directory],
        stay: &[Directory],
    ) -> (Vec<Range<usize>>, Vec<Edit>) {
        let is_in = |all: &[Directory], part: &Range<usize>, with_env: bool| {
            // A part of nothing but comments says what they say.
            let said = match self.structure.lines_in(part).is_empty() {
                true => self.text[part.clone()].to_owned(),
                false => self.structure.said(self.text, part, with_env),
            };
            all.iter().any(|series| series.is_in(&said))
        };
        self.cuts(&Matter {
            // The value of a variable does not make a part about a series: `LATEST: 2.14.x`.
            is_about: &|part| is_in(gone, part, false),
            is_about_others: &|part| is_in(stay, part, true),
            is_called_so: &|name| {
                let is_in = |all: &[Directory]| all.iter().any(|series| series.is_in(name));
                is_in(gone) && !is_in(stay)
            },
            keeps_other_steps: false,
        })
    }

    /// Where the text is about the matter alone, in order, and the jobs that go.
    pub(super) fn cuts(self, matter: &Matter) -> (Vec<Range<usize>>, Vec<Edit>) {
        let Self { text, structure } = self;
        let lists = structure.lists();
        // Steps that do something else, by where they begin.
        let steps = lists.iter().flatten().map(|step| &step.span);
        let runs =
            steps.filter(|step| matter.keeps_other_steps && text[(*step).clone()].contains("run:"));
        let others = runs.filter(|step| !matter.is_alone(step));
        let others: BTreeSet<usize> = others.map(|step| step.start).collect();
        let mut cuts: Vec<Range<usize>> = Vec::new();
        let (places, mut jobs) = (Places::new(text.as_bytes()), Vec::new());
        let mut parts = Vec::new();
        for job in &structure.jobs {
            let span = &job.part.span;
            let goes = matter.is_alone(span) && others.range(span.clone()).next().is_none();
            parts.push((span, goes));
            if goes {
                let line = places.of(job.name.start).0;
                let name = &text[job.name.clone()];
                jobs.push(Edit::new("job".to_owned(), line, name, ""));
            }
        }
        cuts.extend(without_parts(text, &parts, matter));
        let gone: BTreeSet<&str> = jobs.iter().map(|job| job.found.as_str()).collect();
        let goes = |item: &Range<usize>| {
            let is_quote = |c: char| "-'\"".contains(c) || c.is_whitespace();
            let is_job = gone.contains(text[item.clone()].trim_matches(is_quote));
            let is_needed =
                || structure.is_below(text.as_bytes(), structure.line_at(item.start), b"needs");
            matter.is_alone(item) || is_job && is_needed()
        };
        for list in &lists {
            let items = list.iter();
            let items = items.map(|item| (&item.span, goes(&item.span)));
            let items: Vec<(&Range<usize>, bool)> = items.collect();
            // A matrix can do without anything included.
            let before = list[0].lines.start.checked_sub(1);
            let opens = before.map(|line| &structure.lines[line]);
            let include = opens
                .filter(|line| matches!(line.key(text.as_bytes()), Some(b"include" | b"exclude")));
            match include {
                _ if items.iter().any(|(_, goes)| !goes) => {
                    cuts.extend(without_parts(text, &items, matter));
                }
                Some(line) => cuts.push(line.span.start..items[items.len() - 1].0.end),
                None => {}
            }
        }
        for all in structure.settings(text.as_bytes()) {
            let goes = |one: &Part| {
                let key = &structure.lines[one.lines.start].keys[0];
                (matter.is_called_so)(&text[key.clone()])
            };
            let items: Vec<_> = all.iter().map(|one| (&one.span, goes(one))).collect();
            if items.iter().any(|(_, goes)| !goes) {
                cuts.extend(without_parts(text, &items, matter));
            }
        }
        for items in structure.bracket_lists(text) {
            let bare = |item: &Range<usize>| {
                let said = &text[item.clone()];
                let start = item.start + said.len() - said.trim_start().len();
                start..start + said.trim().len()
            };
            let alone = |item: &Range<usize>| {
                let bare = bare(item);
                !bare.is_empty() && !text[bare].contains(' ') && goes(item)
            };
            let stays = |item: &Range<usize>| !bare(item).is_empty() && !alone(item);
            let Some(first) = items.iter().position(stays) else {
                continue;
            };
            // Up to the first one that stays, and from the comma in front of each other one.
            if first > 0 {
                cuts.push(bare(&items[0]).start..bare(&items[first]).start);
            }
            let others = items.iter().enumerate().skip(first);
            let others = others.filter(|(_, item)| alone(item));
            cuts.extend(others.map(|(number, item)| match number + 1 < items.len() {
                true => item.start - 1..item.end,
                false => item.start - 1..bare(item).end,
            }));
        }
        cuts.extend(self.arguments(matter));
        cuts.sort_by_key(|cut| (cut.start, std::cmp::Reverse(cut.end)));
        // What is cut with something else is cut once.
        let mut end = 0;
        cuts.retain(|cut| {
            let is_new = end < cut.end;
            end = end.max(cut.end);
            is_new
        });
        (cuts, jobs)
    }

    /// What is wrong with a workflow that would have no job any more; `jobs` are those that go.
    pub(super) fn jobless(self, path: &str, jobs: &[Edit]) -> Option<String> {
        let is_empty = !jobs.is_empty() && jobs.len() == self.structure.jobs.len();
        is_empty.then(|| format!("{path}: all of its jobs would be removed, and a workflow needs one: remove the file"))
    }

    /// The text without what is cut.
    pub(super) fn reduced(self, cuts: &[Range<usize>]) -> String {
        without(self.text, 0..self.text.len(), cuts)
    }

    /// The lines of commands that are nothing but an argument about the matter, with another line behind them:
    /// `"nats:2.14-nanoserver-ltsc2022" \`.
    fn arguments(self, matter: &Matter) -> impl Iterator<Item = Range<usize>> {
        let Self { text, structure } = self;
        let is_one = move |(number, line): &(usize, &Line)| {
            let start = line.span.start + line.indent;
            let code = text[start..line.end].strip_suffix(['\\', '`']);
            let code = code.map(str::trim_end).unwrap_or_default();
            let option = code.strip_prefix("--amend ").unwrap_or(code);
            let from = start + code.len() - option.len();
            let mut blanks = option.match_indices(' ').map(|(at, _)| from + at);
            let is_inside = |at: usize| line.expressions.iter().any(|one| one.contains(&at));
            let bare = option.trim_start_matches(['"', '\'']);
            let is_path = bare.is_empty() || bare.starts_with(['.', '/']);
            let is_word = !is_path && blanks.all(is_inside);
            line.command < *number && is_word && matter.is_alone(&line.span)
        };
        let lines = structure.lines.iter().enumerate().filter(is_one);
        lines.map(|(_, line)| line.span.clone())
    }
}

/// What is cut for the parts that go: each with the gap in front of it; where none stays before it, with its heading and the
/// blank lines behind it.
fn without_parts(
    text: &str,
    parts: &[(&Range<usize>, bool)],
    matter: &Matter,
) -> Vec<Range<usize>> {
    let first = parts.iter().position(|(_, goes)| !goes);
    let cut = |(number, (span, _)): (usize, &(&Range<usize>, bool))| {
        if first.is_some_and(|first| first < number) {
            return parts[number - 1].0.end..span.end;
        }
        let gap = gap_at(text, span.end, text.len());
        matter.heading(text, span.start)..span.end + gap.len()
    };
    let going = parts.iter().enumerate().filter(|(_, (_, goes))| *goes);
    going.map(cut).collect()
}

/// Where a workflow still speaks of series that are gone, but for what is cut.
pub(super) fn left_over(
    path: &str,
    workflow: Workflow,
    cuts: &[Range<usize>],
    gone: &[Directory],
) -> Vec<String> {
    let Workflow { text, structure } = workflow;
    let places = Places::new(text.as_bytes());
    let named = |line: &Line| {
        let said = without(text, line.span.start..line.end, cuts);
        let series = gone.iter().find(|series| series.is_in(&said))?;
        let (number, name) = (places.of(line.span.start).0, &series.name);
        Some(format!(
            "{path}:{number}: still names {name}: `{}`",
            said.trim()
        ))
    };
    structure.lines.iter().filter_map(named).collect()
}

/// A part of a text without what is cut, in the order of the text.
fn without(text: &str, part: Range<usize>, cuts: &[Range<usize>]) -> String {
    let (mut out, mut from) = (String::with_capacity(part.len()), part.start);
    let first = cuts.partition_point(|cut| cut.end <= part.start);
    for cut in cuts[first..].iter().take_while(|cut| cut.start < part.end) {
        out.push_str(text.get(from..cut.start).unwrap_or_default());
        from = from.max(cut.end);
    }
    out + text.get(from..part.end).unwrap_or_default()
}
