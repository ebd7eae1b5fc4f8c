//! Archives are downloaded and hashed where that is asked for, and pins are compared with what is published.

use sha2::{Digest, Sha256};

use crate::support::{Repository, same, snapshot, tree};
use crate::web::{Server, response};

const PLATFORMS: [&str; 6] = [
    "linux-386.tar.gz",
    "linux-amd64.tar.gz",
    "linux-arm6.tar.gz",
    "linux-arm64.tar.gz",
    "linux-arm7.tar.gz",
    "windows-amd64.zip",
];

fn archive(platform: &str) -> String {
    format!("nats-streaming-server-v0.25.6-{platform}")
}

/// What is in an archive: a megabyte or so that is its own.
fn content(platform: &str) -> Vec<u8> {
    platform.repeat(70_000).into_bytes()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A tree at 0.25.5, beside it a release 0.25.6 with archives that hash to what its sums say.
fn with_archives() -> Repository {
    let repository = Repository::of(&tree("streaming/before"));
    let mut sums = String::new();
    for platform in PLATFORMS {
        repository.write(
            &format!("releases/v0.25.6/{}", archive(platform)),
            content(platform),
        );
        sums += &format!("{}  {}\n", hash(&content(platform)), archive(platform));
    }
    repository.write("releases/v0.25.6/SHA256SUMS", sums);
    repository
}

const FROM: [&str; 2] = ["--from", "releases"];

#[test]
fn an_update_hashes_every_archive_before_it_writes() {
    let repository = with_archives();
    let run = repository
        .run(&[&FROM[..], &["--verify", "0.25.6"]].concat())
        .exits_with(0);
    let mut lines: Vec<&str> = run.stderr.lines().collect();
    lines.sort_unstable();
    let expected: Vec<String> = PLATFORMS
        .iter()
        .map(|platform| {
            let mebibytes = content(platform).len() as f64 / 1_048_576.0;
            format!("hashed {} ({mebibytes:.2} MiB)", archive(platform))
        })
        .collect();
    assert_eq!(lines, expected);
    assert!(
        repository
            .read("0.25.6/alpine3.18/Dockerfile")
            .contains(&hash(&content("linux-arm7.tar.gz")))
    );
    repository
        .run(&[&FROM[..], &["check", "--archives", "-q"]].concat())
        .exits_with(2);
    repository
        .run(&[&["check", "--archives"][..], &FROM].concat())
        .exits_with(0);
}

#[test]
fn archives_that_differ_stop_the_update_all_named_together() {
    let repository = with_archives();
    for platform in ["linux-arm64.tar.gz", "windows-amd64.zip"] {
        repository.write(
            &format!("releases/v0.25.6/{}", archive(platform)),
            "something else",
        );
    }
    let before = repository.snapshot();
    let run = repository
        .run(&[&FROM[..], &["--verify", "-q", "0.25.6"]].concat())
        .exits_with(2);
    let line = |platform: &str| {
        format!(
            "  {name}: found {} in releases/v0.25.6/{name}, expected {} as in SHA256SUMS: the archive was replaced or is damaged\n",
            hash(b"something else"),
            hash(&content(platform)),
            name = archive(platform)
        )
    };
    assert_eq!(
        run.stderr,
        format!(
            "error: these archives are missing, or have another hash:\n{}{}Nothing was written. Wait until all archives are uploaded; if a hash differs, ask those who published the release\n",
            line("linux-arm64.tar.gz"),
            line("windows-amd64.zip")
        )
    );
    same(&repository.snapshot(), &before);
}

#[test]
fn archives_that_are_not_there_stop_the_update() {
    let repository = with_archives();
    for platform in ["linux-386.tar.gz", "linux-arm6.tar.gz"] {
        repository.remove(&format!("releases/v0.25.6/{}", archive(platform)));
    }
    let before = repository.snapshot();
    repository
        .run(&[&FROM[..], &["--verify", "-q", "0.25.6"]].concat())
        .fails_with(&[
            "releases/v0.25.6/nats-streaming-server-v0.25.6-linux-386.tar.gz is not there\n",
            "releases/v0.25.6/nats-streaming-server-v0.25.6-linux-arm6.tar.gz is not there\n",
        ]);
    same(&repository.snapshot(), &before);
}

#[test]
fn one_that_differs_is_named_first_and_hides_none_that_is_missing() {
    let repository = with_archives();
    let place = |platform: &str| format!("releases/v0.25.6/{}", archive(platform));
    repository.remove(&place("linux-386.tar.gz"));
    repository.write(&place("windows-amd64.zip"), "something else");
    let before = repository.snapshot();
    let run = repository
        .run(&[&FROM[..], &["--verify", "-q", "0.25.6"]].concat())
        .exits_with(2);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(
        lines[1].contains("windows-amd64.zip: found ")
            && lines[2].ends_with("linux-386.tar.gz is not there"),
        "{}",
        run.stderr
    );
    same(&repository.snapshot(), &before);
}

#[test]
fn archives_come_from_an_address_too() {
    let repository = with_archives();
    let sums = repository.read("releases/v0.25.6/SHA256SUMS");
    repository.remove("releases");
    let server = Server::new(move |path, before| {
        let name = path.rsplit('/').next().expect("a name");
        match PLATFORMS.iter().find(|platform| archive(platform) == name) {
            // Broken off in the middle the first time; without a length, which only the hash can tell from a whole one.
            Some(&"linux-arm64.tar.gz") if before == 0 => {
                response("200 OK", "", content("linux-arm64.tar.gz"))[..100_000].to_vec()
            }
            Some(&"linux-arm7.tar.gz") => [
                b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".as_slice(),
                &content("linux-arm7.tar.gz")[..1000],
            ]
            .concat(),
            Some(platform) => response("200 OK", "", content(platform)),
            None => response("200 OK", "", &sums),
        }
    });
    let before = repository.snapshot();
    repository.run(&["--from", &server.address, "--verify", "-q", "0.25.6"]).fails_with(&[&format!(
        "error: these archives are missing, or have another hash:\n  {name}: found {} in {}/v0.25.6/{name}, expected {} as in SHA256SUMS: the archive was replaced or is damaged\n",
        hash(&content("linux-arm7.tar.gz")[..1000]),
        server.address,
        hash(&content("linux-arm7.tar.gz")),
        name = archive("linux-arm7.tar.gz"),
    )]);
    same(&repository.snapshot(), &before);
    // Each archive once, and once more the one that broke off.
    assert_eq!(
        server.requests.lock().expect("the log").len(),
        1 + PLATFORMS.len() + 1
    );
}

#[test]
fn check_online_compares_the_pins_with_the_published_sums() {
    let repository = Repository::of(&tree("streaming/after"));
    let check = |args: &[&str]| {
        let releases = crate::support::releases();
        repository.run(
            &[
                &["check", "--from", releases.to_str().expect("UTF-8")],
                args,
            ]
            .concat(),
        )
    };
    check(&["--online"]).exits_with(0);
    repository.edit("0.25.6/alpine3.18/Dockerfile", "caf2839d", "caf2839e");
    repository.finds(&[]);
    check(&["--online"]).exits_with(1).says(
        "0.25.6/alpine3.18/Dockerfile:8:38: hash: nats-streaming-server-v0.25.6-linux-arm64.tar.gz: found \
         caf2839e14c610d9d62afeb9022ee36aa4ff5adc86d0402bb7e1a5d7f5e7d26f, expected \
         caf2839d14c610d9d62afeb9022ee36aa4ff5adc86d0402bb7e1a5d7f5e7d26f as published\n1 finding in 1 file. Find out which hash is right.\n\
         compared with the SHA256SUMS in the folder releases, taken to be those of nats-io/nats-streaming-server\n",
    );
    repository.edit(
        "0.25.6/alpine3.18/Dockerfile",
        "aarch64) natsArch='arm64'",
        "s390x) natsArch='s390x'",
    );
    let run = check(&["--online"]).exits_with(1);
    assert!(
        run.stdout.contains(
            "hash: found a hash of nats-streaming-server-v0.25.6-linux-s390x.tar.gz, but the release has no such archive"
        ),
        "{}",
        run.stdout
    );
}

#[test]
fn check_archives_finds_an_archive_that_was_replaced() {
    let repository = with_archives();
    repository
        .run(&[&FROM[..], &["-q", "0.25.6"]].concat())
        .exits_with(0);
    repository.write(
        &format!("releases/v0.25.6/{}", archive("windows-amd64.zip")),
        "replaced",
    );
    let before = repository.snapshot();
    let run = repository
        .run(&[&["check", "--archives"][..], &FROM].concat())
        .exits_with(1);
    assert_eq!(
        run.stdout,
        format!(
            "0.25.6/windowsservercore-1809/Dockerfile:9:34: hash: {name}: found {} in releases/v0.25.6/{name}, expected {} as in SHA256SUMS: the archive was replaced or is damaged\n\
             1 finding in 1 file. Find out which hash is right.\ncompared with the SHA256SUMS in the folder releases, taken to be those of nats-io/nats-streaming-server\n6 archives downloaded and hashed: 1 not as published\n",
            hash(b"replaced"),
            hash(&content("windows-amd64.zip")),
            name = archive("windows-amd64.zip")
        )
    );
    same(&repository.snapshot(), &before);
}

#[test]
fn check_of_a_version_without_a_release_cannot_be_done_online() {
    let repository = Repository::of(&tree("series/after"));
    let releases = tree("series/releases");
    repository
        .run(&[
            "check",
            "--online",
            "--from",
            releases.to_str().expect("UTF-8"),
        ])
        .exits_with(0);
    repository
        .run(&["check", "--online", "--from", "nowhere"])
        .fails_with(&["cannot fetch from nowhere: there is no such folder"]);
    let other = crate::support::releases();
    repository
        .run(&[
            "check",
            "--online",
            "--from",
            other.to_str().expect("UTF-8"),
        ])
        .fails_with(&["no release 2.12.15: ", "no release 2.14.5: "]);
    same(&repository.snapshot(), &snapshot(&tree("series/after")));
}
