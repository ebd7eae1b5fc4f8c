//! Names that a workflow makes of the items of a matrix: `./${{ matrix.series }}/nanoserver-ltsc${{ matrix.ltsc }}`.
//!
//! An item states what is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::matrix::{Key, MOST, Matrix, Row, compared, keys};
use super::spans::has;
use super::workflow::{Line, Structure};
use super::{Field, Kind, Made, Named, TESTS, found};
use crate::repository::config::Pattern;

/// How many bytes of lines are made in one workflow, at most.
const BUDGET: usize = 4 << 20;

/// What tells the names in a line: the pattern of version directories, and the fields of a line by itself.
pub(super) type Names<'n> = (&'n Pattern, &'n dyn Fn(&[u8]) -> Vec<Field>);

/// An item of the matrix in a line that is made of it: where it is in that line, where it is in the text, and where the
/// expression ends that it replaces.
struct Piece {
    at: Range<usize>,
    item: Range<usize>,
    end: usize,
}

/// Adds the items of matrices of which names are made.
pub(super) fn complete(text: &[u8], structure: &Structure, fields: &mut Vec<Field>, names: Names) {
    let mut new = Vec::new();
    let mut put = |(start, end): Span, kind: Kind| {
        let place = fields.partition_point(|field| field.span.end <= start);
        let there = fields.get_mut(place).filter(|field| field.span.start < end);
        let Some(field) = there else {
            // Where a directory is called by a version alone, only paths tell that an item is one.
            new.push(Field {
                span: start..end,
                kind,
                in_comment: false,
            });
            return;
        };
        let fits = match kind {
            Kind::Directory { .. } => field.is_directory(),
            _ => matches!(field.kind, Kind::Variant { .. } | Kind::Caption { .. }),
        };
        if fits {
            field.kind = kind;
        }
    };
    let mut budget = BUDGET;
    for job in &structure.jobs {
        let lines = &structure.lines[job.part.lines.clone()];
        let mut found = Items::default();
        found.add((text, lines), job.directory.as_deref(), names, &mut budget);
        for place in found.directories {
            put(place, Kind::Directory { is_certain: true });
        }
        for (place, made) in found.made {
            let made = made.into_iter().collect();
            put(place, Kind::Item { made });
        }
    }
    if !new.is_empty() {
        fields.extend(new);
        fields.sort_by_key(|field| field.span.start);
    }
}

type Span = (usize, usize);

/// The items of a job's matrix of which names are made, each with those names; and those that are directories in paths.
#[derive(Default)]
struct Items {
    made: BTreeMap<Span, BTreeSet<Made>>,
    directories: BTreeSet<Span>,
}

impl Items {
    /// Adds those of a job; `of_job` is the series that the job names where nothing else says it.
    fn add(
        &mut self,
        (text, lines): (&[u8], &[Line]),
        of_job: Option<&str>,
        names: Names,
        budget: &mut usize,
    ) {
        let with_keys: Vec<&Line> = lines
            .iter()
            .filter(|line| keys(text, line).next().is_some())
            .collect();
        if with_keys.is_empty() {
            return;
        }
        let matrix = Matrix::of(text, lines);
        let columns = matrix.columns();
        let series = matrix.series(text, &columns, names.0);
        let series = series.filter(|_| of_job.is_none());
        // What is done only for some rows cannot be told.
        let has_conditions = lines.iter().any(|line| {
            let code = &text[line.span.start..line.end];
            line.key(text) == Some(b"if") && has(code, b"matrix.")
        });
        for line in with_keys {
            let own = keys(text, line).map(|(_, key)| key);
            let rows = matrix.rows(text, &own.chain(series).collect());
            let others = matrix.excluded.len() + matrix.included.len();
            let cost = rows.len() * (line.end - line.span.start + others);
            match budget.checked_sub(cost + others) {
                Some(left) => *budget = left,
                None => return,
            }
            for row in rows {
                let implied = series.and_then(|key| row.get(&key));
                let implied = implied.map(|span| found(text, span));
                let of_row = of_job.or(implied.as_deref());
                self.add_line(names, made(text, line, &row), of_row, has_conditions);
            }
        }
        let included = matrix.included.chunks(MOST).next();
        let included = included.filter(|_| !has_conditions);
        let axes = matrix.axes.values().map(Vec::as_slice);
        for rows in axes.chain(included) {
            self.spread(text, rows, names.0);
        }
        // What is included for items, excluded, or compared with, is called as the items are, and moves with them.
        let included = matrix.included.iter().take(MOST).flatten();
        let excluded = matrix.excluded.iter().take(MOST).flatten();
        let included = included.map(|(key, span)| (*key, span.clone(), !has_conditions));
        let excluded = excluded.map(|(key, span)| (*key, span.clone(), false));
        let compared = lines.iter().flat_map(|line| compared(text, line));
        let compared = compared.map(|(key, span)| (key, span, false));
        let others = included.chain(excluded).chain(compared.take(MOST));
        for (key, span, is_any) in others {
            let said = |item: &Range<usize>| &text[item.clone()];
            let axis = columns.get(&key).map_or(&[][..], Vec::as_slice);
            let same = axis.iter().find(|item| said(item) == said(&span));
            let model = same.or(axis.first().filter(|_| is_any));
            let is_series =
                |item: &&Range<usize>| self.directories.contains(&(item.start, item.end));
            if same.filter(is_series).is_some() {
                self.directories.insert((span.start, span.end));
            }
            let made = model.and_then(|item| self.made.get(&(item.start, item.end)).cloned());
            if let Some(made) = made {
                self.made.entry((span.start, span.end)).or_insert(made);
            }
        }
    }

    /// Where the items of other rows are names of variants, or of series, those of the same key are expected to be such names too.
    fn spread(&mut self, text: &[u8], rows: &[Row], pattern: &Pattern) {
        let mut columns: BTreeMap<Key, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            for key in row.keys() {
                columns.entry(*key).or_default().push(row);
            }
        }
        let has_series =
            |(key, rows): &(&Key, &Vec<&Row>)| pattern.is_name(&text[rows[0][*key].clone()]);
        let series = columns.iter().filter(has_series).map(|(key, _)| *key);
        // No matrix has more keys with series.
        let series: Vec<Key> = series.take(8).collect();
        for (key, rows) in columns {
            let place = |row: &Row| (row[&key].start, row[&key].end);
            let is_series = rows
                .iter()
                .any(|row| self.directories.contains(&place(row)));
            if is_series && pattern.has_series() {
                self.directories.extend(rows.iter().map(|row| place(row)));
            }
            let is_model = |row: &&Row| {
                let mut made = self.made.get(&place(row)).into_iter().flatten();
                made.any(|one| one.names == Named::Variant && one.name("").is_empty())
            };
            let Some(model) = rows.iter().copied().find(is_model) else {
                continue;
            };
            let made = self.made[&place(model)].iter().cloned();
            // The directory that an item of the model's row gives, the same item of another row gives.
            let said = |one: &Made| {
                let directory = one.directory.as_deref()?.as_bytes();
                let is_it = |span: &Range<usize>| text[span.clone()] == *directory;
                let mut series = series.iter().copied();
                series.find(|key| model.get(key).is_some_and(is_it))
            };
            let made: Vec<(Option<Key>, Made)> = made.map(|one| (said(&one), one)).collect();
            for row in rows {
                let is_tests = text[row[&key].clone()] == *TESTS.as_bytes();
                let own = |(by, one): &(Option<Key>, Made)| {
                    let directory = match by {
                        Some(by) => Some(found(text, row.get(by)?).into()),
                        None => one.directory.clone(),
                    };
                    Some(Made {
                        directory,
                        ..one.clone()
                    })
                };
                let own: BTreeSet<Made> = made.iter().filter_map(own).collect();
                if !own.is_empty() && !is_tests {
                    self.made.entry(place(row)).or_insert(own);
                }
            }
        }
    }

    /// Adds those of a line that a row makes; `of_row` is the series that this is about.
    fn add_line(
        &mut self,
        names: Names,
        (line, pieces): (Vec<u8>, Vec<Piece>),
        of_row: Option<&str>,
        has_conditions: bool,
    ) {
        for Field { span, kind, .. } in (names.1)(&line) {
            let (names, directory) = match kind {
                Kind::Directory { is_certain: true } => (Named::Directory, None),
                Kind::Variant { directory } => (Named::Variant, directory),
                Kind::Script { directory } => (Named::Script, directory),
                _ => continue,
            };
            let is_inside =
                |piece: &&Piece| span.start <= piece.at.start && piece.at.end <= span.end;
            let is_apart = |piece: &Piece| piece.at.end <= span.start || span.end <= piece.at.start;
            let above = |piece: &&Piece| piece.at.end + 1 == span.start;
            let (place, at) = match pieces.iter().rfind(is_inside) {
                Some(piece) => (piece.item.clone(), piece.at.clone()),
                // Written out below a folder that the matrix makes: it is expected in each row.
                None if names == Named::Variant
                    && !has_conditions
                    && pieces.iter().all(is_apart) =>
                {
                    let Some(above) = pieces.iter().find(above) else {
                        continue;
                    };
                    let start = above.end + 1;
                    (start..start + span.len(), span.clone())
                }
                None => continue,
            };
            let place = (place.start, place.end);
            if names == Named::Directory && at == span {
                self.directories.insert(place);
                continue;
            }
            let said = |part: Range<usize>| found(&line, &part).into();
            self.made.entry(place).or_default().insert(Made {
                names,
                directory: directory.or(of_row.map(Into::into)),
                before: said(span.start..at.start),
                after: said(at.end..span.end),
            });
        }
    }
}

/// A line with its expressions replaced by the items of a row.
fn made(text: &[u8], line: &Line, row: &Row) -> (Vec<u8>, Vec<Piece>) {
    let (mut made, mut pieces, mut from) = (Vec::new(), Vec::new(), line.span.start);
    for (inside, key) in keys(text, line) {
        let Some(item) = row.get(&key).cloned() else {
            continue;
        };
        made.extend(&text[from..inside.start - 3]);
        let start = made.len();
        made.extend(&text[item.clone()]);
        from = inside.end + 2;
        pieces.push(Piece {
            at: start..made.len(),
            item,
            end: from,
        });
    }
    made.extend(&text[from..line.end.max(from)]);
    (made, pieces)
}
