//! Jobs of series that are alike: what one alone says otherwise.

use crate::styles::{CI, becomes, with};
use crate::support::{RELEASES_OF_SERIES, Repository};

/// A job for each of two series, and a third one by an update.
fn of_three(job: &dyn Fn(&str, &str) -> String) -> Repository {
    let jobs = [job("2.12", "alpine3.21"), job("2.14", "alpine3.22")];
    let repository = with(&jobs.join("\n"));
    let args = [
        "2.15.0-RC.1",
        "--allow-missing",
        "--from",
        RELEASES_OF_SERIES,
    ];
    repository.run(&args).exits_with(0);
    repository.finds(&[]);
    repository
}

#[test]
fn what_one_job_of_three_says_otherwise_is_found() {
    let job = |series: &str, alpine: &str| {
        let low = series.replace('.', "_");
        format!(
            "  linux-{low}:
    name: Linux {series}.x
    runs-on: ubuntu-24.04
    env:
      BASE: {alpine}
    steps:
      - uses: actions/checkout@v4
        with:
          sparse-checkout: |
            {series}.x
      - run: docker build {series}.x/{alpine} # {series}
      - run: docker build {series}.x/scratch
"
        )
    };
    let repository = of_three(&job);
    let other = "as in the jobs of the other series";
    for (old, new, finding) in [
        (
            "name: Linux 2.14.x",
            "name: Linux 2.12.x",
            "17:17: series: found 2.12.x, expected 2.14.x",
        ),
        (
            "BASE: alpine3.21",
            "BASE: alpine3.22",
            "7:13: series: found alpine3.22, expected alpine3.21",
        ),
        (
            "            2.14.x\n",
            "            2.13.x\n",
            "25:13: series: found 2.13.x, expected 2.14.x",
        ),
        (
            "2.12.x/scratch",
            "2.12.x/alpine3.21",
            "14:34: series: found alpine3.21, expected scratch",
        ),
    ] {
        let before = repository.read(CI);
        repository.edit(CI, old, new);
        repository.finds(&[&format!("{CI}:{finding}: {other}")]);
        repository.write(CI, before);
    }
}

#[test]
fn what_may_differ_between_jobs_of_series_is_no_mistake() {
    let job = |series: &str, alpine: &str| {
        let low = series.replace('.', "_");
        let old = if series == "2.12" { "22" } else { "24" };
        format!(
            "  linux-{low}:
    runs-on: ubuntu-{old}.04
    timeout-minutes: {old}
    steps:
      - run: echo '{{\"base\": \"{alpine}\"}}'
      - run: ./{old}.sh
      - run: docker build {series}.x/{alpine}
"
        )
    };
    of_three(&job);
}

#[test]
fn a_series_may_be_spelled_without_anything_between_its_numbers() {
    let job = |series: &str| {
        let numbers = series.replace('.', "");
        format!(
            "  linux_v{numbers}:
    name: Linux v{series}
    runs-on: ubuntu-24.04
    steps:
      - run: cd {series}.x/tests && ./build-images.sh
"
        )
    };
    let [first, source, twin] = ["2.12", "2.14", "2.15"].map(job);
    let before = [first, source].join("\n");
    let args = ["2.15.0-RC.1", "--allow-missing"];
    let after = [before.clone(), twin].join("\n");
    assert!(becomes(&before, &args, &after).is_empty());
}
