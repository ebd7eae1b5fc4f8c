//! What a text states, field by field: how a summary tells what changes in it.

use std::collections::{BTreeMap, VecDeque};

use super::FieldChange;
use crate::fields::{Field, said};
use crate::rules::{Model, Places, rewrite};
use crate::tree::File;

/// What a text states, and what else is in it.
#[derive(Default)]
pub(super) struct Stated {
    /// Label, line and value of each field.
    fields: Vec<(String, usize, String)>,
    pub(super) rest: Vec<u8>,
}

impl Stated {
    pub(super) fn of(model: &Model, path: &str, file: &File) -> Self {
        let text = file.text();
        let fields = model
            .tree
            .role(path)
            .map(|role| model.scanner.scan(text, role))
            .unwrap_or_default();
        let masked: Vec<_> = fields
            .iter()
            .map(|field| (field.clone(), Some(Ok(field.kind.label()))))
            .collect();
        let places = Places::new(text);
        let stated = |field: &Field| {
            (
                field.kind.label(),
                places.of(field.span.start).0,
                said(text, &field.span),
            )
        };
        Self {
            fields: fields.iter().map(stated).collect(),
            rest: rewrite(text, &masked),
        }
    }

    /// The fields that say something else. Of each label those that say the same are left out here and there; of the rest
    /// the first here has become the first there.
    pub(super) fn compared_with(&self, after: &Self) -> Vec<FieldChange> {
        let mut same: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        after
            .fields
            .iter()
            .for_each(|(label, _, value)| *same.entry((label, value)).or_default() += 1);
        let mut before: BTreeMap<&str, VecDeque<&str>> = BTreeMap::new();
        for (label, _, found) in &self.fields {
            match same.get_mut(&(label.as_str(), found.as_str())) {
                Some(count) if *count > 0 => *count -= 1,
                _ => before.entry(label).or_default().push_back(found),
            }
        }
        // What is left of each count is new; its last places are taken for that.
        let mut changes = Vec::new();
        for (label, line, expected) in after.fields.iter().rev() {
            let count = same.entry((label, expected)).or_default();
            if *count > 0 {
                *count -= 1;
                changes.push(FieldChange {
                    label: label.clone(),
                    line: *line,
                    found: String::new(),
                    expected: expected.clone(),
                });
            }
        }
        changes.reverse();
        for change in &mut changes {
            let found = before
                .get_mut(change.label.as_str())
                .and_then(VecDeque::pop_front);
            change.found = found.unwrap_or_default().to_owned();
        }
        changes
    }
}
