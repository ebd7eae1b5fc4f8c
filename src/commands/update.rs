//! The main job: a repository is moved to a release.

use std::path::Path;

use anyhow::{Result, ensure};

use super::{all, published, source, verify, vouched};
use crate::check::check;
use crate::cli::{Common, UpdateArgs};
use crate::git::Git;
use crate::plan::steps::steps;
use crate::plan::{Plan, pinned, plan, targets};
use crate::report::{Output, of_update, title};
use crate::repository::Repository;
use crate::text::quoted;
use crate::write::{look, write};

/// Moves the repository. Whether something changes that is to be told by the exit code.
pub(super) fn run(args: &UpdateArgs, common: &Common) -> Result<bool> {
    let mut output = Output::new(common);
    let root = &common.root;
    let repository = Repository::read(root)?;
    let options = args.options()?;
    // Without a version and nothing to verify no release is asked for, wherever releases are.
    let is_asked = !args.versions.is_empty() || args.verify;
    let source = is_asked
        .then(|| source(&args.from, &repository.names.config))
        .transpose()?;
    let versions = match &source {
        Some(source) => all(args.versions.iter().map(|wanted| source.resolve(wanted)))?,
        None => Vec::new(),
    };
    let targets = targets(&repository, &versions, &options)?;
    let released = targets
        .iter()
        .filter(|target| target.has_release)
        .map(|target| &target.version);
    let published = match &source {
        Some(source) => published(source, released, &mut output)?,
        None => Default::default(),
    };
    let vouched = match &source {
        Some(source) => vouched(source, &published, args.verify, &output)?,
        None => None,
    };
    let is_known = targets.iter().all(|target| target.has_release);
    let pins = if is_known {
        Vec::new()
    } else {
        check(&repository).pins
    };
    let checksums = targets.iter().map(|target| {
        match published
            .get(&target.version)
            .filter(|_| target.has_release)
        {
            Some(checksums) => checksums.clone(),
            None => pinned(&pins, target),
        }
    });
    let checksums: Vec<_> = checksums.collect();
    let plan = plan(repository, targets, &checksums, &options)?;
    let steps = steps(&plan);
    look(root, &steps)?;
    if let Some(source) = source.filter(|_| args.verify) {
        let (wrong, problems) = verify(&source, &plan.pins, &output);
        let wrong = wrong.into_iter().map(|finding| finding.message);
        let lines: Vec<String> = wrong
            .chain(problems.iter().map(|problem| format!("{problem:#}")))
            .collect();
        ensure!(
            lines.is_empty(),
            "archives that are not what the release publishes:\n  {}\nNothing was written",
            lines.join("\n  ")
        );
    }
    output.print(&of_update(&plan, (args.dry_run, args.diff), vouched))?;
    if !args.dry_run {
        write(root, &steps)?;
        if !steps.is_empty() && output.is_for_people() {
            output.next_steps(&next_steps(root, &plan));
        }
    }
    Ok(args.exit_code && !plan.changes.is_empty())
}

/// What somebody does with what was written, where git has the repository.
fn next_steps(root: &Path, plan: &Plan) -> Vec<(String, &'static str)> {
    let Ok(git) = Git::within(root) else {
        return Vec::new();
    };
    let mut paths: Vec<&str> = plan
        .changes
        .iter()
        .map(|change| change.path.as_str())
        .collect();
    paths.extend(plan.removed.iter().map(String::as_str));
    if paths
        .first()
        .is_some_and(|path| git.ignores(path).unwrap_or(false))
    {
        return Vec::new();
    }
    // Folders that are written as wholes are named as wholes.
    let is_target = |name: &str| {
        plan.targets
            .iter()
            .any(|target| target.directory == name || target.source.as_deref() == Some(name))
    };
    let mut shown: Vec<&str> = paths
        .iter()
        .map(|path| {
            path.split_once('/').map_or(
                *path,
                |(first, _)| if is_target(first) { first } else { path },
            )
        })
        .collect();
    shown.sort_unstable();
    shown.dedup();
    let others = git.changed(&[]).unwrap_or_default();
    let is_other = |changed: &&String| {
        !shown.iter().any(|path| {
            changed
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let others = others.iter().filter(is_other).count();
    let place = if root == Path::new(".") {
        String::new()
    } else {
        format!(" -C {}", quoted(&root.display().to_string()))
    };
    let names: Vec<String> = shown.iter().map(|path| quoted(path)).collect();
    let staged = if others > 0 {
        "there are other changes, which this leaves out"
    } else {
        ""
    };
    vec![
        (format!("git{place} add {}", names.join(" ")), staged),
        (format!("git{place} diff --cached"), "read the change"),
        (format!("git{place} commit -m {}", quoted(&title(plan))), ""),
        (format!("git{place} push"), "and open the pull request"),
    ]
}
