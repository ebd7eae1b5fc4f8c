//! The runners of a workflow that move with the Windows that they are for, and the names of jobs that move with their runners.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Expected, Field, Kind};
use crate::repository::Document;

/// Moves the Windows runners of a workflow, where everything moves that their row of a matrix, or else their job, names of the
/// old Windows. `years` are old and new, `expected` what each field is expected to say.
pub(super) fn move_windows(
    document: &Document,
    years: &BTreeMap<String, String>,
    expected: &mut [Expected],
) {
    if years.is_empty() {
        return;
    }
    let structure = &document.facts.structure;
    let of_old = document.windows_years();
    let of_old = of_old.filter(|(_, year)| years.contains_key(&year.to_string()));
    let of_old: BTreeSet<usize> = of_old.map(|(at, _)| at).collect();
    // Where variants and scripts of an old Windows are named, and how many of them move, up to each.
    let fields = document.fields.iter().zip(expected.iter());
    let names = fields.filter(|(field, _)| of_old.contains(&field.span.start));
    let (mut places, mut moving) = (Vec::new(), vec![0]);
    for (field, expected) in names {
        places.push(field.span.start);
        let moves = expected.instead_of(&document.found(field)).is_some();
        moving.push(moving[places.len() - 1] + usize::from(moves));
    }
    // Whether all of the names in a part move; nothing where there are none.
    let all_move = |part: &Range<usize>| {
        let number = |at: usize| places.partition_point(|place| *place < at);
        let (first, end) = (number(part.start), number(part.end));
        (first < end).then(|| moving[end] - moving[first] == end - first)
    };
    let moves = |field: &Field| {
        let Kind::Runner { system, .. } = &field.kind else {
            return None;
        };
        let new = years
            .get(&*document.found(field))
            .filter(|_| **system == *"windows")?;
        let at = field.span.start;
        let row = structure.item_at(at).filter(|_| structure.is_in_matrix(at));
        let row = row.map(|row| row.span);
        let of_row = row.and_then(|row| all_move(&row));
        let of_job = || all_move(&structure.job_at(at)?.part.span);
        of_row
            .or_else(of_job)
            .filter(|all| *all)
            .map(|_| Expected::Exactly(new.clone()))
    };
    let moved: Vec<Option<Expected>> = document.fields.iter().map(moves).collect();
    for (expected, moved) in expected.iter_mut().zip(moved) {
        if let (Expected::Anything, Some(moved)) = (&expected, moved) {
            *expected = moved;
        }
    }
}

/// Moves the names of jobs that are named after their runner, where all runners of theirs at that version move to one other, and no
/// job has the new name.
pub(super) fn move_names(document: &Document, expected: &mut [Expected]) {
    let structure = &document.facts.structure;
    let text = &document.text;
    // Where the runners of each job go: old version → new ones.
    let mut moved: BTreeMap<(usize, String), BTreeSet<Option<String>>> = BTreeMap::new();
    for (field, expected) in document.fields.iter().zip(expected.iter()) {
        if let (Kind::Runner { .. }, Some(job)) =
            (&field.kind, structure.job_number(field.span.start))
        {
            let found = document.found(field);
            let new = expected.instead_of(&found).map(str::to_owned);
            moved
                .entry((job, found.into_owned()))
                .or_default()
                .insert(new);
        }
    }
    let names: BTreeSet<&[u8]> = structure
        .jobs
        .iter()
        .map(|job| &text[job.name.clone()])
        .collect();
    for (field, expected) in document.fields.iter().zip(expected) {
        let Kind::JobName { job } = field.kind else {
            continue;
        };
        let found = document.found(field).into_owned();
        let name = String::from_utf8_lossy(&text[structure.jobs[job].name.clone()]);
        let all = moved
            .get(&(job, found.clone()))
            .filter(|all| all.len() == 1);
        if let Some(Some(new)) = all.and_then(BTreeSet::first)
            && !names.contains(name.replace(&found, new).as_bytes())
        {
            *expected = Expected::Exactly(new.clone());
        }
    }
}
