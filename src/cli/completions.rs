//! What a shell offers for an argument: names from the repository that the working folder is in; nothing where there is none, or
//! it cannot be read.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::{Shell, env::Shells};

use crate::library;
use crate::repository::config::looks_like_a_version;
use crate::repository::{Outline, discover};
use crate::version::Variant;

/// The environment variable with which a shell asks for completions.
pub(super) const ASKING: &str = "UPDATE_COMPLETE";

/// The script that makes a shell ask this program for completions.
pub fn script(shell: Shell) -> io::Result<Vec<u8>> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    if let Some(shell) = shells.completer(&shell.to_string()) {
        shell.write_registration(ASKING, "update", "update", "update", &mut script)?;
    }
    Ok(script)
}

/// The version directories, each with its variants.
fn directories() -> Vec<(String, BTreeSet<Variant>)> {
    let outline = Outline::read(&discover()).ok();
    outline.iter().flat_map(Outline::variants).collect()
}

/// What moves: `latest`, and version directories.
pub(super) fn versions() -> Vec<CompletionCandidate> {
    let names = directories().into_iter().map(|(name, _)| name);
    let all = std::iter::once("latest".to_owned()).chain(names);
    all.map(CompletionCandidate::new).collect()
}

/// Version directories, and variants: of all, and of one.
pub(super) fn parts() -> Vec<CompletionCandidate> {
    let names = directories().into_iter().map(|(name, _)| name);
    let names = names.map(CompletionCandidate::new);
    names
        .chain(named(|variant| vec![variant.name.clone()]))
        .collect()
}

/// Version directories, and variants of one.
pub(super) fn folders() -> Vec<CompletionCandidate> {
    let mut all = parts();
    let is_folder = |one: &CompletionCandidate| {
        let name = one.get_value().to_string_lossy();
        looks_like_a_version(name.split('/').next().unwrap_or_default())
    };
    all.retain(is_folder);
    all
}

/// What a variant that is added begins with.
pub(super) fn families() -> Vec<CompletionCandidate> {
    named(|variant| vec![variant.family.clone()])
}

/// What a move to another base begins with: `alpine=`, `2.14.x/alpine=`, `alpine3.22=`.
pub(super) fn bases() -> Vec<CompletionCandidate> {
    let has_base = |variant: &&Variant| !variant.base.is_empty();
    named(move |variant| {
        let variant = Some(variant).filter(has_base);
        let names = variant.iter().flat_map(|one| [&one.family, &one.name]);
        names.map(|name| format!("{name}=")).collect()
    })
}

/// The names that a function gives for each variant, alone and with its version directory in front.
fn named(names: impl Fn(&Variant) -> Vec<String>) -> Vec<CompletionCandidate> {
    let mut all = BTreeSet::new();
    for (directory, variants) in directories() {
        for name in variants.iter().flat_map(&names) {
            all.insert(format!("{directory}/{name}"));
            all.insert(name);
        }
    }
    all.into_iter().map(CompletionCandidate::new).collect()
}

/// The image's library file, and every other file.
pub(super) fn library_files(word: &OsStr) -> Vec<CompletionCandidate> {
    let root = discover();
    let outline = Outline::read(&root).ok();
    let known = outline.and_then(|one| library::beside(&root, &one.names().config.image));
    let start = word.as_encoded_bytes();
    let fits = |file: &PathBuf| file.as_os_str().as_encoded_bytes().starts_with(start);
    let known = known.into_iter().filter(fits).map(CompletionCandidate::new);
    known.chain(PathCompleter::file().complete(word)).collect()
}
