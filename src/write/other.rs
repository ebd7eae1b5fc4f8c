//! What systems other than Unix do instead.

use std::fs;
use std::io;
use std::path::Path;

pub(super) fn device(_: &fs::Metadata) -> u64 {
    0
}

pub(super) fn is_mounted(_: &Path) -> bool {
    false
}

/// Permissions there cannot be told before a write.
pub(super) fn cannot_write(_: &Path) -> Option<io::Error> {
    None
}

pub(super) fn set_mode(_: &fs::File, _: u32) -> io::Result<()> {
    Ok(())
}

pub(super) fn keep_owner(_: &fs::File, _: &fs::Metadata) {}

pub(super) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, path)
}

pub(super) fn open_folders(_: &Path) {}

/// Windows has no such call, and needs none.
pub(super) fn flush_folder(_: &Path) -> anyhow::Result<()> {
    Ok(())
}
