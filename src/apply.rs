//! Writes a plan to disk so that every file is whole at every instant and an interrupted run can be finished.
//!
//! A redo log: all new files are written and flushed in `.update/` first, then a journal that says where they go, and only
//! then are they renamed to their places and the old ones removed. A run that finds a journal finishes what it says; one
//! that finds no journal throws the rest away, and the tree is as it was.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::plan::Plan;
use crate::tree::{Content, File, read_if_there};

const FOLDER: &str = ".update";

/// How often, and how long apart, the lock is asked for while another run has it.
const TRIES: usize = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// What is still to be done when every new file is on disk.
#[derive(Default, Serialize, Deserialize)]
struct Journal {
    /// Files to rename from `.update/new/<path>` to `<path>`.
    write: Vec<String>,
    /// Files to remove.
    remove: Vec<String>,
    /// Folders that are renamed as a whole, to remove where nothing is left in them.
    renamed: Vec<String>,
}

impl Journal {
    fn new(plan: &Plan) -> Self {
        let renamed = plan.targets.iter().flat_map(|target| {
            let variants = target
                .renames
                .keys()
                .map(|name| format!("{}/{name}", target.directory));
            let whole = target.source.clone().filter(|_| target.moves);
            // Variants of a directory that is renamed itself are not there any more.
            variants
                .filter(|_| !target.moves && target.source.as_ref() == Some(&target.directory))
                .chain(whole)
        });
        Self {
            write: plan
                .changes
                .iter()
                .map(|change| change.path.clone())
                .collect(),
            remove: plan.removed.clone(),
            renamed: renamed.collect(),
        }
    }

    fn paths(&self) -> impl Iterator<Item = &String> {
        self.write.iter().chain(&self.remove).chain(&self.renamed)
    }
}

/// The right to change a repository, which one process has at a time.
pub struct Repository {
    root: PathBuf,
    staging: PathBuf,
    lock: fs::File,
}

/// Whether an update of the repository at `root` was interrupted after it had begun to change the tree.
pub fn is_interrupted(root: &Path) -> bool {
    root.join(FOLDER).join("journal").exists()
}

/// Finishes or clears away what an interrupted run has left in the repository at `root`.
pub fn recover(root: &Path) -> Result<()> {
    if fs::symlink_metadata(root.join(FOLDER)).is_ok() {
        Repository::lock(root).map(drop)
    } else {
        Ok(())
    }
}

impl Repository {
    /// Takes the right to change the repository at `root`, and finishes or clears away what an interrupted run has left.
    ///
    /// An error where another process has it.
    pub fn lock(root: &Path) -> Result<Self> {
        let staging = root.join(FOLDER);
        let path = staging.join("lock");
        let is = |path: &Path, wanted: fn(&fs::Metadata) -> bool| {
            fs::symlink_metadata(path).map_or(true, |found| wanted(&found))
        };
        if !is(&staging, fs::Metadata::is_dir) || !is(&path, fs::Metadata::is_file) {
            bail!(
                "{}: wanted a folder of ours or nothing, found something else: remove it",
                staging.display()
            );
        }
        // Another run may be about to end, and to clear its folder away while this one opens it.
        let mut tries = 0;
        let lock = loop {
            match take_lock(&staging, &path) {
                Ok(Some(lock)) => break lock,
                Err(problem)
                    if problem.kind() != ErrorKind::NotFound
                        || tries == TRIES
                        || !root.is_dir() =>
                {
                    return Err(problem)
                        .with_context(|| format!("cannot create {}", path.display()));
                }
                Ok(None) if tries == TRIES => bail!(
                    "another update is at work in {}: wait until it has ended",
                    root.display()
                ),
                _ => std::thread::sleep(PAUSE),
            }
            tries += 1;
        };
        let repository = Self {
            root: root.to_owned(),
            staging,
            lock,
        };
        repository.finish()?;
        Ok(repository)
    }

    fn finish(&self) -> Result<()> {
        let path = self.staging.join("journal");
        if let Some(text) = read_if_there(&path)? {
            let journal: Journal = serde_json::from_slice(&text).with_context(|| {
                let folder = self.staging.display();
                format!(
                    "{} is no journal of an interrupted update: look at {folder}, and remove it",
                    path.display()
                )
            })?;
            self.check_places(&journal)?;
            self.carry_out(&journal)
                .context("an interrupted update is still not finished")?;
        }
        self.clear()
    }

    /// Makes the tree what the plan says.
    pub fn apply(&self, plan: &Plan) -> Result<()> {
        let journal = Journal::new(plan);
        let staged = self.stage(plan, &journal);
        if staged.is_err() {
            // The tree is untouched; what cannot be cleared now is cleared by the next run.
            let _ = self.clear();
        }
        staged.context("nothing was changed")?;
        self.carry_out(&journal)
            .context("the update is not finished: run the same command again to finish it")?;
        self.clear()
    }

    /// Writes everything that is new, so that renames and removals are all that is left.
    fn stage(&self, plan: &Plan, journal: &Journal) -> Result<()> {
        self.check_places(journal)?;
        for change in &plan.changes {
            let path = self.staged(&change.path);
            let cannot = || format!("cannot write {}", path.display());
            fs::create_dir_all(path.parent().context("a path without a folder")?)
                .with_context(cannot)?;
            write_file(&path, &change.after).with_context(cannot)?;
        }
        let draft = self.staging.join("journal.new");
        let text = serde_json::to_vec(journal)?;
        write_file(
            &draft,
            &File {
                content: Content::Bytes(text),
                mode: 0,
            },
        )
        .context("cannot write the journal")?;
        self.flush_below(&self.staging)?;
        fs::rename(&draft, self.staging.join("journal")).context("cannot write the journal")?;
        flush_folder(&self.staging)
    }

    /// Refuses what would end outside the repository, or in a folder that cannot be written, before anything is changed.
    fn check_places(&self, journal: &Journal) -> Result<()> {
        let root = fs::canonicalize(&self.root)?;
        let mut checked = BTreeSet::new();
        for path in journal.paths() {
            let ours =
                |part| matches!(part, Component::Normal(name) if name != ".git" && name != FOLDER);
            let plain = Path::new(path).components().all(ours);
            ensure!(
                plain && !path.is_empty(),
                "`{path}` is no place for an update to write"
            );
            for path in [self.root.join(path), self.staged(path)] {
                let folder = path
                    .ancestors()
                    .skip(1)
                    .find(|folder| folder.is_dir())
                    .context("a path without a folder")?;
                checked.insert(folder.to_owned());
            }
        }
        for folder in &journal.renamed {
            let inside = WalkDir::new(self.root.join(folder))
                .into_iter()
                .filter_map(Result::ok);
            checked.extend(
                inside
                    .filter(|entry| entry.file_type().is_dir())
                    .map(|entry| entry.into_path()),
            );
        }
        for folder in checked {
            let real = fs::canonicalize(&folder)
                .with_context(|| format!("cannot read the folder {}", folder.display()))?;
            ensure!(
                real.starts_with(&root),
                "{} leads out of the repository, to {}",
                folder.display(),
                real.display()
            );
            tempfile::tempfile_in(&real)
                .with_context(|| format!("cannot write in the folder {}", folder.display()))?;
        }
        Ok(())
    }

    /// Does what the journal says; what is done already is left.
    fn carry_out(&self, journal: &Journal) -> Result<()> {
        let mut folders = BTreeSet::new();
        for path in &journal.write {
            let (from, to) = (self.staged(path), self.root.join(path));
            let folder = to.parent().context("a path without a folder")?.to_owned();
            let cannot = || format!("cannot put {} in its place", to.display());
            fs::create_dir_all(&folder).with_context(cannot)?;
            match fs::rename(&from, &to) {
                Err(problem)
                    if problem.kind() == ErrorKind::NotFound
                        && fs::symlink_metadata(&to).is_ok() => {}
                other => other.with_context(cannot)?,
            }
            folders.extend(
                folder
                    .ancestors()
                    .take_while(|folder| folder.starts_with(&self.root))
                    .map(Path::to_owned),
            );
        }
        folders.iter().try_for_each(|folder| flush_folder(folder))?;
        for path in &journal.remove {
            let path = self.root.join(path);
            absent(fs::remove_file(&path))
                .with_context(|| format!("cannot remove {}", path.display()))?;
        }
        for folder in &journal.renamed {
            let inside = WalkDir::new(self.root.join(folder))
                .contents_first(true)
                .into_iter()
                .filter_map(Result::ok);
            for entry in inside.filter(|entry| entry.file_type().is_dir()) {
                match absent(fs::remove_dir(entry.path())) {
                    // It holds something that was made in the meantime, which is not ours to remove.
                    Err(problem) if problem.kind() == ErrorKind::DirectoryNotEmpty => {}
                    other => other
                        .with_context(|| format!("cannot remove {}", entry.path().display()))?,
                }
            }
        }
        flush_folder(&self.root)
    }

    /// Removes everything of ours but the lock.
    fn clear(&self) -> Result<()> {
        let cannot = || format!("cannot clear {}", self.staging.display());
        for file in ["journal", "journal.new"] {
            absent(fs::remove_file(self.staging.join(file))).with_context(cannot)?;
        }
        absent(fs::remove_dir_all(self.staging.join("new"))).with_context(cannot)
    }

    fn staged(&self, path: &str) -> PathBuf {
        self.staging.join("new").join(path)
    }

    fn flush_below(&self, folder: &Path) -> Result<()> {
        for entry in WalkDir::new(folder).contents_first(true) {
            let entry = entry?;
            if entry.file_type().is_dir() {
                flush_folder(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        // Kept where a journal is in it; otherwise nothing of ours stays behind.
        if !self.staging.join("journal").exists() {
            let _ = fs::remove_file(self.staging.join("lock"));
            let _ = fs::remove_dir(&self.staging);
        }
        let _ = self.lock.unlock();
    }
}

/// Puts a text in the place of the file at `path`, or makes a new one, whole at every instant. Its mode stays; a link is
/// followed.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = place
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::Builder::new()
            .prefix(".update-")
            .tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        if let Ok(metadata) = fs::metadata(&place) {
            file.as_file().set_permissions(metadata.permissions())?;
        } else {
            set_mode(file.as_file(), 0o644)?;
        }
        file.as_file().sync_all()?;
        file.persist(&place)?;
        flush_folder(folder)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// The lock, where nobody has it and it is still in its place.
fn take_lock(staging: &Path, path: &Path) -> std::io::Result<Option<fs::File>> {
    match fs::create_dir(staging) {
        Err(problem) if problem.kind() != ErrorKind::AlreadyExists => return Err(problem),
        _ => {}
    }
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    Ok((lock.try_lock().is_ok() && path.exists()).then_some(lock))
}

/// Success where what was to be removed is not there.
fn absent(result: std::io::Result<()>) -> std::io::Result<()> {
    match result {
        Err(problem) if problem.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn write_file(path: &Path, file: &File) -> Result<()> {
    if let Content::Link(target) = &file.content {
        return Ok(symlink(target, path)?);
    }
    let mut out = fs::File::create(path)?;
    out.write_all(&file.read()?)?;
    set_mode(&out, file.mode)?;
    out.sync_all()?;
    Ok(())
}

#[cfg(unix)]
fn set_mode(file: &fs::File, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if mode != 0 {
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn set_mode(_: &fs::File, _: u32) -> Result<()> {
    Ok(())
}

#[cfg(unix)]
fn symlink(target: &Path, path: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(windows)]
fn symlink(target: &Path, path: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_file(target, path)
}

/// Makes renames and removals in a folder last. Windows has no such call, and needs none.
#[cfg(unix)]
fn flush_folder(folder: &Path) -> Result<()> {
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("cannot flush {}", folder.display()))
}

#[cfg(not(unix))]
fn flush_folder(_: &Path) -> Result<()> {
    Ok(())
}
