//! What the branches of a `case` over `apk`'s architectures are expected to say: a label that Alpine prints, and the release's name
//! of the same architecture.

use super::{Expected, Scope};
use crate::fields::branches::right_arch;
use crate::version::apk_arch;

/// The labels in front of the release's name of an architecture; `twice` where another branch is for it too.
pub(super) fn labels(found: &str, arch: &str, twice: bool) -> Expected {
    match apk_arch(arch) {
        _ if twice => Expected::Impossible(format!(
            "this is a second branch for {arch}, expected one for each architecture"
        )),
        _ if right_arch(found, arch).is_some() => Expected::Anything,
        Some(label) => Expected::Exactly(label.to_owned()),
        None => Expected::Impossible(format!(
            "`apk --print-arch` never prints it, and Alpine has no {arch}: remove this branch"
        )),
    }
}

impl Scope<'_> {
    /// The release's name of an architecture, behind these labels.
    pub(super) fn arch(&self, found: &str, labels: Option<&str>) -> Expected {
        let Some(labels) = labels else {
            let why = "expected a label in front of it, as in `x86_64) natsArch='amd64'`";
            return Expected::Impossible(why.to_owned());
        };
        let Some(right) = right_arch(labels, found) else {
            return Expected::Anything;
        };
        let is_unknown = apk_arch(found).is_none();
        if right != found && self.has_arch(right) == Some(false) {
            return Expected::Impossible(format!(
                "expected {right}, but the release has no archive for that: find the right name in \
                 SHA256SUMS"
            ));
        }
        // No release tells whether it is what this project calls it.
        if is_unknown && self.stays_at_its_release() {
            return Expected::Anything;
        }
        if is_unknown && self.has_arch(found) == Some(true) {
            return Expected::Impossible(format!(
                "expected {right}, but the release has archives for {found} too: change the label \
                 or the name by hand"
            ));
        }
        Expected::Exactly(right.to_owned())
    }

    /// Whether the release that the file moves to has an archive for an architecture; `None` where that is not known.
    fn has_arch(&self, arch: &str) -> Option<bool> {
        let (checksums, is_all) = self.change.checksums.get(&self.own?.name)?;
        let part = format!("-{arch}.");
        is_all.then(|| checksums.iter().any(|(name, _)| name.contains(&part)))
    }

    /// Whether an update writes the file without asking a release.
    fn stays_at_its_release(&self) -> bool {
        let own = self
            .own
            .and_then(|own| self.change.checksums.get(&own.name));
        own.is_some_and(|(_, is_all)| !is_all)
    }
}
