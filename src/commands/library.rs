//! `update library`: which tree a library file is for, and what becomes of the file.

mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::in_folder;
use crate::cli::{Common, LibraryArgs};
use crate::finding::Problem;
use crate::git::Git;
use crate::library::{self, Image, Manifest, OFFICIAL_IMAGES, Plan, View, Wanted};
use crate::report::{About, NextSteps, Output, of_library};
use crate::repository::{Repository, read_if_there};
use crate::text::{Places, first_of, quoted};
use crate::write::{Content, NewFile, Step, look, write};

/// More bytes than any library file has: the largest known one has some thirty thousand.
pub(super) const LARGEST: u64 = 4 << 20;

/// Checks the file, or updates it. Returns whether there are findings, or, with `--exit-code`, changes.
pub(super) fn run(args: &LibraryArgs, common: &Common) -> Result<bool> {
    let repository = Repository::read(&common.root)?;
    let git = Git::open(&common.root);
    let session = Session {
        args,
        common,
        repository,
        git,
    };
    let file = args.file.display();
    let image = session.image();
    if args.file.is_dir() {
        let is_inside = args.file.ends_with("library");
        let folder = args.file.join(if is_inside { "" } else { "library" });
        let expected = folder.join(image);
        let expected = expected.display();
        bail!("{file} is a folder: expected a library file, such as {expected}");
    }
    let text = read_if_there(&args.file, LARGEST)?.with_context(|| {
        format!("no file {file}: official-images keeps it as library/{image} ({OFFICIAL_IMAGES}): clone that and name the file there")
    })?;
    if args.check {
        session.check(&text)
    } else {
        session.update(&text)
    }
}

/// What one run knows.
struct Session<'a> {
    args: &'a LibraryArgs,
    common: &'a Common,
    repository: Repository,
    git: Result<Git>,
}

impl Session<'_> {
    fn image(&self) -> &str {
        &self.repository.names.config.image
    }

    /// What the tree says at a commit.
    fn at(&self, git: &Git, commit: &str) -> Result<View> {
        Ok(View::of(
            &git.repository(commit, &self.repository.names.config)?,
        ))
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
            "no commit `{commit}` in {}: run `git fetch`, or give all 40 digits",
            self.common.root.display()
        );
        Ok((commit.to_owned(), false))
    }

    fn update(&self, bytes: &[u8]) -> Result<bool> {
        let text = std::str::from_utf8(bytes).map_err(|wrong| {
            let (line, _) = Places::new(bytes).of(wrong.valid_up_to());
            anyhow!(
                "{}: line {line}: {}",
                self.path(),
                not_utf8(0).finding.message
            )
        })?;
        let (commit, view) = self.target()?;
        ensure!(
            commit.len() == 40,
            "{commit} has {} digits: official images are built from repositories whose commits have 40",
            commit.len()
        );
        let view = view.unwrap_or_else(|| View::of(&self.repository));
        let known = self.folders(text, &commit, &view)?;
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
        let plan = library::plan(text, &view, &wanted)
            .with_context(|| format!("cannot update {}", self.path()))?;
        plan.warnings.iter().for_each(|warning| self.warn(warning));
        let (manifest, _) = Manifest::parse(&plan.text);
        let fetched = |entry| {
            let value = |name| manifest.value(entry, name);
            let fetch = value("GitFetch").unwrap_or(library::DEFAULT_FETCH.into());
            let address = value("GitRepo").unwrap_or_default();
            (fetch.into_owned(), address.into_owned())
        };
        let all: BTreeSet<(String, String)> = manifest.entries().iter().map(fetched).collect();
        for (fetch, address) in &all {
            self.warn_if_unreached(&commit, fetch, address)?;
        }
        self.finish(text, &plan, &commit)
    }

    /// The object names of the images' folders at the commits of a file's entries, and at the one that it is for.
    fn folders(
        &self,
        text: &str,
        commit: &str,
        view: &View,
    ) -> Result<BTreeMap<(String, String), String>> {
        let Ok(git) = &self.git else {
            return Ok(BTreeMap::new());
        };
        let (manifest, _) = Manifest::parse(text);
        let entries = manifest.entries().iter();
        let commits = entries.flat_map(|entry| manifest.commits(entry));
        let commits = commits.map(|field| manifest.said(&field.value));
        let is_one = |commit: &String| library::misshapen("GitCommit", commit).is_none();
        let mut commits: BTreeSet<String> =
            commits.map(|one| one.into_owned()).filter(is_one).collect();
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
                    "{commit} is not in this repository: run `git fetch`, or check the digits"
                ),
                Err(reason) => format!("{reason:#}"),
            };
            self.warn(&format!(
                "{reason}; the file is written for the tree as it is"
            ));
            return Ok((commit, None));
        }
        let advice = "name the commit that Docker is to build from with `--commit <SHA>`";
        let git = self.git.as_ref();
        let git = git.map_err(|reason| anyhow!("{reason:#}: {advice}"))?;
        let head = git.head()?.with_context(|| {
            format!("{} has no commit yet: {advice}", self.common.root.display())
        })?;
        let view = self.at(git, &head);
        let trees = self.repository.trees.iter();
        let here = trees.map(|tree| tree.directory.name.as_str());
        // A version directory that was removed is a change, too.
        let committed = view.as_ref().into_iter().flat_map(|view| &view.images);
        let committed = committed.map(|image| image.directory.as_str());
        let folders: BTreeSet<&str> = here.chain(committed).collect();
        let changed = git.changed(&Vec::from_iter(folders), false)?;
        if !changed.is_empty() && self.args.dry_run {
            let changed = first_of(&changed, 5);
            self.warn(&format!(
                "planned from the working tree, with changes that are not committed: {changed}"
            ));
            return Ok((head, None));
        }
        ensure!(
            changed.is_empty(),
            "Docker builds official images from a commit, and these changes are not committed: {}. Commit them, name another \
             commit with --commit <SHA>, or preview the result with --dry-run",
            first_of(&changed, 5)
        );
        Ok((head, Some(view?)))
    }

    fn warn_if_unreached(&self, commit: &str, fetched: &str, address: &str) -> Result<()> {
        let Ok(git) = &self.git else { return Ok(()) };
        if git.commit(commit)?.is_none() {
            return Ok(());
        }
        if let Some((_, why)) = git.unreached(commit, fetched, address)? {
            self.warn(&why);
        }
        Ok(())
    }

    /// Prints what changes, and writes it.
    fn finish(&self, before: &str, plan: &Plan, commit: &str) -> Result<bool> {
        let mut output = Output::new(self.common);
        let path = self.path();
        let places = Places::new(plan.text.as_bytes());
        let remaining = plan.remaining.iter();
        let remaining = remaining.map(|problem| problem.clone().placed(&path, &places));
        let title = self.title(plan);
        let about = About {
            path: &path,
            shown: &self.shown(),
            image: self.image(),
            title: &title,
            commit,
        };
        let summary = of_library(&about, before, plan, remaining.collect(), self.args);
        let (folder, steps) = self.steps(before, &plan.text)?;
        look(folder, &steps)?;
        output.print(&summary)?;
        if !self.args.dry_run {
            write(folder, &steps)?;
            if !steps.is_empty() {
                output.next_steps(&self.next_steps(&path, &title));
            }
        }
        Ok(self.args.exit_code && !steps.is_empty())
    }

    /// The folder that the file is in.
    fn folder(&self) -> &Path {
        let folder = self.args.file.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new("."))
    }

    fn file_name(&self) -> Result<&str> {
        let name = self.args.file.file_name();
        name.and_then(|name| name.to_str())
            .context("the name of the library file is not UTF-8")
    }

    /// The file as its own repository names it, so that `git apply` takes a diff of it there; where it is in none, with the
    /// folder that it is in.
    fn shown(&self) -> String {
        let name = self.file_name().unwrap_or("library file");
        let folder = || {
            let folder = self.folder().file_name()?.to_str()?;
            Some(format!("{folder}/"))
        };
        let prefix = Git::within(self.folder()).and_then(|git| git.prefix());
        prefix.ok().or_else(folder).unwrap_or_default() + name
    }

    /// The steps that write the file, and the folder that they work in.
    fn steps(&self, before: &str, text: &str) -> Result<(&Path, Vec<Step>)> {
        if before == text {
            return Ok((self.folder(), Vec::new()));
        }
        let file = NewFile {
            path: String::new(),
            content: Content::Text(text.as_bytes().to_vec()),
            mode: 0,
        };
        let step = Step::File {
            path: self.file_name()?.to_owned(),
            before: Some(before.as_bytes().to_vec()),
            file,
        };
        Ok((self.folder(), vec![step]))
    }

    /// What a commit of the update is called.
    fn title(&self, plan: &Plan) -> String {
        let versions = plan.newest_first();
        match versions.is_empty() {
            true => format!("Update {}", self.image()),
            false => format!("Update {} to {versions}", self.image()),
        }
    }

    fn next_steps(&self, path: &str, title: &str) -> NextSteps {
        let (root, place) = (in_folder(&self.common.root), in_folder(self.folder()));
        let name = quoted(self.file_name().unwrap_or(path));
        let check = format!("update library{root} {} --check", quoted(path));
        let image = self.image();
        let first = format!(
            "Push the commit of {image} that the file names, unless it is pushed already. Then:"
        );
        let (mut commands, mut remarks) = (vec![check], Vec::new());
        if let Ok(git) = Git::within(self.folder()) {
            let is_known = self.file_name().and_then(|name| git.listed(&[name]));
            if is_known.is_ok_and(|known| known.is_empty()) {
                commands.push(format!("git{place} add -- {name}"));
            }
            commands.push(format!("git{place} commit -m {} -- {name}", quoted(title)));
            remarks.push("Then push the commit of the library file, and open a pull request in official-images.".to_owned());
        }
        NextSteps {
            first: Some(first),
            commands,
            remarks,
        }
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
