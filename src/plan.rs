//! Plans an update: from a repository, releases and options to the repository that is to be, all of it in memory.
//!
//! Fetching is `release`'s business, showing `report`'s, writing `write`'s.

mod additions;
mod cuts;
mod draft;
mod edits;
mod leftovers;
mod notes;
mod options;
mod passages;
mod refusals;
mod removals;
mod scripts;
pub mod steps;
mod targets;
mod units;
mod work;
mod workflows;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use semver::Version;
use serde::Serialize;

pub use self::edits::Edit;
pub use self::options::{Add, Base, Options, Remove};
pub use self::removals::missing;
pub use self::targets::{Target, targets};
use self::work::{Said, Work};
use crate::check::check;
use crate::check::pins::Pin;
use crate::fields::expected::Change;
use crate::finding::Finding;
use crate::release::checksums::Checksums;
use crate::repository::{Item, Origin, Repository, TESTS, Tree};
use crate::text::{by_number, is_within};

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
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

/// A new text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewText {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Permission bits as `chmod` counts them.
    pub mode: u32,
}

/// A file that an update writes, moves or copies.
#[derive(Debug, Clone, Serialize)]
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
    #[serde(skip)]
    pub before: Option<Vec<u8>>,
    /// What it will be; `None` where its text stays.
    #[serde(skip)]
    pub after: Option<NewText>,
    /// Which fields change.
    #[serde(rename = "fields")]
    pub edits: Vec<Edit>,
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
    /// What is removed as a whole, by the path that it has last: scripts, folders of variants, version directories.
    pub gone: Vec<String>,
    /// What `check` found before, and will still find.
    pub remaining: Vec<Finding>,
    /// The hashes that the targets pin.
    pub pins: Vec<Pin>,
    /// The runners that it moves workflows to: operating system → the version in the label.
    pub runners: BTreeMap<String, String>,
    /// What somebody should know of what was asked for.
    pub notes: Vec<String>,
}

impl Plan {
    /// What is put right although nobody asked, each with the path of its file.
    pub fn fixes(&self) -> impl Iterator<Item = (&str, &Edit)> {
        let edits = self.changes.iter().flat_map(|change| {
            let edits = change.edits.iter();
            edits.map(|edit| (change.path.as_str(), edit))
        });
        edits.filter(|(_, edit)| edit.is_fix)
    }

    /// Whether a version directory stays as it is, where something else changes in one.
    pub fn is_idle(&self, target: &Target) -> bool {
        let is_changed = |directory: &str| {
            let mut changes = self.changes.iter();
            changes.any(|change| is_within(&change.path, directory))
        };
        let mut others = self.targets.iter();
        target.is_repair()
            && !is_changed(&target.directory)
            && (self.is_empty()
                || !self.runners.is_empty()
                || others.any(|other| !other.is_repair() || is_changed(&other.directory)))
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.gone.is_empty()
    }
}

/// Plans the update of a repository to the targets; `published` is what the releases that are asked for publish. Of a target
/// without one, the tree's own pins are good.
///
/// Every archive that is missing, every hash that would change without leave, and every field for which nothing is right
/// is reported, all of one kind together.
pub fn plan(
    before: Repository,
    targets: Vec<Target>,
    published: &BTreeMap<Version, Checksums>,
    options: &Options,
) -> Result<Plan> {
    let old = check(&before);
    let known = |target: &Target| match target.has_release {
        true => published.get(&target.version).cloned().unwrap_or_default(),
        false => pinned(&old.pins, target),
    };
    let checksums: Vec<Checksums> = targets.iter().map(known).collect();
    let pairs: Vec<(&Target, &Checksums)> = targets.iter().zip(&checksums).collect();
    refusals::repinned(&before, &old.pins, published, options)?;
    let gone = removals::series(&before, options)?;
    let after = draft::draft(&before, &targets, &gone)?;
    let mut work = Work {
        change: change(&before, &after, &pairs, options),
        before: &before,
        targets: &targets,
        after,
        said: Said::default(),
    };
    // A new series is wired in as its source is, and then written and reduced like all others.
    let twice = work.wire_new_series();
    // Before the rest is written: a removed name must not become that of a sibling.
    let scripts = work.remove_from_scripts()?;
    work.remove_series(&gone)?;
    work.remove_from_workflows()?;
    work.write_documents();
    work.write_plain_files()?;
    work.move_templates();
    work.extend();
    let (after, mut said) = (work.after, work.said);
    let mut report = check(&after);
    // What cannot be written is not told twice.
    let doubtful = std::mem::take(&mut said.doubtful);
    let place = |one: &Finding| (one.path.clone(), one.line, one.column);
    let places: BTreeSet<(String, usize, usize)> = doubtful.iter().map(place).collect();
    report.findings.retain(|one| !places.contains(&place(one)));
    report.add(doubtful);
    // Those were compared on disk, where they are not written yet.
    let is_put_right = |path: &str| said.plain.contains_key(path);
    report
        .findings
        .retain(|finding| finding.rule != "template" || !is_put_right(&finding.path));
    refusals::archives(&after, &report.pins, &targets, options)?;
    refusals::twins(&report.pins, published)?;
    refusals::addresses(&after, &targets)?;
    let remaining = refusals::wrong((&before, &after), &targets, (&old, &report), options)?;
    let mut changes = changes(&before, &after, said);
    mark_fixes(&mut changes, &targets, &old.findings);
    let paths: BTreeSet<String> = after.items().map(|(path, _)| path).collect();
    let removed = before.items().map(|(path, _)| path);
    let removed = removed.filter(|path| !paths.contains(path)).collect();
    let mut pins = report.pins;
    pins.retain(|pin| {
        let mut targets = targets.iter();
        targets.any(|target| is_within(&pin.path, &target.directory))
    });
    let mut notes = notes::all((&before, &after), &targets, options, &pins);
    notes.extend(twice);
    let mut runners = options.runners.clone();
    let systems = notes::systems(&after);
    runners.retain(|system, _| systems.contains(system.as_str()));
    let folders = targets.iter().flat_map(|target| {
        let removes = target.removes.iter();
        removes.map(|variant| format!("{}/{variant}", target.directory))
    });
    let gone = scripts.into_iter().chain(folders).chain(gone).collect();
    Ok(Plan {
        gone,
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
fn change(
    before: &Repository,
    after: &Repository,
    pairs: &[(&Target, &Checksums)],
    options: &Options,
) -> Change {
    let mut change = Change {
        runners: options.runners.clone(),
        scripts: renamed_scripts(after),
        ..Change::default()
    };
    for (target, checksums) in pairs {
        let name = &target.directory;
        // What the files themselves give tells of an old version, even where the directory has its new name already.
        let given = target.source_in(before).map(Tree::versions);
        let given = given.unwrap_or_default();
        let mut old: BTreeSet<_> = given.into_keys().chain(target.old.clone()).collect();
        old.remove(&target.version);
        change.old.insert(name.clone(), old);
        change.renames.insert(name.clone(), target.renames.clone());
        let gone = target.removes.iter().map(|variant| variant.name.clone());
        change.gone.insert(name.clone(), gone.collect());
        let checksums = ((*checksums).clone(), target.has_release);
        change.checksums.insert(name.clone(), checksums);
    }
    change
}

/// The scripts that get another name, by version directory: old name → new name.
fn renamed_scripts(after: &Repository) -> BTreeMap<String, BTreeMap<String, String>> {
    let own = after.trees.iter().filter_map(|tree| {
        let tests = tree.folder(TESTS)?;
        Some((tree.directory.name.clone(), tests))
    });
    let all = own.chain([(String::new(), &after.tests)]);
    all.map(|(directory, tests)| {
        let renamed = tests.items.iter().filter_map(|item| {
            let (_, old) = item.origin.path().rsplit_once('/')?;
            (old != item.name).then(|| (old.to_owned(), item.name.clone()))
        });
        (directory, renamed.collect())
    })
    .collect()
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
        let was = from.and_then(|from| old.get(from.as_str()));
        let was = was.and_then(|item| item.document());
        let text = item.document();
        let text = text.filter(|document| was.is_none_or(|was| was.text != document.text));
        let text = text.map(|document| NewText {
            bytes: document.text.clone(),
            mode: document.mode,
        });
        let (plain, old_plain) = said.plain.remove(&path).unzip();
        let after = plain.or(text);
        if action == Action::Rewritten && after.is_none() {
            continue;
        }
        let template = said.templates.remove(&path).or(made_from.cloned());
        changes.push(FileChange {
            action,
            from: from.cloned(),
            template,
            before: was
                .map(|was| was.text.clone())
                .or(old_plain.filter(|_| from.is_some())),
            after,
            edits: said.edits.remove(&path).unwrap_or_default(),
            path,
        });
    }
    changes.sort_by(|a, b| by_number(&a.path, &b.path));
    changes
}

/// Marks the edits that put right what `check` found before and that nobody asked for. A repair asks for all of them.
fn mark_fixes(changes: &mut [FileChange], targets: &[Target], found: &[Finding]) {
    if targets.iter().all(Target::is_repair) {
        return;
    }
    let known: BTreeSet<(&str, usize, &str, &str)> = found
        .iter()
        .map(|one| (&*one.path, one.line, &*one.found, &*one.expected))
        .collect();
    for change in changes {
        let path = change.from.as_deref().unwrap_or(&change.path);
        for edit in &mut change.edits {
            edit.is_fix = known.contains(&(path, edit.line, &edit.found, &edit.expected));
        }
    }
}

/// What the tree itself pins for the version of a directory, where no release is asked for.
fn pinned(pins: &[Pin], target: &Target) -> Checksums {
    let own = pins
        .iter()
        .filter(|pin| pin.archive.version == target.version);
    own.map(|pin| (pin.archive.name.clone(), pin.hash))
        .collect()
}
