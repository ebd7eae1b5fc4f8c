//! The main job: trees before and after, and what is said about them.

use crate::support::{
    RELEASES_OF_SERIES, Repository, project, releases, run, same, snapshot, tree,
};

#[test]
fn a_tree_in_the_old_style_becomes_what_a_careful_maintainer_would_have_committed() {
    let repository = Repository::of(&tree("streaming/before"));
    repository.update(&["0.25.6"]).exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn several_series_move_in_one_run_each_with_its_own_tests_and_previews() {
    let repository = Repository::of(&tree("series/before"));
    repository
        .run(&["--from", RELEASES_OF_SERIES, "2.14.5", "v2.12.15"])
        .exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("series/after")));
}

#[test]
fn what_is_fixed_without_being_asked_is_told_apart_in_every_format() {
    let start = || {
        let repository = Repository::of(&tree("streaming/before"));
        repository.edit("0.25.5/alpine3.18/Dockerfile", "aarch64)", "arm64)");
        repository
    };
    let said = |args: &[&str]| {
        start()
            .update(&[&["0.25.6"], args].concat())
            .exits_with(0)
            .stdout
    };
    let text = said(&[]);
    let list = "\nAlso fixed, since it was wrong before:\n  0.25.6/alpine3.18/Dockerfile:8: architecture: arm64 → aarch64\n";
    assert!(text.contains(list), "{text}");
    assert!(!text.contains("      architecture"), "{text}");
    let markdown = said(&["--format", "markdown"]);
    let list = "\nAlso fixed, since it was wrong before:\n\n- 0.25.6/alpine3.18/Dockerfile:8: architecture: arm64 → aarch64\n";
    assert!(markdown.contains(list), "{markdown}");
    let json: serde_json::Value = serde_json::from_str(&said(&["--format", "json"])).expect("JSON");
    let fix = serde_json::json!([{
        "path": "0.25.6/alpine3.18/Dockerfile",
        "field": "architecture",
        "line": 8,
        "found": "arm64",
        "expected": "aarch64",
    }]);
    assert_eq!(json["fixes"], fix);
    // Where all that is asked for is a repair, nothing else is told.
    let repository = start();
    let text = repository.update(&["0.25.5"]).exits_with(0).stdout;
    assert!(
        text.contains("      architecture  arm64 → aarch64\n") && !text.contains("Also fixed"),
        "{text}"
    );
}

#[test]
fn changes_that_are_alike_are_told_once() {
    let repository = Repository::of(&tree("series/before"));
    let args = ["--from", RELEASES_OF_SERIES, "2.14.5", "--dry-run"];
    let text = repository.run(&args).exits_with(0).stdout;
    for part in [
        "\n      version  2.14.4 → 2.14.5\n      sha256   of 8 architectures\n",
        "\n  2.14.x/tests/  6 files\n      version  2.14.4 → 2.14.5\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let all = repository
        .run(&[&args[..], &["-v"]].concat())
        .exits_with(0)
        .stdout;
    assert!(
        all.contains("      sha256 riscv64") && all.contains("2.14.x/tests/run-images.sh\n"),
        "{all}"
    );
}

#[test]
fn the_summary_shows_every_rename_and_every_field_that_changes() {
    let repository = Repository::of(&tree("streaming/before"));
    repository
        .update(&["0.25.6", "--verbose"])
        .exits_with(0)
        .says(
            "\
nats-streaming 0.25.5 → 0.25.6

  {0.25.5 → 0.25.6}/alpine3.18/Dockerfile
      version       0.25.5 → 0.25.6
      sha256 arm64  937af3f9cdbf → caf2839d14c6
      sha256 arm6   5bd3a0456054 → afe4cad7cbd3
      sha256 arm7   0e643e9881cf → 0264455a2c02
      sha256 amd64  22762f4d0ccf → 10f25b100a5b
      sha256 386    92d8d4460f53 → 796d25d9411e
  {0.25.5 → 0.25.6}/alpine3.18/docker-entrypoint.sh  unchanged
  {0.25.5 → 0.25.6}/nanoserver-1809/Dockerfile
      reference  0.25.5-windowsservercore-1809 → 0.25.6-windowsservercore-1809
  {0.25.5 → 0.25.6}/notes/history.txt  unchanged
  {0.25.5 → 0.25.6}/scratch/Dockerfile
      reference  0.25.5-alpine3.18 → 0.25.6-alpine3.18
  {0.25.5 → 0.25.6}/windowsservercore-1809/Dockerfile
      version               0.25.5 → 0.25.6
      sha256 windows-amd64  709b481bfa35 → 41be7de372ee
  tests/build-images-2019.ps1
      version    0.25.5 → 0.25.6
      directory  0.25.5 → 0.25.6
  tests/build-images.sh
      version  0.25.5 → 0.25.6
  tests/run-images-2019.ps1
      reference  0.25.5-windowsservercore-1809 → 0.25.6-windowsservercore-1809
      reference  0.25.5-nanoserver-1809 → 0.25.6-nanoserver-1809
  tests/run-images.sh
      version    0.25.5 → 0.25.6
      reference  0.25.5-alpine3.18 → 0.25.6-alpine3.18
      reference  0.25.5-scratch → 0.25.6-scratch

6 files moved, 4 files rewritten; 18 fields changed: 1 directory, 6 hashes, 6 references, 5 versions
",
        );
}

#[test]
fn a_second_run_has_nothing_to_change() {
    let repository = Repository::of(&tree("streaming/after"));
    repository
        .update(&["--exit-code", "0.25.6"])
        .exits_with(0)
        .says("nats-streaming 0.25.6 in 0.25.6/: nothing to change\n");
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let repository = Repository::of(&tree("streaming/before"));
    let dry = repository
        .update(&["-n", "--exit-code", "0.25.6"])
        .exits_with(1);
    same(&repository.snapshot(), &snapshot(&tree("streaming/before")));
    let real = repository.update(&["--exit-code", "0.25.6"]).exits_with(1);
    assert_eq!(
        dry.stdout,
        format!("{}\nDry run: nothing was written.\n", real.stdout)
    );
}

#[test]
fn a_dry_run_says_that_it_is_one_in_the_body_of_a_pull_request_too() {
    let repository = Repository::of(&tree("streaming/before"));
    let said = |args: &[&str]| {
        let args = [args, &["--format", "markdown", "0.25.6"]].concat();
        repository.update(&args).exits_with(0).stdout
    };
    let (dry, real) = (said(&["-n"]), said(&[]));
    assert_eq!(
        dry.replacen("\nDry run: nothing was written.\n", "", 1),
        real
    );
    assert_ne!(dry, real);
}

#[test]
fn the_diff_is_one_that_git_applies() {
    let repository = Repository::of(&tree("streaming/before"));
    let diff = repository
        .update(&["--dry-run", "--diff", "0.25.6"])
        .exits_with(0)
        .stdout;
    let start = diff.find("diff --git").expect("a diff");
    let end = diff.find("\nDry run").expect("an end");
    repository.write("change.diff", &diff[start..end]);
    let git = |args: &[&str]| {
        let status = std::process::Command::new("git")
            .args(args)
            .current_dir(repository.root())
            .status();
        assert!(status.expect("git runs").success());
    };
    git(&["init", "--quiet"]);
    git(&["apply", "change.diff"]);
    repository.remove("change.diff");
    repository.remove(".git");
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn json_names_every_file_and_field() {
    let repository = Repository::of(&tree("streaming/before"));
    let text = repository
        .update(&["--format", "json", "0.25.6"])
        .exits_with(0)
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        json["versions"],
        serde_json::json!([{ "version": "0.25.6", "from": "0.25.5", "directory": "0.25.6", "source": "0.25.5" }])
    );
    let scratch = json["files"]
        .as_array()
        .expect("files")
        .iter()
        .find(|file| file["path"] == "0.25.6/scratch/Dockerfile");
    assert_eq!(
        *scratch.expect("the file"),
        serde_json::json!({
            "action": "moved",
            "path": "0.25.6/scratch/Dockerfile",
            "from": "0.25.5/scratch/Dockerfile",
            "template": null,
            "fields": [{ "field": "reference", "line": 3, "found": "0.25.5-alpine3.18", "expected": "0.25.6-alpine3.18" }],
        })
    );
}

#[test]
fn quiet_prints_nothing() {
    Repository::of(&tree("streaming/before"))
        .update(&["-q", "0.25.6"])
        .exits_with(0)
        .says("");
}

#[test]
fn colours_are_for_terminals_unless_they_are_asked_for() {
    let repository = Repository::of(&tree("streaming/before"));
    assert!(
        !repository
            .update(&["-n", "0.25.6"])
            .stdout
            .contains('\u{1b}')
    );
    let coloured = repository
        .update(&["-n", "--color", "always", "0.25.6"])
        .stdout;
    assert!(
        coloured.contains("nats-streaming \u{1b}[31m0.25.5\u{1b}[0m → \u{1b}[32m0.25.6\u{1b}[0m"),
        "{coloured}"
    );
}

#[test]
fn keep_copies_the_old_directory() {
    let repository = Repository::of(&tree("streaming/before"));
    repository.update(&["--keep", "0.25.6"]).exits_with(0);
    let mut expected = snapshot(&tree("streaming/after"));
    let before = snapshot(&tree("streaming/before"));
    expected.extend(
        before
            .into_iter()
            .filter(|(path, _)| path.starts_with("0.25.5/")),
    );
    same(&repository.snapshot(), &expected);
    repository.finds(&[]);
}

#[test]
fn of_several_version_directories_the_newest_one_below_is_the_source() {
    let repository = Repository::of(&tree("streaming/before"));
    repository.write(
        "0.25.4/scratch/Dockerfile",
        "FROM scratch\nCOPY --from=nats-streaming:0.25.4-scratch /a /b\n",
    );
    repository.update(&["0.25.6"]).exits_with(0);
    let mut found = repository.snapshot();
    assert!(found.remove("0.25.4/scratch/Dockerfile").is_some());
    same(&found, &snapshot(&tree("streaming/after")));
}

#[test]
fn a_tree_left_half_edited_by_hand_is_repaired() {
    let repository = Repository::of(&tree("streaming/before"));
    repository.rename("0.25.5", "0.25.6");
    repository.edit(
        "0.25.6/scratch/Dockerfile",
        "0.25.5-alpine3.18",
        "0.25.6-alpine3.17",
    );
    repository.edit("tests/build-images.sh", "0.25.5", "0.25.6");
    repository.update(&["0.25.6"]).exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
    repository.finds(&[]);
}

#[test]
fn the_right_base_label_and_variant_are_written_too() {
    let repository = Repository::of(&tree("streaming/before"));
    repository.rename("0.25.5/alpine3.18", "0.25.5/alpine3.19");
    repository.edit("0.25.5/alpine3.19/Dockerfile", "aarch64)", "arm64)");
    repository.update(&["0.25.6"]).exits_with(0);
    repository.finds(&[]);
    let dockerfile = repository.read("0.25.6/alpine3.19/Dockerfile");
    assert!(dockerfile.contains("FROM alpine:3.19\n"));
    assert!(dockerfile.contains("\t\taarch64) natsArch='arm64'; sha256='caf2839d"));
    assert!(
        repository
            .read("0.25.6/scratch/Dockerfile")
            .contains("--from=nats-streaming:0.25.6-alpine3.19 ")
    );
    assert!(
        repository
            .read("tests/build-images.sh")
            .contains("cd \"../${ver[1]}/alpine3.19\"\n")
    );
}

#[test]
fn a_new_series_is_copied_from_the_nearest_lower_one() {
    let repository = Repository::of(&tree("series/before"));
    repository.remove("2.14.x");
    repository.remove(".github");
    repository
        .run(&["--from", RELEASES_OF_SERIES, "2.14.5"])
        .exits_with(0);
    assert!(
        repository
            .read("2.12.x/alpine3.21/Dockerfile")
            .contains("NATS_SERVER=2.12.14")
    );
    assert!(
        repository
            .read("2.14.x/alpine3.21/Dockerfile")
            .contains("NATS_SERVER=2.14.5")
    );
    assert!(
        repository
            .read("2.14.x/tests/build-images.sh")
            .contains("cd \"../../2.14.x/alpine3.21\"")
    );
    repository.finds(&[]);
}

#[test]
fn a_pre_release_may_lack_an_archive_where_that_is_allowed() {
    let repository = Repository::of(&tree("series/before"));
    let before = repository.snapshot();
    let update = |args: &[&str]| {
        repository.run(&[&["--from", RELEASES_OF_SERIES, "2.15.0-RC.1"], args].concat())
    };
    update(&[]).fails_with(&[
        "the release lacks archives that the Dockerfiles pin:",
        "nats-server-v2.15.0-RC.1-linux-riscv64.tar.gz (pinned in 2.14.x/alpine3.22/Dockerfile:12)",
    ]);
    same(&repository.snapshot(), &before);
    let run = update(&["--allow-missing"]).exits_with(0);
    for note in [
        "nats-server-v2.15.0-RC.1-linux-riscv64.tar.gz is pinned with zeros, since the release lacks it: the build for its architecture fails\n",
        "nats 2.15.0-RC.1, new in 2.15.x/, from 2.14.x/\n",
    ] {
        assert!(run.stdout.contains(note), "{}", run.stdout);
    }
    let dockerfile = repository.read("2.15.x/alpine3.22/Dockerfile");
    assert!(dockerfile.contains(&format!("natsArch='riscv64'; sha256='{}'", "0".repeat(64))));
    assert!(
        repository
            .read("2.15.x/scratch/Dockerfile")
            .contains("nats:2.15.0-RC.1-alpine3.22")
    );
    repository.finds(&[]);
    // The release itself is newer, and its preview's suffix is gone from every tag.
    repository.write("releases/v2.15.0/SHA256SUMS", {
        let sums =
            std::fs::read_to_string(tree("series/releases/v2.14.5/SHA256SUMS")).expect("sums");
        sums.replace("2.14.5", "2.15.0")
    });
    repository
        .run(&["--from", "releases", "2.15.0"])
        .exits_with(0);
    assert!(
        repository
            .read("2.15.x/scratch/Dockerfile")
            .contains("nats:2.15.0-alpine3.22 ")
    );
}

#[test]
fn this_repository_moves_by_its_templates() {
    let repository = Repository::of_this_project();
    repository
        .update(&["--allow-downgrade", "0.25.5"])
        .exits_with(0);
    repository.edit(
        "0.25.5/scratch/Dockerfile",
        "EXPOSE 4222 8222",
        "EXPOSE 4222",
    );
    repository.finds(&[
        "0.25.5/scratch/Dockerfile:14:1: template: found `EXPOSE 4222`, expected `EXPOSE 4222 8222` as templates/scratch/Dockerfile gives it",
    ]);
    let run = repository.update(&["0.25.6"]).exits_with(0);
    assert!(run.stdout.contains(
        "{0.25.5 → 0.25.6}/scratch/Dockerfile  text from templates/scratch/Dockerfile\n"
    ));
    same(
        &repository.snapshot(),
        &Repository::of_this_project().snapshot(),
    );
}

#[test]
fn templates_make_a_version_directory_where_there_is_none() {
    let repository = Repository::of_this_project();
    repository.remove("0.25.6");
    repository.update(&["0.25.6"]).exits_with(0);
    same(
        &repository.snapshot(),
        &Repository::of_this_project().snapshot(),
    );
}

#[test]
fn an_empty_version_directory_is_filled() {
    let repository = Repository::of(&tree("streaming/before"));
    std::fs::create_dir(repository.path("0.25.6")).expect("a folder");
    repository.update(&["0.25.6"]).exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn latest_is_the_newest_stable_release() {
    let repository = Repository::of(&tree("streaming/before"));
    repository.update(&["latest"]).exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn the_releases_can_be_named_by_a_variable() {
    let repository = Repository::of(&tree("streaming/before"));
    let mut program = crate::support::program(repository.root(), &["0.25.6", "-q"]);
    assert!(
        program
            .env("UPDATE_FROM", releases())
            .status()
            .expect("it runs")
            .success()
    );
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn another_folder_is_updated_with_the_option_c() {
    let repository = Repository::of(&tree("streaming/before"));
    let root = repository.root().to_str().expect("UTF-8");
    run(
        &project(),
        &["-C", root, "--from", "tests/releases", "0.25.6"],
    )
    .exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
}

#[test]
fn what_update_cannot_put_right_in_scripts_is_said() {
    let repository = Repository::of(&tree("streaming/before"));
    repository.edit(
        "tests/build-images.sh",
        "\tdocker build --tag nats-streaming:${ver[1]}-scratch .\n",
        "",
    );
    repository.edit("tests/build-images.sh", "/scratch", "/other");
    let run = repository.update(&["0.25.6"]).exits_with(0);
    assert!(run.stdout.contains(
        "Remaining findings of `update check`:\n  \
         tests/build-images.sh:1:1: script: missing the variant scratch of 0.25.6\n"
    ));
}

#[test]
fn a_link_inside_the_repository_travels_along() {
    let repository = Repository::of(&tree("streaming/before"));
    let link = repository.path("0.25.5/scratch/entrypoint.sh");
    std::os::unix::fs::symlink("../alpine3.18/docker-entrypoint.sh", link).expect("a link");
    repository.update(&["0.25.6"]).exits_with(0);
    let link = std::fs::read_link(repository.path("0.25.6/scratch/entrypoint.sh")).expect("a link");
    assert_eq!(link.to_str(), Some("../alpine3.18/docker-entrypoint.sh"));
    assert!(!repository.path("0.25.5").exists());
}

#[test]
fn versions_that_are_spelt_out_in_addresses_and_paths_are_written() {
    let dockerfile = |version: &str, arch: &str| {
        format!(
            "FROM alpine:3.18\nENV NATS_STREAMING_SERVER={version}\n\
             RUN natsArch=amd64 && wget -O x https://github.com/nats-io/nats-streaming-server/releases/download/v{version}/nats-streaming-server-v{version}-linux-{arch}.tar.gz && \\\n\
             \techo '{} *x' | sha256sum -c - && mv nats-streaming-server-v{version}-linux-{arch}/nats-streaming-server /bin && rm nats-streaming-server-v{version}.tmp\n",
            if version == "0.25.5" {
                "22762f4d0ccfc75947096a14e09566b816113e125a3d39f7914a0c332bee25a7"
            } else {
                "10f25b100a5b9a7389882883259790d599b557a16ddde1accdfcf9361e19b2f9"
            }
        )
    };
    for arch in ["amd64", "${natsArch}"] {
        let repository = Repository::of(&tree("streaming/before"));
        repository.write("0.25.5/alpine3.18/Dockerfile", dockerfile("0.25.5", arch));
        repository.finds(&[]);
        repository.update(&["0.25.6"]).exits_with(0);
        assert_eq!(
            repository.read("0.25.6/alpine3.18/Dockerfile"),
            dockerfile("0.25.6", arch)
        );
    }
}

#[test]
fn a_mention_of_the_old_version_is_not_left_behind() {
    let repository = Repository::of(&tree("streaming/before"));
    repository.rename("0.25.5", "0.24.6");
    for path in [
        "0.24.6/alpine3.18/Dockerfile",
        "0.24.6/windowsservercore-1809/Dockerfile",
    ] {
        repository.edit(
            path,
            "NATS_STREAMING_SERVER 0.25.5",
            "NATS_STREAMING_SERVER 0.24.6",
        );
    }
    repository.edit("tests/build-images-2019.ps1", "\\0.25.5\\", "\\0.24.6\\");
    repository.edit("tests/run-images.sh", "sleep 1", "echo 0.24.5 and 0.24.6");
    repository.update(&["0.25.6"]).exits_with(0);
    assert!(
        repository
            .read("tests/run-images.sh")
            .contains("echo 0.24.5 and 0.25.6")
    );
    repository.finds(&[]);
}

#[test]
fn a_variant_in_a_path_of_the_old_version_is_put_right_in_the_same_run() {
    let repository = Repository::of(&tree("streaming/before"));
    let text = |version: &str, variant: &str| {
        format!(
            "on: [push]\njobs:\n  a:\n    steps:\n      - run: docker build ./{version}/{variant}\n"
        )
    };
    repository.write(".github/workflows/a.yml", text("0.25.5", "nanoserver-1808"));
    repository.update(&["0.25.6"]).exits_with(0);
    let found = repository.read(".github/workflows/a.yml");
    assert_eq!(found, text("0.25.6", "nanoserver-1809"));
    repository.finds(&[]);
}
