//! Errors that are reported together: a run that fails names everything that is wrong, not the first of it.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Error, Result, ensure};

use crate::text::harmless;

/// Several errors as one.
#[derive(Debug)]
pub struct Several(pub Vec<Error>);

impl fmt::Display for Several {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let lines = self.0.iter().map(|problem| format!("{problem:#}"));
        let lines: Vec<String> = lines.collect();
        out.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Several {}

/// No error, the one that there is, or all of them as one, each told once.
pub fn joined(mut problems: Vec<Error>) -> Result<()> {
    let mut told = BTreeSet::new();
    problems.retain(|problem| told.insert(format!("{problem:#}")));
    match problems.len() {
        0 => Ok(()),
        1 => Err(problems.remove(0)),
        _ => Err(Several(problems).into()),
    }
}

/// All values, or all errors as one.
pub fn all<T>(results: impl Iterator<Item = Result<T>>) -> Result<Vec<T>> {
    let (mut values, mut problems) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(problem) => problems.push(problem),
        }
    }
    joined(problems)?;
    Ok(values)
}

/// Both values, or all errors as one.
pub fn both<A, B>(one: Result<A>, other: Result<B>) -> Result<(A, B)> {
    let parts = |problem: Error| match problem.downcast() {
        Ok(Several(problems)) => problems,
        Err(problem) => vec![problem],
    };
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => {
            Err(Several(parts(one).into_iter().chain(parts(other)).collect()).into())
        }
        (Err(problem), _) | (_, Err(problem)) => Err(problem),
    }
}

/// The most problems of one kind that are named: nobody reads more.
const MOST: usize = 500;

/// An error that names all problems of one kind, each once, and what to do, where there are any.
pub fn refuse(what: &str, mut problems: Vec<String>, advice: &str) -> Result<()> {
    problems.dedup();
    if let Some(more @ 1..) = problems.len().checked_sub(MOST) {
        problems.truncate(MOST);
        problems.push(format!("and {more} more"));
    }
    let lines: Vec<String> = problems.iter().map(|problem| harmless(problem)).collect();
    let lines = lines.join("\n  ");
    ensure!(
        problems.is_empty(),
        "{}",
        format!("{what}:\n  {lines}\n{advice}").trim_end()
    );
    Ok(())
}
