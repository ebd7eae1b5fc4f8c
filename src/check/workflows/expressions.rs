//! What the expressions of a job take from elsewhere is there: keys of its matrix, steps and what they write, jobs that it needs,
//! variables. What is called like nothing that is there may come from where nobody looks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::words;
use super::Workflow;
use crate::fields::workflow::{Job, Line};
use crate::fields::{compared, last_name};
use crate::text::{has_word, is_like, is_typo, span_of};

/// The most names among which the one that was meant is looked for.
const MOST: usize = 32;

/// What the names in expressions begin with:
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/contexts>.
const CONTEXTS: [&str; 12] = [
    "env", "github", "inputs", "job", "jobs", "matrix", "needs", "runner", "secrets", "steps",
    "strategy", "vars",
];

/// How many bytes of a step are looked at.
const LONGEST: usize = 16 << 10;

/// What jobs give to those that need them, by their names.
pub(super) type Outputs<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

impl<'a> Workflow<'a> {
    /// Checks the expressions of a job; `variables` are those that the workflow sets.
    pub(super) fn check_expressions(
        &self,
        job: &Job,
        variables: &BTreeSet<&str>,
        outputs: &Outputs,
    ) {
        let lines = &self.structure.lines[job.part.lines.clone()];
        let (keys, steps) = (self.keys(lines), self.steps(job));
        keys.iter().for_each(|keys| self.check_items(lines, keys));
        let needs = self.needs(job).into_iter().map(|name| &self.text[name]);
        let needs: BTreeSet<&str> = needs.collect();
        let ids: BTreeSet<&str> = steps.keys().copied().collect();
        let of_step = BTreeSet::from(["outputs"]);
        let expressions = lines
            .iter()
            .flat_map(|line| line.expressions.iter().cloned());
        // An `if` is one as a whole.
        let is_if = |line: &&Line| line.key(self.text.as_bytes()) == Some(b"if");
        let conditions = lines.iter().filter(is_if);
        let conditions = conditions.filter(|line| line.expressions.is_empty());
        let conditions = conditions.map(|line| line.keys[0].end..line.end);
        let expressions = expressions.chain(conditions);
        let is_end = |c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c);
        for word in expressions.flat_map(|one| self.text[one].split(is_end)) {
            let names: Vec<&str> = word.splitn(5, '.').collect();
            let (name, known, why) = match *names.as_slice() {
                ["matrix", ref path @ ..] => {
                    let is_missing = |key: &&&str| {
                        !key.is_empty() && keys.as_ref().is_some_and(|keys| !has(keys, key))
                    };
                    if let Some(key) = path.iter().take(2).find(is_missing) {
                        let why = ": the matrix of the job has no such key";
                        self.report(&span_of(self.text, key), "job", why);
                    }
                    continue;
                }
                ["needs", job, "outputs", name, ..] if outputs.contains_key(job) => {
                    (name, &outputs[job], "what the job gives")
                }
                ["needs", job, ..] => (job, &needs, "the job that is needed"),
                ["env", name, ..] => {
                    // What an action sets may be called much like what the workflow does.
                    if let Some(new) = words::meant(name, variables) {
                        let why = "a variable of the workflow";
                        self.report_expected(&span_of(self.text, name), "job", new, why);
                    }
                    continue;
                }
                ["steps", id, "outputs", name, ..] if steps.contains_key(id) => {
                    (name, &steps[id], "what the step writes")
                }
                ["steps", id, part, _, ..] if ids.contains(id) => {
                    (part, &of_step, "what is known of a step")
                }
                ["steps", id, ..] => (id, &ids, "the `id` of a step"),
                [context, _, ..] => {
                    self.check_context(context);
                    continue;
                }
                _ => continue,
            };
            if let Some(new) = meant(name, known) {
                self.report_expected(&span_of(self.text, name), "job", new, why);
            }
        }
    }

    /// What the names of an expression begin with is no typo for what they can begin with. These names are too short to be alike in
    /// more than a letter, and text in quotes is none.
    fn check_context(&self, found: &str) {
        let span = span_of(self.text, found);
        let is_known = CONTEXTS.iter().any(|one| one.eq_ignore_ascii_case(found));
        let meant = CONTEXTS.iter().find(|context| is_typo(found, context));
        let meant = meant.filter(|_| !is_known && !self.text[..span.start].ends_with('\''));
        if let Some(new) = meant {
            self.report_expected(&span, "job", new, "what expressions can name");
        }
    }

    /// What each job gives to those that need it.
    pub(super) fn outputs(&self) -> Outputs<'a> {
        let (text, lines) = (self.text, &self.structure.lines);
        let is_output = |line: &&Line| {
            let above = line
                .above
                .and_then(|above| lines[above].key(text.as_bytes()));
            above == Some(b"outputs")
        };
        let of = |job: &Job| {
            let keys = lines[job.part.lines.clone()].iter().filter(is_output);
            let keys = keys
                .flat_map(|line| &line.keys)
                .map(|key| &text[key.clone()]);
            (&text[job.name.clone()], keys.collect())
        };
        self.structure.jobs.iter().map(of).collect()
    }

    /// What a job compares a key of its matrix with is there, where the matrix is written out.
    fn check_items(&self, lines: &[Line], keys: &BTreeSet<&str>) {
        let bytes = self.text.as_bytes();
        let is_quoted = |span: &Range<usize>| bytes[..span.start].ends_with(b"'");
        let compared = lines.iter().flat_map(|line| compared(bytes, line));
        let compared = compared.filter(|(_, value)| is_quoted(value));
        for (key, value) in compared.take(MOST) {
            let name = std::str::from_utf8(last_name(key));
            let is_known = name.is_ok_and(|name| has(keys, name));
            let said = &self.text[value.clone()];
            let mut matrix = lines.iter().filter(|line| line.in_matrix);
            let mut is_there =
                || matrix.any(|line| has_word(&bytes[line.span.start..line.end], said));
            if is_known && !is_there() {
                let why = ": the matrix of the job has no such item";
                self.report(&value, "job", why);
            }
        }
    }

    /// The variables that the workflow sets, in any of its lines.
    pub(super) fn variables(&self) -> BTreeSet<&'a str> {
        let (text, structure) = (self.text, self.structure);
        let lines = structure.lines.iter().enumerate();
        let keys = lines.filter(|(number, _)| structure.is_below(text.as_bytes(), *number, b"env"));
        let keys = keys.flat_map(|(_, line)| &line.keys);
        let keys = keys.map(|key| &text[key.clone()]);
        keys.chain(written(text)).collect()
    }

    /// The keys of a matrix in some lines, where it is written out.
    fn keys(&self, lines: &[Line]) -> Option<BTreeSet<&'a str>> {
        let matrix = lines.iter().filter(|line| line.in_matrix);
        let is_open = |line: &Line| {
            let code = &self.text[line.span.start..line.end];
            code.contains("${{") || code.contains(['*', '&'])
        };
        if matrix.clone().any(is_open) {
            return None;
        }
        let keys = matrix.flat_map(|line| &line.keys);
        let keys: BTreeSet<&str> = keys.map(|key| &self.text[key.clone()]).collect();
        Some(keys).filter(|keys| !keys.is_empty())
    }

    /// The steps of a job that have an `id`, with what their commands write.
    fn steps(&self, job: &Job) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
        let (lines, text) = (&self.structure.lines, self.text);
        let ids = job.part.lines.clone();
        let ids = ids.filter(|number| lines[*number].key(text.as_bytes()) == Some(b"id"));
        let mut known = BTreeSet::new();
        let step = |number: usize| {
            let line = &lines[number];
            let (_, id) = text[line.span.start..line.end].split_once(':')?;
            let mut above = self.structure.upwards(number);
            let item = above.find(|above| lines[*above].is_item)?;
            // A step has one, and is not long.
            let is_first = known.insert(item);
            let step = is_first.then(|| self.structure.item_at(line.span.start));
            let step = step.flatten().map_or("", |step| &text[step.span]);
            let writes = step.len() < LONGEST && step.contains("GITHUB_OUTPUT");
            let written = written(if writes { step } else { "" });
            Some((id.trim().trim_matches(['"', '\'']), written.collect()))
        };
        ids.filter_map(step).collect()
    }
}

/// Whether a name is one of some; GitHub ignores case.
fn has(known: &BTreeSet<&str>, name: &str) -> bool {
    let mut first = known.iter().take(MOST);
    known.contains(name) || first.any(|other| other.eq_ignore_ascii_case(name))
}

/// The one of some names that another name, which is none of them, is a typo for.
pub(super) fn meant<'n>(name: &str, known: &BTreeSet<&'n str>) -> Option<&'n str> {
    let mut first = known.iter().take(MOST);
    let like = first.find(|other| is_like(other, name)).copied();
    like.filter(|_| !has(known, name))
}

/// The names in front of a `=`, or a `<<`, as commands write them.
fn written(text: &str) -> impl Iterator<Item = &str> {
    let name = |(at, _): (usize, &str)| {
        let before = &text[..at];
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        &before[before.trim_end_matches(is_part).len()..]
    };
    let signs = text.match_indices('=').chain(text.match_indices("<<"));
    signs.map(name).filter(|name| !name.is_empty())
}
