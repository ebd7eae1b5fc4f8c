//! Jobs that are called alike but for the series that each is named after say the same of it: a series or a variant that one
//! alone says otherwise is a slip.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use semver::Version;

use super::Workflow;
use super::jobs::stem;
use crate::fields::workflow::Job;
use crate::fields::{Field, Kind};
use crate::repository::Directory;
use crate::text::spliced;
use crate::version::Variant;

/// A line of a job that is named after a series.
struct Line<'a> {
    series: &'a Directory,
    number: usize,
    /// What it would say for any series.
    neutral: String,
}

/// Where a slip begins and ends, and what is expected there.
type Slip = ((usize, usize), String);

impl Workflow<'_> {
    /// Compares the lines of such jobs that are alike but for series and variants, where three jobs or more have as many of them.
    pub(super) fn check_twins(&self, all: &[&Directory]) {
        let families = all.iter().flat_map(|series| &series.variants);
        let families: BTreeSet<&str> = families.map(|variant| variant.family.as_str()).collect();
        let mut twins: BTreeMap<String, Vec<(&Directory, &Job)>> = BTreeMap::new();
        for job in &self.structure.jobs {
            let name = &self.text[job.name.clone()];
            let named = |series: &Directory| Some(stem(name, &series.first_in(name)?));
            let mut own = all.iter();
            if let Some((series, stem)) = own.find_map(|one| Some((*one, named(one)?))) {
                twins.entry(stem).or_default().push((series, job));
            }
        }
        let twins = twins.values().filter(|jobs| jobs.len() > 2);
        let slips = twins.flat_map(|jobs| self.slips(jobs, &families));
        let slips: BTreeMap<(usize, usize), String> = slips.collect();
        let findings = self.findings.borrow();
        let known: BTreeSet<usize> = findings.iter().map(|finding| finding.line).collect();
        drop(findings);
        for ((start, end), expected) in slips {
            if !known.contains(&self.places.of(start).0) {
                let why = "as in the jobs of the other series";
                self.report_expected(&(start..end), "series", &expected, why);
            }
        }
    }

    /// The slips in twins.
    fn slips(&self, jobs: &[(&Directory, &Job)], families: &BTreeSet<&str>) -> Vec<Slip> {
        let neutral = Directory::new("0.0.x", Version::new(0, 0, 0));
        let mut alike: BTreeMap<String, BTreeMap<usize, Vec<Line>>> = BTreeMap::new();
        for (place, (series, job)) in jobs.iter().enumerate() {
            for number in job.part.lines.clone() {
                let neutral = self.said_for((series, number), &neutral);
                let jobs = alike.entry(masked(&neutral, families)).or_default();
                jobs.entry(place).or_default().push(Line {
                    series,
                    number,
                    neutral,
                });
            }
        }
        let mut slips = Vec::new();
        for jobs in alike.into_values().filter(|jobs| jobs.len() > 2) {
            let mut counts: BTreeMap<usize, Vec<Vec<Line>>> = BTreeMap::new();
            for lines in jobs.into_values() {
                counts.entry(lines.len()).or_default().push(lines);
            }
            for (count, jobs) in counts {
                for place in 0..count {
                    let lines = jobs.iter().map(|lines| &lines[place]);
                    slips.extend(self.slip(lines, families));
                }
            }
        }
        slips
    }

    /// Where one line says something else than all others, two at least, if that is a series or a variant; and what is expected.
    fn slip<'a>(
        &self,
        lines: impl Iterator<Item = &'a Line<'a>>,
        families: &BTreeSet<&str>,
    ) -> Option<Slip> {
        let mut said: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
        for line in lines {
            said.entry(&line.neutral).or_default().push(line);
        }
        let mut said: Vec<Vec<&Line>> = said.into_values().collect();
        said.sort_by_key(Vec::len);
        let [alone, others] = said.as_slice() else {
            return None;
        };
        let ([one], [other, _, ..]) = (alone.as_slice(), others.as_slice()) else {
            return None;
        };
        let new = self.said_for((other.series, other.number), one.series);
        let span = self.code_of(one.number);
        let [found, expected] = differing(&self.text[span.clone()], &new);
        let at = span.start + found.start..span.start + found.end;
        let words = [&self.text[at.clone()], &new[expected]];
        let is_slip = match (words.map(numbers), words.map(|word| family(word, families))) {
            ([Some(old), Some(new)], _) => old.0 == new.0 && new == one.series.numbers(),
            (_, [Some(old), Some(new)]) => old != new || !one.series.has(words[0]),
            _ => false,
        };
        // A path, and a variant that is not there, have findings of their own.
        let mut fields = self.fields_in(&at);
        let is_known = fields.any(|field| match field.kind {
            Kind::Directory { is_certain } => is_certain,
            Kind::Variant { .. } => !one.series.has(words[0]),
            _ => false,
        });
        (is_slip && !is_known).then(|| ((at.start, at.end), words[1].to_owned()))
    }

    /// Where a line stands, without blanks and comments.
    fn code_of(&self, number: usize) -> Range<usize> {
        let line = &self.structure.lines[number];
        line.span.start + line.indent..line.end
    }

    /// What a line would say for another series: its own spellings and variants moved.
    fn said_for(&self, (from, number): (&Directory, usize), to: &Directory) -> String {
        let span = self.code_of(number);
        let moved = |field: &Field| {
            let family = match &field.kind {
                Kind::Caption { family, .. } => family.as_deref().unwrap_or_default(),
                Kind::Variant { .. } | Kind::TagVariant => "",
                _ => return None,
            };
            let name = [family, &self.text[field.span.clone()]].concat();
            let old = from.variants.iter().find(|variant| variant.name == name)?;
            let is_same = |variant: &&Variant| variant.name == name;
            let of_family = |variant: &&Variant| variant.family == old.family;
            let new = to.variants.iter().find(is_same);
            let new = new.or(to.variants.iter().find(of_family));
            let new = new.and_then(|new| new.name.strip_prefix(family));
            let new = new.unwrap_or(&old.family);
            Some((
                field.span.start - span.start..field.span.end - span.start,
                new,
            ))
        };
        let fields = self.fields_in(&span);
        from.moved(
            &spliced(&self.text[span.clone()], fields.filter_map(moved)),
            to,
        )
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '.'
}

/// Where the words stand in which two texts differ.
fn differing(a: &str, b: &str) -> [Range<usize>; 2] {
    let common = |pairs: &mut dyn Iterator<Item = (char, char)>| -> String {
        let same = pairs.take_while(|(a, b)| a == b);
        same.map(|(a, _)| a).collect()
    };
    let before = common(&mut a.chars().zip(b.chars()));
    let behind = common(&mut a.chars().rev().zip(b.chars().rev()));
    let most = a.len().min(b.len()) - before.len();
    let before = before.trim_end_matches(is_word).len();
    let behind = behind.trim_end_matches(is_word).len().min(most);
    [a, b].map(|text| before..text.len() - behind)
}

/// The two numbers of a word that is a series or a version: `2.14.x`, `v2.14.`.
fn numbers(word: &str) -> Option<(u64, u64)> {
    let mut numbers = word.strip_prefix('v').unwrap_or(word).split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The family of a word that is called like a variant.
fn family<'w>(word: &'w str, families: &BTreeSet<&str>) -> Option<&'w str> {
    let family = word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    families.contains(family).then_some(family)
}

/// A line with one letter in the place of each series and variant.
fn masked(line: &str, families: &BTreeSet<&str>) -> String {
    let mut out = String::with_capacity(line.len());
    for part in line.split_inclusive(|c| !is_word(c)) {
        let word = part.trim_end_matches(|c| !is_word(c));
        out += match (numbers(word), family(word, families)) {
            (Some(_), _) => "S",
            (_, Some(_)) => "V",
            _ => word,
        };
        out += &part[word.len()..];
    }
    out
}
