//! Works out an update in memory: what is written to which document, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;

use super::cuts::{Matter, left_over};
use super::edits::{self, Edit};
use super::units::mentions;
use super::workflows::{self, Workflow};
use super::{NewText, Target, passages, removals};
use crate::check::templates::content;
use crate::check::{doubtful_mentions, no_change, scripts_of};
use crate::fields::expected::{Change, Expected, Scope};
use crate::fields::{Field, Kind};
use crate::finding::Finding;
use crate::problems::refuse;
use crate::repository::{
    Body, Directory, Document, Item, Origin, Place, Repository, TEMPLATES, Tree,
};
use crate::text::Places;
use crate::version::Variant;

/// What is said of the files that change, by their new paths.
#[derive(Default)]
pub(super) struct Said {
    pub(super) edits: BTreeMap<String, Vec<Edit>>,
    pub(super) templates: BTreeMap<String, String>,
    pub(super) plain: BTreeMap<String, (NewText, Vec<u8>)>,
    pub(super) doubtful: Vec<Finding>,
}

/// An update that is being worked out.
pub(super) struct Work<'a> {
    pub(super) before: &'a Repository,
    pub(super) targets: &'a [Target],
    pub(super) change: Change,
    pub(super) after: Repository,
    pub(super) said: Said,
}

impl Work<'_> {
    /// Puts new texts in the places of documents, all in one pass.
    pub(super) fn put(&mut self, new: Vec<(String, (Document, Vec<Edit>))>) {
        let mut new = BTreeMap::from_iter(new);
        for (path, item) in self.after.items_mut() {
            if let Some((document, edits)) = new.remove(&path) {
                item.body = Body::Document(Arc::new(document));
                self.said.edits.entry(path).or_default().extend(edits);
            }
        }
    }

    /// A document with another text.
    pub(super) fn with_text(&self, document: &Document, text: Vec<u8>) -> Document {
        let scanner = &self.after.names.scanner;
        Document::new(scanner, document.kind, text, document.mode)
    }

    /// The workflows that an edit changes, with their new texts.
    pub(super) fn edited(
        &self,
        mut edit: impl FnMut(&Place, Workflow) -> (String, Vec<Edit>),
    ) -> Vec<(String, (Document, Vec<Edit>))> {
        let places = self.after.workflow_documents();
        let new = places.filter_map(|place| {
            let workflow = Workflow::of(place.document)?;
            let (text, edits) = edit(&place, workflow);
            (text != workflow.text).then(|| {
                let document = self.with_text(place.document, text.into_bytes());
                (place.path(), (document, edits))
            })
        });
        new.collect()
    }

    /// Writes every field of the targets, and of the scripts and workflows of the root.
    pub(super) fn write_documents(&mut self) {
        let directories = self.after.directories();
        let trees = self.after.trees.iter();
        let own = trees.filter(|tree| is_target(self.targets, tree));
        let own = own.flat_map(Repository::documents_of);
        let places: Vec<Place> = own.chain(self.after.shared_documents()).collect();
        let (mut new, mut templates) = (Vec::new(), Vec::new());
        for place in places {
            let scope = Scope::of(&self.after.names, &directories, &self.change, &place);
            let doubtful = doubtful_mentions(&scope, &place);
            self.said.doubtful.extend(doubtful);
            let (text, edits) = edits::edited(place.document, &scope.judge(place.document));
            let (path, document) = (place.path(), place.document);
            let is_new = matches!(place.item.origin, Origin::MadeFrom(_));
            let stamped = self.stamped(&scope, &place);
            let stamped = stamped.filter(|stamped| *stamped != text && !is_new);
            if stamped.is_none() && text == document.text {
                continue;
            }
            if let Some(variant) = place.variant().filter(|_| stamped.is_some()) {
                templates.push((path.clone(), template_path(variant, place.item)));
            }
            let written = self.with_text(document, stamped.unwrap_or(text));
            let edits = if is_new { Vec::new() } else { edits };
            new.push((path, (written, edits)));
        }
        self.said.templates.extend(templates);
        self.put(new);
    }

    /// What the template of a place's family gives for it.
    fn stamped(&self, scope: &Scope, place: &Place) -> Option<Vec<u8>> {
        let template = self.after.template(&scope.variant?.family)?;
        let template = template.item(&place.item.name)?.document()?;
        Some(edits::edited(template, &scope.judge(template)).0)
    }

    /// Gives the files of variants that have no fields the content that their templates have.
    pub(super) fn write_plain_files(&mut self) -> Result<()> {
        let (trees, targets) = (self.after.trees.iter(), self.targets);
        let trees = trees.filter(|tree| is_target(targets, tree));
        for tree in trees {
            for (variant, template, folder) in self.after.stamped(tree) {
                for source in &template.items {
                    let item = folder.item(&source.name);
                    let item = item.filter(|item| matches!(item.body, Body::Other));
                    let (Some(item), Body::Other) = (item, &source.body) else {
                        continue;
                    };
                    let (bytes, mode) = content(&self.before.root, source)?;
                    let old = content(&self.before.root, item)?;
                    if old != (bytes.clone(), mode) {
                        let path = format!("{}/{variant}/{}", tree.directory.name, item.name);
                        let template = template_path(variant, source);
                        self.said.templates.insert(path.clone(), template);
                        let new = NewText { bytes, mode };
                        self.said.plain.insert(path, (new, old.0));
                    }
                }
            }
        }
        Ok(())
    }

    /// Templates that name a variant which moves to another base, or begin with its old base, get the new one.
    pub(super) fn move_templates(&mut self) {
        let all = self.change.renames.values().flatten();
        let renames: Vec<(Variant, Variant)> = all
            .filter_map(|(old, new)| Some((Variant::parse(old)?, Variant::parse(new)?)))
            .collect();
        let mut new = Vec::new();
        for place in self.after.template_documents() {
            let document = place.document;
            let expected = document.fields.iter().map(|field| {
                let found = document.found(field);
                let moved = renames.iter().find_map(|(old, new)| match &field.kind {
                    Kind::Base { image }
                        if old.family == place.folder && old.is_on(image) && old.base == found =>
                    {
                        Some(new.base.clone())
                    }
                    Kind::Tag | Kind::TagVariant => found
                        .strip_suffix(&old.name)
                        .map(|start| format!("{start}{new}")),
                    _ => None,
                });
                moved.map_or(Expected::Anything, Expected::Exactly)
            });
            let (text, edits) = edits::edited(document, &expected.collect::<Vec<_>>());
            if text != document.text {
                new.push((place.path(), (self.with_text(document, text), edits)));
            }
        }
        self.put(new);
    }

    /// Wires each new series into the workflows. Returns notes on `latest`, which can be only one series.
    pub(super) fn wire_new_series(&mut self) -> Vec<String> {
        let all = all_series(self.before);
        let mut notes = Vec::new();
        let has_series = self.after.names.config.directory.has_series();
        let targets = self.targets.iter();
        for target in targets.filter(|target| has_series && target.is_copy()) {
            let mut sources = all.iter();
            let from = sources.find(|series| Some(&series.name) == target.source.as_ref());
            let Some(from) = from else {
                continue;
            };
            let to = target.series();
            let new = self.edited(|place, workflow| {
                let (new, edits) = workflow.with_series((from, &to), &all);
                if workflows::latest(&new) > workflows::latest(workflow.text) {
                    let (path, from, to) = (place.path(), &from.name, &to.name);
                    notes.push(format!(
                        "{path}: found `latest` for both {from} and {to}: keep it for one of them"
                    ));
                }
                (new, edits)
            });
            self.put(new);
        }
        notes
    }

    /// Takes the variants that are removed out of the scripts. The scripts that have nothing left to do are removed, and named.
    pub(super) fn remove_from_scripts(&mut self) -> Result<Vec<String>> {
        let (mut gone, mut left) = (Vec::new(), Vec::new());
        for target in self.targets {
            for variant in &target.removes {
                let Some(tree) = self.after.tree(&target.directory) else {
                    continue;
                };
                let others = &tree.directory.variants;
                let mut new = Vec::new();
                for place in scripts_of(&self.after, tree) {
                    let Some(text) = place.document.utf8() else {
                        continue;
                    };
                    if !mentions(text, &variant.name) {
                        continue;
                    }
                    let path = place.path();
                    if removals::is_for_runner_of(&place.item.name, variant, others) {
                        gone.push(path);
                        continue;
                    }
                    let edit = |gone: &Variant| {
                        let is_it = |line: &str| mentions(line, &gone.name);
                        removed("variant", text, &gone.name, is_it)
                    };
                    let Some(reduced) = passages::dropped(text, &variant.name, others) else {
                        let line = edit(variant).line;
                        left.push(format!(
                            "{path}:{line}: cannot tell how to take {variant} out"
                        ));
                        continue;
                    };
                    // What is about nothing but removed variants goes at once.
                    let is_in = |text: &str, gone: &Variant| mentions(text, &gone.name);
                    let goes = |gone: &&Variant| is_in(text, gone) && !is_in(&reduced, gone);
                    let edits = target.removes.iter().filter(goes).map(edit).collect();
                    let document = self.with_text(place.document, reduced.into_bytes());
                    new.push((path, (document, edits)));
                }
                self.put(new);
                gone.iter().for_each(|path| self.after.remove(path));
            }
        }
        refuse_left(left)?;
        Ok(gone)
    }

    /// Takes the series that are removed out of the workflows.
    pub(super) fn remove_series(&mut self, gone: &BTreeSet<String>) -> Result<()> {
        let (mut all, stay) = (all_series(self.before), all_series(&self.after));
        all.retain(|series| gone.contains(&series.name));
        let gone = all;
        let mut left = Vec::new();
        let new = self.edited(|place, workflow| {
            let (cuts, mut edits) = workflow.cuts_of_series(&gone, &stay);
            let path = place.path();
            left.extend(left_over(&path, workflow, &cuts, &gone));
            left.extend(workflow.jobless(&path, &edits));
            edits.extend(workflow.series_in(&cuts, &gone));
            (workflow.reduced(&cuts), edits)
        });
        self.put(new);
        refuse_left(left)
    }

    /// Takes what names a variant, or a script, that was there and is not any more out of the workflows.
    pub(super) fn remove_from_workflows(&mut self) -> Result<()> {
        if self.targets.iter().all(|target| target.removes.is_empty()) {
            return Ok(());
        }
        let trees = [self.before, &self.after];
        let [before, after] = trees.map(Repository::directories);
        let mut left = Vec::new();
        let new = self.edited(|place, workflow| {
            let old = workflow.text;
            let scope = |directories| Scope::of(&self.after.names, directories, no_change(), place);
            let (before, after) = (scope(&before), scope(&after));
            let is_there = |scope: &Scope, field: &Field| scope.is_there(field, place.document);
            let names = place.document.statements();
            let structure = &place.document.facts.structure;
            let is_said = |field: &&Field| structure.is_said(field.span.start);
            let is_name = |field: &&Field| {
                use Kind::{Item, Script, Variant};
                let kind = &field.kind;
                matches!(kind, Variant { .. } | Script { .. } | Item { .. })
            };
            let names = names.filter(is_name).filter(is_said);
            let (gone, others): (Vec<&Field>, Vec<&Field>) =
                names.partition(|field| is_there(&before, field) && !is_there(&after, field));
            let starts = |fields: &[&Field]| fields.iter().map(|one| one.span.start).collect();
            let [all_gone, all_others]: [Vec<usize>; 2] = [starts(&gone), starts(&others)];
            // A build from a folder is about that folder, whatever else its inputs, or the arguments of the command, name.
            let is_path = |at: &usize| old[..*at].ends_with(['/', '\\']);
            let gone_paths: Vec<usize> = all_gone.iter().copied().filter(is_path).collect();
            let line = |at: &usize| structure.line_at(*at);
            let command = |at: &usize| structure.lines[line(at)].command;
            let commands: BTreeSet<usize> = gone_paths.iter().map(command).collect();
            let is_apart = |at: &usize| {
                let is_run = || structure.is_below(old.as_bytes(), line(at), b"run");
                is_path(at) || is_run() && !commands.contains(&command(at))
            };
            let apart: Vec<usize> = all_others.iter().copied().filter(is_apart).collect();
            let has = |starts: &[usize], part: &Range<usize>| {
                let next = starts.get(starts.partition_point(|at| *at < part.start));
                next.is_some_and(|at| *at < part.end)
            };
            let matter = Matter {
                is_about: &|part| has(&all_gone, part),
                is_about_others: &|part| match has(&gone_paths, part) {
                    true => has(&apart, part),
                    false => has(&all_others, part),
                },
                is_called_so: &|_| false,
                keeps_other_steps: true,
            };
            let (cuts, mut edits) = workflow.cuts(&matter);
            left.extend(workflow.jobless(&place.path(), &edits));
            let places = Places::new(old.as_bytes());
            edits.extend(gone.iter().map(|field| {
                let line = places.of(field.span.start).0;
                Edit::new(field.kind.label(), line, &place.document.found(field), "")
            }));
            (workflow.reduced(&cuts), edits)
        });
        self.put(new);
        refuse_left(left)
    }
}

fn refuse_left(left: Vec<String>) -> Result<()> {
    refuse(
        "`--remove` cannot be completed",
        left,
        "Fix these by hand, then run the same command again",
    )
}

fn is_target(targets: &[Target], tree: &Tree) -> bool {
    let mut targets = targets.iter();
    targets.any(|target| target.directory == tree.directory.name)
}

fn all_series(repository: &Repository) -> Vec<Directory> {
    let trees = repository.trees.iter();
    trees.map(|tree| tree.directory.clone()).collect()
}

/// What a summary says of a mention that goes, in the first line of the old text that is it.
fn removed(label: &str, old: &str, found: &str, is_it: impl Fn(&str) -> bool) -> Edit {
    let line = old.lines().position(is_it).map_or(1, |line| line + 1);
    Edit::new(label.to_owned(), line, found, "")
}

fn template_path(variant: &Variant, item: &Item) -> String {
    format!("{TEMPLATES}/{}/{}", variant.family, item.name)
}
