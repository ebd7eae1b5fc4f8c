//! The summaries of an update and of a check.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde_json::{Value, json};

use super::diff::FileDiff;
use super::markdown::code;
use super::summary::{Group, Headline, Row, Summary};
use super::title::{said, said_beside};
use crate::check::pins::Pin;
use crate::check::{Report, versions};
use crate::finding::Finding;
use crate::plan::{Action, Edit, FileChange, Plan, Target};
use crate::release::checksums::Sha256;
use crate::repository::{Directories, Directory, Item, Names};
use crate::text::{by_number, count, first_of};

/// What `update check` says.
pub fn of_check(
    names: &Names,
    directories: &Directories,
    report: Report,
    details: Vec<String>,
) -> Summary {
    let counts = report.counts;
    let looked_at = [
        count(counts.variants, "variant"),
        count(counts.files, "file"),
        count(counts.fields, "field"),
    ];
    let subject = format!("{} {}", names.config.image, versions(directories));
    let (findings, looked_at) = (report.findings, looked_at.join(", "));
    let mut summary = of_findings("update check", &subject, looked_at, findings, details);
    let at = |one: &Directory| json!({ "directory": one.name, "version": one.version });
    let directories: Vec<Value> = directories.iter().map(at).collect();
    summary.json["image"] = names.config.image.clone().into();
    summary.json["server"] = names.config.server.clone().into();
    summary.json["directories"] = directories.into();
    summary
}

/// What a check of anything says.
pub fn of_findings(
    command: &str,
    subject: &str,
    looked_at: String,
    findings: Vec<Finding>,
    details: Vec<String>,
) -> Summary {
    Summary {
        headlines: vec![Headline::new(subject, command)],
        is_verdict: true,
        json: json!({ "findings": findings, "details": details }),
        looked_at,
        findings,
        details,
        ..Summary::default()
    }
}

/// What an update did, or would do; `title` is what a commit of it is called, `vouched` is who vouched for the release, in
/// sentences.
pub fn of_update(
    (plan, title): (&Plan, &str),
    (is_dry_run, diff): (bool, bool),
    vouched: Vec<String>,
) -> Summary {
    let nothing = plan.is_empty();
    let json = super::json::of(plan, title, is_dry_run, &vouched);
    let image = &plan.after.names.config.image;
    let is_series = plan.after.names.config.directory.has_series();
    let headline =
        |target: &Target| headline((image, is_series), target, nothing || plan.is_idle(target));
    let mut headlines: Vec<Headline> = plan.targets.iter().map(headline).collect();
    let rest = match (plan.targets.is_empty(), nothing) {
        (true, true) => "nothing to change".to_owned(),
        (true, false) => said(plan),
        (false, _) => said_beside(plan),
    };
    if !rest.is_empty() {
        headlines.push(Headline::new(image, &format!(": {rest}")));
    }
    let fixes = plan.fixes().map(|(path, edit)| {
        let Edit { line, label, .. } = edit;
        format!("{path}:{line}: {label}: {} → {}", edit.found, edit.expected)
    });
    let lists = vec![
        ("Also fixed, since it was wrong before", fixes.collect(), ""),
        ("Notes", plan.notes.clone(), ""),
    ];
    let changed = plan.changes.iter().filter_map(|change| group(plan, change));
    let gone = plan.gone.iter().map(|path| gone(plan, path));
    let counts = (!nothing).then(|| counts(plan));
    Summary {
        title: title.to_owned(),
        headlines,
        groups: changed.chain(gone).collect(),
        groups_are: "file",
        counts: counts.into_iter().chain(vouched).collect(),
        lists,
        diff: match diff {
            true => diffs(plan),
            false => Vec::new(),
        },
        findings: plan.remaining.clone(),
        findings_title: "Remaining findings of `update check`",
        nothing_found: "`update check` finds nothing in the result.",
        details: details(plan),
        is_dry_run: is_dry_run && !nothing,
        json,
        ..Summary::default()
    }
}

/// The diff of every file that changes, and of the documents that go. Other files are not printed.
fn diffs(plan: &Plan) -> Vec<FileDiff> {
    let changes = plan.changes.iter();
    let moved: BTreeSet<&String> = changes.filter_map(|change| change.from.as_ref()).collect();
    let removed = plan.removed.iter().filter(|path| !moved.contains(path));
    let removed: BTreeSet<&String> = removed.collect();
    let items = plan.before.items();
    let gone = items.filter(|(path, _)| removed.contains(path));
    let gone = gone.filter_map(|(path, item): (String, &Item)| {
        let document = item.document()?;
        Some(FileDiff {
            from: Some((path.clone(), false)),
            path,
            texts: Some((document.text.clone(), Vec::new())),
            is_executable: document.mode & 0o111 != 0,
            is_removed: true,
        })
    });
    plan.changes.iter().map(file_diff).chain(gone).collect()
}

fn file_diff(change: &FileChange) -> FileDiff {
    let is_copy = change.action == Action::Copied;
    let after = change.after.as_ref();
    // What is new and the same as its template or sibling is a copy of that.
    let source = change.template.clone().filter(|_| after.is_none());
    let from = change.from.clone().map(|from| (from, is_copy));
    let before = change.before.clone().unwrap_or_default();
    FileDiff {
        from: from.or(source.map(|source| (source, true))),
        path: change.path.clone(),
        is_removed: false,
        texts: after.map(|after| (before, after.bytes.clone())),
        is_executable: after.is_some_and(|after| after.mode & 0o111 != 0),
    }
}

/// From which version to which.
fn headline((image, is_series): (&str, bool), target: &Target, is_idle: bool) -> Headline {
    let (version, directory) = (&target.version, &target.directory);
    let only = |rest: String| Headline::new(&format!("{image} {version}{rest}"), "");
    let moved = |old: Option<&Version>, rest: &str| Headline {
        old: old.map(ToString::to_string),
        new: Some(version.to_string()),
        ..Headline::new(image, rest)
    };
    match &target.old {
        _ if is_idle => only(format!(" in {directory}/: nothing to change")),
        Some(_) if target.is_copy() && is_series => {
            let source = target.source.as_deref().unwrap_or_default();
            moved(None, &format!(", new in {directory}/, from {source}/"))
        }
        Some(old) if old != version => moved(Some(old), ""),
        Some(_) if target.is_repair() => only(format!(", repaired in {directory}/")),
        Some(_) => only(format!(" in {directory}/")),
        None => moved(None, &format!(", new in {directory}/")),
    }
}

/// `{0.25.5 → 0.25.6}/alpine3.18/Dockerfile` for a file that comes from another version directory.
fn shown_path(change: &FileChange) -> String {
    match &change.from {
        Some(from) if *from != change.path => {
            match (from.split_once('/'), change.path.split_once('/')) {
                (Some((old, rest)), Some((new, same))) if rest == same => {
                    format!("{{{old} → {new}}}/{rest}")
                }
                _ => format!("{from} → {}", change.path),
            }
        }
        _ => change.path.clone(),
    }
}

/// What happens to a file; nothing where all of that is told elsewhere.
fn group(plan: &Plan, change: &FileChange) -> Option<Group> {
    let note = match (change.action, &change.template) {
        (Action::Created, Some(template)) => format!("new, from {template}"),
        (Action::Created, None) => "new".to_owned(),
        (_, Some(template)) => format!("text from {template}"),
        (_, None) if change.after.is_none() => "unchanged".to_owned(),
        _ => String::new(),
    };
    let told = change.edits.iter().filter(|edit| !edit.is_fix);
    let row = |edit: &Edit| Row {
        label: edit.label.clone(),
        found: edit.found.clone(),
        expected: edit.expected.clone(),
        note: note_of(edit).to_owned(),
    };
    let rows: Vec<Row> = told.map(row).collect();
    let is_told = change.action == Action::Rewritten && note.is_empty() && rows.is_empty();
    (!is_told).then(|| Group {
        title: shown_path(change),
        part: plan.after.part_of(&change.path),
        note,
        rows,
    })
}

/// What else there is to say of an edit: whether it adds something or takes something away.
fn note_of(edit: &Edit) -> &'static str {
    match (edit.found.is_empty(), edit.expected.is_empty()) {
        (true, _) => "added",
        (_, true) => "removed",
        _ if edit.goes_down() => "(down)",
        _ => "",
    }
}

/// A file or a folder that is removed.
fn gone(plan: &Plan, path: &str) -> Group {
    Group {
        title: path.to_owned(),
        part: plan.after.part_of(path),
        note: "removed".to_owned(),
        rows: Vec::new(),
    }
}

fn counts(plan: &Plan) -> String {
    let changes = &plan.changes;
    let mut actions: BTreeMap<Action, usize> = BTreeMap::new();
    for change in changes {
        *actions.entry(change.action).or_default() += 1;
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let edits = changes.iter().flat_map(|change| &change.edits);
    for edit in edits.filter(|edit| !edit.is_fix) {
        let kind = edit.label.split(' ').next().unwrap_or_default();
        *kinds
            .entry(if kind == "sha256" { "hash" } else { kind })
            .or_default() += 1;
    }
    let removed = (!plan.gone.is_empty()).then(|| format!("{} removed", first_of(&plan.gone, 3)));
    let said = |(action, number): (&Action, &usize)| {
        format!("{} {action:?}", count(*number, "file")).to_lowercase()
    };
    let files: Vec<String> = actions.iter().map(said).chain(removed).collect();
    let fields = kinds.iter().map(|(kind, number)| count(*number, kind));
    let fields: Vec<String> = fields.collect();
    let total: usize = kinds.values().sum();
    let changed = (total > 0).then(|| {
        let total = count(total, "field");
        format!("; {total} changed: {}", fields.join(", "))
    });
    let fixed = plan.fixes().count();
    let fixed = (fixed > 0).then(|| format!("; {} also fixed", count(fixed, "field")));
    let parts = [Some(files.join(", ")), changed, fixed];
    parts.into_iter().flatten().collect()
}

/// Where to read about the releases, and the hashes in full, for the body of a pull request.
fn details(plan: &Plan) -> Vec<String> {
    let pin = |pin: &'_ Pin| (pin.archive.name.clone(), pin.hash.to_string());
    // What the release lacks is said in a note.
    let pins = plan.pins.iter().filter(|pin| pin.hash != Sha256::ZERO);
    let hashes: BTreeMap<String, String> = pins.map(pin).collect();
    let mut hashes = Vec::from_iter(hashes);
    hashes.sort_by(|a, b| by_number(&a.0, &b.0));
    let project = plan.after.names.config.project();
    let link = |target: &Target| {
        let new = &target.version;
        let notes = format!("[notes of {new}]({project}/releases/tag/v{new})");
        match target.old.as_ref().filter(|old| *old != new) {
            Some(old) => {
                format!("- {notes}, [changes since {old}]({project}/compare/v{old}...v{new})")
            }
            None => format!("- {notes}"),
        }
    };
    let released = plan.targets.iter().filter(|target| target.has_release);
    let mut lines: Vec<String> = released.map(link).collect();
    if hashes.is_empty() {
        return lines;
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push("Pinned archives:\n\n| archive | SHA-256 |\n| --- | --- |".to_owned());
    let rows = hashes.iter();
    let rows = rows.map(|(archive, hash)| format!("| {} | {} |", code(archive), code(hash)));
    lines.extend(rows);
    lines
}
