//! Whose a name in a workflow is: ours, perhaps ours, or another program's.

use super::super::spans::{after, base, ends, is_tag, is_word, line_before, trimmed_end};
use super::super::workflow::{INPUTS, goes_to};
use super::{Kind, Scan};

/// What a path goes through in front of a name.
enum Above {
    /// A version directory, or what an expression makes.
    Ours,
    /// Nothing, or `.` and `..`.
    Here,
    /// Another folder.
    Other,
}

impl Scan<'_> {
    /// Whether the name of a version directory in a workflow is a path: one that goes on, or begins with `./`, or stands where
    /// nothing but a path does.
    pub(super) fn is_path(&self, at: usize, end: usize) -> bool {
        let text = self.text;
        let is_separator = |byte: Option<u8>| matches!(byte, Some(b'/' | b'\\'));
        let line = line_before(text, at);
        if is_separator(self.before(at)) {
            // `release/2.14.x` and `https://docs.example/2.14.x/` are none of ours.
            let above = line[..line.len() - 1].last().copied();
            return above.is_none_or(|byte| !is_word(byte));
        }
        let line = line.trim_ascii_start();
        let line = line.strip_prefix(b"- ").unwrap_or(line);
        let is_key = INPUTS.iter().any(|key| {
            let rest = line.strip_prefix(key.as_bytes());
            rest.is_some_and(|rest| rest.starts_with(b":"))
        });
        let unquoted = trimmed_end(line, |byte| b"\"'".contains(&byte));
        is_key || goes_to(unquoted) || is_separator(text.get(end).copied())
    }

    /// Whether a command goes to the folder at a place, or an input of a step names it.
    pub(super) fn is_changed_to(&self, at: usize) -> bool {
        let line = line_before(self.text, at);
        let line = line.strip_suffix(b"./").unwrap_or(line);
        let unquoted = trimmed_end(line, |byte| b"\"'".contains(&byte));
        let is_key = INPUTS.iter().any(|key| {
            let key = [key.as_bytes(), b": "].concat();
            unquoted.ends_with(&key)
        });
        is_key || goes_to(unquoted)
    }

    /// What stands in front of the dash at a place: a variable in a tag that is ours or may be, what may be ours, or another
    /// image's tag.
    fn behind_dash(&self, dash: usize) -> Above {
        let line = line_before(self.text, dash);
        // `suffix=-alpine3.22`, `scope=2.14.x-alpine3.22`
        let word = &line[trimmed_end(line, is_tag).len()..];
        let is_directory = self.scanner.directory.length(word) == word.len();
        if line.ends_with(b"=") || !word.is_empty() && is_directory {
            return Above::Here;
        }
        let name = trimmed_end(line, is_word);
        let start = match line.last() {
            Some(b'}') => memchr::memmem::rfind(line, b"${"),
            Some(b')') => memchr::memmem::rfind(line, b"$("),
            _ => name
                .strip_suffix(b"$env:")
                .or(name.strip_suffix(b"$"))
                .filter(|_| name.len() < line.len())
                .map(<[u8]>::len),
        };
        let Some(start) = start else {
            return self.in_literal_tag(line);
        };
        let Some(image) = line[..start].strip_suffix(b":") else {
            return Above::Ours;
        };
        let image = &image[trimmed_end(image, |byte| is_tag(byte) || byte == b'/').len()..];
        let own = self.scanner.image.as_bytes();
        match image.is_empty() || memchr::memmem::find(image, own).is_some() {
            true => Above::Ours,
            false => Above::Other,
        }
    }

    /// The same where the tag is written out: `natsio/nats:nightly-2.14-alpine3.22` is of an image of ours, and
    /// `scope=2.14-alpine3.22` of nobody else.
    fn in_literal_tag(&self, line: &[u8]) -> Above {
        let rest = trimmed_end(line, is_tag);
        let is_number = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        match rest.last() {
            Some(b'=') if line[rest.len()..].iter().all(is_number) => Above::Here,
            Some(b':') if self.is_own_image(&rest[..rest.len() - 1]) => Above::Here,
            _ => Above::Other,
        }
    }

    /// Whether a line ends in the name of an image that is called like ours, or like the server.
    fn is_own_image(&self, line: &[u8]) -> bool {
        let name = &line[trimmed_end(line, is_tag).len()..];
        let own = self.scanner.image.as_bytes();
        name == own || name == self.scanner.server.as_bytes()
    }

    /// What stands in front of the separator at a place.
    fn folder_above(&self, separator: usize) -> Above {
        let line = line_before(self.text, separator);
        let name = &line[trimmed_end(line, is_tag).len()..];
        match name {
            _ if line.ends_with(b"}") => Above::Ours,
            b"" | b"." | b".." => Above::Here,
            _ if self.scanner.directory.length(name) == name.len() => Above::Ours,
            // Perhaps one that is written wrongly.
            [first, ..] if first.is_ascii_digit() => Above::Here,
            _ => Above::Other,
        }
    }

    /// The same in a workflow, where only paths, tags and the names of steps are looked at.
    pub(super) fn in_workflow(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let before = self.before(at);
        let behind_dash = (before == Some(b'-')).then(|| self.behind_dash(at - 1));
        let behind_variable = matches!(behind_dash, Some(Above::Ours));
        let (family, directory) = (None, None);
        let caption = Kind::Caption { family, directory };
        let kind = Kind::Variant { directory: None };
        // Of a tag more may follow: `…-alpine3.22-amd64`.
        let end = match behind_variable {
            true => self.scanner.variant_in(text, at, false),
            false => self.scanner.variant(text, at),
        };
        if let Some(end) = end {
            return match before {
                _ if behind_variable => self.put(at..end, kind),
                _ if matches!(behind_dash, Some(Above::Here)) => self.put(at..end, caption),
                Some(b'/' | b'\\') => match self.folder_above(at - 1) {
                    Above::Ours => self.put(at..end, kind),
                    Above::Here => self.put(at..end, caption),
                    Above::Other => Some(end),
                },
                Some(b':')
                    if self.is_own_image(
                        &line_before(text, at)[..line_before(text, at).len() - 1],
                    ) =>
                {
                    self.put(at..end, caption)
                }
                Some(byte) if is_tag(byte) || byte == b':' || byte == b'@' => Some(end),
                _ => self.put(at..end, caption),
            };
        }
        // `Alpine 3.22`, in a step's name.
        let is_here = |family: &&String| {
            let word = text[at..].get(..family.len());
            word.is_some_and(|word| word.eq_ignore_ascii_case(family.as_bytes()))
        };
        let family = self.scanner.families.iter().find(is_here)?;
        let from = after(text, at + family.len(), b" ")?;
        let end = base(text, from).filter(|end| ends(text, *end, true))?;
        let is_free = before.is_none_or(|byte| !is_tag(byte));
        let (family, directory) = (Some(family.as_str().into()), None);
        is_free.then(|| self.put(from..end, Kind::Caption { family, directory }))?
    }
}
