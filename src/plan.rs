//! Plans an update: from a repository, releases and options to the repository that is to be, all of it in memory.
//!
//! Fetching is `release`'s business, showing `report`'s, writing `write`'s.

mod draft;
mod edits;
mod refusals;
mod scripts;
pub mod steps;
mod targets;
mod workflows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use semver::Version;

pub use self::edits::Edit;
pub use self::targets::{Add, Base, Options, Target, targets};
use self::workflows::Series;
use crate::check::pins::Pin;
use crate::check::templates::content;
use crate::check::{check, doubtful_mentions};
use crate::fields::expected::{Change, Expected, Scope};
use crate::fields::{DocumentKind, Kind};
use crate::finding::Finding;
use crate::release::checksums::Checksums;
use crate::repository::{
    Body, Document, Item, Origin, Place, Repository, TEMPLATES, Tree, WORKFLOWS,
};
use crate::version::Variant;

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It is new in a directory that is copied.
    Copied,
    /// It is new.
    Created,
    /// It has another path, and perhaps another text.
    Moved,
    /// It has another text.
    Rewritten,
}

impl Action {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Created => "created",
            Self::Moved => "moved",
            Self::Rewritten => "rewritten",
        }
    }
}

/// A new text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewText {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Permission bits as `chmod` counts them, for a file that is new.
    pub mode: u32,
}

/// A file that an update writes, moves or copies.
#[derive(Debug, Clone)]
pub struct FileChange {
    /// What happens to it.
    pub action: Action,
    /// Where it will be.
    pub path: String,
    /// Where it was, if it was.
    pub from: Option<String>,
    /// The template, or the sibling, that its text is from, where more than fields changes.
    pub template: Option<String>,
    /// What it was; `None` where it was not, or where its text stays.
    pub before: Option<Vec<u8>>,
    /// What it will be; `None` where its text stays.
    pub after: Option<NewText>,
    /// Which fields change.
    pub edits: Vec<Edit>,
    /// It is a symbolic link.
    pub is_link: bool,
}

/// What an update will do.
pub struct Plan {
    /// The repository as it is.
    pub before: Repository,
    /// The repository as it will be.
    pub after: Repository,
    /// The version directories that it writes.
    pub targets: Vec<Target>,
    /// The files that it writes, moves or copies, by their new paths; those that stay as they are are left out.
    pub changes: Vec<FileChange>,
    /// The paths that are gone afterwards.
    pub removed: Vec<String>,
    /// What `check` will find all the same, and found before.
    pub remaining: Vec<Finding>,
    /// The hashes that the targets pin.
    pub pins: Vec<Pin>,
    /// The runners that it moves workflows to: operating system → the version in the label.
    pub runners: BTreeMap<String, String>,
    /// What somebody should know of what was asked for.
    pub notes: Vec<String>,
}

/// Plans the update of a repository to the targets; `checksums` holds what is known of each target's archives, in their
/// order.
///
/// Every archive that is missing, every hash that would change without leave, and every field for which nothing is right
/// is reported, all of one kind together.
pub fn plan(
    before: Repository,
    targets: Vec<Target>,
    checksums: &[Checksums],
    options: &Options,
) -> Result<Plan> {
    refusals::layout(&before)?;
    let pairs: Vec<(&Target, &Checksums)> = targets.iter().zip(checksums).collect();
    refusals::repinned(&before, &pairs, options)?;
    let after = draft::draft(&before, &targets)?;
    refusals::archives(&after, &pairs, options)?;
    let mut work = Work {
        change: change(&before, &pairs, options),
        before: &before,
        targets: &targets,
        after,
        said: Said::default(),
    };
    work.write_documents();
    work.write_plain_files()?;
    work.move_templates();
    work.extend_scripts();
    let unwired = work.wire_new_series();
    let Work {
        after, mut said, ..
    } = work;
    let (old, mut report) = (check(&before), check(&after));
    report.add(std::mem::take(&mut said.doubtful));
    let remaining = refusals::wrong(&after, &targets, (&old, &report), options)?;
    let changes = changes(&before, &after, said);
    let paths: BTreeSet<String> = after.items().map(|(path, _)| path).collect();
    let removed = before
        .items()
        .map(|(path, _)| path)
        .filter(|path| !paths.contains(path))
        .collect();
    let mut pins = report.pins;
    let is_target = |path: &str| {
        targets
            .iter()
            .any(|target| path.starts_with(&format!("{}/", target.directory)))
    };
    pins.retain(|pin| is_target(&pin.path));
    let (runners, notes) = (
        options.runners.clone(),
        [notes(&after, options), unwired].concat(),
    );
    Ok(Plan {
        changes,
        removed,
        remaining,
        pins,
        runners,
        notes,
        targets,
        before,
        after,
    })
}

/// What an update changes, by the names that directories will have.
fn change(before: &Repository, pairs: &[(&Target, &Checksums)], options: &Options) -> Change {
    let mut change = Change {
        runners: options.runners.clone(),
        ..Change::default()
    };
    for (target, checksums) in pairs {
        let name = &target.directory;
        // What the files themselves give tells of an old version, even where the directory has its new name already.
        let given = target
            .source
            .as_ref()
            .and_then(|source| before.tree(source))
            .map(Tree::versions)
            .unwrap_or_default();
        let mut old: BTreeSet<_> = given.into_keys().chain(target.old.clone()).collect();
        old.remove(&target.version);
        change.old.insert(name.clone(), old);
        change.renames.insert(name.clone(), target.renames.clone());
        change
            .checksums
            .insert(name.clone(), ((*checksums).clone(), target.has_release));
    }
    change
}

/// What is said of the files that change, by their new paths.
#[derive(Default)]
struct Said {
    edits: BTreeMap<String, Vec<Edit>>,
    templates: BTreeMap<String, String>,
    plain: BTreeMap<String, NewText>,
    doubtful: Vec<Finding>,
}

/// An update that is being worked out.
struct Work<'a> {
    before: &'a Repository,
    targets: &'a [Target],
    change: Change,
    after: Repository,
    said: Said,
}

impl Work<'_> {
    /// Puts a new text in the place of a document.
    fn put(&mut self, path: &str, document: Document, edits: Vec<Edit>) {
        let item = self.after.items_mut().find(|(other, _)| other == path);
        if let Some((_, item)) = item {
            item.body = Body::Document(Arc::new(document));
            self.said
                .edits
                .entry(path.to_owned())
                .or_default()
                .extend(edits);
        }
    }

    /// Writes every field of the targets, and of the scripts and workflows of the root.
    fn write_documents(&mut self) {
        let directories = self.after.directories();
        let is_target = |tree: &&Tree| {
            self.targets
                .iter()
                .any(|target| target.directory == tree.directory.name)
        };
        let own = self
            .after
            .trees
            .iter()
            .filter(is_target)
            .flat_map(Repository::documents_of);
        let places: Vec<Place> = own.chain(self.after.shared_documents()).collect();
        let mut new = Vec::new();
        for place in places {
            let scope = Scope::of(&self.after.names, &directories, &self.change, &place);
            let doubtful = doubtful_mentions(&scope, &place);
            self.said.doubtful.extend(doubtful);
            let (text, edits) = edits::edited(place.document, &scope.judge(place.document));
            let (path, document) = (place.path(), place.document);
            let is_new = matches!(place.item.origin, Origin::MadeFrom(_));
            let stamped = self
                .stamped(&scope, &place)
                .filter(|stamped| *stamped != text && !is_new);
            if stamped.is_none() && text == document.text && !is_new {
                continue;
            }
            let template = stamped.as_ref().map(|_| ());
            let text = stamped.unwrap_or(text);
            let written = Document::new(
                &self.after.names.scanner,
                document.kind,
                text,
                document.mode,
            );
            let edits = match (is_new, template) {
                (true, _) => edits::stated(&written, None),
                (false, Some(())) => edits::stated(&written, Some(document)),
                (false, None) => edits,
            };
            let template = template
                .and(place.variant())
                .map(|variant| template_path(variant, place.item));
            new.push((path, written, edits, template));
        }
        for (path, document, edits, template) in new {
            self.said
                .templates
                .extend(template.map(|template| (path.clone(), template)));
            self.put(&path, document, edits);
        }
    }

    /// What the template of a place's family gives for it.
    fn stamped(&self, scope: &Scope, place: &Place) -> Option<Vec<u8>> {
        let template = self
            .after
            .template(&scope.variant?.family)?
            .item(&place.item.name)?
            .document()?;
        Some(edits::edited(template, &scope.judge(template)).0)
    }

    /// Gives the files of variants that have no fields the content that their templates have.
    fn write_plain_files(&mut self) -> Result<()> {
        let trees = self.after.trees.iter().filter(|tree| {
            self.targets
                .iter()
                .any(|target| target.directory == tree.directory.name)
        });
        for tree in trees {
            for variant in &tree.directory.variants {
                let (Some(template), Some(folder)) = (
                    self.after.template(&variant.family),
                    tree.folder(&variant.name),
                ) else {
                    continue;
                };
                for (source, item) in template
                    .items
                    .iter()
                    .filter_map(|source| Some((source, folder.item(&source.name)?)))
                {
                    if !matches!((&source.body, &item.body), (Body::Other, Body::Other)) {
                        continue;
                    }
                    let (bytes, mode) = content(&self.before.root, source)?;
                    if content(&self.before.root, item)? != (bytes.clone(), mode) {
                        let path = format!("{}/{variant}/{}", tree.directory.name, item.name);
                        self.said
                            .templates
                            .insert(path.clone(), template_path(variant, source));
                        self.said.plain.insert(path, NewText { bytes, mode });
                    }
                }
            }
        }
        Ok(())
    }

    /// Templates that name a variant which moves to another base, or begin with its old base, get the new one.
    fn move_templates(&mut self) {
        let all = self.change.renames.values().flatten();
        let renames: Vec<(Variant, Variant)> = all
            .filter_map(|(old, new)| Some((Variant::parse(old)?, Variant::parse(new)?)))
            .collect();
        let mut new = Vec::new();
        for (folder, place) in self.after.template_documents() {
            let document = place.document;
            let expected = document.fields.iter().map(|field| {
                let found = document.found(field);
                let moved = renames.iter().find_map(|(old, new)| match &field.kind {
                    Kind::Base { image }
                        if old.family == folder.name && old.is_on(image) && old.base == found =>
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
                new.push((
                    place.path(),
                    Document::new(
                        &self.after.names.scanner,
                        document.kind,
                        text,
                        document.mode,
                    ),
                    edits,
                ));
            }
        }
        for (path, document, edits) in new {
            self.put(&path, document, edits);
        }
    }

    /// Gives scripts what they have for the nearest sibling of a variant for the variant that is added, too.
    fn extend_scripts(&mut self) {
        for script in scripts::extended(&self.after, self.targets) {
            let path = script.path();
            let document = Document::new(
                &self.after.names.scanner,
                DocumentKind::Script,
                script.text,
                script.mode,
            );
            let mut edits = script.edits;
            if let Some(origin) = script.made_from {
                edits = edits::stated(&document, None);
                let item = Item {
                    name: script.name,
                    origin: Origin::MadeFrom(origin),
                    body: Body::Other,
                };
                self.after.add(script.directory.as_deref(), item);
            }
            self.put(&path, document, edits);
        }
    }
}

impl Work<'_> {
    /// Wires each new series into the workflows. What cannot be wired in is said.
    fn wire_new_series(&mut self) -> Vec<String> {
        let series = |directory: &str, version: &Version| Series {
            directory: directory.to_owned(),
            version: version.clone(),
        };
        let all: Vec<Series> = self
            .before
            .trees
            .iter()
            .map(|tree| series(&tree.directory.name, &tree.directory.version))
            .collect();
        let mut notes = Vec::new();
        let has_series = self.after.names.config.directory.has_series();
        let targets = self.targets.iter();
        for target in targets.filter(|target| has_series && target.is_copy()) {
            let Some(from) = all
                .iter()
                .find(|series| Some(&series.directory) == target.source.as_ref())
            else {
                continue;
            };
            let to = series(&target.directory, &target.version);
            for item in 0..self.after.workflows.items.len() {
                let item = &self.after.workflows.items[item];
                let Some(document) = item.document() else {
                    continue;
                };
                let Ok(text) = std::str::from_utf8(&document.text) else {
                    continue;
                };
                let (new, edits, unnamed) = workflows::with_series(text, (from, &to), &all);
                let path = format!("{WORKFLOWS}/{}", item.name);
                let say = |job: String| {
                    format!(
                        "{path}: the job `{job}` is for {} alone: add one for {} by hand",
                        from.directory, to.directory
                    )
                };
                notes.extend(unnamed.into_iter().map(say));
                if new != text {
                    let document = Document::new(
                        &self.after.names.scanner,
                        DocumentKind::Workflow,
                        new.into_bytes(),
                        document.mode,
                    );
                    self.put(&path, document, edits);
                }
            }
        }
        notes
    }
}

fn template_path(variant: &Variant, item: &Item) -> String {
    format!("{TEMPLATES}/{}/{}", variant.family, item.name)
}

/// The files that are written, moved or copied, by their new paths.
fn changes(before: &Repository, after: &Repository, mut said: Said) -> Vec<FileChange> {
    let old: BTreeMap<String, &Item> = before.items().collect();
    let mut changes = Vec::new();
    for (path, item) in after.items() {
        let (action, from, made_from) = match &item.origin {
            Origin::At(from) if *from == path => (Action::Rewritten, Some(from), None),
            Origin::At(from) => (Action::Moved, Some(from), None),
            Origin::CopyOf(from) => (Action::Copied, Some(from), None),
            Origin::MadeFrom(from) => (Action::Created, None, Some(from)),
        };
        let was = from
            .and_then(|from| old.get(from.as_str()))
            .and_then(|item| item.document());
        let text = item
            .document()
            .filter(|document| was.is_none_or(|was| was.text != document.text));
        let text = text.map(|document| NewText {
            bytes: document.text.clone(),
            mode: document.mode,
        });
        let after = said.plain.remove(&path).or(text);
        if action == Action::Rewritten && after.is_none() {
            continue;
        }
        let template = said.templates.remove(&path).or(made_from.cloned());
        changes.push(FileChange {
            action,
            from: from.cloned(),
            template,
            before: was.map(|was| was.text.clone()),
            after,
            edits: said.edits.remove(&path).unwrap_or_default(),
            is_link: matches!(item.body, Body::Link),
            path,
        });
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

/// What was asked for and had nothing to do.
fn notes(after: &Repository, options: &Options) -> Vec<String> {
    let fields = || {
        after
            .workflows
            .items
            .iter()
            .filter_map(Item::document)
            .flat_map(|document| &document.fields)
    };
    let runs_on = |name: &str| {
        fields().any(|field| matches!(&field.kind, Kind::Runner { system } if **system == *name))
    };
    let missing = options.runners.keys().filter(|name| !runs_on(name));
    missing
        .map(|name| format!("no workflow names a runner of {name}, such as {name}-latest"))
        .collect()
}

/// What the tree itself pins for the version of a directory, where no release is asked for.
pub fn pinned(pins: &[Pin], target: &Target) -> Checksums {
    let own = pins
        .iter()
        .filter(|pin| pin.archive.version == target.version);
    own.map(|pin| (pin.archive.name.clone(), pin.hash))
        .collect()
}
