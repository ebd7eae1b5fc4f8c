//! The commands: each reads, asks the modules that know, and hands the result to `report`.

mod check;
mod library;
mod newest;
mod status;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use semver::Version;

use crate::check::pins::Pin;
use crate::cli::{Cli, Command, From};
use crate::finding::Finding;
use crate::problems::{all, refuse};
use crate::release::checksums::{Checksums, Sha256};
use crate::release::source::Source;
use crate::release::verify::{Archive, hashes};
use crate::report::{self, Output};
use crate::repository::config::Config;
use crate::text::{count, quoted, without_password};
use crate::write::is_interrupted;

/// Does what the command line asks for. The exit code is 0 or 1; what could not be done is an error.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    let found = match &cli.command {
        Some(Command::Check(args)) => check::run(args, &cli.common)?,
        Some(Command::Status(args)) => status::run(args, &cli.common)?,
        Some(Command::Library(args)) => library::run(args, &cli.common)?,
        Some(Command::Completions { shell }) => {
            report::completions(*shell)?;
            false
        }
        None => update::run(&cli.update, &cli.common)?,
    };
    Ok(ExitCode::from(u8::from(found)))
}

/// The option that makes a command work in a folder; nothing for the working folder.
fn in_folder(folder: &Path) -> String {
    match folder == Path::new(".") {
        true => String::new(),
        false => format!(" -C {}", quoted(&folder.display().to_string())),
    }
}

/// The options with which another command works on the same repository and the same releases, each with a blank in front.
fn options(root: &Path, from: &From) -> String {
    let from = from.typed().map(without_password);
    let from = from.map_or(String::new(), |from| format!(" --from {}", quoted(&from)));
    in_folder(root) + &from
}

/// Warns where the tree may be half-way through an update. Returns whether it may.
fn warn_of_interruption(root: &Path, output: &Output) -> bool {
    let is_interrupted = is_interrupted(root);
    if is_interrupted {
        output.warn(
            "an update is running here, or was interrupted: wait for it, or run the interrupted update again",
        );
    }
    is_interrupted
}

fn source(from: &From, config: &Config) -> Result<Source> {
    let default = format!("{}/releases/download", config.project());
    Source::new(from.given().unwrap_or(&default))
}

/// What the releases of these versions publish; `known` is what was fetched before.
fn published<'a>(
    source: &Source,
    versions: impl Iterator<Item = &'a Version>,
    known: &BTreeMap<Version, Checksums>,
    output: &mut Output,
) -> Result<BTreeMap<Version, Checksums>> {
    let fetch = |version: &Version| {
        if let Some(checksums) = known.get(version) {
            return Ok((version.clone(), checksums.clone()));
        }
        output.progress(&format!("fetching the checksums of {version}"));
        Ok((version.clone(), source.checksums(version)?))
    };
    Ok(all(versions.map(fetch))?.into_iter().collect())
}

/// Compares what releases publish with GitHub's digests, where they are on GitHub, and says so in a line. A digest that cannot be
/// had is an error where everything `must` be vouched for, else a warning.
fn vouched(
    source: &Source,
    published: &BTreeMap<Version, Checksums>,
    must: bool,
    output: &Output,
) -> Result<Option<String>> {
    let (mut agreed, mut silent) = (0, Vec::new());
    let mut are_immutable = true;
    for (version, checksums) in published {
        let Some((address, digests)) = source.digests(version) else {
            continue;
        };
        match digests {
            Ok(digests) => {
                let place = source.address(version, "SHA256SUMS");
                let (same, without) = digests.vouch(checksums, [&place, &address])?;
                agreed += same;
                are_immutable &= digests.immutable;
                if without > 0 {
                    silent.push(format!(
                        "GitHub has no digest for {} of {version}, so SHA256SUMS cannot be compared there",
                        count(without, "file")
                    ));
                }
            }
            Err(problem) => silent.push(format!(
                "cannot compare SHA256SUMS of {version} with GitHub's digests: {address}: {:#}",
                problem.root_cause()
            )),
        }
    }
    ensure!(!must || silent.is_empty(), silent.join("\n"));
    silent.iter().for_each(|warning| output.warn(warning));
    let immutable = match are_immutable {
        true => ", in immutable releases",
        false => "",
    };
    let archives = count(agreed, "archive");
    let agreed = (agreed > 0).then_some(archives);
    Ok(agreed.map(|all| format!("SHA256SUMS and GitHub's digests agree on {all}{immutable}")))
}

/// What became of the archives that are pinned.
struct Verified {
    /// How many there are, and how many of them hash to something else.
    archives: usize,
    wrong: usize,
    /// A finding for each pin of those.
    findings: Vec<Finding>,
    /// Why other archives could not be hashed.
    problems: Vec<anyhow::Error>,
}

impl Verified {
    /// An error that lists all that is wrong, what hashes to something else first; none where nothing is.
    fn refuse(self, advice: &str) -> Result<()> {
        let wrong = self.findings.into_iter().map(|finding| finding.message);
        let problems = self.problems.iter().map(|problem| format!("{problem:#}"));
        let lines = wrong.chain(problems).collect();
        refuse(
            "these archives are missing, or have another hash",
            lines,
            advice,
        )
    }
}

/// Downloads and hashes the archives of the pins, which are to hash to what is published.
fn verify(
    source: &Source,
    pins: &[Pin],
    published: &BTreeMap<Version, Checksums>,
    output: &Output,
) -> Verified {
    // A pin at zeros says that there is no such archive.
    let pinned = || pins.iter().filter(|pin| pin.hash != Sha256::ZERO);
    let archives: BTreeSet<Archive> = pinned().map(|pin| Archive::clone(&pin.archive)).collect();
    let archives = Vec::from_iter(archives);
    let results = hashes(source, &archives, &output.bars(&archives));
    let (mut found, mut problems) = (BTreeMap::new(), Vec::new());
    for (archive, result) in archives.iter().zip(results) {
        match result {
            Ok(hash) => drop(found.insert(archive, hash)),
            Err(problem) => problems.push(problem),
        }
    }
    let (mut wrong, mut findings) = (BTreeSet::new(), Vec::new());
    for pin in pinned() {
        let Archive { version, name } = &*pin.archive;
        let expected = published.get(version).and_then(|sums| sums.get(name));
        let (expected, place) = match expected {
            Some(expected) => (expected, "SHA256SUMS"),
            None => (pin.hash, "the Dockerfile"),
        };
        let actual = found.get(&*pin.archive);
        let Some(actual) = actual.filter(|actual| **actual != expected) else {
            continue;
        };
        let address = source.address(version, name);
        let message = format!(
            "{name}: found {actual} in {address}, expected {expected} as in {place}: the archive was replaced or is damaged"
        );
        wrong.insert(&pin.archive);
        let finding = pin.finding(expected.to_string(), message);
        findings.push(finding.found(actual.to_string()));
    }
    Verified {
        archives: archives.len(),
        wrong: wrong.len(),
        findings,
        problems,
    }
}
