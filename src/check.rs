//! `update check`: every field that does not say what is expected, and everything that is missing, in file order.
//!
//! Checks version directories one by one, so that those of old releases need not be kept in memory; and a whole repository in
//! memory, so that an update can check the tree that it is about to write.

mod bases;
mod documents;
mod layout;
pub mod pins;
mod scripts;
mod sources;
pub mod templates;
mod typos;
mod words;
mod workflows;

use std::path::Path;

use anyhow::Result;

pub use self::scripts::{copies, scripts_of};
use crate::fields::expected::{Change, Expected, Scope};
use crate::fields::{Field, Kind};
use crate::finding::Finding;
use crate::parallel;
use crate::repository::{Directories, Names, Outline, Place, Repository, Tree};
use crate::text::by_number;

/// What `check` looked at, and what it found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// By path, line and column.
    pub findings: Vec<Finding>,
    /// How much was looked at.
    pub counts: Counts,
    /// The hashes of archives.
    pub pins: Vec<pins::Pin>,
}

/// How much a check has looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Variants of all version directories.
    pub variants: usize,
    /// Documents.
    pub files: usize,
    /// Fields of documents.
    pub fields: usize,
}

impl Report {
    /// Adds findings of checks that are made elsewhere.
    pub fn add(&mut self, findings: Vec<Finding>) {
        self.findings.extend(findings);
        let order = |a: &Finding, b: &Finding| by_number(&a.path, &b.path).then_with(|| a.cmp(b));
        self.findings.sort_by(order);
        self.findings.dedup();
    }
}

/// Reads the repository at `root` and checks it. The repository that is returned has only the newest version directory, or all of
/// them where they are series: of the others only findings and pins are kept.
pub fn read(root: &Path) -> Result<(Repository, Directories, Report)> {
    let outline = Outline::read(root)?;
    let names = outline.names();
    let newest = outline.newest();
    let results = outline.trees(|tree| {
        let part = Part::of(names, &tree);
        let is_kept =
            names.config.directory.has_series() || Some(tree.directory.name.as_str()) == newest;
        let directory = tree.directory.clone();
        (part, directory, is_kept.then_some(tree))
    })?;
    let (mut parts, mut directories, mut trees) = (Vec::new(), Vec::new(), Vec::new());
    for (part, directory, tree) in results {
        parts.push(part);
        directories.push(directory);
        trees.extend(tree);
    }
    let repository = outline.with(trees)?;
    let directories = Directories::new(directories, repository.tests.scripts());
    let report = report(&repository, &directories, parts);
    Ok((repository, directories, report))
}

/// Findings for the mentions of a document, and the versions beside a hash, that an update can neither rewrite nor leave as they are.
pub fn doubtful_mentions(scope: &Scope, place: &Place) -> Vec<Finding> {
    let seen = documents::Seen::new(scope, place);
    let is_doubtful = |field: &&Field| {
        let is_mention = matches!(field.kind, Kind::Mention { .. })
            || place.document.facts.has_stray_hash && matches!(field.kind, Kind::Version { .. });
        let expected = || scope.expected(field, place.document);
        is_mention && matches!(expected(), Expected::Impossible(_))
    };
    let doubtful = place.document.statements().filter(is_doubtful);
    doubtful.filter_map(|one| seen.check_field(one)).collect()
}

/// Checks a repository in memory.
pub fn check(repository: &Repository) -> Report {
    let parts = parallel::map(&repository.trees, 0, |_, tree| {
        Part::of(&repository.names, tree)
    });
    report(repository, &repository.directories(), parts)
}

fn report(repository: &Repository, directories: &Directories, parts: Vec<Part>) -> Report {
    let mut all = Part::default();
    for place in repository.shared_documents() {
        all.add_document(&repository.names, directories, &place);
    }
    parts.into_iter().for_each(|part| all.add(part));
    let mut report = all.report;
    let findings = &mut report.findings;
    pins::check(&report.pins, findings);
    layout::check_strays(repository, findings);
    workflows::check(repository, directories, findings);
    let is_by_version = !repository.names.config.directory.has_series();
    // Series go together; a directory of another version stays as it was released.
    if !is_by_version {
        bases::check(&repository.trees, findings);
    }
    scripts::check_shared(repository, directories, findings);
    // Directories of older versions stay as they were released.
    let newest = directories.newest().map(|newest| &newest.name);
    let is_checked = |tree: &&Tree| !is_by_version || Some(&tree.directory.name) == newest;
    for tree in repository.trees.iter().filter(is_checked) {
        templates::check(repository, tree, findings);
    }
    templates::check_labels(repository, findings);
    report.add(Vec::new());
    report
}

/// What is found in some documents, and what they pin.
#[derive(Default)]
struct Part {
    report: Report,
    archives: pins::Archives,
}

impl Part {
    /// What is found in a version directory by itself.
    fn of(names: &Names, tree: &Tree) -> Self {
        let mut part = Self::default();
        let none = Directories::default();
        layout::check_folders(names, tree, &mut part.report.findings);
        for place in Repository::documents_of(tree) {
            part.add_document(names, &none, &place);
        }
        let (findings, pins) = (&mut part.report.findings, &part.report.pins);
        pins::check_version(pins, findings);
        scripts::check_own(names, tree, findings);
        if !names.config.directory.has_series() {
            bases::check([tree], findings);
        }
        part.report.counts.variants = tree.directory.variants.len();
        part
    }

    fn add_document(&mut self, names: &Names, directories: &Directories, place: &Place) {
        let scope = Scope::of(names, directories, no_change(), place);
        let seen = documents::Seen::new(&scope, place);
        let report = &mut self.report;
        report.counts.files += 1;
        report.counts.fields += place.document.fields.len();
        seen.check(&mut report.findings);
        typos::check(&seen, place, &mut report.findings);
        sources::check(&seen, &mut report.findings);
        pins::gather(names, &seen, &mut self.archives, &mut report.pins);
    }

    fn add(&mut self, other: Self) {
        let (own, other) = (&mut self.report, other.report);
        own.findings.extend(other.findings);
        own.pins.extend(other.pins);
        own.counts.variants += other.counts.variants;
        own.counts.files += other.counts.files;
        own.counts.fields += other.counts.fields;
    }
}

/// A change of nothing, for a tree that is checked as it is.
pub fn no_change() -> &'static Change {
    static NONE: std::sync::LazyLock<Change> = std::sync::LazyLock::new(Change::default);
    &NONE
}

/// The versions of a repository as a headline shows them: `0.25.6`, `2.12.15, 2.14.5`, `2000 versions`.
pub fn versions(directories: &Directories) -> String {
    let all = directories.iter();
    let all: Vec<String> = all.map(|one| one.version.to_string()).collect();
    match all.len() {
        0 => "(no version directory)".to_owned(),
        1..=6 => all.join(", "),
        number => format!("{number} versions"),
    }
}
