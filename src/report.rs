//! Everything that is printed: results to standard output, progress and errors to standard error.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use anyhow::Result;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use similar::TextDiff;

use crate::check::{Finding, Report};
use crate::cli::{Color, Common, Format, UpdateArgs};
use crate::plan::{Change, FieldChange, Plan};
use crate::rules::Model;
use crate::sums::Sha256;
use crate::verify::{Archive, Progress};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const OLD: Style = AnsiColor::Red.on_default();
const NEW: Style = AnsiColor::Green.on_default();
const NOTE: Style = AnsiColor::Yellow.on_default();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const AT: Style = AnsiColor::Cyan.on_default();

/// How many characters a value may have before its middle is left out.
const LONGEST_VALUE: usize = 60;

/// The two streams, as the user wants them.
pub struct Output {
    out: AutoStream<io::Stdout>,
    progress: Option<AutoStream<io::Stderr>>,
    format: Format,
    quiet: bool,
}

fn choice(color: Color, is_terminal: bool) -> ColorChoice {
    match color {
        // anstream heeds the variables and the terminal, but takes `CLICOLOR_FORCE=0` for a yes.
        Color::Auto if !is_terminal && std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value == "0") => ColorChoice::Never,
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

impl Output {
    /// Output as the options say.
    pub fn new(common: &Common) -> Self {
        let talks = !common.quiet && io::stderr().is_terminal();
        Self {
            out: AutoStream::new(io::stdout(), choice(common.color, io::stdout().is_terminal())),
            progress: talks.then(|| AutoStream::new(io::stderr(), choice(common.color, true))),
            format: common.format,
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
        let target = if self.progress.is_some() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Bars {
            all: MultiProgress::with_draw_target(target),
            names: archives.iter().map(|archive| archive.name.clone()).collect(),
            bars: Mutex::default(),
            lines: self.progress.is_none() && !self.quiet,
        }
    }

    /// Prints what `check` found.
    pub fn check(&mut self, model: &Model, report: &Report) -> Result<()> {
        match (self.quiet, self.format) {
            (true, _) => Ok(()),
            (_, Format::Json) => self.json(&json!({ "findings": report.findings })),
            (_, Format::Text) => finished(self.check_text(model, report)),
        }
    }

    fn check_text(&mut self, model: &Model, report: &Report) -> io::Result<()> {
        let out = &mut self.out;
        print_findings(out, "", &report.findings)?;
        let [directories, variants, files, fields] = report.counts;
        if !report.findings.is_empty() {
            let mut paths: Vec<&str> = report.findings.iter().map(|finding| finding.path.as_str()).collect();
            paths.dedup();
            let found = count(report.findings.len(), "finding");
            return writeln!(out, "{OLD}{found} in {}{OLD:#}", count(paths.len(), "file"));
        }
        let versions: Vec<String> = model.directories.iter().map(|directory| directory.version.to_string()).collect();
        let shown = if directories > 3 { count(directories, "version") } else { versions.join(", ") };
        let (variants, files, fields) = (count(variants, "variant"), count(files, "file"), count(fields, "field"));
        let image = &model.tree.config.image;
        writeln!(out, "{NEW}consistent{NEW:#}: {image} {shown} ({variants}, {files}, {fields})")
    }

    /// Prints what an update did, or would do.
    pub fn update(&mut self, model: &Model, plan: &Plan, args: &UpdateArgs) -> Result<()> {
        match (self.quiet, self.format) {
            (true, _) => Ok(()),
            (_, Format::Json) => self.json(&update_json(plan, args)),
            (_, Format::Text) => finished(self.update_text(model, plan, args)),
        }
    }

    fn update_text(&mut self, model: &Model, plan: &Plan, args: &UpdateArgs) -> io::Result<()> {
        let out = &mut self.out;
        for target in &plan.targets {
            let image = &model.tree.config.image;
            match &target.old {
                _ if plan.changes.is_empty() => {
                    writeln!(out, "{image} {} in {}/: nothing to change", target.version, target.directory)?;
                }
                Some(old) if *old != target.version => {
                    writeln!(out, "{image} {OLD}{old}{OLD:#} → {NEW}{}{NEW:#}", target.version)?;
                }
                Some(_) if target.has_release() => {
                    writeln!(out, "{image} {}, repaired in {}/", target.version, target.directory)?
                }
                Some(_) => writeln!(out, "{image} {} in {}/", target.version, target.directory)?,
                None => writeln!(out, "{image} {NEW}{}{NEW:#}, new in {}/", target.version, target.directory)?,
            }
        }
        if !plan.changes.is_empty() {
            writeln!(out)?;
            plan.changes.iter().try_for_each(|change| print_change(out, change))?;
            writeln!(out, "\n{}", counts(plan))?;
            if args.diff {
                plan.changes.iter().try_for_each(|change| print_diff(out, change))?;
            }
        }
        if !plan.remaining.is_empty() {
            writeln!(out, "\n{NOTE}`update check` will still find, in what an update does not write:{NOTE:#}")?;
            print_findings(out, "  ", &plan.remaining)?;
        }
        if args.dry_run && !plan.changes.is_empty() {
            return writeln!(out, "\nA dry run: nothing was written.");
        }
        Ok(())
    }

    /// Prints, to people, what they do with an update that is written.
    pub fn left_to_do(&mut self, plan: &Plan) {
        if self.quiet || self.format != Format::Text {
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

/// What a commit of the plan is called.
fn subject(plan: &Plan) -> String {
    let released = plan.targets.iter().filter(|target| target.has_release());
    let versions: Vec<String> = released.map(|target| target.version.to_string()).collect();
    let moves: BTreeMap<&String, &String> = plan.targets.iter().flat_map(|target| &target.renames).collect();
    let moves: Vec<String> = moves.into_iter().map(|(old, new)| format!("{old} to {new}")).collect();
    let added: Vec<&str> = plan.adds.iter().map(|variant| variant.name.as_str()).collect();
    let hosts: Vec<String> = plan.hosts.iter().map(|(system, version)| format!("{system}-{version}")).collect();
    let parts = [
        ("update to", versions.join(" and ")),
        ("move", moves.join(", ")),
        ("add", added.join(", ")),
        ("run on", hosts.join(", ")),
    ];
    let said: Vec<String> =
        parts.iter().filter(|(_, what)| !what.is_empty()).map(|(verb, what)| format!("{verb} {what}")).collect();
    let said = said.join(", ");
    said[..1].to_uppercase() + &said[1..]
}

/// The progress of several archives.
pub struct Bars {
    all: MultiProgress,
    names: Vec<String>,
    bars: Mutex<BTreeMap<usize, ProgressBar>>,
    lines: bool,
}

impl Bars {
    fn bar(&self, archive: usize) -> ProgressBar {
        let mut bars = self.bars.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let new = || self.all.add(ProgressBar::no_length().with_message(self.names[archive].clone()));
        bars.entry(archive).or_insert_with(new).clone()
    }
}

impl Progress for Bars {
    fn begin(&self, archive: usize, size: Option<u64>) {
        let bar = self.bar(archive);
        let style = ProgressStyle::with_template(match size {
            Some(_) => "{bar:24} {bytes:>10}/{total_bytes:10} {msg}",
            None => "{spinner} {bytes:>10} {msg}",
        });
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        if let Some(size) = size {
            bar.set_length(size);
        }
        bar.set_position(0);
    }

    fn advance(&self, archive: usize, bytes: u64) {
        self.bar(archive).inc(bytes);
    }

    fn end(&self, archive: usize, done: bool) {
        let bar = self.bar(archive);
        if self.lines && done {
            // Progress that cannot be shown is no reason to stop.
            let _ = writeln!(io::stderr(), "hashed {} ({} bytes)", self.names[archive], bar.position());
        }
        bar.finish_and_clear();
    }
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
        (_, what) if what.ends_with("ry") => return format!("{number} {}ies", what.trim_end_matches('y')),
        _ => "s",
    };
    format!("{number} {what}{ending}")
}

fn print_findings(out: &mut impl Write, indent: &str, findings: &[Finding]) -> io::Result<()> {
    for Finding { path, line, column, rule, message, .. } in findings {
        let (path, message) = (harmless(path), harmless(message));
        writeln!(out, "{indent}{BOLD}{path}:{line}:{column}{BOLD:#}: {NOTE}{rule}{NOTE:#}: {message}")?;
    }
    Ok(())
}

/// `{0.25.5 → 0.25.6}/alpine3.18/Dockerfile` for a file that comes from another version directory.
fn shown_path(change: &Change) -> String {
    match &change.from {
        Some(from) if *from != change.path => match (from.split_once('/'), change.path.split_once('/')) {
            (Some((old, rest)), Some((new, same))) if rest == same => format!("{{{old} → {new}}}/{rest}"),
            _ => format!("{from} → {}", change.path),
        },
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
    let told = change.fields.iter().filter(|field| change.before.is_some() || field.label != "architecture");
    let width = told.clone().map(|field| field.label.len()).max().unwrap_or(0);
    for FieldChange { label, found, expected, .. } in told {
        let (found, expected) = (shortened(found), shortened(expected));
        let arrow = if found.is_empty() { String::new() } else { format!("{OLD}{found}{OLD:#} → ") };
        writeln!(out, "      {label:width$}  {arrow}{NEW}{expected}{NEW:#}")?;
    }
    Ok(())
}

/// A text whose control characters, which a terminal or a CI system may take for orders, are written out.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// A hash by its first digits, anything else that is long by its start.
fn shortened(value: &str) -> String {
    match value.parse::<Sha256>() {
        Ok(hash) => hash.short(),
        Err(_) if value.chars().count() > LONGEST_VALUE => value.chars().take(LONGEST_VALUE).chain(['…']).collect(),
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
    plan.changes.iter().for_each(|change| *actions.entry(action(plan, change)).or_default() += 1);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for field in plan.changes.iter().flat_map(|change| &change.fields) {
        let kind = field.label.split(' ').next().unwrap_or_default();
        *kinds.entry(if kind == "sha256" { "hash" } else { kind }).or_default() += 1;
    }
    let files: Vec<String> = actions.iter().map(|(action, number)| format!("{} {action}", count(*number, "file"))).collect();
    let fields: Vec<String> = kinds.iter().map(|(kind, number)| count(*number, kind)).collect();
    let total: usize = kinds.values().sum();
    match total {
        0 => format!("{}, no field changed", files.join(", ")),
        _ => format!("{}; {} changed: {}", files.join(", "), count(total, "field"), fields.join(", ")),
    }
}

fn update_json(plan: &Plan, args: &UpdateArgs) -> Value {
    let field = |field: &FieldChange| json!({ "field": field.label, "line": field.line, "found": field.found, "expected": field.expected });
    let file = |change: &Change| {
        json!({
            "action": action(plan, change),
            "path": change.path,
            "from": change.from,
            "template": change.template,
            "fields": change.fields.iter().map(field).collect::<Vec<_>>(),
        })
    };
    let target = |target: &crate::plan::Target| {
        json!({
            "version": target.version.to_string(),
            "from": target.old.as_ref().map(ToString::to_string),
            "directory": target.directory,
            "source": target.source,
        })
    };
    json!({
        "dry_run": args.dry_run,
        "versions": plan.targets.iter().map(target).collect::<Vec<_>>(),
        "files": plan.changes.iter().map(file).collect::<Vec<_>>(),
        "removed": plan.removed,
        "findings": plan.remaining,
    })
}

/// The change of a file in git's form, which `git apply` reads.
fn print_diff(out: &mut impl Write, change: &Change) -> io::Result<()> {
    let (old, new) = (change.from.as_deref().unwrap_or(&change.path), change.path.as_str());
    let before = change.before.as_ref().map(|file| file.text()).unwrap_or_default();
    writeln!(out, "\n{BOLD}diff --git a/{old} b/{new}{BOLD:#}")?;
    if change.before.is_none() {
        let mode = if change.after.is_executable() { "100755" } else { "100644" };
        writeln!(out, "{BOLD}new file mode {mode}{BOLD:#}")?;
    } else if old != new {
        writeln!(out, "{BOLD}rename from {old}\nrename to {new}{BOLD:#}")?;
    }
    if before == change.after.text() {
        return Ok(());
    }
    let old = if change.before.is_none() { "/dev/null".to_owned() } else { format!("a/{old}") };
    writeln!(out, "{BOLD}--- {old}\n+++ b/{new}{BOLD:#}")?;
    let diff = TextDiff::from_lines(before, change.after.text());
    let mut text = Vec::new();
    diff.unified_diff().context_radius(3).to_writer(&mut text)?;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let style = match line.first() {
            Some(b'-') => OLD,
            Some(b'+') => NEW,
            Some(b'@') => AT,
            _ => Style::new(),
        };
        let (line, end) = line.split_at(line.len() - usize::from(line.ends_with(b"\n")));
        write!(out, "{style}")?;
        out.write_all(line)?;
        write!(out, "{style:#}")?;
        out.write_all(end)?;
    }
    Ok(())
}
