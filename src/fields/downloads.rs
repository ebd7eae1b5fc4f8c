//! What a statement of a Dockerfile downloads and hashes: archives of ours, or anything else.

mod written;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ops::Range;

use super::commands::{Code, Does, Statement, Use, Word, command, stages};
use super::spans::{has, is_digit, is_hex, is_word, last_part, past, skip, variable_of};

/// What is downloaded, or hashed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Archives of ours: a bit for the number of each address.
    Ours(u128),
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
            (Self::Ours(these), Some(Self::Ours(others))) => Self::Ours(these | others),
            (Self::Others, Some(Self::Others)) => Self::Others,
            _ => Self::Unclear,
        }
    }

    /// What several things are together; `None` of none.
    pub(super) fn all(parts: impl Iterator<Item = Self>) -> Option<Self> {
        parts.reduce(|all, one| one.and(Some(all)))
    }
}

/// What tells what is ours: the server's name, the version key, and the other variables that hold the version.
pub(super) struct Own<'n> {
    pub(super) server: &'n str,
    pub(super) key: &'n str,
    pub(super) versions: &'n BTreeSet<&'n [u8]>,
}

/// A Dockerfile, to be asked what each of its statements downloads, hashes and writes.
pub(super) struct Downloads<'c, 'a> {
    code: &'c Code<'a>,
    /// Where addresses of our archives are, and where our version goes into others.
    ours: &'c [usize],
    made: Vec<usize>,
    /// Such addresses, each with the variable that holds it.
    holders: Vec<(usize, &'a [u8])>,
    /// Where those variables are used, and the address.
    held: Vec<(Use<'a>, usize)>,
    /// Where the first address of ours is that no command fetches, directly or by a variable that holds it.
    loose: Option<usize>,
    own: &'c Own<'c>,
    /// The variables that hold our version, or something that is made of it, in lower case. Few files need it, nor the next.
    versions: OnceCell<BTreeSet<Vec<u8>>>,
    /// The variables that hold addresses of other programs.
    others: OnceCell<BTreeSet<&'a [u8]>>,
}

/// The words in the names of variables that say nothing of what they hold.
const GENERAL: [&str; 14] = [
    "addr", "address", "archive", "base", "dist", "download", "link", "mirror", "release",
    "source", "src", "tarball", "uri", "url",
];
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
/// The commands that pass on what is hashed, or a list for it, unchanged.
const PASSING: [&[u8]; 5] = [b"echo", b"printf", b"wget", b"curl", b"tee"];
/// The ends of what lies beside an archive: its checksums, its signature.
const LISTS: [&[u8]; 4] = [b"SHA256SUMS", b".asc", b".sig", b".sha256"];

impl<'c, 'a> Downloads<'c, 'a> {
    /// For a Dockerfile; `ours` are the places of addresses of our archives, `made` those of our version, or of our project, in
    /// other addresses.
    pub(super) fn new(
        code: &'c Code<'a>,
        (ours, made): (&'c [usize], &[usize]),
        own: &'c Own,
    ) -> Self {
        let text = code.text;
        let uses = |name: &[u8]| code.uses_of(name, &(0..text.len()));
        let is_own = |word: Range<usize>| !numbers(ours, &word).is_empty();
        let is_other = |at: &usize| !code.word_at(*at).is_some_and(is_own);
        let made: Vec<usize> = made.iter().copied().filter(is_other).collect();
        let name = |word: Range<usize>| variable_of(text, word.start);
        let named = |at: &usize| (*at, code.word_at(*at).and_then(name));
        let mine: Vec<(usize, Option<&[u8]>)> = ours.iter().map(named).collect();
        let holders = mine.iter().copied().chain(made.iter().map(named));
        // Only the first 16: no file has more.
        let holders = holders.filter_map(|(address, name)| Some((address, name?)));
        let holders: Vec<(usize, &[u8])> = holders.take(16).collect();
        let held = holders.iter().flat_map(|(address, name)| {
            let uses = uses(name).iter();
            uses.map(|one| (*one, *address))
        });
        let mut held: Vec<(Use, usize)> = held.collect();
        held.sort_unstable_by_key(|((_, at), address)| (*at, *address));
        let fetches = |at: usize| {
            code.statement_at(at).is_some_and(|statement| {
                statement.does(Does::Fetch) || command(code.words(statement)) == b"ADD"
            })
        };
        let is_used = |name| !uses(name).is_empty();
        let mut mine = mine.iter();
        let loose = mine.find(|(at, name)| !name.is_some_and(is_used) && !fetches(*at));
        Self {
            code,
            ours,
            made,
            holders,
            held,
            loose: loose.map(|(at, _)| *at),
            own,
            versions: OnceCell::new(),
            others: OnceCell::new(),
        }
    }

    /// Whether a variable may hold any address, ours too: one that is called after no other program, and holds none of another.
    fn may_be_any(&self, name: &[u8]) -> bool {
        let name_of = String::from_utf8_lossy(name).to_ascii_lowercase();
        let is_general = |part: &str| {
            let is_own = self
                .own
                .server
                .split(['-', '_'])
                .any(|own| own.eq_ignore_ascii_case(part));
            is_own || GENERAL.contains(&part) || part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let is_open = name.len() < 3 || name_of.split('_').all(is_general);
        let others = self.others.get_or_init(|| {
            let is_ours = |word: &Word| {
                let mut places = [self.ours, &self.made].into_iter();
                places.any(|places| !numbers(places, &word.span()).is_empty())
            };
            let addresses = self.code.all_words().iter().filter(|word| word.is_address);
            let others = addresses.filter(|word| !is_ours(word));
            others
                .filter_map(|word| variable_of(self.code.text, word.at))
                .collect()
        });
        is_open && !others.contains(name)
    }

    /// Whether a statement uses our version: what is downloaded with it may go with our releases.
    fn is_of_version(&self, statement: &Statement) -> bool {
        let lower = |name: &[u8]| name.to_ascii_lowercase();
        let versions = self.versions.get_or_init(|| {
            let own = self.own.versions.iter().copied();
            let own = own.chain([self.own.key.as_bytes()]);
            let mut known: BTreeSet<Vec<u8>> = own.map(lower).collect();
            for statement in &self.code.statements {
                let mut used = self.code.used(statement).iter();
                if used.any(|(name, _)| known.contains(&lower(name))) {
                    let set = self.code.assigned_in(statement);
                    known.extend(set.map(|(name, _)| lower(name)));
                }
            }
            known
        });
        let mut used = self.code.used(statement).iter();
        used.any(|(name, _)| versions.contains(&lower(name)))
    }

    /// Where variables that hold addresses are used in a span, and those.
    fn held(&self, span: &Range<usize>) -> &[(Use<'a>, usize)] {
        let number = |at: usize| self.held.partition_point(|((_, use_at), _)| *use_at < at);
        &self.held[number(span.start)..number(span.end)]
    }

    /// Whether a variable holds nothing but addresses of ours, and is used as it is: `${url%.zip}` is another one.
    fn is_known(&self, (name, at): Use) -> bool {
        let text = self.code.text;
        let is_braced = text[..at].ends_with(b"{");
        let end = past(text, at + name.len(), if is_braced { b"}" } else { b"" });
        let is_open = is_braced && end == at + name.len();
        // `$url.asc`, `$url.Replace(…)`, `($url + '.asc')`; more in front of an archive's name is looked at with that.
        let next = text.get(skip(text, end, |byte| byte == b' '));
        let goes_on = text
            .get(end)
            .is_some_and(|byte| is_word(*byte) || b".-+%".contains(byte));
        let is_cut = is_open || goes_on || next == Some(&b'+');
        // An address may be made of several things of ours.
        let same = self.holders.iter().filter(|(_, other)| *other == name);
        let own: BTreeSet<*const u8> = same.map(|(_, other)| other.as_ptr()).collect();
        !is_cut && self.code.assignments(name, &(0..text.len())) <= own.len()
    }

    /// Whether a word is the address of a release of ours, up to an archive's name that a variable holds: `…/v$VERSION/$file`.
    fn is_completed(&self, word: &Word) -> bool {
        let span = word.span();
        let mut held = self.held(&span).iter();
        let mut used = self.code.used_in(&span).iter();
        let is_archive = |(one, address): &(Use, usize)| {
            self.ours.binary_search(address).is_ok() && self.is_known(*one)
        };
        let is_version =
            |name: &[u8]| name == self.own.key.as_bytes() || self.own.versions.contains(name);
        let project = || format!("/{}/releases/download/", self.own.server);
        held.any(is_archive)
            && used.any(|(name, _)| is_version(name))
            && has(word.text, project().as_bytes())
    }

    /// What a statement downloads, if anything.
    pub(super) fn download(&self, statement: &Statement) -> Option<Of> {
        let words = self.code.words(statement);
        let fetches = statement.does(Does::Fetch);
        let is_own = |word: Range<usize>| !numbers(self.ours, &word).is_empty();
        let own = numbers(self.ours, &statement.span);
        // No file has more than there are bits.
        let bit = |number: usize| 1_u128.checked_shl(number as u32).unwrap_or(0);
        let mut is_far = own.clone().any(|number| bit(number) == 0);
        let mut ours = own.fold(0, |all, number| all | bit(number));
        let mut is_unclear = false;
        for (one, address) in self.held(&statement.span) {
            let number = self.ours.binary_search(address).ok();
            if number.is_none() && !fetches {
                continue;
            }
            // `$BASE_URL/<archive>`
            let is_part = self.code.word_at(one.1).is_some_and(is_own);
            let is_known = self.is_known(*one);
            is_unclear |= !is_known || number.is_none() && !is_part;
            if let Some(number) = number.filter(|_| is_known) {
                is_far |= bit(number) == 0;
                ours |= bit(number);
            }
        }
        let is_strange = |word: &&Word| {
            let is_own = || is_own(word.span()) || self.is_completed(word);
            word.is_address && !is_list(word) && !is_own()
        };
        let strange = || words.iter().filter(is_strange);
        // `https://mirror.example/latest/nats-server-linux-arm64.tar.gz`
        let is_named = |word: &Word| {
            let name = last_part(word.text).strip_prefix(self.own.server.as_bytes());
            name.is_some_and(|rest| rest.first().is_some_and(|next| b"-_.".contains(next)))
        };
        let is_made = |word: &Word| is_named(word) || !numbers(&self.made, &word.span()).is_empty();
        let used = self.code.used(statement);
        let is_got = || fetches || command(words) == b"ADD";
        let by_variable = || fetches && !used.is_empty() && !words.iter().any(is_list);
        let of = match (ours == 0, strange().next().is_none()) {
            _ if is_far || strange().any(is_made) || fetches && is_unclear => Of::Unclear,
            (false, true) => Of::Ours(ours),
            (false, false) => Of::Unclear,
            (true, false) if is_got() && self.is_of_version(statement) => Of::Unclear,
            (true, false) => Of::Others,
            (true, true) if by_variable() => match self.loose {
                Some(at) if at < statement.span.end => Of::Unclear,
                _ if self.is_of_version(statement) => Of::Unclear,
                _ if used.iter().any(|(name, _)| self.may_be_any(name)) => Of::Unclear,
                _ => Of::Others,
            },
            (true, true) => return None,
        };
        (!SAYING.contains(&command(words))).then_some(of)
    }

    /// What a statement hashes, if anything; `download` is what it downloads itself, and `of` tells what a file is. Unclear where
    /// the file was not downloaded, or goes through other commands first.
    pub(super) fn hashed(
        &self,
        statement: &Statement,
        download: Option<Of>,
        of: &dyn Fn(&[u8]) -> Option<Of>,
    ) -> Option<Of> {
        let words = self.code.words(statement);
        // `ADD --checksum=sha256:…`
        let is_checksum = |pair: &[Word]| {
            let value = pair[1].text;
            pair[0].text == b"--checksum"
                && (value.starts_with(b"sha256:") || value.starts_with(b"sha512:"))
        };
        if words.windows(2).any(is_checksum) {
            return download;
        }
        let mark = words
            .iter()
            .position(|word| word.does == Some(Does::Hash))?;
        let is_stage = |stage: &&[Word]| stage[0].at <= words[mark].at;
        let mut before = stages(words).take_while(is_stage).peekable();
        let mut stage: &[Word] = &[];
        while let Some(next) = before.next() {
            stage = next;
            if before.peek().is_some() && !PASSING.contains(&command(stage)) {
                return Some(Of::Unclear);
            }
        }
        let files = words.iter().filter(|word| !word.is_address);
        let files = files.filter_map(|word| of(word.text));
        let known = Of::all(files.chain(download));
        // `sha256sum f /etc/g`
        let mut behind = stage.iter().filter(|word| word.at > words[mark].at);
        let is_hash = |word: &&Word| word.text.len() >= 32 && is_hex(word.text);
        let is_stray = |word: &Word| {
            let text = word.text;
            let is_other = text.iter().all(|byte| is_digit(*byte)) || b"-$".contains(&text[0]);
            !is_hash(&word) && !is_other && !text.starts_with(b"/dev/") && of(text).is_none()
        };
        // `sha256sum`, rather than a command of Windows.
        let end = words[mark].text.last_chunk::<3>();
        let is_list = end.is_some_and(|end| end.eq_ignore_ascii_case(b"sum"));
        let has_more = words.iter().filter(is_hash).nth(1).is_some();
        match known {
            _ if has_more || !is_list && is_other_file(words, mark, of) => Some(Of::Unclear),
            Some(Of::Ours(_)) if !is_sha256(words, mark) => Some(Of::Unclear),
            Some(_) if is_list && behind.any(is_stray) => Some(Of::Unclear),
            Some(known) => Some(known),
            None => Some(Of::Unclear),
        }
    }
}

/// Whether a command of Windows hashes a file that is none of the known ones: `(Test-Path f) -and (Get-FileHash g)`.
fn is_other_file(words: &[Word], mark: usize, of: &dyn Fn(&[u8]) -> Option<Of>) -> bool {
    let is_file = |word: &&Word| word.text[0] != b'-' && !word.text.eq_ignore_ascii_case(b"SHA256");
    let file = words[mark + 1..].iter().find(is_file);
    file.is_some_and(|file| file.text[0] != b'$' && of(file.text).is_none())
}

/// Whether a command that hashes is told to use SHA-256, where it knows other algorithms.
fn is_sha256(words: &[Word], mark: usize) -> bool {
    let said = |number: usize| words.get(mark + number).map_or(&b""[..], |word| word.text);
    let is_algorithm = |word: &Word| word.text.eq_ignore_ascii_case(b"-Algorithm");
    match words[mark..].iter().position(is_algorithm) {
        Some(at) => said(at + 1).eq_ignore_ascii_case(b"SHA256"),
        None if said(0).ends_with(b"shasum") => {
            said(1) == b"-a256" || said(1) == b"-a" && said(2) == b"256"
        }
        None => {
            let others = [&b"sha512sum"[..], b"sha384sum", b"sha1sum", b"md5sum"];
            let is_other = others.iter().any(|other| said(0).ends_with(other));
            // A longer hash is reported for its number of digits.
            let is_told = |word: &Word| word.text.len() > 64 && is_hex(word.text);
            !is_other || words.iter().any(is_told)
        }
    }
}

/// The numbers of the places of an ordered list that are in a span.
fn numbers(places: &[usize], span: &Range<usize>) -> Range<usize> {
    let number = |at: usize| places.partition_point(|place| *place < at);
    number(span.start)..number(span.end)
}

fn is_list(word: &Word) -> bool {
    LISTS.iter().any(|list| has(word.text, list))
}
