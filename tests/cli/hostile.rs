//! Trees that mean harm: nothing outside of them is read or written, nothing of them reaches a terminal as an order.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::process::Command;

use crate::support::{Repository, Run, program, releases, same, snapshot, tree};

fn streaming() -> Repository {
    Repository::of(&tree("streaming/before"))
}

fn series() -> Repository {
    Repository::of(&tree("series/before"))
}

/// `check` cannot be done, for these reasons, and prints nothing of what lies behind a link.
#[track_caller]
fn check_refuses(repository: &Repository, parts: &[&str]) {
    repository.run(&["check"]).fails_with(parts);
}

#[test]
fn a_link_in_the_place_of_a_variants_folder_is_refused() {
    let repository = series();
    repository.write(".git/hooks/sample", "");
    repository.write("2.14.x/alpine3.22/hooks/pre-commit", "#!/bin/sh\n");
    symlink("../.git", repository.path("2.14.x/alpine3.23")).expect("a link");
    let refusal = "2.14.x/alpine3.23: a symbolic link, where a folder is expected: put the folder itself there";
    check_refuses(&repository, &[refusal]);
    repository.update_fails(&["--base", "alpine3.22=3.23"], &[refusal]);

    let repository = streaming();
    repository.write(
        "precious/Dockerfile",
        repository.read("0.25.5/alpine3.18/Dockerfile"),
    );
    fs::create_dir(repository.path("0.25.6")).expect("a folder");
    symlink("../precious", repository.path("0.25.6/alpine3.18")).expect("a link");
    repository.update_fails(
        &["0.25.6"],
        &["0.25.6/alpine3.18: a symbolic link, where a folder is expected"],
    );
}

#[test]
fn workflows_behind_a_link_are_not_read() {
    for link in [".github", ".github/workflows"] {
        let outside = Repository::empty();
        outside.write(
            "workflows/ci.yml",
            "jobs:\n  x:\n    steps:\n      - run: cd 9.9.x/alpine3.1\n",
        );
        outside.write(
            "ci.yml",
            "jobs:\n  x:\n    steps:\n      - run: cd 9.9.x/alpine3.1\n",
        );
        let repository = series();
        repository.remove(".github");
        if link.contains('/') {
            fs::create_dir(repository.path(".github")).expect("a folder");
        }
        symlink(outside.root(), repository.path(link)).expect("a link");
        check_refuses(
            &repository,
            &[&format!(
                "{link}: a symbolic link, where a folder is expected"
            )],
        );
    }
}

#[test]
fn what_lies_behind_a_link_is_neither_walked_nor_named() {
    for link in ["templates", "tests", ".github", ".github/workflows"] {
        let outside = Repository::empty();
        outside.write("secret-name/.git/x", "");
        outside.write("secret-name.sh/x", "");
        symlink("/nowhere", outside.path("secret-name/Dockerfile")).expect("a link");
        let repository = series();
        if repository.path(link).exists() {
            repository.remove(link);
        }
        symlink(outside.root(), repository.path(link)).expect("a link");
        let run = repository.run(&["check"]).exits_with(2);
        assert!(!run.stderr.contains("secret-name"), "{}", run.stderr);
    }
}

#[test]
fn a_staging_folder_of_somebody_else_is_neither_followed_nor_waited_for() {
    let plant: [&dyn Fn(&std::path::Path); 4] = [
        &|place| symlink("/dev/zero", place).expect("a link"),
        &|place| fs::create_dir(place).expect("a folder"),
        &|place| {
            let made = Command::new("mkfifo").arg(place).status();
            assert!(made.expect("it runs").success());
        },
        &|place| {
            let file = fs::File::create(place).expect("a file");
            file.set_len(1 << 32).expect("a sparse file");
        },
    ];
    for plant in plant {
        let repository = streaming();
        fs::create_dir(repository.path(".update")).expect("a folder");
        plant(&repository.path(".update/.gitignore"));
        repository
            .update(&["0.25.6"])
            .fails_with(&[".update", "`update` needs this name"]);
        assert!(!repository.path("0.25.6").exists());
        // It is no sign of a run that was killed.
        assert_eq!(repository.run(&["check"]).exits_with(0).stderr, "");
    }
}

#[test]
fn a_repository_has_only_so_many_names() {
    let repository = streaming();
    for number in 0..300 {
        repository.write(&format!("tests/x{number:03}y.sh"), "true\n");
    }
    repository.finds(&[]);
    let letter = |number: u32| char::from_u32(97 + number).expect("a letter");
    for number in 0..300 {
        let name = [26, 1].map(|size| letter(number / size % 26));
        let name = String::from_iter(name);
        repository.write(&format!("tests/x{name}.sh"), "true\n");
    }
    check_refuses(
        &repository,
        &["expected at most 256 names of scripts, found"],
    );
}

#[test]
fn an_update_toml_is_a_regular_file_and_nothing_of_it_is_printed() {
    let secret = Repository::empty();
    secret.write("netrc", "machine github.com password hunter2\n");
    let repository = streaming();
    symlink(secret.path("netrc"), repository.path("update.toml")).expect("a link");
    let run = repository.run(&["check"]).exits_with(2);
    assert!(
        run.stderr.contains("cannot read ./update.toml") && run.stderr.contains("a symbolic link"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("hunter2"));
    repository.remove("update.toml");
    for text in [
        "machine github.com password hunter2\n",
        "image = \"hunter2 x\"\n",
        "image = 2 # hunter2\n",
        "directory = \"hunter2\"\n",
    ] {
        repository.write("update.toml", text);
        let run = repository.run(&["check"]).exits_with(2);
        assert!(
            run.stderr.starts_with("error: ./update.toml:1:"),
            "{}",
            run.stderr
        );
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    }
}

#[test]
fn devices_and_pipes_are_never_opened() {
    let repository = streaming();
    symlink("/dev/zero", repository.path("update.toml")).expect("a link");
    check_refuses(&repository, &["a symbolic link, where a file is expected"]);
    let repository = streaming();
    let pipe = |path: &str| {
        assert!(
            Command::new("mkfifo")
                .arg(repository.path(path))
                .status()
                .expect("it runs")
                .success()
        )
    };
    pipe("update.toml");
    check_refuses(
        &repository,
        &["cannot read ./update.toml", "neither a file nor a folder"],
    );
    repository.remove("update.toml");
    pipe("library");
    repository
        .run(&["library", "library"])
        .fails_with(&["cannot read library", "neither a file nor a folder"]);
    repository
        .run(&["library", "/dev/zero"])
        .fails_with(&["cannot read /dev/zero", "neither a file nor a folder"]);
}

#[test]
fn a_mixture_of_layouts_is_found_and_stops_an_update() {
    let repository = Repository::of_this_project();
    for (path, file) in snapshot(&repository.path("0.25.6")) {
        repository.write(&format!("0.25.x/{path}"), file.1);
    }
    repository.edit(
        "0.25.6/alpine3.18/Dockerfile",
        "FROM alpine:3.18",
        "FROM alpine:3.1",
    );
    repository.finds(&[
        "0.25.6/alpine3.18/Dockerfile:1:13: base: found 3.1, expected 3.18",
        "0.25.x:1:1: layout: found a name that looks like a version, expected one like 0.25.6: rename or remove it",
    ]);
    repository.update_fails(
        &["0.25.6"],
        &[
            "layout: found a name that looks like a version, expected one like 0.25.6",
            "0.25.x",
        ],
    );

    let repository = Repository::of_this_project();
    for (path, file) in snapshot(&repository.path("0.25.6")) {
        repository.write(&format!("v0.25.6/{path}"), file.1);
    }
    repository.edit(
        "0.25.6/alpine3.18/Dockerfile",
        "FROM alpine:3.18",
        "FROM alpine:3.1",
    );
    repository.write("update.toml", "directory = \"v{version}\"\n");
    let findings = repository.findings();
    assert!(
        findings
            .iter()
            .any(|finding| finding.starts_with("0.25.6:1:1: layout: ")),
        "{findings:?}"
    );
}

#[test]
fn nothing_that_is_printed_acts_on_whoever_reads_it() {
    let repository = streaming();
    let evil = "x\u{1b}[31m\n::error::y\u{202e}z##[error]w";
    symlink(
        "/nowhere",
        repository.path(&format!("0.25.5/{}", "alpine9")),
    )
    .expect("a link");
    repository.write(&format!("0.25.5/scratch/{evil}"), "x");
    repository.write(
        &format!("tests/{evil}.sh"),
        "docker push nats-streaming:0.25.4-scratch\n",
    );
    repository.write("releases/v0.25.6/SHA256SUMS", format!("{evil}\n"));
    let harmless = |run: Run| {
        for text in [&run.stdout, &run.stderr] {
            let acts =
                |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
            assert!(!text.contains(acts), "{text:?}");
            assert!(!text.contains("##["), "{text}");
            assert!(
                !text.lines().any(|line| line.starts_with("::error::y")),
                "{text}"
            );
        }
    };
    harmless(repository.run(&["check"]).exits_with(2));
    repository.remove("0.25.5/alpine9");
    for format in ["text", "json", "markdown", "github"] {
        harmless(repository.run(&["check", "--format", format]).exits_with(1));
        harmless(
            repository
                .update(&["-n", "0.25.6", "--format", format])
                .exits_with(0),
        );
    }
    harmless(
        repository
            .run(&["--from", "releases", "0.25.6"])
            .exits_with(2),
    );
    repository.write("update.toml", format!("{}\n", evil.replace('\n', " ")));
    harmless(repository.run(&["check"]).exits_with(2));
}

#[test]
fn a_password_in_an_address_is_never_printed() {
    let repository = streaming();
    for args in [&["0.25.6"][..], &["latest"], &["check", "--online"]] {
        let mut command = program(repository.root(), args);
        let run =
            Run::of(command.env("UPDATE_FROM", "http://user:secret@127.0.0.1:1/x")).exits_with(2);
        assert!(
            run.stderr.contains("http://127.0.0.1:1/") && !run.stderr.contains("secret"),
            "{}",
            run.stderr
        );
    }
    for address in [
        "ftp://user:secret@x/y",
        "http://user:a/secret@127.0.0.1:1/y",
        "http://user:a#secret@127.0.0.1:1/y",
        "http://127.0.0.1:1/y?token=secret",
        "http://127.0.0.1:1/y?token=secret/releases/download",
        "http://u:p@secret@127.0.0.1:1/releases/download",
        "http://u:secret/x@127.0.0.1:1/releases/download",
        "http:/user:secret@127.0.0.1:1/y",
        "user:secret@127.0.0.1:1/y",
    ] {
        for args in [&["0.25.6"][..], &["latest"], &["status"]] {
            let run = repository.run(&[&["--from", address], args].concat());
            for said in [run.stdout, run.stderr] {
                assert!(!said.contains("secret"), "{said}");
            }
        }
    }
}

#[test]
fn check_online_says_whose_checksums_it_has_compared() {
    let repository = Repository::of(&tree("streaming/after"));
    for path in ["alpine3.18", "windowsservercore-1809"] {
        repository.edit(
            &format!("0.25.6/{path}/Dockerfile"),
            "github.com/nats-io/",
            "github.com/mallory/",
        );
    }
    let mut command = program(repository.root(), &["check", "--online"]);
    let run = Run::of(command.env("HTTPS_PROXY", "http://127.0.0.1:1"));
    assert!(
        run.stderr
            .contains("https://github.com/mallory/nats-streaming-server/releases/download"),
        "{}",
        run.stderr
    );
    repository.edit(
        "0.25.6/alpine3.18/Dockerfile",
        "github.com/mallory/",
        "github.com/nats-io/",
    );
    check_refuses(
        &repository,
        &[
            "do not know this repository",
            "mallory/nats-streaming-server (0.25.6/windowsservercore-1809/Dockerfile) and of nats-io/nats-streaming-server \
             (0.25.6/alpine3.18/Dockerfile).\n",
            "\ndirectory = \"{version}\"",
        ],
    );
    repository.write(
        "update.toml",
        "image = \"nats-streaming\"\nserver = \"nats-streaming-server\"\nowner = \"nats-io\"\n",
    );
    repository.finds(&["0.25.6/windowsservercore-1809/Dockerfile:11:33: owner: found mallory/nats-streaming-server, expected nats-io/nats-streaming-server, which publishes the releases"]);
    repository.write(
        "update.toml",
        "image = \"nats-streaming\"\nserver = \"nats-streaming-server\"\nowner = \"..\"\n",
    );
    check_refuses(
        &repository,
        &["./update.toml:3:9: `owner`: not a name: expected letters"],
    );
}

#[test]
fn no_program_that_a_repository_names_is_run() {
    let repository = Repository::of_this_project();
    let git = |args: &[&str]| {
        let status = Command::new("git")
            .args(args)
            .current_dir(repository.root())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .status();
        assert!(status.expect("git runs").success());
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "--all"]);
    git(&[
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@example.com",
        "commit",
        "--quiet",
        "--message=x",
    ]);
    let evil = format!("touch {}", repository.path("evil").display());
    for key in [
        "filter.x.clean",
        "filter.x.smudge",
        "filter.a=b.clean",
        "filter.a=b.process",
        "core.fsmonitor",
        "core.pager",
        "diff.external",
        "core.sshCommand",
    ] {
        git(&["config", key, &evil]);
    }
    git(&["config", "core.hooksPath", "hooks"]);
    repository.write("hooks/post-index-change", format!("#!/bin/sh\n{evil}\n"));
    repository.set_mode("hooks/post-index-change", 0o755);
    repository.write(".gitattributes", "* filter=x\n0.25.6/** filter=a=b\n");
    repository.write(
        "0.25.6/scratch/Dockerfile",
        repository.read("0.25.6/scratch/Dockerfile"),
    );
    repository.write(
        "library",
        fs::read(crate::support::project().join("tests/library/nats-streaming-0.25.6"))
            .expect("it"),
    );
    let run = |args: &[&str]| {
        let mut command = program(repository.root(), args);
        command
            .env("PATH", std::env::var_os("PATH").expect("PATH"))
            .env("UPDATE_FROM", releases());
        let _ = Run::of(&mut command);
    };
    run(&["library", "library", "-n"]);
    run(&["library", "library", "--check"]);
    run(&["--base", "alpine=3.19"]);
    assert!(!repository.path("evil").exists());
}

#[test]
fn owners_and_modes_are_kept_but_not_those_that_run_programs_as_somebody_else() {
    const NOBODY: u32 = 65534;
    let repository = streaming();
    repository.write("0.25.5/alpine3.18/tool", "#!/bin/sh\n");
    let give = |path: &str| chown(repository.path(path), Some(NOBODY), Some(NOBODY)).is_ok();
    if !give("0.25.5/alpine3.18/tool") || !give("0.25.5/alpine3.18/Dockerfile") {
        // Only the superuser may give files away.
        return;
    }
    repository.set_mode("0.25.5/alpine3.18/tool", 0o4755);
    repository.set_mode("0.25.5/alpine3.18/Dockerfile", 0o6755);
    let inode = |path: &str| {
        std::os::unix::fs::MetadataExt::ino(&fs::metadata(repository.path(path)).expect("it"))
    };
    let before = inode("0.25.5/alpine3.18/tool");
    repository.update(&["-q", "0.25.6"]).exits_with(0);
    let found = |path: &str| {
        let found = fs::metadata(repository.path(path)).expect("it");
        (
            std::os::unix::fs::MetadataExt::uid(&found),
            found.permissions().mode() & 0o7777,
        )
    };
    // One is as it was, the other has another text.
    assert_eq!(inode("0.25.6/alpine3.18/tool"), before);
    assert_eq!(found("0.25.6/alpine3.18/tool"), (NOBODY, 0o4755));
    assert_eq!(found("0.25.6/alpine3.18/Dockerfile"), (NOBODY, 0o755));
}

#[test]
fn what_stands_in_the_way_is_found_before_the_first_change() {
    type Put = fn(&Repository);
    let in_the_way: [(&str, Put); 5] = [
        ("0.25.6", |repository| repository.write("0.25.6", "a file")),
        ("0.25.6", |repository| {
            assert!(
                Command::new("mkfifo")
                    .arg(repository.path("0.25.6"))
                    .status()
                    .expect("it runs")
                    .success()
            );
        }),
        ("0.25.6/alpine3.18", |repository| {
            repository.write("0.25.6/alpine3.18", "a file")
        }),
        ("0.25.6/scratch/Dockerfile", |repository| {
            fs::create_dir_all(repository.path("0.25.6/scratch/Dockerfile")).expect("a folder");
        }),
        ("0.25.6", |repository| {
            repository.write("0.25.6/note", "a file")
        }),
    ];
    for (path, put) in in_the_way {
        for dry_run in [&["-n", "0.25.6"][..], &["0.25.6"]] {
            let repository = streaming();
            put(&repository);
            let run = repository.update(dry_run).exits_with(2);
            assert!(
                run.stderr.contains(path) && run.stdout.is_empty(),
                "{}",
                run.stderr
            );
            assert!(repository.path("0.25.5/scratch/Dockerfile").exists());
        }
    }
}

#[test]
fn a_process_that_may_start_no_thread_does_its_job() {
    let repository = streaming();
    let mut command = Command::new("prlimit");
    command
        .args(["--nproc=1", env!("CARGO_BIN_EXE_update"), "-q", "0.25.6"])
        .current_dir(repository.root());
    command.env("UPDATE_FROM", releases());
    assert!(command.status().expect("prlimit runs").success());
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn documents_have_a_size_that_they_keep_to_and_other_files_are_not_read() {
    let repository = streaming();
    let sparse = |path: &str| {
        fs::File::create(repository.path(path))
            .and_then(|file| file.set_len(1 << 30))
            .expect("a file")
    };
    sparse("0.25.5/scratch/big.bin");
    repository.finds(&[]);
    repository.update(&["-q", "0.25.6"]).exits_with(0);
    sparse("0.25.6/scratch/Dockerfile");
    check_refuses(
        &repository,
        &[
            "0.25.6/scratch/Dockerfile: 1073741824 bytes, more than the 1048576 that such a file can have",
        ],
    );
}

/// Texts of many parts, each of which took a time that grew with the square of their number.
#[test]
fn many_of_anything_in_a_document_are_no_trouble() {
    let many = 15_000;
    let numbered = |many, text: &str| -> String {
        let one = |number: usize| text.replace('@', &number.to_string());
        (0..many).map(one).collect()
    };
    let branches = numbered(many, "x@) natsArch='a@'; sha256='x' ;;\n");
    let archive = "https://github.com/nats-io/nats-streaming-server/releases/download/v1/nats-streaming-server-v1-linux";
    let address = format!("RUN wget {archive}-${{natsArch}}.tar.gz\n");
    let url = format!("{archive}-amd64.tar.gz");
    let hash = "a".repeat(64);
    let texts = [
        "FROM alpine:$X\n".repeat(2 * many),
        format!("{address}RUN case $(apk --print-arch) in\n{branches}esac\n"),
        "NATS_STREAMING_SERVER ".repeat(many),
        "NATS_STREAMING_SERVER v0.25.5 ".repeat(many),
        format!("{} ", "a".repeat(64)).repeat(many),
        format!("COPY --from=nats-streaming:{}", "-a".repeat(80_000)),
        format!("COPY --from=nats-streaming:0.25.5{}", "-a".repeat(80_000)),
        "ARG X=nats-streaming:${Y}-${Z}\n".repeat(many),
        format!("{}{}", "sha=x;".repeat(many), "natsArch=x"),
        "#".repeat(500_000) + &"\n# 0.25.5".repeat(many),
        "RUN ".to_owned() + &"(wget $x ".repeat(many) + &address,
        "RUN ".to_owned() + &"echo \\\n".repeat(many),
        format!("ARG S={}\n", "5".repeat(64)).repeat(many / 2) + &address,
        "FROM ".to_owned() + &"--platform=x ".repeat(many),
        "f() { ".repeat(many),
        "/releases/download/".repeat(many),
        "RUN true".to_owned()
            + &format!("; wget -O f {url}; sha256sum f | grep {hash}").repeat(many / 5),
        format!(
            "ENV U={url}\nRUN true{}",
            format!("; wget -O f $U; sha256sum f {hash}").repeat(many / 2)
        ),
        format!(
            "RUN case x in {}esac; wget -O f $url; echo $sha256 f | sha256sum -c",
            format!("a) url='{url}'; sha256='{hash}' ;; ").repeat(many / 5)
        ),
        format!(
            "RUN wget -O f {url}{};{}",
            " -O f ".repeat(many),
            "sha256sum x;".repeat(many)
        ),
        format!(
            "RUN {}{hash}",
            "wget https://x/$NATS_STREAMING_SERVER/y; ".repeat(many)
        ),
        numbered(2 * many, "FROM $B@\n"),
        format!(
            "RUN {}wget {url} {hash}",
            numbered(many, "wget -O $f@ https://x/y; cp t *.x; ")
        ),
        format!(
            "RUN wget -O f {url}; {}",
            numbered(many, "$h@ = (Get-FileHash f).Hash; ")
        ),
    ];
    let workflows = [
        format!(
            "jobs:\n  x:\n    runs-on: [{}]\n",
            vec!["ubuntu-22.04"; many].join(", ")
        ),
        format!(
            "jobs:\n  x:\n    runs-on: {}\n",
            "${{ a }} ubuntu-22.04 ".repeat(many)
        ),
        format!(
            "jobs:\n{}",
            "  x:\n    steps:\n    - run: cd 0.25.5/alpine3.18\n".repeat(many)
        ),
        "- ".repeat(many) + "0.25.5/alpine3.18",
        format!("jobs:\n  x:\n    if: {}\n", "!(".repeat(200_000)),
        format!("jobs:\n  x:\n    if: {} 0.25.5\n", "!=a".repeat(200_000)),
        format!(
            "jobs:\n  x:\n    if: {}\n",
            "pushd 0.25.5/tests;./a.sh;".repeat(many)
        ),
        format!(
            "jobs:\n  x:\n    if: {}\n",
            "- run: cd 0.25.5/tests;./a.sh;".repeat(2 * many)
        ),
        format!(
            "jobs:\n  x:\n    steps:\n    - run: a\n{}",
            "      working-directory: ./0.25.5/tests\n".repeat(many)
        ),
    ];
    for (path, texts) in [
        ("0.25.5/alpine3.18/Dockerfile.x", &texts[..]),
        ("tests/x.sh", &texts[..]),
        (".github/workflows/x.yml", &workflows[..]),
    ] {
        for text in texts {
            comes_to_an_end(path, text);
        }
    }
}

/// A check of a tree with that document ends.
#[track_caller]
fn comes_to_an_end(path: &str, text: &str) {
    let repository = streaming();
    repository.write(path, text);
    let mut command = program(repository.root(), &["check", "-q"]);
    let mut child = command.spawn().expect("it runs");
    // A bound that only a time that grows with the square exceeds; benchmarks measure.
    for _ in 0..600 {
        if child.try_wait().expect("it runs").is_some() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let ended = child.try_wait().expect("it runs").is_some();
    let _ = child.kill();
    assert!(ended, "{path}: {}…", &text[..60]);
}

/// A megabyte of a workflow, in whatever form: the time grows with the text. One that takes a minute is one that hangs.
#[test]
fn workflows_of_any_form_come_to_an_end() {
    const JOBS: &str = "on: [push]\njobs:\n";
    let repeated = |start: &str, part: &dyn Fn(usize) -> String| {
        let mut text = JOBS.to_owned() + start;
        for number in 0.. {
            let part = part(number);
            if text.len() + part.len() > 1_000_000 {
                break;
            }
            text += &part;
        }
        text + "\n"
    };
    let items: Vec<String> = (0..256).map(|number| number.to_string()).collect();
    let axis = format!(
        "  a:\n    strategy:\n      matrix:\n        a: [{}]\n",
        items.join(",")
    );
    let excluded = axis.clone()
        + "        exclude:\n"
        + &"          - a: 2\n".repeat(20_000)
        + "    steps:\n      - run: ";
    let texts = [
        repeated("  a:\n", &|_| "    - needs: t\n".to_owned()),
        repeated("", &|number| {
            format!("  j{number}:\n    needs: [a, b, c]\n")
        }),
        repeated("", &|number| {
            format!("  j{number}-2_14:\n    a: ./2.14.x/\n")
        }),
        repeated("", &|number| {
            format!("  j{number}:\n    l:\n    - 2.12.x\n    - 2.14.x\n")
        }),
        repeated("", &|number| {
            format!("  j{number}:\n    run: cd ./2.14.x/alpine3.22\n")
        }),
        repeated("  a:\n    steps:\n      - run: ls ", &|_| {
            "2.14.x/".to_owned()
        }),
        repeated("  a:\n    steps:\n      - run: ", &|_| {
            "docker build -t x-${{a}}-scratch ./2.14.x/scratch ".to_owned()
        }),
        repeated(&excluded, &|_| "x/${{matrix.a}} ".to_owned()),
        repeated(&(axis + "    steps:\n      - run: "), &|_| {
            "alpine${{matrix.a}}/${{matrix.a}}/".to_owned()
        }),
        repeated("  a:\n    steps:\n    - run: |\n", &|_| {
            "        docker build alpine3.22\n".to_owned()
        }),
        repeated("  a:\n    b: ", &|_| "${{[}}".to_owned()),
        repeated("  a:\n", &|number| {
            format!("{}context: ./2.14.x/scratch\n", " ".repeat(number + 4))
        }),
    ];
    for text in texts {
        for args in [
            &["check", "-q"][..],
            &["--remove", "2.12.x", "-n"],
            &["--base", "2.14.x/alpine=3.23", "-n"],
        ] {
            let repository = Repository::of(&tree("series/before"));
            repository.write(".github/workflows/long.yml", &text);
            let status = repository.run(args).status;
            assert!((0..=2).contains(&status), "{status}");
        }
    }
}

#[test]
fn what_only_looks_like_a_name_is_none() {
    for line in [
        "suffix: ['-alpine3.22', '-scratch']\n    steps:\n      - run: docker pull ${{ env.I }}:${{ env.V }}${{ matrix.suffix }}",
        "aéééé needs: x",
        "needs: [é, \u{202e}]",
    ] {
        let text = format!(
            "on: [push]\njobs:\n  a:\n    strategy:\n      matrix:\n        {line}\n    {line}\n"
        );
        let repository = Repository::of(&tree("series/before"));
        repository.write(".github/workflows/odd.yml", text);
        let run = repository.run(&["check"]);
        assert!(run.status < 2, "{}", run.stderr);
    }
}
