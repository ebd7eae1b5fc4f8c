//! Which tags a file has given away already.

use std::collections::BTreeSet;

use super::format::architectures;
use super::manifest::Manifest;
use crate::version::WINDOWS;

/// The tags that a file has; the shared ones with the architectures that they are for.
pub(super) struct Taken {
    own: BTreeSet<String>,
    shared: BTreeSet<(String, String)>,
}

impl Taken {
    pub(super) fn new(manifest: &Manifest) -> Self {
        let mut taken = Self {
            own: BTreeSet::new(),
            shared: BTreeSet::new(),
        };
        for entry in manifest.entries() {
            let architectures = architectures(manifest, entry);
            for (name, _, tag) in manifest.tags(entry) {
                match name {
                    "Tags" => drop(taken.own.insert(tag.to_string())),
                    _ => taken.shared.extend(
                        architectures
                            .iter()
                            .map(|(_, name)| (tag.to_string(), name.clone())),
                    ),
                }
            }
        }
        taken
    }

    /// Whether a new entry for those architectures cannot have that tag in that field.
    pub(super) fn has(&self, field: &str, tag: &str, architectures: &[String]) -> bool {
        let is_shared = |name: &String| self.shared.contains(&(tag.to_owned(), name.clone()));
        self.own.contains(tag)
            || match field {
                "Tags" => self.shared.iter().any(|(shared, _)| shared == tag),
                _ => architectures
                    .iter()
                    .any(|name| name != WINDOWS && is_shared(name)),
            }
    }
}
