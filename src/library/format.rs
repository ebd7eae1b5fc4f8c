//! The rules of the format, as Docker's official images enforce them: what every library file must be, whatever it is for.
//!
//! Their source: <https://github.com/docker-library/official-images#instruction-format> and bashbrew, which reads the file.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::manifest::{Field, Manifest, Paragraph, malformed};
use crate::finding::Problem;
use crate::text::{Places, excerpt};
use crate::version::{WINDOWS, is_docker_arch};

/// What is fetched where no field says it.
pub const DEFAULT_FETCH: &str = "refs/heads/master";

/// What is built for where no field says it.
const DEFAULT_ARCHITECTURE: &str = "amd64";

/// The fields that hold several values.
const LISTS: &str = "Maintainers Tags SharedTags Architectures Constraints";

/// The fields that hold one; each can be given for an architecture too (`arm64v8-GitCommit`).
const SINGLE: &str = "GitRepo GitFetch GitCommit Directory File Builder";

fn is_one_of(names: &str, name: &str) -> bool {
    names.split(' ').any(|one| one == name)
}

/// A field's name, the rule for its values, their pattern, and what is expected, for people.
const SHAPES: [(&str, &str, &str, &str); 4] = [
    (
        "GitFetch",
        "fetch",
        r"^refs/(heads|tags)/[^\s*?:]+$",
        "refs/heads/<branch> or refs/tags/<tag>",
    ),
    (
        "GitCommit",
        "commit",
        r"^[0-9a-f]{40}$",
        "the 40 hex digits of a commit, in lower case",
    ),
    ("Tags", "tag", TAG, TAG_WANTED),
    ("SharedTags", "tag", TAG, TAG_WANTED),
];
const TAG: &str = r"^\w[\w.-]{0,127}$";
const TAG_WANTED: &str =
    "a tag of at most 128 characters: a letter, a digit or `_`, then also `.` and `-`";

/// Everything in a file that breaks a rule of the format.
pub fn broken_rules(manifest: &Manifest) -> Vec<Problem> {
    let mut problems = Vec::new();
    // What has no paragraph at all breaks the grammar.
    let Some(global) = manifest.global() else {
        return problems;
    };
    let at = global.span.start;
    if is_missing(manifest.own(global, "Maintainers")) {
        problems.push(malformed(at, "the first paragraph has no Maintainers"));
    }
    for name in ["Tags", "SharedTags", "Directory"] {
        if let Some(field) = manifest.own(global, name) {
            let message = format!(
                "the first paragraph is for what all entries share, and cannot have {name}: end it with an empty line"
            );
            problems.push(malformed(field.name.start, &message));
        }
    }
    if manifest.entries().is_empty() {
        let message = "has no entry: expected a paragraph with Tags and Directory for each image";
        problems.push(malformed(at, message));
    }
    for field in manifest.fields() {
        check_field(manifest, field, &mut problems);
    }
    for entry in manifest.entries() {
        for name in ["Tags", "GitRepo", "GitCommit"] {
            if is_missing(manifest.field(entry, name)) {
                let message = format!("the entry has no {name}");
                problems.push(malformed(entry.span.start, &message));
            }
        }
    }
    check_tags(manifest, &mut problems);
    problems.sort_by_key(|problem| problem.at);
    problems
}

/// The architectures of an entry, each with where it stands.
pub fn architectures<'a>(manifest: &'a Manifest, entry: &'a Paragraph) -> Vec<(usize, String)> {
    let one = |item: &Range<usize>| (item.start, manifest.said(item).into_owned());
    match manifest.field(entry, "Architectures") {
        Some(field) => field.items.iter().map(one).collect(),
        None => vec![(entry.span.start, DEFAULT_ARCHITECTURE.to_owned())],
    }
}

fn is_missing(field: Option<&Field>) -> bool {
    field.is_none_or(|field| field.value.is_empty())
}

static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    SHAPES
        .iter()
        .map(|shape| Regex::new(&format!("(?-u){}", shape.2)).expect("a fixed pattern"))
        .collect()
});

/// What a value of a field must look like, and the rule that says so, where it does not.
pub fn misshapen(field: &str, value: &str) -> Option<(&'static str, &'static str)> {
    let mut shapes = SHAPES.iter().zip(PATTERNS.iter());
    let (shape, pattern) = shapes.find(|(shape, _)| shape.0 == field)?;
    (!pattern.is_match(value.as_bytes())).then_some((shape.1, shape.3))
}

/// The values of a field, each by itself.
fn check_field(manifest: &Manifest, field: &Field, problems: &mut Vec<Problem>) {
    let (name, plain) = (manifest.name(field), manifest.bare_name(field));
    let is_list = is_one_of(LISTS, name);
    let is_known = match name.rsplit_once('-') {
        Some((architecture, name)) => is_docker_arch(architecture) && is_one_of(SINGLE, name),
        None => is_list || is_one_of(SINGLE, name),
    };
    if !is_known {
        let message =
            format!("`{name}` is not a field of the format: correct its name or remove it");
        problems.push(malformed(field.name.start, &message));
    }
    let values: &[Range<usize>] = match is_list {
        true => &field.items,
        false => std::slice::from_ref(&field.value),
    };
    let mut seen = BTreeSet::new();
    for value in values {
        let said = manifest.said(value);
        if is_one_of(SINGLE, plain) && said.is_empty() {
            let message = format!("{name} has no value: write one, or remove the line");
            problems.push(malformed(value.start, &message));
            continue;
        }
        let mut wrong = |rule, message: String| {
            problems.push(Problem::new(value.start, rule, &said, "", message));
        };
        if is_list && said.is_empty() {
            wrong("list", format!("{name}: an empty item: remove a comma"));
            continue;
        }
        if let Some((rule, wanted)) = misshapen(plain, &said).filter(|_| !said.is_empty()) {
            let found = excerpt(&said);
            wrong(rule, format!("found `{found}`, expected {wanted}"));
        }
        if name == "Architectures" && !is_docker_arch(&said) {
            let message = format!("`{said}` is not an architecture of the official images");
            wrong("architecture", message);
        }
        if plain == "Tags" || plain == "SharedTags" {
            let is_part = said.split(['-', '.', '_']).any(|part| part == "latest");
            if is_part && said != "latest" {
                let message = format!("`{said}`: `latest` cannot be part of another tag");
                wrong("tag", message);
            }
        }
        if is_list && !seen.insert(said.to_string()) {
            let rule = match name {
                "Architectures" => "architecture",
                _ => "tag",
            };
            wrong(rule, format!("{name}: `{said}` is given twice"));
        }
    }
}

/// The rules about tags over the whole file: a tag is of one entry, a shared one of one entry for each architecture.
fn check_tags(manifest: &Manifest, problems: &mut Vec<Problem>) {
    let places = Places::new(manifest.text.as_bytes());
    // Each tag with the entry and the line that it is in.
    let mut own: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (index, entry) in manifest.entries().iter().enumerate() {
        for (item, tag) in manifest.items(entry, "Tags") {
            match own.get(&*tag) {
                // Twice in one list is reported where the list is.
                Some((other, _)) if *other == index => {}
                Some((_, line)) => {
                    let message =
                        format!("`{tag}` is a tag of another entry already, in line {line}");
                    problems.push(Problem::new(item.start, "tag", &tag, "", message));
                }
                None => {
                    let line = places.of(item.start).0;
                    own.insert(tag.into_owned(), (index, line));
                }
            }
        }
    }
    // Each shared tag with its architecture, by the entry and the line that it is in.
    let mut shared: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for (index, entry) in manifest.entries().iter().enumerate() {
        for (item, tag) in manifest.items(entry, "SharedTags") {
            let line = places.of(item.start).0;
            let mut wrong =
                |message: String| problems.push(Problem::new(item.start, "tag", &tag, "", message));
            if let Some((_, line)) = own.get(&*tag) {
                wrong(format!(
                    "`{tag}` is shared here, and an entry's own tag in line {line}"
                ));
            }
            for (_, architecture) in architectures(manifest, entry) {
                let earlier = shared.insert((tag.to_string(), architecture.clone()), (index, line));
                // Twice in one list is reported where the list is.
                let other = earlier.filter(|(other, _)| architecture != WINDOWS && *other != index);
                if let Some((_, line)) = other {
                    wrong(format!(
                        "`{tag}` already belongs to another entry for {architecture}, in line {line}"
                    ));
                    break;
                }
            }
        }
    }
}
