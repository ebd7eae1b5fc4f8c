//! Plans an update: from a tree, releases and options to the tree that must be, all of it in memory.
//!
//! Pure: fetching is `release`'s business, showing `report`'s, writing `apply`'s.

mod draft;
mod scripts;
mod stated;
mod targets;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use self::draft::Draft;
pub use self::targets::{Base, Options, Target, targets};
use crate::check::pins::Pin;
use crate::check::{Finding, Report, check};
use crate::fields::{Kind, said};
use crate::rules::{Model, Places};
use crate::sums::{Sha256, Sums};
use crate::tree::{File, Files, Role};
use crate::version::Variant;

/// A file that an update writes, moves or copies.
#[derive(Debug, Clone)]
pub struct Change {
    /// Where it was, if it was.
    pub from: Option<String>,
    /// Where it will be.
    pub path: String,
    /// What it was.
    pub before: Option<File>,
    /// What it will be.
    pub after: File,
    /// Which fields change.
    pub fields: Vec<FieldChange>,
    /// The template, or the sibling, that it is written from, where more than fields changes.
    pub template: Option<String>,
}

/// A field that says something else after an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// What the field is called: `version`, `sha256 arm64`.
    pub label: String,
    /// The line in which it will stand.
    pub line: usize,
    /// What it said; empty where it is new.
    pub found: String,
    /// What it will say.
    pub expected: String,
}

/// What an update will do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The version directories that it writes.
    pub targets: Vec<Target>,
    /// The files that it writes, moves or copies, by their new paths; those that stay as they are are left out.
    pub changes: Vec<Change>,
    /// The files that are gone afterwards.
    pub removed: Vec<String>,
    /// What `check` will find in what the update does not write.
    pub remaining: Vec<Finding>,
    /// The hashes that the targets pin.
    pub pins: Vec<Pin>,
    /// The variants that it adds.
    pub adds: Vec<Variant>,
    /// The hosts that it moves workflows to: operating system → the version in its label.
    pub hosts: BTreeMap<String, String>,
}

/// Plans the update of `model`'s tree to the targets; `sums` holds what each target's release publishes, in their order.
///
/// Every archive that is missing, every hash that would change without leave, and every field for which nothing is right
/// is reported, all of one kind together.
pub fn plan(model: &Model, targets: Vec<Target>, sums: &[Sums], options: &Options) -> Result<Plan> {
    let all = |ask: &dyn Fn(&Target, &Sums) -> Vec<String>| -> Vec<String> {
        targets
            .iter()
            .zip(sums)
            .filter(|(target, _)| target.has_release)
            .flat_map(|(target, sums)| ask(target, sums))
            .collect()
    };
    if !options.repin {
        refuse(
            "the release's hashes are not those that the tree pins for the same version",
            &all(&|target, sums| repinned(model, target, sums)),
            "A hash was edited by hand, or the release was uploaded again. Find out which; `--repin` accepts the release's",
        )?;
    }
    let draft = Draft::new(model, &targets, options)?;
    if !options.allow_missing {
        refuse(
            "the release lacks archives that the Dockerfiles pin",
            &all(&|target, sums| draft.missing(target, sums)),
            "Wait until it is complete, or let `--allow-missing` pin zeros, with which their builds fail",
        )?;
    }
    refuse(
        "the release's SHA256SUMS cannot be right",
        &all(&|target, sums| draft.doubtful(target, sums)),
        "Ask those who published it; nothing was written",
    )?;
    let after = draft.model.next(draft.written(&targets, sums, options))?;
    let is_target = |path: &str| {
        after
            .tree
            .directory_of(path)
            .is_some_and(|name| targets.iter().any(|target| target.directory == name))
    };
    // Answered for is what the update writes: its directories, and the scripts that all of them share.
    let is_shared = |path: &str| {
        after.tree.role(path) == Some(Role::Script) && after.tree.directory_of(path).is_none()
    };
    let is_allowed = |finding: &Finding| {
        let is_zeros = finding
            .found
            .parse()
            .is_ok_and(|hash: Sha256| hash == Sha256::ZERO);
        ["folder", "order", "script"].contains(&finding.rule) || is_zeros && options.allow_missing
    };
    let Report {
        findings, mut pins, ..
    } = check(&after)?;
    let (fatal, remaining): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| {
            (is_target(&finding.path) || is_shared(&finding.path)) && !is_allowed(finding)
        });
    let shown = |finding: &Finding| {
        format!(
            "{}:{}: {}: {}",
            draft.place(&finding.path),
            finding.line,
            finding.rule,
            finding.message
        )
    };
    refuse(
        "what an update cannot put right by itself",
        &fatal.iter().map(shown).collect::<Vec<_>>(),
        "Mend it by hand, then run this again",
    )?;
    pins.retain(|pin| is_target(&pin.path));
    Ok(Plan {
        changes: draft.changes(model, &after),
        removed: draft.removed(model),
        remaining,
        pins,
        adds: options.adds.clone(),
        hosts: options.hosts.clone(),
        targets,
    })
}

/// An error that names all problems of one kind, where there are any.
fn refuse(what: &str, problems: &[String], advice: &str) -> Result<()> {
    ensure!(
        problems.is_empty(),
        "{what}:\n  {}\n{advice}",
        problems.join("\n  ")
    );
    Ok(())
}

/// The pins of a target's version that its release contradicts. A pin of a file that gives another version is an old one.
fn repinned(model: &Model, target: &Target, sums: &Sums) -> Vec<String> {
    let mut problems = Vec::new();
    if target.old.as_ref() != Some(&target.version) {
        return problems;
    }
    for (path, file) in model.tree.dockerfiles(&target.directory) {
        let fields = model.scanner.scan(file.text(), Role::Dockerfile);
        let version = target.version.to_string();
        let is_key = |kind: &Kind| *kind == Kind::Version { key: true };
        if fields
            .iter()
            .any(|field| is_key(&field.kind) && said(file.text(), &field.span) != version)
        {
            continue;
        }
        for field in fields.iter().filter(|field| !field.in_comment) {
            let Kind::Hash(Some(platform)) = &field.kind else {
                continue;
            };
            let archive = model.tree.config.archive(&target.version, platform);
            let Ok(found) = said(file.text(), &field.span).parse::<Sha256>() else {
                continue;
            };
            if let Some(published) = sums.get(&archive)
                && found != published
                && found != Sha256::ZERO
            {
                let (line, _) = Places::new(file.text()).of(field.span.start);
                problems.push(format!(
                    "{path}:{line}: {archive}: pinned {found}, published {published}"
                ));
            }
        }
    }
    problems
}

/// The links and bytes of a tree after a plan, for tests and for a dry run: old files with the changes made.
pub fn applied(files: &Files, plan: &Plan) -> Files {
    let mut files = files.clone();
    plan.removed
        .iter()
        .for_each(|path| drop(files.remove(path)));
    files.extend(
        plan.changes
            .iter()
            .map(|change| (change.path.clone(), change.after.clone())),
    );
    files
}
