//! The rule about where a variant's Dockerfile gets the server from, and what becomes the image: our own image by version and
//! variant, and a last stage on the variant's own base.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use memchr::memmem;

use super::bases::usual;
use super::documents::Seen;
use crate::fields::{DocumentKind, Kind, past_any_case};
use crate::finding::Finding;
use crate::text::span_of;
use crate::version::Variant;

/// The option that names an image, or a stage, to copy from.
const FROM: &[u8] = b"--from=";

/// Checks a document.
pub(super) fn check(seen: &Seen, findings: &mut Vec<Finding>) {
    let Some(variant) = seen.scope.variant else {
        return;
    };
    if seen.document.kind != DocumentKind::Dockerfile {
        return;
    }
    let bytes = &*seen.document.text;
    let mut copies = memmem::find_iter(bytes, FROM).peekable();
    if copies.peek().is_none() && seen.document.facts.stages.len() < 2 {
        return;
    }
    let Some(text) = seen.document.utf8() else {
        return;
    };
    let stages = LazyCell::new(|| stages(text));
    let image = |at: usize| {
        let line = text[..at].rsplit('\n').next().unwrap_or_default();
        let image = text[at + FROM.len()..].split_whitespace().next()?;
        (!line.trim_start().starts_with('#')).then_some(image)
    };
    let images = copies.filter_map(image);
    findings.extend(images.filter_map(|image| check_source(seen, &|| &stages, image)));
    findings.extend(check_last(seen, &|| &stages, variant));
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
fn check_source<'s>(
    seen: &Seen,
    stages: &dyn Fn() -> &'s BTreeSet<String>,
    image: &str,
) -> Option<Finding> {
    let config = &seen.scope.names.config;
    let whole = image.trim_matches(['"', '\'']);
    let name = whole.split('@').next().unwrap_or_default();
    let folder = name.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match name[folder..].find(':') {
        Some(colon) => (&name[..folder + colon], &name[folder + colon + 1..]),
        None => (name, ""),
    };
    let is_stage = name.bytes().all(|byte| byte.is_ascii_digit())
        || tag.is_empty() && stages().contains(&name.to_ascii_lowercase());
    if is_stage || name.contains('$') {
        return None;
    }
    let wrong = |message: String| {
        let finding = seen.at(
            span_of(seen.document.text.as_slice(), whole.as_bytes()).start,
            "image",
            message,
        );
        Some(finding.found(whole))
    };
    let (own, last) = (&*config.image, &name[folder..]);
    let is_of_owner = || {
        name.split_once('/').is_some_and(|(owner, rest)| {
            rest == own
                && [config.owner.clone(), config.owner.replace('-', "")]
                    .iter()
                    .any(|one| one == owner)
        })
    };
    // A mirror's folders are its own.
    let is_mirror = last == own
        && name
            .split('/')
            .next()
            .is_some_and(|host| host.contains(['.', ':']));
    let is_usual = usual(name) == own;
    if is_usual || is_of_owner() {
        let rest = tag.rsplit_once('}').map_or(tag, |(_, rest)| rest);
        let is_whole = rest.contains('-') || !tag.contains('$') && !tag.is_empty();
        let expected = format!("{own}:<version>-<variant>");
        return match is_whole || !is_usual {
            true => None,
            false => wrong(format!(
                "found {whole}, expected `{expected}`, to copy from"
            )),
        };
    }
    let variable = format!("{{{}", config.version_key());
    let is_own = || tag.is_empty() || seen.scope.is_own_tag(tag);
    let is_ours = last == own && is_own() || tag.contains(&variable);
    match is_ours && !is_mirror {
        true => wrong(format!(
            "found {name}, expected {own}, whose version this is"
        )),
        false => None,
    }
}

/// What is wrong with the last stage, which becomes the image. An earlier stage under its name, and a variable, may be anything.
fn check_last<'s>(
    seen: &Seen,
    stages: &dyn Fn() -> &'s BTreeSet<String>,
    variant: &Variant,
) -> Option<Finding> {
    let facts = &seen.document.facts;
    let last = facts.stages.last().filter(|_| facts.stages.len() > 1)?;
    let own = format!("-{variant}");
    let field = seen
        .document
        .statements()
        .filter(|field| matches!(field.kind, Kind::Base { .. }));
    let is_derived = || {
        field
            .last()
            .is_some_and(|field| seen.document.found(field).ends_with(&own))
    };
    let may_be = variant.is_on(last)
        || !variant.has_numbered_base()
        || facts.has_variable_stage
        || **last == *"scratch"
        || **last == *seen.scope.names.config.image
        || stages().contains(&last.to_ascii_lowercase())
        || is_derived();
    let at = memmem::rfind(&seen.document.text, b"FROM ").filter(|_| !may_be)?;
    let (family, base) = (&variant.family, variant.base_tag());
    let message = format!(
        "found a last stage on {last}, expected one on {family} {base}: it becomes the image"
    );
    Some(
        seen.at(at, "base", message)
            .found(&**last)
            .expected(format!("{family} {base}")),
    )
}
