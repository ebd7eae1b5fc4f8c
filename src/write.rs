//! Changes files and folders so that every file is whole at every instant, and so that an error leaves everything as it was.
//!
//! What is new is written and flushed in a folder of its own, `.update`, first; a hard link keeps each old file until the
//! end; then names are changed, one step after the other. An error undoes in reverse what was done. Nothing that is found
//! in `.update` is ever read: after a kill the next run throws it away.

mod staging;
mod system;
mod undo;

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use self::staging::{FOLDER, Staging, is_empty, is_ours};
use self::system::{cannot_write, device};
use crate::text::harmless_list;

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
    /// A file goes, or a folder with everything in it.
    Remove {
        /// Where it is.
        now: String,
        /// Where it will be when its turn comes.
        path: String,
    },
    /// A folder, or a file, gets another name. An empty folder of that name gives way.
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
    /// Permission bits as `chmod` counts them; 0 for those of the file that it is a copy of, or that it replaces.
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
            Self::File { path, .. }
            | Self::Folder { path, .. }
            | Self::Remove { now: path, .. }
            | Self::Rename { to: path, .. } => path,
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
            "{}: was not made by `update`, which needs that name: remove it",
            staging.display()
        ));
    }
    let mut folders = BTreeSet::new();
    if !steps.is_empty() {
        folders.insert(root.to_owned());
    }
    for step in steps {
        let place = root.join(step.path());
        folders.extend(place.parent().map(Path::to_owned));
        let there = fs::symlink_metadata(&place);
        let shown = place.display();
        let is_new = matches!(step, Step::File { before: None, .. });
        match (step, there) {
            (Step::File { .. }, Ok(found)) if !is_new && found.is_file() => {}
            (Step::File { .. }, _) if !is_new => {
                problems.push(format!("{shown}: not a file any more"));
            }
            (Step::Remove { .. }, Ok(found)) if found.is_dir() => {
                folders.insert(place.clone());
            }
            (Step::Remove { .. }, Ok(_)) => {}
            (Step::Remove { .. }, _) => problems.push(format!("{shown}: not there any more")),
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
                let (folder, root) = (folder.display(), root.display());
                problems.push(format!("{folder}: on another file system than {root}"));
            }
            Err(problem) => problems.push(format!("{}: {problem}", folder.display())),
            // What goes is moved, which changes the folder itself too.
            _ => problems.extend(
                cannot_write(&folder)
                    .map(|why| format!("cannot write in {}: {why}", folder.display())),
            ),
        }
    }
    ensure!(
        problems.is_empty(),
        "the update cannot be written:\n  {}\nNothing was changed",
        harmless_list(&problems)
    );
    Ok(())
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
