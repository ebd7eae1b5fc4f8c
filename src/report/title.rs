//! What a commit, or a pull request, of an update is called.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{Plan, Target};
use crate::text::{capital, first_of};
use crate::version::{Variant, parse_version};

/// The releases that a plan moves to, the newest one first.
fn released(plan: &Plan) -> Vec<String> {
    versions(plan, |target| !target.is_repair() || plan.is_empty())
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

/// What a commit of the plan is called. One that is nothing but releases has the form of the last three release commits, where
/// they share one; `subjects` are those of the last commits, the newest one first.
pub fn title(plan: &Plan, subjects: &[String]) -> String {
    let title = capital(&said(plan));
    let released = released(plan);
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
    let (released, repaired) = (
        released(plan),
        versions(plan, |target| target.is_repair() && !plan.is_idle(target)),
    );
    let targets = || plan.targets.iter();
    // What becomes one name, from whatever it was: the family moves.
    let mut moves: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (old, new) in targets().flat_map(|target| &target.renames) {
        moves.entry(new).or_default().insert(old);
    }
    let moved = |(new, old): (&&str, &BTreeSet<&str>)| match Variant::parse(new) {
        Some(new) if old.len() > 1 => format!("{} to {}", new.family, new.base),
        _ => format!(
            "{} to {new}",
            Vec::from_iter(old.iter().copied()).join(", ")
        ),
    };
    let moves: Vec<String> = moves.iter().map(moved).collect();
    let added = targets().flat_map(|target| &target.adds);
    let added: BTreeSet<&str> = added.map(|variant| variant.name.as_str()).collect();
    let is_series = |path: &&String| !path.contains('/');
    let removes = targets().flat_map(|target| &target.removes);
    let removes = removes.map(ToString::to_string);
    let series = plan.gone.iter().filter(is_series).cloned();
    let removed: BTreeSet<String> = removes.chain(series).collect();
    let removed = Vec::from_iter(removed);
    let runner = |(system, version): (&String, &String)| format!("{system}-{version}");
    let runners: Vec<String> = plan.runners.iter().map(runner).collect();
    let parts = [
        ("update to", released.join(", ")),
        ("repair", repaired.join(", ")),
        ("move", moves.join(", ")),
        ("add", Vec::from_iter(added).join(", ")),
        ("remove", removed.join(", ")),
        ("run on", runners.join(", ")),
    ];
    let said = parts.iter().filter(|(_, what)| !what.is_empty());
    let said = said.map(|(verb, what)| format!("{verb} {what}"));
    let mut said = said.collect::<Vec<_>>().join(", ");
    if said.is_empty() {
        // Only what belongs to no version directory changes.
        let files = plan
            .changes
            .iter()
            .filter_map(|change| change.path.rsplit('/').next());
        return format!("repair {}", first_of(&Vec::from_iter(files), 3));
    }
    // A change of some series alone says of which.
    let here: Vec<&str> = targets().map(|target| target.directory.as_str()).collect();
    let has_series = plan.after.names.config.directory.has_series();
    if released.is_empty()
        && repaired.is_empty()
        && has_series
        && (1..plan.after.trees.len()).contains(&here.len())
    {
        said += &format!(" in {}", here.join(", "));
    }
    said
}
