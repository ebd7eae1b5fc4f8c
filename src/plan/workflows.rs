//! Wires a new series into the workflows, beside the one that it is copied from: a twin for each job that is about that one
//! alone, an item for each item of a list that is about it beside others.
//!
//! Text with a structure: what is repeated is whole lines, with every spelling of the series moved.

use std::collections::BTreeSet;
use std::ops::Range;

use super::edits::Edit;
use crate::fields::series::Series;
use crate::fields::workflow::{Job, Line, jobs, lines, lists};
use crate::text::Places;

/// What there is to repeat behind a place.
struct Repeat {
    at: usize,
    text: String,
    label: &'static str,
    name: String,
}

/// A workflow with a new series beside the one that it is copied from; `all` are the series that there are. And the jobs that
/// would need a name of their own to get a twin.
pub(super) fn with_series(
    text: &str,
    (from, to): (&Series, &Series),
    all: &[Series],
) -> (String, Vec<Edit>, Vec<String>) {
    let lines = lines(text.as_bytes());
    let jobs = jobs(text.as_bytes(), &lines);
    let named = |text: &str| -> BTreeSet<&str> {
        all.iter()
            .chain([to])
            .filter(|series| series.is_in(text))
            .map(|series| series.directory.as_str())
            .collect()
    };
    let is_alone = |text: &str| named(text) == BTreeSet::from([from.directory.as_str()]);
    let (alone, others): (Vec<&Job>, Vec<&Job>) = jobs
        .iter()
        .partition(|job| is_alone(&text[job.span.clone()]));
    let mut repeats = Vec::new();
    let mut unnamed = Vec::new();
    let has_twin = jobs
        .iter()
        .any(|job| named(&text[job.span.clone()]) == BTreeSet::from([to.directory.as_str()]));
    if let Some(last) = alone.last().filter(|_| !has_twin) {
        for job in &alone {
            let name = &text[job.name.clone()];
            if !from.is_in(name) {
                unnamed.push(name.to_owned());
                continue;
            }
            let before = jobs.partition_point(|other| other.span.start < job.span.start);
            let before = before.checked_sub(1).map(|before| jobs[before].span.end);
            let gap = before.map_or("", |end| &text[end..job.span.start]);
            let body = format!("{gap}{}", &text[job.span.clone()]);
            repeats.push(Repeat {
                at: last.span.end,
                text: from.moved(&body, to),
                label: "job",
                name: from.moved(name, to),
            });
        }
    }
    let is_in = |jobs: &[&Job], at: usize| {
        let before = jobs.partition_point(|job| job.span.start <= at);
        before
            .checked_sub(1)
            .is_some_and(|before| jobs[before].span.contains(&at))
    };
    let outside = |line: &Line| !is_in(&alone, line.span.start);
    for list in lists(text.as_bytes(), &lines) {
        let first = &lines[list[0].start];
        let span = |item: &Range<usize>| lines[item.start].span.start..lines[item.end - 1].span.end;
        let all: BTreeSet<&str> = list
            .iter()
            .flat_map(|item| named(&text[span(item)]))
            .collect();
        let mine: Vec<&Range<usize>> = list
            .iter()
            .filter(|item| is_alone(&text[span(item)]))
            .collect();
        let is_job_list = is_in(&others, first.span.start) || jobs.is_empty() || outside(first);
        if let Some(last) = mine
            .last()
            .filter(|_| all.len() > 1 && !all.contains(to.directory.as_str()) && is_job_list)
        {
            // What is called by an `id` can be there once.
            let is_id = |line: &Line| {
                let said = &text[line.span.start..line.end];
                line.key(text.as_bytes()) == Some(b"id") && !from.is_in(said)
            };
            let lines_of = |item: &&Range<usize>| lines[(*item).clone()].iter();
            if let Some(line) = mine.iter().flat_map(lines_of).find(|line| is_id(line)) {
                unnamed.push(text[line.span.start..line.end].trim().to_owned());
                continue;
            }
            let body: String = mine.iter().map(|item| &text[span(item)]).collect();
            let at = span(last).end;
            repeats.push(Repeat {
                at,
                text: from.moved(&body, to),
                label: "directory",
                name: to.directory.clone(),
            });
        }
    }
    for line in lines.iter().filter(|line| outside(line)) {
        repeats.extend(in_line(text, line, (from, to), &named));
    }
    let (text, edits) = inserted(text, repeats);
    (text, edits, unnamed)
}

/// Lists in brackets: an item behind the last one that is the series.
fn in_line<'a>(
    text: &str,
    line: &Line,
    (from, to): (&Series, &Series),
    named: &dyn Fn(&str) -> BTreeSet<&'a str>,
) -> Vec<Repeat> {
    let repeat = |items: Vec<Range<usize>>| {
        let said = |item: &Range<usize>| named(&text[item.clone()]);
        let all: BTreeSet<&str> = items.iter().flat_map(said).collect();
        let is_it = |item: &&Range<usize>| said(item) == BTreeSet::from([from.directory.as_str()]);
        let mine: Vec<&Range<usize>> = items.iter().filter(is_it).collect();
        let item = *mine.last()?;
        let is_open = all.len() > 1 && !all.contains(to.directory.as_str());
        let words = mine.iter().map(|item| text[(*item).clone()].trim());
        let new: String = words
            .map(|word| format!(", {}", from.moved(word, to)))
            .collect();
        is_open.then(|| Repeat {
            at: item.start + text[item.clone()].trim_end().len(),
            text: new,
            label: "directory",
            name: to.directory.clone(),
        })
    };
    line.lists(text).into_iter().filter_map(repeat).collect()
}

/// The text with what is repeated put in, and what a summary says of it.
fn inserted(text: &str, mut repeats: Vec<Repeat>) -> (String, Vec<Edit>) {
    repeats.sort_by_key(|repeat| repeat.at);
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let (mut out, mut from, mut starts) = (String::with_capacity(text.len()), 0, Vec::new());
    for Repeat {
        at,
        text: new,
        label,
        name,
    } in repeats
    {
        out.push_str(&text[from..at]);
        let is_line = label == "job" || new.ends_with('\n');
        if is_line && !out.ends_with('\n') {
            out.push_str(newline);
        }
        let blank = new.len() - new.trim_start_matches(['\r', '\n']).len();
        starts.push((out.len() + blank, label, name));
        out.push_str(&new);
        from = at;
    }
    out.push_str(&text[from..]);
    let places = Places::new(out.as_bytes());
    let edits = starts
        .into_iter()
        .map(|(at, label, expected)| Edit::new(label.to_owned(), places.of(at).0, "", &expected));
    let edits = edits.collect();
    (out, edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::series::tests::series;

    #[test]
    fn a_new_series_gets_twins_of_jobs_and_items_of_lists() {
        let all = [series("2.12.x", "2.12.15"), series("2.14.x", "2.14.5")];
        let text = "\
on: push
jobs:
  linux-2_12:
    if: ${{ startsWith(github.ref_name, 'v2.12.') }}
    steps:
      - run: cd ./2.12.x/tests

  linux-2_14:
    if: ${{ startsWith(github.ref_name, 'v2.14.') }}
    steps:
      - run: cd ./2.14.x/tests

  windows-2_14:
    needs: linux-2_14
    steps:
      - run: cd ./2.14.x/tests

  all:
    strategy:
      matrix:
        series: [2.12.x, '2.14.x']
        version:
          - 2.12.x
          - 2.14.x # newest
          - other
";
        let new = series("2.16.x", "2.16.0");
        let (found, edits, unnamed) = with_series(text, (&all[1], &new), &all);
        let twins = "
  linux-2_16:
    if: ${{ startsWith(github.ref_name, 'v2.16.') }}
    steps:
      - run: cd ./2.16.x/tests

  windows-2_16:
    needs: linux-2_16
    steps:
      - run: cd ./2.16.x/tests
";
        let expected = text
            .replace("\n  all:", &format!("{twins}\n  all:"))
            .replace("'2.14.x']", "'2.14.x', '2.16.x']")
            .replace(
                "          - 2.14.x # newest\n",
                "          - 2.14.x # newest\n          - 2.16.x # newest\n",
            );
        assert_eq!(found, expected);
        let said: Vec<&str> = edits.iter().map(|edit| edit.expected.as_str()).collect();
        assert_eq!(said, ["linux-2_16", "windows-2_16", "2.16.x", "2.16.x"]);
        assert!(unnamed.is_empty());
        assert_eq!(with_series(&found, (&all[1], &new), &all).0, found);
    }
}
