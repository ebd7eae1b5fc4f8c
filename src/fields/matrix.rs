//! Names that a workflow makes of its matrix: `./${{ matrix.series }}/nanoserver-ltsc${{ matrix.ltsc }}`.
//!
//! They are resolved over the items of the matrix, where those are literal. What is made of an item is what it states.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::spans::{is_word, skip, trimmed_end};
use super::workflow::{Line, Structure};
use super::{Field, Kind, Made, Named, TESTS, found};

/// More combinations than these are nobody's matrix (GitHub runs 256 jobs of one), and are left alone.
const MOST: usize = 256;
/// How much is looked at in one job, counted in combinations and rows.
const BUDGET: usize = 20_000;

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
        let is_matrix = |line: &Line| line.key(text) == Some(b"matrix");
        let Some(first) = lines.iter().position(is_matrix) else {
            return matrix;
        };
        let inside = |line: &&Line| line.indent > lines[first].indent;
        let inner = lines[first + 1..].iter().take_while(inside);
        let top = lines.get(first + 1).map(|line| line.indent);
        let mut section: &[u8] = b"";
        for line in lines[first..=first].iter().chain(inner) {
            let is_item = line.is_item;
            let in_first = line.span.start == lines[first].span.start;
            let keys = &line.keys[usize::from(in_first)..];
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
    fn series(&self, text: &[u8], named: &dyn Fn(&str) -> Option<Named>) -> Option<&'t [u8]> {
        let is_directory = |span: &Range<usize>| {
            let item = String::from_utf8_lossy(&text[span.clone()]);
            named(&item) == Some(Named::Directory)
        };
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

    /// What these keys are together, in every combination that there is.
    fn rows(&self, text: &[u8], keys: &BTreeSet<&'t [u8]>) -> Vec<Row<'t>> {
        let mut rows = vec![Row::new()];
        for key in keys {
            let items = self.axes.get(key).map_or(&[][..], Vec::as_slice);
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
        let is_excluded = |row: &Row| {
            self.excluded.iter().any(|excluded| {
                !excluded.is_empty()
                    && excluded
                        .iter()
                        .all(|(key, value)| row.get(key).is_some_and(|own| same(own, value)))
            })
        };
        rows.retain(|row| !is_excluded(row));
        let whole = |row: &&Row| keys.iter().all(|key| row.contains_key(key));
        rows.extend(self.included.iter().filter(whole).take(MOST).cloned());
        rows
    }
}

/// The scalars of a value: of a list in brackets, or the one that it is.
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
    parts.map(bare).filter(|part| !part.is_empty()).collect()
}

/// A part of a name: as it stands, made of the matrix, or of anything else.
enum Piece<'t> {
    Text(Range<usize>),
    Item(&'t [u8]),
    Other,
}

/// A name between separators, in pieces.
#[derive(Default)]
struct Part<'t> {
    pieces: Vec<Piece<'t>>,
    /// It goes on behind a separator of paths, or stands behind one.
    is_path: bool,
}

impl<'t> Part<'t> {
    fn keys(&self) -> impl Iterator<Item = &'t [u8]> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Item(key) => Some(*key),
            _ => None,
        })
    }

    /// Where it stands, where it is a name as it stands below a folder that the matrix makes: it is one in each row.
    fn literal(&self, above: Option<&Self>) -> Option<Range<usize>> {
        match (self.pieces.as_slice(), above?.pieces.as_slice()) {
            ([Piece::Text(span)], [Piece::Item(_)]) if self.is_path => Some(span.clone()),
            _ => None,
        }
    }

    /// The name that a row makes, behind the last piece that nobody knows; and the last item in it: where it stands in the
    /// name, and where in the text.
    fn name(&self, text: &[u8], row: &Row) -> (String, Option<[Range<usize>; 2]>) {
        let (mut name, mut last) = (String::new(), None);
        for piece in &self.pieces {
            match piece {
                Piece::Text(span) => name += &found(text, span),
                Piece::Item(key) => {
                    let Some(span) = row.get(key) else { continue };
                    let start = name.len();
                    name += &String::from_utf8_lossy(&text[span.clone()]);
                    last = Some([start..name.len(), span.clone()]);
                }
                Piece::Other => {
                    name.clear();
                    last = None;
                }
            }
        }
        // `${{ … }}-alpine3.22`
        let is_other = |piece: &Piece| matches!(piece, Piece::Other);
        let is_cut = self.pieces.iter().any(is_other);
        match name.strip_prefix('-').filter(|_| is_cut) {
            Some(rest) => {
                // An item that begins with the dash itself is not what is named.
                let last = last.and_then(|[at, span]| {
                    let start = at.start.checked_sub(1)?;
                    Some([start..at.end - 1, span])
                });
                (rest.to_owned(), last)
            }
            None => (name, last),
        }
    }
}

/// The words of a line that have something of the matrix in them, each in its parts.
fn words<'t>(text: &'t [u8], line: &Line) -> Vec<Vec<Part<'t>>> {
    let mut at = line.span.start;
    let (mut words, mut word, mut from) = (Vec::new(), vec![Part::default()], at);
    let mut expressions = line.expressions.iter().peekable();
    while at <= line.end {
        let expression = expressions.next_if(|inside| inside.start == at + 3);
        let byte = text.get(at).copied().filter(|_| at < line.end);
        let is_separator = byte.is_some_and(|byte| b"/\\:".contains(&byte));
        let is_end =
            byte.is_none_or(|byte| byte.is_ascii_whitespace() || b"\"'`,;()=[]|&".contains(&byte));
        if expression.is_none() && !is_separator && !is_end {
            at += 1;
            continue;
        }
        let last = word.len() - 1;
        if at > from {
            word[last].pieces.push(Piece::Text(from..at));
        }
        if let Some(inside) = expression {
            let key = text[inside.clone()].trim_ascii().strip_prefix(b"matrix.");
            let key = key.filter(|key| key.iter().all(|byte| is_word(*byte) || *byte == b'-'));
            let piece = key.map_or(Piece::Other, Piece::Item);
            word[last].pieces.push(piece);
            at = inside.end + 2;
        } else {
            let is_path = byte.is_some_and(|byte| b"/\\".contains(&byte));
            word[last].is_path |= is_path;
            at += 1;
            if is_end {
                words.push(std::mem::replace(&mut word, vec![Part::default()]));
            } else {
                word.push(Part {
                    is_path,
                    ..Part::default()
                });
            }
        }
        from = at;
    }
    words.retain(|word: &Vec<Part>| word.iter().any(|part| part.keys().next().is_some()));
    words
}

/// Adds the items of matrices of which names are made. `named` tells what a name is of.
pub(super) fn complete(
    text: &[u8],
    structure: &Structure,
    fields: &mut Vec<Field>,
    named: &dyn Fn(&str) -> Option<Named>,
) {
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
    for job in &structure.jobs {
        let lines = &structure.lines[job.part.lines.clone()];
        let (items, directories) = items(text, lines, named, job.directory.as_deref());
        for place in directories {
            put(place, Kind::Directory { is_certain: true });
        }
        for (place, made) in items {
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
/// `of_job` is the series that the job names where nothing else says it.
fn items(
    text: &[u8],
    lines: &[Line],
    named: &dyn Fn(&str) -> Option<Named>,
    of_job: Option<&str>,
) -> (BTreeMap<Span, BTreeSet<Made>>, BTreeSet<Span>) {
    let mut items: BTreeMap<Span, BTreeSet<Made>> = BTreeMap::new();
    let mut directories = BTreeSet::new();
    let words: Vec<Vec<Part>> = lines.iter().flat_map(|line| words(text, line)).collect();
    if words.is_empty() {
        return (items, directories);
    }
    let matrix = Matrix::of(text, lines);
    let series = matrix.series(text, named).filter(|_| of_job.is_none());
    // What is done for some rows only is nobody's to tell.
    let is_condition = |line: &&Line| {
        let code = &text[line.span.start..line.end];
        line.key(text) == Some(b"if") && memchr::memmem::find(code, b"matrix.").is_some()
    };
    let has_conditions = lines.iter().any(|line| is_condition(&line));
    let mut budget = BUDGET;
    for word in &words {
        for (number, part) in word.iter().enumerate() {
            let above = number.checked_sub(1).map(|above| &word[above]);
            let higher = number.checked_sub(2).map(|above| &word[above]);
            let literal = part.literal(above);
            if part.keys().next().is_none() && (literal.is_none() || has_conditions) {
                continue;
            }
            let all = [above, higher].into_iter().flatten().chain([part]);
            let keys: BTreeSet<&[u8]> = all.flat_map(Part::keys).chain(series).collect();
            let rows = matrix.rows(text, &keys);
            let cost = rows.len() * (1 + matrix.excluded.len()) + matrix.included.len();
            let Some(left) = budget.checked_sub(1 + cost) else {
                return (items, directories);
            };
            budget = left;
            // Beside variants an item that is called like nothing is to be one.
            let is_variant = |row: &Row| named(&part.name(text, row).0) == Some(Named::Variant);
            let default = rows.iter().any(is_variant).then_some(Named::Variant);
            for row in rows {
                let (name, last) = part.name(text, &row);
                let last = last.or(literal.clone().map(|span| [0..name.len(), span]));
                let is_whole = last.as_ref().is_some_and(|[at, _]| *at == (0..name.len()));
                let default = default.filter(|_| part.is_path && is_whole && name != TESTS);
                let (Some([at, span]), Some(names)) = (last, named(&name).or(default)) else {
                    continue;
                };
                let place = (span.start, span.end);
                if literal.is_some() && names != Named::Variant {
                    continue;
                }
                if names == Named::Directory {
                    if !part.is_path {
                        continue;
                    }
                    if at == (0..name.len()) {
                        directories.insert(place);
                        continue;
                    }
                }
                let folder = match names {
                    Named::Script => higher,
                    _ => above,
                };
                let folder = folder.map(|folder| folder.name(text, &row).0);
                let folder = folder.filter(|name| named(name) == Some(Named::Directory));
                let implied = series.and_then(|key| row.get(key));
                let implied = implied.map(|span| String::from_utf8_lossy(&text[span.clone()]));
                let directory = folder.as_deref().or(of_job).or(implied.as_deref());
                items.entry(place).or_default().insert(Made {
                    names,
                    directory: directory.map(Into::into),
                    before: name[..at.start].into(),
                    after: name[at.end..].into(),
                });
            }
        }
    }
    // What is excluded is called as the items are, and moves with them.
    for (key, span) in matrix.excluded.iter().flatten().take(MOST) {
        let said = |item: &Range<usize>| &text[item.clone()];
        let axis = matrix.axes.get(key).map_or(&[][..], Vec::as_slice);
        let same = axis.iter().find(|item| said(item) == said(span));
        let made = same.and_then(|item| items.get(&(item.start, item.end)).cloned());
        items.extend(made.map(|made| ((span.start, span.end), made)));
    }
    (items, directories)
}
