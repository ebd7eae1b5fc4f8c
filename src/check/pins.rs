//! The rules about hashes: none at zeros, no two archives with one hash, no archive with two hashes, none that is not the
//! published one.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::Version;

use super::documents::Seen;
use crate::fields::Kind;
use crate::finding::Finding;
use crate::release::checksums::{Checksums, Sha256};
use crate::release::verify::Archive;
use crate::repository::Names;

/// A hash in a file, and the archive that it belongs to.
#[derive(Debug, Clone)]
pub struct Pin {
    /// The archive.
    pub archive: Arc<Archive>,
    /// The hash that the file gives.
    pub hash: Sha256,
    /// The file.
    pub path: Arc<str>,
    /// Line and column in the file.
    pub place: (u32, u32),
}

impl Pin {
    /// A finding about this pin, with that message.
    pub fn finding(&self, expected: String, message: String) -> Finding {
        let place = (self.place.0 as usize, self.place.1 as usize);
        Finding::at(&self.path, place, "hash", message)
            .found(self.hash.to_string())
            .expected(expected)
    }

    /// Path and line, as messages show them.
    pub fn shown(&self) -> String {
        format!("{}:{}", self.path, self.place.0)
    }
}

/// The archives of a version, by the ends of their names, so that pins of one archive share it.
pub(super) type Archives = BTreeMap<Box<str>, Arc<Archive>>;

/// Adds the pins of a Dockerfile.
pub(super) fn gather(names: &Names, seen: &Seen, archives: &mut Archives, pins: &mut Vec<Pin>) {
    let Some(own) = seen.scope.own else { return };
    let mut path: Option<Arc<str>> = None;
    for field in seen.document.statements() {
        let Kind::Hash(Some(platform)) = &field.kind else {
            continue;
        };
        let Ok(hash) = seen.document.found(field).parse() else {
            continue;
        };
        if !archives.contains_key(platform) {
            let name = names.config.archive(&own.version, platform);
            let version = own.version.clone();
            archives.insert(platform.clone(), Arc::new(Archive { version, name }));
        }
        let archive = Arc::clone(&archives[platform]);
        let path = Arc::clone(path.get_or_insert_with(|| seen.path.as_str().into()));
        let (line, column) = seen.places.of(field.span.start);
        let place = (line as u32, column as u32);
        pins.push(Pin {
            archive,
            hash,
            path,
            place,
        });
    }
}

/// Compares all pins of a repository, in file order: of two that contradict each other the second one is reported.
pub(super) fn check(pins: &[Pin], findings: &mut Vec<Finding>) {
    for file in pins.chunk_by(|a, b| a.path == b.path) {
        let at_zero = file.iter().filter(|pin| pin.hash == Sha256::ZERO).count();
        for pin in file.iter().filter(|pin| pin.hash == Sha256::ZERO) {
            // A pre-release may lack an archive: its pin is zeros. A file with nothing but zeros was never filled in.
            if pin.archive.version.pre.is_empty() || file.len() > 1 && at_zero == file.len() {
                let message = format!("found zeros, expected the hash of {}", pin.archive.name);
                let fix = format!("update {}", pin.archive.version);
                findings.push(pin.finding(String::new(), message).fixed_by(fix));
            }
        }
    }
    // Sorted by hash, then in file order: equal hashes stand together.
    let numbered = pins.iter().map(|pin| pin.hash).zip(0_u32..);
    let mut order: Vec<(Sha256, u32)> =
        numbered.filter(|(hash, _)| *hash != Sha256::ZERO).collect();
    order.sort_unstable();
    for same in order.chunk_by(|a, b| a.0 == b.0) {
        let mut same = same.iter().map(|(_, number)| &pins[*number as usize]);
        let Some(first) = same.next() else { continue };
        for other in same.filter(|pin| pin.archive != first.archive) {
            let (name, whose) = (&other.archive.name, &first.archive.name);
            let place = first.shown();
            let message =
                format!("{name}: found the hash that {whose} has in {place}: one of them is wrong");
            let fix = format!("update {} --repin", other.archive.version);
            findings.push(other.finding(String::new(), message).fixed_by(fix));
        }
    }
}

/// Compares the pins of one version: an archive has one hash.
pub(super) fn check_version(pins: &[Pin], findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<*const Archive, &Pin> = BTreeMap::new();
    for pin in pins.iter().filter(|pin| pin.hash != Sha256::ZERO) {
        let known = *first.entry(Arc::as_ptr(&pin.archive)).or_insert(pin);
        if pin.hash != known.hash {
            let (name, place, hash) = (&pin.archive.name, known.shown(), known.hash);
            let message = format!(
                "{name}: found {}, expected {hash} as in {place}: an archive has one hash",
                pin.hash
            );
            findings.push(pin.finding(hash.to_string(), message));
        }
    }
}

/// Compares pins with what the releases of their versions publish; versions that are not in `published` are left out.
pub fn compare(pins: &[Pin], published: &BTreeMap<Version, Checksums>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pin in pins {
        let Some(checksums) = published.get(&pin.archive.version) else {
            continue;
        };
        let (name, found) = (&pin.archive.name, pin.hash);
        let (expected, message) = match checksums.get(name) {
            Some(hash) if hash != found => (
                hash.to_string(),
                format!("{name}: found {found}, expected {hash} as published"),
            ),
            None if found != Sha256::ZERO => (
                String::new(),
                format!("found a hash of {name}, but the release has no such archive"),
            ),
            _ => continue,
        };
        findings.push(pin.finding(expected, message));
    }
    findings
}
