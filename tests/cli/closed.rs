//! What goes with a release in ways that are hard to see: refused where it would be left behind, and otherwise kept to the byte.

use crate::others::{OURS, WHICH, WHOSE, at, foo, moves, refuses};
use crate::support::{Repository, same};

const STAYS: &str =
    "a hash in this file, or in a list that it copies, would stay: change both by hand";

/// A repository of foo with another file in it.
fn beside(path: &str, text: &str) -> Repository {
    let repository = foo(
        "alpine3.18",
        &format!("FROM alpine:3.18\nENV FOO @V\n{OURS}"),
    );
    repository.write(path, at(text, 0));
    repository
}

#[test]
fn a_hash_in_a_script_or_a_workflow_does_not_stay_beside_a_version_that_moves() {
    let job = |run: &str| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n          {run}\n"
        )
    };
    let script = "FOO=@V\nSUM=@A\ncurl -o f @URL-amd64.tar.gz\necho \"$SUM  f\" | sha256sum -c\n";
    let windows = "$env:FOO = '@V'\niwr \"https://mirror.example/foo-v$env:FOO-linux-amd64.tar.gz\" -OutFile f\nif ((Get-FileHash f).Hash -ne '@A') { exit 1 }\n";
    let address = "https://github.com/acme/foo/releases/download/v@V/foo-v@V-linux-amd64.tar.gz";
    let check = format!("curl -o f {address}; echo '@A  f' | sha256sum -c");
    for (path, text) in [
        ("tests/get.sh", script),
        ("1.2.3/tests/get.sh", script),
        ("tests/get.ps1", windows),
        (
            "tests/build.sh",
            "docker build --build-arg FOO=@V --build-arg SUM=@A .\n",
        ),
        (".github/workflows/a.yml", &job(&check)),
    ] {
        let repository = beside(path, text);
        repository.finds(&[]);
        let before = repository.snapshot();
        let run = repository
            .run(&["1.2.4", "--from", "releases"])
            .fails_with(&[STAYS]);
        assert!(
            !run.stderr.contains("found 1.2.3, expected"),
            "{}",
            run.stderr
        );
        same(&repository.snapshot(), &before);
    }
    // The hash of another program is no matter.
    let other = "FOO=@V\ncurl -o b https://bar.example/bar\necho '@X  b' | sha256sum -c\n";
    let repository = beside("tests/get.sh", other);
    repository
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    assert_eq!(repository.read("tests/get.sh"), at(other, 1));
}

#[test]
fn what_is_downloaded_with_our_version_may_go_with_our_releases() {
    let check = "echo \"@X  p\" | sha256sum -c\n";
    for text in [
        "ARG PV=$FOO\nRUN wget -O p \"https://dl.example/plugins-${PV}.tgz\"; ",
        "ENV FILE=plugins-$FOO.tgz\nRUN wget -O p https://dl.example/$FILE; ",
        "ARG A=$FOO\nARG B=${A}-r1\nRUN wget -O p https://dl.example/$B; ",
        "RUN v=\"$FOO\"; wget -O p https://dl.example/plugins-$v.tgz; ",
        "RUN export V=$FOO; wget -O p https://dl.example/plugins-$V.tgz; ",
        "RUN v=$(echo $FOO | cut -d- -f1); wget -O p https://dl.example/plugins-$v.tgz; ",
        "RUN base=https://dl.example; wget -O p \"$base/$FOO/plugins.tgz\"; ",
        "RUN wget -O p https://cdn.example/latest/foo-linux-arm64.tar.gz; ",
    ] {
        let text = format!("FROM alpine:3.18\nENV FOO @V\n{OURS}{text}{check}");
        refuses(&text, WHICH);
    }
    let added = "ADD --checksum=sha256:@X https://dl.example/plugins-${PV}.tgz /p\n";
    let text = format!("FROM alpine:3.18\nENV FOO @V\n{OURS}ARG PV=$FOO\n{added}");
    refuses(&text, WHICH);
    // What another program is made of says nothing of ours.
    let other = "ARG BAR=9.9.9\nRUN wget -O p https://dl.example/bar-$BAR.tgz; ";
    moves(
        "alpine3.18",
        &format!("FROM alpine:3.18\nENV FOO @V\n{OURS}{other}{check}"),
    );
}

#[test]
fn an_archive_whose_name_only_ends_as_ours_does_is_not_passed_over() {
    let other = "RUN wget -O p https://bar.example/x-foo-v@V.tgz; echo \"@X  p\" | sha256sum -c\n";
    let text = format!("FROM alpine:3.18\nENV FOO @V\n{OURS}{other}");
    refuses(&text, WHOSE);
}

#[test]
fn a_digest_behind_the_version_of_an_image_of_ours_does_not_stay() {
    for line in [
        "FROM foo:${FOO}-alpine3.18@sha256:@X AS old",
        "COPY --from=acme/foo:$FOO@sha256:@X /a /b",
    ] {
        let text = match line.starts_with("FROM") {
            true => format!("ARG FOO=@V\n{line}\nFROM alpine:3.18\nENV FOO @V\n{OURS}"),
            false => format!("FROM alpine:3.18\nENV FOO @V\n{OURS}{line}\n"),
        };
        refuses(&text, STAYS);
    }
}

#[test]
fn a_download_that_is_written_over_another_one_makes_its_hash_uncertain() {
    let other = "https://bar.example/bar.tgz";
    for download in [
        format!("wget -qO- {other} > f"),
        format!("wget -q -O - {other} >./f"),
        format!("wget {other} -O- >> f"),
        format!("curl -fsSL {other} >> f"),
    ] {
        refuses(
            &format!(
                "FROM alpine:3.18\nENV FOO @V\nRUN wget -O f @URL-amd64.tar.gz; {download}; echo '@X  f' | sha256sum -c\n"
            ),
            WHICH,
        );
    }
    let windows = "RUN iwr @URL-amd64.tar.gz -OutFile C:/f.zip; iwr https://bar.example/b -OutFile C:\\f.zip; if ((Get-FileHash C:/f.zip).Hash -ne '@X') { exit 1 }\n";
    refuses(&format!("FROM alpine:3.18\nENV FOO @V\n{windows}"), WHICH);
    moves(
        "alpine3.18",
        "FROM alpine:3.18\nENV FOO @V\nRUN wget -qO- @URL-amd64.tar.gz > f; echo '@A  f' | sha256sum -c\n",
    );
}

#[test]
fn a_version_that_says_nothing_of_whose_it_is_is_refused_in_an_instruction() {
    for text in [
        "ARG VERSION=@V\nRUN pip install bar==${VERSION}\n",
        "ARG TAG=@V\nRUN git clone --branch v$TAG https://bar.example/bar\n",
        "RUN <<EOF\nversion=@V\npip install bar==$version\nEOF\n",
        "COPY <<EOF bar.toml\n[dependencies.bar]\nversion = \"@V\"\nEOF\n",
        "RUN pip install \\\n  bar \\\n  @V\n",
        // Called after ours, and part of an address of others.
        "ARG FOO_SERVER=@V\nRUN wget https://bar.example/bar-$FOO_SERVER.tgz\n",
    ] {
        refuses(
            &format!("FROM alpine:3.18\nENV FOO @V\n{OURS}{text}"),
            WHOSE,
        );
    }
    // A label is the image's, and so is what only labels say.
    for label in [
        "ARG VERSION=@V\nLABEL org.opencontainers.image.version=$VERSION",
        "ENV IMAGE_TAG=@V-alpine3.18",
        "LABEL version=\"@V\"",
        "LABEL maintainer=\"The Authors\" version=\"@V\"",
        "LABEL maintainer=x \\\n      version=\"@V\"",
    ] {
        moves(
            "alpine3.18",
            &format!("FROM alpine:3.18\nENV FOO @V\n{OURS}{label}\n"),
        );
    }
}

#[test]
fn images_and_downloads_of_others_stay_in_scripts_and_workflows() {
    let job =
        |step: &str| format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - {step}\n");
    let path = ".github/workflows/a.yml";
    let address = |owner: &str| {
        format!(
            "curl -LO https://github.com/{owner}/foo/releases/download/v@V/foo-v@V-linux-amd64.tar.gz\n"
        )
    };
    for (path, text, stays) in [
        (path, job("run: docker pull bitnami/foo:@V"), true),
        (
            path,
            job("run: docker pull quay.io/somebody/foo:@V-alpine3.18"),
            true,
        ),
        (path, job("run: docker pull ghcr.io/acme/foo:@V"), false),
        (
            path,
            job("run: docker tag acme/foo:@V ghcr.io/acme/foo:v@V"),
            false,
        ),
        ("tests/a.sh", address("other"), true),
        ("tests/a.sh", address("acme"), false),
    ] {
        let repository = beside(path, &text);
        let run = repository
            .run(&["1.2.4", "--from", "releases"])
            .exits_with(0);
        assert_eq!(
            repository.read(path),
            at(&text, usize::from(!stays)),
            "{text}"
        );
        assert_eq!(run.stdout.contains("Notes:"), stays, "{}", run.stdout);
    }
}

#[test]
fn a_name_in_a_script_that_goes_on_behind_a_version_keeps_its_end() {
    for line in [
        "docker run -d --name foo-@V-alpine3.18-test foo:@V-alpine3.18",
        "docker save foo:@V-alpine3.18 > foo-@V-alpine3.18.tar.gz",
        "tar xf foo-@V-linux-amd64.tar.gz",
        "for tag in @V-alpine3.18 @V-alpine3.18; do docker run foo:$tag; done",
        "tags=(@V-alpine3.18 @V-alpine3.18)",
    ] {
        let text = format!("{line}\n");
        let repository = beside("tests/run.sh", &text);
        repository.finds(&[]);
        repository
            .run(&["-q", "1.2.4", "--from", "releases"])
            .exits_with(0);
        assert_eq!(repository.read("tests/run.sh"), at(&text, 1));
        // The base alone.
        repository
            .run(&["-q", "--base", "alpine=3.19"])
            .exits_with(0);
        let moved = at(&text, 1).replace("alpine3.18", "alpine3.19");
        assert_eq!(repository.read("tests/run.sh"), moved);
    }
    // A test of an upgrade names an older one.
    let text = "for tag in 1.2.1-alpine3.18 @V-alpine3.18; do docker run foo:$tag; done\n";
    let upgrade = beside("tests/run.sh", text);
    upgrade.finds(&[]);
    upgrade
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    assert_eq!(upgrade.read("tests/run.sh"), at(text, 1));
}

#[test]
fn what_an_update_cannot_move_is_named() {
    let id = "abcdef0123456789abcdef0123456789abcdef01";
    for (line, note) in [
        (
            format!("LABEL org.example.revision={id}"),
            format!("found {id}, a commit: if it is one of the old release, change it by hand"),
        ),
        (
            "ENV FOO_MAJOR=1.2".to_owned(),
            "found 1.2, the old series: if it is the server's, change it by hand".to_owned(),
        ),
    ] {
        let text = format!("FROM alpine:3.18\nENV FOO @V\n{OURS}{line}\n");
        let repository = foo("alpine3.18", &text);
        let sums = repository
            .read("releases/v1.2.4/SHA256SUMS")
            .replace("1.2.4", "1.3.0");
        repository.write("releases/v1.3.0/SHA256SUMS", sums);
        let run = repository
            .run(&["-n", "1.3.0", "--from", "releases"])
            .exits_with(0);
        let note = format!("  1.3.0/alpine3.18/Dockerfile:4: {note}\n");
        assert!(run.stdout.contains(&note), "{}", run.stdout);
    }
    // Nor is there a note on the IDs of keys and actions.
    let text =
        format!("FROM alpine:3.18\nENV FOO @V\n{OURS}RUN gpg --recv-keys {id}\nRUN echo 1.2\n");
    let run = foo("alpine3.18", &text).run(&["-n", "1.2.4", "--from", "releases"]);
    assert!(!run.exits_with(0).stdout.contains("Notes:"));
}
