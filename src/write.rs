//! Changes files and folders so that every file is whole at every instant, and so that an error leaves everything as it was.
//!
//! What is new is written and flushed in a folder of its own, `.update`, first; a hard link keeps each old file until the
//! end; then names are changed, one step after the other. An error undoes in reverse what was done. Nothing that is found
//! in `.update` is ever read: after a kill the next run throws it away.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::parallel;
use crate::repository::{LARGEST_DOCUMENT, read_file};

const FOLDER: &str = ".update";
/// What keeps git from taking the folder up.
const IGNORE: &str = "*\n";

/// How often, and how long apart, the lock is asked for while another run has it.
const TRIES: usize = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// A change of one name. Paths are relative to the folder that is changed, as they are when the first step begins.
#[derive(Debug, Clone)]
pub enum Step {
    /// A file gets another text, or is new where nothing was before.
    File {
        /// Where it is.
        path: String,
        /// What is expected to be in it; `None` where it is new.
        before: Option<Vec<u8>>,
        /// What it will be.
        file: NewFile,
    },
    /// A folder is new.
    Folder {
        /// Where it will be.
        path: String,
        /// Its files.
        files: Vec<NewFile>,
    },
    /// A folder gets another name. An empty one of that name gives way.
    Rename {
        /// Where it is.
        from: String,
        /// Where it will be.
        to: String,
    },
}

/// A file that is new, or whose text is.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Where it will be in its new folder; nothing where that is said elsewhere.
    pub path: String,
    /// What will be in it.
    pub content: Content,
    /// Permission bits as `chmod` counts them; 0 for those of the file that it is a copy of, or for none in particular.
    pub mode: u32,
}

/// What will be in a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// These bytes.
    Text(Vec<u8>),
    /// What is in that file.
    CopyOf(String),
    /// A symbolic link, as that one is.
    LinkLike(String),
}

impl Step {
    /// The place whose folder is changed.
    fn path(&self) -> &str {
        match self {
            Self::File { path, .. } | Self::Folder { path, .. } | Self::Rename { to: path, .. } => {
                path
            }
        }
    }
}

/// Looks for what would make the steps fail, before the first one: something in the way, another file system, a folder that
/// cannot be written.
pub fn look(root: &Path, steps: &[Step]) -> Result<()> {
    let mut problems = Vec::new();
    let staging = root.join(FOLDER);
    if fs::symlink_metadata(&staging).is_ok_and(|found| !found.is_dir() || !is_ours(&staging)) {
        problems.push(format!(
            "{}: not a folder of `update`: remove it",
            staging.display()
        ));
    }
    let mut folders = BTreeSet::new();
    for step in steps {
        let place = root.join(step.path());
        folders.extend(place.parent().map(Path::to_owned));
        let there = fs::symlink_metadata(&place);
        let shown = place.display();
        match (step, there) {
            (
                Step::File {
                    before: Some(_), ..
                },
                Ok(found),
            ) if found.is_file() => {}
            (
                Step::File {
                    before: Some(_), ..
                },
                _,
            ) => problems.push(format!("{shown}: not a file any more")),
            (_, Err(problem)) if problem.kind() == ErrorKind::NotFound => {}
            (Step::Rename { .. } | Step::Folder { .. }, Ok(found))
                if found.is_dir() && is_empty(&place) => {}
            _ => problems.push(format!(
                "{shown}: something is there already: remove it, or move it away"
            )),
        }
    }
    let device = fs::metadata(root).map(|found| device(&found)).ok();
    for folder in folders {
        match fs::symlink_metadata(&folder) {
            Ok(found) if !found.is_dir() && folder != root => {
                problems.push(format!("{}: not a folder", folder.display()))
            }
            Ok(found) if Some(self::device(&found)) != device && folder != root => {
                problems.push(format!(
                    "{}: on another file system than {}",
                    folder.display(),
                    root.display()
                ));
            }
            Err(problem) => problems.push(format!("{}: {problem}", folder.display())),
            _ => {}
        }
    }
    ensure!(
        problems.is_empty(),
        "the update cannot be written:\n  {}\nNothing was changed",
        problems.join("\n  ")
    );
    Ok(())
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Makes the steps, or none of them. Clears away what a killed run has left.
pub fn write(root: &Path, steps: &[Step]) -> Result<()> {
    let folder = root.join(FOLDER);
    if steps.is_empty() && (fs::symlink_metadata(&folder).is_err() || !is_ours(&folder)) {
        return Ok(());
    }
    look(root, steps)?;
    let _lock = lock(root)?;
    let staging = Staging::new(root)?;
    let mut undo = Vec::new();
    let done = staging
        .stage(steps)
        .context("nothing was changed")
        .and_then(|()| {
            staging
                .carry_out(steps, &mut undo)
                .context("the update failed, and was undone")
        });
    match done {
        Ok(()) => {
            staging.clear();
            Ok(())
        }
        Err(problem) => Err(staging.undone(problem, undo)),
    }
}

/// The right to change a folder, which one run has at a time, for as long as the file is open.
fn lock(root: &Path) -> Result<Option<fs::File>> {
    // On Windows a folder cannot be opened, and so not locked: the checks of each file's text are all there is.
    if cfg!(windows) {
        return Ok(None);
    }
    let folder = fs::File::open(root).with_context(|| format!("cannot open {}", root.display()))?;
    for tries in 0.. {
        match folder.try_lock() {
            Ok(()) => break,
            Err(fs::TryLockError::WouldBlock) if tries < TRIES => std::thread::sleep(PAUSE),
            Err(fs::TryLockError::WouldBlock) => bail!(
                "another update is running in {}; wait for it to finish",
                root.display()
            ),
            Err(fs::TryLockError::Error(problem)) => {
                return Err(problem).with_context(|| format!("cannot lock {}", root.display()));
            }
        }
    }
    Ok(Some(folder))
}

/// How a step is undone.
enum Undo {
    /// The kept file gets its old name back.
    Restore {
        kept: PathBuf,
        path: PathBuf,
    },
    Remove(PathBuf),
    RemoveFolder(PathBuf),
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    MakeFolder {
        path: PathBuf,
        permissions: fs::Permissions,
    },
}

impl Undo {
    fn run(&self) -> io::Result<()> {
        match self {
            Self::Restore { kept, path } => fs::rename(kept, path),
            Self::Remove(path) => fs::remove_file(path),
            Self::RemoveFolder(path) => fs::remove_dir_all(path),
            Self::Rename { from, to } => fs::rename(from, to),
            Self::MakeFolder { path, permissions } => {
                if !path.is_dir() {
                    fs::create_dir(path)?;
                }
                fs::set_permissions(path, permissions.clone())
            }
        }
    }
}

/// The folder in which everything new is written first.
struct Staging {
    root: PathBuf,
    folder: PathBuf,
}

impl Staging {
    fn new(root: &Path) -> Result<Self> {
        let folder = root.join(FOLDER);
        let shown = folder.display();
        match fs::symlink_metadata(&folder) {
            Err(problem) if problem.kind() == ErrorKind::NotFound => {}
            Ok(found) if found.is_dir() && is_ours(&folder) => {
                clear(&folder).with_context(|| format!("cannot clear {shown}"))?;
            }
            _ => bail!("{shown} is not a folder of `update`: remove it"),
        }
        let staging = Self {
            root: root.to_owned(),
            folder,
        };
        let made = || -> io::Result<()> {
            fs::create_dir(&staging.folder)?;
            fs::write(staging.folder.join(".gitignore"), IGNORE)?;
            ["new", "old"]
                .into_iter()
                .try_for_each(|name| fs::create_dir(staging.folder.join(name)))
        };
        let result = made();
        if let Err(problem) = result {
            staging.clear();
            let context = format!("nothing was changed\ncannot write in {}", root.display());
            return Err(anyhow!(problem).context(context));
        }
        Ok(staging)
    }

    /// Where what a step makes is kept until its time.
    fn new_path(&self, step: usize) -> PathBuf {
        self.folder.join("new").join(step.to_string())
    }

    /// Writes everything that is new, and flushes it.
    fn stage(&self, steps: &[Step]) -> Result<()> {
        let mut files: Vec<(PathBuf, &NewFile, Option<&str>)> = Vec::new();
        let mut folders = BTreeSet::from([self.folder.join("new")]);
        for (number, step) in steps.iter().enumerate() {
            let place = self.new_path(number);
            match step {
                Step::File { path, before, file } => {
                    files.push((place, file, before.is_some().then_some(path.as_str())))
                }
                Step::Folder { files: inside, .. } => {
                    folders.insert(place.clone());
                    for file in inside {
                        let path = place.join(&file.path);
                        folders.extend(
                            path.ancestors()
                                .skip(1)
                                .take_while(|above| above.starts_with(&place))
                                .map(Path::to_owned),
                        );
                        files.push((path, file, None));
                    }
                }
                Step::Rename { .. } => {}
            }
        }
        for folder in &folders {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let results = parallel::map(&files, 4, |_, (path, file, old)| {
            self.write_file(path, file, *old)
        });
        results.into_iter().collect::<Result<Vec<()>>>()?;
        folders.remove(&self.folder.join("new"));
        let folders: Vec<PathBuf> = folders.into_iter().collect();
        parallel::map(&folders, 4, |_, folder| flush_folder(folder))
            .into_iter()
            .collect()
    }

    fn write_file(&self, path: &Path, file: &NewFile, old: Option<&str>) -> Result<()> {
        let cannot = || format!("cannot write {}", path.display());
        match &file.content {
            Content::LinkLike(link) => {
                let target = fs::read_link(self.root.join(link)).with_context(cannot)?;
                symlink(&target, path).with_context(cannot)
            }
            Content::CopyOf(source) => {
                let source = self.root.join(source);
                let found = fs::symlink_metadata(&source).with_context(cannot)?;
                ensure!(
                    found.is_file(),
                    "{}: not a file, and cannot be copied",
                    source.display()
                );
                fs::copy(&source, path).with_context(cannot)?;
                let copy = fs::File::open(path).with_context(cannot)?;
                set_mode(&copy, mode(&found))
                    .and_then(|()| copy.sync_all())
                    .with_context(cannot)
            }
            Content::Text(text) => {
                let mut new = fs::File::create_new(path).with_context(cannot)?;
                new.write_all(text).with_context(cannot)?;
                let old = old
                    .map(|old| fs::symlink_metadata(self.root.join(old)))
                    .transpose()
                    .with_context(cannot)?;
                if let Some(old) = &old {
                    keep_owner(&new, old);
                }
                let mode = old.map_or(file.mode, |old| mode(&old));
                set_mode(&new, mode)
                    .and_then(|()| new.sync_all())
                    .with_context(cannot)
            }
        }
    }

    /// Gives everything its new name; puts on the list how each step is undone.
    fn carry_out(&self, steps: &[Step], undo: &mut Vec<Undo>) -> Result<()> {
        let mut flushed = 0;
        for (number, step) in steps.iter().enumerate() {
            let path = self.root.join(step.path());
            let cannot = || format!("cannot change {}", path.display());
            match step {
                Step::File {
                    before: Some(before),
                    ..
                } => {
                    let (now, _) = read_file(&path, LARGEST_DOCUMENT).with_context(cannot)?;
                    ensure!(
                        now == *before,
                        "{} was changed while the update was planned: run it again",
                        path.display()
                    );
                    let kept = self.folder.join("old").join(number.to_string());
                    keep(&path, &kept).with_context(cannot)?;
                    fs::rename(self.new_path(number), &path).with_context(cannot)?;
                    undo.push(Undo::Restore { kept, path });
                }
                Step::File { before: None, .. } => {
                    ensure!(
                        fs::symlink_metadata(&path).is_err(),
                        "{} has come to be there",
                        path.display()
                    );
                    fs::rename(self.new_path(number), &path).with_context(cannot)?;
                    undo.push(Undo::Remove(path));
                }
                Step::Folder { .. } => {
                    make_way(&path, undo).with_context(cannot)?;
                    fs::rename(self.new_path(number), &path).with_context(cannot)?;
                    undo.push(Undo::RemoveFolder(path));
                }
                Step::Rename { from, .. } => {
                    let from = self.root.join(from);
                    // Below a folder, while it still has its name.
                    let is_below = |done: &Undo| {
                        done.folder()
                            .is_some_and(|folder| folder.starts_with(&from))
                    };
                    if undo[flushed..].iter().any(is_below) {
                        flush(&undo[flushed..])?;
                        flushed = undo.len();
                    }
                    make_way(&path, undo).with_context(cannot)?;
                    fs::rename(&from, &path).with_context(cannot)?;
                    undo.push(Undo::Rename {
                        from: path,
                        to: from,
                    });
                }
            }
        }
        flush(&undo[flushed..])
    }

    /// Undoes what was done, and tells of what went wrong.
    fn undone(&self, problem: anyhow::Error, mut undo: Vec<Undo>) -> anyhow::Error {
        while let Some(step) = undo.pop() {
            // Once more: what fails may pass.
            if let Err(failure) = step.run().or_else(|_| step.run()) {
                let shown = self.folder.display();
                return problem.context(format!("the update failed, and undoing it failed too ({failure}): old files are kept in {shown}/old"));
            }
        }
        self.clear();
        problem
    }

    /// Removes the folder. What cannot be removed now is removed by the next run, and ignored by git until then.
    fn clear(&self) {
        let _ = clear(&self.folder).or_else(|_| clear(&self.folder));
    }
}

/// Removes a folder of ours, what says that it is one last.
fn clear(folder: &Path) -> io::Result<()> {
    for inside in ["new", "old"] {
        match fs::remove_dir_all(folder.join(inside)) {
            Err(problem) if problem.kind() != ErrorKind::NotFound => return Err(problem),
            _ => {}
        }
    }
    fs::remove_dir_all(folder)
}

impl Undo {
    /// The folder in which a name was changed.
    fn folder(&self) -> Option<PathBuf> {
        let path = match self {
            Self::Restore { path, .. } | Self::Remove(path) | Self::RemoveFolder(path) => path,
            Self::Rename { from, .. } => from,
            Self::MakeFolder { path, .. } => path,
        };
        path.parent().map(Path::to_owned)
    }
}

/// Makes changes of names last.
fn flush(done: &[Undo]) -> Result<()> {
    let folders: BTreeSet<PathBuf> = done.iter().filter_map(Undo::folder).collect();
    let folders: Vec<PathBuf> = folders.into_iter().collect();
    parallel::map(&folders, 4, |_, folder| flush_folder(folder))
        .into_iter()
        .collect()
}

/// Whether a folder is one that a run has left, rather than one that came with the tree.
fn is_ours(folder: &Path) -> bool {
    let ignore = fs::symlink_metadata(folder.join(".gitignore"))
        .map(|found| found.is_file() && found.len() <= 2);
    let names_all = fs::read(folder.join(".gitignore")).is_ok_and(|text| text == IGNORE.as_bytes());
    let is_begun = || {
        fs::read_dir(folder).is_ok_and(|entries| {
            entries
                .flatten()
                .all(|entry| entry.file_name() == ".gitignore")
        })
    };
    match ignore {
        Ok(is_small) => is_small && (names_all || is_begun()),
        Err(_) => is_empty(folder),
    }
}

/// Removes an empty folder from a place that is needed.
fn make_way(path: &Path, undo: &mut Vec<Undo>) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    fs::remove_dir(path)?;
    undo.push(Undo::MakeFolder {
        path: path.to_owned(),
        permissions: found.permissions(),
    });
    Ok(())
}

/// Keeps a file under another name too.
fn keep(path: &Path, kept: &Path) -> io::Result<()> {
    fs::hard_link(path, kept).or_else(|problem| match problem.kind() {
        // A file system without hard links.
        ErrorKind::Unsupported => fs::copy(path, kept).map(|_| ()),
        _ => Err(problem),
    })
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown, symlink as link};
    use std::path::Path;

    pub fn device(metadata: &fs::Metadata) -> u64 {
        metadata.dev()
    }

    /// Permission bits without those that run a program as its owner.
    pub fn mode(metadata: &fs::Metadata) -> u32 {
        metadata.permissions().mode() & 0o777
    }

    pub fn set_mode(file: &fs::File, mode: u32) -> io::Result<()> {
        let mode = if mode == 0 { 0o644 } else { mode & 0o777 };
        file.set_permissions(fs::Permissions::from_mode(mode))
    }

    /// Gives a file the owner and the group of another, as far as that is allowed.
    pub fn keep_owner(file: &fs::File, old: &fs::Metadata) {
        let is_same = file
            .metadata()
            .is_ok_and(|new| (new.uid(), new.gid()) == (old.uid(), old.gid()));
        if !is_same && fchown(file, Some(old.uid()), Some(old.gid())).is_err() {
            let _ = fchown(file, None, Some(old.gid()));
        }
    }

    pub fn symlink(target: &Path, path: &Path) -> io::Result<()> {
        link(target, path)
    }

    /// Makes changes of names in a folder last.
    pub fn flush_folder(folder: &Path) -> anyhow::Result<()> {
        use anyhow::Context;
        let flushed = fs::File::open(folder).and_then(|folder| folder.sync_all());
        flushed.with_context(|| format!("cannot flush {}", folder.display()))
    }
}
#[cfg(unix)]
use unix::{device, flush_folder, keep_owner, mode, set_mode, symlink};

#[cfg(not(unix))]
mod other {
    use std::fs;
    use std::io;
    use std::path::Path;

    pub fn device(_: &fs::Metadata) -> u64 {
        0
    }

    pub fn mode(_: &fs::Metadata) -> u32 {
        0
    }

    pub fn set_mode(_: &fs::File, _: u32) -> io::Result<()> {
        Ok(())
    }

    pub fn keep_owner(_: &fs::File, _: &fs::Metadata) {}

    pub fn symlink(target: &Path, path: &Path) -> io::Result<()> {
        std::os::windows::fs::symlink_file(target, path)
    }

    /// Windows has no such call, and needs none.
    pub fn flush_folder(_: &Path) -> anyhow::Result<()> {
        Ok(())
    }
}
#[cfg(not(unix))]
use other::{device, flush_folder, keep_owner, mode, set_mode, symlink};
