//! Releases from a server that behaves as GitHub does, on this machine.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::{Repository, Run, releases, same, snapshot, tree};

/// The path of releases on GitHub.
const DOWNLOADS: &str = "/nats-io/nats-streaming-server/releases/download";

/// A server of answers as they go over the wire. It ends with the tests.
pub struct Server {
    pub address: String,
    /// The request lines that it was sent.
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each request by its path, and by how often that path was asked for before.
    pub fn new(answer: impl Fn(&str, usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (answer, log) = (Arc::new(answer), Arc::clone(&requests));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || serve(connection, &*answer, &log));
            }
        });
        Self { address, requests }
    }

    fn update(&self, repository: &Repository, version: &str) -> Run {
        repository.run(&["--from", &format!("{}{DOWNLOADS}", self.address), version])
    }

    /// Each update fails with these words, and changes nothing.
    #[track_caller]
    fn update_fails(&self, parts: &[&str]) {
        let repository = Repository::of(&tree("streaming/before"));
        self.update(&repository, "0.25.6").fails_with(parts);
        same(&repository.snapshot(), &snapshot(&tree("streaming/before")));
    }

    #[track_caller]
    fn update_succeeds(&self, version: &str) {
        let repository = Repository::of(&tree("streaming/before"));
        self.update(&repository, version).exits_with(0);
        same(&repository.snapshot(), &snapshot(&tree("streaming/after")));
    }
}

fn serve(
    mut connection: TcpStream,
    answer: &dyn Fn(&str, usize) -> Vec<u8>,
    log: &Mutex<Vec<String>>,
) {
    let lines = BufReader::new(connection.try_clone().expect("a connection"))
        .lines()
        .map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let Some(path) = head.first().and_then(|line| line.split(' ').nth(1)) else {
        return;
    };
    let before = {
        let mut log = log.lock().expect("the log");
        log.push(path.to_owned());
        log.iter().filter(|other| *other == path).count() - 1
    };
    // A client that has gone away is one of the tests.
    let _ = connection.write_all(&answer(path, before));
}

pub fn response(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn redirect(location: &str) -> Vec<u8> {
    response("302 Found", &format!("Location: {location}\r\n"), "")
}

/// What the recorded release of 0.25.6 publishes.
fn published() -> Vec<u8> {
    response(
        "200 OK",
        "",
        std::fs::read(releases().join("v0.25.6/SHA256SUMS")).expect("sums"),
    )
}

#[test]
fn redirects_to_another_host_are_followed_as_github_sends_them() {
    let storage = Server::new(|_, _| published());
    let address = storage.address.clone();
    let github = Server::new(move |path, _| match path.strip_prefix(DOWNLOADS) {
        Some("/v0.25.6/SHA256SUMS") => redirect(&format!("{address}/object?signature=1")),
        _ => response("404 Not Found", "", "Not Found"),
    });
    github.update_succeeds("0.25.6");
    assert_eq!(
        *storage.requests.lock().expect("the log"),
        ["/object?signature=1"]
    );
}

#[test]
fn latest_is_where_the_page_of_the_latest_release_leads_to() {
    let github =
        Server::new(
            |path, _| match path.strip_prefix("/nats-io/nats-streaming-server/releases") {
                Some("/latest") => redirect("/nats-io/nats-streaming-server/releases/tag/v0.25.6"),
                Some("/tag/v0.25.6") => response("200 OK", "", "<html>"),
                Some("/download/v0.25.6/SHA256SUMS") => published(),
                _ => response("404 Not Found", "", ""),
            },
        );
    github.update_succeeds("latest");
}

#[test]
fn a_release_that_is_not_there_names_the_newest_one() {
    let github = Server::new(|path, _| match path {
        "/nats-io/nats-streaming-server/releases/latest" => {
            redirect("/nats-io/nats-streaming-server/releases/tag/v0.25.5")
        }
        _ => response("404 Not Found", "", ""),
    });
    github.update_fails(&[
        "no release 0.25.6: http://127.0.0.1:",
        "/v0.25.6/SHA256SUMS is not there; the newest release there is 0.25.5",
    ]);
}

#[test]
fn what_may_pass_is_tried_again() {
    let flaky = Server::new(|_, before| match before {
        0 => response("500 Internal Server Error", "", ""),
        1 => response("429 Too Many Requests", "Retry-After: 1\r\n", ""),
        _ => published(),
    });
    flaky.update_succeeds("0.25.6");
    let breaking = Server::new(|_, before| {
        if before == 0 {
            published()[..200].to_vec()
        } else {
            published()
        }
    });
    breaking.update_succeeds("0.25.6");
}

#[test]
fn what_does_not_pass_is_given_up() {
    let broken = Server::new(|_, _| response("503 Service Unavailable", "", ""));
    broken.update_fails(&[
        "cannot fetch http://127.0.0.1:",
        ", tried 4 times (`--from <URL|DIR>` reads releases from elsewhere)",
        "caused by: the server answers 503 Service Unavailable",
    ]);
    assert_eq!(broken.requests.lock().expect("the log").len(), 4);
}

#[test]
fn what_another_try_would_not_change_is_tried_once() {
    let forbidden = Server::new(|_, _| response("403 Forbidden", "", ""));
    forbidden.update_fails(&["caused by: the server answers 403 Forbidden"]);
    assert_eq!(forbidden.requests.lock().expect("the log").len(), 1);
}

#[test]
fn a_body_that_is_cut_short_is_refused() {
    let cut = Server::new(|_, _| published()[..400].to_vec());
    cut.update_fails(&["tried 4 times", "caused by: connection closed after "]);
}

#[test]
fn a_page_instead_of_the_sums_is_refused() {
    let portal = Server::new(|_, _| {
        response(
            "200 OK",
            "Content-Type: text/html\r\n",
            "<!DOCTYPE html><title>Welcome</title>",
        )
    });
    portal.update_fails(&[
        "is a web page, not the checksums of a release: is a login page in between?",
    ]);
    let empty = Server::new(|_, _| response("200 OK", "", ""));
    empty.update_fails(&["caused by: no hash in it: the file is empty"]);
}

#[test]
fn a_body_that_does_not_end_is_refused() {
    let endless = Server::new(|_, _| response("200 OK", "", vec![b'#'; 4_000_000]));
    endless
        .update_fails(&["caused by: more than 524288 bytes, the most that such a file can have"]);
}

#[test]
fn redirects_that_lead_nowhere_are_refused() {
    let circle = Server::new(|path, _| redirect(path));
    circle.update_fails(&[
        "caused by: error following redirect",
        "caused by: more than 10 redirects",
    ]);
    assert_eq!(circle.requests.lock().expect("the log").len(), 11);
}

#[test]
fn no_server_at_all_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let repository = Repository::of(&tree("streaming/before"));
    repository
        .run(&["--from", &format!("http://{address}"), "0.25.6"])
        .fails_with(&["tried 4 times", "Connection refused"]);
}

#[test]
fn a_host_that_only_looks_like_github_is_never_asked() {
    let repository = Repository::of(&tree("streaming/before"));
    let cyrillic = format!("https://g\u{456}thub.com{DOWNLOADS}");
    repository
        .run(&["--from", &cyrillic, "0.25.6"])
        .fails_with(&["invalid international domain name"]);
    Server::new(move |_, _| redirect("https://g\u{456}thub.com/SHA256SUMS"))
        .update_fails(&["the server answers 302 Found"]);
}
