//! Which releases are newer than what a repository is at.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use semver::Version;

use crate::check::check;
use crate::finding::Finding;
use crate::plan::Options;
use crate::release::checksums::Checksums;
use crate::release::source::{Source, Wanted};
use crate::repository::config::Pattern;
use crate::repository::{Directories, Directory, Repository};
use crate::text::is_within;

/// The releases that a source has, each asked for once.
pub(super) struct Releases<'a> {
    source: &'a Source,
    pattern: &'a Pattern,
    latest: Option<Version>,
    tags: Option<Vec<Version>>,
    /// What the releases publish that were looked at.
    pub(super) published: BTreeMap<Version, Checksums>,
    /// Notes for the user: what was passed over, and what does not move.
    pub(super) notes: Vec<String>,
}

impl<'a> Releases<'a> {
    pub(super) fn new(source: &'a Source, pattern: &'a Pattern) -> Self {
        Self {
            source,
            pattern,
            latest: None,
            tags: None,
            published: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// All of them, in their order.
    fn tags(&mut self) -> Result<&[Version]> {
        if self.tags.is_none() {
            let mut tags = self.source.tags()?;
            tags.sort();
            self.tags = Some(tags);
        }
        Ok(self.tags.as_deref().unwrap_or_default())
    }

    /// Notes a stable release of a series that is newer than all that are here.
    pub(super) fn note_newer_series(&mut self, directories: &Directories) -> Result<()> {
        if !self.pattern.has_series() {
            return Ok(());
        }
        let pattern = self.pattern;
        let is_newer = |tag: &&Version| {
            tag.pre.is_empty()
                && directories.iter().all(|one| {
                    let is_other = one.name != pattern.render(tag);
                    is_other && one.version < **tag
                })
        };
        let newer = self.tags()?.iter().rev().find(is_newer);
        let Some(series) = newer.map(|newer| pattern.render(newer)) else {
            return Ok(());
        };
        if let Some(version) = self.newest(&series)? {
            self.notes.push(format!(
                "{version} is released, and the tree has no {series}: an update to {version} makes it"
            ));
        }
        Ok(())
    }

    /// The newest stable release that publishes its checksums: of a series, such as 2.14.x; for a directory of a version, of all.
    pub(super) fn newest(&mut self, series: &str) -> Result<Option<Version>> {
        let by_series = Pattern::series();
        let pattern = match self.pattern.has_series() {
            true => self.pattern,
            false => &by_series,
        };
        if pattern.matches(series).is_none() {
            if self.latest.is_none() {
                self.latest = Some(self.source.latest()?);
            }
            return Ok(self.latest.clone());
        }
        let of_series = |tag: &&Version| tag.pre.is_empty() && pattern.render(tag) == series;
        let tags = self.tags()?.iter().rev().filter(of_series);
        let tags: Vec<Version> = tags.cloned().collect();
        for version in tags {
            if let Some(checksums) = self.source.find_checksums(&version)? {
                self.published.insert(version.clone(), checksums);
                return Ok(Some(version));
            }
            let note = format!("skipped {version}: its SHA256SUMS is not published yet");
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        Ok(None)
    }

    /// The versions to move to. A series that is at its newest release is left out, with a note, unless it has findings that an
    /// update to it fixes: a run that was killed may have left it half-way. The options keep its name.
    pub(super) fn resolve(
        &mut self,
        repository: &Repository,
        wanted: &[Wanted],
        options: &mut Options,
    ) -> Result<Vec<Version>> {
        let directories = &repository.directories();
        let findings = LazyCell::new(|| check(repository).findings);
        let is_due = |newest: &Version, directory: &Directory| {
            let is_half_way = |finding: &Finding| {
                let is_inside = is_within(&finding.path, &directory.name);
                is_inside && finding.fix == format!("update {newest}")
            };
            *newest > directory.version
                || *newest == directory.version && findings.iter().any(is_half_way)
        };
        let mut versions = Vec::new();
        for one in wanted {
            let series: Vec<&str> = match one {
                Wanted::Version(version) => {
                    versions.push(version.clone());
                    continue;
                }
                Wanted::Latest if !self.pattern.has_series() => {
                    versions.push(self.source.latest()?);
                    continue;
                }
                Wanted::Latest => {
                    let names = directories.iter().map(|one| one.name.as_str());
                    names.filter(|name| !options.removes_series(name)).collect()
                }
                Wanted::Series(series) => vec![series],
            };
            for series in series {
                let newest = self.newest(series)?;
                match (newest, directories.get(series)) {
                    (Some(newest), None) => versions.push(newest),
                    (Some(newest), Some(directory)) if is_due(&newest, directory) => {
                        versions.push(newest);
                    }
                    (newest, Some(directory)) => {
                        options.stays.insert(directory.name.clone());
                        let note = already(directory, newest.as_ref());
                        if !self.notes.contains(&note) {
                            self.notes.push(note);
                        }
                    }
                    (None, None) => {
                        let place = self.source.shown();
                        anyhow::bail!(
                            "no stable release of {series} in {place}: name a version, or another place with `--from <URL|DIR>`"
                        );
                    }
                }
            }
        }
        // What is named, and the newest of a series, may be one.
        let is_named = |one: &Wanted| matches!(one, Wanted::Version(_));
        if !wanted.iter().all(is_named) {
            let mut known = BTreeSet::new();
            versions.retain(|version| known.insert(version.clone()));
        }
        if wanted == [Wanted::Latest] {
            self.note_newer_series(directories)?;
        }
        Ok(versions)
    }
}

/// Why a directory does not move.
fn already(directory: &Directory, newest: Option<&Version>) -> String {
    let Directory { name, version, .. } = directory;
    match newest {
        None => format!("{name} has no stable release yet; it is at {version}"),
        Some(newest) if newest == version => format!("{name} is at its newest release, {version}"),
        Some(newest) => format!("{name} is at {version}, above its newest stable release {newest}"),
    }
}
