//! Where releases are: a folder or an address, laid out as GitHub's downloads are (`<from>/v<version>/SHA256SUMS`).
//!
//! How an address is read is `fetch`'s business; what the checksums say, `checksums`'.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use semver::Version;

use super::checksums::Checksums;
use super::digests::{Digests, api};
use super::fetch::{Fetcher, Limits};
use crate::git;
use crate::repository::config::Pattern;
use crate::repository::read_if_there;
use crate::text::{excerpt, is_like, without_password};
use crate::version::parse_version;

/// The checksums of the largest release are some 5 KB; what is a hundred times that is something else.
const CHECKSUMS: Limits = Limits {
    size: 512 * 1024,
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
        // As a shell completes the name of a folder.
        let series = series.strip_suffix('/').unwrap_or(series);
        if text == "latest" {
            return Ok(Self::Latest);
        }
        if Pattern::series().matches(series).is_some() {
            return Ok(Self::Series(series.to_owned()));
        }
        parse_version(text).map(Self::Version).with_context(|| match meant(text) {
            Some(command) if command == text => format!("it is a command, which stands first: `update {command}`"),
            Some(word) => format!("did you mean `{word}`?"),
            None => "expected MAJOR.MINOR.PATCH, such as 0.25.6 or 2.14.0-RC.3, or `latest`, or a series such as 2.14.x".to_owned(),
        })
    }
}

/// The word that somebody may have meant who wrote another one.
fn meant(text: &str) -> Option<&'static str> {
    let words = "check status library completions latest help".split(' ');
    let has_digit = text.contains(|c: char| c.is_ascii_digit());
    words
        .filter(|_| !has_digit)
        .find(|word| is_like(word, &text.to_lowercase()))
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
        let scheme = from
            .split_once("://")
            .map(|(scheme, _)| scheme.to_ascii_lowercase());
        let is_secure = scheme.as_deref() == Some("https");
        if is_secure || scheme.as_deref() == Some("http") {
            let base = from.trim_end_matches('/').to_owned();
            return Ok(Self::Web(base, Fetcher::new(is_secure)?));
        }
        ensure!(
            !from.contains("://"),
            "cannot fetch from {shown}: expected an http or https address, or a folder"
        );
        ensure!(
            Path::new(from).is_dir(),
            "cannot fetch from {shown}: there is no such folder"
        );
        Ok(Self::Folder(from.into()))
    }

    /// What stands for a release there: a folder or a tag.
    fn kind(&self) -> &'static str {
        match self {
            Self::Folder(_) => "folder",
            Self::Web(..) => "tag",
        }
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
            Self::Folder(folder) => format!("{}/v{version}/{file}", folder.display()),
            Self::Web(base, _) => format!("{base}/v{version}/{file}"),
        }
    }

    /// The versions that there are, published or not: those of a folder, or the tags of the git repository that the
    /// releases belong to.
    pub fn tags(&self) -> Result<Vec<Version>> {
        let shown = self.shown();
        let names: Vec<String> = match self {
            Self::Folder(folder) => {
                let entries = fs::read_dir(folder);
                let entries = entries.with_context(|| format!("cannot read the folder {shown}"))?;
                let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
                names.collect()
            }
            Self::Web(base, _) => {
                let project = base.strip_suffix("/releases/download").with_context(|| {
                    format!("cannot list the releases at {shown}: expected an address that ends in /releases/download")
                })?;
                git::tags(project)?
            }
        };
        let version = |name: &String| parse_version(name.strip_prefix('v')?);
        let versions: Vec<Version> = names.iter().filter_map(version).collect();
        ensure!(
            !versions.is_empty(),
            "no release in {shown}: expected a {} for each, such as v0.25.6",
            self.kind()
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
            let (tags, kind) = (self.tags().unwrap_or_default(), self.kind());
            if tags.contains(version) {
                return format!(
                    "{version} is not released yet: its {kind} is there, but not {address}"
                );
            }
            let is_near = |tag: &&Version| (tag.major, tag.minor) == (version.major, version.minor);
            let is_published = |tag: &&Version| match self {
                Self::Folder(folder) => folder.join(format!("v{tag}/SHA256SUMS")).is_file(),
                Self::Web(..) => true,
            };
            let stable = tags.iter().filter(|tag| tag.pre.is_empty());
            let stable = || stable.clone().filter(is_published);
            let near = stable().filter(is_near).max();
            // Of a series that has nothing else, a pre-release.
            let near = near.or_else(|| tags.iter().filter(is_near).filter(is_published).max());
            let series = near.map(|near| format!(" of {}.{}.x", near.major, near.minor));
            // A tag is there before its release is.
            let what = match self {
                Self::Folder(_) => "release",
                Self::Web(..) => kind,
            };
            let newest = near.or(stable().max()).map(|newest| {
                let series = series.unwrap_or_default();
                format!("; the newest {what}{series} there is v{newest}")
            });
            let latest = || {
                Some(format!(
                    "; the newest release there is {}",
                    self.latest().ok()?
                ))
            };
            let newest = newest.or_else(latest);
            format!(
                "no release {version}: {address} is not there{}",
                newest.unwrap_or_default()
            )
        })
    }

    /// What a release publishes; `None` where it is not there.
    pub fn find_checksums(&self, version: &Version) -> Result<Option<Checksums>> {
        let place = self.locate(version, "SHA256SUMS");
        let address = self.address(version, "SHA256SUMS");
        let text = match self {
            Self::Folder(_) => read_if_there(Path::new(&place), CHECKSUMS.size)?,
            Self::Web(_, fetcher) => fetcher.text(&place, CHECKSUMS)?,
        };
        let sums = text.map(|text| Checksums::parse(&text));
        sums.transpose()
            .with_context(|| format!("cannot use {address}"))
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
        let is_missing = || format!("{address} is not there");
        match self {
            Self::Web(_, fetcher) => fetcher.get(&place, ARCHIVE, read)?.with_context(is_missing),
            Self::Folder(_) => {
                let found = fs::metadata(&place).ok().filter(fs::Metadata::is_file);
                let size = found.with_context(is_missing)?.len();
                let read = fs::File::open(&place).and_then(|mut file| read(Some(size), &mut file));
                read.with_context(|| format!("cannot read {address}"))
            }
        }
    }
}
