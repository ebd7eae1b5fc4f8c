//! `update library --check`: the file against the trees at its commits.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use semver::Version;

use super::super::in_folder;
use super::{Session, not_utf8};
use crate::finding::{Finding, Problem};
use crate::git::Git;
use crate::library::{self, Home, Manifest, Paragraph, View, homes, names};
use crate::report::{Output, of_findings};
use crate::text::{Places, quoted};

/// Whether `update library` fixes a finding.
fn is_written(finding: &Finding) -> bool {
    finding.rule == "latest" || !finding.expected.is_empty() && finding.rule != "format"
}

impl Session<'_> {
    /// Checks the file. Returns whether there are findings.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<bool> {
        let places = Places::new(bytes);
        let mut looked_at = String::from("nothing in it could be read");
        let (mut problems, mut details) = (Vec::new(), Vec::new());
        match std::str::from_utf8(bytes) {
            Err(wrong) => problems.push(not_utf8(wrong.valid_up_to())),
            Ok(text) => {
                let (manifest, found) = Manifest::parse(text);
                problems.extend(found);
                problems.extend(library::broken_rules(&manifest));
                details = self.check_entries(&manifest, &mut problems)?;
                let entries = manifest.entries().iter();
                let tags = entries.flat_map(|entry| manifest.tags(entry)).count();
                looked_at = format!("{} entries, {tags} tags", manifest.entries().len());
            }
        }
        problems.sort_by_key(|problem| problem.at);
        let finding = |problem: Problem| {
            let finding = problem.placed(&self.path(), &places);
            match is_written(&finding) {
                true => {
                    let (root, path) = (in_folder(&self.common.root), quoted(&self.path()));
                    finding.fixed_by(format!("update library{root} {path}"))
                }
                false => finding,
            }
        };
        let findings: Vec<Finding> = problems.into_iter().map(finding).collect();
        let found = !findings.is_empty();
        let summary = of_findings(
            "update library --check",
            &self.path(),
            looked_at,
            findings,
            details,
        );
        Output::new(self.common).print(&summary)?;
        Ok(found)
    }

    /// Compares the entries with the trees at their commits. Says how far they are behind the commit that is checked out.
    fn check_entries(
        &self,
        manifest: &Manifest,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<String>> {
        let commit = |entry| {
            let commit = manifest.value(entry, "GitCommit");
            commit.unwrap_or_default().into_owned()
        };
        let commits: Vec<String> = manifest.entries().iter().map(commit).collect();
        if let Err(reason) = &self.git {
            self.warn(&format!(
                "{reason:#}: the entries are compared with the working tree, and their commits are not checked"
            ));
        }
        // The tree at each commit; `None` where it is not here, and nothing can be compared with it.
        let mut views: BTreeMap<&str, Option<View>> = BTreeMap::new();
        for (entry, commit) in manifest.entries().iter().zip(&commits) {
            for field in manifest.commits(entry) {
                let (own, at) = (manifest.said(&field.value), field.value.start);
                let is_one = library::misshapen("GitCommit", &own).is_none() && own != **commit;
                if let (Ok(git), true) = (&self.git, is_one)
                    && git.commit(&own)?.is_none()
                {
                    problems.extend(self.unknown(git, &own, at)?);
                }
            }
            if views.contains_key(commit.as_str()) {
                continue;
            }
            let view = match &self.git {
                Err(_) => Some(View::of(&self.repository)),
                // That it is no commit is a finding of the format.
                Ok(_) if library::misshapen("GitCommit", commit).is_some() => None,
                Ok(git) => self.view(git, manifest, entry, problems)?,
            };
            views.insert(commit, view);
        }
        let work = View::of(&self.repository);
        let every = views.values().flatten().chain([&work]);
        let every = View {
            images: every.flat_map(|view| view.images.clone()).collect(),
            pattern: work.pattern.clone(),
        };
        let all = views.iter().filter_map(|(commit, view)| {
            let view = view.as_ref()?;
            Some((*commit, homes(manifest, &view.images, &view.pattern, false)))
        });
        let all: BTreeMap<&str, Vec<Home>> = all.collect();
        let numbered = commits.iter().enumerate();
        let seen = numbered.map(|(index, commit)| Some(all.get(commit.as_str())?[index]));
        let seen: Vec<Option<Home>> = seen.collect();
        problems.extend(library::check(manifest, &seen, names(manifest, &every)));
        self.behind(manifest, &seen)
    }

    /// Lines about versions at HEAD that are newer than those that the entries offer, and about variants that are not there any
    /// more.
    fn behind(&self, manifest: &Manifest, seen: &[Option<Home>]) -> Result<Vec<String>> {
        let Ok(git) = &self.git else {
            return Ok(Vec::new());
        };
        let Some(head) = git.head()? else {
            return Ok(Vec::new());
        };
        let view = self.at(git, &head)?;
        let images = seen.iter().flatten().filter_map(Home::image);
        let offered = images.map(|image| (&image.version, image.directory.as_str()));
        let offered: BTreeSet<(&Version, &str)> = offered.collect();
        let newest = offered.iter().map(|(version, _)| *version).max();
        let has_series = view.pattern.has_series();
        let newer = |(version, directory): &(&Version, &str)| {
            let images = view.images.iter();
            let same = images.filter(|image| image.directory == *directory || !has_series);
            let now = same.map(|image| &image.version).max()?;
            let is_meant = has_series || Some(*version) == newest;
            (is_meant && now > *version).then(|| format!("behind HEAD: {version} → {now}"))
        };
        let now = homes(manifest, &view.images, &view.pattern, false);
        let gone = seen.iter().zip(&now).filter_map(|(seen, now)| {
            let was = seen.as_ref()?.image()?;
            Some(match now {
                Home::Image(image) if image.variant == was.variant => return None,
                Home::Image(image) => format!("behind HEAD: {} → {}", was.path(), image.variant),
                _ if has_series => format!("behind HEAD: {} is gone", was.path()),
                _ => return None,
            })
        });
        Ok(offered.iter().filter_map(newer).chain(gone).collect())
    }

    /// What is wrong with a commit that is not here. In a shallow clone that may be right.
    fn unknown(&self, git: &Git, commit: &str, at: usize) -> Result<Option<Problem>> {
        if git.is_shallow()? {
            self.warn(&format!(
                "{commit} is not in this shallow clone: what is built from it is not checked; run `git fetch --unshallow`"
            ));
            return Ok(None);
        }
        let message = format!(
            "found {commit}, which is not in this repository: run `git fetch`, or check the digits"
        );
        Ok(Some(Problem::new(at, "commit", commit, "", message)))
    }

    /// The tree at an entry's commit; `None` where it is not here. Reports a commit that nobody can fetch.
    fn view(
        &self,
        git: &Git,
        manifest: &Manifest,
        entry: &Paragraph,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<View>> {
        let value = |name| manifest.value(entry, name).unwrap_or_default();
        let place = |name| manifest.field(entry, name).map(|field| field.value.start);
        let commit = &*value("GitCommit");
        let at = place("GitCommit").unwrap_or(entry.span.start);
        let fetched = manifest.value(entry, "GitFetch");
        let fetched = &*fetched.unwrap_or(library::DEFAULT_FETCH.into());
        if git.commit(commit)?.is_none() {
            problems.extend(self.unknown(git, commit, at)?);
            return Ok(None);
        }
        match git.unreached(commit, fetched, &value("GitRepo"))? {
            Some((true, why)) => problems.push(Problem::new(at, "commit", commit, "", why)),
            Some((false, why)) => self.warn(&why),
            None => {}
        }
        self.at(git, commit).map(Some)
    }
}
