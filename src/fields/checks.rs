//! What the statements of a Dockerfile hash, and what those compare that use such a hash.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::commands::{Code, Does, EQUALS, Instruction, OUT, Statement, Word, command, stages};
use super::downloads::{Downloads, Of};
use super::spans::is_word;

/// A statement that downloads, hashes or compares something.
struct Step<'c> {
    statement: &'c Statement,
    /// How often its instruction had gone to another folder before.
    moves: usize,
    /// What it downloads, if anything.
    of: Option<Of>,
}

/// What is compared with hashes in a Dockerfile.
pub(super) struct Checks<'a> {
    pub(super) code: Code<'a>,
    /// What each instruction downloads, if anything.
    downloads: Vec<Option<Of>>,
    /// What statements hash, or compare hashes of, in the order of the text.
    checks: Vec<(Range<usize>, Of)>,
    /// The variables that downloads of other programs use, each with the number of the instruction.
    taken: BTreeSet<(usize, &'a [u8])>,
}

impl<'a> Checks<'a> {
    /// Of a text with our archives' addresses, and our version in others, there.
    pub(super) fn new(text: &'a [u8], ours: &[usize], made: &[usize]) -> Self {
        let code = Code::new(text);
        let reading = Downloads::new(&code, ours, made);
        let mut files = Files::default();
        let (mut steps, mut downloads, mut taken) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (number, instruction) in code.instructions.iter().enumerate() {
            let (mut moves, mut all) = (0, None);
            for statement in code.statements_of(instruction) {
                let of = reading.download(statement);
                if let (Some(of), true) = (&of, instruction.is_run) {
                    for name in reading.files(statement) {
                        files.add(name, (number, moves), of);
                    }
                    if *of == Of::Others {
                        let used = code.used(statement).iter();
                        taken.extend(used.map(|(name, _)| (number, *name)));
                    }
                    all = Some(of.clone().and(all));
                }
                steps.push(Step {
                    statement,
                    moves,
                    of,
                });
                moves += count(&code, statement, Does::Move);
            }
            downloads.push(all);
        }
        let mut checks = Vec::new();
        for (number, instruction) in code.instructions.iter().enumerate() {
            let mut actual = Actual::new(&code, instruction);
            let mut lists: BTreeMap<&[u8], Vec<(Range<usize>, Of)>> = BTreeMap::new();
            for step in &steps[instruction.statements.clone()] {
                let (statement, place) = (step.statement, (number, step.moves));
                let of = |name: &[u8]| files.of(name, place);
                if let Some((name, said)) = list(code.words(statement), &of) {
                    let all = lists.entry(name).or_default();
                    all.push((statement.span.clone(), said));
                }
                let names = checked(code.words(statement)).iter();
                let listed = names.filter_map(|name| lists.remove(name.text));
                let listed: Vec<(Range<usize>, Of)> = listed.flatten().collect();
                let all = listed.iter().map(|(_, of)| of.clone());
                let of = all
                    .reduce(|all, one| one.and(Some(all)))
                    .or_else(|| reading.hashed(statement, &step.of, &of));
                checks.extend(listed);
                if let Some(of) = &of {
                    actual.assign(statement, of);
                }
                let of = of.or_else(|| actual.compared(statement));
                checks.extend(of.map(|of| (statement.span.clone(), of)));
            }
        }
        checks.sort_by_key(|(statement, _)| statement.start);
        Self {
            checks,
            downloads,
            taken,
            code,
        }
    }

    /// What an instruction downloads, if anything.
    pub(super) fn download(&self, number: usize) -> &Option<Of> {
        &self.downloads[number]
    }

    /// What the statement at a place hashes, or compares.
    pub(super) fn compared(&self, at: usize) -> Option<&Of> {
        let before = |(statement, _): &(Range<usize>, Of)| statement.end <= at;
        let (statement, of) = self.checks.get(self.checks.partition_point(before))?;
        statement.contains(&at).then_some(of)
    }

    /// What all statements in a span hash that use a variable, and whether any does; no file has so many of them that some are
    /// left out here.
    pub(super) fn compared_with(&self, name: &[u8], span: &Range<usize>) -> (Option<Of>, bool) {
        let uses = self.code.uses_of(name, span).iter().take(64);
        let compared = uses.clone().filter_map(|(_, at)| self.compared(*at));
        let of = compared.cloned().reduce(|all, one| one.and(Some(all)));
        (of, uses.len() > 0)
    }

    /// Whether a download of another program in that instruction uses a variable.
    pub(super) fn is_taken(&self, number: usize, name: &[u8]) -> bool {
        self.taken.contains(&(number, name))
    }
}

fn count(code: &Code, statement: &Statement, does: Does) -> usize {
    let words = code.words(statement).iter();
    words.filter(|word| word.does == Some(does)).count()
}

/// The list of hashes that a statement writes, and what of: `echo "$SHA256  f" > f.sha256`.
fn list<'a>(words: &[Word<'a>], of: &dyn Fn(&[u8]) -> Option<Of>) -> Option<(&'a [u8], Of)> {
    if !matches!(command(words), b"echo" | b"printf") {
        return None;
    }
    let (name, said) = stages(words).next()?.split_last()?;
    let of = said.iter().filter_map(|word| of(word.text));
    let of = of.reduce(|all, one| one.and(Some(all)));
    of.filter(|_| name.signs & OUT != 0)
        .map(|of| (name.text, of))
}

/// The lists of hashes that a statement checks, among other words: `sha256sum -c f.sha256`.
fn checked<'w, 'a>(words: &'w [Word<'a>]) -> &'w [Word<'a>] {
    let first = stages(words).next().unwrap_or_default();
    let is_check = |word: &Word| {
        let is_short = word.text.starts_with(b"-") && word.text.len() < 4;
        word.text == b"--check" || is_short && word.text.ends_with(b"c")
    };
    match command(first).ends_with(b"sha256sum") && first.iter().any(is_check) {
        true => first,
        false => &[],
    }
}

/// The variables that hold the hash of a file, in an instruction.
struct Actual<'c, 'a> {
    code: &'c Code<'a>,
    instruction: &'c Instruction,
    hashes: BTreeMap<Vec<u8>, Of>,
    /// How often something is assigned to each variable; counted when the first one holds a hash.
    assignments: OnceCell<BTreeMap<Vec<u8>, usize>>,
}

impl<'c, 'a> Actual<'c, 'a> {
    fn new(code: &'c Code<'a>, instruction: &'c Instruction) -> Self {
        Self {
            code,
            instruction,
            hashes: BTreeMap::new(),
            assignments: OnceCell::new(),
        }
    }

    /// Keeps what a statement hashes, if it assigns the hash to a variable: one that has no other value there.
    fn assign(&mut self, statement: &Statement, of: &Of) {
        let Some(name) = self.assigned(statement) else {
            return;
        };
        let of = match self.assignments.get_or_init(|| self.count()).get(&name) {
            Some(1) => of.clone(),
            _ => Of::Unclear,
        };
        self.hashes.insert(name, of);
    }

    /// The variable to which a statement assigns what it hashes: `$h = (Get-FileHash f).Hash`, `h="$(sha256sum f | cut -c 1-64)"`.
    fn assigned(&self, statement: &Statement) -> Option<Vec<u8>> {
        let first = self.code.used(statement).first();
        let first = first.filter(|one| self.code.is_assigned(**one));
        let mut words = self.code.words(statement).iter();
        let name = first.map(|(name, _)| *name).or_else(|| {
            let name = words.find(|word| self.is_name(word))?;
            let value = words.next()?;
            (value.does == Some(Does::Hash)).then_some(name.text)
        });
        name.map(<[u8]>::to_ascii_lowercase)
    }

    /// Whether a shell assigns something to what a word is the name of.
    fn is_name(&self, word: &Word) -> bool {
        let is_plain = word.text.iter().all(|byte| is_word(*byte));
        is_plain && self.code.text.get(word.span().end) == Some(&b'=')
    }

    /// How often something is assigned to each variable, other than what is made of it: `$h = $h.ToLower()`. Windows knows no case.
    fn count(&self) -> BTreeMap<Vec<u8>, usize> {
        let mut counts = BTreeMap::new();
        let statements = self.code.statements_of(self.instruction);
        for statement in statements {
            // `Set-Variable h …`: nobody knows which.
            if count(self.code, statement, Does::Assign) > 0 {
                return BTreeMap::new();
            }
            let words = self.code.words(statement).iter();
            for word in words.filter(|word| self.is_name(word)) {
                *counts.entry(word.text.to_ascii_lowercase()).or_default() += 1;
            }
            let mut uses = self.code.used(statement).iter().peekable();
            while let Some((name, at)) = uses.next() {
                let is_made = uses.peek().is_some_and(|(next, next_at)| {
                    let between = &self.code.text[at + name.len()..*next_at];
                    let is_sign = |byte: &u8| b" =${}(\"".contains(byte);
                    next.eq_ignore_ascii_case(name) && between.iter().all(is_sign)
                });
                if self.code.is_assigned((name, *at)) && !is_made {
                    *counts.entry(name.to_ascii_lowercase()).or_default() += 1;
                }
            }
        }
        counts
    }

    /// What the variables hold the hash of that a statement compares.
    fn compared(&self, statement: &Statement) -> Option<Of> {
        let mut words = self.code.words(statement).iter();
        let compares = |word: &Word| word.does == Some(Does::Compare) || word.signs & EQUALS != 0;
        if self.hashes.is_empty() || !words.any(compares) {
            return None;
        }
        let used = self.code.used(statement).iter();
        // `$env:h` is another variable.
        let own = used.filter(|(_, at)| !self.code.text[..*at].ends_with(b":"));
        let of = own.filter_map(|(name, _)| self.hashes.get(&name.to_ascii_lowercase()).cloned());
        of.reduce(|all, one| one.and(Some(all)))
    }
}

/// The files that are downloaded: by their names in each instruction, where one name is one file's, and by whole paths in all.
#[derive(Default)]
struct Files<'a> {
    named: BTreeMap<(usize, Cow<'a, [u8]>), Named<'a>>,
    whole: BTreeMap<Cow<'a, [u8]>, Of>,
}

/// What has a name; and how that was written, and how often the instruction had gone to another folder before, where that was the same
/// each time.
struct Named<'a> {
    of: Of,
    written: Option<(Cow<'a, [u8]>, usize)>,
}

impl<'a> Files<'a> {
    /// Adds one; `place` is the number of its instruction, and how often that had gone to another folder before.
    fn add(&mut self, path: &'a [u8], place: (usize, usize), of: &Of) {
        let (is_whole, path, name) = names(path);
        let moves = if is_whole { 0 } else { place.1 };
        if is_whole {
            let other = self.whole.remove(&path);
            self.whole.insert(path.clone(), of.clone().and(other));
        }
        let key = (place.0, name);
        let (of, written) = (of.clone(), Some((path, moves)));
        let named = match self.named.remove(&key) {
            None => Named { of, written },
            Some(other) => Named {
                of: of.and(Some(other.of)),
                written: written.filter(|written| other.written.as_ref() == Some(written)),
            },
        };
        self.named.insert(key, named);
    }

    /// What a file is that an instruction names there.
    fn of(&self, path: &[u8], place: (usize, usize)) -> Option<Of> {
        let (is_whole, path, name) = names(path);
        let moves = if is_whole { 0 } else { place.1 };
        let whole = self.whole.get(&path).filter(|_| is_whole).cloned();
        match self.named.get(&(place.0, name)) {
            None => whole,
            Some(named) if named.written == Some((path, moves)) => {
                Some(named.of.clone().and(whole))
            }
            Some(_) => Some(Of::Unclear),
        }
    }
}

/// Whether a path is a whole one, the path, and the name at its end; in one spelling.
fn names(path: &[u8]) -> (bool, Cow<'_, [u8]>, Cow<'_, [u8]>) {
    let here = path.strip_prefix(b"./").or(path.strip_prefix(b".\\"));
    let path = here.unwrap_or(path);
    let is_whole = path.starts_with(b"/") || path.get(1) == Some(&b':');
    let is_odd = |byte: &u8| byte.is_ascii_uppercase() || b"{}\\".contains(byte);
    let name = |path: &[u8]| memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1);
    if !path.iter().any(is_odd) {
        let at = name(path);
        return (is_whole, path.into(), path[at..].into());
    }
    // `${name}` is `$name`; Windows knows no case.
    let plain = path.iter().filter(|byte| !b"{}".contains(byte));
    let plain = plain.map(|byte| match byte {
        b'\\' => b'/',
        other => other.to_ascii_lowercase(),
    });
    let plain: Vec<u8> = plain.collect();
    let file = plain[name(&plain)..].to_vec();
    (is_whole, plain.into(), file.into())
}
