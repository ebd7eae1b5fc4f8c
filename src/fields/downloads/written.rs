//! Which files a statement writes, or may change.

use super::super::commands::{APPEND, Does, OUT, Statement, Word, command, stages};
use super::super::spans::{has, last_part};
use super::{Downloads, numbers};

/// The commands after which a file that they name is what it was, or gone.
const HARMLESS: [&[u8]; 15] = [
    b"cat",
    b"chmod",
    b"chown",
    b"echo",
    b"file",
    b"gpgv",
    b"grep",
    b"ls",
    b"printf",
    b"rm",
    b"stat",
    b"test",
    b"Remove-Item",
    b"Test-Path",
    b"Write-Host",
];

/// The commands that may write any file.
const ANYTHING: [&[u8]; 6] = [
    b"find",
    b"xargs",
    b"eval",
    b"source",
    b"iex",
    b"Invoke-Expression",
];

impl<'a> Downloads<'_, 'a> {
    /// What a statement names where it may change it, whatever that is: behind a `>`, and in all commands but those that are
    /// known to change no file. `None` where it may be any file.
    pub(in crate::fields) fn changed(&self, statement: &Statement) -> Option<Vec<&'a [u8]>> {
        let words = self.code.words(statement);
        let fetches = statement.does(Does::Fetch);
        let mut named = Vec::new();
        for (number, stage) in stages(words).enumerate() {
            if fetches && number == 0 {
                // `wget -i list`, `curl -OJ`: the server says what it writes.
                let is_open =
                    |word: &Word| matches!(word.text, b"-i" | b"--input-file" | b"-OJ" | b"-JO");
                if stage.iter().any(is_open) {
                    return None;
                }
                let appended = stage.iter().filter(|word| word.signs & APPEND != 0);
                named.extend(appended.map(|word| word.text));
                continue;
            }
            let span = stage[0].at..stage[stage.len() - 1].span().end;
            let (command, text) = (command(stage), &self.code.text[span]);
            let is_known = HARMLESS.contains(&command) || command.starts_with(b"-");
            let verifies = stage.iter().any(|word| word.text == b"--verify");
            let is_harmless = (is_known || verifies) && !has(text, b"$(") && !text.contains(&b'`');
            let hashes = stage.iter().any(|word| word.does == Some(Does::Hash));
            let may_change = !is_harmless && !hashes;
            // `cp bar *.tgz`, `ls | xargs gzip`, `/repack.sh`
            let is_wide = |byte: &u8| b"*?".contains(byte);
            let is_any = ANYTHING.contains(&command) || command.contains(&b'/');
            if may_change && (is_any || text.iter().any(is_wide)) {
                return None;
            }
            let changed = stage
                .iter()
                .filter(|word| may_change || word.signs & OUT != 0);
            named.extend(changed.map(|word| word.text));
        }
        Some(named)
    }

    /// The files that a statement writes: what its options say, else what its addresses end in.
    pub(in crate::fields) fn files(&self, statement: &Statement) -> Vec<&'a [u8]> {
        let mut stages = stages(self.code.words(statement));
        let first = stages.next().unwrap_or_default();
        let mut is_named = false;
        let written = first.iter().filter_map(|word| {
            let output = output(command(first), word.text);
            let is_behind = std::mem::replace(&mut is_named, output == Some(b""));
            match output {
                None => is_behind.then_some(word.text),
                Some(file) => Some(file).filter(|file| !file.is_empty()),
            }
        });
        let mut files: Vec<&[u8]> = written.collect();
        // `wget -O - <address> > f`
        files.retain(|file| *file != b"-" && !file.starts_with(b"http"));
        // Where an option names the file, `>` is for something else.
        if files.is_empty() {
            let out = first
                .iter()
                .filter(|word| word.signs & (OUT | APPEND) == OUT);
            files.extend(out.map(|word| word.text));
        }
        let last = first.last().map(|word| word.text);
        let is_added = command(first) == b"ADD";
        if first
            .iter()
            .any(|word| word.text.ends_with(b"DownloadFile"))
        {
            files.extend(last);
        }
        for stage in stages.take_while(|stage| command(stage) == b"tee") {
            let appends = stage.iter().any(|word| word.text == b"-a");
            files.extend(stage[1..].iter().map(|word| word.text).filter(|_| !appends));
        }
        files.retain(|file| !file.starts_with(b"/dev/"));
        // `file=<archive>; wget …/$file`: only then it is there.
        let is_set =
            !statement.does(Does::Fetch) && self.code.assigned_in(statement).next().is_some();
        if files.is_empty() && !is_added && !is_set {
            let addresses = self.code.words(statement).iter();
            let is_own = |word: &Word| !numbers(self.ours, &word.span()).is_empty();
            let addresses = addresses.filter(|word| word.is_address || is_own(word));
            let names = addresses.map(|word| last_part(word.text));
            files.extend(names.filter_map(|name| name.split(|byte| b",?".contains(byte)).next()));
        }
        if is_added {
            files.extend(last);
        }
        files.truncate(16);
        files
    }
}

/// The file that an option of a command names: in the option itself, `-fsSLof`, or, where that is empty, in the word behind it.
fn output<'a>(command: &[u8], word: &'a [u8]) -> Option<&'a [u8]> {
    const LONG: [&[u8]; 4] = [
        b"--output",
        b"--output-document",
        b"-OutFile",
        b"-Destination",
    ];
    if LONG.iter().any(|long| word.eq_ignore_ascii_case(long)) {
        return Some(b"");
    }
    let options = word.strip_prefix(b"-")?;
    // The letter, and those that can stand in front of it; `-O` of curl, and `-o` of wget, are something else.
    let (letter, flags) = match command {
        b"curl" => (b'o', &b"fsSLkgivaGjlnNqRZ0123456#"[..]),
        b"wget" => (b'O', &b"qncNvSbdxrp46"[..]),
        _ => return Some(&b""[..]).filter(|_| matches!(options.last(), Some(b'O' | b'o'))),
    };
    let at = options.iter().position(|option| !flags.contains(option))?;
    (options[at] == letter).then_some(&options[at + 1..])
}
