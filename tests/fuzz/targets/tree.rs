//! A repository in a folder, with one file of any content and things that do not belong there: whatever an update of it
//! writes passes `check`, and is what a second one would write; nothing outside of it and nothing in `.git` changes.
#![no_main]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

use update::check::check;
use update::cli::Format;
use update::plan::steps::steps;
use update::plan::{Options, Plan, plan, targets};
use update::release::checksums::Checksums;
use update::report::{Summary, of_check, of_update, rendered};
use update::repository::Repository;
use update::text::harmless_lines;
use update::version::parse_version;
use update::write::write;

const CHECKSUMS: &[u8] = include_bytes!("../../releases/v0.25.6/SHA256SUMS");

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

const WORKFLOW: &str = ".github/workflows/test.yml";

/// What a stranger may plant, by the bits of a byte.
fn plant(root: &Path, which: u8) {
    let link = |target: &str, path: &str| symlink(target, root.join(path)).unwrap();
    match which % 16 {
        1 => link("../outside", "0.25.5/alpine3.19"),
        2 => link("../../outside/kept", "0.25.5/scratch/note"),
        3 => link("../.git", "0.25.5/git"),
        4 => link("outside", ".update"),
        5 => fs::write(root.join("0.25.5/scratch/odd\n::error::\u{202e}"), "x").unwrap(),
        6 => fs::set_permissions(root.join("0.25.5/scratch/Dockerfile"), PermissionsExt::from_mode(0o4755)).unwrap(),
        7 => link("/dev/zero", "update.toml"),
        8 => fs::write(root.join("0.25.6"), "in the way").unwrap(),
        9 => fs::create_dir(root.join("0.25.x")).unwrap(),
        10 => {
            fs::create_dir_all(root.join(".update/new")).unwrap();
            fs::write(root.join(".update/journal"), r#"{"write":["../outside/evil"]}"#).unwrap();
        }
        11 => link("/proc/self/environ", "tests/a.sh"),
        _ => {}
    }
}

fn planned(root: &Path) -> anyhow::Result<Plan> {
    let version = parse_version("0.25.6").unwrap();
    let options = Options::default();
    let repository = Repository::read(root)?;
    let aims = targets(&repository, std::slice::from_ref(&version), &options)?;
    let published = [(version, Checksums::parse(CHECKSUMS).unwrap())].into();
    plan(repository, aims, &published, &options)
}

/// No control character but those that are meant to be there, and nothing that changes the direction of a text.
fn is_harmless(bytes: &[u8], meant: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    for c in text.chars() {
        let is_bidirectional = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!is_bidirectional && (!c.is_control() || c.is_ascii() && meant.contains(&(c as u8))), "{c:?} in {text:?}");
    }
}

/// A result in every format: its styles are all that a terminal takes for more than text.
fn printed(summary: &Summary) {
    for format in [Format::Text, Format::Json, Format::Markdown, Format::Github] {
        let text = rendered(summary, format, false, true);
        is_harmless(&anstream::adapter::strip_bytes(&text).into_vec(), &[b'\n']);
        let styles = text.windows(2).filter(|two| two[0] == 0x1b).all(|two| two[1] == b'[');
        assert!(styles, "{text:?}");
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(([which, planted], content)) = data.split_first_chunk() else { return };
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let root = folder.path().join("tree");
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("kept"), "kept").unwrap();
    let put = |path: &str, bytes: &[u8]| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    FILES.iter().for_each(|(path, bytes)| put(path, bytes));
    put(".git/hooks/sample", b"");
    let which = usize::from(*which) % (FILES.len() + 1);
    put(FILES.get(which).map_or(WORKFLOW, |(path, _)| path), content);
    plant(&root, *planted);
    let Ok(repository) = Repository::read(&root) else { return };
    let start = Instant::now();
    let (names, directories) = (repository.names.clone(), repository.directories());
    printed(&of_check(&names, &directories, check(&repository), Vec::new()));
    let Ok(first) = planned(&root).inspect_err(|error| is_harmless(harmless_lines(&format!("{error:#}")).as_bytes(), &[b'\n'])) else {
        return;
    };
    printed(&of_update((&first, "Update"), (true, false), Vec::new()));
    // A second for each hundred kilobytes, and one for a busy machine: what is not linear takes far longer.
    assert!(start.elapsed().as_secs() <= 1 + content.len() as u64 / 100_000, "{:?}", start.elapsed());
    let Ok(()) = write(&root, &steps(&first)) else { return };
    assert_eq!(check(&Repository::read(&root).unwrap()).findings, first.remaining);
    let second = planned(&root).unwrap();
    assert!(second.changes.is_empty(), "{:#?}", second.changes);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(fs::read(outside.join("kept")).unwrap(), b"kept");
    assert_eq!(fs::read_dir(root.join(".git/hooks")).unwrap().count(), 1);
});
