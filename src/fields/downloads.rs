//! The instructions of a Dockerfile, and what each of them downloads: archives of ours, or anything else.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::spans::{
    has, is_comment, is_setting, is_word, last_word, line_before, past, skip, trimmed_end,
};

/// What an instruction downloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Nothing,
    /// Archives of ours and nothing else; if it hashes files, it hashes those.
    Ours,
    /// Nothing of ours.
    Others,
    /// Both, or something of our version that is no archive: which file a hash is of, nobody can tell.
    Unclear,
}

/// An instruction, with the lines in which it goes on.
pub(super) struct Instruction {
    pub(super) span: Range<usize>,
    pub(super) of: Of,
    /// It asks `apk` for the architecture.
    pub(super) is_by_apk: bool,
}

/// The instructions of a Dockerfile.
pub(super) struct Downloads<'a> {
    text: &'a [u8],
    pub(super) instructions: Vec<Instruction>,
    /// Where statements end, pipes included in them.
    ends: Vec<usize>,
    uses: Uses<'a>,
    /// Where addresses of our archives are, and where our version goes into others.
    ours: &'a [usize],
    made: Vec<usize>,
    /// Where variables are used that hold one of those, and the address.
    held: Vec<(usize, usize)>,
    /// Where addresses have their `://`, and where commands stand that fetch or hash something.
    schemes: Vec<usize>,
    fetching: Vec<usize>,
    hashing: Vec<usize>,
    /// All of these places.
    marked: Vec<usize>,
}

/// Where variables are used, in the order of their names, and of the text for each.
struct Uses<'a>(Vec<(&'a [u8], usize)>);

const FETCHING: [&str; 5] = ["wget", "curl", "Invoke-WebRequest", "iwr", "DownloadFile"];
const HASHING: [&str; 9] = [
    "sha256sum",
    "sha512sum",
    "sha1sum",
    "md5sum",
    "shasum",
    "openssl",
    "Get-FileHash",
    "certutil",
    "CertUtil",
];

static FINDERS: LazyLock<[Vec<Finder>; 3]> = LazyLock::new(|| {
    [&["://"][..], &FETCHING, &HASHING].map(|words| words.iter().map(Finder::new).collect())
});

/// The commands that fetch no file of an address that they are given.
const SAYING: [&[u8]; 7] = [
    b"echo",
    b"printf",
    b"export",
    b"apk",
    b"apt-get",
    b"sed",
    b"Write-Host",
];
/// What can stand in front of a command.
const OPENING: [&[u8]; 10] = [
    b"RUN", b"run", b"if", b"then", b"else", b"do", b"while", b"exec", b"sudo", b"\\",
];
/// The ends of what lies beside an archive: its checksums, its signature.
const LISTS: [&[u8]; 4] = [b"SHA256SUMS", b".asc", b".sig", b".sha256"];

impl<'a> Downloads<'a> {
    /// Of a text with our archives' addresses, and our version in others, there.
    pub(super) fn new(text: &'a [u8], ours: &'a [usize], made: &[usize]) -> Self {
        let (spans, ends) = instructions(text);
        let is_other = |at: &usize| inside(ours, &word(text, *at)).is_empty();
        let made: Vec<usize> = made.iter().copied().filter(is_other).collect();
        let uses = Uses::of(text);
        let holder = |at: &usize| Some((holder(text, *at)?, *at));
        // The first ones; no file has more of its own.
        let holders = ours.iter().chain(&made).filter_map(holder).take(16);
        let held = holders.flat_map(|(name, address)| {
            let uses = uses.of_name(name, &(0..text.len())).iter();
            uses.map(move |(_, at)| (*at, address))
        });
        let mut held: Vec<(usize, usize)> = held.collect();
        held.sort_unstable();
        let [schemes, fetching, hashing] = FINDERS.each_ref().map(|words| marks(text, words));
        let using: Vec<usize> = held.iter().map(|(at, _)| *at).collect();
        let all = [&using, ours, &schemes, &fetching, &hashing];
        let mut marked: Vec<usize> = all.into_iter().flatten().copied().collect();
        marked.sort_unstable();
        let mut downloads = Self {
            text,
            instructions: Vec::new(),
            ends,
            uses,
            ours,
            made,
            held,
            schemes,
            fetching,
            hashing,
            marked,
        };
        let instruction = |span: Range<usize>| Instruction {
            of: downloads.of(&span),
            is_by_apk: has(&text[span.clone()], b"apk --print-arch"),
            span,
        };
        downloads.instructions = spans.into_iter().map(instruction).collect();
        downloads
    }

    /// The number of the instruction at a place.
    pub(super) fn number(&self, at: usize) -> usize {
        let last = self.instructions.len().saturating_sub(1);
        let number = self.instructions.partition_point(|one| one.span.end <= at);
        number.min(last)
    }

    /// The addresses of our archives that a part of the text has, or has in variables.
    pub(super) fn addresses(&self, span: &Range<usize>) -> impl Iterator<Item = usize> {
        let held = self.held(span).filter(|at| self.is_ours(at));
        inside(self.ours, span).iter().copied().chain(held)
    }

    /// The addresses, ours or not, in the variables that a part of the text uses.
    fn held(&self, span: &Range<usize>) -> impl Iterator<Item = usize> {
        let number = |at: usize| self.held.partition_point(|(use_at, _)| *use_at < at);
        let held = &self.held[number(span.start)..number(span.end)];
        held.iter().map(|(_, address)| *address)
    }

    fn is_ours(&self, address: &usize) -> bool {
        self.ours.binary_search(address).is_ok()
    }

    /// The numbers of the instructions that use a variable in a span, but for what no file has so many of.
    pub(super) fn using(&self, name: &str, span: &Range<usize>) -> Vec<usize> {
        let uses = self.uses.of_name(name.as_bytes(), span).iter();
        let numbers = uses.take(64).map(|(_, at)| self.number(*at));
        let mut numbers: Vec<usize> = numbers.collect();
        numbers.dedup();
        numbers
    }

    fn of(&self, span: &Range<usize>) -> Of {
        let first = self.text[span.clone()].trim_ascii_start();
        let begins = |word: &&[u8]| {
            let found = first.get(..word.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(word))
        };
        if ![&b"RUN"[..], b"ADD ", b"ONBUILD "].iter().any(begins) {
            return Of::Nothing;
        }
        let (mut ours, mut others, mut unclear) = (Vec::new(), false, false);
        let mut hashed = Vec::new();
        for statement in self.statements(span) {
            let part = &self.text[statement.clone()];
            let is_ours = self.addresses(&statement).next().is_some();
            let schemes = self.code(&self.schemes, &statement);
            let addresses = schemes.map(|at| word(self.text, at));
            let is_other = |word: &Range<usize>| {
                let is_own = !inside(self.ours, word).is_empty();
                !is_own && !is_list(&self.text[word.clone()])
            };
            let strange: Vec<Range<usize>> = addresses.filter(is_other).collect();
            let fetches = self.code(&self.fetching, &statement).next().is_some();
            let is_made = |word: &Range<usize>| !inside(&self.made, word).is_empty();
            let holds_made = || self.held(&statement).any(|at| !self.is_ours(&at));
            unclear |= strange.iter().any(is_made) || fetches && holds_made();
            let by_variable = || fetches && !is_ours && !is_list(part) && part.contains(&b'$');
            let is_other = !strange.is_empty() || by_variable();
            others |= is_other && !SAYING.contains(&first_word(part));
            if self.code(&self.hashing, &statement).next().is_some() {
                hashed.push(statement.clone());
            }
            if is_ours {
                ours.push(statement);
            }
        }
        match (ours.is_empty(), others) {
            _ if unclear => Of::Unclear,
            (true, false) => Of::Nothing,
            (true, true) => Of::Others,
            (false, false) if self.are_known(&hashed, &ours) => Of::Ours,
            (false, _) => Of::Unclear,
        }
    }

    /// Whether statements hash nothing but files that our archives are downloaded to.
    fn are_known(&self, hashed: &[Range<usize>], ours: &[Range<usize>]) -> bool {
        let mut files = Vec::new();
        for statement in ours.iter().filter(|_| !hashed.is_empty()) {
            files.extend(self.files(statement));
        }
        // No instruction has more of its own.
        files.truncate(16);
        hashed.iter().all(|statement| {
            let mut words = words(&self.text[statement.clone()]);
            let is_file = |word: &[u8]| files.iter().any(|file| is_same(file, word));
            self.addresses(statement).next().is_some() || words.any(is_file)
        })
    }

    /// The statements of an instruction, pipes included, in which anything is marked.
    fn statements(&self, span: &Range<usize>) -> Vec<Range<usize>> {
        let mut all: Vec<Range<usize>> = Vec::new();
        for at in inside(&self.marked, span) {
            if all.last().is_some_and(|last| *at < last.end) {
                continue;
            }
            let next = self.ends.partition_point(|end| end < at);
            let start = next.checked_sub(1).map_or(0, |last| self.ends[last] + 1);
            let end = self.ends.get(next).copied().unwrap_or(span.end);
            all.push(start.max(span.start)..end.min(span.end));
        }
        all
    }

    /// The marks in a statement that are not in a comment.
    fn code(&self, marks: &'a [usize], statement: &Range<usize>) -> impl Iterator<Item = usize> {
        let marks = inside(marks, statement).iter().copied();
        marks.filter(|at| !is_comment(self.text, *at))
    }

    /// The files that a statement writes: what its options say, and what its addresses end in.
    fn files(&self, statement: &Range<usize>) -> Vec<&'a [u8]> {
        let part = &self.text[statement.clone()];
        let mut files: Vec<&[u8]> = Vec::new();
        let writes = |word: &[u8]| {
            let is_short = word.starts_with(b"-") && !word.starts_with(b"--");
            is_short && matches!(word.last(), Some(b'O' | b'o'))
                || [&b"--output"[..], b"--output-document", b"-OutFile", b"tee"].contains(&word)
        };
        let all: Vec<&[u8]> = words(part).collect();
        let written = all.windows(2).filter(|pair| writes(pair[0]));
        files.extend(written.map(|pair| pair[1]));
        if has(part, b"DownloadFile") {
            files.extend(all.last());
        }
        for at in memchr::memchr_iter(b'>', part) {
            // `2>&1`
            let is_stream = part.get(at + 1) == Some(&b'&');
            let word = words(&part[at..]).next().filter(|_| !is_stream);
            files.extend(word.filter(|word| !word.starts_with(b"/dev/")));
        }
        let own = inside(self.ours, statement).iter();
        files.extend(own.filter_map(|at| words(&self.text[*at..word(self.text, *at).end]).next()));
        files
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
pub(super) fn inside<'p>(places: &'p [usize], span: &Range<usize>) -> &'p [usize] {
    let number = |at: usize| places.partition_point(|place| *place < at);
    let (start, end) = (number(span.start), number(span.end));
    &places[start..end.max(start)]
}

/// Where words stand as wholes, neither as options nor as variables.
fn marks(text: &[u8], words: &[Finder]) -> Vec<usize> {
    let mut all = Vec::new();
    for word in words {
        let needle = word.needle();
        let is_name = is_word(needle[0]);
        let is_whole = |at: &usize| {
            let before = at.checked_sub(1).map(|before| text[before]);
            let behind = text.get(at + needle.len());
            !is_name
                || !before.is_some_and(|byte| is_word(byte) || b"$-{".contains(&byte))
                    && !behind.is_some_and(|byte| is_word(*byte) || b"-=".contains(byte))
        };
        all.extend(word.find_iter(text).filter(is_whole));
    }
    all.sort_unstable();
    all
}

/// The word that a place is in.
fn word(text: &[u8], at: usize) -> Range<usize> {
    let is_part = |byte: u8| {
        !matches!(
            byte,
            b' ' | b'\t'..=b'\r' | b'"' | b'\'' | b'`' | b';' | b'(' | b')'
        )
    };
    let line = line_before(text, at);
    let start = at - (line.len() - trimmed_end(line, is_part).len());
    start..skip(text, at, is_part)
}

/// The words of a statement, without quotes and brackets.
fn words(part: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_end = |byte: &u8| {
        matches!(
            byte,
            b' ' | b'\t'
                ..=b'\r'
                    | b'"'
                    | b'\''
                    | b'`'
                    | b'('
                    | b')'
                    | b'['
                    | b']'
                    | b'{'
                    | b'}'
                    | b'<'
                    | b'>'
                    | b'|'
                    | b'&'
                    | b';'
                    | b','
                    | b'*'
                    | b'='
        )
    };
    part.split(is_end)
        .filter(|word| word.iter().any(|byte| is_word(*byte)))
}

/// The command of a statement.
fn first_word(part: &[u8]) -> &[u8] {
    let is_first = |word: &&[u8]| !OPENING.contains(word) && !word.starts_with(b"--");
    words(part).find(is_first).unwrap_or_default()
}

fn is_list(word: &[u8]) -> bool {
    LISTS.iter().any(|list| has(word, list))
}

/// Whether two words may be the paths of one file: one of them says no folder, or both the same.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    let is_slash = |byte: &u8| b"/\\".contains(byte);
    let name = |path: &'_ [u8]| path.rsplit(is_slash).next().map(<[u8]>::to_vec);
    let has_folder = |path: &[u8]| path.iter().any(is_slash);
    a == b || name(a) == name(b) && !(has_folder(a) && has_folder(b))
}

/// The name of the variable to which the word at a place is assigned.
fn holder(text: &[u8], at: usize) -> Option<&[u8]> {
    let line = line_before(text, at);
    let is_end = |byte: u8| byte.is_ascii_whitespace() || byte == b'=';
    let before = trimmed_end(line, |byte| !is_end(byte));
    let bare = trimmed_end(before, |byte| b" \t\"'(".contains(&byte));
    let name = last_word(trimmed_end(bare, |byte| b" \t=".contains(&byte)));
    (!name.is_empty() && (bare.ends_with(b"=") || is_setting(line))).then_some(name)
}

/// Where a heredoc opens in a line.
fn heredoc(line: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'<', line).find(|at| line.get(at + 1) == Some(&b'<'))
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
        let goes_on = match is_comment {
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
