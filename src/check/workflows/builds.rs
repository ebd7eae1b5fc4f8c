//! What a workflow builds: in which order the steps and commands of a job do, and whether the Dockerfile takes what it is given.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::words;
use super::Workflow;
use super::expressions::meant;
use crate::fields::Field;
use crate::repository::{Item, Repository};
use crate::text::span_of;

/// Which variants each variant copies from, by version directory.
pub(super) type Copies<'a> = BTreeMap<&'a str, BTreeMap<&'a str, BTreeSet<&'a str>>>;

/// Something that is built: the lines of a step's input, or of a command, and the name of the variant.
pub(super) struct Build<'a> {
    pub(super) lines: Range<usize>,
    pub(super) variant: &'a Field,
}

impl<'a> Workflow<'a> {
    fn said(&self, build: &Build) -> &'a str {
        &self.text[build.variant.span.clone()]
    }

    /// An image is not built before the one that it copies from, where its job builds both.
    pub(super) fn check_order(&self, builds: &[Build], copies: &dyn Fn() -> &'a Copies<'a>) {
        // Where each variant is built first, by job and version directory.
        let mut first: BTreeMap<(usize, &str), BTreeMap<&str, &Build>> = BTreeMap::new();
        for build in builds {
            let job = self.structure.job_number(build.variant.span.start);
            if let Some((job, directory)) = job.zip(build.variant.kind.directory()) {
                let inside = first.entry((job, directory)).or_default();
                inside.entry(self.said(build)).or_insert(build);
            }
        }
        for ((_, directory), inside) in first.iter().filter(|(_, inside)| inside.len() > 1) {
            let Some(copies) = copies().get(directory) else {
                continue;
            };
            for (name, build) in inside {
                let sources = copies.get(name).into_iter().flatten();
                let is_later = |source: &&&str| {
                    let source = inside.get(**source);
                    source.is_some_and(|source| source.lines.start > build.lines.start)
                };
                for source in sources.filter(is_later) {
                    let message =
                        format!("builds {name} before {source}, but {name} copies from {source}");
                    let finding = self.finding(build.variant.span.start, "order", message);
                    self.add(finding.found(*name).expected(*source));
                }
            }
        }
    }

    /// What is given to a Dockerfile as an argument, it takes; where nobody can tell to which, it is no typo for one that any takes.
    pub(super) fn check_arguments(
        &self,
        repository: &Repository,
        builds: &[Build],
        commands: &[Range<usize>],
    ) {
        let all = LazyCell::new(|| {
            let folders = repository.trees.iter().flat_map(|tree| &tree.folders);
            let documents = folders.flat_map(|folder| &folder.items);
            let texts = documents.filter_map(|item| item.document()?.utf8());
            texts.flat_map(taken_by).collect::<BTreeSet<&str>>()
        });
        let built: BTreeSet<usize> = builds.iter().map(|build| build.lines.start).collect();
        let others = commands
            .iter()
            .filter(|command| !built.contains(&command.start));
        for argument in others.flat_map(|command| self.arguments(command)) {
            if let Some(new) = words::meant(argument, &all) {
                let span = span_of(self.text, argument);
                self.report_expected(&span, "job", new, "an `ARG` of a Dockerfile here");
            }
        }
        let mut known: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for build in builds {
            let (name, directory) = (self.said(build), build.variant.kind.directory());
            let tree = directory.and_then(|directory| repository.tree(directory));
            let file = self.file(&build.lines);
            let item = tree.and_then(|tree| tree.folder(name)?.item(file));
            let (Some(tree), Some(document)) = (tree, item.and_then(Item::document)) else {
                continue;
            };
            let path = format!("{}/{name}/{file}", tree.directory.name);
            for argument in self.arguments(&build.lines) {
                let taken = known.entry(path.clone());
                let taken = taken.or_insert_with(|| taken_by(document.utf8().unwrap_or_default()));
                if let Some(new) = meant(argument, taken) {
                    let (span, why) = (span_of(self.text, argument), format!("an `ARG` of {path}"));
                    self.report_expected(&span, "job", new, &why);
                }
            }
        }
    }

    /// The name of the file that is built from.
    pub(super) fn file(&self, lines: &Range<usize>) -> &'a str {
        let code = self.code(lines);
        let options = ["file:", "--file ", "--file=", "-f "].into_iter();
        let value = options.filter_map(|option| code.split_once(option)).next();
        let path = value.and_then(|(_, value)| value.split_whitespace().next());
        let path = path.unwrap_or("Dockerfile").trim_matches(['"', '\'']);
        path.rsplit(['/', '\\']).next().unwrap_or_default()
    }

    /// The names of arguments in some lines: behind `--build-arg`, and in front of the `=` in lines below `build-args`.
    fn arguments(&self, lines: &Range<usize>) -> Vec<&'a str> {
        let code = self.code(lines);
        let options = code
            .match_indices("--build-arg")
            .map(|(at, option)| &code[at + option.len()..]);
        let inputs = lines.clone().filter(|number| {
            self.structure
                .is_below(self.text.as_bytes(), *number, b"build-args")
        });
        let inputs = inputs.map(|number| {
            let line = &self.structure.lines[number];
            &self.text[line.span.start..line.end]
        });
        let name = |rest: &'a str| {
            let (name, _) = rest
                .trim_start_matches([' ', '=', '"', '\''])
                .split_once('=')?;
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            (!name.is_empty() && name.chars().all(is_part)).then_some(name)
        };
        options.chain(inputs).filter_map(name).collect()
    }
}

/// The arguments that a Dockerfile takes.
fn taken_by(text: &str) -> BTreeSet<&str> {
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("ARG "));
    let words = lines.flat_map(str::split_whitespace);
    words.filter_map(|word| word.split('=').next()).collect()
}
