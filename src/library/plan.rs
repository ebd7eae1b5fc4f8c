//! Plans what an update of a library file writes: from its text and the images of a tree to its new text, all in memory.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use semver::Version;

use super::Problem;
use super::add;
use super::check::{Seen, check};
use super::entries::{Home, folder, homes, variants};
use super::format;
use super::images::Image;
use super::manifest::{Field, Manifest, Paragraph};
use super::must::{Edit, Must, Part, musts};
use super::tags::{Level, Names};
use crate::config::Pattern;
use crate::rules::Places;
use crate::version::{Variant, parse_version};

/// What an update of a library file is told.
pub struct Wanted<'a> {
    /// What `GitCommit` must say.
    pub commit: String,
    /// What `GitFetch` must say, where it must say something else.
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
    /// What changes, by paragraph: its folder, nothing for the first one, and its fields.
    pub changes: Vec<(String, Vec<PartChange>)>,
    /// The folders of the entries that are taken out.
    pub removed: Vec<String>,
    /// The folders of the entries that are new.
    pub added: Vec<String>,
    /// What the tree has and the file does not offer.
    pub not_offered: Vec<String>,
    /// What is left that is not as it must be.
    pub remaining: Vec<Problem>,
    /// What is done, and somebody should know.
    pub warnings: Vec<String>,
}

/// A part of a field that says something else after an update; empty where it was or will not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartChange {
    /// The field's name.
    pub field: String,
    /// What it said.
    pub found: String,
    /// What it will say.
    pub expected: String,
}

impl PartChange {
    /// The changes that a field needs.
    fn of(must: &Must) -> Vec<Self> {
        let change = |found: &str, expected: &str| {
            let [field, found, expected] = [&must.name, found, expected].map(str::to_owned);
            Self {
                field,
                found,
                expected,
            }
        };
        let wrong = must.parts.iter().filter(|part| !part.is_right());
        let replaced =
            wrong.map(|part| change(&part.found, part.expected.as_deref().unwrap_or_default()));
        replaced
            .chain(must.missing.iter().map(|(_, text)| change("", text)))
            .collect()
    }
}

/// Plans the update of a file that breaks no rule of the format.
pub fn plan(text: &str, offer: &Offer, wanted: &Wanted) -> Result<Plan> {
    let mut plan = Plan::default();
    let manifest = well_formed(
        text,
        "the file breaks rules of its format",
        "Mend it by hand, then run this again",
    )?;
    let before: Vec<String> = manifest
        .entries()
        .iter()
        .filter_map(|entry| folder(&manifest, entry))
        .collect();
    let stable = stable_tags(&manifest, offer);
    let text = rewrite(&manifest, offer, wanted, &mut plan)?;
    plan.text = add::add(text, &before, offer, wanted, &mut plan)?;

    let manifest = well_formed(
        &plan.text,
        "what would be written breaks rules of the format",
        "Mend the file by hand; nothing was written",
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
    let (fatal, remaining): (Vec<Problem>, Vec<Problem>) =
        check(&manifest, &seen, &names(&manifest, offer))
            .into_iter()
            .partition(|problem| problem.rule == "preview");
    let lines: Vec<&str> = fatal
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    ensure!(
        fatal.is_empty(),
        "a version that is no release yet would get stable tags:\n  {}\nWait for the release, or take the line's entries out by hand first",
        lines.join("\n  ")
    );
    plan.remaining = remaining;
    let lost: Vec<String> = stable
        .difference(&stable_tags(&manifest, offer))
        .cloned()
        .collect();
    if !plan.removed.is_empty() && !lost.is_empty() {
        plan.warnings.push(format!(
            "with the entries that are taken out these tags go, and no other has them: {}",
            lost.join(", ")
        ));
    }
    plan.not_offered = not_offered(offer, &homes);
    Ok(plan)
}

/// A text, taken apart; an error with every line that breaks a rule of the format.
fn well_formed(text: &str, what: &str, advice: &str) -> Result<Manifest> {
    let (manifest, problems) = super::parse(text);
    let places = Places::new(text.as_bytes());
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("line {}: {}", places.of(problem.at).0, problem.message))
        .collect();
    ensure!(
        problems.is_empty(),
        "{what}:\n  {}\n{advice}",
        lines.join("\n  ")
    );
    Ok(manifest)
}

/// The names that tags can end in, for a file and a tree.
pub fn names(manifest: &Manifest, offer: &Offer) -> Names {
    let old: Vec<_> = variants(manifest, offer.pattern).collect();
    let tags: Vec<_> = manifest
        .entries()
        .iter()
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
    tags.filter(|tag| {
        let tag = names.split(tag);
        let is_variant = Variant::parse(tag.name).is_some_and(|variant| !variant.base.is_empty());
        tag.level >= Level::Major && !is_variant
    })
    .collect()
}

/// The text with every entry written for its image, and without those whose image is gone.
fn rewrite(manifest: &Manifest, offer: &Offer, wanted: &Wanted, plan: &mut Plan) -> Result<String> {
    let new_lines = wanted
        .adds
        .iter()
        .map(String::as_str)
        .filter(|add| !add.contains('/'))
        .collect();
    let homes = homes(manifest, offer.images, offer.pattern, true, &new_lines);
    ensure!(
        homes.iter().any(|home| matches!(home, Home::Image(_))),
        "no entry is for an image of {}: look whether it is the file of another image, or `-C <DIR>` another repository",
        offer.place
    );
    let names = names(manifest, offer);
    let mut edits = Vec::new();
    if let Some(global) = manifest.global() {
        let musts = global_musts(manifest, global, wanted);
        plan.take(manifest, &musts, String::new(), &mut edits)?;
    }
    let mut removed = BTreeSet::new();
    let has_commit = manifest
        .global()
        .is_some_and(|global| manifest.own(global, "GitCommit").is_some());
    for (index, (entry, home)) in manifest.entries().iter().zip(&homes).enumerate() {
        match home {
            Home::Unknown => {}
            Home::Gone => {
                let folder = folder(manifest, entry).unwrap_or_default();
                for comment in manifest.text[manifest.with_comment(entry)]
                    .lines()
                    .filter(|line| line.starts_with('#'))
                {
                    plan.warnings
                        .push(format!("taken out with the entry of {folder}: {comment}"));
                }
                plan.removed.push(folder);
                removed.insert(index + 1);
            }
            Home::Image(image) => {
                let mut musts = musts(manifest, entry, image, &names);
                // An entry's own commit, beside the one for all, stays as long as there is nothing new for the entry after it.
                let own: Vec<Must> = commits(manifest, entry, wanted).collect();
                let is_new =
                    |part: &Part| !has_commit || !(wanted.is_same)(&part.found, &image.path());
                if musts.iter().any(|must| !must.is_right())
                    || own.iter().flat_map(|must| &must.parts).any(is_new)
                {
                    musts.extend(own);
                }
                plan.take(manifest, &musts, image.path(), &mut edits)?;
                let is_version = |part: &Part| part.rule == "version" && !part.is_right();
                if musts.iter().any(|must| must.parts.iter().any(is_version)) {
                    plan.versions.insert(image.version.clone());
                }
                plan.warn_of_downgrade(manifest, entry, image, &names);
            }
        }
    }
    Ok(rebuild(manifest, edits, &removed))
}

/// What the first paragraph must say.
fn global_musts<'a>(manifest: &Manifest, global: &'a Paragraph, wanted: &Wanted) -> Vec<Must<'a>> {
    let mut musts: Vec<Must> = commits(manifest, global, wanted).collect();
    if let Some(fetch) = &wanted.fetch {
        match manifest.own(global, "GitFetch") {
            Some(field) => musts.push(whole(manifest, field, fetch)),
            None if fetch == format::DEFAULT_FETCH => {}
            None => {
                let at = manifest
                    .own(global, "GitCommit")
                    .map_or(global.span.end, |commit| commit.lines.start);
                let (name, missing) = ("GitFetch".to_owned(), vec![(None, fetch.clone())]);
                musts.push(Must {
                    name,
                    field: Err(at),
                    parts: Vec::new(),
                    missing,
                });
            }
        }
    }
    musts
}

/// What a paragraph's own commits must say, those of single architectures too.
pub fn commits<'a>(
    manifest: &Manifest,
    paragraph: &'a Paragraph,
    wanted: &Wanted,
) -> impl Iterator<Item = Must<'a>> {
    let is_commit =
        |field: &&Field| manifest.text[field.name.clone()].rsplit('-').next() == Some("GitCommit");
    paragraph
        .fields
        .iter()
        .filter(is_commit)
        .map(|field| whole(manifest, field, &wanted.commit))
}

/// A field whose whole value must be this.
fn whole<'a>(manifest: &Manifest, field: &'a Field, expected: &str) -> Must<'a> {
    let (found, expected) = (
        manifest.said(&field.value).into_owned(),
        Some(expected.to_owned()),
    );
    let parts = vec![Part {
        span: field.value.clone(),
        found,
        expected,
        rule: "commit",
    }];
    Must {
        name: manifest.text[field.name.clone()].to_owned(),
        field: Ok(field),
        parts,
        missing: Vec::new(),
    }
}

/// The text with spans replaced, and without those paragraphs; of the empty lines around one that goes, one side goes too.
fn rebuild(manifest: &Manifest, edits: Vec<Edit>, removed: &BTreeSet<usize>) -> String {
    let text = &manifest.text;
    let mut cuts: Vec<Edit> = edits;
    for &index in removed {
        let span = &manifest.paragraphs[index].span;
        let is_last = (index..manifest.paragraphs.len()).all(|index| removed.contains(&index));
        let after = manifest
            .paragraphs
            .get(index + 1)
            .map_or(text.len(), |next| next.span.start);
        let end = if is_last {
            span.end
        } else {
            span.end + blank(text[span.end..after].split_inclusive('\n'))
        };
        let before = manifest.paragraphs[index - 1].span.end;
        let start = manifest.with_comment(&manifest.paragraphs[index]).start;
        let start = if is_last {
            start - blank(text[before..start].split_inclusive('\n').rev())
        } else {
            start
        };
        cuts.push((start..end, String::new()));
    }
    apply(text, cuts)
}

/// How many bytes the empty lines take that these lines begin with.
fn blank<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    lines
        .take_while(|line| line.trim().is_empty())
        .map(str::len)
        .sum()
}

/// A text with spans replaced.
pub fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    // Stable: what is put in at one place stays in its order.
    edits.sort_by_key(|(span, _)| span.start);
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (span, new) in edits {
        out.push_str(&text[from..span.start]);
        out.push_str(&new);
        from = span.end;
    }
    out.push_str(&text[from..]);
    out
}

impl Plan {
    /// Takes up the changes of a paragraph.
    pub fn take(
        &mut self,
        manifest: &Manifest,
        musts: &[Must],
        title: String,
        edits: &mut Vec<Edit>,
    ) -> Result<()> {
        let changes: Vec<PartChange> = musts.iter().flat_map(PartChange::of).collect();
        for must in musts.iter().filter(|must| !must.is_right()) {
            edits.extend(must.edits(manifest)?);
        }
        match self.changes.iter_mut().find(|(other, _)| *other == title) {
            _ if changes.is_empty() => {}
            Some((_, earlier)) => earlier.extend(changes),
            None => self.changes.push((title, changes)),
        }
        Ok(())
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
        let old = manifest
            .items(entry, "Tags")
            .filter_map(|(_, tag)| parse_version(names.split(&tag).version).ok())
            .max();
        if let Some(old) = old.filter(|old| numbers(old) > numbers(&image.version)) {
            let warning = format!(
                "{} goes back from {old} to {}: look whether this tree is up to date",
                image.directory, image.version
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
    let offered: BTreeSet<&str> = homes
        .iter()
        .filter_map(|home| home.image().map(|image| image.directory.as_str()))
        .collect();
    let paths: BTreeSet<String> = homes
        .iter()
        .filter_map(|home| home.image().map(Image::path))
        .collect();
    let newest = homes
        .iter()
        .filter_map(|home| home.image().map(|image| &image.version))
        .max();
    let mut missing: Vec<String> = Vec::new();
    for image in offer.images.iter().rev() {
        let is_old =
            !offer.pattern.has_lines() && newest.is_some_and(|newest| image.version < *newest);
        let what = if offered.contains(image.directory.as_str()) {
            image.path()
        } else {
            image.directory.clone()
        };
        if !is_old && !paths.contains(&what) && !missing.contains(&what) {
            missing.push(what);
        }
    }
    missing.reverse();
    missing
}
