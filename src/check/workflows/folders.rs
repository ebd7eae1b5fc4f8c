//! The folders in which the commands of a workflow run, and the scripts that they find there.

use std::ops::Range;

use super::{Workflow, is_part, missing};
use crate::fields::Field;
use crate::fields::scan::is_script;
use crate::fields::workflow::{Job, Structure};
use crate::repository::{Folder, Repository, TESTS};
use crate::text::{is_typo, span_of};

/// In a workflow of more lines folders are not followed: none is so long.
const MOST_LINES: usize = 2_000;

impl Workflow<'_> {
    /// The lines that go to another folder, in their order.
    pub(super) fn changes(structure: &Structure, text: &str) -> Vec<usize> {
        let lines = structure.lines.iter().take(MOST_LINES).enumerate();
        let changes = lines.filter(|(_, line)| line.destination(text.as_bytes()).is_some());
        changes.map(|(number, _)| number).collect()
    }

    /// The lines by which a command comes to its folder: the `working-directory` of its step, or of its job, and each `cd` of
    /// its step up to it.
    pub(super) fn ways(&self, line: usize) -> Vec<usize> {
        let (lines, text) = (&self.structure.lines, self.text.as_bytes());
        if lines.len() > MOST_LINES {
            return Vec::new();
        }
        let step = self.step(line);
        let is_key = |number: &usize| lines[*number].key(text) == Some(b"working-directory");
        let of_job = || {
            let job = self.structure.job_at(lines[line].span.start)?;
            let is_default = |line| self.structure.is_below(text, line, b"defaults");
            let first = self
                .structure
                .jobs
                .first()
                .map_or(0, |job| job.part.lines.start);
            let mut inside = job.part.lines.clone().chain(0..first);
            inside.find(|one| is_key(one) && is_default(*one))
        };
        let start = step.clone().find(is_key).or_else(of_job);
        let changes = self.changes.iter().copied();
        let changes = changes.filter(|number| (step.start..=line).contains(number));
        start.into_iter().chain(changes).collect()
    }

    /// The rest of a path behind the version directory that a matrix makes of its series: `tests` of `./${{ matrix.version }}/tests`.
    fn below_series<'p>(&self, path: &'p str, job: &Job) -> Option<&'p str> {
        let inside = path
            .strip_prefix("./")
            .unwrap_or(path)
            .strip_prefix("${{")?;
        let (key, rest) = inside.split_once("}}")?;
        let (key, text) = (key.trim().strip_prefix("matrix.")?, self.text.as_bytes());
        let is_series = |field: &Field| {
            let number = self.structure.line_at(field.span.start);
            let mut lines = self.structure.upwards(number);
            field.is_directory()
                && self.structure.is_in_matrix(field.span.start)
                && lines.find_map(|line| self.structure.lines[line].key(text))
                    == Some(key.as_bytes())
        };
        let mut fields = self.fields_in(&job.part.span);
        fields
            .any(is_series)
            .then(|| rest.strip_prefix(['/', '\\']))?
    }

    /// What a path begins with is no typo for a version directory, or for `tests`; and where a matrix makes that of its series, what
    /// follows is there in one of them.
    pub(super) fn check_made(&self, repository: &Repository) {
        let lines = self.structure.lines.iter().take(MOST_LINES);
        for (number, line) in lines.enumerate() {
            let path = self.path(number);
            let filters = self.filters(number);
            for path in filters.into_iter().chain(path) {
                self.check_directory(first_name(path), repository);
            }
            let Some(path) = path else {
                continue;
            };
            let first = first_name(path);
            if is_typo(first, TESTS) && !repository.tests.items.is_empty() {
                let span = span_of(self.text, first);
                let why = "the folder of the scripts";
                self.report_expected(&span, "path", TESTS, why);
            }
            let Some(job) = self.structure.job_at(line.span.start) else {
                continue;
            };
            let Some(rest) = self.below_series(path, job) else {
                continue;
            };
            let name = rest.split(['/', '\\']).next().unwrap_or_default();
            let mut trees = repository.trees.iter();
            let is_there = trees.any(|tree| missing(tree, &[name]).is_none());
            let is_plain = name.chars().all(is_part) && !name.is_empty();
            if is_plain && !is_there && !self.is_field(name) {
                self.report_missing((name, name), "any version directory");
            }
        }
    }

    /// Reports a name that is a typo for that of a version directory, and looks like none.
    fn check_directory(&self, name: &str, repository: &Repository) {
        // The newest ones: nobody has more series.
        let trees = repository.trees.iter().rev().take(64);
        let directories = trees.map(|tree| &tree.directory.name);
        let mut meant = directories.filter(|other| is_typo(name, other));
        let pattern = &repository.names.config.directory;
        if let (Some(new), false) = (meant.next(), pattern.is_name(name.as_bytes())) {
            let span = span_of(self.text, name);
            let why = "the name of a version directory";
            self.report_expected(&span, "path", new, why);
        }
    }

    /// The paths by which a line says which changes start the workflow.
    fn filters(&self, line: usize) -> Vec<&str> {
        let (structure, code) = (self.structure, &self.structure.lines[line]);
        let text = self.text.as_bytes();
        let is_filter = structure.job_at(code.span.start).is_none()
            && ["paths", "paths-ignore"]
                .iter()
                .any(|key| structure.is_below(text, line, key.as_bytes()));
        let said = if is_filter {
            &self.text[code.span.start..code.end]
        } else {
            ""
        };
        let is_end = |c: char| c.is_whitespace() || "'\"[],!".contains(c);
        said.split(is_end)
            .filter(|path| path.contains('/'))
            .collect()
    }

    /// The path that a line goes to: by a `cd`, or as an input of its step.
    fn path(&self, line: usize) -> Option<&str> {
        let code = &self.structure.lines[line];
        let value = || self.text[code.span.start..code.end].split_once(':');
        let path = code.destination(self.text.as_bytes());
        let path = path.and_then(|path| std::str::from_utf8(path).ok());
        let path = path.or_else(|| Some(value().filter(|_| self.is_input(code))?.1))?;
        Some(path.trim().trim_matches(['"', '\'']))
    }

    /// The folder in which a command runs, from the root, with a `*` where a matrix makes the version directory; nothing where it is
    /// not written out.
    fn folder(&self, line: usize) -> Option<String> {
        let job = self
            .structure
            .job_at(self.structure.lines[line].span.start)?;
        let mut names: Vec<&str> = Vec::new();
        for way in self.ways(line) {
            let mut path = self.path(way)?;
            if let Some(rest) = self.below_series(path, job).filter(|_| names.is_empty()) {
                names.push("*");
                path = rest;
            }
            if path.starts_with('/') || path.contains(['$', '*', '~', ' ', ':']) {
                return None;
            }
            walk(&mut names, path)?;
        }
        Some(names.join("/"))
    }

    /// The scripts that commands run in a folder of scripts are there.
    pub(super) fn check_scripts(&self, repository: &Repository) {
        let (lines, text) = (&self.structure.lines, self.text.as_bytes());
        let is_run = |line: usize| self.structure.is_below(text, line, b"run");
        for number in (0..lines.len()).filter(|number| is_run(*number)) {
            let Some(name) = self.script(lines[number].span.start..lines[number].end) else {
                continue;
            };
            let Some(folder) = self.folder(number) else {
                continue;
            };
            let trees = repository.trees.iter();
            let of = |directory: &str| {
                let meant = trees.filter(|tree| ["*", &tree.directory.name].contains(&directory));
                meant.filter_map(|tree| tree.folder(TESTS)).collect()
            };
            let scripts: Vec<&Folder> = match folder.rsplit_once('/') {
                None if folder == TESTS => vec![&repository.tests],
                Some((directory, TESTS)) => of(directory),
                _ => continue,
            };
            let is_missing = scripts.iter().all(|folder| folder.item(name).is_none());
            let step = lines[self.step(number).start].span.start..lines[number].span.start;
            let goes_back = ["popd", "Pop-Location"]
                .iter()
                .any(|word| self.text[step.clone()].contains(word));
            if is_missing && !scripts.is_empty() && !goes_back && !self.is_field(name) {
                let folder = match folder.starts_with('*') {
                    true => "`tests` of any version directory",
                    false => &folder,
                };
                self.report_missing((name, name), folder);
            }
        }
    }

    /// What each of the commands builds from, by its path from a folder below a version directory, is there. A path from the root names its
    /// version directory itself, which is a field.
    pub(super) fn check_contexts(&self, repository: &Repository, commands: &[Range<usize>]) {
        let text = self.text.as_bytes();
        for command in commands {
            let (code, command) = (self.code(command), command.start);
            let is_plain = !code.contains(['&', ';', '|', '>']) && code.contains("docker ");
            if !is_plain || !self.structure.is_below(text, command, b"run") {
                continue;
            }
            let word = code.rsplit(char::is_whitespace).next().unwrap_or_default();
            let word = word.trim_matches(['"', '\'']);
            let is_path = word.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.')
                && !word.contains(['$', '*', ':', '{', '=']);
            let Some(folder) = self.folder(command).filter(|_| is_path) else {
                continue;
            };
            let mut names: Vec<&str> = folder.split('/').collect();
            if walk(&mut names, word).is_none() {
                continue;
            }
            let tree = names.first().and_then(|name| repository.tree(name));
            if tree.is_none_or(|tree| missing(tree, &names[1..]).is_none()) {
                continue;
            }
            let last = word.rsplit(['/', '\\']).next();
            self.report_missing((word, last.unwrap_or(word)), &folder);
        }
    }

    /// The script that a line runs, by its name alone: `./build-images.sh`, `bash build-images.sh`.
    fn script(&self, line: Range<usize>) -> Option<&str> {
        let code = &self.text[line];
        // The last word, and the one before it.
        let mut last = ["", ""];
        for word in code.split_whitespace() {
            let bare = word.strip_prefix("./").or(word.strip_prefix(".\\"));
            let is_first = ["", "-", "run:", "&&", ";"].contains(&last[1]);
            let is_run = bare.is_some() || is_first && ["bash", "sh", "pwsh"].contains(&last[0]);
            let name = bare.unwrap_or(word);
            if is_run && is_script(name) && !name.contains(['/', '\\', '$']) {
                return Some(name);
            }
            last = [word, last[0]];
        }
        None
    }
}

/// The first name of a path.
fn first_name(path: &str) -> &str {
    let path = path.trim_start_matches(['.', '/', '\\']);
    path.split(['/', '\\']).next().unwrap_or_default()
}

/// Follows a path from a folder; `None` where it leads out of the root.
fn walk<'p>(names: &mut Vec<&'p str>, path: &'p str) -> Option<()> {
    for name in path.split(['/', '\\']) {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()?),
            name => names.push(name),
        }
    }
    Some(())
}
