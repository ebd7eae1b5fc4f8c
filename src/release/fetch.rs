//! Reads http and https addresses: time-outs, retries, redirects, size limits. What is in them is `release`'s business.

use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use reqwest::blocking::{Client, Response};
use reqwest::header::AUTHORIZATION;
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};

use crate::text::{excerpt, without_password};

/// How long a connection may take to be made, and how long a server may send nothing.
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(30);
/// The pauses before further tries, in milliseconds.
const PAUSES: [u64; 3] = [250, 1000, 4000];
const MOST_REDIRECTS: usize = 10;

/// What somebody can do about an address that cannot be read.
const ELSEWHERE: &str = " (`--from <URL|DIR>` reads releases from elsewhere)";

/// What one file may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes.
    pub size: u64,
    /// From the request to the last byte.
    pub time: Duration,
}

/// Reads addresses.
pub struct Fetcher(Client);

/// A failure, and whether another try may do better.
struct Failure {
    error: anyhow::Error,
    may_pass: bool,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let (error, may_pass) = (error.into(), false);
        Self { error, may_pass }
    }
}

impl Fetcher {
    /// One for http has no certificates, whose loading takes longer than a whole release from a server nearby.
    pub fn new(is_secure: bool) -> Result<Self> {
        // An error here only says that a provider is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let redirects = Policy::custom(move |attempt| {
            let scheme = attempt.url().scheme();
            let to = excerpt(&without_password(attempt.url().as_str()));
            match () {
                () if is_secure && scheme != "https" => attempt.error(format!(
                    "a redirect from https to {to}, which is not encrypted"
                )),
                () if !is_secure && scheme == "https" => {
                    attempt.error(format!("a redirect to {to}: give the https address itself"))
                }
                () if attempt.previous().len() > MOST_REDIRECTS => {
                    attempt.error(format!("more than {MOST_REDIRECTS} redirects"))
                }
                () => attempt.follow(),
            }
        });
        let mut builder = Client::builder();
        if !is_secure {
            builder = builder.tls_certs_only([]);
        }
        let client = builder
            .user_agent(concat!("update/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            // Per read, in the blocking client: `Limits` holds for the whole.
            .timeout(SILENCE)
            .redirect(redirects)
            .build()
            .context("cannot make an HTTP client: are CA certificates installed (or named by SSL_CERT_FILE)?")?;
        Ok(Self(client))
    }

    /// Reads a file; `read` is given its size, where the server says it, and its bytes, once for each try. `None` where
    /// the server answers 404.
    ///
    /// Time-outs, broken connections and the statuses 429 and 5xx are tried again.
    pub fn get<T>(
        &self,
        address: &str,
        limits: Limits,
        read: impl Fn(Option<u64>, &mut dyn Read) -> io::Result<T>,
    ) -> Result<Option<T>> {
        with_retries(address, || {
            let deadline = Instant::now() + limits.time;
            let response = self.send(address)?;
            if response.status() == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            let response = good(response)?;
            let size = response.content_length();
            let mut body = Body {
                inner: response,
                count: 0,
                most: limits.size,
                deadline,
            };
            let result = read(size, &mut body);
            result.map(Some).map_err(|problem| match problem.kind() {
                ErrorKind::InvalidData => Failure::from(problem),
                _ => {
                    let context = format!("connection closed after {} bytes", body.count);
                    Failure {
                        error: anyhow!(problem).context(context),
                        may_pass: true,
                    }
                }
            })
        })
    }

    /// Reads a whole file; `None` where the server answers 404.
    pub fn text(&self, address: &str, limits: Limits) -> Result<Option<Vec<u8>>> {
        self.get(address, limits, |_, body| {
            let mut text = Vec::new();
            body.read_to_end(&mut text).map(|_| text)
        })
    }

    /// The address to which an address leads when all redirects are followed.
    pub fn destination(&self, address: &str) -> Result<String> {
        with_retries(address, || {
            let response = self.send(address)?;
            let end = response.url().to_string();
            // Whether a page is there does not matter where its address says all.
            match end == address {
                true => good(response).map(|_| end),
                false => Ok(end),
            }
        })
    }

    fn send(&self, address: &str) -> Result<Response, Failure> {
        let url: Url = address.parse()?;
        let mut request = self.0.get(url.clone());
        if let Some(token) = token_for(&url) {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        // A redirect that is refused is refused each time.
        request.send().map_err(|error| Failure {
            may_pass: !error.is_redirect() && !error.is_builder(),
            error: anyhow!(error.without_url()),
        })
    }
}

fn with_retries<T>(address: &str, attempt: impl Fn() -> Result<T, Failure>) -> Result<T> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let failure = match attempt() {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        let tries = match pauses.next().filter(|_| failure.may_pass) {
            Some(pause) => {
                std::thread::sleep(Duration::from_millis(pause));
                continue;
            }
            None if failure.may_pass => format!(", tried {} times", PAUSES.len() + 1),
            None => String::new(),
        };
        let shown = excerpt(&without_password(address));
        let message = format!("cannot fetch {shown}{tries}{ELSEWHERE}");
        return Err(failure.error.context(message));
    }
}

/// The response, where its status says that the file is in it.
fn good(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response);
    }
    Err(Failure {
        may_pass: status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error(),
        error: anyhow!("the server answers {status}"),
    })
}

/// The user's GitHub token, for GitHub's own hosts only. Redirects to other hosts do not get it: reqwest drops it there.
fn token_for(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    if url.scheme() != "https" || !(host == "github.com" || host.ends_with(".github.com")) {
        return None;
    }
    let token = |name| std::env::var(name).ok().filter(|token| !token.is_empty());
    token("GH_TOKEN").or_else(|| token("GITHUB_TOKEN"))
}

/// A body that ends with an error where it costs more than it may.
struct Body<R> {
    inner: R,
    count: u64,
    most: u64,
    deadline: Instant,
}

impl<R: Read> Read for Body<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        let why = match () {
            () if self.count > self.most => {
                format!(
                    "more than {} bytes, the most that such a file can have: is the address right?",
                    self.most
                )
            }
            () if Instant::now() > self.deadline => {
                format!(
                    "stopped after {} bytes: the download took too long",
                    self.count
                )
            }
            () => return Ok(count),
        };
        Err(io::Error::new(ErrorKind::InvalidData, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte at a time, as a server does that is never silent and never done.
    struct Drip;

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer[0] = b'x';
            Ok(1)
        }
    }

    #[test]
    fn a_body_that_drips_is_given_up() {
        let mut body = Body {
            inner: Drip,
            count: 0,
            most: u64::MAX,
            deadline: Instant::now() + Duration::from_millis(20),
        };
        let problem = io::copy(&mut body, &mut io::sink()).unwrap_err();
        assert!(
            problem.to_string().starts_with("stopped after "),
            "{problem}"
        );
    }

    #[test]
    fn a_token_is_for_hosts_of_github_alone() {
        // The variables are not set in tests: what is asked here is that other hosts are not even asked for.
        for other in [
            "https://github.com.example.org/",
            "http://github.com/",
            "https://objects.githubusercontent.com/",
        ] {
            assert_eq!(token_for(&other.parse().unwrap()), None);
        }
    }
}
