//! Reads http and https addresses: time-outs, retries, redirects, size limits. What is in them is `release`'s business.

use std::cell::OnceCell;
use std::io::Read;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use reqwest::blocking::{Client, Response};
use reqwest::header::{AUTHORIZATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};

/// How long a connection may take to be made, and how long a server may send nothing.
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(30);
/// How long one file may take altogether.
const DEADLINE: Duration = Duration::from_secs(120);
/// The pauses before further tries. A server's own `Retry-After` may make one longer, up to `LONGEST_PAUSE`.
const PAUSES: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(4)];
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const MOST_REDIRECTS: usize = 10;

/// What an address gave.
pub enum Fetched {
    /// A body.
    Body(Vec<u8>),
    /// Status 404.
    NotFound,
}

/// Reads addresses, with one client that is made when the first is read: a machine without certificates can do all else.
#[derive(Default)]
pub struct Fetcher {
    client: OnceCell<Client>,
}

/// A failure, and whether another try may do better.
struct Failure {
    error: anyhow::Error,
    again_after: Option<Duration>,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: error.into(), again_after: None }
    }
}

impl Fetcher {
    /// Reads a file of at most `most` bytes. Time-outs, broken connections and the statuses 429 and 5xx are tried again.
    pub fn get(&self, address: &str, most: u64) -> Result<Fetched> {
        self.with_retries(address, || {
            let start = Instant::now();
            let response = self.send(address)?;
            if response.status() == StatusCode::NOT_FOUND {
                return Ok(Fetched::NotFound);
            }
            read_body(good(response)?, most, start).map(Fetched::Body)
        })
    }

    /// The address at which an address ends, when all redirects are followed.
    pub fn destination(&self, address: &str) -> Result<String> {
        self.with_retries(address, || {
            let response = self.send(address)?;
            let end = response.url().to_string();
            if response.status() != StatusCode::NOT_FOUND {
                good(response)?;
            }
            Ok(end)
        })
    }

    fn with_retries<T>(&self, address: &str, attempt: impl Fn() -> Result<T, Failure>) -> Result<T> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let failure = match attempt() {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            match (failure.again_after, pauses.next()) {
                (Some(wanted), Some(pause)) => std::thread::sleep(pause.max(wanted.min(LONGEST_PAUSE))),
                (Some(_), None) => {
                    return Err(failure.error)
                        .with_context(|| format!("cannot fetch {address}, tried {} times", PAUSES.len() + 1));
                }
                (None, _) => return Err(failure.error).with_context(|| format!("cannot fetch {address}")),
            }
        }
    }

    fn send(&self, address: &str) -> Result<Response, Failure> {
        let url: Url = address.parse()?;
        let client = match self.client.get() {
            Some(client) => client,
            None => {
                let client = new_client()?;
                self.client.get_or_init(|| client)
            }
        };
        let mut request = client.get(url.clone());
        if let Some(token) = token_for(&url) {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        request.send().map_err(temporary)
    }
}

fn new_client() -> Result<Client> {
    // An error here only says that a provider is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let redirects = Policy::custom(|attempt| {
        let was_safe = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
        if attempt.previous().len() > MOST_REDIRECTS {
            attempt.error(format!("more than {MOST_REDIRECTS} redirects"))
        } else if was_safe && attempt.url().scheme() != "https" {
            let message = format!("a redirect from https down to {}", attempt.url());
            attempt.error(message)
        } else {
            attempt.follow()
        }
    });
    Client::builder()
        .user_agent(concat!("update/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        // Per read, in the blocking client: the deadline of the whole is kept where the body is read.
        .timeout(SILENCE)
        .redirect(redirects)
        .build()
        .context("cannot make an HTTP client: are CA certificates installed (or named by SSL_CERT_FILE)?")
}

/// The user's GitHub token, for GitHub's own hosts only.
fn token_for(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    if url.scheme() != "https" || !(host == "github.com" || host.ends_with(".github.com")) {
        return None;
    }
    let token = |name| std::env::var(name).ok().filter(|token| !token.is_empty());
    token("GH_TOKEN").or_else(|| token("GITHUB_TOKEN"))
}

/// A failure of the network, which another try may not meet; a redirect that is refused is refused each time.
fn temporary(error: reqwest::Error) -> Failure {
    let again_after = (!error.is_redirect() && !error.is_builder()).then_some(Duration::ZERO);
    Failure { error: anyhow!(error.without_url()), again_after }
}

/// The response, where its status says that the file is in it.
fn good(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let may_pass = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
    let again_after = may_pass.then(|| Duration::from_secs(seconds.unwrap_or(0)));
    Err(Failure { error: anyhow!("the server answers {status}"), again_after })
}

fn read_body(mut response: Response, most: u64, start: Instant) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = response.read(&mut buffer).map_err(|problem| Failure {
            error: anyhow!(problem).context(format!("broke off after {} bytes", body.len())),
            again_after: Some(Duration::ZERO),
        })?;
        if count == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&buffer[..count]);
        let check = || -> Result<()> {
            ensure!(body.len() as u64 <= most, "more than {most} bytes, which is more than the file can have");
            if start.elapsed() > DEADLINE {
                bail!("only {} bytes within {} seconds", body.len(), DEADLINE.as_secs());
            }
            Ok(())
        };
        check()?;
    }
}
