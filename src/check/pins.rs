//! The rules about hashes: none at zeros, no two archives with one hash, no archive with two hashes, none
//! that is not the published one.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::Version;

use crate::check::{Finding, Seen};
use crate::fields::Kind;
use crate::rules::Model;
use crate::sums::{Sha256, Sums};
use crate::verify::Archive;

/// A hash in a file, and the archive that it is for.
#[derive(Debug, Clone)]
pub struct Pin {
    /// The archive.
    pub archive: Arc<Archive>,
    /// What the file says of it.
    pub hash: Sha256,
    /// The file.
    pub path: Arc<str>,
    /// Where in the file.
    pub place: (usize, usize),
}

impl Pin {
    /// The finding that this pin is, for that reason.
    pub fn finding(&self, expected: String, message: String) -> Finding {
        let (path, (line, column)) = (self.path.to_string(), self.place);
        Finding {
            path,
            line,
            column,
            rule: "hash",
            found: self.hash.to_string(),
            expected,
            message,
        }
    }
}

/// Adds the pins of a Dockerfile. Those of one version share what they name.
pub(super) fn gather(model: &Model, seen: &Seen, pins: &mut Vec<Pin>) {
    let Some(directory) = seen.scope.own else {
        return;
    };
    let path: Arc<str> = seen.path.into();
    for field in seen.statements() {
        if let Kind::Hash(Some(platform)) = &field.kind
            && let Ok(hash) = seen.said(field).parse()
        {
            let archive = Archive {
                version: directory.version.clone(),
                name: model.tree.config.archive(&directory.version, platform),
            };
            let shared = pins
                .iter()
                .rev()
                .take(SHARED)
                .find(|pin| *pin.archive == archive);
            let archive = shared.map_or_else(|| Arc::new(archive), |pin| Arc::clone(&pin.archive));
            pins.push(Pin {
                archive,
                hash,
                path: Arc::clone(&path),
                place: seen.places.of(field.span.start),
            });
        }
    }
}

/// How many pins back the same archive is looked for: more than any release has archives.
const SHARED: usize = 16;

/// Compares all pins of a tree, in file order: of two that contradict each other the second one is reported.
pub(super) fn check(pins: &[Pin], findings: &mut Vec<Finding>) {
    let mut by_archive: BTreeMap<&Archive, &Pin> = BTreeMap::new();
    let mut by_hash: BTreeMap<Sha256, &Pin> = BTreeMap::new();
    let mut zeros: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for pin in pins {
        let (all, at_zero) = zeros.entry(&pin.path).or_default();
        *all += 1;
        *at_zero += usize::from(pin.hash == Sha256::ZERO);
    }
    let is_unfilled = |path: &str| {
        zeros
            .get(path)
            .is_some_and(|(all, at_zero)| *all > 1 && all == at_zero)
    };
    for pin in pins {
        let name = &pin.archive.name;
        if pin.hash == Sha256::ZERO {
            // A pre-release may lack an archive, whose pin is zeros then; a file of nothing else was not filled in.
            if pin.archive.version.pre.is_empty() || is_unfilled(&pin.path) {
                findings.push(pin.finding(String::new(), format!("the hash of {name} is zeros")));
            }
            continue;
        }
        let Pin {
            archive,
            path,
            place,
            ..
        } = by_hash.entry(pin.hash).or_insert(pin);
        if *archive != pin.archive {
            let message = format!(
                "the hash of {name} is that of {} too, in {path}:{}",
                archive.name, place.0
            );
            findings.push(pin.finding(String::new(), message));
        }
        let Pin {
            hash, path, place, ..
        } = by_archive.entry(&pin.archive).or_insert(pin);
        if *hash != pin.hash {
            let message = format!(
                "the hash of {name} is another one in {path}:{}: {hash}",
                place.0
            );
            findings.push(pin.finding(hash.to_string(), message));
        }
    }
}

/// Compares pins with what the releases of their versions publish; those of versions that are not among them are left out.
pub fn compare(pins: &[Pin], published: &BTreeMap<Version, Sums>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pin in pins {
        let Some(sums) = published.get(&pin.archive.version) else {
            continue;
        };
        let name = &pin.archive.name;
        match sums.get(name) {
            Some(hash) if hash != pin.hash => {
                findings
                    .push(pin.finding(hash.to_string(), format!("{name} is published as {hash}")));
            }
            None if pin.hash != Sha256::ZERO => {
                findings.push(pin.finding(
                    String::new(),
                    format!("{name} is not among what its release publishes"),
                ));
            }
            _ => {}
        }
    }
    findings
}
