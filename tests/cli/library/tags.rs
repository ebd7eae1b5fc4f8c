//! Tags that would be lost, entries that would be, and what an update fixes besides.

use super::{COMMIT, Published, file, same_text};

/// The file with an entry for a second alpine of 2.14.x, which has no tag of the family, and the tree with that variant.
fn with_two_alpines() -> (Published, String) {
    let right = file("nats-2.14.5");
    let entry = "Tags: 2.14.5-alpine3.23, 2.14-alpine3.23, 2-alpine3.23, alpine3.23
Architectures: arm32v6, arm32v7, arm64v8, amd64, ppc64le, s390x
Directory: 2.14.x/alpine3.23

";
    let library = right.replacen(
        "Tags: 2.14.5-scratch",
        &format!("{entry}Tags: 2.14.5-scratch"),
        1,
    );
    let mut published = Published::lines(&library);
    let args = ["--add", "2.14.x/alpine3.23"];
    published.repository.run(&args).exits_with(0);
    published.commit();
    (published, right)
}

#[test]
fn the_tags_of_a_family_go_to_the_variant_that_takes_the_place_of_another() {
    let (mut published, right) = with_two_alpines();
    let args = ["--remove", "2.14.x/alpine3.22"];
    published.repository.run(&args).exits_with(0);
    published.commit();
    let run = published.run(&[]).exits_with(0);
    assert!(
        run.stdout
            .contains("\nRemoved, since the tree no longer has them:\n  2.14.x/alpine3.22\n"),
        "{}",
        run.stdout
    );
    let expected = right.replace("3.22", "3.23");
    same_text(
        &published.library(),
        &expected.replace(COMMIT, &published.head),
    );
}

#[test]
fn tags_that_nothing_has_any_more_are_named() {
    let mut published = Published::lines(&file("nats-2.14.5"));
    published.repository.remove("2.14.x/scratch");
    published.commit();
    let run = published.run(&[]).exits_with(0);
    let lost = "warning: nothing has these tags any more, for all or some architectures: 2.14.5-linux, 2.14-linux, 2-linux, \
                linux, 2.14.5, 2.14, 2, latest; add them to other entries if they are to stay\n";
    assert!(run.stderr.contains(lost), "{}", run.stderr);
}

#[test]
fn a_version_directory_that_was_removed_is_a_change_that_is_not_committed() {
    let published = Published::lines(&file("nats-2.14.5"));
    published.repository.remove("2.14.x");
    published.fails(&[], &["these changes are not committed: 2.14.x/"]);
    let run = published.run(&["-n", "--exit-code"]).exits_with(1);
    assert!(
        run.stderr.contains(
            "warning: planned from the working tree, with changes that are not committed: 2.14.x/"
        ),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout.contains("\n  2.14.x/scratch\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn an_entry_with_the_tags_of_a_variant_that_is_there_is_not_taken_out() {
    let right = file("nats-2.14.5");
    let typo = right.replacen(
        "Directory: 2.14.x/alpine3.22",
        "Directory: 2.12.x/alpine3.22",
        1,
    );
    let published = Published::lines(&typo);
    published.fails(
        &[],
        &["2.12.x/alpine3.22 is not in the tree, and the tags of its entry are those of 2.14.x/alpine3.22: write the right one into its Directory, or remove the entry"],
    );
}

#[test]
fn what_was_wrong_before_is_told_apart_from_what_was_asked() {
    let right = file("nats-2.14.5");
    let wrong = right.replace("2.14.5", "2.14.4");
    let wrong = wrong.replace("2.12.15-scratch,", "2.12.15-scratch, 2.12.15-scratch,");
    let wrong = wrong.replace("2.12.15, 2.12\nArch", "2.12.15, 2.12, latest\nArch");
    let hosts = "Constraints: nanoserver-ltsc2022, windowsservercore-ltsc2022";
    let wrong = wrong.replacen(hosts, "Constraints: nanoserver-ltsc2022", 1);
    let published = Published::lines(&wrong);
    let run = published.run(&[]).exits_with(0);
    same_text(
        &published.library(),
        &right.replace(COMMIT, &published.head),
    );
    let (head, fixed) = run.stdout.split_once("\n\n").expect("a headline");
    assert_eq!(head, "library → 2.14.5");
    let (asked, fixed) = fixed
        .split_once("Also fixed, since it was wrong before:\n")
        .expect("what was fixed");
    assert!(
        !asked.contains("latest") && !asked.contains("Constraints"),
        "{asked}"
    );
    let (fixed, _) = fixed.split_once("\n\n").expect("counts");
    assert_eq!(
        fixed,
        "  2.14.x/nanoserver-ltsc2022: Constraints: windowsservercore-ltsc2022 added
  2.12.x/scratch: Tags: 2.12.15-scratch removed
  2.12.x/scratch: SharedTags: latest removed
  2.12.x/nanoserver-ltsc2022: SharedTags: latest removed"
    );
}

#[test]
fn what_is_another_series_now_was_not_wrong_before() {
    let right = file("nats-2.14.5");
    let mut published = Published::lines(&right);
    published.repository.remove("2.14.x");
    published.commit();
    let run = published.run(&[]).exits_with(0);
    assert!(run.stdout.contains("latest  new"), "{run:?}");
    assert!(!run.stdout.contains("Also fixed"), "{run:?}");
}
