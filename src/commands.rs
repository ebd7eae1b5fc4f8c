//! The commands: each reads, asks the modules that know, and hands the result to `report`.

mod library;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use semver::Version;

use crate::apply::{Repository, is_interrupted, recover};
use crate::check::pins::{Pin, compare};
use crate::check::{Finding, check};
use crate::cli::{CheckArgs, Cli, Command, Common, From, UpdateArgs};
use crate::config::Config;
use crate::plan::{plan, targets};
use crate::release::Source;
use crate::report::{self, Output, Verdict};
use crate::rules::Model;
use crate::sums::{Sha256, Sums};
use crate::tree::{History, Tree};
use crate::verify::{Archive, hashes};

/// Does what the command line asks for. The exit code is 0 or 1; what could not be done is an error.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    let found = match &cli.command {
        Some(Command::Check(args)) => run_check(args, &cli.common)?,
        Some(Command::Library(args)) => library::run(args, &cli.common)?,
        Some(Command::Completions { shell }) => {
            report::completions(*shell)?;
            false
        }
        None => run_update(&cli.update, &cli.common)?,
    };
    Ok(ExitCode::from(u8::from(found)))
}

fn run_check(args: &CheckArgs, common: &Common) -> Result<bool> {
    let model = read(&common.root, History::Leave)?;
    let mut output = Output::new(common);
    let mut report = check(&model)?;
    if args.online || args.archives {
        let source = source(&args.from, &model.tree.config)?;
        let versions = model.directories.iter().map(|directory| &directory.version);
        let sums = all(versions.map(|version| {
            output.progress(&format!("fetching the sums of {version}"));
            Ok((version.clone(), source.sums(version)?))
        }))?;
        report.add(compare(&report.pins, &BTreeMap::from_iter(sums)));
        if args.archives {
            report.add(verify(&source, &report.pins, &output)?);
        }
    }
    output.verdict(&Verdict::of_tree(&model, &report))?;
    Ok(!report.findings.is_empty())
}

/// A tree that nothing is to be written to.
fn read(root: &Path, history: History) -> Result<Model> {
    let model = Model::new(Tree::read(root, history)?)?;
    let root_shown = root.display();
    ensure!(
        !model.directories.is_empty(),
        "no version directory (such as 0.25.6 or 2.14.x) in {root_shown}: nothing to check. `-C <DIR>` names another folder"
    );
    ensure!(
        !is_interrupted(root),
        "an update of {root_shown} was interrupted, and what it has not done is kept in {root_shown}/.update: \
         run the same update again first"
    );
    Ok(model)
}

fn run_update(args: &UpdateArgs, common: &Common) -> Result<bool> {
    let mut output = Output::new(common);
    let root = &common.root;
    if !args.dry_run {
        recover(root)?;
    } else if is_interrupted(root) {
        bail!(
            "an update of {} was interrupted: finish it first, with the same command without --dry-run",
            root.display()
        );
    }
    let model = Model::new(Tree::read(root, History::Read)?)?;
    let options = args.options();
    // Without a version and nothing to verify no release is asked for, wherever releases are.
    let is_asked = !args.versions.is_empty() || args.verify;
    let source = is_asked
        .then(|| source(&args.from, &model.tree.config))
        .transpose()?;
    let versions = match &source {
        Some(source) => all(args.versions.iter().map(|wanted| source.resolve(wanted)))?,
        None => Vec::new(),
    };
    let targets = targets(&model, &versions, &options)?;
    let pins = if targets.iter().all(|target| target.has_release) {
        Vec::new()
    } else {
        check(&model)?.pins
    };
    let sums = all(targets.iter().map(|target| {
        let Some(source) = source.as_ref().filter(|_| target.has_release) else {
            return Ok(pinned(&pins, &target.version));
        };
        output.progress(&format!("fetching the sums of {}", target.version));
        source.sums(&target.version)
    }))?;
    let plan = plan(&model, targets, &sums, &options)?;
    if let Some(source) = source.filter(|_| args.verify) {
        let wrong = verify(&source, &plan.pins, &output)?;
        let lines: Vec<&str> = wrong
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        ensure!(
            wrong.is_empty(),
            "archives that are not what the release publishes:\n  {}\nNothing was written",
            lines.join("\n  ")
        );
    }
    output.update(&model, &plan, args)?;
    if !args.dry_run && !plan.changes.is_empty() {
        let repository = Repository::lock(root)?;
        ensure!(
            Tree::read(root, History::Read)? == model.tree,
            "{} was changed while the update was planned: run it again",
            root.display()
        );
        repository.apply(&plan)?;
        output.left_to_do(&plan);
    }
    Ok(args.exit_code && !plan.changes.is_empty())
}

fn source(from: &From, config: &Config) -> Result<Source> {
    Source::new(from.from.as_deref().unwrap_or(&config.releases()))
}

/// What the tree itself pins for a version.
fn pinned(pins: &[Pin], version: &Version) -> Sums {
    let of_version = pins.iter().filter(|pin| pin.archive.version == *version);
    of_version
        .map(|pin| (pin.archive.name.clone(), pin.hash))
        .collect()
}

/// Downloads the archives of the pins: a finding for each that hashes to something else.
fn verify(source: &Source, pins: &[Pin], output: &Output) -> Result<Vec<Finding>> {
    // A pin at zeros says that there is no such archive.
    let pins: Vec<&Pin> = pins.iter().filter(|pin| pin.hash != Sha256::ZERO).collect();
    let mut archives: Vec<Archive> = pins
        .iter()
        .map(|pin| Archive::clone(&pin.archive))
        .collect();
    archives.sort();
    archives.dedup();
    let hashes = all(hashes(source, &archives, &output.bars(&archives)).into_iter())?;
    let found: BTreeMap<&Archive, Sha256> = archives.iter().zip(hashes).collect();
    let differs = pins.iter().filter(|pin| found[&*pin.archive] != pin.hash);
    let findings = differs.map(|pin| {
        let (actual, address) = (
            found[&*pin.archive],
            source.address(&pin.archive.version, &pin.archive.name),
        );
        let message = format!(
            "{}: expected {}, but {address} hashes to {actual}",
            pin.archive.name, pin.hash
        );
        pin.finding(actual.to_string(), message)
    });
    Ok(findings.collect())
}

/// All values, or all errors as one.
fn all<T>(results: impl Iterator<Item = Result<T>>) -> Result<Vec<T>> {
    let (mut values, mut problems) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(problem) => problems.push(problem),
        }
    }
    match problems.len() {
        0 => Ok(values),
        1 => Err(problems.remove(0)),
        _ => bail!(
            problems
                .iter()
                .map(|problem| format!("{problem:#}"))
                .collect::<Vec<_>>()
                .join("\n")
        ),
    }
}
