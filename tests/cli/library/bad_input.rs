//! Files, commits and repositories with which nothing can be done, and many entries.

use std::fs;

use super::{COMMIT, Published, file, same_text};
use crate::support::{Repository, Run};

#[test]
fn a_commit_can_be_given_by_its_first_digits() {
    let published = Published::lines(&file("nats-2.14.4"));
    published
        .run(&["--commit", &published.head[..10]])
        .exits_with(0);
    same_text(
        &published.library(),
        &file("nats-2.14.5").replace(COMMIT, &published.head),
    );
    published.fails(
        &["--commit", "abcdef0"],
        &["no commit `abcdef0` in .", "all 40 digits"],
    );
    published.run(&["--commit", "main"]).exits_with(0);
}

#[test]
fn changes_that_are_not_committed_are_no_release() {
    let published = Published::right();
    published
        .repository
        .update(&["--base", "alpine=3.19"])
        .exits_with(0);
    published.fails(
        &[],
        &[
            "not committed",
            "0.25.6/alpine3.19/",
            "Commit them, name another commit",
            "--commit <SHA>",
        ],
    );
}

#[test]
fn without_a_repository_the_commit_must_be_said() {
    let repository = Repository::of_this_project();
    repository.write("library", file("nats-streaming-0.25.5"));
    let published = Published {
        repository,
        head: String::new(),
    };
    published.fails(&[], &[". is not a git repository", "--commit <SHA>"]);
    let run = published
        .run(&["--commit", "b58b5957ac6c7e2349e52a01ec61fb0afb376ac5"])
        .exits_with(0);
    assert!(
        run.stderr.contains("is not a git repository"),
        "{}",
        run.stderr
    );
    same_text(&published.library(), &file("nats-streaming-0.25.6"));
    let run = published.run(&["--check"]).exits_with(0);
    assert!(
        run.stderr.contains("compared with the working tree"),
        "{}",
        run.stderr
    );
}

#[test]
fn without_git_the_commit_must_be_said() {
    let published = Published::right();
    let mut command = published.command(&[]);
    Run::of(command.env("PATH", "/nowhere"))
        .fails_with(&["git is not installed", "--commit <SHA>"]);
}

#[test]
fn bad_input_is_named_by_its_line_and_left_alone() {
    let right = file("nats-streaming-0.25.5");
    let (global, entries) = right.split_once("\n\n").expect("a first paragraph");
    for (text, part) in [
        (String::new(), "line 1: has no field"),
        (
            right.replace("GitFetch: refs", "GitRepo: https://x\nGitFetch: refs"),
            "line 4: a second `GitRepo`",
        ),
        (
            format!("{global}\n\n{global}\n\n{entries}"),
            "line 7: the entry has no Tags",
        ),
        (
            right.replace("\n\nTags: 0.25.5-alpine3.18", "\nTags: 0.25.5-alpine3.18"),
            "cannot have Tags",
        ),
        (
            right.replace("Tags: 0.25.5-scratch", "Tags 0.25.5-scratch"),
            "line 11: found a line that is no field",
        ),
        (
            right.replace("\nTags: 0.25.5-scratch", "\n\n Tags: 0.25.5-scratch"),
            "line 12: a line that begins with a space",
        ),
        (
            format!("\u{feff}{right}"),
            "line 1: found a line that is no field",
        ),
    ] {
        let published = Published::of(Repository::of_this_project(), &text);
        published.fails(&["--commit", COMMIT], &["rules of its format", part]);
    }
    let published = Published::right();
    let latin = right
        .replace("Phil", "Ph\u{ef}l")
        .chars()
        .map(|c| u8::try_from(u32::from(c)).expect("Latin-1"))
        .collect::<Vec<u8>>();
    published.repository.write("library", latin);
    published.fails(&["--commit", COMMIT], &["library: line 2: is not UTF-8"]);
    published.finds(&["library:2:16: format: is not UTF-8"]);
    published.repository.write("library", file("nats-2.14.5"));
    published.fails(
        &["--commit", COMMIT],
        &["no entry is for an image of", "-C <DIR>"],
    );
    published
        .repository
        .write("library", file("nats-streaming-0.25.6"));
    published.fails(
        &["--add", "1.2.x"],
        &[
            "no `1.2.x` in",
            "expected one of 0.25.6, or a variant of one, such as 0.25.6/",
        ],
    );
    published.repository.remove("library");
    fs::create_dir(published.repository.path("library")).expect("a folder");
    published.fails(
        &[],
        &["library is a folder: expected a library file, such as library/nats-streaming"],
    );
}

#[test]
fn what_breaks_a_rule_elsewhere_is_listed_and_stops_nothing() {
    let right = file("nats-streaming-0.25.5");
    for (old, new, finding) in [
        (
            "0.25-linux, linux",
            "0.25-linux,, linux",
            "Tags: an empty item: remove a comma",
        ),
        (
            "arm32v6",
            "arm6",
            "`arm6` is not an architecture of the official images",
        ),
    ] {
        let text = right.replacen(old, new, 1);
        assert!(text != right, "{old}");
        let published = Published::of(Repository::of_this_project(), &text);
        let run = published.run(&["--commit", COMMIT]).exits_with(0);
        let (_, remaining) = run
            .stdout
            .split_once("Remaining findings")
            .expect("findings");
        assert!(
            remaining.contains(finding),
            "wanted {finding} in {remaining}"
        );
    }
    // What is written anew may have been anything.
    for commit in ["TODO", "D8DD9E2F"] {
        let text = right.replace("d8dd9e2f5f7943f6a4d08de304f2bce513cc6735", commit);
        let published = Published::of(Repository::of_this_project(), &text);
        published.run(&["--commit", COMMIT]).exits_with(0);
        let expected = file("nats-streaming-0.25.6");
        let expected = expected.replace("b58b5957ac6c7e2349e52a01ec61fb0afb376ac5", COMMIT);
        same_text(&published.library(), &expected);
    }
}

#[test]
fn many_commas_and_entries_that_are_gone_are_no_trouble() {
    let right = file("nats-streaming-0.25.5");
    let commas = right.replace(
        "0.25-linux, linux",
        &format!("0.25-linux{} linux", ",".repeat(20_000)),
    );
    let gone: String = (0..5_000)
        .map(|n| format!("\nTags: 0.9.{n}-alpine3.18\nDirectory: 0.9.{n}/alpine3.18\n"))
        .collect();
    for text in [commas, right + &gone] {
        let published = Published::of(Repository::of_this_project(), &text);
        published.run(&["--commit", COMMIT, "-q"]).exits_with(0);
        published.run(&["--check", "-q"]).exits_with(1);
    }
}

#[test]
fn ten_thousand_entries_are_no_trouble() {
    let (head, entry) = (
        "{HEAD}",
        "Tags: 0.25.5-x{N}\nDirectory: 0.25.5/alpine3.18\n",
    );
    let entries: Vec<String> = (0..10_000)
        .map(|number| entry.replace("{N}", &number.to_string()))
        .collect();
    let global =
        file("nats-streaming-0.25.5").replace("d8dd9e2f5f7943f6a4d08de304f2bce513cc6735", head);
    let (global, _) = global.split_once("\n\n").expect("a first paragraph");
    let published = Published::of(
        Repository::of_this_project(),
        &format!("{global}\n\n{}", entries.join("\n")),
    );
    published.run(&["--quiet"]).exits_with(0);
    assert_eq!(
        published.library().matches("\nTags: 0.25.6-x").count(),
        10_000
    );
}

#[test]
fn a_field_in_other_letters_is_refused() {
    let published = Published::right();
    published
        .repository
        .edit("library", "Constraints:", "ConstraintS:");
    published.fails(
        &["--commit", COMMIT],
        &["line 20: `ConstraintS` is not a field of the format"],
    );
}
