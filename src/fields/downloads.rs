//! The downloads of a Dockerfile: which commands fetch something, and whether that is an archive of ours.

use std::ops::Range;

use memchr::memmem;

use super::spans::{is_word, last_word, line_before, skip, trimmed_end};

/// What a download is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// An archive of ours, whose last address begins there.
    Ours(usize),
    /// Something else of our version.
    Made,
    /// Another program.
    Others,
}

/// A command that fetches something.
pub(super) struct Download {
    pub(super) span: Range<usize>,
    pub(super) of: Of,
}

/// The downloads of a Dockerfile, in its instructions.
pub(super) struct Downloads<'a> {
    text: &'a [u8],
    /// Each with whether it asks `apk` for the architecture.
    instructions: Vec<(Range<usize>, bool)>,
    all: Vec<Download>,
}

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
            let is_by_apk = memmem::find(&text[span.clone()], b"apk --print-arch").is_some();
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
        let mut all = Vec::new();
        for (instruction, _) in &instructions {
            for span in commands(text, instruction) {
                let command = &text[span.clone()];
                let held = || {
                    let mut holders = holders.iter();
                    let held = holders.find(|(name, _)| has_variable(command, name));
                    held.map(|(_, of)| *of)
                };
                let is_anything = has_address(command) || command.contains(&b'$');
                let is_list = [&b"SHA256SUMS"[..], b".asc", b".sig", b".sha256"]
                    .iter()
                    .any(|part| memmem::find(command, part).is_some());
                let of = match (inside(ours, &span), inside(made, &span)) {
                    (Some(at), _) => Of::Ours(at),
                    (None, Some(_)) if !is_list => Of::Made,
                    _ => match held() {
                        Some(of) => of,
                        None if is_anything && !is_list => Of::Others,
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
        }
    }

    fn instruction(&self, at: usize) -> Option<&(Range<usize>, bool)> {
        let number = self
            .instructions
            .partition_point(|(span, _)| span.end <= at);
        self.instructions.get(number)
    }

    /// Whether the instruction at a place asks `apk` for the architecture.
    pub(super) fn is_by_apk(&self, at: usize) -> bool {
        self.instruction(at)
            .is_some_and(|(_, is_by_apk)| *is_by_apk)
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
        let number = self
            .all
            .partition_point(|download| download.span.start < at);
        let last = &self.all[number.checked_sub(1)?];
        let (instruction, _) = self.instruction(at)?;
        (last.span.start >= instruction.start).then_some(last)
    }

    /// The download whose command a place is in: an option in front of the address.
    pub(super) fn with(&self, at: usize) -> Option<&Download> {
        let number = self.all.partition_point(|download| download.span.end <= at);
        self.all
            .get(number)
            .filter(|download| download.span.contains(&at))
    }

    /// The next download behind a place, in its instruction, that uses a variable.
    pub(super) fn next_with(&self, name: &str, at: usize) -> Option<&Download> {
        let (instruction, _) = self.instruction(at)?;
        let number = self
            .all
            .partition_point(|download| download.span.start < at);
        let here = self.all[number..]
            .iter()
            .take_while(|download| download.span.start < instruction.end);
        // No command is further from what it needs.
        here.take(16)
            .find(|download| self.with_variable(download, name.as_bytes()))
    }

    /// What all downloads are of that use a variable, where that is one thing: ours, or another program.
    pub(super) fn of_all_with(&self, name: &str) -> Option<Of> {
        let all = self.all.iter();
        let with = all.filter(|download| self.with_variable(download, name.as_bytes()));
        let all: Vec<Of> = with.map(|download| download.of).collect();
        match all.as_slice() {
            [] => None,
            all if all.iter().all(|of| *of == Of::Others) => Some(Of::Others),
            all if all.iter().all(|of| matches!(of, Of::Ours(_))) => all.first().copied(),
            _ => Some(Of::Made),
        }
    }

    fn with_variable(&self, download: &Download, name: &[u8]) -> bool {
        has_variable(&self.text[download.span.clone()], name)
    }

    /// Where a variable is used first behind a place.
    pub(super) fn first_use(&self, name: &str, from: usize) -> Option<usize> {
        let rest = &self.text[from..];
        variables(rest, name.as_bytes()).next().map(|at| from + at)
    }

    /// Whether what is hashed there is what the download has written: `echo "<hash> *server.tar.gz" | sha256sum -c`.
    pub(super) fn is_checked(&self, hash: &Range<usize>, download: &Range<usize>) -> bool {
        let name = self.file_behind(hash);
        name.is_none_or(|name| memmem::find(&self.text[download.clone()], name).is_some())
    }

    /// The same of any download of ours.
    pub(super) fn may_be_checked(&self, hash: &Range<usize>) -> bool {
        let ours = self
            .all
            .iter()
            .filter(|download| matches!(download.of, Of::Ours(_)));
        let mut ours = ours.map(|download| &download.span).peekable();
        ours.peek().is_none() || ours.any(|download| self.is_checked(hash, download))
    }

    /// The file whose name stands behind a hash.
    fn file_behind(&self, hash: &Range<usize>) -> Option<&'a [u8]> {
        let rest = &self.text[hash.end..];
        let blank = rest.iter().take_while(|byte| b" *".contains(byte)).count();
        let is_name = |byte: &&u8| is_word(**byte) || b".-/${}".contains(byte);
        let name = &rest[blank..];
        let length = name.iter().take_while(is_name).count();
        let last = name[..length].rsplit(|byte| *byte == b'/').next()?;
        (blank > 0 && !last.is_empty() && !last.contains(&b'$')).then_some(last)
    }
}

/// Where a text uses a variable: `$name`, `${name}`, `$env:name`.
fn variables<'t>(text: &'t [u8], name: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    let is_use = move |at: &usize| {
        let before = &text[..*at];
        let opens = [&b"$"[..], b"${", b"$env:", b"${env:"];
        let is_whole = text.get(at + name.len()).is_none_or(|byte| !is_word(*byte));
        is_whole && opens.iter().any(|open| before.ends_with(open))
    };
    memmem::find_iter(text, name).filter(is_use)
}

fn has_variable(text: &[u8], name: &[u8]) -> bool {
    variables(text, name).next().is_some()
}

fn has_address(text: &[u8]) -> bool {
    memmem::find(text, b"://").is_some()
}

/// The name of the variable to which the word at a place is assigned.
fn holder(text: &[u8], at: usize) -> Option<&[u8]> {
    let line = line_before(text, at);
    let is_end = |byte: u8| byte.is_ascii_whitespace() || byte == b'=';
    let before = trimmed_end(line, |byte| !is_end(byte));
    let bare = trimmed_end(before, |byte| b" \t\"'".contains(&byte));
    let first = line.trim_ascii_start();
    let is_set = first.starts_with(b"ENV ") || first.starts_with(b"ARG ");
    let name = last_word(trimmed_end(bare, |byte| b" \t=".contains(&byte)));
    (!name.is_empty() && (bare.ends_with(b"=") || is_set)).then_some(name)
}

/// The instructions of a Dockerfile: lines that go on are one, and so is what stands in a heredoc.
fn instructions(text: &[u8]) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut closes: Option<&[u8]> = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let code = line.trim_ascii();
        if closes.is_some_and(|word| code == word) {
            closes = None;
        } else if let Some(opens) = memmem::find(line, b"<<").filter(|_| closes.is_none()) {
            let word = trimmed_start(&line[opens + 2..], b"-\"'");
            let end = skip(word, 0, is_word);
            closes = Some(&word[..end]).filter(|word| !word.is_empty());
        }
        let goes_on = code.ends_with(b"\\") || code.ends_with(b"`") || code.starts_with(b"#");
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

fn trimmed_start<'t>(text: &'t [u8], bytes: &[u8]) -> &'t [u8] {
    &text[skip(text, 0, |byte| bytes.contains(&byte))..]
}

/// The commands of an instruction that fetch something, each up to its end.
fn commands(text: &[u8], instruction: &Range<usize>) -> Vec<Range<usize>> {
    let inside = &text[instruction.clone()];
    let first = inside.trim_ascii_start();
    let is_add = first
        .get(..4)
        .is_some_and(|word| word.eq_ignore_ascii_case(b"ADD "));
    if is_add {
        return vec![instruction.clone()]
            .into_iter()
            .filter(|_| has_address(inside))
            .collect();
    }
    let mut starts: Vec<usize> = COMMANDS
        .iter()
        .flat_map(|command| {
            let is_whole = move |at: &usize| {
                let next = inside.get(at + command.len());
                next.is_none_or(|byte| !is_word(*byte) && *byte != b'-') && begins(inside, *at)
            };
            memmem::find_iter(inside, command).filter(is_whole)
        })
        .collect();
    starts.sort_unstable();
    let end_of = |at: usize| {
        let rest = &inside[at..];
        let ends = |(index, byte): (usize, &u8)| match byte {
            b';' | b'|' => true,
            b'&' => rest.get(index + 1) == Some(&b'&'),
            b'\n' => !matches!(
                trimmed_end(&rest[..index], |byte| byte == b' ' || byte == b'\r').last(),
                Some(b'\\' | b'`')
            ),
            _ => false,
        };
        let length = rest
            .iter()
            .enumerate()
            .position(|(index, byte)| ends((index, byte)));
        at + length.unwrap_or(rest.len())
    };
    let span = |at: &usize| instruction.start + at..instruction.start + end_of(*at);
    starts.iter().map(span).collect()
}

/// Whether a command begins there, rather than another word of one: `apk add curl`.
fn begins(text: &[u8], at: usize) -> bool {
    let mut before = &text[..at];
    loop {
        let bare = trimmed_end(before, |byte| byte == b' ' || byte == b'\t');
        match bare
            .strip_suffix(b"\n")
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        {
            Some(line) => match trimmed_end(line, |byte| byte == b' ').last() {
                Some(b'\\' | b'`') => {
                    let line = trimmed_end(line, |byte| byte == b' ');
                    before = &line[..line.len() - 1];
                }
                _ => return true,
            },
            None => {
                before = bare;
                break;
            }
        }
    }
    let word = &before[trimmed_end(before, is_word).len()..];
    let is_opening = [
        &b"RUN"[..],
        b"run",
        b"then",
        b"do",
        b"else",
        b"exec",
        b"sudo",
        b"if",
        b"while",
    ]
    .contains(&word);
    // `RUN --mount=… wget`
    let is_option = before
        .rsplit(u8::is_ascii_whitespace)
        .next()
        .is_some_and(|word| word.starts_with(b"--mount") || word.starts_with(b"--network"));
    before.is_empty()
        || is_opening
        || is_option
        || before.ends_with(b".")
        || b";&|({!$`".contains(&before[before.len() - 1])
}
