//! A second witness: GitHub computes a SHA-256 of each file of a release when it is uploaded, and its API gives it.
//!
//! `SHA256SUMS` lies beside the archives that it vouches for, so whoever can replace one can replace both.
//! <https://docs.github.com/rest/releases/releases#get-a-release-by-tag-name>

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::checksums::{Checksums, Sha256};
use crate::text::excerpt;

/// What GitHub says of a release.
#[derive(Debug, Deserialize)]
pub struct Digests {
    assets: Vec<Asset>,
    /// Its files can never be replaced.
    #[serde(default)]
    pub immutable: bool,
}

#[derive(Debug, Deserialize)]
struct Asset {
    name: String,
    /// `sha256:…`; nothing for a file that was uploaded before GitHub computed them, in June 2025.
    digest: Option<String>,
}

impl Digests {
    /// Reads the answer of the API.
    pub fn parse(text: &[u8]) -> Result<Self> {
        serde_json::from_slice(text)
            .context("expected a release in the form of GitHub's API, found something else")
    }

    /// Compares what a release publishes with what GitHub says, and counts the archives on which both agree; the others
    /// have no digest. `places` are where each is said. An archive on which they differ is an error, all of them together.
    pub fn vouch(&self, checksums: &Checksums, places: [&str; 2]) -> Result<(usize, usize)> {
        let parsed = |asset: &Asset| {
            let digest = asset.digest.as_deref()?;
            digest.strip_prefix("sha256:")?.parse::<Sha256>().ok()
        };
        let mut digests: BTreeMap<&str, BTreeSet<Sha256>> = BTreeMap::new();
        for asset in &self.assets {
            digests
                .entry(&asset.name)
                .or_default()
                .extend(parsed(asset));
        }
        let [place, other] = places;
        let (mut agreed, mut silent, mut problems) = (0, 0, Vec::new());
        for (archive, hash) in checksums.iter() {
            let said = digests.get(archive).into_iter().flatten();
            match said.clone().find(|digest| **digest != hash) {
                Some(digest) => {
                    let name = excerpt(archive);
                    problems.push(format!("{name}: {hash} in {place}, {digest} at {other}"));
                }
                None if said.count() == 0 => silent += 1,
                None => agreed += 1,
            }
        }
        ensure!(
            problems.is_empty(),
            "SHA256SUMS and GitHub's digests of the same files differ:\n  {}\nOne of them was replaced: ask those who published the release",
            problems.join("\n  ")
        );
        Ok((agreed, silent))
    }
}

/// The API's address for a repository, where releases are downloads of GitHub: `github.com`, or the server that its
/// runners name.
pub fn api(from: &str) -> Option<String> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let [server, api] = ["https://github.com", "https://api.github.com"].map(str::to_owned);
    let own = variable("GITHUB_SERVER_URL").zip(variable("GITHUB_API_URL"));
    let servers = [Some((server, api)), own];
    servers.into_iter().flatten().find_map(|(server, api)| {
        // No case in the names of schemes and hosts tells one from another.
        let server = server.trim_end_matches('/');
        let (start, path) = from.split_at_checked(server.len())?;
        let path = start.eq_ignore_ascii_case(server).then_some(path)?;
        let project = path.strip_prefix('/')?.strip_suffix("/releases/download")?;
        (project.split('/').count() == 2)
            .then(|| format!("{}/repos/{project}", api.trim_end_matches('/')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downloads_of_github_are_known_in_any_spelling_of_its_name() {
        let api = |start: &str| api(&format!("{start}/nats-io/nats-server/releases/download"));
        let expected = "https://api.github.com/repos/nats-io/nats-server";
        for start in ["https://github.com", "HTTPS://GitHub.com"] {
            assert_eq!(api(start).as_deref(), Some(expected), "{start}");
        }
        for start in ["https://example.org", "https://github.com.example.org", "x"] {
            assert_eq!(api(start), None, "{start}");
        }
    }
}
