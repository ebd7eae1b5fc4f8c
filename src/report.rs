//! Everything that is printed: results to standard output, progress and errors to standard error.

mod diff;
mod github;
mod json;
mod library;
mod markdown;
mod progress;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use anyhow::Result;
use clap::CommandFactory;
use serde_json::{Value, json};

pub use self::library::LibraryUpdate;
pub use self::progress::Bars;
use crate::check::{Finding, Report};
use crate::cli::{Cli, Color, Common, Format, UpdateArgs};
use crate::plan::{Change, FieldChange, Plan, Target};
use crate::rules::Model;
use crate::sums::Sha256;
use crate::verify::Archive;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const OLD: Style = AnsiColor::Red.on_default();
const NEW: Style = AnsiColor::Green.on_default();
const NOTE: Style = AnsiColor::Yellow.on_default();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// How many characters a value may have before its middle is left out.
const LONGEST_VALUE: usize = 60;

/// What a check looked at, and what it found.
pub struct Verdict<'a> {
    /// The command that looked.
    pub command: &'static str,
    /// What it looked at: `nats-streaming 0.25.6`.
    pub subject: String,
    /// How much of it there was: `4 variants, 12 files, 80 fields`.
    pub looked_at: String,
    /// What it found.
    pub findings: &'a [Finding],
}

impl<'a> Verdict<'a> {
    /// What `update check` says of a tree.
    pub fn of_tree(model: &Model, report: &'a Report) -> Self {
        let [directories, variants, files, fields] = report.counts;
        let versions: Vec<String> = model
            .directories
            .iter()
            .map(|directory| directory.version.to_string())
            .collect();
        let shown = if directories > 3 {
            count(directories, "version")
        } else {
            versions.join(", ")
        };
        let looked_at = [
            count(variants, "variant"),
            count(files, "file"),
            count(fields, "field"),
        ]
        .join(", ");
        let subject = format!("{} {shown}", model.tree.config.image);
        Self {
            command: "update check",
            subject,
            looked_at,
            findings: &report.findings,
        }
    }
}

/// The two streams, as the user wants them.
pub struct Output {
    out: AutoStream<io::Stdout>,
    progress: Option<AutoStream<io::Stderr>>,
    format: Format,
    color: Color,
    quiet: bool,
}

fn choice(color: Color, is_terminal: bool) -> ColorChoice {
    match color {
        // anstream heeds the variables and the terminal, but takes `CLICOLOR_FORCE=0` for a yes.
        Color::Auto
            if !is_terminal
                && std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value == "0") =>
        {
            ColorChoice::Never
        }
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
}

/// Prints an error, with what led to it, to standard error.
pub fn error(error: &anyhow::Error, color: Color) {
    let mut err = AutoStream::new(io::stderr(), choice(color, io::stderr().is_terminal()));
    // Nothing is left to be done where standard error is closed.
    let _ = writeln!(err, "{ERROR}error:{ERROR:#} {error}");
    for cause in error.chain().skip(1) {
        let _ = writeln!(err, "  because: {cause}");
    }
}

/// Prints the completions of a shell.
pub fn completions(shell: clap_complete::Shell) -> Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "update", &mut text);
    finished(io::stdout().write_all(&text))
}

impl Output {
    /// Output as the options say.
    pub fn new(common: &Common) -> Self {
        let talks = !common.quiet && io::stderr().is_terminal();
        Self {
            out: AutoStream::new(
                io::stdout(),
                choice(common.color, io::stdout().is_terminal()),
            ),
            progress: talks.then(|| AutoStream::new(io::stderr(), choice(common.color, true))),
            format: common.format,
            color: common.color,
            quiet: common.quiet,
        }
    }

    /// Says, to somebody at a terminal, what takes its time.
    pub fn progress(&mut self, what: &str) {
        if let Some(err) = &mut self.progress {
            // Progress that cannot be shown is no reason to stop.
            let _ = writeln!(err, "{DIM}{what}{DIM:#}");
        }
    }

    /// Shows how far archives are: a bar for each on a terminal, a line when one is done elsewhere, nothing where it is quiet.
    pub fn bars(&self, archives: &[Archive]) -> Bars {
        Bars::new(archives, self.progress.is_some(), self.quiet)
    }

    /// Prints what a check found.
    pub fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        match (self.quiet, self.format) {
            (true, _) => Ok(()),
            (_, Format::Json) => self.json(&json!({ "findings": verdict.findings })),
            (_, Format::Text) => finished(self.verdict_text(verdict)),
            (_, Format::Markdown) => finished(write!(self.out, "{}", markdown::check(verdict))),
            (_, Format::Github) => {
                finished(
                    verdict
                        .findings
                        .iter()
                        .try_for_each(|finding| github::annotate(&mut self.out, "error", finding)),
                )?;
                github::append_summary(&markdown::check(verdict))?;
                finished(self.verdict_line(verdict))
            }
        }
    }

    fn verdict_text(&mut self, verdict: &Verdict) -> io::Result<()> {
        print_findings(&mut self.out, "", verdict.findings)?;
        self.verdict_line(verdict)
    }

    fn verdict_line(
        &mut self,
        Verdict {
            findings,
            subject,
            looked_at,
            ..
        }: &Verdict,
    ) -> io::Result<()> {
        if findings.is_empty() {
            return writeln!(self.out, "{NEW}consistent{NEW:#}: {subject} ({looked_at})");
        }
        let paths: BTreeSet<&str> = findings
            .iter()
            .map(|finding| finding.path.as_str())
            .collect();
        writeln!(
            self.out,
            "{OLD}{} in {}{OLD:#}",
            count(findings.len(), "finding"),
            count(paths.len(), "file")
        )
    }

    /// Says, of what is done all the same, what somebody should know.
    pub fn warn(&mut self, warning: &str) {
        if !self.quiet {
            let mut err =
                AutoStream::new(io::stderr(), choice(self.color, io::stderr().is_terminal()));
            // Nothing is left to be done where standard error is closed.
            let _ = writeln!(err, "{NOTE}warning:{NOTE:#} {warning}");
        }
    }

    /// Prints what an update did, or would do.
    pub fn update(&mut self, model: &Model, plan: &Plan, args: &UpdateArgs) -> Result<()> {
        match (self.quiet, self.format) {
            (true, _) => Ok(()),
            (_, Format::Json) => self.json(&json::update(plan, args)),
            (_, Format::Text) => finished(self.update_text(model, plan, args)),
            (_, Format::Markdown) => finished(write!(
                self.out,
                "{}",
                markdown::update(&model.tree.config.image, plan)
            )),
            (_, Format::Github) => {
                finished(self.update_text(model, plan, args))?;
                finished(
                    plan.remaining.iter().try_for_each(|finding| {
                        github::annotate(&mut self.out, "warning", finding)
                    }),
                )?;
                github::append_summary(&markdown::update(&model.tree.config.image, plan))
            }
        }
    }

    fn update_text(&mut self, model: &Model, plan: &Plan, args: &UpdateArgs) -> io::Result<()> {
        let out = &mut self.out;
        let (image, nothing) = (&model.tree.config.image, plan.changes.is_empty());
        for target in &plan.targets {
            writeln!(out, "{}", headline(image, target, nothing, OLD, NEW))?;
        }
        if plan.targets.is_empty() {
            writeln!(
                out,
                "{image}{}",
                if nothing { ": nothing to change" } else { "" }
            )?;
        }
        if !plan.changes.is_empty() {
            writeln!(out)?;
            plan.changes
                .iter()
                .try_for_each(|change| print_change(out, change))?;
            writeln!(out, "\n{}", counts(plan))?;
            if args.diff {
                plan.changes.iter().try_for_each(|change| {
                    diff::print(out, change, action(plan, change) == "copied")
                })?;
            }
        }
        if !plan.remaining.is_empty() {
            writeln!(
                out,
                "\n{NOTE}`update check` will still find, which `--runner`, `--add` or an editor mends:{NOTE:#}"
            )?;
            print_findings(out, "  ", &plan.remaining)?;
        }
        if args.dry_run && !plan.changes.is_empty() {
            return writeln!(out, "\nA dry run: nothing was written.");
        }
        Ok(())
    }

    /// Prints, to people, what they do with an update that is written.
    pub fn left_to_do(&mut self, plan: &Plan) {
        if self.quiet || !matches!(self.format, Format::Text | Format::Github) {
            return;
        }
        // The tree is written: that this cannot be said is no failure any more.
        let _ = writeln!(
            self.out,
            "\nWhat is left to do:\n  \
             git add --all && git diff --cached -M    {DIM}read the change, renames as renames{DIM:#}\n  \
             git commit -m \"{}\"\n  \
             git push, and open the pull request",
            subject(plan)
        );
    }

    fn json(&mut self, value: &Value) -> Result<()> {
        finished(writeln!(self.out, "{value:#}"))
    }
}

/// From which version to which.
fn headline(
    image: &str,
    target: &Target,
    nothing: bool,
    old_style: Style,
    new_style: Style,
) -> String {
    let Target {
        version, directory, ..
    } = target;
    match &target.old {
        _ if nothing => format!("{image} {version} in {directory}/: nothing to change"),
        Some(old) if old != version => {
            format!("{image} {old_style}{old}{old_style:#} → {new_style}{version}{new_style:#}")
        }
        Some(_) if target.has_release => format!("{image} {version}, repaired in {directory}/"),
        Some(_) => format!("{image} {version} in {directory}/"),
        None => format!("{image} {new_style}{version}{new_style:#}, new in {directory}/"),
    }
}

/// What a commit of the plan is called.
fn subject(plan: &Plan) -> String {
    let released = plan.targets.iter().filter(|target| target.has_release);
    let versions: Vec<String> = released.map(|target| target.version.to_string()).collect();
    let moves: BTreeMap<&String, &String> = plan
        .targets
        .iter()
        .flat_map(|target| &target.renames)
        .collect();
    let moves: Vec<String> = moves
        .into_iter()
        .map(|(old, new)| format!("{old} to {new}"))
        .collect();
    let added: Vec<&str> = plan
        .adds
        .iter()
        .map(|variant| variant.name.as_str())
        .collect();
    let hosts: Vec<String> = plan
        .hosts
        .iter()
        .map(|(system, version)| format!("{system}-{version}"))
        .collect();
    let parts = [
        ("update to", versions.join(" and ")),
        ("move", moves.join(", ")),
        ("add", added.join(", ")),
        ("run on", hosts.join(", ")),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(_, what)| !what.is_empty())
        .map(|(verb, what)| format!("{verb} {what}"))
        .collect();
    let said = said.join(", ");
    said[..1].to_uppercase() + &said[1..]
}

/// A reader that has seen enough and closed the pipe is no failure.
fn finished(result: io::Result<()>) -> Result<()> {
    match result {
        Err(problem) if problem.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn count(number: usize, what: &str) -> String {
    let ending = match (number, what) {
        (1, _) => "",
        (_, what) if what.ends_with('h') => "es",
        (_, what) if what.ends_with("ry") => {
            return format!("{number} {}ies", what.trim_end_matches('y'));
        }
        _ => "s",
    };
    format!("{number} {what}{ending}")
}

fn print_findings(out: &mut impl Write, indent: &str, findings: &[Finding]) -> io::Result<()> {
    for Finding {
        path,
        line,
        column,
        rule,
        message,
        ..
    } in findings
    {
        let (path, message) = (harmless(path), harmless(message));
        writeln!(
            out,
            "{indent}{BOLD}{path}:{line}:{column}{BOLD:#}: {NOTE}{rule}{NOTE:#}: {message}"
        )?;
    }
    Ok(())
}

/// `{0.25.5 → 0.25.6}/alpine3.18/Dockerfile` for a file that comes from another version directory.
fn shown_path(change: &Change) -> String {
    match &change.from {
        Some(from) if *from != change.path => {
            match (from.split_once('/'), change.path.split_once('/')) {
                (Some((old, rest)), Some((new, same))) if rest == same => {
                    format!("{{{old} → {new}}}/{rest}")
                }
                _ => format!("{from} → {}", change.path),
            }
        }
        _ => change.path.clone(),
    }
}

fn print_change(out: &mut impl Write, change: &Change) -> io::Result<()> {
    let path = harmless(&shown_path(change));
    let note = match (&change.before, &change.template) {
        (None, Some(template)) => format!("  new, from {template}"),
        (None, None) => "  new".to_owned(),
        (Some(_), Some(template)) => format!("  text from {template}"),
        (Some(before), None) if *before == change.after => "  unchanged".to_owned(),
        _ => String::new(),
    };
    writeln!(out, "  {BOLD}{path}{BOLD:#}{DIM}{note}{DIM:#}")?;
    // Of a new file the names of architectures tell nothing that its hashes do not.
    let told = change
        .fields
        .iter()
        .filter(|field| change.before.is_some() || field.label != "architecture");
    let width = told
        .clone()
        .map(|field| field.label.len())
        .max()
        .unwrap_or(0);
    for FieldChange {
        label,
        found,
        expected,
        ..
    } in told
    {
        let (found, expected) = (shortened(found), shortened(expected));
        let arrow = if found.is_empty() {
            String::new()
        } else {
            format!("{OLD}{found}{OLD:#} → ")
        };
        writeln!(out, "      {label:width$}  {arrow}{NEW}{expected}{NEW:#}")?;
    }
    Ok(())
}

/// A text whose control characters, which a terminal or a CI system may take for orders, are written out.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// A hash by its first digits, anything else that is long by its start.
fn shortened(value: &str) -> String {
    match value.parse::<Sha256>() {
        Ok(hash) => hash.short(),
        Err(_) if value.chars().count() > LONGEST_VALUE => {
            value.chars().take(LONGEST_VALUE).chain(['…']).collect()
        }
        Err(_) => harmless(value),
    }
}

/// What happens to a file, in a word.
fn action(plan: &Plan, change: &Change) -> &'static str {
    match &change.from {
        None => "created",
        Some(from) if *from == change.path => "rewritten",
        Some(from) if plan.removed.contains(from) => "moved",
        Some(_) => "copied",
    }
}

fn counts(plan: &Plan) -> String {
    let mut actions: BTreeMap<&str, usize> = BTreeMap::new();
    plan.changes
        .iter()
        .for_each(|change| *actions.entry(action(plan, change)).or_default() += 1);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for field in plan.changes.iter().flat_map(|change| &change.fields) {
        let kind = field.label.split(' ').next().unwrap_or_default();
        *kinds
            .entry(if kind == "sha256" { "hash" } else { kind })
            .or_default() += 1;
    }
    let files: Vec<String> = actions
        .iter()
        .map(|(action, number)| format!("{} {action}", count(*number, "file")))
        .collect();
    let fields: Vec<String> = kinds
        .iter()
        .map(|(kind, number)| count(*number, kind))
        .collect();
    let total: usize = kinds.values().sum();
    match total {
        0 => format!("{}, no field changed", files.join(", ")),
        _ => format!(
            "{}; {} changed: {}",
            files.join(", "),
            count(total, "field"),
            fields.join(", ")
        ),
    }
}
