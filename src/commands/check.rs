//! `update check`.

use anyhow::Result;

use super::{joined, published, source, verify, vouched};
use crate::check::{self, pins::compare};
use crate::cli::{CheckArgs, Common};
use crate::report::{Output, of_check};

/// Checks a repository. Whether there are findings.
pub(super) fn run(args: &CheckArgs, common: &Common) -> Result<bool> {
    let mut output = Output::new(common);
    let (repository, directories, mut report) = check::read(&common.root)?;
    let mut details = Vec::new();
    if args.online || args.archives {
        let source = source(&args.from, &repository.names.config)?;
        let versions = directories.iter().map(|directory| &directory.version);
        let checksums = published(&source, versions, &mut output)?;
        report.add(compare(&report.pins, &checksums));
        details.extend(vouched(&source, &checksums, args.archives, &output)?);
        details.push(format!(
            "compared with the SHA256SUMS at {}",
            source.shown()
        ));
        if args.archives {
            let (findings, problems) = verify(&source, &report.pins, &output);
            report.add(findings);
            joined(problems)?;
        }
    }
    let found = !report.findings.is_empty();
    output.print(&of_check(&repository.names, &directories, report, details))?;
    Ok(found)
}
