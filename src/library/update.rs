//! Plans what an update of a library file writes: from its text and the images of a tree to its new text, all in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::{Result, bail, ensure};
use semver::Version;

use super::add::add;
use super::check::check;
use super::entries::{Home, folder, homes, without_entry};
use super::expected::{Expectation, Part, apply, expectations};
use super::format::{DEFAULT_FETCH, broken_rules};
use super::images::Image;
use super::manifest::{Manifest, Paragraph};
use super::plan::{Draft, Plan, View, Wanted, WasWrong, changes, names};
use super::wrong::{Wrong, before};
use crate::finding::Problem;
use crate::problems::refuse;
use crate::tag::Level;
use crate::text::{Places, first_of, is_like};
use crate::version::{Variant, parse_version};

/// Plans the update of a file whose grammar is right. What else was wrong in it, and is no worse, is what remains.
pub fn plan(text: &str, view: &View, wanted: &Wanted) -> Result<Plan> {
    let (manifest, grammar) = Manifest::parse(text);
    let broken = broken_rules(&manifest);
    let fatal = broken
        .iter()
        .filter(|problem| problem.finding.rule == "format");
    let mut all: Vec<&Problem> = grammar.iter().chain(fatal).collect();
    all.sort_by_key(|problem| problem.at);
    refuse(
        "the file breaks rules of its format",
        lines(text, &all),
        "Fix them, then run the same command again",
    )?;
    let mut plan = Plan::default();
    let text = add(text.to_owned(), view, wanted, &mut plan)?;
    let mut draft = Draft::new(&text, (view, wanted), true, None);
    let heirs = draft.inherit();
    plan.text = draft.run(&heirs, &mut plan)?;

    let (manifest, _) = Manifest::parse(&plan.text);
    let lost = draft.lost(&manifest, &heirs);
    plan.warnings.extend((!lost.is_empty()).then(|| {
        let lost = first_of(&lost, 8);
        format!("nothing has these tags any more, for all or some architectures: {lost}; add them to other entries if they are to stay")
    }));
    let homes = homes(&manifest, &view.images, &view.pattern, false);
    let seen: Vec<Option<Home>> = homes.iter().copied().map(Some).collect();
    let found = check(&manifest, &seen, names(&manifest, view)).into_iter();
    let (fatal, mut remaining): (Vec<Problem>, Vec<Problem>) =
        found.partition(|problem| problem.finding.rule == "preview");
    refuse(
        "a pre-release would get stable tags",
        Vec::from_iter(fatal.into_iter().map(|one| one.finding.message)),
        "Wait for the release, or take the series' entries out by hand first",
    )?;
    let now = broken_rules(&manifest);
    refuse(
        "what would be written breaks rules of the format",
        lines(&plan.text, &worse(&broken, &now)),
        "Fix the file by hand; nothing was written",
    )?;
    remaining.extend(now);
    remaining.sort_by_key(|problem| problem.at);
    plan.remaining = remaining;
    plan.not_offered = not_offered(view, &homes);
    Ok(plan)
}

/// Problems, each with its line.
fn lines(text: &str, problems: &[&Problem]) -> Vec<String> {
    let places = Places::new(text.as_bytes());
    let line = |problem: &&Problem| {
        let line = places.of(problem.at).0;
        format!("line {line}: {}", problem.finding.message)
    };
    problems.iter().map(line).collect()
}

/// The problems of rules that are broken more often than before.
fn worse<'a>(old: &'a [Problem], new: &'a [Problem]) -> Vec<&'a Problem> {
    let count = |all: &'a [Problem]| {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        all.iter()
            .for_each(|problem| *counts.entry(problem.finding.rule).or_default() += 1);
        counts
    };
    let (known, now) = (count(old), count(new));
    let is_worse = |problem: &&Problem| {
        now[problem.finding.rule] > known.get(problem.finding.rule).copied().unwrap_or(0)
    };
    new.iter().filter(is_worse).collect()
}

impl Draft<'_> {
    /// The text with every entry written for its image, and without those whose image is gone.
    fn run(&self, heirs: &BTreeMap<usize, String>, plan: &mut Plan) -> Result<String> {
        let (manifest, homes) = (&self.manifest, &self.homes);
        ensure!(
            homes.iter().any(|home| matches!(home, Home::Image(_))),
            "no entry is for an image of the tree: check that it is this image's file, or name another repository with `-C <DIR>`"
        );
        let all = manifest.entries().iter();
        let offered: BTreeSet<String> = all.filter_map(|one| folder(manifest, one)).collect();
        let before = before(self, &plan.added);
        let wrong = Wrong::new(self, &before);
        // From this one on all are removed.
        let stays = homes.iter().rposition(|home| !matches!(home, Home::Gone));
        let last = stays.map_or(0, |stays| stays + 1);
        let mut edits = Vec::new();
        let global = manifest.global();
        if let Some(global) = global {
            let fields = self.of_global(global);
            plan.changes
                .extend(changes(manifest, "", (&fields, &|_, _| false), &mut edits));
        }
        for (index, (entry, home)) in manifest.entries().iter().zip(&self.homes).enumerate() {
            let image = match home {
                Home::Unknown => continue,
                Home::Gone => {
                    let span = self.span(index, index >= last);
                    edits.push((span, String::new()));
                    match heirs.get(&index) {
                        Some(folder) => plan.removed.push(folder.clone()),
                        None => self.note_removed(entry, &offered, plan)?,
                    }
                    continue;
                }
                Home::Image(image) => image,
            };
            let mut expected = expectations(manifest, entry, (image, false), &self.context);
            // An entry's own commit stays until its folder has changed since, or is another one.
            let own: Vec<Expectation> = self.commits(entry).collect();
            let is_new = |part: &Part| !(self.wanted.is_same)(&part.found, &image.path());
            let moves = |part: &Part| !part.is_right() && part.rule != "latest";
            if expected.iter().flat_map(|field| &field.parts).any(moves)
                || own.iter().flat_map(|field| &field.parts).any(is_new)
            {
                expected.extend(own);
            }
            let was_wrong = wrong.of(index);
            let moves = |field: &Expectation| {
                let mut moved = field.parts.iter().filter(|part| part.rule == "version");
                moved.any(|part| {
                    !part.is_right() && part.expected.is_some() && !was_wrong(field, part)
                })
            };
            if expected.iter().any(moves) {
                plan.versions.insert(image.version.clone());
            }
            let asked: (&[Expectation], &WasWrong) = (&expected, &was_wrong);
            let changed = changes(manifest, &image.path(), asked, &mut edits);
            plan.changes.extend(changed);
            plan.warnings.extend(self.downgrade(entry, image));
        }
        plan.warnings.dedup();
        apply(&manifest.text, edits)
    }

    /// What the first paragraph is expected to say.
    fn of_global<'m>(&self, global: &'m Paragraph) -> Vec<Expectation<'m>> {
        let mut all: Vec<Expectation> = self.commits(global).collect();
        let own = |name| self.manifest.own(global, name);
        match (&self.wanted.fetch, own("GitFetch")) {
            (Some(fetch), Some(field)) => {
                all.push(Expectation::whole(&self.manifest, field, fetch))
            }
            (Some(fetch), None) if fetch != DEFAULT_FETCH => {
                let at = own("GitCommit").map_or(global.span.end, |commit| commit.lines.start);
                let values = std::slice::from_ref(fetch);
                all.push(Expectation::missing("GitFetch", at, values, "fetch"));
            }
            _ => {}
        }
        all
    }

    /// What a paragraph's own commits are expected to say, those of single architectures too.
    fn commits<'m>(&self, paragraph: &'m Paragraph) -> impl Iterator<Item = Expectation<'m>> {
        let commits = self.manifest.commits(paragraph);
        commits.map(|field| Expectation::whole(&self.manifest, field, &self.wanted.commit))
    }

    /// Notes an entry whose image is gone. An error where one of several images that the file does not offer may be what it has
    /// become; `offered` are the folders of all entries.
    fn note_removed(
        &self,
        entry: &Paragraph,
        offered: &BTreeSet<String>,
        plan: &mut Plan,
    ) -> Result<()> {
        let (manifest, view) = (&self.manifest, self.view);
        let folder = folder(manifest, entry).unwrap_or_default();
        let (directory, name) = folder.split_once('/').unwrap_or_default();
        let family = Variant::parse(name).map(|variant| variant.family);
        let may_be = view.images.iter().filter(|image| {
            image.directory == directory && Some(&image.variant.family) == family.as_ref()
        });
        let may_be = may_be
            .map(Image::path)
            .filter(|path| !offered.contains(path));
        let may_be: Vec<String> = may_be.collect();
        ensure!(
            may_be.len() < 2,
            "{folder} is no longer in the tree, and may now be any of {}: write the right one into its Directory, or remove the entry",
            may_be.join(", ")
        );
        // It may never have been there.
        let is_typo = |image: &&Image| {
            image.directory == directory
                && image.variant.name != name
                && is_like(&image.variant.name, name)
        };
        let is_tagged = |image: &&Image| {
            let tag = Level::Full.render(&image.version, &image.variant.name);
            manifest.tags(entry).any(|(_, _, found)| *found == *tag)
        };
        let free = |image: &&Image| !offered.contains(&image.path());
        let images = || view.images.iter().filter(free);
        let typo = images().find(is_typo).filter(|_| may_be.is_empty());
        let meant = match (typo, images().find(is_tagged)) {
            (Some(typo), _) => format!("which has {}", typo.path()),
            (_, Some(tagged)) => {
                format!("and the tags of its entry are those of {}", tagged.path())
            }
            _ => {
                plan.removed.push(folder);
                return Ok(());
            }
        };
        bail!(
            "{folder} is not in the tree, {meant}: write the right one into its Directory, or remove the entry"
        )
    }

    /// An entry with the comment right above it and the empty lines behind it; of the last entries with those in front of it.
    fn span(&self, index: usize, is_last: bool) -> Range<usize> {
        let (manifest, text) = (&self.manifest, &self.manifest.text);
        let paragraph = &manifest.entries()[index];
        let before = manifest.paragraphs[index].span.end;
        let next = manifest.entries().get(index + 1);
        let after = next.map_or(text.len(), |next| next.span.start);
        let (start, end) = (manifest.with_comment(paragraph).start, paragraph.span.end);
        match is_last {
            true => start - blank(text[before..start].split_inclusive('\n').rev())..end,
            false => start..end + blank(text[end..after].split_inclusive('\n')),
        }
    }

    /// A warning where the version of an entry's directory is below the one that the entry had.
    fn downgrade(&self, entry: &Paragraph, image: &Image) -> Option<String> {
        let numbers = |version: &Version| (version.major, version.minor, version.patch);
        let tags = self.manifest.items(entry, "Tags");
        let names = &self.context.names;
        let old = tags.filter_map(|(_, tag)| parse_version(names.split(&tag).version));
        let old = old
            .max()
            .filter(|old| numbers(old) > numbers(&image.version))?;
        let (directory, new) = (&image.directory, &image.version);
        Some(format!(
            "{directory} goes back from {old} to {new}: check that this tree is up to date"
        ))
    }
}

/// How many bytes the empty lines take that these lines begin with.
fn blank<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    lines
        .take_while(|line| line.trim().is_empty())
        .map(str::len)
        .sum()
}

/// The version directories without any entry, and the variants without one of those that have some. Of a tree with a
/// directory for each version, older ones are history.
fn not_offered(view: &View, homes: &[Home]) -> Vec<String> {
    let offered: Vec<&Image> = homes.iter().filter_map(Home::image).collect();
    let directories: BTreeSet<&str> = offered.iter().map(|image| &*image.directory).collect();
    let newest = offered.iter().map(|image| &image.version).max();
    let mut missing: Vec<String> = Vec::new();
    for image in without_entry(&view.images, homes) {
        let is_old =
            !view.pattern.has_series() && newest.is_some_and(|newest| image.version < *newest);
        let what = match directories.contains(&*image.directory) {
            true => image.path(),
            false => image.directory.clone(),
        };
        if !is_old && !missing.contains(&what) {
            missing.push(what);
        }
    }
    missing
}
