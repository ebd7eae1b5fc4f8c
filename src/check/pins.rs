//! The rules about hashes: none at zeros, no two archives with one hash, no archive with two hashes.

use std::collections::BTreeMap;

use crate::check::{Finding, Seen};
use crate::fields::Kind;
use crate::rules::Model;
use crate::sums::Sha256;

/// A hash in a file, and the archive that it is for.
pub struct Pin {
    archive: String,
    hash: Sha256,
    /// The version is a pre-release: those may lack an archive, whose pin is zeros then.
    is_pre_release: bool,
    /// The finding that it would be, without its message.
    place: Finding,
}

/// Adds the pins of a Dockerfile.
pub fn gather(model: &Model, seen: &Seen, pins: &mut Vec<Pin>) {
    let Some(directory) = model.scope(seen.path).own else { return };
    for field in seen.statements() {
        if let Kind::Hash(Some(platform)) = &field.kind
            && let Ok(hash) = seen.said(field).parse()
        {
            pins.push(Pin {
                archive: model.tree.config.archive(&directory.version, platform),
                hash,
                is_pre_release: !directory.version.pre.is_empty(),
                place: seen.finding("hash", field.span.start, &seen.said(field), "", String::new()),
            });
        }
    }
}

/// Compares all pins of a tree, in file order: of two that contradict each other the second one is reported.
pub fn check(pins: &[Pin], findings: &mut Vec<Finding>) {
    let mut by_archive: BTreeMap<&str, &Pin> = BTreeMap::new();
    let mut by_hash: BTreeMap<Sha256, &Pin> = BTreeMap::new();
    for pin in pins {
        let mut report = |expected: String, message: String| {
            findings.push(Finding { expected, message, ..pin.place.clone() });
        };
        if pin.hash == Sha256::ZERO {
            if !pin.is_pre_release {
                report(String::new(), format!("the hash of {} is zeros", pin.archive));
            }
            continue;
        }
        let first = by_hash.entry(pin.hash).or_insert(pin);
        if first.archive != pin.archive {
            let message = format!(
                "the hash of {} is that of {} too, in {}:{}",
                pin.archive, first.archive, first.place.path, first.place.line
            );
            report(String::new(), message);
        }
        let first = by_archive.entry(&pin.archive).or_insert(pin);
        if first.hash != pin.hash {
            let (place, hash) = (&first.place, first.hash);
            let message = format!("the hash of {} is another one in {}:{}: {hash}", pin.archive, place.path, place.line);
            report(hash.to_string(), message);
        }
    }
}
