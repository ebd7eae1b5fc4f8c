//! The main job: a repository is moved to a release.

mod ready;

use anyhow::Result;

use self::ready::{Ready, gone};
use super::newest::Releases;
use super::{options, published, source, verify, vouched};
use crate::cli::{Common, UpdateArgs};
use crate::git::Git;
use crate::plan::{missing, plan, targets};
use crate::problems::both;
use crate::report::{Output, of_update, title};
use crate::repository::Repository;
use crate::text::count;
use crate::write::is_interrupted;

/// Moves the repository. Returns whether, with `--exit-code`, something changes.
pub(super) fn run(args: &UpdateArgs, common: &Common) -> Result<bool> {
    let mut output = Output::new(common);
    let root = &common.root;
    let repository = Repository::read(root)?;
    let mut asked = args.options()?;
    // Without a version and nothing to verify no release is asked for, wherever releases are.
    let is_asked = !args.versions.is_empty() || args.verify;
    let source = || source(&args.from, &repository.names.config);
    let source = is_asked.then(source).transpose()?;
    let pattern = repository.names.config.directory.clone();
    let mut releases = source.as_ref().map(|one| Releases::new(one, &pattern));
    let versions = match &mut releases {
        Some(releases) => releases.resolve(&repository, &args.versions, &mut asked)?,
        None => Vec::new(),
    };
    let known = releases.map(|all| (all.published, all.notes));
    let (known, notes) = known.unwrap_or_default();
    let targets = targets(&repository, &versions, &asked);
    let (targets, missing) = both(targets, gone(root, missing(&repository, &asked)))?;
    let released = targets.iter().filter(|target| target.has_release);
    let released = released.map(|target| &target.version);
    let published = match &source {
        Some(source) => published(source, released, &known, &mut output)?,
        None => Default::default(),
    };
    let mut vouched = match &source {
        Some(source) => Vec::from_iter(vouched(source, &published, args.verify, &output)?),
        None => Vec::new(),
    };
    let mut plan = plan(repository, targets, &published, &asked)?;
    plan.notes.extend(missing.into_iter().chain(notes));
    // Nobody reads what it is called of a quiet one.
    let is_titled = args.commit || !output.is_silent();
    let git = is_titled.then(|| Git::within(root).ok()).flatten();
    let subjects = git.as_ref().and_then(|git| git.subjects().ok());
    let head = git.as_ref().filter(|_| is_interrupted(root));
    let head = head.and_then(|git| git.repository("HEAD", &plan.after.names.config).ok());
    let title = title(&plan, &subjects.unwrap_or_default(), head.as_ref());
    let ready = Ready::new(root, &plan, args.commit.then_some(&asked.stays))?;
    if let Some(source) = source.filter(|_| args.verify) {
        let verified = verify(&source, &plan.pins, &published, &output);
        let hashed = count(verified.archives, "archive");
        verified.refuse("Nothing was written. Wait until all archives are uploaded; if a hash differs, ask those who published the release")?;
        vouched.push(format!("{hashed} downloaded and hashed: all as published"));
    }
    let mut summary = of_update((&plan, &title), (args.dry_run, args.diff), vouched);
    summary.options = options(root, &args.from);
    output.print(&summary)?;
    if !args.dry_run {
        ready.carry_out((&plan, &title), git.as_ref(), &mut output)?;
    }
    Ok(args.exit_code && !plan.is_empty())
}
