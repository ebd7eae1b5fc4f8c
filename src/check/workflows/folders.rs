//! The folders in which the commands of a workflow run, and the scripts that they find there.

use std::ops::Range;

use super::Workflow;
use crate::fields::scan::is_script;
use crate::fields::workflow::FOLDER_COMMANDS;
use crate::finding::Finding;
use crate::repository::{Folder, Repository, TESTS};

/// In a workflow of more lines folders are not followed: none is so long.
const MOST_LINES: usize = 5_000;

impl Workflow<'_> {
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
            let is_default = |line| {
                self.structure
                    .upwards(line)
                    .any(|one| one.key(text) == Some(b"defaults"))
            };
            job.part
                .lines
                .clone()
                .find(|one| is_key(one) && is_default(*one))
        };
        let start = step.clone().find(is_key).or_else(of_job);
        let changes = (step.start..=line).filter(|number| self.change(*number).is_some());
        start.into_iter().chain(changes).collect()
    }

    /// The folder that a line of commands goes to, if it does.
    fn change(&self, line: usize) -> Option<&str> {
        let line = &self.structure.lines[line];
        let code = &self.text[line.span.start + line.indent..line.end];
        let code = code
            .trim_start_matches("- ")
            .trim_start_matches("run:")
            .trim();
        let (command, rest) = code.split_once(' ')?;
        let rest = rest.split(['&', ';', '|']).next().unwrap_or_default();
        FOLDER_COMMANDS.contains(&command).then(|| rest.trim())
    }

    /// The folder in which a command runs, from the root; nothing where it is not written out.
    fn folder(&self, line: usize) -> Option<String> {
        let mut names: Vec<&str> = Vec::new();
        for way in self.ways(line) {
            let line = &self.structure.lines[way];
            let code = &self.text[line.span.start..line.end];
            let path = self.change(way).or_else(|| Some(code.split_once(':')?.1))?;
            let path = path.trim().trim_matches(['"', '\'']);
            if path.starts_with('/') || path.contains(['$', '*', '~', ' ', ':']) {
                return None;
            }
            for name in path.split(['/', '\\']) {
                match name {
                    "" | "." => {}
                    ".." => drop(names.pop()?),
                    name => names.push(name),
                }
            }
        }
        Some(names.join("/"))
    }

    /// The scripts that commands run in a folder of scripts are there, unless their step writes them.
    pub(super) fn check_scripts(&self, repository: &Repository, findings: &mut Vec<Finding>) {
        let (lines, text) = (&self.structure.lines, self.text.as_bytes());
        let is_run = |line: usize| {
            self.structure
                .upwards(line)
                .any(|one| one.key(text) == Some(b"run"))
        };
        for number in (0..lines.len()).filter(|number| is_run(*number)) {
            let Some(name) = self.script(lines[number].span.start..lines[number].end) else {
                continue;
            };
            let Some(folder) = self.folder(number) else {
                continue;
            };
            let scripts = match folder.rsplit_once('/') {
                None if folder == TESTS => Some(&repository.tests),
                Some((directory, TESTS)) => repository
                    .tree(directory)
                    .and_then(|tree| tree.folder(TESTS)),
                _ => None,
            };
            let said = &self.text[name.clone()];
            let is_missing = |folder: &&Folder| folder.item(said).is_none();
            let step = lines[self.step(number).start].span.start..lines[number].span.start;
            if scripts.filter(is_missing).is_some()
                && !self.is_field(name.start)
                && !self.text[step].contains(said)
            {
                let why = format!(": there is no such file or folder in {folder}");
                findings.push(self.finding(&name, "path", &why));
            }
        }
    }

    /// The script that a line runs, by its name alone: `./build-images.sh`, `bash build-images.sh`.
    fn script(&self, line: Range<usize>) -> Option<Range<usize>> {
        let code = &self.text[line.clone()];
        let mut last = "";
        for word in code.split_whitespace() {
            let bare = word.strip_prefix("./").or(word.strip_prefix(".\\"));
            let is_run = bare.is_some() || ["bash", "sh", "pwsh"].contains(&last);
            let name = bare.unwrap_or(word);
            if is_run && is_script(name) && !name.contains(['/', '\\', '$']) {
                let start = name.as_ptr() as usize - self.text.as_ptr() as usize;
                return Some(start..start + name.len());
            }
            last = word;
        }
        None
    }
}
