//! The checks before an update is written, so that nobody's work is lost, and what comes after: writing, commit, next steps.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::super::in_folder;
use crate::git::{Changed, Git};
use crate::plan::Plan;
use crate::plan::steps::steps;
use crate::problems::refuse;
use crate::report::{NextSteps, Output};
use crate::repository::{TEMPLATES, TESTS, WORKFLOWS};
use crate::text::{by_number, first_of, is_within, quoted};
use crate::write::{Step, is_interrupted, look, write};

/// What comes after a commit.
const PUSH: &str = "Then push, and open a pull request.";

/// An update that can be written.
pub(super) struct Ready<'a> {
    root: &'a Path,
    steps: Vec<Step>,
    /// The git repository that it is committed to, with `--commit`.
    committed: Option<Git>,
}

impl<'a> Ready<'a> {
    /// An error where something is in the way, or somebody's work would be lost. With `--commit`, `commit` are the version directories
    /// that have no newer release.
    pub(super) fn new(
        root: &'a Path,
        plan: &Plan,
        commit: Option<&BTreeSet<String>>,
    ) -> Result<Self> {
        let steps = steps(plan);
        look(root, &steps)?;
        keeps_work(root, &steps)?;
        let committed = commit.map(|stays| committable(root, plan, stays));
        let committed = committed.transpose()?;
        Ok(Self {
            root,
            steps,
            committed,
        })
    }

    /// Writes it, commits it by that title where that is asked for, and says what somebody does next in that git repository.
    pub(super) fn carry_out(
        self,
        (plan, title): (&Plan, &str),
        git: Option<&Git>,
        output: &mut Output,
    ) -> Result<()> {
        let (root, steps) = (self.root, self.steps);
        // What is to be removed is looked at again: it may have changed meanwhile. What is rewritten, `write` compares.
        keeps_work(root, &steps)?;
        let is_told = output.is_for_people() && !steps.is_empty();
        // Asked before writing, so that earlier changes can be told apart.
        let before = git.filter(|_| is_told).map(|git| Before::new(root, git));
        write(root, &steps)?;
        let mut result = Ok(());
        if let Some(git) = self.committed.filter(|_| !steps.is_empty()) {
            result = git.commit_paths(&Vec::from_iter(written(plan)), title);
            if result.is_ok() {
                // It is done: that git does not say is no failure any more.
                let next = match git.is_on_branch().unwrap_or(true) {
                    true => PUSH,
                    false => {
                        "It is on no branch: `git switch -c <BRANCH>` gives it one, then push that."
                    }
                };
                output.done(&format!("Committed: {title}"), next);
                return Ok(());
            }
        }
        let next = git.zip(before);
        let next = next.and_then(|(git, before)| next_steps(root, (plan, title), (git, &before)));
        next.iter().for_each(|next| output.next_steps(next));
        result.context("the files were written, but not committed")
    }
}

/// How a git repository was before an update.
struct Before {
    /// The files that had changes.
    changed: Vec<String>,
    /// Whether another update was interrupted there.
    is_interrupted: bool,
}

impl Before {
    fn new(root: &Path, git: &Git) -> Self {
        Self {
            changed: git.changed(&[], false).unwrap_or_default(),
            is_interrupted: is_interrupted(root),
        }
    }
}

/// The paths that a plan writes or removes; a folder that is written as a whole stands for what is in it.
fn written(plan: &Plan) -> BTreeSet<&str> {
    let elsewhere = plan.targets.iter().filter(|target| {
        let source = target.source.as_deref();
        source != Some(&*target.directory)
    });
    let wholes = elsewhere.flat_map(|target| {
        let source = target.source.as_ref().filter(|_| target.moves);
        source.into_iter().chain([&target.directory])
    });
    let wholes: Vec<&String> = wholes.chain(&plan.gone).collect();
    let changed = plan.changes.iter().map(|change| &change.path);
    let paths = changed.chain(&plan.removed).map(|path| {
        let whole = wholes.iter().find(|whole| is_within(path, whole));
        whole.copied().unwrap_or(path).as_str()
    });
    paths.collect()
}

/// Notes about what is to be removed and is not there, each with a pattern of its files: a run that was killed may have removed
/// them already. An error where git has never had them.
pub(super) fn gone(root: &Path, missing: Vec<(String, String)>) -> Result<Vec<String>> {
    let git = (!missing.is_empty())
        .then(|| Git::within(root).ok())
        .flatten();
    let (mut gone, mut unknown) = (Vec::new(), Vec::new());
    for (files, said) in missing {
        let listed = git.as_ref().map(|git| git.listed(&[&files])).transpose()?;
        match listed.is_some_and(|listed| listed.is_empty()) {
            true => unknown.push(said),
            false => gone.push(format!("nothing to remove: {said}")),
        }
    }
    refuse("nothing to remove", unknown, "")?;
    Ok(gone)
}

/// An error where something would be removed with changes in it that git does not have.
fn keeps_work(root: &Path, steps: &[Step]) -> Result<()> {
    let removed = steps.iter().filter_map(|step| match step {
        Step::Remove { now, .. } => Some(now.as_str()),
        _ => None,
    });
    let removed: Vec<&str> = removed.collect();
    let git = (!removed.is_empty())
        .then(|| Git::within(root).ok())
        .flatten();
    let changed = git.map(|git| git.changed(&removed, true)).transpose()?;
    let changed = changed.unwrap_or_default();
    refuse(
        "what would be removed has changes that are not committed",
        changed,
        "Commit them, or put them away with `git stash --include-untracked`, then run the same command again",
    )
}

/// The git repository to commit to. An error where files that are written, or belong to what is written, have changes already: a
/// commit with them would hold what nobody asked for, and one without them would be incomplete.
fn committable(root: &Path, plan: &Plan, stays: &BTreeSet<String>) -> Result<Git> {
    let git = Git::within(root).context("cannot commit")?;
    if let Some(why) = git.cannot_commit()? {
        bail!("cannot commit: {why}");
    }
    let paths = written(plan);
    let ignored = paths.iter().find(|path| git.ignores(path).unwrap_or(false));
    if let Some(path) = ignored {
        bail!("cannot commit: git ignores {path}");
    }
    let mut places = commit_places(plan);
    // An earlier run has written them, perhaps, and could not commit.
    let stays = stays.iter().filter(|_| plan.is_empty());
    places.extend(stays.map(String::as_str));
    let items = plan.before.items();
    let documents = items.filter(|(_, item)| item.document().is_some());
    let documents: BTreeSet<String> = documents.map(|(path, _)| path).collect();
    let mut changed = git.changed(&[], false)?;
    changed.retain(|path| {
        is_below(path, &paths) || documents.contains(path) && is_below(path, &places)
    });
    let advice = match is_interrupted(root) {
        true => {
            "An interrupted update may have written them: run the same command without `--commit`, and look at its next steps"
        }
        false if plan.is_empty() => {
            "There is nothing to write: look at `git diff HEAD`, and commit them"
        }
        false => {
            "Commit them, put them away with `git stash --include-untracked`, or leave `--commit` out"
        }
    };
    let what = "files of this commit have changes that are not committed yet";
    refuse(what, changed, advice)?;
    Ok(git)
}

/// Where the files are that belong to a commit of an update.
fn commit_places(plan: &Plan) -> BTreeSet<&str> {
    let targets = plan.targets.iter().map(|target| target.directory.as_str());
    targets.chain([TESTS, WORKFLOWS, TEMPLATES]).collect()
}

/// Whether a path is one of these, or below one.
fn is_below(path: &str, places: &BTreeSet<&str>) -> bool {
    let slashes = path.match_indices('/').map(|(at, _)| at);
    let mut above = slashes.chain([path.len()]);
    above.any(|end| places.contains(&path[..end]))
}

/// What somebody does with what was written, where git has the repository; `before` are the files that had changes already.
fn next_steps(
    root: &Path,
    (plan, title): (&Plan, &str),
    (git, before): (&Git, &Before),
) -> Option<NextSteps> {
    let shown = written(plan);
    if shown
        .first()
        .is_some_and(|path| git.ignores(path).unwrap_or(false))
    {
        return None;
    }
    // What an interrupted run had written belongs to it, too, and so does what an earlier one had moved.
    let places = commit_places(plan);
    let trees = plan.before.trees.iter().map(|tree| &*tree.directory.name);
    let all: BTreeSet<&str> = places.iter().copied().chain(trees).collect();
    let status = git.status(&[], false).ok()?;
    let is_gone = |one: &Changed| one.code.contains(&b'D') && is_below(&one.path, &places);
    let name_of = |one: &'_ Changed| one.path.rsplit('/').next().map(str::to_owned);
    let gone = status.iter().filter(|one| is_gone(one));
    let gone: BTreeSet<String> = gone.filter_map(name_of).collect();
    // Of a file that was moved by hand, both halves.
    let is_moved = |one: &Changed| {
        let is_new = one.code == *b"??" || one.code[0] == b'A';
        is_new
            && is_below(&one.path, &places)
            && name_of(one).is_some_and(|name| gone.contains(&name))
    };
    let is_own = |one: &Changed| {
        is_below(&one.path, &shown)
            || is_gone(one)
            || is_moved(one)
            || before.is_interrupted && is_below(&one.path, &all)
    };
    let (own, others): (Vec<_>, Vec<_>) = status.iter().partition(|one| is_own(one));
    let others = Vec::from_iter(others.iter().map(|one| one.path.as_str()));
    let tops: BTreeSet<&str> = others
        .iter()
        .filter_map(|path| path.split('/').next())
        .collect();
    // A folder stands for what is in it, where nothing else has changed there.
    let name = |path: &str| {
        let whole = shown.iter().find(|whole| is_within(path, whole));
        let top = path.split_once('/').map(|(top, _)| top);
        let top = top.filter(|top| !tops.contains(top));
        top.or(whole.copied()).unwrap_or(path).to_owned()
    };
    let names = |is: &dyn Fn(&Changed) -> bool| {
        let names = own.iter().filter(|one| is(one));
        let names: BTreeSet<String> = names.map(|one| name(&one.path)).collect();
        let mut names: Vec<String> = names.iter().map(|path| quoted(path)).collect();
        names.sort_by(|a, b| by_number(a, b));
        names.join(" ")
    };
    // What is gone from the index needs no `git add`; what is only there git no longer knows after that.
    let added = names(&|one| one.code != *b"D ");
    let committed = names(&|one| one.code != *b"AD");
    if committed.is_empty() {
        return None;
    }
    let place = in_folder(root);
    let add = Some(format!("git{place} add {added}")).filter(|_| !added.is_empty());
    let commit = format!("git{place} commit -m {} -- {committed}", quoted(title));
    let commands = add.into_iter().chain([commit]).collect();
    let mut remarks = vec![PUSH.to_owned()];
    let own: BTreeSet<&str> = own.iter().map(|one| one.path.as_str()).collect();
    let mixed = before
        .changed
        .iter()
        .filter(|path| own.contains(path.as_str()));
    let mixed = Vec::from_iter(mixed.map(String::as_str));
    if before.is_interrupted {
        remarks.push(
            "An interrupted update has changed files, too: look at `git diff HEAD` first."
                .to_owned(),
        );
    } else if !mixed.is_empty() {
        remarks.push(format!(
            "Changed before this update already, and committed with it: {}.",
            first_of(&mixed, 3)
        ));
    }
    if !others.is_empty() {
        remarks.push(format!(
            "Not committed with it: {}; see `git status`.",
            first_of(&others, 3)
        ));
    }
    Some(NextSteps {
        first: None,
        commands,
        remarks,
    })
}
