//! `update status`: where each version directory stands, and what is newer.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use semver::Version;

use super::library::LARGEST as LARGEST_LIBRARY_FILE;
use super::newest::Releases;
use super::{in_folder, options, source, warn_of_interruption};
use crate::cli::{Common, StatusArgs};
use crate::finding::Finding;
use crate::library::View;
use crate::report::{Output, Standing, Status, of_status};
use crate::repository::{Directories, Directory, Repository, read_if_there};
use crate::tag::is_preview;
use crate::text::{count, is_within, quoted};
use crate::{check, library};

/// Prints a row for each version directory. Returns whether something is newer.
pub(super) fn run(args: &StatusArgs, common: &Common) -> Result<bool> {
    let mut output = Output::new(common);
    warn_of_interruption(&common.root, &output);
    let (repository, directories, report) = check::read(&common.root)?;
    let source = || source(&args.from, &repository.names.config);
    let source = (!args.offline).then(source).transpose()?;
    let pattern = &repository.names.config.directory;
    let mut releases = source.as_ref().map(|source| Releases::new(source, pattern));
    let file = library_file(args, common, &repository);
    let text = file.as_deref().map(read_library_file).transpose()?;
    let compared = text.map(|text| {
        let view = View::of(&repository);
        (
            library::offered(&text, &view),
            library::outdated(&text, &view),
        )
    });
    let (offered, outdated) = compared.unwrap_or_default();
    if let Some(source) = source.as_ref().filter(|_| directories.newest().is_some()) {
        output.progress(&format!("listing the releases of {}", source.shown()));
    }
    let newest = newest(&directories, &mut releases, args, &output)?;
    let row = |(directory, newest): (&Directory, Option<Version>)| {
        let is_inside = |finding: &&Finding| is_within(&finding.path, &directory.name);
        // With a directory for each version, the older ones are never behind.
        let counts = pattern.has_series() || directories.newest() == Some(directory);
        let has_variants = !directory.variants.is_empty();
        Standing {
            directory: directory.name.clone(),
            version: Some(directory.version.clone()).filter(|_| has_variants),
            is_behind: counts && newest.iter().any(|newest| *newest > directory.version),
            newest,
            library: offered.get(&directory.name).map(|one| one.0.clone()),
            outdated: outdated.get(&directory.name).copied().unwrap_or_default(),
            not_offered: offered.get(&directory.name).map_or(0, |one| one.1),
            variants: directory.variants.len(),
            findings: report.findings.iter().filter(is_inside).count(),
        }
    };
    let rows: Vec<Standing> = directories.iter().zip(newest).map(row).collect();
    if let Some(releases) = &mut releases {
        releases.note_newer_series(&directories)?;
    }
    let without = match (args.offline, &releases) {
        (true, _) => "not checked",
        (false, Some(_)) => "no stable release",
        (false, None) => "unknown",
    };
    let mut notes = releases.map(|releases| releases.notes).unwrap_or_default();
    let overtaken = rows
        .iter()
        .filter(|row| row.version.as_ref().is_some_and(is_preview));
    notes.extend(overtaken.filter_map(|row| {
        let (directory, newest) = (&row.directory, row.newest.as_ref()?);
        Some(format!(
            "{directory} is at a pre-release; {newest} is released"
        ))
    }));
    // A version directory that is gone has no row.
    let gone = outdated
        .iter()
        .filter(|(name, _)| directories.get(name).is_none());
    notes.extend(gone.map(|(name, number)| {
        let entries = count(*number, "entry");
        format!("the library file still offers {name}, which is gone: {entries}")
    }));
    let place = in_folder(&common.root);
    let finds = format!("`update{place} check` lists the findings");
    let finds = Some(finds).filter(|_| !report.findings.is_empty());
    let is_offered_less = |row: &Standing| row.library.is_some() && row.library < row.version;
    let is_behind = !outdated.is_empty() || rows.iter().any(is_offered_less);
    let has_library = file.is_some();
    let status = Status {
        rows: &rows,
        findings: &report.findings,
        without,
        has_library,
        notes,
        advice: finds
            .into_iter()
            .chain(moves(&rows, file.filter(|_| is_behind), args, common))
            .collect(),
    };
    output.print(&of_status(&repository.names, status))?;
    Ok(args.exit_code && rows.iter().any(|row| row.is_behind))
}

/// The newest stable release for each version directory, where one is known. What is known without the network is said all the
/// same: without answers the rest is not asked for.
fn newest(
    directories: &Directories,
    releases: &mut Option<Releases>,
    args: &StatusArgs,
    output: &Output,
) -> Result<Vec<Option<Version>>> {
    let mut all = Vec::new();
    for directory in directories.iter() {
        let newest = releases
            .as_mut()
            .map(|releases| releases.newest(&directory.name));
        all.push(match newest.transpose() {
            Ok(newest) => newest.flatten(),
            Err(problem) if args.exit_code => return Err(problem),
            Err(problem) => {
                output.warn(&format!("{problem:#}; `--offline` skips this"));
                *releases = None;
                None
            }
        });
    }
    Ok(all)
}

/// The commands that move what is behind: version directories, and the library file, if it is.
fn moves(
    rows: &[Standing],
    file: Option<PathBuf>,
    args: &StatusArgs,
    common: &Common,
) -> Vec<String> {
    let place = in_folder(&common.root);
    let behind = rows.iter().filter(|row| row.is_behind);
    let behind: Vec<&str> = behind.map(|row| row.directory.as_str()).collect();
    let (all, options) = (behind.join(", "), options(&common.root, &args.from));
    let latest = format!("`update latest{options}` moves {all}");
    let file = file.map(|file| {
        let file = quoted(&file.display().to_string());
        format!("`update library{place} {file}` brings the library file up to date with this tree, when that is committed")
    });
    let latest = Some(latest).filter(|_| !behind.is_empty());
    latest.into_iter().chain(file).collect()
}

/// The library file that is named, or stands beside the repository.
fn library_file(args: &StatusArgs, common: &Common, repository: &Repository) -> Option<PathBuf> {
    let beside = || library::beside(&common.root, &repository.names.config.image);
    args.library.clone().or_else(beside)
}

fn read_library_file(file: &Path) -> Result<String> {
    let text = read_if_there(file, LARGEST_LIBRARY_FILE)?;
    let text = text.with_context(|| format!("no file {}", file.display()))?;
    String::from_utf8(text).with_context(|| format!("{}", file.display()))
}
