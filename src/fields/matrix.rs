//! The matrices of jobs: their axes, what is included and excluded, and the combinations of their items, where those are literal.
//!
//! What is made of the items is in `items`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::spans::{after, is_blank, is_tag, is_word, skip, trimmed_end, unquoted};
use super::workflow::Line;
use crate::repository::config::Pattern;

/// A matrix with more combinations is left alone: GitHub runs 256 jobs of one.
pub(super) const MOST: usize = 256;
/// What an expression takes from a matrix: `year`, or a field of an item that is a mapping: `image.variant`.
pub(super) type Key<'t> = (&'t [u8], &'t [u8]);
pub(super) type Row<'t> = BTreeMap<Key<'t>, Range<usize>>;
/// The items of the axes, by key.
pub(super) type Columns<'t> = BTreeMap<Key<'t>, Vec<Range<usize>>>;

/// The literal items of a job's matrix.
#[derive(Default)]
pub(super) struct Matrix<'t> {
    pub(super) axes: BTreeMap<&'t [u8], Vec<Row<'t>>>,
    pub(super) included: Vec<Row<'t>>,
    pub(super) excluded: Vec<Row<'t>>,
}

impl<'t> Matrix<'t> {
    /// The matrix of a job with those lines.
    pub(super) fn of(text: &'t [u8], lines: &[Line]) -> Self {
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
                    let items = values.into_iter().map(|item| single(name, item));
                    matrix.axes.insert(name, items.collect());
                    continue;
                }
                let (rows, key_of) = match section {
                    b"include" => (&mut matrix.included, (name, &b""[..])),
                    b"exclude" => (&mut matrix.excluded, (name, &b""[..])),
                    _ => (matrix.axes.entry(section).or_default(), (section, name)),
                };
                let opens = text[..key.start].trim_ascii_end().ends_with(b"{");
                if is_item && number == 0 || rows.is_empty() || opens {
                    rows.push(Row::new());
                }
                let row = rows.last_mut().zip(values.into_iter().next());
                row.map(|(row, value)| row.insert(key_of, value));
            }
            if keys.is_empty() && !in_first {
                let start = line.span.start + line.indent + usize::from(is_item);
                let more = values(text, start..line.end).into_iter();
                let more = more.map(|item| single(section, item));
                matrix.axes.entry(section).or_default().extend(more);
            }
        }
        let is_literal = |span: &Range<usize>| !text[span.clone()].contains(&b'$');
        matrix.axes.retain(|_, items| {
            // Of mappings each field is known by itself; what stands in lists in them is no item.
            let is_mapping = |item: &Row| item.keys().any(|(_, field)| !field.is_empty());
            if items.iter().any(is_mapping) {
                items.retain(is_mapping);
                let fields = items.iter_mut();
                fields.for_each(|item| item.retain(|_, value| is_literal(value)));
            }
            !items.is_empty() && items.iter().flat_map(Row::values).all(is_literal)
        });
        matrix
    }

    /// The items of the axes by key; of fields of mappings those that every item has.
    pub(super) fn columns(&self) -> Columns<'t> {
        let mut columns = Columns::new();
        for items in self.axes.values() {
            let mut own = Columns::new();
            for (key, value) in items.iter().flatten() {
                own.entry(*key).or_default().push(value.clone());
            }
            own.retain(|_, column| column.len() == items.len());
            columns.append(&mut own);
        }
        columns
    }

    /// The one key whose items are version directories: what is made without naming a directory is for those.
    pub(super) fn series(
        &self,
        text: &[u8],
        columns: &Columns<'t>,
        pattern: &Pattern,
    ) -> Option<Key<'t>> {
        let is_directory = |span: &Range<usize>| pattern.is_name(&text[span.clone()]);
        let axes = columns.iter();
        let axes = axes.filter(|(_, items)| items.iter().all(is_directory));
        let mut keys: BTreeSet<Key> = axes.map(|(key, _)| *key).collect();
        for (key, value) in self.included.iter().flatten() {
            if !self.axes.contains_key(key.0) && is_directory(value) {
                keys.insert(*key);
            }
        }
        keys.first().copied().filter(|_| keys.len() == 1)
    }

    /// Every combination of the items of these keys.
    pub(super) fn rows(&self, text: &[u8], keys: &BTreeSet<Key<'t>>) -> Vec<Row<'t>> {
        // What is included for some items of the matrix says more of those: their keys are needed to know which.
        let is_more = |row: &&Row| {
            let mut keys = row.keys().filter(|key| keys.contains(*key));
            keys.any(|key| !self.axes.contains_key(key.0))
        };
        let more: Vec<&Row> = self.included.iter().take(MOST).filter(is_more).collect();
        let needed = keys.iter().chain(more.iter().flat_map(|row| row.keys()));
        let needed: BTreeSet<Key> = needed.copied().collect();
        let axes: BTreeSet<&[u8]> = needed.iter().map(|(axis, _)| *axis).collect();
        let mut rows = vec![Row::new()];
        for items in axes.iter().filter_map(|axis| self.axes.get(axis)) {
            if rows.len() * items.len() > MOST {
                return Vec::new();
            }
            let with = |row: &Row<'t>| {
                let one = |item: &Row<'t>| {
                    let of_item = |key: &Key<'t>| Some((*key, item.get(key)?.clone()));
                    let mut row = row.clone();
                    row.extend(needed.iter().filter_map(of_item));
                    row
                };
                items.iter().map(one).collect::<Vec<_>>()
            };
            rows = rows.iter().flat_map(with).collect();
        }
        let same = |a: &Range<usize>, b: &Range<usize>| text[a.clone()] == text[b.clone()];
        for row in &mut rows {
            for more in &more {
                let is_own = |(key, value): (&Key, &Range<usize>)| {
                    row.get(key).is_none_or(|own| same(own, value))
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

/// The item of an axis that is a scalar.
fn single(axis: &[u8], item: Range<usize>) -> Row<'_> {
    Row::from([((axis, &b""[..]), item)])
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

/// The expressions of a line that take something from the matrix, each with its key.
pub(super) fn keys<'t>(
    text: &'t [u8],
    line: &Line,
) -> impl Iterator<Item = (Range<usize>, Key<'t>)> {
    line.expressions.iter().filter_map(|inside| {
        let key = text[inside.clone()].trim_ascii().strip_prefix(b"matrix.")?;
        let is_name = key.iter().all(|byte| is_path(*byte));
        is_name.then(|| (inside.clone(), as_key(key)))
    })
}

/// Whether a byte is one of a path in an expression: `matrix.windows.runner`.
pub(super) fn is_path(byte: u8) -> bool {
    b"-.".contains(&byte) || is_word(byte)
}

/// The last name of a key: `variant` of `image.variant`.
pub fn last_name<'t>((axis, field): Key<'t>) -> &'t [u8] {
    let last = field.rsplit(|byte| *byte == b'.').next();
    last.filter(|last| !last.is_empty()).unwrap_or(axis)
}

/// `year`, or `image.variant`, split.
pub(super) fn as_key(said: &[u8]) -> Key<'_> {
    let dot = memchr::memchr(b'.', said);
    dot.map_or((said, b""), |dot| (&said[..dot], &said[dot + 1..]))
}

/// What a line compares keys of the matrix with: `matrix.year == '2022'`.
pub fn compared<'t>(text: &'t [u8], line: &Line) -> impl Iterator<Item = (Key<'t>, Range<usize>)> {
    let code = line.span.start..line.end;
    let keys = memchr::memmem::find_iter(&text[code.clone()], b"matrix.");
    let compared = move |at: usize| {
        let start = code.start + at + b"matrix.".len();
        let end = skip(text, start, is_path);
        let sign = skip(text, end, is_blank);
        let value = after(text, sign, b"==").or(after(text, sign, b"!="))?;
        let value = unquoted(text, skip(text, value, is_blank));
        let value = value..skip(text, value, is_tag);
        (!value.is_empty()).then(|| (as_key(&text[start..end]), value))
    };
    keys.filter_map(compared)
}

/// Where the values are that included rows give to items which the matrix of a job has: a second row would take the place of the
/// first one, rather than stand beside it.
pub fn saying_more(text: &[u8], lines: &[Line]) -> BTreeSet<usize> {
    let matrix = Matrix::of(text, lines);
    let said = |span: &Range<usize>| &text[span.clone()];
    let axes = matrix.columns().into_iter();
    let axes = axes.map(|(key, items)| (key, items.iter().map(said).collect()));
    let axes: BTreeMap<Key, BTreeSet<&[u8]>> = axes.collect();
    let is_one = |row: &&Row| {
        let known = row
            .iter()
            .filter_map(|(key, value)| Some((axes.get(key)?, value)));
        let known = known.map(|(items, value)| items.contains(said(value)));
        known.reduce(|all, one| all && one) == Some(true)
    };
    let values = matrix.included.iter().filter(is_one).flatten();
    let more = values.filter(|(key, _)| !axes.contains_key(*key));
    more.map(|(_, value)| value.start).collect()
}
