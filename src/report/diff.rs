//! The change of a file as git shows it, and as `git apply` takes it.

use std::io::{self, Write};

use super::BOLD;
use crate::text::harmless;

/// A file before and after.
pub struct FileDiff {
    /// Where it was, and whether it is copied from there.
    pub from: Option<(String, bool)>,
    /// Where it will be.
    pub path: String,
    /// Its old and its new bytes, where they change.
    pub texts: Option<(Vec<u8>, Vec<u8>)>,
    /// Anybody may run it.
    pub is_executable: bool,
    /// It goes.
    pub is_removed: bool,
}

pub(super) fn print(out: &mut impl Write, file: &FileDiff) -> io::Result<()> {
    let old = file.from.as_ref().map_or(&file.path, |(from, _)| from);
    let new = &file.path;
    let [a, b] = [quoted("a/", old), quoted("b/", new)];
    writeln!(out, "\n{BOLD}diff --git {a} {b}{BOLD:#}")?;
    let mode = match file.is_executable {
        true => "100755",
        false => "100644",
    };
    match &file.from {
        None => writeln!(out, "{BOLD}new file mode {mode}{BOLD:#}")?,
        Some(_) if file.is_removed => {
            writeln!(out, "{BOLD}deleted file mode {mode}{BOLD:#}")?;
        }
        Some((from, is_copy)) if from != new => {
            let verb = if *is_copy { "copy" } else { "rename" };
            let (old, new) = (quoted("", old), quoted("", new));
            writeln!(out, "{BOLD}{verb} from {old}\n{verb} to {new}{BOLD:#}")?;
        }
        Some(_) => {}
    }
    let Some((before, after)) = &file.texts else {
        return Ok(());
    };
    let nothing = || "/dev/null".to_owned();
    let old = if file.from.is_none() { nothing() } else { a };
    let new = if file.is_removed { nothing() } else { b };
    writeln!(out, "{BOLD}--- {old}\n+++ {new}{BOLD:#}")?;
    let mut text = Vec::new();
    let patch = diffy::create_patch_bytes(before, after);
    let formatter = diffy::PatchFormatter::new().with_color();
    formatter.write_patch_into(&patch, &mut text)?;
    // Without the two lines of names in front: git's are above.
    let lines = text.splitn(3, |&byte| byte == b'\n').nth(2);
    out.write_all(lines.unwrap_or_default())
}

/// A path as git writes it: in quotes, with escapes, where it holds a control character, a quote or a backslash.
fn quoted(start: &str, path: &str) -> String {
    let is_plain = |c: char| harmless(&c.to_string()) == c.to_string() && c != '"' && c != '\\';
    if path.chars().all(is_plain) {
        return format!("{start}{path}");
    }
    let octal = |byte: u8| format!("\\{byte:03o}");
    let escape = |c: char| match is_plain(c) {
        true => c.to_string(),
        false => c.to_string().bytes().map(octal).collect(),
    };
    let path: String = path.chars().map(escape).collect();
    format!("\"{start}{path}\"")
}
