//! The words of a Dockerfile that are hashes, and the variables that hold them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::commands::Code;
use super::spans::{
    has, is_comment, is_escape, is_hex, is_local_copy, is_word, last_part, last_word, skip,
    variable_of,
};

/// The words of nothing but hex digits that are as long as hashes. An image's digest is left out: it pins a base, not an archive.
pub(super) fn words(text: &[u8]) -> Vec<Range<usize>> {
    // A step of that many bytes misses none of them.
    const SHORTEST: usize = 32;
    const LONGEST: usize = 128;
    let (mut words, mut at) = (Vec::new(), SHORTEST - 1);
    while let Some(byte) = text.get(at) {
        if !byte.is_ascii_hexdigit() {
            at += SHORTEST;
            continue;
        }
        let start = at - last_word(&text[at.saturating_sub(LONGEST)..at]).len();
        // `\n<hash>`
        let start = start + usize::from(is_escape(text, start));
        let end = skip(text, at, is_word);
        at = end + SHORTEST - 1;
        // A SHA-256 may have too few digits, or too many.
        let is_long = matches!(end - start, SHORTEST | 40 | 50..=90 | 96 | LONGEST);
        let is_whole = start == 0 || !is_word(text[start - 1]) || is_escape(text, start - 1);
        let is_hash = is_long && is_whole && is_hex(&text[start..end]);
        let is_digest = text[..start].ends_with(b"@sha256:");
        if is_hash && !is_digest && !is_comment(text, start) && !is_key_id(text, &(start..end)) {
            words.push(start..end);
        }
    }
    words
}

/// Whether digits are the ID of a key that signs releases, rather than a hash.
fn is_key_id(text: &[u8], word: &Range<usize>) -> bool {
    let keys = [&b"KEY"[..], b"FINGERPRINT", b"GPG", b"PGP"];
    let is_key = |name: &[u8]| {
        let name = name.to_ascii_uppercase();
        keys.iter().any(|key| has(&name, key))
    };
    let before = &text[word.start.saturating_sub(400)..word.start];
    word.len() == 40
        && (variable_of(text, word.start).is_some_and(is_key)
            || has(before, b"recv-key")
            || has(before, b"gpg "))
}

/// The lists of hashes that a Dockerfile copies from beside it and checks files with: `sha256sum -c foo_SHA256SUMS`.
pub(super) fn copied_lists(text: &[u8]) -> Vec<&[u8]> {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"';|&)[],".contains(byte);
    let is_option = |word: &&[u8]| word.starts_with(b"-");
    let is_check = |word: &&[u8]| {
        let is_short = is_option(word) && !word.starts_with(b"--");
        *word == b"--check" || is_short && word.contains(&b'c')
    };
    let checked = memchr::memmem::find_iter(text, b"sum ").filter_map(|at| {
        let words = || text[at + b"sum ".len()..].split(is_end).take(4);
        let list = words().find(|word| !is_option(word))?;
        words().any(|word| is_check(&word)).then(|| last_part(list))
    });
    let checked: BTreeSet<&[u8]> = checked.filter(|name| !name.is_empty()).collect();
    if checked.is_empty() {
        return Vec::new();
    }
    let lines = text.split(|byte| *byte == b'\n');
    let copies = lines.filter(|line| is_local_copy(line));
    let words = copies.flat_map(|line| line.split(is_end));
    let names = words.map(last_part);
    names.filter(|name| checked.contains(name)).collect()
}

/// Whether the name of a variable begins with the word for a hash rather than with a name: `sha256`, `checksum`.
pub(super) fn is_named_like_one(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut kinds = ["sha", "sum", "hash", "check"].into_iter();
    kinds.any(|kind| name.starts_with(kind))
}

/// Whether the name of a variable ends in that of an algorithm whose hashes are shorter, `FOO_SHA1` or `FOO_MD5`: not `GIT_SHA1`,
/// which is a commit.
pub(super) fn is_short(name: &[u8]) -> bool {
    let name = name.to_ascii_uppercase();
    let mut algorithms = [&b"SHA1"[..], b"MD5", b"SHA1SUM", b"MD5SUM"].into_iter();
    let is_commit = [&b"GIT"[..], b"COMMIT", b"REV"]
        .iter()
        .any(|word| has(&name, word));
    !is_commit && algorithms.any(|algorithm| name.ends_with(algorithm))
}

/// How many hashes are assigned to each variable, in one instruction and in all.
pub(super) struct Named<'a>(BTreeMap<(Option<usize>, &'a [u8]), usize>);

impl<'a> Named<'a> {
    pub(super) fn new(text: &'a [u8], hashes: &[Range<usize>], code: &Code) -> Self {
        let mut named = BTreeMap::new();
        for hash in hashes {
            if let Some(name) = variable_of(text, hash.start) {
                for scope in [None, Some(code.number(hash.start))] {
                    *named.entry((scope, name)).or_default() += 1;
                }
            }
        }
        Self(named)
    }

    /// Whether a variable that holds a hash, set in an instruction, is set to something else as well.
    pub(super) fn is_reset(&self, code: &Code, number: usize, name: &[u8]) -> bool {
        let instruction = &code.instructions[number];
        let (scope, span) = match instruction.is_run {
            true => (Some(number), instruction.span.clone()),
            false => (None, 0..code.text.len()),
        };
        let hashes = self.0.get(&(scope, name));
        code.assignments(name, &span) > hashes.copied().unwrap_or(0)
    }
}
