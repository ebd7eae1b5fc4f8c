//! What operating systems do each in their own way: owners, modes, links, and flushing a folder.

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown, symlink as link};
    use std::path::Path;

    pub fn device(metadata: &fs::Metadata) -> u64 {
        metadata.dev()
    }

    /// Why the names in a folder cannot be changed.
    pub fn cannot_write(folder: &Path) -> Option<io::Error> {
        use rustix::fs::{Access, access};
        let found = access(folder, Access::WRITE_OK | Access::EXEC_OK);
        found.err().map(io::Error::from)
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

    /// Lets what is in a folder, and in those below it, be removed.
    pub fn open_folders(folder: &Path) {
        for entry in walkdir::WalkDir::new(folder).into_iter().flatten() {
            if entry.file_type().is_dir() {
                let _ = fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700));
            }
        }
    }

    /// Makes changes of names in a folder last.
    pub fn flush_folder(folder: &Path) -> anyhow::Result<()> {
        use anyhow::Context;
        let flushed = fs::File::open(folder).and_then(|folder| folder.sync_all());
        flushed.with_context(|| format!("cannot flush {}", folder.display()))
    }
}

#[cfg(unix)]
pub(super) use unix::{
    cannot_write, device, flush_folder, keep_owner, mode, open_folders, set_mode, symlink,
};

#[cfg(not(unix))]
mod other {
    use std::fs;
    use std::io;
    use std::path::Path;

    pub fn device(_: &fs::Metadata) -> u64 {
        0
    }

    /// Permissions are more there than can be asked for.
    pub fn cannot_write(_: &Path) -> Option<io::Error> {
        None
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

    pub fn open_folders(_: &Path) {}

    /// Windows has no such call, and needs none.
    pub fn flush_folder(_: &Path) -> anyhow::Result<()> {
        Ok(())
    }
}

#[cfg(not(unix))]
pub(super) use other::{
    cannot_write, device, flush_folder, keep_owner, mode, open_folders, set_mode, symlink,
};
