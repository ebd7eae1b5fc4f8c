//! `update library`: which tree a library file is for, and what becomes of the file.

mod check;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};

use crate::cli::{Common, LibraryArgs};
use crate::finding::{Finding, Problem};
use crate::git::{Git, Reach};
use crate::library::{self, Image, OFFICIAL_IMAGES, Offer, Plan, Wanted, images};
use crate::report::{Output, of_library};
use crate::repository::config::{Config, Pattern};
use crate::repository::{Repository, read_if_there};
use crate::text::{Places, quoted};
use crate::write::{Content, NewFile, Step, write};

/// The size that no library file has, in bytes: the largest known one has some thirty thousand.
pub(super) const LARGEST: u64 = 4 << 20;

/// Checks the file, or brings it up to the tree. Whether there are findings, or changes where that is asked for.
pub(super) fn run(args: &LibraryArgs, common: &Common) -> Result<bool> {
    let repository = Repository::read(&common.root)?;
    let git = Git::open(&common.root);
    let session = Session {
        args,
        common,
        repository,
        work: OnceCell::new(),
        git,
    };
    let file = args.file.display();
    let image = session.image();
    ensure!(
        !args.file.is_dir(),
        "{file} is a folder: expected a library file, {file}/{image}"
    );
    let text = read_if_there(&args.file, LARGEST)?.with_context(|| {
        format!("no file {file}: official-images keeps it as library/{image} ({OFFICIAL_IMAGES}): clone that and name the file there")
    })?;
    if args.check {
        session.check(&text)
    } else {
        session.update(&text)
    }
}

/// The images of a tree, and where it was looked at.
struct View {
    place: String,
    images: Vec<Image>,
    pattern: Pattern,
}

impl View {
    fn of(place: &str, repository: &Repository) -> Self {
        let pattern = repository.names.config.directory.clone();
        Self {
            place: place.to_owned(),
            images: images(repository),
            pattern,
        }
    }

    fn at(git: &Git, commit: &str, config: &Config) -> Result<Self> {
        Ok(Self::of(
            &format!("the tree at {commit}"),
            &git.repository(commit, config)?,
        ))
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
    repository: Repository,
    /// The tree as it is, looked at where no commit can be.
    work: OnceCell<View>,
    git: Result<Git>,
}

impl Session<'_> {
    fn image(&self) -> &str {
        &self.repository.names.config.image
    }

    /// The tree as it is.
    fn work(&self) -> &View {
        self.work
            .get_or_init(|| View::of("the tree", &self.repository))
    }

    fn at(&self, git: &Git, commit: &str) -> Result<View> {
        View::at(git, commit, &self.repository.names.config)
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

    fn update(&self, bytes: &[u8]) -> Result<bool> {
        let text = std::str::from_utf8(bytes).map_err(|wrong| {
            let (line, _) = Places::new(bytes).of(wrong.valid_up_to());
            anyhow!("{}: line {line}: {}", self.path(), not_utf8(0).message)
        })?;
        let (commit, view) = self.target()?;
        let view = view.as_ref().unwrap_or_else(|| self.work());
        let known = self.folders(text, &commit, view)?;
        // What cannot be compared is taken for the same: an entry's own commit is somebody's choice.
        let is_same = |old: &str, folder: &str| {
            let at = |commit: &str| known.get(&(commit.to_owned(), folder.to_owned()));
            at(old).is_none_or(|old| at(&commit) == Some(old))
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
            let fetched = value("GitFetch").unwrap_or(library::DEFAULT_FETCH.into());
            self.warn_of_reach(&commit, &fetched, &value("GitRepo").unwrap_or_default())?;
        }
        self.finish(text, &plan, &commit)
    }

    /// What the folders of the images are at the commits of a file's entries, and at the one that it is for.
    fn folders(
        &self,
        text: &str,
        commit: &str,
        view: &View,
    ) -> Result<BTreeMap<(String, String), String>> {
        let Ok(git) = &self.git else {
            return Ok(BTreeMap::new());
        };
        let (manifest, _) = library::parse(text);
        let own = |entry| manifest.own(entry, "GitCommit").is_some();
        let entries = manifest.entries().iter().filter(|entry| own(entry));
        let commits = entries.filter_map(|entry| manifest.value(entry, "GitCommit"));
        let is_one = |commit: &String| library::misshapen("GitCommit", commit).is_none();
        let mut commits: BTreeSet<String> = commits
            .map(|commit| commit.into_owned())
            .filter(is_one)
            .collect();
        if commits.is_empty() {
            return Ok(BTreeMap::new());
        }
        commits.insert(commit.to_owned());
        let folders: Vec<String> = view.images.iter().map(Image::path).collect();
        git.folders(&commits, &folders)
    }

    /// The commit that the file is for, and the tree at it, where it is here.
    fn target(&self) -> Result<(String, Option<View>)> {
        if let Some(commit) = &self.args.commit {
            let (commit, is_here) = self.resolve(commit)?;
            let reason = match &self.git {
                Ok(git) if is_here => return Ok((commit.clone(), Some(self.at(git, &commit)?))),
                Ok(_) => format!(
                    "{commit} is not in this repository: run `git fetch`, or check it for a typo"
                ),
                Err(reason) => format!("{reason:#}"),
            };
            self.warn(&format!(
                "{reason}; the file is written for the tree as it is"
            ));
            return Ok((commit, None));
        }
        let advice = "`--commit <SHA>` says which commit official images are built from";
        let git = self
            .git
            .as_ref()
            .map_err(|reason| anyhow!("{reason:#}: {advice}"))?;
        let head = git.head()?.with_context(|| {
            format!("{} has no commit yet: {advice}", self.common.root.display())
        })?;
        let trees = &self.repository.trees;
        let folders: Vec<&str> = trees
            .iter()
            .map(|tree| tree.directory.name.as_str())
            .collect();
        let changed = git.changed(&folders)?;
        if !changed.is_empty() && self.args.dry_run {
            let changed = shortened(&changed);
            self.warn(&format!(
                "planned from the tree as it is, with what is not committed yet: {changed}"
            ));
            return Ok((head, None));
        }
        ensure!(
            changed.is_empty(),
            "what is not committed is in no official image ({}): commit it first, give an older commit with --commit <SHA>, \
             or see with --dry-run what will change",
            shortened(&changed)
        );
        let view = self.at(git, &head)?;
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
                "nothing is known of {fetched} here: check that {commit} is in it"
            )),
        }
        Ok(())
    }

    /// Prints what changes, and writes it.
    fn finish(&self, before: &str, plan: &Plan, commit: &str) -> Result<bool> {
        let mut output = Output::new(self.common);
        let path = self.path();
        let places = Places::new(plan.text.as_bytes());
        let remaining: Vec<Finding> = plan
            .remaining
            .iter()
            .map(|problem| problem.clone().finding(&path, &places))
            .collect();
        let is_same = before == plan.text;
        output.print(&of_library(
            &path, before, plan, commit, remaining, self.args,
        ))?;
        if !self.args.dry_run {
            self.write(before, &plan.text)?;
            let steps = if is_same {
                Vec::new()
            } else {
                self.next_steps(&path, plan)
            };
            output.next_steps(&steps);
        }
        Ok(self.args.exit_code && !is_same)
    }

    fn write(&self, before: &str, text: &str) -> Result<()> {
        let file = &self.args.file;
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if before == text {
            return write(folder, &[]);
        }
        let is_read_only = std::fs::metadata(file).is_ok_and(|file| file.permissions().readonly());
        ensure!(
            !is_read_only,
            "{} is read-only: make it writable first",
            self.path()
        );
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .context("its name is not UTF-8")?;
        let file = NewFile {
            path: String::new(),
            content: Content::Text(text.as_bytes().to_vec()),
            mode: 0,
        };
        write(
            folder,
            &[Step::File {
                path: name.to_owned(),
                before: Some(before.as_bytes().to_vec()),
                file,
            }],
        )
    }

    fn next_steps(&self, path: &str, plan: &Plan) -> Vec<(String, &'static str)> {
        let versions: Vec<String> = plan
            .versions
            .iter()
            .rev()
            .map(ToString::to_string)
            .collect();
        let title = match versions.is_empty() {
            true => format!("Update {}", self.image()),
            false => format!("Update {} to {}", self.image(), versions.join(", ")),
        };
        let root = match self.common.root.as_path() {
            here if here == Path::new(".") => String::new(),
            root => format!(" -C {}", quoted(&root.display().to_string())),
        };
        let folder = self
            .args
            .file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let place = folder
            .map(|folder| format!(" -C {}", quoted(&folder.display().to_string())))
            .unwrap_or_default();
        let name = self
            .args
            .file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or(path);
        vec![
            (
                format!("update library{root} {} --check", quoted(path)),
                "once the commit is pushed",
            ),
            (format!("git{place} add {}", quoted(name)), ""),
            (
                format!("git{place} commit -m {}", quoted(&title)),
                "and open the pull request to docker-library/official-images",
            ),
        ]
    }
}

/// Paths in a sentence, the first few of them.
fn shortened(paths: &[String]) -> String {
    match paths.len().checked_sub(5) {
        None | Some(0) => paths.join(", "),
        Some(more) => format!("{} and {more} more", paths[..5].join(", ")),
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
