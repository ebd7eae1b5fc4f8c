//! `update library`: which tree a library file is for, and what becomes of the file.

mod check;

use std::cell::OnceCell;
use std::fs;

use anyhow::{Context, Result, bail, ensure};

use crate::apply::replace;
use crate::check::Finding;
use crate::cli::{Common, LibraryArgs};
use crate::config::Pattern;
use crate::git::{Git, Reach};
use crate::library::{self, Image, OFFICIAL_IMAGES, Offer, Problem, Wanted, images};
use crate::report::{LibraryUpdate, Output};
use crate::rules::{Model, Places};
use crate::tree::{History, read_if_there};

/// Checks the file, or brings it up to the tree. Whether there are findings.
pub(super) fn run(args: &LibraryArgs, common: &Common) -> Result<bool> {
    let model = super::read(&common.root, History::Read)?;
    let image = model.tree.config.image.clone();
    let session = Session {
        args,
        common,
        image,
        model: &model,
        work: OnceCell::new(),
        git: Git::open(&common.root),
    };
    match session.text()? {
        None if args.new => session.write_first(),
        None => bail!(
            "no file {}: official-images keeps it as library/{} ({OFFICIAL_IMAGES}): clone that and name the file there, or write a \
             first one with --new --maintainer \"Full Name <mail> (@handle)\"",
            args.file.display(),
            session.image
        ),
        Some(_) if args.new => bail!(
            "{} is there already: --new is for a first file, leave it out",
            args.file.display()
        ),
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
        Self {
            place: place.to_owned(),
            images: images(model),
            pattern: model.tree.config.directory.clone(),
        }
    }

    fn at(git: &Git, commit: &str) -> Result<Self> {
        let model = Model::new(git.tree(commit)?)?;
        Ok(Self::of(&format!("the tree at {commit}"), &model))
    }

    fn offer(&self) -> Offer<'_> {
        Offer {
            images: &self.images,
            pattern: &self.pattern,
            place: &self.place,
        }
    }
}

/// What one run knows.
struct Session<'a> {
    args: &'a LibraryArgs,
    common: &'a Common,
    image: String,
    model: &'a Model,
    /// The tree as it is, looked at where no commit can be.
    work: OnceCell<View>,
    git: Result<Git>,
}

impl Session<'_> {
    /// The tree as it is.
    fn work(&self) -> &View {
        self.work.get_or_init(|| View::of("the tree", self.model))
    }

    /// The file's bytes; `None` where there is no file.
    fn text(&self) -> Result<Option<Vec<u8>>> {
        let file = &self.args.file;
        ensure!(
            !file.is_dir(),
            "{} is a folder: wanted a library file, {}/{}",
            file.display(),
            file.display(),
            self.image
        );
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
            library::misshapen("GitCommit", commit).is_none(),
            "no commit `{commit}` in {}: `git fetch`, or give all of its 40 digits",
            self.common.root.display()
        );
        Ok((commit.to_owned(), false))
    }

    fn update(&self, bytes: &[u8]) -> Result<()> {
        let text = std::str::from_utf8(bytes).map_err(|wrong| {
            let (line, _) = Places::new(bytes).of(wrong.valid_up_to());
            anyhow::anyhow!("{}: line {line}: {}", self.path(), not_utf8(0).message)
        })?;
        let (commit, view) = self.target()?;
        let view = view.as_ref().unwrap_or_else(|| self.work());
        let git = self.git.as_ref().ok();
        // What cannot be compared is taken for the same: an entry's own commit is somebody's choice.
        let is_same = |old: &str, folder: &str| {
            let is_here = |git: &Git| {
                matches!(
                    (git.commit(old), git.commit(&commit)),
                    (Ok(Some(_)), Ok(Some(_)))
                )
            };
            git.filter(|git| is_here(git))
                .is_none_or(|git| git.is_same(old, &commit, folder).unwrap_or(true))
        };
        let (fetch, adds) = (self.args.fetch.clone(), self.args.adds.clone());
        let wanted = Wanted {
            commit: commit.clone(),
            fetch,
            adds,
            is_same: &is_same,
        };
        let plan = library::plan(text, &view.offer(), &wanted)
            .with_context(|| format!("cannot update {}", self.path()))?;
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
                    self.warn(&format!(
                        "{reason:#}: the file is written for the tree as it is"
                    ));
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
        let head = git.head()?.with_context(|| {
            format!("{} has no commit yet: {advice}", self.common.root.display())
        })?;
        let folders: Vec<&str> = self
            .model
            .directories
            .iter()
            .map(|directory| directory.name.as_str())
            .collect();
        let changed = git.changed(&folders)?;
        ensure!(
            changed.is_empty(),
            "what is not committed is in no official image ({}): commit it first, or give an older commit with --commit <SHA>",
            changed.join(", ")
        );
        let view = View::at(git, &head)?;
        Ok((head, Some(view)))
    }

    fn warn_of_reach(&self, commit: &str, fetched: &str, address: &str) -> Result<()> {
        let Ok(git) = &self.git else { return Ok(()) };
        if git.commit(commit)?.is_none() {
            return Ok(());
        }
        match git.reach(commit, fetched, address)? {
            Reach::Yes => {}
            Reach::No(branch) => self.warn(&format!(
                "{commit} is not in {branch}: push it before the pull request is opened"
            )),
            Reach::Missing(remote) => {
                self.warn(&format!("{fetched} is what is fetched, and {remote} has no such branch: `--fetch` says another"));
            }
            Reach::Unknown => self.warn(&format!(
                "nothing is known of {fetched} here, so look yourself whether {commit} is in it"
            )),
        }
        Ok(())
    }

    fn write_first(&self) -> Result<bool> {
        let (commit, view) = self.target()?;
        let view = view.as_ref().unwrap_or_else(|| self.work());
        let git = self.git.as_ref().ok();
        let origin = git.map(Git::origin).transpose()?.flatten();
        let config = &self.model.tree.config;
        let address = origin.filter(|url| library::misshapen("GitRepo", url).is_none()).unwrap_or_else(|| {
            let guess = format!("https://github.com/{}/{}-docker.git", config.owner, config.image);
            self.warn(&format!(
                "the repository has no remote `origin` that everybody can read from, so GitRepo is a guess: {guess}"
            ));
            guess
        });
        let branch = git.map(Git::branch).transpose()?.flatten();
        let fetch = self
            .args
            .fetch
            .clone()
            .or(branch)
            .unwrap_or("refs/heads/main".to_owned());
        let global = [
            (
                "Maintainers",
                self.args.maintainers.join(",\n             "),
            ),
            ("GitRepo", address.clone()),
            ("GitFetch", fetch.clone()),
            ("GitCommit", commit.clone()),
        ];
        let text = library::first(&global, &view.images);
        let wanted = Wanted {
            commit,
            fetch: None,
            adds: Vec::new(),
            is_same: &|_, _| true,
        };
        let mut plan = library::plan(&text, &view.offer(), &wanted)
            .with_context(|| format!("cannot write {}", self.path()))?;
        let offered = |image: &&Image| text.contains(&format!("\nDirectory: {}\n", image.path()));
        plan.added = view
            .images
            .iter()
            .filter(offered)
            .map(Image::path)
            .collect();
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
            plan.remaining
                .iter()
                .map(|problem| problem.clone().finding(&path, &places))
                .collect()
        };
        let is_same = before == Some(plan.text.as_str());
        let (image, args) = (&self.image, self.args);
        let update = LibraryUpdate {
            path: &path,
            image,
            before,
            plan,
            commit,
            remaining: &remaining,
            args,
        };
        output.library(&update)?;
        if self.args.dry_run || is_same {
            return Ok(());
        }
        let now = read_if_there(&self.args.file)?;
        ensure!(
            now.as_deref() == before.map(str::as_bytes),
            "{path} was changed while this was planned: run it again"
        );
        let is_read_only =
            fs::metadata(&self.args.file).is_ok_and(|file| file.permissions().readonly());
        ensure!(!is_read_only, "{path} is read-only: make it writable first");
        replace(&self.args.file, &plan.text)?;
        output.library_left_to_do(&update, &self.common.root);
        Ok(())
    }
}

fn not_utf8(at: usize) -> Problem {
    Problem::new(
        at,
        "format",
        "",
        "UTF-8",
        "is not UTF-8: save the file as UTF-8".to_owned(),
    )
}
