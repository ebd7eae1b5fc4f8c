//! Mistakes that tired maintainers make, each in a repository with two series, and what `check` says of it.

use crate::support::{Repository, tree};

const CI: &str = ".github/workflows/own.yml";

fn series() -> Repository {
    Repository::of(&tree("series/before"))
}

/// The repository with one workflow more.
fn with(workflow: &str) -> Repository {
    let repository = series();
    repository.write(CI, workflow);
    repository
}

#[test]
fn two_jobs_of_one_name() {
    let job =
        "  linux-2_14:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: ls 2.14.x/tests\n";
    let repository = with(&format!("on: push\njobs:\n{job}"));
    repository.finds(&[]);
    repository.write(CI, format!("on: push\njobs:\n{job}{job}"));
    repository.finds(&[
        "own.yml:7:3: job: found linux-2_14 a second time: GitHub refuses a workflow with two jobs of one name",
    ]);
}

#[test]
fn a_condition_that_no_tag_of_the_workflow_fulfils() {
    let workflow = |condition: &str| {
        format!(
            "on:\n  push:\n    tags: [v2.12.*, v2.14.*]\njobs:\n  linux-2_14:\n    if: startsWith(github.ref_name, '{condition}')\n    runs-on: ubuntu-24.04\n    steps:\n      - run: docker build ./2.14.x/alpine3.22\n"
        )
    };
    for right in ["v2.14.", "v2.14.5", "v2."] {
        with(&workflow(right)).finds(&[]);
    }
    for other in [
        "contains(github.ref_name, '2.14.')",
        "startsWith(env.GO, '1.22')",
    ] {
        let right = workflow("v2.14.");
        with(&right.replace("startsWith(github.ref_name, 'v2.14.')", other)).finds(&[]);
    }
    for wrong in ["2.14.", "v2_14.", "v14.", "v2.14.x"] {
        let found = wrong.trim_end_matches('.');
        with(&workflow(wrong)).finds(&[&format!(
            "own.yml:6:38: series: found {found}, expected a tag that starts this workflow: v2.12.*, v2.14.*"
        )]);
    }
}

#[test]
fn a_condition_that_names_another_series_than_its_job_in_whatever_form() {
    let workflow = |condition: &str, series: &str| {
        let condition = condition.replace("@", series);
        format!(
            "on: push\njobs:\n  linux-2_14:\n    if: {condition}\n    runs-on: ubuntu-24.04\n    steps:\n      - run: docker build ./2.14.x/alpine3.22\n"
        )
    };
    for condition in [
        ">-\n      github.event_name == 'push' &&\n      startsWith(github.ref_name, 'v@.')",
        "github.event_name == 'workflow_dispatch' || startsWith(github.ref, 'refs/tags/v@.')",
        "contains(github.ref_name, 'v@')",
        "startsWith(github.ref_name, 'release/v@')",
        "inputs.series == '@.x'",
    ] {
        with(&workflow(condition, "2.14")).finds(&[]);
        with(&workflow(condition, "2.12"))
            .finds(&["series: found 2.12, expected 2.14: the job linux-2_14 is about 2.14.x"]);
    }
    for right in [
        "startsWith(github.ref_name, 'v2.12.') || startsWith(github.ref_name, 'v2.14.')",
        "contains(fromJSON('[\"2.12.x\", \"2.14.x\"]'), inputs.series)",
        "contains('2.12.x 2.14.x', inputs.series)",
    ] {
        with(&workflow(right, "")).finds(&[]);
    }
}

#[test]
fn a_job_of_a_series_that_lost_its_condition() {
    let path = ".github/workflows/publish.yaml";
    let repository = series();
    repository.edit(
        path,
        "  linux-2_14:\n    if: ${{ startsWith(github.ref_name, 'v2.14.') }}\n",
        "  linux-2_14:\n",
    );
    repository.finds(&[
        "publish.yaml:54:3: series: found linux-2_14 without `if`, expected a condition like that of the other jobs",
    ]);
}

#[test]
fn what_a_matrix_of_a_job_does_not_have() {
    let workflow = |matrix: &str, key: &str| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    strategy:\n{matrix}    steps:\n      - run: cd ${{{{ matrix.{key} }}}}/tests && ls\n"
        )
    };
    let matrix = "      matrix:\n        series: [2.12.x, 2.14.x]\n";
    with(&workflow(matrix, "series")).finds(&[]);
    with(&workflow(matrix, "sries"))
        .finds(&["own.yml:9:28: job: found sries: the matrix of the job has no such key"]);
    // Where another program makes the matrix nobody knows its keys.
    let made = "      matrix: ${{ fromJSON(needs.b.outputs.matrix) }}\n";
    with(&workflow(made, "sries")).finds(&[]);
}

#[test]
fn an_item_among_series_that_is_none() {
    let workflow = |items: &str| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    strategy: {{ matrix: {{ series: [{items}] }} }}\n    steps:\n      - run: cd ${{{{ matrix.series }}}}/tests && ./build-images.sh\n"
        )
    };
    with(&workflow("2.12.x, 2.14.x")).finds(&[]);
    with(&workflow("2.12.x 2.14.x"))
        .finds(&["own.yml:5:36: series: found 2.12.x 2.14.x, expected a comma between two series"]);
    for wrong in ["2.14", "2.14.y", "master"] {
        with(&workflow(&format!("2.12.x, {wrong}"))).finds(&[&format!(
            "own.yml:5:44: directory: found {wrong}: there is no such version directory, only 2.12.x, 2.14.x"
        )]);
    }
}

#[test]
fn a_matrix_in_the_line_of_its_strategy_moves_with_its_base() {
    let workflow = "on: push\njobs:\n  a:\n    runs-on: windows-${{ matrix.year }}\n    strategy: { matrix: { series: [2.12.x], year: [2022] } }\n    steps:\n      - run: cd ${{ matrix.series }}/tests; ./build-images-${{ matrix.year }}.ps1\n";
    let repository = with(workflow);
    repository.remove(".github/workflows/windows.yaml");
    repository.finds(&[]);
    repository
        .run(&["--base", "2.12.x/windows=ltsc2025"])
        .exits_with(0);
    let expected = workflow.replace("[2022]", "[2025]");
    assert_eq!(repository.read(CI), expected);
}

#[test]
fn a_script_that_was_copied_for_another_windows_and_not_edited() {
    let repository = series();
    let text = repository.read("2.12.x/tests/build-images-2022.ps1");
    repository.write("2.12.x/tests/build-images-2025.ps1", text);
    repository.finds(&[
        "2.12.x/tests/build-images-2025.ps1:1:1: script: names no variant of Windows Server 2025, but is called after it",
    ]);
}

#[test]
fn a_test_of_one_variant_need_not_be_one_of_all() {
    let repository = series();
    let test = "ver=(NATS_SERVER 2.14.4)\ndocker run --rm \"nats:${ver[1]}-alpine3.22\" nats-server --version\n";
    repository.write("2.14.x/tests/entrypoint.sh", test);
    repository.finds(&[]);
}

#[test]
fn an_image_that_is_built_from_nothing_instead_of_its_base() {
    let repository = series();
    repository.edit(
        "2.14.x/alpine3.22/Dockerfile",
        "FROM alpine:3.22",
        "FROM scratch",
    );
    repository.finds(&[
        "2.14.x/alpine3.22/Dockerfile:1:1: base: missing `FROM …:3.22`: no stage is based on alpine 3.22",
    ]);
}

#[test]
fn notes_name_what_is_left_and_nothing_else() {
    let run = series()
        .run(&[
            "--from",
            &tree("series/releases").display().to_string(),
            "2.15.0-RC.1",
            "--base",
            "2.15.x/alpine=3.23",
            "--allow-missing",
        ])
        .exits_with(0);
    assert!(!run.stdout.contains("publish.yaml: line"), "{}", run.stdout);
    // A line that is about another series is no example for this one.
    let nightly = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo alpine3.21 alpine3.22 nats:2-alpine3.22\n";
    let repository = with(nightly);
    let run = repository
        .run(&["--add", "2.14.x/alpine3.23"])
        .exits_with(0);
    let note = "no workflow names 2.14.x/alpine3.23; alpine3.22 is named in .github/workflows/publish.yaml:66, 68, 77:";
    assert!(run.stdout.contains(note), "{}", run.stdout);
}

#[test]
fn notes_name_the_base_of_what_has_moved_where_its_family_stands_beside_it() {
    let (dockerfile, script) = ("alpine3.23/Dockerfile", "tests/run-images.sh");
    let repository = series();
    for (path, line) in [
        (
            "alpine3.22/Dockerfile",
            "RUN apk add -X https://dl-cdn.alpinelinux.org/alpine/v3.22/community x\nRUN echo 3.22\n",
        ),
        (script, "ALPINE=3.22\n# alpine 3.22\n"),
    ] {
        let path = format!("2.14.x/{path}");
        repository.write(&path, repository.read(&path) + line);
    }
    repository.write(
        CI,
        "on: push\nenv:\n  ALPINE_VERSION: '3.22'\n  OTHER: '3.22'\njobs:\n  a:\n    runs-on: x\n",
    );
    let run = repository
        .run(&["-n", "--base", "2.14.x/alpine=3.23"])
        .exits_with(0);
    let lines = run.stdout.lines().map(str::trim);
    let notes = lines.filter_map(|line| line.split_once(", which no variant has any more"));
    let notes: Vec<&str> = notes.map(|(note, _)| note).collect();
    let expected = [
        format!("{CI}:3: found 3.22"),
        format!("2.14.x/{dockerfile}:26: found 3.22"),
        format!("2.14.x/{script}:5: found 3.22"),
    ];
    assert_eq!(notes, expected);
}

#[test]
fn a_path_from_a_folder_that_a_step_has_gone_to() {
    let build = |path: &str| {
        let here = format!("docker build --tag nats:x {path}");
        [
            format!("      - working-directory: 2.14.x\n        run: {here}\n"),
            format!("      - run: |\n          cd 2.14.x\n          {here}\n"),
            format!(
                "      - run: |\n          cd 2.14.x/tests\n          docker build --tag nats:x \\\n            ../{path}\n"
            ),
        ]
    };
    let workflow = |step: &str| {
        format!("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n{step}")
    };
    for path in ["alpine3.22", "scratch"] {
        for step in build(path) {
            with(&workflow(&step)).finds(&[]);
        }
    }
    for path in ["alpine3.21", "scrach"] {
        for step in build(path) {
            let findings = with(&workflow(&step)).findings();
            let is_it = |found: &String| found.contains("path: found") && found.contains(path);
            assert!(
                findings.len() == 1 && findings.iter().all(is_it),
                "{findings:#?}"
            );
        }
    }
}

#[test]
fn an_image_that_is_not_ours_by_the_version_and_the_variant_of_ours() {
    let wrong = |path: &str, line: &str, finding: &str| {
        let repository = series();
        let text = repository.read(path);
        repository.write(path, format!("{text}{line}\n"));
        repository.finds(&[finding]);
    };
    wrong(
        "2.14.x/tests/run-images.sh",
        "docker run -d natz:2.14.4-alpine3.22",
        "image: found natz, expected nats, whose tag this is",
    );
    let preview = "2.14.x/alpine3.22/Dockerfile.preview";
    wrong(
        preview,
        "ARG OTHER=natz:2.14.4-alpine3.22",
        "image: found natz, expected nats, whose tag this is",
    );
    // Of another publisher, by a variable, or at another version it may be anything.
    for line in [
        "ARG OTHER=bar.example/natz:2.14.4-alpine3.22",
        "ARG OTHER=${IMAGE}z:2.14.4-alpine3.22",
        "ARG OTHER=natz:2.14.3-alpine3.22",
        "ARG OTHER=natz:2.14.4-debian12",
    ] {
        let repository = series();
        let text = repository.read(preview);
        repository.write(preview, format!("{text}{line}\n"));
        repository.finds(&[]);
    }
}

#[test]
fn a_base_of_another_publisher_than_its_siblings_have() {
    let repository = series();
    let path = "2.14.x/alpine3.22/Dockerfile";
    repository.edit(path, "FROM alpine:3.22", "FROM evil/alpine:3.22");
    repository.finds(&[
        "2.14.x/alpine3.22/Dockerfile:1:6: image: found evil/alpine, expected alpine, as in 2.12.x/alpine3.21/Dockerfile:1",
    ]);
    // It is no worse after an update.
    let from = tree("series/releases").display().to_string();
    repository
        .run(&["--from", &from, "-q", "2.14.5"])
        .exits_with(0);
    for same in [
        "docker.io/library/alpine",
        "library/alpine",
        "${REGISTRY}/alpine",
    ] {
        let repository = series();
        repository.edit(path, "FROM alpine:3.22", &format!("FROM {same}:3.22"));
        repository.finds(&[]);
    }
    let repository = series();
    repository.edit(
        "2.14.x/nanoserver-ltsc2025/Dockerfile",
        "mcr.microsoft.com/",
        "mcr.microsoft.co/",
    );
    repository.finds(&["image: found mcr.microsoft.co/windows/nanoserver, expected mcr.microsoft.com/windows/nanoserver"]);
}

#[test]
fn what_nothing_in_the_job_gives() {
    let workflow = |expression: &str| {
        format!(
            "on: push\nenv:\n  IMAGE: nats\njobs:\n  linux:\n    runs-on: ubuntu-24.04\n    steps:\n      - id: ref\n        run: echo \"TAG=${{GITHUB_REF_NAME#v}}\" >> $GITHUB_OUTPUT\n      - id: other\n        uses: somebody/action@v1\n      - run: docker build --tag \"${{{{ {expression} }}}}\" 2.14.x/alpine3.22\n  b:\n    needs: [linux]\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{{{ needs.linux.result }}}}\n"
        )
    };
    for right in [
        // One that nothing is called like may come from elsewhere.
        "steps.elsewhere.outputs.TAG",
        "env.IMAGE",
        "env.OTHER",
        "steps.ref.outputs.TAG",
        "steps.ref.outcome",
        "steps.other.outputs.whatever",
        "join(steps.*.outcome)",
        "github.ref_name",
    ] {
        with(&workflow(right)).finds(&[]);
    }
    for (wrong, finding) in [
        (
            "env.IMGE",
            "job: found IMGE, expected IMAGE: a variable of the workflow",
        ),
        (
            "steps.rf.outputs.TAG",
            "job: found rf, expected ref: the `id` of a step",
        ),
        (
            "steps.ref.outputs.TG",
            "job: found TG, expected TAG: what the step writes",
        ),
    ] {
        with(&workflow(wrong)).finds(&[finding]);
    }
    let needs = workflow("env.IMAGE").replace("needs.linux.result", "needs.lnux.result");
    with(&needs).finds(&["job: found lnux, expected linux: the job that is needed"]);
}

#[test]
fn a_step_that_builds_an_image_before_the_one_that_it_copies_from() {
    let step = |variant: &str| {
        format!(
            "      - uses: docker/build-push-action@v6\n        with:\n          context: ./2.14.x/{variant}\n          tags: nats:x-{variant}\n"
        )
    };
    let command = |variant: &str| {
        format!("      - run: docker build --tag nats:x-{variant} 2.14.x/{variant}\n")
    };
    let job = |name: &str, steps: [String; 2]| {
        format!(
            "  {name}:\n    runs-on: ubuntu-24.04\n    steps:\n{}",
            steps.concat()
        )
    };
    let [alpine, scratch] = ["alpine3.22", "scratch"];
    for right in [
        job("a", [step(alpine), step(scratch)]),
        job("a", [command(alpine), command(scratch)]),
        // In other jobs nobody knows which is first.
        job("a", [step(scratch), step(scratch)]) + &job("b", [step(alpine), step(alpine)]),
    ] {
        with(&format!("on: push\njobs:\n{right}")).finds(&[]);
    }
    for wrong in [
        job("a", [step(scratch), step(alpine)]),
        job("a", [step(scratch), command(alpine)]),
        job("a", [command(scratch), command(alpine)]),
    ] {
        let findings = with(&format!("on: push\njobs:\n{wrong}")).findings();
        let is_it = |found: &String| {
            found.contains(
                "order: builds scratch before alpine3.22, but scratch copies from alpine3.22",
            )
        };
        assert!(
            findings.len() == 1 && findings.iter().all(is_it),
            "{findings:#?}"
        );
    }
}

#[test]
fn an_argument_that_no_dockerfile_takes() {
    let step = |argument: &str| {
        format!(
            "      - uses: docker/build-push-action@v6\n        with:\n          context: ./2.14.x/scratch\n          file: ./2.14.x/scratch/Dockerfile.preview\n          build-args: |\n            {argument}=nats:2.14.4-alpine3.22\n"
        )
    };
    let command = |argument: &str| {
        format!(
            "      - run: docker build --build-arg {argument}=x --file 2.14.x/scratch/Dockerfile.preview 2.14.x/scratch\n"
        )
    };
    let workflow = |step: &str| {
        format!("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n{step}")
    };
    let forms: [fn(&str) -> String; 2] = [step, command];
    for form in forms {
        with(&workflow(&form("BASE_IMAGE"))).finds(&[]);
        with(&workflow(&form("BASE_IMG"))).finds(&[
            "job: found BASE_IMG, expected BASE_IMAGE: an `ARG` of 2.14.x/scratch/Dockerfile.preview",
        ]);
    }
    let repository = series();
    repository.edit(
        "2.14.x/scratch/Dockerfile.preview",
        "FROM ${BASE_IMAGE}",
        "FROM ${BASE_IMG}",
    );
    repository.finds(&["2.14.x/scratch/Dockerfile.preview:2:6: base: found ${BASE_IMG}: no `ARG` above it gives it a value"]);
    // What a stage sets is nothing to the next one's base.
    let text = "FROM alpine:3.22 AS a\nARG B=alpine:3.22\nFROM $B\nCOPY --from=nats:2.14.4-alpine3.22 /a /\n";
    repository.write("2.14.x/scratch/Dockerfile.preview", text);
    repository.finds(&[
        "2.14.x/scratch/Dockerfile.preview:3:6: base: found $B: no `ARG` above it gives it a value",
    ]);
}

#[test]
fn a_command_is_about_the_series_to_whose_folder_its_step_has_gone() {
    let workflow = |base: &str| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: |\n          (cd 2.12.x/alpine3.21 && docker build -t nats:old .)\n          cd 2.14.x/alpine{base}\n          docker build -t nats:x-alpine{base} .\n      - run: docker build -t nats:y-alpine3.22 2.14.x/alpine3.22\n"
        )
        .replace("3.22", base)
    };
    let repository = with(&workflow("3.22"));
    repository.finds(&[]);
    repository
        .run(&["-q", "--base", "2.14.x/alpine=3.23"])
        .exits_with(0);
    assert_eq!(repository.read(CI), workflow("3.23"));
}

#[test]
fn a_folder_that_is_not_there_and_an_image_of_others_beside_it() {
    let workflow = |path: &str| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: cd ./2.14.x/{path} && docker pull busybox:alpine3.22\n"
        )
    };
    let made = "tests && mkdir ../out && docker build ../out\n      - working-directory: ./2.14.x/out\n        run: ls";
    with(&workflow(made)).finds(&[]);
    with(&workflow("tezts"))
        .finds(&["path: found tezts: there is no such file or folder in 2.14.x"]);
    let repository = with(&workflow("tests"));
    repository
        .run(&["-q", "--base", "2.14.x/alpine=3.23"])
        .exits_with(0);
    assert_eq!(repository.read(CI), workflow("tests"));
}

#[test]
fn a_comment_behind_a_bare_carriage_return_is_no_line_of_a_command() {
    let workflow = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: >\n          cd 2.14.x/tests\n          \r # x\n          docker build ../alpine3.22\n";
    with(workflow).finds(&[]);
}

#[test]
fn a_variable_or_a_file_whose_name_is_a_typo_for_one_that_is_there() {
    let alpine = "2.14.x/alpine3.22/Dockerfile";
    let preview = "2.14.x/alpine3.22/Dockerfile.preview";
    let with = |path: &str, text: &str| {
        let repository = series();
        let before = repository.read(path);
        let text = text.replace("\\\n", "\n");
        repository.write(path, format!("{before}{text}\n"));
        repository
    };
    for (path, text, found, expected) in [
        (
            alpine,
            "RUN rm -rf \"x-${NATS_SERVR}\"",
            "the variable NATS_SERVR, which nothing sets",
            "NATS_SERVER",
        ),
        (
            alpine,
            "COPY nats-servers.conf /bin",
            "nats-servers.conf",
            "nats-server.conf, which is in this folder",
        ),
        (
            preview,
            "COPY nats-server.cnf nats-server.conf /x/",
            "nats-server.cnf",
            "nats-server.conf, which is in this folder",
        ),
        (
            "2.14.x/tests/run-images.sh",
            "echo ${vers[1]}",
            "the variable vers, which nothing sets",
            "ver",
        ),
        (
            "2.14.x/tests/run-images-2022.ps1",
            "Write-Host $vers",
            "the variable vers, which nothing sets",
            "ver",
        ),
    ] {
        let repository = with(path, text);
        repository.finds(&[&format!("name: found {found}, expected {expected}")]);
        // An update does not make it worse.
        repository
            .run(&[
                "-q",
                "--base",
                "alpine=3.23",
                "--from",
                "http://127.0.0.1:1",
            ])
            .exits_with(0);
    }
    for (path, text) in [
        (alpine, "ARG FOO\nRUN echo $FOO $FOX"),
        (
            alpine,
            "# ${NATS_SERVR}\nRUN for nat in 1 2; do echo $nat; done",
        ),
        (alpine, "COPY other.conf nats-server.conf /bin/"),
        (alpine, "COPY nats-server.conf /etc/nats_server.conf"),
        (alpine, "COPY --from=builder /src/nats-servers.conf /x"),
        (alpine, "COPY nats-server.con* /x/"),
        (
            alpine,
            "RUN touch nats-servers.conf\nCOPY nats-servers.conf /x",
        ),
        (alpine, "CMD [\"--config\", \"nats-servers.conf\"]"),
        (alpine, "RUN echo ${NATS_SERVR:-x}"),
        (
            "2.14.x/tests/run-images.sh",
            "images=(a); echo ${IMAGE:-b} $image ${vers:-c}",
        ),
        (
            "2.14.x/tests/run-images.sh",
            "for vers in 1; do echo $vers; done; read verb; echo $verb",
        ),
        (
            "2.14.x/tests/run-images-2022.ps1",
            "foreach ($vers in $ver) { $vers }; $verb = $ver; $verb",
        ),
    ] {
        with(path, text).finds(&[]);
    }
}

#[test]
fn a_typo_for_the_folder_of_the_scripts() {
    let repository = series();
    repository.write("tests/build-images.sh", "ls\n");
    let job =
        |step: &str| format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - {step}\n");
    for right in [
        "run: cd tests && ls",
        "run: cd ./docs",
        "working-directory: tests\n        run: ls",
    ] {
        repository.write(CI, job(right));
        repository.finds(&[]);
    }
    for wrong in [
        "run: cd test && ls",
        "working-directory: ./test\n        run: ls",
    ] {
        repository.write(CI, job(wrong));
        repository.finds(&["path: found test, expected tests: the folder of the scripts"]);
    }
}

#[test]
fn an_image_that_is_twice_in_a_manifest_and_one_that_is_called_after_its_base() {
    let images = |names: &[&str]| {
        let line =
            |name: &&str| format!("            \"nats:${{{{ github.ref_name }}}}-{name}\" \\\n");
        let lines: String = names.iter().map(line).collect();
        format!(
            "on: push\njobs:\n  a-2_14:\n    runs-on: x\n    steps:\n      - run: |\n          docker manifest create x \\\n{lines}            y\n"
        )
    };
    let [one, other] = ["nanoserver-ltsc2022", "nanoserver-ltsc2025"];
    with(&images(&[one, other])).finds(&[]);
    with(&images(&[other, other])).finds(&[
        "job: found \"nats:${{ github.ref_name }}-nanoserver-ltsc2025\" twice in a command",
    ]);
    with(&images(&[one, "servercore-ltsc2022"]))
        .finds(&["variant: found servercore-ltsc2022: no variant servercore-ltsc2022 in 2.14.x"]);
}

#[test]
fn what_a_job_only_looks_at_may_be_for_a_newer_windows_than_its_runner() {
    let job = |step: &str| {
        format!(
            "on: push\njobs:\n  a-2_14:\n    runs-on: windows-2022\n    steps:\n      - run: cd 2.14.x/tests && ./build-images-2022.ps1\n      - {step}\n"
        )
    };
    for right in [
        "run: Invoke-ScriptAnalyzer 2.14.x/tests/build-images-2025.ps1",
        "uses: a/b@v1\n        with:\n          path: 2.14.x/windowsservercore-ltsc2025/Dockerfile",
    ] {
        with(&job(right)).finds(&[]);
    }
    for wrong in [
        "run: ./2.14.x/tests/build-images-2025.ps1",
        "run: docker build ./2.14.x/windowsservercore-ltsc2025",
    ] {
        with(&job(wrong)).finds(&[
            "runner: found Windows Server 2025, expected 2022 at most: this runs on windows-2022",
        ]);
    }
}

const PUBLISH: &str = ".github/workflows/publish.yaml";

/// What `check` says where the first place of a text in a file says something else.
#[track_caller]
fn wrong(path: &str, (right, wrong): (&str, &str), finding: &str) {
    let repository = series();
    let text = repository.read(path);
    assert!(text.contains(right), "no {right} in {path}");
    repository.write(path, text.replacen(right, wrong, 1));
    repository.finds(&[finding]);
}

#[test]
fn a_word_that_is_a_typo_for_what_is_there() {
    for (right, typo, finding) in [
        (
            "}}-alpine3.21",
            "}}-alpinee3.21",
            "found alpinee, expected alpine",
        ),
        (
            "/windowsservercore-ltsc$",
            "/windowsservercore-lts$",
            "found lts, expected ltsc",
        ),
    ] {
        let finding = format!("name: {finding}: the name of what is there");
        wrong(PUBLISH, (right, typo), &finding);
    }
    let repository = series();
    repository.write("tests/build-images-2022.ps1", "ls\n");
    let job =
        |step: &str| format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - {step}\n");
    for right in [
        "run: ./tests/build-images-2022.ps1",
        "run: ./tools/build-image.ps1",
    ] {
        repository.write(CI, job(right));
        repository.finds(&[]);
    }
    for (step, finding) in [
        (
            "run: ./tests/build-image-${{ x }}.ps1",
            "found build-image-, expected build-images-",
        ),
        (
            "run: ./test/build-images-2022.ps1",
            "found test, expected tests",
        ),
        (
            "uses: x\n        with:\n          file: ./${{ env.S }}/scratch/Dockerfile.previe",
            "found Dockerfile.previe, expected Dockerfile.preview",
        ),
    ] {
        repository.write(CI, job(step));
        repository.finds(&[&format!("name: {finding}: the name of what is there")]);
    }
}

#[test]
fn a_series_whose_digits_are_swapped_and_one_that_only_what_is_needed_tells() {
    let workflow = |condition: &str| {
        format!(
            "on: push\njobs:\n  linux-2_14:\n    if: startsWith(github.ref_name, '{condition}')\n    runs-on: x\n    steps:\n      - run: ls 2.14.x/tests\n"
        )
    };
    with(&workflow("v2.14.")).finds(&[]);
    with(&workflow("v21.4."))
        .finds(&["series: found 21.4, expected 2.14: the job linux-2_14 is about 2.14.x"]);
    let job = |name: &str, needs: &str| {
        format!("  {name}:\n    needs: {needs}\n    runs-on: x\n    steps:\n      - run: ls\n")
    };
    let repository = series();
    let text = repository.read(PUBLISH);
    let both = |name: &str| job(name, "linux-2_12") + &job("manifest-2_14", "linux-2_14");
    repository.write(PUBLISH, format!("{text}{}", both("manifest-2_12")));
    repository.finds(&[]);
    repository.write(PUBLISH, format!("{text}{}", both("manifest-2_1")));
    repository.finds(&["series: found 2_1, expected 2_12: the job manifest-2_1 is about 2.12.x"]);
}

#[test]
fn a_publisher_that_is_a_typo_where_no_sibling_tells() {
    let repository = Repository::of(&tree("streaming/before"));
    let path = "0.25.5/nanoserver-1809/Dockerfile";
    let text = repository
        .read(path)
        .replace("mcr.microsoft.com/w", "mcr.microsoft.comw/");
    repository.write(path, text);
    repository.finds(&[
        "image: found mcr.microsoft.comw/indows/nanoserver, expected mcr.microsoft.com/windows/nanoserver",
    ]);
}

#[test]
fn a_job_of_one_windows_that_starts_the_script_of_an_older_one() {
    let repository = Repository::of(&tree("streaming/before"));
    for name in ["build-images-2022.ps1", "run-images-2022.ps1"] {
        repository.write(&format!("tests/{name}"), "ls\n");
    }
    let job = |build: &str| {
        format!(
            "on: push\njobs:\n  w:\n    runs-on: windows-2022\n    steps:\n      - run: ./tests/{build}\n      - run: ./tests/run-images-2022.ps1\n"
        )
    };
    repository.write(CI, job("build-images-2022.ps1"));
    repository.finds(&[]);
    repository.write(CI, job("build-images-2019.ps1"));
    repository.finds(&[
        "runner: found build-images-2019.ps1, expected build-images-2022.ps1: this runs on windows-2022",
    ]);
}

#[test]
fn an_expression_that_gives_nothing_since_a_name_in_it_is_misspelt() {
    let workflow = |expression: &str| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: x\n    outputs:\n      tag: ${{{{ steps.ref.outputs.TAG }}}}\n    steps:\n      - id: ref\n        run: echo TAG=1 >> $GITHUB_OUTPUT\n  b:\n    needs: a\n    runs-on: x\n    steps:\n      - run: echo ${{{{ {expression} }}}}\n"
        )
    };
    for right in [
        "needs.a.outputs.tag",
        "needs.a.result",
        "github.ref_name",
        "hashFiles('step.sh')",
    ] {
        with(&workflow(right)).finds(&[]);
    }
    for (wrong, finding) in [
        (
            "needs.a.outputs.ta",
            "found ta, expected tag: what the job gives",
        ),
        (
            "githb.ref_name",
            "found githb, expected github: what expressions can name",
        ),
    ] {
        with(&workflow(wrong)).finds(&[&format!("job: {finding}")]);
    }
    let wrong = workflow("needs.a.result").replace("ref.outputs", "ref.ooutputs");
    with(&wrong).finds(&["job: found ooutputs, expected outputs: what is known of a step"]);
}

#[test]
fn a_family_that_is_misspelt_in_a_script() {
    let (repository, path) = (series(), "2.14.x/tests/run-images.sh");
    let lines = "for v in alpine3.22 scrach; do\n  docker run nats:${ver[1]}-$v\ndone\n";
    repository.write(path, repository.read(path) + lines);
    repository.finds(&["run-images.sh:5:21: name: found scrach, expected scratch"]);
    repository.edit(path, "scrach", "scratch");
    repository.finds(&[]);
}

#[test]
fn an_archive_of_another_system_than_the_variant_runs_on() {
    let (repository, path) = (series(), "2.14.x/alpine3.22/Dockerfile");
    repository.edit(path, "-linux-", "-windows-");
    let found = repository.findings();
    let expected = "architecture: found windows, expected linux, which alpine3.22 runs on";
    assert!(found.iter().all(|one| one.contains(expected)), "{found:?}");
    assert!(!found.is_empty());
}

#[test]
fn an_architecture_that_a_template_pairs_wrongly() {
    let repository = Repository::of_this_project();
    repository.edit("templates/alpine/Dockerfile", "aarch64)", "arm64)");
    repository
        .finds(&["templates/alpine/Dockerfile:16:9: template: found arm64, expected aarch64"]);
}

#[test]
fn a_variable_that_an_action_sets_may_be_called_much_like_another_one() {
    let steps = |name: &str| {
        format!(
            "on: push\nenv:\n  IMAGE_NAME: nats\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: example/tags@v1\n      - run: echo ${{{{ env.{name} }}}}\n"
        )
    };
    with(&steps("IMAGE_TAG")).finds(&[]);
    with(&steps("IMAGE_NAMES")).finds(&["job: found IMAGE_NAMES, expected IMAGE_NAME"]);
}
