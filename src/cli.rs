//! The command line: what can be asked for, and its help. What it means is `commands`' business.

pub mod completions;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{
    Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint,
};
use clap_complete::env::CompleteEnv;
use clap_complete::{ArgValueCandidates, ArgValueCompleter, Shell};

use crate::fields::RUNNERS;
use crate::library::misshapen;
use crate::plan::{Add, Base, Options, Remove};
use crate::release::source::Wanted;
use crate::repository::discover;

/// Moves a Docker image repository to a new server release, and proves that it is consistent.
///
/// Fetches the SHA256SUMS of the release, writes version and hashes into every Dockerfile of the version directory, moves
/// references, scripts and workflows with them, and says what changed. Nothing is written until everything is known.
#[derive(Debug, Parser)]
#[command(
    version,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(override_usage = "update [OPTIONS] <VERSION>...\n       update <COMMAND> [OPTIONS]")]
#[command(
    after_help = "Exit status: 0 success; 1 findings, or changes with `--exit-code`; 2 error."
)]
#[command(after_long_help = "\
Examples:
  update status                          what is newer than the tree?
  update latest --verify --commit        to the newest stable release, of each series
  update latest --dry-run --diff         what that would change
  update 0.25.6                          to this one
  update --base alpine=3.19              another base, at the same version
  update --base 2.9.x/alpine=3.18        the same, in one series
  update 2.14.5 --add alpine3.23         a release, and a new variant
  update --remove 2.10.x                 a series that is no longer released
  update 0.25.6 --from ../releases       from a folder that holds v0.25.6/SHA256SUMS
  update check                           is everything in the tree what is expected?
  update library ../official-images/library/nats
                                         the library file, from which Docker builds the image

Exit status: 0 success; 1 findings, or changes with `--exit-code`; 2 error.")]
pub struct Cli {
    /// What to do; without a command, the update.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The update.
    #[command(flatten)]
    pub update: UpdateArgs,
    /// What holds for every command.
    #[command(flatten)]
    pub common: Common,
}

impl Cli {
    /// Reads the command line. Exits where it is wrong, asks for help only, or is a shell that asks for completions.
    pub fn read() -> Self {
        let words = CompleteEnv::with_factory(Self::command);
        words.var(completions::ASKING).complete();
        let matches = Self::command().try_get_matches();
        let matches = matches.unwrap_or_else(|error| explained(error).exit());
        if let Some(command) = matches.subcommand_name() {
            let update = UpdateArgs::augment_args(clap::Command::new(""));
            let given = |argument: &&clap::Arg| {
                matches.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine)
            };
            let mut given = update.get_arguments().filter(given);
            if let Some(long) = given.find_map(clap::Arg::get_long) {
                let program = Self::command();
                let own = program.find_subcommand(command);
                let has = own.is_some_and(|own| names_of(own).any(|one| one == long));
                let advice = match has {
                    true => format!("put it after `{command}`"),
                    false => format!("`{command}` has none, so leave it out"),
                };
                let message =
                    format!("`--{long}` before `{command}` is an option of the update: {advice}");
                conflict(message);
            }
        }
        let mut cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let of_library =
            |command: &Command| matches!(command, Command::Library(LibraryArgs { diff: true, .. }));
        let is_for_programs = matches!(cli.common.format, Format::Json | Format::Markdown);
        if is_for_programs && (cli.update.diff || cli.command.as_ref().is_some_and(of_library)) {
            conflict("`--diff` is printed with the text alone: leave it or `--format` out");
        }
        if matches.value_source("root") != Some(ValueSource::CommandLine) {
            cli.common.root = discover();
        }
        cli
    }
}

/// Says which options do not go together, and exits.
fn conflict(message: impl Display) -> ! {
    let error = Cli::command().error(ErrorKind::ArgumentConflict, message);
    error.exit()
}

/// An error about an option that is unknown where it stands, with the command that has one of that name, or without clap's advice
/// to take it for a value.
fn explained(mut error: clap::Error) -> clap::Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let given = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(given)) => given.clone(),
        _ => String::new(),
    };
    let program = Cli::command();
    let given_long = given.strip_prefix("--");
    let has = |command: &&clap::Command| names_of(command).any(|long| given_long == Some(long));
    match program.get_subcommands().find(has) {
        Some(command) => {
            let name = command.get_name();
            let message = format!("`{given}` is an option of `update {name}`: put it behind that");
            Cli::command().error(ErrorKind::UnknownArgument, message)
        }
        None => {
            error.remove(ContextKind::Suggested);
            error
        }
    }
}

/// The long names of a command's own options.
fn names_of(command: &clap::Command) -> impl Iterator<Item = &str> {
    command.get_arguments().filter_map(clap::Arg::get_long)
}

/// The commands besides the main job.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check that versions, hashes, references and bases agree (offline)
    Check(CheckArgs),
    /// Say where each version directory stands, and what is newer
    Status(StatusArgs),
    /// Bring a library file of docker-library/official-images up to date with this tree, or check it
    Library(LibraryArgs),
    /// Print the completions of a shell: `source <(update completions bash)`
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// The options of `check`.
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 no findings; 1 findings; 2 error.")]
pub struct CheckArgs {
    /// Also compare the pinned hashes with the published SHA256SUMS
    #[arg(long)]
    pub online: bool,
    /// Also download every pinned archive and compare its hash
    #[arg(long)]
    pub archives: bool,
    /// Where releases are, for --online and --archives
    #[command(flatten)]
    pub from: From,
}

/// The options of `status`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 success; 1 something is newer, with `--exit-code`; 2 error."
)]
pub struct StatusArgs {
    /// Do not look for newer releases
    #[arg(long)]
    pub offline: bool,
    /// The library file of the image [default: that in ../official-images/library, where there is one]
    #[arg(long, value_name = "FILE", add = ArgValueCompleter::new(completions::library_files))]
    pub library: Option<PathBuf>,
    /// Where releases are
    #[command(flatten)]
    pub from: From,
    /// Exit 1 where something is newer
    #[arg(long, conflicts_with = "offline")]
    pub exit_code: bool,
}

/// The options of `library`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  update library ../official-images/library/nats                 to the commit that is checked out
  update library ../official-images/library/nats --check         is it right?
  update library ../official-images/library/nats --add 2.14.x    offer a new series too
  update library ../official-images/library/nats --add 2.14.x/windowsservercore-ltsc2025
                                                                 or a new variant

Exit status: 0 success; 1 findings of `--check`, or changes with `--exit-code`; 2 error.")]
pub struct LibraryArgs {
    /// The library file, in a clone of docker-library/official-images: ../official-images/library/nats
    #[arg(value_name = "FILE", add = ArgValueCompleter::new(completions::library_files))]
    pub file: PathBuf,
    /// Report findings and write nothing; only with -C, --format, --color, -q and -v
    #[arg(long, conflicts_with_all = ["adds", "commit", "fetch", "dry_run", "diff", "exit_code"])]
    pub check: bool,
    /// The commit of this repository that Docker is to build from [default: the one that is checked out]
    #[arg(long, value_name = "SHA", value_parser = NonEmptyStringValueParser::new())]
    pub commit: Option<String>,
    /// The branch or tag that Docker fetches the commit from, such as refs/heads/main
    #[arg(long, value_name = "REF", value_parser = fetched)]
    pub fetch: Option<String>,
    /// Offer a version directory, or a variant of one, that the file does not offer yet
    #[arg(
        long = "add",
        value_name = "DIRECTORY",
        add = ArgValueCandidates::new(completions::folders)
    )]
    pub adds: Vec<String>,
    /// Plan and print, write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Print the unified diff too
    #[arg(long)]
    pub diff: bool,
    /// Exit 1 where something changes or would change
    #[arg(long)]
    pub exit_code: bool,
}

/// Where releases are.
#[derive(Debug, Clone, Args)]
pub struct From {
    /// An address or a folder with the releases, as v0.25.6/SHA256SUMS with the archives beside it [default: the server's downloads on GitHub]
    #[arg(
        long,
        value_name = "URL|DIR",
        value_hint = ValueHint::DirPath,
        env = "UPDATE_FROM",
        hide_env_values = true
    )]
    from: Option<String>,
}

impl From {
    /// The folder or address; `None` where it is empty.
    pub fn given(&self) -> Option<&str> {
        self.from.as_deref().filter(|from| !from.is_empty())
    }

    /// The same, unless it comes from the environment, where the next command finds it too.
    pub fn typed(&self) -> Option<&str> {
        let set = std::env::var("UPDATE_FROM").ok();
        self.given().filter(|from| set.as_deref() != Some(*from))
    }
}

/// The options of the update.
#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// The releases to move to: a version such as 0.25.6; `2.14.x`, the newest stable one of that series; `latest`, the newest
    /// stable one, of each series where there are several. A version of a new series adds that series
    #[arg(value_name = "VERSION", add = ArgValueCandidates::new(completions::versions))]
    pub versions: Vec<Wanted>,
    /// Plan and print, write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Print the unified diff of every file too
    #[arg(long)]
    pub diff: bool,
    /// Where releases are
    #[command(flatten)]
    pub from: From,
    /// Move the variants of a family to another base (repeatable): alpine=3.19; one variant: alpine3.18=3.19; all of Windows:
    /// windows=ltsc2022; in one series: 2.9.x/alpine=3.18. Without a series: in the series of the versions given, else in all
    #[arg(
        long = "base",
        value_name = "[SERIES/]FAMILY=BASE",
        conflicts_with = "keep",
        add = ArgValueCandidates::new(completions::bases)
    )]
    pub bases: Vec<Base>,
    /// Add a variant, from its family's template or its nearest sibling (repeatable): alpine3.19, 2.14.x/alpine3.23
    #[arg(
        long = "add",
        value_name = "[SERIES/]VARIANT",
        add = ArgValueCandidates::new(completions::families)
    )]
    pub adds: Vec<Add>,
    /// Remove a variant, or a series, and every mention of it in scripts and workflows (repeatable): alpine3.18, 2.9.x/alpine3.18,
    /// 2.9.x
    #[arg(
        long = "remove",
        value_name = "[SERIES/]VARIANT|SERIES",
        add = ArgValueCandidates::new(completions::parts)
    )]
    pub removes: Vec<Remove>,
    /// Move the workflows to another runner (repeatable): ubuntu=24.04, windows=2022. Those made from an expression (windows-${{ … }}) stay
    #[arg(
        long = "runner",
        value_name = "OS=LABEL",
        value_parser = runner
    )]
    pub runners: Vec<(String, String)>,
    /// Before anything is written, download and hash every pinned archive; where releases are on GitHub, its digest of every file
    /// must be there too
    #[arg(long)]
    pub verify: bool,
    /// Commit what was written, and nothing else, with your git settings and hooks; refused where those files have
    /// uncommitted changes already
    #[arg(long, conflicts_with = "dry_run")]
    pub commit: bool,
    /// Copy the old version directory instead of renaming it; not with --base, and not where directories are series
    #[arg(long)]
    pub keep: bool,
    /// Pin zeros for an archive that the release lacks; the build for its architecture then fails
    #[arg(long)]
    pub allow_missing: bool,
    /// Accept a version below the tree's
    #[arg(long)]
    pub allow_downgrade: bool,
    /// Accept new hashes for the version that the tree is already at (after a release was uploaded again)
    #[arg(long)]
    pub repin: bool,
    /// Exit 1 where something changes or would change
    #[arg(long)]
    pub exit_code: bool,
}

impl UpdateArgs {
    /// The options of the plan. An error where nothing is asked for, or one runner is to move to two versions.
    pub fn options(&self) -> anyhow::Result<Options> {
        let changes = [self.bases.len(), self.adds.len(), self.removes.len()];
        anyhow::ensure!(
            changes.iter().sum::<usize>() + self.versions.len() + self.runners.len() > 0,
            "nothing is asked for: expected a version such as 0.25.6, `latest`, a series such as 2.14.x, or one of `--base`, \
             `--add`, `--remove` and `--runner`; `update --help` says more"
        );
        let mut runners = BTreeMap::new();
        for (system, label) in &self.runners {
            let earlier = runners.insert(system.clone(), label.clone());
            anyhow::ensure!(
                earlier.is_none_or(|earlier| earlier == *label),
                "`--runner {system}={label}`: another `--runner` moves {system} already: give one of them"
            );
        }
        Ok(Options {
            keep: self.keep,
            allow_missing: self.allow_missing,
            allow_downgrade: self.allow_downgrade,
            repin: self.repin,
            bases: self.bases.clone(),
            adds: self.adds.clone(),
            removes: self.removes.clone(),
            runners,
            stays: Default::default(),
        })
    }
}

/// A value of `GitFetch` in a library file.
fn fetched(text: &str) -> Result<String, String> {
    match misshapen("GitFetch", text) {
        None => Ok(text.to_owned()),
        Some((_, expected)) => Err(format!("expected {expected}")),
    }
}

/// A runner's operating system and the version in its label, which may be given whole: `ubuntu=24.04`,
/// `ubuntu=ubuntu-24.04`.
fn runner(text: &str) -> Result<(String, String), String> {
    let (system, label) = text
        .split_once('=')
        .ok_or("expected OS=LABEL, such as ubuntu=24.04")?;
    if !RUNNERS.contains(&system) {
        let all = RUNNERS.join(" or ");
        return Err(format!("found the system `{system}`, expected {all}"));
    }
    let start = format!("{system}-");
    let version = label.strip_prefix(&start).unwrap_or(label);
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let is_version =
        version == "latest" || version.split('.').count() <= 2 && version.split('.').all(is_number);
    match is_version {
        true => Ok((system.to_owned(), version.to_owned())),
        false => Err(format!(
            "found the version `{label}`, expected one such as 24.04 or latest"
        )),
    }
}

/// What holds for every command.
#[derive(Debug, Args)]
pub struct Common {
    /// The repository [default: the one that contains the working folder]
    #[arg(
        short = 'C',
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        default_value = ".",
        hide_default_value = true,
        global = true
    )]
    pub root: PathBuf,
    /// How to print the result
    #[arg(long, value_enum, default_value_t, global = true)]
    pub format: Format,
    /// When to use colours; respects NO_COLOR and CLICOLOR_FORCE
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true)]
    pub color: ColorChoice,
    /// Print every change; without it, equal ones are printed once, with their number
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Print only errors; JSON, Markdown and annotations are printed all the same
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// How to print the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For the body of a pull request
    Markdown,
    /// For GitHub's runner: annotations, and Markdown in the summary of the step
    Github,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
