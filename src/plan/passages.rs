//! What a script says of one variant alone: repeated for a variant that is added, or dropped with one that is removed.
//!
//! Only in the forms that are understood: paragraphs, commands and blocks, items of lists.

use super::units::{is_by_comma, is_whole, item, mentions, opens_list, replaced, returns};
use crate::version::Variant;

/// A script that says for `added`, too, what it says of `name`; `others` are the other variants. `None` where it says
/// something that cannot be repeated by itself.
pub(super) fn repeated(text: &str, name: &str, added: &str, others: &[Variant]) -> Option<String> {
    let others = others.iter().filter(|other| other.name != added);
    Passages::new(text, name, others, Some(added)).in_text(text)
}

/// A script without what it says of `name` alone; `others` are the variants that stay. `None` where it says something that
/// cannot be taken out by itself.
pub(super) fn dropped(text: &str, name: &str, others: &[Variant]) -> Option<String> {
    Passages::new(text, name, others.iter(), None).in_text(text)
}

/// The most lines of a block that is repeated or dropped.
const LONGEST: usize = 200;

/// Whether the command of a line goes on in the next one.
fn goes_on(line: &str) -> bool {
    line.trim_end().ends_with(['\\', '`'])
}

/// Whether whole commands can stand there twice, or go; those that give an image another tag would move the tag.
fn is_repeatable(text: &str) -> bool {
    let is_tagging = |line: &str| line.split_whitespace().any(|word| word == "tag");
    is_whole(text) && returns(text) && !text.lines().any(is_tagging)
}

struct Passages<'a> {
    name: &'a str,
    others: Vec<&'a str>,
    /// What it is repeated for; `None` where it is dropped.
    added: Option<&'a str>,
    newline: &'static str,
}

impl<'a> Passages<'a> {
    fn new(
        text: &str,
        name: &'a str,
        others: impl Iterator<Item = &'a Variant>,
        added: Option<&'a str>,
    ) -> Self {
        let others = others.map(|other| other.name.as_str());
        Self {
            name,
            others: others.filter(|other| *other != name).collect(),
            added,
            newline: if text.contains("\r\n") { "\r\n" } else { "\n" },
        }
    }

    fn is_alone(&self, text: &str) -> bool {
        mentions(text, self.name) && !self.others.iter().any(|other| mentions(text, other))
    }

    fn in_text(&self, text: &str) -> Option<String> {
        let is_blank = |line: &&str| line.trim().is_empty();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        // Paragraphs, each with the blank lines in front of it.
        let paragraphs = lines.chunk_by(|line, next| is_blank(line) || !is_blank(next));
        let is_only = paragraphs.clone().nth(1).is_none();
        let mut out = String::new();
        for (number, lines) in paragraphs.enumerate() {
            let blank = lines.iter().take_while(|line| is_blank(line)).count();
            let (gap, lines) = lines.split_at(blank);
            let paragraph = lines.concat();
            let is_one = self.is_alone(&paragraph)
                && !is_only
                && !paragraph.starts_with("#!")
                && is_repeatable(&paragraph);
            if is_one && self.added.is_none() {
                continue;
            }
            // All above it went.
            let is_first = number > 0 && out.is_empty();
            if !is_first {
                out += &gap.concat();
            }
            match self.added {
                _ if !mentions(&paragraph, self.name) => out += &paragraph,
                Some(added) if is_one => {
                    let copy = replaced(&paragraph, self.name, added);
                    let is_ended = paragraph.ends_with('\n');
                    let end = if is_ended { "" } else { self.newline };
                    out.extend([&*paragraph, end, self.newline, &*copy]);
                }
                _ => out += &self.in_lines(lines)?,
            }
        }
        Some(out)
    }

    /// Runs of commands and blocks that are about the variant alone, and lines that list it with others.
    fn in_lines(&self, lines: &[&str]) -> Option<String> {
        let (mut out, mut run, mut at) = (Vec::new(), Vec::new(), 0);
        loop {
            // The shortest command or block that begins here.
            let mut ends = at + 1..=lines.len().min(at + LONGEST);
            let end = ends.find(|end| is_whole(&lines[at..*end].concat()));
            if let Some(end) = end.filter(|end| self.is_alone(&lines[at..*end].concat())) {
                let before = at.checked_sub(1).map(|before| lines[before]);
                if before.is_some_and(goes_on) || self.is_part(&lines[at..end]) {
                    return None;
                }
                run.push(lines[at..end].concat());
                at = end;
                continue;
            }
            self.end_run(&mut out, &mut run)?;
            let Some(line) = lines.get(at) else { break };
            out.push(match mentions(line, self.name) {
                true => self.in_list(line)?,
                false => (*line).to_owned(),
            });
            at += 1;
        }
        Some(out.concat())
    }

    /// Whether a command cannot go, or be repeated, as a whole: a branch of an `if`, or one with lines for other images too.
    fn is_part(&self, lines: &[&str]) -> bool {
        let is_branch = |line: &&str| {
            let words = line.split(|c: char| !c.is_ascii_alphabetic());
            let mut words = words.filter(|word| !word.is_empty());
            words.any(|word| word == "elif" || word.eq_ignore_ascii_case("elseif"))
        };
        let is_other = |pair: &[&str]| {
            let argument = pair[1].trim();
            let is_image = argument.starts_with(|c: char| c.is_alphanumeric() || "\"'".contains(c));
            goes_on(pair[0]) && is_image && !mentions(argument, self.name)
        };
        lines.iter().any(is_branch) || lines.windows(2).any(is_other)
    }

    /// Ends a run of commands. In a list with commas the last item has no comma.
    fn end_run(&self, out: &mut Vec<String>, run: &mut Vec<String>) -> Option<()> {
        let text = run.concat();
        if !text.is_empty() && !is_repeatable(&text) || run.iter().any(|unit| opens_list(unit)) {
            return None;
        }
        let has_comma = |line: &String| line.trim_end().ends_with(',');
        let is_last =
            out.last().is_some_and(has_comma) && run.last().is_some_and(|last| !has_comma(last));
        if let Some(added) = self.added {
            let copies = run.iter().map(|unit| replaced(unit, self.name, added));
            let copies: Vec<String> = copies.collect();
            if let Some(last) = run.last_mut() {
                let end = last.trim_end().len();
                last.insert_str(end, if is_last { "," } else { "" });
                if !last.ends_with('\n') {
                    last.push_str(self.newline);
                }
            }
            out.append(run);
            out.extend(copies);
        } else if let Some(before) = out.last_mut().filter(|_| is_last) {
            before.remove(before.trim_end().len() - 1);
        }
        run.clear();
        Some(())
    }

    /// A line that lists several: with the added variant behind this one, as the line separates them, or without this one and
    /// the separator on one side of it.
    fn in_list(&self, line: &str) -> Option<String> {
        let item = item(line, self.name)?;
        let (before, after) = (&line[..item.start], &line[item.end..]);
        if let Some(added) = self.added {
            let copy = replaced(&line[item.clone()], self.name, added);
            let separator = if is_by_comma(line, &item) { ", " } else { " " };
            return Some(format!("{}{separator}{copy}{after}", &line[..item.end]));
        }
        let kept = before.trim_end_matches([' ', ',']);
        let is_first = kept.len() == before.len() || kept.ends_with(" in") || kept.ends_with('(');
        Some(match is_first {
            true => format!("{before}{}", after.trim_start_matches([' ', ','])),
            false => format!("{kept}{after}"),
        })
    }
}
