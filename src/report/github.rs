//! What GitHub's runner reads: annotations on standard output, and the summary of a step.
//!
//! Its format: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.

use std::fs::OpenOptions;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};

use anyhow::{Context, Result};

use super::summary::Summary;
use crate::text::harmless;

/// Prints each finding as an annotation.
pub(super) fn annotate(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    let level = match summary.is_verdict {
        true => "error",
        false => "warning",
    };
    for finding in &summary.findings {
        let [path, rule] = [&finding.path, finding.rule].map(property);
        let (line, column) = (finding.line, finding.column);
        let place = format!("file={path},line={line},col={column}");
        let message = data(&finding.message);
        writeln!(out, "::{level} {place},title={rule}::{message}")?;
    }
    Ok(())
}

/// Prints what holds text of files, of which the runner is to take nothing for a command of its own.
pub(super) fn without_commands(
    out: &mut Vec<u8>,
    is_needed: bool,
    print: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    if !is_needed {
        return print(out);
    }
    // No file can hold it: it is random.
    let token = RandomState::new().build_hasher().finish();
    writeln!(out, "::stop-commands::{token:016x}")?;
    print(out)?;
    writeln!(out, "::{token:016x}::")
}

/// Appends to the file that a variable names, where there is one: to the summary of the step, or to what it hands on.
pub(super) fn append(variable: &str, text: &str) -> Result<()> {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let mut file = file.with_context(|| format!("cannot open {variable}"))?;
    let written = file.write_all(text.as_bytes());
    written.with_context(|| format!("cannot write {variable}"))
}

/// Appends, for the steps that follow, whether something changed, to which versions, and what a commit of it is called.
pub(super) fn append_outputs(json: &serde_json::Value) -> Result<()> {
    let (Some(title), Some(files)) = (json["title"].as_str(), json["files"].as_array()) else {
        return Ok(());
    };
    let versions = json["versions"].as_array().into_iter().flatten();
    // A directory that stays at its version is not moved to it.
    let versions = versions.filter(|one| one["version"] != one["from"]);
    let versions: Vec<&str> = versions.filter_map(|one| one["version"].as_str()).collect();
    let removed = json["removed"]
        .as_array()
        .is_some_and(|removed| !removed.is_empty());
    let lines = format!(
        "changed={}\ntitle={}\nversions={}\n",
        !files.is_empty() || removed,
        harmless(title),
        harmless(&versions.join(" "))
    );
    append("GITHUB_OUTPUT", &lines)
}

/// An `error` or a `warning` about nothing in particular. The runner reads one line, and shows several.
pub(super) fn annotation(level: &str, text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(data).collect();
    format!("::{level}::{}", lines.join("%0A"))
}

fn data(text: &str) -> String {
    harmless(text).replace('%', "%25")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Finding;

    #[test]
    fn what_the_runner_takes_for_syntax_is_escaped() {
        let finding = Finding::at(
            "a,b:c%d\n",
            (3, 7),
            "base",
            "100%: x,\r\n::error::y".to_owned(),
        );
        let summary = Summary {
            findings: vec![finding],
            is_verdict: true,
            ..Summary::default()
        };
        let mut out = Vec::new();
        annotate(&mut out, &summary).unwrap();
        let expected =
            "::error file=a%2Cb%3Ac%25d\\n,line=3,col=7,title=base::100%25: x,\\r\\n::error::y\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
