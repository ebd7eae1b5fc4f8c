//! An image that a script builds in a variant's folder is tagged with that variant's name.

use std::ops::Range;

use super::Script;
use crate::fields::Kind;
use crate::fields::workflow::FOLDER_COMMANDS;
use crate::finding::Finding;
use crate::repository::Tree;
use crate::text::{Places, span_of};

/// The options of a build that take no value:
/// <https://docs.docker.com/reference/cli/docker/buildx/build/>.
const FLAGS: [&str; 10] = [
    "-q",
    "-D",
    "--quiet",
    "--debug",
    "--check",
    "--load",
    "--no-cache",
    "--pull",
    "--push",
    "--rm",
];

/// Checks the builds of a script of a version directory.
pub(super) fn check((path, place, names): &Script, tree: &Tree, findings: &mut Vec<Finding>) {
    let Some(text) = place.document.utf8() else {
        return;
    };
    let places = Places::new(text.as_bytes());
    // The name of the folder that the script has changed to, where it is written out; and those in front of brackets that are open.
    let mut here: Option<Range<usize>> = None;
    let mut outside: Vec<Option<Range<usize>>> = Vec::new();
    for command in commands(text) {
        let code = &text[command.clone()];
        let opened = code.matches('(').count();
        outside.extend(std::iter::repeat_n(here.clone(), opened));
        let words = words(text, &command);
        let first = words.first().map(|word| &text[word.clone()]);
        if first.is_some_and(|first| FOLDER_COMMANDS.contains(&first) || first == "popd") {
            here = words.get(1).and_then(|path| last_name(text, path));
        }
        // With `--file` the folder says nothing of the variant.
        let mut all = words.iter().map(|word| &text[word.clone()]);
        let has_file = all.any(|word| word == "-f" || word == "--file");
        let folder = match context(text, &words).filter(|_| !has_file) {
            Some(path) if text[path.clone()] == *"." => here.clone(),
            Some(path) => last_name(text, path),
            None => None,
        };
        for _ in code.matches(')') {
            here = outside.pop().unwrap_or(here);
        }
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

/// The word of a build that is its context: the last one, but for options behind it and their values.
fn context<'w>(text: &str, words: &'w [Range<usize>]) -> Option<&'w Range<usize>> {
    // Behind `$(version)` a dash is part of a tag.
    let is_option = |word: &Range<usize>| {
        let is_first = text[..word.start].ends_with(char::is_whitespace);
        is_first && text[word.clone()].starts_with('-')
    };
    let has_value = |option: &Range<usize>| {
        let option = &text[option.clone()];
        !option.contains('=') && !FLAGS.contains(&option)
    };
    let is_value = |at: usize| {
        let before = at.checked_sub(1).map(|before| &words[before]);
        before.is_some_and(|one| is_option(one) && has_value(one))
    };
    let is_build = |word: &Range<usize>| text[word.clone()] == *"build";
    let from = words.iter().position(is_build)? + 1;
    let at = (from..words.len()).rfind(|at| !is_option(&words[*at]) && !is_value(*at))?;
    Some(&words[at])
}

/// The commands of a text, in their order: lines, with continued lines joined, up to a sign that ends a command or redirects what it
/// prints, or a comment.
fn commands(text: &str) -> Vec<Range<usize>> {
    let mut commands: Vec<Range<usize>> = Vec::new();
    let (mut start, mut is_escaped, mut in_comment) = (0, false, false);
    for (at, sign) in text.char_indices() {
        // `2>&1`
        let is_number = |before: &str| {
            let bare = before.trim_end_matches(|c: char| c.is_ascii_digit());
            bare.len() + 1 == before.len() && bare.ends_with(char::is_whitespace)
        };
        let ends = match sign {
            '\n' => !std::mem::take(&mut is_escaped) || in_comment,
            '\r' => false,
            '#' => text[..at].ends_with(char::is_whitespace),
            _ => ";&|<>".contains(sign),
        };
        if ends {
            if !in_comment {
                let is_redirected = sign == '>' && is_number(&text[start..at]);
                commands.push(start..at - usize::from(is_redirected));
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
