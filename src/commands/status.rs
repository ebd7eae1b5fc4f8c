//! `update status`: where each version directory stands, and what is newer.

use anyhow::Result;

use super::newest::Releases;
use super::source;
use crate::check;
use crate::cli::{Common, StatusArgs};
use crate::report::{Output, Standing, of_status};
use crate::text::is_within;

/// Prints a row for each version directory. Whether something is newer.
pub(super) fn run(args: &StatusArgs, common: &Common) -> Result<bool> {
    let mut output = Output::new(common);
    let (repository, directories, report) = check::read(&common.root)?;
    let source = (!args.offline)
        .then(|| source(&args.from, &repository.names.config))
        .transpose()?;
    let pattern = &repository.names.config.directory;
    let mut releases = source.as_ref().map(|source| Releases::new(source, pattern));
    let mut rows = Vec::new();
    for directory in directories.iter() {
        if let (0, Some(source)) = (rows.len(), &source) {
            output.progress(&format!("asking {} for its releases", source.shown()));
        }
        let newest = match &mut releases {
            Some(releases) => releases.newest(&directory.name)?,
            None => None,
        };
        rows.push(Standing {
            directory: directory.name.clone(),
            version: directory.version.clone(),
            is_behind: newest
                .as_ref()
                .is_some_and(|newest| *newest > directory.version),
            newest,
            variants: directory.variants.len(),
            findings: report
                .findings
                .iter()
                .filter(|finding| is_within(&finding.path, &directory.name))
                .count(),
        });
    }
    // Of a tree with a directory for each version, older ones are history.
    if !pattern.has_series() {
        let last = rows.len().saturating_sub(1);
        rows[..last]
            .iter_mut()
            .for_each(|row| row.is_behind = false);
    }
    let is_behind = rows.iter().any(|row| row.is_behind);
    let notes = releases.map(|releases| releases.notes).unwrap_or_default();
    output.print(&of_status(
        &repository.names,
        &rows,
        &report.findings,
        notes,
    ))?;
    Ok(args.exit_code && is_behind)
}
