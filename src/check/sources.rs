//! The rule about where a variant's Dockerfile gets the server from, and what becomes the image: our own image by version and
//! variant, and a last stage on the variant's own base.

use std::collections::BTreeSet;

use memchr::memmem;

use super::bases::usual;
use super::documents::Seen;
use crate::fields::{DocumentKind, Kind, past_any_case};
use crate::finding::Finding;
use crate::tag::is_owner;
use crate::text::span_of;
use crate::version::Variant;

/// The option that names an image, or a stage, to copy from.
const FROM: &str = "--from=";

/// Checks a document.
pub(super) fn check(seen: &Seen, findings: &mut Vec<Finding>) {
    let Some(variant) = seen.scope.variant else {
        return;
    };
    if seen.document.kind != DocumentKind::Dockerfile {
        return;
    }
    let copies = memmem::find(&seen.document.text, FROM.as_bytes()).is_some();
    if !copies && seen.document.facts.stages.len() < 2 {
        return;
    }
    let Some(text) = seen.document.utf8() else {
        return;
    };
    let stages = stages(text);
    let is_code = |line: &&str| !line.trim_start().starts_with('#');
    for line in text.lines().filter(is_code) {
        let values = line.split(FROM).skip(1);
        let images = values.filter_map(|value| value.split_whitespace().next());
        findings.extend(images.filter_map(|image| check_source(seen, &stages, image)));
    }
    findings.extend(check_last(seen, &stages, variant));
}

/// The names of stages.
fn stages(text: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let line = line.trim();
        let start = past_any_case(line.as_bytes(), 0, b"from ");
        let mut words = line[start..].split_whitespace().filter(|_| start > 0);
        let is_as = |word: &&str| word.eq_ignore_ascii_case("as");
        words.by_ref().find(is_as)?;
        words.next().map(str::to_ascii_lowercase)
    };
    text.lines().filter_map(name).collect()
}

/// What is wrong with an image that is copied from. Those of other programs may be anything.
fn check_source(seen: &Seen, stages: &BTreeSet<String>, image: &str) -> Option<Finding> {
    let config = &seen.scope.names.config;
    let whole = image.trim_matches(['"', '\'']);
    let name = whole.split('@').next().unwrap_or_default();
    let last = name.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match name[last..].find(':') {
        Some(colon) => (&name[..last + colon], &name[last + colon + 1..]),
        None => (name, ""),
    };
    let is_stage = name.bytes().all(|byte| byte.is_ascii_digit())
        || tag.is_empty() && stages.contains(&name.to_ascii_lowercase());
    if is_stage || name.contains('$') {
        return None;
    }
    let wrong = |message: String| {
        let start = span_of(seen.document.text.as_slice(), whole.as_bytes()).start;
        seen.at(start, "image", message).found(whole)
    };
    let own = &*config.image;
    if usual(name) == own {
        let rest = tag.rsplit_once('}').map_or(tag, |(_, rest)| rest);
        let is_whole = rest.contains('-') || !tag.contains('$') && !tag.is_empty();
        let why = || format!("found {whole}, expected `{own}:<version>-<variant>`, to copy from");
        return (!is_whole).then(|| wrong(why()));
    }
    let (folder, is_called_so) = (name[..last].trim_end_matches('/'), &name[last..] == own);
    // Mirrors have folders of their own.
    let mut hosts = folder.split('/').take(1);
    let is_mirror = hosts.any(|host| host.contains(['.', ':']));
    if is_called_so && (is_mirror || is_owner(folder.as_bytes(), &config.owner)) {
        return None;
    }
    let is_own = || tag.is_empty() || seen.scope.is_own_tag(tag);
    let is_made = || tag.contains(&format!("{{{}", config.version_key()));
    let is_ours = is_called_so && is_own() || is_made();
    let why = || format!("found {name}, expected {own}, whose version this is");
    is_ours.then(|| wrong(why()))
}

/// What is wrong with the last stage, which becomes the image. An earlier stage under its name, and a variable, may be anything.
fn check_last(seen: &Seen, stages: &BTreeSet<String>, variant: &Variant) -> Option<Finding> {
    let facts = &seen.document.facts;
    let last = facts.stages.last().filter(|_| facts.stages.len() > 1)?;
    let own = format!("-{variant}");
    let is_derived = || {
        let bases = seen.document.statements();
        let last = bases
            .filter(|field| matches!(field.kind, Kind::Base { .. }))
            .last();
        last.is_some_and(|field| seen.document.found(field).ends_with(&own))
    };
    let may_be = variant.is_on(last)
        || !variant.has_numbered_base()
        || facts.has_variable_stage
        || **last == *"scratch"
        || **last == *seen.scope.names.config.image
        || stages.contains(&last.to_ascii_lowercase())
        || is_derived();
    let at = memmem::rfind(&seen.document.text, b"FROM ").filter(|_| !may_be)?;
    let (family, base) = (&variant.family, variant.base_tag());
    let message = format!(
        "found a last stage on {last}, expected one on {family} {base}: it becomes the image"
    );
    let finding = seen.at(at, "base", message).found(&**last);
    Some(finding.expected(format!("{family} {base}")))
}
