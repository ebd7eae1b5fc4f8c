//! Which archive a hash is of: read off the download that it is compared with. Where that does not tell, the update is refused.

use crate::support::{Repository, releases, same, tree};

const PATH: &str = "0.25.5/alpine3.18/Dockerfile";
const URL: &str = "https://github.com/nats-io/nats-streaming-server/releases/download/v${NATS_STREAMING_SERVER}/nats-streaming-server-v${NATS_STREAMING_SERVER}-linux-";

const RELEASE: &str =
    "https://github.com/nats-io/nats-streaming-server/releases/download/v${NATS_STREAMING_SERVER}";
const ARCHIVE: &str = "nats-streaming-server-v${NATS_STREAMING_SERVER}-linux-amd64.tar.gz";

/// The published hash of an archive for Linux.
fn hash(version: &str, platform: &str) -> String {
    let sums = std::fs::read_to_string(releases().join(format!("v{version}/SHA256SUMS")));
    let sums = sums.expect("the sums");
    let name = format!("nats-streaming-server-v{version}-linux-{platform}.tar.gz");
    let line = sums.lines().find(|line| line.ends_with(&name));
    line.expect("a line of it")[..64].to_owned()
}

/// A Dockerfile of a version. In the text `@V` stands for it, `@URL` for the address of an archive up to its platform,
/// `@AMD`, `@ARM` for their hashes and `@X`, `@Y` for hashes of other files.
fn dockerfile(version: &str, text: &str) -> String {
    format!("FROM alpine:3.18\nSHELL [\"/bin/sh\", \"-ec\"]\nENV NATS_STREAMING_SERVER @V\n{text}")
        .replace("@V", version)
        .replace("@URL", URL)
        .replace("@AMD", &hash(version, "amd64"))
        .replace("@ARM", &hash(version, "arm64"))
        .replace("@X", &"5".repeat(64))
        .replace("@Y", &"6".repeat(64))
}

fn repository(text: &str) -> Repository {
    let repository = Repository::of(&tree("streaming/before"));
    repository.write(PATH, dockerfile("0.25.5", text));
    repository
}

/// A text, and the same with a comment above each of its commands, and in each line that goes on, which says as much.
fn forms(text: &str) -> [String; 3] {
    let above = format!("\n{text}").replace("\nRUN ", "\n# Get it.\nRUN ");
    let inside = text.replace("\\\n", "\\\n# First; the | rest && more.\n");
    [text.to_owned(), above[1..].to_owned(), inside]
}

#[track_caller]
fn moves(text: &str) {
    for text in forms(text) {
        repository(&text).finds(&[]);
    }
    comes_out(text);
}

#[track_caller]
fn comes_out(text: &str) {
    for text in forms(text) {
        let repository = repository(&text);
        repository.update(&["-q", "0.25.6"]).exits_with(0);
        let found = repository.read("0.25.6/alpine3.18/Dockerfile");
        assert_eq!(found, dockerfile("0.25.6", &text));
    }
}

#[track_caller]
fn is_refused(text: &str) {
    for text in forms(text) {
        let repository = repository(&text);
        let before = repository.snapshot();
        let cannot = "cannot tell which archive this hash belongs to";
        let run = repository.update(&["0.25.6"]);
        assert_ne!(run.status, 0, "{text}");
        run.fails_with(&[cannot]);
        same(&repository.snapshot(), &before);
    }
}

#[test]
fn an_address_and_a_hash_in_each_branch_belong_together_in_either_order() {
    for quote in ["'", "\"", ""] {
        let url = |platform: &str| format!("url={quote}@URL{platform}.tar.gz{quote}");
        let sha = |hash: &str| format!("sha={quote}{hash}{quote}");
        for swap in [false, true] {
            let branch = |label: &str, platform: &str, hash: &str| {
                let (mut first, mut second) = (url(platform), sha(hash));
                if swap {
                    std::mem::swap(&mut first, &mut second);
                }
                format!("  {label}) {first}; {second} ;; \\\n")
            };
            let branches = branch("x86_64", "amd64", "@AMD") + &branch("aarch64", "arm64", "@ARM");
            moves(&format!(
                "RUN case \"$(apk --print-arch)\" in \\\n{branches}  *) exit 1 ;; \\\nesac; \\\nwget -O f \"$url\"; echo \"$sha *f\" | sha256sum -c -\n"
            ));
        }
    }
}

#[test]
fn an_address_in_a_branch_is_of_the_architecture_that_chooses_it() {
    let check = "echo '@ARM  f' | sha256sum -c";
    for (branch, after) in [
        (format!("wget -O f @URLarm64.tar.gz; {check}"), "true"),
        (
            "url=@URLarm64.tar.gz".to_owned(),
            &format!("wget -O f \"$url\"; {check}"),
        ),
        (
            "sum=@ARM; url='@URLarm64.tar.gz'".to_owned(),
            "wget -O f \"$url\"; echo \"$sum  f\" | sha256sum -c",
        ),
    ] {
        let case = |asked: &str| {
            format!("RUN case \"$({asked})\" in \\\n  x86_64) {branch} ;; \\\nesac; \\\n{after}\n")
        };
        let text = case("apk --print-arch");
        let repository = repository(&text);
        let all = repository.findings();
        let wrong = ": architecture: found arm64, expected amd64";
        assert!(
            all.iter().any(|finding| finding.contains(wrong)),
            "{all:#?}"
        );
        let right = text
            .replace("@URLarm64", "@URLamd64")
            .replace("@ARM", "@AMD");
        repository.update(&["-q", "0.25.6"]).exits_with(0);
        let found = repository.read("0.25.6/alpine3.18/Dockerfile");
        assert_eq!(found, dockerfile("0.25.6", &right));
        // Others have other names.
        moves(&case("uname -m").replace("RUN ", "RUN apk add --no-cache foo; "));
    }
    let without = "RUN case \"$(apk --print-arch)\" in x86_64) wget @URLarm64.tar.gz ;; esac\n";
    let all = repository(without).findings();
    assert!(
        all.iter().any(|finding| finding.contains("expected amd64")),
        "{all:#?}"
    );
}

#[test]
fn a_variable_is_of_what_is_compared_with_it() {
    let case = |arch: &str, sha: &str, hashes: [&str; 2]| {
        format!(
            "case \"$(apk --print-arch)\" in x86_64) {arch}=amd64; {sha}='{}' ;; aarch64) {arch}=arm64; {sha}='{}' ;; esac; \\\n",
            hashes[0], hashes[1]
        )
    };
    let ours = case("arch", "sha", ["@AMD", "@ARM"]);
    let other = case("arch", "sha", ["@X", "@Y"]);
    let get = "wget -O f \"@URL${arch}.tar.gz\"; echo \"$sha *f\" | sha256sum -c -; \\\n";
    let get_other = "wget -O g \"https://bar.example/bar-${arch}.tgz\"; echo \"$sha *g\" | sha256sum -c -; \\\n";
    // In instructions of their own the same variables are not the same.
    moves(&format!(
        "RUN {other}{get_other}true\nRUN {ours}{get}true\n"
    ));
    // In one, nobody can tell.
    is_refused(&format!("RUN {ours}{get}{other}{get_other}true\n"));
    is_refused(&format!("RUN {other}{get_other}{ours}{get}true\n"));
    // The other one's hash alone, whatever stands between.
    let without = "wget -O f \"@URL${arch}.tar.gz\"; \\\n";
    comes_out(&format!("RUN {other}{get_other}{without}true\n"));
    comes_out(&format!("RUN {other}{without}{get_other}true\n"));
}

#[test]
fn a_download_by_an_unknown_command_makes_a_hash_uncertain() {
    for command in [
        "python3 -c 'fetch()' https://bar.example/bar g",
        "aria2c -o g https://bar.example/bar",
    ] {
        is_refused(&format!(
            "RUN wget -O f @URLamd64.tar.gz; {command}; check @X\n"
        ));
    }
}

#[test]
fn two_hashes_of_one_archive_cannot_both_be_its() {
    is_refused(
        "RUN wget -O f @URLamd64.tar.gz; echo \"@AMD f\" | sha256sum -c; echo \"@X f\" | sha256sum -c\n",
    );
    // Twice the same is no contradiction.
    moves(
        "RUN wget -O f @URLamd64.tar.gz; echo \"@AMD f\" | sha256sum -c; echo \"@AMD f\" | sha256sum -c\n",
    );
}

#[test]
fn what_an_archive_is_called_with_more_behind_is_another_file() {
    let beside = "wget -O s @URLamd64.tar.gz.sbom; echo \"@X s\" | sha256sum -c; ";
    let repository = repository(&format!(
        "RUN {beside}wget -O f @URLamd64.tar.gz; echo \"@AMD f\" | sha256sum -c\n"
    ));
    let run = repository.update(&["0.25.6"]);
    // Its hash is none that is published with the archives: left as it is, or refused, and never taken for the archive's.
    if run.status == 0 {
        let text = repository.read("0.25.6/alpine3.18/Dockerfile");
        assert!(text.contains(&"5".repeat(64)), "{text}");
    }
}

#[test]
fn a_hash_of_another_file_is_not_the_archives_even_where_it_is_the_only_one() {
    for text in [
        "RUN wget -O f @URLamd64.tar.gz; tar xf f; echo \"@X  /usr/bin/nats-streaming-server\" | sha256sum -c\n",
        "COPY bar.tgz /\nRUN sha256sum bar.tgz | grep -q @X\nRUN wget -O f @URLamd64.tar.gz\n",
    ] {
        is_refused(text);
    }
}

#[test]
fn a_hash_is_of_the_file_that_its_statement_hashes() {
    let get_other = "wget -O g https://bar.example/bar; ";
    for text in [
        format!("ENV SUM @AMD\nENV BAR_SHA256 @X\nRUN {get_other}echo \"$BAR_SHA256  g\" | sha256sum -c\nRUN wget -O /tmp/f @URLamd64.tar.gz; echo \"$SUM  /tmp/f\" | sha256sum -c\n"),
        "RUN wget -O f @URLamd64.tar.gz && sha256sum ./f | grep @AMD\n".to_owned(),
        "RUN curl -fsSLo f @URLamd64.tar.gz; echo \"@AMD *f\" > sums; [ \"$(sha256sum f)\" = \"@AMD  f\" ]\n".to_owned(),
        // Beside other downloads, and in other instructions.
        format!("RUN wget -O f @URLamd64.tar.gz; {get_other}echo \"@AMD  f\" | sha256sum -c; echo \"@X  g\" | sha256sum -c\n"),
        format!("ENV SUM @AMD\nRUN wget -O f @URLamd64.tar.gz; {get_other}echo \"$SUM  f\" | sha256sum -c\n"),
        "RUN wget -O a @URLamd64.tar.gz; wget -O b @URLarm64.tar.gz; sha256sum a | grep @AMD; sha256sum b | grep @ARM\n".to_owned(),
        "ARG SHA256=${SHA256:-@AMD}\nRUN wget -O f @URLamd64.tar.gz; echo \"$SHA256 f\" | sha256sum -c\n".to_owned(),
        "RUN wget -O- @URLamd64.tar.gz | tee f | sha256sum | grep -q @AMD\n".to_owned(),
        "RUN wget -O f @URLamd64.tar.gz; printf \"@AMD  f\\n\" | sha256sum -c\n".to_owned(),
        "RUN iwr @URLamd64.tar.gz -OutFile C:\\t\\f; if ((Get-FileHash C:\\t\\f).Hash -ne '@AMD') { exit 1 }\n".to_owned(),
        // The log is another file than the archive.
        "RUN wget -o log -O f @URLamd64.tar.gz; wget -o f.log -O g https://bar.example/bar; echo \"@X  g\" | sha256sum -c; echo \"@AMD  f\" | sha256sum -c\n".to_owned(),
        "RUN curl -fsSLO --compressed @URLamd64.tar.gz; sha256sum nats-streaming-server-v@V-linux-amd64.tar.gz | grep @AMD\n".replace("@V", "${NATS_STREAMING_SERVER}"),
        "RUN curl -fsSLof @URLamd64.tar.gz; echo \"@AMD  f\" | sha256sum -c\n".to_owned(),
        "RUN (cd /x && wget -O f @URLamd64.tar.gz && echo \"@AMD  f\" | sha256sum -c)\n".to_owned(),
        "RUN cd /x; (wget -O f @URLamd64.tar.gz; echo \"@AMD  f\" | sha256sum -c); tar xf *.tgz\n".to_owned(),
        "RUN D=/x; wget -O \"$D/f\" \"@URLamd64.tar.gz\"; echo \"@AMD  $D/f\" | sha256sum -c\n".to_owned(),
        "RUN curl @URLamd64.tar.gz > f; echo \"@AMD  f\" | sha256sum -c\n".to_owned(),
        "RUN wget -O- @URLamd64.tar.gz 2>&1 | tee f; echo \"@AMD  f\" | sha256sum -c\n".to_owned(),
        "RUN curl -o f @URLamd64.tar.gz && echo \"@AMD  f\" | tee SHA256SUM | sha256sum -c\n".to_owned(),
        // One spelling of a variable or the other, and the name of the archive in one.
        "RUN D=/x; wget -O \"${D}/f\" @URLamd64.tar.gz; echo \"@AMD  $D/f\" | sha256sum -c\n".to_owned(),
        format!("RUN file=\"{ARCHIVE}\"; wget \"{RELEASE}/$file\"; echo \"@AMD  $file\" | sha256sum -c\n"),
        format!("RUN file=\"{ARCHIVE}\"; wget \"{RELEASE}/${{file}}\"; echo \"@AMD  $file\" | sha256sum -c\n"),
        "RUN $u = ('@URLamd64.tar.gz' -replace 'x', $Env:X); iwr $u -OutFile f; if ((Get-FileHash -Algorithm SHA256 f).Hash -ne '@AMD') { exit 1 }\n".replace("${NATS_STREAMING_SERVER}", "$Env:NATS_STREAMING_SERVER"),
        "RUN $url='@URLamd64.tar.gz'; iwr -Uri $url -OutFile S.zip; if ((Get-FileHash S.zip).Hash -ne '@AMD') { exit 1 }\n".to_owned(),
        // What looks at a file leaves it as it is.
        "RUN wget -O f @URLamd64.tar.gz; ls -l f; [ -s f ]; test -f f; gpg --batch --verify f.asc f; chmod 644 f; echo \"@AMD  f\" | sha256sum -c; tar xzf f; rm f\n".to_owned(),
        // The hash before the architecture.
        "RUN case \"$(apk --print-arch)\" in x86_64) sha='@AMD'; arch=amd64 ;; aarch64) sha='@ARM'; arch=arm64 ;; esac; wget -O f \"@URL${arch}.tar.gz\"; echo \"$sha f\" | sha256sum -c\n".to_owned(),
        // In a branch whose own download is another file.
        "RUN wget -O f @URLamd64.tar.gz; if [ x ]; then :; else wget -O g @URLarm64.tar.gz; echo \"@AMD  f\" | sha256sum -c; echo \"@ARM  g\" | sha256sum -c; fi\n".to_owned(),
        format!("RUN wget -O f @URLamd64.tar.gz; {get_other}echo \"@AMD  f\" | sha256sum -c; echo \"{}  g\" | sha512sum -c\n", "5".repeat(128)),
        "RUN iwr @URLamd64.tar.gz -OutFile f; $h = (Get-FileHash f).Hash; $h = $h.ToLower(); if ($h -ne '@AMD') { exit 1 }\n".to_owned(),
        // By the start of the address in a variable.
        "ARG URL=https://github.com/nats-io/nats-streaming-server/releases/download/v${NATS_STREAMING_SERVER}\nRUN wget -O f $URL/nats-streaming-server-v${NATS_STREAMING_SERVER}-linux-amd64.tar.gz; echo \"@AMD  f\" | sha256sum -c\n".to_owned(),
        "RUN if [ x = y ]; then url=@URLamd64.tar.gz; sum=@AMD; else url=@URLarm64.tar.gz; sum=@ARM; fi; wget -O f $url; echo \"$sum  f\" | sha256sum -c\n".to_owned(),
    ] {
        moves(&text);
    }
}

#[test]
fn a_hash_of_what_nobody_can_tell_is_refused() {
    for text in [
        // Of another file, or of nobody knows which.
        "RUN wget -O /tmp/f @URLamd64.tar.gz; sha256sum /etc/f | grep @X\n",
        "RUN wget -O f @URLamd64.tar.gz 2>&1; sha256sum bar | cut -d' ' -f 1 | grep @X\n",
        "RUN if wget -qO- @URLamd64.tar.gz >/dev/null; then sha256sum bar >/dev/null && grep @X bar; fi\n",
        "RUN wget -O f @URLamd64.tar.gz; gpg --verify f.asc f; sha256sum /etc/bar | grep @X\n",
        "RUN wget -O f @URLamd64.tar.gz; [ \"$(sha256sum /etc/bar)\" = @X ]\n",
        "RUN wget -O f @URLamd64.tar.gz; echo \"@X\" \"/etc/bar\" | sha256sum -c\n",
        "ENV CA_SHA256=@X\nRUN wget -O f @URLamd64.tar.gz\n",
        "RUN wget -O f @URLamd64.tar.gz; tar xf f -C /bin; cd /bin; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; mv bar f; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; gunzip -c f | sha256sum | grep @X\n",
        "RUN wget -O f @URLamd64.tar.gz; sha256sum f /etc/bar | grep @X\n",
        "RUN wget -O f @URLamd64.tar.gz; foo --api-key @X\n",
        "RUN wget -O f @URLamd64.tar.gz; echo \"@X  f\" | b3sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz\nRUN wget https://bar.example/bar; echo \"@X  f\" | sha256sum -c\n",
        // Nothing compares it.
        "ENV TINI_SHA256=@X\nRUN wget -O f @URLamd64.tar.gz; echo \"@AMD f\" | sha256sum -c\n",
        // Where the downloads are not seen, nothing is known of what is compared.
        "COPY <<E /get\nwget -O f @URLamd64.tar.gz\nwget -O g https://bar.example/bar\necho \"@X g\" | sha256sum -c\nE\n",
        // Two lines in one string.
        "RUN wget -O a https://bar.example/bar; wget -O f @URLamd64.tar.gz; echo -e \"@X  a\\n@AMD  f\" | sha256sum -c\n",
        // What is compared is not what is hashed.
        "RUN wget -O f @URLamd64.tar.gz; h=$(sha256sum f); h=$(cat bar); [ \"$h\" = @X ]\n",
        "RUN wget -O f @URLamd64.tar.gz; h=$(sha256sum bar); [ \"$h\" = @X ]\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; copy bar f; if ((Get-FileHash f).Hash -ne '@X') { exit 1 }\n",
        // The hash in a variable, or in a list.
        "RUN wget -O /tmp/f @URLamd64.tar.gz\nRUN sha256sum /tmp/f | grep @AMD\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; if ((Get-FileHash .\\F).Hash -ne '@AMD') { exit 1 }\n",
        "RUN wget -O f @URLamd64.tar.gz; echo \"@AMD  f\" > f.sha256; sha256sum -c f.sha256 || exit 1\n",
        "RUN wget -O f @URLamd64.tar.gz; s=@X; echo \"$s  f\" > SHA256SUM; sha256sum -c SHA256SUM\n",
        "RUN wget -O f @URLamd64.tar.gz; h=\"$(sha256sum f | cut -d ' ' -f 1)\"; if [ \"$h\" != @AMD ]; then exit 1; fi\n",
        "ARG SUM=@AMD\nRUN wget -O f @URLamd64.tar.gz; h=$(sha256sum f); [ \"${h%% *}\" = \"$SUM\" ]\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; $h = (Get-FileHash f).Hash; if ($x -ne '@X') { exit 1 }\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; $h = (Get-FileHash f).Hash; $h = $env:BAR; if ($h -ne '@X') { exit 1 }\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; $h = (Get-FileHash f).Hash; $H = $env:BAR; if ($h -ne '@X') { exit 1 }\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; $h = (Get-FileHash f).Hash; ${h} = $env:BAR; if ($h -ne '@X') { exit 1 }\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; $h = (Get-FileHash f).Hash; $script:h = $env:BAR; if ($h -ne '@X') { exit 1 }\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; $h = (Get-FileHash f).Hash; Set-Variable h $env:BAR; if ($h -ne '@X') { exit 1 }\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; $h = (Get-FileHash f).Hash; if ($env:h -ne '@X') { exit 1 }\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; $h = (Get-FileHash f).Hash; dir -OutVariable h; if ($h -ne '@X') { exit 1 }\n",
        "RUN wget -O f @URLamd64.tar.gz; wget -O g https://bar.example/bar; echo \"@AMD  f\" >r; echo \"@X  g\" >s; sha256sum -c r s\n",
        "ADD @URLamd64.tar.gz /f\nRUN echo \"@AMD  /f\" | sha256sum -c\n",
        // Another algorithm, or one whose hashes are as long.
        "ENV SUM=@X\nRUN wget -O f @URLamd64.tar.gz; echo \"$SUM  f\" | sha512sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; echo \"@X  f\" | shasum -a 512256 -c\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; if ((Get-FileHash f -Algorithm SHA512).Hash -ne '@X') { exit 1 }\n",
        "RUN wget -O f @URLamd64.tar.gz; h=$(sha512sum f | cut -c 1-64); [ \"$h\" = @X ]\n",
        // A list of other hashes, or the hash of a list.
        "RUN wget -O f @URLamd64.tar.gz; echo \"@X  g\" > s; sha256sum -c s\n",
        "RUN wget -O f @URLamd64.tar.gz; echo f > s; sha256sum s | grep @X\n",
        // Of another file beside ours, and of two at once.
        "RUN iwr @URLamd64.tar.gz -OutFile f; if ((Test-Path f) -and (Get-FileHash g).Hash -ne '@X') { exit 1 }\n",
        "RUN wget -O f @URLamd64.tar.gz; wget -O t https://bar.example/bar; printf '%s\\n' '@X  t' '@Y  g' | sha256sum -c\n",
        // The release of an address that goes on with a name of ours is another one.
        "RUN file=nats-streaming-server-v${NATS_STREAMING_SERVER}-linux-amd64.tar.gz; wget https://bar.example/v1/$file; echo \"@X  $file\" | sha256sum -c\n",
        "ENV O=1.2.3\nRUN file=nats-streaming-server-v${NATS_STREAMING_SERVER}-linux-amd64.tar.gz; wget https://github.com/nats-io/nats-streaming-server/releases/download/v$O/$file; echo \"@X  $file\" | sha256sum -c\n",
        // One file in two spellings.
        "RUN wget -O f @URLamd64.tar.gz; wget -O $PWD/f https://bar.example/bar; echo \"@X f\" | sha256sum -c\n",
        "RUN wget -O f https://bar.example/bar; wget -O $D/f @URLamd64.tar.gz; echo \"@AMD f\" | sha256sum -c\n",
        "RUN curl -o bar @URLamd64.tar.gz; curl -O https://bar.example/bar; echo \"@X bar\" | sha256sum -c\n",
        // What is checked is not what is downloaded to its place later, or has been put there since.
        "RUN wget -O f @URLamd64.tar.gz\nRUN echo \"@AMD  f\" | sha256sum -c; wget -O f https://bar.example/bar\n",
        "RUN echo \"@X  f\" | sha256sum -c; wget -O f @URLamd64.tar.gz\n",
        "RUN wget -O f @URLamd64.tar.gz; echo \"@AMD  f\" | sha256sum -c; wget -O f https://bar.example/bar\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; Start-BitsTransfer https://bar.example/f -Destination f; if ((Get-FileHash f).Hash -ne '@X') { exit 1 }\n",
        "RUN wget -O f @URLamd64.tar.gz; wget -i list; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; curl -OJ https://bar.example/bar; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; eval \"$BAR\"; echo \"@X  f\" | sha256sum -c\n",
        "RUN h=@X; wget -O f @URLamd64.tar.gz; printf -v h %s bar; echo \"$h  f\" | sha256sum -c\n",
        "RUN h=@X; wget -O f @URLamd64.tar.gz; unset h; echo \"$h  f\" | sha256sum -c\n",
        "RUN h=$(sha256sum f); wget -O f @URLamd64.tar.gz; [ \"$h\" = @X ]\n",
        "RUN wget -O f @URLamd64.tar.gz; gunzip -c bar > f; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; curl -of https://bar.example/bar; echo \"@X  f\" | sha256sum -c\n",
        "ADD @URLamd64.tar.gz /f\nCOPY bar /f\nRUN echo \"@X  /f\" | sha256sum -c\n",
        // An address that is made of parts.
        "ENV FILE nats-streaming-server-v@V-linux-amd64\nRUN for u in https://mirror.example; do wget -O f \"$u/$FILE.tar.gz\"; done; echo \"@AMD  f\" | sha256sum -c\n",
    ] {
        is_refused(text);
    }
}

#[test]
fn a_hash_of_a_file_that_may_have_changed_is_refused() {
    for text in [
        // In a folder of its own, which is over with its brackets.
        "RUN (cd /x && wget -O f @URLamd64.tar.gz); echo \"@X  f\" | sha256sum -c\n",
        "RUN (cd /x; wget -O f @URLamd64.tar.gz) && sha256sum f | grep @X\n",
        // Something else than the address, and than the file.
        "RUN url=@URLamd64.tar.gz; wget -O f \"$url.asc\"; echo \"@X  f\" | sha256sum -c\n",
        "RUN url=@URLamd64.tar.gz; wget -O f \"${url}.asc\"; echo \"@X  f\" | sha256sum -c\n",
        "RUN url=@URLamd64.tar.gz; url+=.asc; wget -O f \"$url\"; echo \"@X  f\" | sha256sum -c\n",
        "RUN $url='@URLamd64.tar.gz'; iwr ($url + '.asc') -OutFile f; if ((Get-FileHash f).Hash -ne '@X') { exit 1 }\n",
        "RUN $url='@URLamd64.tar.gz'; iwr $url.Replace('a', 'b') -OutFile f; if ((Get-FileHash f).Hash -ne '@X') { exit 1 }\n",
        "RUN F=f; wget -O f @URLamd64.tar.gz; wget -O \"$F\" https://bar.example/bar; echo \"@X  f\" | sha256sum -c\n",
        "RUN F=f; wget -O f @URLamd64.tar.gz; wget -O \"${F}\" https://bar.example/bar; echo \"@X  f\" | sha256sum -c\n",
        "RUN D=/x; wget -O \"$D/f\" @URLamd64.tar.gz; D=/y; echo \"@X  $D/f\" | sha256sum -c\n",
        "RUN iwr @URLamd64.tar.gz -OutFile s.zip; iwr https://bar.example/bar -OutFile S.ZIP; if ((Get-FileHash s.zip).Hash -ne '@X') { exit 1 }\n",
        "RUN wget -O t @URLamd64.tar.gz > f; echo \"@X  f\" | sha256sum -c\n",
        "RUN cp t f; curl @URLamd64.tar.gz >> f; echo \"@X  f\" | sha256sum -c\n",
        "RUN cp t f; curl @URLamd64.tar.gz | tee -a f; echo \"@X  f\" | sha256sum -c\n",
        // What may change it without saying so.
        "RUN wget -O f @URLamd64.tar.gz; cp t *.tgz; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; ls | xargs gzip; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; find . -exec strip {} +; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; /repack.sh; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; gzip ?f; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; gpg --output f --decrypt t; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; echo \"$(cp t f)\"; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; echo bar > f; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; cat bar >f && sha256sum f | grep @X\n",
        "RUN wget -O f @URLamd64.tar.gz; echo bar | tee f; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; dd if=bar of=f; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; sed -i s/a/b/ ./f; echo \"@X  f\" | sha256sum -c\n",
        "RUN wget -O f @URLamd64.tar.gz; install bar f && sha256sum f | grep @X\n",
        "RUN iwr @URLamd64.tar.gz -OutFile f; Set-Content f x; if ((Get-FileHash f).Hash -ne '@X') { exit 1 }\n",
        // A variable that holds another address by then.
        "RUN url=@URLamd64.tar.gz; wget -O f $url; url=https://bar.example/bar; wget -O g $url; echo \"@X  g\" | sha256sum -c\n",
        "ENV URL @URLamd64.tar.gz\nRUN URL=https://bar.example/bar; wget -O f $URL; echo \"@X  f\" | sha256sum -c\n",
        "RUN $u='@URLamd64.tar.gz'; $U='https://bar.example/bar'; iwr $u -OutFile f; if ((Get-FileHash f).Hash -ne '@X') { exit 1 }\n",
        "RUN url=@URLamd64.tar.gz; wget -O f ${url%amd64.tar.gz}arm64.tar.gz; echo \"@ARM  f\" | sha256sum -c\n",
        "RUN b=https://github.com/nats-io/nats-streaming-server/releases/download/v${NATS_STREAMING_SERVER}; wget -O f $b/nats-streaming-server-v${NATS_STREAMING_SERVER}-linux-amd64.tar.gz; b=https://bar.example; wget -O g $b/nats-streaming-server-v${NATS_STREAMING_SERVER}-linux-amd64.tar.gz; echo \"@X  g\" | sha256sum -c\n",
        // A variable for the architecture that says something else by then.
        "RUN case \"$(apk --print-arch)\" in x86_64) arch=amd64; s=@X ;; esac; arch=\"$arch-musl\"; wget -O f @URL$arch.tar.gz; echo \"$s  f\" | sha256sum -c\n",
        "RUN case \"$(apk --print-arch)\" in x86_64) arch=amd64; s=@X ;; esac; arch+=-musl; wget -O f @URL$arch.tar.gz; echo \"$s  f\" | sha256sum -c\n",
        "RUN case \"$(apk --print-arch)\" in x86_64) arch=amd64; s=@X ;; esac; read arch < f; wget -O f @URL$arch.tar.gz; echo \"$s  f\" | sha256sum -c\n",
        "RUN case \"$(apk --print-arch)\" in x86_64) arch=amd64; s=@X ;; esac; [ x ] || arch=arm64; wget -O f @URL$arch.tar.gz; echo \"$s  f\" | sha256sum -c\n",
        "RUN arch=amd64; arch=\"$arch\"-musl; wget -O f @URL$arch.tar.gz; echo \"@X  f\" | sha256sum -c\n",
        "RUN $u='@URLamd64.tar.gz'; $u=$u.Replace('amd64','386'); iwr $u -OutFile f; if ((Get-FileHash f).Hash -ne '@X') { exit 1 }\n",
        // A variable for the hash that does.
        "RUN s=@X; s=\"$OTHER\"; wget -O f @URLamd64.tar.gz; echo \"$s  f\" | sha256sum -c\n",
        "RUN s=@X; s=\"${s%x}\"; wget -O f @URLamd64.tar.gz; echo \"$s  f\" | sha256sum -c\n",
        "ENV SUM=@X\nRUN SUM=$(cat g); wget -O f @URLamd64.tar.gz; echo \"$SUM  f\" | sha256sum -c\n",
        // One of several addresses.
        "RUN for u in https://mirror.example/f @URLamd64.tar.gz; do wget -O f $u && break; done; echo \"@AMD f\" | sha256sum -c\n",
    ] {
        is_refused(text);
    }
}

#[test]
fn an_archive_without_a_hash_is_found_beside_one_that_has_one() {
    let pinned = "RUN wget -O b @URLarm64.tar.gz; echo \"@ARM b\" | sha256sum -c\n";
    let missing =
        "5:108: hash: missing the hash of linux-amd64.tar.gz: others in this file have one";
    for text in [
        "RUN wget -O a @URLamd64.tar.gz\n",
        "RUN wget -O a @URLamd64.tar.gz; echo \"no hash a\" | sha256sum -c\n",
    ] {
        let text = format!("{pinned}{text}");
        repository(&text).finds(&[&format!("{PATH}:{missing}")]);
        comes_out(&text);
    }
}

#[test]
fn a_shorter_hash_in_a_variable_that_is_called_so_is_not_left_behind() {
    let pinned = "RUN wget -O f @URLamd64.tar.gz; echo \"@AMD  f\" | sha256sum -c\n";
    for (name, digits) in [("NATS_SHA1", 40), ("NATS_MD5", 32)] {
        let hash = "5".repeat(digits);
        is_refused(&format!("ENV {name}={hash}\n{pinned}"));
    }
    // The ID of a commit is no hash of ours.
    for name in ["PLUGIN_COMMIT", "GIT_SHA1"] {
        moves(&format!("ENV {name}={}\n{pinned}", "5".repeat(40)));
    }
}

#[test]
fn many_hashes_that_are_refused_are_no_trouble() {
    let check = "(cd /x; echo \"@X f\" | sha256sum -c); ";
    let text = format!("RUN wget -O f @URLamd64.tar.gz; {}\n", check.repeat(10_000));
    let repository = repository(&text);
    let cannot = "cannot tell which archive this hash belongs to";
    repository.update(&["0.25.6"]).fails_with(&[cannot]);
}

#[test]
fn a_value_that_is_no_hash_is_not_made_one() {
    for line in [
        "ARG GIT_SHA=unknown",
        "ENV VERIFY_CHECKSUM=true",
        "RUN sum=0; hash=true; sha256=''; sha=",
    ] {
        moves(&format!(
            "{line}\nRUN wget -O f @URLamd64.tar.gz; sum=; echo \"$GIT_SHA $VERIFY_CHECKSUM\"; echo \"@AMD f\" | sha256sum -c\n"
        ));
    }
}

#[test]
fn a_copy_of_a_hash_moves_with_it() {
    let ours = "RUN wget -O f @URLamd64.tar.gz; echo \"@AMD f\" | sha256sum -c\n";
    for line in [
        "LABEL foo.sha256=\"@AMD\"",
        "LABEL foo=\"a line\\n@AMD\"",
        "ENV NATS_SHA256 @AMD",
    ] {
        moves(&format!("{line}\n{ours}"));
    }
}

#[test]
fn what_is_only_called_like_a_hash_or_an_image_or_a_label_stays() {
    for line in [
        "ENV SUMMARY=database",
        "ENV SHAREDIR /usr/share/x",
        "ENV HASHING=argon2",
        "ENV SHARED_BUFFERS=128MB",
        "ENV ADDR=nats-streaming:8080",
        "RUN chown -R nats-streaming:1000 /data",
        "RUN chown nats-streaming:nats-streaming /data",
        "USER nats-streaming:nats-streaming",
        "HEALTHCHECK CMD nc -z nats-streaming:4222",
        "RUN echo nats-streaming:100000:65536 > /etc/subuid",
        "LABEL io.bar.baseimage.version=\"3.18.4\"",
        "LABEL db.schema.version=4.5.6",
    ] {
        moves(&format!(
            "{line}\nRUN wget -O f @URLamd64.tar.gz; echo \"@AMD f\" | sha256sum -c\n"
        ));
    }
}

#[test]
fn an_archive_of_another_system_or_project_is_found() {
    let download = |url: &str| {
        repository(&format!(
            "RUN wget -O f {url}amd64.tar.gz; echo \"@AMD f\" | sha256sum -c\n"
        ))
    };
    let windows = URL.replace("-linux-", "-windows-");
    download(&windows)
        .finds(&["architecture: found windows, expected linux, which alpine3.18 runs on"]);
    let other = URL.replace("nats-io/nats-streaming-server/", "nats-io/nats-server/");
    download(&other)
        .finds(&["owner: found nats-io/nats-server, expected nats-io/nats-streaming-server, which publishes the releases"]);
}

#[test]
fn a_hash_of_a_release_that_nothing_in_the_file_names_is_refused() {
    const PROJECT: &str = "https://github.com/nats-io/nats-streaming-server/releases/download";
    let is_refused_at = |before: &str, path: &str, name: &str| {
        let archive = format!("nats-streaming-server-v{name}-linux-amd64.tar.gz");
        is_refused(&format!(
            "{before}RUN wget -O f {PROJECT}/{path}/{archive}; echo \"@X  f\" | sha256sum -c\n"
        ));
    };
    let whole = "v${NATS_STREAMING_SERVER}";
    let parts = "ENV MM=0.25 PATCH=5\nLABEL org.opencontainers.image.version=@V\n";
    is_refused_at(parts, "v${MM}.${PATCH}", "${MM}.${PATCH}");
    is_refused_at(
        "ENV MINOR=0.25\n",
        "v${MINOR}.5",
        "${NATS_STREAMING_SERVER}",
    );
    is_refused_at("ENV PKG=0_25_5\n", whole, "${PKG}");
    is_refused_at("", whole, "${PKG}");
    is_refused_at("", whole, "${NATS_STREAMING_SERVER%.*}");
    is_refused_at("ENV TAG=stable\n", "${TAG}", "${NATS_STREAMING_SERVER}");
    is_refused_at(
        "",
        "v${NATS_STREAMING_SERVER%5}5",
        "${NATS_STREAMING_SERVER}",
    );
    is_refused_at("", "v0%2E25%2E5", "${NATS_STREAMING_SERVER}");
    let direct = "nats-streaming-server-v${NATS_STREAMING_SERVER}-linux-amd64.tar.gz";
    is_refused(&format!(
        "RUN wget -O f {PROJECT}/{direct}; echo \"@X  f\" | sha256sum -c\n"
    ));
    let address = "https://github.com/${OWNER}/nats-streaming-server/releases/download/v${NATS_STREAMING_SERVER}/nats-streaming-server-v${NATS_STREAMING_SERVER}-linux-amd64.tar.gz";
    is_refused(&format!(
        "ENV OWNER=forker\nRUN wget -O f {address}; echo \"@X  f\" | sha256sum -c\n"
    ));
    let formatted = |argument: &str| {
        format!(
            "RUN $u = ('{PROJECT}/v{{0}}/nats-streaming-server-v{{0}}-linux-amd64.tar.gz' -f {argument}); iwr $u -OutFile f; \
             if ((Get-FileHash f).Hash -ne '@AMD') {{ exit 1 }}\n"
        )
    };
    is_refused(&formatted("'0.25.4'"));
    moves(&formatted("$env:NATS_STREAMING_SERVER"));
    let inside = format!(
        "RUN iwr \"{PROJECT}/v$($env:NATS_STREAMING_SERVER)/nats-streaming-server-v$($env:NATS_STREAMING_SERVER)-linux-amd64.tar.gz\" -OutFile f; \
         if ((Get-FileHash f).Hash -ne '@AMD') {{ exit 1 }}\n"
    );
    moves(&inside);
    is_refused(&inside.replace("v$($env:NATS_STREAMING_SERVER)", "v$($x=$x.Trim('v'"));
    let project = formatted("$env:NATS_STREAMING_SERVER").replace("{0}", "{1}");
    let project = project.replace("nats-io/nats-streaming-server/releases", "{0}/releases");
    moves(&project.replace("-f ", "-f 'nats-io/nats-streaming-server', "));
    is_refused(&project.replace("-f ", "-f $env:PROJECT, "));
    is_refused(&project.replace("-f ", "-f 'forker/nats-streaming-server', "));
}

#[test]
fn an_address_that_cannot_be_followed_is_not_another_programs() {
    const PROJECT: &str = "https://github.com/nats-io/nats-streaming-server/releases/download";
    let beside = "RUN wget -O a @URLamd64.tar.gz; echo \"@AMD  a\" | sha256sum -c\n";
    for tag in ["ENV T=v$NATS_STREAMING_SERVER", "ARG T", "ENV T=v@V"] {
        is_refused(&format!(
            "{tag}\nRUN wget -O f {PROJECT}/$T/nats-streaming-server-$T-linux-arm64.tar.gz; echo \"@X  f\" | sha256sum -c\n"
        ));
    }
    let check = "echo \"@X  f\" | sha256sum -c";
    for text in [
        "RUN url=$(curl -s https://api.github.com/repos/nats-io/nats-streaming-server/releases/tags/v$NATS_STREAMING_SERVER | jq .x); wget -O f $url; @C\n",
        "ARG URL\nRUN wget -O f $URL; @C\n",
        "RUN u=$BASE/x; v=$u; wget -O f $v; @C\n",
        "RUN u=\"@URLarm64.tar.gz\"; v=\"$u\"; wget $v -O f; @C\n",
        "ENV URL=@URLarm64.tar.gz\nRUN for url in $URL; do wget $url -O f && break; done; @C\n",
        "RUN get() { wget -O f \"$1\"; }; get @URLarm64.tar.gz; @C\n",
    ] {
        is_refused(&format!("{beside}{}", text.replace("@C", check)));
    }
    // What is called after another program is of that, and so is what a variable holds of another project.
    for text in [
        "RUN wget -O f $TINI_URL; @C\n",
        "ENV URL=https://bar.example/bar\nRUN wget -O f $URL; @C\n",
        "RUN url='https://bar.example/bar'; wget -O f \"$url\"; @C\n",
    ] {
        moves(&format!("{beside}{}", text.replace("@C", check)));
    }
}

#[test]
fn the_id_of_a_key_is_no_hash_also_where_nothing_is_pinned() {
    let key = "C874011F0AB405110D02105534365D9472D7468F";
    for keys in [
        format!("ENV GPG_KEYS {key}\n"),
        format!("RUN gpg --recv-keys {key}\n"),
        format!("RUN gpg --batch --keyserver keys.example --receive-keys {key}\n"),
    ] {
        comes_out(&format!("{keys}RUN wget -O f @URLamd64.tar.gz\n"));
    }
    is_refused(&format!("ENV SUM {key}\nRUN wget -O f @URLamd64.tar.gz\n"));
}

/// Whether the build is said to go on where the check of an archive that was written to `f` fails.
fn goes_on(check: &str) -> bool {
    let text = dockerfile(
        "0.25.5",
        &format!("RUN wget -O f @URLamd64.tar.gz; {check}\n"),
    );
    let repository = repository("");
    repository.write(PATH, text.replace("SHELL [\"/bin/sh\", \"-ec\"]\n", ""));
    repository.update(&["0.25.6"]).exits_with(0);
    let run = repository.run(&["check"]);
    run.status == 1
        && run
            .stdout
            .contains(": failure: the build goes on where this check fails")
}

#[test]
fn a_check_whose_failure_does_not_end_the_build_is_found_and_moved_all_the_same() {
    let check = "echo \"@AMD  f\" | sha256sum -c -";
    for (before, behind) in [
        ("", "; tar xf f"),
        ("", " || true; tar xf f"),
        ("", " || exit 0; tar xf f"),
        ("set -x; ", "; tar xf f"),
        ("set -e; set +e; ", "; tar xf f"),
        ("if ", "; then :; fi; tar xf f"),
    ] {
        assert!(
            goes_on(&format!("{before}{check}{behind}")),
            "{before} {behind}"
        );
    }
    for (before, behind) in [
        ("", ""),
        ("", " && tar xf f"),
        ("set -eux; ", "; tar xf f"),
        ("set -o errexit; ", "; tar xf f"),
        ("", " || exit 1; tar xf f"),
        ("", " || { echo no; exit 1; }; tar xf f"),
        ("die() { echo no >&2; exit 1; }; ", " || die no; tar xf f"),
        ("if ! ", "; then echo no >&2; exit 1; fi; tar xf f"),
        ("if true; then ", "; fi"),
        ("sh -ec 'true; ", "; tar xf f'"),
    ] {
        assert!(
            !goes_on(&format!("{before}{check}{behind}")),
            "{before} {behind}"
        );
    }
    let compare = |rest: &str| {
        goes_on(&format!(
            "if ((Get-FileHash f).Hash -ne '@AMD') {{ {rest} }}"
        ))
    };
    assert!(compare("Write-Host no"));
    for ending in [
        "Write-Host no; exit 1",
        "throw 'no'",
        "Throw 'no'",
        "write-error no",
    ] {
        assert!(!compare(ending), "{ending}");
    }
}
