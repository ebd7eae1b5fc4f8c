//! Extends the scripts that build and run images by a variant that is added: what stands there for its nearest sibling
//! stands there for it too, right behind.

use super::draft::nearest;
use super::targets::{Options, Target};
use crate::tree::{Role, Tree};
use crate::version::Variant;

/// The scripts that mention a sibling of a variant that is added: path and new text.
pub(super) fn extended(tree: &Tree, targets: &[Target], options: &Options) -> Vec<(String, Vec<u8>)> {
    let mut changed = Vec::new();
    for (path, file) in &tree.files {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let own = targets.iter().find(|target| folder == format!("{}/tests", target.directory) || folder == "tests");
        let (Some(target), Some(Role::Script), Ok(text)) = (own, tree.role(path), str::from_utf8(file.text())) else { continue };
        let variants = tree.variants(&target.directory);
        let mut new = text.to_owned();
        for variant in &options.adds {
            let siblings: Vec<Variant> = variants.iter().filter(|sibling| !options.adds.contains(sibling)).cloned().collect();
            let sibling = nearest(variant, &siblings).filter(|sibling| mentions(&new, &sibling.name));
            if let Some(sibling) = sibling.filter(|_| !mentions(&new, &variant.name)) {
                new = extend(&new, &sibling.name, &variant.name, &variants);
            }
        }
        if new != text {
            changed.push((path.clone(), new.into_bytes()));
        }
    }
    changed
}

/// Repeats, in a script, for `added` what it says of `sibling`.
///
/// A paragraph that is about the sibling alone is repeated whole; so is a run of lines that mention it and no other
/// variant; in a line that lists several the name is put in.
fn extend(text: &str, sibling: &str, added: &str, variants: &[Variant]) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let others: Vec<&str> =
        variants.iter().map(|variant| variant.name.as_str()).filter(|name| *name != sibling && *name != added).collect();
    let is_other = |text: &str| others.iter().any(|other| mentions(text, other));
    let blank = format!("{newline}{newline}");
    let paragraphs: Vec<&str> = text.split(&blank).collect();
    let mut out: Vec<String> = Vec::new();
    for paragraph in &paragraphs {
        if !mentions(paragraph, sibling) {
            out.push((*paragraph).to_owned());
        } else if paragraphs.len() > 1 && !is_other(paragraph) && is_balanced(paragraph) {
            let end = if paragraph.ends_with(newline) { newline } else { "" };
            let body = paragraph.trim_end();
            out.push(body.to_owned());
            out.push(format!("{}{end}", replaced(body, sibling, added)));
        } else {
            out.push(extend_lines(paragraph, sibling, added, newline, &is_other));
        }
    }
    out.join(&blank)
}

fn extend_lines(text: &str, sibling: &str, added: &str, newline: &str, is_other: &dyn Fn(&str) -> bool) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut run: Vec<String> = Vec::new();
    for unit in units(text, newline).into_iter().map(Some).chain([None]) {
        let about_sibling = unit.as_ref().is_some_and(|unit| mentions(unit, sibling) && !is_other(unit));
        if !about_sibling {
            repeat_run(&mut out, &mut run, sibling, added);
        }
        match unit {
            Some(unit) if about_sibling => run.push(unit),
            Some(unit) if mentions(&unit, sibling) => out.push(with_added(&unit, sibling, added)),
            Some(unit) => out.push(unit),
            None => {}
        }
    }
    out.join(newline)
}

/// The lines of a text, where `(` or `{` stands alone all those up to its end as one.
fn units(text: &str, newline: &str) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for line in text.split(newline) {
        if !open.is_empty() || ["(", "{"].contains(&line.trim()) {
            open.push(line);
            let block = open.join(newline);
            if is_balanced(&block) {
                units.push(block);
                open.clear();
            }
        } else {
            units.push(line.to_owned());
        }
    }
    units.extend(open.into_iter().map(str::to_owned));
    units
}

/// Ends a run of lines about the sibling by repeating it. The last item of a list with commas gets one.
fn repeat_run(out: &mut Vec<String>, run: &mut Vec<String>, sibling: &str, added: &str) {
    let copies: Vec<String> = run.iter().map(|line| replaced(line, sibling, added)).collect();
    let ends_with_comma = |line: Option<&String>| line.is_some_and(|line| line.trim_end().ends_with(','));
    if ends_with_comma(out.last())
        && let Some(last) = run.last_mut()
        && !last.trim_end().ends_with(',')
    {
        last.push(',');
    }
    out.append(run);
    out.extend(copies);
}

/// Puts the added variant behind the sibling in a line that lists several, as the line separates them.
fn with_added(line: &str, sibling: &str, added: &str) -> String {
    let separates = |c: char| c.is_whitespace() || ",;".contains(c);
    let Some(at) = position(line, sibling) else { return line.to_owned() };
    // A bracket opens the list, but not where it belongs to a variable.
    let opens = |(index, c): &(usize, char)| separates(*c) || *c == '(' && !line[..*index].ends_with('$');
    let start = line[..at].char_indices().rev().find(opens).map_or(0, |(before, c)| before + c.len_utf8());
    let end = line[at..].find(|c: char| separates(c) || ")]".contains(c)).map_or(line.len(), |after| at + after);
    let separator = if line[end..].starts_with(',') || line[..start].trim_end().ends_with(',') { ", " } else { " " };
    let word = &line[start..end];
    format!("{}{word}{separator}{}{}", &line[..start], replaced(word, sibling, added), &line[end..])
}

/// Where a variant's name stands as a whole.
fn position(text: &str, name: &str) -> Option<usize> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name).map(|(at, _)| at).find(|at| {
        let after = &text[at + name.len()..];
        let more = after.strip_prefix(['.', '-']).unwrap_or(after);
        !text[..*at].ends_with(word) && !more.starts_with(word)
    })
}

fn mentions(text: &str, name: &str) -> bool {
    text.lines().any(|line| !line.trim_start().starts_with('#') && position(line, name).is_some())
}

fn replaced(text: &str, old: &str, new: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = position(rest, old) {
        out += &rest[..at];
        out += new;
        rest = &rest[at + old.len()..];
    }
    out + rest
}

/// Whether every bracket that opens in a text closes there.
fn is_balanced(text: &str) -> bool {
    [('(', ')'), ('{', '}'), ('[', ']')].iter().all(|(open, close)| text.matches(*open).count() == text.matches(*close).count())
}
