//! `update library`: the file from which Docker builds official images, and repositories that it is for.

mod bad_input;
mod check;
mod tags;
mod update;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Repository, Run, program, project, same, tree};

const COMMIT: &str = "2222222222222222222222222222222222222222";

/// A library file of the tests.
fn file(name: &str) -> String {
    fs::read_to_string(project().join("tests/library").join(name)).expect("a library file")
}

/// git without the settings of whoever runs the tests.
fn git(root: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command
        .current_dir(root)
        .args([
            "-c",
            "user.name=Tests",
            "-c",
            "user.email=tests@example.com",
        ])
        .args(args);
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    let run = Run::of(&mut command).exits_with(0);
    run.stdout.trim_end().to_owned()
}

/// A repository whose tree is committed on `main`, with a library file beside it.
struct Published {
    repository: Repository,
    head: String,
}

impl Published {
    fn of(repository: Repository, library: &str) -> Self {
        git(
            repository.root(),
            &["init", "--quiet", "--initial-branch=main"],
        );
        let mut published = Self {
            repository,
            head: String::new(),
        };
        published.commit();
        published
            .repository
            .write("library", library.replace("{HEAD}", &published.head));
        published
    }

    /// The tree of two series, at 2.14.5 and 2.12.15.
    fn lines(library: &str) -> Self {
        Self::of(Repository::of(&tree("series/after")), library)
    }

    /// This project's tree, and a file that is right for it.
    fn right() -> Self {
        let library = file("nats-streaming-0.25.6")
            .replace("b58b5957ac6c7e2349e52a01ec61fb0afb376ac5", "{HEAD}");
        Self::of(Repository::of_this_project(), &library)
    }

    fn commit(&mut self) {
        git(self.repository.root(), &["add", "--all", "--", ":!library"]);
        git(
            self.repository.root(),
            &["commit", "--quiet", "--message=A tree"],
        );
        self.head = git(self.repository.root(), &["rev-parse", "HEAD"]);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = program(
            self.repository.root(),
            &[&["library", "library"], args].concat(),
        );
        command
            .env("PATH", std::env::var_os("PATH").expect("PATH"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(&mut self.command(args))
    }

    fn library(&self) -> String {
        self.repository.read("library")
    }

    /// The library file after an update for a commit that is not here.
    #[track_caller]
    fn update(&self, args: &[&str]) -> String {
        let run = self
            .run(&[&["--commit", COMMIT], args].concat())
            .exits_with(0);
        assert!(
            run.stderr
                .contains(&format!("warning: {COMMIT} is not in this repository")),
            "{}",
            run.stderr
        );
        self.library()
    }

    /// The update fails with these words, and leaves every byte as it was.
    #[track_caller]
    fn fails(&self, args: &[&str], parts: &[&str]) {
        let before = self.repository.snapshot();
        self.run(args).fails_with(parts);
        same(&self.repository.snapshot(), &before);
    }

    /// `--check` finds these, by place, rule and words, and nothing else.
    #[track_caller]
    fn finds(&self, expected: &[&str]) {
        let before = self.repository.snapshot();
        let run = self
            .run(&["--check"])
            .exits_with(i32::from(!expected.is_empty()));
        // What the tree has besides is said below, and is no finding.
        let lines = run.stdout.lines();
        let lines: Vec<&str> = lines
            .filter(|line| !line.starts_with("not offered: "))
            .collect();
        let findings = &lines[..lines.len() - 1];
        let matches = findings.len() == expected.len()
            && findings
                .iter()
                .zip(expected)
                .all(|(found, part)| found.contains(part));
        assert!(matches, "wanted {expected:#?}, found {findings:#?}");
        same(&self.repository.snapshot(), &before);
    }

    /// With these mistakes in a file that was right, `--check` finds these.
    #[track_caller]
    fn with(edits: &[(&str, &str)], expected: &[&str]) {
        let published = Self::right();
        for (old, new) in edits {
            published.repository.edit("library", old, new);
        }
        published.finds(expected);
    }
}

#[track_caller]
fn same_text(found: &str, expected: &str) {
    assert!(found == expected, "found:\n{found}\nwanted:\n{expected}");
}
