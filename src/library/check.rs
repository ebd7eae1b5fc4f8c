//! The rules of this repository about its library file: each entry is for an image of the tree, says what that image is, and
//! comes after what it copies from.

use std::collections::{BTreeMap, BTreeSet};

use super::Names;
use super::entries::{Home, folder};
use super::expected::{Context, expectations, name_of, names_for};
use super::format::{architectures, unknown_fields};
use super::images::Image;
use super::manifest::{Manifest, Paragraph};
use crate::finding::Problem;
use crate::tag::{Level, is_preview};
use crate::version::is_docker_arch;

/// What one entry is compared with.
pub struct Seen<'a> {
    /// The image that it is for.
    pub home: Home<'a>,
    /// Where the tree was looked at, for people: `the tree at 0123456789ab`.
    pub place: &'a str,
}

/// Everything in a file that breaks a rule of this repository; `seen` has what each entry is compared with, in their order:
/// nothing, where that is not known.
pub fn check(manifest: &Manifest, seen: &[Option<Seen>], names: Names) -> Vec<Problem> {
    let mut problems = unknown_fields(manifest);
    let homes = seen.iter();
    let homes = homes.map(|seen| seen.as_ref().map_or(Home::Unknown, |seen| seen.home));
    let homes: Vec<Home> = homes.collect();
    let context = Context::new(manifest, names, &homes, None);
    let mut before = Offered::new();
    for (entry, seen) in manifest.entries().iter().zip(seen) {
        match seen {
            Some(Seen {
                home: Home::Image(image),
                place,
            }) => {
                let about = About {
                    manifest,
                    entry,
                    image,
                };
                about.check_fields(&context, &mut problems);
                about.check_tags(&context, &mut problems);
                about.check_architectures(&mut problems);
                about.check_order(&before, &mut problems);
                about.check_dockerfile(place, &mut problems);
            }
            Some(Seen { home, place }) => {
                let found = folder(manifest, entry).unwrap_or_default();
                let message = match home {
                    _ if found.is_empty() => {
                        "the entry has no Directory: expected the folder of a variant".to_owned()
                    }
                    Home::Gone => format!("`{found}` is not in {place}"),
                    _ => format!("`{found}` is no folder of a variant, such as 0.25.6/alpine3.18"),
                };
                let at = start(manifest, entry, "Directory");
                problems.push(Problem::new(at, "directory", &found, "", message));
            }
            None => {}
        }
        let built = architectures(manifest, entry).into_iter();
        let built: BTreeSet<String> = built.map(|(_, name)| name).collect();
        let tags = manifest.items(entry, "Tags");
        before.extend(tags.map(|(_, tag)| (tag.into_owned(), built.clone())));
    }
    problems.sort_by_key(|problem| problem.at);
    problems
}

/// The architectures of the entries so far, by their tags.
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
    fn check_fields(&self, context: &Context, problems: &mut Vec<Problem>) {
        let (path, version) = (self.image.path(), &self.image.version);
        for field in expectations(self.manifest, self.entry, (self.image, false), context) {
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
        for (_, item, found) in tags.filter(|(_, _, tag)| !tag.is_empty()) {
            let tag = context.names.split(&found);
            let mut wrong = |rule, message: String| {
                problems.push(Problem::new(item.start, rule, &found, "", message))
            };
            let (name, path) = (tag.name, image.path());
            if !right.contains(&name_of(name, &image.variant)) {
                let message = format!("found {found}: `{name}` is no name of {path}");
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
                    "found {found}, a stable tag, and {path} is at the pre-release {version}"
                );
                wrong("preview", message);
            }
        }
    }

    /// Docker's builders would fail where the Dockerfile knows nothing of an architecture.
    fn check_architectures(&self, problems: &mut Vec<Problem>) {
        let known = &self.image.architectures;
        for (at, found) in architectures(self.manifest, self.entry) {
            if !known.is_empty() && is_docker_arch(&found) && !known.contains(found.as_str()) {
                let all = Vec::from_iter(known.iter().copied()).join(", ");
                let path = self.image.path();
                let message =
                    format!("found {found}, expected only what {path} can be built for: {all}");
                problems.push(Problem::new(at, "architecture", &found, "", message));
            }
        }
    }

    /// The Dockerfile that is built is there, and says what its folder says.
    fn check_dockerfile(&self, place: &str, problems: &mut Vec<Problem>) {
        for field in &self.entry.fields {
            let (name, said) = (self.manifest.name(field), self.manifest.said(&field.value));
            if name.rsplit('-').next() == Some("File") && !self.image.files.contains(&*said) {
                let message = format!("{}/{said} is not in {place}", self.image.path());
                problems.push(Problem::new(field.value.start, "file", &said, "", message));
            }
        }
        let at = start(self.manifest, self.entry, "Directory");
        for wrong in &self.image.wrong {
            let message = format!("{wrong}: run `update check` at that commit");
            problems.push(Problem::new(at, "dockerfile", "", "", message));
        }
    }

    /// What an image copies from is built before it, by an entry further up, for every architecture that it is built for.
    fn check_order(&self, before: &Offered, problems: &mut Vec<Problem>) {
        let path = self.image.path();
        for source in &self.image.copies {
            let tag = format!("{}-{source}", self.image.version);
            let Some(built) = before.get(&tag) else {
                let message = format!("{path} copies from {tag}, which no entry above it offers");
                let at = self.entry.span.start;
                problems.push(Problem::new(at, "order", "", &tag, message));
                continue;
            };
            let own = architectures(self.manifest, self.entry).into_iter();
            let lacking: Vec<(usize, String)> =
                own.filter(|(_, name)| !built.contains(name)).collect();
            if let Some((at, _)) = lacking.first() {
                let names = lacking.iter().map(|(_, name)| name.as_str());
                let names = Vec::from_iter(names).join(", ");
                let message = format!("{path} copies from {tag}, which is not built for {names}");
                problems.push(Problem::new(*at, "architecture", &names, "", message));
            }
        }
    }
}
