//! The rules about workflows as wholes: their paths lead to files that are there, a job is about one series in all that it
//! says, what is tagged is what is built, and no series is forgotten.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::fields::series::Series;
use crate::fields::workflow::{Job, Line, jobs, lines, lists};
use crate::fields::{Field, Kind};
use crate::finding::Finding;
use crate::repository::{Directories, Folder, Place, Repository, Tree};
use crate::text::Places;

/// Checks the workflows of a repository.
pub(super) fn check(
    repository: &Repository,
    directories: &Directories,
    findings: &mut Vec<Finding>,
) {
    let has_series = repository.names.config.directory.has_series();
    let series: Vec<Series> = directories.iter().map(Series::of).collect();
    for place in repository.shared_documents().filter(Place::is_workflow) {
        let Ok(text) = std::str::from_utf8(&place.document.text) else {
            continue;
        };
        let workflow = Workflow {
            text,
            place: &place,
            lines: lines(text.as_bytes()),
            places: Places::new(text.as_bytes()),
        };
        workflow.check_paths(repository, findings);
        if has_series {
            workflow.check_inputs(findings);
        }
        workflow.check_tags(directories, findings);
        let jobs = jobs(text.as_bytes(), &workflow.lines);
        let names = jobs.iter().map(|job| &text[job.name.clone()]).collect();
        workflow.check_needs((&jobs, &names), findings);
        if has_series {
            jobs.iter()
                .for_each(|job| workflow.check_job((job, &names), &series, findings));
            workflow.check_series(&series, findings);
        }
    }
}

/// How far a tag's option can stand in front of the name of the variant in it.
const BACK: usize = 400;

struct Workflow<'a> {
    text: &'a str,
    place: &'a Place<'a>,
    lines: Vec<Line>,
    places: Places<'a>,
}

impl<'a> Workflow<'a> {
    fn fields(&self, is_it: impl Fn(&Kind) -> bool) -> impl Iterator<Item = &'a Field> {
        let fields = self.place.document.statements();
        fields.filter(move |field| is_it(&field.kind))
    }

    fn finding(&self, at: &Range<usize>, rule: &'static str, why: &str) -> Finding {
        let found = &self.text[at.clone()];
        let message = format!("found {found}{why}");
        let place = self.places.of(at.start);
        Finding::at(&self.place.path(), place, rule, message).found(found)
    }

    fn expected(&self, at: &Range<usize>, rule: &'static str, new: &str, why: &str) -> Finding {
        let finding = self.finding(at, rule, &format!(", expected {new}: {why}"));
        finding.expected(new)
    }

    /// What a path names below a version directory is there.
    fn check_paths(&self, repository: &Repository, findings: &mut Vec<Finding>) {
        for field in self.fields(|kind| *kind == Kind::Directory) {
            let Some(tree) = repository.tree(&self.text[field.span.clone()]) else {
                continue;
            };
            let path = path_behind(self.text, field.span.end);
            let names: Vec<&str> = path.iter().map(|name| &self.text[name.clone()]).collect();
            let Some(missing) = missing(tree, &names) else {
                continue;
            };
            // The name of a variant or a script has a finding of its own.
            let start = path[missing].start;
            let fields = &self.place.document.fields;
            let is_field = fields.binary_search_by_key(&start, |field| field.span.start);
            if is_field.is_err() {
                let folder = [&[tree.directory.name.as_str()], &names[..missing]].concat();
                let why = format!(": there is no such file or folder in {}", folder.join("/"));
                findings.push(self.finding(&path[missing], "path", &why));
            }
        }
    }

    /// What an image is built from is a variant of a version directory, rather than one that stands by itself.
    fn check_inputs(&self, findings: &mut Vec<Finding>) {
        for field in self.fields(|kind| matches!(kind, Kind::Variant { .. })) {
            let line = &self.lines[self.line_of(field.span.start)];
            let value = &self.text[line.span.start + line.indent..field.span.start];
            let value = value.trim_start_matches(['-', ' ']);
            let path = value
                .strip_prefix("context:")
                .or(value.strip_prefix("file:"));
            let Some(path) = path.map(|path| path.trim_start_matches([' ', '"', '\''])) else {
                continue;
            };
            let above = path
                .strip_prefix("./")
                .unwrap_or(path)
                .trim_end_matches('/');
            let looks_like_a_version =
                !above.contains('/') && above.starts_with(|c: char| c.is_ascii_digit());
            let fields = &self.place.document.fields;
            let before = fields.partition_point(|other| other.span.start < field.span.start);
            let before = before.checked_sub(1).map(|before| &fields[before]);
            let has_directory = before.is_some_and(|before| {
                before.kind == Kind::Directory && before.span.end + 1 == field.span.start
            });
            if !has_directory && (above.is_empty() || looks_like_a_version) {
                let why = ", which is in no version directory here";
                findings.push(self.finding(&field.span, "path", why));
            }
        }
    }

    /// The jobs that a job needs are there.
    fn check_needs(&self, (jobs, names): (&[Job], &BTreeSet<&str>), findings: &mut Vec<Finding>) {
        for job in jobs {
            let lines = &self.lines[job.lines.clone()];
            for (number, line) in lines.iter().enumerate() {
                if line.key(self.text.as_bytes()) != Some(b"needs") {
                    continue;
                }
                let below = lines[number + 1..].iter();
                let items = below.take_while(|next| {
                    next.indent >= line.indent && next.is_item(self.text.as_bytes())
                });
                let end = items.last().unwrap_or(line).end;
                let start = line.span.start + line.indent + "needs:".len();
                for name in words(self.text, start.min(end)..end) {
                    if !names.contains(&self.text[name.clone()]) {
                        let why = ": there is no such job";
                        findings.push(self.finding(&name, "job", why));
                    }
                }
            }
        }
    }

    /// A job is about one series in its name, its condition and its paths, where its name or its paths say which.
    fn check_job(
        &self,
        (job, jobs): (&Job, &BTreeSet<&str>),
        all: &[Series],
        findings: &mut Vec<Finding>,
    ) {
        let name = &self.text[job.name.clone()];
        let directories: Vec<&Field> = self
            .fields(|kind| *kind == Kind::Directory)
            .filter(|field| job.span.contains(&field.span.start))
            .collect();
        let said = |field: &Field| &self.text[field.span.clone()];
        let names: BTreeSet<&str> = directories.iter().map(|field| said(field)).collect();
        let of_path = |series: &&Series| names.contains(series.directory.as_str());
        let named: Vec<&Series> = all.iter().filter(|series| series.is_in(name)).collect();
        let used: Vec<&Series> = all.iter().filter(of_path).collect();
        let series = match (named.as_slice(), used.as_slice()) {
            ([one], _) | ([], [one]) => *one,
            _ => return,
        };
        let why = format!("the job {name} is about {}", series.directory);
        let known: BTreeSet<&str> = used.iter().map(|other| other.directory.as_str()).collect();
        let is_other = |field: &&&Field| known.contains(said(field));
        for field in directories.iter().filter(is_other) {
            if said(field) != series.directory {
                let new = &series.directory;
                findings.push(self.expected(&field.span, "directory", new, &why));
            }
        }
        let conditions = self.lines[job.lines.clone()].iter();
        let conditions = conditions
            .filter(|line| match line.key(self.text.as_bytes()) {
                Some(b"if") => true,
                // One that is not there has a finding of its own.
                Some(b"needs") => {
                    let start = line.span.start + line.indent + "needs:".len();
                    let words = words(self.text, start.min(line.end)..line.end);
                    let is_there = |word: &Range<usize>| jobs.contains(&self.text[word.clone()]);
                    !named.is_empty() && words.iter().all(is_there)
                }
                _ => false,
            })
            .map(|line| line.span.start..line.end);
        for part in conditions.chain([job.name.clone()]) {
            if let Some(other) = series.other_in(&self.text[part.clone()]) {
                let at = part.start + other.start..part.start + other.end;
                let found = &self.text[at.clone()];
                let end = found
                    .rfind(|c: char| !c.is_ascii_digit())
                    .map_or(0, |end| end + 1);
                let new = format!("{}{}", &found[..end], series.version.minor);
                findings.push(self.expected(&at, "series", &new, &why));
            }
        }
    }

    /// An image is tagged with the name of the variant that it is built from.
    fn check_tags(&self, directories: &Directories, findings: &mut Vec<Finding>) {
        let bytes = self.text.as_bytes();
        // One that is not there has a finding of its own.
        let is_there = |field: &Field| match &field.kind {
            Kind::Variant {
                directory: Some(name),
            } => directories
                .get(name)
                .is_some_and(|directory| directory.has(&self.text[field.span.clone()])),
            Kind::Variant { directory: None } => {
                directories.holder(&self.text[field.span.clone()]).is_some()
            }
            _ => false,
        };
        let all = self.fields(|kind| matches!(kind, Kind::Variant { .. }));
        let (variants, others): (Vec<&Field>, Vec<&Field>) = all.partition(|field| is_there(field));
        let in_path = |field: &Field| b"/\\".contains(&bytes[field.span.start - 1]);
        let steps = lists(bytes, &self.lines);
        let steps = steps.iter().flatten().filter(|step| step.start < step.end);
        let mut parts: Vec<Range<usize>> = Vec::new();
        for step in steps {
            parts.push(step.clone());
            // The commands of a script: lines that go on are one.
            let mut from = step.start;
            for line in step.clone() {
                let code = self.text[self.lines[line].span.start..self.lines[line].end].trim_end();
                if !code.ends_with(['\\', '`']) {
                    parts.push(from..line + 1);
                    from = line + 1;
                }
            }
        }
        let (mut seen, above) = (BTreeSet::new(), self.above());
        for part in parts {
            let span = self.lines[part.start].span.start..self.lines[part.end - 1].span.end;
            let first = variants.partition_point(|field| field.span.start < span.start);
            let inside = || {
                let rest = variants[first..].iter().copied();
                rest.take_while(|field| field.span.end <= span.end)
            };
            let from = others.partition_point(|field| field.span.start < span.start);
            if others
                .get(from)
                .is_some_and(|field| field.span.end <= span.end && in_path(field))
            {
                continue;
            }
            let said = |field: &Field| &self.text[field.span.clone()];
            let (paths, names): (Vec<&Field>, Vec<&Field>) =
                inside().partition(|field| in_path(field));
            let tags: Vec<&Field> = names
                .into_iter()
                .filter(|field| self.is_tag(field, &above))
                .collect();
            let is_input = |field: &&Field| {
                let key = self.lines[self.line_of(field.span.start)].key(bytes);
                matches!(key, Some(b"context" | b"file"))
            };
            let inputs: Vec<&Field> = paths.iter().copied().filter(is_input).collect();
            let one = |fields: &[&Field]| -> Option<&str> {
                let names: BTreeSet<&str> = fields.iter().map(|field| said(field)).collect();
                names.first().filter(|_| names.len() == 1).copied()
            };
            let (wrong, expected, why) = match (one(&tags), one(&paths)) {
                (_, Some(built)) => (tags, built, "is what is built here"),
                (Some(tagged), None) => (inputs, tagged, "is what the image is tagged with"),
                (None, None) => continue,
            };
            for field in wrong.into_iter().filter(|field| said(field) != expected) {
                if seen.insert(field.span.start) {
                    let why = format!("{expected} {why}");
                    findings.push(self.expected(&field.span, "variant", expected, &why));
                }
            }
            let arguments = inside().filter(|field| {
                let line = self.line_of(field.span.start);
                let is_below = above[line]
                    .is_some_and(|above| self.lines[above].key(bytes) == Some(b"build-args"));
                is_below && said(field) == expected
            });
            for field in arguments {
                if seen.insert(field.span.start) {
                    let why = format!(": {expected} copies from itself");
                    findings.push(self.finding(&field.span, "variant", &why));
                }
            }
        }
    }

    fn line_of(&self, at: usize) -> usize {
        self.lines.partition_point(|line| line.span.end <= at)
    }

    /// Whether the name of a variant is the end of a tag that an image gets: behind `tags:`, `--tag` or `-t`.
    fn is_tag(&self, field: &Field, above: &[Option<usize>]) -> bool {
        let at = field.span.start;
        let number = self.line_of(at);
        let line = &self.lines[number];
        let before = &self.text.as_bytes()[line.span.start.max(at.saturating_sub(BACK))..at];
        let before = String::from_utf8_lossy(before);
        let is_tags = |line: &Line| line.key(self.text.as_bytes()) == Some(b"tags");
        let is_option = ["--tag ", "--tag=", "-t "].iter().any(|option| {
            // In front of this very word: of several, each has its own.
            let rest = before.rfind(option).map(|at| &before[at + option.len()..]);
            rest.is_some_and(|rest| !without_expressions(rest).trim_start().contains(' '))
        });
        let is_below = || above[number].is_some_and(|above| is_tags(&self.lines[above]));
        is_option || is_tags(line) || line.key(self.text.as_bytes()).is_none() && is_below()
    }

    /// The line that each line is below: the nearest one that is indented less.
    fn above(&self) -> Vec<Option<usize>> {
        let mut open: Vec<usize> = Vec::new();
        let lines = self.lines.iter().enumerate();
        let above = lines.map(|(number, line)| {
            while open
                .last()
                .is_some_and(|last| self.lines[*last].indent >= line.indent)
            {
                open.pop();
            }
            let above = open.last().copied();
            open.push(number);
            above
        });
        above.collect()
    }

    /// A workflow that names all series but one has forgotten it; a list that names one twice has forgotten another.
    fn check_series(&self, all: &[Series], findings: &mut Vec<Finding>) {
        let fields: Vec<&Field> = self.fields(|kind| *kind == Kind::Directory).collect();
        for pair in fields.windows(2) {
            let [first, second] = [pair[0], pair[1]].map(|field| &self.text[field.span.clone()]);
            let between = &self.text[pair[0].span.end..pair[1].span.start];
            let separates = |c: char| c.is_whitespace() || ",'\"-".contains(c);
            if first == second && between.contains([',', '-']) && between.chars().all(separates) {
                let why = " twice in a list";
                findings.push(self.finding(&pair[1].span, "series", why));
            }
        }
        let is_named = |series: &&Series| {
            let mut fields = fields.iter();
            fields.any(|field| self.text[field.span.clone()] == series.directory)
        };
        let missing: Vec<&Series> = all.iter().filter(|series| !is_named(series)).collect();
        if let ([missing], Some(last)) = (missing.as_slice(), fields.last())
            && all.len() > 2
        {
            let message = format!("names every series but {}", missing.directory);
            let at = self.places.of(last.span.start);
            let finding = Finding::at(&self.place.path(), at, "series", message);
            findings.push(finding.expected(&*missing.directory));
        }
    }
}

/// The names of a path that goes on there, up to what is not certain.
fn path_behind(text: &str, mut at: usize) -> Vec<Range<usize>> {
    let mut names = Vec::new();
    while text[at..].starts_with(['/', '\\']) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let length = text[at + 1..].find(|c| !is_part(c));
        let end = length.map_or(text.len(), |length| at + 1 + length);
        if end == at + 1 || text[end..].starts_with(['$', '{', '*', '?', '%', '[']) {
            break;
        }
        names.push(at + 1..end);
        at = end;
    }
    names
}

/// Which of the names of a path is not there.
fn missing(tree: &Tree, names: &[&str]) -> Option<usize> {
    let (first, rest) = names.split_first()?;
    let is_below = |name: &str, path: &str| {
        name.strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let has =
        |folder: &Folder, path: &str| folder.items.iter().any(|item| is_below(&item.name, path));
    match tree.folder(first) {
        None if tree.items.iter().any(|item| item.name == **first) => None,
        None => Some(0),
        Some(folder) => (1..=rest.len()).find(|length| !has(folder, &rest[..*length].join("/"))),
    }
}

/// The names in a value: one, or those of a list.
fn words(text: &str, span: Range<usize>) -> Vec<Range<usize>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text[span.clone()].char_indices().chain([(span.len(), ' ')]) {
        if is_part(c) {
            start.get_or_insert(span.start + at);
        } else if let Some(from) = start.take() {
            words.push(from..span.start + at);
        }
    }
    words.retain(|word| text[word.clone()] != *"-");
    words
}

/// A text without the blanks in `${{ … }}`.
fn without_expressions(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("${{") {
        out += before;
        rest = inside.split_once("}}").map_or("", |(_, after)| after);
    }
    out + rest
}
