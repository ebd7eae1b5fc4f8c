//! The downloads of a Dockerfile, and the statements that hash files: whether those are archives of ours, or anything else.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::marks::{Marks, Of, Uses, used};
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

/// A file: by its whole path, or by its name in a folder of an instruction, which is as far as it is known.
type File<'a> = (Option<(usize, usize)>, Cow<'a, [u8]>);

impl<'a> Downloads<'a> {
    /// Of a text, and the same without its comments, with our archives' addresses, and our version in others, there.
    pub(super) fn new((whole, text): (&[u8], &'a [u8]), ours: &'a [usize], made: &[usize]) -> Self {
        let uses = Uses::of(text);
        let (spans, ends) = instructions(whole);
        let marks = Marks::new(text, ends, (ours, made), &uses);
        let mut files: BTreeMap<File, Of> = BTreeMap::new();
        let (mut instructions, mut taken) = (Vec::new(), BTreeSet::new());
        for (number, span) in spans.into_iter().enumerate() {
            let is_run = is_run(&text[span.clone()]);
            let mut all: Option<Of> = None;
            for statement in marks.statements(&span).into_iter().filter(|_| is_run) {
                let Some(of) = marks.download(&statement) else {
                    continue;
                };
                for name in marks.files(&statement) {
                    let file = file(name, (number, marks.moves(span.start..statement.start)));
                    let other = files.remove(&file);
                    files.insert(file, of.clone().and(other));
                }
                if of == Of::Others {
                    let names = used(&text[statement.clone()]);
                    taken.extend(names.map(|(name, _)| (number, name)));
                }
                all = Some(of.and(all));
            }
            instructions.push(Instruction {
                is_run,
                is_by_apk: has(&text[span.clone()], b"apk --print-arch"),
                of: all,
                span,
            });
        }
        let mut checks = Vec::new();
        let of = |file: &File| files.get(file).cloned();
        for (number, Instruction { span, .. }) in instructions.iter().enumerate() {
            checks.extend(Self::checks(&marks, span, number, &of));
        }
        Self {
            instructions,
            checks,
            taken,
            uses,
        }
    }

    /// What the statements of an instruction hash; and, with them all, what those compare that hash nothing themselves.
    fn checks(
        marks: &Marks,
        span: &Range<usize>,
        number: usize,
        of: &dyn Fn(&File) -> Option<Of>,
    ) -> Vec<(Range<usize>, Of)> {
        let (mut checks, mut comparing) = (Vec::new(), Vec::new());
        let mut all: Option<Of> = None;
        for statement in marks.statements(span) {
            let place = (number, marks.moves(span.start..statement.start));
            let hashed = marks.hashed(&statement, &|name| of(&file(name, place)));
            match hashed {
                Some(hashed) => {
                    all = Some(hashed.clone().and(all));
                    checks.push((statement, hashed));
                }
                None if marks.compares(&statement) => comparing.push(statement),
                None => {}
            }
        }
        let both = comparing
            .into_iter()
            .filter_map(|one| Some((one, all.clone()?)));
        checks.extend(both);
        checks.sort_by_key(|(statement, _)| statement.start);
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

/// A file that an instruction names; `place` is its number, and how often it has gone to another folder before.
fn file(path: &[u8], place: (usize, usize)) -> File<'_> {
    let path = path.strip_prefix(b"./").unwrap_or(path);
    let is_whole = path.starts_with(b"/") || path.get(1) == Some(&b':');
    // `${name}` is `$name`.
    let plain = || path.iter().copied().filter(|byte| !b"{}".contains(byte));
    let path = match memchr::memchr(b'{', path) {
        Some(_) => Cow::Owned(plain().collect()),
        None => Cow::Borrowed(path),
    };
    ((!is_whole).then_some(place), path)
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
