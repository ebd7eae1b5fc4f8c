//! What a shell offers for an argument: names of the repository that the working folder is in. Where there is none, or it
//! cannot be read, there are none.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::{Shell, env::Shells};

use crate::fields::RUNNERS;
use crate::library;
use crate::repository::{Outline, discover};
use crate::version::Variant;

/// The setting with which a shell asks what it may offer.
pub(super) const ASKING: &str = "UPDATE_COMPLETE";

/// The script with which a shell asks this program what it may offer, each time that it is asked itself.
pub fn script(shell: Shell) -> io::Result<Vec<u8>> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    if let Some(shell) = shells.completer(&shell.to_string()) {
        shell.write_registration(ASKING, "update", "update", "update", &mut script)?;
    }
    Ok(script)
}

/// What there is in the repository.
#[derive(Default)]
struct Known {
    library_file: Option<PathBuf>,
    has_series: bool,
    directories: Vec<(String, BTreeSet<Variant>)>,
}

impl Known {
    fn here() -> Self {
        let root = discover(Path::new("."));
        let outline = Outline::read(&root).ok();
        let known = outline.map(|outline| Self {
            library_file: library::beside(&root, &outline.names().config.image),
            has_series: outline.names().config.directory.has_series(),
            directories: outline.variants().collect(),
        });
        known.unwrap_or_default()
    }

    fn names(&self) -> impl Iterator<Item = String> {
        self.directories.iter().map(|(name, _)| name.clone())
    }

    /// What is said of each variant, for all series, and for its own alone.
    fn each(&self, of: impl Fn(&Variant) -> Vec<String>) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for (name, variants) in &self.directories {
            for said in variants.iter().flat_map(&of) {
                all.extend(self.has_series.then(|| format!("{name}/{said}")));
                all.insert(said);
            }
        }
        all
    }
}

/// What moves: `latest`, and version directories.
pub(super) fn versions() -> Vec<CompletionCandidate> {
    offered(
        ["latest".to_owned()]
            .into_iter()
            .chain(Known::here().names()),
    )
}

/// What moves to another base: families and variants that have a numbered one.
pub(super) fn bases() -> Vec<CompletionCandidate> {
    let of = |variant: &Variant| match variant.has_numbered_base() {
        true => vec![format!("{}=", variant.family), format!("{variant}=")],
        false => Vec::new(),
    };
    offered(Known::here().each(of))
}

/// What one series lacks, and another one has.
pub(super) fn adds() -> Vec<CompletionCandidate> {
    let known = Known::here();
    let all = known.directories.iter();
    let all: BTreeSet<&Variant> = all.flat_map(|(_, variants)| variants).collect();
    let lacking = known.directories.iter().flat_map(|(name, own)| {
        let lacking = all.iter().filter(|variant| !own.contains(variant));
        lacking.flat_map(move |variant| [format!("{name}/{variant}"), variant.to_string()])
    });
    let lacking: BTreeSet<String> = lacking.filter(|_| known.has_series).collect();
    offered(lacking)
}

/// What is there to be removed: variants, of all series and of one, and series.
pub(super) fn removes() -> Vec<CompletionCandidate> {
    let known = Known::here();
    let variants = known.each(|variant| vec![variant.name.clone()]);
    offered(
        variants
            .into_iter()
            .chain(known.names().filter(|_| known.has_series)),
    )
}

/// The image's library file, and every other file.
pub(super) fn library_files(word: &OsStr) -> Vec<CompletionCandidate> {
    let known = Known::here().library_file.into_iter();
    let fits = |file: &PathBuf| {
        file.as_os_str()
            .as_encoded_bytes()
            .starts_with(word.as_encoded_bytes())
    };
    let known = known.filter(fits).map(CompletionCandidate::new);
    known.chain(PathCompleter::file().complete(word)).collect()
}

/// What a library file may offer: version directories, and variants of one.
pub(super) fn parts() -> Vec<CompletionCandidate> {
    let known = Known::here();
    let within = known.directories.iter().flat_map(|(name, variants)| {
        variants
            .iter()
            .map(move |variant| format!("{name}/{variant}"))
    });
    offered(known.names().chain(within))
}

/// The systems whose runners may move.
pub(super) fn runners() -> Vec<CompletionCandidate> {
    offered(RUNNERS.iter().map(|system| format!("{system}=")))
}

fn offered(names: impl IntoIterator<Item = String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).collect()
}
