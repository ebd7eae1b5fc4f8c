//! Whose a name in a workflow is: ours, perhaps ours, or another program's.

use super::super::spans::{
    after, base, before_dollar, ends, has, is_blank, is_digit, is_tag, is_word, line_before, skip,
    trimmed_end,
};
use super::super::workflow::{INPUTS, goes_to};
use super::{Kind, Scan};
use crate::text::is_like;
use crate::version::Variant;

/// Whose the name of a variant is.
#[derive(PartialEq)]
enum Owner {
    Ours,
    /// Ours, where its job or its step says so.
    Perhaps,
    Others,
}

impl Scan<'_> {
    /// Whether the name of a version directory in a workflow is a path: one that goes on, or begins with `./`, or stands where
    /// nothing but a path does.
    pub(super) fn is_path(&self, at: usize, end: usize) -> bool {
        let is_separator = |byte: Option<u8>| matches!(byte, Some(b'/' | b'\\'));
        if is_separator(self.before(at)) {
            // `release/2.14.x` and `https://docs.example/2.14.x/` are none of ours.
            let above = line_before(self.text, at - 1).last();
            return above.is_none_or(|byte| !is_word(*byte));
        }
        self.is_changed_to(at) || is_separator(self.text.get(end).copied())
    }

    /// Whether a command goes to the folder at a place, or an input of a step names it.
    pub(super) fn is_changed_to(&self, at: usize) -> bool {
        let line = trimmed_end(line_before(self.text, at), |byte| b"\"'".contains(&byte));
        let key = trimmed_end(line, is_blank).strip_suffix(b":");
        let key =
            key.map(|key| &key[trimmed_end(key, |byte| is_word(byte) || byte == b'-').len()..]);
        goes_to(line) || INPUTS.iter().any(|input| key == Some(input.as_bytes()))
    }

    /// Whose the name of a variant is, by what stands in front of it: a version directory or what an expression makes, a tag of
    /// an image of ours, another folder or image.
    fn owner(&self, at: usize) -> Owner {
        let Some((sign, front)) = line_before(self.text, at).split_last() else {
            return Owner::Perhaps;
        };
        let rest = trimmed_end(front, is_tag);
        let name = &front[rest.len()..];
        let is_directory = self.scanner.directory.is_name(name);
        let is_ours = |image: &[u8]| {
            let before = trimmed_end(image, |byte| is_tag(byte) || byte == b'/');
            // `$REPO:`, `$env:REPO:`
            let name = &image[before.len()..];
            before_dollar(before).is_some()
                || name.is_empty()
                || has(name, self.scanner.image.as_bytes())
        };
        match sign {
            b'/' | b'\\' if front.ends_with(b"}") || is_directory => Owner::Ours,
            // `cd ../nanoserver-ltsc2022`
            b'/' | b'\\' if name == b".." && goes_to(rest) => Owner::Ours,
            // `$DIR/alpine3.22`
            b'/' | b'\\' if before_dollar(rest).is_some() => Owner::Ours,
            // Perhaps a version that is written wrongly.
            b'/' | b'\\' if matches!(name, b"" | b"." | b"..") || is_digit(name[0]) => {
                Owner::Perhaps
            }
            b'/' | b'\\' => Owner::Others,
            b':' if self.is_own_image(front) => Owner::Perhaps,
            b'-' => match variable_start(front) {
                Some(start) => match front[..start].strip_suffix(b":") {
                    Some(image) if !is_ours(image) => Owner::Others,
                    _ => Owner::Ours,
                },
                // `suffix=-alpine3.22`, `natsio/nats:nightly-2.14-alpine3.22`
                None => match rest.split_last() {
                    _ if is_directory => Owner::Perhaps,
                    Some((b'=', key)) if key.ends_with(b"suffix") => Owner::Ours,
                    Some((b'=', _)) => Owner::Perhaps,
                    Some((b':', image)) if self.is_own_image(image) => Owner::Perhaps,
                    _ => Owner::Others,
                },
            },
            byte if is_tag(*byte) || b":@".contains(byte) => Owner::Others,
            _ => Owner::Perhaps,
        }
    }

    /// What may be a typo for the name of a variant, behind an expression: `${{ env.TAG }}-apline3.22`.
    pub(super) fn behind_expression(&mut self, at: usize) -> Option<usize> {
        let run = &self.text[at..skip(self.text, at, is_tag)];
        let name = trimmed_end(run, |byte| byte == b'.' || byte == b'-');
        let variant = Variant::parse(std::str::from_utf8(name).ok()?)?;
        let mut families = self.scanner.families.iter();
        let is_known = families.any(|family| name.starts_with(family.as_bytes()));
        let mut families = self.scanner.families.iter();
        // `servercore` is the name of the base image of `windowsservercore`.
        let said = &variant.family;
        let is_meant =
            |family: &String| is_like(family, said) || said.len() > 5 && family.ends_with(said);
        let is_typo = !is_known && families.any(is_meant);
        let directory = None;
        (is_typo && self.owner(at) == Owner::Ours)
            .then(|| self.put(at..at + name.len(), Kind::Variant { directory }))?
    }

    /// Whether a line ends in the name of an image that is called like ours, or like the server.
    fn is_own_image(&self, line: &[u8]) -> bool {
        let name = &line[trimmed_end(line, is_tag).len()..];
        let own = self.scanner.image.as_bytes();
        name == own || name == self.scanner.server.as_bytes()
    }

    /// The name of a variant in a workflow, where only paths, tags and the names of steps are looked at.
    pub(super) fn in_workflow(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let (before, owner) = (self.before(at), self.owner(at));
        // More of a tag may follow: `…-alpine3.22-amd64`.
        let dash_goes_on = before != Some(b'-') || owner != Owner::Ours;
        if let Some(end) = self.scanner.variant_in(text, at, dash_goes_on) {
            let (family, directory) = (None, None);
            return match owner {
                Owner::Ours => self.put(at..end, Kind::Variant { directory }),
                Owner::Perhaps => self.put(at..end, Kind::Caption { family, directory }),
                Owner::Others => Some(end),
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

/// Where the variable begins that a text ends in.
pub(super) fn variable_start(text: &[u8]) -> Option<usize> {
    match text.last()? {
        b'}' if text.ends_with(b"}}") => {
            let start = memchr::memmem::rfind(text, b"{{")?;
            Some(start - usize::from(text[..start].ends_with(b"$")))
        }
        b'}' => memchr::memmem::rfind(text, b"${"),
        b')' => memchr::memmem::rfind(text, b"$("),
        _ => {
            let name = trimmed_end(text, is_word);
            let start = before_dollar(name)?;
            (name.len() < text.len()).then_some(start.len())
        }
    }
}
