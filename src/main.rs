//! Parses the command line, runs it, prints one error with its causes, exits.

use std::process::ExitCode;

use update::cli::Cli;
use update::{commands, report};

fn main() -> ExitCode {
    let cli = Cli::read();
    commands::run(&cli).unwrap_or_else(|error| {
        report::error(&error, &cli.common);
        ExitCode::from(2)
    })
}
