//! What `update` is made of.
//!
//! Data flows one way: arguments (`cli`) → the repository as it is (`repository`, whose documents have `fields`) → the release
//! (`release`) → a plan (`plan`) → the summary (`report`) → the disk (`write`). `fields::expected` says what a field is expected
//! to say, to `check` and to the plan alike. The library file has a module of its own, `library`; `git` gives it the tree that
//! the file is for.

pub mod check;
pub mod cli;
pub mod commands;
pub mod fields;
pub mod finding;
pub mod git;
pub mod library;
pub mod parallel;
pub mod plan;
pub mod problems;
pub mod release;
pub mod report;
pub mod repository;
pub mod tag;
pub mod text;
pub mod version;
pub mod write;
