//! Releases: where they are, what they publish, and whether the archives match that.

pub mod checksums;
pub mod digests;
mod fetch;
pub mod source;
pub mod verify;
