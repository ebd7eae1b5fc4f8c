//! The change of a file as git shows it.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use similar::TextDiff;

use super::{BOLD, NEW, OLD};
use crate::plan::Change;

const AT: Style = AnsiColor::Cyan.on_default();

/// The change of a file in git's form, which `git apply` reads.
pub(super) fn print(out: &mut impl Write, change: &Change) -> io::Result<()> {
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
