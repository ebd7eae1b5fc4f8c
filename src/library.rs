//! The file from which Docker builds official images (`library/<image>` in docker-library/official-images): is it right for a
//! tree, and what must be written for it to be.
//!
//! Works on texts and trees in memory; git is `git`'s business, files are `commands`'.

mod add;
mod check;
mod entries;
mod format;
mod images;
mod manifest;
mod must;
mod plan;
mod tags;

pub use self::add::first;
pub use self::check::{Seen, check};
pub use self::entries::{Home, homes};
pub use self::format::{DEFAULT_FETCH, misshapen};
pub use self::images::{Image, images};
pub use self::manifest::{Field, Manifest, Paragraph};
pub use self::plan::{Offer, PartChange, Plan, Wanted, names, plan};
use crate::check::Finding;
use crate::rules::Places;

/// Where official-images keeps the file of an image.
pub const OFFICIAL_IMAGES: &str = "https://github.com/docker-library/official-images";

/// Something in a library file that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands, in bytes.
    pub at: usize,
    /// Which rule it breaks.
    pub rule: &'static str,
    /// What stands there.
    pub found: String,
    /// What must stand there.
    pub expected: String,
    /// Both, and why, in a sentence.
    pub message: String,
}

impl Problem {
    /// A problem with its parts.
    pub fn new(
        at: usize,
        rule: &'static str,
        found: &str,
        expected: &str,
        message: String,
    ) -> Self {
        Self {
            at,
            rule,
            found: found.to_owned(),
            expected: expected.to_owned(),
            message,
        }
    }

    /// A problem of the file's own grammar.
    fn format(at: usize, message: &str) -> Self {
        Self::new(at, "format", "", "", message.to_owned())
    }

    /// The finding that it is in a file.
    pub fn finding(self, path: &str, places: &Places) -> Finding {
        let (line, column) = places.of(self.at);
        let Self {
            rule,
            found,
            expected,
            message,
            ..
        } = self;
        Finding {
            path: path.to_owned(),
            line,
            column,
            rule,
            found,
            expected,
            message,
        }
    }
}

/// Takes a file apart, and says which rules of the format it breaks.
pub fn parse(text: &str) -> (Manifest, Vec<Problem>) {
    let (manifest, mut problems) = Manifest::parse(text.to_owned());
    problems.extend(format::check(&manifest));
    problems.sort_by_key(|problem| problem.at);
    (manifest, problems)
}
