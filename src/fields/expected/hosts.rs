//! The runners of a workflow that move with the Windows that they are for.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Expected, Field, Kind};
use crate::repository::Document;

/// Moves the runners of a workflow: where all that their row of a matrix, or else their job, names of the old Windows moves. `years`
/// are old and new, `expected` what each field is to say.
pub(super) fn move_along(
    document: &Document,
    years: &BTreeMap<String, String>,
    expected: &mut [Expected],
) {
    let structure = &document.facts.structure;
    let is_old = |found: &str| years.keys().any(|year| found.contains(year.as_str()));
    // Where something is named that is of an old Windows, or comes from one, and whether it moves.
    let fields = || document.fields.iter().zip(expected.iter());
    let names = fields().filter(|(field, _)| field.names_something() && !field.in_comment);
    let names = names.filter_map(|(field, expected)| {
        let found = document.found(field);
        let moves = expected.instead_of(&found).is_some();
        is_old(&found).then_some((field.span.start, moves))
    });
    let names: Vec<(usize, bool)> = names.collect();
    let all_move = |part: &Range<usize>| {
        let from = names.partition_point(|(at, _)| *at < part.start);
        let inside = names[from..].iter().take_while(|(at, _)| *at < part.end);
        let (count, moving) = inside.fold((0, 0), |(count, moving), (_, moves)| {
            (count + 1, moving + usize::from(*moves))
        });
        count > 0 && count == moving
    };
    let moves = |field: &Field| {
        let Kind::Runner { system } = &field.kind else {
            return None;
        };
        let new = years
            .get(&*document.found(field))
            .filter(|_| **system == *"windows")?;
        let at = field.span.start;
        let part = match structure.is_in_matrix(at) {
            true => structure.item_at(at)?,
            false => structure.job_at(at)?.part.span.clone(),
        };
        all_move(&part).then(|| Expected::Exactly(new.clone()))
    };
    let moved: Vec<Option<Expected>> = document.fields.iter().map(moves).collect();
    for (expected, moved) in expected.iter_mut().zip(moved) {
        if let (Expected::Anything, Some(moved)) = (&expected, moved) {
            *expected = moved;
        }
    }
}
