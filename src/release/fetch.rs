//! Reads http and https addresses: time-outs, retries, redirects, size limits. What is in them is `release`'s business.

use std::io::{self, Read};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use reqwest::blocking::{Client, Response};
use reqwest::header::{AUTHORIZATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};

use crate::text::{excerpt, without_password};

/// How long a connection may take to be made, and how long a server may send nothing.
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(30);
/// The pauses before further tries. A server's own `Retry-After` may make one longer, up to `LONGEST_PAUSE`.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
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

/// Reads addresses, with clients that are made when they are needed: a machine without certificates can do all else, and
/// loading them takes longer than a whole release from a server nearby.
#[derive(Default)]
pub struct Fetcher {
    plain: OnceLock<Client>,
    secure: OnceLock<Client>,
}

/// A failure, and whether another try may do better, and after which pause at the least.
struct Failure {
    error: anyhow::Error,
    again_after: Option<Duration>,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let (error, again_after) = (error.into(), None);
        Self { error, again_after }
    }
}

impl Fetcher {
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
            let start = Instant::now();
            let response = self.send(address)?;
            if response.status() == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            let body = good(response)?;
            let size = body.content_length();
            let mut body = Body {
                inner: body,
                count: 0,
                limits,
                start,
                exceeded: None,
            };
            let result = read(size, &mut body);
            result.map(Some).map_err(|problem| {
                let context = format!("connection closed after {} bytes", body.count);
                let (error, again_after) = match body.exceeded {
                    Some(why) => (anyhow!(why), None),
                    None => (anyhow!(problem).context(context), Some(Duration::ZERO)),
                };
                Failure { error, again_after }
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

    /// The address at which an address ends, when all redirects are followed.
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
        if url.scheme() == "http" {
            let response = self.send_with(&self.plain, &url, false)?;
            // What leads on to https is asked for again, by the client that has certificates.
            if !response.status().is_redirection() {
                return Ok(response);
            }
        }
        self.send_with(&self.secure, &url, true)
    }

    fn send_with(
        &self,
        client: &OnceLock<Client>,
        url: &Url,
        is_secure: bool,
    ) -> Result<Response, Failure> {
        let client = match client.get() {
            Some(client) => client,
            None => {
                let new = new_client(is_secure)?;
                client.get_or_init(|| new)
            }
        };
        let mut request = client.get(url.clone());
        if let Some(token) = token_for(url) {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        request.send().map_err(temporary)
    }
}

fn with_retries<T>(address: &str, attempt: impl Fn() -> Result<T, Failure>) -> Result<T> {
    let shown = excerpt(&without_password(address));
    let mut pauses = PAUSES.into_iter();
    loop {
        let failure = match attempt() {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        let tries = match (failure.again_after, pauses.next()) {
            (Some(wanted), Some(pause)) => {
                std::thread::sleep(pause.max(wanted.min(LONGEST_PAUSE)));
                continue;
            }
            (Some(_), None) => format!(", tried {} times", PAUSES.len() + 1),
            (None, _) => String::new(),
        };
        let message = format!("cannot fetch {shown}{tries}{ELSEWHERE}");
        return Err(failure.error.context(message));
    }
}

/// A client; one that is not `secure` has no certificates, and stops where https begins.
fn new_client(is_secure: bool) -> Result<Client> {
    // An error here only says that a provider is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let redirects = Policy::custom(move |attempt| {
        let before = attempt.previous().last();
        let was_safe = before.is_some_and(|url| url.scheme() == "https");
        if !is_secure && attempt.url().scheme() == "https" {
            attempt.stop()
        } else if attempt.previous().len() > MOST_REDIRECTS {
            attempt.error(format!("more than {MOST_REDIRECTS} redirects"))
        } else if was_safe && attempt.url().scheme() != "https" {
            let to = excerpt(&without_password(attempt.url().as_str()));
            let message = format!("a redirect from https to {to}, which is not encrypted");
            attempt.error(message)
        } else {
            attempt.follow()
        }
    });
    let builder = Client::builder();
    let builder = match is_secure {
        true => builder,
        false => builder.tls_certs_only([]),
    };
    builder
        .user_agent(concat!("update/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        // Per read, in the blocking client: `Limits` holds for the whole.
        .timeout(SILENCE)
        .redirect(redirects)
        .build()
        .context("cannot make an HTTP client: are CA certificates installed (or named by SSL_CERT_FILE)?")
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

/// A failure of the network, which another try may not meet; a redirect that is refused is refused each time.
fn temporary(error: reqwest::Error) -> Failure {
    let again_after = (!error.is_redirect() && !error.is_builder()).then_some(Duration::ZERO);
    let error = anyhow!(error.without_url());
    Failure { error, again_after }
}

/// The response, where its status says that the file is in it.
fn good(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response);
    }
    let header = response.headers().get(RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
    let may_pass = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
    let again_after = may_pass.then(|| Duration::from_secs(seconds.unwrap_or(0)));
    let error = anyhow!("the server answers {status}");
    Err(Failure { error, again_after })
}

/// A body that ends with an error where it costs more than it may.
struct Body<R> {
    inner: R,
    count: u64,
    limits: Limits,
    start: Instant,
    exceeded: Option<String>,
}

impl<R: Read> Read for Body<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        if self.count > self.limits.size {
            let most = self.limits.size;
            let why = format!("more than {most} bytes, which is more than the file can have");
            self.exceeded = Some(why);
        } else if self.start.elapsed() > self.limits.time {
            let (bytes, seconds) = (self.count, self.limits.time.as_secs());
            let why = format!("only {bytes} bytes within {seconds} seconds, given up");
            self.exceeded = Some(why);
        }
        match &self.exceeded {
            Some(why) => Err(io::Error::other(why.clone())),
            None => Ok(count),
        }
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
        let limits = Limits {
            size: u64::MAX,
            time: Duration::from_millis(20),
        };
        let mut body = Body {
            inner: Drip,
            count: 0,
            limits,
            start: Instant::now(),
            exceeded: None,
        };
        let problem = io::copy(&mut body, &mut io::sink()).unwrap_err();
        assert!(problem.to_string().starts_with("only "), "{problem}");
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
