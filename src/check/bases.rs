//! The rule about what variants are based on: all of one family are based on one image, of one publisher.

use std::collections::BTreeMap;

use super::documents::{BACK, Seen};
use crate::fields::Kind;
use crate::finding::Finding;
use crate::version::is_docker_arch;

/// The most places that are kept of one image: more of them are hardly a mistake.
const MOST: usize = 100;

/// Where variants are based on an image.
#[derive(Default)]
struct Uses {
    count: usize,
    /// The first of them, each by file, line and column.
    places: Vec<(String, (usize, usize))>,
}

/// The images that variants are based on, by the family.
#[derive(Default)]
pub(super) struct Bases(BTreeMap<String, BTreeMap<String, Uses>>);

impl Bases {
    /// Adds those of a Dockerfile.
    pub(super) fn gather(&mut self, seen: &Seen) {
        let Some(variant) = seen.scope.variant else {
            return;
        };
        let text = &seen.document.text;
        for field in seen.document.statements() {
            if !matches!(&field.kind, Kind::Base { image } if variant.is_on(image)) {
                continue;
            }
            let start = field.span.start;
            let before = &text[start.saturating_sub(BACK)..start.saturating_sub(1)];
            let raw = before.rsplit(u8::is_ascii_whitespace).next();
            let raw = raw.unwrap_or_default();
            let whole = String::from_utf8_lossy(raw);
            let name = usual(&whole);
            if name.contains('$') {
                continue;
            }
            let images = self.0.entry(variant.family.clone()).or_default();
            let uses = images.entry(name.to_owned()).or_default();
            uses.count += 1;
            if uses.places.len() < MOST {
                let place = seen.places.of(start - 1 - raw.len());
                uses.places.push((seen.path.clone(), place));
            }
        }
    }

    /// Adds those of other documents.
    pub(super) fn add(&mut self, others: Self) {
        for (family, images) in others.0 {
            let known = self.0.entry(family).or_default();
            for (name, mut uses) in images {
                let known = known.entry(name).or_default();
                known.count += uses.count;
                uses.places.truncate(MOST - known.places.len());
                known.places.append(&mut uses.places);
            }
        }
    }

    /// Reports the images that fewer variants of a family are based on than on another one.
    pub(super) fn check(&self, findings: &mut Vec<Finding>) {
        for images in self.0.values() {
            let is_plain =
                |name: &str| !name.contains('/') || name.starts_with("mcr.microsoft.com/");
            let rank = |(name, uses): &(&String, &Uses)| (uses.count, is_plain(name));
            let Some((right, uses)) = images.iter().max_by_key(rank) else {
                continue;
            };
            let Some((path, (line, _))) = uses.places.first() else {
                continue;
            };
            for (name, others) in images.iter().filter(|(name, _)| *name != right) {
                let message = format!("found {name}, expected {right}, as in {path}:{line}");
                findings.extend(others.places.iter().map(|(path, place)| {
                    let finding = Finding::at(path, *place, "image", message.clone());
                    finding.found(name).expected(right)
                }));
            }
        }
    }
}

/// The name of an image, without what makes no difference: Docker Hub's own names, and its images of one architecture.
fn usual(name: &str) -> &str {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    match name.split_once('/') {
        Some((first, rest)) if first == "library" || is_docker_arch(first) => rest,
        _ => name,
    }
}
