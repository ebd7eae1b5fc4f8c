//! An image that a script builds in a variant's folder is tagged with that variant's name.

use std::ops::Range;

use super::Script;
use crate::fields::Kind;
use crate::fields::workflow::FOLDER_COMMANDS;
use crate::finding::Finding;
use crate::repository::Tree;
use crate::text::{Places, span_of};

/// Checks the builds of a script of a version directory.
pub(super) fn check((path, place, names): &Script, tree: &Tree, findings: &mut Vec<Finding>) {
    let Some(text) = place.document.utf8() else {
        return;
    };
    let places = Places::new(text.as_bytes());
    // The name of the folder that the script has changed to, where it is written out.
    let mut here: Option<Range<usize>> = None;
    for command in commands(text) {
        let words = words(text, &command);
        let Some(first) = words.first().map(|word| &text[word.clone()]) else {
            continue;
        };
        if FOLDER_COMMANDS.contains(&first) || first == "popd" {
            here = words.get(1).and_then(|path| last_name(text, path));
        }
        let has = |name: &str| words.iter().any(|word| text[word.clone()] == *name);
        // With `--file` the folder says nothing of the variant.
        let is_build = has("build") && !has("-f") && !has("--file");
        let folder = match words.last().filter(|_| is_build) {
            Some(last) if text[last.clone()] == *"." => here.clone(),
            Some(last) => last_name(text, last),
            None => None,
        };
        let Some(folder) = folder else { continue };
        let built = &text[folder.clone()];
        let is_tag = |kind: &Kind| matches!(kind, Kind::Tag | Kind::TagVariant);
        let from = names.partition_point(|(_, field)| field.span.start < command.start);
        let inside = names[from..].iter();
        let inside = inside.take_while(|(_, field)| command.contains(&field.span.start));
        let tags = inside.filter(|(name, field)| {
            is_tag(&field.kind) && text[field.span.clone()].ends_with(name)
        });
        for (name, field) in tags.filter(|(name, _)| *name != built) {
            // A name that looks like a variant's, and is none, has a finding of its own.
            let fields = &place.document.fields;
            let is_field = fields
                .binary_search_by_key(&folder.start, |field| field.span.start)
                .is_ok();
            let (at, found, expected, why) = match tree.directory.has(built) {
                true => (
                    field.span.end - name.len(),
                    *name,
                    built,
                    "is what is built",
                ),
                false if is_field => continue,
                false => (
                    folder.start,
                    built,
                    *name,
                    "is what the image is tagged with",
                ),
            };
            let message = format!("found {found}, expected {expected}: {expected} {why}");
            let finding = Finding::at(path, places.of(at), "variant", message);
            findings.push(finding.found(found).expected(expected));
        }
    }
}

/// The commands of a text, in their order: lines, with continued lines joined, up to a sign that ends a command or redirects what it
/// prints, or a comment.
fn commands(text: &str) -> Vec<Range<usize>> {
    let mut commands: Vec<Range<usize>> = Vec::new();
    let (mut start, mut is_escaped, mut in_comment) = (0, false, false);
    for (at, sign) in text.char_indices() {
        let ends = match sign {
            '\n' => !std::mem::take(&mut is_escaped) || in_comment,
            '\r' => false,
            '#' => text[..at].ends_with(char::is_whitespace),
            _ => ";&|<>".contains(sign),
        };
        if ends {
            if !in_comment {
                commands.push(start..at);
            }
            in_comment = sign == '#' || in_comment && sign != '\n';
            start = at + 1;
        } else if sign != '\n' && sign != '\r' {
            is_escaped = sign == '\\' || sign == '`';
        }
    }
    commands.push(start..text.len());
    commands
}

/// The words of a command, without quotes and brackets around them.
fn words(text: &str, command: &Range<usize>) -> Vec<Range<usize>> {
    let is_end = |c: char| c.is_whitespace() || "\"'();&|`".contains(c);
    let words = text[command.clone()].split(is_end);
    let words = words.filter(|word| !word.is_empty() && *word != "\\");
    words.map(|word| span_of(text, word)).collect()
}

/// The last name of a path, where it is written out.
fn last_name(text: &str, path: &Range<usize>) -> Option<Range<usize>> {
    let bare = text[path.clone()].trim_end_matches(['/', '\\']);
    let start = bare.rfind(['/', '\\']).map_or(0, |at| at + 1);
    let name = &bare[start..];
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_name =
        name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_plain);
    is_name.then_some(path.start + start..path.start + bare.len())
}
