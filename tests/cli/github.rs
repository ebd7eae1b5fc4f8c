//! The default address: GitHub over TLS, behind a proxy, as far as that can be had without GitHub.
//!
//! A proxy on this machine answers for `github.com` and its storage, with certificates of an authority that the program is
//! told of by `SSL_CERT_FILE`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::{Repository, Run, program, releases, same, snapshot, tree};
use crate::web::{Server, response};

const RELEASES: &str = "/nats-io/nats-streaming-server/releases";

/// A request as it arrives: the host of the tunnel, and its lines.
struct Request {
    host: String,
    head: Vec<String>,
}

impl Request {
    fn path(&self) -> &str {
        self.head
            .first()
            .and_then(|line| line.split(' ').nth(1))
            .unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head
            .iter()
            .find_map(|line| {
                line.split_once(": ")
                    .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            })
            .map(|(_, value)| value)
    }
}

/// Address, authorization and user agent of a request.
type Logged = (String, Option<String>, Option<String>);

type Answer = dyn Fn(&Request) -> Vec<u8> + Send + Sync;

/// A proxy that answers for every host itself.
struct Proxy {
    address: String,
    authority: Repository,
    log: Arc<Mutex<Vec<Logged>>>,
}

impl Proxy {
    fn new(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = Repository::empty();
        authority.write(
            "ca.pem",
            params.self_signed(&key).expect("a certificate").pem(),
        );
        let issuer = Arc::new(Issuer::new(params, key));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let log: Arc<Mutex<Vec<_>>> = Arc::default();
        let (answer, shared): (Arc<Answer>, _) = (Arc::new(answer), Arc::clone(&log));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (answer, issuer, log) = (
                    Arc::clone(&answer),
                    Arc::clone(&issuer),
                    Arc::clone(&shared),
                );
                thread::spawn(move || tunnel(connection, &issuer, &*answer, &log));
            }
        });
        Self {
            address,
            authority,
            log,
        }
    }

    fn update(&self, repository: &Repository, args: &[&str]) -> Run {
        let mut command = program(repository.root(), args);
        command
            .env("HTTPS_PROXY", &self.address)
            .env("SSL_CERT_FILE", self.authority.path("ca.pem"))
            .env("GH_TOKEN", "the-token");
        Run::of(&mut command)
    }
}

/// The lines of a head, read byte by byte, so that nothing behind it is lost.
fn head(stream: &mut impl Read) -> Vec<String> {
    let lines = BufReader::with_capacity(1, stream)
        .lines()
        .map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).collect()
}

fn tunnel(
    mut connection: TcpStream,
    issuer: &Issuer<KeyPair>,
    answer: &Answer,
    log: &Mutex<Vec<Logged>>,
) {
    let connect = head(&mut connection);
    let Some(host) = connect
        .first()
        .and_then(|line| line.strip_prefix("CONNECT ")?.split(':').next())
        .map(str::to_owned)
    else {
        return;
    };
    connection
        .write_all(b"HTTP/1.1 200 OK\r\n\r\n")
        .expect("a client");
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec![host.clone()])
        .expect("parameters")
        .signed_by(&key, issuer)
        .expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate.der().to_vec())],
            PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
        )
        .expect("a configuration");
    let mut stream = StreamOwned::new(
        ServerConnection::new(Arc::new(config)).expect("a connection"),
        connection,
    );
    let request = Request {
        host,
        head: head(&mut stream),
    };
    let value = |name| request.header(name).map(str::to_owned);
    let entry = (
        format!("{}{}", request.host, request.path()),
        value("authorization"),
        value("user-agent"),
    );
    log.lock().expect("the log").push(entry);
    // A client that refuses the certificate is one of the tests.
    let _ = stream
        .write_all(&answer(&request))
        .and_then(|()| stream.flush());
}

fn redirect(location: &str) -> Vec<u8> {
    response("302 Found", &format!("Location: {location}\r\n"), "")
}

fn sums() -> Vec<u8> {
    response(
        "200 OK",
        "",
        std::fs::read(releases().join("v0.25.6/SHA256SUMS")).expect("sums"),
    )
}

#[test]
fn an_error_is_an_annotation_too() {
    let run = Repository::empty()
        .run(&["check", "--format", "github"])
        .exits_with(2);
    assert!(
        run.stdout.starts_with("::error::no version directory"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.starts_with("error: no version directory"),
        "{}",
        run.stderr
    );
    // The runner reads one line.
    let repository = Repository::of(&tree("streaming/before"));
    repository.edit("0.25.5/alpine3.18/Dockerfile", ".tar.gz\"", ".targz\"");
    let run = repository
        .update(&["0.25.6", "--format", "github"])
        .exits_with(2);
    assert!(
        run.stdout
            .starts_with("::error::these problems cannot be fixed automatically:%0A  0.25.5/"),
        "{}",
        run.stdout
    );
    assert_eq!(run.stdout.lines().count(), 1);
}

#[test]
fn the_default_address_is_the_projects_downloads_and_the_token_is_for_github_alone() {
    let proxy = Proxy::new(|request| {
        match (request.host.as_str(), request.path().strip_prefix(RELEASES)) {
            ("github.com", Some("/latest")) => {
                redirect(&format!("https://github.com{RELEASES}/tag/v0.25.6"))
            }
            ("github.com", Some("/tag/v0.25.6")) => response("200 OK", "", "<html>"),
            ("github.com", Some("/download/v0.25.6/SHA256SUMS")) => {
                redirect("https://release-assets.githubusercontent.com/sums?key=1")
            }
            ("release-assets.githubusercontent.com", _) => sums(),
            _ => response("404 Not Found", "", ""),
        }
    });
    let repository = Repository::of(&tree("streaming/before"));
    proxy.update(&repository, &["-q", "latest"]).exits_with(0);
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
    let token = Some("Bearer the-token".to_owned());
    let agent = Some(concat!("update/", env!("CARGO_PKG_VERSION")).to_owned());
    let expected = [
        (
            format!("github.com{RELEASES}/latest"),
            token.clone(),
            agent.clone(),
        ),
        (
            format!("github.com{RELEASES}/tag/v0.25.6"),
            token.clone(),
            agent.clone(),
        ),
        (
            format!("github.com{RELEASES}/download/v0.25.6/SHA256SUMS"),
            token.clone(),
            agent.clone(),
        ),
        (
            "release-assets.githubusercontent.com/sums?key=1".to_owned(),
            None,
            agent.clone(),
        ),
        (
            "api.github.com/repos/nats-io/nats-streaming-server/releases/tags/v0.25.6".to_owned(),
            token,
            agent,
        ),
    ];
    assert_eq!(*proxy.log.lock().expect("the log"), expected);
}

/// A release of 0.25.6 on GitHub, with what its API says of it.
fn with_api(answer: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Proxy {
    Proxy::new(move |request| match request.host.as_str() {
        "github.com" => sums(),
        "api.github.com" if request.path().ends_with("/releases/tags/v0.25.6") => answer(),
        _ => response("404 Not Found", "", ""),
    })
}

/// What the API says: each file of the release with the digest that `of` makes of its hash.
fn assets(of: impl Fn(&str, &str) -> serde_json::Value) -> Vec<u8> {
    let text = std::fs::read_to_string(releases().join("v0.25.6/SHA256SUMS")).expect("sums");
    let lines = text.lines().filter_map(|line| line.split_once("  "));
    let assets: Vec<serde_json::Value> = lines
        .map(
            |(hash, name)| serde_json::json!({ "name": name, "size": 1, "digest": of(name, hash) }),
        )
        .collect();
    let answer = serde_json::json!({ "tag_name": "v0.25.6", "immutable": true, "assets": assets });
    response("200 OK", "", answer.to_string())
}

#[test]
fn githubs_own_digests_are_a_second_witness() {
    let proxy = with_api(|| assets(|_, hash| format!("sha256:{hash}").into()));
    let repository = Repository::of(&tree("streaming/before"));
    let run = proxy.update(&repository, &["0.25.6"]).exits_with(0);
    let line = "SHA256SUMS and GitHub's digests agree on 6 archives, in immutable releases\n";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    assert_eq!(run.stderr, "");
    same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
    let log = proxy.log.lock().expect("the log");
    let (address, token, _) = log.last().expect("a request");
    assert_eq!(
        address,
        "api.github.com/repos/nats-io/nats-streaming-server/releases/tags/v0.25.6"
    );
    assert_eq!(token.as_deref(), Some("Bearer the-token"));
}

#[test]
fn checksums_that_github_contradicts_are_refused() {
    let proxy = with_api(|| {
        assets(|name, hash| match name.contains("linux-arm64.tar.gz") {
            true => format!("sha256:{}", "0".repeat(64)).into(),
            false => format!("sha256:{hash}").into(),
        })
    });
    let repository = Repository::of(&tree("streaming/before"));
    proxy.update(&repository, &["0.25.6"]).fails_with(&[
        "SHA256SUMS and GitHub's digests of the same files differ:\n  nats-streaming-server-v0.25.6-linux-arm64.tar.gz: ",
        " in https://github.com/nats-io/nats-streaming-server/releases/download/v0.25.6/SHA256SUMS, 0000",
        " at https://api.github.com/repos/nats-io/nats-streaming-server/releases/tags/v0.25.6",
        "ask those who published the release",
    ]);
    same(&repository.snapshot(), &snapshot(&tree("streaming/before")));
    // Of two files of one name each counts.
    let twice = with_api(|| {
        let text = String::from_utf8(assets(|_, hash| format!("sha256:{hash}").into()));
        let text = text.expect("text");
        let body = text.split_once("\r\n\r\n").expect("a body").1;
        let mut answer: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let all = answer["assets"].as_array_mut().expect("files");
        let mut first = all[0].clone();
        first["digest"] = format!("sha256:{}", "0".repeat(64)).into();
        all.insert(0, first);
        response("200 OK", "", answer.to_string())
    });
    twice
        .update(&repository, &["0.25.6"])
        .fails_with(&["GitHub's digests of the same files differ"]);
    let run = proxy.update(
        &Repository::of(&tree("streaming/after")),
        &["check", "--online"],
    );
    run.fails_with(&["GitHub's digests of the same files differ"]);
}

#[test]
fn a_witness_that_is_silent_is_a_warning_and_an_error_where_all_is_to_be_verified() {
    let limited = || response("403 rate limit exceeded", "", "{}");
    let old = || assets(|_, _| serde_json::Value::Null);
    let page = || response("200 OK", "", "<html>");
    type Answers = fn() -> Vec<u8>;
    let silent: [(Answers, &str); 3] = [
        (
            limited,
            "cannot compare SHA256SUMS of 0.25.6 with GitHub's digests: ",
        ),
        (
            old,
            "GitHub has no digest for 6 files of 0.25.6, so SHA256SUMS cannot be compared there",
        ),
        (
            page,
            "cannot compare SHA256SUMS of 0.25.6 with GitHub's digests: ",
        ),
    ];
    for (answer, words) in silent {
        let proxy = with_api(answer);
        let repository = Repository::of(&tree("streaming/before"));
        let run = proxy.update(&repository, &["0.25.6"]).exits_with(0);
        assert!(
            run.stderr.starts_with(&format!("warning: {words}")) && run.stderr.lines().count() == 1,
            "{}",
            run.stderr
        );
        assert!(!run.stdout.contains("agree"), "{}", run.stdout);
        same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
        let repository = Repository::of(&tree("streaming/before"));
        proxy
            .update(&repository, &["--verify", "0.25.6"])
            .fails_with(&[words]);
        same(&repository.snapshot(), &snapshot(&tree("streaming/before")));
    }
}

#[test]
fn a_redirect_from_https_down_to_http_is_refused() {
    let proxy = Proxy::new(|_| redirect("http://github.com/SHA256SUMS"));
    let repository = Repository::of(&tree("streaming/before"));
    let run = proxy.update(&repository, &["0.25.6"]);
    assert!(!run.stderr.contains("the-token"), "{}", run.stderr);
    run.fails_with(&[
        "cannot fetch https://github.com/nats-io/",
        "caused by: a redirect from https to http://github.com/SHA256SUMS",
    ]);
    same(&repository.snapshot(), &snapshot(&tree("streaming/before")));
}

#[test]
fn an_address_that_leads_on_to_https_is_named() {
    let mirror = Server::new(|_, _| redirect("https://github.com/SHA256SUMS"));
    let repository = Repository::of(&tree("streaming/before"));
    let from = format!("{}/releases", mirror.address);
    repository.run(&["--from", &from, "0.25.6"]).fails_with(&[
        "a redirect to https://github.com/SHA256SUMS: give the https address itself",
    ]);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let (proxy, other) = (Proxy::new(|_| sums()), Proxy::new(|_| sums()));
    let repository = Repository::of(&tree("streaming/before"));
    let mut command = program(repository.root(), &["0.25.6"]);
    command
        .env("HTTPS_PROXY", &proxy.address)
        .env("SSL_CERT_FILE", other.authority.path("ca.pem"));
    Run::of(&mut command).fails_with(&["invalid peer certificate"]);
    same(&repository.snapshot(), &snapshot(&tree("streaming/before")));
}

#[test]
fn a_machine_without_certificates_does_all_that_needs_none() {
    let nowhere = |args: &[&str]| {
        let repository = Repository::of(&tree("streaming/before"));
        let mut command = program(repository.root(), args);
        command
            .env("SSL_CERT_FILE", "/nowhere")
            .env("SSL_CERT_DIR", "/nowhere");
        Run::of(&mut command)
    };
    nowhere(&["check"]).exits_with(0);
    nowhere(&["--from", releases().to_str().expect("UTF-8"), "0.25.6"]).exits_with(0);
    nowhere(&["0.25.6"]).fails_with(&[
        "cannot make an HTTP client: are CA certificates installed (or named by SSL_CERT_FILE)?",
    ]);
}
