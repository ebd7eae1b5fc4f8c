//! Scripts in `tests` of the root, in a tree with series that have none of their own: each is for the series that it names.

use crate::support::{Repository, tree};

/// The series on one base, with scripts of the root for each: `ver` is what they give of it.
fn repository(ver: impl Fn(&str, &str) -> String) -> Repository {
    let repository = Repository::of(&tree("series/before"));
    for folder in [".github", "2.12.x/tests", "2.14.x/tests"] {
        std::fs::remove_dir_all(repository.path(folder)).expect("a folder");
    }
    for folder in ["nanoserver-ltsc2022", "windowsservercore-ltsc2022"] {
        std::fs::remove_dir_all(repository.path(&format!("2.12.x/{folder}"))).expect("a folder");
        for year in ["2022", "2025"] {
            let folder = folder.replace("2022", year);
            let _ = std::fs::remove_dir_all(repository.path(&format!("2.14.x/{folder}")));
        }
    }
    repository
        .run(&["-q", "--base", "2.12.x/alpine=3.22"])
        .exits_with(0);
    for (series, version) in [("2.12", "2.12.14"), ("2.14", "2.14.4")] {
        let ver = ver(&format!("{series}.x"), version);
        let build = |variant: &str| {
            format!(
                "(\n\tcd \"../{series}.x/{variant}\"\n\tdocker build --tag \"nats:${{ver[1]}}-{variant}\" .\n)\n"
            )
        };
        let both = build("alpine3.22") + &build("scratch");
        let builds = format!("{ver}{both}");
        let runs = format!(
            "{ver}for img in \"nats:${{ver[1]}}-alpine3.22\" \"nats:${{ver[1]}}-scratch\"; do\n\tdocker run \"$img\"\ndone\n"
        );
        repository.write(&format!("tests/build-{series}.sh"), builds);
        repository.write(&format!("tests/run-{series}.sh"), runs);
    }
    repository.finds(&[]);
    repository
}

fn by_version() -> Repository {
    repository(|_, version| format!("ver=(NATS_SERVER {version})\n"))
}

#[test]
fn a_base_moves_in_the_scripts_of_its_series_alone() {
    for repository in [
        by_version(),
        repository(|series, _| format!("ver=(NATS_SERVER {series})\n")),
    ] {
        let before = repository.snapshot();
        repository
            .run(&["-q", "--base", "2.14.x/alpine=3.23"])
            .exits_with(0);
        repository.finds(&[]);
        for script in ["build", "run"] {
            let own = repository.read(&format!("tests/{script}-2.14.sh"));
            assert!(
                own.contains("-alpine3.23") && !own.contains("alpine3.22"),
                "{own}"
            );
            let other = format!("tests/{script}-2.12.sh");
            assert_eq!(repository.read(&other).as_bytes(), before[&other].1);
        }
    }
}

#[test]
fn a_variant_is_added_and_removed_in_the_scripts_of_its_series_alone() {
    let repository = by_version();
    let before = repository.snapshot();
    repository
        .run(&["-q", "--add", "2.12.x/alpine3.23"])
        .exits_with(0);
    for script in ["build", "run"] {
        let own = repository.read(&format!("tests/{script}-2.12.sh"));
        assert!(own.contains("-alpine3.23"), "{own}");
        let other = format!("tests/{script}-2.14.sh");
        assert_eq!(repository.read(&other).as_bytes(), before[&other].1);
    }
    repository
        .run(&["-q", "--remove", "2.12.x/alpine3.23"])
        .exits_with(0);
    crate::support::same(&repository.snapshot(), &before);
}

#[test]
fn a_series_can_stand_for_its_version_in_a_tag() {
    let repository = by_version();
    let text = "docker run nats:2.14.x-alpine3.22\ndocker run nats:2.14.x-scratch\n";
    repository.write("tests/more.sh", text);
    repository
        .run(&["-q", "--base", "2.14.x/alpine=3.23"])
        .exits_with(0);
    assert_eq!(
        repository.read("tests/more.sh"),
        text.replace("3.22", "3.23")
    );
    repository.write("tests/more.sh", text);
    repository.finds(&["tests/more.sh:1:24: variant: found alpine3.22, expected alpine3.23"]);
}

#[test]
fn what_is_wrong_in_them_is_found() {
    for (path, old, new, finding) in [
        (
            "build-2.14",
            "${ver[1]}-scratch",
            "${ver[1]}-alpine3.22",
            "variant: found alpine3.22, expected scratch: scratch is what is built",
        ),
        (
            "build-2.12",
            "ver[1]}-alpine3.22",
            "ver[1]}-alpine3.21",
            "reference: found alpine3.21, expected alpine3.22",
        ),
        (
            "run-2.14",
            "\"nats:${ver[1]}-alpine3.22\" ",
            "",
            "script: missing the variant alpine3.22 of 2.14.x",
        ),
        (
            "build-2.12",
            "cd \"../2.12.x/scratch\"",
            "cd \"../2.12.x/alpine3.22\"",
            "variant: found scratch, expected alpine3.22",
        ),
    ] {
        let repository = by_version();
        repository.edit(&format!("tests/{path}.sh"), old, new);
        let found = repository.findings();
        assert!(
            found.iter().any(|one| one.contains(finding)),
            "{new}: {found:#?}"
        );
    }
}

#[test]
fn any_letter_can_stand_in_front_of_a_tag() {
    let repository = Repository::of(&tree("streaming/after"));
    let script = "tests/run-images.sh";
    repository.write(
        script,
        repository.read(script)
            + "echo \u{451}:${ver}-alpine3.18\necho \u{451}x:${ver}-alpine3.18\n",
    );
    let found = repository.findings();
    assert!(
        found
            .iter()
            .any(|one| one.contains("image: found x, expected nats-streaming")),
        "{found:#?}"
    );
}

#[test]
fn a_script_that_is_named_after_a_windows_gets_no_variant_of_another() {
    let repository = Repository::of(&tree("series/before"));
    std::fs::remove_dir_all(repository.path("2.14.x/nanoserver-ltsc2025")).expect("a folder");
    let run = repository.run(&["check"]).exits_with(1);
    let missing = "found nanoserver-ltsc2025: no variant nanoserver-ltsc2025 in 2.14.x, which has nanoserver-ltsc2022";
    assert!(run.stdout.contains(missing), "{}", run.stdout);
    assert!(
        !run.stdout.contains("expected nanoserver-ltsc2022"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_script_that_is_named_after_a_windows_need_not_build_another() {
    let repository = Repository::of(&tree("streaming/before"));
    let scripts = ["tests/build-images-2019.ps1", "tests/run-images-2019.ps1"];
    let texts = scripts.map(|script| repository.read(script));
    repository
        .run(&[
            "-q",
            "--add",
            "windowsservercore-ltsc2022",
            "--add",
            "nanoserver-ltsc2022",
        ])
        .exits_with(0);
    for script in ["tests/build-images-2022.ps1", "tests/run-images-2022.ps1"] {
        std::fs::remove_file(repository.path(script)).expect("a script");
    }
    for (script, text) in scripts.iter().zip(texts) {
        assert_eq!(repository.read(script), text);
    }
    repository.finds(&[]);
}

#[test]
fn a_build_ends_where_its_command_does() {
    for end in [
        "|| exit 1",
        "; done",
        "&& echo ok",
        "> log",
        ">/dev/null 2>&1 | tee f",
        "& wait",
        "|| die \"no\"",
        "# the base",
        "2>&1 | tee build.log",
        "--platform linux/amd64",
        "--pull --progress plain --no-cache",
    ] {
        let repository = Repository::of(&tree("streaming/after"));
        let build = |built: &str| {
            format!(
                "ver=(NATS_STREAMING_SERVER 0.25.6)\n\
                 docker build -t nats-streaming:${{ver[1]}}-alpine3.18 ../0.25.6/{built} {end}\n\
                 cd ../0.25.6/scratch && docker build \\\n  -t nats-streaming:${{ver[1]}}-scratch . {end}\n"
            )
        };
        repository.write("tests/build-images.sh", build("alpine3.18"));
        repository.finds(&[]);
        repository.write("tests/build-images.sh", build("scratch"));
        let finding = "variant: found alpine3.18, expected scratch: scratch is what is built";
        repository.finds(&[&format!("tests/build-images.sh:2:42: {finding}")]);
    }
}

#[test]
fn a_folder_that_is_gone_to_in_brackets_is_left_with_them() {
    let repository = Repository::of(&tree("streaming/after"));
    let build = |inside: &str| {
        format!(
            "ver=(NATS_STREAMING_SERVER 0.25.6)\ncd ../0.25.6/alpine3.18\n\
             (cd ../{inside}; docker build --tag nats-streaming:${{ver[1]}}-scratch .)\n\
             docker build --tag nats-streaming:${{ver[1]}}-alpine3.18 .\n"
        )
    };
    repository.write("tests/build-images.sh", build("scratch"));
    let found = repository.findings();
    let found = found.iter().filter(|one| !one.contains("order"));
    assert_eq!(found.count(), 0);
    repository.write("tests/build-images.sh", build("alpine3.18"));
    let found = repository.findings();
    let wrong = found.iter().filter(|one| one.contains(":3:"));
    assert_eq!(wrong.count(), 1, "{found:?}");
}
