//! The rules about scripts: together they mention every variant, and each builds an image after the one that it copies from.

mod builds;

use std::collections::{BTreeMap, BTreeSet};

use super::no_change;
use crate::fields::expected::{Expected, Scope, named_alone};
use crate::fields::{Field, Kind};
use crate::finding::Finding;
use crate::repository::{Directories, Directory, Names, Place, Repository, TESTS, Tree};
use crate::text::Places;
use crate::version::{Variant, year_in};

/// The names of variants that a document has, in their order, each with the field that has it.
fn mentions<'a>(
    scope: &Scope,
    place: &Place<'a>,
    directory: &'a Directory,
) -> Vec<(&'a str, &'a Field)> {
    let mut mentions = Vec::new();
    for field in place.document.statements() {
        let names = matches!(
            field.kind,
            Kind::Tag
                | Kind::TagVariant
                | Kind::Variant { .. }
                | Kind::Family
                | Kind::Mention { .. }
        );
        if !names {
            continue;
        }
        // A name that is wrong has a finding of its own: here it counts as the expected one, or as its whole family.
        let expected = scope.expected(field, place.document);
        let is_wrong = matches!(expected, Expected::Impossible(_));
        let said = match expected {
            Expected::Exactly(said) => said.into(),
            _ => place.document.found(field),
        };
        let family = |variant: &&Variant| {
            field.kind == Kind::Family && said == variant.family
                || is_wrong && said.contains(&variant.family)
        };
        let family = directory.variants.iter().filter(family);
        let all = family.chain(directory.named(&said));
        mentions.extend(all.map(|variant| (variant.name.as_str(), field)));
    }
    mentions
}

/// Which variants each variant of a version directory copies from.
pub fn copies<'a>(names: &Names, tree: &'a Tree) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let none = Directories::default();
    let mut copies: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for place in Repository::documents_of(tree).filter(Place::is_dockerfile) {
        let Some(variant) = place.variant() else {
            continue;
        };
        let scope = Scope::of(names, &none, no_change(), &place);
        let all = mentions(&scope, &place, &tree.directory);
        let others = all.into_iter().map(|(name, _)| name);
        let others = others.filter(|name| *name != variant.name);
        copies.entry(&variant.name).or_default().extend(others);
    }
    copies
}

/// Checks the scripts in a version directory.
pub(super) fn check_own(names: &Names, tree: &Tree, findings: &mut Vec<Finding>) {
    let none = Directories::default();
    let places = Repository::documents_of(tree).filter(Place::is_script);
    check(names, &none, tree, places, findings);
}

/// Checks the scripts at the root: they are for the newest version; with series, for the one series that they name, unless it has
/// scripts of its own.
pub(super) fn check_shared(
    repository: &Repository,
    directories: &Directories,
    findings: &mut Vec<Finding>,
) {
    let names = &repository.names;
    let has_series = names.config.directory.has_series();
    let newest = directories.newest();
    let mut groups: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
    for place in repository.shared_documents().filter(Place::is_script) {
        let directory = match has_series {
            true => named_alone(names, directories, &place),
            false => newest,
        };
        if let Some(directory) = directory {
            groups.entry(&directory.name).or_default().push(place);
        }
    }
    for tree in &repository.trees {
        let places = groups.remove(tree.directory.name.as_str());
        let places = places.filter(|_| !has_series || tree.folder(TESTS).is_none());
        let places = places.into_iter().flatten();
        check(names, directories, tree, places, findings);
    }
}

/// The commands that only say what they name.
const SAYING: [&[u8]; 3] = [b"echo ", b"printf ", b"Write-Host "];

/// A script, by its path, and the variants that it names.
type Script<'a> = (String, Place<'a>, Vec<(&'a str, &'a Field)>);

fn check<'a>(
    names: &Names,
    directories: &Directories,
    tree: &'a Tree,
    places: impl Iterator<Item = Place<'a>>,
    findings: &mut Vec<Finding>,
) {
    // `build-images.sh` and `build-images-2019.ps1` belong together: between them they build all images.
    let mut groups: BTreeMap<&str, Vec<Script>> = BTreeMap::new();
    for place in places {
        let scope = Scope::of(names, directories, no_change(), &place);
        let mentions = mentions(&scope, &place, &tree.directory);
        if !mentions.is_empty() {
            let name = &place.item.name;
            let verb = name.split(['-', '_', '.']).next().unwrap_or_default();
            let script = (place.path(), place, mentions);
            groups.entry(verb).or_default().push(script);
        }
    }
    for (verb, scripts) in &groups {
        for script in scripts {
            check_year(script, findings);
        }
        // What does something else with a single variant need not do so with all.
        let named = scripts.iter().flat_map(|(_, _, names)| names);
        let named: BTreeSet<&str> = named.map(|(name, _)| *name).collect();
        if ["build", "run"].contains(verb) || named.len() > 1 {
            check_complete(&tree.directory, scripts, &named, findings);
        }
        if *verb == "build" {
            let copies = copies(names, tree);
            for script in scripts {
                check_order(script, &copies, findings);
                builds::check(script, tree, findings);
            }
        }
    }
}

/// A script that is named after a Windows, and names variants of Windows, names one of that Windows.
fn check_year((path, place, names): &Script, findings: &mut Vec<Finding>) {
    let variants = names.iter().filter_map(|(name, _)| Variant::parse(name));
    let bases = variants.filter(Variant::is_on_windows_base);
    let years: BTreeSet<Option<u32>> = bases.map(|one| one.windows_year()).collect();
    let own = year_in(&place.item.name);
    if let Some(year) = own.filter(|year| !years.is_empty() && !years.contains(&Some(*year))) {
        let message = format!("names no variant of Windows Server {year}, but is called after it");
        findings.push(Finding::of(path, "script", message).expected(year.to_string()));
    }
}

/// Every variant is in one of the scripts, if they name any other of its operating system; `named` are those in any of them.
fn check_complete(
    directory: &Directory,
    scripts: &[Script],
    named: &BTreeSet<&str>,
    findings: &mut Vec<Finding>,
) {
    let variants = directory.variants.iter();
    for variant in variants.filter(|variant| !named.contains(variant.name.as_str())) {
        let near = |same: fn(&Variant, &Variant) -> bool| {
            let is_near = |name: &str| {
                let mut others = directory.variants.iter();
                others.any(|other| other.name == name && same(variant, other))
            };
            let mut scripts = scripts.iter();
            scripts.find(|(_, _, names)| names.iter().any(|(name, _)| is_near(name)))
        };
        // A script that is named after a Windows version is for that one.
        let is_for = |script: &&Script| {
            let year = year_in(&script.1.item.name);
            year.is_none_or(|year| variant.windows_year().is_none_or(|own| own == year))
        };
        let script = near(|a, b| a.is_windows() == b.is_windows() && a.base == b.base)
            .or_else(|| near(|a, b| a.is_windows() == b.is_windows()).filter(is_for));
        if let Some((path, _, _)) = script {
            let message = format!("missing the variant {variant} of {}", directory.name);
            findings.push(Finding::of(path, "script", message).expected(&*variant.name));
        }
    }
}

/// A variant is built after those that it copies from.
fn check_order(
    (path, place, names): &Script,
    copies: &BTreeMap<&str, BTreeSet<&str>>,
    findings: &mut Vec<Finding>,
) {
    let text = &place.document.text;
    let is_built = |field: &Field| {
        let start = memchr::memrchr(b'\n', &text[..field.span.start]).map_or(0, |at| at + 1);
        let line = text[start..].trim_ascii_start();
        !SAYING.iter().any(|command| line.starts_with(command))
    };
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, (name, field)) in names.iter().enumerate() {
        if !first.contains_key(name) && is_built(field) {
            first.insert(name, index);
        }
    }
    for (variant, sources) in copies {
        for source in sources {
            if let (Some(&at), Some(&after)) = (first.get(variant), first.get(source))
                && at < after
            {
                let message =
                    format!("builds {variant} before {source}, but {variant} copies from {source}");
                let place = Places::new(&place.document.text).of(names[at].1.span.start);
                let finding = Finding::at(path, place, "order", message);
                findings.push(finding.found(*variant).expected(*source));
            }
        }
    }
}

/// The scripts that are for a version directory: its own, and those at the root that are not about another one.
pub fn scripts_of<'a>(
    repository: &'a Repository,
    tree: &'a Tree,
) -> impl Iterator<Item = Place<'a>> {
    let own = tree.folder(TESTS).is_some();
    let inside = Repository::documents_of(tree).filter(move |_| own);
    let directories = repository.directories();
    let (names, name) = (&repository.names, &tree.directory.name);
    let shared = repository.shared_documents().filter(move |place| {
        let named = named_alone(names, &directories, place);
        !names.config.directory.has_series() || named.is_none_or(|named| named.name == *name)
    });
    inside.chain(shared).filter(Place::is_script)
}
