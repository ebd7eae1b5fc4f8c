//! Whether a version may be ours: by what stands in front of it.

use super::super::spans::{
    before_dollar, has, is_blank, is_local_copy, is_setting, is_tag, line_before, skip,
    trimmed_end, variable_of, version,
};
use super::{DocumentKind, Scan};
use crate::tag::is_owner;

/// Words that say nothing of whose a version is.
const GENERAL: [&str; 37] = [
    "a", "and", "at", "build", "building", "built", "by", "current", "echo", "for", "from",
    "image", "in", "is", "label", "new", "number", "of", "old", "on", "or", "release", "run",
    "running", "server", "since", "tag", "tags", "test", "the", "to", "until", "v", "ver",
    "version", "versions", "with",
];

impl Scan<'_> {
    /// Whether the word in front of a version is a name of ours, or says nothing of whose it is. That of a file that is copied
    /// from beside the Dockerfile is not, nor one that another version follows, nor the tag of another publisher's image.
    pub(super) fn may_be_ours(&self, at: usize, end: usize) -> bool {
        let (text, line) = (self.text, line_before(self.text, at));
        let first = line.trim_ascii_start();
        if self.kind == DocumentKind::Dockerfile && is_local_copy(line) {
            return false;
        }
        if version(text, skip(text, end, is_blank)).is_some() || !self.is_published_by_us(at) {
            return false;
        }
        let own = [&*self.scanner.image, &self.scanner.server].map(str::to_lowercase);
        let is_own = |part: &str| {
            own.iter()
                .any(|own| own.split(['-', '_', '.']).any(|own| own == part))
        };
        let is_code = self.kind == DocumentKind::Dockerfile && !first.starts_with(b"#");
        // `LABEL maintainer="somebody" version="1.2.3"`
        let key = trimmed_end(line, |byte| b"\"'v".contains(&byte)).strip_suffix(b"=");
        let key = key.map(|line| &line[trimmed_end(line, is_tag).len()..]);
        if is_code && key == Some(b"version") && self.is_label(at) {
            return true;
        }
        let mut words = line
            .rsplit(|byte| !is_tag(*byte))
            .filter(|word| !word.is_empty())
            .peekable();
        while let Some(word) = words.next() {
            let is_instruction = words.peek().is_none() && word.iter().all(u8::is_ascii_uppercase);
            let said = String::from_utf8_lossy(word).to_lowercase();
            let parts = || said.split(['-', '_', '.']).filter(|part| !part.is_empty());
            let says_nothing = is_instruction || parts().all(|part| GENERAL.contains(&part));
            if !says_nothing {
                return parts().all(|part| GENERAL.contains(&part) || is_own(part));
            }
            // In an instruction, or in front of an option, the program stands further in front: `tini --version 1.2.3`.
            if !is_code && !word.starts_with(b"-") {
                break;
            }
        }
        // Nothing says whose it is: a label is the image's, but what is assigned to a variable, or given to a command, is anybody's.
        match is_code {
            true => self.is_label(at) || self.is_only_said(at),
            false => variable_of(text, at).is_none(),
        }
    }

    /// Whether an `ENV` or an `ARG` gives a value that nothing but labels takes.
    fn is_only_said(&self, at: usize) -> bool {
        let text = self.text;
        let name = variable_of(text, at).filter(|_| is_setting(line_before(text, at)));
        // No file has more uses of one.
        name.is_some_and(|name| {
            let mut uses = self.uses(|one| one == name).take(64);
            uses.all(|at| self.is_label(at))
        })
    }

    /// Whether the instruction in which a place is gives labels.
    fn is_label(&self, at: usize) -> bool {
        let window = &self.text[at.saturating_sub(4096)..at];
        let mut lines = window.rsplit(|byte| *byte == b'\n');
        let last = lines.next().unwrap_or_default();
        let goes_on = |line: &&[u8]| line.trim_ascii_end().ends_with(b"\\");
        let first = lines.take_while(goes_on).last().unwrap_or(last);
        first.trim_ascii_start().starts_with(b"LABEL ")
    }

    /// Whether what stands at a place is in an address of others, or in a folder that is none of ours, where version directories are
    /// called as anybody's are: `https://packages.example/1.2.3/alpine3.20`, `vendor/1.2.3/alpine3.20`.
    pub(super) fn is_in_other_folder(&self, at: usize) -> bool {
        if self.in_address(at) {
            return !self.names_us(at);
        }
        let line = line_before(self.text, at);
        let above = line.strip_suffix(b"/").or(line.strip_suffix(b"\\"));
        let above = above.unwrap_or_default();
        let front = trimmed_end(above, is_tag);
        let name = &above[front.len()..];
        // `$ROOT/1.2.3`
        let is_name = name.iter().any(u8::is_ascii_alphanumeric) && before_dollar(front).is_none();
        let is_name = is_name && !self.names_us(at);
        is_name && !self.scanner.directory.has_series()
    }

    /// Whether the address in which a place is has a name of ours in front of it.
    pub(super) fn names_us(&self, at: usize) -> bool {
        let line = line_before(self.text, at);
        let address = line.rsplit(u8::is_ascii_whitespace).next();
        let mut own = [&self.scanner.image, &self.scanner.server].into_iter();
        address.is_some_and(|address| own.any(|own| has(address, own.as_bytes())))
    }

    /// The project on GitHub whose releases the address is of that a place is in, where it is written out.
    pub(super) fn project(&self, at: usize) -> Option<&[u8]> {
        let line = line_before(self.text, at);
        let host = memchr::memmem::rfind(line, b"github.com/")?;
        let before = line[..host].strip_suffix(b"www.").unwrap_or(&line[..host]);
        // `evil-github.com`, `github.com@evil.example`
        let is_host = before
            .last()
            .is_none_or(|byte| !is_tag(*byte) && *byte != b'@');
        let rest = line[host..].get(11..).filter(|_| is_host)?;
        let project = &rest[..memchr::memmem::rfind(rest, b"/releases")?];
        let is_plain = |byte: &u8| is_tag(*byte) || *byte == b'/';
        project.iter().all(is_plain).then_some(project)
    }

    /// Where the host begins of the address in which a place is, if that looks as if it were GitHub's: by a part of its name, a
    /// user in front of it, or letters of another alphabet.
    pub(super) fn lookalike(&self, at: usize) -> Option<usize> {
        let line = line_before(self.text, at);
        let start = memchr::memmem::rfind(line, b"://")? + 3;
        let host = line[start..].split(|byte| *byte == b'/').next()?;
        let is_like = has(host, b"github") || host.contains(&b'@') || !host.is_ascii();
        let user = memchr::memrchr(b'@', host).map_or(0, |at| at + 1);
        is_like.then(|| at - (line.len() - start - user))
    }

    /// Whether a place, outside of Dockerfiles, is in an address of another project than ours.
    pub(super) fn is_of_other_project(&self, at: usize) -> bool {
        if self.kind == DocumentKind::Dockerfile {
            return false;
        }
        let own = format!("{}{}", self.scanner.namespace, self.scanner.server);
        self.project(at).is_some_and(|one| one != own.as_bytes())
    }

    /// Whether what is in front of a tag is no image, package or module of another publisher: `ghcr.io/somebody/nats:`,
    /// `@somebody/nats@`. The owner's are ours, Docker's, and images of a registry that has no folders.
    pub(super) fn is_published_by_us(&self, tag: usize) -> bool {
        let line = line_before(self.text, tag);
        let image = line.strip_suffix(b":");
        let front = image.or_else(|| line.strip_suffix(b"v").unwrap_or(line).strip_suffix(b"@"));
        let front = front.map(|line| trimmed_end(line, is_tag));
        let Some(folder) = front.and_then(|before| before.strip_suffix(b"/")) else {
            return true;
        };
        let name = &folder[trimmed_end(folder, |byte| is_tag(byte) || byte == b':').len()..];
        let owner = self.scanner.namespace.strip_suffix('/').unwrap_or_default();
        let is_host = name.iter().any(|byte| b".:".contains(byte)) || name == b"localhost";
        let is_free = name.is_empty() || name == b"library" || is_host;
        is_owner(name, owner) || image.is_some() && is_free
    }
}
