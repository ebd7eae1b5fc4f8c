//! What the statements of a Dockerfile hash, and what those compare that use such a hash.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::commands::{
    Code, Does, EQUALS, Instruction, OUT, Statement, Word, command, count, stages,
};
use super::downloads::{Downloads, Of};

/// Where a statement stands.
#[derive(Clone, Copy)]
struct Place {
    /// The number of its instruction.
    number: usize,
    /// How often that had gone to another folder before.
    moves: usize,
    /// Where it begins in the text.
    at: usize,
}

/// A statement that downloads, hashes or compares something.
struct Step<'c> {
    statement: &'c Statement,
    place: Place,
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
                let at = statement.span.start;
                let place = Place { number, moves, at };
                for name in reading.rewritten(statement) {
                    files.add(name, place, &Of::Unclear);
                }
                if let (Some(of), true) = (&of, instruction.is_run) {
                    for name in reading.files(statement) {
                        files.add(name, place, of);
                    }
                    if *of == Of::Others {
                        let used = code.used(statement).iter();
                        taken.extend(used.map(|(name, _)| (number, *name)));
                    }
                    all = Some(of.clone().and(all));
                }
                steps.push(Step {
                    statement,
                    place,
                    of,
                });
                moves += count(code.words(statement), Does::Move);
            }
            downloads.push(all);
        }
        let mut checks = Vec::new();
        for instruction in &code.instructions {
            let mut actual = Actual::new(&code, instruction);
            let mut lists = Lists::default();
            for step in &steps[instruction.statements.clone()] {
                let statement = step.statement;
                let of = |name: &[u8]| files.of(name, step.place);
                lists.add(&code, statement);
                let listed = lists.checked(&code, statement, &of);
                let of = Of::all(listed.iter().map(|(_, of)| of.clone()))
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
        (Of::all(compared.cloned()), uses.len() > 0)
    }

    /// Whether a download of another program in that instruction uses a variable.
    pub(super) fn is_taken(&self, number: usize, name: &[u8]) -> bool {
        self.taken.contains(&(number, name))
    }
}

/// The lists of hashes that an instruction has written: `echo "$SHA256  f" > f.sha256`.
#[derive(Default)]
struct Lists<'c, 'a> {
    written: BTreeMap<&'a [u8], Vec<&'c Statement>>,
}

impl<'c, 'a> Lists<'c, 'a> {
    /// Adds the one that a statement writes, if any.
    fn add(&mut self, code: &Code<'a>, statement: &'c Statement) {
        let words = code.words(statement);
        let name = words.last().filter(|name| name.signs & OUT != 0);
        if let Some(name) = name.filter(|_| [&b"echo"[..], b"printf"].contains(&command(words))) {
            self.written.entry(name.text).or_default().push(statement);
        }
    }

    /// The statements that have written the lists which a statement checks, `sha256sum -c f.sha256`, and what each says a hash of.
    fn checked(
        &mut self,
        code: &Code<'a>,
        statement: &Statement,
        of: &dyn Fn(&[u8]) -> Option<Of>,
    ) -> Vec<(Range<usize>, Of)> {
        let words = stages(code.words(statement)).next().unwrap_or_default();
        let is_check = |word: &Word| {
            let is_short = word.text.starts_with(b"-") && word.text.len() < 4;
            word.text == b"--check" || is_short && word.text.ends_with(b"c")
        };
        if !words.iter().any(is_check) || !command(words).ends_with(b"sha256sum") {
            return Vec::new();
        }
        let lists = words.iter();
        let lists = lists.filter_map(|name| self.written.remove(name.text));
        let said = lists.flatten().filter_map(|list| {
            let words = code.words(list).iter().rev().skip(1);
            let of = Of::all(words.filter_map(|word| of(word.text)))?;
            Some((list.span.clone(), of))
        });
        said.collect()
    }
}

/// The variables that hold the hash of a file, in an instruction.
struct Actual<'c, 'a> {
    code: &'c Code<'a>,
    instruction: &'c Instruction,
    hashes: BTreeMap<Vec<u8>, Of>,
    /// Whether a command sets variables there, `Set-Variable h …`: nobody knows which.
    is_set: bool,
}

impl<'c, 'a> Actual<'c, 'a> {
    fn new(code: &'c Code<'a>, instruction: &'c Instruction) -> Self {
        let mut statements = code.statements_of(instruction).iter();
        Self {
            code,
            instruction,
            hashes: BTreeMap::new(),
            is_set: statements.any(|one| count(code.words(one), Does::Assign) > 0),
        }
    }

    /// Keeps what a statement hashes, if it assigns the hash to a variable: one that has no other value there.
    fn assign(&mut self, statement: &Statement, of: &Of) {
        let Some(name) = self.assigned(statement) else {
            return;
        };
        let of = match self.code.assignments(&name, &self.instruction.span) {
            1 if !self.is_set => of.clone(),
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
            let name = words.find(|word| self.code.is_set(word))?;
            let value = words.next()?;
            (value.does == Some(Does::Hash)).then_some(name.text)
        });
        name.map(<[u8]>::to_ascii_lowercase)
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
        Of::all(own.filter_map(|(name, _)| self.hashes.get(&name.to_ascii_lowercase()).cloned()))
    }
}

/// The files that are downloaded: by their names in each instruction, where one name is one file's, and by whole paths in all.
#[derive(Default)]
struct Files<'a> {
    named: BTreeMap<(usize, Cow<'a, [u8]>), Named<'a>>,
    whole: BTreeMap<Cow<'a, [u8]>, (Of, usize)>,
}

/// What has a name, and where that was written first; and how it was written, and how often the instruction had gone to another folder
/// before, where that was the same each time.
struct Named<'a> {
    of: Of,
    first: usize,
    written: Option<(Cow<'a, [u8]>, usize)>,
}

impl<'a> Files<'a> {
    /// Adds one that a statement writes there.
    fn add(&mut self, path: &'a [u8], place: Place, of: &Of) {
        let (is_whole, path, name) = names(path);
        let moves = if is_whole { 0 } else { place.moves };
        if is_whole {
            let (other, first) = self.whole.remove(&path).unzip();
            let all = (of.clone().and(other), first.unwrap_or(place.at));
            self.whole.insert(path.clone(), all);
        }
        let key = (place.number, name);
        let (of, written) = (of.clone(), Some((path, moves)));
        let named = match self.named.remove(&key) {
            None => Named {
                of,
                first: place.at,
                written,
            },
            Some(other) => Named {
                of: of.and(Some(other.of)),
                first: other.first,
                written: written.filter(|written| other.written.as_ref() == Some(written)),
            },
        };
        self.named.insert(key, named);
    }

    /// What a file is that a statement names there; what is written behind it was another one before.
    fn of(&self, path: &[u8], place: Place) -> Option<Of> {
        let (is_whole, path, name) = names(path);
        let moves = if is_whole { 0 } else { place.moves };
        let whole = self.whole.get(&path);
        let whole = whole.filter(|(_, first)| is_whole && *first <= place.at);
        let whole = whole.map(|(of, _)| of.clone());
        let named = self.named.get(&(place.number, name));
        match named.filter(|named| named.first <= place.at) {
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
