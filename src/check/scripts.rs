//! The rules about scripts: together they mention every variant, and each builds an image after the one that it copies from.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{Finding, Seen};
use crate::fields::Kind;
use crate::rules::{Directory, Model};
use crate::tree::Role;
use crate::version::Variant;

/// A variant that a file names: a script in what it builds or runs, a Dockerfile in what it copies from.
pub(super) struct Mention {
    pub(super) path: String,
    pub(super) role: Role,
    variant: String,
    /// The base of a variant of Windows, and the year of the server that it is of.
    pub(super) windows: Option<(String, u32)>,
    line: usize,
    column: usize,
}

/// Adds the variants that a file names, in the order in which it names them.
pub(super) fn gather(model: &Model, seen: &Seen, mentions: &mut Vec<Mention>) {
    let Some(directory) = seen.scope.own.or(model.directories.last()) else {
        return;
    };
    for (field, must) in seen.fields.iter().filter(|(field, _)| !field.in_comment) {
        if !matches!(
            field.kind,
            Kind::Tag | Kind::TagVariant | Kind::Variant | Kind::Family | Kind::Mention
        ) {
            continue;
        }
        // A name that is wrong has a finding of its own: here it counts for what it must be, or for its whole family.
        let said = match must {
            Some(Ok(said)) => said.clone(),
            _ => seen.said(field),
        };
        let family = |variant: &&Variant| {
            matches!(field.kind, Kind::Family) && said == variant.family
                || matches!(must, Some(Err(_))) && said.contains(&variant.family)
        };
        let (line, column) = seen.places.of(field.span.start);
        for variant in directory
            .variants
            .iter()
            .filter(family)
            .chain(directory.named(&said))
        {
            let windows = variant
                .windows_year()
                .map(|year| (variant.base.clone(), year));
            let (path, variant) = (seen.path.to_owned(), variant.name.clone());
            mentions.push(Mention {
                path,
                role: seen.role,
                variant,
                windows,
                line,
                column,
            });
        }
    }
}

/// Checks the scripts directly in a folder, which are for the variants of that version directory.
pub(super) fn check_folder(
    directory: &Directory,
    folder: &str,
    mentions: &[Mention],
    findings: &mut Vec<Finding>,
) {
    let copies: BTreeMap<&str, BTreeSet<&str>> = directory
        .variants
        .iter()
        .map(|variant| {
            let own = format!("{}/{variant}/", directory.name);
            let from = |mention: &&Mention| {
                mention.path.starts_with(&own) && mention.variant != variant.name
            };
            (
                variant.name.as_str(),
                mentions
                    .iter()
                    .filter(from)
                    .map(|mention| mention.variant.as_str())
                    .collect(),
            )
        })
        .collect();
    // `build-images.sh` and `build-images-2019.ps1` do one thing together: they build all images.
    let mut groups: BTreeMap<&str, BTreeMap<&str, Vec<&Mention>>> = BTreeMap::new();
    for mention in mentions
        .iter()
        .filter(|mention| mention.role == Role::Script)
    {
        if let Some(name) = mention.path.strip_prefix(folder) {
            let verb = name.split(['-', '_', '.']).next().unwrap_or(name);
            groups
                .entry(verb)
                .or_default()
                .entry(&mention.path)
                .or_default()
                .push(mention);
        }
    }
    for (verb, scripts) in &groups {
        check_complete(directory, scripts, findings);
        if *verb == "build" {
            scripts
                .values()
                .for_each(|mentions| check_order(mentions, &copies, findings));
        }
    }
}

/// Every variant must be in one of the scripts, if they are for any of its operating system.
fn check_complete(
    directory: &Directory,
    scripts: &BTreeMap<&str, Vec<&Mention>>,
    findings: &mut Vec<Finding>,
) {
    let named: BTreeSet<&str> = scripts
        .values()
        .flatten()
        .map(|mention| mention.variant.as_str())
        .collect();
    let missing = directory
        .variants
        .iter()
        .filter(|variant| !named.contains(variant.name.as_str()));
    for variant in missing {
        let near = |same: fn(&Variant, &Variant) -> bool| {
            let others: Vec<&str> = directory
                .variants
                .iter()
                .filter(|other| same(variant, other))
                .map(|other| other.name.as_str())
                .collect();
            scripts.iter().find(|(_, said)| {
                said.iter()
                    .any(|mention| others.contains(&mention.variant.as_str()))
            })
        };
        let script = near(|a, b| a.is_windows() == b.is_windows() && a.base == b.base)
            .or_else(|| near(|a, b| a.is_windows() == b.is_windows()));
        if let Some((path, _)) = script {
            findings.push(Finding {
                path: (*path).to_owned(),
                line: 1,
                column: 1,
                rule: "script",
                found: String::new(),
                expected: variant.name.clone(),
                message: format!("misses the variant {variant} of {}", directory.name),
            });
        }
    }
}

/// A variant is built after those that it copies from.
fn check_order(
    mentions: &[&Mention],
    copies: &BTreeMap<&str, BTreeSet<&str>>,
    findings: &mut Vec<Finding>,
) {
    let first = |variant: &str| {
        mentions
            .iter()
            .position(|mention| mention.variant == variant)
    };
    for (variant, sources) in copies {
        for source in sources {
            if let (Some(at), Some(after)) = (first(variant), first(source))
                && at < after
            {
                let mention = mentions[at];
                findings.push(Finding {
                    path: mention.path.clone(),
                    line: mention.line,
                    column: mention.column,
                    rule: "order",
                    found: (*variant).to_owned(),
                    expected: (*source).to_owned(),
                    message: format!("builds {variant} before {source}, which it copies from"),
                });
            }
        }
    }
}
