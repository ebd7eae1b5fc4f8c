//! The checks before an update is written, so that nobody's work is lost, and what comes after: writing, commit, next steps.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::super::in_folder;
use crate::git::Git;
use crate::plan::Plan;
use crate::plan::steps::steps;
use crate::problems::refuse;
use crate::report::{NextSteps, Output, released, title};
use crate::repository::{TEMPLATES, TESTS, WORKFLOWS};
use crate::text::{by_number, is_within, quoted};
use crate::version::parse_version;
use crate::write::{Step, look, write};

/// An update that can be written.
pub(super) struct Ready<'a> {
    root: &'a Path,
    steps: Vec<Step>,
    /// The git repository that it is committed to, with `--commit`.
    committed: Option<Git>,
}

impl<'a> Ready<'a> {
    /// An error where something is in the way, or somebody's work would be lost.
    pub(super) fn new(root: &'a Path, plan: &Plan, commit: bool) -> Result<Self> {
        let steps = steps(plan);
        look(root, &steps)?;
        keeps_work(root, &steps)?;
        let committed = commit.then(|| committable(root, plan)).transpose()?;
        Ok(Self {
            root,
            steps,
            committed,
        })
    }

    /// Writes it, commits it where that is asked for, and says what somebody does next.
    pub(super) fn carry_out(self, plan: &Plan, output: &mut Output) -> Result<()> {
        let (root, steps) = (self.root, self.steps);
        // What is to be removed is looked at again: it may have changed meanwhile. What is rewritten, `write` compares.
        keeps_work(root, &steps)?;
        // Asked before writing, so that earlier changes can be told apart.
        let next = match output.is_for_people() && !steps.is_empty() {
            true => next_steps(root, plan),
            false => None,
        };
        write(root, &steps)?;
        let mut result = Ok(());
        if let Some(git) = self.committed.filter(|_| !steps.is_empty()) {
            let (paths, message) = (Vec::from_iter(written(plan)), message(&git, plan)?);
            result = git.commit_paths(&paths, &message);
            if result.is_ok() {
                output.done(&format!("Committed: {message}"));
                return Ok(());
            }
        }
        next.iter().for_each(|next| output.next_steps(next));
        result.context("the files were written, but not committed")
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
fn committable(root: &Path, plan: &Plan) -> Result<Git> {
    let git = Git::within(root).context("cannot commit")?;
    if let Some(why) = git.cannot_commit()? {
        bail!("cannot commit: {why}");
    }
    let paths: Vec<&str> = written(plan).into_iter().collect();
    let ignored = paths.iter().find(|path| git.ignores(path).unwrap_or(false));
    if let Some(path) = ignored {
        bail!("cannot commit: git ignores {path}");
    }
    let targets = plan.targets.iter().map(|target| target.directory.as_str());
    let places: BTreeSet<&str> = targets.chain([TESTS, WORKFLOWS, TEMPLATES]).collect();
    let items = plan.before.items();
    let documents = items.filter(|(_, item)| item.document().is_some());
    let documents: BTreeSet<String> = documents.map(|(path, _)| path).collect();
    let paths: BTreeSet<&str> = paths.into_iter().collect();
    let mut changed = git.changed(&[], false)?;
    changed.retain(|path| {
        is_below(path, &paths) || documents.contains(path) && is_below(path, &places)
    });
    refuse(
        "files of this commit have changes that are not committed yet",
        changed,
        "Commit them, put them away with `git stash --include-untracked`, or leave `--commit` out",
    )?;
    Ok(git)
}

/// Whether a path is one of these, or below one.
fn is_below(path: &str, places: &BTreeSet<&str>) -> bool {
    let slashes = path.match_indices('/').map(|(at, _)| at);
    let mut above = slashes.chain([path.len()]);
    above.any(|end| places.contains(&path[..end]))
}

/// The title of the commit, in the form of the last three release commits, where they share one.
fn message(git: &Git, plan: &Plan) -> Result<String> {
    let released = released(plan);
    let subjects = git.subjects()?;
    let forms: Vec<(String, &str)> = subjects.iter().filter_map(|one| form(one)).collect();
    let is_plain = plan.targets.iter().all(|target| {
        target.renames.is_empty() && target.adds.is_empty() && target.removes.is_empty()
    });
    Ok(match forms.get(..3) {
        Some([first, others @ ..])
            if is_plain && !released.is_empty() && others.iter().all(|other| other == first) =>
        {
            let (start, prefix) = first;
            let is_several = released.len() > 1 && start.ends_with("elease");
            let several = if is_several { "s" } else { "" };
            let versions = released.iter().map(|version| format!("{prefix}{version}"));
            let versions: Vec<String> = versions.collect();
            format!("{start}{several} {}", versions.join(", "))
        }
        _ => title(plan),
    })
}

/// The form of a release commit's title: what stands before its versions, and whether each begins with a `v`. `None` for
/// any other title.
fn form(subject: &str) -> Option<(String, &'static str)> {
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

/// What somebody does with what will be written, where git has the repository.
fn next_steps(root: &Path, plan: &Plan) -> Option<NextSteps> {
    let git = Git::within(root).ok()?;
    let shown = written(plan);
    if shown
        .first()
        .is_some_and(|path| git.ignores(path).unwrap_or(false))
    {
        return None;
    }
    let changed = git.changed(&[], false).unwrap_or_default();
    let others = changed.iter().filter(|path| !is_below(path, &shown));
    let others: BTreeSet<&str> = others.filter_map(|path| path.split('/').next()).collect();
    // A folder stands for what is in it, where nothing else has changed there.
    let folder = |path: &'_ str| match path.split_once('/') {
        Some((top, _)) if !others.contains(top) => top.to_owned(),
        _ => path.to_owned(),
    };
    // What is removed and was never committed is unknown to git.
    let known = git.listed(&Vec::from_iter(shown.iter().copied())).ok()?;
    let known = known
        .into_iter()
        .chain(plan.after.items().map(|(path, _)| path));
    let known: BTreeSet<String> = known.collect();
    let is_known = |path: &&str| {
        let first = known.range(format!("{path}/")..).next();
        known.contains(*path) || first.is_some_and(|first| is_within(first, path))
    };
    let shown = shown.into_iter().filter(is_known);
    let shown: BTreeSet<String> = shown.map(folder).collect();
    let place = in_folder(root);
    let mut names: Vec<String> = shown.iter().map(|path| quoted(path)).collect();
    names.sort_by(|a, b| by_number(a, b));
    let names = names.join(" ");
    let message = message(&git, plan).unwrap_or_else(|_| title(plan));
    let commands = vec![
        format!("git{place} add {names}"),
        format!("git{place} commit -m {} -- {names}", quoted(&message)),
    ];
    let mut remarks = vec!["Then push, and open a pull request.".to_owned()];
    if !changed.is_empty() {
        remarks
            .push("There are other changes that are not committed: see `git status`.".to_owned());
    }
    Some(NextSteps { commands, remarks })
}
