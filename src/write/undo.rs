//! How each step of a change is undone.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::system::flush_folder;
use crate::parallel;

/// How a step is undone.
pub(super) enum Undo {
    /// What is kept, a file or a folder, or has another name for now, gets its old name back.
    Restore {
        kept: PathBuf,
        path: PathBuf,
    },
    Remove(PathBuf),
    RemoveFolder(PathBuf),
}

impl Undo {
    pub(super) fn run(&self) -> io::Result<()> {
        match self {
            Self::Restore { kept, path } => fs::rename(kept, path),
            Self::Remove(path) => fs::remove_file(path),
            Self::RemoveFolder(path) => fs::remove_dir_all(path),
        }
    }

    /// The folder in which a name was changed.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        let (Self::Restore { path, .. } | Self::Remove(path) | Self::RemoveFolder(path)) = self;
        path.parent().map(Path::to_owned)
    }
}

/// Makes changes of names last.
pub(super) fn flush(done: &[Undo]) -> Result<()> {
    let folders: BTreeSet<PathBuf> = done.iter().filter_map(Undo::folder).collect();
    let folders: Vec<PathBuf> = folders.into_iter().collect();
    parallel::map(&folders, 4, |_, folder| flush_folder(folder))
        .into_iter()
        .collect()
}
