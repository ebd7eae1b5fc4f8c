//! Bases, new variants and runners: what a maintainer would edit by hand.

use crate::support::{RELEASES_OF_SERIES, Repository, Run, same, snapshot, tree};

fn streaming() -> Repository {
    Repository::of(&tree("streaming/after"))
}

fn lines() -> Repository {
    Repository::of(&tree("series/before"))
}

/// A run without any release in reach.
fn offline(repository: &Repository, args: &[&str]) -> Run {
    repository.run(&[&["--from", "http://127.0.0.1:1"], args].concat())
}

/// A second run of the same command changes nothing, and `check` finds nothing.
#[track_caller]
fn is_settled(repository: &Repository, args: &[&str]) {
    repository.finds(&[]);
    let before = repository.snapshot();
    let run = offline(repository, &[args, &["--exit-code"]].concat()).exits_with(0);
    assert!(
        run.stdout.contains(": nothing to change\n"),
        "{}",
        run.stdout
    );
    same(&repository.snapshot(), &before);
}

#[test]
fn a_family_moves_to_another_base_with_everything_that_mentions_it() {
    let repository = streaming();
    let run = offline(&repository, &["--base", "alpine=3.19"]).exits_with(0);
    assert_eq!(
        run.stdout,
        "\
nats-streaming 0.25.6 in 0.25.6/

  0.25.6/alpine3.18/Dockerfile → 0.25.6/alpine3.19/Dockerfile
      base  3.18 → 3.19
  0.25.6/alpine3.18/docker-entrypoint.sh → 0.25.6/alpine3.19/docker-entrypoint.sh  unchanged
  0.25.6/scratch/Dockerfile
      reference  0.25.6-alpine3.18 → 0.25.6-alpine3.19
  tests/build-images.sh
      variant    alpine3.18 → alpine3.19
      reference  alpine3.18 → alpine3.19
  tests/run-images.sh
      reference  0.25.6-alpine3.18 → 0.25.6-alpine3.19

2 files moved, 3 files rewritten; 5 fields changed: 1 base, 3 references, 1 variant
"
    );
    let mut expected = snapshot(&tree("streaming/after"));
    let moved: Vec<String> = expected
        .keys()
        .filter(|path| path.contains("alpine3.18"))
        .cloned()
        .collect();
    for path in moved {
        let file = expected.remove(&path).expect("it");
        expected.insert(path.replace("alpine3.18", "alpine3.19"), file);
    }
    for (path, (_, bytes)) in &mut expected {
        let text = String::from_utf8_lossy(bytes)
            .replace("alpine3.18", "alpine3.19")
            .replace("alpine:3.18", "alpine:3.19");
        if !path.ends_with("history.txt") {
            *bytes = text.into_bytes();
        }
    }
    same(&repository.snapshot(), &expected);
    is_settled(&repository, &["--base", "alpine=3.19"]);
}

#[test]
fn a_base_moves_together_with_the_version() {
    let repository = Repository::of(&tree("streaming/before"));
    repository
        .update(&[
            "0.25.6",
            "--base",
            "alpine=3.19",
            "--base",
            "windows=ltsc2022",
        ])
        .exits_with(0);
    assert!(
        repository
            .read("0.25.6/alpine3.19/Dockerfile")
            .starts_with("FROM alpine:3.19\n")
    );
    assert!(
        repository
            .read("0.25.6/nanoserver-ltsc2022/Dockerfile")
            .contains("nats-streaming:0.25.6-windowsservercore-ltsc2022 ")
    );
    assert!(
        repository
            .read("tests/build-images-2022.ps1")
            .contains("..\\0.25.6\\nanoserver-ltsc2022\"")
    );
    assert!(!repository.path("0.25.5").exists());
    is_settled(&repository, &["--base", "windows=ltsc2022"]);
}

#[test]
fn templates_move_with_their_families() {
    let repository = Repository::of_this_project();
    offline(
        &repository,
        &["--base", "alpine=3.19", "--base", "windows=ltsc2022"],
    )
    .exits_with(0);
    assert!(
        repository
            .read("templates/alpine/Dockerfile")
            .starts_with("FROM alpine:3.19\n")
    );
    assert!(
        repository
            .read("templates/scratch/Dockerfile")
            .contains("nats-streaming:0.0.0-alpine3.19 ")
    );
    let nanoserver = repository.read("templates/nanoserver/Dockerfile");
    assert!(
        nanoserver.contains("nanoserver:ltsc2022\n")
            && nanoserver.contains("0.0.0-windowsservercore-ltsc2022 ")
    );
    is_settled(
        &repository,
        &["--base", "alpine=3.19", "--base", "windows=ltsc2022"],
    );
    offline(
        &repository,
        &["--base", "alpine=3.18", "--base", "windows=1809"],
    )
    .exits_with(0);
    same(
        &repository.snapshot(),
        &Repository::of_this_project().snapshot(),
    );
}

#[test]
fn of_several_variants_of_a_family_the_one_that_moves_is_named() {
    let repository = lines();
    offline(&repository, &["--remove", "2.12.x"]).exits_with(0);
    let before = repository.snapshot();
    offline(&repository, &["--base", "windows=ltsc2028"]).fails_with(&[
        "in 2.14.x",
        "`--base windows=ltsc2028` could move any of nanoserver-ltsc2022, nanoserver-ltsc2025, windowsservercore-ltsc2022, \
         windowsservercore-ltsc2025: say which, as in `--base windows-ltsc2022=ltsc2028`",
    ]);
    offline(&repository, &["--base", "windows-ltsc2022=ltsc2025"])
        .fails_with(&["`--base windows-ltsc2022=ltsc2025`: nanoserver-ltsc2022 cannot become nanoserver-ltsc2025, which is there already: \
             `--remove nanoserver-ltsc2022 --remove windowsservercore-ltsc2022`, in its place, drops what is old"]);
    offline(&repository, &["--base", "debian=12"])
        .fails_with(&["`--base debian=12`: no variant of the family debian in 2.14.x"]);
    same(&repository.snapshot(), &before);
    offline(&repository, &["--base", "windows-ltsc2022=ltsc2028"]).exits_with(0);
    assert!(
        repository
            .read("2.14.x/nanoserver-ltsc2028/Dockerfile")
            .contains("nats:2.14.4-windowsservercore-ltsc2028 ")
    );
    assert!(
        repository
            .read("2.14.x/nanoserver-ltsc2025/Dockerfile")
            .contains("nats:2.14.4-windowsservercore-ltsc2025 ")
    );
    is_settled(&repository, &["--base", "windows-ltsc2022=ltsc2028"]);
}

#[test]
fn a_base_without_a_version_moves_in_every_line_that_has_it() {
    let repository = lines();
    offline(&repository, &["--base", "alpine=3.23"]).exits_with(0);
    assert!(
        repository
            .read("2.12.x/alpine3.23/Dockerfile.preview")
            .starts_with("ARG BASE_IMAGE=nats:2.12.14-alpine3.23\n")
    );
    assert!(
        repository
            .read("2.14.x/alpine3.23/Dockerfile")
            .starts_with("FROM alpine:3.23\n")
    );
    is_settled(&repository, &["--base", "alpine=3.23"]);
    repository
        .run(&[
            "--from",
            RELEASES_OF_SERIES,
            "2.14.5",
            "--base",
            "alpine=3.24",
        ])
        .exits_with(0);
    assert!(
        repository.path("2.12.x/alpine3.23").exists()
            && repository.path("2.14.x/alpine3.24").exists()
    );
}

#[test]
fn a_base_that_is_pinned_by_its_digest_is_not_moved() {
    let repository = streaming();
    repository.edit(
        "0.25.6/alpine3.18/Dockerfile",
        "FROM alpine:3.18",
        &format!("FROM alpine:3.18@sha256:{}", "4".repeat(64)),
    );
    repository.finds(&[]);
    let before = repository.snapshot();
    offline(&repository, &["--base", "alpine=3.19"]).fails_with(&[
        "0.25.6/alpine3.18/Dockerfile:1: base: found 3.18: is pinned by digest; change tag and digest to 3.19 by hand",
    ]);
    same(&repository.snapshot(), &before);
}

#[test]
fn a_comment_that_mentions_a_variant_moves_with_it() {
    let repository = streaming();
    repository.edit(
        "tests/build-images.sh",
        "set -euo",
        "# alpine3.18 first, once it was alpine3.12\nset -euo",
    );
    offline(&repository, &["--base", "alpine=3.19"]).exits_with(0);
    assert!(
        repository
            .read("tests/build-images.sh")
            .contains("# alpine3.19 first, once it was alpine3.12\n")
    );
    // Not with that of another series.
    let series = Repository::of(&tree("series/before"));
    let path = "2.12.x/tests/build-images.sh";
    series.edit(path, "set -euo", "# alpine3.22 is in 2.14.x\nset -euo");
    offline(&series, &["--base", "alpine=3.23"]).exits_with(0);
    let comment = "# alpine3.22 is in 2.14.x\n";
    assert!(series.read(path).contains(comment));
}

#[test]
fn a_variant_is_added_from_its_template_and_to_the_scripts_in_build_order() {
    let repository = Repository::of_this_project();
    let args = [
        "--add",
        "alpine3.19",
        "--add",
        "windowsservercore-ltsc2022",
        "--add",
        "nanoserver-ltsc2022",
    ];
    let run = offline(&repository, &args).exits_with(0);
    assert!(
        run.stdout
            .contains("  0.25.6/alpine3.19/Dockerfile  new, from templates/alpine/Dockerfile\n")
    );
    assert!(
        repository
            .read("0.25.6/alpine3.19/Dockerfile")
            .contains("caf2839d")
    );
    assert!(
        repository
            .read("0.25.6/nanoserver-ltsc2022/Dockerfile")
            .contains("0.25.6-windowsservercore-ltsc2022 ")
    );
    assert!(
        repository
            .read("tests/build-images.sh")
            .contains("for variant in alpine3.18 alpine3.19 scratch; do\n")
    );
    // Another Windows needs another runner, and so scripts of its own.
    for script in ["build", "run"] {
        let of = |year: &str| repository.read(&format!("tests/{script}-images-{year}.ps1"));
        assert!(!of("2019").contains("ltsc2022"));
        assert_eq!(
            of("2022"),
            of("2019")
                .replace("-1809", "-ltsc2022")
                .replace("2019", "2022")
        );
    }
    is_settled(&repository, &args);
}

#[test]
fn a_variant_is_added_from_its_nearest_sibling_where_there_are_no_templates() {
    let repository = Repository::of(&tree("streaming/before"));
    repository
        .update(&[
            "0.25.6",
            "--add",
            "alpine3.19",
            "--add",
            "nanoserver-ltsc2022",
        ])
        .exits_with(0);
    assert_eq!(
        repository.read("0.25.6/alpine3.19/Dockerfile"),
        repository
            .read("0.25.6/alpine3.18/Dockerfile")
            .replace("FROM alpine:3.18", "FROM alpine:3.19")
    );
    let script = repository.read("tests/build-images.sh");
    assert!(script.contains(
        "(\n\tcd \"../${ver[1]}/alpine3.18\"\n\tdocker build --tag nats-streaming:${ver[1]}-alpine3.18 .\n)\n\n\
         (\n\tcd \"../${ver[1]}/alpine3.19\"\n\tdocker build --tag nats-streaming:${ver[1]}-alpine3.19 .\n)\n\n\
         (\n\tcd \"../${ver[1]}/scratch\"\n"
    ));
    let script = repository.read("tests/run-images-2022.ps1");
    assert!(
        script.contains("(\n\t\"nats-streaming:0.25.6-nanoserver-ltsc2022\"\n)\n"),
        "{script}"
    );
    is_settled(&repository, &["--add", "alpine3.19"]);
}

#[test]
fn a_variant_is_made_from_the_sibling_that_is_called_alike_but_for_its_base() {
    let repository = lines();
    let path = |variant: &str| format!("2.14.x/{variant}/Dockerfile");
    let plain = repository.read(&path("alpine3.22"));
    let slim = plain.replace("FROM alpine:3.22", "FROM alpine:3.22-slim") + "# slim\n";
    repository.write(&path("alpine3.22-slim"), slim);
    offline(&repository, &["--add", "2.14.x/alpine3.23"]).exits_with(0);
    let expected = plain.replace("FROM alpine:3.22", "FROM alpine:3.23");
    assert_eq!(repository.read(&path("alpine3.23")), expected);
}

#[test]
fn a_script_that_somebody_has_written_for_another_windows_stays_as_it_is() {
    let repository = lines();
    let (path, text) = (
        "2.14.x/tests/build-images-2028.ps1",
        "Write-Host 'made by hand'\n",
    );
    repository.write(path, text);
    let args = ["--add", "2.14.x/windowsservercore-ltsc2028"];
    let run = offline(&repository, &args).exits_with(0);
    assert_eq!(repository.read(path), text);
    let other = "2.14.x/tests/run-images-2028.ps1  new, from 2.14.x/tests/run-images-2025.ps1";
    assert!(run.stdout.contains(other), "{}", run.stdout);
}

#[test]
fn a_runner_that_no_workflow_names_is_said() {
    offline(&lines(), &["--runner", "macos=15"])
        .exits_with(0)
        .says(
            "nats: nothing to change\n\nNotes:\n  no workflow names a macos runner such as macos-latest; runners that are made from a matrix are not changed\n",
        );
}

#[test]
fn a_variant_that_nothing_is_like_cannot_be_added() {
    let repository = streaming();
    offline(&repository, &["--add", "debian12"])
        .fails_with(&["`--add debian12`: nothing to make it from: there is no `templates/debian`, and no debian variant in 0.25.6"]);
    offline(&repository, &["--add", "../x"])
        .fails_with(&["expected the name of a variant, such as alpine3.19"]);
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

const WORKFLOW: &str = "\
on: [push]
jobs:
  linux:   # not ubuntu-20.04 any more
    name: on ubuntu-22.04
    runs-on: ubuntu-22.04 # as ubuntu-22.04 has it
    steps:
      - run: echo ubuntu-22.04
  both:
    strategy:
      matrix:
        os: [ubuntu-22.04,macos-13, 'windows-2019', ubuntu-22.04-arm, ubuntu-22.04-16core]
        include:
        - os: ubuntu-latest
          name: ubuntu-22.04
    runs-on: ${{ matrix.os }}
    if: contains(github.ref, 'ubuntu-22.04')
  windows:
    runs-on:
    - self-hosted
    - windows-2019
    steps:
      - run: ./build-images-2019.ps1
";

#[test]
fn a_base_can_be_a_windows_between_two_servers() {
    let repository = streaming();
    let both = |option: &str, base: &str| {
        let names = ["windowsservercore", "nanoserver"];
        names.map(|name| [option.to_owned(), format!("{name}{base}")])
    };
    let run = |args: [[String; 2]; 2]| {
        let args = args.as_flattened().iter().map(String::as_str);
        offline(&repository, &args.collect::<Vec<_>>()).exits_with(0)
    };
    run(both("--base", "-1809=1803"));
    assert!(
        repository
            .read("0.25.6/nanoserver-1803/Dockerfile")
            .contains("nanoserver:1803")
    );
    run(both("--base", "-1803=1903"));
    run(both("--base", "-1903=1809"));
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
    // Its scripts go with it, too.
    for script in ["build-images-1803.ps1", "run-images-1803.ps1"] {
        let text = repository.read(&format!("tests/{}", script.replace("1803", "2019")));
        repository.write(&format!("tests/{script}"), text.replace("1809", "1803"));
    }
    run(both("--add", "-1803"));
    run(both("--remove", "-1803"));
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn a_variant_is_added_where_no_download_has_a_hash() {
    let repository = streaming();
    let path = "0.25.6/alpine3.18/Dockerfile";
    let without = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("sha256sum"));
        let plain = |line: &str| match line.split_once("sha256='") {
            Some((before, rest)) => format!("{before}{}\n", &rest[66..]),
            None => format!("{line}\n"),
        };
        lines.map(plain).collect::<String>()
    };
    repository.write(path, without(&repository.read(path)));
    let run = offline(&repository, &["--add", "alpine3.19"]).exits_with(0);
    let missing = "0.25.6/alpine3.19/Dockerfile:15:25: hash: missing `<sha256>`";
    assert!(run.stdout.contains(missing), "{}", run.stdout);
}

#[test]
fn runners_of_workflows_move_and_nothing_else_there() {
    let repository = streaming();
    repository.write(".github/workflows/ci.yml", WORKFLOW);
    let run = offline(
        &repository,
        &["--runner", "ubuntu=24.04", "--runner", "macos=macos-15"],
    )
    .exits_with(0);
    assert!(
        run.stdout.contains(
            "  .github/workflows/ci.yml\n      runner ubuntu  22.04 → 24.04  in 2 places\n"
        ),
        "{}",
        run.stdout
    );
    let expected = WORKFLOW
        .replace("runs-on: ubuntu-22.04", "runs-on: ubuntu-24.04")
        .replace("os: [ubuntu-22.04,", "os: [ubuntu-24.04,")
        .replace("macos-13", "macos-15")
        .replace("os: ubuntu-latest", "os: ubuntu-24.04");
    assert_eq!(repository.read(".github/workflows/ci.yml"), expected);
    is_settled(&repository, &["--runner", "ubuntu=24.04"]);
    offline(&repository, &["--runner", "beos=5"]).fails_with(&["found the system `beos`"]);
    offline(&repository, &["--runner", "ubuntu=new"])
        .fails_with(&["`new`, expected one such as 24.04 or latest"]);
}

#[test]
fn a_job_that_is_named_after_its_runner_moves_with_it_and_so_does_what_needs_it() {
    const CI: &str = ".github/workflows/ci.yml";
    let workflow = "\
on: push
jobs:
  windows-2019:
    name: Test on Windows Server 2019
    runs-on: windows-2019
    steps:
      - run: .\\tests\\build-images-2019.ps1
      - run: echo windows-2019 # windows-2019
  after:
    name: After windows-2019
    needs: [windows-2019]
    if: ${{ needs.windows-2019.result == 'success' || needs['windows-2019'].result == 'skipped' }}
    runs-on: ubuntu-24.04
";
    let moved = workflow
        .replace("  windows-2019:", "  windows-2022:")
        .replace("Server 2019", "Server 2022")
        .replace("runs-on: windows-2019", "runs-on: windows-2022")
        .replace("[windows-2019]", "[windows-2022]")
        .replace("needs.windows-2019", "needs.windows-2022")
        .replace("'windows-2019'", "'windows-2022'");
    for (args, old, new) in [
        (
            ["--base", "windows=ltsc2022"],
            "build-images-2019",
            "build-images-2022",
        ),
        (["--runner", "windows=2022"], "dir", "dir"),
    ] {
        let (workflow, moved) = match args[0] {
            "--base" => (workflow.to_owned(), moved.clone()),
            _ => [workflow, &moved]
                .map(|text| text.replace(".\\tests\\build-images-2019.ps1", "dir"))
                .into(),
        };
        let repository = streaming();
        repository.write(CI, &workflow);
        let run = offline(&repository, &args).exits_with(0);
        assert!(
            run.stdout.contains("2019 → 2022  in 5 places\n"),
            "{}",
            run.stdout
        );
        let expected = moved.replace(old, new);
        assert_eq!(repository.read(CI), expected);
        is_settled(&repository, &args);
    }
    // Two jobs cannot have one name.
    let workflow = workflow.replace(".\\tests\\build-images-2019.ps1", "dir");
    let both = format!("{workflow}  windows-2022:\n    runs-on: windows-2022\n");
    let repository = streaming();
    repository.write(CI, &both);
    offline(&repository, &["--runner", "windows=2022"]).exits_with(0);
    let expected = both.replace("runs-on: windows-2019", "runs-on: windows-2022");
    assert_eq!(repository.read(CI), expected);
}

#[test]
fn a_runner_of_another_windows_than_what_it_runs_is_for_is_found_and_not_written() {
    const CI: &str = ".github/workflows/ci.yml";
    let at = |runner: &str, what: &str| {
        format!(
            "on: push\njobs:\n  test:\n    runs-on: windows-{runner}\n    steps:\n      - run: {what}\n"
        )
    };
    for what in [
        ".\\tests\\build-images-2019.ps1",
        "docker build 0.25.6/nanoserver-1809",
    ] {
        let repository = streaming();
        repository.write(CI, at("2019", what));
        repository.finds(&[]);
        offline(&repository, &["--runner", "windows=2022"]).fails_with(&[
            "ci.yml:4: runner: found 2022, expected 2019: what this job runs is for that Windows",
        ]);
        let moved = offline(&repository, &["-n", "--diff", "--base", "windows=ltsc2022"]);
        assert!(
            moved.stdout.contains("+    runs-on: windows-2022\n"),
            "{}",
            moved.stdout
        );
        repository.write(CI, at("2022", what));
        repository.finds(&[
            ".github/workflows/ci.yml:4:22: runner: found 2022, expected 2019: what this job runs is for that Windows",
        ]);
        // Isolated by Hyper-V, a container starts on a newer Windows.
        repository.write(CI, at("2022", &format!("{what} --isolation=hyperv")));
        repository.finds(&[]);
    }
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let repository = streaming();
    repository.edit(
        "0.25.6/scratch/Dockerfile",
        "0.25.6-alpine3.18",
        "0.25.5-alpine3.18",
    );
    let summary = repository.path("summary.md");
    let mut command = crate::support::program(repository.root(), &["check", "--format", "github"]);
    Run::of(command.env("GITHUB_STEP_SUMMARY", &summary)).exits_with(1).says(
        "::error file=0.25.6/scratch/Dockerfile,line=3,col=28,title=reference::found 0.25.5-alpine3.18, expected 0.25.6-alpine3.18\n\
         1 finding in 1 file. Fix it with `update 0.25.6`.\n",
    );
    let expected = "`update check` of nats-streaming 0.25.6: 1 finding.\n\n| place | rule | finding |\n| --- | --- | --- |\n\
                    | `0.25.6/scratch/Dockerfile:3` | reference | `found 0.25.5-alpine3.18, expected 0.25.6-alpine3.18` |\n\n\
                    Fix it with `update 0.25.6`.\n";
    // More may follow: the empty line ends a table.
    assert_eq!(repository.read("summary.md"), format!("{expected}\n"));
    repository
        .run(&["check", "--format", "markdown"])
        .exits_with(1)
        .says(expected);
}

#[test]
fn markdown_is_the_body_of_a_pull_request() {
    let repository = Repository::of(&tree("streaming/before"));
    let run = repository
        .update(&["--format", "markdown", "0.25.6"])
        .exits_with(0);
    for part in [
        "## Update to 0.25.6\n\n- nats-streaming 0.25.5 → 0.25.6\n\n6 files moved, 4 files rewritten; 18 fields changed: ",
        "| `{0.25.5 → 0.25.6}/alpine3.18/Dockerfile` | sha256 arm64 | `937af3f9cdbf` | `caf2839d14c6` |\n",
        "| `nats-streaming-server-v0.25.6-linux-arm64.tar.gz` | `caf2839d14c610d9d62afeb9022ee36aa4ff5adc86d0402bb7e1a5d7f5e7d26f` |\n",
        "\n`update check` finds nothing in the result.\n",
    ] {
        assert!(run.stdout.contains(part), "{part}\n{}", run.stdout);
    }
}

#[test]
fn a_script_in_a_form_that_is_not_understood_is_left_and_said_to_miss_the_variant() {
    for text in [
        "images=\"alpine3.18 scratch\"\n",
        "case $1 in alpine3.18|scratch) docker build ../$1 ;; esac\n",
        "declare -A f=([alpine3.18]=a [scratch]=b)\n",
        "cd ../$V/alpine3.18\ndocker build .\ncd ../scratch\ndocker build .\n",
        // A tag would move to the image that is added.
        "docker build -t a:alpine3.18 ../alpine3.18\ndocker tag a:alpine3.18 a:latest\ndocker build ../scratch\n",
        "echo \"in alpine3.18 and scratch\"\ndocker build ../alpine3.18\ndocker build ../scratch\n",
        "images alpine3.18 scratch\n",
        "cp bin alpine3.18/x scratch/y\n",
        "$images = \"alpine3.18\",\n  \"scratch\"\nforeach ($i in $images) { docker build ../$i }\n",
    ] {
        let repository = streaming();
        repository.write("tests/build-images.sh", text);
        let run = offline(&repository, &["--add", "alpine3.19"]).exits_with(0);
        assert_eq!(repository.read("tests/build-images.sh"), text);
        assert!(
            run.stdout.contains(
                "tests/build-images.sh:1:1: script: missing the variant alpine3.19 of 0.25.6\n"
            ),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn commands_and_blocks_are_repeated_whole() {
    for (before, after) in [
        (
            "docker build \\\n\t--tag nats-streaming:0.25.6-alpine3.18 \\\n\t../alpine3.18\ndocker build ../scratch\n",
            "docker build \\\n\t--tag nats-streaming:0.25.6-alpine3.18 \\\n\t../alpine3.18\ndocker build \\\n\t--tag nats-streaming:0.25.6-alpine3.19 \\\n\t../alpine3.19\ndocker build ../scratch\n",
        ),
        (
            "if ! docker build ../alpine3.18; then\n\texit 1\nfi\ndocker build ../scratch\n",
            "if ! docker build ../alpine3.18; then\n\texit 1\nfi\nif ! docker build ../alpine3.19; then\n\texit 1\nfi\ndocker build ../scratch\n",
        ),
        (
            "pushd ../x/alpine3.18\ndocker build .\npopd\npushd ../x/scratch\ndocker build .\npopd\n",
            "pushd ../x/alpine3.18\ndocker build .\npopd\npushd ../x/alpine3.19\ndocker build .\npopd\npushd ../x/scratch\ndocker build .\npopd\n",
        ),
    ] {
        let repository = streaming();
        repository.write("tests/build-images.sh", before);
        offline(&repository, &["--add", "alpine3.19"]).exits_with(0);
        assert_eq!(repository.read("tests/build-images.sh"), after);
    }
}

#[test]
fn a_diff_of_a_copy_is_one_of_a_copy() {
    let repository = Repository::of(&tree("streaming/before"));
    let diff = repository
        .update(&["-n", "--diff", "--keep", "0.25.6"])
        .exits_with(0)
        .stdout;
    assert!(
        diff.contains("\ncopy from 0.25.5/scratch/Dockerfile\ncopy to 0.25.6/scratch/Dockerfile\n"),
        "{diff}"
    );
}

#[test]
fn a_base_that_no_folder_can_be_called_by_is_refused() {
    let repository = Repository::of_this_project();
    for base in [
        "alpine=edge",
        "alpine=latest",
        "windows=ltsc",
        "windowsservercore=3.18",
    ] {
        repository.update_fails(&["--base", base], &["expected a numbered base, such as"]);
    }
    repository.update_fails(
        &["--base", "windows=2022"],
        &["expected a numbered base, such as 1809 or ltsc2022"],
    );
    repository.update_fails(
        &["--add", "alpine"],
        &["`alpine` names no base", "such as alpine3.18"],
    );
}

#[test]
fn a_file_that_differs_from_its_template_is_put_right() {
    for (base, args) in [
        ("3.18", &["0.25.6"][..]),
        ("3.19", &["--base", "alpine=3.19"]),
    ] {
        let repository = Repository::of_this_project();
        let path = "0.25.6/alpine3.18/docker-entrypoint.sh";
        let right = repository.read(path);
        repository.write(path, "#!/bin/sh\necho mine\n");
        repository.set_mode(path, 0o644);
        repository.update(args).exits_with(0);
        let path = path.replace("3.18", base);
        assert_eq!(repository.read(&path), right);
        repository.finds(&[]);
    }
}
