//! The downloads of a Dockerfile, and the statements that hash files: whether those are archives of ours, or anything else.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::commands::{Uses, used};
use super::marks::{Marks, Of};
use super::spans::{has, is_digit, is_word, skip};

/// An instruction, with the lines in which it goes on.
pub(super) struct Instruction {
    pub(super) span: Range<usize>,
    /// It runs commands, or fetches a file itself.
    pub(super) is_run: bool,
    /// It asks `apk` for the architecture.
    pub(super) is_by_apk: bool,
    /// What it downloads, if anything.
    pub(super) of: Option<Of>,
    steps: Vec<Step>,
}

/// A statement in which anything is marked.
struct Step {
    statement: Range<usize>,
    /// How often its instruction had gone to another folder before.
    moves: usize,
    /// What it downloads, if anything.
    of: Option<Of>,
}

/// The downloads of a Dockerfile.
pub(super) struct Downloads<'a> {
    pub(super) instructions: Vec<Instruction>,
    /// What statements hash, or compare hashes of, in the order of the text.
    checks: Vec<(Range<usize>, Of)>,
    /// The variables that downloads of other programs use, each with the number of the instruction.
    taken: BTreeSet<(usize, &'a [u8])>,
    uses: Uses<'a>,
}

/// The files that are downloaded: by their names in each instruction, where one name is one file's, and by whole paths in all.
#[derive(Default)]
struct Files<'a> {
    named: BTreeMap<(usize, Cow<'a, [u8]>), Named<'a>>,
    whole: BTreeMap<Cow<'a, [u8]>, Of>,
}

/// What has a name; and how that was written, and how often the instruction had gone to another folder before, where that was the same
/// each time.
struct Named<'a> {
    of: Of,
    written: Option<(Cow<'a, [u8]>, usize)>,
}

impl<'a> Files<'a> {
    /// Adds one; `place` is the number of its instruction, and how often that had gone to another folder before.
    fn add(&mut self, path: &'a [u8], place: (usize, usize), of: &Of) {
        let (is_whole, path, name) = names(path);
        let moves = if is_whole { 0 } else { place.1 };
        if is_whole {
            let other = self.whole.remove(&path);
            self.whole.insert(path.clone(), of.clone().and(other));
        }
        let key = (place.0, name);
        let (of, written) = (of.clone(), Some((path, moves)));
        let named = match self.named.remove(&key) {
            None => Named { of, written },
            Some(other) => Named {
                of: of.and(Some(other.of)),
                written: written.filter(|written| other.written.as_ref() == Some(written)),
            },
        };
        self.named.insert(key, named);
    }

    /// What a file is that an instruction names there.
    fn of(&self, path: &[u8], place: (usize, usize)) -> Option<Of> {
        let (is_whole, path, name) = names(path);
        let moves = if is_whole { 0 } else { place.1 };
        let whole = self.whole.get(&path).filter(|_| is_whole).cloned();
        match self.named.get(&(place.0, name)) {
            None => whole,
            Some(named) if named.written == Some((path, moves)) => {
                Some(named.of.clone().and(whole))
            }
            Some(_) => Some(Of::Unclear),
        }
    }
}

impl<'a> Downloads<'a> {
    /// Of a text, and the same without its comments, with our archives' addresses, and our version in others, there.
    pub(super) fn new((whole, text): (&[u8], &'a [u8]), ours: &'a [usize], made: &[usize]) -> Self {
        let uses = Uses::of(text);
        let (spans, ends) = instructions(whole);
        let marks = Marks::new(text, ends, (ours, made), &uses);
        let mut files = Files::default();
        let (mut instructions, mut taken) = (Vec::new(), BTreeSet::new());
        for (number, span) in spans.into_iter().enumerate() {
            let is_run = is_run(&text[span.clone()]);
            let step = |statement: Range<usize>| Step {
                moves: marks.moves(span.start..statement.start),
                of: marks.download(&statement),
                statement,
            };
            let steps: Vec<Step> = marks.statements(&span).into_iter().map(step).collect();
            let mut all: Option<Of> = None;
            for step in steps.iter().filter(|_| is_run) {
                let Some(of) = &step.of else { continue };
                for name in marks.files(&step.statement) {
                    files.add(name, (number, step.moves), of);
                }
                if *of == Of::Others {
                    let names = used(&text[step.statement.clone()]);
                    taken.extend(names.map(|(name, _)| (number, name)));
                }
                all = Some(of.clone().and(all));
            }
            instructions.push(Instruction {
                is_run,
                is_by_apk: has(&text[span.clone()], b"apk --print-arch"),
                of: all,
                steps,
                span,
            });
        }
        let mut checks = Vec::new();
        for (number, instruction) in instructions.iter().enumerate() {
            checks.extend(Self::checks(&marks, &uses, (number, instruction), &files));
        }
        Self {
            instructions,
            checks,
            taken,
            uses,
        }
    }

    /// What the statements of an instruction hash; and what those compare that use the variable to which such a hash is assigned.
    fn checks(
        marks: &Marks,
        uses: &Uses,
        (number, instruction): (usize, &Instruction),
        files: &Files,
    ) -> Vec<(Range<usize>, Of)> {
        let mut checks = Vec::new();
        let mut actual: BTreeMap<&[u8], Of> = BTreeMap::new();
        for step in &instruction.steps {
            let (statement, place) = (&step.statement, (number, step.moves));
            let hashed = marks.hashed(statement, &step.of, &|name| files.of(name, place));
            match hashed {
                Some(hashed) => {
                    if let Some(name) = marks.assigned(statement) {
                        // A second value of it is anybody's.
                        let of = match uses.assignments(name, &instruction.span) {
                            1 => hashed.clone(),
                            _ => Of::Unclear,
                        };
                        actual.insert(name, of);
                    }
                    checks.push((statement.clone(), hashed));
                }
                None if marks.compares(statement) => {
                    let compared = marks.used(statement);
                    let compared = compared.filter_map(|name| actual.get(name).cloned());
                    let of = compared.reduce(|all, one| one.and(Some(all)));
                    checks.extend(of.map(|of| (statement.clone(), of)));
                }
                None => {}
            }
        }
        checks
    }

    /// The number of the instruction at a place.
    pub(super) fn number(&self, at: usize) -> usize {
        let last = self.instructions.len().saturating_sub(1);
        let number = self.instructions.partition_point(|one| one.span.end <= at);
        number.min(last)
    }

    /// What the statement at a place hashes, or compares.
    pub(super) fn compared(&self, at: usize) -> Option<&Of> {
        let number = self
            .checks
            .partition_point(|(statement, _)| statement.end <= at);
        let (statement, of) = self.checks.get(number)?;
        statement.contains(&at).then_some(of)
    }

    /// What all statements in a span hash that use a variable, and whether any does; no file has so many of them that some are
    /// left out here.
    pub(super) fn compared_with(&self, name: &str, span: &Range<usize>) -> (Option<Of>, bool) {
        let uses = self.uses.of_name(name.as_bytes(), span).iter().take(64);
        let compared = uses.clone().filter_map(|(_, at)| self.compared(*at));
        let of = compared.cloned().reduce(|all, one| one.and(Some(all)));
        (of, uses.len() > 0)
    }

    /// Whether a download of another program in that instruction uses a variable.
    pub(super) fn is_taken(&self, number: usize, name: &str) -> bool {
        self.taken.contains(&(number, name.as_bytes()))
    }
}

/// Whether a path is a whole one, the path, and the name at its end; in one spelling.
fn names(path: &[u8]) -> (bool, Cow<'_, [u8]>, Cow<'_, [u8]>) {
    let here = path.strip_prefix(b"./").or(path.strip_prefix(b".\\"));
    let path = here.unwrap_or(path);
    let is_whole = path.starts_with(b"/") || path.get(1) == Some(&b':');
    let is_odd = |byte: &u8| byte.is_ascii_uppercase() || b"{}\\".contains(byte);
    let name = |path: &[u8]| memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1);
    if !path.iter().any(is_odd) {
        let at = name(path);
        return (is_whole, path.into(), path[at..].into());
    }
    // `${name}` is `$name`; Windows knows no case.
    let plain = path.iter().filter(|byte| !b"{}".contains(byte));
    let plain = plain.map(|byte| match byte {
        b'\\' => b'/',
        other => other.to_ascii_lowercase(),
    });
    let plain: Vec<u8> = plain.collect();
    let file = plain[name(&plain)..].to_vec();
    (is_whole, plain.into(), file.into())
}

/// Whether an instruction runs commands, or fetches a file itself.
fn is_run(instruction: &[u8]) -> bool {
    let first = instruction.trim_ascii_start();
    let begins = |word: &&[u8]| {
        let found = first.get(..word.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(word))
    };
    [&b"RUN"[..], b"ADD ", b"ONBUILD "].iter().any(begins)
}

/// Where a heredoc opens in a line; `$((1<<2))` is none.
fn heredoc(line: &[u8]) -> Option<usize> {
    let opens = |at: &usize| {
        let next = line.get(at + 2).copied().unwrap_or_default();
        line.get(at + 1) == Some(&b'<') && !is_digit(next)
    };
    memchr::memchr_iter(b'<', line).find(opens)
}

/// The instructions of a Dockerfile, and where statements end. Lines that go on are one instruction, comments between them
/// included, and so is what stands in a heredoc. A comment in front of one is one by itself.
fn instructions(text: &[u8]) -> (Vec<Range<usize>>, Vec<usize>) {
    let (mut all, mut ends) = (Vec::new(), Vec::new());
    let (mut start, mut at) = (0, 0);
    let mut closes: Option<&[u8]> = None;
    let newlines = memchr::memchr_iter(b'\n', text).map(|newline| newline + 1);
    for next in newlines.chain([text.len()]) {
        let (begin, line) = (at, &text[at..next]);
        at = next;
        let code = line.trim_ascii();
        let in_heredoc = closes.is_some();
        if closes.is_some_and(|word| code == word) {
            closes = None;
        } else if let (None, Some(opens)) = (closes, heredoc(line)) {
            let word = &line[skip(line, opens + 2, |byte| b"-\"'".contains(&byte))..];
            let end = skip(word, 0, is_word);
            closes = Some(&word[..end]).filter(|word| !word.is_empty());
        }
        let is_comment = code.starts_with(b"#");
        // An empty line does not end what goes on, either.
        let goes_on = match is_comment || code.is_empty() {
            true => !in_heredoc && start < begin,
            false => matches!(code.last(), Some(b'\\' | b'`')),
        };
        if !is_comment {
            let is_end = |sign: &usize| line[*sign] != b'&' || line.get(sign + 1) == Some(&b'&');
            let signs = memchr::memchr2_iter(b';', b'&', line).filter(is_end);
            ends.extend(signs.map(|sign| begin + sign));
        }
        if goes_on {
            continue;
        }
        if line.ends_with(b"\n") {
            ends.push(at - 1);
        }
        if closes.is_none() {
            all.push(start..at);
            start = at;
        }
    }
    if start < text.len() {
        all.push(start..text.len());
    }
    (all, ends)
}
