//! Nothing is guessed: what nothing binds is refused, and what is somebody else's is left alone.

use crate::support::{Repository, same, snapshot, tree};

const ALPINE: &str = "0.25.5/alpine3.18/Dockerfile";
const WINDOWS: &str = "0.25.5/windowsservercore-1809/Dockerfile";

fn streaming() -> Repository {
    Repository::of(&tree("streaming/before"))
}

#[test]
fn versions_are_compared_as_versions() {
    let repository = streaming();
    let comment = "# NATS_STREAMING_SERVER 0.25.50 was skipped\n";
    repository.edit(ALPINE, "EXPOSE", &format!("{comment}EXPOSE"));
    repository.update(&["-q", "0.25.6"]).exits_with(0);
    assert!(
        repository
            .read("0.25.6/alpine3.18/Dockerfile")
            .contains(comment)
    );
}

#[test]
fn the_hashes_of_a_second_program_are_not_ours() {
    let repository = streaming();
    let second = format!(
        "RUN V=0.6.1; case \"$(apk --print-arch)\" in \\\n\taarch64) topArch='arm64'; sha256='{}' ;; \\\n\tx86_64) topArch='amd64'; sha256='{}' ;; \\\n\tesac; \\\n\twget https://github.com/nats-io/nats-top/releases/download/v${{V}}/nats-top_${{V}}_linux_${{topArch}}.tar.gz\nEXPOSE",
        "1".repeat(64),
        "2".repeat(64)
    );
    repository.edit(ALPINE, "EXPOSE", &second);
    repository.finds(&[]);
    repository.update(&["-q", "0.25.6"]).exits_with(0);
    let text = repository.read("0.25.6/alpine3.18/Dockerfile");
    assert!(
        text.contains(&second) && text.contains("caf2839d"),
        "{text}"
    );
}

#[test]
fn two_hashes_in_a_branch_cannot_be_told_apart() {
    let repository = streaming();
    repository.edit(
        ALPINE,
        "armv7) natsArch='arm7';",
        &format!("armv7) natsArch='arm7'; sum='{}';", "1".repeat(64)),
    );
    repository.update_fails(
        &["0.25.6"],
        &[
            "Dockerfile:10: hash: found 1111",
            "cannot tell which archive this hash belongs to",
        ],
    );
}

#[test]
fn a_pin_is_of_what_the_address_names() {
    let cannot = "cannot tell which archive this hash belongs to";
    let repository = streaming();
    repository.edit(
        WINDOWS,
        "nats-streaming-server-v{0}-windows-amd64.zip'",
        "download?os=windows&arch=amd64'",
    );
    repository.update_fails(&["0.25.6"], &["hash: found 709B481B", cannot]);
    // Another server's archive.
    let repository = streaming();
    repository.edit(
        ALPINE,
        "/nats-streaming-server-v${NATS_STREAMING_SERVER}-linux",
        "/other-nats-streaming-server-v${NATS_STREAMING_SERVER}-linux",
    );
    repository.edit(
        ALPINE,
        "\"nats-streaming-server-v${NATS_STREAMING_SERVER}-linux",
        "\"other-v${NATS_STREAMING_SERVER}-linux",
    );
    repository.update_fails(&["0.25.6"], &["Dockerfile:8: hash: found 937af3f9", cannot]);
    // A hash of another kind.
    let repository = streaming();
    repository.edit(
        ALPINE,
        "937af3f9cdbfe3cb4648cf8c8f505dded2cc175d59ba10e13ec71d1c04e61bf2",
        &"ab".repeat(64),
    );
    repository.update_fails(
        &["0.25.6"],
        &["it has 128 digits, expected the 64 of a SHA-256"],
    );
    // Digits too many are a mistake, and written right.
    let repository = streaming();
    repository.edit(
        ALPINE,
        "937af3f9cdbfe3cb4648cf8c8f505dded2cc175d59ba10e13ec71d1c04e61bf2",
        &"a".repeat(72),
    );
    repository.update(&["-q", "0.25.6"]).exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn where_a_version_moves_and_a_pin_stays_the_update_is_refused() {
    let dockerfile = |address: &str| {
        format!(
            "FROM alpine:3.18\nENV NATS_STREAMING_SERVER=0.25.5\nRUN wget {address} && echo '{}  x' | sha256sum -c -\n",
            "1".repeat(64)
        )
    };
    for address in [
        "https://example.com/nats-streaming-server_0.25.5_linux.tar.gz",
        "https://example.com/nats-streaming-server-${NATS_STREAMING_SERVER}.tar.gz",
        "https://github.com/nats-io/nats-streaming-server/releases/download/v0.25.5/server_linux.tar.gz",
    ] {
        let repository = streaming();
        repository.write(ALPINE, dockerfile(address));
        repository.update_fails(
            &["0.25.6"],
            &[
                "Dockerfile:3: hash: found 1111",
                "cannot tell which archive",
            ],
        );
    }
}

#[test]
fn another_programs_version_that_happens_to_be_the_same_is_not_moved_silently() {
    let repository = streaming();
    repository.edit(ALPINE, "EXPOSE", "ENV TINI_VERSION 0.25.5\nEXPOSE");
    repository.finds(&[]);
    repository.update_fails(
        &["0.25.6"],
        &["mention: found 0.25.5: cannot tell whether this is the server's version"],
    );
    let repository = streaming();
    repository.edit(
        ALPINE,
        "EXPOSE",
        "ADD https://example.com/tini/0.25.5/tini.apk /\nEXPOSE",
    );
    repository.update_fails(
        &["0.25.6"],
        &["cannot tell whether this is the server's version"],
    );
}

#[test]
fn a_pattern_that_numbers_fit_is_refused() {
    for pattern in ["{major}", "{major}.{minor}"] {
        let repository = streaming();
        repository.write("update.toml", format!("directory = \"{pattern}\"\n"));
        repository.update_fails(
            &["0.25.6"],
            &["./update.toml:1:13: `directory`: would make names that are bare numbers"],
        );
    }
}

#[test]
fn a_repository_that_is_not_known_is_not_guessed() {
    let repository = Repository::empty();
    repository.write(
        "1.2.3/alpine3.18/Dockerfile",
        "FROM alpine:3.18\nENV OTHER 1.2.3\nADD https://github.com/krallin/tini/releases/download/v0.19.0/tini /tini\n",
    );
    repository.run(&["check"]).fails_with(&[
        "do not know this repository: no Dockerfile downloads an archive of",
        "Add an `update.toml` to the repository's top folder that says which server it is for, for example:\nimage = \"nats-streaming\"\n",
    ]);
    repository.update_fails(&["1.2.4"], &["do not know this repository"]);
}

#[test]
fn what_an_update_toml_leaves_out_is_inferred() {
    let repository = streaming();
    repository.write("update.toml", "directory = \"{version}\"\n");
    repository.update(&["-q", "0.25.6"]).exits_with(0);
    repository.remove("update.toml");
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn a_download_without_a_pin_is_bumped_and_said() {
    let repository = streaming();
    let text = repository.read(ALPINE);
    let kept = text
        .lines()
        .filter(|line| !line.contains("sha256"))
        .map(|line| format!("{line}\n"));
    let kept = kept
        .collect::<String>()
        .replace("\tcase \"$apkArch\" in \\\n", "\tnatsArch=amd64; \\\n")
        .replace(
            "\t\t*) echo >&2 \"no build for $apkArch\"; exit 1 ;; \\\n\tesac; \\\n",
            "",
        );
    repository.write(ALPINE, kept);
    let run = repository.update(&["0.25.6"]).exits_with(0);
    let remaining = "\nRemaining findings of `update check`:\n  0.25.6/alpine3.18/Dockerfile:8:25: hash: missing `<sha256>`: an archive is downloaded, and no hash is pinned for it\n";
    assert!(run.stdout.contains(remaining), "{}", run.stdout);
    assert!(
        repository
            .read("0.25.6/alpine3.18/Dockerfile")
            .contains("ENV NATS_STREAMING_SERVER 0.25.6\n")
    );
}

#[test]
fn of_several_directories_the_order_is_that_of_versions() {
    let repository = streaming();
    for (path, (mode, bytes)) in snapshot(&repository.path("0.25.5")) {
        let text = String::from_utf8_lossy(&bytes).replace("0.25.5", "0.9.9");
        repository.write(
            &format!("0.9.9/{path}"),
            text.replace("937af3f9", "837af3f9"),
        );
        repository.set_mode(&format!("0.9.9/{path}"), mode);
    }
    repository.update_fails(&["0.9.10"], &["0.9.10 is below the 0.25.5 of 0.25.5/"]);
    repository.write("releases/v0.9.10/SHA256SUMS", {
        let sums = std::fs::read_to_string(crate::support::releases().join("v0.25.6/SHA256SUMS"))
            .expect("sums");
        sums.replace("0.25.6", "0.9.10")
    });
    repository
        .run(&["--from", "releases", "-q", "0.9.10", "--allow-downgrade"])
        .exits_with(0);
    assert!(repository.path("0.9.10/scratch").exists() && !repository.path("0.9.9").exists());
}

#[test]
fn what_is_asked_for_twice_or_makes_no_sense_is_refused() {
    for (args, part) in [
        (
            &["--base", "alpine=3.19", "--base", "alpine=3.20"][..],
            "another `--base` moves alpine3.18 already",
        ),
        (
            &["--runner", "ubuntu=22.04", "--runner", "ubuntu=24.04"],
            "another `--runner` moves ubuntu already",
        ),
        (
            &["--base", "alpine=3.19", "--keep", "0.25.6"],
            "cannot be used with",
        ),
        (
            &["--runner", "ubuntu=.."],
            "expected one such as 24.04 or latest",
        ),
        (&["--add", "alpine.."], "expected the name of a variant"),
        (&["--add", "alpine3.x"], "expected the name of a variant"),
        (
            &["--base", "alpine=3.x"],
            "expected a numbered base, such as 3.19",
        ),
        (&["--base", "scratch=3"], "scratch has no base"),
        (
            &["--base", "alpine=..3"],
            "expected a numbered base, such as",
        ),
    ] {
        streaming().update_fails(args, &[part]);
    }
}

#[test]
fn a_list_of_checksums_is_read_in_the_forms_that_tools_write() {
    let sums = std::fs::read_to_string(crate::support::releases().join("v0.25.6/SHA256SUMS"))
        .expect("sums");
    for text in [
        format!("\u{feff}{sums}"),
        sums.replace("  nats", "  ./nats"),
    ] {
        let repository = streaming();
        repository.write("releases/v0.25.6/SHA256SUMS", text);
        repository
            .run(&["--from", "releases", "-q", "0.25.6"])
            .exits_with(0);
        repository.remove("releases");
        same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
    }
}

#[test]
fn a_series_named_in_a_root_script_is_a_directory() {
    let repository = Repository::of(&tree("series/before"));
    let script = "ver=(NATS_SERVER 2.12.x)\n(\n\tcd \"../${ver[1]}/alpine3.21\"\n\tdocker build --tag nats:2.12.14-alpine3.21 .\n)\n";
    repository.write("tests/build-2.12.sh", script);
    let findings = repository.findings();
    assert!(findings.is_empty(), "{findings:?}");
    let from = tree("series/releases");
    repository
        .run(&["--from", from.to_str().expect("UTF-8"), "-q", "2.12.15"])
        .exits_with(0);
    assert_eq!(
        repository.read("tests/build-2.12.sh"),
        script.replace("2.12.14", "2.12.15")
    );
}

/// A Dockerfile that pins the Windows archive, with something more in it.
fn with(more: &str) -> Repository {
    let repository = streaming();
    let path = "0.25.5/windowsservercore-1809/Dockerfile";
    repository.write(path, repository.read(path) + more);
    repository
}

const AMD64: &str = "https://github.com/nats-io/nats-streaming-server/releases/download/v${NATS_STREAMING_SERVER}/nats-streaming-server-v${NATS_STREAMING_SERVER}-linux-amd64.tar.gz";
const OLD_AMD64: &str = "22762f4d0ccfc75947096a14e09566b816113e125a3d39f7914a0c332bee25a7";
const NEW_AMD64: &str = "10f25b100a5b9a7389882883259790d599b557a16ddde1accdfcf9361e19b2f9";

#[test]
fn a_hash_that_is_called_like_another_program_is_not_taken_for_ours() {
    let tini = "4".repeat(64);
    let path = "0.25.5/alpine3.18/Dockerfile";
    let with = |text: &str| {
        let repository = streaming();
        let text = format!("FROM alpine:3.18\nENV NATS_STREAMING_SERVER=0.25.5\n{text}");
        repository.write(path, &text);
        (repository, text)
    };
    let (repository, _) = with(&format!("RUN wget {AMD64}\nENV TINI_SHA256={tini}\n"));
    let before = repository.snapshot();
    repository
        .update(&["0.25.6"])
        .fails_with(&["cannot tell which archive this hash belongs to"]);
    same(&repository.snapshot(), &before);
    // What follows another download, or belongs to it, is certainly of that.
    for text in [
        format!(
            "RUN wget {AMD64}\nADD --checksum=sha256:{tini} https://github.com/krallin/tini/releases/download/v0.19.0/tini-amd64 /tini\n"
        ),
        format!("RUN wget {AMD64}\nRUN wget -O t \"$TINI\" && echo \"{tini}  t\" | sha256sum -c\n"),
    ] {
        let (repository, text) = with(&text);
        repository.update(&["-q", "0.25.6"]).exits_with(0);
        let found = repository.read("0.25.6/alpine3.18/Dockerfile");
        assert_eq!(found, text.replace("0.25.5", "0.25.6"));
    }
}

#[test]
fn a_checksum_of_an_add_is_moved_and_keeps_its_kind() {
    let repository = streaming();
    let dockerfile = |version: &str, hash: &str| {
        format!(
            "FROM alpine:3.18\nENV NATS_STREAMING_SERVER={version}\nADD --checksum=sha256:{hash} {AMD64} /\n"
        )
    };
    repository.write(
        "0.25.5/alpine3.18/Dockerfile",
        dockerfile("0.25.5", OLD_AMD64),
    );
    repository.finds(&[]);
    repository.update(&["0.25.6"]).exits_with(0);
    let found = repository.read("0.25.6/alpine3.18/Dockerfile");
    assert_eq!(found, dockerfile("0.25.6", NEW_AMD64));
}

#[test]
fn a_case_that_another_program_shares_the_variable_of_is_not_ours() {
    let repository = streaming();
    let path = "0.25.5/alpine3.18/Dockerfile";
    let gosu = "5".repeat(64);
    let more = format!(
        "RUN case \"$(apk --print-arch)\" in \\\n\t\tx86_64) natsArch='amd64'; sha256='{gosu}' ;; \\\n\tesac; \\\n\twget https://github.com/tianon/gosu/releases/download/1.17/gosu-$natsArch\n"
    );
    repository.write(path, repository.read(path) + &more);
    repository.update(&["0.25.6"]).exits_with(0);
    let found = repository.read("0.25.6/alpine3.18/Dockerfile");
    assert!(
        found.contains(&gosu) && found.contains(NEW_AMD64),
        "{found}"
    );
}

#[test]
fn a_version_that_nothing_binds_to_the_server_stays_in_a_script_and_is_named() {
    let path = "tests/run-images.sh";
    for (line, uses, moves) in [
        ("version=\"0.25.5\"", "", false),
        ("ver=0.25.5", "curl https://bar.example/$ver.tgz", false),
        ("version=\"0.25.5\"", "cd ../$version/alpine3.18", true),
        ("v=0.25.5", "docker run nats-streaming:$v-scratch", true),
        ("NATS_VERSION=0.25.5", "", true),
        ("echo 0.25.5", "", true),
    ] {
        let repository = streaming();
        repository.write(path, format!("{}{line}\n{uses}\n", repository.read(path)));
        let run = repository.update(&["0.25.6"]).exits_with(0);
        let text = repository.read(path);
        let new = line.replace("0.25.5", "0.25.6");
        assert_eq!(text.contains(&new), moves, "{line} {uses}");
        let is_named = run.stdout.contains("tests/run-images.sh:");
        assert_eq!(is_named, !moves, "{}", run.stdout);
    }
}

#[test]
fn the_same_version_of_another_program_is_refused() {
    for line in [
        "COPY --from=bar:0.25.5 /bar /bar",
        "RUN pip install requests==0.25.5",
        "RUN npm i -g yarn@0.25.5",
        "RUN luarocks install x 0.25.5",
        "ENV BAR=0.25.5",
    ] {
        let repository = with(&format!("{line}\n"));
        let before = repository.snapshot();
        repository
            .update(&["0.25.6"])
            .fails_with(&["cannot tell whether this is the server's version"]);
        same(&repository.snapshot(), &before);
    }
}

#[test]
fn an_architecture_is_not_renamed_where_the_release_knows_its_name() {
    let repository = streaming();
    repository.edit(ALPINE, "natsArch='arm6'", "natsArch='armv6'");
    let releases = Repository::empty();
    let sums = std::fs::read_to_string(crate::support::releases().join("v0.25.6/SHA256SUMS"));
    let sums = sums.expect("the sums");
    let from = |sums: &str| {
        releases.write("v0.25.6/SHA256SUMS", sums);
        let from = releases.root().to_str().expect("UTF-8");
        repository.run(&["--from", from, "0.25.6"])
    };
    let before = repository.snapshot();
    from(&sums.replace("linux-arm6.", "linux-armv6."))
        .fails_with(&["the release lacks archives that the Dockerfiles pin"]);
    let both = sums.clone() + &sums.replace("linux-arm6.", "linux-armv6.");
    let mut lines: Vec<&str> = both.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    from(&(lines.join("\n") + "\n")).fails_with(&["found armv6, expected arm6"]);
    same(&repository.snapshot(), &before);
    // Where the release has only the right one, it is put right.
    from(&sums).exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}
