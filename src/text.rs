//! Text that came from somewhere: made harmless before it is printed, and its places counted in lines and columns.

use std::borrow::Borrow;
use std::cell::Cell;
use std::cmp::Ordering;
use std::ops::Range;

use diffy::Line;

/// How many characters of somebody else's text an error repeats.
const LONGEST: usize = 120;

/// Whether a character could act on whoever reads it: a terminal, a CI system, or an eye that is led astray.
///
/// Control characters, line and paragraph separators, and the controls of Unicode's bidirectional algorithm (UAX #9).
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A text of one line in which every character that acts is written out: `\n`, `\u{1b}`, `\u{202e}`.
pub fn harmless(text: &str) -> String {
    let write = |c: char| match acts(c) {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    let text: String = text.chars().map(write).collect();
    // GitHub's runner takes it for a command wherever it stands.
    text.replace("##[", r"##\u{5b}")
}

/// The same for a text of several lines, whose line ends stay. None of them is a command of GitHub's runner.
pub fn harmless_lines(text: &str) -> String {
    let line = |line: &str| {
        let line = harmless(line);
        match line.trim_start().starts_with("::") {
            true => line.replacen(':', r"\u{3a}", 1),
            false => line,
        }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A value as JSON in which every character that acts is escaped, as JSON has it.
pub fn harmless_json(value: &serde_json::Value) -> String {
    let write = |c: char| match acts(c) && c != '\n' {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    let text: String = format!("{value:#}").chars().map(write).collect();
    text.replace("##[", r"##\u005b")
}

/// The start of somebody else's text, as an error repeats it.
pub fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", harmless(&text[..end])),
        None => harmless(text),
    }
}

/// A part of a text; where it would begin within a character, from the next one on.
pub fn window(text: &str, span: Range<usize>) -> &str {
    let start = span.clone().find(|at| text.is_char_boundary(*at));
    &text[start.unwrap_or(span.end)..span.end]
}

/// An address without what nobody else is to read: the user, the password, and what stands behind a `?`.
pub fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        // An address that is written wrongly.
        return match address.rsplit_once('@') {
            Some((before, rest)) if before.contains(':') => rest.to_owned(),
            _ => address.to_owned(),
        };
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    // A password can have any of these signs in it.
    let rest = match (host.rsplit_once('@'), path.rsplit_once('@')) {
        (None, Some((_, rest))) if host.contains(':') => rest.to_owned(),
        (Some((_, host)), _) => format!("{host}{path}"),
        _ => rest.to_owned(),
    };
    match rest.split_once('?') {
        Some((rest, _)) => format!("{scheme}://{rest}?…"),
        None => format!("{scheme}://{rest}"),
    }
}

/// A word in quotes for a shell, where it needs them.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:@%+=,".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", harmless(word).replace('\'', r"'\''")),
    }
}

/// Whether a text may be a typo for a word; nothing that is long is.
pub fn is_like(word: &str, text: &str) -> bool {
    let [short, long] = [word.len().min(text.len()), word.len().max(text.len())];
    long <= LONGEST
        && 10 * short > 6 * long
        && strsim::normalized_damerau_levenshtein(word, text) > 0.6
}

/// Whether a name is another one but for a letter.
pub fn is_typo(name: &str, other: &str) -> bool {
    let may_be = name.len().max(other.len()) > 3 && name.len().abs_diff(other.len()) < 2;
    // One letter is not both the first and the last.
    let is_like = || {
        name.chars().next() == other.chars().next() || name.chars().last() == other.chars().last()
    };
    may_be && name != other && is_like() && strsim::damerau_levenshtein(name, other) == 1
}

/// Whether a byte is part of a word: of the name of a variable.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a text has a name in it as a whole word.
pub fn has_word(text: &[u8], word: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| is_word(*byte));
    memchr::memmem::find_iter(text, word)
        .any(|at| !is_part(text[..at].last()) && !is_part(text.get(at + word.len())))
}

/// Where a part of a text, a slice of it, stands in it.
pub fn span_of<T: AsRef<[u8]> + ?Sized>(text: &T, part: &T) -> Range<usize> {
    let (text, part) = (text.as_ref(), part.as_ref());
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.len()
}

/// Whether a path is that of a folder, or of something in it; both with `/`.
pub fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The order of two names in which numbers count as such: `2.9.x` before `2.10.x`.
pub fn by_number(a: &str, b: &str) -> Ordering {
    let is_digit = |part: &[u8]| part[0].is_ascii_digit();
    let parts = [a, b].map(|text| {
        let is_same = |a: &u8, b: &u8| a.is_ascii_digit() == b.is_ascii_digit();
        text.as_bytes().chunk_by(is_same)
    });
    let [these, others] = parts;
    let mut orders = these
        .zip(others)
        .map(|(a, b)| match is_digit(a) && is_digit(b) {
            true => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
            false => a.cmp(b),
        });
    let first = orders.find(|order| order.is_ne());
    first.unwrap_or_else(|| a.cmp(b))
}

/// Names in a sentence, the first few of them.
pub fn first_of<T: Borrow<str>>(names: &[T], most: usize) -> String {
    match names.len().checked_sub(most) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..most].join(", ")),
    }
}

/// A text that begins with a capital.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// A number of things, in words: `1 file`, `2 entries`, `3 hashes`.
pub fn count(number: usize, what: &str) -> String {
    match what {
        _ if number == 1 => format!("1 {what}"),
        "series" => format!("{number} series"),
        _ if what.ends_with('h') => format!("{number} {what}es"),
        _ if what.ends_with("ry") => format!("{number} {}ies", what.trim_end_matches('y')),
        _ => format!("{number} {what}s"),
    }
}

/// The number of the line of the old text from which each line of a changed one comes, from 1; nothing where that is its own.
pub fn lines_before(old: &[u8], new: &[u8]) -> Vec<usize> {
    // Comparing takes the longer the more has changed: that many lines were changed where they stand, if none came or went.
    const MOST: usize = 1_000;
    let [olds, news] = [old, new].map(|text| text.split(|byte| *byte == b'\n'));
    let changed = olds
        .clone()
        .zip(news.clone())
        .filter(|(old, new)| old != new);
    if olds.count() == news.count() && changed.count() > MOST {
        return Vec::new();
    }
    let mut options = diffy::DiffOptions::new();
    options.set_context_len(old.len());
    let patch = options.create_patch_bytes(old, new);
    // The lines that are replaced by those which come next.
    let (mut lines, mut next, mut gone) = (Vec::new(), 1, 0..0);
    for line in patch.hunks().iter().flat_map(|hunk| hunk.lines()) {
        match line {
            Line::Delete(_) if gone.end == next => gone.end += 1,
            Line::Delete(_) => gone = next..next + 1,
            Line::Insert(_) => lines.push(gone.next().unwrap_or(next)),
            Line::Context(_) => {
                gone = 0..0;
                lines.push(next);
            }
        }
        next += usize::from(!matches!(line, Line::Insert(_)));
    }
    if lines.iter().copied().eq(1..=lines.len()) {
        lines.clear();
    }
    lines
}

/// A text with something else in some places, which are in order.
pub fn spliced<S: AsRef<str>>(
    text: &str,
    places: impl IntoIterator<Item = (Range<usize>, S)>,
) -> String {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (place, new) in places {
        out += &text[from..place.start];
        out += new.as_ref();
        from = place.end;
    }
    out + &text[from..]
}

/// Lines and columns in a text. Places that are asked for in their order cost one pass over it.
pub struct Places<'a> {
    text: &'a [u8],
    last: Cell<(usize, usize, usize)>,
}

impl<'a> Places<'a> {
    /// Those of a text.
    pub fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            last: Cell::new((0, 1, 1)),
        }
    }

    /// Line and column of a byte, from 1; the column counts characters.
    pub fn of(&self, at: usize) -> (usize, usize) {
        let at = at.min(self.text.len());
        let last = self.last.get();
        let (from, mut line, mut column) = if last.0 <= at { last } else { (0, 1, 1) };
        let between = &self.text[from..at];
        let newlines = memchr::memchr_iter(b'\n', between).count();
        let mut rest = between;
        if let Some(last) = memchr::memrchr(b'\n', between) {
            (line, column) = (line + newlines, 1);
            rest = &between[last + 1..];
        }
        // Not the bytes of a UTF-8 character after its first.
        let is_first = |byte: &&u8| !matches!(byte, 0x80..=0xbf);
        column += rest.iter().filter(is_first).count();
        self.last.set((at, line, column));
        (line, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = [
            "2.10.x/b",
            "a",
            "2.9.x/b",
            "2.9.x/a10",
            "2.9.x/a9",
            "2.9.x",
            "b1",
            "1.x",
        ];
        names.sort_by(|a, b| by_number(a, b));
        assert_eq!(
            names,
            [
                "1.x",
                "2.9.x",
                "2.9.x/a9",
                "2.9.x/a10",
                "2.9.x/b",
                "2.10.x/b",
                "a",
                "b1"
            ]
        );
    }

    #[test]
    fn a_line_comes_from_the_one_that_it_replaces_or_that_it_stands_before() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl";
        let new = "a\nB\nC\nX\nd\ng\nY\nh\ni\nj\nk\nl\nZ";
        assert_eq!(
            lines_before(old.as_bytes(), new.as_bytes()),
            [1, 2, 3, 4, 4, 7, 8, 8, 9, 10, 11, 12, 13]
        );
        assert!(lines_before(b"a\nb", b"a\nb").is_empty());
        assert!(lines_before(b"a\nb", b"a\nc").is_empty());
        assert_eq!(lines_before(b"", b"a\nb"), [1, 1]);
    }

    #[test]
    fn what_acts_on_a_reader_is_written_out() {
        let text = "a\u{1b}[31m\n::error::\u{202e}x";
        assert_eq!(harmless(text), "a\\u{1b}[31m\\n::error::\\u{202e}x");
        assert_eq!(harmless_lines("a\nb\rc"), "a\nb\\rc");
        assert_eq!(harmless_lines("a\n ::error::x"), "a\n \\u{3a}:error::x");
        assert_eq!(harmless("a##[error]b"), "a##\\u{5b}error]b");
    }

    #[test]
    fn a_password_is_left_out_of_an_address() {
        assert_eq!(
            without_password("http://user:se@cret@host/a@b"),
            "http://host/a@b"
        );
        assert_eq!(without_password("../releases"), "../releases");
        for secret in ["user:a/s@h/x", "user:a#s@h/x", "user:a?s@h/x", "u:s@h/x"] {
            assert_eq!(without_password(&format!("http://{secret}")), "http://h/x");
            assert_eq!(without_password(secret), "h/x");
        }
        assert_eq!(without_password("http://h/x?token=s"), "http://h/x?…");
    }
}
