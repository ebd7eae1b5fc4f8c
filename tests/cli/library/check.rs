//! What `--check` finds.

use super::{COMMIT, Published, file, git};

#[test]
fn a_right_file_is_consistent() {
    let published = Published::right();
    published
        .run(&["--check"])
        .exits_with(0)
        .says("consistent: library (4 entries, 30 tags)\n");
}

#[test]
fn a_field_that_breaks_the_format_is_found() {
    let right = file("nats-streaming-0.25.6");
    let maintainers = &right[..right.find("GitRepo").expect("a field")];
    for (edits, expected) in [
        (
            vec![(maintainers, "")],
            "library:1:1: format: the first paragraph has no Maintainers",
        ),
        (
            vec![("GitFetch: refs/heads/main", "GitFetch: main")],
            "library:4:11: fetch: found `main`, expected refs/heads/",
        ),
        (
            vec![(
                "Architectures: windows-amd64\nDirectory: 0.25.6/nano",
                "Architectures: windows\nDirectory: 0.25.6/nano",
            )],
            "architecture: `windows` is no",
        ),
        (
            vec![(
                "SharedTags: 0.25.6, 0.25, latest",
                "SharedTags: 0.25.6, 0.25, latest-linux",
            )],
            "tag: `latest-linux`: `latest` cannot be part of another tag",
        ),
        (
            vec![(" 0.25-alpine3.18,", " 0.25/alpine3.18,")],
            "library:7:26: tag: found `0.25/alpine3.18`",
        ),
        (
            vec![("GitRepo", "GitRep")],
            "format: `GitRep` is not a field",
        ),
    ] {
        let published = Published::right();
        for (old, new) in edits {
            published.repository.edit("library", old, new);
        }
        let run = published.run(&["--check"]).exits_with(1);
        assert!(
            run.stdout.contains(expected),
            "wanted {expected} in {}",
            run.stdout
        );
    }
}

#[test]
fn tags_are_of_one_entry_and_shared_ones_of_one_for_each_architecture() {
    Published::with(
        &[(
            "Tags: 0.25.6-scratch, 0.25-scratch, scratch,",
            "Tags: 0.25.6-scratch, 0.25-scratch, scratch, alpine,",
        )],
        &[
            "library:11:46: tag: `alpine` is a tag of another entry already, in line 7",
            "library:11:46: variant: found alpine: `alpine` is not a name of 0.25.6/scratch",
        ],
    );
    Published::with(
        &[(
            "Directory: 0.25.6/alpine3.18",
            "SharedTags: latest\nDirectory: 0.25.6/alpine3.18",
        )],
        &["library:13:27: tag: `latest` already belongs to another entry for amd64, in line 9"],
    );
    Published::with(
        &[(
            "0.25.6-linux, 0.25-linux, linux",
            "0.25.6-linux, 0.25-linux, linux, 0.25",
        )],
        &[
            "library:12:21: tag: `0.25` is shared here, and an entry's own tag in line 11",
            "library:23:69: tag: `0.25` is shared",
        ],
    );
}

#[test]
fn entries_are_compared_with_the_tree_at_their_commit() {
    Published::with(
        &[("0.25.6-alpine,", "0.25.5-alpine,")],
        &["library:7:55: version: found 0.25.5-alpine, expected 0.25.6-alpine"],
    );
    Published::with(
        &[("0.25-linux", "0.24-linux")],
        &["version: found 0.24-linux, expected 0.25-linux"],
    );
    Published::with(
        &[(
            "0.25.6-windowsservercore-1809,",
            "0.25.6-windowsservercore1809,",
        )],
        &["variant: found 0.25.6-windowsservercore1809, expected 0.25.6-windowsservercore-1809"],
    );
    Published::with(
        &[(", 0.25-windowsservercore-1809", ", 0.25-servercore-1809")],
        &["variant: found 0.25-servercore-1809, expected 0.25-windowsservercore-1809"],
    );
    Published::with(
        &[(
            "SharedTags: 0.25.6-windowsservercore,",
            "SharedTags: 0.25.6-servercore,",
        )],
        &["variant: found 0.25.6-servercore, expected 0.25.6-windowsservercore"],
    );
    Published::with(
        &[("Directory: 0.25.6/scratch", "Directory: 0.25.6/scrach")],
        &["library:14:12: directory: `0.25.6/scrach` is not in the tree at "],
    );
    Published::with(
        &[(
            "Constraints: nanoserver-1809, windowsservercore-1809",
            "Constraints: nanoserver-1809",
        )],
        &[
            "library:26:14: constraint: Constraints: missing windowsservercore-1809, which 0.25.6/nanoserver-1809 needs",
        ],
    );
    Published::with(
        &[(
            "Constraints: windowsservercore-1809",
            "Constraints: windowsservercore-ltsc2022",
        )],
        &[
            "library:20:14: constraint: found windowsservercore-ltsc2022, expected windowsservercore-1809",
        ],
    );
}

#[test]
fn the_tree_that_counts_is_the_one_at_the_commit() {
    let mut published = Published::right();
    published
        .repository
        .update(&["--base", "alpine=3.19"])
        .exits_with(0);
    published.finds(&[]);
    published.commit();
    let run = published.run(&["--check"]).exits_with(0);
    let behind = "behind HEAD: 0.25.6/alpine3.18 → alpine3.19";
    assert!(run.stdout.contains(behind), "{}", run.stdout);
    let args = ["status", "--offline", "--library", "library"];
    let status = published.repository.run(&args).exits_with(0);
    assert!(
        status.stdout.contains("1 entry outdated"),
        "{}",
        status.stdout
    );
    published
        .repository
        .edit("library", "alpine3.18", "alpine3.19");
    let run = published.run(&["--check"]).exits_with(1);
    assert!(
        run.stdout
            .contains("found 0.25.6-alpine3.19, expected 0.25.6-alpine3.18"),
        "{}",
        run.stdout
    );
}

#[test]
fn what_is_copied_from_comes_first() {
    let published = Published::right();
    let text = published.library();
    let mut entries: Vec<&str> = text.trim_end().split("\n\n").collect();
    entries.swap(1, 2);
    published.repository.write("library", entries.join("\n\n"));
    published.finds(&["library:7:1: order: 0.25.6/scratch copies from 0.25.6-alpine3.18, but no entry above has that tag"]);
}

#[test]
fn only_the_newest_series_is_latest() {
    let published = Published::lines(&file("nats-2.14.5").replace(COMMIT, "{HEAD}"));
    published.finds(&[]);
    published.repository.edit(
        "library",
        "SharedTags: 2.14.5, 2.14, 2, latest",
        "SharedTags: 2.14.5, 2.14, 2",
    );
    published.repository.edit(
        "library",
        "SharedTags: 2.12.15, 2.12\n",
        "SharedTags: 2.12.15, 2.12, latest\n",
    );
    published.finds(&[
        "library:11:13: latest: SharedTags: missing latest, which 2.14.x/scratch needs",
        "library:32:28: latest: found latest, which belongs to the newest series: another entry is at 2.14.5, this at 2.12.15",
    ]);
}

#[test]
fn more_mistakes_are_found() {
    Published::with(
        &[(
            "Directory: 0.25.6/scratch",
            "Directory: 0.25.6/scratch\narm32v7-Directory: 0.25.5/scratch",
        )],
        &["library:15:20: directory: found 0.25.5/scratch, expected 0.25.6/scratch"],
    );
    Published::with(
        &[(
            "Directory: 0.25.6/alpine3.18",
            "Directory: 0.25.6/alpine3.18\nConstraints: windowsservercore-1809",
        )],
        &[
            "library:10:14: constraint: Constraints: windowsservercore-1809 does not belong to 0.25.6/alpine3.18",
        ],
    );
    Published::with(
        &[(" 0.25.6-linux,", "")],
        &["alias: missing the tag 0.25.6-linux: other images of 0.25.6 have one of that kind"],
    );
    Published::with(
        &[(" 0.25.6-linux,", " 0.25.6-linux, 0-linux,")],
        &["version: found 0-linux: a tag of the major version alone"],
    );
    Published::with(
        &[("\n\nTags: 0.25.6-scratch", "\n  \nTags: 0.25.6-scratch")],
        &["library:10:1: format: a line of spaces"],
    );
}

#[test]
fn a_tag_that_other_images_have_and_architectures_of_another_system_are_found() {
    Published::with(
        &[(", latest\nArchitectures: amd64", "\nArchitectures: amd64")],
        &[
            "library:11:7: alias: missing the tag latest: other images of 0.25.6 have one of that kind",
        ],
    );
    Published::with(
        &[
            (
                "arm64v8\nDirectory: 0.25.6/scratch",
                "arm64v8, s390x\nDirectory: 0.25.6/scratch",
            ),
            (
                "windows-amd64\nDirectory: 0.25.6/windowsservercore-1809",
                "amd64\nDirectory: 0.25.6/windowsservercore-1809",
            ),
        ],
        &[
            "library:13:50: architecture: found s390x, but 0.25.6-alpine3.18, from which 0.25.6/scratch copies, is not for s390x",
            "library:18:16: architecture: found amd64, expected windows-amd64: 0.25.6/windowsservercore-1809 is for Windows",
            "library:24:16: architecture: found windows-amd64, but 0.25.6-windowsservercore-1809, from which 0.25.6/nanoserver-1809 copies, is not for windows-amd64",
        ],
    );
    Published::with(
        &[("GitFetch: refs/heads/main", "GitFetch:")],
        &["library:4:10: format: GitFetch has no value"],
    );
}

#[test]
fn a_branch_that_the_remote_does_not_have_is_found() {
    let published = Published::right();
    let root = published.repository.root();
    git(
        root,
        &["remote", "add", "origin", "https://example.com/x.git"],
    );
    git(root, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    published.finds(&[]);
    published
        .repository
        .edit("library", "GitFetch: refs/heads/main\n", "");
    published.finds(&["library:4:12: commit: origin has no branch refs/heads/master, from which Docker fetches the commit"]);
}

#[test]
fn of_a_branch_that_no_remote_tells_of_nothing_is_said_for_sure() {
    let published = Published::right();
    let (main, other) = ("GitFetch: refs/heads/main", "GitFetch: refs/heads/other");
    published.repository.edit("library", main, other);
    let run = published.run(&["--check"]).exits_with(0);
    let head = &published.head;
    let warning = format!(
        "warning: this clone does not know refs/heads/other, from which Docker fetches: check that {head} is pushed there"
    );
    assert!(run.stderr.contains(&warning), "{}", run.stderr);
}

#[test]
fn findings_come_in_every_format() {
    let published = Published::right();
    published
        .repository
        .edit("library", "0.25.6-alpine,", "0.25.5-alpine,");
    let run = published
        .run(&["--check", "--format", "github"])
        .exits_with(1);
    assert!(
        run.stdout.starts_with("::error file=library,line=7,col=55,title=version::found 0.25.5-alpine, expected 0.25.6-alpine\n"),
        "{}",
        run.stdout
    );
    let run = published
        .run(&["--check", "--format", "json"])
        .exits_with(1);
    let found: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(found["findings"][0]["expected"], "0.25.6-alpine");
    let run = published
        .run(&["--check", "--format", "markdown"])
        .exits_with(1);
    assert!(
        run.stdout.contains("| `library:7` | version |"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_commit_that_nobody_can_fetch_is_found() {
    let published = Published::right();
    let head = published.head.clone();
    published.repository.edit("library", &head, COMMIT);
    published.finds(&[&format!(
        "library:5:12: commit: found {COMMIT}, which is not in this repository: run `git fetch`"
    )]);
    published.repository.edit("library", COMMIT, &head);
    // Nor is that of one architecture, and no image is built from elsewhere.
    let before = published.library();
    for (field, finding) in [
        (
            format!("amd64-GitCommit: {COMMIT}"),
            format!("18: commit: found {COMMIT}, which is not in this repository"),
        ),
        (
            "GitRepo: https://git.example/x.git".to_owned(),
            "10: repository: found https://git.example/x.git, expected https://github.com/"
                .to_owned(),
        ),
    ] {
        let entry = format!("\nDirectory: {}", "0.25.6/scratch");
        published
            .repository
            .edit("library", &entry, &format!("\n{field}{entry}"));
        let run = published.run(&["--check"]).exits_with(1);
        assert!(run.stdout.contains(&finding), "{}", run.stdout);
        published.repository.write("library", &before);
    }
    // Another branch is not what is fetched.
    git(
        published.repository.root(),
        &["switch", "--quiet", "--orphan", "other"],
    );
    git(
        published.repository.root(),
        &["commit", "--quiet", "--allow-empty", "--message=Nothing"],
    );
    git(
        published.repository.root(),
        &["branch", "--quiet", "--force", "main", "other"],
    );
    git(published.repository.root(), &["checkout", "--quiet", &head]);
    published.finds(&[&format!(
        "library:5:12: commit: {head} is not in main, so Docker, which fetches refs/heads/main, cannot find it"
    )]);
    let run = published.run(&["--commit", &head]).exits_with(0);
    assert!(
        run.stderr
            .contains("is not in main, so Docker, which fetches refs/heads/main, cannot find it: push or merge it"),
        "{}",
        run.stderr
    );
}
