//! Plans what an update of a library file writes: from its text and the images of a tree to its new text, all in memory.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use semver::Version;

use super::add::add;
use super::check::{Seen, check};
use super::entries::{Home, folder, homes};
use super::expected::{Expectation, Part, apply, expectations, whole};
use super::format;
use super::images::Image;
use super::manifest::{Field, Manifest, Paragraph};
use super::plan::{Offer, Plan, Wanted, names};
use crate::finding::Problem;
use crate::tag::Level;
use crate::text::Places;
use crate::version::Variant;

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

/// An error where one of several images that the file does not offer may be what an entry's image has become.
fn certainly_gone(manifest: &Manifest, entry: &Paragraph, offer: &Offer) -> Result<()> {
    let folder = folder(manifest, entry).unwrap_or_default();
    let offered: Vec<String> = manifest
        .entries()
        .iter()
        .filter_map(|entry| self::folder(manifest, entry))
        .collect();
    let (directory, name) = folder.split_once('/').unwrap_or_default();
    let family = Variant::parse(name).map(|variant| variant.family);
    let may_be = offer.images.iter().filter(|image| {
        image.directory == directory
            && Some(&image.variant.family) == family.as_ref()
            && !offered.contains(&image.path())
    });
    let may_be: Vec<String> = may_be.map(Image::path).collect();
    ensure!(
        may_be.len() < 2,
        "{folder} is not in {} any more, and each of {} may be what it has become: write the one that is meant into its \
         Directory, or remove the entry",
        offer.place,
        may_be.join(" and ")
    );
    Ok(())
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
                certainly_gone(manifest, entry, offer)?;
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
