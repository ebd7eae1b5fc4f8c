//! The folder in which everything new is written first, and from which it gets its names.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::system::{flush_folder, keep_owner, open_folders, set_mode, symlink};
use super::{Content, NewFile, Step};
use crate::parallel;
use crate::repository::{LARGEST_DOCUMENT, mode, read_if_there};

pub(super) const FOLDER: &str = ".update";
/// What keeps git from taking the folder up.
const IGNORE: &str = "*\n";

/// What has another name now, and the one that it had.
pub(super) type Undo = Vec<(PathBuf, PathBuf)>;

/// The folder in which everything new is written first.
pub(super) struct Staging {
    root: PathBuf,
    folder: PathBuf,
}

impl Staging {
    pub(super) fn new(root: &Path) -> Result<Self> {
        let staging = Self {
            root: root.to_owned(),
            folder: root.join(FOLDER),
        };
        let folder = &staging.folder;
        let made = || -> io::Result<()> {
            // What a killed run has left: `look` has seen that it is that.
            match clear(folder) {
                Err(problem) if problem.kind() != ErrorKind::NotFound => return Err(problem),
                _ => fs::create_dir(folder)?,
            }
            fs::write(folder.join(".gitignore"), IGNORE)?;
            fs::create_dir(folder.join("new"))?;
            fs::create_dir(folder.join("old"))
        };
        made()
            .inspect_err(|_| staging.clear())
            .with_context(|| format!("nothing was changed\ncannot write in {}", root.display()))?;
        Ok(staging)
    }

    /// Where what a step makes is kept until its time.
    fn new_path(&self, step: usize) -> PathBuf {
        self.folder.join("new").join(step.to_string())
    }

    /// Writes everything that is new, and flushes it.
    pub(super) fn stage(&self, steps: &[Step]) -> Result<()> {
        let mut files: Vec<(PathBuf, &NewFile, Option<&str>)> = Vec::new();
        let mut folders = BTreeSet::new();
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
            let written = self.write_file(path, file, *old);
            written.with_context(|| format!("cannot write {}", path.display()))
        });
        results.into_iter().collect::<Result<Vec<()>>>()?;
        flush(&mut folders)
    }

    fn write_file(&self, path: &Path, file: &NewFile, old: Option<&str>) -> Result<()> {
        let (new, mode) = match &file.content {
            Content::LinkLike(link) => {
                let target = fs::read_link(self.root.join(link))?;
                return Ok(symlink(&target, path)?);
            }
            Content::CopyOf(source) => {
                let source = self.root.join(source);
                let found = fs::symlink_metadata(&source)?;
                let shown = source.display();
                ensure!(found.is_file(), "{shown}: not a file, and cannot be copied");
                fs::copy(&source, path)?;
                (fs::File::open(path)?, mode(&found))
            }
            Content::Text(text) => {
                let mut new = fs::File::create_new(path)?;
                new.write_all(text)?;
                let old = old.map(|old| fs::symlink_metadata(self.root.join(old)));
                let old = old.transpose()?;
                old.iter().for_each(|old| keep_owner(&new, old));
                (
                    new,
                    old.filter(|_| file.mode == 0)
                        .map_or(file.mode, |old| mode(&old)),
                )
            }
        };
        set_mode(&new, mode)?;
        Ok(new.sync_all()?)
    }

    /// Gives everything its new name; puts on the list how each step is undone.
    pub(super) fn carry_out(&self, steps: &[Step], undo: &mut Undo) -> Result<()> {
        let mut changed = BTreeSet::new();
        for (number, step) in steps.iter().enumerate() {
            // What is removed may have been moved with its folder by then.
            let path = match step {
                Step::Remove { path, .. } => path,
                _ => step.path(),
            };
            let path = self.root.join(path);
            let new = self.new_path(number);
            let kept = self.folder.join("old").join(number.to_string());
            let cannot = || format!("cannot change {}", path.display());
            let needs_place = matches!(step, Step::Folder { .. } | Step::Rename { .. });
            if needs_place && fs::symlink_metadata(&path).is_ok() {
                // An empty folder gives way, and is kept as it is.
                let shown = path.display();
                ensure!(
                    is_empty(&path),
                    "{shown} appeared while the update was planned: run the same command again"
                );
                fs::rename(&path, &kept).with_context(cannot)?;
                undo.push((kept.clone(), path.clone()));
            }
            let (from, to) = match step {
                Step::File { before, .. } => {
                    let largest = before.as_ref().map_or(0, Vec::len) as u64;
                    let largest = largest.max(LARGEST_DOCUMENT);
                    let now = read_if_there(&path, largest).with_context(cannot)?;
                    ensure!(
                        now == *before,
                        "{} was changed while the update was planned: run the same command again",
                        path.display()
                    );
                    if before.is_some() {
                        keep(&path, &kept).with_context(cannot)?;
                        undo.push((kept, path.clone()));
                        fs::rename(new, &path).with_context(cannot)?;
                        changed.extend(path.parent().map(Path::to_owned));
                        continue;
                    }
                    (new, path.clone())
                }
                Step::Folder { .. } => (new, path.clone()),
                Step::Remove { .. } => (path.clone(), kept),
                Step::Rename { from, .. } => {
                    // Folders are flushed while they still have their names.
                    flush(&mut changed)?;
                    (self.root.join(from), path.clone())
                }
            };
            fs::rename(&from, &to).with_context(cannot)?;
            changed.extend(path.parent().map(Path::to_owned));
            undo.push((to, from));
        }
        flush(&mut changed)
    }

    /// Undoes what was done, and tells of what went wrong.
    pub(super) fn undone(&self, problem: anyhow::Error, mut undo: Undo) -> anyhow::Error {
        let what = match undo.is_empty() {
            true => "nothing was changed",
            false => "the update failed, and was undone",
        };
        while let Some((now, before)) = undo.pop() {
            // Tried twice: a failure may pass.
            let undone = fs::rename(&now, &before).or_else(|_| fs::rename(&now, &before));
            if let Err(failure) = undone {
                let shown = self.folder.display();
                return problem.context(format!("the update failed, and undoing it failed too ({failure}): the tree is half changed. The old files are in {shown}/old: copy that folder before you run `update` again, since the next run removes it"));
            }
        }
        self.clear();
        problem.context(what)
    }

    /// Removes the folder. What cannot be removed now is removed by the next run, and ignored by git until then.
    pub(super) fn clear(&self) {
        let _ = clear(&self.folder).or_else(|_| clear(&self.folder));
    }
}

/// Removes a folder of ours; the mark that it is one goes last.
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
    let ours = [".gitignore", "new", "old"];
    let is_ours = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| ours.iter().any(|name| entry.file_name() == *name))
    };
    let mark = read_if_there(&folder.join(".gitignore"), IGNORE.len() as u64);
    let is_marked =
        mark.is_ok_and(|mark| mark.is_some_and(|text| IGNORE.as_bytes().starts_with(&text)));
    let all = fs::read_dir(folder);
    is_empty(folder) || is_marked && all.is_ok_and(|mut all| all.all(is_ours))
}

pub(super) fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Keeps a file under another name too.
fn keep(path: &Path, kept: &Path) -> io::Result<()> {
    fs::hard_link(path, kept).or_else(|problem| match problem.kind() {
        // A file system without hard links.
        ErrorKind::Unsupported => fs::copy(path, kept).map(|_| ()),
        _ => Err(problem),
    })
}

/// Makes changes of names in folders last.
fn flush(folders: &mut BTreeSet<PathBuf>) -> Result<()> {
    let folders = Vec::from_iter(std::mem::take(folders));
    parallel::map(&folders, 4, |_, folder| flush_folder(folder))
        .into_iter()
        .collect()
}
