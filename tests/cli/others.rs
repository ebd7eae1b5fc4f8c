//! Repositories of other projects, told just enough to be let in: what is theirs to the byte, what is not left alone, and
//! what cannot be told refused.

use std::fs;

use crate::support::{Repository, same};

const AMD64: [&str; 2] = [
    "1111111111111111111111111111111111111111111111111111111111111111",
    "2222222222222222222222222222222222222222222222222222222222222222",
];
const ARM7: [&str; 2] = [
    "3333333333333333333333333333333333333333333333333333333333333333",
    "4444444444444444444444444444444444444444444444444444444444444444",
];
const OTHER: &str = "5555555555555555555555555555555555555555555555555555555555555555";
pub const URL: &str = "https://github.com/acme/foo/releases/download/v${FOO}/foo-v${FOO}-linux";

/// What a file says of a version: `@V` is the version, `@A` and `@B` the hashes of its two archives.
pub fn at(text: &str, number: usize) -> String {
    let version = ["1.2.3", "1.2.4"][number];
    let text = text.replace("@URL", URL).replace("@V", version);
    text.replace("@A", AMD64[number])
        .replace("@B", ARM7[number])
        .replace("@X", OTHER)
}

/// A repository of foo at 1.2.3 with that Dockerfile in a variant, beside its releases.
pub fn foo(variant: &str, text: &str) -> Repository {
    let repository = Repository::empty();
    repository.write(
        "update.toml",
        "image = \"foo\"\nserver = \"foo\"\nowner = \"acme\"\n",
    );
    repository.write(&format!("1.2.3/{variant}/Dockerfile"), at(text, 0));
    for (number, version) in ["1.2.3", "1.2.4"].iter().enumerate() {
        let line = |hash: &str, arch: &str| format!("{hash}  foo-v{version}-linux-{arch}.tar.gz\n");
        let sums = line(AMD64[number], "amd64") + &line(ARM7[number], "arm7");
        repository.write(&format!("releases/v{version}/SHA256SUMS"), sums);
    }
    repository
}

/// The update moves what is ours, and nothing else; `check` is content before and after.
#[track_caller]
pub fn moves(variant: &str, text: &str) {
    let repository = foo(variant, text);
    repository.finds(&[]);
    repository
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    let found = repository.read(&format!("1.2.4/{variant}/Dockerfile"));
    assert_eq!(found, at(text, 1));
    repository.finds(&[]);
}

/// The update refuses, and changes nothing.
#[track_caller]
pub fn refuses(text: &str, why: &str) {
    let repository = foo("alpine3.18", text);
    let before = repository.snapshot();
    repository
        .run(&["1.2.4", "--from", "releases"])
        .fails_with(&[why]);
    same(&repository.snapshot(), &before);
}

pub const OURS: &str = "RUN wget -O f @URL-amd64.tar.gz && echo '@A  f' | sha256sum -c\n";
pub const WHOSE: &str = "cannot tell whether this is the server's version";
pub const WHICH: &str = "cannot tell which archive this hash belongs to";

#[test]
fn architectures_are_judged_as_those_of_apk_only_where_apk_is_asked() {
    moves(
        "debian12",
        "FROM debian:12\nENV FOO @V\nRUN echo 'as apk --print-arch does'\n\
         RUN case \"$(dpkg --print-architecture)\" in \\\n\tamd64) fooArch='amd64'; sha256='@A' ;; \\\n\tarmhf) fooArch='arm7'; sha256='@B' ;; \\\n\tesac; \\\n\twget \"@URL-${fooArch}.tar.gz\"\n",
    );
}

#[test]
fn a_project_may_call_its_architectures_otherwise_in_all_of_its_archives() {
    let text = "FROM alpine:3.18\nENV FOO @V\nRUN case \"$(apk --print-arch)\" in \\\n\tx86_64) arch='amd64'; sum='@A' ;; \\\n\tarmv7) arch='armv7'; sum='@B' ;; \\\n\tesac; \\\n\twget -O f \"@URL-${arch}.tar.gz\"; echo \"$sum  f\" | sha256sum -c\n";
    let with = |text: &str| {
        let repository = foo("alpine3.18", text);
        for version in ["1.2.3", "1.2.4"] {
            let path = format!("releases/v{version}/SHA256SUMS");
            repository.write(&path, repository.read(&path).replace("arm7", "armv7"));
        }
        repository
    };
    let repository = with(text);
    repository.finds(&[]);
    repository
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    assert_eq!(repository.read("1.2.4/alpine3.18/Dockerfile"), at(text, 1));
    // Beside an `arm6` it is a mistake.
    let mixed = text.replace("x86_64) arch='amd64'", "armhf) arch='arm6'");
    with(&mixed).finds(&["architecture: found armv7, expected arm7"]);
}

#[test]
fn a_case_over_the_variable_in_the_address_says_the_architecture_in_its_labels() {
    let case = |rest: &str| {
        format!(
            "FROM alpine:3.18\nENV FOO @V\nARG TARGETARCH\nRUN set -eux; \\\n\tcase \"$TARGETARCH\" in \\\n\tamd64) sum='@A' ;; \\\n\t'arm7') sum='@B' ;; \\\n\t*) exit 1 ;; \\\n\tesac; \\\n\t{rest}"
        )
    };
    let check = "wget -O f \"@URL-${TARGETARCH}.tar.gz\"; echo \"$sum  f\" | sha256sum -c\n";
    moves("alpine3.18", &case(check));
    moves(
        "alpine3.18",
        &case(check).replace("${TARGETARCH}", "$TARGETARCH"),
    );
    // In the one for another program it is not.
    let other = "wget -O f \"https://bar.example/bar-${TARGETARCH}.tgz\"; echo \"$sum  f\" | sha256sum -c; wget -O g @URL-amd64.tar.gz\n";
    refuses(
        &case(&check.replace("@URL", "https://bar.example/bar-${FOO}")),
        WHICH,
    );
    let repository = foo(
        "alpine3.18",
        &case(other).replace("@A", "@X").replace("@B", "@X"),
    );
    repository
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    assert!(
        repository
            .read("1.2.4/alpine3.18/Dockerfile")
            .contains(OTHER)
    );
    // Nor where it is set to something else, or its values are others.
    refuses(&case(&format!("TARGETARCH=x; {check}")), WHICH);
    refuses(
        &case(&format!("TARGETARCH=\"$TARGETARCH-musl\"; {check}")),
        WHICH,
    );
    let missing = case(check).replace("'arm7') sum='@B'", "arm7) true");
    foo("alpine3.18", &missing).finds(&["hash: missing the hash of linux-arm7.tar.gz"]);
}

#[test]
fn a_base_may_be_part_of_another_images_tag() {
    let text = format!("FROM php:8.2-alpine3.18\nENV FOO @V\n{OURS}");
    moves("alpine3.18", &text);
    foo("alpine3.18", &text)
        .run(&["--base", "alpine=3.19"])
        .fails_with(&["no stage is based on alpine 3.19"]);
}

#[test]
fn a_hash_is_of_the_download_that_it_follows() {
    for text in [
        "HEALTHCHECK CMD wget -qO- http://127.0.0.1:8222/v1/health\n",
        "RUN apk add --repository https://dl-cdn.alpinelinux.org/alpine/edge/testing curl wget\n",
        "RUN wget -O t \"$TINI\" && echo '@X  t' | sha256sum -c\n",
        "ENV TINI_SHA256 @X\nRUN curl -o t https://example.com/a/tini; echo \"$TINI_SHA256 t\" | sha256sum -c\n",
        "RUN gpg --recv-keys C874011F0AB405110D02105534365D9472D7468F\n",
        "ENV FOO_EXPORTER_SHA256 @X\nRUN curl -o e \"$EXPORTER\"; echo \"$FOO_EXPORTER_SHA256 e\" | sha256sum -c\n",
    ] {
        moves(
            "alpine3.18",
            &format!("FROM alpine:3.18\nENV FOO @V\n{OURS}{text}"),
        );
        moves(
            "alpine3.18",
            &format!("FROM alpine:3.18\nENV FOO @V\n{text}{OURS}"),
        );
    }
    moves(
        "alpine3.18",
        "FROM alpine:3.18\nENV FOO @V\nRUN case \"$(apk --print-arch)\" in \\\n\tx86_64) arch='amd64'; sum='@X' ;; \\\n\tesac; wget \"$GOSU-${arch}\"\n\
         RUN case \"$(apk --print-arch)\" in \\\n\tx86_64) arch='amd64'; sum='@A' ;; \\\n\tesac; wget \"@URL-${arch}.tar.gz\"\n",
    );
}

#[test]
fn a_hash_that_may_be_anothers_is_refused() {
    for text in [
        "RUN case \"$(apk --print-arch)\" in x86_64) arch='amd64'; jqSha256='@X' ;; esac; wget \"@URL-${arch}.tar.gz\"\n",
        "ADD tool.tgz /\nRUN wget @URL-amd64.tar.gz\nRUN echo '@X  tool.tgz' | sha256sum -c\n",
        "ENV FOO_URL https://example.com/releases/foo-@V.tar.gz\nENV FOO_SHA256 @X\nRUN wget \"$FOO_URL\"; echo \"$FOO_SHA256 f\" | sha256sum -c\n",
    ] {
        refuses(&format!("FROM alpine:3.18\nENV FOO @V\n{text}"), WHICH);
    }
}

#[test]
fn a_version_belongs_to_the_name_that_it_stands_at() {
    for line in [
        "ENV TINI=\"@V\"",
        "ARG TINI=\"v@V\"",
        "ENV TINI @V",
        "ENV JAVA_VERSION jdk-@V",
        "RUN echo ${TINI:=@V}",
        "RUN apk add tini~@V",
        "RUN cd openssl-@V",
        "WORKDIR /opt/bar-@V",
        "COPY plugin-@V /p",
        "COPY vendor/@V/bar /x",
        "RUN git clone -b @V https://github.com/other/baz",
        "ENV FOO_EXPORTER @V",
        "RUN ./install.sh tini @V",
        "RUN tini --version @V",
        "RUN a; \\\n tini --version @V",
        "COPY foo_@V_notes.txt /",
        "LABEL bar.version=\"@V\"",
    ] {
        refuses(
            &format!("FROM alpine:3.18\nENV FOO @V\n{OURS}{line}\n"),
            WHOSE,
        );
    }
    for line in [
        "LABEL version=\"@V\"",
        "LABEL org.opencontainers.image.version=\"v@V\"",
        "LABEL org.label-schema.version=@V",
        "ENV FOO_DIR /opt/foo-@V",
        "# foo @V",
        "COPY --from=acme/foo:@V /a /b",
    ] {
        moves(
            "alpine3.18",
            &format!("FROM alpine:3.18 AS x\nENV FOO @V\n{OURS}{line}\nFROM alpine:3.18\n"),
        );
    }
    moves(
        "alpine3.18",
        &format!("FROM alpine:3.18\nENV FOO @V\n# gosu 1.2.3 has a bug\n{OURS}"),
    );
}

#[test]
fn a_variable_that_another_programs_address_uses_is_not_ours_whatever_it_is_called() {
    for set in ["ARG VERSION=@V", "ENV VERSION @V", "RUN VERSION=v@V; echo"] {
        let stage = format!("{set}\nRUN wget -O bar https://bar.example/bar-$VERSION.tgz\n");
        refuses(
            &format!("FROM alpine:3.18 AS x\n{stage}FROM alpine:3.18\nENV FOO @V\n{OURS}"),
            WHOSE,
        );
    }
    let comment = "# https://github.com/acme/bar/releases/tag/v1.2.3\n";
    moves(
        "alpine3.18",
        &format!("FROM alpine:3.18\nENV FOO @V\n{comment}{OURS}"),
    );
    // What a comment says is no other value.
    moves(
        "alpine3.18",
        &format!(
            "FROM alpine:3.18\n# ENV FOO_VERSION=1.1.0\nENV FOO_VERSION=@V\n{}",
            OURS.replace("@URL", &URL.replace("${FOO}", "${FOO_VERSION}"))
        ),
    );
}

#[test]
fn a_hash_in_a_script_that_downloads_an_archive_is_not_left_behind() {
    let repository = foo(
        "alpine3.18",
        &format!("FROM alpine:3.18\nENV FOO @V\n{OURS}"),
    );
    let script = "wget https://github.com/acme/foo/releases/download/v@V/foo-v@V-linux-amd64.tar.gz\necho '@A  foo-v@V-linux-amd64.tar.gz' | sha256sum -c\n";
    repository.write("tests/get.sh", at(script, 0));
    repository.finds(&[]);
    let before = repository.snapshot();
    repository
        .run(&["1.2.4", "--from", "releases"])
        .fails_with(&["tests/get.sh:1: version: found 1.2.3: a hash in this file, or in a list that it copies, would stay: change both by hand"]);
    same(&repository.snapshot(), &before);
    repository.write("tests/get.sh", at(script, 1));
    repository
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    assert_eq!(repository.read("tests/get.sh"), at(script, 1));
    repository
        .run(&["-q", "--base", "alpine=3.19"])
        .exits_with(0);
}

#[test]
fn in_scripts_the_versions_of_others_are_nobodys() {
    let repository = foo(
        "alpine3.18",
        &format!("FROM alpine:3.18\nENV FOO @V\n{OURS}"),
    );
    let script = "docker run docker:1.2.3-dind\npip install docker==1.2.3\n[ \"$(bar --version)\" = 1.2.3 ]\ndocker run busybox:1.2.0\nHELM=1.2.1\nminimum=\"1.2.0\"\necho 'bats 1.2.9'\nwget https://github.com/x/goss/releases/download/v1.2.1/goss\n";
    repository.write("tests/run.sh", script);
    repository.finds(&[]);
    repository
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    assert_eq!(repository.read("tests/run.sh"), script);
}

#[test]
fn a_base_stands_behind_registries_and_lines() {
    for from in [
        "FROM alpine:@B",
        "FROM ${REG}/library/alpine:@B",
        "FROM \\\n  alpine:@B",
        "\u{feff}FROM alpine:@B",
    ] {
        let text = |base: &str| format!("{}\nENV FOO 1.2.3\n", from.replace("@B", base));
        let repository = foo("alpine3.18", &text("3.18"));
        repository.finds(&[]);
        repository
            .run(&["-q", "--base", "alpine=3.19"])
            .exits_with(0);
        assert_eq!(repository.read("1.2.3/alpine3.19/Dockerfile"), text("3.19"));
        repository.write("1.2.3/alpine3.19/Dockerfile", text("3.17"));
        assert!(!repository.findings().is_empty(), "{from}");
    }
    // What a variable holds may be anything.
    for from in ["ARG B=3.18\nFROM alpine:$B", "ARG B=alpine:3.18\nFROM ${B}"] {
        let repository = foo("alpine3.18", &format!("{from}\nENV FOO 1.2.3\n"));
        repository
            .run(&["--base", "alpine=3.19"])
            .fails_with(&["expected the base of the folder's name, not a variable"]);
    }
}

#[test]
fn what_stands_behind_the_base_in_a_variants_name_is_no_part_of_it() {
    let repository = foo("alpine3.18", "FROM alpine:3.18\nENV FOO 1.2.3\n");
    repository.write(
        "1.2.3/alpine3.18-otel/Dockerfile",
        "FROM alpine:3.18\nENV FOO 1.2.3\n",
    );
    repository.write(
        "1.2.3/alpine3.18-perl/Dockerfile",
        "FROM foo:1.2.3-alpine3.18\n",
    );
    repository.write(
        "1.2.3/alpine-slim/Dockerfile",
        "FROM alpine:3.18\nENV FOO 1.2.3\n",
    );
    repository.finds(&[]);
    repository
        .run(&["-q", "--base", "alpine=3.19"])
        .exits_with(0);
    repository.finds(&[]);
    let otel = repository.read("1.2.3/alpine3.19-otel/Dockerfile");
    assert_eq!(otel, "FROM alpine:3.19\nENV FOO 1.2.3\n");
    let perl = repository.read("1.2.3/alpine3.19-perl/Dockerfile");
    assert_eq!(perl, "FROM foo:1.2.3-alpine3.19\n");
}

#[test]
fn a_tag_that_is_a_default_keeps_its_variant() {
    let repository = foo(
        "alpine3.18",
        &format!("FROM alpine:3.18\nENV FOO @V\n{OURS}"),
    );
    let text =
        "ARG TAG=@V-alpine3.18\nFROM foo:${TAG} AS base\nFROM scratch\nCOPY --from=base /f /f\n";
    repository.write("1.2.3/scratch/Dockerfile", at(text, 0));
    repository.finds(&[]);
    repository
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    assert_eq!(repository.read("1.2.4/scratch/Dockerfile"), at(text, 1));
}

#[test]
fn a_repository_inside_a_version_directory_is_refused() {
    let repository = foo("alpine3.18", "FROM alpine:3.18\nENV FOO 1.2.3\n");
    repository.write(
        "1.2.3/alpine3.18/sub/.git",
        "gitdir: ../../../.git/modules/sub\n",
    );
    repository
        .run(&["1.2.4", "--from", "releases"])
        .fails_with(&["1.2.3/alpine3.18/sub/.git: a git repository of its own"]);
}

#[test]
fn a_series_without_the_version_key_is_at_what_its_addresses_say() {
    let url = "https://github.com/acme/foo/releases/download/v@V/foo-v@V-linux-amd64.tar.gz";
    let text = format!("FROM alpine:3.18\nRUN wget -O x {url} && echo '@A  x' | sha256sum -c\n");
    let repository = foo("alpine3.18", &text);
    repository.rename("1.2.3", "1.2.x");
    repository.finds(&[]);
    repository
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    assert_eq!(repository.read("1.2.x/alpine3.18/Dockerfile"), at(&text, 1));
    repository.finds(&[]);
}

#[test]
fn an_empty_folder_that_is_called_like_a_version_is_not_the_newest() {
    let repository = foo(
        "alpine3.18",
        &format!("FROM alpine:3.18\nENV FOO @V\n{OURS}"),
    );
    repository.write("tests/run.sh", "docker run foo:1.2.3-alpine3.18\n");
    fs::create_dir(repository.path("1.3.0")).expect("a folder");
    repository
        .run(&["-q", "1.2.3", "--from", "releases"])
        .exits_with(0);
    assert_eq!(
        repository.read("tests/run.sh"),
        "docker run foo:1.2.3-alpine3.18\n"
    );
}

#[test]
fn one_of_a_family_does_not_come_where_another_goes() {
    let repository = foo("alpine3.18", "FROM alpine:3.18\nENV FOO 1.2.3\n");
    repository.run(&["--add", "alpine3.19", "--remove", "alpine3.18"]).fails_with(&[
        "`--add alpine3.19` and `--remove alpine3.18` cannot be combined in 1.2.3: use `--base alpine3.18=3.19`, or run one after the other",
    ]);
}

#[test]
fn workflows_name_directories_of_one_version_in_many_ways() {
    let workflow = "on:\n  push:\n    paths: ['@V/**']\njobs:\n  build:\n    strategy:\n      matrix:\n        version: [\"@V\"]\n        variant: [alpine3.18]\n    env:\n      FOO: @V\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: ./${{ matrix.version }}/${{ matrix.variant }}\n          tags: ghcr.io/acme/foo:@V-alpine3.18\n      - run: echo 'tag=@V-alpine3.18'\n      - working-directory: ./@V\n        run: ls\n      - run: cd @V\n      - run: docker build @V/$variant @V/*\n";
    let path = ".github/workflows/ci.yml";
    let repository = foo(
        "alpine3.18",
        &format!("FROM alpine:3.18\nENV FOO @V\n{OURS}"),
    );
    repository.write(path, at(workflow, 0));
    repository.finds(&[]);
    repository
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    assert_eq!(repository.read(path), at(workflow, 1));
    repository.finds(&[]);
}

#[test]
fn the_variable_that_an_address_gives_the_version_by_is_ours_whatever_it_is_called() {
    let url = URL.replace("${FOO}", "${FOO_VERSION}");
    let ours = format!("RUN wget -O f {url}-amd64.tar.gz && echo '@A  f' | sha256sum -c\n");
    for set in [
        "ENV FOO_VERSION @V",
        "ENV FOO_VERSION=\"@V\"",
        "ARG FOO_VERSION=@V",
    ] {
        moves("alpine3.18", &format!("FROM alpine:3.18\n{set}\n{ours}"));
    }
    let older = at(
        &format!(
            "FROM alpine:3.18\nENV FOO_VERSION 1.2.2\n{ours}LABEL org.opencontainers.image.version=@V\n"
        ),
        0,
    );
    foo("alpine3.18", &older)
        .finds(&["1.2.3/alpine3.18/Dockerfile:2:17: version: found 1.2.2, expected 1.2.3"]);
}

#[test]
fn a_hash_that_is_no_sha256_is_found_and_never_taken_in_parts() {
    const ADD: &str = "FROM alpine:3.18\nENV FOO @V\nADD --checksum=";
    let url = format!("{URL}-amd64.tar.gz /\n");
    for (pin, digits) in [
        (format!("sha256:ab12cd34{}", AMD64[0]), 72),
        (format!("sha256:{}", &AMD64[0][1..]), 63),
    ] {
        let text = format!("{ADD}{pin} {url}");
        let repository = foo("alpine3.18", &text);
        let run = repository.run(&["check"]).exits_with(1);
        assert!(
            run.stdout
                .contains("expected the 64 hex digits of a SHA-256"),
            "{digits}: {}",
            run.stdout
        );
        repository
            .run(&["-q", "1.2.4", "--from", "releases"])
            .exits_with(0);
        let found = repository.read("1.2.4/alpine3.18/Dockerfile");
        assert_eq!(found, at(&format!("{ADD}sha256:@A {url}"), 1));
    }
    let sha512 = "ab".repeat(64);
    refuses(
        &format!("{ADD}sha512:{sha512} {url}"),
        "it has 128 digits, expected the 64 of a SHA-256",
    );
    let both = format!("echo '@A  f' | sha256sum -c && echo '{sha512}  f' | sha512sum -c");
    refuses(
        &format!("FROM alpine:3.18\nENV FOO @V\nRUN wget -O f {URL}-amd64.tar.gz && {both}\n"),
        "it has 128 digits, expected the 64 of a SHA-256",
    );
}

#[test]
fn references_of_the_owner_move_and_those_with_a_digest_do_not() {
    let built = |line: &str| {
        let repository = foo(
            "alpine3.18",
            &format!("FROM alpine:3.18\nENV FOO @V\n{OURS}"),
        );
        repository.write(
            "1.2.3/scratch/Dockerfile",
            at(&format!("FROM scratch\n{line}\n"), 0),
        );
        repository
    };
    let repository = built("COPY --from=acme/foo:@V-alpine3.18 /foo /");
    repository.finds(&[]);
    repository
        .run(&["-q", "1.2.4", "--from", "releases", "--base", "alpine=3.19"])
        .exits_with(0);
    let expected = "FROM scratch\nCOPY --from=acme/foo:1.2.4-alpine3.19 /foo /\n";
    assert_eq!(repository.read("1.2.4/scratch/Dockerfile"), expected);

    let run = ["1.2.4", "--from", "releases"];
    let pinned = built(&format!(
        "COPY --from=foo:@V-alpine3.18@sha256:{OTHER} /foo /"
    ));
    pinned
        .run(&run)
        .fails_with(&["is pinned by digest; change tag and digest to 1.2.4-alpine3.18 by hand"]);
    // What a label says of its own image is no copy.
    moves(
        "alpine3.18",
        &format!(
            "FROM alpine:3.18\nENV FOO @V\n{OURS}LABEL org.opencontainers.image.ref.name=\"foo:@V-alpine3.18\"\n"
        ),
    );
}

#[test]
fn of_several_versions_side_by_side_only_the_one_that_moves_is_touched() {
    let text = format!("FROM alpine:3.18\nENV FOO @V\n{OURS}");
    let repository = foo("alpine3.18", &text);
    let older = at(&text, 0)
        .replace("1.2.3", "1.1.9")
        .replace(AMD64[0], OTHER);
    repository.write("1.1.9/alpine3.18/Dockerfile", older);
    let script = "docker run foo:1.1.9-alpine3.18\ndocker run foo:@V-alpine3.18\ncd ../1.1.9/alpine3.18\ncd ../@V/alpine3.18\n";
    let workflow = "jobs:\n  a:\n    strategy:\n      matrix:\n        version: [1.1.9, @V]\n    steps:\n      - run: docker build ./${{ matrix.version }}/alpine3.18\n";
    let files = [
        ("tests/run.sh", script),
        (".github/workflows/a.yml", workflow),
    ];
    for (path, text) in files {
        repository.write(path, at(text, 0));
    }
    repository.finds(&[]);
    repository
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    for (path, text) in files {
        assert_eq!(repository.read(path), at(text, 1));
    }
    repository.finds(&[]);
}

#[test]
fn a_pre_release_that_an_archive_is_named_after_moves_as_a_whole() {
    let [old, new] = ["1.3.0-rc.1", "1.3.0-rc.2"];
    let text = |version: &str, hash: &str| {
        format!(
            "FROM alpine:3.18\nENV FOO {version}\nRUN wget -O f https://github.com/acme/foo/releases/download/v{version}/foo-v{version}-linux-amd64.tar.gz && echo '{hash}  f' | sha256sum -c\n"
        )
    };
    let repository = Repository::empty();
    repository.write(&format!("{old}/alpine3.18/Dockerfile"), text(old, AMD64[0]));
    for (version, hash) in [old, new].iter().zip(AMD64) {
        let sums = format!("{hash}  foo-v{version}-linux-amd64.tar.gz\n");
        repository.write(&format!("releases/v{version}/SHA256SUMS"), sums);
    }
    repository.write(
        "update.toml",
        "image = \"foo\"\nserver = \"foo\"\nowner = \"acme\"\n",
    );
    repository.finds(&[]);
    repository
        .run(&["-q", new, "--from", "releases"])
        .exits_with(0);
    let found = repository.read(&format!("{new}/alpine3.18/Dockerfile"));
    assert_eq!(found, text(new, AMD64[1]));
}

/// The repository of foo with its release in a series that is called like that.
fn in_series(pattern: &str, name: &str, text: &str) -> Repository {
    let repository = foo("alpine3.18", text);
    let config =
        format!("image = \"foo\"\nserver = \"foo\"\nowner = \"acme\"\ndirectory = \"{pattern}\"\n");
    repository.write("update.toml", config);
    repository.rename("1.2.3", name);
    repository
}

#[test]
fn what_looks_like_a_series_in_a_dockerfile_and_is_none_stays() {
    let ours = format!("FROM alpine:3.18\nENV FOO @V\n{OURS}");
    for (pattern, name, line) in [
        ("v{major}.{minor}", "v1.2", "ENV API=v1.41"),
        (
            "v{major}.{minor}",
            "v1.2",
            "RUN apk add --repository https://dl-cdn.example/alpine/v3.20/community bar",
        ),
        (
            "{major}.{minor}.x",
            "1.2.x",
            "RUN curl https://bar.example/20.1.x/install",
        ),
    ] {
        let text = format!("{ours}{line}\n");
        let repository = in_series(pattern, name, &text);
        repository.finds(&[]);
        repository
            .run(&["-q", "1.2.4", "--from", "releases"])
            .exits_with(0);
        let found = repository.read(&format!("{name}/alpine3.18/Dockerfile"));
        assert_eq!(found, at(&text, 1));
    }
}

#[test]
fn a_v_in_front_of_a_version_hides_nothing_where_directories_have_one_too() {
    let text = "FROM alpine:3.18\n# Foo v@V\nENV FOO_VERSION v@V\nLABEL version=v@V\n\
         RUN wget -O f https://foo.example/foo-v@V-linux-amd64.tar.gz && echo '@A  f' | sha256sum -c\n";
    let repository = in_series("v{major}.{minor}", "v1.2", text);
    repository.finds(&[]);
    repository
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    assert_eq!(repository.read("v1.2/alpine3.18/Dockerfile"), at(text, 1));
    // In an address nobody can tell whose it is.
    let text = text.replace("foo.example/", "foo.example/v@V/");
    let repository = in_series("v{major}.{minor}", "v1.2", &text);
    repository
        .run(&["1.2.4", "--from", "releases"])
        .fails_with(&[WHOSE]);
}

#[test]
fn a_hash_of_what_our_version_is_part_of_is_refused_by_whatever_variable() {
    let url = URL.replace("${FOO}", "${FOO_VERSION}");
    let ours = format!(
        "FROM alpine:3.18\nENV FOO_VERSION=@V\nRUN wget -O f {url}-amd64.tar.gz && echo '@A  f' | sha256sum -c\n"
    );
    for line in [
        "ADD --checksum=sha256:@X https://bar.example/foo/v${FOO_VERSION}/init /init",
        "RUN wget -O b https://bar.example/b-$FOO_VERSION.jar && echo '@X  b' | sha256sum -c",
        "ENV UI=https://bar.example/ui-${FOO_VERSION}.tgz UI_SHA256=@X\nRUN wget -O ui $UI; echo \"$UI_SHA256 ui\" | sha256sum -c",
    ] {
        refuses(&format!("{ours}{line}\n"), WHICH);
    }
}

#[test]
fn a_variable_that_holds_two_versions_is_not_known_to_hold_ours() {
    let url = URL.replace("${FOO}", "${VERSION}");
    let other = "ARG VERSION=0.19.0\nRUN wget https://github.com/bar/bar/releases/download/v${VERSION}/bar-amd64\n";
    let text = format!(
        "FROM alpine:3.18 AS bar\n{other}FROM alpine:3.18\nARG VERSION=@V\nRUN wget -O f {url}-amd64.tar.gz && echo '@A  f' | sha256sum -c\n"
    );
    refuses(&text, "nothing in the file gives a version");
}

#[test]
fn a_variable_that_is_called_after_the_image_gives_its_version_whether_an_address_uses_it_or_not() {
    let text = "FROM alpine:3.18\nENV\tFOO_VERSION\t1.2.2\nRUN wget -O f https://foo.example/foo-v@V-linux-amd64.tar.gz && echo '@A  f' | sha256sum -c\n";
    let repository = foo("alpine3.18", text);
    let finding = "1.2.3/alpine3.18/Dockerfile:2:17: version: found 1.2.2, expected 1.2.3";
    repository.finds(&[finding]);
    repository
        .run(&["-q", "1.2.4", "--from", "releases"])
        .exits_with(0);
    let found = repository.read("1.2.4/alpine3.18/Dockerfile");
    assert_eq!(found, at(text, 1).replace("1.2.2", "1.2.4"));
}

#[test]
fn a_stage_of_another_image_may_have_its_version_in_a_variable() {
    moves(
        "alpine3.18",
        &format!(
            "ARG GO=1.24\nFROM golang:${{GO}}-alpine AS build\nFROM alpine:3.18\nENV FOO @V\n{OURS}"
        ),
    );
}

#[test]
fn the_images_of_other_publishers_are_not_ours() {
    let pin = "RUN wget -O f @URL-amd64.tar.gz; echo \"@A  f\" | sha256sum -c\n";
    for image in ["ghcr.io/other/foo", "bitnami/foo", "other/foo"] {
        for line in [
            format!("COPY --from={image}:@V /a /b"),
            format!("FROM {image}:@V AS a"),
        ] {
            let text = format!("{line}\nFROM alpine:3.18\nENV FOO @V\n{pin}");
            let text = if line.starts_with("COPY") {
                format!("FROM alpine:3.18\nENV FOO @V\n{line}\n{pin}")
            } else {
                text
            };
            refuses(&text, "cannot tell whether this is the server's version");
        }
    }
    for image in [
        "ghcr.io/acme/foo",
        "registry.example:5000/foo",
        "docker.io/library/foo",
    ] {
        let text = format!("FROM {image}:@V AS a\nFROM alpine:3.18\nENV FOO @V\n{pin}");
        moves("alpine3.18", &text);
    }
}

#[test]
fn a_version_that_is_only_printed_makes_no_download() {
    let commit = "5".repeat(40);
    let text = format!(
        "FROM alpine:3.18\nENV FOO_VERSION @V\nENV BAR_COMMIT {commit}\nRUN echo ${{FOO_VERSION}}\n"
    );
    moves("alpine3.18", &text);
}

#[test]
fn what_only_a_project_knows_is_not_renamed() {
    // What it calls an architecture.
    let case = "RUN case \"$(apk --print-arch)\" in x86_64) arch=amd64; sum=@A ;; armv7) arch=armv7l; sum=@B ;; esac; wget -O f @URL-$arch.tar.gz; echo \"$sum  f\" | sha256sum -c\n";
    let text = format!("FROM alpine:3.18\nENV FOO @V\n{case}");
    let repository = foo("alpine3.18", &text);
    repository
        .run(&["-q", "--base", "alpine=3.19"])
        .exits_with(0);
    let found = repository.read("1.2.3/alpine3.19/Dockerfile");
    assert_eq!(found, at(&text, 0).replace("3.18", "3.19"));
    // What a release of a base is called.
    let pin = "RUN wget -O f @URL-amd64.tar.gz; echo \"@A  f\" | sha256sum -c\n";
    let text = format!("FROM debian:bookworm-slim\nENV FOO @V\n{pin}");
    moves("debian12", &text);
    let repository = foo("debian12", &text);
    repository.run(&["-q", "--base", "debian=13"]).exits_with(0);
    let found = repository.read("1.2.3/debian13/Dockerfile");
    assert_eq!(found, at(&text, 0).replace("bookworm", "trixie"));
}
