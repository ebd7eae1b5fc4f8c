//! Downloads archives and hashes them as they come, several at once: what is pinned must be what is there.

use std::io::{self, Read};

use anyhow::Result;
use semver::Version;
use sha2::Digest;

use super::checksums::Sha256;
use super::source::Source;
use crate::parallel;

/// How many archives are on their way at once: enough to hash one while another waits for the network.
const AT_ONCE: usize = 4;

/// An archive of a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Archive {
    /// The release's version.
    pub version: Version,
    /// Its file name.
    pub name: String,
}

/// Is told how far the archives are, from several threads at once.
pub trait Progress: Sync {
    /// An archive has begun, again where it is tried again; its size in bytes, where that is known.
    fn begin(&self, archive: usize, size: Option<u64>);
    /// So many more bytes of it are hashed.
    fn advance(&self, archive: usize, bytes: u64);
    /// It is done, or given up.
    fn end(&self, archive: usize, done: bool);
}

/// The hash of each archive, in their order, or why there is none.
pub fn hashes(
    source: &Source,
    archives: &[Archive],
    progress: &dyn Progress,
) -> Vec<Result<Sha256>> {
    parallel::map(archives, AT_ONCE, |number, archive| {
        let result = source.archive(&archive.version, &archive.name, |size, body| {
            progress.begin(number, size);
            hash(body, |bytes| progress.advance(number, bytes))
        });
        progress.end(number, result.is_ok());
        result
    })
}

/// Hashes a file as it comes, in memory that does not grow with it.
fn hash(body: &mut dyn Read, advance: impl Fn(u64)) -> io::Result<Sha256> {
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match body.read(&mut buffer)? {
            0 => return Ok(Sha256::from(<[u8; 32]>::from(hasher.finalize()))),
            count => {
                hasher.update(&buffer[..count]);
                advance(count as u64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_the_standard() {
        // FIPS 180-4's example "abc", and the empty message.
        for (text, expected) in [
            (
                "abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                "",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
        ] {
            assert_eq!(
                hash(&mut text.as_bytes(), |_| {}).unwrap().to_string(),
                expected
            );
        }
    }
}
