//! The matchers of words: versions, references, and the names of version directories and variants.

use std::ops::Range;

use semver::Version;

use super::super::spans::{
    BACK, after, dotted, ends, is_blank, is_digit, is_tag, is_word, line_before, past,
    past_any_case, skip, trimmed, trimmed_end, unquoted, variable, version,
};
use super::names::variable_start;
use super::{DocumentKind, Kind, SYSTEMS, Scan, is_script};
use crate::version::is_arch;

impl Scan<'_> {
    /// A version, or the name of a version directory, behind the version key.
    pub(super) fn key(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        if self.before(at).is_some_and(is_word) {
            return None;
        }
        let end = at + self.scanner.key.len();
        if self.in_address(at) && !is_word(text.get(end).copied().unwrap_or_default()) {
            self.seen.made.push(at);
        }
        let blank = skip(text, end, is_blank);
        let equals = after(text, blank, b"=").map(|equals| skip(text, equals, is_blank));
        let colon = past(text, end, b":");
        let default = after(text, colon, b"-").or(after(text, colon, b"="));
        // `NATS_SERVER: 2.14.4`
        let yaml = (colon > end && self.kind == DocumentKind::Workflow)
            .then(|| skip(text, colon, is_blank))
            .filter(|start| *start > colon);
        let starts = [equals, default, (blank > end).then_some(blank), yaml];
        let mut starts = starts.into_iter().flatten();
        let span = starts.find_map(|start| self.keyed(start))?;
        let name = self.scanner.directory.length(&text[span.start..]);
        if name == span.len() && self.scanner.directory.has_series() {
            return self.put(span, Kind::Directory { is_certain: true });
        }
        let span = trimmed(text, span);
        // `GO=8222`: a name of one word may be that of anything.
        let is_version =
            self.scanner.key.contains('_') || version(text, span.start) == Some(span.end);
        let is_whole = is_version && ends(text, span.end, false);
        is_whole.then(|| self.put(span, Kind::Version { key: true }))?
    }

    /// What stands for a version, perhaps in quotes, perhaps as the default of a variable.
    fn keyed(&self, at: usize) -> Option<Range<usize>> {
        let text = self.text;
        let default = after(text, unquoted(text, at), b"${").and_then(|name| {
            let end = skip(text, name, is_word);
            let colon = past(text, end, b":");
            let default = after(text, colon, b"-").or(after(text, colon, b"="));
            default.filter(|_| end > name)
        });
        let start = unquoted(text, default.unwrap_or(at));
        let digits = past(text, start, b"v");
        let is_part = |byte: u8| is_word(byte) || byte == b'+' || byte == b'-';
        let is_number = text.get(digits).is_some_and(u8::is_ascii_digit);
        is_number.then(|| digits..dotted(text, digits, is_part))
    }

    /// What follows the image's name.
    pub(super) fn reference(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let strip = |at: usize, what: &[u8]| text[..at].strip_suffix(what).map_or(at, <[u8]>::len);
        let named = match self.kind {
            DocumentKind::Workflow => at,
            _ => strip(at, self.scanner.namespace.as_bytes()),
        };
        let start = strip(strip(named, b"library/"), b"docker.io/");
        let before = self.before(start);
        let at = at + self.scanner.image.len() + 1;
        if before == Some(b'/') && self.kind == DocumentKind::Workflow {
            // Ours in another registry, where it is of the version that there is.
            let digits = past(text, at, b"v");
            version(text, digits)?;
            let span = trimmed(text, digits..skip(text, digits, is_tag));
            let is_ours = self.is_published_by_us(at);
            return self.put(span, Kind::Mention { is_ours });
        }
        if before.is_some_and(|byte| is_tag(byte) || byte == b'/' || byte == b'@') {
            return None;
        }
        if let Some(end) = variable(text, at) {
            self.variables.versions.insert(name_of(&text[at..end]));
            self.facts.has_stray_hash |= text[skip(text, end, is_tag)..].starts_with(b"@sha256:");
            return self.behind_version(end);
        }
        let is_version = version(text, past(text, at, b"v")).is_some();
        let is_any = self.kind == DocumentKind::Dockerfile
            && text.get(at).is_some_and(|byte| is_word(*byte))
            && self.is_image(start, at);
        if is_version || is_any {
            let end = skip(text, at, is_tag);
            let span = trimmed(text, at..end);
            let dashes = memchr::memchr_iter(b'-', &text[span.clone()]);
            let mut ends = dashes.filter_map(|dash| self.before_suffix(at + dash + 1, span.end));
            let span = at..ends.next().unwrap_or(span.end);
            // A version that is a number, and a variant that is a variable.
            if let Some(from) = after(text, span.end, b"-$").map(|from| from - 1) {
                self.variables
                    .variants
                    .extend(variable(text, from).map(|end| name_of(&text[from..end])));
            }
            return self.put(span, Kind::Tag);
        }
        if let Some((series, end)) = self.series_tag(at) {
            let directory = Some(self.scanner.directory.render(&series).into());
            return self.put(end, Kind::Variant { directory });
        }
        if self.kind != DocumentKind::Script {
            return None;
        }
        // `nats:2.9.x-alpine3.18`, where series stand for their versions
        let series = skip(text, at, |byte| is_word(byte) || byte == b'.');
        let is_series = self.scanner.directory.has_series()
            && self.scanner.directory.is_name(&text[at..series]);
        let behind = after(text, series, b"-").filter(|_| is_series);
        let behind = behind.and_then(|from| Some(from..self.scanner.variant(text, from)?));
        if let Some(variant) = behind {
            self.put(at..series, Kind::Directory { is_certain: true });
            return self.put(variant, Kind::Variant { directory: None });
        }
        let end = self.scanner.variant(text, at)?;
        self.put(at..end, Kind::TagVariant)
    }

    /// The first version of a series in a tag of a workflow, and the variant behind it: `nats:2.12-alpine3.22`.
    fn series_tag(&self, at: usize) -> Option<(Version, Range<usize>)> {
        let end = skip(self.text, at, |byte| is_digit(byte) || byte == b'.');
        let (major, minor) = std::str::from_utf8(&self.text[at..end])
            .ok()?
            .split_once('.')?;
        let series = Version::new(major.parse().ok()?, minor.parse().ok()?, 0);
        let variant = after(self.text, end, b"-")?;
        let span = variant..self.scanner.variant_in(self.text, variant, false)?;
        let is_meant = self.kind == DocumentKind::Workflow && self.scanner.directory.has_series();
        is_meant.then_some((series, span))
    }

    /// Whether what begins there in a Dockerfile, with its tag at `tag`, is an image, rather than a user or a host.
    fn is_image(&self, start: usize, tag: usize) -> bool {
        let line = line_before(self.text, start);
        let unquoted = trimmed_end(line, |byte| b"\"'".contains(&byte));
        let word = &self.text[tag..skip(self.text, tag, is_tag)];
        let is_port = word.len() > 2 && word.iter().all(u8::is_ascii_digit);
        let first = line.trim_ascii_start().get(..5).unwrap_or_default();
        let is_stage = first.eq_ignore_ascii_case(b"FROM ") || unquoted.ends_with(b"from=");
        is_stage || unquoted.ends_with(b"=") && !is_port || first.starts_with(b"#")
    }

    /// The variant in a tag whose version is a variable.
    fn behind_version(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let at = after(text, end, b"-")?;
        if let Some(end) = variable(text, at) {
            self.variables.variants.insert(name_of(&text[at..end]));
            return Some(end);
        }
        if !text.get(at).is_some_and(u8::is_ascii_alphabetic) {
            return None;
        }
        let span = trimmed(text, at..skip(text, at, is_tag));
        if let Some(end) = self.before_suffix(at, span.end) {
            return self.put(at..end, Kind::TagVariant);
        }
        ends(text, span.end, true).then(|| self.put(span, Kind::TagVariant))?
    }

    /// Where the name of a variant ends that begins at `at`, in a tag that goes on behind it up to `end`: `alpine3.22-arm64`. In a
    /// workflow whatever follows is somebody's choice, in a script an architecture is.
    fn before_suffix(&self, at: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let variant = self.scanner.variant_in(text, at, false)?;
        let suffix = std::str::from_utf8(text.get(variant + 1..end)?).ok()?;
        let is_free = match self.kind {
            DocumentKind::Workflow => !suffix.is_empty(),
            DocumentKind::Script => is_arch(suffix),
            DocumentKind::Dockerfile => false,
        };
        (is_free && text[variant] == b'-').then_some(variant)
    }

    /// The version in a label of the image.
    pub(super) fn label(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let at = unquoted(text, at);
        let from = at + usize::from(matches!(text.get(at), Some(b'=' | b' ' | b'\t')));
        let from = unquoted(text, from);
        let digits = past(text, from, b"v");
        let end = version(text, digits).filter(|_| from > at)?;
        self.put(digits..end, Kind::Version { key: false })
    }

    /// The name of a version directory, or a version by itself.
    pub(super) fn number(&mut self, at: usize) -> Option<usize> {
        let before = self.before(at);
        if before.is_some_and(|byte| byte.is_ascii_digit() || byte == b'.')
            && !self.text[..at].ends_with(b"..")
        {
            return Some(skip(self.text, at, |byte| byte.is_ascii_digit()));
        }
        self.directory(at).or_else(|| self.mention(at))
    }

    fn directory(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let in_list = self.kind == DocumentKind::Workflow;
        let opens = |byte: u8| {
            byte.is_ascii_whitespace()
                || b"\"'=/\\(".contains(&byte)
                || in_list && b"[,".contains(&byte)
        };
        let closes = |byte: u8| {
            byte.is_ascii_whitespace()
                || b"/\\\"');".contains(&byte)
                || in_list && b"],".contains(&byte)
        };
        // `{{defaultContext}}:2.12.x/alpine3.22`
        let is_context = in_list && text[..at].ends_with(b"}}:");
        if !is_context && !self.before(at).is_none_or(opens) {
            return None;
        }
        let has_series = self.scanner.directory.has_series();
        let is_up = text[..at].ends_with(b"../") || text[..at].ends_with(b"..\\");
        let goes_down = |end: usize| {
            let tests = after(text, end + 1, b"tests").filter(|end| ends(text, *end, false));
            let all = after(text, end + 1, b"*").or(after(text, end + 1, b"$"));
            let all = all.filter(|_| in_list);
            tests
                .or(all)
                .or(self.scanner.family(text, end + 1))
                .is_some()
        };
        let word = skip(text, at, is_tag);
        let is_below = matches!(text.get(word), Some(b'/' | b'\\')) && goes_down(word);
        let length = self.scanner.directory.length(&text[at..]);
        let is_alone = in_list && (text[..at].ends_with(b"./") || self.is_changed_to(at));
        if !has_series && !is_up && !is_below && !is_alone {
            return None;
        }
        let is_whole = text.get(at + length).is_none_or(|next| closes(*next));
        if length > 0 && is_whole && (in_list || !self.is_in_other_folder(at)) {
            let is_certain = !in_list || self.is_path(at, at + length);
            return self.put(at..at + length, Kind::Directory { is_certain });
        }
        None
    }

    fn mention(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        // Where directories are called `v1.18`, it begins with the `v`.
        let at = past(text, at, b"v");
        let end = version(text, at)?;
        // What looks like a pre-release may be where the version key begins.
        let key = self.scanner.key.as_bytes();
        let reach = &text[at..(end + key.len()).min(text.len())];
        if let Some(begins) = memchr::memmem::find(reach, key).filter(|begins| at + begins < end) {
            return Some(at + begins);
        }
        let (span, has_variant) = self.without_rest(trimmed(text, at..end));
        if self.kind == DocumentKind::Workflow {
            // A tag by itself, where a directory is called by its version: `1.2.3-alpine3.18`.
            let numbers = skip(text, at, |byte| byte.is_ascii_digit() || byte == b'.');
            let variant = after(text, numbers, b"-");
            let has_variant =
                variant.is_some_and(|from| self.scanner.variant(text, from).is_some());
            let before = self.before(at);
            let is_free = before.is_none_or(|byte| !is_tag(byte) && byte != b'/' && byte != b':');
            let is_whole = ends(text, span.end, true) && is_free;
            if has_variant && is_whole && !self.scanner.directory.has_series() {
                return self.put(span, Kind::Mention { is_ours: true });
            }
            return Some(end);
        }
        let start = text[..at].strip_suffix(b"v").map_or(at, <[u8]>::len);
        let before = self.before(start);
        let is_free = before.is_none_or(|byte| !is_tag(byte)) || text[..start].ends_with(b":-");
        // `server-1.2.3.tar.gz`
        let is_file = text.get(span.end) == Some(&b'.')
            && text.get(span.end + 1).is_some_and(u8::is_ascii_alphabetic);
        let in_word = is_file || !is_free && matches!(before, Some(b'-' | b'_'));
        let is_whole = is_file || ends(text, span.end, false) || text.get(span.end) == Some(&b'_');
        if (is_free || in_word) && is_whole {
            self.variables.values.push(span.clone());
            let is_listed = has_variant && ends(text, span.end, true) && self.is_listed(start);
            let is_ours = is_listed || self.may_be_ours(start, span.end);
            let is_address = self.in_address(start);
            if is_address && is_ours && self.kind == DocumentKind::Dockerfile {
                self.seen.made.push(start);
            }
            let is_ours = is_ours && (!is_address || self.names_us(start));
            return self.put(span, Kind::Mention { is_ours });
        }
        Some(end)
    }

    /// Whether what begins there is a word by itself in a script: `for tag in 2.14.5-alpine3.22 2.14.5-scratch`.
    fn is_listed(&self, start: usize) -> bool {
        let text = &self.text[..start];
        let front = trimmed_end(text, |byte| b"\"'(".contains(&byte));
        let opens = front.last().is_none_or(u8::is_ascii_whitespace);
        let opens = opens || text.ends_with(b"(") || front.ends_with(b"]=");
        self.kind == DocumentKind::Script && opens
    }

    /// The span of a version, with a variant behind it perhaps, in a name that goes on: `nats-2.14.5-alpine3.22-test`,
    /// `nats-2.14.5-scratch.tar`, `nats-server-2.14.5-linux-amd64`. And whether a variant is behind it.
    fn without_rest(&self, span: Range<usize>) -> (Range<usize>, bool) {
        // No name of a file or a container is so long.
        const LONGEST: usize = 100;
        let text = self.text;
        let dashes = memchr::memchr_iter(b'-', &text[span.clone()]);
        for dash in dashes.take_while(|_| span.len() < LONGEST) {
            let from = span.start + dash + 1;
            let mut systems = SYSTEMS.iter();
            let system = systems.find_map(|system| after(text, from, system.as_bytes()));
            if system.is_some_and(|end| text[end..].starts_with(b"-")) {
                return (span.start..from - 1, false);
            }
            let ends = (from..span.end).filter(|at| b".-_".contains(&text[*at]));
            let mut ends = ends.chain([span.end]).rev();
            let is_end = |end: &usize| self.scanner.variant(&text[..*end], from) == Some(*end);
            let family = self.scanner.family(text, from);
            if let Some(end) = family.and_then(|_| ends.find(is_end)) {
                return (span.start..end, true);
            }
        }
        (span, false)
    }

    /// The name of a variant, or of a family whose base is a variable.
    pub(super) fn family_or_variant(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let before = self.before(at);
        if self.kind == DocumentKind::Workflow {
            return self.in_workflow(at);
        }
        let is_free = before.is_none_or(|byte| !is_tag(byte) && byte != b':');
        let behind_variable =
            before == Some(b'-') && matches!(self.before(at - 1), Some(b'}' | b')'));
        if (is_free || behind_variable)
            && let Some(end) = self.scanner.variant(text, at)
        {
            // `cd ../$version/alpine3.22`
            let front = text[..at].strip_suffix(b"/");
            let front = front.map(|front| &front[front.len().saturating_sub(BACK)..]);
            let made = front.and_then(|front| Some(name_of(&front[variable_start(front)?..])));
            self.variables.versions.extend(made);
            return self.put(at..end, Kind::Variant { directory: None });
        }
        let end = self.scanner.family(text, at)?;
        let is_free = before.is_none_or(|byte| !byte.is_ascii_alphabetic() && byte != b'.');
        let next = skip(text, end, |byte| {
            byte.is_ascii_digit() || b"-.".contains(&byte)
        });
        let is_open = matches!(text.get(next), Some(b'{' | b'$' | b'*'));
        (is_free && is_open).then(|| self.put(at..end, Kind::Family))?
    }

    /// The version in what may be the label of a runner; `found` is its system and a dash. Larger runners and those of another
    /// processor have more behind it: they are somebody's choice.
    pub(super) fn runner(&mut self, found: Range<usize>) -> Option<usize> {
        let (text, from) = (self.text, found.end);
        let end = after(text, from, b"latest").unwrap_or_else(|| dotted(text, from, is_digit));
        let is_free = |byte: Option<&u8>, marks: &[u8]| {
            byte.is_none_or(|byte| byte.is_ascii_whitespace() || marks.contains(byte))
        };
        let opens = is_free(self.before(found.start).as_ref(), b"[\"',{");
        let closes = is_free(text.get(end), b"]\"',}");
        let system = String::from_utf8_lossy(&text[found.start..from - 1]).into();
        let is_asked = false;
        let kind = Kind::Runner { system, is_asked };
        (opens && closes && end > from).then(|| self.put(from..end, kind))?
    }

    /// The name of a script.
    pub(super) fn script(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let end = at + trimmed_end(&text[at..skip(text, at, is_tag)], |byte| byte == b'.').len();
        let name = std::str::from_utf8(&text[at..end]).ok()?;
        if self.before(at).is_some_and(is_tag) || !is_script(name) {
            return None;
        }
        self.put(at..end, Kind::Script { directory: None })
    }
}

/// The name of a variable, of an environment's too: `version` of `${version}`, `$version`, `${env:version}`, `${ver[1]}`.
pub(super) fn name_of(variable: &[u8]) -> &[u8] {
    let name = &variable[skip(variable, 0, |byte| matches!(byte, b'$' | b'{' | b'('))..];
    let name = name.strip_prefix(b"$").unwrap_or(name);
    let name = &name[past_any_case(name, 0, b"env:")..];
    &name[..skip(name, 0, is_word)]
}
