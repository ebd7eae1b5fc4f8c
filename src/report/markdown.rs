//! Results as Markdown: the body of a pull request, and the summary of a step in CI.

use std::fmt::Write;

use super::summary::{DRY_RUN, Group, Summary};
use super::text::shortened;
use crate::text::{count, harmless};

/// A whole result.
pub(super) fn of(summary: &Summary) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = match summary.is_verdict {
        true => verdict(&mut out, summary),
        false => update(&mut out, summary),
    };
    out
}

fn update(out: &mut String, summary: &Summary) -> std::fmt::Result {
    if !summary.title.is_empty() {
        writeln!(out, "## {}", plain(&summary.title))?;
    }
    let mut start = "\n";
    for headline in &summary.headlines {
        let [old, new] = [&headline.old, &headline.new].map(|text| text.as_deref().map(plain));
        let old = old.map_or(String::new(), |old| format!(" {old} →"));
        let new = new.map_or(String::new(), |new| format!(" {new}"));
        let (subject, rest) = (plain(&headline.subject), plain(&headline.rest));
        match summary.title.is_empty() {
            true => writeln!(out, "## {subject}{old}{new}{rest}")?,
            // The title says as much.
            false if [&old, &new, &rest].iter().all(|part| part.is_empty()) => {}
            false => {
                writeln!(out, "{start}- {subject}{old}{new}{rest}")?;
                start = "";
            }
        }
    }
    if summary.is_dry_run {
        writeln!(out, "\n{DRY_RUN}")?;
    }
    if !summary.counts.is_empty() {
        let counts: Vec<String> = summary.counts.iter().map(|count| prose(count)).collect();
        writeln!(out, "\n{}", counts.join("\n\n"))?;
    }
    // A table for each version directory, and one for what is shared.
    for groups in summary.groups.chunk_by(|a, b| a.part == b.part) {
        if let (Some(part), false) = (&groups[0].part, summary.title.is_empty()) {
            writeln!(out, "\n### {}", plain(part))?;
        }
        let what = summary.groups_are;
        writeln!(out, "\n| {what} | field | before | after |")?;
        writeln!(out, "| --- | --- | --- | --- |")?;
        groups.iter().try_for_each(|one| group(out, one))?;
    }
    for (number, row) in summary.table.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
        if number == 0 {
            writeln!(out)?;
        }
        writeln!(out, "| {} |", cells.join(" | "))?;
        if number == 0 {
            writeln!(out, "|{}", " --- |".repeat(cells.len()))?;
        }
    }
    let lists = summary.lists.iter();
    for (title, items, advice) in lists.filter(|(_, items, _)| !items.is_empty()) {
        writeln!(out, "\n{title}:\n")?;
        items
            .iter()
            .try_for_each(|item| writeln!(out, "- {}", prose(item)))?;
        if !advice.is_empty() {
            writeln!(out, "\n{}", prose(advice))?;
        }
    }
    if !summary.details.is_empty() {
        writeln!(out)?;
    }
    for detail in &summary.details {
        writeln!(out, "{detail}")?;
    }
    match (summary.findings.is_empty(), summary.nothing_found) {
        (true, "") => return Ok(()),
        (true, line) => return writeln!(out, "\n{line}"),
        (false, _) => {}
    }
    writeln!(out, "\n{}:\n", summary.findings_title)?;
    table(out, summary)
}

fn group(out: &mut String, group: &Group) -> std::fmt::Result {
    let title = code(&group.title);
    if group.rows.is_empty() {
        return writeln!(out, "| {title} | {} | | |", plain(group.note.trim_end()));
    }
    for row in &group.rows {
        let [found, expected] = [&row.found, &row.expected].map(|value| code(&shortened(value)));
        let label = plain(format!("{} {}", row.label, row.note).trim_end());
        writeln!(out, "| {title} | {label} | {found} | {expected} |")?;
    }
    Ok(())
}

fn verdict(out: &mut String, summary: &Summary) -> std::fmt::Result {
    let (command, subject) = match summary.headlines.first() {
        Some(headline) => (headline.rest.as_str(), plain(&headline.subject)),
        None => ("update check", String::new()),
    };
    let (findings, looked_at) = (&summary.findings, &summary.looked_at);
    if findings.is_empty() {
        writeln!(out, "`{command}`: consistent: {subject} ({looked_at}).")?;
    } else {
        let number = count(findings.len(), "finding");
        writeln!(out, "`{command}` of {subject}: {number}.\n")?;
        table(out, summary)?;
    }
    summary
        .details
        .iter()
        .try_for_each(|detail| writeln!(out, "\n{}", prose(detail)))
}

fn table(out: &mut String, summary: &Summary) -> std::fmt::Result {
    writeln!(out, "| place | rule | finding |\n| --- | --- | --- |")?;
    for finding in &summary.findings {
        let place = code(&format!("{}:{}", finding.path, finding.line));
        let message = code(&finding.message);
        writeln!(out, "| {place} | {} | {message} |", finding.rule)?;
    }
    writeln!(out, "\n{}", prose(&summary.fixes("")))
}

/// A text in which nothing is taken for Markdown.
fn plain(text: &str) -> String {
    let escape = |c: char| match "\\`*_[]<>|#!~".contains(c) {
        true => format!("\\{c}"),
        false => c.to_string(),
    };
    harmless(text).chars().map(escape).collect()
}

/// A sentence, in which what stands between two backticks is code, and nothing else is Markdown.
fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(text);
    }
    let parts = parts.iter().enumerate();
    let parts = parts.map(|(number, part)| match number % 2 {
        0 => plain(part),
        _ => code(part),
    });
    parts.collect()
}

/// A text in backticks. Inside of them only they and a `|` need care.
pub(super) fn code(text: &str) -> String {
    match text.is_empty() {
        true => String::new(),
        false => format!("`{}`", harmless(text).replace('`', "'").replace('|', "\\|")),
    }
}
