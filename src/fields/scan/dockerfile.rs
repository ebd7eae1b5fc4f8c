//! The matchers of what only Dockerfiles have: archives, and what hashes and architectures are assigned to.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::branches::{Address, Assigned};
use super::super::spans::{
    BACK, after, has, is_blank, is_tag, is_word, last_word, line_before, past, skip, trimmed_end,
    unquoted, variable, version,
};
use super::words::name_of;
use super::{DocumentKind, Kind, SYSTEMS, Scan};
use crate::text::span_of;

impl Scan<'_> {
    /// An archive's name.
    pub(super) fn archive(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        if self.before(at).is_some_and(is_tag) {
            return None;
        }
        let from = at + self.scanner.server.len() + 2;
        if self.is_of_other_project(at) {
            return version(text, from);
        }
        let is_end = |byte: u8| byte.is_ascii_whitespace() || b"\"'`\\;)/,".contains(&byte);
        let version_end = variable(text, from);
        let end = skip(text, version_end.unwrap_or(from), |byte| !is_end(byte));
        let token = &text[from..end.min(from + 400)];
        let system = SYSTEMS.into_iter().find_map(|system| {
            let place = memchr::memmem::find(token, format!("-{system}-").as_bytes())?;
            Some((place + 1, system))
        });
        if self.kind == DocumentKind::Dockerfile && !self.is_comment(at) {
            if let Some(end) = version_end {
                self.variables.versions.insert(name_of(&text[from..end]));
            }
            let address = system.and_then(|(place, system)| {
                self.facts
                    .systems
                    .push(from + place..from + place + system.len());
                let arch = from + place + system.len() + 1;
                let mut address = address(at, arch, &token[arch - from..], system)?;
                let name = self.version_at(from..from + place - 1)?;
                address.versions = [name, self.version_in_path(at)?];
                if address.variable().is_some() {
                    return Some(address);
                }
                let starts = |byte: &u8| b");\n".contains(byte);
                let floor = at.saturating_sub(BACK);
                let first = text[floor..at].iter().rposition(starts);
                let labels = first.and_then(|first| self.labels(floor + first + 1));
                address.labels = labels;
                Some(address)
            });
            self.facts.downloads |= address.is_some();
            match address {
                Some(address) => self.seen.addresses.push(address),
                // Part of one, perhaps: `ENV FILE=server-v1.2.3-linux-amd64`.
                None => self.seen.made.push(at),
            }
        }
        let end = version(text, from)?;
        let end = system.map_or(end, |(place, _)| from + place - 1);
        self.put(from..end, Kind::Version { key: false })
    }

    /// What a span gives as a version: the name of a variable, or nothing where it is written out. `None` where it is neither.
    fn version_at(&self, span: Range<usize>) -> Option<Option<Range<usize>>> {
        let text = self.text;
        if version(&text[..span.end], span.start) == Some(span.end) {
            return Some(None);
        }
        variable(text, span.start).filter(|end| *end == span.end)?;
        let whole = match self.format_argument(span.clone()) {
            Some(argument) => Some(argument).filter(|one| variable(one, 0) == Some(one.len()))?,
            None => &text[span],
        };
        let name = span_of(text, name_of(whole));
        let rest = &text[name.end..span_of(text, whole).end];
        // `${V%.*}` is something else than what V holds; `${V:-1.2.3}` is that, or a version as well.
        let is_default = rest.starts_with(b":-") || rest.starts_with(b":=");
        let is_plain =
            !name.is_empty() && (is_default || rest.iter().all(|byte| b"})".contains(byte)));
        is_plain.then_some(Some(name))
    }

    /// What is put in a text of PowerShell where a span is `{0}`: `'…' -f $env:NAME`.
    fn format_argument(&self, span: Range<usize>) -> Option<&[u8]> {
        let number = self.text[span.clone()]
            .strip_prefix(b"{")?
            .strip_suffix(b"}")?;
        let number: usize = std::str::from_utf8(number).ok()?.parse().ok()?;
        let behind = &self.text[span.end..self.text.len().min(span.end + 400)];
        let place = memchr::memmem::find(behind, b" -f ")?;
        let rest = &behind[place + 4..];
        let rest = &rest[..skip(rest, 0, |byte| !b"\r\n;)".contains(&byte))];
        Some(rest.split(|byte| *byte == b',').nth(number)?.trim_ascii())
    }

    /// The version in the path of an archive, where its address is of a release on GitHub, of a project that is written out.
    fn version_in_path(&self, at: usize) -> Option<Option<Range<usize>>> {
        const DOWNLOAD: &[u8] = b"/releases/download/";
        let line = line_before(self.text, at);
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`;".contains(byte);
        let word = line.rsplit(is_end).next().unwrap_or_default();
        let Some(place) = memchr::memmem::rfind(word, DOWNLOAD) else {
            return Some(None);
        };
        let (start, end) = (at - word.len(), at - word.len() + place);
        if let Some(project) = after(self.text, start, b"https://github.com/") {
            let own = format!("'{}{}'", self.scanner.namespace, self.scanner.server);
            let argument = self.format_argument(project..end);
            let is_plain = |byte: &u8| is_tag(*byte) || *byte == b'/';
            let is_known = self.text[project..end].iter().all(is_plain);
            if !is_known && argument != Some(own.as_bytes()) {
                return None;
            }
        }
        let start = past(self.text, end + DOWNLOAD.len(), b"v");
        // Nothing may stand between: `…/releases/download/server-v1.2.3…`.
        (start < at).then(|| self.version_at(start..at - 1))?
    }

    /// An address on GitHub: who publishes there, and the version in it.
    pub(super) fn download(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let line = line_before(text, at);
        let is_own = line
            .strip_suffix(self.scanner.server.as_bytes())
            .is_some_and(|before| before.ends_with(b"/"));
        if self.kind == DocumentKind::Dockerfile && !self.is_comment(at) {
            let rest = &text[at..text.len().min(at + 400)];
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`;".contains(byte);
            let word = rest.split(is_end).next().unwrap_or_default();
            let archive = format!("/{}-v", self.scanner.server);
            let project = self.project(at + "/releases".len()).map(<[u8]>::len);
            let project = project.filter(|_| is_own || has(word, archive.as_bytes()));
            let start = project.map(|length| at - length);
            let start = start.or_else(|| self.lookalike(at).filter(|_| is_own));
            if let Some(start) = start {
                self.put(start..at, Kind::Owner);
            }
        }
        let from = after(text, at, b"/releases/download/v").filter(|_| is_own)?;
        let end = version(text, from)?;
        if self.is_of_other_project(from) {
            return Some(end);
        }
        self.put(from..end, Kind::Version { key: false })
    }

    /// An assignment to a variable whose name ends in `arch`; `at` is behind the `=`.
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

    /// Adds what the variables of our addresses are in the branches of a `case` over one, as its labels say:
    /// `case "$TARGETARCH" in amd64) …`.
    pub(super) fn add_labels(&mut self) {
        let used = self.seen.addresses.iter().filter_map(Address::variable);
        let used: BTreeSet<&[u8]> = used.map(str::as_bytes).collect();
        let mut all: Vec<Assigned> = Vec::new();
        let cases = memchr::memmem::find_iter(self.text, b"case ");
        for at in cases.filter(|_| !used.is_empty()) {
            // One inside of another is not looked at.
            if all.last().is_none_or(|last| last.value.end < at) {
                self.case(at + 5, &used, &mut all);
            }
        }
        if !all.is_empty() {
            self.seen.arches.append(&mut all);
            self.seen.arches.sort_by_key(|one| one.value.start);
        }
    }

    /// Adds the labels of the `case` behind whose word a place is, if it is over one of these variables.
    fn case(&self, at: usize, used: &BTreeSet<&[u8]>, labels: &mut Vec<Assigned>) -> Option<()> {
        // No `case` is longer.
        const LONGEST: usize = 4096;
        let text = self.text;
        let from = unquoted(text, at);
        let end = variable(text, from).filter(|_| !self.is_comment(at))?;
        let name = Some(name_of(&text[from..end])).filter(|name| used.contains(name))?;
        let name = span_of(text, name);
        let mut start = after(text, unquoted(text, end), b" in")?;
        let last = text.len().min(start + LONGEST);
        let goes_on = |byte: u8| byte.is_ascii_whitespace() || byte == b'\\';
        loop {
            let from = unquoted(text, skip(text, start, goes_on));
            let label = from..skip(text, from, is_word);
            let closes = text.get(unquoted(text, label.end)) == Some(&b')');
            if closes && !label.is_empty() {
                labels.push(Assigned {
                    name: name.clone(),
                    value: label.clone(),
                    labels: Some(label.clone()),
                });
            }
            let rest = text.get(label.end..last)?;
            let next = label.end + memchr::memmem::find(rest, b";;")?;
            if has(&text[start..next], b"esac") {
                return None;
            }
            start = next + 2;
        }
    }

    /// The labels of the branch at `at`, where nothing but assignments stands between.
    fn labels(&self, at: usize) -> Option<Range<usize>> {
        let text = self.text;
        let end = self.seen.ends.last().copied().unwrap_or(0);
        let floor = end.max(at.saturating_sub(400));
        let goes_on = |byte: u8| byte.is_ascii_whitespace() || byte == b'\\' || byte == b'`';
        let mut rest = trimmed_end(text.get(floor..at)?, goes_on);
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

/// What an archive's name says behind its system: `arm64.tar.gz`, `${arch}.tar.gz`. `….tar.gz.sbom` is another file.
fn address(at: usize, start: usize, rest: &[u8], system: &'static str) -> Option<Address> {
    let dot = memchr::memchr(b'.', rest)?;
    let (arch, ending) = (&rest[..dot], &rest[dot + 1..]);
    let mut endings = ["tar.gz", "tgz", "zip"].into_iter();
    let ending = endings.find(|one| one.as_bytes() == ending)?;
    let is_literal = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_variable = variable(arch, 0) == Some(arch.len());
    let is_arch = !arch.is_empty() && (is_variable || arch.iter().all(is_literal));
    is_arch.then(|| Address {
        at,
        system,
        arch: String::from_utf8_lossy(arch).into_owned(),
        span: start..start + dot,
        versions: [None, None],
        labels: None,
        ending,
    })
}
