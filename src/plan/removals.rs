//! What is removed: variants and series, from folders, scripts and workflows. The counterpart of what `--add`, and a new
//! series, put there.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::options::{Options, Remove};
use super::targets::existing;
use super::units::{is_balanced, is_tagging, item, mentions, returns, units};
use crate::repository::Repository;
use crate::text::is_like;
use crate::version::Variant;

/// The series that go as wholes.
pub(super) fn series(before: &Repository, options: &Options) -> Result<BTreeSet<String>> {
    let whole = options
        .removes
        .iter()
        .filter(|remove| remove.variant.is_none());
    let asked: BTreeSet<String> = whole.filter_map(|remove| remove.series.clone()).collect();
    ensure!(
        asked.is_empty()
            || before
                .trees
                .iter()
                .any(|tree| !asked.contains(&tree.directory.name)),
        "`--remove` would leave no version directory at all"
    );
    Ok(asked
        .into_iter()
        .filter(|name| before.tree(name).is_some())
        .collect())
}

/// What is to be removed and is not there: a run that was killed may have removed it already.
pub(super) fn missing(before: &Repository, options: &Options) -> Result<Vec<String>> {
    let is_there = |remove: &&Remove| {
        before.trees.iter().any(|tree| {
            remove
                .series
                .as_ref()
                .is_none_or(|series| *series == tree.directory.name)
                && remove
                    .variant
                    .as_ref()
                    .is_none_or(|variant| tree.directory.has(&variant.name))
        })
    };
    let missing = options.removes.iter().filter(|remove| !is_there(remove));
    let mut notes = Vec::new();
    for remove in missing {
        let pattern = &before.names.config.directory;
        let all = before
            .trees
            .iter()
            .flat_map(|tree| &tree.directory.variants);
        let families: BTreeSet<&str> = all.map(|variant| variant.family.as_str()).collect();
        let is_slip = match (&remove.series, &remove.variant) {
            (_, Some(Variant { family, .. })) => {
                !families.contains(family.as_str())
                    && families.iter().any(|known| is_like(known, family))
            }
            (series, None) => series.iter().all(|name| pattern.matches(name).is_none()),
        };
        ensure!(
            !is_slip,
            "`--remove {remove}`: nothing is called like that: {}, with variants of {}",
            existing(before),
            Vec::from_iter(families).join(", ")
        );
        notes.push(format!("{remove} is not there: nothing to remove"));
    }
    Ok(notes)
}

/// Whether a script is for the runner of a variant's Windows, whose year is in its name, and no other variant needs it.
pub(super) fn is_for_runner_of(script: &str, gone: &Variant, others: &[Variant]) -> bool {
    let is_named = |variant: &Variant| {
        variant
            .windows_year()
            .is_some_and(|year| script.contains(&year.to_string()))
    };
    is_named(gone) && !others.iter().any(is_named)
}

/// A script without what it says of a variant alone; `others` are the variants that stay. `None` where it says something
/// that cannot be taken out by itself.
pub(super) fn script(text: &str, gone: &str, others: &[Variant]) -> Option<String> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let blank = format!("{newline}{newline}");
    let is_alone = |text: &str| {
        mentions(text, gone) && !others.iter().any(|other| mentions(text, &other.name))
    };
    let reduce = Reduce {
        gone,
        newline,
        is_alone: &is_alone,
    };
    let mut out: Vec<String> = Vec::new();
    for paragraph in text.split(&blank) {
        let is_whole = is_alone(paragraph) && is_balanced(paragraph) && returns(paragraph);
        let opens = paragraph
            .lines()
            .next()
            .is_some_and(|line| line.starts_with("#!"));
        if !mentions(paragraph, gone) {
            out.push(paragraph.to_owned());
        } else if !is_whole || opens {
            out.push(reduce.in_units(&units(paragraph, newline))?);
        }
    }
    let out = out.join(&blank);
    let ends = text.ends_with(newline) && !out.ends_with(newline);
    Some(if ends { out + newline } else { out })
}

struct Reduce<'a> {
    gone: &'a str,
    newline: &'a str,
    is_alone: &'a dyn Fn(&str) -> bool,
}

impl Reduce<'_> {
    fn in_units(&self, units: &[String]) -> Option<String> {
        let mut out: Vec<String> = Vec::new();
        let mut run = String::new();
        for unit in units {
            if (self.is_alone)(unit) {
                // The last item of a list with commas has none.
                let is_last = !unit.trim_end().ends_with(',');
                if is_last
                    && let Some(last) = out.last_mut().filter(|last| last.trim_end().ends_with(','))
                {
                    last.truncate(last.trim_end().len() - 1);
                }
                run += unit;
                run += self.newline;
                continue;
            }
            out.push(if mentions(unit, self.gone) {
                self.in_mixed(unit)?
            } else {
                unit.clone()
            });
        }
        let is_whole = is_balanced(&run) && returns(&run) && !run.lines().any(is_tagging);
        is_whole.then(|| out.join(self.newline))
    }

    /// A unit that is about several variants: a list in a line, or a block with lines of its own.
    fn in_mixed(&self, unit: &str) -> Option<String> {
        let lines: Vec<&str> = unit.split(self.newline).collect();
        let [first, inner @ .., last] = lines.as_slice() else {
            return in_list(unit, self.gone);
        };
        if mentions(last, self.gone) {
            return None;
        }
        let first = match mentions(first, self.gone) {
            true => in_list(first, self.gone)?,
            false => (*first).to_owned(),
        };
        let inner = self.in_units(&units(&inner.join(self.newline), self.newline))?;
        Some([first, inner, (*last).to_owned()].join(self.newline))
    }
}

/// A line without an item of the list in it, and the separator on one side of it.
fn in_list(line: &str, gone: &str) -> Option<String> {
    let item = item(line, gone)?;
    let (before, after) = (&line[..item.start], &line[item.end..]);
    let kept = before.trim_end_matches([' ', ',']);
    let follows = after.trim_start_matches([' ', ',']);
    let is_first = kept.len() == before.len() || kept.ends_with(" in") || kept.ends_with('(');
    Some(match is_first {
        true => format!("{before}{follows}"),
        false => format!("{kept}{after}"),
    })
}
