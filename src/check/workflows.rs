//! The rules about workflows as wholes: their paths lead to files that are there, a job is about one series in all that it
//! says, what is tagged is what is built, and no series is forgotten.

mod builds;
mod expressions;
mod folders;
mod hosts;
mod jobs;
mod runs;
mod tags;
mod twins;

use std::cell::{LazyCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use self::builds::Copies;
use self::jobs::Jobs;
use super::copies;
use super::words::Names;
use crate::fields::scan::is_script;
use crate::fields::workflow::{FOLDER_COMMANDS, INPUTS, Line, Structure};
use crate::fields::{Field, Kind, Named, fields_in};
use crate::finding::Finding;
use crate::repository::{Directories, Directory, Place, Repository, TESTS, Tree};
use crate::text::{Places, has_word, is_within, span_of, window};
use crate::version::Variant;

/// Checks the workflows of a repository.
pub(super) fn check<'r>(
    repository: &'r Repository,
    directories: &Directories,
    findings: &mut Vec<Finding>,
) {
    let has_series = repository.names.config.directory.has_series();
    let series: Vec<&Directory> = directories.iter().collect();
    let names = LazyCell::new(|| {
        let names = Names::new(directories.iter(), &directories.scripts);
        names.with_files(repository)
    });
    let copies = LazyCell::new(|| {
        let trees = repository.trees.iter();
        let of = |tree: &'r Tree| (&*tree.directory.name, copies(&repository.names, tree));
        trees.map(of).collect::<Copies>()
    });
    for place in repository.workflow_documents() {
        let Some(text) = place.document.utf8() else {
            continue;
        };
        let workflow = Workflow {
            text,
            place: &place,
            structure: &place.document.facts.structure,
            places: Places::new(text.as_bytes()),
            changes: Workflow::changes(&place.document.facts.structure, text),
            findings: RefCell::default(),
        };
        workflow.check_paths(repository);
        workflow.check_made(repository);
        workflow.check_scripts(repository);
        let commands = workflow.builds();
        workflow.check_contexts(repository, &commands);
        workflow.check_lists();
        workflow.check_commands();
        workflow.check_hosts(&names);
        let all = &workflow.structure.jobs;
        let jobs = Jobs::new(all.iter().map(|job| &text[job.name.clone()]), &series);
        let builds = tags::check((&workflow, &commands), repository, directories);
        workflow.check_order(&builds, &|| &copies);
        workflow.check_arguments(repository, &builds, &commands);
        let started = workflow.tags();
        workflow.check_names();
        let (variables, outputs) = (workflow.variables(), workflow.outputs());
        for job in all {
            workflow.check_needs(job, &jobs);
            workflow.check_tags(job, &started);
            workflow.check_expressions(job, &variables, &outputs);
            if has_series {
                workflow.check_job(job, &jobs, &series);
            }
        }
        if has_series {
            workflow.check_inputs();
            workflow.check_series(&series, directories);
            workflow.check_twins(&series);
            if !started.is_empty() {
                workflow.check_conditions(&series);
            }
        }
        workflow.check_words(&names);
        findings.extend(workflow.findings.take());
    }
}

/// Whether a command builds an image: `docker build`, `docker buildx build`.
fn is_building(command: &str) -> bool {
    command.split_whitespace().any(|word| word == "build")
}

/// The options whose values are files that a build writes.
const WRITTEN: [&str; 4] = ["--iidfile", "--metadata-file", "--output", "-o"];

/// The most findings of one line that another one is compared with.
const MOST: usize = 64;

/// How many bytes in front of a name its command or option is looked for.
const BACK: usize = 2_000;

struct Workflow<'a> {
    text: &'a str,
    place: &'a Place<'a>,
    structure: &'a Structure,
    places: Places<'a>,
    /// The lines that go to another folder, in their order.
    changes: Vec<usize>,
    findings: RefCell<Vec<Finding>>,
}

impl<'a> Workflow<'a> {
    fn fields(&self, is_it: impl Fn(&Kind) -> bool) -> impl Iterator<Item = &'a Field> {
        let fields = self.place.document.statements();
        fields.filter(move |field| is_it(&field.kind))
    }

    /// The fields in a part of the text, comments included.
    fn fields_in(&self, part: &Range<usize>) -> impl Iterator<Item = &'a Field> {
        fields_in(&self.place.document.fields, part)
    }

    fn directories(&self) -> impl Iterator<Item = &'a Field> {
        self.fields(|kind| matches!(kind, Kind::Directory { .. }))
    }

    /// A finding at a place, to be completed and added.
    fn finding(&self, at: usize, rule: &'static str, message: String) -> Finding {
        Finding::at(&self.place.path(), self.places.of(at), rule, message)
    }

    fn add(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    fn report(&self, at: &Range<usize>, rule: &'static str, why: &str) {
        let found = &self.text[at.clone()];
        let finding = self.finding(at.start, rule, format!("found {found}{why}"));
        self.add(finding.found(found));
    }

    fn report_expected(&self, at: &Range<usize>, rule: &'static str, new: &str, why: &str) {
        let found = &self.text[at.clone()];
        let message = format!("found {found}, expected {new}: {why}");
        let finding = self.finding(at.start, rule, message);
        self.add(finding.found(found).expected(new));
    }

    /// What a path names below a version directory is there.
    fn check_paths(&self, repository: &Repository) {
        for field in self.directories().filter(|field| self.is_read(field)) {
            let tree = repository.tree(&self.text[field.span.clone()]);
            let names = path_behind(self.text, field.span.end);
            let missing = tree.and_then(|tree| Some((tree, missing(tree, &names)?)));
            // A field has a finding of its own.
            if let Some((tree, first)) = missing.filter(|(_, first)| !self.is_field(names[*first]))
            {
                let folder = [&[tree.directory.name.as_str()], &names[..first]].concat();
                let name = span_of(self.text, names[first]);
                let start = span_of(self.text, names[first.saturating_sub(1)]).start;
                let path = &self.text[start..name.end];
                self.report_missing((names[first], path), &folder.join("/"));
            }
        }
    }

    /// Reports a name that is not in a folder, unless its job has it, with the folder that it is in, shortly before: it may
    /// have been made there.
    fn report_missing(&self, (name, path): (&str, &str), folder: &str) {
        let span = span_of(self.text, name);
        let job = self.structure.job_at(span.start);
        let start = job.map_or(0, |job| job.part.span.start);
        let before = self.before(start, span_of(self.text, path).start);
        let before = span_of(self.text, before);
        let names = |line: &&Line| {
            let is_job = job.is_some_and(|job| line.keys.first() == Some(&job.name));
            is_job || line.key(self.text.as_bytes()) == Some(b"name")
        };
        // What a job or a step is called makes no file.
        let lines = &self.structure.lines[self.structure.lines_in(&before)];
        let mut lines = lines.iter().filter(|line| !names(line));
        let is_named = lines.any(|line| {
            let part = line.span.start.max(before.start)..line.end.min(before.end);
            has_word(window(self.text, part).as_bytes(), path)
        });
        if !is_named {
            let why = format!(": there is no such file or folder in {folder}");
            self.report(&span, "path", &why);
        }
    }

    /// Whether a path must be there before the workflow runs: a folder to build from or to work in, or a script. Other paths may
    /// be where something is written.
    fn is_read(&self, field: &Field) -> bool {
        let line = self.line_of(field);
        let command = &self.structure.lines[line.command];
        let before = self.before(command.span.start, field.span.start);
        let is_change = FOLDER_COMMANDS.iter().any(|word| {
            let rest = before.rfind(word).map(|at| &before[at + word.len()..]);
            rest.is_some_and(|rest| rest.starts_with(' ') && !rest[1..].contains(' '))
        });
        let is_end = |c: char| c.is_whitespace() || c == '=';
        let option = before.rsplit(is_end).nth(1).unwrap_or_default();
        let is_build =
            before.contains("docker ") && is_building(before) && !WRITTEN.contains(&option);
        let is_script = path_behind(self.text, field.span.end)
            .pop()
            .is_some_and(is_script);
        self.is_input(line) || is_change || is_build || is_script
    }

    /// Whether a line is an input whose value is a folder or a file of the repository.
    fn is_input(&self, line: &Line) -> bool {
        let key = line.key(self.text.as_bytes());
        INPUTS.iter().any(|input| key == Some(input.as_bytes()))
    }

    /// The lines of the step that a line is in: of the innermost item of a list.
    fn step(&self, line: usize) -> Range<usize> {
        let item = self
            .structure
            .item_at(self.structure.lines[line].span.start);
        item.map_or(line..self.structure.below(line).end, |item| item.lines)
    }

    /// The commands that build something, each by the numbers of its lines.
    fn builds(&self) -> Vec<Range<usize>> {
        let (mut commands, mut from) = (Vec::new(), 0);
        for command in self.structure.lines.chunk_by(|a, b| a.command == b.command) {
            commands.push(from..from + command.len());
            from += command.len();
        }
        commands.retain(|command| is_building(self.code(command)));
        commands
    }

    /// What some lines say, up to a comment behind the last one.
    fn code(&self, part: &Range<usize>) -> &'a str {
        let lines = &self.structure.lines[part.clone()];
        match (lines.first(), lines.last()) {
            (Some(first), Some(last)) => &self.text[first.span.start..last.end],
            _ => "",
        }
    }

    /// Whether a field begins where a part of the text does.
    fn is_field(&self, part: &str) -> bool {
        let (fields, at) = (&self.place.document.fields, span_of(self.text, part).start);
        let place = fields.binary_search_by_key(&at, |field| field.span.start);
        place.is_ok()
    }

    /// The text between two places, `BACK` bytes of it at most.
    fn before(&self, from: usize, at: usize) -> &str {
        window(self.text, from.max(at.saturating_sub(BACK)).min(at)..at)
    }

    fn line_of(&self, field: &Field) -> &'a Line {
        &self.structure.lines[self.structure.line_at(field.span.start)]
    }

    /// No word is a typo for what is there, other than what was found already.
    fn check_words(&self, names: &Names) {
        let text = self.text.as_bytes();
        let found = self.findings.borrow().clone();
        let mut known: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for one in &found {
            known.entry(one.line).or_default().push(&one.found);
        }
        // Whether the steps of commands go to a folder of scripts, by the line that the commands are below.
        let mut inside: BTreeMap<Option<usize>, bool> = BTreeMap::new();
        for (number, line) in self.structure.lines.iter().enumerate() {
            if line.key(text) == Some(b"name") {
                continue;
            }
            let code = &self.text[line.span.start..line.end];
            let mut misspelt = names.families(code);
            misspelt.extend(names.files(code));
            if self.structure.is_below(text, number, b"run") {
                let mut is_inside = || {
                    let known = inside.entry(line.above);
                    *known.or_insert_with(|| self.code(&self.step(number)).contains(TESTS))
                };
                misspelt.extend(names.scripts(code, &mut is_inside));
            }
            for (word, new) in misspelt {
                let span = span_of(self.text, word);
                let known = known.get(&self.places.of(span.start).0);
                let mut known = known.into_iter().flatten().take(MOST);
                let is_known = known.any(|found| found.contains(word));
                if !is_known && !self.place.document.has_field(&span) {
                    self.report_expected(&span, "name", new, "the name of what is there");
                }
            }
        }
    }

    /// A `context` or `file` names a variant inside a version directory, not a variant by itself; and so does a path that begins with
    /// a number.
    fn check_inputs(&self) {
        let is_by_itself = |kind: &Kind| matches!(kind, Kind::Caption { family: None, .. });
        for field in self.fields(is_by_itself) {
            let key = self.line_of(field).key(self.text.as_bytes());
            let is_input = matches!(key, Some(b"context" | b"file"));
            let above = self.text[..field.span.start].strip_suffix('/');
            let name = above.map(|above| &above[above.trim_end_matches(is_part).len()..]);
            let has_number =
                name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_digit()));
            if is_input || has_number && self.is_read(field) {
                let why = ", which is in no version directory here";
                self.report(&field.span, "path", why);
            }
        }
    }

    /// A workflow that names all series but one has forgotten it.
    fn check_series(&self, all: &[&Directory], directories: &Directories) {
        let fields: Vec<&Field> = self.directories().collect();
        let mut is_listed = false;
        for pair in fields.windows(2) {
            let [first, second] = [pair[0], pair[1]].map(|field| &self.text[field.span.clone()]);
            let between = &self.text[pair[0].span.end..pair[1].span.start];
            let separates = |c: char| c.is_whitespace() || ",'\"-".contains(c);
            if !between.contains([',', '-']) || !between.chars().all(separates) {
                continue;
            }
            // A series that is not there, beside one that is: whatever this matrix is for, its items are series.
            let [has_first, has_second] =
                [first, second].map(|name| directories.get(name).is_some());
            is_listed |= has_first && has_second;
            let major = |name: &'a str| name.split('.').next();
            if has_first != has_second && major(first) == major(second) {
                let missing = if has_first { pair[1] } else { pair[0] };
                let is_free = missing.kind == Kind::Directory { is_certain: false };
                let line = self.structure.line_at(missing.span.start);
                let is_list = self.structure.is_in_matrix(missing.span.start)
                    || self
                        .structure
                        .is_below(self.text.as_bytes(), line, b"options");
                if is_free && is_list {
                    let why = ": there is no such version directory";
                    self.report(&missing.span, "directory", why);
                }
            }
        }
        let named = self.place.document.names_of(Named::Directory);
        let named: BTreeMap<String, usize> = named.map(|(at, _, name)| (name, at)).collect();
        let has_jobs = || {
            let jobs = self.structure.jobs.iter();
            let jobs = jobs.map(|job| &self.text[job.name.clone()]);
            let named_so = jobs.filter(|name| all.iter().any(|series| series.is_in(name)));
            named_so.count() > 1
        };
        let is_named = |series: &&Directory| named.contains_key(&series.name);
        let missing: Vec<&Directory> = all
            .iter()
            .copied()
            .filter(|series| !is_named(series))
            .collect();
        if let ([missing], Some(last)) = (missing.as_slice(), named.values().max())
            && all.len() > 2
            // Of three, any two are all but one.
            && (all.len() > 3 || is_listed || has_jobs())
            && self.may_be_for(directories.get(&missing.name))
        {
            let message = format!("names every series but {}", missing.name);
            let finding = self.finding(*last, "series", message);
            self.add(finding.expected(&*missing.name));
        }
    }

    /// Whether a version directory has variants of every family that the workflow names.
    fn may_be_for(&self, directory: Option<&Directory>) -> bool {
        let names = self.place.document.names_of(Named::Variant);
        let variants = names.filter_map(|(.., name)| Variant::parse(&name));
        let families: BTreeSet<String> = variants.map(|variant| variant.family).collect();
        directory.is_some_and(|directory| {
            let has = |family: &String| {
                let mut variants = directory.variants.iter();
                variants.any(|variant| variant.family == *family)
            };
            families.iter().all(has)
        })
    }
}

/// Whether a letter is part of the name of a file.
fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

/// The names in the rest of a path, up to the first one that is not written out.
fn path_behind(text: &str, mut at: usize) -> Vec<&str> {
    let mut names = Vec::new();
    // No path of ours is deeper.
    while names.len() < 8 && text[at..].starts_with(['/', '\\']) {
        let rest = &text[at + 1..];
        let name = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        let next = &rest[name.len()..];
        if name.is_empty() || next.starts_with(['$', '{', '*', '?', '%', '[']) {
            break;
        }
        names.push(name);
        at += 1 + name.len();
    }
    names
}

/// Which of the names of a path is not there.
fn missing(tree: &Tree, names: &[&str]) -> Option<usize> {
    let (first, rest) = names.split_first()?;
    let has = |folder: &str, path: &str| {
        let folder = tree.folder(folder);
        folder.is_some_and(|folder| folder.items.iter().any(|item| is_within(&item.name, path)))
    };
    match tree.folder(first) {
        None => (!has("", first)).then_some(0),
        Some(_) => (1..=rest.len()).find(|length| !has(first, &rest[..*length].join("/"))),
    }
}
