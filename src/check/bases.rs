//! The rule about what variants are based on: all of one family are based on one image, of one publisher.

use std::collections::BTreeMap;

use super::documents::BACK;
use crate::fields::Kind;
use crate::finding::Finding;
use crate::repository::{Repository, Tree};
use crate::text::{Places, is_typo};
use crate::version::is_docker_arch;

/// Where the images of Windows are published.
const MICROSOFT: &str = "mcr.microsoft.com/windows";

/// Where variants are based on an image: file, line and column.
type Uses = Vec<(String, (usize, usize))>;

/// Reports the images that fewer variants of a family are based on than on another one, in some version directories.
pub(super) fn check<'a>(trees: impl IntoIterator<Item = &'a Tree>, findings: &mut Vec<Finding>) {
    let mut families: BTreeMap<&str, BTreeMap<String, Uses>> = BTreeMap::new();
    for place in trees.into_iter().flat_map(Repository::documents_of) {
        let Some(variant) = place.variant() else {
            continue;
        };
        let text = &place.document.text;
        let places = Places::new(text);
        for field in place.document.statements() {
            if !matches!(&field.kind, Kind::Base { image } if variant.is_on(image)) {
                continue;
            }
            let start = field.span.start;
            let before = &text[start.saturating_sub(BACK)..start.saturating_sub(1)];
            let raw = before.rsplit(u8::is_ascii_whitespace).next();
            let raw = raw.unwrap_or_default();
            let whole = String::from_utf8_lossy(raw);
            let name = usual(&whole);
            if !name.contains('$') {
                let images = families.entry(&variant.family).or_default();
                let uses = images.entry(name.to_owned()).or_default();
                uses.push((place.path(), places.of(start - 1 - raw.len())));
            }
        }
    }
    let alone = families.values().filter(|images| images.len() == 1);
    for (name, uses) in alone.flatten() {
        let of_microsoft = |(folder, _): &(&str, &str)| is_typo(folder, MICROSOFT);
        let Some((_, image)) = name.rsplit_once('/').filter(of_microsoft) else {
            continue;
        };
        findings.extend(wrong(uses, (name, &format!("{MICROSOFT}/{image}")), ""));
    }
    let is_plain = |name: &str| !name.contains('/') || name.starts_with("mcr.microsoft.com/");
    for images in families.values().filter(|images| images.len() > 1) {
        let rank = |(name, uses): &(&String, &Uses)| (uses.len(), is_plain(name));
        let Some((right, uses)) = images.iter().max_by_key(rank) else {
            continue;
        };
        let (path, (line, _)) = &uses[0];
        for (name, others) in images.iter().filter(|(name, _)| *name != right) {
            let why = format!(", as in {path}:{line}");
            findings.extend(wrong(others, (name, right), &why));
        }
    }
}

/// What is wrong with an image, at each of its uses.
fn wrong(uses: &Uses, (name, right): (&str, &str), why: &str) -> Vec<Finding> {
    let message = format!("found {name}, expected {right}{why}");
    let finding = |(path, place): &(String, (usize, usize))| {
        let finding = Finding::at(path, *place, "image", message.clone());
        finding.found(name).expected(right)
    };
    uses.iter().map(finding).collect()
}

/// The name of an image, without what makes no difference: Docker Hub's own names, and its images of one architecture.
pub(super) fn usual(name: &str) -> &str {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    match name.split_once('/') {
        Some((first, rest)) if first == "library" || is_docker_arch(first) => rest,
        _ => name,
    }
}
