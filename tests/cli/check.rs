//! `update check`: silent on right trees, and every mistake found with its place.

use std::os::unix::ffi::OsStrExt;

use crate::support::{Repository, Run, program, project, run, tree};

fn streaming() -> Repository {
    Repository::of(&tree("streaming/after"))
}

#[test]
fn right_trees_are_consistent() {
    for (name, said) in [
        (
            "streaming/before",
            "consistent: nats-streaming 0.25.5 (4 variants, 8 files, 43 fields)\n",
        ),
        (
            "streaming/after",
            "consistent: nats-streaming 0.25.6 (4 variants, 8 files, 43 fields)\n",
        ),
        (
            "series/before",
            "consistent: nats 2.12.14, 2.14.4 (10 variants, 27 files, 170 fields)\n",
        ),
        (
            "series/after",
            "consistent: nats 2.12.15, 2.14.5 (10 variants, 27 files, 170 fields)\n",
        ),
    ] {
        run(&tree(name), &["check"]).exits_with(0).says(said);
    }
}

#[test]
fn this_repository_is_consistent() {
    run(&project(), &["check"]).exits_with(0);
}

#[test]
fn a_folder_renamed_to_a_new_base_keeps_the_old_one_in_its_dockerfile() {
    let repository = streaming();
    repository.rename("0.25.6/alpine3.18", "0.25.6/alpine3.19");
    repository.finds(&[
        "0.25.6/alpine3.19/Dockerfile:1:13: base: found 3.18, expected 3.19",
        "0.25.6/scratch/Dockerfile:3:28: reference: found 0.25.6-alpine3.18, expected 0.25.6-alpine3.19",
        "tests/build-images.sh:7:19: variant: found alpine3.18, expected alpine3.19",
        "tests/build-images.sh:8:46: reference: found alpine3.18, expected alpine3.19",
        "tests/run-images.sh:6:17: reference: found 0.25.6-alpine3.18, expected 0.25.6-alpine3.19",
    ]);
}

#[test]
fn a_reference_to_a_variant_that_is_not_there() {
    let repository = streaming();
    repository.edit(
        "0.25.6/scratch/Dockerfile",
        "0.25.6-alpine3.18",
        "0.25.6-alpine3.13",
    );
    repository.finds(&["0.25.6/scratch/Dockerfile:3:28: reference: found 0.25.6-alpine3.13, expected 0.25.6-alpine3.18"]);
    repository.edit(
        "0.25.6/scratch/Dockerfile",
        "0.25.6-alpine3.13",
        "0.25.6-debian12",
    );
    repository.finds(&["0.25.6/scratch/Dockerfile:3:28: reference: found 0.25.6-debian12: no variant debian12 in 0.25.6, \
                        which has alpine3.18, nanoserver-1809, scratch, windowsservercore-1809"]);
}

#[test]
fn a_tag_that_ends_in_a_dash_is_whole_only_in_front_of_a_variable() {
    let repository = Repository::of(&tree("series/before"));
    let path = "2.14.x/tests/build-images.sh";
    let before = repository.read(path);
    repository.write(
        path,
        before.clone() + "docker run nats:2.14.4-\"$variant\"\n",
    );
    repository.finds(&[]);
    repository.write(path, before + "docker run \"nats:2.14.4-\"\n");
    repository
        .finds(&["2.14.x/tests/build-images.sh:13:18: reference: found 2.14.4-, expected 2.14.4"]);
}

#[test]
fn a_version_that_was_forgotten_anywhere() {
    for (path, old, new, finding) in [
        (
            "0.25.6/alpine3.18/Dockerfile",
            "SERVER 0.25.6",
            "SERVER 0.25.5",
            "3:27: version: found 0.25.5, expected 0.25.6",
        ),
        (
            "0.25.6/alpine3.18/Dockerfile",
            "SERVER 0.25.6",
            "SERVER 0.25",
            "3:27: version: found 0.25, expected 0.25.6",
        ),
        (
            "0.25.6/nanoserver-1809/Dockerfile",
            ":0.25.6-",
            ":0.25.5-",
            "5:28: reference: found 0.25.5-windows",
        ),
        (
            "tests/build-images.sh",
            "SERVER 0.25.6",
            "SERVER 0.25.5",
            "4:28: version: found 0.25.5, expected 0.25.6",
        ),
        (
            "tests/run-images.sh",
            "0.25.6-scratch",
            "0.25.5-scratch",
            "7:17: reference: found 0.25.5-scratch, expected",
        ),
        (
            "tests/build-images-2019.ps1",
            "\\0.25.6\\",
            "\\0.25.5\\",
            "9:19: directory: found 0.25.5, expected 0.25.6",
        ),
    ] {
        let repository = streaming();
        repository.edit(path, old, new);
        repository.finds(&[&format!("{path}:{finding}")]);
    }
}

#[test]
fn a_label_and_a_directory_that_were_left_are_found() {
    let repository = streaming();
    repository.edit(
        "0.25.6/alpine3.18/Dockerfile",
        "EXPOSE",
        "LABEL org.opencontainers.image.version=\"0.25.5\"\nEXPOSE",
    );
    repository
        .finds(&["0.25.6/alpine3.18/Dockerfile:23:41: version: found 0.25.5, expected 0.25.6"]);
    let lines = Repository::of(&tree("series/after"));
    lines.edit("2.14.x/tests/build-images.sh", "2.14.x", "2.12.x");
    lines.finds(&["2.14.x/tests/build-images.sh:6:12: directory: found 2.12.x, expected 2.14.x"]);
}

#[test]
fn an_architecture_that_apk_never_prints_or_that_is_paired_wrongly() {
    let path = "0.25.6/alpine3.18/Dockerfile";
    for (old, new, finding) in [
        (
            "aarch64)",
            "arm64)",
            "8:3: architecture: found arm64, expected aarch64",
        ),
        (
            "aarch64)",
            "arm64|arm)",
            "8:3: architecture: found arm64|arm, expected aarch64",
        ),
        (
            "natsArch='386'",
            "natsArch='i386'",
            "12:18: architecture: found i386, expected 386",
        ),
        (
            "x86) natsArch='386'",
            "mips) natsArch='mips'",
            "12:3: architecture: found mips: `apk --print-arch` never prints it",
        ),
    ] {
        let repository = streaming();
        repository.edit(path, old, new);
        repository.finds(&[&format!("{path}:{finding}")]);
    }
    let repository = streaming();
    repository.edit(path, "armhf)", "armv7)");
    assert!(
        repository.findings()[0]
            .contains("9:3: architecture: found armv7: this is a second branch for arm7")
    );
    let right = streaming();
    right.edit(path, "aarch64)", "aarch64 | \"arm64\")");
    right.finds(&[]);
}

#[test]
fn a_hash_at_zeros_and_one_hash_on_two_architectures() {
    let path = "0.25.6/alpine3.18/Dockerfile";
    let [arm64, amd64] = [
        "caf2839d14c610d9d62afeb9022ee36aa4ff5adc86d0402bb7e1a5d7f5e7d26f",
        "10f25b100a5b9a7389882883259790d599b557a16ddde1accdfcf9361e19b2f9",
    ];
    let repository = streaming();
    repository.edit(path, arm64, &"0".repeat(64));
    repository.finds(&[&format!(
        "{path}:8:38: hash: found zeros, expected the hash of nats-streaming-server-v0.25.6-linux-arm64.tar.gz"
    )]);
    repository.edit(path, &"0".repeat(64), amd64);
    repository.finds(&[&format!(
        "{path}:11:37: hash: nats-streaming-server-v0.25.6-linux-amd64.tar.gz: found the hash that \
         nats-streaming-server-v0.25.6-linux-arm64.tar.gz has in {path}:8: one of them is wrong"
    )]);
}

#[test]
fn pins_that_differ_between_two_files() {
    let repository = Repository::of(&tree("series/after"));
    let path = "2.14.x/windowsservercore-ltsc2025/Dockerfile";
    let hash = repository.read(path).lines().find_map(|line| {
        line.strip_prefix("ENV GIT_DOWNLOAD_SHA256=")
            .map(str::to_owned)
    });
    let hash = hash.expect("a hash");
    repository.edit(path, &hash, &"ab".repeat(32));
    repository.finds(&[&format!(
        "{path}:7:25: hash: nats-server-v2.14.5-windows-amd64.zip: found {}, expected {hash} as in \
         2.14.x/windowsservercore-ltsc2022/Dockerfile:7: an archive has one hash",
        "ab".repeat(32)
    )]);
}

#[test]
fn zeros_are_right_for_what_a_pre_release_lacks() {
    let repository = Repository::of(&tree("series/after"));
    let releases = tree("series/releases");
    let from = releases.to_str().expect("UTF-8");
    repository
        .run(&["--from", from, "--allow-missing", "2.15.0-RC.1"])
        .exits_with(0);
    repository.finds(&[]);
    // A file with nothing else was never filled in.
    let path = "2.15.x/alpine3.22/Dockerfile";
    let words = repository.read(path);
    let is_hash =
        |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = words.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let zeros = words.map(|word| match word.split_at(word.len() - 1) {
        (hash, end) if is_hash(hash) => "0".repeat(64) + end,
        _ => word.to_owned(),
    });
    repository.write(path, zeros.collect::<String>());
    let run = repository.run(&["check"]).exits_with(1);
    let zeros = "found zeros, expected the hash of nats-server-v2.15.0-RC.1-linux-";
    assert!(run.stdout.matches(zeros).count() > 1, "{}", run.stdout);
}

#[test]
fn a_script_that_misses_a_variant_or_builds_in_the_wrong_order() {
    let repository = Repository::of_this_project();
    repository.edit(
        "tests/build-images.sh",
        "alpine3.18 scratch",
        "scratch alpine3.18",
    );
    // What is only said is built by nobody.
    repository.edit(
        "tests/build-images.sh",
        "set -e",
        "echo scratch, alpine3.18\nset -e",
    );
    repository.edit("tests/run-images-2019.ps1", ", 'nanoserver-1809'", "");
    repository.finds(&[
        "tests/build-images.sh:11:16: order: builds scratch before alpine3.18, but scratch copies from alpine3.18",
        "tests/run-images-2019.ps1:1:1: script: missing the variant nanoserver-1809 of 0.25.6",
    ]);
}

#[test]
fn a_variant_that_is_not_what_its_template_gives() {
    let repository = Repository::of_this_project();
    repository.edit(
        "0.25.6/nanoserver-1809/Dockerfile",
        "EXPOSE 4222 8222",
        "EXPOSE 4222",
    );
    repository.set_mode("0.25.6/alpine3.18/docker-entrypoint.sh", 0o644);
    repository.remove("0.25.6/scratch/Dockerfile");
    repository.write(
        "0.25.6/scratch/Dockerfile.preview",
        "ARG BASE_IMAGE=nats-streaming:0.25.6-scratch\nFROM $BASE_IMAGE\n",
    );
    repository.finds(&[
        "0.25.6/alpine3.18/docker-entrypoint.sh:1:1: template: found the mode 644, expected 755, as templates/alpine/docker-entrypoint.sh has",
        "0.25.6/nanoserver-1809/Dockerfile:17:1: template: found `EXPOSE 4222`, expected `EXPOSE 4222 8222` as templates/nanoserver/Dockerfile gives it",
        "0.25.6/scratch:1:1: folder: found no Dockerfile in a variant's folder",
        "0.25.6/scratch/Dockerfile:1:1: template: missing: templates/scratch/Dockerfile has it",
    ]);
}

#[test]
fn a_wrong_field_is_not_also_a_difference_from_the_template() {
    let repository = Repository::of_this_project();
    repository.edit(
        "0.25.6/scratch/Dockerfile",
        "SERVER=0.25.6",
        "SERVER=0.25.5",
    );
    repository.finds(&["0.25.6/scratch/Dockerfile:4:27: version: found 0.25.5, expected 0.25.6"]);
}

#[test]
fn folders_without_what_they_are_for() {
    let repository = streaming();
    std::fs::create_dir(repository.path("0.25.5")).expect("a folder");
    repository.write("0.25.6/alpine3.19/docker-entrypoint.sh", "#!/bin/sh\n");
    repository.finds(&[
        "0.25.5:1:1: folder: found no variant, expected a folder such as alpine3.18 with a Dockerfile",
        "0.25.6/alpine3.19:1:1: folder: found no Dockerfile in a variant's folder",
    ]);
}

#[test]
fn folders_and_files_whose_names_only_look_like_the_right_ones() {
    let repository = Repository::of(&tree("series/before"));
    let dockerfile = "FROM alpine:3.1\nENV NATS_SERVER=2.14.4\n";
    repository.write("2.14.x/Alpine3.22/Dockerfile", dockerfile);
    repository.write("2.14.X/alpine3.22/Dockerfile", dockerfile);
    // A letter of another alphabet.
    repository.write("2.14.х/alpine3.22/Dockerfile", dockerfile);
    let stray = "layout: found a name that looks like a version, expected one like 2.12.x: rename or remove it";
    repository.finds(&[
        &format!("2.14.X:1:1: {stray}"),
        "2.14.x/Alpine3.22:1:1: folder: found Alpine3.22, expected alpine3.22: it is no variant",
        &format!("2.14.х:1:1: {stray}"),
    ]);
    let name = std::ffi::OsStr::from_bytes(b".github/workflows/\xff.yml");
    let other = std::ffi::OsStr::from_bytes(b".github/workflows/\xff.txt");
    let repository = Repository::of(&tree("series/before"));
    std::fs::write(repository.root().join(other), "").expect("a file");
    repository.finds(&[]);
    std::fs::write(repository.root().join(name), "").expect("a file");
    let run = repository.run(&["check"]).exits_with(2);
    assert!(
        run.stderr.contains(": its name is not UTF-8"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_dockerfile_that_lacks_its_version_its_hash_or_its_base() {
    let repository = streaming();
    repository.edit(
        "0.25.6/nanoserver-1809/Dockerfile",
        "COPY --from=nats-streaming:0.25.6-windowsservercore-1809",
        "COPY",
    );
    repository.edit(
        "0.25.6/windowsservercore-1809/Dockerfile",
        "servercore:1809",
        "servercore",
    );
    let alpine = "0.25.6/alpine3.18/Dockerfile";
    let text = repository.read(alpine);
    repository.write(
        alpine,
        text.lines()
            .filter(|line| !line.contains("natsArch="))
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    );
    repository.finds(&[
        "0.25.6/alpine3.18/Dockerfile:10:25: hash: missing `<sha256>`",
        "0.25.6/nanoserver-1809/Dockerfile:1:1: version: missing `NATS_STREAMING_SERVER=<version>`",
        "0.25.6/windowsservercore-1809/Dockerfile:1:1: base: missing `FROM …:1809`",
    ]);
}

#[test]
fn a_version_that_does_not_belong_to_its_line() {
    let repository = Repository::of(&tree("series/after"));
    repository.edit(
        "2.14.x/alpine3.22/Dockerfile",
        "NATS_SERVER=2.14.5",
        "NATS_SERVER=2.12.3",
    );
    repository
        .finds(&["2.14.x/alpine3.22/Dockerfile:3:17: version: found 2.12.3, expected 2.14.5"]);
}

#[test]
fn a_v_before_the_version_is_one_too_many_where_addresses_have_their_own() {
    let repository = Repository::of(&tree("series/after"));
    let path = "2.14.x/alpine3.22/Dockerfile";
    let before = repository.read(path);
    repository.edit(path, "NATS_SERVER=2.14.5", "NATS_SERVER=v2.14.5");
    repository
        .finds(&["2.14.x/alpine3.22/Dockerfile:3:17: version: found v2.14.5, expected 2.14.5"]);
    let releases = tree("series/releases");
    let from = releases.to_str().expect("UTF-8");
    repository
        .run(&["-q", "2.14.5", "--from", from])
        .exits_with(0);
    assert_eq!(repository.read(path), before);
}

#[test]
fn what_belongs_to_others_is_no_field() {
    let repository = streaming();
    repository.edit(
        "0.25.6/alpine3.18/Dockerfile",
        "EXPOSE",
        "# nats-streaming:0.20.0-alpine was the last one on 3.12\n\
         ENV TINI_VERSION=0.19.0 OTHER_NATS_STREAMING_SERVER=1.2.3\n\
         COPY --from=my/nats-streaming:1.0.0-alpine3.1 --from=golang:1.21.3-alpine3.17 /a /b\n\
         ENV TINI_SHA256=1111111111111111111111111111111111111111111111111111111111111111\n\
         RUN wget -O tini https://tini.example/tini; echo \"$TINI_SHA256  tini\" | sha256sum -c\n\
         EXPOSE",
    );
    repository.edit("0.25.6/alpine3.18/Dockerfile", "FROM alpine:3.18", "FROM golang:1.21 AS build\nFROM --platform=linux/amd64 docker.io/library/alpine:3.18.4@sha256:2222222222222222222222222222222222222222222222222222222222222222");
    repository.edit(
        "tests/build-images.sh",
        "set -euo",
        "docker run --publish 4222:4222 nats-streaming:latest alpine\nset -euo",
    );
    repository.finds(&[]);
}

#[test]
fn findings_come_as_json_too() {
    let repository = streaming();
    repository.edit(
        "0.25.6/scratch/Dockerfile",
        "0.25.6-alpine3.18",
        "0.25.5-alpine3.18",
    );
    let run = repository.run(&["check", "--format", "json"]).exits_with(1);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(
        json,
        serde_json::json!({
            "image": "nats-streaming",
            "server": "nats-streaming-server",
            "directories": [{ "directory": "0.25.6", "version": "0.25.6" }],
            "details": [],
            "findings": [{
                "rule": "reference",
                "path": "0.25.6/scratch/Dockerfile",
                "line": 3,
                "column": 28,
                "found": "0.25.5-alpine3.18",
                "expected": "0.25.6-alpine3.18",
                "message": "found 0.25.5-alpine3.18, expected 0.25.6-alpine3.18",
                "fix": "update 0.25.6",
            }],
        })
    );
    repository.run(&["check", "-q"]).exits_with(1).says("");
}

#[test]
fn the_command_that_a_finding_names_fixes_it() {
    let repository = Repository::of(&tree("series/after"));
    let edits = [
        (
            "2.14.x/scratch/Dockerfile",
            "2.14.5-alpine3.22",
            "2.14.4-alpine3.22",
        ),
        (
            "2.12.x/alpine3.21/Dockerfile",
            "FROM alpine:3.21",
            "FROM alpine:3.20",
        ),
        (
            ".github/workflows/publish.yaml",
            "needs: linux-2_12",
            "needs: linux-2_1",
        ),
    ];
    for (path, old, new) in edits {
        repository.edit(path, old, new);
    }
    let run = repository.run(&["check"]).exits_with(1);
    let verdict = "Fix 1 by hand, 2 with `update 2.12.15 2.14.5`.\n";
    assert!(run.stdout.ends_with(verdict), "{}", run.stdout);
    let from = tree("series/releases");
    let from = from.to_str().expect("UTF-8");
    repository
        .run(&["-q", "2.12.15", "2.14.5", "--from", from])
        .exits_with(0);
    let run = repository.run(&["check"]).exits_with(1);
    assert!(
        run.stdout
            .ends_with("1 finding in 1 file. Fix it by hand.\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_folder_that_is_no_image_repository_cannot_be_checked() {
    Repository::empty()
        .run(&["check"])
        .fails_with(&["no version directory (such as 0.25.6 or 2.14.x) and no templates in ."]);
    Repository::empty()
        .run(&["check", "-C", "nowhere"])
        .fails_with(&["cannot read the folder nowhere"]);
}

#[test]
fn a_hash_that_is_none_stands_where_it_is_reported() {
    let path = "0.25.6/alpine3.18/Dockerfile";
    let arm64 = "caf2839d14c610d9d62afeb9022ee36aa4ff5adc86d0402bb7e1a5d7f5e7d26f";
    for wrong in [&arm64[1..], &format!("{arm64}0")] {
        let repository = streaming();
        repository.edit(path, arm64, wrong);
        repository.finds(&[&format!(
            "{path}:8:38: hash: found {wrong}, expected the 64 hex digits of a SHA-256",
        )]);
        let run = repository.run(&["check"]).exits_with(1);
        assert!(
            run.stdout.ends_with("Fix it with `update 0.25.6`.\n"),
            "{}",
            run.stdout
        );
        repository.update(&["0.25.6"]).exits_with(0);
        assert!(repository.read(path).contains(arm64));
    }
    let repository = streaming();
    repository.edit(path, &format!(" sha256='{arm64}'"), "");
    repository.finds(&[&format!("{path}:8:22: hash: missing the hash of arm64")]);
    let run = repository.run(&["check"]).exits_with(1);
    let advice = "1 finding in 1 file. Fix it by hand.\n";
    assert!(run.stdout.ends_with(advice), "{}", run.stdout);
    let windows = "0.25.6/windowsservercore-1809/Dockerfile";
    let repository = streaming();
    repository.edit(
        windows,
        "41BE7DE372EEA07F0923420C525336EAF311AB9F9878D8823CF7B69C74DA5351",
        "41BE7DE3",
    );
    repository.finds(&[&format!(
        "{windows}:11:14: hash: missing `<sha256>`: an archive is downloaded"
    )]);
}

#[test]
fn a_hash_in_upper_case_is_one_of_windows() {
    let path = "0.25.6/alpine3.18/Dockerfile";
    let arm64 = "caf2839d14c610d9d62afeb9022ee36aa4ff5adc86d0402bb7e1a5d7f5e7d26f";
    let upper = arm64.to_uppercase();
    let repository = streaming();
    repository.edit(path, arm64, &upper);
    repository.finds(&[&format!(
        "{path}:8:38: hash: found {upper}, expected {arm64}"
    )]);
    repository.update(&["0.25.6"]).exits_with(0);
    repository.finds(&[]);
}

#[test]
fn what_is_copied_from_has_a_variant() {
    let path = "0.25.6/scratch/Dockerfile";
    for tag in ["0.25.6", "0.25.6-", "0.25.6-$V"] {
        let repository = streaming();
        repository.edit(path, "0.25.6-alpine3.18", tag);
        let findings = repository.findings();
        let is_found = findings
            .iter()
            .any(|one| one.contains("expected a tag with a variant behind the version"));
        assert!(is_found, "{tag}: {findings:?}");
        repository.update_fails(
            &["0.25.6"],
            &["expected a tag with a variant behind the version"],
        );
    }
}

#[test]
fn a_copy_from_an_image_that_cannot_be_the_right_one() {
    let path = "0.25.6/scratch/Dockerfile";
    for (tag, finding) in [
        (
            "0.25.6-windowsservercore-1809",
            "found 0.25.6-windowsservercore-1809: windowsservercore-1809 is for Windows, and scratch for Linux",
        ),
        (
            "0.25.6-scratch",
            "found 0.25.6-scratch: scratch copies from itself",
        ),
        (
            "0.25.6-alpine",
            "found 0.25.6-alpine, expected 0.25.6-alpine3.18",
        ),
        (
            "v0.25.6-alpine3.18",
            "found v0.25.6-alpine3.18, expected 0.25.6-alpine3.18",
        ),
        (
            "0.25-alpine3.18",
            "found 0.25-alpine3.18, expected 0.25.6-alpine3.18",
        ),
        ("alpine3.18", "found alpine3.18, expected 0.25.6-alpine3.18"),
    ] {
        let repository = streaming();
        repository.edit(path, "0.25.6-alpine3.18", tag);
        repository.finds(&[&format!("{path}:3:28: reference: {finding}")]);
    }
}

#[test]
fn a_version_behind_a_variable_default_or_v() {
    for (path, old, new, finding) in [
        (
            "tests/build-images.sh",
            "ver=(NATS_STREAMING_SERVER 0.25.6)",
            "NATS_STREAMING_SERVER=\"${NATS_STREAMING_SERVER:-0.25.5}\"",
            "4:49: version: found 0.25.5",
        ),
        (
            "tests/build-images.sh",
            "ver=(NATS_STREAMING_SERVER 0.25.6)",
            "NATS_STREAMING_SERVER=${1:-0.25.5}",
            "4:28: version: found 0.25.5",
        ),
        (
            "tests/build-images.sh",
            "ver=(NATS_STREAMING_SERVER 0.25.6)",
            "ver=(NATS_SERVER 0.24.6)",
            "4:18: version: found 0.24.6",
        ),
        (
            "tests/build-images-2019.ps1",
            "'NATS_STREAMING_SERVER 0.25.6'.Split(' ')[1]",
            "'0.24.6'",
            "3:9: version: found 0.24.6",
        ),
        (
            "tests/build-images-2019.ps1",
            "\\0.25.6\\nanoserver-1809",
            "\\0.24.6",
            "9:19: directory: found 0.24.6",
        ),
    ] {
        let repository = streaming();
        repository.edit(path, old, new);
        repository.finds(&[&format!("{path}:{finding}")]);
        let repaired = repository.update(&["0.25.6"]).exits_with(0);
        assert!(repaired.stdout.contains("→ 0.25.6"), "{}", repaired.stdout);
    }
    let repository = streaming();
    repository.edit(
        "0.25.6/scratch/Dockerfile",
        "FROM scratch",
        "ARG VERSION=0.25.5\nARG VARIANT=alpine3.17\nFROM nats-streaming:${VERSION}-${VARIANT} AS source\nFROM scratch",
    );
    repository.finds(&[
        "0.25.6/scratch/Dockerfile:1:13: version: found 0.25.5, expected 0.25.6",
        "0.25.6/scratch/Dockerfile:2:13: reference: found alpine3.17, expected alpine3.18",
    ]);
}

#[test]
fn scripts_that_loop_over_bases_mention_all_variants_of_a_family() {
    let loops = [
        "for a in 3.18; do docker build --tag \"nats-streaming:${ver[1]}-alpine${a}\" ../alpine$a; done\ndocker build -t nats-streaming:${ver[1]}-scratch ../scratch\n",
        "for v in alpine3.{17,18} scratch; do docker build --tag nats-streaming:${ver[1]}-$v ../$v; done\n",
        "for d in ../alpine* ../scratch; do docker build $d; done\n",
    ];
    for text in loops {
        let repository = streaming();
        repository.write(
            "tests/build-images.sh",
            format!("ver=(NATS_STREAMING_SERVER 0.25.6)\n{text}"),
        );
        repository.finds(&[]);
    }
}

#[test]
fn marks_of_a_merge_and_files_that_editors_leave() {
    let repository = streaming();
    repository.edit(
        "0.25.6/scratch/Dockerfile",
        "FROM scratch\n",
        "<<<<<<< ours\nFROM scratch\n=======\nFROM scratch\n>>>>>>> theirs\n",
    );
    repository.write("0.25.6/scratch/Dockerfile.orig", "FROM old\n");
    repository.write("0.25.6/scratch/Dockerfile~", "FROM old\n");
    repository
        .finds(&["0.25.6/scratch/Dockerfile:1:1: conflict: has unresolved merge-conflict markers"]);
}

#[test]
fn a_preview_need_not_give_a_version() {
    let repository = Repository::of(&tree("series/after"));
    repository.write(
        "2.14.x/alpine3.22/Dockerfile.preview",
        "FROM golang:1.23-alpine3.22 AS build\nFROM alpine:3.22\nCOPY --from=build /a /a\n",
    );
    repository.finds(&[]);
    for variant in ["scratch", "alpine3.22"] {
        let text =
            "ARG BASE_IMAGE=nats:2.14.5-alpine3.22\nFROM golang:1.23 AS build\nFROM $BASE_IMAGE\n";
        repository.write(&format!("2.14.x/{variant}/Dockerfile.preview"), text);
    }
    repository.finds(&[]);
}

#[test]
fn the_names_of_a_repository_are_read_off_its_archives_whatever_else_it_downloads() {
    let repository = Repository::of(&tree("series/after"));
    repository.edit(
        "2.14.x/alpine3.22/Dockerfile",
        "EXPOSE",
        "ADD https://github.com/other/tool/releases/download/v1.2.3/tool-linux-amd64 /\nEXPOSE",
    );
    repository.finds(&[]);
}

#[test]
fn a_variant_on_another_base_is_found_once() {
    let repository = Repository::of(&tree("streaming/before"));
    let path = "0.25.5/alpine3.18/Dockerfile";
    repository.edit(path, "FROM alpine:3.18", "FROM debian:12");
    let all = repository.findings();
    let of_base: Vec<&String> = all.iter().filter(|one| one.contains(": base: ")).collect();
    let expected =
        format!("{path}:1:1: base: missing `FROM …:3.18`: no stage is based on alpine 3.18");
    assert_eq!(of_base, [&expected], "{all:#?}");
}

#[test]
fn colour_is_for_terminals_and_for_those_who_force_it() {
    let repository = Repository::of(&tree("streaming/before"));
    repository.edit("0.25.5/alpine3.18/Dockerfile", "alpine:3.18", "alpine:3.17");
    for (forced, is_coloured) in [(None, false), (Some("0"), false), (Some("1"), true)] {
        let mut command = program(repository.root(), &["check"]);
        command.envs(forced.map(|value| ("CLICOLOR_FORCE", value)));
        let run = Run::of(&mut command).exits_with(1);
        assert_eq!(run.stdout.contains('\x1b'), is_coloured, "{forced:?}");
    }
}

#[test]
fn a_newer_directory_without_variants_hides_nothing() {
    let repository = Repository::of_this_project();
    let path = "0.25.6/alpine3.18/Dockerfile";
    repository.write(path, repository.read(path) + "# by hand\n");
    let template = "0.25.6/alpine3.18/Dockerfile:37:1: template: found `# by hand`";
    repository.finds(&[template]);
    repository.write("0.25.7/README", "soon\n");
    let found = repository.findings();
    assert!(
        found.iter().any(|one| one.starts_with(template)),
        "{found:?}"
    );
}

#[test]
fn a_folder_that_is_given_is_the_one_that_is_checked() {
    let repository = Repository::of_this_project();
    repository.write("docs/README", "x\n");
    let inside = repository.path("docs");
    run(&inside, &["check", "-q"]).exits_with(0);
    run(&inside, &["check", "-C", "."]).fails_with(&["version director"]);
}
