//! What a command has to say, whatever it is printed as.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::finding::Finding;
use crate::release::checksums::Sha256;
use crate::text::capital;

/// What is said of a dry run.
pub(super) const DRY_RUN: &str = "Dry run: nothing was written.";

/// What a command did, would do or found.
#[derive(Default)]
pub struct Summary {
    /// What a commit of it would be called; nothing where there is nothing to commit.
    pub title: String,
    /// From what to what, a line each.
    pub headlines: Vec<Headline>,
    /// What changes, by file or entry.
    pub groups: Vec<Group>,
    /// What the first column of a table of them is called.
    pub groups_are: &'static str,
    /// Rows of cells, the first one the heads.
    pub table: Vec<Vec<String>>,
    /// How much changes, and who vouched for it.
    pub counts: Vec<String>,
    /// What there is to say of whole things, where there are any: a title, the things, and what to do with them.
    pub lists: Vec<(&'static str, Vec<String>, &'static str)>,
    /// The unified diff of every file, in git's form.
    pub diff: Vec<super::diff::FileDiff>,
    /// What is found.
    pub findings: Vec<Finding>,
    /// The line above the findings of an update.
    pub findings_title: &'static str,
    /// The line for the body of a pull request where nothing is found.
    pub nothing_found: &'static str,
    /// The findings are the result, rather than what remains.
    pub is_verdict: bool,
    /// The options of commands that fix findings, each with a blank in front, for this machine alone: where the repository and
    /// the releases are.
    pub options: String,
    /// What there is to do about the findings, where that is no command for each.
    pub advice: &'static str,
    /// How much was looked at.
    pub looked_at: String,
    /// Lines for the body of a pull request alone.
    pub details: Vec<String>,
    /// Nothing was written, although there was something to write.
    pub is_dry_run: bool,
    /// The whole of it for programs.
    pub json: Value,
}

impl Summary {
    /// How to fix the findings, in a sentence, by commands with these options; a hash may be wrong because an archive was
    /// replaced.
    pub fn fixes(&self, options: &str) -> String {
        if !self.advice.is_empty() {
            return self.advice.to_owned();
        }
        let mut fixes: BTreeMap<String, usize> = BTreeMap::new();
        let is_hash = |text: &str| text.parse().is_ok_and(|hash: Sha256| hash != Sha256::ZERO);
        let is_known = |finding: &&Finding| {
            let differs = is_hash(&finding.found) && is_hash(&finding.expected);
            !finding.fix.is_empty() || !differs
        };
        let (known, hashes): (Vec<&Finding>, Vec<&Finding>) =
            self.findings.iter().partition(is_known);
        // One command updates to all versions.
        let version = |fix: &'_ str| {
            let version = fix.strip_prefix("update ")?.to_owned();
            (!version.contains(' ')).then_some(version)
        };
        let versions: BTreeSet<String> = known.iter().filter_map(|one| version(&one.fix)).collect();
        let all = Vec::from_iter(versions).join(" ");
        for Finding { fix, .. } in &known {
            let fix = version(fix).map_or(fix.clone(), |_| format!("update {all}{options}"));
            *fixes.entry(fix).or_default() += 1;
        }
        let is_only = fixes.len() == 1 && hashes.is_empty();
        // By hand, which is the empty one, comes first: a command may be refused before that.
        let parts = fixes.iter().map(|(fix, number)| {
            let what = match (is_only, number) {
                (true, 1) => "it".to_owned(),
                (true, _) => "them".to_owned(),
                (false, number) => number.to_string(),
            };
            match &**fix {
                "" => format!("{what} by hand"),
                fix => format!("{what} with `{fix}`"),
            }
        });
        let parts: Vec<String> = parts.collect();
        let fix = Some(format!("fix {}", parts.join(", "))).filter(|_| !parts.is_empty());
        let look = match (hashes.len(), known.is_empty()) {
            (0, _) => None,
            (1, true) => Some("find out which hash is right".to_owned()),
            (_, true) => Some("find out which hashes are right".to_owned()),
            (number, false) => Some(format!("find out for {number} which hash is right")),
        };
        let both: Vec<String> = fix.into_iter().chain(look).collect();
        capital(&both.join("; ")) + "."
    }
}

/// What something was, and what it will be.
#[derive(Default)]
pub struct Headline {
    /// What it is about: `nats-streaming`.
    pub subject: String,
    /// What it was.
    pub old: Option<String>,
    /// What it will be.
    pub new: Option<String>,
    /// What else there is to say.
    pub rest: String,
}

impl Headline {
    /// Of something, with what else there is to say.
    pub fn new(subject: &str, rest: &str) -> Self {
        let [subject, rest] = [subject, rest].map(str::to_owned);
        Self {
            subject,
            rest,
            ..Self::default()
        }
    }
}

/// A file or an entry that changes.
#[derive(Clone)]
pub struct Group {
    /// Its path.
    pub title: String,
    /// The version directory that it is in; `None` for what is shared.
    pub part: Option<String>,
    /// What else happens to it.
    pub note: String,
    /// What changes in it.
    pub rows: Vec<Row>,
}

/// A part that changes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// What it is called.
    pub label: String,
    /// What it was; empty where it is new.
    pub found: String,
    /// What it will be; empty where it goes.
    pub expected: String,
    /// What else there is to say.
    pub note: String,
}
