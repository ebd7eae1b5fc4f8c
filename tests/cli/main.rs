//! What the program does, seen from the command line: folders before and after, and the exact output.

mod archives;
mod bad_input;
mod binding;
mod check;
mod closed;
mod completions;
#[cfg(target_os = "linux")]
mod faults;
mod foreign;
mod github;
mod golden;
mod guesses;
mod hostile;
mod json;
mod library;
mod matrices;
mod morning;
mod moves;
mod others;
mod planted;
mod readme;
mod removals;
mod series;
mod shared_scripts;
mod sources;
mod steps;
mod styles;
mod support;
mod twins;
mod update;
mod web;
mod workflow;
