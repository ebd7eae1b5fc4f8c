//! The change of a file as git shows it.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use similar::TextDiff;

use super::{BOLD, NEW, OLD};
use crate::plan::Change;

const AT: Style = AnsiColor::Cyan.on_default();

/// The change of a file in git's form, which `git apply` reads.
pub(super) fn print(out: &mut impl Write, change: &Change, is_copy: bool) -> io::Result<()> {
    let (old, new) = (
        change.from.as_deref().unwrap_or(&change.path),
        change.path.as_str(),
    );
    let before = change
        .before
        .as_ref()
        .map(|file| file.text())
        .unwrap_or_default();
    writeln!(
        out,
        "\n{BOLD}diff --git {} {}{BOLD:#}",
        quoted("a/", old),
        quoted("b/", new)
    )?;
    if change.before.is_none() {
        let mode = if change.after.is_executable() {
            "100755"
        } else {
            "100644"
        };
        writeln!(out, "{BOLD}new file mode {mode}{BOLD:#}")?;
    } else if old != new {
        let verb = if is_copy { "copy" } else { "rename" };
        writeln!(
            out,
            "{BOLD}{verb} from {}\n{verb} to {}{BOLD:#}",
            quoted("", old),
            quoted("", new)
        )?;
    }
    if before == change.after.text() {
        return Ok(());
    }
    let old = if change.before.is_none() {
        "/dev/null".to_owned()
    } else {
        quoted("a/", old)
    };
    writeln!(out, "{BOLD}--- {old}\n+++ {}{BOLD:#}", quoted("b/", new))?;
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

/// A path as git writes it: in quotes, with escapes, where it holds a control character, a quote or a backslash.
fn quoted(start: &str, path: &str) -> String {
    let is_plain = |c: char| !c.is_control() && c != '"' && c != '\\';
    if path.chars().all(is_plain) {
        return format!("{start}{path}");
    }
    let escape = |c: char| {
        if is_plain(c) {
            c.to_string()
        } else {
            format!("\\{:03o}", u32::from(c))
        }
    };
    format!(
        "\"{start}{}\"",
        path.chars().map(escape).collect::<String>()
    )
}
