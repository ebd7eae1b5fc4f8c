//! What the user should know of a plan: what had nothing to do, and what is left to do by hand.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::nearest;
use super::units::replaced;
use super::{Options, Target, leftovers};
use crate::check::pins::Pin;
use crate::fields::workflow::Line;
use crate::fields::{Kind, Named};
use crate::release::checksums::Sha256;
use crate::repository::{Item, Origin, Place, Repository, TESTS, join};
use crate::text::{Places, first_of};
use crate::version::Variant;

/// All notes.
pub(super) fn all(
    (before, after): (&Repository, &Repository),
    targets: &[Target],
    options: &Options,
    pins: &[Pin],
) -> Vec<String> {
    let notes = [
        idle(after, options),
        not_built(after, targets),
        without_twins(before, after, targets),
        leftovers::all((before, after), targets, options),
        zeros(pins),
    ];
    notes.concat()
}

/// What was asked for and had nothing to do.
fn idle(after: &Repository, options: &Options) -> Vec<String> {
    let systems = systems(after);
    let missing = options
        .runners
        .keys()
        .filter(|name| !systems.contains(name.as_str()));
    missing
        .map(|name| {
            format!("no workflow names a {name} runner such as {name}-latest; runners that are made from a matrix are not changed")
        })
        .collect()
}

/// The operating systems of the runners that workflows name.
pub(super) fn systems(repository: &Repository) -> BTreeSet<&str> {
    let documents = repository.workflows.items.iter();
    let fields = documents.filter_map(Item::document);
    let fields = fields.flat_map(|document| &document.fields);
    let systems = fields.filter_map(|field| match &field.kind {
        Kind::Runner { system, .. } => Some(&**system),
        _ => None,
    });
    systems.collect()
}

/// The variants and scripts that are added beside ones that workflows name, and that no workflow names.
fn not_built(after: &Repository, targets: &[Target]) -> Vec<String> {
    let places: Vec<Place> = after.workflow_documents().collect();
    let mut notes: Vec<String> = Vec::new();
    for target in targets.iter().filter(|target| !target.adds.is_empty()) {
        let Some(tree) = after.tree(&target.directory) else {
            continue;
        };
        let name = &tree.directory.name;
        let mut note = |kind: Named, folder: &[&str], new: &str, is_like: &dyn Fn(&str) -> bool| {
            let named = places.iter().flat_map(|place| {
                let named = place.document.names_of(kind);
                let named =
                    named.filter(|(_, directory, _)| directory.is_none_or(|one| one == name));
                named.map(move |(at, directory, other)| (directory.is_none(), place, at, other))
            });
            // Those that are certainly about this directory come first.
            let mut named: Vec<_> = named.collect();
            named.sort_by_key(|(is_of_any, ..)| *is_of_any);
            let known = named.iter().filter(|(.., other)| other == new);
            let job = |place: &Place, at: usize| {
                let structure = &place.document.facts.structure;
                (place.path(), structure.job_number(at))
            };
            let knowing: BTreeSet<_> = known.map(|(_, place, at, _)| job(place, *at)).collect();
            named.retain(|(_, place, at, _)| !knowing.contains(&job(place, *at)));
            let like = named
                .iter()
                .map(|(.., other)| other)
                .find(|other| is_like(other));
            if let Some(like) = like {
                let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
                for (_, place, at, _) in named.iter().filter(|(.., other)| other == like) {
                    let line = Places::new(&place.document.text).of(*at).0.to_string();
                    let lines = lines.entry(place.path()).or_default();
                    lines.extend((!lines.contains(&line)).then_some(line));
                }
                let lines = lines
                    .iter()
                    .map(|(path, lines)| format!("{path}:{}", first_of(lines, 5)));
                let (lines, whole) = (Vec::from_iter(lines), join(&[folder, &[new]].concat()));
                let paths: BTreeSet<&str> = knowing.iter().map(|(path, _)| path.as_str()).collect();
                let is_part = named
                    .iter()
                    .any(|(_, place, ..)| paths.contains(&*place.path()));
                let part = if is_part { "some jobs of " } else { "" };
                let (start, by_hand) = match Vec::from_iter(paths).as_slice() {
                    [] => (format!("no workflow names {whole}"), "there by hand"),
                    all => (
                        format!("{whole} is named in {part}{} alone", first_of(all, 3)),
                        "there by hand, if it belongs there",
                    ),
                };
                let note = format!(
                    "{start}; {like} is named in {}: add {new} {by_hand}",
                    first_of(&lines, 3)
                );
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        };
        let variants = tree.directory.variants.iter().cloned();
        let siblings: Vec<Variant> = variants.filter(|one| !target.adds.contains(one)).collect();
        for variant in &target.adds {
            let sibling = nearest(variant, &siblings);
            let is_like = |other: &str| sibling.is_some_and(|sibling| sibling.name == other);
            note(Named::Variant, &[name], &variant.name, &is_like);
        }
        let own = tree.folder(TESTS).map(|tests| (name.as_str(), tests));
        for (above, tests) in own.into_iter().chain([("", &after.tests)]) {
            for item in &tests.items {
                if let Origin::MadeFrom(source) = &item.origin {
                    note(Named::Script, &[above, TESTS], &item.name, &|other| {
                        source.ends_with(&format!("/{other}"))
                    });
                }
            }
        }
    }
    notes
}

/// The lines of workflows that have no counterpart for a new series.
fn without_twins(before: &Repository, after: &Repository, targets: &[Target]) -> Vec<String> {
    let has_series = after.names.config.directory.has_series();
    let mut notes = Vec::new();
    for target in targets
        .iter()
        .filter(|target| has_series && target.is_copy())
    {
        let Some(from) = target.source_in(before).map(|tree| &tree.directory) else {
            continue;
        };
        let to = target.series();
        for place in after.workflow_documents() {
            let text = place.document.utf8().unwrap_or_default();
            let lines = &place.document.facts.structure.lines;
            // The last item of a list has no comma.
            let said = |line: &Line| text[line.span.start..line.end].trim_end_matches(',');
            let all: BTreeSet<&str> = lines.iter().map(said).collect();
            // What a line becomes for the new series, which may be on another base.
            let moved = |said: &str| {
                let renames = target.renames.iter();
                renames.fold(from.moved(said, &to), |said, (old, new)| {
                    replaced(&said, old, new)
                })
            };
            let alone = lines.iter().filter(|line| {
                let said = said(line);
                from.is_in(said) && !to.is_in(said) && !all.contains(&*moved(said))
            });
            let places = Places::new(text.as_bytes());
            let numbers = alone.map(|line| places.of(line.span.start).0.to_string());
            let numbers: Vec<String> = numbers.collect();
            if !numbers.is_empty() {
                let (numbers, from, to) = (numbers.join(", "), &from.name, &to.name);
                notes.push(format!(
                    "{}:{numbers}: about {from}, and not copied for {to}: copy what {to} needs by hand",
                    place.path()
                ));
            }
        }
    }
    notes
}

/// The archives that the release lacks, whose pins are zeros.
fn zeros(pins: &[Pin]) -> Vec<String> {
    let lacking = pins.iter().filter(|pin| pin.hash == Sha256::ZERO);
    let names: BTreeSet<&str> = lacking.map(|pin| pin.archive.name.as_str()).collect();
    let say = |name| {
        format!(
            "{name} is pinned with zeros, since the release lacks it: the build for its architecture fails"
        )
    };
    names.into_iter().map(say).collect()
}
