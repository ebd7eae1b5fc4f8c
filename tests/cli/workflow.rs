//! The workflow `update`, its steps run as a runner runs them, with a `gh` that only writes down what it is asked.

use std::fs;
use std::process::Command;

use crate::support::{Repository, project, releases, same, snapshot, tree};

/// The scripts of the workflow's steps that have an `id` or an `if`, in their order.
fn steps() -> Vec<String> {
    let text = fs::read_to_string(project().join(".github/workflows/update.yml")).expect("a file");
    let steps = text
        .split("      - ")
        .skip(1)
        .filter(|step| step.starts_with("name: "));
    let script = |step: &str| {
        let (_, script) = step.split_once("        run: ").expect("a script");
        let lines = script
            .lines()
            .map(|line| line.strip_prefix("          ").unwrap_or(line));
        lines
            .filter(|line| *line != "|")
            .collect::<Vec<_>>()
            .join("\n")
    };
    steps.map(script).collect()
}

fn git(repository: &Repository, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(repository.root())
        .output()
        .expect("git runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A day: both steps, with the answer of `gh pr list`. What `gh` was asked.
fn day(repository: &Repository, tools: &Repository, open: &str) -> String {
    let temp = tools.root().to_str().expect("UTF-8");
    tools.write("gh", format!("#!/bin/sh\nprintf '%s ' \"$@\" >> {temp}/asked\necho >> {temp}/asked\n[ \"$2\" != list ] || printf '%s' '{open}'\n"));
    tools.set_mode("gh", 0o755);
    tools.write("asked", "");
    tools.write("output", "");
    let steps = steps();
    let run = |script: &str, title: &str| {
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        command.current_dir(repository.root());
        let path = std::env::var("PATH").expect("a PATH");
        command
            .env("PATH", format!("{temp}:{path}"))
            .env("UPDATE_FROM", releases())
            .env("GITHUB_OUTPUT", format!("{temp}/output"))
            .env("GITHUB_STEP_SUMMARY", format!("{temp}/summary.md"))
            .env("TITLE", title)
            .env("BODY", format!("{temp}/summary.md"));
        let output = command.output().expect("bash runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    // Without archives in the recorded releases there is nothing to verify.
    run(&steps[0].replace(" --verify", ""), "");
    let said = tools.read("output");
    let value = |name: &str| {
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().to_owned()
    };
    if value("changed") == "true" {
        run(&steps[1], &value("title"));
    }
    said + &tools.read("asked")
}

#[test]
fn a_new_release_opens_a_pull_request_and_later_ones_bring_it_up_to_date() {
    let (repository, tools, origin) = (
        Repository::of(&tree("streaming/before")),
        Repository::empty(),
        Repository::empty(),
    );
    git(&origin, &["init", "--quiet", "--bare"]);
    git(&repository, &["init", "--quiet", "--initial-branch=main"]);
    fs::create_dir_all(repository.path("target/release")).expect("a folder");
    std::os::unix::fs::symlink(
        env!("CARGO_BIN_EXE_update"),
        repository.path("target/release/update"),
    )
    .expect("a link");
    repository.write(".gitignore", "/target\n");
    git(&repository, &["add", "--all"]);
    git(
        &repository,
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
            "commit",
            "--quiet",
            "-m",
            "Start",
        ],
    );
    git(
        &repository,
        &[
            "remote",
            "add",
            "origin",
            origin.root().to_str().expect("UTF-8"),
        ],
    );
    let temp = tools.root().display().to_string();

    assert_eq!(
        day(&repository, &tools, ""),
        format!(
            "changed=true\ntitle=Update to 0.25.6\nversions=0.25.6\n\
             pr list --head update-releases --state open --json number --jq .[].number \n\
             pr create --title Update to 0.25.6 --body-file {temp}/summary.md --head update-releases \n"
        )
    );
    assert!(
        tools
            .read("summary.md")
            .starts_with("## Update to 0.25.6\n\n- nats-streaming 0.25.5 → 0.25.6\n")
    );
    assert_eq!(
        git(&origin, &["log", "-1", "--format=%s", "update-releases"]),
        "Update to 0.25.6\n"
    );

    // The next day the pull request is still open.
    git(&repository, &["switch", "--quiet", "main"]);
    assert!(day(&repository, &tools, "7").ends_with(&format!(
        "pr edit update-releases --title Update to 0.25.6 --body-file {temp}/summary.md \n"
    )));

    // And when it is merged there is nothing to do.
    git(&repository, &["switch", "--quiet", "main"]);
    git(&repository, &["merge", "--quiet", "update-releases"]);
    assert_eq!(
        day(&repository, &tools, ""),
        "changed=false\ntitle=\nversions=\n"
    );
    let mut found = repository.snapshot();
    found.retain(|path, _| !path.starts_with("target") && !path.starts_with(".git"));
    same(&found, &snapshot(&tree("streaming/after")));
}
