//! What the user should know of a plan: what had nothing to do, and what is left to do by hand.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::units::{is_code, mentions, position, replaced};
use super::{Options, Target};
use crate::check::pins::Pin;
use crate::fields::series::places_of;
use crate::fields::workflow::Line;
use crate::fields::{DocumentKind, Kind, Named};
use crate::release::checksums::Sha256;
use crate::repository::{Directory, Item, Origin, Place, Repository, TESTS, join};
use crate::text::{Places, first_of, span_of};
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
        runners_left(before, after, options),
        not_built(after, targets),
        without_twins(before, after, targets),
        left_behind(after, targets),
        names_left(before, after, targets),
        zeros(pins),
    ];
    notes.concat()
}

/// What was asked for and had nothing to do.
fn idle(after: &Repository, options: &Options) -> Vec<String> {
    let documents = after.workflows.items.iter().filter_map(Item::document);
    let fields = documents.flat_map(|document| &document.fields);
    let systems = fields.filter_map(|field| match &field.kind {
        Kind::Runner { system, .. } => Some(&**system),
        _ => None,
    });
    let systems: BTreeSet<&str> = systems.collect();
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
            let is_there = named.iter().any(|(.., other)| other == new);
            let like = named
                .iter()
                .map(|(.., other)| other)
                .find(|other| is_like(other));
            if let Some(like) = like.filter(|_| !is_there) {
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
                let note = format!(
                    "no workflow names {whole}; {like} is named in {}: add {new} there by hand",
                    first_of(&lines, 3)
                );
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        };
        for variant in &target.adds {
            let is_like = |other: &str| {
                Variant::parse(other).is_some_and(|other| other.family == variant.family)
            };
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
            let said = |line: &Line| &text[line.span.start..line.end];
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

/// The lines that give a version which no version directory is at any more, or the series of one beside a name of ours; and those
/// that give the ID of a commit in a directory whose version moves.
fn left_behind(after: &Repository, targets: &[Target]) -> Vec<String> {
    let config = &after.names.config;
    let own = [&config.image, &config.server].map(|name| name.to_lowercase());
    let is_at = |is_it: &dyn Fn(&Version) -> bool| {
        let mut trees = after.trees.iter();
        trees.any(|tree| is_it(&tree.directory.version))
    };
    let series = |version: &Version| format!("{}.{}", version.major, version.minor);
    let old: Vec<&Version> = targets.iter().filter_map(|one| one.old.as_ref()).collect();
    let gone = old.iter().filter(|old| !is_at(&|version| version == **old));
    let gone: BTreeSet<String> = gone.map(|old| old.to_string()).collect();
    let left = old.iter().map(|old| series(old));
    let left: BTreeSet<String> = left
        .filter(|old| !is_at(&|version| series(version) == *old))
        .collect();
    let moves = |place: &Place| {
        let mut moving = targets
            .iter()
            .filter(|one| one.old.as_ref() != Some(&one.version));
        let tree = place.tree.map(|tree| &tree.directory.name);
        moving.any(|one| tree == Some(&one.directory) && one.has_release)
    };
    // `uses: somebody/action@v1.2.3`
    let lines = lines(after, targets).filter(|(.., line)| is_code(line) && !line.contains('@'));
    let notes = lines.filter_map(|(place, number, line)| {
        let gives = |old: &&String| places_of(line, old).next().is_some();
        let is_named = || {
            let line = line.to_lowercase();
            own.iter().any(|name| line.contains(name))
        };
        let version = gone.iter().find(gives);
        let version = version.map(|old| (old.as_str(), "the old version: if it is the server's"));
        let of_series = || {
            let old = left.iter().find(gives).filter(|_| is_named())?;
            Some((old.as_str(), "the old series: if it is the server's"))
        };
        let of_commit = || {
            let id = commit(line).filter(|_| moves(&place))?;
            Some((id, "a commit: if it is one of the old release"))
        };
        let (found, why) = version.or_else(of_series).or_else(of_commit)?;
        let path = place.path();
        Some(format!(
            "{path}:{number}: found {found}, {why}, change it by hand"
        ))
    });
    notes.collect()
}

/// The ID of a commit in a line, unless it is that of a key.
fn commit(line: &str) -> Option<&str> {
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
    let is_id = |word: &&str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_key = ["key", "gpg", "fingerprint"]
        .iter()
        .any(|word| line.to_lowercase().contains(word));
    words.find(is_id).filter(|_| !is_key)
}

/// The lines that name a variant, or its base, which no version directory has any more, or which the series that they name, or
/// are in, has not.
fn names_left(before: &Repository, after: &Repository, targets: &[Target]) -> Vec<String> {
    let all = |repository| -> BTreeSet<&Variant> { Repository::variants(repository).collect() };
    let [old, new] = [before, after].map(all);
    let gone: Vec<&Variant> = old.difference(&new).copied().collect();
    let is_base_gone = |one: &Variant| !new.iter().any(|other| other.base == one.base);
    let is_free = |series: &Directory, one: &Variant| {
        let tree = after.tree(&series.name).map(|tree| &tree.directory);
        tree.is_some_and(|tree| !tree.variants.iter().any(|other| other.base == one.base))
    };
    // Of a variant that is called alike, and is there.
    let is_elsewhere = |one: &Variant, line: &str| {
        let trees = after.trees.iter().map(|tree| &tree.directory);
        let there = trees.filter(|tree| tree.has(&one.name));
        let rest = there.fold(line.to_owned(), |line, tree| {
            line.replace(&format!("{}/{one}", tree.name), "")
        });
        rest.len() < line.len() && !mentions(&rest, &one.name)
    };
    let of_target = |target: &Target| -> Vec<Variant> {
        let renamed = target.renames.keys();
        let renamed = renamed.filter_map(|name| Variant::parse(name));
        renamed.chain(target.removes.iter().cloned()).collect()
    };
    let of_series = targets.iter().map(|one| (one.series(), of_target(one)));
    let of_series: Vec<(Directory, Vec<Variant>)> = of_series.collect();
    let config = &after.names.config;
    let left_of = |one: &Variant, line: &str, is_gone: &dyn Fn() -> bool| {
        let own = [config.image.as_str(), &config.server];
        left_of(one, line, is_gone).filter(|_| !is_of_other(line, &one.name, &own))
    };
    let notes = lines(after, targets).filter_map(|(place, number, line)| {
        let left = gone
            .iter()
            .find_map(|one| left_of(one, line, &|| is_base_gone(one)));
        let here = || {
            let mut all = of_series.iter();
            all.find_map(|(series, gone)| {
                let left = gone.iter().find_map(|one| {
                    let left = left_of(one, line, &|| is_free(series, one));
                    left.filter(|_| !is_elsewhere(one, line))
                })?;
                let why = format!("{} no longer has", series.name);
                is_about(&place, line, series).then_some((left, why))
            })
        };
        let whole = left.map(|left| (left, "no variant has any more".to_owned()));
        let ((left, why), path) = (whole.or_else(here)?, place.path());
        Some(format!(
            "{path}:{number}: found {left}, which {why}: if it is our image's, change it by hand"
        ))
    });
    notes.collect()
}

/// Whether the name of a variant is in the tag of an image of somebody else: `golang:1.24-alpine3.22`.
fn is_of_other(line: &str, name: &str, own: &[&str]) -> bool {
    let before = &line[..position(line, name).unwrap_or_default()];
    let is_end = |c: char| c.is_whitespace() || "\"'=".contains(c);
    let word = before.rsplit(is_end).next().unwrap_or_default();
    let image = word.rsplit_once(':').map_or("", |(image, _)| image);
    let image = image.rsplit('/').next().unwrap_or_default();
    !image.is_empty() && !own.contains(&image) && !image.contains(['$', '}'])
}

/// Whether a line is about a series: in its folder, by its name, or, in a workflow, by its item of a list, by its job, or as a
/// variable of all jobs, of which some are about it.
fn is_about(place: &Place, line: &str, series: &Directory) -> bool {
    let (structure, text) = (&place.document.facts.structure, place.document.utf8());
    let text = text.unwrap_or_default();
    let at = span_of(text, line).start;
    let is_inside = place.tree.map(|tree| &tree.directory.name) == Some(&series.name);
    let of_item = || {
        let item = structure.item_at(at).map(|item| item.span);
        item.is_some_and(|item| series.is_in(&structure.said(text, &item, true)))
    };
    let of_job = || match structure.job_at(at) {
        Some(job) => job.directory() == Some(&series.name),
        None => {
            let number = structure.line_at(at);
            structure.is_below(text.as_bytes(), number, b"env") && series.is_in(text)
        }
    };
    is_inside || series.is_in(line) || of_item() || of_job()
}

/// What a line says of a variant that is gone: its name, or its base, or the year of its Windows, where that is gone too, and has
/// beside it what it is of.
fn left_of(gone: &Variant, line: &str, is_gone: &dyn Fn() -> bool) -> Option<String> {
    if mentions(line, &gone.name) {
        return Some(gone.name.clone());
    }
    let base = gone.base_tag().to_owned();
    let year = gone.windows_year().map(|year| year.to_string());
    let is_said = |said: &String| mentions(line, said) || mentions(line, &format!("v{said}"));
    let has = |words: &[&str]| {
        let line = line.to_lowercase();
        words.iter().any(|word| line.contains(word))
    };
    let is_beside = |said: &String| match gone.is_windows() {
        true => *said == base || has(&["ltsc", "windows"]),
        false => has(&[&gone.family]),
    };
    let mut all = [Some(base.clone()), year].into_iter().flatten();
    let left = all.find(|said| !said.is_empty() && is_said(said) && is_beside(said));
    left.filter(|_| is_gone())
}

/// The lines that name a runner which `--runner` moves, in a form that it does not.
fn runners_left(before: &Repository, after: &Repository, options: &Options) -> Vec<String> {
    let old = before.workflow_documents().flat_map(|place| {
        let document = place.document;
        document
            .statements()
            .filter_map(move |field| match &field.kind {
                Kind::Runner { system, .. } => Some((system.to_string(), document.found(field))),
                _ => None,
            })
    });
    let old = old.filter(|(system, found)| {
        let new = options.runners.get(system);
        new.is_some_and(|new| new != found)
    });
    let old: BTreeSet<String> = old
        .map(|(system, found)| format!("{system}-{found}"))
        .collect();
    let lines =
        lines(after, &[]).filter(|(place, ..)| place.document.kind == DocumentKind::Workflow);
    let left = lines.filter_map(|(place, number, line)| {
        let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-';
        // `ubuntu-24.04-arm`
        let label = |word: &str| {
            let mut parts = word.splitn(3, '-');
            Some(format!("{}-{}", parts.next()?, parts.next()?))
        };
        let mut labels = line.split(is_end).filter_map(label);
        let label = labels.find(|label| is_code(line) && old.contains(label))?;
        let path = place.path();
        Some(format!("{path}:{number}: found {label}, which was not changed: if it is a runner, change it by hand"))
    });
    left.collect()
}

/// The lines of scripts and workflows, and of what is in the directories that change, each with its file and its number.
fn lines<'a>(
    after: &'a Repository,
    targets: &[Target],
) -> impl Iterator<Item = (Place<'a>, usize, &'a str)> {
    let own = targets
        .iter()
        .filter_map(|target| after.tree(&target.directory));
    let own = own.flat_map(Repository::documents_of).collect::<Vec<_>>();
    let places = after.shared_documents().chain(own);
    places.flat_map(|place| {
        let lines = place.document.utf8().unwrap_or_default().lines();
        (1..)
            .zip(lines)
            .map(move |(number, line)| (place, number, line))
    })
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
