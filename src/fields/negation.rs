//! What a line of a workflow or a script says is not: `matrix.version != '2.12.x'`, `!startsWith(github.ref_name, 'v2.12.')`,
//! `$version -ne '2.12.x'`.

use std::ops::Range;

use super::spans::{after, is_blank, is_word, skip, trimmed_end};

/// How long an operand is, or what stands in brackets.
const FAR: usize = 400;

/// The operands of what is not equal, and the arguments of what is not so, between two places: in their order, and apart.
pub(super) fn denied(text: &[u8], span: &Range<usize>) -> Vec<Range<usize>> {
    let code = &text[..span.end];
    let mut all = Vec::new();
    for at in memchr::memchr2_iter(b'!', b'-', &text[span.clone()]) {
        let at = span.start + at;
        let unequal = after(code, at, b"!=").or_else(|| after(code, at, b"-ne "));
        match unequal {
            Some(end) => all.extend([operand_before(code, span.start, at), operand(code, end)]),
            None if code[at] == b'!' => all.extend(arguments(code, at + 1)),
            None => {}
        }
    }
    all.sort_by_key(|span| span.start);
    all.dedup_by(|next, last| {
        let overlaps = next.start < last.end;
        if overlaps {
            last.end = last.end.max(next.end);
        }
        overlaps
    });
    all
}

fn is_operand(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !b"\"'()[]{}&|;,".contains(&byte)
}

fn is_between(byte: u8) -> bool {
    is_blank(byte) || b"\"'=".contains(&byte)
}

fn operand(code: &[u8], at: usize) -> Range<usize> {
    let start = skip(code, at, is_between);
    start..skip(code, start, is_operand)
}

fn operand_before(code: &[u8], floor: usize, at: usize) -> Range<usize> {
    let floor = floor.max(at.saturating_sub(FAR));
    let before = trimmed_end(&code[floor..at], is_between);
    let start = trimmed_end(before, is_operand).len();
    floor + start..floor + before.len()
}

/// What stands in brackets behind a name, or behind nothing.
fn arguments(code: &[u8], at: usize) -> Option<Range<usize>> {
    let name = skip(code, at, is_blank);
    let start = after(code, skip(code, name, is_word), b"(")?;
    let mut depth = 1;
    let closes = |byte: &u8| {
        depth += i32::from(*byte == b'(') - i32::from(*byte == b')');
        depth == 0
    };
    let end = code.len().min(start + FAR);
    let length = code[start..end].iter().position(closes);
    Some(start..length.map_or(end, |length| start + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_denied_is_told_from_what_is_said() {
        for (text, expected) in [
            ("if: v != '2.12.x' && w == '2.14.x'", &["v", "2.12.x"][..]),
            ("if: '2.12.x' != v", &["2.12.x", "v"]),
            ("if: !startsWith(a, 'v2.12.') && b", &["a, 'v2.12.'"]),
            ("if: ${{ ! (a == '1' || f(b)) }}", &["a == '1' || f(b)"]),
            ("if ($v -ne '2.12.x') {", &["$v", "2.12.x"]),
            ("[ \"$v\" != 2.12.x ]", &["$v", "2.12.x"]),
            ("!startsWith(a", &["a"]),
            ("run: docker build -f x -t y .", &[]),
            ("!", &[]),
            ("!=", &["", ""]),
        ] {
            let found = denied(text.as_bytes(), &(0..text.len()));
            let found: Vec<&str> = found.into_iter().map(|span| &text[span]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
