//! The matchers of what only Dockerfiles have: bases, archives, and what hashes and architectures are assigned to.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::branches::{Address, Assigned};
use super::super::spans::{
    after, is_blank, is_tag, is_word, last_word, line_before, skip, trimmed_end, variable, version,
};
use super::{DocumentKind, Kind, Scan, Whose};

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
                    b'"' | b'\'' | b'`' | b'\\' | b';' | b')' | b'/' | b','
                ) || byte.is_ascii_whitespace()
            };
            let token = &text[from..skip(text, from, |byte| !is_end(byte)).min(from + 400)];
            let address = SYSTEMS.iter().find_map(|system| address(token, system));
            self.facts.downloads |= address.is_some();
            if address.is_none() {
                // Part of one, perhaps: `ENV FILE=server-v1.2.3-linux-amd64`.
                self.seen.made.push(at);
            }
            self.system(from..from + token.len());
            self.seen
                .addresses
                .extend(address.map(|address| Address { at, ..address }));
        }
        let numbers = (0..3).try_fold(from, |at, part| {
            let from = if part == 0 {
                at
            } else {
                after(text, at, b".")?
            };
            let end = skip(text, from, |byte| byte.is_ascii_digit());
            (end > from).then_some(end)
        })?;
        let is_suffix = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let longest = if text.get(numbers) == Some(&b'-') {
            skip(text, numbers, is_suffix).min(numbers + 100)
        } else {
            numbers
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

    /// The system that stands in the name of an archive, behind its version.
    fn system(&mut self, name: Range<usize>) {
        let text = &self.text[name.clone()];
        let systems = SYSTEMS.iter().filter_map(|system| {
            let word = format!("-{system}-");
            let at = memchr::memmem::find(text, word.as_bytes())?;
            Some(name.start + at + 1..name.start + at + 1 + system.len())
        });
        if let Some(system) = systems.min_by_key(|system| system.start) {
            self.facts.systems.push(system);
        }
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
            let owner = before
                .rsplit(|byte| *byte == b'/')
                .next()
                .unwrap_or_default();
            let end = at - self.scanner.server.len() - 1;
            if before
                .strip_suffix(owner)
                .is_some_and(|host| host.ends_with(b"github.com/"))
            {
                self.put(end - owner.len()..end, Kind::Owner);
            }
        }
        let from = after(text, at, b"/releases/download/v")?;
        self.seen.made.push(at);
        let end = version(text, from)?;
        self.put(from..end, Kind::Version { key: false })
    }

    /// The image that a stage begins with.
    pub(super) fn from(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let line = line_before(text, at);
        // A byte-order mark is no part of the first word.
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let mut start = past_blanks(text, at + 4);
        if !line.iter().all(|byte| is_blank(*byte)) || start == at + 4 {
            return None;
        }
        while text[start..].starts_with(b"--") {
            let option = skip(text, start, |byte| !byte.is_ascii_whitespace());
            start = past_blanks(text, option);
        }
        if let Some(end) = variable(text, start) {
            // `${REGISTRY}/alpine:3.18`
            let registry = after(text, end, b"/");
            if registry.is_none() {
                self.facts.has_variable_stage = true;
                let name = &text[start + 1..end];
                let name = name.strip_prefix(b"{").unwrap_or(name);
                self.variables
                    .bases
                    .push((&name[..skip(name, 0, is_word)], None));
            }
            start = registry?;
        }
        let is_image = |byte: u8| is_tag(byte) || byte == b'/';
        let mut end = skip(text, start, is_image);
        // A registry's port is not a tag.
        while let Some(port) =
            after(text, end, b":").map(|port| skip(text, port, |byte| byte.is_ascii_digit()))
            && text.get(port) == Some(&b'/')
        {
            end = skip(text, port, is_image);
        }
        let whole = &text[start..end];
        let image = whole
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default();
        if image.is_empty() {
            return None;
        }
        let image: Box<str> = String::from_utf8_lossy(image).into();
        self.facts.stages.push(image.clone());
        if *whole == self.scanner.image.as_bytes()[..self.scanner.image.len() - 1] {
            // A reference.
            return Some(start);
        }
        let tag = after(text, end, b":")?;
        let tag_end = skip(text, tag, |byte| {
            !byte.is_ascii_whitespace() && byte != b'@'
        });
        // Ours, from another registry or under another name.
        if *image == self.scanner.image[..self.scanner.image.len() - 1] {
            let digits = after(text, tag, b"v").unwrap_or(tag);
            version(text, digits)?;
            let (in_word, whose) = (true, Whose::Ours);
            return self.put(tag..tag_end, Kind::Mention { in_word, whose });
        }
        if let Some(name) = text[tag..tag_end].strip_prefix(b"$") {
            let name = name.strip_prefix(b"{").unwrap_or(name);
            self.variables
                .bases
                .push((&name[..skip(name, 0, is_word)], Some(image)));
            return Some(tag_end);
        }
        self.put(tag..tag_end, Kind::Base { image })
    }

    /// A variable that is called like an architecture; `at` is behind the `=`.
    pub(super) fn arch(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let name = last_word(&text[at.saturating_sub(60)..at - 1]);
        let name = at - 1 - name.len()..at - 1;
        let first = at.checked_sub(5).map(|first| text[first]);
        let from = after(text, at, b"\"")
            .or(after(text, at, b"'"))
            .unwrap_or(at);
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
        let floor = self
            .seen
            .ends
            .last()
            .copied()
            .unwrap_or(0)
            .max(at.saturating_sub(400));
        let goes_on = |byte: u8| byte.is_ascii_whitespace() || byte == b'\\' || byte == b'`';
        let mut rest = trimmed_end(&text[floor..at], goes_on);
        while let Some(body) = rest.strip_suffix(b";") {
            let from = body
                .iter()
                .rposition(|byte| *byte == b';' || *byte == b'\n')
                .map_or(0, |from| from + 1);
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
            let opened = before
                .strip_suffix(b"\"")
                .or(before.strip_suffix(b"'"))
                .unwrap_or(before);
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
        let digits = skip(
            word,
            if word[1] == b'a' && word.len() > 3 && word[3].eq_ignore_ascii_case(&b'h') {
                4
            } else {
                3
            },
            |byte| byte.is_ascii_digit() || byte == b'_',
        );
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
        let in_line = line_before(text, at);
        let key = trimmed_end(in_line, is_word);
        let key = key.trim_ascii();
        let is_line_start =
            key.is_empty() || key.eq_ignore_ascii_case(b"env") || key.eq_ignore_ascii_case(b"arg");
        let from = match text.get(name) {
            Some(b'=') if in_branch || is_line_start => name + 1,
            _ if is_line_start && blank > name && !key.is_empty() => blank,
            _ => return None,
        };
        let from = after(text, from, b"\"")
            .or(after(text, from, b"'"))
            .unwrap_or(from);
        // `--checksum=sha256:…`
        if let Some(from) = after(text, from, b"sha256:") {
            return self.hex(from);
        }
        let end = skip(text, from, |byte| {
            !matches!(byte, b'"' | b'\'' | b';' | b'\\' | b'`') && !byte.is_ascii_whitespace()
        });
        let is_known = self.seen.sums.last().is_some_and(|last| last.start == from);
        if text.get(from) == Some(&b'$') {
            return Some(from + 1);
        }
        if !is_known && !self.is_comment(at) {
            self.seen.sums.push(from..end);
            self.hex(from);
        }
        Some(end)
    }

    /// A word of nothing but hex digits, as long as hashes are. An image's digest says which bytes the base is, not which
    /// archive.
    pub(super) fn hex(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let end = skip(text, at, is_word);
        let start = at - last_word(&text[at.saturating_sub(8)..at]).len();
        let word = &text[start..end];
        let is_hash = [32, 40, 56, 64, 96, 128].contains(&word.len())
            && word.iter().all(u8::is_ascii_hexdigit);
        let is_known = self
            .seen
            .words
            .last()
            .is_some_and(|last| last.start == start);
        if is_hash && !is_known && !text[..start].ends_with(b"@sha256:") && !self.is_comment(start)
        {
            self.seen.words.push(start..end);
        }
        if is_hash {
            return Some(end);
        }
        // A number of eight digits and more may begin a version.
        if text.get(at).is_some_and(u8::is_ascii_digit) {
            self.number(at)
        } else {
            None
        }
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

    /// The tags of bases that are the defaults of an `ARG`.
    pub(super) fn default_bases(&self, found: &mut Vec<(Range<usize>, Kind)>) {
        if self.variables.bases.is_empty() {
            return;
        }
        let text = self.text;
        let mut defaults = BTreeMap::new();
        let mut at = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let start = skip(text, at, is_blank);
            at += line.len();
            if !text[start..]
                .get(..4)
                .is_some_and(|word| word.eq_ignore_ascii_case(b"ARG "))
            {
                continue;
            }
            let name = skip(text, start + 4, is_blank);
            let end = skip(text, name, is_word);
            if let Some(from) = after(text, end, b"=") {
                let from = after(text, from, b"\"")
                    .or(after(text, from, b"'"))
                    .unwrap_or(from);
                let to = skip(text, from, |byte| {
                    !byte.is_ascii_whitespace() && !b"\"'".contains(&byte)
                });
                defaults.entry(&text[name..end]).or_insert(from..to);
            }
        }
        for (name, image) in &self.variables.bases {
            let Some(span) = defaults.remove(name).filter(|span| !span.is_empty()) else {
                continue;
            };
            let value = &text[span.clone()];
            let (image, from) = match (image, memchr::memrchr(b':', value)) {
                (Some(image), _) => (image.clone(), span.start),
                (None, Some(colon)) => {
                    let name = value[..colon].rsplit(|byte| *byte == b'/').next();
                    let name = name.unwrap_or_default();
                    if *name == self.scanner.image.as_bytes()[..self.scanner.image.len() - 1] {
                        // A reference.
                        continue;
                    }
                    (String::from_utf8_lossy(name).into(), span.start + colon + 1)
                }
                (None, None) => continue,
            };
            found.push((from..span.end, Kind::Base { image }));
        }
    }
}

/// Where the blanks end that begin there, those of a line that goes on too.
fn past_blanks(text: &[u8], mut at: usize) -> usize {
    loop {
        at = skip(text, at, is_blank);
        let ends = [&b"\\\n"[..], b"\\\r\n", b"`\n", b"`\r\n"];
        match ends.iter().find_map(|end| after(text, at, end)) {
            Some(next) => at = next,
            None => return at,
        }
    }
}

/// What an archive's name says behind `<server>-v`: `0.25.6-linux-arm64.tar.gz`, `${V}-linux-${arch}.tar.gz`.
fn address(token: &[u8], system: &'static str) -> Option<Address> {
    let at = memchr::memmem::find(token, format!("-{system}-").as_bytes())? + system.len() + 2;
    let is_arch = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let end = match token.get(at) {
        Some(b'$') => {
            let from = after(token, at, b"${").unwrap_or(at + 1);
            let end = skip(token, from, is_word);
            after(token, end, b"}").unwrap_or(end)
        }
        _ => skip(token, at, is_arch),
    };
    let ending = ["tar.gz", "tgz", "zip"].into_iter().find(|ending| {
        token[end..]
            .strip_prefix(b".")
            .is_some_and(|rest| rest.starts_with(ending.as_bytes()))
    })?;
    // `….tar.gz.sbom` is another file.
    let rest = &token[end + 1 + ending.len()..];
    let rest = rest.strip_prefix(b".").unwrap_or(rest);
    let is_whole = !rest.first().is_some_and(|byte| is_word(*byte));
    let arch = String::from_utf8_lossy(&token[at..end]).into_owned();
    (end > at && is_whole).then_some(Address {
        at: 0,
        system,
        arch,
        ending,
    })
}
