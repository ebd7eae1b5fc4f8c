//! The matchers of what stages are based on.

use super::super::spans::{after, is_blank, is_tag, line_before, skip, variable, version};
use super::{Kind, Scan};

impl Scan<'_> {
    /// The image that a stage begins with.
    pub(super) fn from(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let line = line_before(text, at);
        // A byte-order mark is no part of the first word.
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        // A line may go on.
        let is_between = |byte: u8| byte.is_ascii_whitespace() || b"\\`".contains(&byte);
        let mut start = skip(text, at + 4, is_between);
        if !line.iter().all(|byte| is_blank(*byte)) || start == at + 4 {
            return None;
        }
        while text[start..].starts_with(b"--") {
            let option = skip(text, start, |byte| !byte.is_ascii_whitespace());
            start = skip(text, option, is_between);
        }
        if let Some(end) = variable(text, start) {
            // `${REGISTRY}/alpine:3.18`
            let Some(registry) = after(text, end, b"/") else {
                self.facts.has_variable_stage = true;
                let words =
                    text[end..skip(text, end, |byte| byte != b'\n')].split(|byte| is_blank(*byte));
                let mut words = words.filter(|word| !word.is_empty());
                if words
                    .next()
                    .is_some_and(|word| word.eq_ignore_ascii_case(b"AS"))
                {
                    self.variables
                        .stages
                        .extend(words.next().map(<[u8]>::trim_ascii));
                }
                let image = Box::default();
                return self.put(start..end, Kind::Base { image });
            };
            start = registry;
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
        // The last stage is what counts; it may be an earlier one under its name.
        self.facts.has_variable_stage = self.variables.stages.contains(whole);
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
            let is_ours = self.is_published_by_us(tag);
            return self.put(digits..tag_end, Kind::Mention { is_ours });
        }
        self.put(tag..tag_end, Kind::Base { image })
    }
}
