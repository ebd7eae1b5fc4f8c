//! What Unix does in its own way: owners, modes, links, and flushing a folder.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown, symlink as link};
use std::path::Path;

pub(super) fn device(metadata: &fs::Metadata) -> u64 {
    metadata.dev()
}

/// Whether something is mounted there, also of the same file system.
#[cfg(target_os = "linux")]
pub(super) fn is_mounted(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    let found = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty());
    found.is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Other systems mount only other file systems.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_mounted(_: &Path) -> bool {
    false
}

/// Why the names in a folder cannot be changed.
pub(super) fn cannot_write(folder: &Path) -> Option<io::Error> {
    use rustix::fs::{Access, access};
    let found = access(folder, Access::WRITE_OK | Access::EXEC_OK);
    found.err().map(io::Error::from)
}

pub(super) fn set_mode(file: &fs::File, mode: u32) -> io::Result<()> {
    let mode = if mode == 0 { 0o644 } else { mode & 0o777 };
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Gives a file the owner and the group of another, as far as that is allowed.
pub(super) fn keep_owner(file: &fs::File, old: &fs::Metadata) {
    let is_same = file
        .metadata()
        .is_ok_and(|new| (new.uid(), new.gid()) == (old.uid(), old.gid()));
    if !is_same && fchown(file, Some(old.uid()), Some(old.gid())).is_err() {
        let _ = fchown(file, None, Some(old.gid()));
    }
}

pub(super) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    link(target, path)
}

/// Lets what is in a folder, and in those below it, be removed.
pub(super) fn open_folders(folder: &Path) {
    for entry in walkdir::WalkDir::new(folder).into_iter().flatten() {
        if entry.file_type().is_dir() {
            let _ = fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700));
        }
    }
}

/// Makes changes of names in a folder last.
pub(super) fn flush_folder(folder: &Path) -> anyhow::Result<()> {
    use anyhow::Context;
    let flushed = fs::File::open(folder).and_then(|folder| folder.sync_all());
    flushed.with_context(|| format!("cannot flush {}", folder.display()))
}
