//! The summaries of an update of a library file, and of a check of one.

use serde_json::json;

use super::diff::FileDiff;
use super::summary::{Group, Headline, Row, Summary};
use crate::cli::LibraryArgs;
use crate::finding::Finding;
use crate::library::{Change, Plan};
use crate::text::count;

/// What a library file is called, and what it is for.
pub struct About<'a> {
    /// Its path, as it was given.
    pub path: &'a str,
    /// Its path in its own repository.
    pub shown: &'a str,
    /// The image.
    pub image: &'a str,
    /// What a commit of the update is called.
    pub title: &'a str,
    /// The commit that official images are built from.
    pub commit: &'a str,
}

/// What an update of a library file did, or would do; `before` is its text.
pub fn of_library(
    about: &About,
    before: &str,
    plan: &Plan,
    remaining: Vec<Finding>,
    args: &LibraryArgs,
) -> Summary {
    let (shown, commit) = (about.shown, about.commit);
    let is_same = before == plan.text;
    let versions = plan.newest_first();
    let subject = match versions.as_str() {
        _ if is_same => format!("{shown} is up to date: nothing to change"),
        "" => format!("{shown} → commit {}", commit.get(..12).unwrap_or(commit)),
        versions => format!("{shown} → {versions}"),
    };
    let fixes = plan.changes.iter().filter(|change| change.is_fix);
    let fixed = fixes.clone().map(|change| {
        let Change { entry, field, .. } = change;
        match (change.found.as_str(), change.expected.as_str()) {
            ("", new) => format!("{entry}: {field}: {new} added"),
            (old, "") => format!("{entry}: {field}: {old} removed"),
            (old, new) => format!("{entry}: {field}: {old} → {new}"),
        }
    });
    let fixed: Vec<String> = fixed.collect();
    let lists = [
        ("Also fixed, since it was wrong before", &fixed, ""),
        ("Added", &plan.added, ""),
        (
            "Removed, since the tree no longer has them",
            &plan.removed,
            "",
        ),
        (
            "In the tree, and not offered",
            &plan.not_offered,
            "Offer one with `--add <DIRECTORY>`",
        ),
    ];
    let file = || FileDiff {
        from: Some((shown.to_owned(), false)),
        path: shown.to_owned(),
        texts: Some((before.into(), plan.text.as_str().into())),
        is_executable: false,
        is_removed: false,
    };
    Summary {
        headlines: vec![Headline::new(&subject, "")],
        groups: plan.changes.chunk_by(is_of_one).filter_map(group).collect(),
        groups_are: "entry",
        counts: Vec::from_iter((!is_same).then(|| counts(plan))),
        lists: lists
            .map(|(title, items, advice)| (title, items.clone(), advice))
            .into(),
        diff: Vec::from_iter((args.diff && !is_same).then(file)),
        findings_title: "Remaining findings of `update library --check`",
        is_dry_run: args.dry_run && !is_same,
        json: json!({
            "dry_run": args.dry_run,
            "path": about.path,
            "image": about.image,
            "title": about.title,
            "commit": commit,
            "changes": plan.changes,
            "fixes": fixes.collect::<Vec<_>>(),
            "added": plan.added,
            "removed": plan.removed,
            "not_offered": plan.not_offered,
            "findings": remaining,
        }),
        findings: remaining,
        ..Summary::default()
    }
}

/// Whether two changes are of one entry.
fn is_of_one(a: &Change, b: &Change) -> bool {
    a.entry == b.entry
}

/// What changes in an entry, but for what was wrong before.
fn group(changes: &[Change]) -> Option<Group> {
    let row = |change: &Change| {
        let note = match (change.found.is_empty(), change.expected.is_empty()) {
            (true, _) => "new",
            (_, true) => "removed",
            _ => "",
        };
        Row {
            label: change.field.clone(),
            found: change.found.clone(),
            expected: change.expected.clone(),
            note: note.to_owned(),
        }
    };
    let entry = changes.first().map(|change| change.entry.as_str());
    let entry = entry.filter(|entry| !entry.is_empty());
    let told = changes.iter().filter(|change| !change.is_fix);
    let rows: Vec<Row> = told.map(row).collect();
    (!rows.is_empty()).then(|| Group {
        title: entry.unwrap_or("all entries").to_owned(),
        part: None,
        note: String::new(),
        rows,
    })
}

fn counts(plan: &Plan) -> String {
    let entries = plan.changes.chunk_by(is_of_one);
    let entries = Vec::from_iter(entries.map(|changes| &changes[0].entry));
    let is_old = |entry: &&&String| !entry.is_empty() && !plan.added.contains(entry);
    let changed = entries.iter().filter(is_old).count();
    let parts = [
        (changed, "rewritten"),
        (plan.added.len(), "added"),
        (plan.removed.len(), "removed"),
    ];
    let has_global = entries.iter().any(|entry| entry.is_empty());
    let say = |(number, what): &(usize, &str)| {
        let entries = (*number > 0).then(|| count(*number, "entry"));
        let first = (has_global && *what == "rewritten").then(|| "the first paragraph".to_owned());
        let both: Vec<String> = first.into_iter().chain(entries).collect();
        (!both.is_empty()).then(|| format!("{} {what}", both.join(" and ")))
    };
    parts.iter().filter_map(say).collect::<Vec<_>>().join(", ")
}
