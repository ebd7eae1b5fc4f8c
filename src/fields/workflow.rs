//! The structure of a workflow: its lines, keys and jobs, as far as fields depend on them.
//!
//! This is text with a structure, not YAML that is read and printed again: whatever is not a field stays as it is.

use std::collections::BTreeMap;
use std::ops::Range;

use super::spans::{after, has, is_word, skip, trimmed_end};

/// The keys whose values are folders or files of the repository.
pub const INPUTS: [&str; 3] = ["context", "file", "working-directory"];
/// The keys below which variables and outputs are set.
pub(super) const SETTINGS: [&[u8]; 2] = [b"env", b"outputs"];
/// The commands that go to a folder.
pub const FOLDER_COMMANDS: [&str; 4] = ["cd", "pushd", "Set-Location", "Push-Location"];

/// Whether a line ends in a command that goes to the folder that is named next.
pub(super) fn goes_to(line: &[u8]) -> bool {
    let command = line.strip_suffix(b" ");
    command.is_some_and(|line| {
        FOLDER_COMMANDS
            .iter()
            .any(|word| line.ends_with(word.as_bytes()))
    })
}

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
    /// The line that it is below: the nearest one that is indented less; for an item also a key with the same indent.
    pub above: Option<usize>,
    /// The number of the line with which its command begins: a command can go on, or be folded.
    pub command: usize,
    /// The names in front of a `:`.
    pub keys: Vec<Range<usize>>,
    /// What stands in `${{ … }}`.
    pub expressions: Vec<Range<usize>>,
    /// It says what is not: `if: matrix.version != '2.12.x'`.
    denies: bool,
    /// It is part of a matrix.
    pub in_matrix: bool,
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
            denies: false,
            in_matrix: false,
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
        // Of a comment behind a bare carriage return nothing is left.
        if line.end <= first {
            return None;
        }
        let is_condition = line.key(text) == Some(b"if") && code.contains(&b'!');
        line.denies = is_condition || has(code, b"!=") || has(code, b" -ne ");
        Some(line)
    }

    /// What it says behind the dash of an item and a `run:`.
    pub fn code<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let mut code = &text[self.span.start + self.indent..self.end];
        while let Some(item) = code.strip_prefix(b"- ") {
            code = item;
        }
        code.strip_prefix(b"run:").unwrap_or(code).trim_ascii()
    }

    /// The folder that it goes to, where it begins with a command that does.
    pub fn destination<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let code = self.code(text);
        let (command, rest) = code.split_at(memchr::memchr(b' ', code)?);
        let rest = rest.split(|byte| b"&;|".contains(byte)).next()?;
        let mut commands = FOLDER_COMMANDS.iter();
        let goes = commands.any(|known| known.as_bytes() == command);
        goes.then(|| rest.trim_ascii())
    }

    /// The name in front of the last `:` before a place.
    pub(super) fn key_before(&self, at: usize) -> Option<&Range<usize>> {
        let before = self.keys.partition_point(|key| key.start < at);
        self.keys.get(before.checked_sub(1)?)
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
    let before = &text[floor..colon];
    let unquoted = before.strip_suffix(b"\"").or(before.strip_suffix(b"'"));
    let before = unquoted.unwrap_or(before);
    let bare = trimmed_end(before, |byte| is_word(byte) || byte == b'-');
    let (start, end) = (floor + bare.len(), floor + before.len());
    let opens = start == floor
        || text[start - 1].is_ascii_whitespace()
        || b"{,[\"'".contains(&text[start - 1]);
    (end > start && opens && text[start] != b'-').then_some(start..end)
}

/// Lines that belong together: those of a job, or of an item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The numbers of its lines.
    pub lines: Range<usize>,
    /// Where it stands in the text: whole lines, up to where its last line ends.
    pub span: Range<usize>,
}

/// A job of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its name, in front of the `:`.
    pub name: Range<usize>,
    /// Its lines, from the one with its name on.
    pub part: Part,
    pub(super) directory: Option<Box<str>>,
}

impl Job {
    /// The version directory that it is about, where it names one alone, or is named after a series.
    pub fn directory(&self) -> Option<&str> {
        self.directory.as_deref()
    }
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
    /// The structure of a text.
    pub fn new(text: &[u8]) -> Self {
        let mut structure = Self::default();
        let mut open: Vec<usize> = Vec::new();
        let mut at = 0;
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
            let above = line.above.map(|above| &structure.lines[above]);
            let mut keys = line.keys.iter().map(|key| &text[key.clone()]);
            line.in_matrix =
                keys.any(|key| key == b"matrix") || above.is_some_and(|above| above.in_matrix);
            open.push(number);
            structure.lines.push(line);
        }
        let is_jobs = |line: &Line| line.indent == 0 && line.key(text) == Some(b"jobs");
        let lines = structure.lines.iter().enumerate();
        let below = lines.filter(|(_, line)| {
            let above = line.above.map(|above| &structure.lines[above]);
            above.is_some_and(is_jobs)
        });
        let job = |(number, line): (usize, &Line)| {
            let (name, part) = (line.keys.first()?.clone(), structure.part(number));
            let directory = None;
            Some(Job {
                name,
                part,
                directory,
            })
        };
        structure.jobs = below.filter_map(job).collect();
        structure
    }

    /// A line, and those below it.
    fn part(&self, line: usize) -> Part {
        let lines = line..self.below(line).end;
        let span = self.lines[line].span.start..self.lines[lines.end - 1].span.end;
        Part { lines, span }
    }

    /// The number of the line with which the command of a line begins that comes next.
    fn command(&self, text: &[u8], number: usize, line: &Line) -> usize {
        let code = |line: &Line| &text[line.span.start..line.end];
        let goes_on = |line: &&Line| code(line).ends_with(b"\\") || code(line).ends_with(b"`");
        let is_folded = |above: &usize| {
            let code = code(&self.lines[*above]).trim_ascii_end();
            let code = trimmed_end(code, |byte| b"+-".contains(&byte));
            code.ends_with(b": >")
        };
        let before = self.lines.last().filter(goes_on);
        let before = before.map(|before| before.command);
        before.or(line.above.filter(is_folded)).unwrap_or(number)
    }

    /// The lists in brackets, each with its items and the blanks around them: values of a key, without anything in them that
    /// is a list or a map of its own, or a comment.
    pub fn bracket_lists(&self, text: &str) -> Vec<Vec<Range<usize>>> {
        let mut lists = Vec::new();
        // Where the items of the open list begin.
        let mut open: Option<Vec<usize>> = None;
        for line in &self.lines {
            for at in line.span.start..line.end {
                match (text.as_bytes()[at], &mut open) {
                    (b'[', _) => open = is_value(text.as_bytes(), at).then(|| vec![at + 1]),
                    (b'{' | b'}' | b'(' | b')', _) => open = None,
                    (b',', Some(starts)) => starts.push(at + 1),
                    (b']', Some(starts)) => {
                        let ends = starts[1..].iter().map(|next| next - 1).chain([at]);
                        let items = starts.iter().zip(ends).map(|(start, end)| *start..end);
                        if !text[starts[0]..at].contains('#') {
                            lists.push(items.collect());
                        }
                        open = None;
                    }
                    _ => {}
                }
            }
        }
        lists
    }

    /// The lists: the items below one line.
    pub fn lists(&self) -> Vec<Vec<Part>> {
        let mut lists: BTreeMap<Option<usize>, Vec<Part>> = BTreeMap::new();
        for (number, line) in self
            .lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.is_item)
        {
            let list = lists.entry(line.above).or_default();
            list.push(self.part(number));
        }
        lists.into_values().collect()
    }

    /// What is set below each of `SETTINGS`, by the names in front of a `:`.
    pub fn settings(&self, text: &[u8]) -> Vec<Vec<Part>> {
        let mut settings: BTreeMap<usize, Vec<Part>> = BTreeMap::new();
        for (number, line) in self.lines.iter().enumerate() {
            let key = |line: usize| self.lines[line].key(text);
            let is_inside = |above: &usize| key(*above).is_some_and(|key| SETTINGS.contains(&key));
            let above = line.above.filter(is_inside);
            if let Some(above) = above.filter(|_| !line.is_item && key(number).is_some()) {
                settings.entry(above).or_default().push(self.part(number));
            }
        }
        settings.into_values().collect()
    }

    /// The line at a place, or the next one.
    pub fn line_at(&self, at: usize) -> usize {
        self.lines.partition_point(|line| line.span.end <= at)
    }

    /// The numbers of a line and those that it is below, one after the other; none behind the last one, where only comments are.
    pub fn upwards(&self, line: usize) -> impl Iterator<Item = usize> {
        let line = (line < self.lines.len()).then_some(line);
        std::iter::successors(line, |line| self.lines[*line].above)
    }

    /// Whether a line, or one that it is below, begins with a key.
    pub fn is_below(&self, text: &[u8], line: usize, key: &[u8]) -> bool {
        let mut lines = self.upwards(line);
        lines.any(|line| self.lines[line].key(text) == Some(key))
    }

    /// Whether what stands at a place is said, rather than denied or a comment.
    pub fn is_said(&self, at: usize) -> bool {
        let line = self.lines.get(self.line_at(at));
        line.is_some_and(|line| line.span.start <= at && at < line.end && !line.denies)
    }

    /// The numbers of the lines that a part of a text overlaps.
    pub fn lines_in(&self, part: &Range<usize>) -> Range<usize> {
        let end = self
            .lines
            .partition_point(|line| line.span.start < part.end);
        self.line_at(part.start)..end
    }

    /// What a part of a text says, without comments and lines that deny, and perhaps without values of `env`.
    pub fn said(&self, text: &str, part: &Range<usize>, with_env: bool) -> String {
        let mut said = String::new();
        let is_meant =
            |number: &usize| with_env || !self.is_below(text.as_bytes(), *number, b"env");
        for number in self.lines_in(part).filter(is_meant) {
            let line = &self.lines[number];
            let inside = line.span.start.max(part.start)..line.end.min(part.end);
            if !line.denies {
                said += text.get(inside).unwrap_or_default();
                said.push('\n');
            }
        }
        said
    }

    /// The number of the job at a place.
    pub fn job_number(&self, at: usize) -> Option<usize> {
        let before = self.jobs.partition_point(|job| job.part.span.start <= at);
        let number = before.checked_sub(1)?;
        self.jobs[number].part.span.contains(&at).then_some(number)
    }

    /// The job at a place.
    pub fn job_at(&self, at: usize) -> Option<&Job> {
        self.job_number(at).map(|number| &self.jobs[number])
    }

    /// The lines below a line: those behind it that are indented more.
    pub fn below(&self, line: usize) -> Range<usize> {
        let below = self.lines[line + 1..].iter();
        let inside = below.take_while(|other| other.indent > self.lines[line].indent);
        line + 1..line + 1 + inside.count()
    }

    /// The item of a list that a place is in, the innermost one.
    pub fn item_at(&self, at: usize) -> Option<Part> {
        let mut above = self.upwards(self.line_at(at));
        let start = above.find(|line| self.lines[*line].is_item)?;
        Some(self.part(start))
    }

    /// Whether what stands at a place is part of a matrix.
    pub fn is_in_matrix(&self, at: usize) -> bool {
        let line = self.lines.get(self.line_at(at));
        line.is_some_and(|line| line.in_matrix)
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
