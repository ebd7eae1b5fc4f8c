//! Variants and series go, from folders, scripts and workflows, as they have come.

use crate::support::{Repository, same, snapshot, tree};

/// The program without a release: what is removed needs none.
#[track_caller]
fn changes(repository: &Repository, args: &[&str]) -> String {
    let run = repository.run(args).exits_with(0);
    repository.run(&["check", "-q"]).exits_with(0);
    run.stdout
}

#[test]
fn a_variant_that_was_added_goes_without_a_trace() {
    for (name, variants) in [
        (
            "streaming/before",
            &[
                "alpine3.19",
                "nanoserver-ltsc2022",
                "windowsservercore-ltsc2022",
            ][..],
        ),
        ("streaming/after", &["alpine3.19", "alpine3.17"]),
        ("own", &["alpine3.19", "windowsservercore-ltsc2022"]),
        (
            "series/before",
            &[
                "2.14.x/alpine3.23",
                "2.12.x/nanoserver-ltsc2025",
                "alpine3.24",
            ],
        ),
        ("series/after", &["2.12.x/alpine3.22", "2.14.x/alpine3.23"]),
    ] {
        for variant in variants {
            let repository = Repository::of(&tree(name));
            changes(&repository, &["--add", variant]);
            let added = repository.snapshot();
            assert!(added != snapshot(&tree(name)), "{name}: {variant}");
            changes(&repository, &["--remove", variant]);
            same(&repository.snapshot(), &snapshot(&tree(name)));
            // And comes back.
            changes(&repository, &["--add", variant]);
            same(&repository.snapshot(), &added);
        }
    }
}

#[test]
fn a_comment_below_a_removed_paragraph_stays_however_its_lines_end() {
    let repository = Repository::of(&tree("streaming/before"));
    let script = "tests/build-images-2019.ps1";
    let comment = "\n# That was all.\n";
    assert!(repository.read(script).ends_with("\r\n"));
    repository.write(script, repository.read(script) + comment);
    changes(&repository, &["--remove", "nanoserver-1809"]);
    let text = repository.read(script);
    assert!(
        text.ends_with(&format!("Pop-Location\r\n{comment}")),
        "{text}"
    );
}

#[test]
fn a_variant_goes_with_what_scripts_say_of_it() {
    let repository = Repository::of(&tree("streaming/before"));
    let out = changes(&repository, &["--remove", "nanoserver-1809"]);
    assert_eq!(
        out,
        "\
nats-streaming 0.25.5 in 0.25.5/

  tests/build-images-2019.ps1
      variant  nanoserver-1809  removed
  tests/run-images-2019.ps1
      variant  nanoserver-1809  removed
  0.25.5/nanoserver-1809  removed

2 files rewritten, 0.25.5/nanoserver-1809 removed; 2 fields changed: 2 variants
"
    );
    assert!(!repository.path("0.25.5/nanoserver-1809").exists());
    let again = repository
        .run(&["--remove", "nanoserver-1809"])
        .exits_with(0)
        .stdout;
    assert!(
        again.ends_with(
            "Notes:\n  nothing to remove: no variant nanoserver-1809: there are alpine3.18, scratch, windowsservercore-1809\n"
        ),
        "{again}"
    );
}

#[test]
fn the_scripts_of_a_runner_go_with_its_last_variant() {
    let repository = Repository::of_this_project();
    let before = repository.snapshot();
    let both = |option| {
        [
            option,
            "windowsservercore-ltsc2022",
            option,
            "nanoserver-ltsc2022",
        ]
    };
    changes(&repository, &both("--add"));
    assert!(repository.path("tests/build-images-2022.ps1").exists());
    let out = changes(&repository, &both("--remove"));
    assert!(
        out.contains("  tests/build-images-2022.ps1  removed\n"),
        "{out}"
    );
    same(&repository.snapshot(), &before);
}

#[test]
fn a_variant_that_another_one_copies_from_stays() {
    let repository = Repository::of(&tree("series/before"));
    let before = repository.snapshot();
    repository.run(&["--remove", "2.14.x/alpine3.22"]).fails_with(&[
        "2.14.x/scratch/Dockerfile:2: reference: found 2.14.4-alpine3.22: no variant alpine3.22 in 2.14.x",
        "Fix them, or also `--remove` the variants that need them, then run the same command again",
    ]);
    same(&repository.snapshot(), &before);
}

#[test]
fn a_variant_goes_with_the_steps_that_build_it() {
    let repository = Repository::of(&tree("series/before"));
    let publish = || repository.read(".github/workflows/publish.yaml");
    let before = publish();
    let out = changes(&repository, &["--remove", "2.14.x/scratch"]);
    assert!(out.contains("variant  scratch  removed"), "{out}");
    let job = before.find("  linux-2_14:").expect("a job");
    let step = job
        + before[job..]
            .find("\n      - name: scratch\n")
            .expect("a step");
    let end = step + before[step..].find("\n  windows-2_14:").expect("a job");
    same_text(&publish(), &[&before[..step], &before[end..]].concat());
    // A container of Windows runs on its own base alone: nothing takes the place of what it copies from.
    repository.run(&["--remove", "2.14.x/windowsservercore-ltsc2022"]).fails_with(&[
        "found 2022: the matrix makes windowsservercore-ltsc2022 from it: no variant windowsservercore-ltsc2022 in 2.14.x",
        "2.14.x/nanoserver-ltsc2022/Dockerfile:4: reference: found 2.14.4-windowsservercore-ltsc2022: \
         no windowsservercore on ltsc2022 in 2.14.x, which has windowsservercore-ltsc2025",
    ]);
}

#[test]
fn a_job_that_does_something_else_too_loses_its_step_alone() {
    let repository = Repository::of(&tree("series/before"));
    let path = ".github/workflows/own.yml";
    let (lint, build) = (
        "      - run: make lint\n",
        "      - run: docker build 2.14.x/scratch\n",
    );
    let job = |steps: &str| {
        format!("on: [push]\njobs:\n  all:\n    runs-on: ubuntu-24.04\n    steps:\n{steps}")
    };
    repository.write(path, job(&[lint, build].concat()));
    changes(&repository, &["--remove", "2.14.x/scratch"]);
    assert_eq!(repository.read(path), job(lint));
}

#[test]
fn a_script_is_not_torn() {
    let path = "2.14.x/tests/build-images-2022.ps1";
    for text in [
        "docker manifest create x `\n  \"nats:$ver-nanoserver-ltsc2025\" `\n  \"nats:$ver-nanoserver-ltsc2022\"\nWrite-Host done\n",
        "for i in \\\n  \"nats:$ver-alpine3.22\" \\\n  \"nats:$ver-nanoserver-ltsc2022\"; do\n  docker run $i\ndone\n",
        "docker push \\\n  \"nats:$ver-nanoserver-ltsc2022\" \\\n  \"nats:latest\"\n",
        "if [ \"$v\" = scratch ]; then echo a\nelif [ \"$v\" = nanoserver-ltsc2022 ]; then echo b\nfi\n",
    ] {
        let repository = Repository::of(&tree("series/before"));
        repository.write(path, repository.read(path) + text);
        let before = repository.snapshot();
        repository
            .run(&["--remove", "2.14.x/nanoserver-ltsc2022"])
            .fails_with(&[
                "error: `--remove` cannot be completed:",
                &format!("{path}:4: cannot tell how to take nanoserver-ltsc2022 out"),
            ]);
        same(&repository.snapshot(), &before);
    }
}

#[test]
fn what_a_job_that_goes_was_needed_for_goes_too() {
    let workflow = |years: &[&str]| {
        let job = |year: &&str| {
            format!(
                "  windows-{year}:\n    runs-on: windows-{year}\n    steps:\n      - run: docker build 2.14.x/windowsservercore-ltsc{year}\n      - run: docker build --tag x:nanoserver-ltsc{year} 2.14.x/nanoserver-ltsc{year}\n\n"
            )
        };
        let jobs: String = years.iter().map(job).collect();
        let needs = |year: &&str| format!("windows-{year}");
        let needs: Vec<String> = years.iter().map(needs).collect();
        let lines = |year: &&str| format!("      - windows-{year}\n");
        let lines: String = years.iter().map(lines).collect();
        let image = |year: &&str| {
            format!(
                "            --amend \"nats:${{{{ github.ref_name }}}}-nanoserver-ltsc{year}\" \\\n"
            )
        };
        let images: String = years.iter().map(image).collect();
        format!(
            "on: push\njobs:\n{jobs}  one:\n    needs: [{}, linux]\n    runs-on: x\n    steps:\n      - run: |\n          docker manifest create x \\\n{images}            y\n\n  two:\n    needs:\n{lines}    runs-on: x\n    steps: []\n\n  linux:\n    runs-on: x\n    steps: []\n",
            needs.join(", ")
        )
    };
    let repository = Repository::of(&tree("series/before"));
    for other in ["publish.yaml", "windows.yaml"] {
        let path = repository.path(&format!(".github/workflows/{other}"));
        let _ = std::fs::remove_file(path);
    }
    let path = ".github/workflows/manifest.yml";
    repository.write(path, workflow(&["2022", "2025"]));
    repository.finds(&[]);
    let gone = ["windowsservercore-ltsc2022", "nanoserver-ltsc2022"].map(|name| ["--remove", name]);
    let gone: Vec<&str> = gone.iter().flatten().copied().collect();
    changes(&repository, &gone);
    same_text(&repository.read(path), &workflow(&["2025"]));
}

fn same_text(found: &str, expected: &str) {
    assert!(found == expected, "{found}\n----\n{expected}");
}

const WORKFLOW: &str = "\
on: [push]
jobs:
  nats-2_12-linux:
    runs-on: ubuntu-24.04
    steps:
      - run: cd ./2.12.x/tests && ./build-images.sh

  nats-2_14-linux:
    runs-on: ubuntu-24.04
    steps:
      - run: cd ./2.14.x/tests && ./build-images.sh
      - name: nanoserver-ltsc2025
        run: docker build 2.14.x/nanoserver-ltsc2025

  windows:
    strategy:
      matrix:
        directory: [2.12.x, 2.14.x]
        include:
          - directory: 2.12.x
            base: ltsc2022
          - directory: 2.14.x
            base: ltsc2022
    steps:
      - run: docker build ${{ matrix.directory }}/nanoserver-${{ matrix.base }}
";

#[test]
fn a_series_goes_with_its_jobs_and_items() {
    let repository = Repository::of(&tree("series/before"));
    repository.write(".github/workflows/images.yml", WORKFLOW);
    repository.run(&["check"]).exits_with(0);
    for (removed, title) in [
        ("2.12.x", "\"title\": \"Remove 2.12.x\""),
        ("2.12.x/scratch", "\"title\": \"Remove scratch in 2.12.x\""),
    ] {
        let run = repository.run(&["-n", "--format", "json", "--remove", removed]);
        assert!(run.stdout.contains(title), "{}", run.stdout + &run.stderr);
    }
    changes(&repository, &["--remove", "2.12.x"]);
    let expected = "\
on: [push]
jobs:
  nats-2_14-linux:
    runs-on: ubuntu-24.04
    steps:
      - run: cd ./2.14.x/tests && ./build-images.sh
      - name: nanoserver-ltsc2025
        run: docker build 2.14.x/nanoserver-ltsc2025

  windows:
    strategy:
      matrix:
        directory: [2.14.x]
        include:
          - directory: 2.14.x
            base: ltsc2022
    steps:
      - run: docker build ${{ matrix.directory }}/nanoserver-${{ matrix.base }}
";
    assert_eq!(repository.read(".github/workflows/images.yml"), expected);
    assert!(!repository.path("2.12.x").exists());
}

#[test]
fn a_variant_of_one_series_goes_from_the_steps_of_that_series() {
    let repository = Repository::of(&tree("series/before"));
    repository.write(".github/workflows/images.yml", WORKFLOW);
    repository.remove(".github/workflows/publish.yaml");
    changes(&repository, &["--remove", "2.14.x/nanoserver-ltsc2025"]);
    let step =
        "      - name: nanoserver-ltsc2025\n        run: docker build 2.14.x/nanoserver-ltsc2025\n";
    assert_eq!(
        repository.read(".github/workflows/images.yml"),
        WORKFLOW.replace(step, "")
    );
}

#[test]
fn a_folder_that_is_no_variant_is_not_moved_over() {
    let repository = Repository::of(&tree("series/before"));
    repository.write("2.14.x/alpine3.23/nats-server.conf", "x\n");
    repository.update_fails(
        &["--base", "2.14.x/alpine=3.23"],
        &["two folders of 2.14.x would have one name: rename or remove one of them"],
    );
}

#[test]
fn what_is_left_dangling_in_a_workflow_is_named() {
    let repository = Repository::of(&tree("series/before"));
    let needs = "  publish:\n    needs: [nats-2_12-linux, nats-2_14-linux]\n    if: ${{ startsWith(github.ref_name, 'v2.12.') || startsWith(github.ref_name, 'v2.14.') }}\n";
    repository.write(".github/workflows/images.yml", WORKFLOW.to_owned() + needs);
    let before = repository.snapshot();
    repository
        .run(&["--remove", "2.12.x"])
        .fails_with(&["images.yml:", "still names 2.12.x: `if: "]);
    same(&repository.snapshot(), &before);
}

#[test]
fn a_series_that_goes_is_not_changed_in_the_same_command() {
    let repository = Repository::of(&tree("series/before"));
    repository
        .run(&["--remove", "2.14.x", "--base", "2.14.x/alpine=3.23"])
        .fails_with(&["`--remove 2.14.x` cannot be combined with another change of 2.14.x: run one after the other"]);
}

/// A repository with series, in git.
fn committed() -> Repository {
    let repository = Repository::of(&tree("series/before"));
    let git = |args: &[&str]| {
        let output = std::process::Command::new("git")
            .args(args)
            .current_dir(repository.root())
            .output();
        assert!(output.expect("git runs").status.success());
    };
    git(&["init", "-q"]);
    git(&["add", "--all"]);
    git(&[
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.com",
        "commit",
        "-qm",
        "Start",
    ]);
    repository
}

#[track_caller]
fn with_git(repository: &Repository, args: &[&str]) -> crate::support::Run {
    let mut command = crate::support::program(repository.root(), args);
    command.env("PATH", std::env::var_os("PATH").expect("a PATH"));
    crate::support::Run::of(&mut command)
}

#[test]
fn what_was_never_there_is_not_removed() {
    let repository = committed();
    let before = repository.snapshot();
    for (remove, said) in [
        (
            "2.14.x/alpine9",
            "no variant alpine9 in 2.14.x: there are alpine3.22, nanoserver-ltsc2022, ",
        ),
        (
            "alpin3.22",
            "no variant alpin3.22: there are alpine3.21, alpine3.22, ",
        ),
        (
            "2.13.x",
            "no version directory 2.13.x: there are 2.12.x, 2.14.x\n",
        ),
        (
            "2.14",
            "no version directory 2.14: there are 2.12.x, 2.14.x\n",
        ),
    ] {
        with_git(&repository, &["--remove", remove]).fails_with(&["nothing to remove:\n", said]);
    }
    same(&repository.snapshot(), &before);
    // What git has, a run that was killed may have removed.
    with_git(&repository, &["-q", "--remove", "2.12.x"]).exits_with(0);
    let again = with_git(&repository, &["--remove", "2.12.x"]).exits_with(0);
    let said = "nothing to remove: no version directory 2.12.x: there is 2.14.x\n";
    assert!(again.stdout.ends_with(said), "{}", again.stdout);
}

#[test]
fn one_variant_does_not_come_and_go_at_once() {
    let repository = Repository::of(&tree("series/before"));
    repository
        .run(&["--add", "2.14.x/alpine3.23", "--remove", "alpine3.23"])
        .fails_with(&["`--add alpine3.23` and `--remove alpine3.23`: give only one"]);
    let run = repository.run(&[
        "-n",
        "--base",
        "alpine=3.23",
        "--remove",
        "2.14.x/alpine3.22",
    ]);
    run.fails_with(&["`--remove alpine3.22`, which `--base` moves to alpine3.23: give only one"]);
}

#[test]
fn what_git_does_not_have_is_not_removed() {
    let repository = committed();
    repository.write("2.12.x/notes.txt", "mine");
    let before = repository.snapshot();
    with_git(&repository, &["--remove", "2.12.x"]).fails_with(&[
        "what would be removed has changes that are not committed:\n  2.12.x/notes.txt\n",
    ]);
    same(&repository.snapshot(), &before);
}

#[test]
fn what_would_leave_nothing_is_refused() {
    let repository = Repository::of(&tree("series/before"));
    repository
        .run(&["--remove", "2.12.x", "--remove", "2.14.x"])
        .fails_with(&["`--remove` would remove every version directory"]);
    repository
        .run(&["--remove", "2.99.x/alpine3.22"])
        .fails_with(&["no version directory 2.99.x"]);
}

#[test]
fn a_series_goes_with_its_heading() {
    let repository = Repository::of(&tree("series/before"));
    const OWN: &str = ".github/workflows/own.yml";
    let text = "\
on: [push]
jobs:
  # ---- 2.12.x
  a-2_12:
    steps:
      - run: cd 2.12.x/tests

  # ---- 2.14.x
  a-2_14:
    steps:
      - run: |
          docker build ./2.14.x/scratch
";
    repository.write(OWN, text);
    changes(&repository, &["--remove", "2.12.x"]);
    let (before, after) = (text.find("  # ---- 2.12.x"), text.find("  # ---- 2.14.x"));
    let (before, after) = (before.expect("a heading"), after.expect("a heading"));
    same_text(
        &repository.read(OWN),
        &[&text[..before], &text[after..]].concat(),
    );
}

#[test]
fn what_serves_the_others_is_not_about_the_series_that_goes() {
    let repository = Repository::of(&tree("series/before"));
    const OWN: &str = ".github/workflows/own.yml";
    let text = "\
on: [push]
jobs:
  build:
    strategy:
      matrix:
        version: [2.12.x, 2.14.x]
    steps:
      - name: All # 2.12.x has another base
        run: docker build ./${{ matrix.version }}/scratch
";
    let denied = [
        "      - if: ${{ matrix.version != '2.12.x' }}\n        run: docker build ./${{ matrix.version }}/scratch\n",
        "  gate:\n    if: ${{ !startsWith(github.ref_name, 'v2.12.') }}\n    steps:\n      - run: ./publish.sh\n",
        "  docs:\n    env:\n      OLDEST: 2.12.x\n    steps:\n      - run: make site\n",
    ];
    for part in denied {
        repository.write(OWN, format!("{text}{part}"));
        let before = repository.snapshot();
        let line = part
            .lines()
            .find(|line| line.contains("2.12"))
            .expect("a line");
        let line = line.trim().trim_start_matches("- ");
        let run = repository.run(&["--remove", "2.12.x"]);
        run.fails_with(&["own.yml:", "still names 2.12.x: `", line]);
        same(&repository.snapshot(), &before);
    }
    // Never built for 2.12.x, whose variant goes.
    repository.write(OWN, format!("{text}{}", denied[0]));
    repository
        .run(&["--remove", "2.12.x/scratch"])
        .exits_with(0);
    assert_eq!(repository.read(OWN), format!("{text}{}", denied[0]));
    repository.write(OWN, text);
    changes(&repository, &["--remove", "2.12.x"]);
    assert_eq!(
        repository.read(OWN),
        text.replace("2.12.x, 2.14.x", "2.14.x")
    );
}

#[test]
fn a_workflow_without_jobs_is_not_left() {
    let repository = Repository::of(&tree("series/before"));
    let text = "on: [push]\njobs:\n  a-2_12:\n    steps:\n      - run: cd 2.12.x/tests\n";
    repository.write(".github/workflows/own.yml", text);
    let run = repository.run(&["--remove", "2.12.x"]);
    run.fails_with(&[
        "own.yml: all of its jobs would be removed, and a workflow needs one: remove the file",
    ]);
}

#[test]
fn one_variant_comes_and_another_goes_in_one_run() {
    let repository = Repository::of(&tree("series/before"));
    let both = ["--add", "2.14.x/alpine3.23", "--remove", "2.14.x/scratch"];
    repository.run(&both).exits_with(0);
    assert!(repository.path("2.14.x/alpine3.23").is_dir());
    assert!(!repository.path("2.14.x/scratch").exists());
    repository.finds(&[]);
}

#[test]
fn an_image_that_is_built_from_a_removed_one_is_built_from_its_sibling() {
    let repository = Repository::of(&tree("series/before"));
    repository.write(
        ".github/workflows/preview.yml",
        "on: push\njobs:\n  linux-2_14:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: |\n          docker build --tag nats:p-alpine3.22 ./2.14.x/alpine3.22\n      - run: |\n          docker build --build-arg \"BASE_IMAGE=nats:${{ github.sha }}-alpine3.22\" --tag nats:p-scratch ./2.14.x/scratch\n",
    );
    changes(&repository, &["--add", "2.14.x/alpine3.23"]);
    changes(&repository, &["--remove", "2.14.x/alpine3.22"]);
    assert!(
        repository
            .read(".github/workflows/preview.yml")
            .ends_with("    steps:\n      - run: |\n          docker build --build-arg \"BASE_IMAGE=nats:${{ github.sha }}-alpine3.23\" --tag nats:p-scratch ./2.14.x/scratch\n"),
        "{}",
        repository.read(".github/workflows/preview.yml")
    );
}
