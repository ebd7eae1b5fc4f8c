//! The rules of this repository about its library file: each entry is for an image of the tree, says what that image is, and
//! comes after what it copies from.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::Names;
use super::entries::{Home, folder};
use super::expected::{expectations, is_name_of, name_of};
use super::format::{architectures, unknown_fields};
use super::images::Image;
use super::manifest::{Manifest, Paragraph};
use crate::finding::Problem;
use crate::tag::{Level, is_preview};

/// What one entry is compared with.
pub struct Seen<'a> {
    /// The image that it is for.
    pub home: Home<'a>,
    /// Where the tree was looked at, for people: `the tree at 0123456789ab`.
    pub place: &'a str,
}

/// Everything in a file that breaks a rule of this repository; `seen` has what each entry is compared with, in their order.
pub fn check(manifest: &Manifest, seen: &[Seen], names: &Names) -> Vec<Problem> {
    let mut problems = unknown_fields(manifest);
    let newest = Newest::new(seen);
    let mut before: BTreeSet<String> = BTreeSet::new();
    for (entry, seen) in manifest.entries().iter().zip(seen) {
        match seen.home {
            Home::Image(image) => {
                check_fields(manifest, entry, image, names, &mut problems);
                check_tags(manifest, entry, image, names, &newest, &mut problems);
                check_architectures(manifest, entry, image, &mut problems);
                check_order(entry, image, &before, &mut problems);
                check_dockerfile(manifest, entry, image, seen.place, &mut problems);
            }
            Home::Gone | Home::Unknown => {
                let found = folder(manifest, entry).unwrap_or_default();
                let at = manifest
                    .own(entry, "Directory")
                    .map_or(entry.span.start, |field| field.value.start);
                let message = match seen.home {
                    _ if found.is_empty() => {
                        "the entry has no Directory: expected the folder of a variant".to_owned()
                    }
                    Home::Gone => format!("`{found}` is not in {}", seen.place),
                    _ => format!("`{found}` is no folder of a variant, such as 0.25.6/alpine3.18"),
                };
                problems.push(Problem::new(at, "directory", &found, "", message));
            }
        }
        before.extend(
            manifest
                .items(entry, "Tags")
                .map(|(_, tag)| tag.into_owned()),
        );
    }
    problems.sort_by_key(|problem| problem.at);
    problems
}

fn check_fields(
    manifest: &Manifest,
    entry: &Paragraph,
    image: &Image,
    names: &Names,
    problems: &mut Vec<Problem>,
) {
    for wanted in expectations(manifest, entry, image, names) {
        for part in wanted.parts.iter().filter(|part| !part.is_right()) {
            // A tag that stands there twice breaks a rule of the format, and is reported as that.
            let is_twice = wanted
                .parts
                .iter()
                .filter(|other| other.found == part.found)
                .count()
                > 1;
            if part.expected.is_none() && is_twice {
                continue;
            }
            let expected = part.expected.as_deref().unwrap_or_default();
            let message = match expected {
                "" => format!(
                    "{}: {} does not belong to {}",
                    wanted.name,
                    part.found,
                    image.path()
                ),
                expected => format!("found {}, expected {expected}", part.found),
            };
            problems.push(Problem::new(
                part.span.start,
                part.rule,
                &part.found,
                expected,
                message,
            ));
        }
        let at = wanted
            .field
            .map_or(entry.span.start, |field| field.value.start);
        for missing in &wanted.missing {
            let message = format!(
                "{}: missing {missing}, which {} needs",
                wanted.name,
                image.path()
            );
            problems.push(Problem::new(at, "constraint", "", missing, message));
        }
    }
}

fn check_tags(
    manifest: &Manifest,
    entry: &Paragraph,
    image: &Image,
    names: &Names,
    newest: &Newest,
    problems: &mut Vec<Problem>,
) {
    for (_, item, found) in manifest.tags(entry) {
        let tag = names.split(&found);
        let mut wrong = |rule, message: String| {
            problems.push(Problem::new(item.start, rule, &found, "", message))
        };
        if !is_name_of(&name_of(tag.name, &image.variant), &image.variant) {
            wrong(
                "variant",
                format!(
                    "found {found}: `{}` is no name of {}",
                    tag.name,
                    image.path()
                ),
            );
        }
        if tag.level == Level::Major && image.version.major == 0 {
            wrong(
                "version",
                format!("found {found}: a major by itself is for those above 0"),
            );
        }
        if tag.level != Level::Full && is_preview(&image.version) {
            let message = format!(
                "found {found}, a stable tag, and {} is at {}, which is no release yet",
                image.path(),
                image.version
            );
            wrong("preview", message);
        } else if let Some(newer) = newest.than(image, tag.level) {
            wrong(
                "latest",
                format!(
                    "found {found}, which belongs to the newest series: another entry is at {newer}, this at {}",
                    image.version
                ),
            );
        }
    }
}

/// The newest releases that the file offers.
struct Newest<'a> {
    all: Option<&'a Version>,
    of_major: BTreeMap<u64, &'a Version>,
}

impl<'a> Newest<'a> {
    fn new(seen: &[Seen<'a>]) -> Self {
        let mut of_major: BTreeMap<u64, &Version> = BTreeMap::new();
        for seen in seen {
            if let Home::Image(image) = seen.home
                && !is_preview(&image.version)
            {
                let newest = of_major
                    .entry(image.version.major)
                    .or_insert(&image.version);
                *newest = (*newest).max(&image.version);
            }
        }
        Self {
            all: of_major.values().next_back().copied(),
            of_major,
        }
    }

    /// The version of a newer series, whose tags of that level are.
    fn than(&self, image: &Image, level: Level) -> Option<&'a Version> {
        let newest = match level {
            Level::Full | Level::Minor => None,
            Level::Major => self.of_major.get(&image.version.major).copied(),
            Level::Bare => self.all,
        };
        newest.filter(|newest| (newest.major, newest.minor) > image.series())
    }
}

/// Docker's builders would fail where the Dockerfile knows nothing of an architecture.
fn check_architectures(
    manifest: &Manifest,
    entry: &Paragraph,
    image: &Image,
    problems: &mut Vec<Problem>,
) {
    if image.architectures.is_empty() {
        return;
    }
    for (at, found) in architectures(manifest, entry) {
        if !image.architectures.contains(found.as_str()) {
            let known: Vec<&str> = image.architectures.iter().copied().collect();
            let message = format!(
                "found {found}, and {} can be built for {}",
                image.path(),
                known.join(", ")
            );
            problems.push(Problem::new(at, "architecture", &found, "", message));
        }
    }
}

/// The Dockerfile that is built is there, and says what its folder says.
fn check_dockerfile(
    manifest: &Manifest,
    entry: &Paragraph,
    image: &Image,
    place: &str,
    problems: &mut Vec<Problem>,
) {
    for field in &entry.fields {
        let (name, said) = (
            &manifest.text[field.name.clone()],
            manifest.said(&field.value),
        );
        if name.rsplit('-').next() == Some("File") && !image.files.contains(&*said) {
            let message = format!("{}/{said} is not in {place}", image.path());
            problems.push(Problem::new(field.value.start, "file", &said, "", message));
        }
    }
    let at = manifest
        .own(entry, "Directory")
        .map_or(entry.span.start, |field| field.value.start);
    for wrong in &image.wrong {
        problems.push(Problem::new(
            at,
            "dockerfile",
            "",
            "",
            format!("{wrong}: `update check` there says more"),
        ));
    }
}

/// What an image copies from is built before it, by an entry further up.
fn check_order(
    entry: &Paragraph,
    image: &Image,
    before: &BTreeSet<String>,
    problems: &mut Vec<Problem>,
) {
    for source in &image.copies {
        let tag = format!("{}-{source}", image.version);
        if !before.contains(&tag) {
            let message = format!(
                "{} copies from {tag}, which no entry above it offers",
                image.path()
            );
            problems.push(Problem::new(entry.span.start, "order", "", &tag, message));
        }
    }
}
