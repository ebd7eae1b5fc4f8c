//! `update library`: the file from which Docker builds official images, before and after.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Repository, Run, program, project, same, tree};

const COMMIT: &str = "2222222222222222222222222222222222222222";

/// A library file of the tests.
fn file(name: &str) -> String {
    fs::read_to_string(project().join("tests/library").join(name)).expect("a library file")
}

/// git without the settings of whoever runs the tests.
fn git(root: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(root).args(["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]).args(args);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    let run = Run::of(&mut command).exits_with(0);
    run.stdout.trim_end().to_owned()
}

/// A repository whose tree is committed on `main`, with a library file beside it.
struct Published {
    repository: Repository,
    head: String,
}

impl Published {
    fn of(repository: Repository, library: &str) -> Self {
        git(repository.root(), &["init", "--quiet", "--initial-branch=main"]);
        let mut published = Self { repository, head: String::new() };
        published.commit();
        published.repository.write("library", library.replace("{HEAD}", &published.head));
        published
    }

    /// The tree of lines, at 2.14.5 and 2.12.15.
    fn lines(library: &str) -> Self {
        Self::of(Repository::of(&tree("lines/after")), library)
    }

    /// This project's tree, and a file that is right for it.
    fn right() -> Self {
        let library = file("nats-streaming-0.25.6").replace("b58b5957ac6c7e2349e52a01ec61fb0afb376ac5", "{HEAD}");
        Self::of(Repository::of_this_project(), &library)
    }

    fn commit(&mut self) {
        git(self.repository.root(), &["add", "--all", "--", ":!library"]);
        git(self.repository.root(), &["commit", "--quiet", "--message=A tree"]);
        self.head = git(self.repository.root(), &["rev-parse", "HEAD"]);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = program(self.repository.root(), &[&["library", "library"], args].concat());
        command.env("PATH", std::env::var_os("PATH").expect("PATH")).env("GIT_CONFIG_GLOBAL", "/dev/null");
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(&mut self.command(args))
    }

    fn library(&self) -> String {
        self.repository.read("library")
    }

    /// The library file after an update for a commit that is not here.
    #[track_caller]
    fn update(&self, args: &[&str]) -> String {
        let run = self.run(&[&["--commit", COMMIT], args].concat()).exits_with(0);
        assert!(run.stderr.contains(&format!("warning: {COMMIT} is not in this repository")), "{}", run.stderr);
        self.library()
    }

    /// The update fails with these words, and leaves every byte as it was.
    #[track_caller]
    fn fails(&self, args: &[&str], parts: &[&str]) {
        let before = self.repository.snapshot();
        self.run(args).fails_with(parts);
        same(&self.repository.snapshot(), &before);
    }

    /// `--check` finds these, by place, rule and words, and nothing else.
    #[track_caller]
    fn finds(&self, expected: &[&str]) {
        let before = self.repository.snapshot();
        let run = self.run(&["--check"]).exits_with(i32::from(!expected.is_empty()));
        let lines: Vec<&str> = run.stdout.lines().collect();
        let findings = &lines[..lines.len() - 1];
        let matches = findings.len() == expected.len() && findings.iter().zip(expected).all(|(found, part)| found.contains(part));
        assert!(matches, "wanted {expected:#?}, found {findings:#?}");
        same(&self.repository.snapshot(), &before);
    }

    /// With these mistakes in a file that was right, `--check` finds these.
    #[track_caller]
    fn with(edits: &[(&str, &str)], expected: &[&str]) {
        let published = Self::right();
        for (old, new) in edits {
            published.repository.edit("library", old, new);
        }
        published.finds(expected);
    }
}

#[track_caller]
fn same_text(found: &str, expected: &str) {
    assert!(found == expected, "found:\n{found}\nwanted:\n{expected}");
}

#[test]
fn the_file_of_a_release_becomes_that_of_the_next() {
    let published = Published::of(Repository::of_this_project(), &file("nats-streaming-0.25.5"));
    let run = published.run(&["--commit", "b58b5957ac6c7e2349e52a01ec61fb0afb376ac5"]).exits_with(0);
    same_text(&published.library(), &file("nats-streaming-0.25.6"));
    same_text(
        &run.stdout,
        "\
library → 0.25.6

  all entries
      GitCommit  d8dd9e2f5f7943f6a4d08de304f2bce513cc6735 → b58b5957ac6c7e2349e52a01ec61fb0afb376ac5
  0.25.6/alpine3.18
      Tags       0.25.5-alpine3.18 → 0.25.6-alpine3.18
      Tags       0.25.5-alpine → 0.25.6-alpine
      Directory  0.25.5/alpine3.18 → 0.25.6/alpine3.18
  0.25.6/scratch
      Tags        0.25.5-scratch → 0.25.6-scratch
      Tags        0.25.5-linux → 0.25.6-linux
      SharedTags  0.25.5 → 0.25.6
      Directory   0.25.5/scratch → 0.25.6/scratch
  0.25.6/windowsservercore-1809
      Tags        0.25.5-windowsservercore-1809 → 0.25.6-windowsservercore-1809
      SharedTags  0.25.5-windowsservercore → 0.25.6-windowsservercore
      Directory   0.25.5/windowsservercore-1809 → 0.25.6/windowsservercore-1809
  0.25.6/nanoserver-1809
      Tags        0.25.5-nanoserver-1809 → 0.25.6-nanoserver-1809
      SharedTags  0.25.5-nanoserver → 0.25.6-nanoserver
      SharedTags  0.25.5 → 0.25.6
      Directory   0.25.5/nanoserver-1809 → 0.25.6/nanoserver-1809

4 entries rewritten

What is left to do:
  update library library --check    once the commit is pushed
  git commit --all -m \"Update nats-streaming to 0.25.6\", there, and open the pull request to docker-library/official-images
",
    );
    let again = published.run(&["--commit", "b58b5957ac6c7e2349e52a01ec61fb0afb376ac5"]).exits_with(0);
    assert_eq!(again.stdout, "library is up to date: nothing to change\n");
}

#[test]
fn each_entry_belongs_to_the_line_of_its_directory() {
    let published = Published::lines(&file("nats-2.14.4"));
    same_text(&published.update(&[]), &file("nats-2.14.5"));
}

#[test]
fn the_commit_is_the_one_that_is_checked_out() {
    let published = Published::lines(&file("nats-2.14.4"));
    published.run(&[]).exits_with(0);
    same_text(&published.library(), &file("nats-2.14.5").replace(COMMIT, &published.head));
    published.finds(&[]);
}

#[test]
fn a_new_line_comes_first_and_takes_over_what_is_the_newest_lines() {
    let published = Published::lines(&file("nats-2.12.15"));
    same_text(&published.update(&["--add", "2.14.x"]), &file("nats-2.14.5"));
    published.fails(&["--commit", COMMIT, "--add", "2.14.x"], &["offers 2.14.x already"]);
}

#[test]
fn a_new_major_leaves_the_old_one_its_number() {
    let repository = Repository::of(&tree("lines/after"));
    repository.rename("2.14.x", "3.0.x");
    for path in ["alpine3.22", "windowsservercore-ltsc2022", "windowsservercore-ltsc2025"] {
        repository.edit(&format!("3.0.x/{path}/Dockerfile"), "2.14.5", "3.0.0");
    }
    let published = Published::of(repository, &file("nats-2.12.15"));
    let found = published.update(&["--add", "3.0.x"]);
    assert!(
        found.contains(
            "\nTags: 3.0.0-alpine3.22, 3.0-alpine3.22, 3-alpine3.22, alpine3.22, 3.0.0-alpine, 3.0-alpine, 3-alpine, alpine\n"
        ),
        "{found}"
    );
    assert!(
        found.contains("\nTags: 2.12.15-alpine3.21, 2.12-alpine3.21, 2-alpine3.21, 2.12.15-alpine, 2.12-alpine, 2-alpine\n"),
        "{found}"
    );
    assert!(found.contains("\nSharedTags: 2.12.15, 2.12, 2\n"), "{found}");
}

#[test]
fn a_variant_is_added_like_its_sibling_and_in_build_order() {
    let published = Published::lines(&file("nats-2.14.5"));
    let found = published.update(&["--add", "2.14.x/nanoserver-ltsc2025", "--add", "2.14.x/windowsservercore-ltsc2025"]);
    let entries: Vec<String> = file("nats-2.14.5").split("\n\n").map(str::to_owned).collect();
    let [server, nano] = [&entries[3], &entries[4]];
    let expected = file("nats-2.14.5")
        .replace(&**server, &format!("{server}\n\n{}", server.replace("ltsc2022", "ltsc2025")))
        .replace(&**nano, &format!("{nano}\n\n{}", nano.replace("ltsc2022", "ltsc2025")));
    same_text(&found, &expected);
}

#[test]
fn what_the_tree_has_and_the_file_does_not_offer_is_only_said() {
    let published = Published::lines(&file("nats-2.12.15"));
    let run = published.run(&["--commit", COMMIT]).exits_with(0);
    same_text(&published.library(), &file("nats-2.12.15"));
    assert_eq!(
        run.stdout,
        "library is up to date: nothing to change\n\nIn the tree, and not offered:\n  2.14.x\n  --add <DIRECTORY> offers one\n"
    );
}

#[test]
fn a_base_that_has_moved_takes_its_entry_along() {
    let mut published = Published::right();
    published.repository.run(&["--base", "alpine=3.19", "--base", "windows=ltsc2022"]).exits_with(0);
    published.commit();
    published.run(&[]).exits_with(0);
    let expected = file("nats-streaming-0.25.6")
        .replace("alpine3.18", "alpine3.19")
        .replace("-1809", "-ltsc2022")
        .replace("b58b5957ac6c7e2349e52a01ec61fb0afb376ac5", &published.head);
    same_text(&published.library(), &expected);
}

#[test]
fn an_entry_whose_variant_is_gone_is_taken_out_and_said() {
    let mut published = Published::right();
    published.repository.remove("0.25.6/nanoserver-1809");
    published.commit();
    let run = published.run(&[]).exits_with(0);
    assert!(run.stdout.contains("\nRemoved, since the tree has them no more:\n  0.25.6/nanoserver-1809\n"), "{}", run.stdout);
    assert!(run.stdout.contains("\n1 entry removed\n"), "{}", run.stdout);
    let old = file("nats-streaming-0.25.6").replace("b58b5957ac6c7e2349e52a01ec61fb0afb376ac5", &published.head);
    let (kept, _) = old.split_once("\n\nTags: 0.25.6-nanoserver").expect("the last entry");
    same_text(&published.library(), &format!("{kept}\n"));
}

#[test]
fn an_old_base_goes_where_the_new_one_has_an_entry_already() {
    let published = Published::lines(&file("nats-2.14.5"));
    published.update(&["--add", "2.14.x/windowsservercore-ltsc2025", "--add", "2.14.x/nanoserver-ltsc2025"]);
    for variant in ["windowsservercore-ltsc2022", "nanoserver-ltsc2022"] {
        published.repository.remove(&format!("2.14.x/{variant}"));
    }
    let found = published.update(&[]);
    let old = file("nats-2.14.5");
    let (newer, older) = old.split_once("Tags: 2.12.15-alpine3.21").expect("two lines");
    same_text(&found, &format!("{}Tags: 2.12.15-alpine3.21{older}", newer.replace("ltsc2022", "ltsc2025")));
}

#[test]
fn layout_comments_and_the_maintainers_choice_stay_to_the_byte() {
    let old = "# The image of the streaming server.\r
Maintainers:\tThe NATS Maintainers <info@nats.io> (@nats-io),\r
# on leave\r
\tThe Other Maintainers (@nats-io)\r
GitRepo: https://github.com/nats-io/nats-streaming-docker.git\r
GitCommit:   d8dd9e2f5f7943f6a4d08de304f2bce513cc6735   \r
\r
# Linux first.\r
\r
Tags: 0.25.5-alpine3.17,\r
      0.25-alpine3.17,\r
# without the newest base\r
      0.25.5-alpine ,0.25-alpine\r
Architectures: arm64v8,amd64\r
Directory: ./0.25.5/alpine3.17/\r
arm64v8-Directory: 0.25.5/alpine3.17\r
arm64v8-GitCommit: d8dd9e2f5f7943f6a4d08de304f2bce513cc6735\r
# the end";
    let published = Published::of(Repository::of_this_project(), old);
    let expected = old
        .replace("0.25.5", "0.25.6")
        .replace("alpine3.17", "alpine3.18")
        .replace("./0.25.6/alpine3.18/", "0.25.6/alpine3.18")
        .replace("d8dd9e2f5f7943f6a4d08de304f2bce513cc6735", COMMIT);
    same_text(&published.update(&[]), &expected);
}

#[test]
fn the_branch_is_written_where_it_is_said() {
    let published = Published::right();
    published.repository.edit("library", "GitFetch: refs/heads/main\n", "");
    published.run(&["--fetch", "refs/heads/master"]).exits_with(0);
    assert!(!published.library().contains("GitFetch"), "the default is not said");
    published.run(&["--fetch", "refs/heads/main"]).exits_with(0);
    let right = file("nats-streaming-0.25.6").replace("b58b5957ac6c7e2349e52a01ec61fb0afb376ac5", &published.head);
    same_text(&published.library(), &right);
    published.run(&["--fetch", "refs/tags/v1"]).exits_with(0);
    same_text(&published.library(), &right.replace("refs/heads/main", "refs/tags/v1"));
}

#[test]
fn a_dry_run_shows_the_diff_and_writes_nothing() {
    let published = Published::of(Repository::of_this_project(), &file("nats-streaming-0.25.5"));
    let before = published.repository.snapshot();
    let run = published.run(&["--dry-run", "--diff"]).exits_with(0);
    assert!(run.stdout.contains("\n-Directory: 0.25.5/scratch\n+Directory: 0.25.6/scratch\n"), "{}", run.stdout);
    assert!(run.stdout.ends_with("\nA dry run: nothing was written.\n"), "{}", run.stdout);
    same(&published.repository.snapshot(), &before);
}

#[test]
fn programs_get_every_change_as_json() {
    let published = Published::lines(&file("nats-2.12.15"));
    let run = published.run(&["--add", "2.14.x", "--format", "json"]).exits_with(0);
    let update: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(update["path"], "library");
    assert_eq!(update["added"][1], "2.14.x/scratch");
    assert_eq!(update["not_offered"][0], "2.14.x/windowsservercore-ltsc2025");
    assert_eq!(update["changes"][0]["entry"], "");
    assert_eq!(update["changes"][0]["field"], "GitCommit");
    assert_eq!(update["changes"][0]["expected"], published.head.as_str());
}

#[test]
fn a_version_that_is_no_release_yet_gets_no_stable_tag() {
    let repository = Repository::of(&tree("lines/after"));
    for path in ["alpine3.22", "windowsservercore-ltsc2022", "windowsservercore-ltsc2025"] {
        repository.edit(&format!("2.14.x/{path}/Dockerfile"), "2.14.5", "2.14.6-RC.1");
    }
    for path in ["scratch", "nanoserver-ltsc2022", "nanoserver-ltsc2025"] {
        repository.edit(&format!("2.14.x/{path}/Dockerfile"), "2.14.5-", "2.14.6-RC.1-");
    }
    let published = Published::of(repository, &file("nats-2.14.5"));
    published.fails(&[], &["a version that is no release yet would get stable tags", "2.14-alpine3.22", "Wait for the release"]);
    // A line of its own can be offered early, under its full name alone.
    published.repository.write("library", file("nats-2.12.15"));
    published.run(&["--add", "2.14.x"]).exits_with(0);
    let found = published.library();
    assert!(found.contains("\nTags: 2.14.6-RC.1-scratch, 2.14.6-RC.1-linux\nSharedTags: 2.14.6-RC.1\n"), "{found}");
    assert!(found.contains("\nSharedTags: 2.12.15, 2.12, 2, latest\n"), "{found}");
    published.finds(&[]);
}

#[test]
fn a_missing_file_is_explained_and_a_first_one_written() {
    let published = Published::right();
    let right = published.library().replace("arm64v8", "arm64v8, i386");
    published.repository.remove("library");
    published.fails(&[], &["library/nats-streaming", "docker-library/official-images", "--new"]);
    git(published.repository.root(), &["remote", "add", "origin", "git@github.com:nats-io/nats-streaming-docker"]);
    let (_, maintainers) = right.split_once("Maintainers: ").expect("maintainers");
    let [one, two] = [maintainers, maintainers.split_once(",\n").expect("two").1]
        .map(|text| text.trim_start().split([',', '\n']).next().expect("a line"));
    published.run(&["--new", "--maintainer", one, "--maintainer", two]).exits_with(0);
    same_text(&published.library(), &right);
    published.finds(&[]);
    published.fails(&["--new", "--maintainer", one], &["is there already"]);
}

#[test]
fn a_right_file_is_consistent() {
    let published = Published::right();
    published.run(&["--check"]).exits_with(0).says("consistent: library (4 entries, 30 tags)\n");
}

#[test]
fn a_field_that_breaks_the_format_is_found() {
    let right = file("nats-streaming-0.25.6");
    let maintainers = &right[..right.find("GitRepo").expect("a field")];
    for (edits, expected) in [
        (vec![(maintainers, "")], "library:1:1: format: the first paragraph has no Maintainers"),
        (vec![("(@kozlovic)", "@kozlovic")], "library:1:14: maintainer: says `"),
        (vec![("GitFetch: refs/heads/main", "GitFetch: main")], "library:4:11: fetch: says `main`, wanted refs/heads/"),
        (
            vec![("Architectures: windows-amd64\nDirectory: 0.25.6/nano", "Architectures: windows\nDirectory: 0.25.6/nano")],
            "architecture: `windows` is no",
        ),
        (
            vec![("SharedTags: 0.25.6, 0.25, latest", "SharedTags: 0.25.6, 0.25, latest-linux")],
            "tag: `latest-linux`: `latest` stands only alone",
        ),
        (vec![(" 0.25-alpine3.18,", " 0.25/alpine3.18,")], "library:7:26: tag: says `0.25/alpine3.18`"),
        (vec![("GitRepo", "GitRep")], "field: `GitRep` is no field"),
    ] {
        let published = Published::right();
        for (old, new) in edits {
            published.repository.edit("library", old, new);
        }
        let run = published.run(&["--check"]).exits_with(1);
        assert!(run.stdout.contains(expected), "wanted {expected} in {}", run.stdout);
    }
}

#[test]
fn tags_are_of_one_entry_and_shared_ones_of_one_for_each_architecture() {
    Published::with(
        &[("Tags: 0.25.6-scratch, 0.25-scratch, scratch,", "Tags: 0.25.6-scratch, 0.25-scratch, scratch, alpine,")],
        &[
            "library:11:46: tag: `alpine` is a tag of another entry already, in line 7",
            "library:11:46: variant: says alpine: `alpine` is no name of 0.25.6/scratch",
        ],
    );
    Published::with(
        &[("Directory: 0.25.6/alpine3.18", "SharedTags: latest\nDirectory: 0.25.6/alpine3.18")],
        &["library:13:27: tag: `latest` is of an entry for amd64, arm32v6, arm32v7, arm64v8 already, in line 9"],
    );
    Published::with(
        &[("0.25.6-linux, 0.25-linux, linux", "0.25.6-linux, 0.25-linux, linux, 0.25")],
        &["library:12:21: tag: `0.25` is shared, and a tag of one entry too, in line 11", "library:23:69: tag: `0.25` is shared"],
    );
}

#[test]
fn entries_are_compared_with_the_tree_at_their_commit() {
    Published::with(
        &[("0.25.6-alpine,", "0.25.5-alpine,")],
        &["library:7:55: version: says 0.25.5-alpine, must be 0.25.6-alpine"],
    );
    Published::with(&[("0.25-linux", "0.24-linux")], &["version: says 0.24-linux, must be 0.25-linux"]);
    Published::with(
        &[("0.25.6-windowsservercore-1809,", "0.25.6-windowsservercore1809,")],
        &[
            "variant: says 0.25.6-windowsservercore1809, must be 0.25.6-windowsservercore-1809",
            "order: 0.25.6/nanoserver-1809 copies from 0.25.6-windowsservercore-1809, which no entry above it offers",
        ],
    );
    Published::with(
        &[(", 0.25-windowsservercore-1809", ", 0.25-servercore-1809")],
        &["variant: says 0.25-servercore-1809, must be 0.25-windowsservercore-1809"],
    );
    Published::with(
        &[("Directory: 0.25.6/scratch", "Directory: 0.25.6/scrach")],
        &["library:14:12: directory: `0.25.6/scrach` is not in the tree at "],
    );
    Published::with(
        &[("Constraints: nanoserver-1809, windowsservercore-1809", "Constraints: nanoserver-1809")],
        &["library:26:14: constraint: Constraints lacks windowsservercore-1809, which 0.25.6/nanoserver-1809 needs"],
    );
    Published::with(
        &[("Constraints: windowsservercore-1809", "Constraints: windowsservercore-ltsc2022")],
        &["library:20:14: constraint: says windowsservercore-ltsc2022, must be windowsservercore-1809"],
    );
    Published::with(
        &[(
            "Architectures: amd64, arm32v6, arm32v7, arm64v8\nDirectory: 0.25.6/alpine",
            "Architectures: s390x\nDirectory: 0.25.6/alpine",
        )],
        &["library:8:16: architecture: says s390x, and 0.25.6/alpine3.18 can be built for"],
    );
}

#[test]
fn the_tree_that_counts_is_the_one_at_the_commit() {
    let mut published = Published::right();
    published.repository.update(&["--base", "alpine=3.19"]).exits_with(0);
    published.finds(&[]);
    published.commit();
    published.finds(&[]);
    published.repository.edit("library", "alpine3.18", "alpine3.19");
    let run = published.run(&["--check"]).exits_with(1);
    assert!(run.stdout.contains("says 0.25.6-alpine3.19, must be 0.25.6-alpine3.18"), "{}", run.stdout);
}

#[test]
fn what_is_copied_from_comes_first() {
    let published = Published::right();
    let text = published.library();
    let mut entries: Vec<&str> = text.trim_end().split("\n\n").collect();
    entries.swap(1, 2);
    published.repository.write("library", entries.join("\n\n"));
    published.finds(&["library:7:1: order: 0.25.6/scratch copies from 0.25.6-alpine3.18, which no entry above it offers"]);
}

#[test]
fn only_the_newest_line_is_latest() {
    let published = Published::lines(&file("nats-2.14.5").replace(COMMIT, "{HEAD}"));
    published.finds(&[]);
    published.repository.edit("library", "SharedTags: 2.14.5, 2.14, 2, latest", "SharedTags: 2.14.5, 2.14, 2");
    published.repository.edit("library", "SharedTags: 2.12.15, 2.12\n", "SharedTags: 2.12.15, 2.12, latest\n");
    published.finds(&[
        "library:32:28: latest: says latest, which belongs to the newest line: another entry is at 2.14.5, this at 2.12.15",
    ]);
}

#[test]
fn a_line_is_added_once() {
    let published = Published::lines(&file("nats-2.14.5"));
    published.fails(&["--commit", COMMIT, "--add", "2.14.x"], &["offers 2.14.x already"]);
    published.fails(&["--commit", COMMIT, "--add", "2.12.x"], &["offers 2.12.x already"]);
}

#[test]
fn a_line_that_replaces_the_only_one_is_the_one_that_is_added() {
    let mut published = Published::lines(&file("nats-2.12.15"));
    published.repository.remove("2.12.x");
    published.commit();
    published.run(&["--add", "2.14.x", "--commit", &published.head]).exits_with(0);
    let old = file("nats-2.14.5");
    let (expected, _) = old.split_once("\n\nTags: 2.12.15").expect("two lines");
    same_text(&published.library(), &format!("{}\n", expected.replace(COMMIT, &published.head)));
}

#[test]
fn tags_that_nobody_has_any_more_are_said() {
    let mut published = Published::lines(&file("nats-2.14.5"));
    published.repository.remove("2.14.x");
    published.commit();
    let run = published.run(&[]).exits_with(0);
    assert!(run.stderr.contains("no other has them: 2, 2-alpine, 2-linux, "), "{}", run.stderr);
    assert!(run.stderr.contains("latest"), "{}", run.stderr);
}

#[test]
fn a_dockerfile_that_says_something_else_than_its_folder_is_found() {
    for (path, old, new, expected) in [
        (
            "alpine3.18",
            "SERVER=0.25.6",
            "SERVER=0.25.5",
            "library:9:12: dockerfile: 0.25.6/alpine3.18/Dockerfile says 0.25.5, must be 0.25.6",
        ),
        (
            "scratch",
            "0.25.6-alpine",
            "0.25.5-alpine",
            "library:14:12: dockerfile: 0.25.6/scratch/Dockerfile says 0.25.5-alpine3.18",
        ),
    ] {
        let mut published = Published::right();
        published.repository.edit(&format!("0.25.6/{path}/Dockerfile"), old, new);
        let old = published.head.clone();
        published.commit();
        published.repository.edit("library", &old, &published.head);
        published.finds(&[expected]);
    }
}

#[test]
fn a_commit_of_its_own_follows_what_is_new_for_the_entry() {
    let mut published = Published::right();
    let old = published.head.clone();
    published.repository.edit("library", "Directory: 0.25.6/", &format!("GitCommit: {old}\nDirectory: 0.25.6/"));
    published.repository.edit("0.25.6/scratch/Dockerfile", "# An empty", "# A quite empty");
    published.repository.run(&["check"]);
    published.commit();
    published.run(&[]).exits_with(0);
    let found = published.library();
    assert_eq!(found.matches(&format!("GitCommit: {old}\nDirectory")).count(), 3, "{found}");
    assert!(found.contains(&format!("GitCommit: {}\nDirectory: 0.25.6/scratch", published.head)), "{found}");
}

#[test]
fn more_mistakes_are_found() {
    Published::with(&[("GitFetch: refs/heads/main", "GitFetch: refs/heads/main\nBuilder: kaniko")], &["builder: says `kaniko`"]);
    Published::with(
        &[("Directory: 0.25.6/scratch", "Directory: 0.25.6/scratch\nFile: Dockerfile.preview")],
        &["library:15:7: file: 0.25.6/scratch/Dockerfile.preview is not in the tree at"],
    );
    Published::with(
        &[("Directory: 0.25.6/scratch", "Directory: 0.25.6/scratch\narm32v7-Directory: 0.25.5/scratch")],
        &["library:15:20: directory: says 0.25.5/scratch, must be 0.25.6/scratch"],
    );
    Published::with(
        &[("Directory: 0.25.6/alpine3.18", "Directory: 0.25.6/alpine3.18\nConstraints: windowsservercore-1809")],
        &["library:10:14: constraint: Constraints: windowsservercore-1809 does not belong to 0.25.6/alpine3.18"],
    );
    Published::with(&[(" 0.25.6-linux,", " 0.25.6-linux, 0-linux,")], &["version: says 0-linux: a major by itself"]);
    Published::with(&[("\n\nTags: 0.25.6-scratch", "\n  \nTags: 0.25.6-scratch")], &["library:10:1: format: a line of spaces"]);
}

#[test]
fn a_branch_that_the_remote_does_not_have_is_found() {
    let published = Published::right();
    let root = published.repository.root();
    git(root, &["remote", "add", "origin", "https://example.com/x.git"]);
    git(root, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    published.finds(&[]);
    published.repository.edit("library", "GitFetch: refs/heads/main\n", "");
    published
        .finds(&["library:4:12: fetch: refs/heads/master is fetched, where GitFetch says nothing else, and origin has no such"]);
}

#[test]
fn a_first_file_gives_no_password_away() {
    let published = Published::right();
    published.repository.remove("library");
    git(
        published.repository.root(),
        &["remote", "add", "origin", "https://user:secret@github.com/nats-io/nats-streaming-docker.git"],
    );
    published.run(&["--new", "--maintainer", "The NATS Maintainers <info@nats.io> (@nats-io)"]).exits_with(0);
    assert!(
        published.library().contains("\nGitRepo: https://github.com/nats-io/nats-streaming-docker.git\n"),
        "{}",
        published.library()
    );
    published.fails(&["--new", "--maintainer", "X"], &["--maintainer", "wanted `Full Name <mail> (@handle)`"]);
}

#[test]
fn findings_come_in_every_format() {
    let published = Published::right();
    published.repository.edit("library", "0.25.6-alpine,", "0.25.5-alpine,");
    let run = published.run(&["--check", "--format", "github"]).exits_with(1);
    assert!(
        run.stdout.starts_with("::error file=library,line=7,col=55,title=version::says 0.25.5-alpine, must be 0.25.6-alpine\n"),
        "{}",
        run.stdout
    );
    let run = published.run(&["--check", "--format", "json"]).exits_with(1);
    let found: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(found["findings"][0]["expected"], "0.25.6-alpine");
    let run = published.run(&["--check", "--format", "markdown"]).exits_with(1);
    assert!(run.stdout.contains("| `library:7` | version |"), "{}", run.stdout);
}

#[test]
fn a_commit_that_nobody_can_fetch_is_found() {
    let published = Published::right();
    let head = published.head.clone();
    published.repository.edit("library", &head, COMMIT);
    published.finds(&[&format!("library:5:12: commit: says {COMMIT}, which this repository does not have: `git fetch`")]);
    published.repository.edit("library", COMMIT, &head);
    // Another branch is not what is fetched.
    git(published.repository.root(), &["switch", "--quiet", "--orphan", "other"]);
    git(published.repository.root(), &["commit", "--quiet", "--allow-empty", "--message=Nothing"]);
    git(published.repository.root(), &["branch", "--quiet", "--force", "main", "other"]);
    git(published.repository.root(), &["checkout", "--quiet", &head]);
    published.finds(&[&format!("library:5:12: commit: says {head}, which is not in main")]);
    let run = published.run(&["--commit", &head]).exits_with(0);
    assert!(run.stderr.contains("is not in main: push it before the pull request is opened"), "{}", run.stderr);
}

#[test]
fn a_commit_can_be_given_by_its_first_digits() {
    let published = Published::lines(&file("nats-2.14.4"));
    published.run(&["--commit", &published.head[..10]]).exits_with(0);
    same_text(&published.library(), &file("nats-2.14.5").replace(COMMIT, &published.head));
    published.fails(&["--commit", "abcdef0"], &["no commit `abcdef0` in .", "all of its 40 digits"]);
    published.run(&["--commit", "main"]).exits_with(0);
}

#[test]
fn changes_that_are_not_committed_are_no_release() {
    let published = Published::right();
    published.repository.update(&["--base", "alpine=3.19"]).exits_with(0);
    published.fails(&[], &["not committed", "0.25.6/alpine3.19/", "commit it first", "--commit <SHA>"]);
}

#[test]
fn without_a_repository_the_commit_must_be_said() {
    let repository = Repository::of_this_project();
    repository.write("library", file("nats-streaming-0.25.5"));
    let published = Published { repository, head: String::new() };
    published.fails(&[], &[". is not a git repository", "--commit <SHA>"]);
    let run = published.run(&["--commit", "b58b5957ac6c7e2349e52a01ec61fb0afb376ac5"]).exits_with(0);
    assert!(run.stderr.contains("is not a git repository"), "{}", run.stderr);
    same_text(&published.library(), &file("nats-streaming-0.25.6"));
    let run = published.run(&["--check"]).exits_with(0);
    assert!(run.stderr.contains("compared with the tree as it is"), "{}", run.stderr);
}

#[test]
fn without_git_the_commit_must_be_said() {
    let published = Published::right();
    let mut command = published.command(&[]);
    Run::of(command.env("PATH", "/nowhere")).fails_with(&["git is not installed", "--commit <SHA>"]);
}

#[test]
fn bad_input_is_named_by_its_line_and_left_alone() {
    let right = file("nats-streaming-0.25.5");
    let (global, entries) = right.split_once("\n\n").expect("a first paragraph");
    for (text, part) in [
        (String::new(), "line 1: has no field"),
        (right.replace("GitFetch: refs", "GitRepo: https://x\nGitFetch: refs"), "line 4: a second `GitRepo`"),
        (format!("{global}\n\n{global}\n\n{entries}"), "line 7: the entry has no Tags"),
        (right.replace("\n\nTags: 0.25.5-alpine3.18", "\nTags: 0.25.5-alpine3.18"), "cannot have tags"),
        (right.replace("Tags: 0.25.5-scratch", "Tags 0.25.5-scratch"), "line 11: is no field"),
        (right.replace("\nTags: 0.25.5-scratch", "\n\n Tags: 0.25.5-scratch"), "line 12: a line that begins with a space"),
        (right.replace("0.25-linux, linux", "0.25-linux,, linux"), "line 11: Tags: a comma with nothing beside it"),
        (right.replace("d8dd9e2f", "D8DD9E2F"), "line 5: says `D8DD9E2F"),
        (format!("\u{feff}{right}"), "line 1: begins with a byte-order mark"),
        (right.replace("arm32v6", "arm6"), "line 8: `arm6` is no architecture"),
        (right.replace("scratch, 0.25.5-linux", "scratch, scratch, 0.25.5-linux"), "line 11: Tags: `scratch` stands there twice"),
    ] {
        let published = Published::of(Repository::of_this_project(), &text);
        published.fails(&["--commit", COMMIT], &["rules of its format", part]);
    }
    let published = Published::right();
    let latin =
        right.replace("Phil", "Ph\u{ef}l").chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect::<Vec<u8>>();
    published.repository.write("library", latin);
    published.fails(&["--commit", COMMIT], &["library: line 2: is not UTF-8"]);
    published.finds(&["library:2:16: format: is not UTF-8"]);
    published.repository.write("library", file("nats-2.14.5"));
    published.fails(&["--commit", COMMIT], &["no entry is for an image of", "-C <DIR>"]);
    published.repository.write("library", file("nats-streaming-0.25.6"));
    published.fails(&["--add", "1.2.x"], &["no `1.2.x` in", "0.25.6/nanoserver-1809"]);
    published.repository.remove("library");
    fs::create_dir(published.repository.path("library")).expect("a folder");
    published.fails(&[], &["library is a folder: wanted a library file, library/nats-streaming"]);
}

#[test]
fn ten_thousand_entries_are_no_trouble() {
    let (head, entry) = ("{HEAD}", "Tags: 0.25.5-x{N}\nDirectory: 0.25.5/alpine3.18\n");
    let entries: Vec<String> = (0..10_000).map(|number| entry.replace("{N}", &number.to_string())).collect();
    let global = file("nats-streaming-0.25.5").replace("d8dd9e2f5f7943f6a4d08de304f2bce513cc6735", head);
    let (global, _) = global.split_once("\n\n").expect("a first paragraph");
    let published = Published::of(Repository::of_this_project(), &format!("{global}\n\n{}", entries.join("\n")));
    published.run(&["--quiet"]).exits_with(0);
    assert_eq!(published.library().matches("\nTags: 0.25.6-x").count(), 10_000);
}

/// What a parser that is not ours makes of a file: for each paragraph its fields, a list sorted into one string.
fn parsed_by_python(path: &PathBuf) -> Vec<Vec<(String, String)>> {
    let script = "\
import email.parser, json, re, sys
text = ''.join(line for line in open(sys.argv[1], newline='') if not line.startswith('#'))
parse = email.parser.HeaderParser().parsestr
paragraphs = [parse(part) for part in re.split(r'\\n\\n+', text.strip('\\n'))]
json.dump([[[k, ' '.join(v.split())] for k, v in p.items()] for p in paragraphs], sys.stdout)";
    let run = Run::of(Command::new("python3").args(["-c", script]).arg(path)).exits_with(0);
    serde_json::from_str(&run.stdout).expect("JSON")
}

#[test]
fn a_foreign_parser_reads_in_our_files_what_we_have_written() {
    let published = Published::lines(&file("nats-2.12.15"));
    published.update(&["--add", "2.14.x", "--add", "2.14.x/windowsservercore-ltsc2025"]);
    let found = parsed_by_python(&published.repository.path("library"));
    let names = |index: usize| found[index].iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    assert_eq!(found.len(), 10);
    assert_eq!(names(0), ["Maintainers", "GitRepo", "GitFetch", "GitCommit"]);
    assert_eq!(names(4), ["Tags", "SharedTags", "Architectures", "Directory", "Constraints"]);
    assert_eq!(found[0][3].1, COMMIT);
    assert_eq!(found[4][3].1, "2.14.x/windowsservercore-ltsc2025");
    assert_eq!(found[4][4].1, "windowsservercore-ltsc2025");
    assert_eq!(found[6][0].1, "2.12.15-alpine3.21, 2.12-alpine3.21, 2.12.15-alpine, 2.12-alpine");
}
