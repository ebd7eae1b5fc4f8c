//! What the statements of a Dockerfile hash: files that their own instruction has downloaded before.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::commands::{Code, Does, Instruction, Statement};
use super::downloads::{Downloads, Of, Own};
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
}

impl<'a> Checks<'a> {
    /// For a text; `ours` are the places of addresses of our archives, `made` those of our version, or of our project, in other
    /// addresses.
    pub(super) fn new(text: &'a [u8], (ours, made): (&[usize], &[usize]), own: &Own) -> Self {
        let code = Code::new(text);
        let reading = Downloads::new(&code, (ours, made), own);
        let (mut checks, mut downloads, mut taken) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (number, instruction) in code.instructions.iter().enumerate() {
            let (mut files, mut is_moved) = (Files::default(), false);
            // How many brackets are open where the folder was changed.
            let mut away: Option<usize> = None;
            let mut all: Option<Of> = None;
            let mut held = Held {
                code: &code,
                instruction,
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
                if !files.0.is_empty() {
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
                checks.extend(of.map(|of| (statement.span.clone(), of)));
            }
            downloads.push(all);
        }
        Self {
            checks,
            downloads,
            taken,
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
    hashes: BTreeMap<Vec<u8>, Of>,
}

impl<'c, 'a> Held<'c, 'a> {
    /// Keeps what a statement hashes, if it assigns the hash to a variable; unclear if that has another value there too.
    fn add(&mut self, statement: &Statement, of: Of) {
        let first = self.code.used(statement).first();
        let Some((name, _)) = first.filter(|one| self.code.is_assigned(**one)) else {
            return;
        };
        let mut all = self.code.statements_of(self.instruction).iter();
        let is_set = all.any(|one| one.does(Does::Assign));
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

/// The files that an instruction has written, by their names in lower case, since Windows ignores case: what each is, and its
/// path.
#[derive(Default)]
struct Files<'a>(BTreeMap<Vec<u8>, (Of, &'a [u8])>);

impl<'a> Files<'a> {
    /// Adds one. Two paths that end in one name may be one file, and so may a name and a variable.
    fn add(&mut self, path: &'a [u8], of: Of) {
        let (path, name) = (bare(path), name_of(path));
        let is_variable = |name: &[u8]| variable(name, 0) == Some(name.len());
        let both = match self.0.remove(&name) {
            Some((_, other)) if other != path => Of::Unclear,
            known => of.and(known.map(|(of, _)| of)),
        };
        let is_mixed = self
            .0
            .keys()
            .any(|other| is_variable(other) != is_variable(&name));
        self.0.insert(name, (both, path));
        if is_mixed {
            self.change_all();
        }
    }

    /// Makes a file unclear, if it is known.
    fn change(&mut self, path: &[u8]) {
        if let Some((of, _)) = self.0.get_mut(&name_of(path)) {
            *of = Of::Unclear;
        }
    }

    fn change_all(&mut self) {
        self.0.values_mut().for_each(|(of, _)| *of = Of::Unclear);
    }

    /// What is at a path, if it is known.
    fn of(&self, path: &[u8]) -> Option<Of> {
        let (of, known) = self.0.get(&name_of(path))?;
        Some(if *known == bare(path) {
            *of
        } else {
            Of::Unclear
        })
    }
}

fn name_of(path: &[u8]) -> Vec<u8> {
    let name = last_part(path).rsplit(|byte| *byte == b'\\').next();
    name.unwrap_or_default().to_ascii_lowercase()
}

/// A path without `./` in front.
fn bare(path: &[u8]) -> &[u8] {
    let here = path.strip_prefix(b"./").or(path.strip_prefix(b".\\"));
    here.unwrap_or(path)
}
