//! Workflows of many styles, each in a repository with two series: what everyday commands make of them, and what they name where
//! they cannot.

use crate::support::{RELEASES_OF_SERIES, Repository, tree};

pub const CI: &str = ".github/workflows/own.yml";
pub const HEAD: &str = "on: push\njobs:\n";
const JOB: &str = "    runs-on: ubuntu-24.04\n    steps:\n";

/// The repository with one workflow, of these jobs.
pub fn with(jobs: &str) -> Repository {
    let repository = Repository::of(&tree("series/before"));
    for other in ["publish", "windows"] {
        repository.remove(&format!(".github/workflows/{other}.yaml"));
    }
    repository.write(CI, format!("{HEAD}{jobs}"));
    repository
}

/// A run after which the workflow has these jobs, and `check` finds nothing. Returns what the notes say of it.
#[track_caller]
pub fn becomes(before: &str, args: &[&str], after: &str) -> Vec<String> {
    let repository = with(before);
    repository.finds(&[]);
    let from = ["--from", RELEASES_OF_SERIES];
    let from = if args[0].starts_with('-') {
        &[][..]
    } else {
        &from
    };
    let run = repository.run(&[from, args].concat()).exits_with(0);
    assert_eq!(repository.read(CI), format!("{HEAD}{after}"));
    repository.finds(&[]);
    let lines = run.stdout.lines().map(str::trim);
    let notes = lines.filter_map(|line| line.strip_prefix(&format!("{CI}:")));
    notes.map(str::to_owned).collect()
}

#[test]
fn what_a_condition_asks_of_the_matrix_moves_with_its_items() {
    let job = "  a:
    strategy:
      matrix:
        os: [ubuntu-24.04, windows-2022]
    runs-on: ${{ matrix.os }}
    steps:
      - if: matrix.os == 'ubuntu-24.04'
        run: ls
      - if: ${{ matrix.os != 'windows-2022' }}
        run: ls 2.14.x/tests
      - if: matrix.os == 'windows-2022'
        run: ./2.14.x/tests/build-images-2022.ps1
";
    let after = job.replace("24.04", "26.04");
    assert!(becomes(job, &["--runner", "ubuntu=26.04"], &after).is_empty());
    let after = job.replace("2022", "2028");
    let args = ["--base", "2.14.x/windows-ltsc2022=ltsc2028"];
    assert!(becomes(job, &args, &after).is_empty());
    let job = "  a:
    strategy:
      matrix:
        year: [2022]
    runs-on: windows-2022
    steps:
      - if: matrix.year == '2022'
        run: ./2.12.x/tests/build-images-${{ matrix.year }}.ps1
";
    let after = job.replace("2022", "2028");
    let args = ["--base", "2.12.x/windows=ltsc2028"];
    assert!(becomes(job, &args, &after).is_empty());
}

#[test]
fn a_runner_in_a_form_that_is_not_moved_is_named() {
    let job = format!("  a:\n{JOB}      - run: echo ubuntu-24.04-arm\n");
    let after = job.replace("runs-on: ubuntu-24.04", "runs-on: ubuntu-26.04");
    let notes = becomes(&job, &["--runner", "ubuntu=26.04"], &after);
    assert_eq!(
        notes,
        ["6: found ubuntu-24.04, which was not changed: if it is a runner, change it by hand"]
    );
}

#[test]
fn the_twin_of_a_job_has_its_patterns_and_names_and_not_those_of_others() {
    let job = |series: &str| {
        let [spelled, low] = ["\\.", "_"].map(|sign| series.replace('.', sign));
        format!(
            "  publish-{low}:
    if: needs.changes.outputs.s{low} == 'true'
{JOB}      - uses: somebody/action@v2.14.4
      - run: '[[ $TAG =~ ^v{spelled}\\.[0-9]+$ ]]'
      - run: docker build {series}.x/alpine3.22
"
        )
    };
    let [first, source, twin] = ["2.12", "2.14", "2.15"].map(job);
    let first = first.replace("alpine3.22", "alpine3.21");
    let before = [first.as_str(), &source].join("\n");
    let after = [before.as_str(), &twin].join("\n");
    let args = ["2.15.0-RC.1", "--allow-missing"];
    assert!(becomes(&before, &args, &after).is_empty());
}

#[test]
fn a_job_that_is_named_after_a_series_and_says_that_it_is_about_two() {
    let job = format!(
        "  upgrade-2_14:
    name: Upgrade from 2.12.x to 2.14.x
{JOB}      - run: docker build -t old 2.12.x/alpine3.21
      - run: docker build -t new 2.14.x/alpine3.22
"
    );
    let args = ["2.15.0-RC.1", "--allow-missing"];
    let repository = with(&job);
    repository.finds(&[]);
    let from = ["--from", RELEASES_OF_SERIES];
    let run = repository.run(&[&from[..], &args].concat()).exits_with(0);
    assert_eq!(repository.read(CI), format!("{HEAD}{job}"));
    let note = format!("{CI}:3, 4, 8: about 2.14.x, and not copied for 2.15.x");
    assert!(run.stdout.contains(&note), "{}", run.stdout);
    // What it is called says nothing of others that its title does not name.
    let other = "found 2.12.x, expected 2.14.x: the job upgrade-2_14 is about 2.14.x";
    let found = with(&job.replace("from 2.12.x to 2.14.x", "of 2.14.x")).findings();
    assert!(found.len() == 1 && found[0].contains(other), "{found:?}");
    with(&job.replace("from 2.12.x ", "")).finds(&[
        "own.yml:7:34: directory: found 2.12.x, expected 2.14.x: the job upgrade-2_14 is about 2.14.x",
    ]);
}

#[test]
fn an_item_is_added_once_and_not_in_the_place_of_another() {
    let job = "  a:
    strategy:
      matrix:
        series: [2.12.x, 2.14.x]
        year: [2022, 2025]
        exclude:
          - series: 2.12.x
            year: 2025
    runs-on: windows-${{ matrix.year }}
    steps:
      - run: docker build ${{ matrix.series }}/nanoserver-ltsc${{ matrix.year }}
";
    let args = [
        "--add",
        "windowsservercore-ltsc2028",
        "--add",
        "nanoserver-ltsc2028",
    ];
    let repository = with(job);
    repository.finds(&[]);
    repository.run(&args).exits_with(0);
    let after = job.replace("[2022, 2025]", "[2022, 2025, 2028]");
    assert_eq!(repository.read(CI), format!("{HEAD}{after}"));

    // A second row for the same item of the matrix would overwrite what the first one gives.
    let job = "  a:
    strategy:
      matrix:
        series: [2.12.x, 2.14.x]
        include:
          - { series: 2.12.x, alpine: '3.21' }
          - { series: 2.14.x, alpine: '3.22' }
    runs-on: ubuntu-24.04
    steps:
      - run: docker build ${{ matrix.series }}/alpine${{ matrix.alpine }}
";
    let repository = with(job);
    repository.finds(&[]);
    let run = repository
        .run(&["--add", "2.14.x/alpine3.23"])
        .exits_with(0);
    assert_eq!(repository.read(CI), format!("{HEAD}{job}"));
    let note = "no workflow names 2.14.x/alpine3.23; alpine3.22 is named in";
    assert!(run.stdout.contains(note), "{}", run.stdout);
}

#[test]
fn a_job_that_does_something_for_another_variant_does_not_go_with_one() {
    let job = format!(
        "  alias-2_14:
{JOB}      - run: |
          version=$(sed -n 's/^ENV NATS_SERVER=//p' 2.14.x/alpine3.22/Dockerfile)
          docker buildx imagetools create -t nats:2.14 nats:${{version}}-scratch
          docker buildx imagetools create -t nats:2.14-alpine3.22 nats:${{version}}-alpine3.22
"
    );
    let repository = with(&format!("{job}\n  b:\n{JOB}      - run: ls\n"));
    repository
        .run(&["--add", "2.14.x/alpine3.21"])
        .exits_with(0);
    let before = repository.snapshot();
    let run = repository
        .run(&["--remove", "2.14.x/alpine3.22"])
        .exits_with(2);
    assert!(run.stderr.contains("own.yml:7"), "{}", run.stderr);
    assert_eq!(repository.snapshot(), before);
}

#[test]
fn a_base_that_a_series_no_longer_has_is_named_wherever_its_job_or_its_row_gives_it() {
    let env = "env:\n  ALPINE: '3.21'\n";
    let job = format!(
        "  a-2_12:
    env:
      ALPINE: '3.21'
{JOB}      - run: docker build 2.12.x/alpine$ALPINE
  call:
    uses: ./.github/workflows/build.yml
    with: {{ series: 2.12.x, alpine: '3.21' }}
"
    );
    let repository = Repository::of(&tree("series/before"));
    repository.write(CI, format!("on: push\n{env}jobs:\n{job}"));
    repository.finds(&[]);
    let run = repository
        .run(&["-n", "--base", "2.12.x/alpine=3.22"])
        .exits_with(0);
    for line in [3, 7, 13] {
        let note = format!("{CI}:{line}: found 3.21, which no variant has any more");
        assert!(run.stdout.contains(&note), "{note}\n{}", run.stdout);
    }
    // Where another series has it still.
    repository
        .run(&["--base", "2.14.x/alpine=3.21"])
        .exits_with(0);
    let run = repository
        .run(&["-n", "--base", "2.12.x/alpine=3.22"])
        .exits_with(0);
    for line in [3, 7, 13] {
        let note = format!("{CI}:{line}: found 3.21, which 2.12.x no longer has");
        assert!(run.stdout.contains(&note), "{note}\n{}", run.stdout);
    }
    // Nothing is said of a variant of another series that is called alike.
    repository.write(
        CI,
        "on:\n  push:\n    paths: ['2.12.x/alpine3.21/**', '2.14.x/alpine3.21/**']\njobs: {}\n",
    );
    let run = repository
        .run(&["-n", "--base", "2.12.x/alpine=3.22"])
        .exits_with(0);
    assert!(!run.stdout.contains("no longer has"), "{}", run.stdout);
}

#[test]
fn what_other_people_write_otherwise_is_no_mistake() {
    for jobs in [
        // A preview that begins with the image itself.
        format!(
            "  a:\n{JOB}      - uses: docker/build-push-action@v6\n        with:\n          context: 2.14.x/scratch\n          file: 2.14.x/scratch/Dockerfile.preview\n          build-args: BASE_IMAGE=nats:${{{{ inputs.from }}}}-scratch\n          tags: nats:${{{{ inputs.to }}}}-scratch\n"
        ),
        // An anchor.
        "  a:\n    strategy:\n      matrix:\n        series: &all\n          - 2.12.x\n          - 2.14.x\n    runs-on: ubuntu-24.04\n    steps:\n      - run: cd ${{ matrix.series }}/tests\n".to_owned(),
        // Files that a build writes.
        format!("  a:\n{JOB}      - run: docker build --iidfile 2.14.x/alpine3.22/iid 2.14.x/alpine3.22\n"),
        // A series that is gone, in the history.
        format!("  a:\n{JOB}      - run: git show HEAD~5:2.8.x/alpine3.15/Dockerfile\n      - run: cd 2.14.x/tests\n"),
    ] {
        with(&jobs).finds(&[]);
    }
    let preview = "2.14.x/scratch/Dockerfile.preview";
    let repository = with(&format!(
        "  a:\n{JOB}      - uses: docker/build-push-action@v6\n        with:\n          context: 2.14.x/scratch\n          file: {preview}\n          build-args: BASE_IMAGE=nats:${{{{ inputs.from }}}}-scratch\n          tags: nats:${{{{ inputs.to }}}}-scratch\n"
    ));
    repository.edit(preview, "-scratch", "-alpine3.22");
    repository.finds(&["own.yml:10:58: variant: found scratch: scratch copies from itself"]);
}

#[test]
fn a_condition_is_read_without_braces_too_and_a_job_is_needed_once() {
    let job = format!(
        "  changes:\n{JOB}      - run: ls\n  test:\n    needs: [changes, changes]\n    if: needs.chnages.outputs.a == 'true'\n{JOB}      - run: cd 2.12.x/test && ls\n"
    );
    with(&job).finds(&[
        "own.yml:8:22: job: found changes twice in a list",
        "own.yml:9:15: job: found chnages, expected changes: the job that is needed",
        "own.yml:12:24: path: found test: there is no such file or folder in 2.12.x",
    ]);
}

#[test]
fn what_each_series_has_a_variable_or_an_output_for_the_new_one_has_too() {
    let job = |low: &str, series: &str, alpine: &str| {
        format!(
            "  series-{low}:
    needs: changes
    if: needs.changes.outputs.s{low} == 'true'
    env:
      BASE: ${{{{ env.ALPINE_{low} }}}}
{JOB}      - run: docker build {series}/alpine{alpine}
"
        )
    };
    let changes = |more: [&str; 2]| {
        format!(
            "  changes:
    env:
      LATEST: 2.14.x
      ALPINE_2_12: '3.21'
      ALPINE_2_14: '3.22'
{}    outputs:
      s2_12: ${{{{ steps.a.outputs.s2_12 }}}}
      s2_14: ${{{{ steps.a.outputs.s2_14 }}}}
{}{JOB}      - id: a
        run: ls
",
            more[0], more[1]
        )
    };
    let [first, second] = [("2_12", "2.12.x", "3.21"), ("2_14", "2.14.x", "3.22")]
        .map(|(low, series, alpine)| job(low, series, alpine));
    let before = [changes(["", ""]), first, second].join("\n");
    let repository = with(&before);
    repository.finds(&[]);
    let from = ["--from", RELEASES_OF_SERIES];
    let args = ["2.15.0-RC.1", "--allow-missing"];
    repository.run(&[&from[..], &args].concat()).exits_with(0);
    let more = [
        "      ALPINE_2_15: '3.22'\n",
        "      s2_15: ${{ steps.a.outputs.s2_15 }}\n",
    ];
    let after =
        before.replace(&changes(["", ""]), &changes(more)) + "\n" + &job("2_15", "2.15.x", "3.22");
    assert_eq!(repository.read(CI), format!("{HEAD}{after}"));
    repository.run(&["--remove", "2.15.x"]).exits_with(0);
    assert_eq!(repository.read(CI), format!("{HEAD}{before}"));
}

#[test]
fn a_condition_that_no_item_of_the_matrix_fulfils_is_found() {
    let job = "  a:
    strategy:
      matrix:
        series: [2.12.x, 2.14.x]
        include:
          - { series: 2.14.x, newest: 'yes' }
    runs-on: ubuntu-24.04
    steps:
      - if: matrix.series == '2.14.x' && matrix.newest == 'yes'
        run: ls ${{ matrix.series }}/tests
";
    with(job).finds(&[]);
    with(&job.replace("== '2.14.x'", "== '2.13.x'"))
        .finds(&["own.yml:11:31: job: found 2.13.x: the matrix of the job has no such item"]);
    with(&job.replace("== 'yes'", "== 'true'"))
        .finds(&["own.yml:11:60: job: found true: the matrix of the job has no such item"]);
}

#[test]
fn a_series_that_a_workflow_of_the_repository_is_given_is_there() {
    let job = |series: &str| {
        format!(
            "  b-2_12:\n    uses: ./.github/workflows/build.yml\n    with:\n      series: {series}\n      go: 2.7.x\n"
        )
    };
    with(&job("2.12.x")).finds(&[]);
    with(&job("2.13.x"))
        .finds(&["own.yml:6:15: directory: found 2.13.x: there is no such version directory"]);
    with(&job("2.14.x")).finds(&[
        "own.yml:6:15: directory: found 2.14.x, expected 2.12.x: the job b-2_12 is about 2.12.x",
    ]);
}

#[test]
fn a_path_that_begins_with_a_typo_for_a_series() {
    let job = |cd: &str| format!("  a:\n{JOB}      - run: cd {cd}/tests && ls\n");
    for right in ["2.12.x", "./2.14.x", "$SERIES"] {
        with(&job(right)).finds(&[]);
    }
    with(&job("2.12x")).finds(&[
        "own.yml:6:17: path: found 2.12x, expected 2.12.x: the name of a version directory",
    ]);
    let repository = with(&job("2.12.x"));
    for paths in [
        "['2.14.x/**', '!2.12x/README.md', '!2.14.x/**/*.sh']\n",
        "\n      - '2.14.x/**'\n      - '2.12x/**'\n",
    ] {
        let jobs = job("2.12.x");
        repository.write(CI, format!("on:\n  push:\n    paths: {paths}jobs:\n{jobs}"));
        let found = repository.findings();
        let is_it = |one: &String| one.contains("path: found 2.12x, expected 2.12.x");
        assert!(found.len() == 1 && found.iter().all(is_it), "{found:?}");
    }
}

#[test]
fn the_variables_of_powershells_environment_are_found_in_any_case() {
    for scope in ["env", "Env", "ENV"] {
        let step =
            "      - run: docker build -t \"$env:REPO:$env:TAG-alpine3.22\" $env:DIR/alpine3.22\n";
        let jobs = format!("  a:\n{JOB}{step}").replace("$env", &format!("${scope}"));
        let after = jobs.replace("alpine3.22", "alpine3.23");
        assert!(becomes(&jobs, &["--base", "2.14.x/alpine=3.23"], &after).is_empty());
    }
}

#[test]
fn a_job_that_only_prepares_what_goes_goes_with_it() {
    let job = |name: &str, needs: &str, base: &str| {
        format!(
            "  {name}:
    needs: [{needs}]
    runs-on: windows-{}
    steps:
      - uses: actions/checkout@v4
      - id: ref
        run: echo \"TAG=${{GITHUB_REF_NAME#v}}\" >> $GITHUB_OUTPUT
      - run: |
          cd 2.14.x/windowsservercore-{base}
          docker build --tag \"nats:${{{{ steps.ref.outputs.TAG }}}}-windowsservercore-{base}\" .
      - working-directory: 2.14.x/nanoserver-{base}
        run: docker build --tag \"nats:${{{{ steps.ref.outputs.TAG }}}}-nanoserver-{base}\" .
",
            base.trim_start_matches("ltsc")
        )
    };
    let first = format!("  a:\n{JOB}      - run: ls\n\n");
    let (kept, gone) = (
        job("windows-b", "a", "ltsc2022"),
        job("windows-c", "a", "ltsc2025"),
    );
    let last =
        |needs: &str| format!("\n  z:\n    needs: [windows-b{needs}]\n{JOB}      - run: ls\n");
    let before = [&*first, &kept, "\n", &gone, &last(", windows-c")].concat();
    let after = [&*first, &kept, &last("")].concat();
    let remove = [
        "--remove",
        "2.14.x/windowsservercore-ltsc2025",
        "--remove",
        "2.14.x/nanoserver-ltsc2025",
    ];
    becomes(&before, &remove, &after);
    // Where another job needs nothing else.
    for needs in [
        "needs: windows-c",
        "needs: [windows-c]",
        "needs:\n      - windows-c",
    ] {
        let last = |needs: &str| format!("\n  z:\n{needs}{JOB}      - run: ls\n");
        let before = [&*first, &gone, &last(&format!("    {needs}\n"))].concat();
        let first = first.trim_end_matches('\n').to_owned() + "\n";
        becomes(&before, &remove, &[first, last("")].concat());
    }
}

#[test]
fn what_a_tag_of_a_series_or_a_context_names_moves_with_it() {
    let job = |alpine: &str| {
        format!(
            "  a:
{JOB}      - uses: docker/build-push-action@v6
        with:
          context: \"{{{{defaultContext}}}}:2.14.x/{alpine}\"
          tags: nats:2.14-{alpine}
      - run: docker pull nats:2.14-{alpine} nats:2.12-alpine3.21 nats:2.9-alpine3.17
"
        )
    };
    becomes(
        &job("alpine3.22"),
        &["--base", "2.14.x/alpine=3.23"],
        &job("alpine3.23"),
    );
    let repository = with(&job("alpine3.21"));
    let place = |line: usize, column: usize| {
        format!("{CI}:{line}:{column}: variant: found alpine3.21, expected alpine3.22")
    };
    let expected = [place(8, 47), place(9, 27), place(10, 36)];
    repository.finds(&expected.each_ref().map(String::as_str));
}

#[test]
fn a_workflow_that_does_not_name_an_added_variant_is_named_though_another_one_does() {
    let repository = with(&format!(
        "  a:\n{JOB}      - run: docker build --tag nats:p-alpine3.22 ./2.14.x/alpine3.22\n"
    ));
    repository.write(
        ".github/workflows/list.yml",
        "on: push\njobs:\n  a:\n    strategy:\n      matrix:\n        include:\n          - { version: 2.14.x, base: alpine3.22 }\n          - { version: 2.12.x, base: alpine3.21 }\n    runs-on: ubuntu-24.04\n    steps:\n      - run: docker build ./${{ matrix.version }}/${{ matrix.base }}\n",
    );
    let run = repository
        .run(&["--add", "2.14.x/alpine3.23"])
        .exits_with(0);
    let note = "\n  2.14.x/alpine3.23 is named in .github/workflows/list.yml alone; alpine3.22 is named in .github/workflows/own.yml:6: add alpine3.23 there by hand, if it belongs there\n";
    assert!(run.stdout.contains(note), "{}", run.stdout);
}

#[test]
fn a_job_that_does_not_name_an_added_variant_is_named_though_another_one_does() {
    let manifest = "docker buildx imagetools create -t nats:p ${{ env.IMAGE }}:${{ env.TAG }}-nanoserver-ltsc2022";
    let repository = with(&format!(
        "  a:
    strategy:
      matrix:
        ltsc: [2022]
    runs-on: windows-${{{{ matrix.ltsc }}}}
    steps:
      - run: docker build 2.12.x/nanoserver-ltsc${{{{ matrix.ltsc }}}}
  b:
{JOB}      - run: cd 2.12.x && {manifest}
"
    ));
    let run = repository.run(&[
        "--add",
        "2.12.x/nanoserver-ltsc2025",
        "--add",
        "2.12.x/windowsservercore-ltsc2025",
    ]);
    let note = "2.12.x/nanoserver-ltsc2025 is named in some jobs of .github/workflows/own.yml alone; nanoserver-ltsc2022 is named in .github/workflows/own.yml:13: add";
    assert!(run.stdout.contains(note), "{}", run.stdout);
}

#[test]
fn a_row_that_is_left_out_of_a_matrix_is_no_leftover() {
    let job = |ltsc: &str, exclude: &str| {
        format!(
            "  a:
    strategy:
      matrix:
        series: [2.12.x, 2.14.x]
        ltsc: {ltsc}
{exclude}    runs-on: windows-${{{{ matrix.ltsc }}}}
    steps:
      - run: docker build ${{{{ matrix.series }}}}/nanoserver-ltsc${{{{ matrix.ltsc }}}}
"
        )
    };
    let exclude = "        exclude:\n          - { series: 2.12.x, ltsc: 2022 }\n";
    let jobs = job("[2022, 2025]", exclude);
    let repository = with(&jobs);
    let remove = ["nanoserver-ltsc2022", "windowsservercore-ltsc2022"];
    let remove = remove.map(|name| format!("2.12.x/{name}"));
    repository.run(&["-q", "--add", "2.12.x/nanoserver-ltsc2025"]);
    repository.run(&["-q", "--add", "2.12.x/windowsservercore-ltsc2025"]);
    let args = ["--remove", &remove[0], "--remove", &remove[1]];
    let run = repository.run(&args).exits_with(0);
    assert_eq!(repository.read(CI), format!("{HEAD}{jobs}"));
    assert!(!run.stdout.contains("own.yml"), "{}", run.stdout);
}

#[test]
fn the_last_item_of_a_list_over_several_lines_is_copied_without_a_note() {
    let job = |last: &str| {
        format!(
            "  a:
    strategy:
      matrix:
        series: [
          2.12.x,
          2.14.x{last}
        ]
{JOB}      - run: ls ${{{{ matrix.series }}}}/tests
"
        )
    };
    let repository = with(&job(""));
    let releases = Repository::of(std::path::Path::new(RELEASES_OF_SERIES));
    let sums = releases
        .read("v2.14.5/SHA256SUMS")
        .replace("2.14.5", "2.15.0");
    releases.write("v2.15.0/SHA256SUMS", sums);
    let from = releases.root().to_str().expect("UTF-8");
    let run = repository.run(&["--from", from, "2.15.0"]).exits_with(0);
    assert_eq!(
        repository.read(CI),
        format!("{HEAD}{}", job(",\n          2.15.x"))
    );
    assert!(!run.stdout.contains("by hand"), "{}", run.stdout);
}

#[test]
fn a_path_of_no_family_and_a_host_that_is_too_old_are_found() {
    let job = |runner: &str, family: &str| {
        format!(
            "  a:
    strategy:
      matrix:
        ltsc: [2022, 2025]
    runs-on: windows-{runner}
    steps:
      - id: ref
        run: echo \"TAG=p\" >> \"$GITHUB_OUTPUT\"
      - run: docker build -t \"nats:${{{{ steps.ref.outputs.TAG }}}}\" ./2.14.x/{family}-ltsc${{{{ matrix.ltsc }}}}
"
        )
    };
    let made = "${{ matrix.ltsc }}";
    with(&job(made, "nanoserver")).finds(&[]);
    with(&job(made, "nanosever")).finds(&[
        "own.yml:11:75: name: found nanosever, expected nanoserver: the name of what is there",
    ]);
    with(&job("2022", "nanoserver")).finds(&[
        "own.yml:6:22: runner: found Windows Server 2025, expected 2022 at most: this runs on windows-2022",
    ]);
}

#[test]
fn a_variable_that_is_called_after_a_series_moves_with_it() {
    let job = "  a:
    runs-on: ubuntu-24.04
    env:
      ALPINE_2_12: alpine3.21
      ALPINE_2_14: alpine3.22
    steps:
      - run: docker build 2.12.x/$ALPINE_2_12 && docker build 2.14.x/$ALPINE_2_14
";
    let after = job.replace("alpine3.21", "alpine3.22");
    assert!(becomes(job, &["--base", "2.12.x/alpine=3.22"], &after).is_empty());
    let after = job.replace("alpine3.22", "alpine3.23");
    assert!(becomes(job, &["--base", "2.14.x/alpine=3.23"], &after).is_empty());
}
