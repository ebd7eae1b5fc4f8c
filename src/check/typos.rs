//! The rule about names in a Dockerfile or a script that are a typo for another one there: variables, and files of its folder.

use memchr::memmem;

use super::documents::Seen;
use crate::fields::DocumentKind;
use crate::finding::Finding;
use crate::repository::Place;
use crate::text::span_of;

/// The most names that are looked at in one file.
const MOST: usize = 64;

/// The instructions whose words may be files of the folder.
const NAMING: [&[u8]; 4] = [b"COPY ", b"ADD ", b"ENTRYPOINT ", b"CMD "];

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

/// Whether a name is one letter away from another one.
pub(super) fn is_typo(name: &str, other: &str) -> bool {
    let [short, long] = [name.len().min(other.len()), name.len().max(other.len())];
    long > 3 && long - short < 2 && strsim::damerau_levenshtein(name, other) == 1
}

/// Checks a document.
pub(super) fn check(seen: &Seen, place: &Place, findings: &mut Vec<Finding>) {
    if seen.document.kind == DocumentKind::Workflow {
        return;
    }
    check_variables(seen, findings);
    if seen.document.kind == DocumentKind::Dockerfile {
        check_files(seen, place, findings);
    }
}

/// A variable that is used is set, or called like none that is.
fn check_variables(seen: &Seen, findings: &mut Vec<Finding>) {
    let text = &*seen.document.text;
    let mut known: Vec<&[u8]> = Vec::new();
    for dollar in memchr::memchr_iter(b'$', text) {
        let rest = &text[dollar + 1..];
        let rest = rest.strip_prefix(b"{").unwrap_or(rest);
        let rest = rest.strip_prefix(b"env:").unwrap_or(rest);
        let end = rest.iter().take(100).position(|byte| !is_word(byte));
        let name = &rest[..end.unwrap_or(rest.len().min(100))];
        let is_name = name.len() > 2 && !name[0].is_ascii_digit();
        if !is_name || known.len() == MOST || known.contains(&name) {
            continue;
        }
        known.push(name);
        if is_set(text, name) {
            continue;
        }
        let lower = |name: &[u8]| String::from_utf8_lossy(name).to_lowercase();
        let found = lower(name);
        let all = assigned(text).map(|name| (lower(name), name));
        let meant = all.take(MOST).find(|(other, _)| is_typo(&found, other));
        let is_comment = || {
            let line = text[..dollar].rsplit(|byte| *byte == b'\n').next();
            line.is_some_and(|line| line.trim_ascii_start().starts_with(b"#"))
        };
        if let Some((_, meant)) = meant.filter(|_| !is_comment()) {
            let [name, meant] = [name, meant].map(String::from_utf8_lossy);
            let message =
                format!("found the variable {name}, which nothing sets, expected {meant}");
            let finding = seen.at(text.len() - rest.len(), "name", message);
            findings.push(finding.found(&*name).expected(&*meant));
        }
    }
}

/// Whether a text has a name other than as a variable that is used.
fn is_set(text: &[u8], name: &[u8]) -> bool {
    memmem::find_iter(text, name).any(|at| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let is_whole = !before.last().is_some_and(is_word) && !after.first().is_some_and(is_word);
        let is_used = before.ends_with(b"$") || before.ends_with(b"${") || before.ends_with(b":");
        is_whole && (!is_used || is_assigned(after))
    })
}

/// Whether something is assigned to the name in front of a text, or goes through it: `$name = …`, `($name in …)`.
fn is_assigned(after: &[u8]) -> bool {
    let sign = after.trim_ascii_start();
    sign.starts_with(b"=") && !sign.starts_with(b"==") || after.starts_with(b" in ")
}

/// The names to which a text assigns something: `name=`, `$name = `, `ENV name `, `for name in`.
fn assigned(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = text.split(|byte| !is_word(byte));
    let words = words.filter(|word| !word.is_empty() && word.len() < 100);
    let mut before: &[u8] = b"";
    words.filter(move |word| {
        let opens: [&[u8]; 5] = [b"ENV", b"ARG", b"for", b"foreach", b"read"];
        let end = span_of(text, word).end;
        let is_opened = opens.contains(&std::mem::replace(&mut before, word));
        is_opened || is_assigned(&text[end..])
    })
}

/// A file that is copied or started is called like none of the folder, or is there.
fn check_files(seen: &Seen, place: &Place, findings: &mut Vec<Finding>) {
    let folder = place.tree.and_then(|tree| tree.folder(place.folder));
    let items = folder.map_or(&[][..], |folder| &folder.items);
    let names = items.iter().map(|item| item.name.as_str());
    let names = names.filter(|name| name.len() > 5 && !name.starts_with("Dockerfile"));
    let names: Vec<&str> = names.take(MOST).collect();
    if names.is_empty() {
        return;
    }
    let text = &*seen.document.text;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text).chain([text.len()]) {
        let code = text[start..end].trim_ascii_start();
        start = end + 1;
        // Most lines begin with something else.
        let is_naming = code.first().is_some_and(|first| b"ACE".contains(first))
            && NAMING
                .iter()
                .any(|instruction| code.starts_with(instruction));
        if !is_naming {
            continue;
        }
        let is_end = |byte: &u8| !is_word(byte) && !b".-".contains(byte);
        for word in code.split(is_end).take(MOST) {
            let Ok(found) = std::str::from_utf8(word) else {
                continue;
            };
            let mut others = names.iter();
            let meant = others.find(|name| is_typo(found, name));
            if let Some(meant) = meant.filter(|_| !names.contains(&found)) {
                let at = span_of(text, word).start;
                let message = format!("found {found}, expected {meant}, which is in this folder");
                let finding = seen.at(at, "name", message);
                findings.push(finding.found(found).expected(*meant));
            }
        }
    }
}
