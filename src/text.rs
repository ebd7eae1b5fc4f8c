//! Text that came from somewhere: made harmless before it is printed, and its places counted in lines and columns.

use std::cell::Cell;

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
    text.chars().map(write).collect()
}

/// The same for a text of several lines, whose line ends stay.
pub fn harmless_lines(text: &str) -> String {
    text.split('\n')
        .map(harmless)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A value as JSON in which every character that acts is escaped, as JSON has it.
pub fn harmless_json(value: &serde_json::Value) -> String {
    let write = |c: char| match acts(c) && c != '\n' {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    format!("{value:#}").chars().map(write).collect()
}

/// The start of somebody else's text, as an error repeats it.
pub fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", harmless(&text[..end])),
        None => harmless(text),
    }
}

/// An address without the user and the password in it.
pub fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{}", &rest[end..])
}

/// A word as a shell takes it for one.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:@%+=,".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", harmless(word).replace('\'', r"'\''")),
    }
}

/// Whether a word may be a slip of the pen for another one.
pub fn is_like(word: &str, text: &str) -> bool {
    similar::TextDiff::from_chars(word, text).ratio() > 0.7
}

/// Whether a path is that of a folder, or of something in it; both with `/`.
pub fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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
        column += rest
            .iter()
            .filter(|byte| !matches!(byte, 0x80..=0xbf))
            .count();
        self.last.set((at, line, column));
        (line, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_reader_is_written_out() {
        let text = "a\u{1b}[31m\n::error::\u{202e}x";
        assert_eq!(harmless(text), "a\\u{1b}[31m\\n::error::\\u{202e}x");
        assert_eq!(harmless_lines("a\nb\rc"), "a\nb\\rc");
    }

    #[test]
    fn a_password_is_left_out_of_an_address() {
        assert_eq!(
            without_password("http://user:se@cret@host/a@b"),
            "http://host/a@b"
        );
        assert_eq!(without_password("../releases"), "../releases");
    }
}
