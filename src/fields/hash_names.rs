//! Whose a hash is by what it is called: the variable that it is assigned to.

use std::ops::Range;

use super::spans::{has, is_setting, last_word, line_before, trimmed_end};

/// Whether digits are the name of a key rather than a hash: of those who sign a release.
pub(super) fn is_key_id(text: &[u8], word: &Range<usize>) -> bool {
    let keys = ["KEY", "FINGERPRINT", "GPG", "PGP"];
    let is_key = |name: &String| keys.iter().any(|key| name.contains(key));
    let before = &text[word.start.saturating_sub(400)..word.start];
    word.len() == 40
        && (variable_of(text, word).is_some_and(|name| is_key(&name.to_uppercase()))
            || has(before, b"recv-key")
            || has(before, b"gpg "))
}

/// The variable that a hash is assigned to.
pub(super) fn variable_of(text: &[u8], hash: &Range<usize>) -> Option<String> {
    let before = line_before(text, hash.start);
    let unquoted = trimmed_end(before, |byte| b"\"'".contains(&byte));
    // `${SHA256:-<hash>}`
    let default = before
        .strip_suffix(b":-")
        .or(before.strip_suffix(b":="))
        .or(before.strip_suffix(b"-"));
    if let Some(default) = default {
        let name = last_word(default);
        let is_open = default[..default.len() - name.len()].ends_with(b"${");
        return is_open.then(|| String::from_utf8_lossy(name).into_owned());
    }
    let is_set = is_setting(before);
    let bare = trimmed_end(unquoted, |byte| b" \t".contains(&byte));
    let is_spaced = bare.len() < unquoted.len() || bare.ends_with(b" =");
    if !is_set && !bare.ends_with(b"=") {
        return None;
    }
    let unquoted = trimmed_end(unquoted, |byte| b" \t=".contains(&byte));
    let name = last_word(unquoted);
    // `$sha256 = '…'`, in PowerShell
    if !is_set && is_spaced && !unquoted[..unquoted.len() - name.len()].ends_with(b"$") {
        return None;
    }
    // `--checksum=`
    let is_option = unquoted[..unquoted.len() - name.len()].ends_with(b"-");
    (!is_option && !name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

/// The words of a variable's name, in capitals: `FOO`, `SHA` of `FOO_SHA256` and of `fooSha256`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if c == '_' || was_lower && c.is_ascii_uppercase() {
            words.push(String::new());
        }
        was_lower = c.is_ascii_lowercase();
        if c != '_'
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_uppercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the variable that a hash is assigned to, if it is, is called like the server, or like nothing in particular:
/// `GIT_DOWNLOAD_SHA256`, rather than `TINI_SHA256`.
pub(super) fn may_be_ours(name: Option<&str>, key: &str) -> bool {
    const ANYBODY: [&str; 20] = [
        "ARCHIVE", "BINARY", "DOWNLOAD", "FILE", "GIT", "RELEASE", "SERVER", "URL", "AMD", "ARM",
        "ARMV", "ARMHF", "AARCH", "X", "I", "S", "PPC64LE", "RISCV", "LINUX", "WINDOWS",
    ];
    let Some(name) = name else {
        return true;
    };
    let is_known = |word: &String| {
        let bare = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_kind = ["SHA", "SUM", "HASH", "CHECK"]
            .iter()
            .any(|kind| word.starts_with(kind));
        bare.is_empty()
            || is_kind
            || ANYBODY.contains(&bare)
            || ANYBODY.contains(&&**word)
            || is_of(key, word)
    };
    words(name).iter().all(is_known)
}

fn is_of(key: &str, word: &str) -> bool {
    key.split('_').any(|own| own.eq_ignore_ascii_case(word))
}

/// Whether the variable that a hash is assigned to is called like the server.
pub(super) fn names_us(name: Option<&str>, key: &str) -> bool {
    words(name.unwrap_or_default())
        .iter()
        .any(|word| is_of(key, word))
}
