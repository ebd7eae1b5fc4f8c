//! Templates: what a family's files are for one variant, and whether a variant is that.

use std::collections::BTreeMap;

use crate::check::Finding;
use crate::fields::{Kind, said};
use crate::rules::{Directory, Model, Scope, rewrite};
use crate::sums::Sha256;
use crate::tree::{File, Role, below};
use crate::version::Variant;

/// The files of a variant, as its family's template has them: path in the variant's folder → template's path and file,
/// before its fields are written. Empty where the family has no template.
pub fn files<'a>(
    model: &'a Model,
    variant: &Variant,
) -> impl Iterator<Item = (&'a str, &'a String, &'a File)> + use<'a> {
    let folder = format!("templates/{}", variant.family);
    let start = folder.len() + 1;
    below(&model.tree.files, &folder).map(move |(path, file)| (&path[start..], path, file))
}

/// The variant that a template is written for: its family, on the base that its first stage has.
///
/// Windows names have a dash between the two (`nanoserver-1809`), others have none (`alpine3.18`): the rule of the tags
/// on Docker Hub.
pub fn variant_of(model: &Model, family: &str) -> Option<Variant> {
    let path = format!("templates/{family}/Dockerfile");
    let text = model.tree.files.get(&path)?.text();
    let fields = model.scanner.scan(text, Role::Dockerfile);
    let base = fields
        .iter()
        .find(|field| matches!(&field.kind, Kind::Base { image } if family.ends_with(image)));
    let base = base
        .map(|field| said(text, &field.span))
        .unwrap_or_default();
    let plain = Variant::parse(family)?;
    let dash = if plain.is_windows() && !base.is_empty() {
        "-"
    } else {
        ""
    };
    Variant::parse(&format!("{family}{dash}{base}"))
}

/// Reports, of every variant that has a template, the first line of each file in which it is not what the template gives.
///
/// Hashes are no part of that: they are a release's, and have rules of their own. Directories of older versions are left
/// out where each version has its own: they stay as they were released.
pub fn check(model: &Model, findings: &mut Vec<Finding>) {
    let all = model.tree.config.directory.has_lines();
    let newest = model.directories.len().saturating_sub(1);
    for directory in &model.directories[if all { 0 } else { newest }..] {
        for variant in &directory.variants {
            for (name, source, template) in files(model, variant) {
                let path = format!("{}/{variant}/{name}", directory.name);
                findings.extend(drift(model, directory, variant, &path, source, template));
            }
        }
    }
}

fn drift(
    model: &Model,
    directory: &Directory,
    variant: &Variant,
    path: &str,
    source: &str,
    template: &File,
) -> Option<Finding> {
    let finding = |line, found: &str, expected: &str, message| {
        let (path, found, expected) = (path.to_owned(), found.to_owned(), expected.to_owned());
        Some(Finding {
            path,
            line,
            column: 1,
            rule: "template",
            found,
            expected,
            message,
        })
    };
    let Some(file) = model.tree.files.get(path) else {
        return finding(1, "", path, format!("is missing: {source} has it"));
    };
    if model.tree.role(path) != Some(Role::Dockerfile) {
        if template.mode != 0 && file.is_executable() != template.is_executable() {
            let (found, expected) = (format!("{:o}", file.mode), format!("{:o}", template.mode));
            return finding(
                1,
                &found,
                &expected,
                format!("has the mode {found}, {source} has {expected}"),
            );
        }
        return first_difference(file.text(), template.text()).and_then(
            |(line, found, expected)| {
                finding(line, &found, &expected, format!("differs from {source}"))
            },
        );
    }
    let scope = model.scope(path);
    let fields = model.judge(file.text(), Role::Dockerfile, &scope);
    let pins: BTreeMap<String, Sha256> = fields
        .iter()
        .filter_map(|(field, _)| match &field.kind {
            Kind::Hash(Some(platform)) => Some((
                platform.clone(),
                said(file.text(), &field.span).parse().ok()?,
            )),
            _ => None,
        })
        .collect();
    let right = rewrite(file.text(), &fields);
    let hash = |platform: &str| pins.get(platform).copied();
    let stamped = stamp(
        model,
        template.text(),
        &Scope {
            own: Some(directory),
            variant: Some(variant),
            hash: &hash,
            ..scope
        },
    );
    first_difference(&right, &stamped).and_then(|(line, found, expected)| {
        finding(
            line,
            &found,
            &expected,
            format!("differs from {source}, stamped for {variant}"),
        )
    })
}

/// A template's text with its fields written for a scope.
pub fn stamp(model: &Model, template: &[u8], scope: &Scope) -> Vec<u8> {
    rewrite(template, &model.judge(template, Role::Dockerfile, scope))
}

/// The templates that name a variant which moves to another base, or begin with its old base, with the new one: path and text.
pub fn moved(model: &Model, renames: &BTreeMap<String, String>) -> Vec<(String, Vec<u8>)> {
    let renames: Vec<(Variant, &String)> = renames
        .iter()
        .filter_map(|(old, new)| Some((Variant::parse(old)?, new)))
        .collect();
    let mut moved = Vec::new();
    for (path, file) in below(&model.tree.files, "templates") {
        let Some(role) = model.tree.role(path).filter(|_| !file.is_link()) else {
            continue;
        };
        let family = path.split('/').nth(1).unwrap_or_default();
        let fields = model
            .scanner
            .scan(file.text(), role)
            .into_iter()
            .map(|field| {
                let found = said(file.text(), &field.span);
                let must = renames.iter().find_map(|(old, new)| match &field.kind {
                    Kind::Base { image }
                        if old.family == family && old.is_on(image) && old.base == found =>
                    {
                        Variant::parse(new).map(|new| new.base)
                    }
                    Kind::Tag | Kind::TagVariant => found
                        .strip_suffix(&old.name)
                        .map(|start| format!("{start}{new}")),
                    _ => None,
                });
                (field, must.map(Ok))
            });
        let text = rewrite(file.text(), &fields.collect::<Vec<_>>());
        if text != file.text() {
            moved.push((path.clone(), text));
        }
    }
    moved
}

/// The number of the first line that differs, and the two lines.
fn first_difference(found: &[u8], expected: &[u8]) -> Option<(usize, String, String)> {
    if found == expected {
        return None;
    }
    let mut lines = (
        found.split_inclusive(|&b| b == b'\n'),
        expected.split_inclusive(|&b| b == b'\n'),
    );
    let shown = |line: Option<&[u8]>| {
        String::from_utf8_lossy(line.unwrap_or_default())
            .trim_end_matches('\n')
            .to_owned()
    };
    for number in 1.. {
        let pair = (lines.0.next(), lines.1.next());
        if pair.0 != pair.1 {
            return Some((number, shown(pair.0), shown(pair.1)));
        }
    }
    None
}
