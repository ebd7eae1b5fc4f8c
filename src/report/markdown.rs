//! Results as Markdown: the body of a pull request, and the summary of a step in CI.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::Style;

use super::{Verdict, count, counts, headline, shortened, shown_path};
use crate::check::Finding;
use crate::plan::Plan;

/// What an update does: from which version to which, each field, the hashes in full, what `check` says, and the command.
pub(super) fn update(image: &str, plan: &Plan) -> String {
    let mut out = String::new();
    let plain = Style::new();
    for target in &plan.targets {
        line(
            &mut out,
            &format!(
                "## {}",
                headline(image, target, plan.changes.is_empty(), plain, plain)
            ),
        );
    }
    if !plan.changes.is_empty() {
        line(&mut out, &format!("\n{}\n", counts(plan)));
        line(
            &mut out,
            "| file | field | before | after |\n| --- | --- | --- | --- |",
        );
        for change in &plan.changes {
            let path = code(&shown_path(change));
            if change.fields.is_empty() {
                line(&mut out, &format!("| {path} | | | |"));
            }
            for field in change
                .fields
                .iter()
                .filter(|field| change.before.is_some() || field.label != "architecture")
            {
                let (found, expected) = (
                    code(&shortened(&field.found)),
                    code(&shortened(&field.expected)),
                );
                line(
                    &mut out,
                    &format!("| {path} | {} | {found} | {expected} |", field.label),
                );
            }
        }
    }
    let hashes: BTreeMap<&str, String> = plan
        .pins
        .iter()
        .map(|pin| (pin.archive.name.as_str(), pin.hash.to_string()))
        .collect();
    if !hashes.is_empty() {
        line(&mut out, "\n| archive | SHA-256 |\n| --- | --- |");
        for (archive, hash) in hashes {
            line(
                &mut out,
                &format!("| {} | {} |", code(archive), code(&hash)),
            );
        }
    }
    if plan.remaining.is_empty() {
        line(&mut out, "\n`update check` finds nothing in the result.");
    } else {
        line(
            &mut out,
            "\n`update check` still finds, in what an update does not write:\n",
        );
        table(&mut out, &plan.remaining);
    }
    let command: Vec<String> = std::env::args().skip(1).collect();
    line(
        &mut out,
        &format!(
            "\nMade by {}.",
            code(&format!("update {}", command.join(" ")))
        ),
    );
    out
}

/// What a check found.
pub(super) fn check(verdict: &Verdict) -> String {
    let Verdict {
        command,
        subject,
        looked_at,
        findings,
    } = verdict;
    let mut out = String::new();
    if findings.is_empty() {
        line(
            &mut out,
            &format!("`{command}`: {subject} is consistent ({looked_at})."),
        );
    } else {
        line(
            &mut out,
            &format!(
                "`{command}` of {subject}: {}.\n",
                count(findings.len(), "finding")
            ),
        );
        table(&mut out, findings);
    }
    out
}

pub(super) fn table(out: &mut String, findings: &[Finding]) {
    line(out, "| place | rule | finding |\n| --- | --- | --- |");
    for Finding {
        path,
        line: number,
        rule,
        message,
        ..
    } in findings
    {
        line(
            out,
            &format!(
                "| {} | {rule} | {} |",
                code(&format!("{path}:{number}")),
                code(message)
            ),
        );
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

/// A cell of a table in which nothing is taken for Markdown. Inside backticks only they and a `|` need care.
pub(super) fn code(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if clean.is_empty() {
        String::new()
    } else {
        format!("`{}`", clean.replace('`', "'").replace('|', "\\|"))
    }
}
