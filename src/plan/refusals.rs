//! What an update refuses: what it would write wrong, and what only the user can decide.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use semver::Version;

use super::draft::place_of;
use super::units::is_code;
use super::{Options, Target};
use crate::check::Report;
use crate::check::pins::Pin;
use crate::fields::DocumentKind;
use crate::fields::series::places_of;
use crate::finding::Finding;
use crate::problems::refuse;
use crate::release::checksums::{Checksums, Sha256};
use crate::release::verify::Archive;
use crate::repository::{Item, Repository, WORKFLOWS};
use crate::tag::Level;
use crate::text::{is_within, lines_before};

/// Refuses pins that the release of their version contradicts, but for old ones: those in a file of another version.
pub(super) fn repinned(
    before: &Repository,
    pins: &[Pin],
    published: &BTreeMap<Version, Checksums>,
    options: &Options,
) -> Result<()> {
    let items: BTreeMap<String, &Item> = before.items().collect();
    let problem = |pin: &Pin| {
        let Archive { version, name } = &*pin.archive;
        let hash = published.get(version)?.get(name)?;
        let document = items.get(&*pin.path)?.document()?;
        let is_old = document.versions().any(|given| given != *version);
        let is_other = ![hash, Sha256::ZERO].contains(&pin.hash) && !is_old;
        let (place, found) = (pin.shown(), pin.hash);
        is_other.then(|| format!("{place}: {name}: pinned {found}, published {hash}"))
    };
    let problems = pins.iter().filter(|_| !options.repin).filter_map(problem);
    refuse(
        "the tree pins other hashes for this version than the release publishes",
        Vec::from_iter(problems),
        "A hash was edited by hand, or the release was uploaded again. Find out which; `--repin` accepts the release's",
    )
}

/// The archives that a release lacks, by the pins of the tree as it will be: those are zeros.
pub(super) fn archives(
    after: &Repository,
    pins: &[Pin],
    targets: &[Target],
    options: &Options,
) -> Result<()> {
    let items: BTreeMap<String, &Item> = after.items().collect();
    let is_of =
        |target: &Target, pin: &Pin| target.has_release && is_within(&pin.path, &target.directory);
    let mut missing: BTreeMap<&str, String> = BTreeMap::new();
    for pin in pins
        .iter()
        .filter(|pin| pin.hash == Sha256::ZERO && !options.allow_missing)
    {
        let item = items.get(&*pin.path);
        if let (Some(item), true) = (item, targets.iter().any(|target| is_of(target, pin))) {
            let (name, origin) = (&pin.archive.name, place_of(item, &pin.path));
            let text = format!("{name} (pinned in {origin}:{})", pin.place.0);
            missing.entry(name).or_insert(text);
        }
    }
    refuse(
        "the release lacks archives that the Dockerfiles pin",
        Vec::from_iter(missing.into_values()),
        "Wait until the release is complete, or use `--allow-missing`: it pins zeros, and the builds for these architectures then fail",
    )
}

/// Refuses a release that publishes one hash for two archives which the tree pins.
pub(super) fn twins(pins: &[Pin], published: &BTreeMap<Version, Checksums>) -> Result<()> {
    let mut names: BTreeMap<(&Version, Sha256), BTreeSet<&str>> = BTreeMap::new();
    for Pin { archive, hash, .. } in pins {
        let sums = published.get(&archive.version);
        if sums.and_then(|sums| sums.get(&archive.name)) == Some(*hash) {
            let all = names.entry((&archive.version, *hash)).or_default();
            all.insert(&archive.name);
        }
    }
    let twins = names.iter().filter(|(_, names)| names.len() > 1);
    let twins = twins.map(|((version, hash), names)| {
        let names = Vec::from_iter(names.iter().copied()).join(" and ");
        format!("SHA256SUMS of {version} has {hash} for {names}")
    });
    refuse(
        "the release publishes one hash for several archives",
        twins.collect(),
        "Ask those who published the release which is right",
    )
}

/// Refuses addresses of our version in Dockerfiles that have the old series in them, too: `…/download/3.0/src/haproxy-3.1.0.tar.gz`.
pub(super) fn addresses(after: &Repository, targets: &[Target]) -> Result<()> {
    let series = |version: &Version| Level::Minor.render(version, "");
    let key = after.names.config.version_key();
    let mut problems = Vec::new();
    for target in targets {
        let old = target.old.as_ref().map(series);
        let old = old.filter(|old| *old != series(&target.version));
        let (Some(old), Some(tree)) = (old, after.tree(&target.directory)) else {
            continue;
        };
        let version = target.version.to_string();
        let has = |line: &str, version: &str| places_of(line, version).next().is_some();
        let is_ours = |line: &str| has(line, &version) || line.contains(&key);
        let documents = Repository::documents_of(tree);
        let documents = documents.filter(|place| place.document.kind == DocumentKind::Dockerfile);
        for place in documents {
            let lines = (1..).zip(place.document.utf8().unwrap_or_default().lines());
            let wrong = lines.filter(|(_, line)| {
                is_code(line) && line.contains("://") && has(line, &old) && is_ours(line)
            });
            let path = place_of(place.item, &place.path());
            let found = |(number, _)| format!("{path}:{number}: found {old}, the old series");
            problems.extend(wrong.map(found));
        }
    }
    refuse(
        "addresses of the server's version have its old series in them",
        problems,
        "Make the series there a variable of its own, or write the new one, then run the same command again",
    )
}

/// Refuses what would be written wrong. Returns what remains: what was wrong before, and is no worse.
pub(super) fn wrong(
    (before, after): (&Repository, &Repository),
    targets: &[Target],
    (old, new): (&Report, &Report),
    options: &Options,
) -> Result<Vec<Finding>> {
    let items: BTreeMap<String, &Item> = after.items().collect();
    let mut known = Known::new(&items, old);
    let is_written = |path: &str| match after.tree_of(path) {
        Some(tree) => targets
            .iter()
            .any(|target| target.directory == tree.directory.name),
        None => true,
    };
    let (mut fatal, mut remaining) = (Vec::new(), Vec::new());
    for finding in &new.findings {
        let was_there = known.take(finding);
        // What only the release knows is what it was; a hash that nothing binds is of another version now.
        let mut stays = targets.iter().filter(|target| !target.has_release);
        let is_same = ["image", "failure"].contains(&finding.rule)
            || finding.rule == "architecture"
                && stays.any(|target| is_within(&finding.path, &target.directory));
        let is_zeros = finding.found.parse().ok() == Some(Sha256::ZERO);
        let was_unpinned = || {
            let item = items.get(&finding.path);
            item.is_some_and(|item| known.unpinned.contains(item.origin.path()))
        };
        let is_allowed = ["folder", "name", "order", "script", "series", "template"]
            .contains(&finding.rule)
            || is_zeros && options.allow_missing
            || finding.rule == "runner" && options.runners.is_empty()
            || is_unpinned(finding) && was_unpinned()
            || was_there && (is_same || finding.path.starts_with(WORKFLOWS));
        match is_written(&finding.path) && !is_allowed {
            true => fatal.push(finding),
            false => remaining.push(finding.clone()),
        }
    }
    let or = if !options.removes.is_empty() {
        ", or also `--remove` the variants that need them"
    } else if !options.adds.is_empty() {
        ", or also `--add` what they need"
    } else if !options.bases.is_empty() {
        ", or also move the variants that need them with `--base`"
    } else if !options.runners.is_empty() {
        ", or also move what runs there with `--base`"
    } else {
        ""
    };
    refuse(
        "these problems cannot be fixed automatically",
        shown(&fatal, before, &items),
        &format!("Fix them{or}, then run the same command again"),
    )?;
    Ok(remaining)
}

/// Whether a finding is a download without a pin.
fn is_unpinned(finding: &Finding) -> bool {
    finding.rule == "hash" && finding.expected == "<sha256>"
}

/// What was found before an update.
struct Known<'a> {
    /// How often each rule was broken in each file, by the paths that files will have.
    counts: BTreeMap<(&'a str, &'static str), usize>,
    /// The files that download something without a pin.
    unpinned: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    /// By what a check found, and the files as they will be.
    fn new(items: &'a BTreeMap<String, &Item>, old: &'a Report) -> Self {
        let origins = items.iter();
        let origins = origins.map(|(path, item)| (place_of(item, path), path));
        let origins: BTreeMap<String, &String> = origins.collect();
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for Finding { path, rule, .. } in &old.findings {
            let path = origins.get(path).copied().unwrap_or(path);
            *counts.entry((path, rule)).or_default() += 1;
        }
        let unpinned = old.findings.iter().filter(|one| is_unpinned(one));
        let unpinned = unpinned.map(|one| one.path.as_str()).collect();
        Self { counts, unpinned }
    }

    /// Whether a finding was there, as often as it has been asked for.
    fn take(&mut self, finding: &'a Finding) -> bool {
        let count = self.counts.get_mut(&(&*finding.path, finding.rule));
        let left = count.filter(|count| **count > 0);
        left.map(|count| *count -= 1).is_some()
    }
}

/// Findings with their lines counted in the files as they are now, where the user looks for them.
fn shown(
    findings: &[&Finding],
    before: &Repository,
    items: &BTreeMap<String, &Item>,
) -> Vec<String> {
    let sources: BTreeMap<String, &Item> = before.items().collect();
    let mut lines: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let shown = findings.iter().map(|finding| {
        let (path, line, rule) = (&finding.path, finding.line, finding.rule);
        let item = items.get(path);
        let origin = item.map_or(path.clone(), |item| place_of(item, path));
        let texts = item.and_then(|item| {
            let old = sources.get(&origin)?.document()?;
            Some((&old.text, &item.document()?.text))
        });
        let line = texts.map_or(line, |(old, new)| {
            let lines = lines.entry(path);
            let lines = lines.or_insert_with(|| lines_before(old, new));
            lines.get(line - 1).copied().unwrap_or(line)
        });
        format!("{origin}:{line}: {rule}: {}", finding.message)
    });
    shown.collect()
}
