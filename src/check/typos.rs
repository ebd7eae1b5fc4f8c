//! The rule about names in a Dockerfile or a script that are a typo for another one there: variables, and files of its folder.

use std::collections::BTreeSet;

use memchr::memmem;

use super::documents::Seen;
use crate::fields::scan::is_script;
use crate::fields::{DocumentKind, Kind};
use crate::finding::Finding;
use crate::repository::Place;
use crate::text::span_of;

/// The most names that are looked at in one file.
const MOST: usize = 64;

/// The instructions whose words may be files of the folder.
const NAMING: [&[u8]; 3] = [b"COPY ", b"ADD ", b"ENTRYPOINT "];

fn has(text: &[u8], what: &[u8]) -> bool {
    memmem::find(text, what).is_some()
}

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

/// Whether a name is one letter away from another one.
pub(super) fn is_typo(name: &str, other: &str) -> bool {
    let [short, long] = [name.len().min(other.len()), name.len().max(other.len())];
    let may_be = long > 3 && long - short < 2 && name != other;
    may_be && strsim::damerau_levenshtein(name, other) == 1
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

/// A variable that is used is set, or not called like one that holds the version.
fn check_variables(seen: &Seen, findings: &mut Vec<Finding>) {
    let text = &*seen.document.text;
    let key = seen.scope.names.config.version_key();
    let holders = seen.document.statements().filter_map(|field| {
        let is_version = matches!(field.kind, Kind::Version { key: true });
        let is_directory = field.is_directory() && seen.document.kind == DocumentKind::Script;
        (is_version || is_directory).then(|| holder(&text[..field.span.start]))?
    });
    let holders: BTreeSet<&[u8]> = holders.chain([key.as_bytes()]).take(MOST).collect();
    let holders = holders
        .into_iter()
        .filter_map(|name| std::str::from_utf8(name).ok());
    let holders: Vec<&str> = holders
        .filter(|name| is_set(text, name.as_bytes()))
        .collect();
    for dollar in memchr::memchr_iter(b'$', text).filter(|_| !holders.is_empty()) {
        let rest = &text[dollar + 1..];
        let rest = rest.strip_prefix(b"{").unwrap_or(rest);
        let rest = rest.strip_prefix(b"env:").unwrap_or(rest);
        let end = rest.iter().take(100).position(|byte| !is_word(byte));
        let (name, behind) = rest.split_at(end.unwrap_or(rest.len().min(100)));
        // `${NAME:-default}`
        let may_be_unset = behind.first().is_some_and(|next| b":-+?".contains(next))
            && text[..text.len() - rest.len()].ends_with(b"{");
        let name = std::str::from_utf8(name).unwrap_or_default();
        let meant = holders.iter().find(|holder| is_typo(name, holder));
        let Some(meant) = meant.filter(|_| !may_be_unset && !is_set(text, name.as_bytes())) else {
            continue;
        };
        let line = text[..dollar].rsplit(|byte| *byte == b'\n').next();
        if !line.is_some_and(|line| line.trim_ascii_start().starts_with(b"#")) {
            let message =
                format!("found the variable {name}, which nothing sets, expected {meant}");
            let finding = seen.at(text.len() - rest.len(), "name", message);
            findings.push(finding.found(name).expected(*meant));
        }
    }
}

/// The variable that is set in the line that a text ends in: `ver` of `ver=(NATS_SERVER `, `$ver = "NATS_SERVER `.
fn holder(before: &[u8]) -> Option<&[u8]> {
    let line = before.rsplit(|byte| *byte == b'\n').next()?;
    let name = line[..memchr::memchr(b'=', line)?].trim_ascii_end();
    let start = name.iter().rposition(|byte| !is_word(byte));
    Some(&name[start.map_or(0, |last| last + 1)..])
}

/// Whether a text has a name other than as a variable that is used.
fn is_set(text: &[u8], name: &[u8]) -> bool {
    memmem::find_iter(text, name).any(|at| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let is_whole = !before.last().is_some_and(is_word) && !after.first().is_some_and(is_word);
        let is_used = before.ends_with(b"$") || before.ends_with(b"${") || before.ends_with(b":");
        // `$name = …`, `($name in …)`
        let sign = after.trim_ascii_start();
        let is_assigned = sign.starts_with(b"=") && !sign.starts_with(b"==");
        is_whole && (!is_used || is_assigned || after.starts_with(b" in "))
    })
}

/// A file of the folder that is copied, or a script that is started, is there. What is called so in another place, too, may be made there.
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
        let is_else = has(code, b"--from") || has(code, b"://") || has(code, b"<<");
        if !is_naming || is_else {
            continue;
        }
        let starts = code.starts_with(b"E");
        let is_end = |byte: &u8| !is_word(byte) && !b".-".contains(byte);
        // The last word is where it is copied to.
        let last = memchr::memrchr(b' ', code.trim_ascii_end()).filter(|_| !starts);
        for word in code[..last.unwrap_or(code.len())].split(is_end).take(MOST) {
            let Ok(found) = std::str::from_utf8(word) else {
                continue;
            };
            let next = text.get(span_of(text, word).end);
            let is_free = next.is_some_and(|next| b"*?[$".contains(next));
            if is_free || starts && !is_script(found) {
                continue;
            }
            let mut others = names.iter();
            let meant = others.find(|name| is_typo(found, name));
            let is_once = || memmem::find_iter(text, word).nth(1).is_none();
            if let Some(meant) = meant.filter(|_| !names.contains(&found) && is_once()) {
                let at = span_of(text, word).start;
                let message = format!("found {found}, expected {meant}, which is in this folder");
                let finding = seen.at(at, "name", message);
                findings.push(finding.found(found).expected(*meant));
            }
        }
    }
}
