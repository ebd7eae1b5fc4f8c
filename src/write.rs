//! Changes files and folders so that every file is whole at every instant, and so that an error leaves everything as it was.
//!
//! What is new is written and flushed in a folder of its own, `.update`, first; a hard link keeps each old file until the
//! end; then names are changed, one step after the other. An error undoes in reverse what was done. Nothing that is found
//! in `.update` is ever read: after a kill the next run throws it away.

mod staging;
#[cfg_attr(not(unix), path = "write/other.rs")]
mod system;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

use self::staging::{FOLDER, Staging, is_empty, is_ours};
use self::system::{cannot_write, device, is_mounted};
use crate::problems::refuse;

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
    /// The places that it reads, or moves.
    fn sources(&self) -> impl Iterator<Item = &String> {
        let (files, from): (&[NewFile], _) = match self {
            Self::File { file, .. } => (std::slice::from_ref(file), None),
            Self::Folder { files, .. } => (files, None),
            Self::Rename { from, .. } => (&[], Some(from)),
            Self::Remove { .. } => (&[], None),
        };
        let copied = files.iter().filter_map(|file| match &file.content {
            Content::CopyOf(path) | Content::LinkLike(path) => Some(path),
            Content::Text(_) => None,
        });
        copied.chain(from)
    }

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
    if fs::symlink_metadata(&staging).is_ok() && !is_interrupted(root) {
        problems.push(format!(
            "{}: `update` needs this name, and did not make what is there: remove or rename it",
            staging.display()
        ));
    }
    let (mut folders, mut removed) = (BTreeSet::new(), Vec::new());
    for step in steps {
        let place = root.join(step.path());
        folders.extend([root, place.parent().unwrap_or(root)].map(Path::to_owned));
        let (found, shown) = (fs::symlink_metadata(&place).ok(), place.display());
        let is_folder = found.as_ref().is_some_and(fs::Metadata::is_dir);
        let is_expected = matches!(
            step,
            Step::File {
                before: Some(_),
                ..
            } | Step::Remove { .. }
        );
        let gives_way = matches!(step, Step::Folder { .. } | Step::Rename { .. }) && is_folder;
        match step {
            _ if is_expected && found.is_none() => {
                problems.push(format!("{shown}: not there any more"));
            }
            // What goes is moved, which changes the folder itself too, and then everything in it is removed.
            Step::Remove { .. } if is_folder => {
                folders.insert(place.clone());
                removed.push(place);
            }
            _ if is_expected || found.is_none() || gives_way && is_empty(&place) => {}
            _ => problems.push(format!(
                "{shown}: something is there already: remove it, or move it away"
            )),
        }
    }
    let device = fs::metadata(root).map(|found| device(&found)).ok();
    for entry in removed.iter().flat_map(WalkDir::new).flatten() {
        let found = entry.metadata().map(|found| self::device(&found)).ok();
        if entry.depth() > 0 && (found != device || is_mounted(entry.path())) {
            let shown = entry.path().display();
            problems.push(format!(
                "{shown}: mounted there, and would be removed: unmount it"
            ));
        }
    }
    // A link may have come to the place of a folder since the tree was read, at any depth.
    let sources = steps.iter().flat_map(Step::sources);
    let paths = sources
        .map(String::as_str)
        .chain(steps.iter().map(Step::path));
    let mut all = folders.clone();
    for place in paths.map(|path| root.join(path)) {
        let above = place
            .ancestors()
            .skip(1)
            .take_while(|folder| *folder != root);
        all.extend(above.map(Path::to_owned));
    }
    for folder in all.iter().filter(|folder| *folder != root) {
        let shown = folder.display();
        match fs::symlink_metadata(folder) {
            Ok(found) if !found.is_dir() => problems.push(format!("{shown}: not a folder")),
            Ok(found) if Some(self::device(&found)) != device => {
                let root = root.display();
                problems.push(format!("{shown}: on another file system than {root}"));
            }
            Ok(_) => {}
            Err(problem) => problems.push(format!("{shown}: {problem}")),
        }
    }
    let cannot = folders.iter().filter_map(|folder| {
        let why = cannot_write(folder)?;
        Some(format!("cannot write in {}: {why}", folder.display()))
    });
    problems.extend(cannot);
    refuse(
        "the update cannot be written",
        problems,
        "Nothing was changed",
    )
}

/// Whether a run was killed there, or is at work.
pub fn is_interrupted(root: &Path) -> bool {
    let folder = root.join(FOLDER);
    fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) && is_ours(&folder)
}

/// Carries out all steps, or none. Clears away what a killed run has left.
pub fn write(root: &Path, steps: &[Step]) -> Result<()> {
    if steps.is_empty() && !is_interrupted(root) {
        return Ok(());
    }
    let _lock = lock(root)?;
    look(root, steps)?;
    let staging = Staging::new(root)?;
    let mut undo = Vec::new();
    let staged = staging.stage(steps);
    match staged.and_then(|()| staging.carry_out(steps, &mut undo)) {
        Ok(()) => staging.clear(),
        Err(problem) => return Err(staging.undone(problem, undo)),
    }
    Ok(())
}

/// The right to change a folder, which one run has at a time, for as long as the file is open.
fn lock(root: &Path) -> Result<Option<fs::File>> {
    // On Windows a folder cannot be opened, and so not locked: the checks of each file's text are all there is.
    if cfg!(windows) {
        return Ok(None);
    }
    let folder = fs::File::open(root).with_context(|| format!("cannot open {}", root.display()))?;
    let place = root.display();
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(fs::TryLockError::WouldBlock) => {
            bail!("another update is running in {place}; wait for it to finish")
        }
        Err(fs::TryLockError::Error(problem)) => {
            Err(problem).with_context(|| format!("cannot lock {place}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_a_folder_is_seen_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
        let step = |from: &str| Step::Rename {
            from: from.to_owned(),
            to: format!("{from}2"),
        };
        assert!(look(folder.path(), &[step("real/a")]).is_ok());
        let refused = look(folder.path(), &[step("link/a")]).unwrap_err();
        assert!(refused.to_string().contains("link: not a folder"));
        fs::create_dir(folder.path().join("real/below")).unwrap();
        let refused = look(folder.path(), &[step("link/below/a")]).unwrap_err();
        assert!(refused.to_string().contains("link: not a folder"));
    }

    #[test]
    fn what_is_in_the_way_is_found_before_the_first_step() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        for name in ["from", "empty", "full"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        fs::write(root.join("full/file"), "x").unwrap();
        let to = |to: &str| {
            let (from, to) = ("from".to_owned(), to.to_owned());
            look(root, &[Step::Rename { from, to }])
        };
        to("new").unwrap();
        to("empty").unwrap();
        for taken in ["full", "full/file"] {
            let problem = to(taken).unwrap_err().to_string();
            assert!(problem.contains("something is there already"), "{problem}");
        }
    }
}
