//! What an update refuses: what it would write wrong, and what only somebody else can decide.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use super::draft::place_of;
use super::{Options, Target};
use crate::check::Report;
use crate::fields::Kind;
use crate::finding::Finding;
use crate::release::checksums::{Checksums, Sha256};
use crate::repository::{Item, Place, Repository, WORKFLOWS};
use crate::text::{LinesBefore, Places, harmless_list};

/// An error that names all problems of one kind, where there are any.
pub(super) fn refuse(what: &str, problems: &[String], advice: &str) -> Result<()> {
    let mut problems = problems.to_vec();
    problems.dedup();
    ensure!(
        problems.is_empty(),
        "{what}:\n  {}\n{advice}",
        harmless_list(&problems)
    );
    Ok(())
}

/// A layout that is not one.
pub(super) fn layout(before: &Repository) -> Result<()> {
    let first = before.trees.first();
    let names = first.map_or("the pattern in update.toml", |tree| &tree.directory.name);
    let say = |stray: &String| {
        format!("{stray}: looks like a version directory, and is not named like {names}")
    };
    let problems: Vec<String> = before.strays.iter().map(say).collect();
    refuse(
        "cannot tell which folders are version directories",
        &problems,
        "Rename or remove them, then run the same command again",
    )
}

/// The pins of a document: archive, hash and place.
fn pins<'a>(
    repository: &'a Repository,
    target: &'a Target,
    place: &Place<'a>,
) -> impl Iterator<Item = (String, String, usize)> + 'a {
    let document = place.document;
    document.statements().filter_map(move |field| {
        let Kind::Hash(Some(platform)) = &field.kind else {
            return None;
        };
        let archive = repository.names.config.archive(&target.version, platform);
        let found = document.found(field).into_owned();
        Some((archive, found, field.span.start))
    })
}

/// The pins of a version that its release contradicts. A pin of a file that gives another version is an old one.
pub(super) fn repinned(
    before: &Repository,
    pairs: &[(&Target, &Checksums)],
    options: &Options,
) -> Result<()> {
    let mut problems = Vec::new();
    for (target, checksums) in pairs {
        let tree = before
            .tree(&target.directory)
            .filter(|_| target.has_release && target.old.as_ref() == Some(&target.version));
        for place in tree.into_iter().flat_map(Repository::documents_of) {
            let mut versions = place.document.versions();
            if versions.any(|version| version != target.version) {
                continue;
            }
            let places = Places::new(&place.document.text);
            for (archive, found, at) in pins(before, target, &place) {
                let (Ok(found), Some(published)) =
                    (found.parse::<Sha256>(), checksums.get(&archive))
                else {
                    continue;
                };
                if found != published && found != Sha256::ZERO {
                    let (line, _) = places.of(at);
                    problems.push(format!(
                        "{}:{line}: {archive}: pinned {found}, published {published}",
                        place.path()
                    ));
                }
            }
        }
    }
    if options.repin {
        return Ok(());
    }
    refuse(
        "the tree pins other hashes for this version than the release publishes",
        &problems,
        "A hash was edited by hand, or the release was uploaded again. Find out which; `--repin` accepts the release's",
    )
}

/// Archives that a release lacks, and what no list of checksums can say of those that it has: zeros, or one hash for two.
pub(super) fn archives(
    after: &Repository,
    pairs: &[(&Target, &Checksums)],
    options: &Options,
) -> Result<()> {
    let (mut missing, mut doubtful) = (Vec::new(), Vec::new());
    for (target, checksums) in pairs.iter().filter(|(target, _)| target.has_release) {
        let mut lacking: BTreeMap<String, String> = BTreeMap::new();
        let mut names: BTreeMap<Sha256, BTreeSet<String>> = BTreeMap::new();
        let tree = after.tree(&target.directory);
        for place in tree.into_iter().flat_map(Repository::documents_of) {
            let places = Places::new(&place.document.text);
            for (archive, _, at) in pins(after, target, &place) {
                if let Some(hash) = checksums.get(&archive) {
                    names.entry(hash).or_default().insert(archive);
                    continue;
                }
                let (line, _) = places.of(at);
                let other = |name: &str| format!("; `{name}` has a `/`, and is another file");
                let slash = checksums.with_slash(&archive).map(other);
                let slash = slash.unwrap_or_default();
                let origin = place_of(place.item, &place.path());
                let text = format!("{archive} (pinned in {origin}:{line}{slash})");
                lacking.entry(archive).or_insert(text);
            }
        }
        missing.extend(lacking.into_values());
        for (hash, names) in names {
            if hash == Sha256::ZERO || names.len() > 1 {
                let names = Vec::from_iter(names).join(" and ");
                doubtful.push(format!("{hash} for {names}"));
            }
        }
    }
    if !options.allow_missing {
        refuse(
            "the release lacks archives that the Dockerfiles pin",
            &missing,
            "Wait until the release is complete, or use `--allow-missing`: it pins zeros, and those images then fail to build",
        )?;
    }
    refuse(
        "the release's SHA256SUMS cannot be right",
        &doubtful,
        "Ask those who published it; nothing was written",
    )
}

/// Refuses what would be written wrong. What was wrong before and is no worse is what remains.
pub(super) fn wrong(
    (before, after): (&Repository, &Repository),
    targets: &[Target],
    (old, new): (&Report, &Report),
    options: &Options,
) -> Result<Vec<Finding>> {
    let origins: BTreeMap<String, String> = after
        .items()
        .map(|(path, item)| (place_of(item, &path), path))
        .collect();
    // How often each rule was broken in each file, by the paths that files will have.
    let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for finding in &old.findings {
        let path = origins.get(&finding.path).unwrap_or(&finding.path);
        *known.entry((path, finding.rule)).or_default() += 1;
    }
    let is_written = |path: &str| match after.tree_of(path) {
        Some(tree) => targets
            .iter()
            .any(|target| target.directory == tree.directory.name),
        None => true,
    };
    let (mut fatal, mut remaining) = (Vec::new(), Vec::new());
    for finding in &new.findings {
        let was = known
            .get_mut(&(finding.path.as_str(), finding.rule))
            .filter(|count| **count > 0);
        let was_there = was.map(|count| *count -= 1).is_some();
        // A download without a pin is what it was; a hash that nothing binds is of another version now.
        let is_unpinned = finding.rule == "hash" && finding.expected == "<sha256>";
        let is_zeros = finding.found.parse().ok() == Some(Sha256::ZERO);
        let is_allowed = ["folder", "order", "script", "series", "template"]
            .contains(&finding.rule)
            || is_zeros && options.allow_missing
            || was_there && (is_unpinned || finding.path.starts_with(WORKFLOWS));
        match is_written(&finding.path) && !is_allowed {
            true => fatal.push(finding),
            false => remaining.push(finding.clone()),
        }
    }
    let items: BTreeMap<String, &Item> = after.items().collect();
    let sources: BTreeMap<String, &Item> = before.items().collect();
    let mut lines: BTreeMap<String, LinesBefore> = BTreeMap::new();
    // By the files as they are: somebody has to find the line.
    let shown = |finding: &&Finding| {
        let Finding {
            path,
            line,
            rule,
            message,
            ..
        } = finding;
        let item = items.get(path);
        let origin = item.map_or(path.clone(), |item| place_of(item, path));
        let texts = item.and_then(|item| {
            let old = sources.get(&origin)?.document()?;
            Some((&old.text, &item.document()?.text))
        });
        let line = texts.map_or(*line, |(old, new)| {
            let lines = lines.entry(path.clone());
            lines
                .or_insert_with(|| LinesBefore::new(old, new))
                .of(*line)
        });
        format!("{origin}:{line}: {rule}: {message}")
    };
    let (what, advice) = match options.removes.is_empty() {
        true => (
            "these problems cannot be fixed automatically",
            "Fix them, then run the same command again",
        ),
        false => (
            "these lines still name what `--remove` takes away, or cannot be fixed automatically",
            "Change or remove these lines, then run the same command again",
        ),
    };
    refuse(what, &fatal.iter().map(shown).collect::<Vec<_>>(), advice)?;
    Ok(remaining)
}
