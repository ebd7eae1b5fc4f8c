//! `update library --check`: the file against the trees at its commits.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{Session, View, not_utf8};
use crate::check::Finding;
use crate::git::{Git, Reach};
use crate::library::{self, Home, Image, Manifest, Offer, Paragraph, Problem, Seen, homes, names};
use crate::report::{Output, Verdict};
use crate::rules::Places;

impl Session<'_> {
    /// Checks the file. Whether there are findings.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<bool> {
        let places = Places::new(bytes);
        let (mut looked_at, mut problems) =
            (String::from("nothing in it could be read"), Vec::new());
        match std::str::from_utf8(bytes) {
            Err(wrong) => problems.push(not_utf8(wrong.valid_up_to())),
            Ok(text) => {
                let (manifest, found) = library::parse(text);
                problems.extend(found);
                self.check_entries(&manifest, &mut problems)?;
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
        let verdict = Verdict {
            command: "update library --check",
            subject: self.path(),
            looked_at,
            findings: &findings,
        };
        Output::new(self.common).verdict(&verdict)?;
        Ok(!findings.is_empty())
    }

    /// Compares the entries with the trees at their commits.
    fn check_entries(&self, manifest: &Manifest, problems: &mut Vec<Problem>) -> Result<()> {
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
        let seen = commits.iter().enumerate().map(|(index, commit)| {
            let looked = looked.get(commit.as_str()).unwrap_or(&work);
            Seen {
                home: looked.homes[index],
                place: &looked.view.place,
            }
        });
        problems.extend(library::check(manifest, &seen.collect::<Vec<_>>(), &names));
        Ok(())
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
                    "says {commit}, which this repository does not have: `git fetch`, or look whether it is mistyped"
                );
                problems.push(Problem::new(at, "commit", commit, "", message));
            }
            return Ok(None);
        }
        match git.reach(commit, fetched, &value("GitRepo"))? {
            Reach::Yes => {}
            Reach::No(branch) => {
                let message = format!(
                    "says {commit}, which is not in {branch}, and {fetched} is what is fetched: push it, or `git fetch`"
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
        View::at(git, commit).map(Some)
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
                    "{name} says {}, must be {expected}",
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
