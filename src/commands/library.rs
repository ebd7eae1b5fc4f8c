//! `update library`: which tree a library file is for, and what becomes of the file.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};

use crate::apply::replace;
use crate::check::Finding;
use crate::cli::{Common, LibraryArgs};
use crate::config::Pattern;
use crate::git::{Git, Reach};
use crate::library::{self, Home, Image, Manifest, OFFICIAL_IMAGES, Offer, Problem, Seen, Wanted, homes, images, names};
use crate::report::{LibraryUpdate, Output, Verdict};
use crate::rules::{Model, Places};
use crate::tree::{History, read_if_there};

/// Checks the file, or brings it up to the tree. Whether there are findings.
pub(super) fn run(args: &LibraryArgs, common: &Common) -> Result<bool> {
    let model = super::read(&common.root, History::Read)?;
    let session = Session {
        args,
        common,
        image: model.tree.config.image.clone(),
        work: View::of("the tree", &model),
        git: Git::open(&common.root),
    };
    match session.text()? {
        None if args.new => session.write_first(&model),
        None => bail!(
            "no file {}: official-images keeps it as library/{} ({OFFICIAL_IMAGES}): clone that and name the file there, or write a \
             first one with --new --maintainer \"Full Name <mail> (@handle)\"",
            args.file.display(),
            session.image
        ),
        Some(_) if args.new => bail!("{} is there already: --new is for a first file, leave it out", args.file.display()),
        Some(text) if args.check => session.check(&text),
        Some(text) => session.update(&text).map(|()| false),
    }
}

/// The images of a tree, and where it was looked at.
struct View {
    place: String,
    images: Vec<Image>,
    pattern: Pattern,
}

impl View {
    fn of(place: &str, model: &Model) -> Self {
        Self { place: place.to_owned(), images: images(model), pattern: model.tree.config.directory.clone() }
    }

    fn at(git: &Git, commit: &str) -> Result<Self> {
        let model = Model::new(git.tree(commit)?)?;
        Ok(Self::of(&format!("the tree at {commit}"), &model))
    }

    fn offer(&self) -> Offer<'_> {
        Offer { images: &self.images, pattern: &self.pattern, place: &self.place }
    }
}

/// What one run knows.
struct Session<'a> {
    args: &'a LibraryArgs,
    common: &'a Common,
    image: String,
    work: View,
    git: Result<Git>,
}

impl Session<'_> {
    /// The file's bytes; `None` where there is no file.
    fn text(&self) -> Result<Option<Vec<u8>>> {
        let file = &self.args.file;
        ensure!(!file.is_dir(), "{} is a folder: wanted a library file, {}/{}", file.display(), file.display(), self.image);
        read_if_there(file)
    }

    /// The file as findings and summaries name it.
    fn path(&self) -> String {
        self.args.file.display().to_string().replace('\\', "/")
    }

    fn warn(&self, warning: &str) {
        Output::new(self.common).warn(warning);
    }

    /// The whole name of the commit that `--commit` gives, and whether it is here.
    fn resolve(&self, commit: &str) -> Result<(String, bool)> {
        if let Ok(git) = &self.git
            && let Some(whole) = git.commit(commit)?
        {
            return Ok((whole, true));
        }
        ensure!(
            commit.len() == 40,
            "no commit begins with {commit} in {}: `git fetch`, or give all of its 40 digits",
            self.common.root.display()
        );
        Ok((commit.to_owned(), false))
    }

    fn check(&self, bytes: &[u8]) -> Result<bool> {
        let places = Places::new(bytes);
        let (mut looked_at, mut problems) = (String::from("nothing in it could be read"), Vec::new());
        match std::str::from_utf8(bytes) {
            Err(wrong) => problems.push(not_utf8(wrong.valid_up_to())),
            Ok(text) => {
                let (manifest, found) = library::parse(text);
                problems.extend(found);
                self.check_entries(&manifest, &mut problems)?;
                let tags: usize = manifest
                    .entries()
                    .iter()
                    .map(|entry| ["Tags", "SharedTags"].map(|name| manifest.items(entry, name).count()).iter().sum::<usize>())
                    .sum();
                looked_at = format!("{} entries, {tags} tags", manifest.entries().len());
            }
        }
        problems.sort_by_key(|problem| problem.at);
        let findings: Vec<Finding> = problems.into_iter().map(|problem| problem.finding(&self.path(), &places)).collect();
        let verdict = Verdict { command: "update library --check", subject: self.path(), looked_at, findings: &findings };
        Output::new(self.common).verdict(&verdict)?;
        Ok(!findings.is_empty())
    }

    /// Compares the entries with the trees at their commits.
    fn check_entries(&self, manifest: &Manifest, problems: &mut Vec<Problem>) -> Result<()> {
        let commits: Vec<String> =
            manifest.entries().iter().map(|entry| manifest.value(entry, "GitCommit").unwrap_or_default().into_owned()).collect();
        let mut views: BTreeMap<&str, Option<View>> = BTreeMap::new();
        let mut is_told = false;
        for (entry, commit) in manifest.entries().iter().zip(&commits) {
            if views.contains_key(commit.as_str()) {
                continue;
            }
            let at = manifest.field(entry, "GitCommit").map_or(entry.span.start, |field| field.value.start);
            let fetched = manifest.value(entry, "GitFetch").unwrap_or(library::DEFAULT_FETCH.into());
            let address = manifest.value(entry, "GitRepo").unwrap_or_default();
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
                Ok(git) => self.view(git, commit, &fetched, &address, at, problems)?,
            };
            views.insert(commit, view);
        }
        self.check_given(manifest, problems)?;
        let every: Vec<Image> = views.values().flatten().chain([&self.work]).flat_map(|view| view.images.clone()).collect();
        let names = names(manifest, &Offer { images: &every, ..self.work.offer() });
        let look = |view| Looked { view, homes: homes(manifest, &view.images, &view.pattern, false, &BTreeSet::new()) };
        let work = look(&self.work);
        let looked: BTreeMap<&str, Looked> =
            views.iter().filter_map(|(commit, view)| Some((*commit, look(view.as_ref()?)))).collect();
        let seen = commits.iter().enumerate().map(|(index, commit)| {
            let looked = looked.get(commit.as_str()).unwrap_or(&work);
            Seen { home: looked.homes[index], place: &looked.view.place }
        });
        problems.extend(library::check(manifest, &seen.collect::<Vec<_>>(), &names));
        Ok(())
    }

    /// The tree at a commit; `None` where it is not here. Reports a commit that nobody can fetch.
    fn view(
        &self,
        git: &Git,
        commit: &str,
        fetched: &str,
        address: &str,
        at: usize,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<View>> {
        if git.commit(commit)?.is_none() {
            if git.is_shallow()? {
                self.warn(&format!(
                    "{commit} is not in this clone, which holds a part of the history only: compared with the tree as it is \
                     (`git fetch --unshallow` gets the rest)"
                ));
            } else {
                let message =
                    format!("says {commit}, which this repository does not have: `git fetch`, or look whether it is mistyped");
                problems.push(Problem::new(at, "commit", commit, "", message));
            }
            return Ok(None);
        }
        if let Reach::No(branch) = git.reach(commit, fetched, address)? {
            let message =
                format!("says {commit}, which is not in {branch}, and {fetched} is what is fetched: push it, or `git fetch`");
            problems.push(Problem::new(at, "commit", commit, "", message));
        }
        View::at(git, commit).map(Some)
    }

    /// What `--commit` and `--fetch` say beside `--check`, the file must say.
    fn check_given(&self, manifest: &Manifest, problems: &mut Vec<Problem>) -> Result<()> {
        let commit = self.args.commit.as_deref().map(|commit| self.resolve(commit)).transpose()?.map(|(commit, _)| commit);
        let fetch = self.args.fetch.clone();
        let Some(global) = manifest.global() else { return Ok(()) };
        for (name, rule, expected) in [("GitCommit", "commit", commit), ("GitFetch", "fetch", fetch)] {
            let Some(expected) = expected else { continue };
            let found = manifest.value(global, name).unwrap_or_default();
            if *found != expected {
                let at = manifest.own(global, name).map_or(global.span.start, |field| field.value.start);
                let message = format!("{name} says {}, must be {expected}", if found.is_empty() { "nothing" } else { &found });
                problems.push(Problem::new(at, rule, &found, &expected, message));
            }
        }
        Ok(())
    }

    fn update(&self, bytes: &[u8]) -> Result<()> {
        let text = std::str::from_utf8(bytes).map_err(|wrong| {
            let (line, _) = Places::new(bytes).of(wrong.valid_up_to());
            anyhow::anyhow!("{}: line {line}: {}", self.path(), not_utf8(0).message)
        })?;
        let (commit, view) = self.target()?;
        let view = view.as_ref().unwrap_or(&self.work);
        let wanted = Wanted { commit, fetch: self.args.fetch.clone(), adds: self.args.adds.clone() };
        let plan = library::plan(text, &view.offer(), &wanted).with_context(|| format!("cannot update {}", self.path()))?;
        plan.warnings.iter().for_each(|warning| self.warn(warning));
        let (manifest, _) = library::parse(&plan.text);
        if let Some(global) = manifest.global() {
            let value = |name| manifest.value(global, name);
            self.warn_of_reach(
                &wanted.commit,
                &value("GitFetch").unwrap_or(library::DEFAULT_FETCH.into()),
                &value("GitRepo").unwrap_or_default(),
            )?;
        }
        self.finish(Some(text), &plan, &wanted.commit)
    }

    /// The commit that the file is for, and the tree at it, where it is here.
    fn target(&self) -> Result<(String, Option<View>)> {
        if let Some(commit) = &self.args.commit {
            let (commit, is_here) = self.resolve(commit)?;
            let view = match &self.git {
                Ok(git) if is_here => Some(View::at(git, &commit)?),
                Ok(_) => {
                    self.warn(&format!("{commit} is not in this repository, so the file is written for the tree as it is: `git fetch`, or look whether it is mistyped"));
                    None
                }
                Err(reason) => {
                    self.warn(&format!("{reason:#}: the file is written for the tree as it is"));
                    None
                }
            };
            return Ok((commit, view));
        }
        let advice = "`--commit <SHA>` says which commit official images are built from";
        let git = match &self.git {
            Ok(git) => git,
            Err(reason) => bail!("{reason:#}: {advice}"),
        };
        let head = git.head()?.with_context(|| format!("{} has no commit yet: {advice}", self.common.root.display()))?;
        let view = View::at(git, &head)?;
        ensure!(
            view.images == self.work.images,
            "the tree has changes that are not committed ({}), and official images are built from a commit: commit them first, or \
             give an older state with --commit <SHA>",
            differences(&view.images, &self.work.images).join(", ")
        );
        Ok((head, Some(view)))
    }

    fn warn_of_reach(&self, commit: &str, fetched: &str, address: &str) -> Result<()> {
        let Ok(git) = &self.git else { return Ok(()) };
        if git.commit(commit)?.is_none() {
            return Ok(());
        }
        match git.reach(commit, fetched, address)? {
            Reach::Yes => {}
            Reach::No(branch) => self.warn(&format!("{commit} is not in {branch}: push it before the pull request is opened")),
            Reach::Unknown => {
                self.warn(&format!("nothing is known of {fetched} here, so look yourself whether {commit} is in it"))
            }
        }
        Ok(())
    }

    fn write_first(&self, model: &Model) -> Result<bool> {
        let (commit, view) = self.target()?;
        let view = view.as_ref().unwrap_or(&self.work);
        let git = self.git.as_ref().ok();
        let origin = git.map(Git::origin).transpose()?.flatten();
        let config = &model.tree.config;
        let address = origin.unwrap_or_else(|| {
            let guess = format!("https://github.com/{}/{}-docker.git", config.owner, config.image);
            self.warn(&format!("the repository has no remote `origin`, so GitRepo is a guess: {guess}"));
            guess
        });
        let branch = git.map(Git::branch).transpose()?.flatten();
        let fetch = self.args.fetch.clone().or(branch).unwrap_or("refs/heads/main".to_owned());
        let global = [
            ("Maintainers", self.args.maintainers.join(",\n             ")),
            ("GitRepo", address.clone()),
            ("GitFetch", fetch.clone()),
            ("GitCommit", commit.clone()),
        ];
        let text = library::first(&global, &view.images);
        let wanted = Wanted { commit, ..Wanted::default() };
        let mut plan = library::plan(&text, &view.offer(), &wanted).with_context(|| format!("cannot write {}", self.path()))?;
        let offered = |image: &&Image| text.contains(&format!("\nDirectory: {}\n", image.path()));
        plan.added = view.images.iter().filter(offered).map(Image::path).collect();
        self.warn_of_reach(&wanted.commit, &fetch, &address)?;
        self.finish(None, &plan, &wanted.commit)?;
        Ok(false)
    }

    /// Prints what changes, and writes it.
    fn finish(&self, before: Option<&str>, plan: &library::Plan, commit: &str) -> Result<()> {
        let mut output = Output::new(self.common);
        let path = self.path();
        let remaining: Vec<Finding> = {
            let places = Places::new(plan.text.as_bytes());
            plan.remaining.iter().map(|problem| problem.clone().finding(&path, &places)).collect()
        };
        let is_same = before == Some(plan.text.as_str());
        let (image, args) = (&self.image, self.args);
        let update = LibraryUpdate { path: &path, image, before, plan, commit, remaining: &remaining, args };
        output.library(&update)?;
        if self.args.dry_run || is_same {
            return Ok(());
        }
        let now = read_if_there(&self.args.file)?;
        ensure!(now.as_deref() == before.map(str::as_bytes), "{path} was changed while this was planned: run it again");
        replace(&self.args.file, &plan.text)?;
        output.library_left_to_do(&update);
        Ok(())
    }
}

/// The images of a tree, with what each entry is for.
struct Looked<'a> {
    view: &'a View,
    homes: Vec<Home<'a>>,
}

fn not_utf8(at: usize) -> Problem {
    Problem::new(at, "format", "", "UTF-8", "is not UTF-8: save the file as UTF-8".to_owned())
}

/// Where two trees offer different images, by folder or version.
fn differences(committed: &[Image], now: &[Image]) -> Vec<String> {
    let named = |images: &[Image]| -> BTreeSet<String> {
        images.iter().map(|image| format!("{} at {}", image.path(), image.version)).collect()
    };
    let (committed, now) = (named(committed), named(now));
    let differ: Vec<String> = now.symmetric_difference(&committed).cloned().collect();
    if differ.is_empty() { vec!["in the Dockerfiles".to_owned()] } else { differ }
}
