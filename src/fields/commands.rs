//! The commands of a Dockerfile, read once: its instructions, their statements, the words of those, and the variables that they
//! use. What is downloaded and hashed by them is for others to say.

mod does;

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::ops::Range;

pub(super) use self::does::Does;
use self::does::does;
use super::spans::{
    self, is_digit, is_escape, is_hex, is_word, last_word, past, past_any_case, skip, unquoted,
};

/// What stands between a word and the one in front of it: a pipe, `>` but not `>&`, `>>`.
pub(super) const PIPE: u8 = 1;
pub(super) const OUT: u8 = 2;
pub(super) const APPEND: u8 = 4;

/// A word of a statement, without quotes and brackets; an address is one whatever is in it.
pub(super) struct Word<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    pub(super) is_address: bool,
    pub(super) does: Option<Does>,
    pub(super) signs: u8,
    /// It is a variable to which a shell assigns something.
    is_set: bool,
}

impl Word<'_> {
    pub(super) fn span(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }
}

/// A command, with what is piped into it and what it is piped into.
pub(super) struct Statement {
    pub(super) span: Range<usize>,
    /// How many brackets are open where it begins, and ends: a change of folder inside of them ends with them.
    pub(super) depth: (usize, usize),
    /// What its words do, a bit each.
    does: u8,
    words: Range<usize>,
    uses: Range<usize>,
}

impl Statement {
    /// Whether any of its words does that.
    pub(super) fn does(&self, does: Does) -> bool {
        self.does & 1 << does as u8 != 0
    }
}

/// An instruction, with the lines in which it goes on.
pub(super) struct Instruction {
    pub(super) span: Range<usize>,
    /// It runs commands, or fetches a file itself.
    pub(super) is_run: bool,
    /// It asks `apk` for the architecture.
    pub(super) is_by_apk: bool,
    pub(super) statements: Range<usize>,
}

/// Where a variable is used, or assigned to: its name, and where that stands.
pub(super) type Use<'a> = (&'a [u8], usize);

/// A Dockerfile as commands.
#[derive(Default)]
pub(super) struct Code<'a> {
    pub(super) text: &'a [u8],
    pub(super) instructions: Vec<Instruction>,
    pub(super) statements: Vec<Statement>,
    words: Vec<Word<'a>>,
    /// In the order of the text.
    uses: Vec<Use<'a>>,
    /// In the order of their names, and of the text for each.
    by_name: Vec<Use<'a>>,
    /// Where something is assigned to variables, in the same order but for case, since PowerShell ignores that.
    assigned: OnceCell<Vec<Use<'a>>>,
}

impl<'a> Code<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        let mut reader = Reader::default();
        reader.code.text = text;
        // About as many as Dockerfiles have: growing costs more than reading.
        reader.code.words.reserve(text.len() / 8);
        reader.code.statements.reserve(text.len() / 64);
        reader.code.uses.reserve(text.len() / 64);
        reader.read();
        let mut code = reader.code;
        code.by_name = code.uses.clone();
        code.by_name.sort_unstable();
        code
    }

    /// The variables to which a statement assigns something, each with where it does.
    pub(super) fn assigned_in(&self, statement: &Statement) -> impl Iterator<Item = Use<'a>> {
        let set = self.words(statement).iter().filter(|word| word.is_set);
        let set = set.map(|word| (last_word(name_set(word.text)), word.at));
        let uses = self.used(statement).iter().enumerate();
        let uses = uses.filter(|(number, one)| {
            let next = self.used(statement).get(number + 1);
            self.is_assigned(**one) && !next.is_some_and(|next| self.is_same(**one, *next))
        });
        set.chain(uses.map(|(_, one)| *one))
    }

    /// Whether what is assigned to a variable is its own value in other letters: `$h = $h.ToLower()`.
    fn is_same(&self, (name, at): Use, (next, next_at): Use) -> bool {
        let between = &self.text[at + name.len()..next_at];
        let is_sign = |byte: &u8| b" =${}(\"".contains(byte);
        let behind = &self.text[next_at + next.len()..];
        let mut methods = [&b".ToLower("[..], b".ToUpper(", b".Trim("].into_iter();
        next.eq_ignore_ascii_case(name)
            && between.iter().all(is_sign)
            && methods.any(|method| behind.starts_with(method))
    }

    /// How often something is assigned to a variable in a span.
    pub(super) fn assignments(&self, name: &[u8], span: &Range<usize>) -> usize {
        let assigned = self.assigned.get_or_init(|| {
            let statements = self.statements.iter();
            let mut all: Vec<Use> = statements.flat_map(|one| self.assigned_in(one)).collect();
            all.sort_unstable_by(ignoring_case);
            all
        });
        let number =
            |at: usize| assigned.partition_point(|one| ignoring_case(one, &(name, at)).is_lt());
        number(span.end).saturating_sub(number(span.start))
    }

    pub(super) fn all_words(&self) -> &[Word<'a>] {
        &self.words
    }

    pub(super) fn words(&self, statement: &Statement) -> &[Word<'a>] {
        &self.words[statement.words.clone()]
    }

    /// The span of the word at a place; a comment has no words.
    pub(super) fn word_at(&self, at: usize) -> Option<Range<usize>> {
        let number = self.words.partition_point(|word| word.span().end <= at);
        let word = self.words.get(number)?.span();
        word.contains(&at).then_some(word)
    }

    /// The statements of an instruction.
    pub(super) fn statements_of(&self, instruction: &Instruction) -> &[Statement] {
        &self.statements[instruction.statements.clone()]
    }

    /// The statement at a place, if it has words.
    pub(super) fn statement_at(&self, at: usize) -> Option<&Statement> {
        let number = self.statements.partition_point(|one| one.span.end <= at);
        let statement = self.statements.get(number)?;
        statement.span.contains(&at).then_some(statement)
    }

    /// The number of the instruction at a place.
    pub(super) fn number(&self, at: usize) -> usize {
        let last = self.instructions.len().saturating_sub(1);
        let number = self.instructions.partition_point(|one| one.span.end <= at);
        number.min(last)
    }

    /// The variables that a statement uses.
    pub(super) fn used(&self, statement: &Statement) -> &[Use<'a>] {
        &self.uses[statement.uses.clone()]
    }

    /// The variables that are used in a span.
    pub(super) fn used_in(&self, span: &Range<usize>) -> &[Use<'a>] {
        let number = |at: usize| self.uses.partition_point(|(_, use_at)| *use_at < at);
        &self.uses[number(span.start)..number(span.end)]
    }

    /// The uses of one variable in a span.
    pub(super) fn uses_of(&self, name: &[u8], span: &Range<usize>) -> &[Use<'a>] {
        let number = |at: usize| self.by_name.partition_point(|one| *one < (name, at));
        let (start, end) = (number(span.start), number(span.end));
        &self.by_name[start..end.max(start)]
    }

    /// Whether PowerShell assigns something to a variable there.
    pub(super) fn is_assigned(&self, (name, at): Use) -> bool {
        let end = past(self.text, at + name.len(), b"}");
        let sign = skip(self.text, end, |byte| byte == b' ');
        let sign = past(self.text, sign, b"+");
        self.text[sign..].starts_with(b"=") && !self.text[sign..].starts_with(b"==")
    }
}

/// An order of names without regard to case, the short ones first, and of places for each.
fn ignoring_case((name, at): &Use, (other, other_at): &Use) -> Ordering {
    let length = name.len().cmp(&other.len());
    let [name, other] = [name, other].map(|name| name.iter().map(u8::to_ascii_lowercase));
    length.then_with(|| name.cmp(other)).then(at.cmp(other_at))
}

/// The name in front of a `=` or a `+=`.
fn name_set(word: &[u8]) -> &[u8] {
    word.strip_suffix(b"+").unwrap_or(word)
}

/// Whether a word, in front of that, is a variable to which a shell assigns something, rather than nothing: `url=; case …`.
fn is_set(word: &[u8], behind: &[u8]) -> bool {
    let Some(value) = behind.strip_prefix(b"=") else {
        return false;
    };
    let first = value.get(unquoted(value, 0));
    first.is_some_and(|byte| !b" ;=\"'\r\n".contains(byte))
        && name_set(word).iter().all(|byte| is_word(*byte))
}

/// The commands of a statement that are piped into one another.
pub(super) fn stages<'w, 'a>(words: &'w [Word<'a>]) -> impl Iterator<Item = &'w [Word<'a>]> {
    words.chunk_by(|_, next| next.signs & PIPE == 0)
}

/// What can stand in front of a command.
const OPENING: [&[u8]; 9] = [
    b"RUN", b"run", b"if", b"then", b"else", b"do", b"while", b"exec", b"sudo",
];

/// The words behind which the name of a variable stands that is set.
const SETTING: [&[u8]; 7] = [
    b"for", b"foreach", b"read", b"ENV", b"unset", b"mapfile", b"-v",
];

/// The words in front of the command that words begin with.
pub(super) fn opening<'w, 'a>(words: &'w [Word<'a>]) -> &'w [Word<'a>] {
    let is_first = |word: &Word| !OPENING.contains(&word.text) && !word.text.starts_with(b"--");
    &words[..words.iter().position(is_first).unwrap_or(words.len())]
}

/// The command that words begin with.
pub(super) fn command<'a>(words: &[Word<'a>]) -> &'a [u8] {
    let first = words.get(opening(words).len());
    first.map_or(b"", |word| word.text)
}

/// A Dockerfile that is being read.
#[derive(Default)]
struct Reader<'a> {
    code: Code<'a>,
    /// Where the instruction under way begins, and the number of its first statement.
    instruction: (usize, usize),
    /// Where the statement under way begins, and the numbers of its first word and its first use of a variable.
    statement: (usize, usize, usize),
    /// The signs since the last word of the statement.
    signs: u8,
    /// How many brackets are open, and were where the statement began.
    depth: usize,
    opened: usize,
}

impl<'a> Reader<'a> {
    /// Continued lines are one instruction, with the comments between them and in front of it; so are the lines of a heredoc.
    fn read(&mut self) {
        let text = self.code.text;
        let mut at = 0;
        let mut closes: Option<&[u8]> = None;
        let newlines = memchr::memchr_iter(b'\n', text).map(|newline| newline + 1);
        for next in newlines.chain([text.len()]) {
            let (begin, line) = (at, &text[at..next]);
            at = next;
            let code = line.trim_ascii();
            let in_heredoc = closes.is_some();
            if closes.is_some_and(|word| code == word) {
                closes = None;
            } else if let (None, Some(opens)) = (closes, heredoc(line)) {
                let word = &line[skip(line, opens + 2, |byte| b"-\"'".contains(&byte))..];
                let end = skip(word, 0, is_word);
                closes = Some(&word[..end]).filter(|word| !word.is_empty());
            }
            let is_comment = code.starts_with(b"#");
            // An empty line does not end what goes on, either.
            let goes_on = match is_comment || code.is_empty() {
                true => !in_heredoc,
                false => matches!(code.last(), Some(b'\\' | b'`')),
            };
            if !is_comment {
                let end = begin + line.trim_ascii_end().len();
                self.line(begin, end.saturating_sub(usize::from(goes_on)).max(begin));
            }
            if goes_on {
                continue;
            }
            self.end_statement(at);
            if closes.is_none() {
                self.end_instruction(at);
            }
        }
        if self.instruction.0 < text.len() {
            self.end_statement(at);
            self.end_instruction(at);
        }
    }

    fn end_statement(&mut self, end: usize) {
        let (start, words, uses) = self.statement;
        if words < self.code.words.len() {
            let does = self.code.words[words..].iter().filter_map(|word| word.does);
            let does = does.fold(0, |all, one| all | 1 << one as u8);
            self.code.statements.push(Statement {
                span: start..end,
                depth: (self.opened, self.depth),
                does,
                words: words..self.code.words.len(),
                uses: uses..self.code.uses.len(),
            });
        }
        self.statement = (end, self.code.words.len(), self.code.uses.len());
        (self.signs, self.opened) = (0, self.depth);
    }

    fn end_instruction(&mut self, end: usize) {
        let (start, first) = self.instruction;
        let from = self.code.statements.get(first).map(|one| one.words.start);
        let words = from.map_or(&[][..], |from| &self.code.words[from..]);
        let runs = [&b"RUN"[..], b"ADD", b"ONBUILD"];
        let is_run = |word: &Word| runs.iter().any(|run| word.text.eq_ignore_ascii_case(run));
        let asks = |two: &[Word]| two[0].text == b"apk" && two[1].text == b"--print-arch";
        self.code.instructions.push(Instruction {
            span: start..end,
            is_run: words.first().is_some_and(is_run),
            is_by_apk: words.windows(2).any(asks),
            statements: first..self.code.statements.len(),
        });
        self.instruction = (end, self.code.statements.len());
    }

    /// Reads the words of a line, up to the sign at its end that it goes on.
    fn line(&mut self, mut at: usize, end: usize) {
        let text = self.code.text;
        while at < end {
            let next = text.get(at + 1);
            match text[at] {
                b';' => self.end_statement(at + 1),
                b'&' if next == Some(&b'&') => self.end_statement(at + 1),
                b'|' => self.signs |= PIPE,
                b'>' if next == Some(&b'>') => self.signs |= OUT | APPEND,
                b'>' if next != Some(&b'&') => self.signs |= OUT,
                b'(' => self.depth += 1,
                b')' => self.depth = self.depth.saturating_sub(1),
                byte if BETWEEN[usize::from(byte)] => {}
                _ => {
                    at = self.word(at, end);
                    continue;
                }
            }
            at += 1;
        }
    }

    /// Reads the word at a place. Returns where to go on.
    fn word(&mut self, start: usize, end: usize) -> usize {
        let text = self.code.text;
        let (mut at, mut is_address) = (start, false);
        loop {
            let plain = text[at..end].iter();
            at += plain
                .take_while(|byte| !SPECIAL[usize::from(**byte)])
                .count();
            if at == end {
                break;
            }
            match text[at] {
                b'$' => {
                    // `$($env:NAME)`, part of an address.
                    let is_inside = is_address && text[at..].starts_with(b"$($");
                    let close = is_inside.then(|| spans::variable(text, at)).flatten();
                    let from = if close.is_some() { at + 2 } else { at };
                    self.code.uses.extend(variable(text, from));
                    if let Some(close) = close {
                        at = close.min(end);
                        continue;
                    }
                }
                b':' => is_address |= text[at..end].starts_with(b"://"),
                b'\\' => {
                    let (behind, is_blank) = escapes(text, at);
                    if is_blank && at == start {
                        return behind;
                    }
                    if is_blank {
                        break;
                    }
                    at = behind.max(at + 1).min(end);
                    continue;
                }
                b'&' if text.get(at + 1) == Some(&b'&') => break,
                b'[' | b']' | b',' | b'*' | b'=' | b'&' if is_address => {}
                _ => break,
            }
            at += 1;
        }
        let word = &text[start..at];
        if word.iter().any(|byte| is_word(*byte)) {
            let signs = std::mem::take(&mut self.signs);
            let before = self.code.words[self.statement.1..].last();
            let is_opened = before.is_some_and(|before| SETTING.contains(&before.text));
            self.code.words.push(Word {
                text: word,
                at: start,
                is_address,
                // A file may be called like a command.
                does: does(word).filter(|_| signs & OUT == 0),
                signs,
                is_set: is_opened || is_set(word, &text[at..]),
            });
        }
        at
    }
}

/// The bytes that are between words, and those that mean something in them.
static BETWEEN: [bool; 256] = table(b" \t\n\x0b\x0c\r\"'`()[]<>|&;,*=");
static SPECIAL: [bool; 256] = table(b" \t\n\x0b\x0c\r\"'`()[]<>|&;,*=$:\\");

const fn table(bytes: &[u8]) -> [bool; 256] {
    let (mut all, mut at) = ([false; 256], 0);
    while at < bytes.len() {
        all[bytes[at] as usize] = true;
        at += 1;
    }
    all
}

/// Where the escapes for line breaks and tabs end that begin at a place, and whether they are that: in front of a hash or a
/// variable, or at the end of a string. Otherwise they are part of a Windows path.
fn escapes(text: &[u8], at: usize) -> (usize, bool) {
    let mut end = at;
    // In a list of words it is `\\n`.
    let letter = |end: usize| end + 1 + usize::from(text.get(end + 1) == Some(&b'\\'));
    while text.get(end) == Some(&b'\\') && is_escape(text, letter(end)) {
        end = letter(end) + 1;
    }
    let behind = &text[end..];
    let is_hash = behind.get(..32).is_some_and(is_hex);
    let is_end = matches!(behind.first(), Some(b'"' | b'\'' | b'$' | b'%'));
    (end, end > at && (is_end || is_hash))
}

/// Where a heredoc opens in a line; `$((1<<2))` is none.
fn heredoc(line: &[u8]) -> Option<usize> {
    let opens = |at: &usize| {
        let next = line.get(at + 2).copied().unwrap_or_default();
        line.get(at + 1) == Some(&b'<') && !is_digit(next)
    };
    memchr::memchr_iter(b'<', line).find(opens)
}

/// The variable that is used at a `$`: `$name`, `${name}`, `$env:name`, `$script:name`.
fn variable(text: &[u8], at: usize) -> Option<Use<'_>> {
    let mut name = past(text, at + 1, b"{");
    for scope in [&b"env:"[..], b"script:", b"global:", b"local:", b"private:"] {
        name = past_any_case(text, name, scope);
    }
    let end = skip(text, name, is_word);
    (end > name).then(|| (&text[name..end], name))
}
