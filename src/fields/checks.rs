//! What the statements of a Dockerfile hash: files that their own instruction has downloaded before.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::commands::{Code, Does, Instruction, Statement};
use super::downloads::{Downloads, Of, Own};
use super::failures::end_the_build;
use super::spans::{has, last_part, variable};

/// What is hashed in a Dockerfile.
pub(super) struct Checks<'a> {
    pub(super) code: Code<'a>,
    /// What each instruction downloads, if anything.
    pub(super) downloads: Vec<Option<Of>>,
    /// What statements hash, or compare, in the order of the text.
    checks: Vec<(Range<usize>, Of)>,
    /// The variables that downloads of other programs use, each with the number of the instruction.
    pub(super) taken: BTreeSet<(usize, &'a [u8])>,
    /// Where hashes of ours are compared, and a difference does not end the build.
    pub(super) unheeded: Vec<usize>,
}

impl<'a> Checks<'a> {
    /// For a text; `ours` are the places of addresses of our archives, `made` those of our version, or of our project, in other
    /// addresses.
    pub(super) fn new(text: &'a [u8], (ours, made): (&[usize], &[usize]), own: &Own) -> Self {
        let code = Code::new(text);
        let reading = Downloads::new(&code, (ours, made), own);
        let mut checks: Vec<(Range<usize>, Of)> = Vec::new();
        let (mut downloads, mut taken) = (Vec::new(), BTreeSet::new());
        let mut unheeded = Vec::new();
        for (number, instruction) in code.instructions.iter().enumerate() {
            let (mut files, mut is_moved) = (Files::default(), false);
            // How many brackets are open where the folder was changed.
            let mut away: Option<usize> = None;
            let mut all: Option<Of> = None;
            let first = checks.len();
            let mut held = Held {
                code: &code,
                instruction,
                is_set: OnceCell::new(),
                hashes: BTreeMap::new(),
            };
            for statement in code.statements_of(instruction) {
                let download = reading.download(statement);
                // In another folder a file of the same name is another one.
                let moves = statement.does(Does::Move);
                is_moved |= away.is_some_and(|depth| statement.depth.0 < depth);
                if moves && statement.depth.1 > 0 {
                    away = away.max(Some(statement.depth.1));
                }
                if !files.known.is_empty() {
                    is_moved |= moves;
                    match reading.changed(statement) {
                        Some(names) => names.iter().for_each(|name| files.change(name)),
                        None => files.change_all(),
                    }
                }
                if let (Some(of), true) = (download, instruction.is_run) {
                    for name in reading.files(statement) {
                        // By the time of the check a variable may say something else.
                        let rest = statement.span.end..instruction.span.end;
                        let used = code.used(statement).iter();
                        let mut inside = used.filter(|(variable, _)| has(name, variable));
                        let is_open =
                            inside.any(|(variable, _)| code.assignments(variable, &rest) > 0);
                        // What was checked is not there any more.
                        if of == Of::Others && matches!(files.of(name), Some(Of::Ours(_))) {
                            let before = checks[first..].iter_mut();
                            before.for_each(|(_, checked)| *checked = Of::Unclear);
                        }
                        files.add(name, if is_open { Of::Unclear } else { of });
                    }
                    if of == Of::Others {
                        let used = code.used(statement).iter();
                        taken.extend(used.map(|(name, _)| (number, *name)));
                    }
                    all = Some(of.and(all));
                }
                let of = |name: &[u8]| match files.of(name) {
                    Some(_) if is_moved => Some(Of::Unclear),
                    of => of,
                };
                let hashed = reading.hashed(statement, download, &of);
                if let Some(of) = hashed {
                    held.add(statement, of);
                }
                let of = hashed.or_else(|| held.compared(statement));
                if matches!(of, Some(Of::Ours(_)))
                    && code.assigned_in(statement).next().is_none()
                    && !end_the_build(&code, instruction, statement)
                {
                    unheeded.extend(code.words(statement).first().map(|word| word.at));
                }
                checks.extend(of.map(|of| (statement.span.clone(), of)));
            }
            downloads.push(all);
        }
        Self {
            checks,
            downloads,
            taken,
            unheeded,
            code,
        }
    }

    /// What the statement at a place hashes, or compares.
    pub(super) fn compared(&self, at: usize) -> Option<Of> {
        let before = |(statement, _): &(Range<usize>, Of)| statement.end <= at;
        let (statement, of) = self.checks.get(self.checks.partition_point(before))?;
        statement.contains(&at).then_some(*of)
    }

    /// What all statements in a span hash that use a variable, and whether any uses it. Only the first 64 uses are looked at: no
    /// file has more.
    pub(super) fn compared_with(&self, name: &[u8], span: &Range<usize>) -> (Option<Of>, bool) {
        let uses = self.code.uses_of(name, span).iter().take(64);
        let compared = uses.clone().filter_map(|(_, at)| self.compared(*at));
        (Of::all(compared), uses.len() > 0)
    }
}

/// The variables of PowerShell that hold the hash of a file, in an instruction: `$h = (Get-FileHash f).Hash`.
struct Held<'c, 'a> {
    code: &'c Code<'a>,
    instruction: &'c Instruction,
    /// Whether a command there sets variables whose names are not in front of a `=`.
    is_set: OnceCell<bool>,
    hashes: BTreeMap<Vec<u8>, Of>,
}

impl<'c, 'a> Held<'c, 'a> {
    /// Keeps what a statement hashes, if it assigns the hash to a variable; unclear if that has another value there too.
    fn add(&mut self, statement: &Statement, of: Of) {
        let first = self.code.used(statement).first();
        let Some((name, _)) = first.filter(|one| self.code.is_assigned(**one)) else {
            return;
        };
        let is_set = || {
            let mut all = self.code.statements_of(self.instruction).iter();
            all.any(|one| one.does(Does::Assign))
        };
        let is_set = *self.is_set.get_or_init(is_set);
        let of = match self.code.assignments(name, &self.instruction.span) {
            1 if !is_set => of,
            _ => Of::Unclear,
        };
        self.hashes.insert(name.to_ascii_lowercase(), of);
    }

    /// What was hashed into the variables that a statement compares; `$env:h` is another variable.
    fn compared(&self, statement: &Statement) -> Option<Of> {
        if self.hashes.is_empty() || !statement.does(Does::Compare) {
            return None;
        }
        let used = self.code.used(statement).iter();
        let own = used.filter(|(_, at)| !self.code.text[..*at].ends_with(b":"));
        Of::all(own.filter_map(|(name, _)| self.hashes.get(&name.to_ascii_lowercase()).copied()))
    }
}

/// The files that an instruction has written, by their names in lower case, since Windows ignores case.
#[derive(Default)]
struct Files<'a> {
    /// What each is, and its path.
    known: BTreeMap<Vec<u8>, (Of, Cow<'a, [u8]>)>,
    /// Those of which nobody can tell any more.
    unclear: BTreeSet<Vec<u8>>,
    /// Whether some are called by a name, and some by a variable.
    kinds: [bool; 2],
}

impl<'a> Files<'a> {
    /// Adds one. Two paths that end in one name may be one file, and so may a name and a variable.
    fn add(&mut self, path: &'a [u8], of: Of) {
        let path = bare(path);
        let name = name_of(&path);
        let is_variable = variable(&name, 0) == Some(name.len());
        let both = match self.known.get(&name) {
            Some((_, other)) if *other != path => Of::Unclear,
            known => of.and(known.map(|(of, _)| *of)),
        };
        if both == Of::Unclear || self.unclear.contains(&name) {
            self.known.remove(&name);
            self.unclear.insert(name);
        } else {
            self.known.insert(name, (both, path));
        }
        self.kinds[usize::from(is_variable)] = true;
        if self.kinds == [true; 2] {
            self.change_all();
        }
    }

    /// Makes a file unclear, if it is known.
    fn change(&mut self, path: &[u8]) {
        let name = name_of(&bare(path));
        if self.known.remove(&name).is_some() {
            self.unclear.insert(name);
        }
    }

    fn change_all(&mut self) {
        let known = std::mem::take(&mut self.known);
        self.unclear.extend(known.into_keys());
    }

    /// What is at a path, if it is known.
    fn of(&self, path: &[u8]) -> Option<Of> {
        let path = bare(path);
        let name = name_of(&path);
        match self.known.get(&name) {
            Some((of, known)) if *known == path => Some(*of),
            Some(_) => Some(Of::Unclear),
            None => self.unclear.contains(&name).then_some(Of::Unclear),
        }
    }
}

/// The name of a file, by its path.
fn name_of(path: &[u8]) -> Vec<u8> {
    let name = last_part(path).rsplit(|byte| *byte == b'\\').next();
    name.unwrap_or_default().to_ascii_lowercase()
}

/// A path without `./` in front, and without the brackets around the names of variables.
fn bare(path: &[u8]) -> Cow<'_, [u8]> {
    let here = path.strip_prefix(b"./").or(path.strip_prefix(b".\\"));
    let path = here.unwrap_or(path);
    let is_bracket = |byte: &u8| b"{}".contains(byte);
    match path.iter().any(is_bracket) {
        true => path
            .iter()
            .copied()
            .filter(|byte| !is_bracket(byte))
            .collect(),
        false => path.into(),
    }
}
