//! Plans what an update of a library file writes: from its text and the images of a tree to its new text, all in memory.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use semver::Version;

use super::add::add;
use super::check::{Seen, check};
use super::entries::{Home, folder, homes, variants};
use super::expected::{Edit, Expectation, Part, apply, expectations, whole};
use super::images::Image;
use super::manifest::{Field, Manifest, Paragraph};
use super::{Names, format};
use crate::finding::Problem;
use crate::repository::config::Pattern;
use crate::tag::Level;
use crate::text::Places;
use crate::version::{Variant, parse_version};

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field's name.
    pub field: String,
    /// What it said.
    pub found: String,
    /// What it will say.
    pub expected: String,
}

/// Plans the update of a file whose grammar is right.
pub fn plan(text: &str, offer: &Offer, wanted: &Wanted) -> Result<Plan> {
    let mut plan = Plan::default();
    let (manifest, problems) = super::parse(text);
    let is_grammar = |problem: &&Problem| !format::is_about_several_entries(problem);
    refuse(
        text,
        problems.iter().filter(is_grammar),
        "the file breaks rules of its format",
        "Fix them, then run this again",
    )?;
    let stable = stable_tags(&manifest, offer);
    let before: Vec<String> = manifest
        .entries()
        .iter()
        .filter_map(|entry| folder(&manifest, entry))
        .collect();
    let text = rewrite(&manifest, offer, wanted, &mut plan)?;
    plan.text = add(text, &before, offer, wanted, &mut plan)?;

    let (manifest, broken) = super::parse(&plan.text);
    // What was broken before, and is no worse, is only said.
    let is_new = |problem: &&Problem| {
        !problems
            .iter()
            .any(|old| same(old, problem, &plan.versions))
    };
    let what = "what would be written breaks rules of the format";
    refuse(
        &plan.text,
        broken.iter().filter(is_new),
        what,
        "Fix the file by hand; nothing was written",
    )?;
    let homes = homes(
        &manifest,
        offer.images,
        offer.pattern,
        false,
        &BTreeSet::new(),
    );
    let seen: Vec<Seen> = homes
        .iter()
        .map(|home| Seen {
            home: *home,
            place: offer.place,
        })
        .collect();
    let found = check(&manifest, &seen, &names(&manifest, offer));
    let (fatal, mut remaining): (Vec<Problem>, Vec<Problem>) = found
        .into_iter()
        .partition(|problem| problem.rule == "preview");
    let lines: Vec<&str> = fatal
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    ensure!(
        fatal.is_empty(),
        "a version that is no release yet would get stable tags:\n  {}\nWait for the release, or take the series' entries out by hand first",
        lines.join("\n  ")
    );
    remaining.extend(broken);
    remaining.sort_by_key(|problem| problem.at);
    plan.remaining = remaining;
    let lost: Vec<String> = stable
        .difference(&stable_tags(&manifest, offer))
        .cloned()
        .collect();
    if !plan.removed.is_empty() && !lost.is_empty() {
        let warning = format!(
            "with the entries that are removed these tags go, and no other has them: {}",
            lost.join(", ")
        );
        plan.warnings.push(warning);
    }
    plan.not_offered = not_offered(offer, &homes);
    Ok(plan)
}

/// An error with every line that breaks a rule of the format.
fn refuse<'a>(
    text: &str,
    problems: impl Iterator<Item = &'a Problem>,
    what: &str,
    advice: &str,
) -> Result<()> {
    let places = Places::new(text.as_bytes());
    let lines: Vec<String> = problems
        .map(|problem| format!("line {}: {}", places.of(problem.at).0, problem.message))
        .collect();
    ensure!(
        lines.is_empty(),
        "{what}:\n  {}\n{advice}",
        lines.join("\n  ")
    );
    Ok(())
}

/// Whether a problem of the new text is one of the old: about the same tag, or about the one that it has become.
fn same(old: &Problem, new: &Problem, versions: &BTreeSet<Version>) -> bool {
    let stem = |tag: &str| {
        tag.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
            .to_owned()
    };
    let is_full = |tag: &str| {
        versions
            .iter()
            .any(|version| tag.starts_with(&version.to_string()))
    };
    old.rule == new.rule
        && (old.found == new.found || is_full(&new.found) && stem(&old.found) == stem(&new.found))
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

/// The tags of a file that a release does not change, without those of single variants: `latest`, `2`, `2-alpine`, `alpine`.
fn stable_tags(manifest: &Manifest, offer: &Offer) -> BTreeSet<String> {
    let names = names(manifest, offer);
    let tags = manifest
        .entries()
        .iter()
        .flat_map(|entry| manifest.tags(entry))
        .map(|(_, _, tag)| tag.into_owned());
    let is_stable = |tag: &String| {
        let tag = names.split(tag);
        let is_variant = Variant::parse(tag.name).is_some_and(|variant| !variant.base.is_empty());
        tag.level >= Level::Major && !is_variant
    };
    tags.filter(is_stable).collect()
}

/// The text with every entry written for its image, and without those whose image is gone.
fn rewrite(manifest: &Manifest, offer: &Offer, wanted: &Wanted, plan: &mut Plan) -> Result<String> {
    let new_series = wanted
        .adds
        .iter()
        .map(String::as_str)
        .filter(|add| !add.contains('/'))
        .collect();
    let homes = homes(manifest, offer.images, offer.pattern, true, &new_series);
    ensure!(
        homes.iter().any(|home| matches!(home, Home::Image(_))),
        "no entry is for an image of {}: look whether it is the file of another image, or `-C <DIR>` another repository",
        offer.place
    );
    let names = names(manifest, offer);
    let mut edits = Vec::new();
    if let Some(global) = manifest.global() {
        plan.take(
            manifest,
            &of_global(manifest, global, wanted),
            String::new(),
            &mut edits,
        );
    }
    let has_commit = manifest
        .global()
        .is_some_and(|global| manifest.own(global, "GitCommit").is_some());
    for (index, (entry, home)) in manifest.entries().iter().zip(&homes).enumerate() {
        let image = match home {
            Home::Unknown => continue,
            Home::Gone => {
                let is_last = homes[index..].iter().all(|home| matches!(home, Home::Gone));
                plan.remove(manifest, index + 1, is_last, &mut edits);
                continue;
            }
            Home::Image(image) => image,
        };
        let mut expected = expectations(manifest, entry, image, &names);
        // An entry's own commit, beside the one for all, stays as long as there is nothing new for the entry after it.
        let own: Vec<Expectation> = commits(manifest, entry, wanted).collect();
        let is_new = |part: &Part| !has_commit || !(wanted.is_same)(&part.found, &image.path());
        if expected.iter().any(|field| !field.is_right())
            || own.iter().flat_map(|field| &field.parts).any(is_new)
        {
            expected.extend(own);
        }
        plan.take(manifest, &expected, image.path(), &mut edits);
        let is_version = |part: &Part| part.rule == "version" && !part.is_right();
        if expected
            .iter()
            .any(|field| field.parts.iter().any(is_version))
        {
            plan.versions.insert(image.version.clone());
        }
        plan.warn_of_downgrade(manifest, entry, image, &names);
    }
    apply(&manifest.text, edits)
}

/// What the first paragraph is expected to say.
fn of_global<'a>(
    manifest: &Manifest,
    global: &'a Paragraph,
    wanted: &Wanted,
) -> Vec<Expectation<'a>> {
    let mut all: Vec<Expectation> = commits(manifest, global, wanted).collect();
    if let Some(fetch) = &wanted.fetch {
        match manifest.own(global, "GitFetch") {
            Some(field) => all.push(whole(manifest, field, fetch)),
            None if fetch == format::DEFAULT_FETCH => {}
            None => {
                let at = manifest
                    .own(global, "GitCommit")
                    .map_or(global.span.end, |commit| commit.lines.start);
                let name = "GitFetch".to_owned();
                all.push(Expectation {
                    name,
                    field: Err(at),
                    parts: Vec::new(),
                    missing: vec![fetch.clone()],
                });
            }
        }
    }
    all
}

/// What a paragraph's own commits are expected to say, those of single architectures too.
fn commits<'a>(
    manifest: &Manifest,
    paragraph: &'a Paragraph,
    wanted: &Wanted,
) -> impl Iterator<Item = Expectation<'a>> {
    let is_commit =
        |field: &&Field| manifest.text[field.name.clone()].rsplit('-').next() == Some("GitCommit");
    paragraph
        .fields
        .iter()
        .filter(is_commit)
        .map(|field| whole(manifest, field, &wanted.commit))
}

/// How many bytes the empty lines take that these lines begin with.
fn blank<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    lines
        .take_while(|line| line.trim().is_empty())
        .map(str::len)
        .sum()
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
    fn remove(&mut self, manifest: &Manifest, index: usize, is_last: bool, edits: &mut Vec<Edit>) {
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
    fn warn_of_downgrade(
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

/// The version directories without any entry, and the variants without one of those that have some. Of a tree with a
/// directory for each version, older ones are history.
fn not_offered(offer: &Offer, homes: &[Home]) -> Vec<String> {
    let offered: Vec<&Image> = homes.iter().filter_map(Home::image).collect();
    let directories: BTreeSet<&str> = offered
        .iter()
        .map(|image| image.directory.as_str())
        .collect();
    let paths: BTreeSet<String> = offered.iter().map(|image| image.path()).collect();
    let newest = offered.iter().map(|image| &image.version).max();
    let mut missing: Vec<String> = Vec::new();
    for image in offer.images {
        let is_old =
            !offer.pattern.has_series() && newest.is_some_and(|newest| image.version < *newest);
        let is_known = directories.contains(image.directory.as_str());
        let what = if is_known {
            image.path()
        } else {
            image.directory.clone()
        };
        if !is_old && !paths.contains(&what) && !missing.contains(&what) {
            missing.push(what);
        }
    }
    missing
}
