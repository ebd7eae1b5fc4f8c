//! Slow, obvious versions of the parsers: what they must agree with, in the property tests and the fuzz targets.

use std::collections::BTreeMap;

/// `SHA256SUMS`, read a line and a character at a time. `None` where the text is refused.
pub fn sums(text: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut sums = BTreeMap::new();
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return None;
    }
    let mut rest = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    while !rest.is_empty() {
        let mut line = Vec::new();
        while let [first, others @ ..] = rest {
            rest = others;
            if *first == b'\n' {
                break;
            }
            line.push(*first);
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.first() == Some(&b'#') || line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let (hash, name) = entry(&String::from_utf8(line).ok()?)?;
        if sums
            .insert(name, hash.clone())
            .is_some_and(|other| other != hash)
        {
            return None;
        }
    }
    if sums.is_empty() { None } else { Some(sums) }
}

fn entry(line: &str) -> Option<(String, String)> {
    let mut chars: Vec<char> = line.chars().collect();
    while matches!(chars.first(), Some(' ' | '\t')) {
        chars.remove(0);
    }
    let escaped = chars.first() == Some(&'\\');
    if escaped {
        chars.remove(0);
    }
    let text: String = chars.iter().collect();
    let (hash, name) = if text.starts_with("SHA256 (") {
        let end = (0..text.len())
            .rev()
            .find(|at| text.is_char_boundary(*at) && text[*at..].starts_with(") = "))?;
        if end < 8 {
            return None;
        }
        (text[end + 4..].to_owned(), text[8..end].to_owned())
    } else {
        let space = text.find(' ')?;
        let mark = text[space + 1..].chars().next()?;
        if mark != ' ' && mark != '*' {
            return None;
        }
        (text[..space].to_owned(), text[space + 2..].to_owned())
    };
    let digits = "0123456789abcdefABCDEF";
    if hash.chars().count() != 64
        || !hash.chars().all(|digit| digits.contains(digit))
        || name.is_empty()
    {
        return None;
    }
    let name = if escaped { unescaped(&name)? } else { name };
    let name = name.strip_prefix("./").map_or(name.clone(), str::to_owned);
    if name.is_empty() {
        return None;
    }
    Some((hash.to_lowercase(), name))
}

fn unescaped(name: &str) -> Option<String> {
    let mut out = String::new();
    let mut after_backslash = false;
    for c in name.chars() {
        match (after_backslash, c) {
            (false, '\\') => after_backslash = true,
            (false, c) => out.push(c),
            (true, c) => {
                out.push(*BTreeMap::from([('\\', '\\'), ('n', '\n'), ('r', '\r')]).get(&c)?);
                after_backslash = false;
            }
        }
    }
    if after_backslash { None } else { Some(out) }
}

/// The versions behind a key, each with where it begins: looked for at every byte.
pub fn keyed_versions(text: &str, key: &str) -> Vec<(usize, String)> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found: Vec<(usize, String)> = Vec::new();
    for (at, _) in text.char_indices() {
        let before = text[..at].chars().next_back();
        if !text[at..].starts_with(key)
            || before.is_some_and(word)
            || found.last().is_some_and(|last| at < last.0 + last.1.len())
        {
            continue;
        }
        let rest = &text[at + key.len()..];
        let Some(value) = behind_separator(rest) else {
            continue;
        };
        let version = version_at(value);
        let after = &value[version.len()..];
        let whole = match after.chars().next() {
            Some('.') => !after[1..].starts_with(word),
            Some(c) => !word(c),
            None => true,
        };
        let kept = version.trim_end_matches(['.', '-']);
        if kept.starts_with(|c: char| c.is_ascii_digit() || c == 'v')
            && kept.contains(|c: char| c.is_ascii_digit())
            && whole
        {
            found.push((text.len() - value.len(), version.to_owned()));
        }
    }
    found
}

/// What follows `=`, `:=`, `:-`, `-` or blanks, and an opening quote.
fn behind_separator(rest: &str) -> Option<&str> {
    let blanks = |text: &str| -> usize { text.len() - text.trim_start_matches([' ', '\t']).len() };
    let unquoted =
        |text: &str| -> usize { text.len() - text.strip_prefix(['"', '\'']).unwrap_or(text).len() };
    let equals = rest[blanks(rest)..]
        .strip_prefix('=')
        .map(|after| &after[blanks(after)..]);
    let default = rest
        .strip_prefix(':')
        .unwrap_or(rest)
        .strip_prefix(['-', '=']);
    let blank = (blanks(rest) > 0).then(|| &rest[blanks(rest)..]);
    [equals, default, blank]
        .into_iter()
        .flatten()
        .map(|value| &value[unquoted(value)..])
        .find(|value| !version_at(value).is_empty())
}

/// `v`, a digit, and then words joined by `.`, where a word has letters, digits, `_`, `+` and `-`.
fn version_at(text: &str) -> &str {
    let part = |c: char| c.is_ascii_alphanumeric() || "_+-".contains(c);
    let digits = text.strip_prefix('v').unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return "";
    }
    let mut end = text.len() - digits.len();
    loop {
        end += text[end..].len() - text[end..].trim_start_matches(part).len();
        match text[end..].strip_prefix('.') {
            Some(rest) if rest.starts_with(part) => end += 1,
            _ => return &text[..end],
        }
    }
}
