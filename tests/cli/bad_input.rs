//! Bad input: a clear error and an untouched tree, or the right handling.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::os::unix::process::CommandExt;

use crate::support::{Repository, program, releases, same, snapshot, tree};

/// The user that nothing belongs to.
const NOBODY: u32 = 65534;

fn streaming() -> Repository {
    Repository::of(&tree("streaming/before"))
}

/// The published sums of 0.25.6.
fn sums() -> String {
    fs::read_to_string(releases().join("v0.25.6/SHA256SUMS")).expect("sums")
}

/// A repository with those sums for 0.25.6 in its folder `releases`.
fn with_sums(sums: impl AsRef<[u8]>) -> Repository {
    let repository = streaming();
    repository.write("releases/v0.25.6/SHA256SUMS", sums);
    repository
}

#[track_caller]
fn refuses(repository: &Repository, parts: &[&str]) {
    let before = repository.snapshot();
    repository
        .run(&["--from", "releases", "0.25.6"])
        .fails_with(parts);
    same(&repository.snapshot(), &before);
}

#[track_caller]
fn accepts(repository: &Repository) {
    repository
        .run(&["--from", "releases", "0.25.6"])
        .exits_with(0);
    repository.remove("releases");
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn what_is_no_version_is_refused() {
    for bad in [
        "0.25",
        "latest.1",
        "../../etc",
        "",
        "0.25.6/..",
        "0.25.6+build",
        "check.1",
    ] {
        let said = "expected MAJOR.MINOR.PATCH, such as 0.25.6";
        streaming().update_fails(&[bad], &["invalid value", said]);
    }
}

#[test]
fn a_version_without_a_release_names_the_newest_one() {
    streaming().update_fails(
        &["0.25.9"],
        &[
            "no release 0.25.9: ",
            "v0.25.9/SHA256SUMS is not there; the newest release of 0.25.x there is v0.25.6",
        ],
    );
}

#[test]
fn releases_that_are_nowhere_are_refused() {
    streaming().update_fails(
        &["0.25.6", "--from", "nowhere"],
        &["cannot be used multiple times"],
    );
    let repository = streaming();
    repository
        .run(&["--from", "nowhere", "0.25.6"])
        .fails_with(&["cannot fetch from nowhere: there is no such folder"]);
    repository
        .run(&["--from", "ftp://x/y", "0.25.6"])
        .fails_with(&["cannot fetch from ftp://x/y: expected an http or https address"]);
    same(&repository.snapshot(), &snapshot(&tree("streaming/before")));
}

#[test]
fn sums_that_are_none_are_refused() {
    refuses(
        &with_sums(""),
        &[
            "releases/v0.25.6/SHA256SUMS",
            "no hash in it: the file is empty",
        ],
    );
    refuses(
        &with_sums(&sums()[..30]),
        &["line 1: expected `<hash>  <name>`, found `796d25d9411e42c7f183950ad109b1`"],
    );
    refuses(
        &with_sums("<!DOCTYPE html>\n<html>Log in</html>\n"),
        &["is a web page, not the checksums of a release"],
    );
    refuses(
        &with_sums(sums().replacen('7', "", 1)),
        &["line 1: ", "is not a SHA-256: expected 64 hex digits"],
    );
    refuses(
        &with_sums(sums() + &sums().replace("796d", "897e")),
        &["line 7: a second hash for nats-streaming-server-v0.25.6-linux-386.tar.gz"],
    );
    refuses(
        &with_sums(vec![b'a'; 600_000]),
        &["600000 bytes, more than the 524288 that such a file can have"],
    );
    refuses(
        &with_sums(b"\xff\xfe\n"),
        &["is UTF-16, as PowerShell's `>` writes it"],
    );
    let repository = streaming();
    fs::create_dir_all(repository.path("releases/v0.25.6/SHA256SUMS")).expect("a folder");
    refuses(&repository, &["neither a file nor a folder: remove it"]);
}

#[test]
fn sums_in_every_form_are_read() {
    accepts(&with_sums(sums().replace('\n', "\r\n")));
    accepts(&with_sums(sums().replace("  ", " *")));
    accepts(&with_sums(
        sums()
            .to_uppercase()
            .replace("NATS-STREAMING-SERVER-V", "nats-streaming-server-v")
            .replace("LINUX", "linux")
            .replace("WINDOWS", "windows")
            .replace("AMD", "amd")
            .replace("ARM", "arm")
            .replace("TAR.GZ", "tar.gz")
            .replace("ZIP", "zip"),
    ));
    accepts(&with_sums(
        sums() + &"1".repeat(64) + "  ../../etc/passwd\n" + &"2".repeat(64) + "  unknown.deb\n",
    ));
    accepts(&with_sums(sums().trim_end()));
}

#[test]
fn all_missing_archives_are_one_error() {
    let text: String = sums()
        .lines()
        .filter(|line| line.contains("amd64"))
        .map(|line| format!("{line}\n"))
        .collect();
    refuses(
        &with_sums(text),
        &[
            "the release lacks archives that the Dockerfiles pin:\n  \
             nats-streaming-server-v0.25.6-linux-386.tar.gz (pinned in 0.25.5/alpine3.18/Dockerfile:12)\n  \
             nats-streaming-server-v0.25.6-linux-arm6.tar.gz (pinned in 0.25.5/alpine3.18/Dockerfile:9)\n  \
             nats-streaming-server-v0.25.6-linux-arm64.tar.gz (pinned in 0.25.5/alpine3.18/Dockerfile:8)\n  \
             nats-streaming-server-v0.25.6-linux-arm7.tar.gz (pinned in 0.25.5/alpine3.18/Dockerfile:10)\n",
            "--allow-missing",
        ],
    );
    refuses(
        &with_sums(sums().replace("linux-arm7", "linux-loong64")),
        &["nats-streaming-server-v0.25.6-linux-arm7.tar.gz (pinned"],
    );
}

#[test]
fn a_name_with_a_slash_is_not_the_archive() {
    refuses(
        &with_sums(sums().replace("  nats", "  dist/nats")),
        &[
            "the release lacks archives",
            "linux-386.tar.gz",
            "windows-amd64.zip",
        ],
    );
}

#[test]
fn one_hash_for_two_archives_is_refused() {
    let text = sums().replace(
        "796d25d9411e42c7f183950ad109b1918e039236960919cb22d57748b329cae0",
        "10f25b100a5b9a7389882883259790d599b557a16ddde1accdfcf9361e19b2f9",
    );
    refuses(
        &with_sums(text),
        &[
            "the release publishes one hash for several archives:\n  SHA256SUMS of 0.25.6 has \
             10f25b100a5b9a7389882883259790d599b557a16ddde1accdfcf9361e19b2f9 for \
             nats-streaming-server-v0.25.6-linux-386.tar.gz and nats-streaming-server-v0.25.6-linux-amd64.tar.gz\n\
             Ask those who published the release which is right",
        ],
    );
    let zeros = sums().replace(
        "796d25d9411e42c7f183950ad109b1918e039236960919cb22d57748b329cae0",
        &"0".repeat(64),
    );
    refuses(
        &with_sums(zeros),
        &["found zeros for nats-streaming-server-v0.25.6-linux-386.tar.gz, expected a hash"],
    );
}

#[test]
fn no_version_directory() {
    let repository = streaming();
    repository.remove("0.25.5");
    repository.update_fails(
        &["0.25.6"],
        &[
            "no version directory (such as 0.25.6 or 2.14.x) and no templates in .",
            "`-C <DIR>`",
        ],
    );
    Repository::empty().update_fails(&["0.25.6"], &["no version directory"]);
    let before = snapshot(&tree("streaming/before"));
    let elsewhere = Repository::empty();
    elsewhere.update_fails(
        &["-C", "missing", "0.25.6"],
        &["cannot read the folder missing"],
    );
    assert_eq!(before, snapshot(&tree("streaming/before")));
}

#[test]
fn a_downgrade_must_be_allowed() {
    let repository = Repository::of(&tree("streaming/after"));
    repository.update_fails(
        &["0.25.5"],
        &["0.25.5 is below the 0.25.6 of 0.25.6/: `--allow-downgrade` accepts that"],
    );
    repository
        .update(&["--allow-downgrade", "0.25.5"])
        .exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("streaming/before")));
    let lines = Repository::of(&tree("series/before"));
    lines.update_fails(
        &["2.14.4-RC.1", "2.11.0"],
        &[
            "2.14.4-RC.1 is below the 2.14.4 of 2.14.x/",
            "2.11.0 is below the 2.12.14 of 2.12.x/: `--allow-downgrade` accepts that",
        ],
    );
}

#[test]
fn two_versions_cannot_be_made_of_one_directory() {
    streaming().update_fails(
        &["0.25.6", "0.25.7"],
        &["0.25.6 and 0.25.7 would both be made from 0.25.5: give only one"],
    );
    let lines = Repository::of(&tree("series/before"));
    lines.update_fails(
        &["2.14.5", "2.14.6"],
        &["2.14.5 and 2.14.6 are both of 2.14.x: give only one"],
    );
}

#[test]
fn other_hashes_for_the_same_version_must_be_accepted() {
    let repository = Repository::of(&tree("streaming/after"));
    let path = "0.25.6/alpine3.18/Dockerfile";
    repository.edit(path, "caf2839d", "caf2839e");
    repository.update_fails(
        &["0.25.6"],
        &[
            "0.25.6/alpine3.18/Dockerfile:8: nats-streaming-server-v0.25.6-linux-arm64.tar.gz: pinned caf2839e14c6",
            "published caf2839d14c6",
            "`--repin` accepts the release's",
        ],
    );
    repository.update(&["--repin", "0.25.6"]).exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn links_that_lead_elsewhere_are_refused() {
    let outside = Repository::of(&tree("streaming/before/0.25.5"));
    let before = outside.snapshot();
    let repository = streaming();
    repository.remove("0.25.5");
    symlink(outside.root(), repository.path("0.25.5")).expect("a link");
    repository.update_fails(
        &["0.25.6"],
        &["  0.25.5: a symbolic link, where a folder is expected"],
    );
    let repository = streaming();
    repository.remove("0.25.5/scratch/Dockerfile");
    symlink(
        outside.path("scratch/Dockerfile"),
        repository.path("0.25.5/scratch/Dockerfile"),
    )
    .expect("a link");
    symlink("nowhere", repository.path("tests/a.sh")).expect("a link");
    repository.update_fails(
        &["0.25.6"],
        &[
            "0.25.5/scratch/Dockerfile: a symbolic link, where a file is expected",
            "tests/a.sh: a symbolic link, where a file is expected",
        ],
    );
    let repository = streaming();
    repository.rename("tests", "elsewhere");
    symlink("elsewhere", repository.path("tests")).expect("a link");
    repository.update_fails(
        &["0.25.6"],
        &["  tests: a symbolic link, where a folder is expected"],
    );
    same(&outside.snapshot(), &before);
}

#[test]
fn what_cannot_be_read_is_named_all_at_once() {
    let repository = streaming();
    for path in ["0.25.5/scratch/Dockerfile", "tests/run-images.sh"] {
        repository.remove(path);
        let status = std::process::Command::new("mkfifo")
            .arg(repository.path(path))
            .status();
        assert!(status.expect("mkfifo runs").success());
    }
    repository.update(&["0.25.6"]).fails_with(&[
        "0.25.5/scratch/Dockerfile: neither a file nor a folder, where a file is expected: put the file itself there\n  tests/run-images.sh: neither a file nor a folder, where a file is expected: put the file itself there",
    ]);
    assert!(repository.path("0.25.5/alpine3.18").exists());
}

#[test]
fn a_read_only_file_is_written_and_stays_read_only() {
    let repository = streaming();
    repository.set_mode("0.25.5/alpine3.18/Dockerfile", 0o444);
    repository.set_mode("tests/build-images.sh", 0o555);
    repository.update(&["0.25.6"]).exits_with(0);
    let mut expected = snapshot(&tree("streaming/after"));
    expected
        .get_mut("0.25.6/alpine3.18/Dockerfile")
        .expect("it")
        .0 = 0o444;
    expected.get_mut("tests/build-images.sh").expect("it").0 = 0o555;
    same(&repository.snapshot(), &expected);
}

#[test]
fn a_dockerfile_that_lacks_a_field_is_refused_with_all_others() {
    let repository = streaming();
    repository.edit(
        "0.25.5/nanoserver-1809/Dockerfile",
        "--from=nats-streaming:0.25.5-windowsservercore-1809 ",
        "",
    );
    repository.edit("0.25.5/scratch/Dockerfile", "alpine3.18", "debian12");
    repository.edit("0.25.5/alpine3.18/Dockerfile", "armhf)", "armv7)");
    repository.update_fails(
        &["0.25.6"],
        &[
            "these problems cannot be fixed automatically:\n",
            "0.25.5/alpine3.18/Dockerfile:9: architecture: found armv7: this is a second branch for arm7",
            "0.25.5/nanoserver-1809/Dockerfile:1: version: missing `NATS_STREAMING_SERVER=<version>`",
            "0.25.5/scratch/Dockerfile:3: reference: found 0.25.5-debian12: no variant debian12 in 0.25.6",
        ],
    );
}

#[test]
fn utf_16_is_refused_rather_than_overlooked() {
    let repository = streaming();
    let text: Vec<u8> = "\u{feff}docker build nats-streaming:0.25.5-scratch"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    repository.write("tests/extra.ps1", text);
    repository.update_fails(
        &["0.25.6"],
        &["tests/extra.ps1:1: encoding: is UTF-16, in which no field is found: save it as UTF-8"],
    );
}

#[test]
fn a_version_key_that_stands_twice_is_written_twice() {
    let repository = streaming();
    let twice = "ENV NATS_STREAMING_SERVER 0.25.5\nARG NATS_STREAMING_SERVER=\"0.25.5\"\n";
    repository.edit(
        "0.25.5/alpine3.18/Dockerfile",
        "ENV NATS_STREAMING_SERVER 0.25.5\n",
        twice,
    );
    repository.update(&["0.25.6"]).exits_with(0);
    assert!(
        repository
            .read("0.25.6/alpine3.18/Dockerfile")
            .contains(&twice.replace("0.25.5", "0.25.6"))
    );
    repository.finds(&[]);
}

#[test]
fn a_hash_that_nothing_uses_is_refused() {
    let repository = streaming();
    let other = format!("ENV OTHER_TOOL_SHA256 {}\r\nEXPOSE", "3".repeat(64));
    repository.edit("0.25.5/windowsservercore-1809/Dockerfile", "EXPOSE", &other);
    let cannot = "cannot tell which archive this hash belongs to";
    repository.update_fails(&["0.25.6"], &[":18: hash: found 3333", cannot]);
}

#[test]
fn a_running_update_keeps_a_second_one_out() {
    let repository = streaming();
    let lock = fs::File::open(repository.root()).expect("the folder");
    lock.lock().expect("the lock");
    let before = repository.snapshot();
    let run = repository.update(&["-q", "0.25.6"]).exits_with(2);
    assert_eq!(
        run.stderr,
        "error: another update is running in .; wait for it to finish\n"
    );
    same(&repository.snapshot(), &before);
    lock.unlock().expect("the lock");
    repository.update(&["0.25.6"]).exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn what_a_killed_run_left_is_thrown_away_and_never_staged() {
    let repository = streaming();
    repository.write(".update/.gitignore", "*\n");
    repository.write(".update/new/3", "half");
    repository.update(&["0.25.6"]).exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn an_unknown_key_in_update_toml_is_refused_with_its_place() {
    let repository = streaming();
    repository.write("update.toml", "image = \"nats-streaming\"\nserver = \"nats-streaming-server\"\ndirectoy = \"{version}\"\n");
    repository.update_fails(
        &["0.25.6"],
        &["./update.toml:3:1: unknown field `directoy`"],
    );
    repository
        .write("update.toml", "image = \"nats-streaming\"\nserver = \"nats-streaming-server\"\ndirectory = \"../{version}\"\n");
    repository.update_fails(
        &["0.25.6"],
        &["./update.toml:3:13: `directory`: cannot name version directories"],
    );
    repository.write(
        "update.toml",
        "image = \"nats-streaming\"\nserver = \"nats-streaming-server\"\n",
    );
    repository.update(&["0.25.6"]).exits_with(0);
}

#[test]
fn options_of_the_update_are_not_for_other_commands() {
    let repository = streaming();
    let output = program(repository.root(), &["--keep", "check"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .contains("`--keep` before `check` is an option of the update")
    );
    repository.run(&["-C", ".", "-q", "check"]).exits_with(0);
    for (args, error) in [
        (
            &["--repin", "check"][..],
            "`check` has none, so leave it out",
        ),
        (&["--from", "x", "check"], "put it after `check`"),
        (
            &["--offline", "latest"],
            "`--offline` is an option of `update status`: put it behind that",
        ),
        (
            &["check", "--offline"],
            "`--offline` is an option of `update status`: put it behind that",
        ),
        (
            &["latest", "--diff", "--format", "json"],
            "`--diff` is printed with the text alone",
        ),
        (
            &["library", "x", "--diff", "--format", "markdown"],
            "`--diff` is printed with the text alone",
        ),
    ] {
        repository.run(args).fails_with(&[error]);
    }
    let run = repository.run(&["--bogus"]).exits_with(2);
    assert!(!run.stderr.contains("as a value"), "{}", run.stderr);
    let run = repository.run(&["--bse", "x=1"]).exits_with(2);
    assert!(run.stderr.contains("'--base'"), "{}", run.stderr);
}

#[test]
fn a_folder_that_cannot_be_written_leaves_the_tree_as_it_was() {
    let repository = streaming();
    repository.set_mode("0.25.5/scratch", 0o555);
    let before = repository.snapshot();
    let mut command = program(
        repository.root(),
        &[
            "--from",
            releases().to_str().expect("UTF-8"),
            "-q",
            "0.25.6",
        ],
    );
    // The superuser may write everywhere, so the program runs as somebody else, to whom the tree is given.
    let give = |path: &std::path::Path| chown(path, Some(NOBODY), Some(NOBODY)).is_ok();
    if give(repository.root()) {
        for entry in walkdir::WalkDir::new(repository.root()) {
            give(entry.expect("an entry").path());
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("the update cannot be written")
            && error.contains("cannot write in ./0.25.5/scratch: Permission denied"),
        "{error}"
    );
    same(&repository.snapshot(), &before);
    repository.set_mode("0.25.5/scratch", 0o755);
}

#[test]
fn a_link_to_what_is_not_read_is_refused_in_the_place_of_a_dockerfile() {
    let repository = streaming();
    repository.write(
        "shared/Dockerfile",
        repository.read("0.25.5/alpine3.18/Dockerfile"),
    );
    repository.remove("0.25.5/alpine3.18/Dockerfile");
    symlink(
        "../../shared/Dockerfile",
        repository.path("0.25.5/alpine3.18/Dockerfile"),
    )
    .expect("a link");
    repository.update_fails(
        &["0.25.6"],
        &["0.25.5/alpine3.18/Dockerfile: a symbolic link, where a file is expected: put the file itself there"],
    );
}

#[test]
fn nothing_of_a_staging_folder_that_came_with_the_tree_is_read() {
    let outside = Repository::empty();
    outside.write("kept", "kept");
    let plant = |repository: &Repository| {
        repository.write(".update/new/g/hooks/pre-commit", "#!/bin/sh\n");
        repository.write(
            ".update/journal",
            r#"{"write":["g/hooks/pre-commit","d/evil"],"remove":["d/kept"],"renamed":[]}"#,
        );
        repository.write(".git/hooks/sample", "");
        symlink(".git", repository.path("g")).expect("a link");
        symlink(outside.root(), repository.path(".update/new/d")).expect("a link");
    };
    let repository = streaming();
    plant(&repository);
    repository.update_fails(
        &["0.25.6"],
        &["./.update: `update` needs this name, and did not make what is there: remove or rename it"],
    );
    // With a file of somebody else in it neither.
    repository.write(".update/.gitignore", "*\n");
    repository.update_fails(&["0.25.6"], &["./.update: `update` needs this name"]);
    // One that looks like what a killed run leaves is thrown away, and its links are not followed.
    repository.write(".update/.gitignore", "*\n");
    repository.remove(".update/journal");
    repository.update(&["-q", "0.25.6"]).exits_with(0);
    assert!(
        !repository.path(".update").exists() && !repository.path(".git/hooks/pre-commit").exists()
    );
    assert_eq!(outside.read("kept"), "kept");
    assert!(!outside.path("evil").exists());
    let repository = streaming();
    symlink(outside.root(), repository.path(".update")).expect("a link");
    repository.update(&["-q", "0.25.6"]).exits_with(2);
    assert_eq!(outside.snapshot().len(), 1);
}

#[test]
fn a_summary_that_cannot_be_printed_stops_the_update() {
    let repository = streaming();
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("the device");
    let mut command = program(
        repository.root(),
        &["--from", releases().to_str().expect("UTF-8"), "0.25.6"],
    );
    assert_eq!(
        command
            .stdout(full)
            .stderr(std::process::Stdio::null())
            .status()
            .expect("it runs")
            .code(),
        Some(2)
    );
    same(&repository.snapshot(), &snapshot(&tree("streaming/before")));
}

#[test]
fn names_of_files_are_printed_without_what_a_terminal_or_ci_system_takes_for_orders() {
    let repository = streaming();
    repository.write(
        "tests/push\n::error::y\u{1b}[31m.sh",
        "docker push nats-streaming:0.25.4-scratch nats-streaming:0.25.5-alpine3.18\n",
    );
    repository
        .finds(&["tests/push\\n::error::y\\u{1b}[31m.sh:1:28: reference: found 0.25.4-scratch"]);
}

#[test]
fn a_branch_that_lost_its_architecture_or_its_label_is_found() {
    let path = "0.25.5/alpine3.18/Dockerfile";
    for (old, new, message) in [
        (
            "natsArch='arm64'; ",
            "",
            "8:20: hash: found 937af3f9cdbfe3cb4648cf8c8f505dded2cc175d59ba10e13ec71d1c04e61bf2: cannot tell which archive this hash belongs to",
        ),
        (
            "x86_64)",
            "x86_64",
            "11:20: architecture: found amd64, expected a label in front of it",
        ),
    ] {
        let repository = streaming();
        repository.edit(path, old, new);
        repository.finds(&[&format!("{path}:{message}")]);
        repository.update_fails(
            &["0.25.6"],
            &["these problems cannot be fixed automatically"],
        );
    }
}

#[test]
fn a_text_of_many_fields_in_one_line_is_no_trouble() {
    let repository = streaming();
    let line = "NATS_STREAMING_SERVER 0.25.5 nats-streaming:0.25.5-alpine3.18 ";
    repository.write("tests/long.sh", line.repeat(15_000));
    repository.update(&["-q", "0.25.6"]).exits_with(0);
    assert_eq!(
        repository.read("tests/long.sh"),
        line.replace("0.25.5", "0.25.6").repeat(15_000)
    );
}

#[test]
fn a_comment_that_gives_the_version_is_left_by_a_second_run() {
    let repository = streaming();
    let text = repository.read("tests/build-images.sh");
    repository.write(
        "tests/build-images.sh",
        format!("# once in 0.25.6 of nanoserver-1800.25.6\n{text}"),
    );
    repository.update(&["0.25.6"]).exits_with(0);
    repository
        .update(&["--exit-code", "0.25.6"])
        .exits_with(0)
        .says("nats-streaming 0.25.6 in 0.25.6/: nothing to change\n");
}

#[test]
fn a_branch_whose_variable_no_address_uses_is_refused() {
    let repository = streaming();
    repository.edit(
        "0.25.5/alpine3.18/Dockerfile",
        "armv7) natsArch",
        "armv7) sha256natsArch",
    );
    repository.update_fails(
        &["0.25.6"],
        &[
            "Dockerfile:10: hash: found 0e643e98",
            "cannot tell which archive this hash belongs to",
        ],
    );
}
