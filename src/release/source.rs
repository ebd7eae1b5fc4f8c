//! Where releases are: a folder or an address, laid out as GitHub's downloads are (`<from>/v<version>/SHA256SUMS`).
//!
//! How an address is read is `fetch`'s business; what the checksums say, `checksums`'.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use semver::Version;

use super::checksums::Checksums;
use super::digests::{Digests, api};
use super::fetch::{Fetcher, Limits};
use crate::git;
use crate::text::{excerpt, is_like, without_password};
use crate::version::parse_version;

/// The checksums of the largest release are some 5 KB; what is a hundred times that is something else.
const LARGEST_CHECKSUMS: u64 = 512 * 1024;
const CHECKSUMS: Limits = Limits {
    size: LARGEST_CHECKSUMS,
    time: Duration::from_secs(120),
};
/// What GitHub says of a file is 2 KB; no release has more than some hundred.
const DIGESTS: Limits = Limits {
    size: 4 << 20,
    time: Duration::from_secs(60),
};
/// The largest archives are some 20 MB.
const ARCHIVE: Limits = Limits {
    size: 2 << 30,
    time: Duration::from_secs(30 * 60),
};

/// A version as the command line asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This one.
    Version(Version),
    /// The newest stable one; where there are series, of each.
    Latest,
    /// The newest stable one of a series: `2.14.x`.
    Series(String),
}

impl std::str::FromStr for Wanted {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let series = text.strip_prefix('v').unwrap_or(text);
        match text {
            "latest" => Ok(Self::Latest),
            _ if is_series_of(series) => Ok(Self::Series(series.to_owned())),
            _ => parse_version(text)
                .map(Self::Version)
                .with_context(|| match (meant(text), Version::parse(text.trim_start_matches('v'))) {
                    (Some(command), _) if command == text => {
                        format!("`{command}` goes alone: `update {command}`")
                    }
                    (Some(command), _) => format!("did you mean `{command}`?"),
                    (None, Ok(version)) => format!(
                        "it has build metadata (`+{}`), which a Docker tag cannot hold: leave it out",
                        version.build
                    ),
                    (None, Err(_)) if is_series_of(&format!("{}.x", text.trim_start_matches('v'))) => {
                        format!("did you mean {}.x?", text.trim_start_matches('v'))
                    }
                    (None, Err(_)) => "expected MAJOR.MINOR.PATCH, such as 0.25.6 or 2.14.0-RC.3, or `latest`, or a series such as \
                         2.14.x"
                        .to_owned(),
                }),
        }
    }
}

/// Whether a text names a series: `2.14.x`.
fn is_series_of(text: &str) -> bool {
    text.strip_suffix(".x").is_some_and(|numbers| {
        let parts: Vec<&str> = numbers.split('.').collect();
        parts.len() == 2 && parts.iter().all(|part| part.parse::<u64>().is_ok())
    })
}

/// The word that somebody may have meant who wrote another one.
fn meant(text: &str) -> Option<&'static str> {
    let words = [
        "check",
        "status",
        "library",
        "completions",
        "latest",
        "help",
    ];
    words
        .into_iter()
        .find(|word| !text.contains(|c: char| c.is_ascii_digit()) && is_like(word, text))
}

/// Where releases are.
pub enum Source {
    /// A folder on this machine.
    Folder(PathBuf),
    /// An http or https address, without a final `/`.
    Web(String, Fetcher),
}

impl Source {
    /// Reads an address or a folder's path.
    pub fn new(from: &str) -> Result<Self> {
        let shown = excerpt(&without_password(from));
        let scheme = from.split_once("://");
        let scheme = scheme.map(|(scheme, _)| scheme.to_ascii_lowercase());
        if scheme.is_some_and(|scheme| scheme == "http" || scheme == "https") {
            let base = from.trim_end_matches('/').to_owned();
            return Ok(Self::Web(base, Fetcher::default()));
        }
        ensure!(
            !from.contains("://"),
            "cannot fetch from {shown}: expected an http or https address, or a folder"
        );
        ensure!(
            fs::metadata(from).is_ok_and(|found| found.is_dir()),
            "cannot fetch from {shown}: there is no such folder"
        );
        Ok(Self::Folder(from.into()))
    }

    /// Where releases are, to be shown.
    pub fn shown(&self) -> String {
        match self {
            Self::Folder(folder) => excerpt(&folder.display().to_string()),
            Self::Web(base, _) => excerpt(&without_password(base)),
        }
    }

    /// Where releases are, in a sentence that may leave this machine.
    pub fn place(&self) -> String {
        match self {
            Self::Folder(folder) => {
                let name = folder.file_name().unwrap_or(folder.as_os_str());
                format!("in the folder {}", excerpt(&name.to_string_lossy()))
            }
            Self::Web(..) => format!("at {}", self.shown()),
        }
    }

    /// The address of a file of a release, to be shown.
    pub fn address(&self, version: &Version, file: &str) -> String {
        excerpt(&without_password(&self.locate(version, file)))
    }

    fn locate(&self, version: &Version, file: &str) -> String {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(format!("v{version}")).join(file);
                path.display().to_string()
            }
            Self::Web(base, _) => format!("{base}/v{version}/{file}"),
        }
    }

    /// The versions that there are, published or not: those of a folder, or the tags of the git repository that the
    /// releases belong to.
    pub fn tags(&self) -> Result<Vec<Version>> {
        let names: Vec<String> = match self {
            Self::Folder(folder) => {
                let entries = fs::read_dir(folder)
                    .with_context(|| format!("cannot read the folder {}", self.shown()))?;
                entries
                    .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                    .collect()
            }
            Self::Web(base, _) => {
                let project = base.strip_suffix("/releases/download").with_context(|| {
                    format!(
                        "cannot list the releases at {}: expected an address that ends in /releases/download",
                        self.shown()
                    )
                })?;
                git::tags(project)?
            }
        };
        let version = |name: &String| parse_version(name.strip_prefix('v')?);
        let versions: Vec<Version> = names.iter().filter_map(version).collect();
        let kind = match self {
            Self::Folder(_) => "folder",
            Self::Web(..) => "tag",
        };
        ensure!(
            !versions.is_empty(),
            "no release in {}: expected a {kind} for each, such as v0.25.6",
            self.shown()
        );
        Ok(versions)
    }

    /// The newest version that is not a pre-release. On GitHub its page is where `…/releases/latest` leads to.
    pub fn latest(&self) -> Result<Version> {
        match self {
            Self::Folder(folder) => {
                let is_published =
                    |version: &Version| folder.join(format!("v{version}/SHA256SUMS")).is_file();
                let is_stable = |version: &Version| version.pre.is_empty() && is_published(version);
                self.tags()?
                    .into_iter()
                    .filter(is_stable)
                    .max()
                    .with_context(|| {
                        let shown = self.shown();
                        format!("no stable release in {shown}: expected a folder such as v0.25.6, with SHA256SUMS in it")
                    })
            }
            Self::Web(base, fetcher) => {
                let address = format!("{}/latest", base.strip_suffix("/download").unwrap_or(base));
                let end = fetcher.destination(&address)?;
                let tag = end.rsplit_once("/tag/").map(|(_, tag)| tag);
                let version = tag.and_then(|tag| parse_version(tag.trim_end_matches('/')));
                version.with_context(|| {
                    let [address, end] =
                        [&address, &end].map(|address| excerpt(&without_password(address)));
                    format!(
                        "{address} leads to {end}: expected an address that ends in /tag/v<version>"
                    )
                })
            }
        }
    }

    /// What a release publishes.
    pub fn checksums(&self, version: &Version) -> Result<Checksums> {
        self.find_checksums(version)?.with_context(|| {
            let address = self.address(version, "SHA256SUMS");
            let tags = self.tags().unwrap_or_default();
            if tags.contains(version) {
                let what = match self {
                    Self::Folder(_) => "folder",
                    Self::Web(..) => "tag",
                };
                return format!(
                    "{version} is not released yet: there is its {what}, but no {address}"
                );
            }
            let asked = version.to_string();
            let mut alike = tags.iter().map(Version::to_string);
            if let Some(meant) = alike.find(|tag| tag.eq_ignore_ascii_case(&asked)) {
                return format!("no release {version}: did you mean {meant}?");
            }
            // Of the same series, where there is one.
            let is_near = |tag: &&Version| {
                tag.pre.is_empty() && (tag.major, tag.minor) == (version.major, version.minor)
            };
            let near = tags.iter().filter(is_near).max().cloned();
            let newest = near.map(Ok).unwrap_or_else(|| self.latest());
            let is_newest = |newest: &Version| {
                let mut stable = tags.iter().filter(|tag| tag.pre.is_empty());
                stable.all(|tag| tag <= newest)
            };
            let newest = newest.map_or(String::new(), |newest| {
                let of = match is_newest(&newest) {
                    true => String::new(),
                    false => format!(" of {}.{}", newest.major, newest.minor),
                };
                format!("; the newest stable release{of} there is {newest}")
            });
            let draft = match self {
                Self::Folder(_) => "",
                Self::Web(..) => "; a draft appears only once it is published",
            };
            format!("no release {version}: {address} is not there{newest}{draft}")
        })
    }

    /// What a release publishes; `None` where it is not there.
    pub fn find_checksums(&self, version: &Version) -> Result<Option<Checksums>> {
        let place = self.locate(version, "SHA256SUMS");
        let address = self.address(version, "SHA256SUMS");
        let text = match self {
            Self::Folder(_) => match fs::metadata(&place) {
                Ok(found) if !found.is_file() => {
                    bail!("{address}: neither a file nor a link to one")
                }
                Ok(found) if found.len() > LARGEST_CHECKSUMS => {
                    bail!(
                        "{address}: {} bytes, which is not a list of checksums",
                        found.len()
                    )
                }
                Ok(_) => Some(fs::read(&place).with_context(|| format!("cannot read {address}"))?),
                Err(problem) if problem.kind() == ErrorKind::NotFound => None,
                Err(problem) => {
                    return Err(problem).with_context(|| format!("cannot read {address}"));
                }
            },
            Self::Web(_, fetcher) => fetcher.text(&place, CHECKSUMS)?,
        };
        let Some(text) = text else {
            return Ok(None);
        };
        Checksums::parse(&text).map(Some).with_context(|| match text.trim_ascii_start().starts_with(b"<") {
            true => format!("{address} is a web page, not the checksums of a release: is a login page in between?"),
            false => format!("cannot use {address}"),
        })
    }

    /// What GitHub itself says of a release, and where; `None` where releases are elsewhere.
    pub fn digests(&self, version: &Version) -> Option<(String, Result<Digests>)> {
        let Self::Web(base, fetcher) = self else {
            return None;
        };
        let address = format!("{}/releases/tags/v{version}", api(base)?);
        let text = fetcher.text(&address, DIGESTS);
        let digests = text.and_then(|text| Digests::parse(&text.context("no such release")?));
        Some((excerpt(&without_password(&address)), digests))
    }

    /// Reads an archive of a release as it comes; `read` is given its size, where that is known, and its bytes.
    pub fn archive<T>(
        &self,
        version: &Version,
        name: &str,
        read: impl Fn(Option<u64>, &mut dyn Read) -> io::Result<T>,
    ) -> Result<T> {
        let (place, address) = (self.locate(version, name), self.address(version, name));
        let found = match self {
            Self::Web(_, fetcher) => fetcher.get(&place, ARCHIVE, read)?,
            Self::Folder(_) => match fs::metadata(&place) {
                Err(problem) if problem.kind() == ErrorKind::NotFound => None,
                Ok(found) if !found.is_file() => {
                    bail!("{address}: neither a file nor a link to one")
                }
                found => {
                    let cannot = || format!("cannot read {address}");
                    let size = found.with_context(cannot)?.len();
                    let mut file = fs::File::open(&place).with_context(cannot)?;
                    Some(read(Some(size), &mut file).with_context(cannot)?)
                }
            },
        };
        found.with_context(|| format!("{address} is not there"))
    }
}
