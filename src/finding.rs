//! What a check reports: something that is not as it is expected to be, and where.

use serde::Serialize;

use crate::text::Places;

/// Something that is not as it is expected to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
        let (path, found, expected) = (path.to_owned(), String::new(), String::new());
        let fix = String::new();
        Self {
            path,
            line,
            column,
            rule,
            found,
            expected,
            message,
            fix,
        }
    }

    /// Of a whole file or folder.
    pub fn of(path: &str, rule: &'static str, message: String) -> Self {
        Self::at(path, (1, 1), rule, message)
    }

    /// The same with what was found.
    pub fn found(self, found: impl Into<String>) -> Self {
        Self {
            found: found.into(),
            ..self
        }
    }

    /// The same with what is expected.
    pub fn expected(self, expected: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            ..self
        }
    }

    /// The same with the command that puts it right.
    pub fn fixed_by(self, fix: String) -> Self {
        Self { fix, ..self }
    }
}

/// A finding whose place is in bytes, not yet in lines and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands, in bytes.
    pub at: usize,
    /// Which rule it breaks.
    pub rule: &'static str,
    /// What stands there.
    pub found: String,
    /// What is expected there.
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
        let (found, expected) = (found.to_owned(), expected.to_owned());
        Self {
            at,
            rule,
            found,
            expected,
            message,
        }
    }

    /// The same as a finding in a file.
    pub fn finding(self, path: &str, places: &Places) -> Finding {
        Finding::at(path, places.of(self.at), self.rule, self.message)
            .found(self.found)
            .expected(self.expected)
    }
}
