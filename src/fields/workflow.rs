//! The structure of a workflow: its lines, keys and jobs, as far as fields depend on them.
//!
//! This is text with a structure, not YAML that is read and printed again: whatever is not a field stays as it is.

use std::collections::BTreeSet;
use std::ops::Range;

use semver::Version;

use super::spans::{after, is_word, skip};
use super::{Field, Kind, RUNNERS, found};
use crate::repository::config::Pattern;

/// The keys whose values are folders or files of the repository.
pub const INPUTS: [&str; 3] = ["context", "file", "working-directory"];
/// The commands that go to a folder.
pub const CHANGES: [&str; 3] = ["cd ", "pushd ", "Set-Location "];

/// A line that is not empty and not only a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// All of it, its end included.
    pub span: Range<usize>,
    /// How far it is indented.
    pub indent: usize,
    /// Where the code in it ends: at its end, or where a comment begins.
    pub end: usize,
    /// It is an item of a list.
    pub is_item: bool,
    /// The line that it is below: the nearest one that is indented less; of an item also a key that is indented as it is.
    pub above: Option<usize>,
    /// The names in front of a `:`.
    pub(super) keys: Vec<Range<usize>>,
    /// What stands in `${{ … }}`.
    pub(super) expressions: Vec<Range<usize>>,
}

impl Line {
    fn new(text: &[u8], span: Range<usize>) -> Option<Self> {
        let indent = skip(text, span.start, |byte| byte == b' ' || byte == b'\t') - span.start;
        let first = span.start + indent;
        if text[first..span.end].trim_ascii().is_empty() || text[first] == b'#' {
            return None;
        }
        let is_blank = |at: usize| text.get(at).is_none_or(u8::is_ascii_whitespace);
        let mut line = Self {
            indent,
            end: span.end,
            is_item: text[first] == b'-' && is_blank(first + 1),
            above: None,
            keys: Vec::new(),
            expressions: Vec::new(),
            span,
        };
        let mut at = first;
        while at < line.span.end {
            if let Some(inside) = after(text, at, b"${{") {
                let rest = &text[inside..line.span.end];
                let end =
                    memchr::memmem::find(rest, b"}}").map_or(line.span.end, |end| inside + end);
                line.expressions.push(inside..end);
                at = end.max(at + 1);
                continue;
            }
            match text[at] {
                b'#' if text[at - 1].is_ascii_whitespace() => {
                    line.end = at;
                    break;
                }
                b':' if is_blank(at + 1) => line.keys.extend(key(text, first, at)),
                _ => {}
            }
            at += 1;
        }
        let code = text[line.span.start..line.end].trim_ascii_end();
        line.end = line.span.start + code.len();
        Some(line)
    }

    /// The lists in brackets in it, each with its items and the blanks around them: values of a key, without anything in them
    /// that is a list or a map of its own.
    pub fn lists(&self, text: &str) -> Vec<Vec<Range<usize>>> {
        let code = &text[self.span.start..self.end];
        let mut lists = Vec::new();
        let mut open = None;
        for (at, c) in code.char_indices() {
            match c {
                '[' => {
                    let is_value = code[..at].trim_end().ends_with(':');
                    open = is_value.then_some(at + 1);
                }
                '{' | '}' | '(' | ')' => open = None,
                ']' => {
                    if let Some(from) = open.take() {
                        let mut start = self.span.start + from;
                        let items = code[from..at].split(',').map(|item| {
                            start += item.len() + 1;
                            start - item.len() - 1..start - 1
                        });
                        lists.push(items.collect());
                    }
                }
                _ => {}
            }
        }
        lists
    }

    /// The name in front of the first `:`, where the line begins with it, as an item of a list perhaps.
    pub fn key<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let key = self.keys.first()?;
        let before = &text[self.span.start + self.indent..key.start];
        let is_start = before.iter().all(|byte| b"- \"'".contains(byte));
        is_start.then(|| &text[key.clone()])
    }
}

/// The name that ends at a `:`, where it is one.
fn key(text: &[u8], floor: usize, colon: usize) -> Option<Range<usize>> {
    let is_part = |byte: &u8| is_word(*byte) || *byte == b'-';
    let quoted = text[floor..colon]
        .strip_suffix(b"\"")
        .or(text[floor..colon].strip_suffix(b"'"));
    let end = floor + quoted.unwrap_or(&text[floor..colon]).len();
    let length = text[floor..end]
        .iter()
        .rev()
        .take_while(|byte| is_part(byte))
        .count();
    let start = end - length;
    let opens = start == floor
        || text[start - 1].is_ascii_whitespace()
        || b"{,[\"'".contains(&text[start - 1]);
    (length > 0 && opens && text[start] != b'-').then_some(start..end)
}

/// Lines that belong together: those of a job, or of an item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The numbers of its lines.
    pub lines: Range<usize>,
    /// Where it stands in the text: whole lines, up to where its last line ends.
    pub span: Range<usize>,
}

impl Part {
    fn of(number: usize, line: &Line) -> Self {
        let (lines, span) = (number..number + 1, line.span.clone());
        Self { lines, span }
    }

    fn extend(&mut self, number: usize, line: &Line) {
        (self.lines.end, self.span.end) = (number + 1, line.span.end);
    }
}

/// A job of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its name, in front of the `:`.
    pub name: Range<usize>,
    /// Its lines, from the one with its name on.
    pub part: Part,
    /// The version directory that it is about, where it names one alone, or is named after a series.
    pub(super) directory: Option<Box<str>>,
}

/// The lines and jobs of a workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Structure {
    /// Those that are not empty and not only a comment.
    pub lines: Vec<Line>,
    /// What is indented once below `jobs:`.
    pub jobs: Vec<Job>,
}

impl Structure {
    /// That of a text.
    pub fn new(text: &[u8]) -> Self {
        let mut structure = Self::default();
        let mut open: Vec<usize> = Vec::new();
        let (mut at, mut in_jobs, mut depth) = (0, false, None);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            at += line.len();
            let Some(mut line) = Line::new(text, at - line.len()..at) else {
                continue;
            };
            let number = structure.lines.len();
            let is_above = |other: &Line| {
                let is_same = other.indent == line.indent;
                other.indent < line.indent || is_same && line.is_item && !other.is_item
            };
            open.retain(|other| is_above(&structure.lines[*other]));
            line.above = open.last().copied();
            open.push(number);
            if line.indent == 0 {
                in_jobs = line.key(text) == Some(b"jobs");
            } else if in_jobs {
                let is_name = *depth.get_or_insert(line.indent) == line.indent;
                if let Some(name) = line.keys.first().filter(|_| is_name) {
                    structure.jobs.push(Job {
                        name: name.clone(),
                        part: Part::of(number, &line),
                        directory: None,
                    });
                }
                if let Some(job) = structure.jobs.last_mut() {
                    job.part.extend(number, &line);
                }
            }
            structure.lines.push(line);
        }
        structure
    }

    /// The lists: items of one depth without another line of that depth or above between them.
    pub fn lists(&self) -> Vec<Vec<Part>> {
        let mut lists: Vec<Vec<Part>> = Vec::new();
        // The lists that a line is in, by the depth of their items.
        let mut open: Vec<(usize, usize)> = Vec::new();
        for (number, line) in self.lines.iter().enumerate() {
            open.retain(|(depth, _)| *depth < line.indent || *depth == line.indent && line.is_item);
            if line.is_item {
                match open.last().filter(|(depth, _)| *depth == line.indent) {
                    Some((_, list)) => lists[*list].push(Part::of(number, line)),
                    None => {
                        open.push((line.indent, lists.len()));
                        lists.push(vec![Part::of(number, line)]);
                    }
                }
            }
            for (_, list) in &open {
                if let Some(item) = lists[*list].last_mut() {
                    item.extend(number, line);
                }
            }
        }
        lists
    }

    /// The line at a place, or the next one.
    pub fn line_at(&self, at: usize) -> usize {
        self.lines.partition_point(|line| line.span.end <= at)
    }

    /// A line, and those that it is below, one after the other.
    pub fn upwards(&self, line: usize) -> impl Iterator<Item = &Line> {
        let numbers = std::iter::successors(Some(line), |line| self.lines[*line].above);
        numbers.map(|number| &self.lines[number])
    }

    /// The job at a place.
    pub fn job_at(&self, at: usize) -> Option<&Job> {
        let before = self.jobs.partition_point(|job| job.part.span.start <= at);
        let job = &self.jobs[before.checked_sub(1)?];
        job.part.span.contains(&at).then_some(job)
    }

    /// The version directory that the job at a place is about.
    pub(super) fn directory_at(&self, at: usize) -> Option<Box<str>> {
        self.job_at(at)?.directory.clone()
    }

    /// Finds out what each job is about, from the version directories that are named in it.
    fn name_directories(&mut self, text: &[u8], fields: &[Field], pattern: &Pattern) {
        let named = fields
            .iter()
            .filter(|field| field.is_directory() && !field.in_comment);
        let mut named = named.peekable();
        for job in &mut self.jobs {
            let mut names = BTreeSet::new();
            while let Some(field) = named.next_if(|field| field.span.start < job.part.span.end) {
                if field.span.start >= job.part.span.start {
                    names.insert(found(text, &field.span));
                }
            }
            job.directory = match names.len() {
                0 => named_after(&text[job.name.clone()], pattern),
                _ => names
                    .first()
                    .filter(|_| names.len() == 1)
                    .map(|name| (**name).into()),
            };
        }
    }
}

/// The series that the name of a job ends in or has in it, as a version directory: `2.14.x` of `linux-2_14`.
fn named_after(name: &[u8], directory: &Pattern) -> Option<Box<str>> {
    let name = std::str::from_utf8(name).ok()?;
    let parts: Vec<&str> = name.split(['-', '_']).collect();
    let numbers = parts
        .windows(2)
        .skip(1)
        .find_map(|two| Some(Version::new(two[0].parse().ok()?, two[1].parse().ok()?, 0)));
    numbers
        .filter(|_| directory.has_series())
        .map(|version| directory.render(&version).into())
}

/// The structure of a text. Adds to its fields what depends on that: the runners, and the series that each variant belongs to.
pub(super) fn complete(
    text: &[u8],
    pattern: &Pattern,
    fields: &mut Vec<Field>,
    runners: &[usize],
) -> Structure {
    let mut structure = Structure::new(text);
    structure.name_directories(text, fields, pattern);
    let lines = &structure.lines;
    let of_job = |at: usize| structure.directory_at(at);
    let mut last: Option<Range<usize>> = None;
    // The folder of scripts that a step has gone to: where the step begins, and the version directory.
    let mut step = 0;
    let mut went_to: Option<(usize, Box<str>)> = None;
    let mut line = 0;
    fields.retain_mut(|field| {
        let at = field.span.start;
        while lines
            .get(line + 1)
            .is_some_and(|next| next.span.start <= at)
        {
            line += 1;
            if lines[line].is_item {
                step = line;
            }
        }
        let in_path = last
            .as_ref()
            .filter(|last| last.end + 1 == at)
            .map(|last| found(text, last).into());
        // `2.14.x/tests/build-images.sh`
        let in_tests = last.as_ref().filter(|last| {
            let between = text.get(last.end..at).unwrap_or_default();
            between == b"/tests/" || between == br"\tests\"
        });
        let in_tests = in_tests.map(|last| found(text, last).into());
        last = field.is_directory().then(|| field.span.clone());
        if field.is_directory() && text[field.span.end..].get(1..6) == Some(b"tests") {
            went_to = Some((step, found(text, &field.span).into()));
        }
        let gone_to = || {
            went_to
                .clone()
                .filter(|(at, _)| *at == step)
                .map(|(_, name)| name)
        };
        let here = lines.get(line).filter(|line| line.span.contains(&at));
        field.in_comment |= here.is_some_and(|line| at >= line.end);
        match &mut field.kind {
            Kind::TagVariant => {
                field.kind = Kind::Variant {
                    directory: of_job(at),
                }
            }
            Kind::Variant { directory } => *directory = in_path.or_else(|| of_job(at)),
            Kind::Script { directory } => {
                *directory = in_tests.or_else(gone_to).or_else(|| of_job(at))
            }
            Kind::Caption { family, directory } => {
                let is_name = here.is_some_and(|line| {
                    let is_key = line.keys.iter().any(|key| key.contains(&at));
                    is_key || line.key(text) == Some(b"name")
                });
                if is_name || field.in_comment {
                    *directory = of_job(at);
                } else if family.is_some() {
                    return false;
                } else {
                    *directory = in_path.or_else(|| of_job(at));
                }
            }
            _ => {}
        }
        true
    });
    let labels = labels(text, &structure, runners);
    if !labels.is_empty() {
        fields.extend(labels);
        fields.sort_by_key(|field| field.span.start);
    }
    structure
}

/// The versions in the labels of runners.
///
/// A runner is named behind `runs-on` and its `labels`, and behind a key of the `matrix` that a `runs-on` takes its value
/// from. What stands in an expression (`${{ … }}`) is nobody's label.
fn labels(text: &[u8], structure: &Structure, runners: &[usize]) -> Vec<Field> {
    let lines = &structure.lines;
    let runs_on = lines
        .iter()
        .filter(|line| line.key(text) == Some(b"runs-on"));
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
        let above = || {
            structure
                .upwards(number)
                .skip(1)
                .filter_map(|line| line.keys.first())
        };
        let in_matrix = line
            .keys
            .iter()
            .chain(above())
            .any(|key| said(key) == b"matrix");
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
                key == b"runs-on" || key == b"labels" || in_matrix && taken.contains(key)
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
    let system = RUNNERS
        .into_iter()
        .find(|system| text[at..].starts_with(system.as_bytes()))?;
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
