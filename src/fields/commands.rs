//! What the commands of a Dockerfile are made of: words, and variables that are assigned and used.

use std::ops::Range;

use super::spans::{
    is_escape, is_setting, is_word, last_word, line_before, past, skip, trimmed_end,
};

/// What can stand in front of a command.
const OPENING: [&[u8]; 9] = [
    b"RUN", b"run", b"if", b"then", b"else", b"do", b"while", b"exec", b"sudo",
];

/// A Dockerfile with blanks in the place of its comments, and of the line breaks and tabs in strings that stand in front of a hash
/// or a variable, or at the end.
pub(super) fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut code = text.to_vec();
    for line in code.split_mut(|byte| *byte == b'\n') {
        if line.trim_ascii_start().starts_with(b"#") {
            line.fill(b' ');
        }
    }
    for at in memchr::memchr_iter(b'\\', text) {
        let behind = &text[text.len().min(at + 2)..];
        let is_end = matches!(behind.first(), Some(b'"' | b'\'' | b'\\' | b'$' | b'%'));
        let digits = behind.iter().take(32);
        let is_hash = digits.len() == 32 && digits.clone().all(u8::is_ascii_hexdigit);
        if is_escape(text, at + 1) && (is_end || is_hash) {
            // In a list of words it is `\\n`.
            let start = at - usize::from(text[..at].ends_with(b"\\"));
            code[start..at + 2].fill(b' ');
        }
    }
    code
}

/// Where variables are used, in the order of their names, and of the text for each.
pub(super) struct Uses<'a> {
    text: &'a [u8],
    all: Vec<(&'a [u8], usize)>,
}

impl<'a> Uses<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        let mut all: Vec<_> = used(text).collect();
        all.sort_unstable();
        Self { text, all }
    }

    /// The uses of one variable in a span.
    pub(super) fn of_name(&self, name: &[u8], span: &Range<usize>) -> &[(&'a [u8], usize)] {
        let number = |at: usize| self.all.partition_point(|one| *one < (name, at));
        let (start, end) = (number(span.start), number(span.end));
        &self.all[start..end.max(start)]
    }

    /// How often PowerShell assigns something to a variable in a span, other than what is made of it: `$h = $h.ToLower()`.
    pub(super) fn assignments(&self, name: &'a [u8], span: &Range<usize>) -> usize {
        let mut uses = self.of_name(name, span).iter().peekable();
        let mut count = 0;
        while let Some((_, at)) = uses.next() {
            let end = at + name.len();
            let value = past(
                self.text,
                skip(self.text, end, |byte| b" =".contains(&byte)),
                b"$",
            );
            let is_made = uses.peek().is_some_and(|(_, next)| *next == value);
            count += usize::from(is_assigned(self.text, end) && !is_made);
        }
        count
    }
}

/// Whether something is assigned to what ends at a place.
pub(super) fn is_assigned(text: &[u8], end: usize) -> bool {
    let sign = skip(text, end, |byte| byte == b' ');
    text[sign..].starts_with(b"=") && !text[sign..].starts_with(b"==")
}

/// The variables that a text uses, each with where its name stands: `$name`, `${name}`, `$env:name`.
pub(super) fn used(text: &[u8]) -> impl Iterator<Item = (&[u8], usize)> {
    memchr::memchr_iter(b'$', text).filter_map(|at| {
        let name = past(text, past(text, at + 1, b"{"), b"env:");
        let end = skip(text, name, is_word);
        (end > name).then(|| (&text[name..end], name))
    })
}

/// The word that a place is in.
pub(super) fn word(text: &[u8], at: usize) -> Range<usize> {
    let is_part = |byte: u8| {
        !matches!(
            byte,
            b' ' | b'\t'..=b'\r' | b'"' | b'\'' | b'`' | b';' | b'(' | b')'
        )
    };
    let line = line_before(text, at);
    let start = at - (line.len() - trimmed_end(line, is_part).len());
    start..skip(text, at, is_part)
}

/// The words of a statement, without quotes and brackets.
pub(super) fn words(part: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let is_end = |byte: &u8| {
        matches!(
            byte,
            b' ' | b'\t'
                ..=b'\r'
                    | b'"'
                    | b'\''
                    | b'`'
                    | b'('
                    | b')'
                    | b'['
                    | b']'
                    | b'<'
                    | b'>'
                    | b'|'
                    | b'&'
                    | b';'
                    | b','
                    | b'*'
                    | b'='
        )
    };
    let words = part.split(is_end);
    words.filter(|word| word.iter().any(|byte| is_word(*byte)))
}

/// The command of a statement.
pub(super) fn first_word(part: &[u8]) -> &[u8] {
    let is_first = |word: &&[u8]| !OPENING.contains(word) && !word.starts_with(b"--");
    words(part).find(is_first).unwrap_or_default()
}

/// The name of the variable to which the word at a place is assigned.
pub(super) fn holder(text: &[u8], at: usize) -> Option<&[u8]> {
    let line = line_before(text, at);
    let is_end = |byte: u8| byte.is_ascii_whitespace() || byte == b'=';
    let before = trimmed_end(line, |byte| !is_end(byte));
    let bare = trimmed_end(before, |byte| b" \t\"'(".contains(&byte));
    let name = last_word(trimmed_end(bare, |byte| b" \t=".contains(&byte)));
    (!name.is_empty() && (bare.ends_with(b"=") || is_setting(line))).then_some(name)
}
