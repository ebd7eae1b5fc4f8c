//! What a check reports: something that is not as it is expected to be, and where.

use serde::Serialize;

use crate::text::Places;

/// Something that is not as it is expected to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file or folder, relative to the repository, with `/`.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Which rule it breaks.
    pub rule: &'static str,
    /// What stands there.
    pub found: String,
    /// What is expected there.
    pub expected: String,
    /// Both, and why, in a sentence.
    pub message: String,
    /// The command that fixes it; empty where none does.
    pub fix: String,
}

impl Finding {
    /// Of a place in a text.
    pub fn at(
        path: &str,
        (line, column): (usize, usize),
        rule: &'static str,
        message: String,
    ) -> Self {
        Self {
            path: path.to_owned(),
            line,
            column,
            rule,
            message,
            ..Self::default()
        }
    }

    /// Of a whole file or folder.
    pub fn of(path: &str, rule: &'static str, message: String) -> Self {
        Self::at(path, (1, 1), rule, message)
    }

    /// The same with what was found.
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = found.into();
        self
    }

    /// The same with what is expected.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    /// The same with the command that puts it right.
    pub fn fixed_by(mut self, fix: String) -> Self {
        self.fix = fix;
        self
    }
}

/// A finding whose place is in bytes, not yet in lines and columns of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands, in bytes.
    pub at: usize,
    /// What is found there.
    pub finding: Finding,
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
        let finding = Finding::of("", rule, message);
        let finding = finding.found(found).expected(expected);
        Self { at, finding }
    }

    /// The finding with its place in a file.
    pub fn placed(self, path: &str, places: &Places) -> Finding {
        let ((line, column), path) = (places.of(self.at), path.to_owned());
        Finding {
            path,
            line,
            column,
            ..self.finding
        }
    }
}
