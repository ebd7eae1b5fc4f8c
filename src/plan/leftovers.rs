//! What an update leaves behind: lines that still give what is gone, in forms that no field has. The user looks at each.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::units::{is_code, mentions, position};
use super::{Options, Target};
use crate::fields::series::places_of;
use crate::fields::{DocumentKind, Kind};
use crate::repository::{Directory, Place, Repository};
use crate::tag::Level;
use crate::text::span_of;
use crate::version::Variant;

/// Notes on all such lines.
pub(super) fn all(
    (before, after): (&Repository, &Repository),
    targets: &[Target],
    options: &Options,
) -> Vec<String> {
    let notes = [
        runners(before, after, options),
        versions(after, targets),
        names(before, after, targets),
    ];
    notes.concat()
}

/// The lines that give a version which no version directory is at any more, or the series of one beside a name of ours; and those
/// that give the ID of a commit in a directory whose version moves.
fn versions(after: &Repository, targets: &[Target]) -> Vec<String> {
    let config = &after.names.config;
    let own = [&config.image, &config.server].map(|name| name.to_lowercase());
    let is_at = |is_it: &dyn Fn(&Version) -> bool| {
        let mut trees = after.trees.iter();
        trees.any(|tree| is_it(&tree.directory.version))
    };
    let series = |version: &Version| Level::Minor.render(version, "");
    let old: Vec<&Version> = targets.iter().filter_map(|one| one.old.as_ref()).collect();
    let gone = old.iter().filter(|old| !is_at(&|version| version == **old));
    let gone: BTreeSet<String> = gone.map(|old| old.to_string()).collect();
    let left = old.iter().map(|old| series(old));
    let left: BTreeSet<String> = left
        .filter(|old| !is_at(&|version| series(version) == *old))
        .collect();
    // What a new series says of the one that it is copied from.
    let copies = targets.iter().filter(|one| one.is_copy());
    let copies = copies.filter_map(|one| Some((&one.directory, series(one.old.as_ref()?))));
    let copies: BTreeMap<&String, String> = copies.collect();
    let moves = |place: &Place| {
        let mut moving = targets
            .iter()
            .filter(|one| one.old.as_ref() != Some(&one.version));
        let tree = place.tree.map(|tree| &tree.directory.name);
        moving.any(|one| tree == Some(&one.directory) && one.has_release)
    };
    noted(lines(after, targets), |place, line| {
        // `uses: somebody/action@v1.2.3`
        if !is_code(line) || line.contains('@') {
            return None;
        }
        let gives = |old: &&String| places_of(line, old).next().is_some();
        let is_named = || {
            let line = line.to_lowercase();
            own.iter().any(|name| line.contains(name))
        };
        let version = gone.iter().find(gives);
        let version = version.map(|old| (old.as_str(), "the old version: if it is the server's"));
        let of_copy = || {
            let tree = place.tree.map(|tree| &tree.directory.name)?;
            copies.get(tree).filter(|old| gives(old))
        };
        let of_series = || {
            let old = left.iter().find(gives).filter(|_| is_named());
            Some((
                old.or_else(of_copy)?.as_str(),
                "the old series: if it is the server's",
            ))
        };
        let of_commit = || {
            let id = commit(line).filter(|_| moves(place))?;
            Some((id, "a commit: if it is one of the old release"))
        };
        let (found, why) = version.or_else(of_series).or_else(of_commit)?;
        Some(format!("{found}, {why}, change it by hand"))
    })
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
fn names(before: &Repository, after: &Repository, targets: &[Target]) -> Vec<String> {
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
    noted(lines(after, targets), |place, line| {
        if is_excluded(place, line) {
            return None;
        }
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
                is_about(place, line, series).then_some((left, why))
            })
        };
        let whole = left.map(|left| (left, "no variant has any more".to_owned()));
        let (left, why) = whole.or_else(here)?;
        Some(format!(
            "{left}, which {why}: if it is our image's, change it by hand"
        ))
    })
}

/// Whether the name of a variant is in the tag of an image of somebody else: `golang:1.24-alpine3.22`.
fn is_of_other(line: &str, name: &str, own: &[&str]) -> bool {
    let before = &line[..position(line, name).unwrap_or_default()];
    let is_end = |c: char| c.is_whitespace() || "\"'=".contains(c);
    let word = before.rsplit(is_end).next().unwrap_or_default();
    let image = word
        .rsplit_once(':')
        .filter(|(_, tag)| !tag.starts_with("//"));
    let image = image.map_or("", |(image, _)| image);
    let image = image.rsplit('/').next().unwrap_or_default();
    !image.is_empty() && !own.contains(&image) && !image.contains(['$', '}'])
}

/// Whether a line leaves a combination out of a matrix, which is right for what is not there.
fn is_excluded(place: &Place, line: &str) -> bool {
    let (structure, text) = (&place.document.facts.structure, &place.document.text);
    let at = || structure.line_at(span_of(text.as_slice(), line.as_bytes()).start);
    let is_workflow = place.document.kind == DocumentKind::Workflow;
    is_workflow && structure.is_below(text, at(), b"exclude")
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
            let is_variable = structure.is_below(text.as_bytes(), number, b"env");
            is_variable && series.other_in(line).is_none() && series.is_in(text)
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
fn runners(before: &Repository, after: &Repository, options: &Options) -> Vec<String> {
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
    noted(lines, |_, line| {
        let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-';
        // `ubuntu-24.04-arm`
        let label = |word: &str| {
            let mut parts = word.splitn(3, '-');
            Some(format!("{}-{}", parts.next()?, parts.next()?))
        };
        let mut labels = line.split(is_end).filter_map(label);
        let label = labels.find(|label| is_code(line) && old.contains(label))?;
        Some(format!(
            "{label}, which was not changed: if it is a runner, change it by hand"
        ))
    })
}

/// A line, with its file and its number.
type Numbered<'a> = (Place<'a>, usize, &'a str);

/// Notes on lines: what is found in each, and what there is to say of it.
fn noted<'a>(
    lines: impl Iterator<Item = Numbered<'a>>,
    said: impl Fn(&Place<'a>, &'a str) -> Option<String>,
) -> Vec<String> {
    let notes = lines.filter_map(|(place, number, line)| {
        let said = said(&place, line)?;
        Some(format!("{}:{number}: found {said}", place.path()))
    });
    notes.collect()
}

/// The lines of scripts and workflows, and of what is in the directories that change.
fn lines<'a>(after: &'a Repository, targets: &[Target]) -> impl Iterator<Item = Numbered<'a>> {
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
