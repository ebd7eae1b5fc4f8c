//! What `update` is made of.
//!
//! Data flows one way: arguments (`cli`) → the tree as it is (`tree`, `config`) → the release (`release`, `fetch`, `sums`)
//! → a plan (`plan`, `templates`) → the summary (`report`) → the disk (`apply`). What a field is, `fields` finds; what it
//! must say, `rules` says, to `check` and to the plan alike. The library file has a module of its own kind, `library`, which asks
//! `git` for the tree that the file is for.

pub mod apply;
pub mod check;
pub mod cli;
pub mod commands;
pub mod config;
pub mod fetch;
pub mod fields;
pub mod git;
pub mod library;
pub mod parallel;
pub mod plan;
pub mod release;
pub mod report;
pub mod rules;
pub mod sums;
pub mod templates;
pub mod tree;
pub mod verify;
pub mod version;
