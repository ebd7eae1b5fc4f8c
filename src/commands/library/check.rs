//! `update library --check`: the file against the trees at its commits.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use semver::Version;

use super::{Session, View, not_utf8};
use crate::finding::{Finding, Problem};
use crate::git::{Git, Reach};
use crate::library::{self, Home, Image, Manifest, Offer, Paragraph, Seen, homes, names};
use crate::report::{Output, of_library_check};
use crate::text::Places;

impl Session<'_> {
    /// Checks the file. Whether there are findings.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<bool> {
        let places = Places::new(bytes);
        let (mut looked_at, mut problems, mut details) = (
            String::from("nothing in it could be read"),
            Vec::new(),
            Vec::new(),
        );
        match std::str::from_utf8(bytes) {
            Err(wrong) => problems.push(not_utf8(wrong.valid_up_to())),
            Ok(text) => {
                let (manifest, found) = library::parse(text);
                problems.extend(found);
                details = self.check_entries(&manifest, &mut problems)?;
                let tags = manifest
                    .entries()
                    .iter()
                    .flat_map(|entry| manifest.tags(entry))
                    .count();
                looked_at = format!("{} entries, {tags} tags", manifest.entries().len());
            }
        }
        problems.sort_by_key(|problem| problem.at);
        let findings: Vec<Finding> = problems
            .into_iter()
            .map(|problem| problem.finding(&self.path(), &places))
            .collect();
        let found = !findings.is_empty();
        Output::new(self.common).print(&of_library_check(
            self.path(),
            looked_at,
            findings,
            details,
        ))?;
        Ok(found)
    }

    /// Compares the entries with the trees at their commits. Says how far they are behind the commit that is checked out.
    fn check_entries(
        &self,
        manifest: &Manifest,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<String>> {
        let commits: Vec<String> = manifest
            .entries()
            .iter()
            .map(|entry| {
                manifest
                    .value(entry, "GitCommit")
                    .unwrap_or_default()
                    .into_owned()
            })
            .collect();
        let mut views: BTreeMap<&str, Option<View>> = BTreeMap::new();
        let mut is_told = false;
        for (entry, commit) in manifest.entries().iter().zip(&commits) {
            if views.contains_key(commit.as_str()) {
                continue;
            }
            let view = match &self.git {
                Err(reason) => {
                    if !is_told {
                        self.warn(&format!(
                            "{reason:#}: the entries are compared with the tree as it is, and commits with nothing"
                        ));
                    }
                    is_told = true;
                    None
                }
                // The format's own finding says that it is none.
                Ok(_) if commit.len() != 40 => None,
                Ok(git) => self.view(git, manifest, entry, problems)?,
            };
            views.insert(commit, view);
        }
        self.check_given(manifest, problems)?;
        let every: Vec<Image> = views
            .values()
            .flatten()
            .chain([self.work()])
            .flat_map(|view| view.images.clone())
            .collect();
        let names = names(
            manifest,
            &Offer {
                images: &every,
                ..self.work().offer()
            },
        );
        let look = |view| Looked {
            view,
            homes: homes(
                manifest,
                &view.images,
                &view.pattern,
                false,
                &BTreeSet::new(),
            ),
        };
        let work = look(self.work());
        let looked: BTreeMap<&str, Looked> = views
            .iter()
            .filter_map(|(commit, view)| Some((*commit, look(view.as_ref()?))))
            .collect();
        let seen: Vec<Seen> = commits
            .iter()
            .enumerate()
            .map(|(index, commit)| {
                let looked = looked.get(commit.as_str()).unwrap_or(&work);
                Seen {
                    home: looked.homes[index],
                    place: &looked.view.place,
                }
            })
            .collect();
        problems.extend(library::check(manifest, &seen, &names));
        self.behind(&seen)
    }

    /// The versions that the commit that is checked out has of what the entries offer, where those are newer.
    fn behind(&self, seen: &[Seen]) -> Result<Vec<String>> {
        let Ok(git) = &self.git else {
            return Ok(Vec::new());
        };
        let Some(head) = git.head()? else {
            return Ok(Vec::new());
        };
        let view = self.at(git, &head)?;
        let offered: BTreeSet<(&Version, &str)> = seen
            .iter()
            .filter_map(|seen| seen.home.image())
            .map(|image| (&image.version, image.directory.as_str()))
            .collect();
        let newest = offered.iter().map(|(version, _)| *version).max();
        let newer = |(version, directory): &(&Version, &str)| {
            let same = view
                .images
                .iter()
                .filter(|image| image.directory == *directory || !view.pattern.has_series());
            let now = same.map(|image| &image.version).max()?;
            let is_meant = view.pattern.has_series() || Some(*version) == newest;
            (is_meant && now > *version).then(|| format!("behind HEAD: {version} → {now}"))
        };
        Ok(offered.iter().filter_map(newer).collect())
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
        let (commit, at) = (
            &*value("GitCommit"),
            place("GitCommit").unwrap_or(entry.span.start),
        );
        let fetched = &*manifest
            .value(entry, "GitFetch")
            .unwrap_or(library::DEFAULT_FETCH.into());
        if git.commit(commit)?.is_none() {
            if git.is_shallow()? {
                self.warn(&format!(
                    "{commit} is not in this clone, which holds a part of the history only: compared with the tree as it is \
                     (`git fetch --unshallow` gets the rest)"
                ));
            } else {
                let message = format!(
                    "found {commit}, which this repository does not have: `git fetch`, or check it for a typo"
                );
                problems.push(Problem::new(at, "commit", commit, "", message));
            }
            return Ok(None);
        }
        match git.reach(commit, fetched, &value("GitRepo"))? {
            Reach::Yes => {}
            Reach::No(branch) => {
                let message = format!(
                    "found {commit}, which is not in {branch}, and {fetched} is what is fetched: push it, or `git fetch`"
                );
                problems.push(Problem::new(at, "commit", commit, "", message));
            }
            Reach::Missing(remote) => {
                let message = format!(
                    "{fetched} is fetched, where GitFetch says nothing else, and {remote} has no such branch"
                );
                problems.push(Problem::new(
                    place("GitFetch").unwrap_or(at),
                    "fetch",
                    fetched,
                    "",
                    message,
                ));
            }
            Reach::Unknown => self.warn(&format!(
                "nothing is known of {fetched} here, so {commit} was not looked for in it"
            )),
        }
        self.at(git, commit).map(Some)
    }

    /// What `--commit` and `--fetch` say beside `--check`, the file must say.
    fn check_given(&self, manifest: &Manifest, problems: &mut Vec<Problem>) -> Result<()> {
        let commit = self
            .args
            .commit
            .as_deref()
            .map(|commit| self.resolve(commit))
            .transpose()?
            .map(|(commit, _)| commit);
        let fetch = self.args.fetch.clone();
        let Some(global) = manifest.global() else {
            return Ok(());
        };
        for (name, rule, expected) in [
            ("GitCommit", "commit", commit),
            ("GitFetch", "fetch", fetch),
        ] {
            let Some(expected) = expected else { continue };
            let found = manifest.value(global, name).unwrap_or_default();
            if *found != expected {
                let at = manifest
                    .own(global, name)
                    .map_or(global.span.start, |field| field.value.start);
                let message = format!(
                    "{name}: found {}, expected {expected}",
                    if found.is_empty() { "nothing" } else { &found }
                );
                problems.push(Problem::new(at, rule, &found, &expected, message));
            }
        }
        Ok(())
    }
}

/// The images of a tree, with what each entry is for.
struct Looked<'a> {
    view: &'a View,
    homes: Vec<Home<'a>>,
}
