//! Where a Dockerfile has addresses, and commands that fetch, hash or compare something; and what the statements around them say.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::commands::{Uses, first_word, holder, is_assigned, used, word, words};
use super::spans::{has, is_digit, is_word};

/// What is downloaded, or hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Of {
    /// Archives of ours, by where their addresses are.
    Ours(BTreeSet<usize>),
    /// Another program.
    Others,
    /// Both, or nobody knows what.
    Unclear,
}

impl Of {
    /// What two things are together.
    pub(super) fn and(self, other: Option<Self>) -> Self {
        match (self, other) {
            (this, None) => this,
            // More than these are no archives of one file.
            (Self::Ours(mut all), Some(Self::Ours(more))) if all.len() + more.len() <= 64 => {
                all.extend(more);
                Self::Ours(all)
            }
            (Self::Others, Some(Self::Others)) => Self::Others,
            _ => Self::Unclear,
        }
    }
}

/// What is looked for in a text to find its downloads.
pub(super) struct Marks<'a> {
    text: &'a [u8],
    /// Where statements end.
    ends: Vec<usize>,
    /// Where addresses of our archives are, and where our version goes into others.
    ours: &'a [usize],
    made: Vec<usize>,
    /// Where variables are used that hold one of those, and the address.
    held: Vec<(usize, usize)>,
    /// Where the first address of ours is that nothing fetches, neither itself nor by a variable that holds it.
    loose: Option<usize>,
    /// Where addresses have their `://`, and where commands stand that fetch something, hash something, compare two things, or make
    /// another file of a name.
    found: [Vec<usize>; 5],
    /// All of these places.
    all: Vec<usize>,
}

const SCHEME: usize = 0;
const FETCHING: usize = 1;
const HASHING: usize = 2;
const COMPARING: usize = 3;
const MOVING: usize = 4;

const WORDS: [&[&str]; 5] = [
    &["://"],
    &[
        "wget",
        "curl",
        "Invoke-WebRequest",
        "iwr",
        "irm",
        "DownloadFile",
        "Start-BitsTransfer",
    ],
    &[
        "sha256sum",
        "shasum -a 256",
        "shasum -a256",
        "-sha256",
        "sha512sum",
        "sha384sum",
        "sha1sum",
        "md5sum",
        "Get-FileHash",
        "certutil",
        "ComputeHash",
    ],
    &["-ne", "-eq"],
    &[
        "cd",
        "pushd",
        "popd",
        "Set-Location",
        "Push-Location",
        "Pop-Location",
        "mv",
        "cp",
        "ln",
        "Move-Item",
        "Copy-Item",
        "Rename-Item",
    ],
];

static FINDERS: LazyLock<[Vec<Finder>; 5]> =
    LazyLock::new(|| WORDS.map(|words| words.iter().map(Finder::new).collect()));

/// The commands that fetch nothing from an address that they are given.
const SAYING: [&[u8]; 7] = [
    b"echo",
    b"printf",
    b"export",
    b"apk",
    b"apt-get",
    b"sed",
    b"Write-Host",
];
/// The commands that hand on what is hashed, or the list of it, as it is.
const PASSING: [&[u8]; 5] = [b"echo", b"printf", b"wget", b"curl", b"tee"];
/// The ends of what lies beside an archive: its checksums, its signature.
const LISTS: [&[u8]; 4] = [b"SHA256SUMS", b".asc", b".sig", b".sha256"];

impl<'a> Marks<'a> {
    /// Of a text, without comments, with our archives' addresses, and our version in others, there.
    pub(super) fn new(
        text: &'a [u8],
        ends: Vec<usize>,
        (ours, made): (&'a [usize], &[usize]),
        uses: &Uses,
    ) -> Self {
        let is_other = |at: &usize| inside(ours, &word(text, *at)).is_empty();
        let made: Vec<usize> = made.iter().copied().filter(is_other).collect();
        let used = |name: &[u8]| uses.of_name(name, &(0..text.len()));
        let named = |at: &usize| (*at, holder(text, *at));
        let own: Vec<(usize, Option<&[u8]>)> = ours.iter().map(named).collect();
        let holders = own.iter().copied().chain(made.iter().map(named));
        let holders = holders.filter_map(|(address, name)| Some((address, name?)));
        // The first ones; no file has more of its own.
        let held = holders.take(16).flat_map(|(address, name)| {
            let uses = used(name).iter();
            uses.map(move |(_, at)| (*at, address))
        });
        let mut held: Vec<(usize, usize)> = held.collect();
        held.sort_unstable();
        let found = FINDERS.each_ref().map(|words| marks(text, words));
        let using = held.iter().map(|(at, _)| at);
        let mut all: Vec<usize> = found
            .iter()
            .flatten()
            .chain(ours)
            .chain(using)
            .copied()
            .collect();
        all.sort_unstable();
        let fetches = |at: usize| {
            let statement = statement(&ends, at, &(0..text.len()));
            let has_command = !inside(&found[FETCHING], &statement).is_empty();
            has_command || first_word(&text[statement]) == b"ADD"
        };
        let mut own = own.iter();
        let is_used = |name| !used(name).is_empty();
        let loose = own.find(|(at, name)| !name.is_some_and(is_used) && !fetches(*at));
        Self {
            loose: loose.map(|(at, _)| *at),
            text,
            ends,
            ours,
            made,
            held,
            found,
            all,
        }
    }

    /// The statements of an instruction, pipes included, in which anything is marked.
    pub(super) fn statements(&self, span: &Range<usize>) -> Vec<Range<usize>> {
        let mut all: Vec<Range<usize>> = Vec::new();
        for at in inside(&self.all, span) {
            if all.last().is_some_and(|last| *at < last.end) {
                continue;
            }
            all.push(statement(&self.ends, *at, span));
        }
        all
    }

    fn has(&self, what: usize, statement: &Range<usize>) -> bool {
        !inside(&self.found[what], statement).is_empty()
    }

    /// How often a part of an instruction goes to another folder, or puts other files in places.
    pub(super) fn moves(&self, span: Range<usize>) -> usize {
        inside(&self.found[MOVING], &span).len()
    }

    /// Whether a statement compares two things, as PowerShell does.
    pub(super) fn compares(&self, statement: &Range<usize>) -> bool {
        self.has(COMPARING, statement)
    }

    /// The variable that a statement of PowerShell assigns to.
    pub(super) fn assigned(&self, statement: &Range<usize>) -> Option<&'a [u8]> {
        let part = &self.text[statement.clone()];
        let (name, at) = used(part).next()?;
        is_assigned(part, at + name.len()).then_some(name)
    }

    /// The variables that a statement uses.
    pub(super) fn used(&self, statement: &Range<usize>) -> impl Iterator<Item = &'a [u8]> {
        used(&self.text[statement.clone()]).map(|(name, _)| name)
    }

    /// The addresses, ours or not, in the variables that a statement uses.
    fn held(&self, statement: &Range<usize>) -> impl Iterator<Item = usize> {
        let number = |at: usize| self.held.partition_point(|(use_at, _)| *use_at < at);
        let held = &self.held[number(statement.start)..number(statement.end)];
        held.iter().map(|(_, address)| *address)
    }

    /// What a statement downloads, if anything.
    pub(super) fn download(&self, statement: &Range<usize>) -> Option<Of> {
        let part = &self.text[statement.clone()];
        if SAYING.contains(&first_word(part)) {
            return None;
        }
        let is_ours = |address: &usize| self.ours.binary_search(address).is_ok();
        let (held, held_made): (Vec<usize>, Vec<usize>) = self.held(statement).partition(is_ours);
        let own = inside(self.ours, statement).iter().copied();
        let ours = own.chain(held).collect::<BTreeSet<usize>>();
        let schemes = inside(&self.found[SCHEME], statement).iter();
        let is_other = |word: &Range<usize>| {
            let is_own = !inside(self.ours, word).is_empty();
            !is_own && !is_list(&self.text[word.clone()])
        };
        let addresses = schemes.map(|at| word(self.text, *at));
        let strange: Vec<Range<usize>> = addresses.filter(is_other).collect();
        let fetches = self.has(FETCHING, statement);
        let is_made = |word: &Range<usize>| !inside(&self.made, word).is_empty();
        let by_variable = fetches && part.contains(&b'$') && !is_list(part);
        match (ours.is_empty(), strange.is_empty()) {
            _ if strange.iter().any(is_made) || fetches && !held_made.is_empty() => {
                Some(Of::Unclear)
            }
            (false, true) => Some(Of::Ours(ours)),
            (false, false) => Some(Of::Unclear),
            (true, false) => Some(Of::Others),
            (true, true) if by_variable => match self.loose {
                Some(at) if at < statement.end => Some(Of::Unclear),
                _ => Some(Of::Others),
            },
            (true, true) => None,
        }
    }

    /// What a statement hashes, if anything, that downloads that; `of` tells what a file is. Nobody can tell where the file is none
    /// that was downloaded, or goes through other commands first.
    pub(super) fn hashed(
        &self,
        statement: &Range<usize>,
        download: &Option<Of>,
        of: &dyn Fn(&[u8]) -> Option<Of>,
    ) -> Option<Of> {
        let part = &self.text[statement.clone()];
        // `ADD --checksum=sha256:…`
        if has(part, b"--checksum=sha256:") || has(part, b"--checksum=sha512:") {
            return download.clone();
        }
        let mark = *inside(&self.found[HASHING], statement).first()?;
        let before = &self.text[statement.start..mark];
        let stage = before
            .iter()
            .rposition(|byte| *byte == b'|')
            .map_or(0, |pipe| pipe + 1);
        let stages = before[..stage].split(|byte| *byte == b'|');
        let mut stages = stages.filter(|stage| !stage.is_empty());
        if stages.any(|stage| !PASSING.contains(&first_word(stage))) {
            return Some(Of::Unclear);
        }
        let names = words(part).filter(|word| !has(word, b"://"));
        let files = names.filter_map(of);
        let files = files.chain(download.clone());
        let known = files.reduce(|all, one| one.and(Some(all)));
        // `sha256sum f /etc/g`
        let behind = self.text[mark..statement.end]
            .split(|byte| *byte == b'|')
            .next();
        let behind = words(behind.unwrap_or_default()).skip(1);
        let is_stray = |word: &[u8]| {
            let is_hash = word.len() >= 32 && word.iter().all(u8::is_ascii_hexdigit);
            let is_other = word.iter().all(|byte| is_digit(*byte)) || b"-$".contains(&word[0]);
            !is_hash && !is_other && !word.starts_with(b"/dev/") && of(word).is_none()
        };
        // `sha256sum`, rather than a command of Windows.
        let is_list = matches!(self.text[mark], b's' | b'm');
        match known {
            Some(_) if is_list && behind.clone().any(is_stray) => Some(Of::Unclear),
            Some(known) => Some(known),
            None => Some(Of::Unclear),
        }
    }

    /// The files that a statement writes: what its options say, else what its addresses end in.
    pub(super) fn files(&self, statement: &Range<usize>) -> Vec<&'a [u8]> {
        let part = &self.text[statement.clone()];
        let mut stages = part.split(|byte| *byte == b'|');
        let first = stages.next().unwrap_or_default();
        let writes = |word: &[u8]| {
            let is_short = word.starts_with(b"-") && !word.starts_with(b"--");
            is_short && matches!(word.last(), Some(b'O' | b'o'))
                || [&b"--output"[..], b"--output-document", b"-OutFile"].contains(&word)
        };
        let all: Vec<&[u8]> = words(first).collect();
        let written = all.windows(2).filter(|pair| writes(pair[0]));
        let mut files: Vec<&[u8]> = written.map(|pair| pair[1]).collect();
        if has(first, b"DownloadFile") {
            files.extend(all.last());
        }
        for at in memchr::memchr_iter(b'>', first) {
            // `2>&1`
            let is_stream = first.get(at + 1) == Some(&b'&');
            files.extend(words(&first[at..]).next().filter(|_| !is_stream));
        }
        for stage in stages.take_while(|stage| first_word(stage) == b"tee") {
            files.extend(words(stage).skip(1));
        }
        files.retain(|file| !file.starts_with(b"http") && !file.starts_with(b"/dev/"));
        let is_added = first_word(first) == b"ADD";
        if files.is_empty() && !is_added {
            let own = inside(self.ours, statement).iter().copied();
            let schemes = inside(&self.found[SCHEME], statement).iter();
            let others = schemes.map(|at| {
                let word = word(self.text, *at);
                let name = memchr::memrchr(b'/', &self.text[word.clone()]);
                word.start + name.map_or(0, |slash| slash + 1)
            });
            let name = |at: usize| words(&self.text[at..word(self.text, at).end]).next();
            files.extend(own.chain(others).filter_map(name));
        }
        if is_added {
            files.extend(all.last());
        }
        files.truncate(16);
        files
    }
}

/// The statement at a place of an instruction; `ends` are those of all.
fn statement(ends: &[usize], at: usize, span: &Range<usize>) -> Range<usize> {
    let next = ends.partition_point(|end| *end < at);
    let start = next.checked_sub(1).map_or(0, |last| ends[last] + 1);
    let end = ends.get(next).copied().unwrap_or(span.end);
    start.max(span.start)..end.min(span.end)
}

/// The places of an ordered list that are in a span.
fn inside<'p>(places: &'p [usize], span: &Range<usize>) -> &'p [usize] {
    let number = |at: usize| places.partition_point(|place| *place < at);
    let (start, end) = (number(span.start), number(span.end));
    &places[start..end.max(start)]
}

/// Where words stand as wholes, neither as options nor as variables, nor as parts of names.
fn marks(text: &[u8], words: &[Finder]) -> Vec<usize> {
    let mut all = Vec::new();
    for word in words {
        let needle = word.needle();
        let is_whole = |at: &usize| {
            let before = at.checked_sub(1).map(|before| text[before]);
            let behind = text.get(at + needle.len());
            let goes_on = behind.is_some_and(|byte| is_word(*byte) || b"-=.".contains(byte));
            match needle[0] {
                b':' => true,
                b'-' => before == Some(b' ') && !goes_on,
                _ => {
                    !before.is_some_and(|byte| is_word(byte) || b"$-{".contains(&byte)) && !goes_on
                }
            }
        };
        all.extend(word.find_iter(text).filter(is_whole));
    }
    all.sort_unstable();
    all
}

fn is_list(word: &[u8]) -> bool {
    LISTS.iter().any(|list| has(word, list))
}
