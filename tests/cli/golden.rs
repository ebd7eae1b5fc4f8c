//! Whole results in every format, as they are recorded in `tests/golden`.
//!
//! After a change that is meant, `GOLDEN=write cargo test golden` records them anew; the difference is then read as code is.

use std::fs;
use std::path::Path;

use crate::support::{Repository, Run, program, project, releases, tree};

const FORMATS: [&str; 4] = ["text", "json", "markdown", "github"];

/// What a command prints in each format, run on a fresh repository each time, and the summary that GitHub's runner gets.
fn results(repository: &dyn Fn() -> Repository, from: &Path, args: &[&str]) -> String {
    let mut out = String::new();
    for format in FORMATS {
        let repository = repository();
        let summary = repository.path("../summary.md");
        let _ = fs::remove_file(&summary);
        let mut command = program(
            &repository.path("."),
            &[args, &["--format", format]].concat(),
        );
        command
            .env("UPDATE_FROM", from)
            .env("GITHUB_STEP_SUMMARY", &summary);
        let Run {
            status,
            stdout,
            stderr,
        } = Run::of(&mut command);
        out += &format!(
            "== {} --format {format}\n{stdout}-- status {status}\n{stderr}",
            args.join(" ")
        );
        if let Ok(summary) = fs::read_to_string(&summary) {
            out += &format!("-- summary\n{summary}");
        }
    }
    out
}

#[track_caller]
fn is_recorded(name: &str, found: &str) {
    let path = project().join("tests/golden").join(name);
    if std::env::var_os("GOLDEN").is_some_and(|what| what == "write") {
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(&path, found).expect("it can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is not what is printed now:\n{found}",
        path.display()
    );
}

/// A tree in a folder of its own inside of another, so that files beside it are not part of it.
fn nested(name: &str) -> Repository {
    Repository::nested(&tree(name))
}

#[test]
fn a_release_of_one_version() {
    is_recorded(
        "release",
        &results(&|| nested("streaming/before"), &releases(), &["0.25.6"]),
    );
}

#[test]
fn releases_of_two_series() {
    let from = tree("series/releases");
    is_recorded(
        "two-series",
        &results(&|| nested("series/before"), &from, &["2.14.5", "2.12.15"]),
    );
}

#[test]
fn other_bases() {
    let args = ["--base", "alpine=3.19", "--base", "windows=ltsc2022"];
    is_recorded("bases", &results(&|| nested("own"), &releases(), &args));
}

#[test]
fn new_variants() {
    let args = [
        "--add",
        "alpine3.19",
        "--add",
        "windowsservercore-ltsc2022",
        "--add",
        "nanoserver-ltsc2022",
    ];
    is_recorded("variants", &results(&|| nested("own"), &releases(), &args));
}

#[test]
fn findings_of_every_kind() {
    let wrong = || {
        let repository = nested("own");
        repository.edit(
            "0.25.6/alpine3.18/Dockerfile",
            "FROM alpine:3.18",
            "FROM alpine:3.17",
        );
        repository.edit("0.25.6/alpine3.18/Dockerfile", "aarch64)", "arm64)");
        repository.edit(
            "0.25.6/scratch/Dockerfile",
            "0.25.6-alpine3.18",
            "0.25.5-alpine3.18",
        );
        repository.edit(
            "0.25.6/windowsservercore-1809/Dockerfile",
            "SERVER=0.25.6",
            "SERVER=0.25.5",
        );
        repository.edit(
            "0.25.6/nanoserver-1809/Dockerfile",
            "EXPOSE 4222 8222",
            "EXPOSE 4222",
        );
        repository.edit(
            "tests/build-images.sh",
            "alpine3.18 scratch",
            "scratch alpine3.18",
        );
        repository.edit("tests/run-images-2019.ps1", ", 'nanoserver-1809'", "");
        repository
    };
    is_recorded("findings", &results(&wrong, &releases(), &["check"]));
}

#[test]
fn a_library_file() {
    let published = |library: &'static str| {
        move || {
            let repository = nested("own");
            let text =
                fs::read(project().join("tests/library").join(library)).expect("a library file");
            repository.write("../library", text);
            repository
        }
    };
    let commit = ["--commit", "b58b5957ac6c7e2349e52a01ec61fb0afb376ac5"];
    let update = [&["library", "../library"], &commit[..]].concat();
    is_recorded(
        "library",
        &results(&published("nats-streaming-0.25.5"), &releases(), &update),
    );
    let check = ["library", "../library", "--check"];
    is_recorded(
        "library-check",
        &results(&published("nats-streaming-0.25.5"), &releases(), &check),
    );
}
