//! What somebody should know of a plan: what had nothing to do, and what is left to do by hand.

use std::collections::BTreeSet;

use semver::Version;

use super::units::is_code;
use super::{Options, Target};
use crate::check::pins::Pin;
use crate::fields::Kind;
use crate::fields::series::{Series, places_of};
use crate::fields::workflow::Part;
use crate::release::checksums::Sha256;
use crate::repository::{Item, Place, Repository};
use crate::version::Variant;

/// All of it.
pub(super) fn all(
    (before, after): (&Repository, &Repository),
    targets: &[Target],
    options: &Options,
    pins: &[Pin],
) -> Vec<String> {
    let notes = [
        idle(after, options),
        not_built(after, targets),
        remarkable(before, targets),
        unlisted(before, after, targets),
        rows(before, after, targets),
        not_run(before, after),
        left_behind(after, targets),
        zeros(pins),
    ];
    notes.concat()
}

/// What was asked for and had nothing to do.
fn idle(after: &Repository, options: &Options) -> Vec<String> {
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
        .map(|name| format!("no workflow runs on {name}, such as {name}-latest"))
        .collect()
}

/// The variants that are added beside ones that workflows name, and that no workflow names.
fn not_built(after: &Repository, targets: &[Target]) -> Vec<String> {
    let places: Vec<Place> = after.workflow_documents().collect();
    let named = places
        .iter()
        .flat_map(|place| place.document.variants_named());
    let named: BTreeSet<(Option<&str>, String)> = named.collect();
    let mut notes = Vec::new();
    for target in targets {
        let tree = after.tree(&target.directory);
        let names = |variant: &Variant| {
            let places = [Some(target.directory.as_str()), None];
            places
                .into_iter()
                .any(|place| named.contains(&(place, variant.name.clone())))
        };
        let all = tree
            .map(|tree| &tree.directory.variants[..])
            .unwrap_or_default();
        let is_like = |variant: &Variant, other: &Variant| {
            other.family == variant.family && !target.adds.contains(other) && names(other)
        };
        let added = target
            .adds
            .iter()
            .filter(|variant| all.contains(variant) && !names(variant));
        for variant in added.filter(|variant| all.iter().any(|other| is_like(variant, other))) {
            let directory = &target.directory;
            notes.push(format!(
                "no workflow names {directory}/{variant}: add it there by hand"
            ));
        }
    }
    notes
}

/// The new series that are made of another one, each with every workflow.
fn new_series<'a>(
    after: &'a Repository,
    targets: &'a [Target],
) -> impl Iterator<Item = (&'a str, &'a str, Place<'a>)> {
    let has_series = after.names.config.directory.has_series();
    let new = targets
        .iter()
        .filter(move |target| has_series && target.is_copy());
    let new = new.filter_map(|target| Some((&*target.directory, target.source.as_deref()?)));
    new.flat_map(|(directory, source)| {
        let places = after.workflow_documents();
        places.map(move |place| (directory, source, place))
    })
}

/// The lines of workflows that name several series, and not the new one.
fn unlisted(before: &Repository, after: &Repository, targets: &[Target]) -> Vec<String> {
    let all: Vec<Series> = before.directories().iter().map(Series::of).collect();
    let mut notes = Vec::new();
    for (directory, source, place) in new_series(after, targets) {
        let lines = place.document.utf8().unwrap_or_default().lines();
        for (number, line) in lines.enumerate() {
            let named = all.iter().filter(|series| line.contains(&series.directory));
            let named: Vec<&str> = named.map(|series| &*series.directory).collect();
            let is_list = named.len() > 1 && named.contains(&source);
            if is_list && !line.contains(directory) && is_code(line) {
                notes.push(format!(
                    "{}:{}: names {}, and not {directory}: add it there by hand",
                    place.path(),
                    number + 1,
                    named.join(", ")
                ));
            }
        }
    }
    notes
}

/// The rows of matrices that name the series of which a new one is made, alone.
fn rows(before: &Repository, after: &Repository, targets: &[Target]) -> Vec<String> {
    let mut notes = Vec::new();
    for (directory, source, place) in new_series(after, targets) {
        let Some(text) = place.document.utf8() else {
            continue;
        };
        let structure = &place.document.facts.structure;
        let is_include = |list: &&Vec<Part>| {
            let first = list.first().map(|item| item.lines.start);
            let above = first.and_then(|line| structure.lines[line].above);
            let key = above.and_then(|line| structure.lines[line].key(text.as_bytes()));
            key == Some(b"include")
        };
        for list in structure.lists().iter().filter(is_include) {
            let names = |item: &Part, name: &str| text[item.span.clone()].contains(name);
            let is_told = list.iter().any(|item| names(item, directory));
            let mut others = before.trees.iter().map(|tree| &tree.directory.name);
            let is_list =
                others.any(|name| name != source && list.iter().any(|item| names(item, name)));
            let alone = list.iter().find(|item| names(item, source));
            if let (Some(item), false, false) = (alone, is_told, is_list) {
                let number = text[..item.span.start].matches('\n').count() + 1;
                notes.push(format!(
                    "{}:{number}: this row of the matrix is for {source} alone: add one for {directory} by hand, if it is to run too",
                    place.path()
                ));
            }
        }
    }
    notes
}

/// The scripts that are new beside ones that workflows run, and that no workflow runs.
fn not_run(before: &Repository, after: &Repository) -> Vec<String> {
    let mut run: BTreeSet<String> = BTreeSet::new();
    let places = after.workflow_documents();
    for place in places {
        for field in place.document.statements() {
            let found = place.document.found(field);
            match &field.kind {
                Kind::Script { .. } => drop(run.insert(found.into_owned())),
                Kind::Item { made } => run.extend(made.iter().map(|one| one.name(&found))),
                _ => {}
            }
        }
    }
    let mut notes = Vec::new();
    for tree in &after.trees {
        let directory = &tree.directory;
        let Some(old) = before.tree(&directory.name) else {
            continue;
        };
        let old = &old.directory.scripts;
        let is_beside = old.iter().any(|script| run.contains(script));
        let new = directory
            .scripts
            .iter()
            .filter(|script| !old.contains(script));
        let missing = new.filter(|script| is_beside && !run.contains(*script));
        notes.extend(missing.map(|script| {
            format!(
                "no workflow runs {}/tests/{script}: add it there by hand",
                directory.name
            )
        }));
    }
    notes
}

/// The lines of scripts and workflows that give a version which no version directory is at any more.
fn left_behind(after: &Repository, targets: &[Target]) -> Vec<String> {
    let is_at = |version: &Version| {
        let mut trees = after.trees.iter();
        trees.any(|tree| tree.directory.version == *version)
    };
    let gone = targets.iter().filter_map(|target| target.old.as_ref());
    let gone = gone.filter(|old| !is_at(old));
    let gone: BTreeSet<String> = gone.map(Version::to_string).collect();
    let mut notes = Vec::new();
    for place in after.shared_documents() {
        let lines = place.document.utf8().unwrap_or_default().lines();
        for (number, line) in lines.enumerate().filter(|(_, line)| is_code(line)) {
            let left = gone.iter().find(|old| gives(line, old));
            notes.extend(left.map(|old| {
                let (path, number) = (place.path(), number + 1);
                format!(
                    "{path}:{number}: still says {old}: change it by hand, if it is the server's"
                )
            }));
        }
    }
    notes
}

/// Whether a line gives a version of ours, perhaps: not `1.2.3-rc.1`, and not `uses: somebody/action@v1.2.3`.
fn gives(line: &str, version: &str) -> bool {
    places_of(line, version).any(|at| {
        let (before, behind) = (&line[..at], &line[at + version.len()..]);
        let before = before.strip_suffix('v').unwrap_or(before);
        !before.ends_with('@') && !behind.starts_with("-rc") && !behind.starts_with("-RC")
    })
}

/// What is there already, and a pre-release where a release is.
fn remarkable(before: &Repository, targets: &[Target]) -> Vec<String> {
    let mut notes = Vec::new();
    for target in targets {
        let (directory, version) = (&target.directory, &target.version);
        if let Some(tree) = before.tree(directory) {
            let adds = target.adds.iter();
            let known = adds.filter(|add| tree.directory.has(&add.name));
            notes.extend(known.map(|add| format!("{directory}/{add} is there already")));
        }
        let own = target.source.as_ref() == Some(directory);
        let old = target.old.as_ref().filter(|old| own && old.pre.is_empty());
        if let (Some(old), false) = (old, version.pre.is_empty()) {
            notes.push(format!(
                "{version} is a pre-release, and {directory} is at {old}, which is released"
            ));
        }
    }
    notes
}

/// The archives that the release lacks, whose pins are zeros.
fn zeros(pins: &[Pin]) -> Vec<String> {
    let lacking = pins.iter().filter(|pin| pin.hash == Sha256::ZERO);
    let names: BTreeSet<&str> = lacking.map(|pin| pin.archive.name.as_str()).collect();
    let say = |name| format!("{name} is pinned with zeros: its image cannot be built");
    names.into_iter().map(say).collect()
}
