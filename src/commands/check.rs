//! `update check`.

use anyhow::Result;
use semver::Version;

use super::newest::Releases;
use super::{options, published, source, verify, vouched, warn_of_interruption};
use crate::check::{self, pins::compare};
use crate::cli::{CheckArgs, Common};
use crate::finding::Finding;
use crate::report::{Output, of_check};
use crate::repository::Directory;
use crate::text::count;

/// Checks a repository. Returns whether there are findings.
pub(super) fn run(args: &CheckArgs, common: &Common) -> Result<bool> {
    let mut output = Output::new(common);
    let is_interrupted = warn_of_interruption(&common.root, &output);
    let (repository, directories, mut report) = check::read(&common.root)?;
    let mut details = Vec::new();
    if args.online || args.archives {
        let config = &repository.names.config;
        let source = source(&args.from, config)?;
        let versions = directories.iter().map(|directory| &directory.version);
        let checksums = published(&source, versions, &Default::default(), &mut output)?;
        report.add(compare(&report.pins, &checksums));
        details.extend(vouched(&source, &checksums, args.archives, &output)?);
        let project = format!("{}/{}", config.owner, config.server);
        let place = source.place();
        // An address of the project says whose they are.
        details.push(match place.contains(&project) {
            true => format!("compared with the SHA256SUMS {place}"),
            false => {
                format!("compared with the SHA256SUMS {place}, taken to be those of {project}")
            }
        });
        let mut releases = Releases::new(&source, &config.directory);
        let has_series = config.directory.has_series();
        let is_preview = |directory: &&Directory| !directory.version.pre.is_empty();
        for directory in directories.iter().filter(is_preview) {
            let newest = releases.newest(&directory.name)?;
            let is_wrong = |newest: &Version| has_series || *newest > directory.version;
            if let Some(newest) = newest.filter(is_wrong) {
                let (name, version) = (&directory.name, &directory.version);
                let option = match newest > *version {
                    true => "",
                    false => " --allow-downgrade",
                };
                let message = format!("found {version}, a pre-release; {newest} is released");
                let finding = Finding::of(name, "overtaken", message).found(version.to_string());
                let finding = finding.expected(newest.to_string());
                report.add(vec![finding.fixed_by(format!("update {newest}{option}"))]);
            }
        }
        if args.archives {
            let verified = verify(&source, &report.pins, &checksums, &output);
            if !verified.problems.is_empty() {
                return verified
                    .refuse("Try again when all archives can be downloaded")
                    .map(|()| true);
            }
            let result = match verified.wrong {
                0 => "all as published".to_owned(),
                wrong => format!("{wrong} not as published"),
            };
            let hashed = count(verified.archives, "archive");
            details.push(format!("{hashed} downloaded and hashed: {result}"));
            report.add(verified.findings);
        }
    }
    if !args.online && !args.archives && args.from.typed().is_some() {
        output.warn("`--from` is used with `--online` and `--archives` only: no hash is compared with a release");
    }
    let found = !report.findings.is_empty();
    let mut summary = of_check(&repository.names, &directories, report, details);
    summary.options = options(&common.root, &args.from);
    if is_interrupted {
        // A command that fixes a half of it would undo the other one.
        summary.advice = "Run the interrupted update again; it may fix them.";
    }
    output.print(&summary)?;
    Ok(found)
}
