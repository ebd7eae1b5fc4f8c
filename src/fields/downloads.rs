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
    instructions: Vec<Range<usize>>,
    /// Where `apk` is asked for the architecture.
    by_apk: Vec<usize>,
    all: Vec<Download>,
    /// Where commands end.
    ends: Vec<usize>,
    uses: Uses<'a>,
    /// What is known of places that were asked for: all branches of a `case` ask for the same one.
    checked: RefCell<BTreeMap<usize, Option<Of>>>,
}

/// Where variables are used, in the order of their names, and of the text for each.
struct Uses<'a>(Vec<(&'a [u8], usize)>);

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
        let (instructions, ends) = instructions(text);
        // The variables that hold an address, by name, each with what it is of.
        let of_place = |at: &usize, of: Of| Some((holder(text, *at)?, of));
        let holders = ours.iter().filter_map(|at| of_place(at, Of::Ours(*at)));
        let holders = holders.chain(made.iter().filter_map(|at| of_place(at, Of::Made)));
        // The first ones; no file has more of its own.
        let holders: Vec<(&[u8], Of)> = holders.take(16).collect();
        let uses = Uses::of(text);
        let of = |(span, is_known): &(Range<usize>, bool)| {
            let command = &text[span.clone()];
            if let Some(at) = inside(ours, span).last() {
                return Some(Of::Ours(*at));
            }
            let lists = [&b"SHA256SUMS"[..], b".asc", b".sig", b".sha256"];
            let is_list = lists.iter().any(|part| has(command, part));
            if !is_list && !inside(made, span).is_empty() {
                return Some(Of::Made);
            }
            let mut holders = holders.iter();
            let held = holders.find(|(name, _)| !uses.of_name(name, span).is_empty());
            let is_anything = || has(command, b"://") || command.contains(&b'$');
            match held {
                Some((_, of)) => Some(*of),
                None if is_list => None,
                None if !is_known => Some(Of::Unclear),
                None => is_anything().then_some(Of::Others),
            }
        };
        let commands = commands(text, &instructions, &ends).into_iter();
        let all = commands.filter_map(|command| {
            let of = of(&command)?;
            let (span, _) = command;
            Some(Download { span, of })
        });
        Self {
            text,
            by_apk: memmem::find_iter(text, "apk --print-arch").collect(),
            all: all.collect(),
            instructions,
            ends,
            uses,
            checked: RefCell::default(),
        }
    }

    fn instruction(&self, at: usize) -> Option<&Range<usize>> {
        let all = &self.instructions;
        all.get(all.partition_point(|span| span.end <= at))
    }

    /// Whether the instruction at a place asks `apk` for the architecture.
    pub(super) fn is_by_apk(&self, at: usize) -> bool {
        self.instruction(at)
            .is_some_and(|span| !inside(&self.by_apk, span).is_empty())
    }

    /// Whether two places are in one instruction.
    pub(super) fn are_together(&self, first: usize, second: usize) -> bool {
        self.instruction(first)
            .is_some_and(|span| span.contains(&second))
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
        let instruction = self.instruction(at)?;
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
        let instruction = self.instruction(span.start)?;
        // No command is further from what it needs.
        let with = self.using(name, span.start..span.end.min(instruction.end));
        let with = with.take(16);
        together(with.map(|download| download.of))
    }

    /// The downloads that use a variable between two places.
    fn using(&self, name: &str, span: Range<usize>) -> impl Iterator<Item = &Download> {
        let uses = self.uses.of_name(name.as_bytes(), &span).iter();
        uses.filter_map(|(_, at)| self.with(*at))
    }

    /// What all downloads are of that use a variable, where that is one thing: ours, or another program.
    pub(super) fn of_all_with(&self, name: &str) -> Option<Of> {
        let with = self.using(name, 0..self.text.len());
        together(with.map(|download| download.of))
    }

    /// Where a variable is used first behind a place.
    pub(super) fn first_use(&self, name: &str, from: usize) -> Option<usize> {
        let uses = self.uses.of_name(name.as_bytes(), &(from..self.text.len()));
        uses.first().map(|(_, at)| *at)
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
        let instruction = self.instruction(at)?;
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

impl<'a> Uses<'a> {
    /// `$name`, `${name}`, `$env:name`.
    fn of(text: &'a [u8]) -> Self {
        let name = |at: usize| {
            let name = past(text, past(text, at + 1, b"{"), b"env:");
            let end = skip(text, name, is_word);
            (end > name).then(|| (&text[name..end], name))
        };
        let mut all: Vec<_> = memchr::memchr_iter(b'$', text).filter_map(name).collect();
        all.sort_unstable();
        Self(all)
    }

    /// The uses of one variable in a span.
    fn of_name(&self, name: &[u8], span: &Range<usize>) -> &[(&'a [u8], usize)] {
        let number = |at: usize| self.0.partition_point(|one| *one < (name, at));
        let (start, end) = (number(span.start), number(span.end));
        &self.0[start..end.max(start)]
    }
}

/// The places of an ordered list that are in a span.
fn inside<'p>(places: &'p [usize], span: &Range<usize>) -> &'p [usize] {
    let number = |at: usize| places.partition_point(|place| *place < at);
    &places[number(span.start)..number(span.end)]
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

/// The instructions of a Dockerfile, and where commands end. Lines that go on are one instruction, comments between them
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
        let goes_on = match is_comment {
            true => !in_heredoc && start < begin,
            false => matches!(code.last(), Some(b'\\' | b'`')),
        };
        if !is_comment {
            let is_end = |sign: &usize| line[*sign] != b'&' || line.get(sign + 1) == Some(&b'&');
            let signs = memchr::memchr3_iter(b';', b'|', b'&', line).filter(is_end);
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

/// The commands that fetch something, each up to its end or the next one, and whether it is one that is known: others have
/// an address in them.
fn commands(
    text: &[u8],
    instructions: &[Range<usize>],
    ends: &[usize],
) -> Vec<(Range<usize>, bool)> {
    let mut known: Vec<(usize, usize)> = Vec::new();
    for command in COMMANDS {
        let all = memmem::find_iter(text, command);
        known.extend(all.map(|at| (at, at + command.len())));
    }
    known.sort_unstable();
    let addresses: Vec<usize> = memmem::find_iter(text, "://").collect();
    let mut all = Vec::new();
    for instruction in instructions {
        let first = text[instruction.clone()].trim_ascii_start();
        let is = |word: &[u8]| {
            let found = first.get(..word.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(word))
        };
        let addresses = inside(&addresses, instruction);
        if is(b"ADD ") && !addresses.is_empty() {
            all.push((instruction.clone(), true));
        }
        if !is(b"RUN ") && !is(b"RUN\t") {
            continue;
        }
        let is_whole = |(at, end): &&(usize, usize)| {
            let next = text.get(*end);
            next.is_none_or(|byte| !is_word(*byte) && *byte != b'-')
                && begins(&text[instruction.start..*at])
        };
        let number = |at: usize| known.partition_point(|(start, _)| *start < at);
        let known = &known[number(instruction.start)..number(instruction.end)];
        let known = known.iter().filter(is_whole).map(|(at, _)| (*at, true));
        let strangers = addresses.iter();
        let strangers = strangers.filter_map(|at| stranger(text, instruction.start, *at, ends));
        let mut starts: Vec<(usize, bool)> = known.chain(strangers.map(|at| (at, false))).collect();
        starts.sort_unstable();
        let end_of = |at: usize| {
            let end = ends.get(ends.partition_point(|end| *end <= at));
            end.map_or(instruction.end, |end| instruction.end.min(*end))
        };
        // What has an address is one that is known, where that is in the same command.
        starts.dedup_by(|next, before| {
            !next.1 && end_of(next.0) == end_of(before.0) || *next == *before
        });
        let nexts = starts.iter().skip(1).map(|(next, _)| *next);
        let spans = starts.iter().zip(nexts.chain([usize::MAX]));
        all.extend(spans.map(|((at, is_known), next)| (*at..end_of(*at).min(next), *is_known)));
    }
    all
}

/// Where the command begins that has an address as an argument, if nobody knows it. What is only said is none.
fn stranger(text: &[u8], first: usize, at: usize, ends: &[usize]) -> Option<usize> {
    const SAID: [&[u8]; 6] = [b"echo", b"printf", b"export", b"apk", b"apt-get", b"sed"];
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
}

/// Whether a command begins behind that, rather than another word of one: `apk add curl`.
fn begins(before: &[u8]) -> bool {
    const OPENING: [&[u8]; 9] = [
        b"RUN", b"run", b"then", b"do", b"else", b"exec", b"sudo", b"if", b"while",
    ];
    let mut before = before;
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
