//! The structure of a workflow: its lines, keys and jobs, as far as fields depend on them.
//!
//! This is text with a structure, not YAML that is read and printed again: whatever is not a field stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use semver::Version;

use super::spans::{after, is_word, skip, trimmed_end};
use super::{Field, Kind, found, runners};
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
    /// The number of the line with which the command begins that it is part of: of lines that go on, or are folded into one.
    pub command: usize,
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
            command: 0,
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
            line.command = structure.command(text, number, &line);
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

    /// Where the command begins that a line is part of, which is the next one to come.
    fn command(&self, text: &[u8], number: usize, line: &Line) -> usize {
        let code = |line: &Line| &text[line.span.start..line.end];
        let goes_on = |line: &&Line| code(line).ends_with(b"\\") || code(line).ends_with(b"`");
        let is_folded = |above: &usize| {
            let code = code(&self.lines[*above]).trim_ascii_end();
            let code = trimmed_end(code, |byte| b"+-".contains(&byte));
            code.ends_with(b": >")
        };
        let before = self
            .lines
            .last()
            .filter(goes_on)
            .map(|before| before.command);
        before.or(line.above.filter(is_folded)).unwrap_or(number)
    }

    /// The lists in brackets, each with its items and the blanks around them: values of a key, without anything in them that
    /// is a list or a map of its own, or a comment.
    pub fn bracket_lists(&self, text: &str) -> Vec<Vec<Range<usize>>> {
        let mut lists = Vec::new();
        // Where the items of the open list begin.
        let mut open: Option<Vec<usize>> = None;
        for line in &self.lines {
            for (at, byte) in text
                .bytes()
                .enumerate()
                .take(line.end)
                .skip(line.span.start)
            {
                match (byte, &mut open) {
                    (b'[', _) => open = is_value(text.as_bytes(), at).then(|| vec![at + 1]),
                    (b'{' | b'}' | b'(' | b')', _) => open = None,
                    (b',', Some(starts)) => starts.push(at + 1),
                    (b']', Some(starts)) => {
                        let ends = starts[1..].iter().map(|next| next - 1).chain([at]);
                        let items: Vec<Range<usize>> = starts
                            .iter()
                            .zip(ends)
                            .map(|(start, end)| *start..end)
                            .collect();
                        if !text[starts[0]..at].contains('#') {
                            lists.push(items);
                        }
                        open = None;
                    }
                    _ => {}
                }
            }
        }
        lists
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

    /// Whether a line is part of a matrix.
    fn is_in_matrix(&self, text: &[u8], line: usize) -> bool {
        let mut keys = self.upwards(line).flat_map(|line| &line.keys);
        keys.any(|key| &text[key.clone()] == b"matrix")
    }

    /// Finds out what each job is about: the version directory that its paths and its matrix name alone, else the one that
    /// anything in it does, else the one that it is named after.
    fn name_jobs(&mut self, text: &[u8], fields: &[Field], pattern: &Pattern) {
        let named = fields
            .iter()
            .filter(|field| field.is_directory() && !field.in_comment);
        let mut named = named.peekable();
        let mut matrix = (usize::MAX, false);
        let mut all = Vec::new();
        for job in &self.jobs {
            let (mut paths, mut items, mut others) =
                (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            while let Some(field) = named.next_if(|field| field.span.start < job.part.span.end) {
                let line = self.line_at(field.span.start);
                if matrix.0 != line {
                    matrix = (line, self.is_in_matrix(text, line));
                }
                let names = match field.kind {
                    _ if field.span.start < job.part.span.start => continue,
                    Kind::Directory { is_certain: true } => &mut paths,
                    _ if matrix.1 => &mut items,
                    _ => &mut others,
                };
                names.insert(found(text, &field.span));
            }
            // `go: [1.22.x]` is another program's.
            let major = |name: &str| name.split('.').next().map(str::to_owned);
            let majors: BTreeSet<_> = paths.iter().map(|name| major(name)).collect();
            items.retain(|name| majors.is_empty() || majors.contains(&major(name)));
            paths.extend(items);
            let names = if paths.is_empty() { others } else { paths };
            all.push(match names.len() {
                0 => named_after(&text[job.name.clone()], pattern),
                1 => names.first().map(|name| (**name).into()),
                _ => None,
            });
        }
        for (job, directory) in self.jobs.iter_mut().zip(all) {
            job.directory = directory;
        }
    }
}

/// What the commands and the items of lists are about: the version directories that they name in paths.
#[derive(Default)]
struct Parts {
    /// By the line with which each begins, and whether that is an item: `None` where it names several.
    named: BTreeMap<(usize, bool), Option<Box<str>>>,
}

impl Parts {
    /// The parts that a line is in, the smallest first.
    fn around(structure: &Structure, line: usize) -> impl Iterator<Item = (usize, bool)> {
        let lines = &structure.lines;
        let numbers = std::iter::successors(Some(line), |line| lines[*line].above);
        let items = numbers
            .filter(|number| lines[*number].is_item)
            .map(|number| (number, true));
        std::iter::once((lines[line].command, false)).chain(items)
    }

    fn of(text: &[u8], structure: &Structure, fields: &[Field]) -> Self {
        let mut parts = Self::default();
        let is_path = |field: &&Field| {
            field.kind == Kind::Directory { is_certain: true } && !field.in_comment
        };
        for field in fields.iter().filter(is_path) {
            let (line, name) = (
                structure.line_at(field.span.start),
                found(text, &field.span),
            );
            for part in Self::around(structure, line) {
                let known = parts.named.get(&part);
                // What is above knows it too, then.
                if known.is_some_and(|known| known.as_deref().is_none_or(|known| *known == *name)) {
                    break;
                }
                let several = known.is_some();
                parts.named.insert(part, (!several).then(|| (*name).into()));
            }
        }
        parts
    }

    /// The version directory that the smallest part around a line is about, of those that name any; else what its job is.
    fn directory(&self, structure: &Structure, line: usize) -> Option<Box<str>> {
        let mut around = Self::around(structure, line);
        match around.find_map(|part| self.named.get(&part)) {
            Some(named) => named.clone(),
            None => structure
                .job_at(structure.lines[line].span.start)?
                .directory
                .clone(),
        }
    }
}

/// Whether what begins at a place is the value of a key, perhaps behind an anchor.
fn is_value(text: &[u8], at: usize) -> bool {
    let before = text[at.saturating_sub(200)..at].trim_ascii_end();
    let name = trimmed_end(before, |byte| is_word(byte) || byte == b'-');
    let bare = name
        .strip_suffix(b"&")
        .filter(|_| name.len() < before.len());
    bare.unwrap_or(before).trim_ascii_end().ends_with(b":")
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
    structure.name_jobs(text, fields, pattern);
    let parts = Parts::of(text, &structure, fields);
    let lines = &structure.lines;
    // What the parts around a line are about that was asked for last.
    let mut around: (usize, Option<Box<str>>) = (usize::MAX, None);
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
        if around.0 != line && !lines.is_empty() {
            around = (line, parts.directory(&structure, line));
        }
        let of_part = || around.1.clone();
        let here = lines.get(line).filter(|line| line.span.contains(&at));
        field.in_comment |= here.is_some_and(|line| at >= line.end);
        match &mut field.kind {
            Kind::TagVariant => {
                field.kind = Kind::Variant {
                    directory: of_part(),
                }
            }
            Kind::Variant { directory } => *directory = in_path.or_else(of_part),
            Kind::Script { directory } => *directory = in_tests.or_else(gone_to).or_else(of_part),
            Kind::Caption { family, directory } => {
                let is_name = here.is_some_and(|line| {
                    let is_key = line.keys.iter().any(|key| key.contains(&at));
                    is_key || line.key(text) == Some(b"name")
                });
                if is_name || field.in_comment {
                    *directory = of_part();
                } else if family.is_some() {
                    return false;
                } else {
                    *directory = in_path.or_else(of_part);
                }
            }
            _ => {}
        }
        true
    });
    let labels = runners::labels(text, &structure, runners);
    if !labels.is_empty() {
        fields.extend(labels);
        fields.sort_by_key(|field| field.span.start);
    }
    structure
}
