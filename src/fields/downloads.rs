//! The downloads of a Dockerfile: which commands fetch something, and whether that is an archive of ours.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use memchr::memmem;

use super::spans::{
    has, is_blank, is_setting, is_word, last_word, line_before, past, skip, trimmed_end,
};

/// What a download is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// An archive of ours, whose last address begins there.
    Ours(usize),
    /// Something else of our version.
    Made,
    /// Another program.
    Others,
    /// An address behind a command that nobody knows.
    Unclear,
}

/// A command that fetches something.
pub(super) struct Download {
    pub(super) span: Range<usize>,
    pub(super) of: Of,
}

/// The downloads of a Dockerfile, in its instructions.
pub(super) struct Downloads<'a> {
    pub(super) text: &'a [u8],
    /// Each with whether it asks `apk` for the architecture.
    instructions: Vec<(Range<usize>, bool)>,
    all: Vec<Download>,
    /// Where commands end.
    ends: Vec<usize>,
    uses: Uses<'a>,
    /// What is known of places that were asked for: all branches of a `case` ask for the same one.
    checked: RefCell<BTreeMap<usize, Option<Of>>>,
}

/// Where variables are used, by their names.
type Uses<'a> = BTreeMap<&'a [u8], Vec<usize>>;

/// How many downloads are looked at in front of a hash, and behind it.
const FURTHEST: usize = 64;
/// How many bytes of a statement are looked at on either side of a hash.
const FAR: usize = 1000;

/// The commands that fetch what they are given.
const COMMANDS: [&[u8]; 5] = [
    b"wget",
    b"curl",
    b"Invoke-WebRequest",
    b"iwr",
    b"DownloadFile",
];

impl<'a> Downloads<'a> {
    /// Of a text with our archives' addresses, and our version in others, there.
    pub(super) fn new(text: &'a [u8], ours: &[usize], made: &[usize]) -> Self {
        let instructions = instructions(text).into_iter().map(|span| {
            let is_by_apk = has(&text[span.clone()], b"apk --print-arch");
            (span, is_by_apk)
        });
        let instructions: Vec<(Range<usize>, bool)> = instructions.collect();
        let inside = |places: &[usize], span: &Range<usize>| {
            let end = places.partition_point(|at| *at < span.end);
            let last = places[..end].last().copied();
            last.filter(|at| *at >= span.start)
        };
        // The variables that hold an address, by name, each with what it is of.
        let of_place = |at: &usize, of: Of| Some((holder(text, *at)?, of));
        let holders = ours.iter().filter_map(|at| of_place(at, Of::Ours(*at)));
        let holders = holders.chain(made.iter().filter_map(|at| of_place(at, Of::Made)));
        // The first ones; no file has more of its own.
        let holders: Vec<(&[u8], Of)> = holders.take(16).collect();
        let (uses, ends) = (uses(text), ends(text));
        let mut all = Vec::new();
        for (instruction, _) in &instructions {
            for (span, is_known) in commands(text, instruction, &ends) {
                let command = &text[span.clone()];
                let held = || {
                    let mut holders = holders.iter();
                    let held = holders.find(|(name, _)| is_used(&uses, name, &span));
                    held.map(|(_, of)| *of)
                };
                let is_anything = has(command, b"://") || command.contains(&b'$');
                let lists = [&b"SHA256SUMS"[..], b".asc", b".sig", b".sha256"];
                let is_list = lists.iter().any(|part| has(command, part));
                let of = match (inside(ours, &span), inside(made, &span)) {
                    (Some(at), _) => Of::Ours(at),
                    (None, Some(_)) if !is_list => Of::Made,
                    _ => match held() {
                        Some(of) => of,
                        None if is_list => continue,
                        None if !is_known => Of::Unclear,
                        None if is_anything => Of::Others,
                        None => continue,
                    },
                };
                all.push(Download { span, of });
            }
        }
        Self {
            text,
            instructions,
            all,
            ends,
            uses,
            checked: RefCell::default(),
        }
    }

    fn instruction(&self, at: usize) -> Option<&(Range<usize>, bool)> {
        let all = &self.instructions;
        all.get(all.partition_point(|(span, _)| span.end <= at))
    }

    /// Whether the instruction at a place asks `apk` for the architecture.
    pub(super) fn is_by_apk(&self, at: usize) -> bool {
        self.instruction(at).is_some_and(|(_, by_apk)| *by_apk)
    }

    /// Whether two places are in one instruction.
    pub(super) fn are_together(&self, first: usize, second: usize) -> bool {
        self.instruction(first)
            .is_some_and(|(span, _)| span.contains(&second))
    }

    /// Whether anything is downloaded that is of that.
    pub(super) fn has(&self, of: Of) -> bool {
        self.all.iter().any(|download| download.of == of)
    }

    /// The download that a place follows in its instruction.
    pub(super) fn before(&self, at: usize) -> Option<&Download> {
        let all = &self.all;
        let number = all.partition_point(|download| download.span.start < at);
        let last = &all[number.checked_sub(1)?];
        let (instruction, _) = self.instruction(at)?;
        (last.span.start >= instruction.start).then_some(last)
    }

    /// The download whose command a place is in: an option in front of the address.
    pub(super) fn with(&self, at: usize) -> Option<&Download> {
        let number = self.all.partition_point(|download| download.span.end <= at);
        let download = self.all.get(number)?;
        download.span.contains(&at).then_some(download)
    }

    /// What the downloads in a span, as far as it is in the instruction of its start, are of that use a variable.
    pub(super) fn with_behind(&self, name: &str, span: Range<usize>) -> Option<Of> {
        let (instruction, _) = self.instruction(span.start)?;
        // No command is further from what it needs.
        let with = self.using(name, span.start..span.end.min(instruction.end));
        let with = with.take(16);
        together(with.map(|download| download.of))
    }

    /// The downloads that use a variable between two places.
    fn using(&self, name: &str, span: Range<usize>) -> impl Iterator<Item = &Download> {
        let uses = self
            .uses
            .get(name.as_bytes())
            .map_or(&[][..], Vec::as_slice);
        let uses = &uses[uses.partition_point(|at| *at < span.start)..];
        let uses = uses.iter().take_while(move |at| **at < span.end);
        uses.filter_map(|at| self.with(*at))
    }

    /// What all downloads are of that use a variable, where that is one thing: ours, or another program.
    pub(super) fn of_all_with(&self, name: &str) -> Option<Of> {
        let with = self.using(name, 0..self.text.len());
        together(with.map(|download| download.of))
    }

    /// Where a variable is used first behind a place.
    pub(super) fn first_use(&self, name: &str, from: usize) -> Option<usize> {
        let uses = self.uses.get(name.as_bytes())?;
        uses.get(uses.partition_point(|at| *at < from)).copied()
    }

    /// What a variable with a hash is compared with where it is used first.
    pub(super) fn checked_with(&self, name: &str, from: usize) -> Option<Of> {
        self.checked_at(self.first_use(name, from)?)
    }

    /// What the statement at a place compares: what a download in it gives, or one that has written a file which the
    /// statement names, the last one in front of it. Behind downloads of which it names none, nobody knows.
    pub(super) fn checked_at(&self, at: usize) -> Option<Of> {
        let known = self.checked.borrow().get(&at).copied();
        known.unwrap_or_else(|| {
            let of = self.looked_up(at);
            self.checked.borrow_mut().insert(at, of);
            of
        })
    }

    fn looked_up(&self, at: usize) -> Option<Of> {
        let (instruction, _) = self.instruction(at)?;
        let statement = self.statement(instruction, at);
        let number = self
            .all
            .partition_point(|download| download.span.start < at);
        let (before, behind) = self.all.split_at(number);
        let is_inside = |download: &&Download| {
            download.span.start < statement.end && statement.start < download.span.end
        };
        let near = self.all[number.saturating_sub(1)..].iter().take(2);
        if let Some(download) = near.clone().find(is_inside) {
            return Some(download.of);
        }
        let files: Vec<&[u8]> = self.files(&statement).collect();
        let is_named = |download: &&Download| {
            let span = &download.span;
            files.iter().any(|file| self.writes(span, file))
        };
        // No command is further from what it needs.
        let before = before.iter().rev().take(FURTHEST);
        let mut all = before.chain(behind.iter().take(FURTHEST));
        match all.find(is_named) {
            Some(download) => Some(download.of),
            None => self.before(at).map(|_| Of::Unclear),
        }
    }

    /// The statement of an instruction that a place is in, pipes included.
    fn statement(&self, instruction: &Range<usize>, at: usize) -> Range<usize> {
        let start = instruction.start.max(at.saturating_sub(FAR));
        let end = instruction.end.min(at + FAR);
        let number = self.ends.partition_point(|end| *end <= at);
        let (before, behind) = self.ends.split_at(number);
        let is_end = |place: &&usize| self.text.get(**place) != Some(&b'|');
        let mut before = before.iter().rev().take_while(|place| **place >= start);
        let mut behind = behind.iter().take_while(|place| **place < end);
        let from = before.find(is_end).map_or(start, |place| place + 1);
        from..behind.find(is_end).copied().unwrap_or(end)
    }

    /// What may be files in a statement: the last names of its words.
    fn files(&self, statement: &Range<usize>) -> impl Iterator<Item = &'a [u8]> {
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`()[]{}<>|&;,*=".contains(byte);
        let words = self.text[statement.clone()].split(is_end);
        let names = words.filter_map(|word| word.rsplit(|byte| *byte == b'/').next());
        names.filter(|name| {
            let is_option = name.starts_with(b"-");
            name.iter().any(|byte| is_word(*byte)) && !is_option && !COMMANDS.contains(name)
        })
    }

    /// Whether a command names a file.
    fn writes(&self, download: &Range<usize>, file: &[u8]) -> bool {
        // No command of a download is longer.
        let command = &self.text[download.start..download.end.min(download.start + 4 * FAR)];
        let is_part =
            |byte: Option<&u8>| byte.is_some_and(|byte| is_word(*byte) || b".-".contains(byte));
        memmem::find_iter(command, file).any(|at| {
            let before = at.checked_sub(1).and_then(|before| command.get(before));
            let behind = command.get(at + file.len());
            // What goes on behind it is a folder, of an address say.
            !is_part(before) && !is_part(behind) && behind != Some(&b'/')
        })
    }
}

/// Where a text uses variables: `$name`, `${name}`, `$env:name`.
fn uses(text: &[u8]) -> Uses<'_> {
    let mut uses = Uses::new();
    for at in memchr::memchr_iter(b'$', text) {
        let name = past(text, past(text, at + 1, b"{"), b"env:");
        let end = skip(text, name, is_word);
        if end > name {
            uses.entry(&text[name..end]).or_default().push(name);
        }
    }
    uses
}

fn is_used(uses: &Uses, name: &[u8], span: &Range<usize>) -> bool {
    let uses = uses.get(name).map_or(&[][..], Vec::as_slice);
    let next = uses.get(uses.partition_point(|at| *at < span.start));
    next.is_some_and(|at| *at < span.end)
}

/// What several downloads are of together: one thing, or nobody knows.
fn together(all: impl Iterator<Item = Of>) -> Option<Of> {
    let all: Vec<Of> = all.take(1000).collect();
    let first = *all.first()?;
    let is_ours = |of: &Of| matches!(of, Of::Ours(_));
    let is_same = |of: &Of| *of == first || is_ours(of) && is_ours(&first);
    Some(match all.iter().all(is_same) {
        true => first,
        false => Of::Unclear,
    })
}

/// The name of the variable to which the word at a place is assigned.
fn holder(text: &[u8], at: usize) -> Option<&[u8]> {
    let line = line_before(text, at);
    let is_end = |byte: u8| byte.is_ascii_whitespace() || byte == b'=';
    let before = trimmed_end(line, |byte| !is_end(byte));
    let bare = trimmed_end(before, |byte| b" \t\"'".contains(&byte));
    let name = last_word(trimmed_end(bare, |byte| b" \t=".contains(&byte)));
    (!name.is_empty() && (bare.ends_with(b"=") || is_setting(line))).then_some(name)
}

/// Where a heredoc opens in a line.
fn heredoc(line: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'<', line).find(|at| line.get(at + 1) == Some(&b'<'))
}

/// The instructions of a Dockerfile: lines that go on are one, comments between them included, and so is what stands in a
/// heredoc. A comment in front of one is one by itself.
fn instructions(text: &[u8]) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut closes: Option<&[u8]> = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let code = line.trim_ascii();
        if closes.is_some_and(|word| code == word) {
            closes = None;
        } else if let (None, Some(opens)) = (closes, heredoc(line)) {
            let word = &line[skip(line, opens + 2, |byte| b"-\"'".contains(&byte))..];
            let end = skip(word, 0, is_word);
            closes = Some(&word[..end]).filter(|word| !word.is_empty());
        }
        let goes_on = match code.starts_with(b"#") {
            true => start + line.len() < at,
            false => code.ends_with(b"\\") || code.ends_with(b"`"),
        };
        if closes.is_none() && !goes_on {
            all.push(start..at);
            start = at;
        }
    }
    if start < text.len() {
        all.push(start..text.len());
    }
    all
}

/// The commands of an instruction that fetch something, each up to its end or the next one, and whether it is one that is
/// known: others have an address in them.
fn commands(text: &[u8], instruction: &Range<usize>, ends: &[usize]) -> Vec<(Range<usize>, bool)> {
    let inside = &text[instruction.clone()];
    let first = inside.trim_ascii_start();
    let is = |word: &[u8]| {
        let found = first.get(..word.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(word))
    };
    if is(b"ADD ") {
        let all = has(inside, b"://").then(|| (instruction.clone(), true));
        return all.into_iter().collect();
    }
    if !is(b"RUN ") && !is(b"RUN\t") {
        return Vec::new();
    }
    let is_whole = |at: usize, command: &[u8]| {
        let next = inside.get(at + command.len());
        next.is_none_or(|byte| !is_word(*byte) && *byte != b'-') && begins(inside, at)
    };
    let mut starts: Vec<(usize, bool)> = Vec::new();
    for command in COMMANDS {
        let all = memmem::find_iter(inside, command).filter(|at| is_whole(*at, command));
        starts.extend(all.map(|at| (instruction.start + at, true)));
    }
    let strangers = strangers(text, instruction, ends);
    starts.extend(strangers.map(|at| (at, false)));
    starts.sort_unstable();
    let end_of = |at: usize| {
        let end = ends.get(ends.partition_point(|end| *end <= at));
        end.map_or(instruction.end, |end| instruction.end.min(*end))
    };
    // What has an address is one that is known, where that is in the same command.
    starts
        .dedup_by(|next, before| !next.1 && end_of(next.0) == end_of(before.0) || *next == *before);
    let span = |(number, (at, is_known)): (usize, &(usize, bool))| {
        let next = starts.get(number + 1).map_or(usize::MAX, |(next, _)| *next);
        (*at..end_of(*at).min(next), *is_known)
    };
    starts.iter().enumerate().map(span).collect()
}

/// Where commands end.
fn ends(text: &[u8]) -> Vec<usize> {
    let goes_on = |end: usize| {
        let line = trimmed_end(&text[..end], |byte| byte == b' ' || byte == b'\r');
        matches!(line.last(), Some(b'\\' | b'`'))
    };
    let is_one = |at: &usize| text[*at] != b'&' || text.get(at + 1) == Some(&b'&');
    let signs = memchr::memchr3_iter(b';', b'|', b'&', text).filter(is_one);
    let lines = memchr::memchr_iter(b'\n', text).filter(|at| !goes_on(*at));
    let mut ends: Vec<usize> = signs.chain(lines).collect();
    ends.sort_unstable();
    ends
}

/// Where commands begin that nobody knows and that have an address in them, as an argument. What is only said is none.
fn strangers<'t>(
    text: &'t [u8],
    instruction: &Range<usize>,
    ends: &'t [usize],
) -> impl Iterator<Item = usize> + use<'t> {
    const SAID: [&[u8]; 6] = [b"echo", b"printf", b"export", b"apk", b"apt-get", b"sed"];
    let first = instruction.start;
    memmem::find_iter(&text[instruction.clone()], b"://").filter_map(move |at| {
        let at = first + at;
        let before = ends[..ends.partition_point(|end| *end < at)].last();
        let start = before.map_or(first, |end| end + 1);
        let start = start.max(first).max(at.saturating_sub(400));
        let command = &text[start..at];
        let is_space = |byte: u8| byte.is_ascii_whitespace() || b"&\\`({".contains(&byte);
        let blank = skip(command, 0, is_space);
        let command = &command[blank..];
        let word = &command[..skip(command, 0, |byte| !byte.is_ascii_whitespace())];
        let is_comment = line_before(text, at).trim_ascii_start().starts_with(b"#");
        // `url=https://…`
        let is_assigned = word.contains(&b'=') || word.len() == command.len();
        (!is_comment && !is_assigned && !SAID.contains(&word)).then_some(start + blank)
    })
}

/// Whether a command begins there, rather than another word of one: `apk add curl`.
fn begins(text: &[u8], at: usize) -> bool {
    const OPENING: [&[u8]; 9] = [
        b"RUN", b"run", b"then", b"do", b"else", b"exec", b"sudo", b"if", b"while",
    ];
    let mut before = &text[..at];
    loop {
        before = trimmed_end(before, is_blank);
        let Some(line) = before.strip_suffix(b"\n") else {
            break;
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match trimmed_end(line, |byte| byte == b' ').split_last() {
            Some((b'\\' | b'`', rest)) => before = rest,
            _ => return true,
        }
    }
    let is_opening = OPENING.contains(&last_word(before));
    // `RUN --mount=… wget`
    let window = &before[before.len().saturating_sub(200)..];
    let word = window.rsplit(u8::is_ascii_whitespace).next();
    let is_option =
        word.is_some_and(|word| word.starts_with(b"--mount") || word.starts_with(b"--network"));
    before.is_empty()
        || is_opening
        || is_option
        || before.ends_with(b".")
        || b";&|({!$`".contains(&before[before.len() - 1])
}
