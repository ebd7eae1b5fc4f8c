//! The matchers of what only Dockerfiles have: archives, and what hashes and architectures are assigned to.

use std::ops::Range;

use super::super::branches::{Address, Assigned};
use super::super::spans::{
    after, is_blank, is_tag, is_word, last_part, last_word, line_before, numbers, skip,
    trimmed_end, unquoted, variable, version,
};
use super::words::name_of;
use super::{DocumentKind, Kind, Scan};

/// The systems that archives are built for, as their names give them: where a version ends and the system begins.
const SYSTEMS: [&str; 11] = [
    "linux",
    "windows",
    "darwin",
    "freebsd",
    "netbsd",
    "openbsd",
    "dragonfly",
    "solaris",
    "illumos",
    "aix",
    "android",
];

impl Scan<'_> {
    /// An archive's name.
    pub(super) fn archive(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        if self.before(at).is_some_and(is_tag) {
            return None;
        }
        let from = at + self.scanner.server.len() + 2;
        if self.kind == DocumentKind::Dockerfile && !self.is_comment(at) {
            let is_end = |byte: u8| {
                matches!(
                    byte,
                    b' ' | b'\t'..=b'\r' | b'"' | b'\'' | b'`' | b'\\' | b';' | b')' | b'/' | b','
                )
            };
            let token = &text[from..skip(text, from, |byte| !is_end(byte)).min(from + 400)];
            if let Some(end) = variable(text, from) {
                self.variables.versions.insert(name_of(&text[from..end]));
            }
            let systems = || systems_in(token);
            let address = systems().find_map(|(place, system)| address(at, token, place, system));
            self.facts.downloads |= address.is_some();
            if address.is_none() {
                // Part of one, perhaps: `ENV FILE=server-v1.2.3-linux-amd64`.
                self.seen.made.push(at);
            }
            let first = systems().min_by_key(|(place, _)| *place);
            let span = |(place, system): (usize, &str)| from + place..from + place + system.len();
            self.facts.systems.extend(first.map(span));
            self.seen.addresses.extend(address);
        }
        let numbers = numbers(text, from)?;
        let is_suffix = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let longest = match text.get(numbers) {
            Some(b'-') => skip(text, numbers, is_suffix).min(numbers + 100),
            _ => numbers,
        };
        let is_end = |end: &usize| match (text.get(*end), text.get(*end + 1)) {
            (Some(b'-'), Some(next)) => {
                !is_word(*next)
                    || SYSTEMS
                        .iter()
                        .any(|system| after(text, end + 1, system.as_bytes()).is_some())
            }
            (Some(b'.'), next) => next.is_some_and(u8::is_ascii_alphabetic),
            (Some(byte), _) => !is_suffix(*byte),
            (None, _) => true,
        };
        let mut ends = (numbers..=longest).filter(|end| *end == numbers || *end > numbers + 1);
        let end = ends.find(is_end)?;
        self.put(from..end, Kind::Version { key: false })
    }

    /// The project in the address of an archive of ours, where it is not our server's.
    fn project(&mut self, at: usize) -> Option<()> {
        let text = self.text;
        let archive = format!("/{}-v", self.scanner.server);
        let rest = &text[at..text.len().min(at + 400)];
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`;".contains(byte);
        let word = rest.split(is_end).next()?;
        memchr::memmem::find(word, archive.as_bytes())?;
        let line = line_before(text, at);
        let start = line.iter().rposition(|byte| *byte == b'/')? + 1;
        let owner = line[..start - 1].iter().rposition(|byte| *byte == b'/')?;
        let is_plain = line[start..].iter().all(|byte| is_tag(*byte));
        if line[..owner].ends_with(b"github.com") && is_plain && start < line.len() {
            let begin = at - line.len() + start;
            self.found.push((begin..at, Kind::Project));
        }
        Some(())
    }

    /// An address on GitHub: whose it is, and the version in it.
    pub(super) fn download(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let own = line_before(text, at).strip_suffix(self.scanner.server.as_bytes());
        let Some(before) = own.and_then(|line| line.strip_suffix(b"/")) else {
            if self.kind == DocumentKind::Dockerfile && !self.is_comment(at) {
                self.project(at);
            }
            return None;
        };
        if self.kind == DocumentKind::Dockerfile {
            let owner = last_part(before);
            let end = at - self.scanner.server.len() - 1;
            let host = before.strip_suffix(owner);
            if host.is_some_and(|host| host.ends_with(b"github.com/")) {
                self.put(end - owner.len()..end, Kind::Owner);
            }
        }
        let from = after(text, at, b"/releases/download/v")?;
        self.seen.made.push(at);
        let end = version(text, from)?;
        self.put(from..end, Kind::Version { key: false })
    }

    /// A variable that is called like an architecture; `at` is behind the `=`.
    pub(super) fn arch(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let name = last_word(&text[at.saturating_sub(60)..at - 1]);
        let name = at - 1 - name.len()..at - 1;
        let first = at.checked_sub(5).map(|first| text[first]);
        let from = unquoted(text, at);
        let end = skip(text, from, is_tag);
        let is_literal = text.get(from).is_some_and(|byte| is_word(*byte));
        if !is_literal
            || name.len() < 4
            || self.is_comment(at)
            || !matches!(first, Some(b'a' | b'A'))
        {
            return None;
        }
        let labels = self.labels(name.start);
        self.seen.arches.push(Assigned {
            name,
            value: from..end,
            labels,
        });
        Some(end)
    }

    /// The labels of the branch in which an assignment at `at` is the first, but for others before it.
    fn labels(&self, at: usize) -> Option<Range<usize>> {
        let text = self.text;
        let end = self.seen.ends.last().copied().unwrap_or(0);
        let floor = end.max(at.saturating_sub(400));
        let goes_on = |byte: u8| byte.is_ascii_whitespace() || byte == b'\\' || byte == b'`';
        let mut rest = trimmed_end(&text[floor..at], goes_on);
        while let Some(body) = rest.strip_suffix(b";") {
            let ends = |byte: &u8| b";\n".contains(byte);
            let from = body.iter().rposition(ends).map_or(0, |end| end + 1);
            let equals = from + body[from..].iter().position(|byte| *byte == b'=')?;
            let name = last_word(&body[..equals]);
            rest = trimmed_end(&body[..equals - name.len()], goes_on);
            if name.is_empty() {
                return None;
            }
        }
        let all = trimmed_end(rest.strip_suffix(b")")?, is_blank);
        let is_quote = |byte: u8| byte == b'"' || byte == b'\'';
        let mut start = all;
        loop {
            let label = trimmed_end(start, is_quote);
            let before = trimmed_end(label, |byte| is_word(byte) || byte == b'-');
            if before.len() == label.len() {
                return None;
            }
            let opened = before.strip_suffix(b"\"").or(before.strip_suffix(b"'"));
            let opened = opened.unwrap_or(before);
            match trimmed_end(opened, is_blank).strip_suffix(b"|") {
                Some(more) => start = trimmed_end(more, is_blank),
                None => return Some(floor + opened.len()..floor + all.len()),
            }
        }
    }

    /// What is assigned to a variable that is called like a hash.
    pub(super) fn sum(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let name = skip(text, at, is_word);
        let word = &text[at..name];
        let is_hash = word[1] == b'a' && word.len() > 3 && word[3].eq_ignore_ascii_case(&b'h');
        let start = if is_hash { 4 } else { 3 };
        let digits = skip(word, start, |byte| byte.is_ascii_digit() || byte == b'_');
        let rest = &word[digits.min(word.len())..];
        let in_branch = rest.is_empty() || rest.eq_ignore_ascii_case(b"sum");
        // `SHA256_AMD64`, `sha256Amd64`; but not `SHAREDIR`, `SUMMARY`.
        let goes_on = digits.checked_sub(1).and_then(|last| word.get(last));
        let is_next = goes_on.is_some_and(|last| match last {
            b'_' => true,
            last => !last.is_ascii_uppercase() && rest.first().is_some_and(u8::is_ascii_uppercase),
        });
        if !in_branch && !is_next {
            return None;
        }
        let blank = skip(text, name, is_blank);
        let key = trimmed_end(line_before(text, at), is_word).trim_ascii();
        let is_line_start =
            key.is_empty() || key.eq_ignore_ascii_case(b"env") || key.eq_ignore_ascii_case(b"arg");
        let from = match text.get(name) {
            Some(b'=') if in_branch || is_line_start => name + 1,
            _ if is_line_start && blank > name && !key.is_empty() => blank,
            _ => return None,
        };
        let from = unquoted(text, from);
        // `--checksum=sha256:…`, or of another algorithm
        let algorithm = skip(text, from, is_word);
        let from = after(text, algorithm, b":").unwrap_or(from);
        let is_end = |byte: u8| {
            matches!(
                byte,
                b' ' | b'\t'..=b'\r' | b'"' | b'\'' | b'`' | b'\\' | b';'
            )
        };
        let end = skip(text, from, |byte| !is_end(byte));
        let is_known = self.seen.sums.last().is_some_and(|last| last.start == from);
        if text.get(from) == Some(&b'$') {
            return Some(from + 1);
        }
        if !is_known && !self.is_comment(at) {
            self.seen.sums.push(from..end);
        }
        Some(end)
    }

    pub(super) fn branch_end(&mut self, span: Range<usize>) -> Option<usize> {
        let is_part = |byte: Option<u8>| byte.is_some_and(is_word);
        let is_word = self.text[span.start] == b';'
            || !is_part(self.before(span.start)) && !is_part(self.text.get(span.end).copied());
        if is_word {
            self.seen.ends.push(span.start);
        }
        Some(span.end)
    }
}

/// The systems between dashes in the name of an archive, each with where it stands first.
fn systems_in(token: &[u8]) -> impl Iterator<Item = (usize, &'static str)> {
    SYSTEMS.into_iter().filter_map(|system| {
        let is_there = |at: &usize| {
            let end = after(token, *at, system.as_bytes());
            end.is_some_and(|end| token.get(end) == Some(&b'-'))
        };
        let mut places = memchr::memchr_iter(b'-', token).map(|dash| dash + 1);
        Some((places.find(is_there)?, system))
    })
}

/// What an archive's name says behind `<server>-v`: `0.25.6-linux-arm64.tar.gz`, `${V}-linux-${arch}.tar.gz`.
fn address(place: usize, token: &[u8], system_at: usize, system: &'static str) -> Option<Address> {
    let at = system_at + system.len() + 1;
    let is_arch = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let end = match token.get(at) {
        Some(b'$') => {
            let from = after(token, at, b"${").unwrap_or(at + 1);
            let end = skip(token, from, is_word);
            after(token, end, b"}").unwrap_or(end)
        }
        _ => skip(token, at, is_arch),
    };
    let from = after(token, end, b".")?;
    let mut endings = ["tar.gz", "tgz", "zip"].into_iter();
    let ending = endings.find(|ending| token[from..].starts_with(ending.as_bytes()))?;
    // `….tar.gz.sbom` is another file.
    let rest = &token[from + ending.len()..];
    let rest = rest.strip_prefix(b".").unwrap_or(rest);
    let is_whole = !rest.first().is_some_and(|byte| is_word(*byte));
    let arch = String::from_utf8_lossy(&token[at..end]).into_owned();
    (end > at && is_whole).then_some(Address {
        at: place,
        system,
        arch,
        ending,
    })
}
