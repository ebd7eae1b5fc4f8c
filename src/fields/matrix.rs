//! Names that a workflow makes of its matrix: `./${{ matrix.series }}/nanoserver-ltsc${{ matrix.ltsc }}`.
//!
//! They are resolved over the items of the matrix, where those are literal. An item states what is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::spans::{after, has, is_blank, is_tag, is_word, skip, trimmed_end, unquoted};
use super::workflow::{Line, Structure};
use super::{Field, Kind, Made, Named, TESTS, found};
use crate::repository::config::Pattern;

/// A matrix with more combinations is left alone: GitHub runs 256 jobs of one.
const MOST: usize = 256;
/// How many bytes of lines are made in one workflow, at most.
const BUDGET: usize = 4 << 20;

type Row<'t> = BTreeMap<&'t [u8], Range<usize>>;

/// The literal items of a job's matrix.
#[derive(Default)]
struct Matrix<'t> {
    axes: BTreeMap<&'t [u8], Vec<Range<usize>>>,
    included: Vec<Row<'t>>,
    excluded: Vec<Row<'t>>,
}

impl<'t> Matrix<'t> {
    /// The matrix of a job with those lines.
    fn of(text: &'t [u8], lines: &[Line]) -> Self {
        let mut matrix = Self::default();
        let is_matrix = |key: &Range<usize>| text[key.clone()] == *b"matrix";
        let named =
            |(first, line): (usize, &Line)| Some((first, line.keys.iter().position(is_matrix)?));
        let Some((first, at)) = lines.iter().enumerate().find_map(named) else {
            return matrix;
        };
        let inside = |line: &&Line| line.indent > lines[first].indent;
        let inner = lines[first + 1..].iter().take_while(inside);
        let top = lines.get(first + 1).map(|line| line.indent);
        let mut section: &[u8] = b"";
        for line in lines[first..=first].iter().chain(inner) {
            let is_item = line.is_item;
            let in_first = line.span.start == lines[first].span.start;
            let keys = &line.keys[if in_first { at + 1 } else { 0 }..];
            for (number, key) in keys.iter().enumerate() {
                let end = keys.get(number + 1).map_or(line.end, |next| next.start);
                let name = &text[key.clone()];
                let colon = skip(text, key.end, |byte| byte != b':') + 1;
                let values = values(text, colon.min(end)..end);
                if in_first || number == 0 && !is_item && Some(line.indent) == top {
                    section = name;
                    matrix.axes.insert(name, values);
                    continue;
                }
                let rows = match section {
                    b"include" => &mut matrix.included,
                    b"exclude" => &mut matrix.excluded,
                    _ => continue,
                };
                let opens = text[..key.start].trim_ascii_end().ends_with(b"{");
                if is_item && number == 0 || rows.is_empty() || opens {
                    rows.push(Row::new());
                }
                let row = rows.last_mut().zip(values.into_iter().next());
                row.map(|(row, value)| row.insert(name, value));
            }
            if keys.is_empty() && !in_first {
                let start = line.span.start + line.indent + usize::from(is_item);
                let more = values(text, start..line.end);
                matrix.axes.entry(section).or_default().extend(more);
            }
        }
        let is_literal = |span: &Range<usize>| !text[span.clone()].contains(&b'$');
        matrix
            .axes
            .retain(|_, items| !items.is_empty() && items.iter().all(is_literal));
        matrix
    }

    /// The one key whose items are version directories: what is made without naming a directory is for those.
    fn series(&self, text: &[u8], pattern: &Pattern) -> Option<&'t [u8]> {
        let is_directory = |span: &Range<usize>| pattern.is_name(&text[span.clone()]);
        let axes = self.axes.iter();
        let axes = axes.filter(|(_, items)| items.iter().all(is_directory));
        let mut keys: BTreeSet<&[u8]> = axes.map(|(key, _)| *key).collect();
        for (key, value) in self.included.iter().flatten() {
            if !self.axes.contains_key(key) && is_directory(value) {
                keys.insert(key);
            }
        }
        keys.first().copied().filter(|_| keys.len() == 1)
    }

    /// Every combination of the items of these keys.
    fn rows(&self, text: &[u8], keys: &BTreeSet<&'t [u8]>) -> Vec<Row<'t>> {
        // What is included for some items of the matrix says more of those: their keys are needed to know which.
        let is_more = |row: &&Row| {
            let mut keys = row.keys().filter(|key| keys.contains(*key));
            keys.any(|key| !self.axes.contains_key(key))
        };
        let more: Vec<&Row> = self.included.iter().take(MOST).filter(is_more).collect();
        let needed = keys.iter().chain(more.iter().flat_map(|row| row.keys()));
        let needed: BTreeSet<&[u8]> = needed.copied().collect();
        let mut rows = vec![Row::new()];
        for (key, items) in self.axes.iter().filter(|(key, _)| needed.contains(*key)) {
            if rows.len() * items.len() > MOST {
                return Vec::new();
            }
            let with = |row: &Row<'t>| {
                let one = |item: &Range<usize>| {
                    let mut row = row.clone();
                    row.insert(*key, item.clone());
                    row
                };
                items.iter().map(one).collect::<Vec<_>>()
            };
            rows = rows.iter().flat_map(with).collect();
        }
        let same = |a: &Range<usize>, b: &Range<usize>| text[a.clone()] == text[b.clone()];
        for row in &mut rows {
            for more in &more {
                let is_own = |(key, value): (&&[u8], &Range<usize>)| {
                    row.get(*key).is_none_or(|own| same(own, value))
                };
                if more.iter().all(is_own) {
                    row.extend(more.iter().map(|(key, value)| (*key, value.clone())));
                }
            }
        }
        let is_excluded = |row: &Row| {
            self.excluded.iter().any(|excluded| {
                !excluded.is_empty()
                    && excluded
                        .iter()
                        .all(|(key, value)| row.get(key).is_some_and(|own| same(own, value)))
            })
        };
        let is_whole = |row: &Row| keys.iter().all(|key| row.contains_key(key));
        rows.retain(|row| is_whole(row) && !is_excluded(row));
        rows.extend(
            self.included
                .iter()
                .filter(|row| is_whole(row))
                .take(MOST)
                .cloned(),
        );
        rows
    }
}

/// The scalars of a value: those of a list in brackets, or the single one.
fn values(text: &[u8], span: Range<usize>) -> Vec<Range<usize>> {
    let mut at = span.start;
    let parts = text[span].split(|byte| *byte == b',').map(|part| {
        at += part.len() + 1;
        at - part.len() - 1..at - 1
    });
    let is_around = |byte: u8| byte.is_ascii_whitespace() || b"[]{}\"'|>".contains(&byte);
    let bare = |part: Range<usize>| {
        let start = skip(text, part.start, is_around).min(part.end);
        let kept = trimmed_end(&text[start..part.end], is_around);
        start..start + kept.len()
    };
    // `series: &all`: what is called so is in the lines below.
    let is_value = |part: &Range<usize>| !part.is_empty() && !b"&*".contains(&text[part.start]);
    parts.map(bare).filter(is_value).collect()
}

/// What tells the names in a line: the pattern of version directories, and the fields of a line by itself.
pub(super) type Names<'n> = (&'n Pattern, &'n dyn Fn(&[u8]) -> Vec<Field>);

/// An item of the matrix in a line that is made of it: where it is in that line, where it is in the text, and where the
/// expression ends that it replaces.
struct Piece {
    at: Range<usize>,
    item: Range<usize>,
    end: usize,
}

/// The expressions of a line that take something from the matrix, each with its key.
fn keys<'t>(text: &'t [u8], line: &Line) -> impl Iterator<Item = (Range<usize>, &'t [u8])> {
    line.expressions.iter().filter_map(|inside| {
        let key = text[inside.clone()].trim_ascii().strip_prefix(b"matrix.")?;
        let is_name = key.iter().all(|byte| is_word(*byte) || *byte == b'-');
        is_name.then(|| (inside.clone(), key))
    })
}

/// What a line compares keys of the matrix with: `matrix.year == '2022'`.
pub fn compared<'t>(text: &'t [u8], line: &Line) -> impl Iterator<Item = (&'t [u8], Range<usize>)> {
    let code = line.span.start..line.end;
    let keys = memchr::memmem::find_iter(&text[code.clone()], b"matrix.");
    let compared = move |at: usize| {
        let start = code.start + at + b"matrix.".len();
        let end = skip(text, start, |byte| byte == b'-' || is_word(byte));
        let sign = skip(text, end, is_blank);
        let value = after(text, sign, b"==").or(after(text, sign, b"!="))?;
        let value = unquoted(text, skip(text, value, is_blank));
        let value = value..skip(text, value, is_tag);
        (!value.is_empty()).then(|| (&text[start..end], value))
    };
    keys.filter_map(compared)
}

/// Where the values of the included rows are that say more of items that the matrix of a job has: a second one would take the
/// place of such a row, rather than stand beside it.
pub fn saying_more(text: &[u8], lines: &[Line]) -> BTreeSet<usize> {
    let matrix = Matrix::of(text, lines);
    let said = |span: &Range<usize>| &text[span.clone()];
    let axes = matrix.axes.iter();
    let axes = axes.map(|(key, items)| (*key, items.iter().map(said).collect()));
    let axes: BTreeMap<&[u8], BTreeSet<&[u8]>> = axes.collect();
    let is_one = |row: &&Row| {
        let known = row
            .iter()
            .filter_map(|(key, value)| Some((axes.get(key)?, value)));
        let known = known.map(|(items, value)| items.contains(said(value)));
        known.reduce(|all, one| all && one) == Some(true)
    };
    let rows = matrix.included.iter().filter(is_one);
    rows.flat_map(Row::values)
        .map(|value| value.start)
        .collect()
}

/// A line with its expressions replaced by the items of a row.
fn made(text: &[u8], line: &Line, row: &Row) -> (Vec<u8>, Vec<Piece>) {
    let (mut made, mut pieces, mut from) = (Vec::new(), Vec::new(), line.span.start);
    for (inside, key) in keys(text, line) {
        let Some(item) = row.get(key).cloned() else {
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
        let series = matrix.series(text, names.0).filter(|_| of_job.is_none());
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
                let implied = series.and_then(|key| row.get(key));
                let implied = implied.map(|span| found(text, span));
                let of_row = of_job.or(implied.as_deref());
                self.add_line(names, made(text, line, &row), of_row, has_conditions);
            }
        }
        // Where other items are names of variants, or of series, this one is expected to be one too.
        for items in matrix.axes.values() {
            let places = items.iter().map(|item| (item.start, item.end));
            let is_series = places
                .clone()
                .any(|place| self.directories.contains(&place));
            if is_series && names.0.has_series() {
                self.directories.extend(places.clone());
            }
            let is_whole = |made: &&BTreeSet<Made>| {
                let mut made = made.iter();
                made.any(|one| one.names == Named::Variant && one.name("").is_empty())
            };
            let mut known = places.clone().filter_map(|place| self.made.get(&place));
            if let Some(model) = known.find(is_whole).cloned() {
                for place in places.filter(|(start, end)| text[*start..*end] != *TESTS.as_bytes()) {
                    self.made.entry(place).or_insert_with(|| model.clone());
                }
            }
        }
        // What is excluded, or compared with, is called as the items are, and moves with them.
        let excluded = matrix.excluded.iter().flatten();
        let excluded = excluded.map(|(key, span)| (*key, span.clone()));
        let compared = lines.iter().flat_map(|line| compared(text, line));
        for (key, span) in excluded.take(MOST).chain(compared.take(MOST)) {
            let said = |item: &Range<usize>| &text[item.clone()];
            let axis = matrix.axes.get(&key).map_or(&[][..], Vec::as_slice);
            let same = axis.iter().find(|item| said(item) == said(&span));
            let made = same.and_then(|item| self.made.get(&(item.start, item.end)).cloned());
            self.made
                .extend(made.map(|made| ((span.start, span.end), made)));
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
