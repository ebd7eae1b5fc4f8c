//! What `update` is made of.
//!
//! Data flows one way: arguments (`cli`) → the tree as it is (`tree`, `config`) → the release (`release`, `fetch`, `sums`)
//! → a plan (`plan`, `templates`) → the summary (`report`) → the disk (`apply`). What a field is, `fields` finds; what it
//! must say, `rules` says, to `check` and to the plan alike.

pub mod apply;
pub mod check;
pub mod cli;
pub mod commands;
pub mod config;
pub mod fetch;
pub mod fields;
pub mod plan;
pub mod release;
pub mod report;
pub mod rules;
pub mod sums;
pub mod templates;
pub mod tree;
pub mod verify;
pub mod version;
