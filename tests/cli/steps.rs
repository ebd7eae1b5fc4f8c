//! What the program says that somebody does next, pasted into a shell as it stands.

use crate::morning::{Releases, committed, git, with_git};
use crate::support::{Repository, releases, tree};

/// The commands below `Next steps:`.
fn steps(printed: &str) -> Vec<&str> {
    let (_, steps) = printed.split_once("\nNext steps:\n").unwrap_or_default();
    let steps = steps.lines().filter_map(|line| line.strip_prefix("  "));
    steps.collect()
}

/// Runs them in a shell.
#[track_caller]
fn paste(repository: &Repository, printed: &str) {
    let steps = steps(printed);
    assert!(!steps.is_empty(), "{printed}");
    for step in steps {
        let mut shell = std::process::Command::new("sh");
        let shell = shell.args(["-c", step]).current_dir(repository.root());
        let output = shell.output().expect("sh runs");
        assert!(output.status.success(), "{step}: {output:?}");
    }
}

fn status(repository: &Repository) -> String {
    git(repository.root(), &["status", "--porcelain"])
}

#[test]
fn what_is_as_in_the_last_commit_again_needs_none() {
    let repository = committed();
    with_git(&repository, &["-q", "--base", "2.14.x/alpine=3.23"]).exits_with(0);
    let run = with_git(&repository, &["--base", "2.14.x/alpine=3.22"]).exits_with(0);
    assert_eq!(status(&repository), "");
    assert!(!run.stdout.contains("Next steps"), "{}", run.stdout);
    // A mistake that was not committed.
    repository.edit("2.14.x/scratch/Dockerfile", "2.14.4", "2.14.3");
    let releases = Releases::new();
    releases.publish("2.14.4", "2.14.5");
    let args = ["--from", releases.path(), "2.14.4", "--repin"];
    with_git(&repository, &args).exits_with(0);
    assert!(!status(&repository).contains("scratch"));
}

#[test]
fn what_was_only_staged_is_added_and_not_committed() {
    let repository = committed();
    with_git(&repository, &["-q", "--base", "2.14.x/alpine=3.21"]).exits_with(0);
    git(repository.root(), &["add", "--all"]);
    // With something else there, the folder does not stand for its files.
    repository.edit("2.14.x/scratch/nats-server.conf", "", "# mine\n");
    let run = with_git(&repository, &["--base", "2.14.x/alpine=3.23"]).exits_with(0);
    paste(&repository, &run.stdout);
    assert_eq!(status(&repository), " M 2.14.x/scratch/nats-server.conf\n");
}

#[test]
fn changes_that_a_commit_takes_along_are_named() {
    let repository = committed();
    repository.edit("2.14.x/scratch/Dockerfile", "FROM", "# mine\nFROM");
    let run = with_git(&repository, &["--base", "2.14.x/alpine=3.23"]).exits_with(0);
    assert!(
        run.stdout.ends_with(
            "\nChanged before this update already, and committed with it: 2.14.x/scratch/Dockerfile.\n"
        ),
        "{}",
        run.stdout
    );
    paste(&repository, &run.stdout);
    assert_eq!(status(&repository), "");
}

#[test]
fn after_an_interrupted_update_they_name_what_that_one_wrote_too() {
    let (repository, whole) = (committed(), committed());
    let base = ["--base", "alpine=3.24"];
    with_git(&whole, &base).exits_with(0);
    // One series is moved, and the other one is not; what an update keeps for itself is still there.
    with_git(&repository, &["-q", "--base", "2.12.x/alpine=3.24"]).exits_with(0);
    repository.write(".update/.gitignore", "*\n");
    let run = repository.run(&["check"]);
    assert!(
        run.stdout.is_empty() || !run.stdout.contains("Fix"),
        "{}",
        run.stdout
    );
    with_git(&repository, &[&base[..], &["--commit"]].concat()).fails_with(&[
        "An interrupted update may have written them: run the same command without `--commit`",
    ]);
    repository.write(".update/.gitignore", "*\n");
    let run = with_git(&repository, &base).exits_with(0);
    paste(&repository, &run.stdout);
    assert_eq!(status(&repository), "");
    let files = |repository: &Repository| {
        let mut all = repository.snapshot();
        all.retain(|path, _| !path.starts_with(".git/"));
        all
    };
    crate::support::same(&files(&repository), &files(&whole));
    // The title is that of the undisturbed run.
    let (repository, releases) = (committed(), Releases::new());
    let from = ["--from", releases.path()];
    with_git(&repository, &[&from[..], &["-q", "2.12.x"]].concat()).exits_with(0);
    repository.write(".update/.gitignore", "*\n");
    let run = with_git(&repository, &[&from[..], &["latest"]].concat()).exits_with(0);
    let commit = "  git commit -m 'Update to 2.14.5, 2.12.15' -- 2.12.x 2.14.x\n";
    assert!(run.stdout.contains(commit), "{}", run.stdout);
}

#[test]
fn a_series_is_that_one_where_directories_are_versions_too() {
    let (repository, all) = (
        Repository::of(&tree("streaming/before")),
        Repository::empty(),
    );
    let sums = std::fs::read_to_string(releases().join("v0.25.6/SHA256SUMS")).expect("sums");
    for version in ["0.25.6", "0.26.0"] {
        let path = format!("v{version}/SHA256SUMS");
        all.write(&path, sums.replace("0.25.6", version));
    }
    let from = all.root().to_str().expect("UTF-8");
    let moves = |wanted: &str| repository.run(&["-n", "--from", from, wanted]);
    let moved = |wanted: &str, to: &str| {
        let run = moves(wanted).exits_with(0);
        let start = format!("nats-streaming 0.25.5 → {to}\n");
        assert!(run.stdout.starts_with(&start), "{}", run.stdout);
    };
    moved("latest", "0.26.0");
    moved("0.25.x", "0.25.6");
    moved("0.26.x", "0.26.0");
    moves("0.24.x").fails_with(&["no stable release of 0.24.x in "]);
}

#[test]
fn a_source_that_is_not_asked_is_said() {
    let repository = Repository::of(&tree("streaming/after"));
    let run = repository
        .run(&["check", "--from", "nowhere"])
        .exits_with(0);
    let warning = "warning: `--from` is used with `--online` and `--archives` only: no hash is compared with a release\n";
    assert_eq!(run.stderr, warning);
}

#[test]
fn a_series_that_is_removed_does_not_move_too() {
    let (repository, releases) = (committed(), Releases::new());
    let args = ["--from", releases.path(), "latest", "--remove", "2.12.x"];
    let run = with_git(&repository, &args).exits_with(0);
    let title = "  git commit -m 'Update to 2.14.5, remove 2.12.x' -- ";
    assert!(run.stdout.contains(title), "{}", run.stdout);
    repository.finds(&[]);
}

#[test]
fn a_runner_that_no_workflow_names_is_not_in_the_title() {
    let repository = committed();
    let args = ["--runner", "ubuntu=26.04", "--runner", "macos=15"];
    let run = with_git(&repository, &args).exits_with(0);
    let title = "  git commit -m 'Run on ubuntu-26.04' -- ";
    assert!(run.stdout.contains(title), "{}", run.stdout);
}
