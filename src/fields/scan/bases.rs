//! The matchers of what stages are based on.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::spans::{after, is_blank, is_tag, is_word, line_before, skip, variable, version};
use super::{Kind, Scan, Whose};

impl Scan<'_> {
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
        if *whole == *self.scanner.image.as_bytes() {
            // A reference.
            return Some(start);
        }
        let tag = after(text, end, b":")?;
        let tag_end = skip(text, tag, |byte| {
            !byte.is_ascii_whitespace() && byte != b'@'
        });
        // Ours, from another registry or under another name.
        if *image == *self.scanner.image {
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
                    if *name == *self.scanner.image.as_bytes() {
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
