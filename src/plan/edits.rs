//! Edits: what fields say and what they will say. The new text of a document and the summary are both made from them.

use serde::Serialize;

use crate::check::templates::written;
use crate::fields::expected::Expected;
use crate::repository::Document;
use crate::text::Places;
use crate::version::numbers;

/// A field that says something else after an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// What the field is called: `version`, `sha256 arm64`.
    #[serde(rename = "field")]
    pub label: String,
    /// The line in which it stands.
    pub line: usize,
    /// What it says; empty where it is new.
    pub found: String,
    /// What it will say; empty where it goes.
    pub expected: String,
    /// It was wrong before, and nobody asked for it.
    #[serde(skip)]
    pub is_fix: bool,
}

impl Edit {
    /// Of a field that says something in a line.
    pub(super) fn new(label: String, line: usize, found: &str, expected: &str) -> Self {
        let [found, expected] = [found, expected].map(str::to_owned);
        Self {
            label,
            line,
            found,
            expected,
            is_fix: false,
        }
    }

    /// Whether it is a base that goes down.
    pub fn goes_down(&self) -> bool {
        let is_base = self.label == "base" && !self.found.is_empty();
        is_base && numbers(&self.expected) < numbers(&self.found)
    }
}

/// The edits that a document needs, and its text with them made.
pub(super) fn edited(document: &Document, expected: &[Expected]) -> (Vec<u8>, Vec<Edit>) {
    let places = Places::new(&document.text);
    let mut edits = Vec::new();
    for (field, expected) in document.fields.iter().zip(expected) {
        let found = document.found(field);
        if let Some(new) = expected.instead_of(&found) {
            let line = places.of(field.span.start).0;
            edits.push(Edit::new(field.kind.label(), line, &found, new));
        }
    }
    (written(document, expected), edits)
}
