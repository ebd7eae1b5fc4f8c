//! Templates: what a family's template gives for a variant, and whether the variant's files are that.

use std::path::Path;

use super::documents::Seen;
use super::no_change;
use crate::fields::Kind;
use crate::fields::expected::{Expected, Scope};
use crate::finding::Finding;
use crate::repository::{
    Body, Directories, Document, Folder, Item, LARGEST_DOCUMENT, Place, Repository, TEMPLATES,
    Tree, read_file,
};
use crate::text::excerpt;
use crate::version::Variant;

/// The variant that a template is written for: its family, on the base that its first stage has.
///
/// Windows names have a dash between the two (`nanoserver-1809`), others have none (`alpine3.18`): the rule of the tags on
/// Docker Hub.
pub fn variant_of(template: &Folder) -> Option<Variant> {
    let document = template.item("Dockerfile")?.document()?;
    let family = Variant::parse(&template.name)?;
    let is_base = |kind: &Kind| matches!(kind, Kind::Base { image } if family.is_on(image));
    match document.fields.iter().find(|field| is_base(&field.kind)) {
        Some(base) => family.on(&document.found(base)),
        None => Some(family),
    }
}

/// A document's text with every field as it is expected. Fields with no right value stay as they are.
pub fn written(document: &Document, expected: &[Expected]) -> Vec<u8> {
    let mut out = Vec::with_capacity(document.text.len());
    let mut from = 0;
    for (field, expected) in document.fields.iter().zip(expected) {
        if let Expected::Exactly(value) = expected {
            out.extend_from_slice(&document.text[from..field.span.start]);
            out.extend_from_slice(value.as_bytes());
            from = field.span.end;
        }
    }
    out.extend_from_slice(&document.text[from..]);
    out
}

/// Reports the first line in which a file of a variant differs from what the template of its family gives.
///
/// Hashes are left out: they come from a release, and have rules of their own.
pub(super) fn check(repository: &Repository, tree: &Tree, findings: &mut Vec<Finding>) {
    for (variant, template, folder) in repository.stamped(tree) {
        for source in &template.items {
            let shown = format!("{TEMPLATES}/{}/{}", template.name, source.name);
            let path = format!("{}/{variant}/{}", tree.directory.name, source.name);
            let drift = match (folder.item(&source.name), source.document()) {
                (None, _) => {
                    let message = format!("missing: {shown} has it");
                    Some(Finding::of(&path, "template", message).expected(&*path))
                }
                (Some(item), Some(document)) if item.document().is_some() => {
                    let mut places = Repository::documents_of(tree);
                    let place = places.find(|place| std::ptr::eq(place.item, item));
                    let lines = place.and_then(|place| drift(repository, &place, document));
                    lines.map(|lines| differs(&path, lines, &shown))
                }
                (Some(item), _) => plain_drift(repository, (item, &path), (source, &shown)),
            };
            let fix = || format!("update {}", tree.directory.version);
            findings.extend(drift.map(|finding| finding.fixed_by(fix())));
        }
    }
}

/// Reports the architectures that a template pairs wrongly: an update puts them right in what it writes.
pub(super) fn check_labels(repository: &Repository, findings: &mut Vec<Finding>) {
    let none = Directories::default();
    for place in repository.template_documents() {
        let scope = Scope::of(&repository.names, &none, no_change(), &place);
        let seen = Seen::new(&scope, &place);
        let fields = place.document.statements();
        let labels =
            fields.filter(|field| matches!(field.kind, Kind::Labels { .. } | Kind::Arch { .. }));
        let all = labels.filter_map(|field| seen.check_field(field));
        findings.extend(all.map(|finding| Finding {
            rule: "template",
            fix: String::new(),
            ..finding
        }));
    }
}

/// The number of a line, what it says, and what it is expected to say.
type Lines = (usize, String, String);

fn differs(path: &str, (line, found, expected): Lines, template: &str) -> Finding {
    let [old, new] = [&found, &expected].map(|line| excerpt(line.trim()));
    let message = format!("found `{old}`, expected `{new}` as {template} gives it");
    Finding::at(path, (line, 1), "template", message)
        .found(found)
        .expected(expected)
}

/// Where a document differs from what its template gives for its place with the document's hashes.
fn drift(repository: &Repository, place: &Place, template: &Document) -> Option<Lines> {
    let none = Directories::default();
    let scope = Scope::of(&repository.names, &none, no_change(), place);
    let right = written(place.document, &scope.judge(place.document));
    first_difference(&right, &stamped(&scope, place.document, template))
}

/// What a template gives for a place, with the hashes that the document there has.
fn stamped(scope: &Scope, own: &Document, template: &Document) -> Vec<u8> {
    let pin = |platform: &str| {
        let is_of = |kind: &Kind| matches!(kind, Kind::Hash(Some(own)) if **own == *platform);
        own.statements()
            .find(|field| is_of(&field.kind))
            .map(|field| own.found(field).into_owned())
    };
    let expected = template.fields.iter().map(|field| match &field.kind {
        Kind::Hash(Some(platform)) => pin(platform).map_or(Expected::Anything, Expected::Exactly),
        _ => scope.expected(field, template),
    });
    written(template, &expected.collect::<Vec<_>>())
}

/// How a file without fields differs from its template's.
fn plain_drift(
    repository: &Repository,
    (item, path): (&Item, &str),
    (source, shown): (&Item, &str),
) -> Option<Finding> {
    let read = |item: &Item| content(&repository.root, item);
    let ((found, mode), (expected, wanted)) = match (read(item), read(source)) {
        (Ok(found), Ok(expected)) => (found, expected),
        (Err(problem), _) | (_, Err(problem)) => {
            let message = format!("cannot be compared with {shown}: {problem:#}");
            return Some(Finding::of(path, "template", message));
        }
    };
    if (mode & 0o111 != 0) != (wanted & 0o111 != 0) {
        let message = format!("found the mode {mode:o}, expected {wanted:o}, as {shown} has");
        let finding = Finding::of(path, "template", message).found(format!("{mode:o}"));
        return Some(finding.expected(format!("{wanted:o}")));
    }
    // The lines are not printed: the file is no document, and may hold anything.
    let line = first_difference(&found, &expected)?.0;
    let message = format!("differs from {shown}");
    Some(Finding::at(path, (line, 1), "template", message))
}

/// The bytes and permission bits of a file, from memory or from disk.
pub fn content(root: &Path, item: &Item) -> anyhow::Result<(Vec<u8>, u32)> {
    match (&item.body, item.origin.path()) {
        (Body::Document(document), _) => Ok((document.text.clone(), document.mode)),
        (_, path) => read_file(&root.join(path), LARGEST_DOCUMENT),
    }
}

/// The number of the first line that differs, and the two lines.
fn first_difference(found: &[u8], expected: &[u8]) -> Option<Lines> {
    if found == expected {
        return None;
    }
    let is_end = |byte: &u8| *byte == b'\n';
    let mut found = found.split_inclusive(is_end);
    let mut expected = expected.split_inclusive(is_end);
    let shown = |line: Option<&[u8]>| {
        let line = String::from_utf8_lossy(line.unwrap_or_default());
        line.trim_end_matches('\n').to_owned()
    };
    let mut lines = (1..).map(|number| (number, found.next(), expected.next()));
    let (number, found, expected) = lines.find(|(_, found, expected)| found != expected)?;
    Some((number, shown(found), shown(expected)))
}
