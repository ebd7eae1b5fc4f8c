//! A tree with one file of any content: whatever an update of it would write passes `check`, and is what a second one
//! would write.
#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use update::check::check;
use update::config::Config;
use update::plan::{Options, applied, plan, targets};
use update::rules::Model;
use update::sums::Sums;
use update::tree::{Content, File, Files, Tree};
use update::version::parse_version;

const SUMS: &[u8] = include_bytes!("../../releases/v0.25.6/SHA256SUMS");

macro_rules! files {
    ($($path:literal),*) => {
        [$(($path, include_bytes!(concat!("../../trees/streaming/before/", $path)).as_slice())),*]
    };
}

static FILES: LazyLock<Vec<(&str, &[u8])>> = LazyLock::new(|| {
    files![
        "0.25.5/alpine3.18/Dockerfile",
        "0.25.5/scratch/Dockerfile",
        "0.25.5/windowsservercore-1809/Dockerfile",
        "0.25.5/nanoserver-1809/Dockerfile",
        "tests/build-images.sh",
        "tests/run-images.sh",
        "tests/build-images-2019.ps1",
        "tests/run-images-2019.ps1"
    ]
    .into()
});

/// A model of the right tree, whose patterns serve for all others.
static RIGHT: LazyLock<Model> = LazyLock::new(|| Model::new(tree(files(), "0.25.5")).unwrap());

fn file(bytes: &[u8]) -> File {
    File {
        content: Content::Bytes(bytes.to_vec()),
        mode: 0o644,
    }
}

fn files() -> Files {
    FILES
        .iter()
        .map(|(path, bytes)| ((*path).to_owned(), file(bytes)))
        .collect()
}

fn tree(files: Files, directory: &str) -> Tree {
    Tree {
        config: Config::default(),
        files,
        directories: BTreeSet::from([directory.to_owned()]),
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((which, content)) = data.split_first() else {
        return;
    };
    let which = usize::from(*which) % FILES.len();
    let mut files = files();
    files.insert(FILES[which].0.to_owned(), file(content));
    let version = parse_version("0.25.6").unwrap();
    let sums = [Sums::parse(SUMS).unwrap()];
    let planned = |model: &Model| {
        let aims = targets(model, std::slice::from_ref(&version), &Options::default()).unwrap();
        plan(model, aims, &sums, &Options::default())
    };
    let before = RIGHT.next(tree(files, "0.25.5")).unwrap();
    check(&before).unwrap();
    let Ok(first) = planned(&before) else { return };
    let after = RIGHT
        .next(tree(applied(&before.tree.files, &first), "0.25.6"))
        .unwrap();
    assert_eq!(check(&after).unwrap().findings, first.remaining);
    let second = planned(&after).unwrap();
    assert!(second.changes.is_empty(), "{:#?}", second.changes);
});
