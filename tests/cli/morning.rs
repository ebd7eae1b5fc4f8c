//! A maintainer's morning: what is new, move each series to it, commit. With a real git, and releases from a folder and from
//! a server that holds the repository as well.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::{Repository, program, project, same, snapshot, tree};
use crate::web::{Server, response};

/// The recorded releases of the series, in a folder to which others can be added.
pub struct Releases(Repository);

impl Releases {
    pub fn new() -> Self {
        let releases = Self(Repository::empty());
        for version in ["2.12.15", "2.14.5"] {
            releases.publish(version, version);
        }
        releases
    }

    /// Publishes a release with the hashes of another one.
    pub fn publish(&self, version: &str, like: &str) {
        let recorded = tree("series/releases").join(format!("v{like}/SHA256SUMS"));
        let sums = fs::read_to_string(recorded).expect("sums");
        self.0.write(
            &format!("v{version}/SHA256SUMS"),
            sums.replace(like, version),
        );
    }

    pub fn path(&self) -> &str {
        self.0.root().to_str().expect("UTF-8")
    }
}

pub fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(args)
        .current_dir(folder)
        .output()
        .expect("git runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The tree of two series, committed.
pub fn committed() -> Repository {
    let repository = Repository::of(&tree("series/before"));
    git(
        repository.root(),
        &["init", "--quiet", "--initial-branch=main"],
    );
    git(repository.root(), &["config", "user.name", "a"]);
    git(
        repository.root(),
        &["config", "user.email", "a@example.com"],
    );
    git(repository.root(), &["add", "--all"]);
    git(repository.root(), &["commit", "--quiet", "-m", "Start"]);
    repository
}

#[test]
fn latest_moves_each_series_to_its_newest_stable_release() {
    let releases = Releases::new();
    // Neither a pre-release nor another series is the newest of one.
    releases.publish("2.14.6-RC.1", "2.14.5");
    releases.publish("2.15.0", "2.14.5");
    let repository = Repository::of(&tree("series/before"));
    let args = ["--from", releases.path(), "latest"];
    repository.run(&args).exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("series/after")));
    let again = repository.run(&args).exits_with(0);
    assert_eq!(
        again.stdout,
        "nats: nothing to change\n\nNotes:\n  2.12.x is at its newest release, 2.12.15\n  2.14.x is at its newest release, 2.14.5\n  2.15.0 is released, and the tree has no 2.15.x: an update to 2.15.0 makes it\n"
    );
}

#[test]
fn one_series_moves_alone_and_a_tag_that_is_not_published_is_passed_over() {
    let releases = Releases::new();
    releases.0.write("v2.14.6/README", "soon");
    let repository = Repository::of(&tree("series/before"));
    let run = repository
        .run(&["--from", releases.path(), "2.14.x/"])
        .exits_with(0);
    assert!(
        run.stdout
            .contains("\nNotes:\n  skipped 2.14.6: its SHA256SUMS is not published yet\n"),
        "{}",
        run.stdout
    );
    assert!(
        repository
            .read("2.14.x/alpine3.22/Dockerfile")
            .contains("2.14.5")
    );
    let snapshot_of = |name: &str| snapshot(&tree("series/before").join(name));
    same(
        &snapshot(&repository.path("2.12.x")),
        &snapshot_of("2.12.x"),
    );
    repository
        .run(&["--from", releases.path(), "2.99.x"])
        .fails_with(&["no stable release of 2.99.x in "]);
}

#[test]
fn tags_are_those_of_the_repository_that_the_releases_belong_to() {
    let releases = Releases::new();
    let origin = Repository::empty();
    git(origin.root(), &["init", "--quiet"]);
    git(
        origin.root(),
        &["commit", "--quiet", "--allow-empty", "-m", "x"],
    );
    for tag in ["v2.12.15", "v2.14.5", "v2.14.6", "v2.15.0-RC.1", "nightly"] {
        git(origin.root(), &["tag", tag]);
    }
    git(origin.root(), &["update-server-info"]);
    let (git_folder, published) = (origin.path(".git"), releases.0.path(""));
    // As a plain web server gives a bare repository.
    let server = Server::new(move |path, _| {
        let path = path.split('?').next().unwrap_or(path);
        let file = match path.strip_prefix("/nats-io/nats-server") {
            Some(rest) if rest.starts_with("/releases/download/") => {
                published.join(&rest["/releases/download/".len()..])
            }
            Some(rest) => git_folder.join(rest.trim_start_matches('/')),
            None => return response("404 Not Found", "", ""),
        };
        match fs::read(file) {
            Ok(bytes) => response("200 OK", "", bytes),
            Err(_) => response("404 Not Found", "", ""),
        }
    });
    let from = format!("{}/nats-io/nats-server/releases/download", server.address);
    let repository = Repository::of(&tree("series/before"));
    let mut command = program(repository.root(), &["--from", &from, "latest"]);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let run = crate::support::Run::of(&mut command).exits_with(0);
    assert!(
        run.stdout
            .contains("skipped 2.14.6: its SHA256SUMS is not published yet"),
        "{}",
        run.stdout
    );
    same(&repository.snapshot(), &snapshot(&tree("series/after")));
}

#[test]
fn status_says_where_each_series_stands() {
    let releases = Releases::new();
    let repository = Repository::of(&tree("series/before"));
    repository.edit("2.14.x/scratch/Dockerfile", "2.14.4", "2.14.3");
    let run = repository
        .run(&["status", "--from", releases.path(), "--exit-code"])
        .exits_with(1);
    assert_eq!(
        run.stdout,
        "\
nats
  directory  version  newest   variants  findings
  2.12.x     2.12.14  2.12.15  4         none
  2.14.x     2.14.4   2.14.5   6         1

`update check` lists the findings
`update latest --from {}` moves 2.12.x, 2.14.x
"
        .replace("{}", releases.path())
    );
    let run = repository
        .run(&["status", "--offline", "--format", "json"])
        .exits_with(0);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(json["directories"][1]["version"], "2.14.4");
    assert_eq!(json["directories"][1]["newest"], serde_json::Value::Null);
    let repository = Repository::of(&tree("series/after"));
    let run = repository
        .run(&[
            "status",
            "--from",
            releases.path(),
            "--exit-code",
            "--format",
            "markdown",
        ])
        .exits_with(0);
    assert!(
        run.stdout
            .contains("| 2.14.x | 2.14.5 | up to date | 6 | none |"),
        "{}",
        run.stdout
    );
}

#[test]
fn status_says_whether_the_library_file_is_behind() {
    let releases = Releases::new();
    let repository = Repository::of(&tree("series/after"));
    let library = project().join("tests/library/nats-2.14.4");
    repository.write("official", fs::read(library).expect("a library file"));
    let run = repository
        .run(&["status", "--from", releases.path(), "--library", "official"])
        .exits_with(0);
    assert_eq!(
        run.stdout,
        "\
nats
  directory  version  newest      variants  findings  library
  2.12.x     2.12.15  up to date  4         none      2.12.14
  2.14.x     2.14.5   up to date  6         none      2.14.4

`update library official` brings the library file up to date with this tree, when that is committed
"
    );
    let library = project().join("tests/library/nats-2.14.5");
    repository.write("official", fs::read(library).expect("a library file"));
    let run = repository.run(&["status", "--offline", "--library", "official"]);
    let lacking = "2.14.x     2.14.5   not checked  6         none      2 variants not offered\n";
    assert!(run.stdout.contains(lacking), "{}", run.stdout);
    assert!(!run.stdout.contains("update library"), "{}", run.stdout);
    // What is gone, and what is the newest series now.
    let reduced = Repository::of(&tree("series/after"));
    let library = fs::read(project().join("tests/library/nats-2.14.5"));
    reduced.write("official", library.expect("a library file"));
    reduced.remove("2.14.x");
    let run = reduced.run(&["status", "--offline", "--library", "official"]);
    assert!(
        run.stdout.contains("4 entries outdated\n")
            && run.stdout.contains("`update library official` brings"),
        "{}",
        run.stdout
    );
    // One that stands beside the repository is found.
    let beside = Repository::nested(&tree("series/after"));
    let folder = beside.path("../official-images/library");
    fs::create_dir_all(&folder).expect("a folder");
    let library = project().join("tests/library/nats-2.14.5");
    fs::copy(library, folder.join("nats")).expect("a copy");
    let run = beside.run(&["status", "--offline"]).exits_with(0);
    assert!(
        run.stdout.contains("library\n") && run.stdout.contains("none      up to date\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_pre_release_that_was_overtaken_is_a_finding() {
    let releases = Releases::new();
    releases.publish("2.14.5-RC.1", "2.14.5");
    let repository = Repository::of(&tree("series/before"));
    let from = ["--from", releases.path()];
    repository
        .run(&[from[0], from[1], "2.14.5-RC.1", "2.12.15"])
        .exits_with(0);
    let status = repository.run(&["status", from[0], from[1]]).exits_with(0);
    assert!(
        status
            .stdout
            .contains("  2.14.x is at a pre-release; 2.14.5 is released\n"),
        "{}",
        status.stdout
    );
    let run = repository
        .run(&["check", "--online", from[0], from[1]])
        .exits_with(1);
    assert!(
        run.stdout.starts_with(
            "2.14.x:1:1: overtaken: found 2.14.5-RC.1, a pre-release; 2.14.5 is released\n1 finding in 1 file. Fix it with `update 2.14.5 --from "
        ),
        "{}",
        run.stdout
    );
}

#[test]
fn commit_commits_what_was_written_and_nothing_else() {
    let releases = Releases::new();
    let repository = committed();
    repository.write("notes", "mine");
    repository.write("2.14.x/notes", "mine");
    repository.write("staged", "mine too");
    git(repository.root(), &["add", "staged"]);
    let run = with_git(
        &repository,
        &["--from", releases.path(), "latest", "--commit"],
    )
    .exits_with(0);
    assert!(
        run.stdout.contains("\nCommitted: Update")
            && run
                .stdout
                .ends_with(": Update to 2.14.5, 2.12.15\nThen push, and open a pull request.\n"),
        "{}",
        run.stdout
    );
    assert_eq!(
        git(repository.root(), &["log", "-1", "--format=%s"]),
        "Update to 2.14.5, 2.12.15\n"
    );
    assert_eq!(
        git(repository.root(), &["status", "--porcelain"]),
        "A  staged\n?? 2.14.x/notes\n?? notes\n"
    );
    let files = git(repository.root(), &["show", "--name-only", "--format="]);
    assert!(files.lines().all(|file| file.starts_with("2.1")), "{files}");
    git(repository.root(), &["checkout", "--quiet", "--detach"]);
    let run = with_git(&repository, &["--base", "2.12.x/alpine=3.23", "--commit"]).exits_with(0);
    let lost = "\nIt is on no branch: `git switch -c <BRANCH>` gives it one, then push that.\n";
    assert!(run.stdout.ends_with(lost), "{}", run.stdout);
}

#[test]
fn the_next_steps_name_what_was_written_and_say_what_else_has_changed() {
    let releases = Releases::new();
    let repository = committed();
    repository.write("notes", "mine");
    repository.edit("2.12.x/scratch/nats-server.conf", "", "# mine\n");
    let run = with_git(&repository, &["--from", releases.path(), "2.14.5"]).exits_with(0);
    let steps = "
Next steps:
  git add 2.14.x
  git commit -m 'Update to 2.14.5' -- 2.14.x
Then push, and open a pull request.
Not committed with it: 2.12.x/scratch/nats-server.conf, notes; see `git status`.
";
    assert!(run.stdout.ends_with(steps), "{}", run.stdout);
    // What is at that version already is repaired.
    repository.edit("2.14.x/scratch/Dockerfile", "2.14.5", "2.14.4");
    let run = with_git(&repository, &["--from", releases.path(), "2.14.5"]).exits_with(0);
    assert!(
        run.stdout
            .starts_with("nats 2.14.5, repaired in 2.14.x/\n\n")
            && run
                .stdout
                .contains("\n  git commit -m 'Repair 2.14.5' -- 2.14.x/scratch/Dockerfile\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn options_without_a_series_are_for_those_that_are_given_also_where_nothing_is_newer() {
    let releases = Releases::new();
    let repository = committed();
    let moved = |version: &str, base: &str| {
        let args = ["--from", releases.path(), version, "--base", base, "-n"];
        let run = with_git(&repository, &args).exits_with(0);
        ["2.12.x", "2.14.x"].map(|series| run.stdout.contains(&format!("{series}/alpine3.23")))
    };
    assert_eq!(moved("2.12.x", "alpine=3.23"), [true, false]);
    with_git(
        &repository,
        &["--from", releases.path(), "latest", "--commit", "-q"],
    )
    .exits_with(0);
    assert_eq!(moved("2.12.x", "alpine=3.23"), [true, false]);
    assert_eq!(moved("2.12.15", "alpine=3.23"), [true, false]);
    assert_eq!(moved("latest", "alpine=3.23"), [true, true]);
    // Where the version stays, nothing is updated or repaired.
    let args = [
        "--from",
        releases.path(),
        "2.12.15",
        "--base",
        "alpine=3.23",
        "--commit",
    ];
    let run = with_git(&repository, &args).exits_with(0);
    assert!(
        run.stdout.starts_with("nats 2.12.15 in 2.12.x/\n"),
        "{}",
        run.stdout
    );
    let title = "\nCommitted: Move alpine3.21 to alpine3.23 in 2.12.x\n";
    assert!(run.stdout.contains(title), "{}", run.stdout);
    let args = [
        "--from",
        releases.path(),
        "2.12.15",
        "--runner",
        "ubuntu=26.04",
        "--commit",
    ];
    let run = with_git(&repository, &args).exits_with(0);
    assert!(
        run.stdout.contains("\nCommitted: Run on ubuntu-26.04\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn what_could_not_be_committed_is_not_forgotten() {
    let releases = Releases::new();
    let repository = committed();
    let hook = repository.path(".git/hooks/pre-commit");
    repository.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("a hook");
    let args = ["--from", releases.path(), "latest", "--commit"];
    with_git(&repository, &args).exits_with(2);
    fs::remove_file(&hook).expect("a hook");
    with_git(&repository, &args).fails_with(&[
        "error: files of this commit have changes that are not committed yet:",
        "  2.12.x/alpine3.21/Dockerfile",
        "There is nothing to write: look at `git diff HEAD`, and commit them",
    ]);
}

#[test]
fn both_halves_of_what_was_moved_by_hand_are_committed() {
    let repository = committed();
    fs::rename(
        repository.path("2.14.x/alpine3.22"),
        repository.path("2.14.x/alpine3.23"),
    )
    .expect("a folder");
    // The findings say it once, and by whom it is fixed.
    let run = repository.run(&["check"]).exits_with(1);
    assert!(
        run.stdout.ends_with("Fix them with `update 2.14.4`.\n"),
        "{}",
        run.stdout
    );
    let releases = Releases::new();
    let run = with_git(&repository, &["--from", releases.path(), "2.14.5"]).exits_with(0);
    let steps = run
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("  git "));
    for step in steps {
        let words: Vec<&str> = step.split('\'').collect();
        let mut args: Vec<&str> = words[0].split_whitespace().collect();
        if let [_, title, paths] = words.as_slice() {
            args.push(title);
            args.extend(paths.split_whitespace());
        }
        git(repository.root(), &args);
    }
    assert_eq!(git(repository.root(), &["status", "--porcelain"]), "");
}

#[test]
fn where_nothing_can_be_committed_after_all_the_next_steps_are_said() {
    let releases = Releases::new();
    let repository = committed();
    repository.write(".git/hooks/pre-commit", "#!/bin/sh\necho no >&2; exit 1\n");
    repository.set_mode(".git/hooks/pre-commit", 0o755);
    let args = ["--from", releases.path(), "2.14.5", "--commit"];
    let run = with_git(&repository, &args).exits_with(2);
    assert!(
        run.stdout.contains("\nNext steps:\n  git add 2.14.x\n"),
        "{}",
        run.stdout
    );
    let error =
        "error: the files were written, but not committed\n  caused by: git commit fails: no\n";
    assert_eq!(run.stderr, error);
}

#[test]
fn the_commit_is_called_as_the_last_releases_are() {
    let releases = Releases::new();
    for (subjects, expected) in [
        (
            [
                "Release v2.14.4",
                "Releases v2.14.3, v2.12.14",
                "Release v2.14.2",
            ],
            "Releases v2.14.5, v2.12.15",
        ),
        (
            ["Bump 2.14.4", "Bump 2.14.3", "Bump 2.14.2"],
            "Bump 2.14.5, 2.12.15",
        ),
        (
            [
                "Releases v2.14.4, v2.12.14 (#12)",
                "Release v2.14.3 (#11)",
                "Release v2.14.2",
            ],
            "Releases v2.14.5, v2.12.15",
        ),
        (
            ["Bump 2.14.4", "Bump 2.14.3", "Update 2.14.2"],
            "Update to 2.14.5, 2.12.15",
        ),
    ] {
        let repository = committed();
        for subject in subjects {
            git(
                repository.root(),
                &["commit", "--quiet", "--allow-empty", "-m", subject],
            );
        }
        // A pull request is called so, too.
        let run = ["--from", releases.path(), "latest", "--format", "markdown"];
        let run = with_git(&repository, &[&run[..], &["--commit"]].concat()).exits_with(0);
        assert!(
            run.stdout.starts_with(&format!("## {expected}\n")),
            "{}",
            run.stdout
        );
        assert_eq!(
            git(repository.root(), &["log", "-1", "--format=%s"]).trim_end(),
            expected
        );
    }
}

#[test]
fn latest_repairs_what_it_can_and_is_stopped_by_nothing_else() {
    let releases = Releases::new();
    let repository = committed();
    let latest = &["--from", releases.path(), "latest"];
    with_git(&repository, latest).exits_with(0);
    let after = repository.snapshot();
    // Half of a run that was killed.
    repository.edit("2.14.x/scratch/Dockerfile", "2.14.5", "2.14.4");
    let run = with_git(&repository, latest).exits_with(0);
    assert!(
        run.stdout.starts_with("nats 2.14.5, repaired in 2.14.x/\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("  2.12.x is at its newest release, 2.12.15\n"),
        "{}",
        run.stdout
    );
    same(&repository.snapshot(), &after);
    // What no update can put right is a matter for `check`.
    let path = "2.12.x/alpine3.21/Dockerfile";
    repository.write(
        path,
        repository.read(path) + &format!("ENV SUM={}\n", "7".repeat(64)),
    );
    let run = with_git(&repository, latest).exits_with(0);
    assert!(
        run.stdout.contains(": nothing to change\n"),
        "{}",
        run.stdout
    );
    repository.run(&["check", "-q"]).exits_with(1);
}

#[test]
fn changes_that_are_not_committed_are_not_swept_into_a_commit() {
    let releases = Releases::new();
    let repository = committed();
    repository.edit("2.14.x/scratch/Dockerfile", "2.14.4", "2.14.3");
    let before = repository.snapshot();
    with_git(
        &repository,
        &["--from", releases.path(), "latest", "--commit"],
    )
    .fails_with(&[
        "files of this commit have changes that are not committed yet:\n  2.14.x/scratch/Dockerfile\n",
        "Commit them, put them away with `git stash --include-untracked`, or leave `--commit` out",
    ]);
    same(&repository.snapshot(), &before);
    // Nor is one left out that is right already: the commit would not be whole.
    repository.edit("2.14.x/scratch/Dockerfile", "2.14.3", "2.14.5");
    let args = ["--from", releases.path(), "2.14.5", "--commit"];
    with_git(&repository, &args)
        .fails_with(&["have changes that are not committed yet:\n  2.14.x/scratch/Dockerfile\n"]);
    with_git(&repository, &args[..3]).exits_with(0);
    with_git(&repository, &args).fails_with(&[
        "have changes that are not committed yet:\n  2.14.x/alpine3.22/Dockerfile\n",
    ]);
    let outside = Repository::of(&tree("series/before"));
    with_git(&outside, &["--from", releases.path(), "latest", "--commit"])
        .fails_with(&["cannot commit\n  caused by: . is not a git repository"]);
}

#[test]
fn the_next_steps_name_nothing_that_git_has_never_had() {
    let repository = committed();
    with_git(&repository, &["-q", "--base", "2.14.x/alpine=3.21"]).exits_with(0);
    let run = with_git(&repository, &["--base", "2.14.x/alpine=3.23"]).exits_with(0);
    assert!(
        !run.stdout.contains("git add .github 2.14.x/alpine3.21"),
        "{}",
        run.stdout
    );
    let mut steps = run.stdout.lines().filter(|line| line.starts_with("  git "));
    let args = steps
        .next()
        .expect("the first step")
        .trim()
        .split(' ')
        .skip(1);
    git(repository.root(), &args.collect::<Vec<_>>());
}

#[test]
fn the_repository_is_found_from_a_folder_in_it_and_not_from_outside() {
    let repository = committed();
    let inside = repository.path("2.14.x/scratch");
    let run = crate::support::run(&inside, &["check"]).exits_with(0);
    assert!(
        run.stdout.starts_with("consistent: nats "),
        "{}",
        run.stdout
    );
    // A git work tree that holds no versions is not left upwards.
    repository.write("docs/a/x", "");
    git(&repository.path("docs"), &["init", "--quiet"]);
    crate::support::run(&repository.path("docs/a"), &["check"])
        .fails_with(&["no version directory (such as 0.25.6 or 2.14.x) and no templates in .: "]);
}

#[test]
fn a_word_that_is_nearly_a_command_is_asked_about() {
    let repository = Repository::of(&tree("series/before"));
    repository
        .run(&["chek"])
        .fails_with(&["did you mean `check`?"]);
    repository
        .run(&["statsu"])
        .fails_with(&["did you mean `status`?"]);
    repository
        .run(&["LATEST"])
        .fails_with(&["did you mean `latest`?"]);
    repository
        .run(&["2.14.5", "check"])
        .fails_with(&["it is a command, which stands first: `update check`"]);
    let run = repository.run(&[]);
    assert!(
        run.stderr.contains("Usage: update [OPTIONS] <VERSION>..."),
        "{}",
        run.stderr
    );
}

#[test]
fn each_of_several_errors_is_marked() {
    let repository = Repository::of(&tree("series/before"));
    let empty = Repository::empty();
    let from = empty.root().to_str().expect("UTF-8");
    let run = repository
        .run(&["--from", from, "2.12.15", "2.14.5"])
        .exits_with(2);
    let marked = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: no release 2.1"));
    assert_eq!(marked.count(), 2, "{}", run.stderr);
    // Of options and versions alike; what caused several is told once.
    let asked = ["--base", "bar=1", "--add", "baz1", "--remove", "bar"];
    let run = with_git(&committed(), &asked).exits_with(2);
    let lines: Vec<&str> = run.stderr.lines().collect();
    let [base, add, "error: nothing to remove:", remove] = lines.as_slice() else {
        panic!("{}", run.stderr);
    };
    assert!(base.starts_with("error: `--base bar=1`: no variant of the family bar in "));
    let nothing = "error: `--add baz1`: nothing to make it from: there is no `templates/baz`, \
                   and no baz variant in 2.12.x, 2.14.x";
    assert_eq!(*add, nothing);
    assert!(remove.starts_with("  no variant bar: there are "));
    let nowhere = ["--from", "http://127.0.0.1:1", "2.12.15", "2.14.5"];
    let run = repository.run(&nowhere).exits_with(2);
    let is_error = |line: &&str| line.starts_with("error: cannot fetch http://127.0.0.1:1/v2.1");
    assert_eq!(run.stderr.lines().take_while(is_error).count(), 2);
    let cause = "  caused by: error sending request\n";
    assert_eq!(run.stderr.matches(cause).count(), 1, "{}", run.stderr);
}

/// The program with the `git` that PATH names.
pub fn with_git(repository: &Repository, args: &[&str]) -> crate::support::Run {
    let mut command = program(repository.root(), args);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    crate::support::Run::of(&mut command)
}

#[test]
fn what_is_asked_for_and_makes_little_sense_is_said() {
    let repository = Repository::of(&tree("series/before"));
    repository.run(&["--dry-run"]).fails_with(&[
        "nothing is asked for: expected a version such as 0.25.6, `latest`, a series",
    ]);
    repository.run(&["--base", "debian=12"]).fails_with(&[
        "`--base debian=12`: no variant of the family debian in 2.12.x, 2.14.x: there are alpine3.21, alpine3.22, nanoserver-ltsc2022",
    ]);
    let run = repository
        .run(&["--add", "2.14.x/alpine3.22"])
        .exits_with(0);
    run.says("nats: nothing to change\n");
    repository.write("official/library/nats", "");
    repository.run(&["library", "official"]).fails_with(&[
        "official is a folder: expected a library file, such as official/library/nats",
    ]);
    repository.remove("official");
}

#[test]
fn a_base_is_spelt_as_those_of_its_family() {
    let repository = Repository::of(&tree("series/before"));
    let before = repository.snapshot();
    for (args, said) in [
        (
            ["--add", "windowsservercore-2025"],
            "expected the name of a variant, such as alpine3.19 or nanoserver-ltsc2022",
        ),
        (["--add", "alpine-3.23"], "expected the name of a variant"),
        (
            ["--base", "alpine3.18=3.23"],
            "no variant alpine3.18 in 2.12.x, 2.14.x: there are alpine3.21, alpine3.22, nanoserver",
        ),
    ] {
        repository.run(&args).fails_with(&[said]);
    }
    same(&repository.snapshot(), &before);
}

#[test]
fn what_cannot_be_removed_is_named_by_its_line_in_the_file_as_it_is() {
    let repository = Repository::of(&tree("series/before"));
    let workflow = ".github/workflows/publish.yaml";
    let lines = repository.read(workflow);
    let last = lines
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("TAG }}-alpine3.22"))
        .last();
    let (number, _) = last.expect("a line");
    repository
        .run(&["--remove", "2.14.x/alpine3.22"])
        .fails_with(&[&format!("{workflow}:{}: variant: ", number + 1)]);
}

#[test]
fn a_pre_release_in_a_series_that_is_released_is_found_online() {
    let releases = Releases::new();
    releases.publish("2.14.6-RC.1", "2.14.5");
    let repository = Repository::of(&tree("series/after"));
    let from = ["--from", releases.path()];
    repository
        .run(&["2.14.6-RC.1", from[0], from[1]])
        .exits_with(0);
    let run = repository.run(&["check", "--online", from[0], from[1]]);
    let finding = "2.14.x:1:1: overtaken: found 2.14.6-RC.1, a pre-release; 2.14.5 is released\n1 finding in 1 file. Fix it with `update 2.14.5 --allow-downgrade`.\n";
    assert!(run.stdout.starts_with(finding), "{}", run.stdout);
    let run = repository.run(&["status", from[0], from[1]]).exits_with(0);
    assert!(
        run.stdout.contains("2.14.6-RC.1  2.14.5 "),
        "{}",
        run.stdout
    );
}

#[test]
fn a_version_directory_without_variants_is_at_no_version() {
    let repository = Repository::of(&tree("series/before"));
    fs::create_dir(repository.path("2.15.x")).expect("a folder");
    let run = repository.run(&["status", "--offline"]).exits_with(0);
    let row = "  2.15.x     none     not checked  0 ";
    assert!(run.stdout.contains(row), "{}", run.stdout);
    let others = "\n2 findings outside the version directories\n";
    assert!(run.stdout.contains(others), "{}", run.stdout);
    let run = repository.run(&["status", "--offline", "--format", "json"]);
    assert!(run.stdout.contains("\"version\": null"), "{}", run.stdout);
}

#[test]
fn the_status_names_a_series_that_only_the_library_file_has() {
    let repository = committed();
    let entry = |series: &str, version: &str| {
        format!("\nTags: {version}-scratch\nDirectory: {series}/scratch\n")
    };
    let head = format!(
        "Maintainers: A <a@b.c> (@a)\nGitRepo: https://github.com/x/y.git\nGitFetch: refs/heads/main\nGitCommit: {}\n",
        "5".repeat(40)
    );
    let entries = [entry("2.14.x", "2.14.4"), entry("2.12.x", "2.12.14")].concat();
    repository.write("official/library/nats", head + &entries);
    repository.run(&["--remove", "2.12.x", "-q"]).exits_with(0);
    let args = ["status", "--offline", "--library", "official/library/nats"];
    let run = repository.run(&args).exits_with(0);
    let note = "\n  the library file still offers 2.12.x, which is gone: 1 entry\n";
    assert!(run.stdout.contains(note), "{}", run.stdout);
}

#[test]
fn without_a_network_the_status_says_what_is_known() {
    let repository = Repository::of(&tree("series/before"));
    let from = "http://127.0.0.1:1/x/releases/download";
    let run = with_git(&repository, &["status", "--from", from]).exits_with(0);
    assert!(
        run.stdout.contains("2.14.x     2.14.4   unknown"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.starts_with("warning: cannot list the tags of "),
        "{}",
        run.stderr
    );
    with_git(&repository, &["status", "--exit-code", "--from", from]).exits_with(2);
}

#[test]
fn a_repair_of_a_workflow_alone_says_what_it_repairs() {
    let releases = Releases::new();
    let repository = committed();
    let run = |args: &[&str]| {
        let args = [&["--from", releases.path()], args].concat();
        repository.run(&args).exits_with(0)
    };
    run(&["-q", "latest"]);
    git(
        repository.root(),
        &["commit", "--quiet", "--all", "-m", "Release"],
    );
    let path = ".github/workflows/publish.yaml";
    let text = repository.read(path);
    repository.edit(
        path,
        "context: ./2.14.x/alpine3.22/",
        "context: ./2.14.x/alpine3.21/",
    );
    let out = run(&["-n", "2.14.5"]).stdout;
    assert!(
        out.starts_with("nats 2.14.5, repaired in 2.14.x/\n"),
        "{out}"
    );
    let out = run(&["-n", "latest"]).stdout;
    assert!(out.starts_with("nats: repair publish.yaml\n"), "{out}");
    git(
        repository.root(),
        &["commit", "--quiet", "--all", "-m", "Break"],
    );
    run(&["-q", "--commit", "latest"]);
    assert_eq!(repository.read(path), text);
    let subject = git(repository.root(), &["log", "-1", "--format=%s"]);
    assert_eq!(subject, "Repair publish.yaml\n");
}

#[test]
fn what_a_family_was_in_each_series_is_not_listed_where_all_of_it_moves() {
    let repository = committed();
    let out = repository.run(&["-n", "--base", "alpine=3.23", "--format", "json"]);
    assert!(
        out.stdout.contains("\"title\": \"Move alpine to 3.23\""),
        "{}",
        out.stdout
    );
}

#[test]
fn next_steps_name_what_was_removed_beside_other_changes() {
    let repository = committed();
    repository.remove(".github");
    git(
        repository.root(),
        &["commit", "--quiet", "--all", "-m", "No workflows"],
    );
    repository.write("2.14.x/notes.txt", "mine\n");
    let run = repository
        .run(&["--remove", "2.14.x/nanoserver-ltsc2025"])
        .exits_with(0);
    let add = run.stdout.lines().find(|line| line.contains(" add "));
    let add = add.expect("a command");
    assert!(add.contains(" 2.14.x/nanoserver-ltsc2025 "), "{add}");
    assert!(!add.contains(" 2.14.x "), "{add}");
}

#[test]
fn a_title_says_of_each_change_in_which_series_it_is() {
    let repository = Repository::of(&tree("series/before"));
    let releases = Releases::new();
    for (args, title) in [
        (
            vec!["2.14.5", "--base", "2.12.x/alpine=3.22"],
            "Update to 2.14.5, move alpine3.21 to alpine3.22 in 2.12.x",
        ),
        (
            vec![
                "--base",
                "2.12.x/alpine=3.22",
                "--base",
                "2.14.x/alpine=3.23",
            ],
            "Move alpine3.21 to alpine3.22 in 2.12.x, alpine3.22 to alpine3.23 in 2.14.x",
        ),
        (
            vec!["--add", "2.12.x/alpine3.23", "--add", "alpine3.24"],
            "Add alpine3.23 in 2.12.x, alpine3.24",
        ),
        (vec!["--base", "alpine3.22=3.22"], ""),
    ] {
        let run = repository.run(
            &[
                &["--from", releases.path(), "-n", "--format", "json"],
                &args[..],
            ]
            .concat(),
        );
        let title = format!("\"title\": \"{title}\"");
        assert!(run.stdout.contains(&title), "{title} in {run:?}");
    }
}

#[test]
fn a_headline_tells_of_a_series_that_goes_beside_a_release() {
    let repository = Repository::of(&tree("series/before"));
    let releases = Releases::new();
    let run = repository
        .run(&[
            "--from",
            releases.path(),
            "-n",
            "2.14.5",
            "--remove",
            "2.12.x",
        ])
        .exits_with(0);
    assert!(
        run.stdout
            .starts_with("nats 2.14.4 → 2.14.5\nnats: remove 2.12.x\n\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_script_of_the_root_moves_with_the_newest_version_where_an_older_one_is_kept() {
    let repository = Repository::of(&tree("streaming/before"));
    repository.update(&["--keep", "0.25.6"]).exits_with(0);
    repository.update(&["--base", "alpine=3.19"]).exits_with(0);
    let script = repository.read("tests/build-images.sh");
    assert!(
        script.contains("alpine3.19") && !script.contains("alpine3.18"),
        "{script}"
    );
    repository.finds(&[]);
}

#[test]
fn what_cannot_be_done_is_told_once_and_says_what_there_is() {
    let series = Repository::of(&tree("series/before"));
    let releases = Releases::new();
    fs::create_dir(releases.0.path("v2.14.9")).expect("a folder");
    let from = ["--from", releases.path()];
    for (args, error) in [
        (
            &[
                "--base",
                "2.12.x/alpine=3.23",
                "--base",
                "2.14.x/alpine=3.23",
                "--add",
                "alpine3.23",
            ][..],
            "error: `--add alpine3.23`, which `--base` moves alpine3.21 to: give only one\nerror: `--add alpine3.23`, which `--base` moves alpine3.22 to: give only one\n",
        ),
        (
            &["--add", "alpine3.23", "--remove", "alpine3.23"],
            "error: `--add alpine3.23` and `--remove alpine3.23`: give only one\n",
        ),
        (&["2.13.0"], "the newest release there is v2.14.5\n"),
    ] {
        let run = series.run(&[&from[..], args].concat()).exits_with(2);
        assert!(run.stderr.ends_with(error), "{}", run.stderr);
    }
    let run = series.run(&[&from[..], &["-n", "2.14.5", "2.14.x"]].concat());
    assert!(
        run.exits_with(0)
            .stdout
            .starts_with("nats 2.14.4 → 2.14.5\n\n")
    );
    let kept = Repository::of(&tree("streaming/before"));
    kept.update(&["--keep", "0.25.6"]).exits_with(0);
    kept.update_fails(
        &["--base", "0.25.5/alpine=3.19"],
        &["error: 0.25.5 is an older version directory, which stays as it is"],
    );
}
