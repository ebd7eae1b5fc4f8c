//! Releases: where they are, what they publish, and whether the archives are what it says.

pub mod checksums;
pub mod digests;
mod fetch;
pub mod source;
pub mod verify;
