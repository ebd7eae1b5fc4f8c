//! What a commit, or a pull request, of an update is called.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use crate::plan::{Plan, Target};
use crate::repository::{Repository, Tree};
use crate::text::{capital, first_of};
use crate::version::{Variant, parse_version};

/// The releases that a plan moves to, the newest one first.
fn released(plan: &Plan) -> Vec<String> {
    versions(plan, |target| target.old.as_ref() != Some(&target.version))
}

fn versions(plan: &Plan, is: impl Fn(&Target) -> bool) -> Vec<String> {
    let released = plan.targets.iter().filter(|target| target.has_release);
    let mut versions: Vec<_> = released
        .filter(|target| is(target))
        .map(|target| &target.version)
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.iter().map(ToString::to_string).collect()
}

/// The versions of a plan's tree that another one does not have, the newest one first.
fn since(head: &Repository, plan: &Plan) -> Vec<String> {
    let is_new = |tree: &&Tree| {
        let there = head.tree(&tree.directory.name);
        there.is_none_or(|there| there.directory.version != tree.directory.version)
    };
    let new = plan.after.trees.iter().filter(is_new);
    let mut versions: Vec<&Version> = new.map(|tree| &tree.directory.version).collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.iter().map(ToString::to_string).collect()
}

/// What a commit of the plan is called. One that is nothing but releases has the form of the last three release commits, where
/// they share one; `subjects` are those of the last commits, the newest one first. Where nothing changes there is none. `head` is the
/// last commit, where an interrupted run has done a part of it.
pub fn title(plan: &Plan, subjects: &[String], head: Option<&Repository>) -> String {
    if plan.is_empty() {
        return String::new();
    }
    let since = head.map(|head| since(head, plan));
    let since = since.filter(|versions| !versions.is_empty());
    let title = match &since {
        Some(versions) => parts(plan, versions, &[]),
        None => said(plan),
    };
    let title = capital(&title);
    let released = since.unwrap_or_else(|| released(plan));
    let forms: Vec<(String, &str)> = subjects.iter().filter_map(|one| form(one)).collect();
    match forms.get(..3) {
        Some([(start, prefix), others @ ..])
            if title == format!("Update to {}", released.join(", "))
                && others
                    .iter()
                    .all(|(other, of)| other == start && of == prefix) =>
        {
            let is_several = released.len() > 1 && start.ends_with("elease");
            let several = if is_several { "s" } else { "" };
            let versions = released.iter().map(|version| format!("{prefix}{version}"));
            let versions: Vec<String> = versions.collect();
            format!("{start}{several} {}", versions.join(", "))
        }
        _ => title,
    }
}

/// The form of a release commit's title: what stands before its versions, and whether each begins with a `v`. `None` for
/// any other title.
fn form(subject: &str) -> Option<(String, &'static str)> {
    // `Releases v2.14.5, v2.12.15 (#114)`, as GitHub merges a pull request.
    let subject = match subject.rsplit_once(" (#") {
        Some((subject, rest)) if rest.ends_with(')') => subject,
        _ => subject,
    };
    let at = subject.find(|c: char| c.is_ascii_digit())?;
    let (start, prefix) = match subject[..at].strip_suffix('v') {
        Some(start) => (start, "v"),
        None => (&subject[..at], ""),
    };
    let is_version =
        |word: &str| parse_version(word.strip_prefix(prefix).unwrap_or(word)).is_some();
    let versions = &subject[start.len()..];
    let words = start.strip_suffix(' ')?;
    // `Release v2.14.5` and `Releases v2.14.5, v2.12.15` are one form.
    let one = words
        .strip_suffix('s')
        .filter(|one| one.ends_with("elease"));
    let words = one.unwrap_or(words);
    let is_release = versions.split(", ").all(is_version);
    is_release.then(|| (words.to_owned(), prefix))
}

/// What a plan does, in a sentence without its beginning.
pub(super) fn said(plan: &Plan) -> String {
    let repaired = versions(plan, |target| target.is_repair() && !plan.is_idle(target));
    let parts = parts(plan, &released(plan), &repaired);
    if !parts.is_empty() {
        return parts;
    }
    // Only what belongs to no version directory changes.
    let changes = plan.changes.iter();
    let files = changes.filter_map(|change| change.path.rsplit('/').next());
    format!("repair {}", first_of(&Vec::from_iter(files), 3))
}

/// What a plan does, with these versions.
fn parts(plan: &Plan, released: &[String], repaired: &[String]) -> String {
    let series = series_removed(plan).map(|name| (name.clone(), BTreeSet::new()));
    let mut removed = named(plan, |target| &target.removes);
    removed.extend(series);
    sentence(&[
        ("update to", released.join(", ")),
        ("repair", repaired.join(", ")),
        ("move", listed(plan, &moves(plan))),
        ("add", listed(plan, &named(plan, |target| &target.adds))),
        ("remove", listed(plan, &removed)),
        ("run on", runners(plan)),
    ])
}

/// What a plan does that is about none of its version directories, likewise.
pub(super) fn said_beside(plan: &Plan) -> String {
    let series: Vec<&str> = series_removed(plan).map(String::as_str).collect();
    sentence(&[("remove", series.join(", ")), ("run on", runners(plan))])
}

fn series_removed(plan: &Plan) -> impl Iterator<Item = &String> {
    plan.gone.iter().filter(|path| !path.contains('/'))
}

fn runners(plan: &Plan) -> String {
    let runner = |(system, version): (&String, &String)| format!("{system}-{version}");
    let runners: Vec<String> = plan.runners.iter().map(runner).collect();
    runners.join(", ")
}

fn sentence(parts: &[(&str, String)]) -> String {
    let said = parts.iter().filter(|(_, what)| !what.is_empty());
    let said = said.map(|(verb, what)| format!("{verb} {what}"));
    said.collect::<Vec<_>>().join(", ")
}

/// What is done to variants, each with the version directories that it is done in.
type Places<'a> = BTreeMap<String, BTreeSet<&'a str>>;

fn named<'a>(plan: &'a Plan, of: impl Fn(&Target) -> &Vec<Variant>) -> Places<'a> {
    let mut places = Places::new();
    for target in &plan.targets {
        for variant in of(target) {
            let named = places.entry(variant.name.clone()).or_default();
            named.insert(&target.directory);
        }
    }
    places
}

/// What becomes one name, from whatever it was: the family moves.
fn moves(plan: &Plan) -> Places<'_> {
    let mut moves: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for target in &plan.targets {
        for (old, new) in &target.renames {
            let (names, places) = moves.entry(new).or_default();
            names.insert(old);
            places.insert(&target.directory);
        }
    }
    let said = |(new, (old, places)): (&str, (BTreeSet<&str>, _))| {
        let said = match Variant::parse(new) {
            Some(new) if old.len() > 1 => format!("{} to {}", new.family, new.base),
            _ => format!("{} to {new}", Vec::from_iter(old).join(", ")),
        };
        (said, places)
    };
    moves.into_iter().map(said).collect()
}

/// Names in a line; behind those of some series alone, which these are.
fn listed(plan: &Plan, all: &Places) -> String {
    let has_series = plan.after.names.config.directory.has_series();
    let some = |places: &BTreeSet<&str>| {
        let is_some = has_series && (1..plan.after.trees.len()).contains(&places.len());
        let places = places.iter().copied().collect::<Vec<_>>().join(", ");
        match is_some {
            true => format!(" in {places}"),
            false => String::new(),
        }
    };
    let all = Vec::from_iter(all);
    let same = all.chunk_by(|(_, one), (_, other)| one == other);
    let same = same.map(|same| {
        let names: Vec<&str> = same.iter().map(|(what, _)| what.as_str()).collect();
        names.join(", ") + &some(same[0].1)
    });
    same.collect::<Vec<_>>().join(", ")
}
