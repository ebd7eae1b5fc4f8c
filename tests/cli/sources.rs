//! Where a Dockerfile gets the server from, and what becomes the image.

use crate::support::{Repository, tree};

const SCRATCH: &str = "2.14.x/scratch/Dockerfile";
const ALPINE: &str = "2.14.x/alpine3.22/Dockerfile";

fn series() -> Repository {
    Repository::of(&tree("series/before"))
}

#[test]
fn the_server_is_copied_from_our_own_image_by_version_and_variant() {
    let with = |image: &str| {
        let repository = series();
        let text = repository.read(SCRATCH);
        let copy = format!(
            "ENV NATS_SERVER 2.14.4\nFROM golang:1.24 AS nats-tools\nFROM scratch\nCOPY --from={image} /x /x\n"
        );
        repository.write(SCRATCH, text + &copy);
        repository
    };
    for right in [
        "nats:2.14.4-alpine3.22",
        "docker.io/library/nats:2.14.4-alpine3.22",
        "nats:${NATS_SERVER}-alpine3.22",
        "mirror.example/nats:2.14.4-alpine3.22",
        "ghcr.io/somebody/tini:1.2.3",
        "nats-tools",
        "0",
    ] {
        with(right).finds(&[]);
    }
    let ours = "expected nats, whose version this is";
    let whole = "expected `nats:<version>-<variant>`, to copy from";
    for (wrong, found, expected) in [
        ("evil/nats:2.14.4-alpine3.22", "evil/nats", ours),
        ("evil:${NATS_SERVER}-alpine3.22", "evil", ours),
        ("nats", "nats", whole),
        ("nats:${NATS_SERVER}", "nats:${NATS_SERVER}", whole),
    ] {
        with(wrong).finds(&[&format!("image: found {found}, {expected}")]);
    }
}

#[test]
fn the_last_stage_is_on_the_base_of_its_variant() {
    let with = |stages: &str| {
        let repository = series();
        let text = repository.read(ALPINE);
        repository.write(ALPINE, text + stages);
        repository
    };
    for right in ["FROM alpine:3.22\n", "FROM scratch\nCOPY --from=0 / /\n"] {
        with(right).finds(&[]);
    }
    with("FROM debian:12\n").finds(&[
        "base: found a last stage on debian, expected one on alpine 3.22: it becomes the image",
    ]);
}

#[test]
fn a_workflow_gives_a_dockerfile_the_version_of_its_series() {
    let with = |version: &str| {
        let repository = series();
        let step = format!("docker build --build-arg NATS_SERVER={version} ./2.14.x/alpine3.22");
        let job = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: ";
        repository.write(".github/workflows/own.yml", format!("{job}{step}\n"));
        repository
    };
    with("2.14.4").finds(&[]);
    // Of a series that is not here nobody knows.
    with("2.9.1").finds(&[]);
    with("2.14.3").finds(&["version: found 2.14.3, expected 2.14.4"]);
}
