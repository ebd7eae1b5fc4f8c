//! The file before and after an update.

use std::path::PathBuf;
use std::process::Command;

use super::{COMMIT, Published, file, git, same_text};
use crate::support::{Repository, Run, same, tree};

#[test]
fn the_file_of_a_release_becomes_that_of_the_next() {
    let published = Published::of(
        Repository::of_this_project(),
        &file("nats-streaming-0.25.5"),
    );
    let run = published
        .run(&["--commit", "b58b5957ac6c7e2349e52a01ec61fb0afb376ac5"])
        .exits_with(0);
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

the first paragraph and 4 entries rewritten

Next steps:
Push the commit of nats-streaming that the file names, unless it is pushed already. Then:
  update library library --check
  git add -- library
  git commit -m 'Update nats-streaming to 0.25.6' -- library
Then push the commit of the library file, and open a pull request in official-images.
",
    );
    let again = published
        .run(&["--commit", "b58b5957ac6c7e2349e52a01ec61fb0afb376ac5"])
        .exits_with(0);
    assert_eq!(again.stdout, "library is up to date: nothing to change\n");
}

#[test]
fn each_entry_belongs_to_the_series_of_its_directory() {
    let published = Published::lines(&file("nats-2.14.4"));
    same_text(&published.update(&[]), &file("nats-2.14.5"));
}

#[test]
fn the_headline_names_the_versions_that_entries_move_to() {
    let old = file("nats-2.14.5").replace("2.14.5", "2.14.4");
    let run = Published::lines(&old).run(&[]).exits_with(0);
    // Of the other series nothing but the commit changes.
    let headline = "library → 2.14.5\n";
    assert!(run.stdout.starts_with(headline), "{}", run.stdout);
}

#[test]
fn a_comma_too_many_is_no_tag() {
    let right = file("nats-2.14.5");
    let (head, _) = right.split_once("\n\n").expect("a first paragraph");
    let file = |scratch: &str, alpine: &str| {
        format!(
            "{head}\n\nTags: 2.14.5-scratch, 2.14-scratch,{scratch}\nDirectory: 2.14.x/scratch\n\n\
             Tags: 2.12.15-alpine3.21, 2.12-alpine3.21{alpine}\nDirectory: 2.12.x/alpine3.21\n"
        )
    };
    let published = Published::lines(&file("", ", 2-alpine3.21, alpine3.21"));
    let expected = file(" 2-scratch, scratch", "");
    same_text(&published.update(&[]), &expected);
    same_text(&published.update(&[]), &expected);
}

#[test]
fn what_is_no_tag_and_no_condition_of_the_image_is_not_written_on() {
    let right = file("nats-2.14.5");
    for (old, typo) in [
        ("2.12.15, 2.12\n", "2.12.15, 2.12x\n"),
        (
            "2.12.15-scratch, 2.12-scratch,",
            "2.12.15-scratch 2.12-scratch,",
        ),
        (
            " 2.12.15-alpine, 2.12-alpine",
            " .12.15-alpine, 2.12-alpine",
        ),
    ] {
        let typo = right.replacen(old, typo, 1);
        let published = Published::lines(&typo);
        same_text(&published.update(&[]), &typo);
        published.run(&["--check"]).exits_with(1);
    }
    let condition = "Constraints: nanoserver-ltsc2022, windowsservercore-ltsc2022\n";
    assert!(right.contains(condition));
    for typo in [
        "Constraints: nanoserver-ltsc2022, indowsservercore-ltsc2022\n",
        "Constraints: NanoServer-ltsc2022, windowsservercore-ltsc2022\n",
        "Constraints: nanoserver-ltsc2022 windowsservercore-ltsc2022\n",
    ] {
        let published = Published::lines(&right.replacen(condition, typo, 1));
        same_text(&published.update(&[]), &right);
    }
    let other = right.replacen(condition, &condition.replace('\n', ", !aufs\n"), 1);
    same_text(&Published::lines(&other).update(&[]), &other);
    // An empty item is no place for a host.
    let typo = right.replacen(condition, "Constraints: nanoserver-0576, , !aufs\n", 1);
    same_text(&Published::lines(&typo).update(&[]), &other);
}

#[test]
fn a_file_of_nothing_but_a_pre_release_gets_what_releases_have() {
    let first = "Tags: 2.14.0-RC.3-alpine3.22, 2.14.0-RC.3-alpine\nDirectory: 2.14.x/alpine3.22\n";
    let right = file("nats-2.14.5");
    let (head, _) = right.split_once("\n\n").expect("a first paragraph");
    let published = Published::lines(&format!("{head}\n\n{first}"));
    let found = published.update(&[]);
    let expected = "Tags: 2.14.5-alpine3.22, 2.14-alpine3.22, 2-alpine3.22, alpine3.22, 2.14.5-alpine, 2.14-alpine, 2-alpine, alpine\n";
    assert!(found.contains(expected), "{found}");
}

#[test]
fn the_commit_is_the_one_that_is_checked_out() {
    let published = Published::lines(&file("nats-2.14.4"));
    published.run(&[]).exits_with(0);
    same_text(
        &published.library(),
        &file("nats-2.14.5").replace(COMMIT, &published.head),
    );
    published.finds(&[]);
}

#[test]
fn a_new_series_comes_first_and_takes_over_what_is_the_newest_ones() {
    let published = Published::lines(&file("nats-2.12.15"));
    same_text(
        &published.update(&["--add", "2.14.x"]),
        &file("nats-2.14.5"),
    );
    published.fails(
        &["--commit", COMMIT, "--add", "2.14.x"],
        &["offers 2.14.x already"],
    );
}

#[test]
fn which_of_several_variants_takes_the_place_of_one_is_not_guessed() {
    let repository = Repository::of(&tree("series/after"));
    repository
        .run(&["--base", "windows-ltsc2022=ltsc2028"])
        .exits_with(0);
    let published = Published::of(repository, &file("nats-2.14.5"));
    published.fails(
        &["--commit", COMMIT],
        &[
            "2.14.x/windowsservercore-ltsc2022 is no longer in the tree, and may now be any of 2.14.x/windowsservercore-ltsc2025, \
             2.14.x/windowsservercore-ltsc2028: write the right one into its Directory",
        ],
    );
}

#[test]
fn a_new_major_leaves_the_old_one_its_number() {
    let repository = Repository::of(&tree("series/after"));
    repository.rename("2.14.x", "3.0.x");
    for path in [
        "alpine3.22",
        "windowsservercore-ltsc2022",
        "windowsservercore-ltsc2025",
    ] {
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
    assert!(
        found.contains("\nSharedTags: 2.12.15, 2.12, 2\n"),
        "{found}"
    );
}

#[test]
fn a_variant_is_added_like_its_sibling_and_in_build_order() {
    let published = Published::lines(&file("nats-2.14.5"));
    let found = published.update(&[
        "--add",
        "2.14.x/nanoserver-ltsc2025",
        "--add",
        "2.14.x/windowsservercore-ltsc2025",
    ]);
    let entries: Vec<String> = file("nats-2.14.5")
        .split("\n\n")
        .map(str::to_owned)
        .collect();
    let [server, nano] = [&entries[3], &entries[4]];
    let expected = file("nats-2.14.5")
        .replace(
            &**server,
            &format!("{server}\n\n{}", server.replace("ltsc2022", "ltsc2025")),
        )
        .replace(
            &**nano,
            &format!("{nano}\n\n{}", nano.replace("ltsc2022", "ltsc2025")),
        );
    same_text(&found, &expected);
}

#[test]
fn a_variant_whose_tags_are_all_another_entrys_is_not_added() {
    let text = file("nats-2.14.5");
    let own = ["2.14.5-", "2.14-", "2-", ""].map(|level| format!("{level}nanoserver-ltsc2025, "));
    let published =
        Published::lines(&text.replacen("Tags: ", &format!("Tags: {}", own.concat()), 1));
    published.fails(
        &["--commit", COMMIT, "--add", "2.14.x/nanoserver-ltsc2025"],
        &["every tag that 2.14.x/nanoserver-ltsc2025 could have is another entry's"],
    );
}

#[test]
fn what_the_tree_has_and_the_file_does_not_offer_is_only_said() {
    let published = Published::lines(&file("nats-2.12.15"));
    let run = published.run(&["--commit", COMMIT]).exits_with(0);
    same_text(&published.library(), &file("nats-2.12.15"));
    assert_eq!(
        run.stdout,
        "library is up to date: nothing to change\n\nIn the tree, and not offered:\n  2.14.x\nOffer one with `--add <DIRECTORY>`\n"
    );
}

#[test]
fn a_base_that_has_moved_takes_its_entry_along() {
    let mut published = Published::right();
    published
        .repository
        .run(&["--base", "alpine=3.19", "--base", "windows=ltsc2022"])
        .exits_with(0);
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
    assert!(
        run.stdout
            .contains("\nRemoved, since the tree no longer has them:\n  0.25.6/nanoserver-1809\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("\nthe first paragraph rewritten, 1 entry removed\n"),
        "{}",
        run.stdout
    );
    let old = file("nats-streaming-0.25.6")
        .replace("b58b5957ac6c7e2349e52a01ec61fb0afb376ac5", &published.head);
    let (kept, _) = old
        .split_once("\n\nTags: 0.25.6-nanoserver")
        .expect("the last entry");
    same_text(&published.library(), &format!("{kept}\n"));
}

#[test]
fn a_typo_in_a_folder_takes_no_entry_out() {
    let published = Published::right();
    published.repository.edit(
        "library",
        "Directory: 0.25.6/scratch",
        "Directory: 0.25.6/scrach",
    );
    published.fails(
        &[],
        &["0.25.6/scrach is not in the tree, which has 0.25.6/scratch: write the right one into its Directory, or remove the entry"],
    );
}

#[test]
fn a_tag_called_like_a_family_that_goes_is_put_right_in_the_same_run() {
    let text = file("nats-2.14.5");
    let entry = "\nTags: 2.14.5-old, old\nArchitectures: amd64\nDirectory: 2.14.x/old\n";
    let old = text.replacen("2.14.5-alpine,", "2.14.5-old-alpine,", 1) + entry;
    let published = Published::lines(&old);
    same_text(&published.update(&[]), &text);
}

#[test]
fn a_field_without_a_value_is_refused() {
    let published = Published::right();
    let text = published.library() + "GitCommit:\n";
    published.repository.write("library", &text);
    published.fails(
        &[],
        &["GitCommit has no value: write one, or remove the line"],
    );
}

#[test]
fn a_directory_in_the_first_paragraph_is_refused() {
    let streaming = Repository::of_this_project();
    let own = "Directory: 0.25.5/alpine3.18\n";
    let text = file("nats-streaming-0.25.5").replace(own, "");
    let commit = "GitCommit: d8dd9e2f5f7943f6a4d08de304f2bce513cc6735\n";
    let text = text.replace(commit, &format!("{commit}{own}"));
    assert!(text.contains(own));
    let published = Published::of(streaming, &text);
    let parts =
        ["line 6: the first paragraph is for what all entries share, and cannot have Directory"];
    published.fails(
        &["--commit", "b58b5957ac6c7e2349e52a01ec61fb0afb376ac5"],
        &parts,
    );
}

#[test]
fn an_old_base_goes_where_the_new_one_has_an_entry_already() {
    let published = Published::lines(&file("nats-2.14.5"));
    published.update(&[
        "--add",
        "2.14.x/windowsservercore-ltsc2025",
        "--add",
        "2.14.x/nanoserver-ltsc2025",
    ]);
    for variant in ["windowsservercore-ltsc2022", "nanoserver-ltsc2022"] {
        published.repository.remove(&format!("2.14.x/{variant}"));
    }
    let found = published.update(&[]);
    let old = file("nats-2.14.5");
    let (newer, older) = old
        .split_once("Tags: 2.12.15-alpine3.21")
        .expect("two lines");
    same_text(
        &found,
        &format!(
            "{}Tags: 2.12.15-alpine3.21{older}",
            newer.replace("ltsc2022", "ltsc2025")
        ),
    );
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
    published
        .repository
        .edit("library", "GitFetch: refs/heads/main\n", "");
    published
        .run(&["--fetch", "refs/heads/master"])
        .exits_with(0);
    assert!(
        !published.library().contains("GitFetch"),
        "the default is not said"
    );
    published.run(&["--fetch", "refs/heads/main"]).exits_with(0);
    let right = file("nats-streaming-0.25.6")
        .replace("b58b5957ac6c7e2349e52a01ec61fb0afb376ac5", &published.head);
    same_text(&published.library(), &right);
    published.run(&["--fetch", "refs/tags/v1"]).exits_with(0);
    same_text(
        &published.library(),
        &right.replace("refs/heads/main", "refs/tags/v1"),
    );
}

#[test]
fn a_dry_run_shows_the_diff_and_writes_nothing() {
    let published = Published::of(
        Repository::of_this_project(),
        &file("nats-streaming-0.25.5"),
    );
    let before = published.repository.snapshot();
    let run = published.run(&["--dry-run", "--diff"]).exits_with(0);
    assert!(
        run.stdout
            .contains("\n-Directory: 0.25.5/scratch\n+Directory: 0.25.6/scratch\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.ends_with("\nDry run: nothing was written.\n"),
        "{}",
        run.stdout
    );
    same(&published.repository.snapshot(), &before);
}

#[test]
fn programs_get_every_change_as_json() {
    let published = Published::lines(&file("nats-2.12.15"));
    let run = published
        .run(&["--add", "2.14.x", "--format", "json"])
        .exits_with(0);
    let update: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(update["path"], "library");
    assert_eq!(update["added"][1], "2.14.x/scratch");
    assert_eq!(
        update["not_offered"][0],
        "2.14.x/windowsservercore-ltsc2025"
    );
    assert_eq!(update["changes"][0]["entry"], "");
    assert_eq!(update["changes"][0]["field"], "GitCommit");
    assert_eq!(update["changes"][0]["expected"], published.head.as_str());
}

#[test]
fn a_version_that_is_no_release_yet_gets_no_stable_tag() {
    let repository = Repository::of(&tree("series/after"));
    for path in [
        "alpine3.22",
        "windowsservercore-ltsc2022",
        "windowsservercore-ltsc2025",
    ] {
        repository.edit(
            &format!("2.14.x/{path}/Dockerfile"),
            "2.14.5",
            "2.14.6-RC.1",
        );
    }
    for path in ["scratch", "nanoserver-ltsc2022", "nanoserver-ltsc2025"] {
        repository.edit(
            &format!("2.14.x/{path}/Dockerfile"),
            "2.14.5-",
            "2.14.6-RC.1-",
        );
    }
    let published = Published::of(repository, &file("nats-2.14.5"));
    published.fails(
        &[],
        &[
            "a pre-release would get stable tags",
            "2.14-alpine3.22",
            "Wait for the release",
        ],
    );
    // A series can be offered early, under its full version alone.
    published.repository.write("library", file("nats-2.12.15"));
    published.run(&["--add", "2.14.x"]).exits_with(0);
    let found = published.library();
    assert!(
        found.contains("\nTags: 2.14.6-RC.1-scratch, 2.14.6-RC.1-linux\nSharedTags: 2.14.6-RC.1\n"),
        "{found}"
    );
    assert!(
        found.contains("\nSharedTags: 2.12.15, 2.12, 2, latest\n"),
        "{found}"
    );
    published.finds(&[]);
}

#[test]
fn a_missing_file_is_explained() {
    let published = Published::right();
    published.repository.remove("library");
    published.fails(
        &[],
        &[
            "no file library",
            "library/nats-streaming",
            "docker-library/official-images",
        ],
    );
}

#[test]
fn a_series_is_added_once() {
    let published = Published::lines(&file("nats-2.14.5"));
    published.fails(
        &["--commit", COMMIT, "--add", "2.14.x"],
        &["offers 2.14.x already"],
    );
    // All of it: asked for once more.
    published
        .run(&["--commit", COMMIT, "--add", "2.12.x"])
        .exits_with(0);
}

#[test]
fn a_series_that_replaces_the_only_one_is_the_one_that_is_added() {
    let mut published = Published::lines(&file("nats-2.12.15"));
    published.repository.remove("2.12.x");
    published.commit();
    published
        .run(&["--add", "2.14.x", "--commit", &published.head])
        .exits_with(0);
    let old = file("nats-2.14.5");
    let (expected, _) = old.split_once("\n\nTags: 2.12.15").expect("two lines");
    same_text(
        &published.library(),
        &format!("{}\n", expected.replace(COMMIT, &published.head)),
    );
}

#[test]
fn an_old_series_that_is_gone_does_not_become_the_new_one() {
    let mut published = Published::lines(&file("nats-2.14.5"));
    published.repository.rename("2.12.x", "2.16.x");
    published
        .repository
        .edit("2.16.x/alpine3.21/Dockerfile", "2.12.15", "2.16.0");
    published.commit();
    let run = published.run(&[]).exits_with(0);
    assert!(
        run.stdout
            .contains("In the tree, and not offered:\n  2.14.x/windowsservercore-ltsc2025\n"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("\n  2.16.x\n"), "{}", run.stdout);
    let old = file("nats-2.14.5");
    let (newest, _) = old.split_once("\n\nTags: 2.12.15").expect("two lines");
    same_text(
        &published.library(),
        &format!("{}\n", newest.replace(COMMIT, &published.head)),
    );
}

#[test]
fn what_is_the_newest_series_own_goes_back_to_the_one_before() {
    let mut published = Published::lines(&file("nats-2.14.5"));
    published.repository.remove("2.14.x");
    published.commit();
    published.run(&[]).exits_with(0);
    let expected = file("nats-2.12.15").replace(COMMIT, &published.head);
    same_text(&published.library(), &expected);
    published.finds(&[]);
}

/// The tree of two series with the newest one at another version.
fn at(version: &str) -> Repository {
    let repository = Repository::of(&tree("series/after"));
    for path in [
        "alpine3.22",
        "windowsservercore-ltsc2022",
        "windowsservercore-ltsc2025",
    ] {
        repository.edit(&format!("2.14.x/{path}/Dockerfile"), "2.14.5", version);
    }
    for path in ["scratch", "nanoserver-ltsc2022", "nanoserver-ltsc2025"] {
        let path = format!("2.14.x/{path}/Dockerfile");
        repository.edit(&path, "2.14.5-", &format!("{version}-"));
    }
    repository
}

#[test]
fn a_pre_release_that_becomes_a_release_has_what_a_new_series_has() {
    let mut published = Published::of(at("2.14.0-RC.2"), &file("nats-2.12.15"));
    published.run(&["--add", "2.14.x"]).exits_with(0);
    assert!(
        published
            .library()
            .contains("\nTags: 2.14.0-RC.2-scratch, 2.14.0-RC.2-linux\n")
    );
    for (path, text) in crate::support::snapshot(&tree("series/after")) {
        published.repository.write(&path, text.1);
    }
    published.commit();
    published.run(&[]).exits_with(0);
    let expected = file("nats-2.14.5").replace(COMMIT, &published.head);
    same_text(&published.library(), &expected);
    published.finds(&[]);
}

#[test]
fn a_new_series_below_another_major_has_the_tags_of_its_own() {
    let repository = at("3.0.0");
    repository.rename("2.14.x", "3.0.x");
    let published = Published::of(repository, &file("nats-2.12.15"));
    published.update(&["--add", "3.0.x"]);
    for (path, text) in crate::support::snapshot(&tree("series/after")) {
        published.repository.write(&path, text.1);
    }
    let found = published.update(&["--add", "2.14.x"]);
    assert!(
        found.contains("\nTags: 2.14.5-alpine3.22, 2.14-alpine3.22, 2-alpine3.22, 2.14.5-alpine, 2.14-alpine, 2-alpine\n"),
        "{found}"
    );
    assert!(found.contains("\nSharedTags: 2.12.15, 2.12\n"), "{found}");
    assert!(
        found.contains("\nSharedTags: 3.0.0, 3.0, 3, latest\n"),
        "{found}"
    );
}

#[test]
fn two_releases_side_by_side_stay_so() {
    let published = Published::right();
    let text = published.library();
    // Pinned at its full version alone.
    let old = "\nTags: 0.25.5-alpine3.18\nArchitectures: amd64\nDirectory: 0.25.5/alpine3.18\n";
    let beside = format!("{}{old}", text);
    for (path, text) in crate::support::snapshot(&tree("own/0.25.6/alpine3.18")) {
        let text = String::from_utf8(text.1)
            .expect("text")
            .replace("0.25.6", "0.25.5");
        published
            .repository
            .write(&format!("0.25.5/alpine3.18/{path}"), text);
    }
    published.repository.write("library", &*beside);
    let head = published.head.clone();
    let found = published.update(&[]);
    same_text(&found, &beside.replace(&head, COMMIT));
}

#[test]
fn a_release_before_the_one_that_is_offered_is_history() {
    let published = Published::right();
    let older = "FROM alpine:3.18\nENV NATS_STREAMING_SERVER 0.25.5\n";
    published
        .repository
        .write("0.25.5/alpine3.18/Dockerfile", older);
    let run = published.run(&["--commit", COMMIT]).exits_with(0);
    assert!(!run.stdout.contains("not offered"), "{}", run.stdout);
}

#[test]
fn a_commit_of_its_own_follows_what_is_new_for_the_entry() {
    let mut published = Published::right();
    let old = published.head.clone();
    published.repository.edit(
        "library",
        "Directory: 0.25.6/",
        &format!("GitCommit: {old}\nDirectory: 0.25.6/"),
    );
    published
        .repository
        .edit("0.25.6/scratch/Dockerfile", "# An empty", "# A quite empty");
    published.repository.run(&["check"]);
    published.commit();
    published.run(&[]).exits_with(0);
    let found = published.library();
    assert_eq!(
        found
            .matches(&format!("GitCommit: {old}\nDirectory"))
            .count(),
        3,
        "{found}"
    );
    assert!(
        found.contains(&format!(
            "GitCommit: {}\nDirectory: 0.25.6/scratch",
            published.head
        )),
        "{found}"
    );
    // Also where no commit is said for all, and for one architecture alone.
    let first = format!("GitCommit: {}\n\nTags", published.head);
    published.repository.edit("library", &first, "\nTags");
    published.repository.edit(
        "library",
        "Directory: 0.25.6/scratch",
        &format!("arm64v8-GitCommit: {old}\nDirectory: 0.25.6/scratch"),
    );
    let found = published.library();
    published
        .repository
        .write("README.md", "# Nothing in a folder");
    published.commit();
    published.run(&[]).exits_with(0);
    let (before, now) = (format!("arm64v8-GitCommit: {old}"), &published.head);
    let moved = found.replace(&before, &format!("arm64v8-GitCommit: {now}"));
    let scratch = format!(
        "GitCommit: {}\narm64v8",
        git(published.repository.root(), &["rev-parse", "HEAD~"])
    );
    let moved = moved.replace(&scratch, &format!("GitCommit: {now}\narm64v8"));
    same_text(&published.library(), &moved);
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
    published.update(&[
        "--add",
        "2.14.x",
        "--add",
        "2.14.x/windowsservercore-ltsc2025",
    ]);
    let found = parsed_by_python(&published.repository.path("library"));
    let names = |index: usize| {
        found[index]
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(found.len(), 10);
    assert_eq!(
        names(0),
        ["Maintainers", "GitRepo", "GitFetch", "GitCommit"]
    );
    assert_eq!(
        names(4),
        [
            "Tags",
            "SharedTags",
            "Architectures",
            "Directory",
            "Constraints"
        ]
    );
    assert_eq!(found[0][3].1, COMMIT);
    assert_eq!(found[4][3].1, "2.14.x/windowsservercore-ltsc2025");
    assert_eq!(found[4][4].1, "windowsservercore-ltsc2025");
    assert_eq!(
        found[6][0].1,
        "2.12.15-alpine3.21, 2.12-alpine3.21, 2.12.15-alpine, 2.12-alpine"
    );
}
