//! The folder in which everything new is written first, and from which it gets its names.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::system::{flush_folder, keep_owner, mode, open_folders, set_mode, symlink};
use super::undo::{Undo, flush};
use super::{Content, NewFile, Step};
use crate::parallel;
use crate::repository::{LARGEST_DOCUMENT, read_file};

pub(super) const FOLDER: &str = ".update";
/// What keeps git from taking the folder up.
const IGNORE: &str = "*\n";

/// The folder in which everything new is written first.
pub(super) struct Staging {
    root: PathBuf,
    folder: PathBuf,
}

impl Staging {
    pub(super) fn new(root: &Path) -> Result<Self> {
        let folder = root.join(FOLDER);
        let shown = folder.display();
        match fs::symlink_metadata(&folder) {
            Err(problem) if problem.kind() == ErrorKind::NotFound => {}
            Ok(found) if found.is_dir() && is_ours(&folder) => {
                clear(&folder).with_context(|| format!("cannot clear {shown}"))?;
            }
            _ => bail!("{shown} was not made by `update`, which needs that name: remove it"),
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
    pub(super) fn stage(&self, steps: &[Step]) -> Result<()> {
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
                        let above = path.ancestors().skip(1);
                        let above = above.take_while(|above| above.starts_with(&place));
                        folders.extend(above.map(Path::to_owned));
                        files.push((path, file, None));
                    }
                }
                Step::Rename { .. } | Step::Remove { .. } => {}
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
                let mode = match file.mode {
                    0 => old.map_or(0, |old| mode(&old)),
                    new => new,
                };
                set_mode(&new, mode)
                    .and_then(|()| new.sync_all())
                    .with_context(cannot)
            }
        }
    }

    /// Gives everything its new name; puts on the list how each step is undone.
    pub(super) fn carry_out(&self, steps: &[Step], undo: &mut Vec<Undo>) -> Result<()> {
        let mut flushed = 0;
        for (number, step) in steps.iter().enumerate() {
            let path = self.root.join(step.path());
            let cannot = || format!("cannot change {}", path.display());
            let kept = || self.folder.join("old").join(number.to_string());
            match step {
                Step::File {
                    before: Some(before),
                    ..
                } => {
                    let largest = LARGEST_DOCUMENT.max(before.len() as u64);
                    let (now, _) = read_file(&path, largest).with_context(cannot)?;
                    ensure!(
                        now == *before,
                        "{} was changed while the update was planned: run it again",
                        path.display()
                    );
                    let kept = kept();
                    keep(&path, &kept).with_context(cannot)?;
                    fs::rename(self.new_path(number), &path).with_context(cannot)?;
                    undo.push(Undo::Restore { kept, path });
                }
                Step::File { before: None, .. } => {
                    ensure!(
                        fs::symlink_metadata(&path).is_err(),
                        "{} appeared while the update was planned: run it again",
                        path.display()
                    );
                    fs::rename(self.new_path(number), &path).with_context(cannot)?;
                    undo.push(Undo::Remove(path));
                }
                Step::Remove { path, .. } => {
                    let path = self.root.join(path);
                    let kept = kept();
                    fs::rename(&path, &kept).with_context(cannot)?;
                    undo.push(Undo::Restore { kept, path });
                }
                Step::Folder { .. } => {
                    make_way(&path, kept(), undo).with_context(cannot)?;
                    fs::rename(self.new_path(number), &path).with_context(cannot)?;
                    undo.push(Undo::RemoveFolder(path));
                }
                Step::Rename { from, .. } => {
                    let from = self.root.join(from);
                    // Below a folder, while it still has its name.
                    let is_below =
                        |done: &Undo| done.folder().is_some_and(|one| one.starts_with(&from));
                    if undo[flushed..].iter().any(is_below) {
                        flush(&undo[flushed..])?;
                        flushed = undo.len();
                    }
                    make_way(&path, kept(), undo).with_context(cannot)?;
                    fs::rename(&from, &path).with_context(cannot)?;
                    let (kept, path) = (path, from);
                    undo.push(Undo::Restore { kept, path });
                }
            }
        }
        flush(&undo[flushed..])
    }

    /// Undoes what was done, and tells of what went wrong.
    pub(super) fn undone(&self, problem: anyhow::Error, mut undo: Vec<Undo>) -> anyhow::Error {
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
    pub(super) fn clear(&self) {
        let _ = clear(&self.folder).or_else(|_| clear(&self.folder));
    }
}

/// Removes a folder of ours, what says that it is one last.
fn clear(folder: &Path) -> io::Result<()> {
    for inside in ["new", "old"] {
        let inside = folder.join(inside);
        // Folders that came with the tree may not let anything go.
        let removed = fs::remove_dir_all(&inside).or_else(|_| {
            open_folders(&inside);
            fs::remove_dir_all(&inside)
        });
        match removed {
            Err(problem) if problem.kind() != ErrorKind::NotFound => return Err(problem),
            _ => {}
        }
    }
    fs::remove_dir_all(folder)
}

/// Whether a folder is one that a run has left, rather than one that came with the tree.
pub(super) fn is_ours(folder: &Path) -> bool {
    let ignore = fs::symlink_metadata(folder.join(".gitignore"))
        .map(|found| found.is_file() && found.len() <= 2);
    let names_all = || {
        let ours = [".gitignore", "new", "old"];
        fs::read(folder.join(".gitignore")).is_ok_and(|text| text == IGNORE.as_bytes())
            && fs::read_dir(folder).is_ok_and(|mut entries| {
                entries.all(|entry| {
                    entry.is_ok_and(|entry| ours.iter().any(|name| entry.file_name() == *name))
                })
            })
    };
    let is_begun = || {
        fs::read_dir(folder).is_ok_and(|entries| {
            entries
                .flatten()
                .all(|entry| entry.file_name() == ".gitignore")
        })
    };
    match ignore {
        Ok(is_small) => is_small && (names_all() || is_begun()),
        Err(_) => is_empty(folder),
    }
}

pub(super) fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Takes an empty folder from a place that is needed, and keeps it as it is.
fn make_way(path: &Path, kept: PathBuf, undo: &mut Vec<Undo>) -> io::Result<()> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    if !is_empty(path) {
        return Err(ErrorKind::DirectoryNotEmpty.into());
    }
    fs::rename(path, &kept)?;
    let path = path.to_owned();
    undo.push(Undo::Restore { kept, path });
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
