//! The rules of this repository about its library file: each entry is for an image of the tree, says what that image is, and
//! comes after what it copies from.

use std::collections::{BTreeMap, BTreeSet};

use super::entries::{Home, folder};
use super::expected::{Context, Expectation, expectations, name_of, names_for};
use super::format::architectures;
use super::images::Image;
use super::manifest::{Manifest, Paragraph};
use crate::finding::Problem;
use crate::tag::{Endings, Level, is_preview};
use crate::version::WINDOWS;

/// Everything in a file that breaks a rule of this repository; `seen` has what each entry is for, in their order: nothing,
/// where that is not known.
pub fn check(manifest: &Manifest, seen: &[Option<Home>], names: Endings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let homes: Vec<Home> = seen
        .iter()
        .map(|home| home.unwrap_or(Home::Unknown))
        .collect();
    let context = Context::new(manifest, names, &homes, None);
    let mut before = Offered::new();
    for (entry, home) in manifest.entries().iter().zip(seen) {
        let names = architectures(manifest, entry).into_iter();
        let names: BTreeSet<String> = names.map(|(_, name)| name).collect();
        match home {
            Some(Home::Image(image)) => {
                let about = About {
                    manifest,
                    entry,
                    image,
                };
                let fields = expectations(manifest, entry, (image, false), &context);
                about.check_fields(&fields, &context, &mut problems);
                about.check_tags(&context, &mut problems);
                about.check_levels(&context, &mut problems);
                about.check_architectures(&mut problems);
                about.check_order(&before, &mut problems);
                // Those that it is to have, too: that they are wrong has a finding of its own.
                let tags = fields.iter().filter(|field| field.name == "Tags");
                let tags = tags.flat_map(Expectation::values);
                before.extend(tags.map(|tag| (tag.clone(), names.clone())));
            }
            Some(home) => {
                let found = folder(manifest, entry).unwrap_or_default();
                let message = match home {
                    _ if found.is_empty() => {
                        "the entry has no Directory: expected the folder of a variant".to_owned()
                    }
                    Home::Gone => format!("`{found}` is not in the tree at its commit"),
                    _ => format!(
                        "`{found}` is not the folder of a variant, expected one such as 0.25.6/alpine3.18"
                    ),
                };
                let at = start(manifest, entry, "Directory");
                problems.push(Problem::new(at, "directory", &found, "", message));
            }
            None => {}
        }
        let tags = manifest.items(entry, "Tags");
        before.extend(tags.map(|(_, tag)| (tag.into_owned(), names.clone())));
    }
    check_addresses(manifest, &mut problems);
    problems.sort_by_key(|problem| problem.at);
    problems
}

/// All images are built from one repository, also those of one architecture.
fn check_addresses(manifest: &Manifest, problems: &mut Vec<Problem>) {
    let all = manifest.fields();
    let mut all = all.filter(|field| manifest.bare_name(field) == "GitRepo");
    let Some(expected) = all.next().map(|field| manifest.said(&field.value)) else {
        return;
    };
    for field in all {
        let found = manifest.said(&field.value);
        if found != expected {
            let message =
                format!("found {found}, expected {expected}, from which the others are built");
            let at = field.value.start;
            problems.push(Problem::new(at, "repository", &found, "", message));
        }
    }
}

/// The tags that entries offer, each with the architectures that it is for.
type Offered = BTreeMap<String, BTreeSet<String>>;

/// Where the value of a field of an entry begins; of one that it lacks, the entry.
fn start(manifest: &Manifest, entry: &Paragraph, field: &str) -> usize {
    let field = manifest.own(entry, field);
    field.map_or(entry.span.start, |field| field.value.start)
}

/// An entry, and the image that it is for.
struct About<'a> {
    manifest: &'a Manifest,
    entry: &'a Paragraph,
    image: &'a Image,
}

impl About<'_> {
    fn check_fields(&self, fields: &[Expectation], context: &Context, problems: &mut Vec<Problem>) {
        let (path, version) = (self.image.path(), &self.image.version);
        for field in fields {
            let (name, mut seen) = (&field.name, BTreeSet::new());
            for part in &field.parts {
                let Some(span) = part.span.as_ref().filter(|_| !part.is_right()) else {
                    seen.insert(&part.found);
                    continue;
                };
                // A tag that stands there twice breaks a rule of the format, and is reported as that.
                if !seen.insert(&part.found) && part.expected.is_none() {
                    continue;
                }
                let level = context.names.split(&part.found).level;
                let (at, rule, found) = (span.start, part.rule, &part.found);
                let message = match (&part.expected, rule) {
                    (Some(expected), _) => format!("found {found}, expected {expected}"),
                    (None, "latest") => {
                        let newer = context.owners.other(self.image, level);
                        let newer = newer.map_or(String::new(), ToString::to_string);
                        format!(
                            "found {found}, which belongs to the newest series: another entry is at {newer}, this at {version}"
                        )
                    }
                    (None, _) => format!("{name}: {found} does not belong to {path}"),
                };
                let expected = part.expected.as_deref().unwrap_or_default();
                problems.push(Problem::new(at, rule, found, expected, message));
            }
            let missing = || field.parts.iter().filter(|part| part.span.is_none());
            if let Some(first) = missing().next() {
                let values = missing().filter_map(|part| part.expected.as_deref());
                let values: Vec<&str> = values.collect();
                let values = values.join(", ");
                let message = format!("{name}: missing {values}, which {path} needs");
                let at = start(self.manifest, self.entry, name);
                problems.push(Problem::new(at, first.rule, "", &values, message));
            }
        }
    }

    fn check_tags(&self, context: &Context, problems: &mut Vec<Problem>) {
        let Self { image, .. } = self;
        let right = names_for(&image.variant);
        let tags = self.manifest.tags(self.entry);
        for (_, item, found) in tags {
            let tag = context.names.split(&found);
            let mut wrong = |rule, message: String| {
                problems.push(Problem::new(item.start, rule, &found, "", message))
            };
            let (name, path) = (tag.name, image.path());
            if !right.contains(&name_of(name, &image.variant)) {
                let message = format!("found {found}: `{name}` is not a name of {path}");
                wrong("variant", message);
            }
            if tag.level == Level::Major && image.version.major == 0 {
                let message = format!(
                    "found {found}: a tag of the major version alone is for versions from 1.0.0 on"
                );
                wrong("version", message);
            }
            if tag.level != Level::Full && is_preview(&image.version) {
                let version = &image.version;
                let message = format!(
                    "found {found}, a stable tag, but {path} is at the pre-release {version}"
                );
                wrong("preview", message);
            }
        }
    }

    /// A name has a tag for each level for which other names of the version directory have one.
    fn check_levels(&self, context: &Context, problems: &mut Vec<Problem>) {
        let mut levels: BTreeMap<String, BTreeSet<Level>> = BTreeMap::new();
        for (_, _, found) in self.manifest.tags(self.entry) {
            let tag = context.names.split(&found);
            let name = name_of(tag.name, &self.image.variant);
            levels.entry(name).or_default().insert(tag.level);
        }
        // A name that is wrong has a finding of its own.
        let right = names_for(&self.image.variant);
        levels.retain(|name, own| right.contains(name) && *own != BTreeSet::from([Level::Bare]));
        for (name, own) in &levels {
            let all = context.held.of(self.image).chain([Level::Full]);
            let all = BTreeSet::from_iter(all).into_iter();
            let lacking = all.filter(|level| !own.contains(level));
            for level in lacking.filter(|level| context.owners.allows(self.image, *level)) {
                let tag = level.render(&self.image.version, name);
                // One that moves to this entry is missing by another rule.
                if !context.held.lacks(self.image, level, &tag, &context.owners) {
                    let directory = &self.image.directory;
                    let message = format!(
                        "missing the tag {tag}: other images of {directory} have one of that kind"
                    );
                    let at = start(self.manifest, self.entry, "Tags");
                    problems.push(Problem::new(at, "alias", "", "", message));
                }
            }
        }
    }

    /// Images of Windows are for its architecture, and no others are.
    fn check_architectures(&self, problems: &mut Vec<Problem>) {
        let is_windows = self.image.variant.is_windows();
        for (at, found) in architectures(self.manifest, self.entry) {
            if (found == WINDOWS) != is_windows {
                let (expected, system) = match is_windows {
                    true => (WINDOWS, "Windows"),
                    false => ("an architecture of Linux", "Linux"),
                };
                let path = self.image.path();
                let message = format!("found {found}, expected {expected}: {path} is for {system}");
                problems.push(Problem::new(at, "architecture", &found, "", message));
            }
        }
    }

    /// What an image copies from is built before it, by an entry further up, and for the same architectures.
    fn check_order(&self, before: &Offered, problems: &mut Vec<Problem>) {
        let path = self.image.path();
        for source in &self.image.copies {
            let tag = format!("{}-{source}", self.image.version);
            let Some(offered) = before.get(&tag) else {
                let message = format!("{path} copies from {tag}, but no entry above has that tag");
                let at = self.entry.span.start;
                problems.push(Problem::new(at, "order", "", "", message));
                continue;
            };
            for (at, found) in architectures(self.manifest, self.entry) {
                if !offered.contains(&found) {
                    let message = format!(
                        "found {found}, but {tag}, from which {path} copies, is not for {found}"
                    );
                    problems.push(Problem::new(at, "architecture", &found, "", message));
                }
            }
        }
    }
}
