//! The commands: each reads, asks the modules that know, and hands the result to `report`.

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::apply::Repository;
use crate::check::check;
use crate::cli::{Cli, Command, Common, UpdateArgs};
use crate::plan::{plan, targets};
use crate::release::Source;
use crate::report::Output;
use crate::rules::Model;
use crate::tree::Tree;

/// Does what the command line asks for. The exit code is 0 or 1; what could not be done is an error.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    let found = match &cli.command {
        Some(Command::Check) => run_check(&cli.common)?,
        None => run_update(&cli.update, &cli.common)?,
    };
    Ok(ExitCode::from(u8::from(found)))
}

fn run_check(common: &Common) -> Result<bool> {
    let model = Model::new(Tree::read(&common.root)?)?;
    ensure!(
        !model.directories.is_empty(),
        "no version directory (such as 0.25.6 or 2.14.x) in {}: nothing to check. `-C <DIR>` names another folder",
        common.root.display()
    );
    let report = check(&model)?;
    Output::new(common).check(&model, &report)?;
    Ok(!report.findings.is_empty())
}

fn run_update(args: &UpdateArgs, common: &Common) -> Result<bool> {
    let mut output = Output::new(common);
    let repository = if args.dry_run { None } else { Some(Repository::lock(&common.root)?) };
    let model = Model::new(Tree::read(&common.root)?)?;
    let default = model.tree.config.releases();
    let from = args.from.as_deref().filter(|from| !from.is_empty()).unwrap_or(&default);
    let source = Source::new(from)?;
    let versions = all(args.versions.iter().map(|wanted| source.resolve(wanted)))?;
    let targets = targets(&model, &versions, args.options())?;
    let sums = all(targets.iter().map(|target| {
        output.progress(&format!("fetching the sums of {} from {from}", target.version));
        source.sums(&target.version)
    }))?;
    let plan = plan(&model, targets, &sums, args.options())?;
    if let Some(repository) = &repository {
        repository.apply(&plan)?;
    }
    output.update(&model, &plan, args)?;
    Ok(args.exit_code && !plan.changes.is_empty())
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
        _ => Err(anyhow::anyhow!(problems.iter().map(|problem| format!("{problem:#}")).collect::<Vec<_>>().join("\n"))),
    }
}
