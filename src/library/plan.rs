//! What an update of a library file is told, and what it will do.

use std::collections::BTreeSet;

use semver::Version;
use serde::Serialize;

use super::Names;
use super::entries::{folder, variants};
use super::expected::{Edit, Expectation};
use super::images::Image;
use super::manifest::{Manifest, Paragraph};
use crate::finding::Problem;
use crate::repository::config::Pattern;
use crate::version::parse_version;

/// What an update of a library file is told.
pub struct Wanted<'a> {
    /// What `GitCommit` is to say.
    pub commit: String,
    /// What `GitFetch` is to say, where it is to say something else.
    pub fetch: Option<String>,
    /// Version directories, or folders of variants, to offer too.
    pub adds: Vec<String>,
    /// Whether a folder is the same at an older commit as at the one that is wanted, as far as anybody knows.
    pub is_same: &'a dyn Fn(&str, &str) -> bool,
}

/// What the tree says to a library file.
pub struct Offer<'a> {
    /// Its images.
    pub images: &'a [Image],
    /// How its version directories are named.
    pub pattern: &'a Pattern,
    /// Where it was looked at, for people.
    pub place: &'a str,
}

/// What an update of a library file will do.
#[derive(Debug, Default)]
pub struct Plan {
    /// The new text.
    pub text: String,
    /// The versions that entries come to.
    pub versions: BTreeSet<Version>,
    /// What changes, by paragraph: its folder, nothing for the first one, and its parts.
    pub changes: Vec<(String, Vec<Change>)>,
    /// The folders of the entries that are removed.
    pub removed: Vec<String>,
    /// The folders of the entries that are new.
    pub added: Vec<String>,
    /// What the tree has and the file does not offer.
    pub not_offered: Vec<String>,
    /// What is left that is not as expected.
    pub remaining: Vec<Problem>,
    /// What is done, and somebody should know.
    pub warnings: Vec<String>,
}

/// A part of a field that says something else after an update; empty where it was or will not be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The field's name.
    pub field: String,
    /// What it said.
    pub found: String,
    /// What it will say.
    pub expected: String,
}

/// The names that tags can end in, for a file and a tree.
pub fn names(manifest: &Manifest, offer: &Offer) -> Names {
    let old: Vec<_> = variants(manifest, offer.pattern).collect();
    let entries = manifest.entries().iter();
    let tags: Vec<_> = entries
        .flat_map(|entry| manifest.tags(entry))
        .map(|(_, _, tag)| tag)
        .collect();
    Names::new(
        offer.images.iter().map(|image| &image.variant).chain(&old),
        offer.images.iter().map(|image| &image.version),
        tags.iter().map(|tag| &**tag),
    )
}

impl Plan {
    /// Takes up the changes of a paragraph.
    pub(super) fn take(
        &mut self,
        manifest: &Manifest,
        fields: &[Expectation],
        title: String,
        edits: &mut Vec<Edit>,
    ) {
        let mut changes = Vec::new();
        for field in fields.iter().filter(|field| !field.is_right()) {
            let change = |found: &str, expected: &str| {
                let [field, found, expected] = [&field.name, found, expected].map(str::to_owned);
                Change {
                    field,
                    found,
                    expected,
                }
            };
            let wrong = field.parts.iter().filter(|part| !part.is_right());
            changes.extend(
                wrong.map(|part| change(&part.found, part.expected.as_deref().unwrap_or_default())),
            );
            changes.extend(field.missing.iter().map(|text| change("", text)));
            edits.extend(field.edits(manifest));
        }
        match self.changes.iter_mut().find(|(other, _)| *other == title) {
            _ if changes.is_empty() => {}
            Some((_, earlier)) => earlier.extend(changes),
            None => self.changes.push((title, changes)),
        }
    }

    /// Removes a paragraph; of the empty lines around it, those behind it go too, of the last ones those before.
    pub(super) fn remove(
        &mut self,
        manifest: &Manifest,
        index: usize,
        is_last: bool,
        edits: &mut Vec<Edit>,
    ) {
        let (text, paragraph) = (&manifest.text, &manifest.paragraphs[index]);
        let folder = folder(manifest, paragraph).unwrap_or_default();
        let lines = manifest.with_comment(paragraph);
        for comment in text[lines.clone()]
            .lines()
            .filter(|line| line.starts_with('#'))
        {
            self.warnings
                .push(format!("removed with the entry of {folder}: {comment}"));
        }
        self.removed.push(folder);
        let before = manifest.paragraphs[index - 1].span.end;
        let after = manifest
            .paragraphs
            .get(index + 1)
            .map_or(text.len(), |next| next.span.start);
        let (start, end) = (lines.start, paragraph.span.end);
        let span = match is_last {
            true => start - blank(text[before..start].split_inclusive('\n').rev())..end,
            false => start..end + blank(text[end..after].split_inclusive('\n')),
        };
        edits.push((span, String::new()));
    }

    /// Warns, once for each version directory, where its version is below the one that the entry had.
    pub(super) fn warn_of_downgrade(
        &mut self,
        manifest: &Manifest,
        entry: &Paragraph,
        image: &Image,
        names: &Names,
    ) {
        let numbers = |version: &Version| (version.major, version.minor, version.patch);
        let tags = manifest.items(entry, "Tags");
        let old = tags
            .filter_map(|(_, tag)| parse_version(names.split(&tag).version).ok())
            .max();
        if let Some(old) = old.filter(|old| numbers(old) > numbers(&image.version)) {
            let (directory, new) = (&image.directory, &image.version);
            let warning = format!(
                "{directory} goes back from {old} to {new}: look whether this tree is up to date"
            );
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }
}

/// How many bytes the empty lines take that these lines begin with.
fn blank<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    lines
        .take_while(|line| line.trim().is_empty())
        .map(str::len)
        .sum()
}
