//! Slow, obvious versions of the parsers: what they must agree with, in the property tests and the fuzz targets.

use std::collections::BTreeMap;

/// `SHA256SUMS`, read a line and a character at a time. `None` where the text is refused.
pub fn sums(text: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut sums = BTreeMap::new();
    if text.trim_ascii_start().first() == Some(&b'<') {
        return None;
    }
    let text = String::from_utf8(text.to_vec()).ok()?;
    for line in text.trim_start_matches('\u{feff}').split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.starts_with('#') || line.chars().all(char::is_whitespace) {
            continue;
        }
        let (hash, name) = entry(line)?;
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
    let chars: Vec<char> = line.chars().collect();
    let (hash, rest) = (chars.get(..64)?, chars.get(64..)?);
    let digits = "0123456789abcdefABCDEF";
    let is_zeros = hash.iter().all(|digit| *digit == '0');
    if is_zeros || !hash.iter().all(|digit| digits.contains(*digit)) {
        return None;
    }
    let name: String = match rest {
        [' ', ' ' | '*', '.', '/', name @ ..] | [' ', ' ' | '*', name @ ..] => {
            name.iter().collect()
        }
        _ => return None,
    };
    if name.is_empty() {
        return None;
    }
    Some((hash.iter().collect::<String>().to_lowercase(), name))
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
            let bare = version.strip_prefix('v').unwrap_or(version);
            let start = text.len() - value.len() + version.len() - bare.len();
            found.push((start, bare.to_owned()));
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
