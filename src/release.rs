//! Releases: where they are, what they publish, and whether the archives are what it says.

pub mod checksums;
mod fetch;
pub mod source;
pub mod verify;
