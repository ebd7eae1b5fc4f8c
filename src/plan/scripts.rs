//! Extends the scripts that build and run images by a variant that is added: what stands there for its nearest sibling
//! stands there for it too, right behind.
//!
//! Only in the forms that are understood: blocks, commands, items of lists. A script in another form is left as it is, and
//! `check` then says what is missing in it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::draft::nearest;
use super::edits::Edit;
use super::targets::Target;
use crate::check::scripts_of;
use crate::repository::{Repository, TESTS};
use crate::version::Variant;

/// A script with another text, or a new one.
pub(super) struct Script {
    /// The version directory that it is in; `None` for those of the root.
    pub(super) directory: Option<String>,
    /// Its name.
    pub(super) name: String,
    /// Its text.
    pub(super) text: Vec<u8>,
    /// Permission bits as `chmod` counts them.
    pub(super) mode: u32,
    /// Where the script is that a new one is made from.
    pub(super) made_from: Option<String>,
    /// What is new in it.
    pub(super) edits: Vec<Edit>,
}

impl Script {
    pub(super) fn path(&self) -> String {
        crate::repository::join(&[
            self.directory.as_deref().unwrap_or_default(),
            TESTS,
            &self.name,
        ])
    }
}

/// The scripts that change, and those that are new.
pub(super) fn extended(after: &Repository, targets: &[Target]) -> Vec<Script> {
    let mut scripts: BTreeMap<String, Script> = BTreeMap::new();
    for target in targets.iter().filter(|target| !target.adds.is_empty()) {
        let Some(tree) = after.tree(&target.directory) else {
            continue;
        };
        let variants = &tree.directory.variants;
        let mut adds = target.adds.clone();
        adds.sort();
        let is_new = |variant: &Variant| {
            tree.folder(&variant.name)
                .is_some_and(|folder| folder.origin.is_none())
                && target.adds.contains(variant)
        };
        let mut siblings: Vec<Variant> = variants
            .iter()
            .filter(|variant| !is_new(variant))
            .cloned()
            .collect();
        for variant in adds.iter().filter(|variant| is_new(variant)) {
            let Some(sibling) = nearest(variant, &siblings).cloned() else {
                continue;
            };
            for place in scripts_of(after, tree) {
                let path = place.path();
                let text = scripts
                    .get(&path)
                    .map_or(&place.document.text, |script| &script.text);
                let Ok(text) = std::str::from_utf8(text) else {
                    continue;
                };
                if !mentions(text, &sibling.name) || mentions(text, &variant.name) {
                    continue;
                }
                let mut script = Script {
                    directory: place.tree.map(|tree| tree.directory.name.clone()),
                    name: place.item.name.clone(),
                    text: Vec::new(),
                    mode: place.document.mode,
                    made_from: None,
                    edits: scripts
                        .get(&path)
                        .map(|script| script.edits.clone())
                        .unwrap_or_default(),
                };
                let other = for_another_runner(&script.name, text, (&sibling, variant), variants);
                if let Some((name, new)) = other {
                    script.name = name;
                    script.text = new.into_bytes();
                    script.made_from = Some(place.item.origin.path().to_owned());
                    let is_there =
                        scripts_of(after, tree).any(|other| other.path() == script.path());
                    if !is_there {
                        scripts.insert(script.path(), script);
                    }
                } else if let Some(new) = extend(text, &sibling.name, &variant.name, variants) {
                    let line = new
                        .lines()
                        .position(|line| mentions(line, &variant.name))
                        .map_or(1, |line| line + 1);
                    let (label, expected) = ("variant".to_owned(), variant.name.clone());
                    script.edits.push(Edit {
                        label,
                        line,
                        found: String::new(),
                        expected,
                    });
                    script.text = new.into_bytes();
                    scripts.insert(path, script);
                }
            }
            siblings.push(variant.clone());
        }
    }
    scripts.into_values().collect()
}

/// A script that is for one runner of Windows, whose year is in its name, is copied for another: a runner runs the
/// containers of its own base. `None` where it is not such a script.
fn for_another_runner(
    name: &str,
    text: &str,
    (sibling, added): (&Variant, &Variant),
    variants: &[Variant],
) -> Option<(String, String)> {
    let year = |variant: &Variant| variant.windows_year().map(|year| year.to_string());
    let (old, new) = (year(sibling)?, year(added)?);
    if old == new || !name.contains(&old) {
        return None;
    }
    let mut out = text.to_owned();
    for variant in variants
        .iter()
        .filter(|variant| mentions(text, &variant.name))
    {
        let start = variant.name.strip_suffix(&sibling.base)?;
        let counterpart = format!("{start}{}", added.base);
        if !variants.iter().any(|other| other.name == counterpart) {
            return None;
        }
        out = replaced(&out, &variant.name, &counterpart);
    }
    Some((name.replace(&old, &new), out.replace(&old, &new)))
}

/// Repeats, in a script, for `added` what it says of `sibling`. `None` where that is not understood.
fn extend(text: &str, sibling: &str, added: &str, variants: &[Variant]) -> Option<String> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let others: Vec<&str> = variants
        .iter()
        .map(|variant| variant.name.as_str())
        .filter(|name| *name != sibling && *name != added)
        .collect();
    let repeat = Repeat {
        sibling,
        added,
        others,
        newline,
    };
    let blank = format!("{newline}{newline}");
    let paragraphs: Vec<&str> = text.split(&blank).collect();
    let mut out: Vec<String> = Vec::new();
    for paragraph in &paragraphs {
        let is_whole = paragraphs.len() > 1
            && repeat.is_about_sibling(paragraph)
            && is_balanced(paragraph)
            && returns(paragraph);
        if !mentions(paragraph, sibling) {
            out.push((*paragraph).to_owned());
        } else if is_whole && !paragraph.lines().any(is_tagging) {
            let end = if paragraph.ends_with(newline) {
                newline
            } else {
                ""
            };
            let body = paragraph.trim_end();
            out.push(body.to_owned());
            out.push(format!("{}{end}", replaced(body, sibling, added)));
        } else {
            out.push(repeat.in_units(&units(paragraph, newline))?);
        }
    }
    Some(out.join(&blank))
}

/// What is repeated for whom.
struct Repeat<'a> {
    sibling: &'a str,
    added: &'a str,
    others: Vec<&'a str>,
    newline: &'a str,
}

impl Repeat<'_> {
    fn is_about_sibling(&self, text: &str) -> bool {
        mentions(text, self.sibling) && !self.others.iter().any(|other| mentions(text, other))
    }

    /// Repeats runs of units that are about the sibling alone; puts the added variant into lists.
    fn in_units(&self, units: &[String]) -> Option<String> {
        let mut out: Vec<String> = Vec::new();
        let mut run: Vec<String> = Vec::new();
        for unit in units.iter().map(Some).chain([None]) {
            match unit {
                Some(unit) if self.is_about_sibling(unit) => run.push(unit.clone()),
                _ => {
                    self.repeat_run(&mut out, &mut run)?;
                    match unit {
                        Some(unit) if mentions(unit, self.sibling) => {
                            out.push(self.in_mixed(unit)?)
                        }
                        Some(unit) => out.push(unit.clone()),
                        None => {}
                    }
                }
            }
        }
        Some(out.join(self.newline))
    }

    /// Ends a run of units by repeating it. The last item of a list with commas gets one; tags that move stay alone.
    fn repeat_run(&self, out: &mut Vec<String>, run: &mut Vec<String>) -> Option<()> {
        let text = run.join(self.newline);
        if !is_balanced(&text) || !returns(&text) || run.iter().any(|unit| opens_list(unit)) {
            return None;
        }
        let copies: Vec<String> = run
            .iter()
            .filter(|unit| !is_tagging(unit))
            .map(|unit| replaced(unit, self.sibling, self.added))
            .collect();
        if out
            .last()
            .is_some_and(|line| line.trim_end().ends_with(','))
            && let Some(last) = run.last_mut()
            && !last.trim_end().ends_with(',')
        {
            last.push(',');
        }
        out.append(run);
        out.extend(copies);
        Some(())
    }

    /// A unit that is about several variants: a list in a line, or a block with lines of their own.
    fn in_mixed(&self, unit: &str) -> Option<String> {
        let lines: Vec<&str> = unit.split(self.newline).collect();
        let (first, inner) = lines.split_first()?;
        if inner.is_empty() {
            return self.in_list(first);
        }
        let (last, inner) = inner.split_last()?;
        let first = if mentions(first, self.sibling) {
            self.in_list(first)?
        } else {
            (*first).to_owned()
        };
        if mentions(last, self.sibling) {
            return None;
        }
        let inner = if inner.is_empty() {
            None
        } else {
            Some(self.in_units(&units(&inner.join(self.newline), self.newline))?)
        };
        Some(
            [Some(first), inner, Some((*last).to_owned())]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(self.newline),
        )
    }

    /// Puts the added variant behind the sibling in a line that lists several, as the line separates them.
    fn in_list(&self, line: &str) -> Option<String> {
        let item = item(line, self.sibling)?;
        let (word, rest) = (&line[item.clone()], &line[item.end..]);
        let added = replaced(word, self.sibling, self.added);
        let separator = if is_by_comma(line, &item) { ", " } else { " " };
        Some(format!("{}{separator}{added}{rest}", &line[..item.end]))
    }
}

/// The item of a list in a line that is a variant's name, or has it in it. `None` where the line is something else.
pub(super) fn item(line: &str, name: &str) -> Option<Range<usize>> {
    let at = position(line, name)?;
    let separates = |c: char| c.is_whitespace() || ",;".contains(c);
    // A bracket opens the list, but not where it belongs to a variable.
    let opens =
        |(index, c): &(usize, char)| separates(*c) || *c == '(' && !line[..*index].ends_with('$');
    let start = line[..at]
        .char_indices()
        .rev()
        .find(opens)
        .map_or(0, |(before, c)| before + c.len_utf8());
    let end = line[at..]
        .find(|c: char| separates(c) || ")]".contains(c))
        .map_or(line.len(), |after| at + after);
    let word = &line[start..end];
    let is_closed = word.matches('[').count() == word.matches(']').count()
        && ['"', '\'']
            .iter()
            .all(|quote| word.matches(*quote).count() % 2 == 0);
    let is_plain = is_closed && !word.contains(['=', '|', '`', '&']);
    let in_quotes = ['"', '\'']
        .iter()
        .any(|quote| line[..start].matches(*quote).count() % 2 == 1);
    let is_list = ["for ", "foreach", "=(", "@(", "in "]
        .iter()
        .any(|mark| line.contains(mark))
        || is_by_comma(line, &(start..end));
    (is_plain && !in_quotes && is_list && !mentions(&line[end..], name)).then_some(start..end)
}

/// Whether the items of a list are separated by commas.
fn is_by_comma(line: &str, item: &Range<usize>) -> bool {
    line[item.end..].starts_with(',') || line[..item.start].trim_end().ends_with(',')
}

/// The commands of a text: lines that go on are one, and so is a block up to its end.
pub(super) fn units(text: &str, newline: &str) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for line in text.split(newline) {
        open.push(line);
        let unit = open.join(newline);
        let goes_on = line.trim_end().ends_with(['\\', '`'])
            || line.trim_end().ends_with("&&")
            || line.trim_end().ends_with("||");
        if !goes_on && is_balanced(&unit) {
            units.push(unit);
            open.clear();
        }
    }
    units.extend(open.into_iter().map(str::to_owned));
    units
}

/// Whether everything that opens in a text closes there: brackets, blocks of a shell, changes of the folder.
pub(super) fn is_balanced(text: &str) -> bool {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect::<Vec<_>>()
        .join("\n");
    // The label of a `case` closes a bracket that nothing opened.
    let brackets = [('(', ')'), ('{', '}'), ('[', ']')]
        .iter()
        .all(|(open, close)| code.matches(*open).count() == code.matches(*close).count());
    let count = |words: &[&str]| {
        let is_word = |c: char| {
            !(c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '$' || c == '.' || c == '/')
        };
        code.split(is_word)
            .filter(|word| words.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)))
            .count()
    };
    let is_powershell = code.contains("if (") || code.contains("foreach (");
    brackets
        && count(&["pushd", "Push-Location"]) == count(&["popd", "Pop-Location"])
        && (is_powershell || count(&["if"]) == count(&["fi"]) && count(&["do"]) == count(&["done"]))
        && count(&["case"]) == count(&["esac"])
}

/// Whether what comes behind a text is in the folder in which the text began, or in one beside it.
pub(super) fn returns(text: &str) -> bool {
    let mut is_back = true;
    let mut depth = 0_usize;
    for line in text.lines().map(str::trim) {
        depth = (depth + line.matches('(').count()).saturating_sub(line.matches(')').count());
        let Some(target) = ["cd ", "Set-Location "]
            .iter()
            .find_map(|command| line.strip_prefix(command))
        else {
            continue;
        };
        let target = target.trim_matches(['"', '\'']);
        if depth == 0 {
            // To a folder beside this one and no further: from there the same step leads to the next one.
            let beside = target
                .strip_prefix("../")
                .or(target.strip_prefix("..\\"))
                .is_some_and(|rest| !rest.contains(['/', '\\', '$']));
            is_back = beside || ["..", "-"].contains(&target);
        }
    }
    is_back
}

/// A list that begins in a line with its first item, and goes on below.
fn opens_list(unit: &str) -> bool {
    unit.contains('=') && unit.trim_end().ends_with(',')
}

/// A command that gives an image another tag: repeated it would move the tag.
pub(super) fn is_tagging(line: &str) -> bool {
    line.split_whitespace().any(|word| word == "tag")
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

pub(super) fn mentions(text: &str, name: &str) -> bool {
    text.lines()
        .any(|line| !line.trim_start().starts_with('#') && position(line, name).is_some())
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
