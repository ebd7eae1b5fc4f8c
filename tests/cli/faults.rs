//! The program is killed, or told of an error, at every one of its file-system calls in turn.
//!
//! By a library that is preloaded, in C: it needs nothing but the C compiler that Rust links with, can both kill and
//! fail, and the program is the very one that people run, which a layer of its own for tests would not leave it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::support::{Repository, Snapshot, program, project, releases, same, snapshot, tree};

/// Error numbers as Linux has them: EIO, EACCES, EPERM, EXDEV, EBUSY, ENOSPC, EDQUOT.
const ERRORS: [&str; 7] = ["5", "13", "1", "18", "16", "28", "122"];

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

/// A kind of command, and the tree that it is run on.
struct Job {
    tree: PathBuf,
    releases: PathBuf,
    args: &'static [&'static str],
    /// A file of this name of `tests/library` beside the tree.
    library: Option<&'static str>,
}

impl Job {
    fn release() -> Self {
        Self {
            tree: tree("streaming/before"),
            releases: releases(),
            args: &["0.25.6"],
            library: None,
        }
    }

    fn streaming(args: &'static [&'static str]) -> Self {
        Self {
            args,
            ..Self::release()
        }
    }

    fn series(args: &'static [&'static str]) -> Self {
        Self {
            tree: tree("series/before"),
            releases: tree("series/releases"),
            args,
            library: None,
        }
    }

    fn start(&self) -> Repository {
        let repository = Repository::of(&self.tree);
        if let Some(library) = self.library {
            repository.write(
                "library",
                fs::read(project().join("tests/library").join(library)).expect("a library file"),
            );
        }
        repository
    }

    fn command(&self, repository: &Repository) -> Command {
        let mut command = program(repository.root(), &[&["-q"], self.args].concat());
        command
            .env("UPDATE_FROM", &self.releases)
            .stderr(std::process::Stdio::null());
        command
    }

    fn run(&self, repository: &Repository) {
        assert!(
            self.command(repository)
                .status()
                .expect("it runs")
                .success()
        );
    }

    fn after(&self) -> Snapshot {
        let repository = self.start();
        self.run(&repository);
        repository.snapshot()
    }

    /// A run whose `at`th call is its last, or fails with that error.
    fn disturbed(
        &self,
        repository: &Repository,
        shim: &str,
        at: usize,
        error: Option<&str>,
    ) -> ExitStatus {
        let mut command = self.command(repository);
        command
            .env("LD_PRELOAD", shim)
            .env("FAULT_AT", at.to_string());
        command.envs(error.map(|error| ("FAULT_ERROR", error)));
        command.status().expect("it runs")
    }
}

/// What files are, whatever they are called: a script that gets another name gets its text before.
fn contents(all: &Snapshot) -> BTreeSet<(u32, &[u8])> {
    all.values()
        .map(|(mode, bytes)| (*mode, bytes.as_slice()))
        .collect()
}

/// The tree without what the program keeps for itself.
fn visible(repository: &Repository) -> Snapshot {
    let mut all = repository.snapshot();
    all.retain(|path, _| !path.starts_with(".update"));
    all
}

/// Killed at every call in turn: every file is the old one or the new one, and the same command again gives the tree of an
/// undisturbed run. So it does after somebody has edited every file in between, but for those edits.
fn killed_at_every_call(job: &Job) {
    const EDIT: &[u8] = b"\n# edited\n";
    let tools = Repository::empty();
    let shim = shim(tools.root());
    let (before, after) = (job.start().snapshot(), job.after());
    let known: BTreeSet<_> = contents(&before)
        .union(&contents(&after))
        .copied()
        .collect();
    for at in 1.. {
        let repository = job.start();
        let status = job.disturbed(&repository, &shim, at, None);
        assert!(
            status.signal() == Some(9) || status.success(),
            "{status:?} after call {at}"
        );
        let found = visible(&repository);
        for file in contents(&found) {
            let text = String::from_utf8_lossy(file.1);
            assert!(
                known.contains(&file),
                "neither old nor new after call {at}: {text}"
            );
        }
        if status.success() {
            assert!(at > 40, "only {at} calls: is the library preloaded?");
            return;
        }
        for (path, (_, bytes)) in &found {
            // An edit that is not part of an entry is no library file.
            if job.library.is_none() {
                repository.write(path, [bytes, EDIT].concat());
            }
        }
        job.run(&repository);
        let mut again = repository.snapshot();
        for (path, (_, bytes)) in &mut again {
            let was_edited = job.library.is_none() && found.len() > 1;
            let is_edited = bytes.ends_with(EDIT);
            assert!(
                is_edited || !was_edited,
                "the edit of {path} after call {at} is gone"
            );
            bytes.truncate(bytes.len() - if is_edited { EDIT.len() } else { 0 });
        }
        same(&again, &after);
    }
}

/// Failed at every call in turn: an error leaves the tree as it was to the byte, with nothing beside it.
fn failed_at_every_call(job: &Job, error: &str) {
    let tools = Repository::empty();
    let shim = shim(tools.root());
    let (before, after) = (job.start().snapshot(), job.after());
    let mut successes = 0;
    for at in 1.. {
        let repository = job.start();
        let status = job.disturbed(&repository, &shim, at, Some(error));
        match status.code() {
            Some(0) => same(&repository.snapshot(), &after),
            Some(2) => {
                let found = repository.snapshot();
                assert!(
                    found == before,
                    "error {error} at call {at}: {:?}",
                    found.keys().collect::<Vec<_>>()
                );
            }
            other => assert!(other == Some(0), "{other:?} after call {at}"),
        }
        // A few calls do not matter, such as the last ones, which clear up: many in a row are the end.
        successes = if status.success() { successes + 1 } else { 0 };
        if successes == 60 {
            return;
        }
    }
}

macro_rules! faults {
    ($($name:ident: $job:expr;)*) => {
        mod killed {
            use super::*;
            $(#[test] fn $name() { killed_at_every_call(&$job) })*
        }
        mod failed {
            use super::*;
            $(#[test] fn $name() { failed_at_every_call(&$job, ERRORS[0]) })*
        }
    };
}

faults! {
    in_a_release: Job::release();
    in_two_series: Job::series(&["2.14.5", "2.12.15"]);
    in_the_newest_releases: Job::series(&["latest"]);
    in_a_move_to_another_windows: Job::series(&["--base", "windows-ltsc2022=ltsc2028"]);
    in_a_move_to_another_base: Job::streaming(&["--base", "alpine=3.19", "--base", "windows=ltsc2022"]);
    in_a_release_on_another_base: Job::streaming(&["0.25.6", "--base", "alpine=3.19"]);
    in_a_new_variant: Job::streaming(&["--add", "alpine3.19", "--add", "nanoserver-ltsc2022"]);
    in_a_copy: Job::streaming(&["0.25.6", "--keep"]);
    in_a_new_series: Job::series(&["2.15.0-RC.1", "--allow-missing"]);
    in_a_removal: Job::streaming(&["--remove", "nanoserver-1809"]);
    in_a_release_and_a_removal: Job::streaming(&["0.25.6", "--remove", "nanoserver-1809"]);
    in_a_removal_of_scripts: Job::series(&["--remove", "2.14.x/windowsservercore-ltsc2025", "--remove", "2.14.x/nanoserver-ltsc2025"]);
    in_the_removal_of_a_series: Job::series(&["--remove", "2.12.x"]);
    in_a_library_file: Job {
        tree: tree("own"),
        library: Some("nats-streaming-0.25.5"),
        ..Job::streaming(&["library", "library", "--commit", "b58b5957ac6c7e2349e52a01ec61fb0afb376ac5"])
    };
}

#[test]
fn a_tree_in_which_a_run_was_killed_is_said_to_be_half_way() {
    let (job, tools) = (Job::release(), Repository::empty());
    let (repository, shim) = (job.start(), shim(tools.root()));
    job.disturbed(&repository, &shim, 40, None);
    let warning = "warning: an update is running here, or was interrupted: wait for it, or run the interrupted update again\n";
    for command in [&["check"][..], &["status", "--offline"]] {
        assert_eq!(repository.run(command).stderr, warning);
    }
    job.run(&repository);
    repository.finds(&[]);
    assert_eq!(repository.run(&["check"]).stderr, "");
}

#[test]
fn every_error_number_leaves_the_tree_as_it_was() {
    for error in &ERRORS[1..] {
        failed_at_every_call(&Job::release(), error);
    }
}

/// A tree on a small disk of its own, unmounted at the end; `None` for those who may not mount. EIO and ENOSPC at every call are
/// tested above for everybody.
struct Disk {
    around: Repository,
    folder: PathBuf,
}

impl Disk {
    fn new(options: &str) -> Option<Self> {
        let around = Repository::empty();
        let folder = around.path("disk");
        fs::create_dir(&folder).expect("a folder");
        let mount = ["-t", "tmpfs", "-o", options, "tmpfs"];
        let mounted = Command::new("mount").args(mount).arg(&folder).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            return None;
        }
        for (path, (_, bytes)) in snapshot(&tree("streaming/before")) {
            around.write(&format!("disk/{path}"), bytes);
        }
        Some(Self { around, folder })
    }

    /// An update that fails, which leaves everything as it was.
    fn fails(&self, parts: &[&str]) {
        let before = snapshot(&self.folder);
        let releases = releases();
        let from = releases.to_str().expect("UTF-8");
        let run = crate::support::run(&self.folder, &["--from", from, "-q", "0.25.6"]);
        same(&snapshot(&self.folder), &before);
        run.fails_with(parts);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-R").arg(&self.folder).status();
    }
}

#[test]
fn a_disk_without_room_leaves_the_tree_as_it_was() {
    let full = "No space left on device";
    // What the tree takes, and a little; by bytes, and by the number of files.
    for options in ["size=72k", "nr_inodes=24"] {
        if let Some(disk) = Disk::new(options) {
            disk.fails(&["error: nothing was changed\n", full]);
        }
    }
}

#[test]
fn a_folder_on_another_file_system_is_found_early() {
    let Some(disk) = Disk::new("size=1m") else {
        return;
    };
    let other = disk.around.path("other");
    let tests = disk.folder.join("tests");
    assert!(
        Command::new("cp")
            .arg("-R")
            .args([&tests, &other])
            .status()
            .expect("cp")
            .success()
    );
    let mount = Command::new("mount")
        .arg("--bind")
        .args([&other, &tests])
        .status();
    if mount.is_ok_and(|status| status.success()) {
        disk.fails(&["tests: on another file system than .\nNothing was changed"]);
    }
}

#[test]
fn what_is_mounted_into_a_folder_that_is_removed_is_not_removed_with_it() {
    let (repository, outside) = (Repository::of(&tree("series/before")), Repository::empty());
    outside.write("kept", "somebody's");
    let folder = repository.path("2.12.x/scratch/more");
    fs::create_dir(&folder).expect("a folder");
    let mut mount = Command::new("mount");
    mount.arg("--bind").args([outside.root(), &folder]);
    if mount.status().is_ok_and(|status| status.success()) {
        let run = repository.run(&["-q", "--remove", "2.12.x"]);
        let _ = Command::new("umount").arg(&folder).status();
        run.fails_with(&["2.12.x/scratch/more: mounted there, and would be removed"]);
        assert_eq!(outside.read("kept"), "somebody's");
        assert!(repository.path("2.12.x/scratch").exists());
    }
}

#[test]
fn a_file_that_nobody_may_change_leaves_the_tree_as_it_was() {
    let repository = Repository::of(&tree("streaming/before"));
    let file = repository.path("tests/run-images.sh");
    let attribute = |which: &str| Command::new("chattr").arg(which).arg(&file).output();
    if attribute("+i").is_ok_and(|output| output.status.success()) {
        let before = repository.snapshot();
        let run = repository.update(&["-q", "0.25.6"]);
        let after = repository.snapshot();
        attribute("-i").expect("chattr runs");
        same(&after, &before);
        run.fails_with(&["cannot change ./tests/run-images.sh"]);
    }
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
