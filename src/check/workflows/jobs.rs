//! The rules about jobs: those that a job needs are there, and one that is about a series is about that one in all it says.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Workflow;
use crate::fields::workflow::Job;
use crate::fields::{Field, Kind};
use crate::repository::Directory;
use crate::text::{span_of, window};

/// The names of a workflow's jobs.
pub(super) struct Jobs<'a> {
    names: BTreeSet<&'a str>,
    /// The names of jobs that name a series, without it: the `linux-` of `linux-2_14`.
    stems: BTreeSet<String>,
}

impl<'a> Jobs<'a> {
    pub(super) fn new(names: impl Iterator<Item = &'a str>, all: &[&Directory]) -> Self {
        let names: BTreeSet<&str> = names.collect();
        let of = |name: &str| {
            let places = all.iter().filter_map(|series| series.first_in(name));
            places.map(|place| stem(name, &place)).collect::<Vec<_>>()
        };
        let stems = names.iter().flat_map(|name| of(name)).collect();
        Self { names, stems }
    }
}

/// What a call in the condition of a job asks for: `startsWith(github.ref_name, 'v2.14.')`.
pub(super) struct Asked {
    /// How the tag begins, or what it has in it.
    pub(super) start: Range<usize>,
    /// It may stand anywhere in the tag.
    pub(super) is_anywhere: bool,
    /// It is asked of the branch or tag that starts the workflow.
    pub(super) is_of_ref: bool,
}

/// A name without a part of it.
pub(super) fn stem(name: &str, part: &Range<usize>) -> String {
    [&name[..part.start], &name[part.end..]].concat()
}

impl Workflow<'_> {
    /// The numbers of the lines in which a job itself has this key.
    fn properties(&self, job: &Job, key: &[u8]) -> impl Iterator<Item = usize> {
        let (lines, text) = (&self.structure.lines, self.text.as_bytes());
        let inside = job.part.lines.start + 1..job.part.lines.end;
        let depth = lines.get(inside.start).map(|line| line.indent);
        inside.filter(move |number| {
            let line = &lines[*number];
            Some(line.indent) == depth && !line.is_item && line.key(text) == Some(key)
        })
    }

    /// The jobs that a job needs: one, or those of a list; none where anchors are used, which are not followed.
    pub(super) fn needs(&self, job: &Job) -> Vec<Range<usize>> {
        let Some(number) = self.properties(job, b"needs").next() else {
            return Vec::new();
        };
        let line = &self.structure.lines[number];
        let start = line.span.start + line.indent + "needs:".len();
        let mut names = words(self.text, start.min(line.end)..line.end);
        let below = self.structure.lines[number + 1..job.part.lines.end].iter();
        for item in below.take_while(|next| next.indent >= line.indent && next.is_item) {
            names.extend(words(self.text, item.span.start..item.end));
        }
        let is_anchor = |name: &Range<usize>| self.text[..name.start].ends_with(['&', '*']);
        match names.iter().any(is_anchor) {
            true => Vec::new(),
            false => names,
        }
    }

    /// No two jobs have one name.
    pub(super) fn check_names(&self) {
        let mut known = BTreeSet::new();
        let jobs = self.structure.jobs.iter();
        for job in jobs.filter(|job| !known.insert(&self.text[job.name.clone()])) {
            let why = " a second time: GitHub refuses a workflow with two jobs of one name";
            self.report(&job.name, "job", why);
        }
    }

    /// In a workflow that tags start, a job that is named after a series has a condition, or waits for one that has, where the others
    /// do: without it every tag would run it.
    pub(super) fn check_conditions(&self, all: &[&Directory]) {
        let jobs = self.structure.jobs.iter();
        let is_of_series = |job: &&Job| {
            all.iter()
                .any(|one| one.is_in(&self.text[job.name.clone()]))
        };
        let is_free = |job: &&Job| self.properties(job, b"needs").next().is_none();
        let jobs: Vec<&Job> = jobs.filter(is_of_series).filter(is_free).collect();
        let has_condition = |job: &&&Job| self.properties(job, b"if").next().is_some();
        let (with, without): (Vec<&Job>, Vec<&Job>) = jobs.iter().partition(has_condition);
        if let ([job], [_, ..]) = (without.as_slice(), with.as_slice()) {
            let why = " without `if`, expected a condition like that of the other jobs: every tag runs it";
            self.report(&job.name, "series", why);
        }
    }

    /// The jobs that a job needs are there, and named once.
    pub(super) fn check_needs(&self, job: &Job, jobs: &Jobs) {
        let mut known = BTreeSet::new();
        for name in self.needs(job) {
            let said = &self.text[name.clone()];
            if !jobs.names.contains(said) {
                self.report(&name, "job", ": there is no such job");
            } else if !known.insert(said) {
                self.report(&name, "job", " twice in a list");
            }
        }
    }

    /// A job that is named after a series, or has paths of one alone, is about that one: in its name, where others are named in
    /// the same way, in its condition, in what it needs and in its paths.
    pub(super) fn check_job(&self, job: &Job, jobs: &Jobs, all: &[&Directory]) {
        let name = &self.text[job.name.clone()];
        let said = |field: &Field| &self.text[field.span.clone()];
        let directories: Vec<&Field> = self
            .fields_in(&job.part.span)
            .filter(|field| matches!(field.kind, Kind::Directory { is_certain: true }))
            .filter(|field| !field.in_comment)
            .collect();
        let own = all.iter().copied().filter(|series| series.is_in(name));
        let named: Vec<&Directory> = own.collect();
        // `name: Upgrade from 2.12.x to 2.14.x`
        let title = self.properties(job, b"name").next();
        let title = title.map_or("", |line| self.code(&(line..line + 1)));
        let is_own = |said: &str| named.is_empty() || named.iter().any(|one| one.name == said);
        let is_meant = |said: &&str| is_own(said) || !title.contains(said);
        let names = directories.iter().map(|field| said(field));
        let names: BTreeSet<&str> = names.filter(is_meant).collect();
        let of_path = |series: &&Directory| names.contains(series.name.as_str());
        let mut parts = self.conditions(job, all);
        let all = all.iter().copied();
        let used: Vec<&Directory> = all.clone().filter(of_path).collect();
        let is_asked = |series: &&Directory| {
            let mut asked = parts
                .iter()
                .map(|part| format!("{}.", &self.text[part.clone()]));
            asked.any(|asked| series.is_in(&asked))
        };
        let asked: Vec<&Directory> = all.clone().filter(is_asked).collect();
        let needs = self.needs(job);
        let is_needed = |series: &&Directory| {
            let mut needs = needs.iter();
            needs.any(|need| series.is_in(&self.text[need.clone()]))
        };
        let needed = || Vec::from_iter(all.filter(is_needed).take(2));
        let series = match (named.as_slice(), used.as_slice(), asked.as_slice()) {
            ([one], ..) | ([], [one], _) | ([], [], [one]) => *one,
            ([], [], []) => match needed().as_slice() {
                [one] => *one,
                _ => return,
            },
            _ => return,
        };
        let why = format!("the job {name} is about {}", series.name);
        let known: BTreeSet<&str> = used.iter().map(|other| other.name.as_str()).collect();
        let all = directories.iter();
        let all = all.filter(|field| known.contains(said(field)));
        for field in all.filter(|field| said(field) != series.name) {
            let new = &series.name;
            self.report_expected(&field.span, "directory", new, &why);
        }
        // One that is not there has a finding of its own.
        let is_there = |need: &Range<usize>| jobs.names.contains(&self.text[need.clone()]);
        let needs = needs.into_iter();
        parts.extend(needs.filter(|need| !named.is_empty() && is_there(need)));
        let stem = series.other_in(name).map(|other| stem(name, &other));
        if stem.is_some_and(|stem| jobs.stems.contains(&stem)) {
            parts.push(job.name.clone());
        }
        for part in parts {
            if let Some(other) = series.other_in(&self.text[part.clone()]) {
                let at = part.start + other.start..part.start + other.end;
                let found = &self.text[at.clone()];
                let new = series.spelled_like(found);
                self.report_expected(&at, "series", &new, &why);
            }
        }
    }

    /// Where the condition of a job names a series: the `v2.14` of `startsWith(github.ref_name, 'v2.14.')`. Without a dot behind it,
    /// one that is there: `v2.1` may be how others begin.
    fn conditions(&self, job: &Job, all: &[&Directory]) -> Vec<Range<usize>> {
        let asked = self.asked(job).into_iter().map(|asked| asked.start);
        let name = |part: Range<usize>| {
            let said = &self.text[part.clone()];
            let bare = said.trim_end_matches(".x").trim_end_matches('.');
            let is_one =
                |series: &&Directory| series.name == said || series.is_in(&format!("{bare}."));
            let is_series = said.ends_with('.') || all.iter().any(is_one);
            is_series.then(|| part.start..part.start + bare.len())
        };
        asked.filter_map(name).collect()
    }

    /// What the condition of a job asks of tags, or of something else.
    pub(super) fn asked(&self, job: &Job) -> Vec<Asked> {
        let mut all = Vec::new();
        for number in self.properties(job, b"if") {
            let code = self.code(&(number..self.structure.below(number).end));
            let calls = ["startsWith(", "contains(", "== '"].into_iter();
            let calls = calls.flat_map(|call| code.match_indices(call));
            let asked = calls.filter_map(|(at, call)| {
                let (before, quoted) =
                    window(code, at..code.len().min(at + 400)).split_once('\'')?;
                let tag = quoted.strip_prefix("refs/tags/").unwrap_or(quoted);
                let tag = tag.split('\'').next()?;
                // `github.event_name == 'push'`, `fromJSON('["2.12.x", "2.14.x"]')`
                let is_number = tag.contains(|c: char| c.is_ascii_digit());
                let is_one = tag
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
                (is_number && is_one).then(|| Asked {
                    start: span_of(self.text, tag),
                    is_anywhere: call == "contains(",
                    is_of_ref: before.contains("github.ref"),
                })
            });
            let asked: Vec<Asked> = asked.collect();
            // Of several, one is enough.
            let is_open = code.contains("||") && asked.len() > 1;
            if !is_open && !code.contains('!') {
                all.extend(asked);
            }
        }
        all
    }
}

/// The names in a value: one, or those of a list.
fn words(text: &str, span: Range<usize>) -> Vec<Range<usize>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let words = text[span].split(|c| !is_part(c));
    let words = words.filter(|word| !["", "-"].contains(word));
    words.map(|word| span_of(text, word)).collect()
}
