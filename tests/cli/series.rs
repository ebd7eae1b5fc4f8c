//! A repository with several series: what workflows say of directories, variants, bases and scripts moves with them, in the
//! series that is meant and in no other.

use crate::support::{RELEASES_OF_SERIES, Repository, Run, Snapshot, same, snapshot, tree};

const PUBLISH: &str = ".github/workflows/publish.yaml";
const WINDOWS: &str = ".github/workflows/windows.yaml";

fn series() -> Repository {
    Repository::of(&tree("series/before"))
}

/// A run that makes a series of the nearest lower one.
#[track_caller]
fn gets_a_new_series(repository: &Repository) -> Run {
    let args = [
        "--from",
        RELEASES_OF_SERIES,
        "2.15.0-RC.1",
        "--allow-missing",
    ];
    repository.run(&args).exits_with(0)
}

/// A run that needs no release, after which `check` finds nothing.
#[track_caller]
fn changes(repository: &Repository, args: &[&str]) -> String {
    let run = repository.run(args).exits_with(0);
    repository.finds(&[]);
    run.stdout
}

/// The tree with folders and files renamed, and words replaced in files of those folders and in a workflow's lines between
/// two marks.
struct ByHand(Snapshot);

impl ByHand {
    fn new() -> Self {
        Self(snapshot(&tree("series/before")))
    }

    /// In every path of a folder, and in every text below it.
    fn moved(mut self, folder: &str, old: &str, new: &str) -> Self {
        let all = std::mem::take(&mut self.0);
        let moved = |(path, (mode, bytes)): (String, (u32, Vec<u8>))| {
            if !path.starts_with(folder) {
                return (path, (mode, bytes));
            }
            let text = String::from_utf8(bytes).expect("UTF-8").replace(old, new);
            (path.replace(old, new), (mode, text.into_bytes()))
        };
        self.0 = all.into_iter().map(moved).collect();
        self
    }

    /// In a file, from the first mark to the second one.
    fn within(mut self, path: &str, (from, to): (&str, &str), old: &str, new: &str) -> Self {
        let (_, bytes) = self.0.get_mut(path).expect("a file");
        let text = String::from_utf8(bytes.clone()).expect("UTF-8");
        let start = text.find(from).expect("a mark");
        let end = text[start..].find(to).map_or(text.len(), |end| start + end);
        let part = text[start..end].replace(old, new);
        assert!(part != text[start..end], "{old} is not there");
        *bytes = [&text[..start], &part, &text[end..]].concat().into_bytes();
        self
    }
}

#[test]
fn a_base_moves_in_paths_tags_build_arguments_and_names_of_steps_of_one_series() {
    for (to, args) in [
        ("3.23", ["--base", "2.14.x/alpine=3.23"]),
        ("3.23", ["--base", "2.14.x/alpine3.22=3.23"]),
        // Back again, which no `--allow-downgrade` is needed for.
        ("3.20", ["--base", "2.14.x/alpine=3.20"]),
    ] {
        let repository = series();
        let out = changes(&repository, &args);
        let job = ("  linux-2_14:", "  windows-2_14:");
        let expected = ByHand::new()
            .moved("2.14.x/", "alpine3.22", &format!("alpine{to}"))
            .moved("2.14.x/", "alpine:3.22", &format!("alpine:{to}"))
            .within(PUBLISH, job, "alpine3.22", &format!("alpine{to}"))
            .within(PUBLISH, job, "Alpine 3.22", &format!("Alpine {to}"));
        same(&repository.snapshot(), &expected.0);
        assert_eq!(out.contains("(down)"), to == "3.20", "{out}");
    }
}

#[test]
fn a_base_moves_in_every_series_that_has_it() {
    let repository = series();
    changes(&repository, &["--base", "2.12.x/alpine=3.22"]);
    changes(&repository, &["--base", "alpine=3.23"]);
    let text = repository.read(PUBLISH);
    assert!(!text.contains("3.22") && !text.contains("3.21"), "{text}");
    assert_eq!(text.matches("Alpine 3.23").count(), 2);
}

#[test]
fn scripts_named_after_a_base_move_with_it_and_so_do_items_and_mentions() {
    let expected = ByHand::new()
        .moved("2.12.x/", "2022", "2028")
        .moved("2.14.x/", "2022", "2028")
        .within(PUBLISH, ("jobs:", "\0"), "2022", "2028")
        .within(WINDOWS, ("jobs:", "\0"), "2022", "2028");
    let repository = series();
    let out = changes(&repository, &["--base", "windows-ltsc2022=ltsc2028"]);
    same(&repository.snapshot(), &expected.0);
    for part in [
        "  2.12.x/tests/run-images-2022.ps1 → 2.12.x/tests/run-images-2028.ps1\n",
        "  .github/workflows/windows.yaml\n      item  2022 → 2028\n",
    ] {
        assert!(out.contains(part), "{out}");
    }
}

#[test]
fn scripts_are_found_by_the_base_in_their_name_too_and_where_they_are_mentioned() {
    let repository = series();
    for script in ["build", "run"] {
        repository.rename(
            &format!("2.14.x/tests/{script}-images-2025.ps1"),
            &format!("2.14.x/tests/{script}-images-ltsc2025.ps1"),
        );
    }
    repository.edit(WINDOWS, "./build-images-2025", "./build-images-ltsc2025");
    repository.edit(WINDOWS, "./run-images-2025", "./run-images-ltsc2025");
    repository.edit(
        WINDOWS,
        "\n        include:\n          - series: 2.14.x\n            year: \"2025\"",
        "",
    );
    repository.edit(
        "2.14.x/tests/build-images.sh",
        "\n(\n",
        "\n# build-images-ltsc2025.ps1 is for Windows\n(\n",
    );
    repository.finds(&[]);
    changes(&repository, &["--base", "2.14.x/windows-ltsc2025=ltsc2028"]);
    assert!(
        repository
            .path("2.14.x/tests/build-images-ltsc2028.ps1")
            .exists()
    );
    assert!(
        repository
            .read("2.14.x/tests/build-images.sh")
            .contains("# build-images-ltsc2028.ps1 is")
    );
    let text = repository.read(WINDOWS);
    assert!(
        text.contains("- run: ./build-images-ltsc2028.ps1\n") && !text.contains("ltsc2025"),
        "{text}"
    );
}

#[test]
fn a_matrix_that_would_have_to_be_two_things_is_not_guessed() {
    let repository = series();
    let before = repository.snapshot();
    repository
        .run(&["--base", "2.12.x/windows-ltsc2022=ltsc2028"])
        .fails_with(&[
            "windows.yaml:11: file: found 2022: the matrix makes build-images-2022.ps1 from it: no script build-images-2022.ps1 in 2.12.x/tests",
            "Fix them, or also move the variants that need them with `--base`, then run the same command again",
        ]);
    same(&repository.snapshot(), &before);
}

#[test]
fn windows_variants_come_one_by_one_or_together_to_the_same_tree() {
    const BOTH: [&str; 2] = ["windowsservercore-ltsc2028", "nanoserver-ltsc2028"];
    for name in ["series/before", "streaming/before", "own"] {
        let (together, one_by_one, the_other_way) = (
            Repository::of(&tree(name)),
            Repository::of(&tree(name)),
            Repository::of(&tree(name)),
        );
        changes(&together, &["--add", BOTH[0], "--add", BOTH[1]]);
        for variant in BOTH {
            changes(&one_by_one, &["--add", variant]);
        }
        same(&one_by_one.snapshot(), &together.snapshot());
        let [core, nano] = BOTH;
        if name.starts_with("series") {
            // Of several windowsservercores none is on its base yet.
            the_other_way.run(&["--add", nano]).fails_with(&[
                "no windowsservercore on ltsc2028 in 2.14.x, which has windowsservercore-ltsc2022",
            ]);
            continue;
        }
        the_other_way.run(&["--add", nano]).exits_with(0);
        the_other_way.run(&["--add", core]).exits_with(0);
        // What was copied from before its own base was there is put right by a repair.
        let scripts = |repository: &Repository| -> Snapshot {
            let mut all = repository.snapshot();
            all.retain(|path, _| path.contains("tests/"));
            all
        };
        same(&scripts(&the_other_way), &scripts(&together));
    }
}

#[test]
fn a_variant_that_no_workflow_names_yet_is_said() {
    let repository = series();
    let out = changes(&repository, &["--add", "2.14.x/alpine3.23"]);
    let note = "\nNotes:\n  no workflow names 2.14.x/alpine3.23; alpine3.22 is named in .github/workflows/publish.yaml:66, 68, 77: add alpine3.23 there by hand\n";
    assert!(out.contains(note), "{out}");
    let out = changes(&repository, &["--add", "2.14.x/windowsservercore-ltsc2028"]);
    let note = "  no workflow names 2.14.x/windowsservercore-ltsc2028; windowsservercore-ltsc2025 is named in .github/workflows/publish.yaml:88: add windowsservercore-ltsc2028 there by hand\n";
    assert!(out.contains(note), "{out}");
    assert!(
        out.contains("  .github/workflows/windows.yaml\n      item  2028  added\n"),
        "{out}"
    );
    // Nor is a row of a job that runs on the other Windows alone.
    let repository = with_steps(
        "    strategy:\n      matrix:\n        base: [ltsc2022]\n    runs-on: windows-2022\n    steps:\n      - run: docker build 2.12.x/windowsservercore-${{ matrix.base }}\n",
    );
    let out = changes(&repository, &["--add", "2.12.x/windowsservercore-ltsc2028"]);
    assert!(
        !out.contains(" more.yml\n") && out.contains("more.yml:7"),
        "{out}"
    );
    // What is called by its name is not repeated.
    let repository = with_steps("    steps:\n      - run: ./2.12.x/tests/build-images-2022.ps1\n");
    let out = changes(&repository, &["--add", "2.12.x/windowsservercore-ltsc2028"]);
    let note = "  no workflow names 2.12.x/tests/build-images-2028.ps1; build-images-2022.ps1 is named in .github/workflows/more.yml:6, .github/workflows/windows.yaml:11: add build-images-2028.ps1 there by hand\n";
    assert!(out.contains(note), "{out}");
    // A script of the root is said as well.
    let repository = Repository::of(&tree("streaming/before"));
    let text = "on: push\njobs:\n  test:\n    steps:\n      - run: ./tests/build-images-2019.ps1\n";
    repository.write(".github/workflows/ci.yml", text);
    let args = [
        "--add",
        "windowsservercore-ltsc2022",
        "--add",
        "nanoserver-ltsc2022",
    ];
    let out = changes(&repository, &args);
    let note = "\nNotes:\n  no workflow names tests/build-images-2022.ps1; build-images-2019.ps1 is named in .github/workflows/ci.yml:5: add build-images-2022.ps1 there by hand\n";
    assert!(out.contains(note), "{out}");
}

#[test]
fn a_matrix_gets_an_item_for_what_is_added() {
    let (years, both) = ("year: [2022]", "year: [2022, 2028]");
    let text = format!(
        "    strategy:\n      matrix:\n        {years}\n    steps:\n      - run: ./2.12.x/tests/build-images-${{{{ matrix.year }}}}.ps1\n"
    );
    let repository = with_steps(&text);
    let before = repository.snapshot();
    let publish = repository.read(".github/workflows/publish.yaml");
    // All that the item makes is there when both variants are.
    changes(&repository, &["--add", "2.14.x/windowsservercore-ltsc2028"]);
    assert_eq!(repository.read(".github/workflows/publish.yaml"), publish);
    changes(&repository, &["--add", "2.14.x/nanoserver-ltsc2028"]);
    assert_eq!(
        repository.read(".github/workflows/publish.yaml"),
        publish.replace("          - 2025\n", "          - 2025\n          - 2028\n")
    );
    changes(
        &repository,
        &[
            "--add",
            "windowsservercore-ltsc2028",
            "--add",
            "nanoserver-ltsc2028",
        ],
    );
    let more = repository.read(".github/workflows/more.yml");
    assert!(more.ends_with(&text.replace(years, both)), "{more}");
    assert_eq!(
        repository.read(".github/workflows/publish.yaml"),
        publish
            .replace("ltsc: [2022]", "ltsc: [2022, 2028]")
            .replace("          - 2025\n", "          - 2025\n          - 2028\n")
    );
    changes(
        &repository,
        &[
            "--remove",
            "windowsservercore-ltsc2028",
            "--remove",
            "nanoserver-ltsc2028",
        ],
    );
    same(&repository.snapshot(), &before);
}

#[test]
fn a_row_of_a_matrix_is_repeated_with_the_runner_of_the_new_windows() {
    let row =
        |year: &str| format!("          - os: windows-{year}\n            variant: ltsc{year}\n");
    let text = |rows: &str| {
        format!(
            "    strategy:\n      matrix:\n        include:\n{rows}    steps:\n      - run: docker build ./2.14.x/nanoserver-${{{{ matrix.variant }}}}\n    runs-on: ${{{{ matrix.os }}}}\n"
        )
    };
    let repository = with_steps(&text(&(row("2022") + &row("2025"))));
    let adds = [
        "--add",
        "2.14.x/windowsservercore-ltsc2028",
        "--add",
        "2.14.x/nanoserver-ltsc2028",
    ];
    changes(&repository, &adds);
    let more = repository.read(".github/workflows/more.yml");
    let rows = row("2022") + &row("2025") + &row("2028");
    assert!(more.ends_with(&text(&rows)), "{more}");
}

#[test]
fn a_runner_moves_with_the_windows_that_it_is_for() {
    let rows = |year: &str| {
        format!(
            "    strategy:\n      matrix:\n        include:\n          - os: windows-{year}\n            variant: ltsc{year}\n          - os: windows-2025\n            variant: ltsc2025\n    steps:\n      - run: docker build ./2.14.x/nanoserver-${{{{ matrix.variant }}}}\n    runs-on: ${{{{ matrix.os }}}}\n  b:\n    runs-on: windows-{year}\n    steps:\n      - run: docker build ./2.14.x/nanoserver-ltsc{year}\n"
        )
    };
    // What is not for that Windows alone stays.
    let others = "  c:\n    runs-on: windows-2022\n    steps:\n      - run: docker build ./2.12.x/nanoserver-ltsc2022\n  d:\n    runs-on: windows-2022\n    steps:\n      - run: docker build ./2.12.x/nanoserver-ltsc2022 && docker build ./2.14.x/nanoserver-ltsc@\n  e:\n    runs-on: windows-2022\n    steps:\n      - run: make\n";
    let text = |year: &str| rows(year) + &others.replace('@', year);
    let repository = with_steps(&text("2022"));
    std::fs::remove_file(repository.path(".github/workflows/windows.yaml")).expect("a workflow");
    repository
        .run(&["-q", "--base", "2.14.x/windows-ltsc2022=ltsc2028"])
        .exits_with(0);
    // Where a runner is left to older ones, the newer ones do not run.
    repository.finds(&["more.yml:26:81: runner: found Windows Server 2028, expected 2022 at most: this runs on windows-2022"]);
    let more = repository.read(".github/workflows/more.yml");
    assert!(more.ends_with(&text("2028")), "{more}");
}

#[test]
fn a_list_at_the_end_of_a_file_without_a_line_end_gets_whole_lines() {
    let lines = |years: &[&str]| {
        let items = years.iter().map(|year| format!("\n          - {year}"));
        format!(
            "    steps:\n      - run: docker build ./2.14.x/nanoserver-ltsc${{{{ matrix.year }}}}\n    strategy:\n      matrix:\n        year:{}",
            items.collect::<String>()
        )
    };
    let repository = with_steps(&lines(&["2022", "2025"]));
    changes(
        &repository,
        &[
            "--add",
            "2.14.x/windowsservercore-ltsc2028",
            "--add",
            "2.14.x/nanoserver-ltsc2028",
        ],
    );
    let more = repository.read(".github/workflows/more.yml");
    assert!(more.ends_with(&lines(&["2022", "2025", "2028"])), "{more}");
    let lists = |series: &str| {
        format!(
            "    steps:\n      - run: cd ./${{{{ matrix.series }}}}/tests\n    strategy:\n      matrix:\n        series:\n          - 2.12.x\n          - 2.14.x{series}"
        )
    };
    let repository = with_steps(&lists(""));
    gets_a_new_series(&repository);
    let more = repository.read(".github/workflows/more.yml");
    assert!(more.ends_with(&lists("\n          - 2.15.x")), "{more}");
}

#[test]
fn a_number_that_yaml_cuts_is_put_in_quotes_by_somebody() {
    let text = |item: &str| {
        format!(
            "    strategy:\n      matrix:\n        base: [{item}]\n    steps:\n      - run: docker build ./2.14.x/alpine${{{{ matrix.base }}}}\n"
        )
    };
    let why = "3.30 is a number to YAML, which drops the 0 at its end: put it in quotes";
    let repository = with_steps(&text("3.22"));
    repository
        .run(&["--base", "2.14.x/alpine=3.30"])
        .fails_with(&["more.yml:7: variant: found 3.22: the matrix makes alpine3.22 from it: no variant alpine3.22 in 2.14.x"]);
    changes(&repository, &["--add", "2.14.x/alpine3.30"]);
    assert!(
        repository
            .read(".github/workflows/more.yml")
            .ends_with(&text("3.22"))
    );
    repository.edit(".github/workflows/more.yml", "[3.22]", "[3.22, 3.30]");
    let found = repository.findings();
    assert!(found.iter().any(|one| one.contains(why)), "{found:#?}");
    let repository = with_steps(&text("'3.22'"));
    changes(&repository, &["--base", "2.14.x/alpine=3.30"]);
    assert!(
        repository
            .read(".github/workflows/more.yml")
            .ends_with(&text("'3.30'"))
    );
}

#[test]
fn the_twins_of_the_first_jobs_keep_the_distance_that_jobs_have() {
    let job = |os: &str, series: &str, number: &str| {
        format!(
            "  {os}-{number}:\n    if: startsWith(github.ref_name, 'v{series}.')\n    steps:\n      - run: cd {series}.x/tests\n"
        )
    };
    for gap in ["", "\n", "\n\n"] {
        let pair = |series, number| [job("linux", series, number), job("windows", series, number)];
        let text = format!("on: push\njobs:\n{}", pair("2.14", "2_14").join(gap));
        let repository = series();
        repository.write(".github/workflows/pair.yml", &text);
        gets_a_new_series(&repository);
        let expected = [text, pair("2.15", "2_15").join(gap)].join(gap);
        assert_eq!(repository.read(".github/workflows/pair.yml"), expected);
    }
    let repository = series();
    let one = format!("on: push\njobs:\n{}", job("linux", "2.14", "2_14"));
    repository.write(".github/workflows/one.yml", &one);
    gets_a_new_series(&repository);
    let expected = [one, job("linux", "2.15", "2_15")].join("\n");
    assert_eq!(repository.read(".github/workflows/one.yml"), expected);
}

#[test]
fn items_of_a_matrix_and_jobs_go_with_the_last_variant_of_a_base() {
    let repository = series();
    changes(
        &repository,
        &[
            "--remove",
            "2.14.x/windowsservercore-ltsc2025",
            "--remove",
            "2.14.x/nanoserver-ltsc2025",
        ],
    );
    let windows = snapshot(&tree("series/before"))[WINDOWS].1.clone();
    let windows = String::from_utf8(windows).expect("UTF-8");
    let (windows, _) = windows.split_once("\n  newest:").expect("a job");
    let include = "        include:\n          - series: 2.14.x\n            year: \"2025\"\n";
    assert_eq!(repository.read(WINDOWS), windows.replace(include, ""));
    let publish = snapshot(&tree("series/before"))[PUBLISH].1.clone();
    assert_eq!(
        repository.read(PUBLISH),
        String::from_utf8(publish)
            .expect("UTF-8")
            .replace("          - 2025\n", "")
    );
}

/// What is made wrong in a workflow, and what is found: nothing else.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    (
        PUBLISH,
        "./2.14.x/alpine3.22/",
        "./2.15.x/alpine3.22/",
        "directory: found 2.15.x: there is no such version directory, only 2.12.x, 2.14.x",
    ),
    (
        PUBLISH,
        "./2.14.x/alpine3.22/",
        "./2.14.x/alpine3.21/",
        "variant: found alpine3.21, expected alpine3.22",
    ),
    (
        PUBLISH,
        "- 2025",
        "- 2019",
        "variant: found 2019: the matrix makes nanoserver-ltsc2019 from it: no variant nanoserver-ltsc2019 in 2.14.x",
    ),
    (
        WINDOWS,
        "- 2.14.x",
        "- 2.15.x",
        "directory: found 2.15.x: there is no such version directory, only 2.12.x, 2.14.x",
    ),
    (
        WINDOWS,
        "./build-images-2025.ps1",
        "./build-images-2023.ps1",
        "file: found build-images-2023.ps1: no script build-images-2023.ps1 in 2.14.x/tests",
    ),
    (
        WINDOWS,
        "year: \"2025\"",
        "year: \"2023\"",
        "file: found 2023: the matrix makes build-images-2023.ps1 from it: no script build-images-2023.ps1 in 2.14.x/tests",
    ),
    (
        PUBLISH,
        "./2.14.x/scratch/Dockerfile.preview",
        "./2.14.x/scratch/Dockerfile.prview",
        "path: found Dockerfile.prview: there is no such file or folder in 2.14.x/scratch",
    ),
    (
        PUBLISH,
        "./2.14.x/scratch\n",
        "./2.14.x/scrtch\n",
        "path: found scrtch: there is no such file or folder in 2.14.x",
    ),
    (
        PUBLISH,
        "./2.14.x/scratch\n",
        "./2.12.x/scratch\n",
        "directory: found 2.12.x, expected 2.14.x: the job linux-2_14 is about 2.14.x",
    ),
    (
        PUBLISH,
        "needs: linux-2_14",
        "needs: linux-2_13",
        "job: found linux-2_13: there is no such job",
    ),
    (
        PUBLISH,
        "windows-2_14:",
        "windows-2_13:",
        "series: found 2_13, expected 2_14: the job windows-2_13 is about 2.14.x",
    ),
    (
        PUBLISH,
        "'v2.12.') }}\n    runs-on",
        "'v2.14.') }}\n    runs-on",
        "series: found 2.14, expected 2.12: the job linux-2_12 is about 2.12.x",
    ),
    (
        PUBLISH,
        "TAG }}-nanoserver-ltsc${{ matrix.ltsc }}\" ./2.14.x/nano",
        "TAG }}-windowsservercore-ltsc${{ matrix.ltsc }}\" ./2.14.x/nano",
        ":100:77: variant: found windowsservercore, expected nanoserver: nanoserver is what is built here",
    ),
    (
        PUBLISH,
        "TAG }}-alpine3.22\n          push",
        "TAG }}-scratch\n          push",
        "variant: found scratch, expected alpine3.22: alpine3.22 is what is built here",
    ),
    (
        PUBLISH,
        "./2.14.x/scratch\n",
        "./2.14.x/alpine3.22\n",
        "variant: found alpine3.22, expected scratch: scratch is what the image is tagged with",
    ),
    (
        PUBLISH,
        "needs: linux-2_14",
        "needs: linux-2_12",
        "series: found 2_12, expected 2_14: the job windows-2_14 is about 2.14.x",
    ),
    (
        PUBLISH,
        "context: ./2.14.x/scratch",
        "context: ./scratch",
        "path: found scratch, which is in no version directory here",
    ),
    (
        PUBLISH,
        "context: ./2.14.x/scratch",
        "context: ./2.14/scratch",
        "path: found scratch, which is in no version directory here",
    ),
    (
        WINDOWS,
        "- 2.14.x\n        year",
        "- 2.12.x\n        year",
        "series: found 2.12.x twice in a list",
    ),
];

#[test]
fn what_a_workflow_names_and_is_not_there_is_found() {
    for (path, old, new, finding) in MISTAKES {
        let repository = series();
        repository.edit(path, old, new);
        let run = repository.run(&["check"]).exits_with(1);
        assert!(run.stdout.contains(finding), "{finding}\n{}", run.stdout);
        assert!(!run.stdout.contains("2 findings"), "{}", run.stdout);
    }
}

/// What workflows say of other things: other programs' versions and images, files that are made while they run, branches.
const OTHERS: &str = r#"on:
  push:
    branches: [main, 2.10.x, 'release/2.11.x']
    paths: ['2.14.x/**', '!docs/**']
jobs:
  python-2_7:
    if: github.event.schedule == '30 2-6 * * *' || vars.PYTHON == '2.7'
    runs-on: ubuntu-24.04
    container: golang:1.22-alpine3.20
    services:
      db: { image: "postgres:16-alpine3.20" }
    strategy:
      matrix:
        go: ['1.22.x', '1.23.x']
        spring: [2.7.x, 3.0.x]
        os: [slim-bookworm, alpine3.19]
        image: [alpine3.18, ubuntu22.04]
        suffix: ['-alpine3.22', '-scratch']
    steps:
      - uses: actions/checkout@v4
        with: { ref: 2.11.x }
      - uses: actions/setup-dotnet@v4
        with:
          dotnet-version: '8.0.x'
      - uses: jirutka/setup-alpine@v1
        with:
          branch: v3.19
          shell-name: alpine3.19
      - run: docker build -t "python:3.12-${{ matrix.os }}" . && docker run generic/alpine318
      - run: docker pull ${{ env.IMAGE }}:${{ env.V }}${{ matrix.suffix }}
      - run: docker pull nats:2.12.3 && docker pull nats:2.10.22-alpine3.20 && docker pull nats:nanoserver-1809
      - name: build from scratch
        run: make from scratch all
      - run: ls ./2.14.x/alpine3.22 # before it was ./2.14.x/alpine3.21, ./2.13.x/
      - run: |
          echo This step needs: docker
          cp dist/nats-server ./2.14.x/alpine3.22/nats-server
          docker save -o ./2.14.x/image.tar nats
          mkdir -p 2.14.x/out
          curl https://docs.nats.io/2.16.x/index.html
      - uses: actions/cache@v4
        with:
          path: 2.14.x/.cache
          key: ${{ hashFiles('2.14.x/go.sum') }}
  shard-2-4:
    needs: # both
      - python-2_7 # the first one
      # then
      - tools
    runs-on: ubuntu-24.04
    steps:
      - uses: docker/build-push-action@v6
        with:
          context: ./2.14.x/alpine3.22
          tags: |
            nats:${{ env.V }}-alpine3.22
            nats:${{ env.V }}-alpine3
            nats:${{ env.V }}-alpine
      - run: docker run --rm -t nats:${{ env.V }}-scratch
  tools:
    runs-on: ubuntu-24.04
    strategy:
      matrix: { terraform: ['2.12', '2.14'], version: [v2.12, v2.14] }
    steps:
      - uses: golangci/golangci-lint-action@v6
        with: { version: v2.12 }
      - uses: actions/github-script@v7
        with:
          script: |
            f(['2.12', '2.14'], ['x']);
"#;

#[test]
fn what_workflows_say_of_other_things_is_nobodys_business_here() {
    const OWN: &str = ".github/workflows/others.yml";
    let repository = series();
    repository.write(OWN, OTHERS);
    repository.finds(&[]);
    let from = ["--from", RELEASES_OF_SERIES];
    for args in [
        &["2.14.5", "2.12.15"][..],
        &["2.15.0-RC.1", "--allow-missing"],
        &["--remove", "2.15.x"],
        &["--remove", "2.12.x"],
    ] {
        repository.run(&[&from[..], args].concat()).exits_with(0);
        assert_eq!(repository.read(OWN), OTHERS, "{args:?}");
    }
    // What is ours moves, and nothing else.
    repository
        .run(&["--base", "2.14.x/alpine=3.23"])
        .exits_with(0);
    let expected = OTHERS
        .replace("ls ./2.14.x/alpine3.22", "ls ./2.14.x/alpine3.23")
        .replace(
            "2.14.x/alpine3.22/nats-server",
            "2.14.x/alpine3.23/nats-server",
        )
        .replace(
            "context: ./2.14.x/alpine3.22",
            "context: ./2.14.x/alpine3.23",
        )
        .replace("${{ env.V }}-alpine3.22", "${{ env.V }}-alpine3.23");
    assert_eq!(repository.read(OWN), expected);
}

#[test]
fn lists_in_brackets_are_taken_apart_as_they_are_nested() {
    const OWN: &str = ".github/workflows/lists.yml";
    let text = "on: [push]
jobs:
  all:
    strategy:
      matrix: { series: [2.12.x, 2.14.x], os: [ubuntu-24.04] }
    steps:
      - run: cd ${{ matrix.series }}/tests && ./build-images.sh
      - run: f(['2.12.x', '2.14.x'], ['x'])
";
    let repository = series();
    repository.write(OWN, text);
    gets_a_new_series(&repository);
    let expected = text.replace(
        "series: [2.12.x, 2.14.x]",
        "series: [2.12.x, 2.14.x, 2.15.x]",
    );
    assert_eq!(repository.read(OWN), expected);
    changes(&repository, &["--remove", "2.15.x"]);
    assert_eq!(repository.read(OWN), text);
}

#[test]
fn a_step_with_an_id_is_not_repeated_for_a_new_series_but_named() {
    const OWN: &str = ".github/workflows/steps.yml";
    let text = "on: [push]
jobs:
  all:
    steps:
      - id: first
        run: cd 2.12.x/tests && ./build-images.sh
      - id: build
        run: cd 2.14.x/tests && ./build-images.sh
";
    let repository = series();
    repository.write(OWN, text);
    let run = gets_a_new_series(&repository);
    assert_eq!(repository.read(OWN), text);
    let note = "  .github/workflows/steps.yml:8: about 2.14.x, and not copied for 2.15.x: copy what 2.15.x needs by hand\n";
    assert!(run.stdout.contains(note), "{}", run.stdout);
}

#[test]
fn lists_in_brackets_lose_and_gain_all_that_is_of_a_series() {
    const OWN: &str = ".github/workflows/needs.yml";
    let text = "on: [push]
jobs:
  linux-2_12:
    steps:
      - run: cd 2.12.x/tests && ./build-images.sh
  linux-2_14:
    steps:
      - run: cd 2.14.x/tests && ./build-images.sh
  all:
    needs: [linux-2_12, linux-2_14]
    strategy:
      matrix:
        dir: [2.12.x/alpine3.21, 2.12.x/scratch, 2.14.x/alpine3.22, 2.14.x/scratch]
    steps:
      - run: docker build ${{ matrix.dir }}
";
    let repository = series();
    repository.write(OWN, text);
    gets_a_new_series(&repository);
    let after = repository.read(OWN);
    for part in [
        "    needs: [linux-2_12, linux-2_14, linux-2_15]\n",
        "2.14.x/alpine3.22, 2.14.x/scratch, 2.15.x/alpine3.22, 2.15.x/scratch]\n",
    ] {
        assert!(after.contains(part), "{after}");
    }
    changes(&repository, &["--remove", "2.15.x"]);
    assert_eq!(repository.read(OWN), text);
    changes(&repository, &["--remove", "2.12.x"]);
    let after = repository.read(OWN);
    for part in [
        "    needs: [linux-2_14]\n",
        "        dir: [2.14.x/alpine3.22, 2.14.x/scratch]\n",
    ] {
        assert!(after.contains(part), "{after}");
    }
}

#[test]
fn what_a_matrix_excludes_moves_with_its_items() {
    const OWN: &str = ".github/workflows/excluded.yml";
    let text = "on: [push]
jobs:
  all:
    strategy:
      matrix:
        series: [2.12.x, 2.14.x]
        ltsc: [ltsc2022, ltsc2025]
        exclude:
          - series: 2.12.x
            ltsc: ltsc2025
    steps:
      - run: docker build ${{ matrix.series }}/nanoserver-${{ matrix.ltsc }}
";
    let repository = series();
    repository.write(OWN, text);
    changes(&repository, &["--base", "windows-ltsc2025=ltsc2028"]);
    assert_eq!(repository.read(OWN), text.replace("2025", "2028"));
    changes(&repository, &["--base", "windows-ltsc2028=ltsc2025"]);
    changes(&repository, &["--remove", "2.12.x"]);
    let expected = text.replace("2.12.x, ", "").replace(
        "        exclude:\n          - series: 2.12.x\n            ltsc: ltsc2025\n",
        "",
    );
    assert_eq!(repository.read(OWN), expected);
}

#[test]
fn scripts_and_tags_belong_to_the_series_that_a_step_has_gone_to_or_a_job_is_named_after() {
    const OWN: &str = ".github/workflows/steps.yml";
    let text = "on: [push]
jobs:
  windows:
    runs-on: windows-2022
    steps:
      - run: |
          cd 2.12.x/tests
          ./build-images-2022.ps1
      - run: |
          cd 2.14.x/tests
          ./build-images-2022.ps1
  manifest-2_12:
    runs-on: ubuntu-24.04
    steps:
      - run: docker manifest create \"nats:${TAG}\" \"nats:${TAG}-nanoserver-ltsc2022\" golang:$GO-alpine3.20
  manifest-2_14:
    runs-on: ubuntu-24.04
    steps:
      - run: docker manifest create \"nats:$TAG\" \"nats:$TAG-nanoserver-ltsc2022\" \"nats:$TAG-nanoserver-ltsc2025\"
";
    let repository = series();
    repository.write(OWN, text);
    repository.remove(WINDOWS);
    repository.finds(&[]);
    repository
        .run(&["-q", "--base", "2.14.x/windows-ltsc2022=ltsc2028"])
        .exits_with(0);
    repository.finds(&["steps.yml:11:13: runner: found Windows Server 2028, expected 2022 at most: this runs on windows-2022"]);
    let (start, end) = text.split_at(text.find("cd 2.14.x").expect("it"));
    let (steps, rest) = end.split_at(end.find("  manifest-2_12").expect("it"));
    let (first, second) = rest.split_at(rest.find("  manifest-2_14").expect("it"));
    let moved = |text: &str| {
        text.replace("2022.ps1", "2028.ps1")
            .replace("ltsc2022", "ltsc2028")
    };
    let expected = [start, &moved(steps), first, &moved(second)].concat();
    assert_eq!(repository.read(OWN), expected);
    // A command cannot do without a word of it.
    repository
        .run(&["--remove", "2.14.x/nanoserver-ltsc2025"])
        .fails_with(&["nanoserver-ltsc2025"]);
}

#[test]
fn a_series_that_is_not_there_is_found_in_a_matrix_whatever_that_is_for() {
    for (matrix, is_found) in [
        ("[2.12.x, 2.14.x, 2.15.x]", true),
        ("[2.14.x, 2.13.x]", true),
        ("[2.12.x, 2.14.x]", false),
        ("[1.22.x, 2.14.x]", false),
        ("[2.7.x, 3.0.x]", false),
    ] {
        let repository = series();
        let text = format!(
            "on: [push]\njobs:\n  a:\n    strategy:\n      matrix:\n        version: {matrix}\n    uses: ./.github/workflows/b.yml\n    with: {{ version: '${{{{ matrix.version }}}}' }}\n"
        );
        repository.write(".github/workflows/a.yml", text);
        let run = repository.run(&["check"]);
        let found = run.stdout.contains("directory: found 2.1");
        assert_eq!(found, is_found, "{matrix}: {}", run.stdout);
        assert_eq!(run.status, i32::from(is_found), "{}", run.stdout);
    }
}

/// Several things that are asked for at once come to what they come to one after the other.
#[test]
fn a_new_series_comes_together_with_other_changes() {
    const NEW: [&str; 2] = ["2.15.0-RC.1", "--allow-missing"];
    let run = |repository: &Repository, args: &[&str]| {
        let from = ["--from", RELEASES_OF_SERIES];
        repository.run(&[args, &from].concat()).exits_with(0);
        repository.run(&["check"]).exits_with(0);
    };
    for others in [
        &["--remove", "2.12.x"][..],
        &["--base", "2.15.x/alpine=3.23"],
        &["--add", "2.15.x/alpine3.23"],
    ] {
        let [together, one_by_one] = [series(), series()];
        run(&together, &[&NEW, others].concat());
        run(&one_by_one, &NEW);
        run(&one_by_one, others);
        same(&together.snapshot(), &one_by_one.snapshot());
    }
    series()
        .run(&[
            "2.15.0-RC.1",
            "--remove",
            "2.15.x/scratch",
            "--from",
            RELEASES_OF_SERIES,
        ])
        .fails_with(&[
            "2.15.x is new: run `update 2.15.0-RC.1` first, then `update --remove 2.15.x/scratch`",
        ]);
}

/// One job for two series, in all the forms in which a step or a command says which one it is for.
const ONE_JOB: &str = r#"on: [push]
jobs:
  all:
    runs-on: ubuntu-24.04
    env:
      GO_VERSION: 1.22.x
    steps:
      - run: docker build --tag "${{ env.IMAGE }}:${{ env.TAG }}-alpine3.22" .
        working-directory: ./2.14.x/alpine3.22
      - uses: docker/build-push-action@v6
        with:
          context: ./2.14.x/scratch
          build-args: BASE_IMAGE=${{ env.IMAGE }}:${{ env.TAG }}-alpine3.22
      - run: |
          docker build --tag ${{ env.IMAGE }}:${{ env.TAG }}-alpine3.21 ./2.12.x/alpine3.21
          docker build --tag ${{ env.IMAGE }}:${{ env.TAG }}-alpine3.22 ./2.14.x/alpine3.22
          docker buildx build \
            --tag ${{ env.IMAGE }}:${{ env.TAG }}-alpine3.22 \
            ./2.14.x/alpine3.22
      - run: >-
          docker buildx build
          --tag ${{ env.IMAGE }}:${{ env.TAG }}-alpine3.22
          ./2.14.x/alpine3.22
"#;

#[test]
fn what_a_step_or_a_command_has_a_path_of_says_which_series_it_is_for() {
    const OWN: &str = ".github/workflows/one.yml";
    let repository = series();
    // Both series on one base, so that nothing else tells them apart.
    repository.write(OWN, ONE_JOB);
    repository.finds(&[]);
    changes(&repository, &["--base", "2.12.x/alpine=3.22"]);
    let both = ONE_JOB.replace("alpine3.21", "alpine3.22");
    assert_eq!(repository.read(OWN), both);
    changes(&repository, &["--base", "2.14.x/alpine=3.23"]);
    let moved = ONE_JOB.replace("alpine3.22", "alpine3.23");
    assert_eq!(
        repository.read(OWN),
        moved.replace("alpine3.21", "alpine3.22")
    );
    for (old, new, finding) in [
        (
            "TAG }}-alpine3.23\" .",
            "TAG }}-scratch\" .",
            "8:66: variant: found scratch, expected alpine3.23",
        ),
        (
            "TAG }}-alpine3.23 \\",
            "TAG }}-scratch \\",
            "18:51: variant: found scratch, expected alpine3.23",
        ),
        (
            "          ./2.14.x/alpine3.23\n",
            "          ./2.14.x/alpin\n",
            "19:22: path: found alpin: there is no such file",
        ),
    ] {
        let repository = series();
        changes(&repository, &["--base", "2.14.x/alpine=3.23"]);
        repository.write(OWN, moved.replacen(old, new, 1));
        let run = repository.run(&["check"]).exits_with(1);
        assert!(run.stdout.contains(finding), "{finding}\n{}", run.stdout);
    }
}

#[test]
fn a_name_below_a_matrix_of_series_is_there_in_each_of_them() {
    const OWN: &str = ".github/workflows/matrix.yml";
    let text = "on: [push]\njobs:\n  all:\n    strategy:\n      matrix:\n        v: [2.12.x, 2.14.x]\n    steps:\n      \
                - run: docker build ./${{ matrix.v }}/alpine3.22\n";
    let repository = series();
    changes(&repository, &["--base", "2.12.x/alpine=3.22"]);
    repository.write(OWN, text);
    repository.finds(&[]);
    repository.run(&["--base", "2.14.x/alpine=3.23"]).fails_with(&[
        ".github/workflows/matrix.yml:8: variant: found alpine3.22: no variant alpine3.22 in 2.14.x",
    ]);
    changes(&repository, &["--base", "alpine=3.23"]);
    assert_eq!(repository.read(OWN), text.replace("3.22", "3.23"));
    // What is done for some of them only is nobody's to tell.
    let some = text.replace("3.22", "3.23").replace(
        "run: docker",
        "if: matrix.v == '2.14.x'\n        run: docker",
    );
    repository.write(OWN, &some);
    changes(&repository, &["--base", "2.12.x/alpine=3.24"]);
    assert_eq!(repository.read(OWN), some);
}

#[test]
fn lists_in_brackets_are_written_as_they_are_laid_out() {
    const OWN: &str = ".github/workflows/lists.yml";
    for (list, with, without) in [
        ("[2.12.x, 2.14.x]", "[2.12.x, 2.14.x, 2.15.x]", "[2.14.x]"),
        (
            "[ 2.12.x, 2.14.x ]",
            "[ 2.12.x, 2.14.x, 2.15.x ]",
            "[ 2.14.x ]",
        ),
        (
            "&all [2.12.x, 2.14.x]",
            "&all [2.12.x, 2.14.x, 2.15.x]",
            "&all [2.14.x]",
        ),
        (
            "[\n          2.12.x,\n          2.14.x,\n        ]",
            "[\n          2.12.x,\n          2.14.x,\n          2.15.x,\n        ]",
            "[\n          2.14.x,\n        ]",
        ),
        (
            "\n          [\n            2.12.x,\n            2.14.x\n          ]",
            "\n          [\n            2.12.x,\n            2.14.x,\n            2.15.x\n          ]",
            "\n          [\n            2.14.x\n          ]",
        ),
    ] {
        let text = |list: &str| {
            format!(
                "on: [push]\njobs:\n  all:\n    strategy:\n      matrix:\n        v: {list}\n    steps:\n      \
                 - run: cd ${{{{ matrix.v }}}}/tests\n"
            )
        };
        let repository = series();
        repository.write(OWN, text(list));
        gets_a_new_series(&repository);
        assert_eq!(repository.read(OWN), text(with));
        let repository = series();
        repository.write(OWN, text(list));
        changes(&repository, &["--remove", "2.12.x"]);
        assert_eq!(repository.read(OWN), text(without));
    }
}

/// A workflow with these lines in its one job.
fn with_steps(lines: &str) -> Repository {
    let repository = series();
    let workflow = format!("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n{lines}");
    repository.write(".github/workflows/more.yml", workflow);
    repository
}

#[test]
fn tags_that_are_written_out_move_with_the_variant_that_is_built() {
    let text = "    steps:\n      - run: docker build -t natsio/nats:nightly-2.14-alpine3.22 ./2.14.x/alpine3.22\n      - uses: docker/build-push-action@v6\n        with:\n          context: ./2.14.x/alpine3.22\n          tags: synadia/nats-server:nightly-2.14-alpine3.22\n          cache-from: type=gha,scope=2.14-alpine3.22\n      - run: docker run golang:1.22-alpine3.22\n";
    let repository = with_steps(text);
    repository.finds(&[]);
    changes(&repository, &["--base", "2.14.x/alpine=3.23"]);
    let found = repository.read(".github/workflows/more.yml");
    let expected = text.replace("alpine3.22", "alpine3.23");
    let expected = expected.replace("golang:1.22-alpine3.23", "golang:1.22-alpine3.22");
    assert!(found.ends_with(&expected), "{found}");
}

#[test]
fn a_variant_beside_a_series_is_of_that_one() {
    let text = "    strategy:\n      matrix:\n        image:\n          - { series: 2.12.x, variant: alpine3.21 }\n          - { series: 2.14.x, variant: alpine3.22 }\n    steps:\n      - run: docker build ./${{ matrix.image.series }}/${{ matrix.image.variant }}\n";
    let repository = with_steps(text);
    repository.finds(&[]);
    changes(&repository, &["--base", "2.14.x/alpine=3.23"]);
    let found = repository.read(".github/workflows/more.yml");
    assert!(
        found.ends_with(&text.replace("alpine3.22", "alpine3.23")),
        "{found}"
    );
}

#[test]
fn an_image_on_windows_copies_from_another_one_that_a_matrix_names_too() {
    let text = "    strategy:\n      matrix:\n        ltsc: [2022, 2025]\n    steps:\n      - run: docker build --build-arg BASE_IMAGE=\"x:${{ github.ref_name }}-windowsservercore-ltsc${{ matrix.ltsc }}\" --tag \"x:${{ github.ref_name }}-nanoserver-ltsc${{ matrix.ltsc }}\" ./2.14.x/nanoserver-ltsc${{ matrix.ltsc }}\n";
    with_steps(text).finds(&[]);
}

#[test]
fn what_names_several_series_where_nothing_can_be_added_is_said() {
    let text = "    strategy:\n      matrix:\n        series: ${{ fromJSON('[\"2.12.x\", \"2.14.x\"]') }}\n    steps:\n      - run: cd ./${{ matrix.series }}/tests\n";
    let run = gets_a_new_series(&with_steps(text));
    let note = "  .github/workflows/more.yml:7: about 2.14.x, and not copied for 2.15.x: copy what 2.15.x needs by hand\n";
    assert!(run.stdout.contains(note), "{}", run.stdout);
}

#[test]
fn a_preview_comes_before_a_release_candidate() {
    let repository = Repository::empty();
    for version in ["2.15.0-preview.1", "2.15.0-RC.1"] {
        let sums = std::fs::read_to_string(format!("{RELEASES_OF_SERIES}/v2.15.0-RC.1/SHA256SUMS"));
        let sums = sums.expect("the sums").replace("2.15.0-RC.1", version);
        repository.write(&format!("v{version}/SHA256SUMS"), sums);
    }
    let releases = repository.root().to_str().expect("UTF-8");
    let tree = series();
    for version in ["2.15.0-preview.1", "2.15.0-RC.1"] {
        let args = ["--from", releases, version, "--allow-missing", "-q"];
        tree.run(&args).exits_with(0);
    }
    let args = ["--from", releases, "2.15.0-preview.1", "--allow-missing"];
    tree.run(&args)
        .fails_with(&["2.15.0-preview.1 is below the 2.15.0-RC.1 of 2.15.x/"]);
}

#[test]
fn a_row_of_a_matrix_that_names_the_source_alone_is_said() {
    let text = "    strategy:\n      matrix:\n        series: [2.12.x, 2.14.x]\n        year: [2022]\n        include:\n          - series: 2.14.x\n            year: 2025\n    steps:\n      - run: cd ./${{ matrix.series }}/tests && ./build-images-${{ matrix.year }}.ps1\n";
    let run = gets_a_new_series(&with_steps(text));
    let note = "  .github/workflows/more.yml:10: about 2.14.x, and not copied for 2.15.x: copy what 2.15.x needs by hand\n";
    assert!(run.stdout.contains(note), "{}", run.stdout);
}

#[test]
fn mistakes_in_when_and_where_a_job_runs_are_found() {
    for (path, old, new, finding) in [
        (
            PUBLISH,
            "tags: [v2.12.*, v2.14.*]",
            "tags: [v2.12.*, v2.13.*]",
            "series: found v2.14, expected a tag that starts this workflow: v2.12.*, v2.13.*",
        ),
        (
            "2.14.x/tests/build-images.sh",
            "--tag \"nats:${ver[1]}-scratch\"",
            "--tag \"nats-streaming:${ver[1]}-scratch\"",
            "image: found nats-streaming, expected nats, whose tag this is",
        ),
        (
            "2.14.x/tests/build-images.sh",
            "cd \"../scratch\"",
            "cd \"../nanoserver-ltsc2022\"",
            "variant: found scratch, expected nanoserver-ltsc2022: nanoserver-ltsc2022 is what is built",
        ),
    ] {
        let repository = series();
        repository.edit(path, old, new);
        let findings = repository.findings();
        let is_found = findings.iter().any(|found| found.contains(finding));
        assert!(is_found, "{new}: {findings:#?}");
    }
}

#[test]
fn an_image_in_a_variable_and_the_version_of_a_template_are_in_front_of_our_variants() {
    for tag in [
        "-t \"$REPO:${{ steps.ref.outputs.TAG }}-alpine3.22\"",
        "-t $env:REPO:${{ github.ref_name }}-alpine3.22",
        "-t $REPO:$VERSION-alpine3.22",
        "--label pattern={{version}}-alpine3.22",
        "--label pattern={{major}}.{{minor}}-alpine3.22",
    ] {
        let text = format!("    steps:\n      - run: docker build {tag} 2.14.x/alpine3.22\n");
        let repository = with_steps(&text);
        changes(&repository, &["--base", "2.14.x/alpine=3.23"]);
        let found = repository.read(".github/workflows/more.yml");
        assert!(!found.contains("alpine3.22"), "{found}");
        repository.edit(".github/workflows/more.yml", "-alpine3.23", "-alpine3.21");
        assert_eq!(repository.findings().len(), 1, "{found}");
    }
}

#[test]
fn the_last_stage_of_a_preview_is_based_on_what_its_folder_says() {
    let repository = series();
    let path = "2.14.x/scratch/Dockerfile.preview";
    let text = "ARG BASE_IMAGE=nats:2.14.4-alpine3.22\nFROM ${BASE_IMAGE} AS base\nFROM scratch\nCOPY --from=base /usr/local/bin/nats-server /\n";
    repository.write(path, text);
    repository.finds(&[]);
    repository.edit(path, "FROM scratch", "FROM scrath");
    let missing = "missing `FROM scratch`: no stage is based on scratch";
    repository.finds(&[&format!("{path}:1:1: base: {missing}")]);
    // By its name the last stage may be the one whose base is a variable.
    repository.edit(path, "FROM scrath", "FROM base");
    repository.finds(&[]);
}

#[test]
fn what_is_included_for_an_item_of_a_matrix_belongs_to_its_rows_and_the_runner_is_for_all() {
    let text = "\
on: [push]
jobs:
  test:
    runs-on: ${{ matrix.os }}
    strategy:
      matrix:
        version: [2.12.x]
        os: [windows-2022]
        include:
          - os: windows-2022
            server: 2022
    steps:
      - run: ./${{ matrix.version }}/tests/build-images-${{ matrix.server }}.ps1
";
    let repository = series();
    for workflow in [PUBLISH, WINDOWS] {
        repository.remove(workflow);
    }
    let own = ".github/workflows/own.yml";
    repository.write(own, text);
    repository.finds(&[]);
    changes(&repository, &["--base", "2.12.x/windows=ltsc2028"]);
    assert_eq!(repository.read(own), text.replace("2022", "2028"));
    repository.edit(own, "server: 2028", "server: 2019");
    let all = repository.findings();
    let missing = "own.yml:11:21: file: found 2019: the matrix makes build-images-2019.ps1 from it: no script build-images-2019.ps1 in 2.12.x/tests";
    assert!(all.iter().any(|one| one.contains(missing)), "{all:#?}");
}

#[test]
fn scripts_and_images_are_looked_for_in_the_folder_that_a_step_has_gone_to() {
    let windows = "      - run: |\n          cd 2.14.x/windowsservercore-ltsc2022\n          docker build -t nats:${TAG}-windowsservercore-ltsc2022 .\n          cd ../nanoserver-ltsc2022\n          docker build -t nats:${TAG}-nanoserver-ltsc2022 .\n";
    let by_matrix = "      - working-directory: ./2.14.x/nanoserver-ltsc${{ matrix.ltsc }}\n        run: docker build --tag \"nats:$env:TAG-nanoserver-ltsc${{ matrix.ltsc }}\" .\n    strategy:\n      matrix:\n        ltsc: [2022, 2025]\n";
    let missing = "path: found biuld-images.sh: there is no such file or folder in 2.14.x/tests";
    let (script, wrong) = ("./build-images.sh", "./biuld-images.sh");
    for (steps, old, new, finding) in [
        (
            "      - run: cd 2.14.x/tests && ./build-images.sh\n",
            script,
            wrong,
            missing,
        ),
        (
            "      - working-directory: 2.14.x/tests\n        run: ./build-images.sh\n",
            script,
            wrong,
            missing,
        ),
        (
            "      - run: ./build-images.sh\n        working-directory: 2.14.x/tests\n",
            script,
            wrong,
            missing,
        ),
        (
            "      - run: ./build-images.sh\n    defaults:\n      run:\n        working-directory: 2.14.x/tests\n",
            script,
            wrong,
            missing,
        ),
        (
            "      - run: |\n          cd 2.14.x/scratch\n          cd ../tests\n          bash build-images.sh\n",
            "build-images",
            "biuld-images",
            missing,
        ),
        (
            "      - run: |\n          cd 2.14.x/alpine3.22\n          docker build -t nats:${TAG}-alpine3.22 .\n",
            "-alpine3.22 .",
            "-scratch .",
            "variant: found scratch, expected alpine3.22: alpine3.22 is what is built here",
        ),
        (
            "      - run: |\n          cd 2.14.x/scratch\n          docker build --build-arg BASE_IMAGE=nats:${TAG}-alpine3.22 \\\n            -t nats:${TAG}-scratch .\n",
            "TAG}-alpine3.22",
            "TAG}-scratch",
            "variant: found scratch: scratch copies from itself",
        ),
        (
            windows,
            "../nanoserver-ltsc2022",
            "../windowsservercore-ltsc2022",
            "variant: found nanoserver-ltsc2022, expected windowsservercore-ltsc2022: windowsservercore-ltsc2022 is what is built here",
        ),
        (
            windows,
            "../nanoserver-ltsc2022",
            "../nanoserver-ltsc2019",
            "variant: found nanoserver-ltsc2019: no variant nanoserver-ltsc2019 in 2.14.x",
        ),
        (
            by_matrix,
            "TAG-nanoserver",
            "TAG-windowsservercore",
            "variant: found windowsservercore, expected nanoserver: nanoserver is what is built here",
        ),
    ] {
        let repository = with_steps(&format!("    steps:\n{steps}"));
        repository.finds(&[]);
        repository.edit(".github/workflows/more.yml", old, new);
        let all = repository.findings();
        assert!(all.len() == 1 && all[0].contains(finding), "{all:#?}");
    }
    // What a step writes itself is there by the time, and what a variable names is not known.
    for steps in [
        "      - run: |\n          cd 2.14.x/tests\n          curl -o get.sh https://bar.example/get\n          ./get.sh\n",
        "      - run: |\n          cd 2.14.x/tests\n          cd $HOME\n          ./get.sh\n",
        "      - run: |\n          pushd 2.14.x/tests\n          popd\n          ./get.sh\n",
        "      - run: ls\n        \r# cd 2.14.x/tests\n",
        "      - run: |\n          cd 2.14.x/tests\n          docker run nats sh get.sh\n",
    ] {
        with_steps(&format!("    steps:\n{steps}")).finds(&[]);
    }
}

#[test]
fn a_folder_that_a_matrix_of_series_makes_is_there_in_one_of_them() {
    let matrix = "    strategy:\n      matrix:\n        version: [2.12.x, 2.14.x]\n";
    let nowhere = "there is no such file or folder in";
    let (in_folder, in_context) = (
        "      - working-directory: ${{ matrix.version }}/tests\n        run: ./build-images.sh\n",
        "      - with:\n          context: ./${{ matrix.version }}/scratch\n",
    );
    let by_command = "      - run: cd \"./${{ matrix.version }}/tests\" && bash build-images.sh\n";
    for (steps, old, new) in [
        (in_folder, "/tests", "/test"),
        (in_folder, "build-images", "biuld-images"),
        (by_command, "/tests", "/test"),
        (by_command, "build-images", "biuld-images"),
        (in_context, "/scratch", "/scrath"),
    ] {
        let repository = with_steps(&format!("{matrix}    steps:\n{steps}"));
        repository.finds(&[]);
        repository.edit(".github/workflows/more.yml", old, new);
        let all = repository.findings();
        assert!(all.len() == 1 && all[0].contains(nowhere), "{all:#?}");
    }
    // What another expression makes is not known.
    let other = in_folder.replace("matrix.version", "env.other");
    with_steps(&format!(
        "{matrix}    steps:\n{}",
        other.replace("/tests", "/test")
    ))
    .finds(&[]);
}

#[test]
fn a_job_is_about_the_series_whose_tags_it_asks_for() {
    let repository = series();
    let own = ".github/workflows/own.yml";
    let text = "\
on:
  push:
    tags: ['v2.12.*', 'v2.14.*']
jobs:
  manifest-2_12:
    if: startsWith(github.ref, 'refs/tags/v2.12.')
    runs-on: ubuntu-24.04
  manifest-2_14:
    if: startsWith(github.ref, 'refs/tags/v2.14.')
    runs-on: ubuntu-24.04
";
    for (old, new, finding) in [
        (
            "v2.14.*",
            "v2.13.*",
            ":9:43: series: found v2.14, expected a tag that starts this workflow: v2.12.*, v2.13.*",
        ),
        (
            "manifest-2_14",
            "manifest-2_13",
            ":8:12: series: found 2_13, expected 2_14: the job manifest-2_13 is about 2.14.x",
        ),
    ] {
        repository.write(own, text);
        repository.finds(&[]);
        repository.edit(own, old, new);
        repository.finds(&[&format!("{own}{finding}")]);
    }
}

#[test]
fn the_first_key_of_a_row_in_braces_is_a_key() {
    let repository = series();
    let text = "\
on: [push]
jobs:
  a:
    strategy:
      matrix:
        include: [{ltsc: 2022}, {ltsc: 2021}]
    steps:
      - run: docker build 2.14.x/nanoserver-ltsc${{ matrix.ltsc }}
";
    repository.write(".github/workflows/own.yml", text);
    repository.finds(&[".github/workflows/own.yml:6:40: variant: found 2021: the matrix makes nanoserver-ltsc2021 from it: no variant nanoserver-ltsc2021 in 2.14.x"]);
}

#[test]
fn jobs_are_about_the_series_of_a_folders_name_whatever_version_it_is_at() {
    let repository = series();
    for path in repository.snapshot().keys() {
        if path.starts_with("2.14.x/") && repository.path(path).is_file() {
            let text = repository.read(path).replace("2.14.4", "2.13.9");
            repository.write(path, text);
        }
    }
    let all = repository.findings();
    let is_found = all.iter().any(|one| one.contains(": folder: "));
    assert!(is_found, "{all:#?}");
    let of_jobs = all.iter().filter(|one| one.contains("the job "));
    assert_eq!(of_jobs.count(), 0, "{all:#?}");
}

#[test]
fn no_item_of_a_matrix_stands_twice() {
    let repository = series();
    const OWN: &str = ".github/workflows/own.yml";
    let text = "\
on: [push]
jobs:
  a:
    strategy:
      matrix:
        line: [2.12.x, 2.14.x]
        ltsc:
          - 2022
          - 2019
";
    repository.write(OWN, text);
    repository.finds(&[]);
    repository.edit(OWN, "- 2019", "- 2022");
    repository.finds(&[".github/workflows/own.yml:9:13: job: found 2022 twice in a list"]);
    let row = "          - { line: 2.14.x, ltsc: 2022 }\n";
    let rows = format!(
        "on: [push]\njobs:\n  a:\n    strategy:\n      matrix:\n        include:\n{row}{row}"
    );
    repository.write(OWN, rows);
    repository.finds(&[
        ".github/workflows/own.yml:8:13: job: found { line: 2.14.x, ltsc: 2022 } twice in a list",
    ]);
    let row = "          - line: 2.14.x\n            ltsc: 2022\n";
    let rows = format!(
        "on: [push]\njobs:\n  a:\n    strategy:\n      matrix:\n        include:\n{row}{row}"
    );
    repository.write(OWN, rows);
    repository.finds(&[".github/workflows/own.yml:9:13: job: found line: 2.14.x twice in a list"]);
    repository.write(
        OWN,
        "jobs:\n  a:\n    strategy:\n      matrix:\n        line:\n          -",
    );
    repository.finds(&[]);
}

#[test]
fn a_script_of_the_root_is_about_the_series_that_it_names_alone() {
    let repository = series();
    repository.write(
        "tests/old.sh",
        "ver=(NATS_SERVER 2.12.x)\ncd \"../${ver[1]}/alpine3.20\"\n",
    );
    repository.write(
        "tests/both.sh",
        "cd ../2.12.x/alpine3.22\ncd ../2.14.x/alpine3.22\n",
    );
    repository.finds(&[
        "tests/both.sh:1:14: variant: found alpine3.22, expected alpine3.21",
        "tests/old.sh:2:18: variant: found alpine3.20, expected alpine3.21",
    ]);
    let run = repository.run(&["--from", RELEASES_OF_SERIES, "2.12.15", "-q"]);
    run.exits_with(0);
    assert!(repository.read("tests/old.sh").contains("/alpine3.21"));
    repository.finds(&[]);
}

#[test]
fn a_workflow_that_forgets_one_of_several_series_is_found() {
    let repository = series();
    std::fs::remove_file(repository.path(".github/workflows/publish.yaml")).expect("a workflow");
    changes(&repository, &["--remove", "2.12.x/nanoserver-ltsc2022"]);
    gets_a_new_series(&repository);
    let more = |jobs: &[&str]| {
        let jobs = format!("on: push\njobs:\n{}", jobs.concat());
        repository.write(".github/workflows/more.yml", jobs);
    };
    let step = |path: &str| format!("      - run: docker build ./{path}\n");
    let job = |name: &str, path: &str| format!("  {name}:\n    steps:\n{}", step(path));
    let [older, newer] = ["2.14.x/scratch", "2.15.x/scratch"];
    more(&[&job("linux-2_14", older), &job("linux-2_15", newer)]);
    repository.finds(&[".github/workflows/more.yml:8:29: series: names every series but 2.12.x"]);
    // One that it could name nothing of is not forgotten.
    let [old, new] = ["2.14.x/nanoserver-ltsc2022", "2.15.x/nanoserver-ltsc2022"];
    more(&[&job("a-2_14", old), &job("a-2_15", new)]);
    repository.finds(&[]);
    // Nor is any where it is about one, or about two of three: an upgrade from one to the other.
    more(&[&job("a", older)]);
    repository.finds(&[]);
    more(&[&job("upgrade", older), &step(newer)]);
    repository.finds(&[]);
}

#[test]
fn a_script_is_that_of_the_series_in_front_of_it_whatever_else_its_line_names() {
    for between in ["/", "\\"] {
        let path = |series: &str| format!("./{series}{between}tests{between}build-images-2025.ps1");
        let text = format!(
            "    steps:\n      - run: {} && {}\n",
            path("2.12.x"),
            path("2.14.x")
        );
        with_steps(&text).finds(&[".github/workflows/more.yml:6:29: file: found build-images-2025.ps1: no script build-images-2025.ps1 in 2.12.x/tests"]);
    }
}

#[test]
fn a_path_that_a_command_writes_need_not_be_there() {
    with_steps("    steps:\n      - run: docker save --output ./2.14.x/images.tar x\n").finds(&[]);
}

#[test]
fn lines_that_still_give_the_old_version_are_named() {
    let repository = series();
    let text = "on: [push]\njobs:\n  a:\n    env:\n      VERSION: 2.14.4 # ours\n      OTHER: 2.14.40\n    steps:\n      - uses: a/b@v2.14.4\n";
    repository.write(".github/workflows/own.yml", text);
    let run = repository
        .run(&["--from", RELEASES_OF_SERIES, "2.14.5"])
        .exits_with(0);
    let notes: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.contains("the old version"))
        .collect();
    assert_eq!(
        notes,
        [
            "  .github/workflows/own.yml:5: found 2.14.4, the old version: if it is the server's, change it by hand"
        ]
    );
}

#[test]
fn a_new_series_says_where_it_still_gives_the_one_that_it_is_copied_from() {
    let repository = series();
    let path = "2.14.x/tests/run-images.sh";
    repository.write(path, repository.read(path) + "CHANNEL=2.14\n");
    let run = gets_a_new_series(&repository);
    let note = "  2.15.x/tests/run-images.sh:5: found 2.14, the old series: if it is the server's, change it by hand\n";
    assert!(run.stdout.contains(note), "{}", run.stdout);
}

#[test]
fn an_image_of_somebody_else_is_no_reminder_of_a_base() {
    let repository = series();
    let path = "2.14.x/tests/run-images.sh";
    let pulls = "docker pull golang:1.24-alpine3.22\ndocker pull example/nats:1-alpine3.22\n";
    repository.write(path, repository.read(path) + pulls);
    let run = repository.run(&["--base", "2.14.x/alpine=3.23"]);
    let run = run.exits_with(0);
    let notes = run
        .stdout
        .lines()
        .filter(|line| line.contains("which no variant"));
    let expected = "  2.14.x/tests/run-images.sh:6: found alpine3.22, which no variant has any more: if it is our image's, change it by hand";
    assert_eq!(notes.collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_row_of_a_matrix_that_is_the_latest_is_not_repeated() {
    let repository = series();
    let path = ".github/workflows/own.yml";
    let text = "on: [push]\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    strategy:\n      matrix:\n        include:\n          - variant: alpine3.22\n            latest: true\n          - variant: scratch\n    steps:\n      - run: docker build 2.14.x/${{ matrix.variant }}\n";
    repository.write(path, text);
    let run = repository
        .run(&["--add", "2.14.x/alpine3.23"])
        .exits_with(0);
    assert_eq!(repository.read(path), text);
    let note =
        "no workflow names 2.14.x/alpine3.23; alpine3.22 is named in .github/workflows/own.yml:8, ";
    assert!(run.stdout.contains(note), "{}", run.stdout);
}

#[test]
fn a_tag_in_another_registry_moves_with_its_base_alone_too() {
    let repository = series();
    const OWN: &str = ".github/workflows/own.yml";
    let text = "on: [push]\njobs:\n  a:\n    steps:\n      - run: docker pull ghcr.io/nats-io/nats:2.14.4-alpine3.22\n      - run: docker pull ghcr.io/nats-io/nats:2.12.14-alpine3.21\n";
    repository.write(OWN, text);
    changes(&repository, &["--base", "2.14.x/alpine=3.23"]);
    assert_eq!(
        repository.read(OWN),
        text.replace("alpine3.22", "alpine3.23")
    );
}

#[test]
fn what_would_make_two_series_the_latest_is_named() {
    let repository = series();
    let text = "\
on: [push]
jobs:
  a:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        include:
          - line: 2.12.x
          - line: 2.14.x
            latest: true
    steps:
      - run: cd ./${{ matrix.line }}/tests
";
    repository.write(".github/workflows/own.yml", text);
    let run = gets_a_new_series(&repository);
    let note = "  .github/workflows/own.yml: found `latest` for both 2.14.x and 2.15.x: keep it for one of them\n";
    assert!(run.stdout.contains(note), "{}", run.stdout);
    assert_eq!(run.stdout.matches("`latest`").count(), 1, "{}", run.stdout);
}

#[test]
fn what_stands_behind_a_variant_in_a_tag_is_somebodys_choice() {
    let lines = |version: &str, variant: &str| {
        format!(
            "    steps:\n      - run: docker build -t nats:${{{{ github.ref_name }}}}-{variant}-arm64 2.14.x/{variant}\n\
             \x20     - run: docker tag nats:{version}-{variant}-amd64 nats:{version}-{variant}-preview\n\
             \x20     - run: docker tag nats:${{VER}}-{variant} nats:${{VER}}-linux && docker tag nats:${{VER}}-{variant} nats:${{VER}}-amd64\n"
        )
    };
    let repository = with_steps(&lines("2.14.4", "alpine3.22"));
    let script = "2.14.x/tests/more.sh";
    let pulls = |variant: &str| {
        format!(
            "ver=(NATS_SERVER 2.14.4)\ndocker pull nats:${{ver[1]}}-{variant}-arm64v8\ndocker pull nats:${{ver[1]}}-linux\ndocker pull nats:${{ver[1]}}-scratch\n"
        )
    };
    repository.write(script, pulls("alpine3.22"));
    repository.finds(&[]);
    repository
        .run(&["-q", "--base", "2.14.x/alpine=3.23"])
        .exits_with(0);
    let found = repository.read(".github/workflows/more.yml");
    assert!(found.ends_with(&lines("2.14.4", "alpine3.23")), "{found}");
    assert_eq!(repository.read(script), pulls("alpine3.23"));
    // What may be a typo is found.
    repository.edit(script, "-linux", "-scrach");
    let found = repository.findings();
    assert!(
        found[0].contains("more.sh:3:28: reference: found scrach: no variant scrach"),
        "{found:#?}"
    );
}

#[test]
fn more_that_workflows_say_moves_and_is_found() {
    let base = &["--base", "2.14.x/alpine=3.23"][..];
    // What moves with a base, and is consistent before.
    for lines in [
        "    env: { DIR: ./2.14.x }\n    steps:\n      - run: docker build \"$DIR/alpine3.22\"\n",
        "    steps:\n      - uses: docker/metadata-action@v5\n        with:\n          flavor: suffix=-alpine3.22\n      - run: docker build 2.14.x/alpine3.22\n",
        "    # 2.14.x: alpine3.22\n    steps:\n      - run: docker build 2.14.x/alpine3.22\n",
    ] {
        let repository = with_steps(lines);
        repository.finds(&[]);
        changes(&repository, base);
        let found = repository.read(".github/workflows/more.yml");
        assert!(
            found.ends_with(&lines.replace("alpine3.22", "alpine3.23")),
            "{found}"
        );
    }
    // A folder in which all jobs run.
    let repository = series();
    let text = "on: push\ndefaults: { run: { working-directory: 2.14.x } }\njobs:\n  # alpine3.22\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: docker build -t nats:${{ github.ref_name }}-alpine3.22 .\n";
    repository.write(".github/workflows/more.yml", text);
    changes(&repository, base);
    let found = repository.read(".github/workflows/more.yml");
    assert_eq!(found, text.replace("alpine3.22", "alpine3.23"));
    // What is found.
    for (line, finding) in [
        (
            "docker tag a ${{ env.IMAGE }}:${{ env.TAG }}-apline3.22",
            "variant: found apline3.22: no variant apline3.22",
        ),
        (
            "docker build --build-arg BASE_IMAGE=nats:2.14.2-alpine3.22 2.14.x/scratch",
            "reference: found 2.14.2-alpine3.22, expected 2.14.4-alpine3.22",
        ),
        (
            "docker build ./2.14/alpine3.22",
            "path: found alpine3.22, which is in no version directory here",
        ),
        ("docker tag a nats:${VER}-scrach", "no variant scrach"),
    ] {
        let repository = with_steps(&format!("    steps:\n      - run: {line}\n"));
        let found = repository.findings();
        assert!(
            found.len() == 1 && found[0].contains(finding),
            "{line}: {found:#?}"
        );
    }
    let repository = series();
    let text = "on:\n  workflow_dispatch:\n    inputs:\n      series:\n        type: choice\n        options: [2.12.x, 2.13.x]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ls\n";
    repository.write(".github/workflows/more.yml", text);
    repository.finds(&[".github/workflows/more.yml:6:27: directory: found 2.13.x: there is no such version directory"]);
}

#[test]
fn a_comment_at_the_end_of_a_workflow_is_about_nothing() {
    let repository = series();
    let path = ".github/workflows/more.yml";
    for text in [
        "# cd ./2.14.x/alpine3.22\n",
        "on: push\n# cd ./2.14.x/alpine3.22\n",
    ] {
        repository.write(path, text);
        repository.finds(&[]);
    }
    changes(&repository, &["--base", "2.14.x/alpine=3.23"]);
    assert!(repository.read(path).ends_with("alpine3.23\n"));
}

#[test]
fn names_that_no_directory_has_any_more_are_named_where_they_are_left() {
    let loops =
        "    steps:\n      - run: echo tag=2.14.4-alpine3.22\n      - run: echo windows-ltsc2025\n";
    let repository = with_steps(loops);
    for (args, note) in [
        (
            &["--base", "alpine3.22=3.23"][..],
            "more.yml:6: found alpine3.22, which no variant has any more: if it is our image's, change it by hand",
        ),
        (
            &["--base", "windows-ltsc2025=ltsc2028"],
            "more.yml:7: found ltsc2025, which no variant has any more",
        ),
    ] {
        let run = repository.run(&[&["-n"], args].concat()).exits_with(0);
        assert!(run.stdout.contains(note), "{}", run.stdout);
    }
    // Where other series have it, beside the name of this one.
    let lines = "    steps:\n      - run: echo 'm=[{\"s\":\"2.12.x\",\"v\":\"scratch\"},{\"s\":\"2.14.x\",\"v\":\"scratch\"}]'\n      - run: echo scratch\n";
    let run = with_steps(lines)
        .run(&["-n", "--remove", "2.12.x/scratch"])
        .exits_with(0);
    let note = "more.yml:6: found scratch, which 2.12.x no longer has: if it is our image's, change it by hand\n";
    assert!(run.stdout.contains(note), "{}", run.stdout);
    assert_eq!(
        run.stdout.matches("no longer has").count(),
        1,
        "{}",
        run.stdout
    );
}
