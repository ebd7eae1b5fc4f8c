//! What is taken out of workflows: jobs, items of lists and arguments that are about what is removed alone.

use std::collections::BTreeSet;
use std::ops::Range;

use super::edits::Edit;
use super::workflows::{Workflow, gap_at};
use crate::fields::workflow::{Job, Line, Part};
use crate::repository::Directory;
use crate::text::{Places, span_of};

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

impl<'a> Workflow<'a> {
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
            all.iter().any(|series| self.names(series, &said, part))
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
        let lists = self.structure.lists();
        let jobs = self.jobs(&lists, matter);
        let places = Places::new(self.text.as_bytes());
        let job = |job: &Job| {
            let (line, name) = (places.of(job.name.start).0, &self.text[job.name.clone()]);
            Edit::new("job".to_owned(), line, name, "")
        };
        let gone = jobs.iter().filter(|(_, goes)| *goes);
        let gone: Vec<Edit> = gone.map(|(one, _)| job(one)).collect();
        let names: BTreeSet<&str> = gone.iter().map(|job| job.found.as_str()).collect();
        let goes = |item: &Range<usize>| matter.is_alone(item) || self.is_need(item, &names);
        let jobs: Vec<_> = jobs
            .iter()
            .map(|(job, goes)| (&job.part.span, *goes))
            .collect();
        let mut cuts = without_parts(self.text, &jobs, matter);
        for list in &lists {
            cuts.extend(self.of_list(list, matter, &goes));
        }
        for settings in self.structure.settings(self.text.as_bytes()) {
            let goes = |one: &Part| {
                let key = &self.structure.lines[one.lines.start].keys[0];
                (matter.is_called_so)(&self.text[key.clone()])
            };
            let settings: Vec<_> = settings.iter().map(|one| (&one.span, goes(one))).collect();
            if settings.iter().any(|(_, goes)| !goes) {
                cuts.extend(without_parts(self.text, &settings, matter));
            }
        }
        for items in self.structure.bracket_lists(self.text) {
            cuts.extend(self.of_brackets(&items, &goes));
        }
        cuts.extend(self.arguments(matter));
        cuts.extend(self.needs(&names));
        cuts.sort_by_key(|cut| (cut.start, std::cmp::Reverse(cut.end)));
        // What is cut with something else is cut once.
        let mut end = 0;
        cuts.retain(|cut| {
            let is_new = end < cut.end;
            end = end.max(cut.end);
            is_new
        });
        (cuts, gone)
    }

    /// The jobs, each with whether it goes; `lists` are those of the workflow, with the steps of the jobs.
    fn jobs(self, lists: &[Vec<Part>], matter: &Matter) -> Vec<(&'a Job, bool)> {
        // Steps that do something else, by where they begin.
        let steps = lists.iter().flatten().map(|step| &step.span);
        let is_run = |step: &&Range<usize>| {
            let said = &self.text[(*step).clone()];
            // What is worked out for other steps is nothing without them.
            let mut files = ["GITHUB_OUTPUT", "GITHUB_ENV"].iter();
            said.contains("run:") && !files.any(|file| said.contains(file))
        };
        let runs = steps.filter(|step| matter.keeps_other_steps && is_run(step));
        let others = runs.filter(|step| !matter.is_alone(step));
        let others: BTreeSet<usize> = others.map(|step| step.start).collect();
        let goes = |job: &Job| {
            let span = &job.part.span;
            matter.is_alone(span) && others.range(span.clone()).next().is_none()
        };
        let jobs = self.structure.jobs.iter();
        jobs.map(|job| (job, goes(job))).collect()
    }

    /// Whether an item of a list names a job that goes, where its list is what another one needs.
    fn is_need(self, item: &Range<usize>, gone: &BTreeSet<&str>) -> bool {
        let is_quote = |c: char| "-'\"".contains(c) || c.is_whitespace();
        let line = self.structure.line_at(item.start);
        gone.contains(self.text[item.clone()].trim_matches(is_quote))
            && self
                .structure
                .is_below(self.text.as_bytes(), line, b"needs")
    }

    /// The lines in which a job needs nothing but jobs that go: `needs: linux-2_14`, `needs: [linux-2_14]`.
    fn needs(self, gone: &BTreeSet<&str>) -> impl Iterator<Item = Range<usize>> {
        let lines = self.structure.lines.iter().filter(move |line| {
            let code = &self.text[line.span.start..line.end];
            let value = code.trim_start().strip_prefix("needs:");
            let is_end = |c: char| c.is_whitespace() || "[],'\"".contains(c);
            let names = value.unwrap_or_default().split(is_end);
            let mut names = names.filter(|name| !name.is_empty()).peekable();
            names.peek().is_some() && names.all(|name| gone.contains(name))
        });
        lines.map(|line| line.span.clone())
    }

    /// What is cut of a list of lines: the items that go, or all of it where a matrix can do without.
    fn of_list(
        self,
        list: &[Part],
        matter: &Matter,
        goes: &dyn Fn(&Range<usize>) -> bool,
    ) -> Vec<Range<usize>> {
        let items = list.iter().map(|item| (&item.span, goes(&item.span)));
        let items: Vec<(&Range<usize>, bool)> = items.collect();
        if items.iter().any(|(_, goes)| !goes) {
            return without_parts(self.text, &items, matter);
        }
        let opens = list[0].lines.start.checked_sub(1);
        let opens = opens.map(|line| &self.structure.lines[line]);
        let is_more = |line: &&Line| {
            let key = line.key(self.text.as_bytes());
            matches!(key, Some(b"include" | b"exclude" | b"needs"))
        };
        let all = opens.filter(is_more).zip(list.last());
        let all = all.map(|(line, last)| line.span.start..last.span.end);
        all.into_iter().collect()
    }

    /// What is cut of a list in brackets: up to the first item that stays, and from the comma in front of each other one that goes.
    fn of_brackets(
        self,
        items: &[Range<usize>],
        goes: &dyn Fn(&Range<usize>) -> bool,
    ) -> Vec<Range<usize>> {
        let bare = |item: &Range<usize>| span_of(self.text, self.text[item.clone()].trim());
        let alone = |item: &Range<usize>| {
            let said = &self.text[bare(item)];
            !said.is_empty() && !said.contains(' ') && goes(item)
        };
        let stays = |item: &Range<usize>| !bare(item).is_empty() && !alone(item);
        let Some(first) = items.iter().position(stays) else {
            return Vec::new();
        };
        let start = (first > 0).then(|| bare(&items[0]).start..bare(&items[first]).start);
        let others = items.iter().enumerate().skip(first);
        let others = others.filter(|(_, item)| alone(item));
        let others = others.map(|(number, item)| match number + 1 < items.len() {
            true => item.start - 1..item.end,
            false => item.start - 1..bare(item).end,
        });
        start.into_iter().chain(others).collect()
    }

    /// What a summary says of cuts that are no jobs: each of these series that one names.
    pub(super) fn series_in(self, cuts: &[Range<usize>], gone: &[Directory]) -> Vec<Edit> {
        let starts = self.structure.jobs.iter().map(|job| job.part.span.start);
        let starts: BTreeSet<usize> = starts.collect();
        let places = Places::new(self.text.as_bytes());
        let others = cuts
            .iter()
            .filter(|cut| starts.range((*cut).clone()).next().is_none());
        let named = others.flat_map(|cut| {
            let said = &self.text[cut.clone()];
            let line = places.of(cut.end - said.trim_start().len()).0;
            let series = gone.iter().filter(|series| self.names(series, said, cut));
            let edit = |one: &Directory| Edit::new("directory".to_owned(), line, &one.name, "");
            series.map(edit).collect::<Vec<_>>()
        });
        named.collect()
    }

    /// What is wrong with a workflow that would have no job any more; `jobs` are those that go.
    pub(super) fn jobless(self, path: &str, jobs: &[Edit]) -> Option<String> {
        let is_empty = !jobs.is_empty() && jobs.len() == self.structure.jobs.len();
        is_empty.then(|| format!("{path}: all of its jobs would be removed, and a workflow needs one: remove the file"))
    }

    /// The text without what is cut.
    pub(super) fn reduced(self, cuts: &[Range<usize>]) -> String {
        let mut left = without(self.text, 0..self.text.len(), cuts);
        // A file that had no newline at its end has none again.
        if !self.text.ends_with('\n') {
            left.truncate(left.trim_end_matches(['\r', '\n']).len());
        }
        left
    }

    /// The lines of commands that are nothing but an argument about the matter, with another line behind them:
    /// `"nats:2.14-nanoserver-ltsc2022" \`.
    fn arguments(self, matter: &Matter) -> impl Iterator<Item = Range<usize>> {
        let (text, structure) = self.parts();
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
    let (text, structure) = workflow.parts();
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
