//! Results for people.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use anstyle::Style;

use super::summary::{DRY_RUN, Group, Row, Summary};
use super::{BOLD, DIM, NEW, NOTE, NextSteps, OLD, diff};
use crate::finding::Finding;
use crate::release::checksums::Sha256;
use crate::text::{count, harmless};

/// How many characters a value may have before its end is left out.
const LONGEST_VALUE: usize = 60;

/// Prints a whole result; of changes that are alike one, unless all of them are wanted.
pub(super) fn print(out: &mut impl Write, summary: &Summary, all: bool) -> io::Result<()> {
    if summary.is_verdict {
        print_findings(out, "", &summary.findings)?;
        return print_verdict(out, summary);
    }
    for headline in &summary.headlines {
        let [old, new] = [&headline.old, &headline.new].map(|text| text.as_deref().map(harmless));
        let old = old.map_or(String::new(), |old| format!(" {OLD}{old}{OLD:#} →"));
        let new = new.map_or(String::new(), |new| format!(" {NEW}{new}{NEW:#}"));
        let [subject, rest] = [&headline.subject, &headline.rest].map(|text| harmless(text));
        writeln!(out, "{subject}{old}{new}{rest}")?;
    }
    if !summary.groups.is_empty() {
        writeln!(out)?;
    }
    let groups = match all {
        true => summary.groups.clone(),
        false => merged(&summary.groups, summary.groups_are),
    };
    for group in &groups {
        let note = match group.note.trim_end() {
            "" => String::new(),
            note => format!("{DIM}  {}{DIM:#}", harmless(note)),
        };
        let title = harmless(&group.title);
        writeln!(out, "  {BOLD}{title}{BOLD:#}{note}")?;
        let rows = match all {
            true => group.rows.clone(),
            false => folded(&group.rows),
        };
        let width = rows.iter().map(|row| row.label.len()).max().unwrap_or(0);
        rows.iter().try_for_each(|row| print_row(out, row, width))?;
    }
    print_table(out, &summary.table)?;
    let lists = summary.lists.iter();
    for (title, items, advice) in lists.filter(|(_, items, _)| !items.is_empty()) {
        writeln!(out, "\n{NOTE}{title}:{NOTE:#}")?;
        items
            .iter()
            .try_for_each(|item| writeln!(out, "  {}", harmless(item)))?;
        if !advice.is_empty() {
            writeln!(out, "{DIM}{advice}{DIM:#}")?;
        }
    }
    if !summary.counts.is_empty() {
        writeln!(out, "\n{}", summary.counts.join("\n"))?;
    }
    for file in &summary.diff {
        diff::print(out, file)?;
    }
    if !summary.findings.is_empty() {
        writeln!(out, "\n{NOTE}{}:{NOTE:#}", summary.findings_title)?;
        print_findings(out, "  ", &summary.findings)?;
        writeln!(out, "{DIM}{}{DIM:#}", summary.fixes(&summary.options))?;
    }
    if summary.is_dry_run {
        writeln!(out, "\n{DRY_RUN}")?;
    }
    Ok(())
}

/// The groups, with three or more in a row of one folder as one, where the same happens to them.
fn merged(groups: &[Group], groups_are: &str) -> Vec<Group> {
    let folder = |group: &Group| Some(group.title.rsplit_once('/')?.0.to_owned());
    let is_alike = |a: &Group, b: &Group| {
        folder(a).is_some() && folder(a) == folder(b) && a.note == b.note && a.rows == b.rows
    };
    let runs = groups.chunk_by(is_alike);
    let merged = runs.flat_map(|run| match (run.len(), folder(&run[0])) {
        (3.., Some(folder)) => vec![Group {
            title: format!("{folder}/"),
            part: run[0].part.clone(),
            note: format!("{} {}", count(run.len(), groups_are), run[0].note),
            rows: run[0].rows.clone(),
        }],
        _ => run.to_vec(),
    });
    merged.collect()
}

/// The rows with those that are alike as one: the hashes of several architectures, and the same change in several places.
/// A hash at zeros, which is none, is always told.
fn folded(rows: &[Row]) -> Vec<Row> {
    let is_hash = |row: &Row| {
        let is_zeros = |value: &str| value.parse().ok() == Some(Sha256::ZERO);
        row.label.starts_with("sha256 ") && !is_zeros(&row.expected)
    };
    let hashes = rows.iter().filter(|row| is_hash(row)).count();
    let hash = Row {
        label: "sha256".to_owned(),
        found: String::new(),
        expected: format!("of {hashes} architectures"),
        note: String::new(),
    };
    let mut folded: Vec<(Row, usize)> = Vec::new();
    let mut places: BTreeMap<&Row, usize> = BTreeMap::new();
    for row in rows {
        let is_folded = is_hash(row) && hashes > 2;
        let row = if is_folded { &hash } else { row };
        match places.get(row) {
            Some(_) if is_folded => {}
            Some(place) => folded[*place].1 += 1,
            None => {
                places.insert(row, folded.len());
                folded.push((row.clone(), 1));
            }
        }
    }
    let noted = |(row, times): (Row, usize)| match times {
        1 => row,
        _ => {
            let note = [row.note, format!("in {times} places")].join(" ");
            let note = note.trim_start().to_owned();
            Row { note, ..row }
        }
    };
    folded.into_iter().map(noted).collect()
}

/// Prints rows in columns.
fn print_table(out: &mut impl Write, rows: &[Vec<String>]) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("{:width$}", harmless(cell)));
        let line = cells.collect::<Vec<_>>().join("  ");
        let style = if number == 0 { DIM } else { Style::new() };
        writeln!(out, "  {style}{}{style:#}", line.trim_end())?;
    }
    Ok(())
}

fn print_row(out: &mut impl Write, row: &Row, width: usize) -> io::Result<()> {
    let [found, expected] = [&row.found, &row.expected].map(|value| shortened(value));
    let label = &row.label;
    let values = match (found.is_empty(), expected.is_empty()) {
        (true, _) => format!("{NEW}{expected}{NEW:#}"),
        (_, true) => format!("{OLD}{found}{OLD:#}"),
        _ => format!("{OLD}{found}{OLD:#} → {NEW}{expected}{NEW:#}"),
    };
    let note = match row.note.as_str() {
        "" => String::new(),
        note => format!("{DIM}  {note}{DIM:#}"),
    };
    writeln!(out, "      {label:width$}  {values}{note}")
}

/// Prints whether all is well.
pub(super) fn print_verdict(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    let headline = summary.headlines.first();
    let subject = headline.map_or(String::new(), |headline| harmless(&headline.subject));
    let (findings, looked_at) = (&summary.findings, &summary.looked_at);
    if findings.is_empty() {
        writeln!(out, "{NEW}consistent{NEW:#}: {subject} ({looked_at})")?;
    } else {
        let paths: BTreeSet<&str> = findings.iter().map(|one| one.path.as_str()).collect();
        let findings = count(findings.len(), "finding");
        let files = count(paths.len(), "file");
        let fixes = summary.fixes(&summary.options);
        writeln!(out, "{OLD}{findings} in {files}{OLD:#}. {fixes}")?;
    }
    summary
        .details
        .iter()
        .try_for_each(|detail| writeln!(out, "{}", harmless(detail)))
}

fn print_findings(out: &mut impl Write, indent: &str, findings: &[Finding]) -> io::Result<()> {
    for finding in findings {
        let [path, message] = [&finding.path, &finding.message].map(|text| harmless(text));
        let (line, column, rule) = (finding.line, finding.column, finding.rule);
        let place = format!("{BOLD}{path}:{line}:{column}{BOLD:#}");
        writeln!(out, "{indent}{place}: {NOTE}{rule}{NOTE:#}: {message}")?;
    }
    Ok(())
}

/// Prints what somebody does next: commands that a shell takes as they are, and below them what else there is to say.
pub(super) fn print_next_steps(out: &mut impl Write, steps: &NextSteps) -> io::Result<()> {
    writeln!(out, "\nNext steps:")?;
    let mut first = steps.first.iter();
    first.try_for_each(|first| writeln!(out, "{}", harmless(first)))?;
    for command in &steps.commands {
        writeln!(out, "  {}", harmless(command))?;
    }
    let mut remarks = steps.remarks.iter();
    remarks.try_for_each(|remark| writeln!(out, "{}", harmless(remark)))
}

/// A hash by its first digits, anything else that is long by its start.
pub(super) fn shortened(value: &str) -> String {
    match value.parse::<Sha256>() {
        Ok(hash) => hash.short(),
        Err(_) if value.chars().count() > LONGEST_VALUE => {
            let start: String = value.chars().take(LONGEST_VALUE).collect();
            format!("{}…", harmless(&start))
        }
        Err(_) => harmless(value),
    }
}
