//! The program is killed, or told of an error, at every one of its file-system calls in turn.
//!
//! By a library that is preloaded, in C: it needs nothing but the C compiler that Rust links with, can both kill and
//! fail, and the program is the very one that people run, which a layer of its own for tests would not leave it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use crate::support::{Repository, Snapshot, program, releases, same, snapshot, tree};

/// Error numbers as Linux has them.
const EIO: &str = "5";
const EACCES: &str = "13";
const ENOSPC: &str = "28";

/// The library, compiled.
fn shim(folder: &Path) -> String {
    let library = folder.join("shim.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/shim.c");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status();
    assert!(status.expect("a C compiler").success());
    library.to_str().expect("UTF-8").to_owned()
}

/// An update whose `at`th call is its last, or fails with that error.
fn disturbed(repository: &Repository, shim: &str, at: usize, error: Option<&str>) -> ExitStatus {
    let releases = releases();
    let mut command = program(
        repository.root(),
        &["--from", releases.to_str().expect("UTF-8"), "-q", "0.25.6"],
    );
    command
        .env("LD_PRELOAD", shim)
        .env("FAULT_AT", at.to_string());
    command.envs(error.map(|error| ("FAULT_ERROR", error)));
    command
        .stderr(std::process::Stdio::null())
        .status()
        .expect("it runs")
}

/// The tree without what the program keeps for itself.
fn visible(repository: &Repository) -> Snapshot {
    let mut all = repository.snapshot();
    all.retain(|path, _| !path.starts_with(".update"));
    all
}

/// Every file is what it was or what it will be, and what is gone has its successor in place.
fn is_whole(found: &Snapshot, before: &Snapshot, after: &Snapshot, at: usize) {
    for (path, file) in found.iter().filter(|(path, _)| !path.ends_with('/')) {
        assert!(
            before.get(path) == Some(file) || after.get(path) == Some(file),
            "{path} is not whole after call {at}"
        );
    }
    if before.keys().any(|path| !found.contains_key(path)) {
        for (path, file) in after {
            assert_eq!(
                found.get(path),
                Some(file),
                "{path}: something is gone after call {at}, and this is not there"
            );
        }
    }
}

/// Disturbs the call that has each number, until there is none; `judge` is asked of each exit and tree.
fn disturb_every_call(error: Option<&str>, judge: impl Fn(ExitStatus, &Repository, usize) -> bool) {
    let tools = Repository::empty();
    let shim = shim(tools.root());
    let (before, after) = (
        snapshot(&tree("streaming/before")),
        snapshot(&tree("streaming/after")),
    );
    for at in 1.. {
        let repository = Repository::of(&tree("streaming/before"));
        let status = disturbed(&repository, &shim, at, error);
        is_whole(&visible(&repository), &before, &after, at);
        let more = judge(status, &repository, at);
        repository.update(&["-q", "0.25.6"]).exits_with(0);
        same(&repository.snapshot(), &after);
        if !more {
            assert!(at > 100, "only {at} calls: is the library preloaded?");
            return;
        }
    }
}

#[test]
fn killed_at_any_call_it_loses_nothing_and_the_next_run_finishes() {
    disturb_every_call(None, |status, _, at| {
        assert!(
            status.signal() == Some(9) || status.success(),
            "{status:?} after call {at}"
        );
        !status.success()
    });
}

#[test]
fn an_error_at_any_call_is_an_error_of_the_program_or_does_not_matter() {
    for error in [EIO, EACCES, ENOSPC] {
        let before = snapshot(&tree("streaming/before"));
        let after = snapshot(&tree("streaming/after"));
        let successes = std::cell::Cell::new(0);
        disturb_every_call(Some(error), |status, repository, at| {
            let finished = repository.path(".update/journal").exists();
            match status.code() {
                Some(0) => same(&visible(repository), &after),
                // What was not begun is as it was; what was begun, the next run finishes.
                Some(2) if !finished => assert!(
                    [&before, &after].contains(&&visible(repository)),
                    "call {at}"
                ),
                Some(2) => {}
                other => panic!("{other:?} after call {at}"),
            }
            // A few calls do not matter, such as the last ones, which clear up: many in a row are the end.
            successes.set(if status.success() {
                successes.get() + 1
            } else {
                0
            });
            successes.get() < 40
        });
    }
}

#[test]
fn a_full_disk_leaves_the_tree_as_it_was() {
    let mount = Repository::empty();
    let folder = mount.path("disk");
    fs::create_dir(&folder).expect("a folder");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=72k", "tmpfs"])
        .arg(&folder)
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        // Only root may mount; ENOSPC at every call is tested above for everybody.
        return;
    }
    for (path, (_, bytes)) in snapshot(&tree("streaming/before")) {
        mount.write(&format!("disk/{path}"), bytes);
    }
    let before = snapshot(&folder);
    let releases = releases();
    let run = crate::support::run(
        &folder,
        &["--from", releases.to_str().expect("UTF-8"), "0.25.6"],
    );
    let after = snapshot(&folder);
    let unmounted = Command::new("umount").arg(&folder).status();
    assert!(unmounted.expect("umount runs").success());
    assert!(
        run.stderr
            .starts_with("error: nothing was changed\n  because: "),
        "{}",
        run.stderr
    );
    assert!(run.exits_with(2).stderr.contains("No space left on device"));
    same(&after, &before);
}

#[test]
fn two_updates_at_once_leave_one_whole_result() {
    for _ in 0..10 {
        let repository = Repository::of(&tree("streaming/before"));
        let releases = releases();
        let args = ["--from", releases.to_str().expect("UTF-8"), "-q", "0.25.6"];
        let start = || {
            program(repository.root(), &args)
                .stderr(std::process::Stdio::null())
                .spawn()
                .expect("it runs")
        };
        let statuses: BTreeSet<Option<i32>> = [start(), start(), start()]
            .into_iter()
            .map(|mut run| run.wait().expect("it ends").code())
            .collect();
        assert!(
            statuses.contains(&Some(0)) && statuses.is_subset(&[Some(0), Some(2)].into()),
            "{statuses:?}"
        );
        same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
    }
}
