//! Everything that is printed: results to standard output, progress and errors to standard error.
//!
//! Each command makes one summary; each format prints summaries. Nothing of a tree or a server reaches a terminal or a CI
//! system before it is made harmless, here.

mod diff;
mod github;
mod json;
mod library;
mod markdown;
mod progress;
mod status;
mod summary;
mod text;
mod title;
mod update;

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use anyhow::Result;

pub use self::library::{About, of_library};
pub use self::progress::Bars;
pub use self::status::{Standing, Status, of_status};
pub use self::summary::Summary;
pub use self::title::title;
pub use self::update::{of_check, of_findings, of_update};
use crate::cli::{self, Common, Format};
use crate::problems::Several;
use crate::release::verify::Archive;
use crate::text::{harmless, harmless_json, harmless_lines};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const OLD: Style = AnsiColor::Red.on_default();
const NEW: Style = AnsiColor::Green.on_default();
const NOTE: Style = AnsiColor::Yellow.on_default();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// The two streams, as the user wants them.
pub struct Output {
    out: AutoStream<io::Stdout>,
    progress: Option<AutoStream<io::Stderr>>,
    format: Format,
    color: clap::ColorChoice,
    quiet: bool,
    verbose: bool,
}

fn choice(color: clap::ColorChoice, is_terminal: bool) -> ColorChoice {
    let is_zero = || std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value == "0");
    match color {
        // anstream respects the variables and the terminal, but takes `CLICOLOR_FORCE=0` for a yes.
        clap::ColorChoice::Auto if !is_terminal && is_zero() => ColorChoice::Never,
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    }
}

fn stderr(color: clap::ColorChoice) -> AutoStream<io::Stderr> {
    AutoStream::new(io::stderr(), choice(color, io::stderr().is_terminal()))
}

/// Prints an error, with what caused it, to standard error; of several, each, and what caused them once. GitHub's runner is told in
/// its own way too.
pub fn error(error: &anyhow::Error, common: &Common) {
    let several = error.downcast_ref().map(|Several(errors)| &errors[..]);
    let errors = several.unwrap_or(std::slice::from_ref(error));
    let causes = |error: &anyhow::Error| -> Vec<String> {
        let causes = error.chain().skip(1);
        causes
            .map(|cause| harmless_lines(&cause.to_string()))
            .collect()
    };
    let mut err = stderr(common.color);
    for (number, error) in errors.iter().enumerate() {
        if common.format == Format::Github {
            let said = github::annotation("error", &format!("{error:#}"));
            let _ = writeln!(io::stdout(), "{said}");
        }
        // Nothing is left to be done where standard error is closed.
        let said = harmless_lines(&error.to_string());
        let _ = writeln!(err, "{ERROR}error:{ERROR:#} {said}");
        let own = causes(error);
        let next = errors.get(number + 1).map(causes);
        for cause in own.iter().filter(|_| next.as_ref() != Some(&own)) {
            let _ = writeln!(err, "  caused by: {cause}");
        }
    }
}

/// Prints the completions of a shell.
pub fn completions(shell: clap_complete::Shell) -> Result<()> {
    finished(io::stdout().write_all(&cli::completions::script(shell)?))
}

/// What somebody does next.
pub struct NextSteps {
    /// What comes before the commands, in a sentence.
    pub first: Option<String>,
    /// Commands, as they are pasted into a shell.
    pub commands: Vec<String>,
    /// What there is to say of them, in sentences.
    pub remarks: Vec<String>,
}

impl Output {
    /// Output as the options say.
    pub fn new(common: &Common) -> Self {
        let talks = !common.quiet && io::stderr().is_terminal();
        let choice = choice(common.color, io::stdout().is_terminal());
        Self {
            out: AutoStream::new(io::stdout(), choice),
            progress: talks.then(|| stderr(common.color)),
            format: common.format,
            color: common.color,
            quiet: common.quiet,
            verbose: common.verbose,
        }
    }

    /// Whether text is printed, with what is to be done next.
    pub fn is_for_people(&self) -> bool {
        !self.quiet && matches!(self.format, Format::Text | Format::Github)
    }

    /// Whether nothing is printed but errors.
    pub fn is_silent(&self) -> bool {
        self.quiet && self.format == Format::Text
    }

    /// Says, to somebody at a terminal, what takes its time.
    pub fn progress(&mut self, what: &str) {
        if let Some(err) = &mut self.progress {
            // Progress that cannot be shown is no reason to stop.
            let _ = writeln!(err, "{DIM}{}{DIM:#}", harmless(what));
        }
    }

    /// Shows how far archives are: a bar for each on a terminal, a line when one is done elsewhere, nothing where it is
    /// quiet.
    pub fn bars(&self, archives: &[Archive]) -> Bars {
        Bars::new(archives, self.progress.is_some(), self.quiet)
    }

    /// Warns the user of something that is done all the same.
    pub fn warn(&self, warning: &str) {
        if self.format == Format::Github {
            let _ = writeln!(
                stderr(self.color),
                "{}",
                github::annotation("warning", warning)
            );
        } else if !self.quiet {
            // Nothing is left to be done where standard error is closed.
            let (mut err, said) = (stderr(self.color), harmless_lines(warning));
            let _ = writeln!(err, "{NOTE}warning:{NOTE:#} {said}");
        }
    }

    /// Prints a result. Text is silent where that is asked for; what programs read is not.
    pub fn print(&mut self, summary: &Summary) -> Result<()> {
        let text = rendered(summary, self.format, self.quiet, self.verbose);
        finished(self.out.write_all(&text))?;
        if self.format == Format::Github {
            // The empty line ends a table: more may follow in the same step.
            let text = markdown::of(summary) + "\n";
            github::append("GITHUB_STEP_SUMMARY", &text)?;
            github::append_outputs(&summary.json)?;
        }
        Ok(())
    }

    /// Tells people what was done besides what the result says, and what is left to do.
    pub fn done(&mut self, what: &str, next: &str) {
        if self.is_for_people() {
            // It is done: that this cannot be said is no failure any more.
            let _ = writeln!(self.out, "\n{}\n{next}", harmless(what));
        }
    }

    /// Prints, to people, what they do next.
    pub fn next_steps(&mut self, steps: &NextSteps) {
        if self.is_for_people() && !steps.commands.is_empty() {
            // Everything is written: that this cannot be said is no failure any more.
            let _ = text::print_next_steps(&mut self.out, steps);
        }
    }
}

/// A result in a format, styled as for a terminal where it is for people. `quiet` leaves text out; `all` tells changes that are
/// alike one by one.
pub fn rendered(summary: &Summary, format: Format, quiet: bool, all: bool) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    let _ = match format {
        Format::Json => writeln!(out, "{}", harmless_json(&summary.json)),
        Format::Markdown => write!(out, "{}", markdown::of(summary)),
        Format::Text if quiet => Ok(()),
        Format::Text => text::print(&mut out, summary, all),
        Format::Github if quiet => github::annotate(&mut out, summary),
        Format::Github if summary.is_verdict => github::annotate(&mut out, summary)
            .and_then(|()| text::print_verdict(&mut out, summary)),
        Format::Github => github::without_commands(&mut out, !summary.diff.is_empty(), |out| {
            text::print(out, summary, all)
        })
        .and_then(|()| github::annotate(&mut out, summary)),
    };
    out
}

/// A reader that has seen enough and closed the pipe is no failure.
fn finished(result: io::Result<()>) -> Result<()> {
    match result {
        Err(problem) if problem.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
