//! Matrices whose items are mappings, and included rows that say more of items: they are found wrong, moved and repeated as items
//! are.

use crate::styles::{CI, HEAD, becomes, with};

const IMAGES: &str = "  a:
    strategy:
      matrix:
        image:
          - { series: 2.12.x, variant: alpine3.21 }
          - { series: 2.14.x, variant: alpine3.22 }
          - series: 2.14.x
            variant: scratch
            platforms: ${{ inputs.platforms }}
        platform: [linux/amd64, linux/arm64]
    runs-on: ubuntu-24.04
    steps:
      - run: docker build --platform ${{ matrix.platform }} ${{ matrix.image.series }}/${{ matrix.image.variant }}
";

/// A job for each Windows, with the runner in the item of its year, or in a row that is included for it.
fn windows(year: &str, runner: &str) -> [String; 2] {
    let job = |matrix: String, at: &str| {
        format!(
            "  a:
    strategy:
      matrix:
        series: [2.14.x]
{matrix}    runs-on: ${{{{ matrix.{at}runner }}}}
    steps:
      - run: docker build ${{{{ matrix.series }}}}/windowsservercore-ltsc${{{{ matrix.{at}year }}}}
      - if: matrix.{at}runner != 'windows-2022'
        run: docker build ${{{{ matrix.series }}}}/nanoserver-ltsc${{{{ matrix.{at}year }}}}
"
        )
    };
    let rows = format!(
        "          - year: 2022
            runner: windows-2022
          - year: {year}
            runner: windows-{runner}
"
    );
    let mappings = job(format!("        windows:\n{rows}"), "windows.");
    let years = format!("        year: [2022, {year}]\n        include:\n{rows}");
    [mappings, job(years, "")]
}

#[test]
fn what_an_item_that_is_a_mapping_says_is_checked() {
    with(IMAGES).finds(&[]);
    let wrong = IMAGES.replace("alpine3.22", "alpine3.21");
    with(&wrong)
        .finds(&["own.yml:8:40: variant: found alpine3.21: no variant alpine3.21 in 2.14.x"]);
    let wrong = IMAGES.replace("variant: scratch", "variant: skratch");
    let finding = "own.yml:10:22: variant: found skratch: no variant skratch in 2.14.x";
    with(&wrong).finds(&[finding]);
    // Rows that are included say the same.
    let included = wrong.replace("image:", "include:").replace("image.", "");
    let included = included.replace("        platform: [linux/amd64, linux/arm64]\n", "");
    let included = included.replace("--platform ${{ matrix.platform }} ", "");
    with(&included).finds(&[finding]);
    let wrong = IMAGES.replace("${{ inputs.platforms }}", "linux/amd64");
    let wrong = wrong.replace("image.variant", "image.varient");
    with(&wrong)
        .finds(&["own.yml:15:105: job: found varient: the matrix of the job has no such key"]);
}

#[test]
fn an_item_that_is_a_mapping_moves_with_its_series_and_is_repeated_for_an_added_variant() {
    let after = IMAGES.replace("alpine3.21", "alpine3.23");
    let args = ["--base", "2.12.x/alpine=3.23"];
    assert!(becomes(IMAGES, &args, &after).is_empty());
    let item = "          - { series: 2.14.x, variant: alpine3.22 }\n";
    let new = item.replace("3.22", "3.23");
    let after = IMAGES.replace(item, &format!("{item}{new}"));
    let args = ["--add", "2.14.x/alpine3.23"];
    assert!(becomes(IMAGES, &args, &after).is_empty());
}

#[test]
fn a_workflow_without_a_newline_at_its_end_has_none_after_an_item_came_and_went() {
    let job = "  a:
    runs-on: ubuntu-24.04
    steps:
      - run: docker build 2.14.x/${{ matrix.variant }}
    strategy:
      matrix:
        variant:
          - scratch
          - alpine3.22";
    let after = format!("{job}\n          - alpine3.23");
    assert!(becomes(job, &["--add", "2.14.x/alpine3.23"], &after).is_empty());
    let repository = with(job);
    repository
        .run(&["--add", "2.14.x/alpine3.23"])
        .exits_with(0);
    repository
        .run(&["--remove", "2.14.x/alpine3.23"])
        .exits_with(0);
    assert_eq!(repository.read(CI), format!("{HEAD}{job}"));
}

#[test]
fn the_year_and_the_runner_of_a_windows_move_together() {
    let after = windows("2028", "2028");
    for (before, after) in windows("2025", "2025").iter().zip(after) {
        let args = ["--base", "2.14.x/windows-ltsc2025=ltsc2028"];
        assert!(becomes(before, &args, &after).is_empty());
    }
}

#[test]
fn an_item_that_a_matrix_makes_a_series_of_is_one() {
    let jobs = |brackets: &str, lines: &str| {
        format!(
            "  a:
    strategy:
      matrix:
        series: [{brackets}]
    runs-on: ubuntu-24.04
    steps:
      - run: docker build ./${{{{ matrix.series }}}}.x/scratch
  b:
    strategy:
      matrix:
        series:
{lines}    runs-on: ubuntu-24.04
    steps:
      - run: cd ${{{{ matrix.series }}}}.x/tests && ./build-images.sh
"
        )
    };
    let lines = |all: &[&str]| -> String {
        let lines = all.iter().map(|one| format!("          - \"{one}\"\n"));
        lines.collect()
    };
    let before = jobs("'2.12', '2.14'", &lines(&["2.12", "2.14"]));
    let more = jobs("'2.12', '2.14', '2.15'", &lines(&["2.12", "2.14", "2.15"]));
    becomes(&before, &["2.15.0-RC.1", "--allow-missing"], &more);
    becomes(
        &before,
        &["--remove", "2.12.x"],
        &jobs("'2.14'", &lines(&["2.14"])),
    );
    let repository = with(&before);
    let removed = repository.run(&["--remove", "2.12.x", "-v"]).exits_with(0);
    let said = "own.yml\n      directory  2.12.x  removed\n      directory  2.12.x  removed\n";
    assert!(removed.stdout.contains(said), "{}", removed.stdout);
}
