//! The rule about names in a Dockerfile or a script that are a typo for another one there: variables, and files of its folder.

use std::collections::BTreeSet;

use memchr::memmem;

use super::documents::Seen;
use super::words::Names;
use crate::fields::scan::is_script;
use crate::fields::{DocumentKind, Kind, past_any_case, variable_of};
use crate::finding::Finding;
use crate::repository::Place;
use crate::text::{is_typo, is_word, span_of};

/// The most names that are looked at in one file.
const MOST: usize = 64;

/// The instructions whose words may be files of the folder.
const NAMING: [&[u8]; 3] = [b"COPY ", b"ADD ", b"ENTRYPOINT "];

/// Checks a document.
pub(super) fn check(seen: &Seen, place: &Place, findings: &mut Vec<Finding>) {
    if seen.document.kind == DocumentKind::Workflow {
        return;
    }
    check_variables(seen, findings);
    if seen.document.kind == DocumentKind::Script {
        check_families(seen, findings);
    }
    if seen.document.kind == DocumentKind::Dockerfile {
        check_files(seen, place, findings);
    }
}

/// What looks like a family of variants in a script is one.
fn check_families(seen: &Seen, findings: &mut Vec<Finding>) {
    let Some(text) = seen.document.utf8() else {
        return;
    };
    let directories = seen.scope.directories.iter().chain(seen.scope.own);
    let names = Names::new(directories, &[]);
    let is_code = |line: &&str| !line.trim_start().starts_with('#');
    let misspelt = text
        .lines()
        .filter(is_code)
        .flat_map(|line| names.families(line));
    for (word, new) in misspelt.filter(|(word, _)| !seen.document.has_field(&span_of(text, word))) {
        let message = format!("found {word}, expected {new}");
        let finding = seen.at(span_of(text, word).start, "name", message);
        findings.push(finding.found(word).expected(new));
    }
}

/// A variable that is used is set, or not called like one that holds the version.
fn check_variables(seen: &Seen, findings: &mut Vec<Finding>) {
    let text = &*seen.document.text;
    let key = seen.scope.names.config.version_key();
    let holders = seen.document.statements().filter_map(|field| {
        let is_version = matches!(field.kind, Kind::Version { key: true });
        let is_directory = field.is_directory() && seen.document.kind == DocumentKind::Script;
        (is_version || is_directory).then(|| variable_of(text, field.span.start))?
    });
    let holders: BTreeSet<&[u8]> = holders.chain([key.as_bytes()]).take(MOST).collect();
    let holders = holders.iter().map(|name| std::str::from_utf8(name));
    let holders: Vec<&str> = holders.flatten().collect();
    let is_set = |name: &&str| is_set(text, name.as_bytes());
    for dollar in memchr::memchr_iter(b'$', text) {
        let rest = &text[dollar + 1..];
        let rest = rest.strip_prefix(b"{").unwrap_or(rest);
        let rest = &rest[past_any_case(rest, 0, b"env:")..];
        let end = rest.iter().take(100).position(|byte| !is_word(*byte));
        let (name, behind) = rest.split_at(end.unwrap_or(rest.len().min(100)));
        // `${NAME:-default}`
        let may_be_unset = behind.first().is_some_and(|next| b":-+?".contains(next))
            && text[..text.len() - rest.len()].ends_with(b"{");
        let name = std::str::from_utf8(name).unwrap_or_default();
        let mut meant = holders.iter().filter(|holder| is_typo(name, holder));
        let meant = meant.find(|holder| is_set(holder));
        let Some(meant) = meant.filter(|_| !may_be_unset && !is_set(&name)) else {
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

/// Whether a text has a name other than as a variable that is used.
fn is_set(text: &[u8], name: &[u8]) -> bool {
    memmem::find_iter(text, name).any(|at| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| is_word(*byte));
        let is_whole = !is_part(before.last()) && !is_part(after.first());
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
        let is_naming = NAMING
            .iter()
            .any(|instruction| code.starts_with(instruction));
        // What comes from elsewhere is no file of the folder.
        let comes = [&b"--from"[..], b"://", b"<<"];
        if !is_naming || comes.iter().any(|sign| memmem::find(code, sign).is_some()) {
            continue;
        }
        let starts = code.starts_with(b"E");
        let is_end = |byte: &u8| !is_word(*byte) && !b".-".contains(byte);
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
