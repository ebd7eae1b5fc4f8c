//! Opens files: regular ones of bounded size, never through a symbolic link, a pipe or a device.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// More bytes than any document has: the largest known ones have some ten thousand.
pub const LARGEST_DOCUMENT: u64 = 1 << 20;

/// The bytes of a regular file of at most so many, and its permission bits.
pub fn read_file(path: &Path, largest: u64) -> Result<(Vec<u8>, u32)> {
    let Some(file) = open(path)? else {
        bail!("a symbolic link, where a file is expected: put the file itself there");
    };
    let found = file.metadata()?;
    if !found.is_file() {
        bail!("neither a file nor a folder: remove it");
    }
    if found.len() > largest {
        bail!(
            "{} bytes, more than the {largest} that such a file can have",
            found.len()
        );
    }
    let mut bytes = Vec::with_capacity(found.len() as usize + 1);
    // It may have grown since.
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        bail!("more than the {largest} bytes that such a file can have");
    }
    Ok((bytes, mode(&found)))
}

/// The same; `None` where there is no file.
pub fn read_if_there(path: &Path, largest: u64) -> Result<Option<Vec<u8>>> {
    match fs::symlink_metadata(path) {
        Err(problem) if problem.kind() == ErrorKind::NotFound => Ok(None),
        _ => {
            let read = read_file(path, largest)
                .with_context(|| format!("cannot read {}", path.display()))?;
            Ok(Some(read.0))
        }
    }
}

/// Opens a file that is no symbolic link, without waiting for the other end of a pipe; `None` where it is a link.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<Option<fs::File>> {
    use rustix::{fs::OFlags, io::Errno};
    use std::os::unix::fs::OpenOptionsExt;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let opened = fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path);
    match opened {
        Err(problem) if problem.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Ok(None),
        other => other.map(Some),
    }
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<Option<fs::File>> {
    match fs::symlink_metadata(path)?.is_symlink() {
        true => Ok(None),
        false => fs::File::open(path).map(Some),
    }
}

/// Permission bits as `chmod` counts them; 0 where the system has none.
#[cfg(unix)]
pub fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o7777
}

/// Other systems have no such bits.
#[cfg(not(unix))]
pub fn mode(_: &fs::Metadata) -> u32 {
    0
}
