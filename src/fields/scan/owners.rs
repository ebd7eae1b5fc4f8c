//! Whose a version is that stands by itself: ours, or another program's.

use super::super::spans::{has, is_blank, is_tag, line_before, trimmed_end};
use super::{DocumentKind, Scan, Whose};

/// Words that say nothing of whose a version is.
const GENERAL: [&str; 14] = [
    "current", "docker", "image", "new", "number", "old", "release", "server", "tag", "tags", "v",
    "ver", "version", "versions",
];

/// Words of a sentence in front of a version, as a comment or what a script says has them.
const PLAIN: [&str; 27] = [
    "build", "building", "built", "echo", "printf", "run", "running", "test", "tested", "testing",
    "a", "and", "at", "by", "for", "from", "in", "is", "of", "on", "or", "since", "the", "to",
    "until", "was", "with",
];

/// The commands that are given packages and their versions as words.
const INSTALL: [&[u8]; 9] = [
    b"pip ",
    b"pip3 ",
    b"npm ",
    b"gem ",
    b"cargo ",
    b"luarocks ",
    b"pecl ",
    b"go install",
    b"yarn ",
];

impl Scan<'_> {
    /// Whose a version is, by what stands in front of it: the address, the path or the name that it is part of, else the word
    /// before it.
    pub(super) fn whose(&self, at: usize) -> Whose {
        let line = line_before(self.text, at);
        let installs = |command: &&[u8]| memchr::memmem::find(line, command).is_some();
        if self.kind == DocumentKind::Script && INSTALL.iter().any(installs) {
            return Whose::Others;
        }
        let is_end = |byte: u8| byte.is_ascii_whitespace() || b"\"'`(),;|".contains(&byte);
        let word = &line[trimmed_end(line, |byte| !is_end(byte)).len()..];
        let of = |is_ours: bool| if is_ours { Whose::Ours } else { Whose::Others };
        // What is copied from beside a Dockerfile is called as it is called there.
        let first = line.trim_ascii_start();
        let is_copy = first.starts_with(b"COPY ") || first.starts_with(b"ADD ");
        let has = |what: &[u8]| has(line, what);
        if self.kind == DocumentKind::Dockerfile && is_copy && !has(b"--from=") && !has(b"://") {
            return Whose::Others;
        }
        if word.contains(&b'/') {
            let is_part = |byte: &u8| !is_tag(*byte);
            let mut parts = word.split(is_part);
            return of(parts.any(|part| self.names(part) == Some(true)));
        }
        // `bar:1.2.3`, `BAR="1.2.3"`, `${BAR:-1.2.3}`, `openssl-1.2.3`
        let joins = |byte: u8| b":@=~<>!^?-_.\"'".contains(&byte);
        let name = &line[..trimmed_end(line, joins).len()];
        let name = &name[trimmed_end(name, is_tag).len()..];
        let unquoted = trimmed_end(line, |byte| b"\"'".contains(&byte));
        let is_joined =
            unquoted.len() == line.len() || unquoted.last().is_some_and(|byte| joins(*byte));
        if !name.is_empty() && is_joined && line.last().is_some_and(|byte| !is_blank(*byte)) {
            return of(self.names(name) != Some(false));
        }
        self.behind(line)
    }

    /// Whose a version is behind the words of a line. In a script only commands that install something are for others.
    fn behind(&self, line: &[u8]) -> Whose {
        let is_comment = line.trim_ascii_start().starts_with(b"#");
        let is_script = self.kind == DocumentKind::Script && !is_comment;
        // From where the last command begins.
        let command = line.rsplit(|byte| b";|&".contains(byte)).next();
        let command = command.filter(|_| is_script).unwrap_or(line);
        let words = command.split(|byte| byte.is_ascii_whitespace() || b"\"'`(),".contains(byte));
        let words: Vec<String> = words
            .map(|word| String::from_utf8_lossy(word).to_lowercase())
            .filter(|word| !word.is_empty())
            .collect();
        // The first word is the instruction, or begins the comment.
        let words = words.get(usize::from(!is_script)..).unwrap_or_default();
        let mut rest = words.iter().rev();
        let is_said = |word: &&String| {
            let bare = word.trim_start_matches('-');
            let is_text = is_comment || is_script;
            GENERAL.contains(&bare) || is_text && PLAIN.contains(&bare)
        };
        let Some(last) = rest.find(|word| !is_said(word)) else {
            return Whose::Ours;
        };
        let before = rest.next().map_or("", |word| word.as_str());
        let both = format!("{before}-{last}");
        let mut names = [last.as_bytes(), both.as_bytes()].into_iter();
        match names.all(|name| self.names(name) == Some(false)) {
            true if is_script => Whose::Anybodys,
            true => Whose::Others,
            false => Whose::Ours,
        }
    }

    /// Whether a name is the image's or the server's, but for words that say nothing: `NATS_SERVER_VERSION`. `None` where
    /// there are no others.
    fn names(&self, name: &[u8]) -> Option<bool> {
        let said = String::from_utf8_lossy(name).to_lowercase();
        let parts = |name: &str| -> Vec<String> {
            let parts = name.split(['-', '_', '.']);
            let is_said = |part: &&str| {
                let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
                !is_number && !GENERAL.contains(part)
            };
            parts.filter(is_said).map(str::to_owned).collect()
        };
        let own = [&*self.scanner.image, &self.scanner.server];
        let is_whole = own.contains(&said.trim_matches(['-', '_']));
        let all = parts(&said);
        let is_own = is_whole || own.iter().any(|own| parts(&own.to_lowercase()) == all);
        (is_whole || !all.is_empty()).then_some(is_own)
    }
}
