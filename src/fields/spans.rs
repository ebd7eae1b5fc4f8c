//! Small steps over a text, shared by the matchers of the kinds. None looks further than its word, line or bound.

use std::ops::Range;

pub(super) use crate::text::is_word;

/// How far a matcher looks back for what stands in front of a field.
pub(super) const BACK: usize = 200;

/// Whether a letter is the second one of `\n`, `\t` or `\r`.
pub(super) fn is_escape(text: &[u8], at: usize) -> bool {
    let letter = text.get(at).is_some_and(|letter| b"ntr".contains(letter));
    letter && text[..at].ends_with(b"\\")
}

pub(super) fn is_tag(byte: u8) -> bool {
    is_word(byte) || byte == b'.' || byte == b'-'
}

pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

pub(super) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

pub(super) fn is_hex(word: &[u8]) -> bool {
    word.iter().all(u8::is_ascii_hexdigit)
}

/// The most bytes that a matcher steps over at once: a name, a value, the blanks in front of one.
const FAR: usize = 512;

/// Where a run of such bytes ends that begins at `at`.
pub(super) fn skip(text: &[u8], at: usize, is: impl Fn(u8) -> bool) -> usize {
    let run = text[at..].iter().take(FAR);
    at + run.take_while(|byte| is(**byte)).count()
}

/// The end of `what`, where the text goes on with it.
pub(super) fn after(text: &[u8], at: usize, what: &[u8]) -> Option<usize> {
    text[at..].starts_with(what).then_some(at + what.len())
}

/// The same; where it does not, the place itself.
pub(super) fn past(text: &[u8], at: usize, what: &[u8]) -> usize {
    after(text, at, what).unwrap_or(at)
}

/// The same, where case makes no difference, as in PowerShell.
pub fn past_any_case(text: &[u8], at: usize, what: &[u8]) -> usize {
    let there = text[at..].get(..what.len());
    match there.is_some_and(|there| there.eq_ignore_ascii_case(what)) {
        true => at + what.len(),
        false => at,
    }
}

/// The place, or the one behind it where a quote stands there.
pub(super) fn unquoted(text: &[u8], at: usize) -> usize {
    after(text, at, b"\"").unwrap_or_else(|| past(text, at, b"'"))
}

/// Whether a text has these bytes in it.
pub(super) fn has(text: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find(text, what).is_some()
}

/// The end of a path: what stands behind its last `/`.
pub(super) fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// Whether a line copies files from beside the Dockerfile.
pub(super) fn is_local_copy(line: &[u8]) -> bool {
    let first = line.trim_ascii_start();
    let is_copy = first.starts_with(b"COPY ") || first.starts_with(b"ADD ");
    is_copy && !has(line, b"--from=")
}

/// Whether a line begins an `ENV` or an `ARG`.
pub(super) fn is_setting(line: &[u8]) -> bool {
    let first = line.trim_ascii_start();
    let is_word = first.starts_with(b"ENV") || first.starts_with(b"ARG");
    is_word && first.get(3).is_some_and(|next| is_blank(*next))
}

/// Where runs of such bytes end that begin at `at`, with a `.` between them.
pub(super) fn dotted(text: &[u8], at: usize, is: impl Fn(u8) -> bool) -> usize {
    let mut end = skip(text, at, &is);
    let goes_on = |from: &usize| text.get(*from).is_some_and(|byte| is(*byte));
    while let Some(from) = after(text, end, b".").filter(|from| end > at && goes_on(from)) {
        end = skip(text, from, &is);
    }
    end
}

/// What stands before a place in its line, up to a bound.
pub(super) fn line_before(text: &[u8], at: usize) -> &[u8] {
    let window = &text[at.saturating_sub(BACK)..at];
    &window[memchr::memrchr(b'\n', window).map_or(0, |newline| newline + 1)..]
}

/// Whether a place is in a comment line, as far as the 4096 bytes in front of it tell.
pub(super) fn is_comment(text: &[u8], at: usize) -> bool {
    let window = &text[at.saturating_sub(4096)..at];
    let start = memchr::memrchr(b'\n', window).map_or(0, |newline| newline + 1);
    window[start..].trim_ascii_start().starts_with(b"#")
}

/// A text without such bytes at its end.
pub(super) fn trimmed_end(text: &[u8], is: impl Fn(u8) -> bool) -> &[u8] {
    let last = text.iter().rposition(|byte| !is(*byte));
    &text[..last.map_or(0, |last| last + 1)]
}

/// The word that a text ends in.
pub(super) fn last_word(text: &[u8]) -> &[u8] {
    &text[trimmed_end(text, is_word).len()..]
}

/// The end of a variable that begins at `at`: `$name`, `$env:name`, `$name[1]`, `${…}`, `$(…)`, `${{ … }}`, `{0}`.
pub(super) fn variable(text: &[u8], at: usize) -> Option<usize> {
    let pairs: [(&[u8], &[u8]); 3] = [(b"${{", b"}}"), (b"${", b"}"), (b"$(", b")")];
    for (open, close) in pairs {
        let Some(from) = after(text, at, open) else {
            continue;
        };
        let window = &text[from..text.len().min(from + BACK)];
        let end = memchr::memmem::find(window, close)?;
        let is_plain = |byte: &u8| match open.len() {
            3 => *byte != b'\n',
            _ => !byte.is_ascii_whitespace(),
        };
        let is_whole = window[..end].iter().all(is_plain);
        return is_whole.then_some(from + end + close.len());
    }
    if let Some(from) = after(text, at, b"$") {
        let from = past_any_case(text, from, b"env:");
        let end = skip(text, from, is_word);
        let index = after(text, end, b"[").map(|open| skip(text, open, is_word));
        let index = index.and_then(|end| after(text, end, b"]"));
        return (end > from).then_some(index.unwrap_or(end));
    }
    let from = after(text, at, b"{")?;
    let end = skip(text, from, is_digit);
    (end > from).then(|| after(text, end, b"}"))?
}

/// What stands in front of a variable's name: in front of `$`, or `$env:`, where a text ends in that.
pub(super) fn before_dollar(text: &[u8]) -> Option<&[u8]> {
    let scope = text.len().checked_sub(b"env:".len());
    let scope = scope.filter(|at| past_any_case(text, *at, b"env:") > *at);
    text[..scope.unwrap_or(text.len())].strip_suffix(b"$")
}

/// The end of the three numbers of a version that begin at `at`.
pub(super) fn numbers(text: &[u8], at: usize) -> Option<usize> {
    let number = |at: usize| Some(skip(text, at, is_digit)).filter(|end| *end > at);
    let next = |at: usize| number(after(text, at, b".")?);
    next(next(number(at)?)?)
}

/// The end of a version that begins at `at`, in SemVer's grammar without build metadata; leading zeros are let through, to
/// be reported.
pub(super) fn version(text: &[u8], at: usize) -> Option<usize> {
    let end = numbers(text, at)?;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let suffix = after(text, end, b"-").map(|from| (from, dotted(text, from, is_part)));
    Some(suffix.map_or(end, |(from, last)| if last > from { last } else { end }))
}

/// A span without the `.` at its end, which is the sentence's, and the `-` in front of a variable.
pub(super) fn trimmed(text: &[u8], span: Range<usize>) -> Range<usize> {
    let next = text.get(span.end);
    let goes_on = next.is_some_and(|next| b"${(%*<`".contains(next));
    // `nats:2.14.5-"$variant"`
    let is_quoted = next.is_some_and(|next| b"\"'".contains(next))
        && text
            .get(span.end + 1)
            .is_some_and(|byte| b"${".contains(byte));
    if text[..span.end].ends_with(b"-") && !goes_on && !is_quoted {
        // Nothing follows that completes it: it is wrong as it stands.
        return span;
    }
    let kept = trimmed_end(&text[span.clone()], |byte| byte == b'.' || byte == b'-').len();
    span.start..span.start + kept
}

/// Whether a word ends where a span does: `127.0.0` is not all of `127.0.0.1`, nor `alpine3.1` of `alpine3.1-slim`, where
/// a dash goes on with the word.
pub(super) fn ends(text: &[u8], end: usize, dash_goes_on: bool) -> bool {
    let rest = &text[end..];
    let goes_on = |byte: Option<&u8>| byte.is_some_and(|byte| is_word(*byte));
    match rest.first() {
        Some(b'{' | b'$' | b'*') => !dash_goes_on,
        Some(b'.') => !goes_on(rest.get(1)) && !matches!(rest.get(1), Some(b'{' | b'$' | b'*')),
        Some(b'-') => !dash_goes_on || !goes_on(rest.get(1)),
        other => !goes_on(other),
    }
}

/// The end of a base that begins at `at`: `3.18`, `1809`, `ltsc2022`.
pub(super) fn base(text: &[u8], at: usize) -> Option<usize> {
    let start = past(text, at, b"ltsc");
    let end = match start == at {
        true => dotted(text, at, is_digit),
        false => skip(text, start, is_digit),
    };
    (end > start).then_some(end)
}

/// The variable that the value at a place is assigned to: `ver` of `ver=(NATS_SERVER 2.14.4)`, `$ver = '2.14.4'`,
/// `ver="${1:-2.14.4}"`, `ENV ver 2.14.4`; of `${SHA256:-<hash>}` the one that has it as its default.
pub fn variable_of(text: &[u8], at: usize) -> Option<&[u8]> {
    let is_opening = |byte: u8| b"(\"'@".contains(&byte);
    let mut before = line_before(text, at);
    let is_set = is_setting(before);
    if let Some(default) = before.strip_suffix(b"-").or(before.strip_suffix(b":=")) {
        let default = default.strip_suffix(b":").unwrap_or(default);
        let name = last_word(default);
        before = default[..default.len() - name.len()].strip_suffix(b"${")?;
        // In a value of its own it is that variable's.
        if !trimmed_end(before, is_opening).ends_with(b"=") {
            return Some(name);
        }
    }
    let mut unquoted = trimmed_end(before, is_opening);
    let mut bare = trimmed_end(unquoted, is_blank);
    if !is_set && !bare.ends_with(b"=") {
        // Another word in front of the value: `(NATS_SERVER `.
        let word = trimmed_end(before, |byte| b" ,\"'".contains(&byte));
        let word = Some(word).filter(|word| word.len() < before.len())?;
        unquoted = trimmed_end(trimmed_end(word, is_word), is_opening);
        bare = trimmed_end(unquoted, is_blank);
        if !bare.ends_with(b"=") {
            return None;
        }
    }
    let is_spaced = bare.len() < unquoted.len() || bare.ends_with(b" =");
    let unquoted = trimmed_end(unquoted, |byte| b" \t=".contains(&byte));
    let closed = unquoted.strip_suffix(b"}").unwrap_or(unquoted);
    let name = last_word(closed);
    let front = closed[..closed.len() - name.len()].last();
    // With blanks around the sign it is PowerShell's.
    if !is_set && is_spaced && !matches!(front, Some(b'$' | b'{' | b':')) {
        return None;
    }
    // `--checksum=`, `LABEL image.version=`
    (!matches!(front, Some(b'-' | b'.')) && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_value_is_found_in_front_of_it() {
        for (before, name) in [
            ("ver=(NATS_SERVER ", Some("ver")),
            ("$ver = '", Some("ver")),
            ("ver=\"${1:-", Some("ver")),
            ("ARG VERSION=", Some("VERSION")),
            ("$ver = 'NATS_SERVER ", Some("ver")),
            ("echo ", None),
            ("--x=", None),
        ] {
            let text = format!("{before}2.14.4");
            let found = variable_of(text.as_bytes(), before.len());
            let found = found.map(|name| String::from_utf8_lossy(name).into_owned());
            assert_eq!(found.as_deref(), name, "{before}");
        }
    }

    #[test]
    fn a_word_ends_in_front_of_the_dot_of_a_sentence() {
        for (rest, is_end) in [
            ("", true),
            (" x", true),
            (". x", true),
            (".", true),
            (".x", false),
            (".*", false),
            (".$x", false),
            ("x", false),
        ] {
            assert_eq!(ends(rest.as_bytes(), 0, true), is_end, "{rest}");
        }
    }

    #[test]
    fn a_variable_ends_where_it_closes() {
        for (text, end) in [
            ("${ver[1]}-x", 9),
            ("$ver[1]-", 7),
            ("$($ver)-", 7),
            ("${{ a.b }}-", 10),
            ("{0}-", 3),
            ("{a}", 0),
            ("$ x", 0),
        ] {
            assert_eq!(variable(text.as_bytes(), 0).unwrap_or(0), end, "{text}");
        }
    }
}
