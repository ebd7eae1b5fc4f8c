//! A workflow of any content, in a repository that is updated, or gets a new series: an update changes no line's number, and
//! another one nothing at all; a new series only adds lines.
#![no_main]

use std::sync::{Arc, LazyLock};

use update::fields::DocumentKind;
use update::plan::{Options, Plan, plan, targets};
use update::release::checksums::Checksums;
use update::repository::config::{Config, Pattern};
use update::repository::{Body, Document, Item, Origin, Repository};
use update::version::parse_version;

static REPOSITORY: LazyLock<Repository> = LazyLock::new(|| {
    let text = |version: &str| {
        let url = format!("https://github.com/nats-io/nats-server/releases/download/v{version}/nats-server-v{version}-linux-amd64.tar.gz");
        format!("FROM alpine:3.22\nENV NATS_SERVER {version}\nRUN wget {url} && natsArch=amd64; sha256={}\n", "1".repeat(64))
    };
    let all = [("2.12.x/alpine3.22/Dockerfile", "2.12.1"), ("2.14.x/alpine3.22/Dockerfile", "2.14.1")];
    let files = all.map(|(path, version)| (path.to_owned(), text(version).into_bytes()));
    let [image, server, owner] = ["nats", "nats-server", "nats-io"].map(str::to_owned);
    let config = Config { image, server, owner, directory: Pattern::series() };
    Repository::of_files(config, files.into()).expect("few names")
});

fn repository(workflow: &[u8]) -> Repository {
    let mut repository = REPOSITORY.clone();
    let document = Document::new(&repository.names.scanner, DocumentKind::Workflow, workflow.to_vec(), 0);
    let origin = Origin::At(".github/workflows/test.yml".to_owned());
    let body = Body::Document(Arc::new(document));
    repository.workflows.items.push(Item { name: "test.yml".to_owned(), origin, body });
    repository
}

fn planned(workflow: &[u8], version: &str) -> anyhow::Result<Plan> {
    let version = parse_version(version).unwrap();
    let repository = repository(workflow);
    let options = Options::default();
    let targets = targets(&repository, std::slice::from_ref(&version), &options)?;
    let published = [(version, Checksums::default())].into();
    plan(repository, targets, &published, &Options { allow_missing: true, ..options })
}

/// The workflow after a change that needs no release.
fn changed(repository: Repository, options: &Options) -> anyhow::Result<Vec<u8>> {
    let targets = targets(&repository, &[], options)?;
    plan(repository, targets, &Default::default(), options).map(|plan| workflow(&plan))
}

fn moved(text: &[u8], base: &str) -> anyhow::Result<Vec<u8>> {
    changed(repository(text), &Options { bases: vec![base.parse()?], ..Options::default() })
}

/// The same in a tree where the folder has that name.
fn moved_from(text: &[u8], folder: &str, base: &str) -> anyhow::Result<Vec<u8>> {
    let mut repository = repository(text);
    let tree = repository.trees.last_mut().unwrap();
    tree.folders[0].name = folder.to_owned();
    tree.refresh();
    changed(repository, &Options { bases: vec![base.parse()?], ..Options::default() })
}

fn without(text: &[u8], what: &str) -> anyhow::Result<Vec<u8>> {
    changed(repository(text), &Options { removes: vec![what.parse()?], ..Options::default() })
}

fn workflow(plan: &Plan) -> Vec<u8> {
    plan.after.workflows.items[0].document().unwrap().text.clone()
}

fn lines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    // A release of a series, written twice.
    if let Ok(first) = planned(text, "2.14.2") {
        let new = workflow(&first);
        assert_eq!(lines(&new), lines(text));
        if let Ok(second) = planned(&new, "2.14.2") {
            assert_eq!(workflow(&second), new);
        }
    }
    // Bases move and come back, and keep every line.
    if let Ok(there) = moved(text, "2.14.x/alpine=3.99") {
        assert_eq!(lines(&there), lines(text));
        if let Ok(back) = moved_from(&there, "alpine3.99", "2.14.x/alpine=3.22") {
            assert_eq!(lines(&back), lines(text));
        }
    }
    // What is removed takes lines away, and never adds one.
    if let Ok(less) = without(text, "2.12.x") {
        assert!(lines(&less) <= lines(text));
    }
    // A new series only adds lines.
    if let Ok(plan) = planned(text, "2.15.0") {
        assert!(lines(&workflow(&plan)) >= lines(text));
    }
});
