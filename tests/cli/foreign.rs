//! What looks like ours and is another project's, and what is ours and could not be moved as a whole.

use crate::others::{foo, refuses};

const FILE: &str = "FROM alpine:3.18
ENV FOO @V
RUN wget -O f @URL-amd64.tar.gz && echo '@A  f' | sha256sum -c
";

#[test]
fn a_folder_of_another_project_that_is_called_like_ours_is_not_moved() {
    let unknown = "mention: found 1.2.3: cannot tell whether this is the server's version";
    for line in [
        "RUN wget https://packages.example/@V/alpine3.18/bar.apk",
        "ADD https://packages.example/main/@V/alpine3.18/bar.conf /etc/",
        "COPY vendor/@V/alpine3.18 /vendor",
        "RUN npm install @somebody/foo@@V",
        "RUN go install example.org/foo@v@V",
    ] {
        refuses(&format!("{FILE}{line}\n"), unknown);
    }
    let repository = foo("alpine3.18", FILE);
    let script =
        "curl -O https://packages.example/1.2.3/alpine3.18/bar.apk\ncd vendor/1.2.3/alpine3.18\n";
    repository.write("tests/get.sh", script);
    let args = ["-q", "1.2.4", "--from", "releases"];
    repository.run(&args).exits_with(0);
    assert_eq!(repository.read("tests/get.sh"), script);
    // A variable may be any folder.
    let repository = foo("alpine3.18", FILE);
    repository.write("tests/get.sh", "ls \"$ROOT/1.2.3/alpine3.18\"\n");
    repository.run(&args).exits_with(0);
    assert_eq!(
        repository.read("tests/get.sh"),
        "ls \"$ROOT/1.2.4/alpine3.18\"\n"
    );
}

#[test]
fn a_number_behind_a_name_of_one_word_is_no_version() {
    let repository = foo("alpine3.18", FILE);
    let script = "FOO=8222\nexport FOO=10.0.0.1\necho \"FOO 404 not found\"\n";
    repository.write("tests/get.sh", script);
    let workflow = "on: push\nenv:\n  FOO: 1.20.x\njobs: {}\n";
    repository.write(".github/workflows/a.yml", workflow);
    repository.finds(&[]);
    let args = ["-q", "1.2.4", "--from", "releases"];
    repository.run(&args).exits_with(0);
    assert_eq!(repository.read("tests/get.sh"), script);
    assert_eq!(repository.read(".github/workflows/a.yml"), workflow);
}

#[test]
fn hashes_in_a_list_that_is_copied_would_stay() {
    let stays = "a hash in this file, or in a list that it copies, would stay: change both by hand";
    let text = "FROM alpine:3.18
ENV FOO @V
COPY foo_SHA256SUMS /tmp/
RUN cd /tmp && wget @URL-amd64.tar.gz && sha256sum --quiet -c foo_SHA256SUMS
";
    let repository = foo("alpine3.18", text);
    let args = ["-q", "1.2.4", "--from", "releases"];
    repository.run(&args).fails_with(&[stays]);
    // That of another program may stay.
    let other = format!("{FILE}COPY bar.sha256 /tmp/\nRUN sha256sum -c /tmp/bar.sha256\n");
    let repository = foo("alpine3.18", &other);
    repository.run(&args).exits_with(0);
}

#[test]
fn a_host_that_looks_like_github_is_none() {
    for host in [
        "github.com@evil.example",
        "github.com.evil.example",
        "evil-github.com",
        "g\u{456}thub.com",
    ] {
        let repository = foo(
            "alpine3.18",
            &FILE.replace("@URL", &crate::others::URL.replace("github.com", host)),
        );
        let host = host.rsplit('@').next().expect("a host");
        let found = format!("owner: found {host}/acme/foo, expected acme/foo");
        repository.finds(&[&format!("{found}, which publishes the releases")]);
    }
}

#[test]
fn an_address_with_the_old_series_in_it_is_refused() {
    let text = FILE.replace("/foo/releases", "/foo/1.2/releases");
    let repository = foo(
        "alpine3.18",
        &format!("{text}LABEL a=https://foo.example/1.2/foo-${{FOO}}\n"),
    );
    repository.write(
        "releases/v1.3.0/SHA256SUMS",
        repository
            .read("releases/v1.2.4/SHA256SUMS")
            .replace("1.2.4", "1.3.0"),
    );
    let args = ["-q", "1.3.0", "--from", "releases"];
    repository.run(&args).fails_with(&[
        "addresses of the server's version have its old series in them",
        "1.2.3/alpine3.18/Dockerfile:4: found 1.2, the old series",
    ]);
    let args = ["-q", "1.2.4", "--from", "releases"];
    repository.run(&args).exits_with(0);
}

#[test]
fn a_condition_on_a_version_directory_moves_with_the_item() {
    let repository = foo("alpine3.18", FILE);
    let workflow = |version: &str| {
        format!(
            "on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    strategy:
      matrix:
        version: ['{version}']
    steps:
      - if: matrix.version == '{version}'
        run: docker build ${{{{ matrix.version }}}}/alpine3.18
"
        )
    };
    repository.write(".github/workflows/a.yml", workflow("1.2.3"));
    let args = ["-q", "1.2.4", "--from", "releases"];
    repository.run(&args).exits_with(0);
    assert_eq!(
        repository.read(".github/workflows/a.yml"),
        workflow("1.2.4")
    );
}
