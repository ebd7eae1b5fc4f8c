//! What an update of a library file does, for people and programs.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::{
    BOLD, DIM, NEW, NOTE, OLD, Output, count, diff, finished, github, harmless, markdown,
    print_findings,
};
use crate::check::Finding;
use crate::cli::{Format, LibraryArgs};
use crate::library::{PartChange, Plan};
use crate::plan::Change;
use crate::tree::{Content, File};

/// An update of a library file.
pub struct LibraryUpdate<'a> {
    /// The file.
    pub path: &'a str,
    /// The image that it is of.
    pub image: &'a str,
    /// Its text; `None` where it is new.
    pub before: Option<&'a str>,
    /// What is done to it.
    pub plan: &'a Plan,
    /// The commit that it is for.
    pub commit: &'a str,
    /// What is left.
    pub remaining: &'a [Finding],
    /// What was asked for.
    pub args: &'a LibraryArgs,
}

impl LibraryUpdate<'_> {
    fn is_same(&self) -> bool {
        self.before == Some(self.plan.text.as_str())
    }

    /// What happens, in a line.
    fn headline(&self) -> String {
        match self.before {
            _ if self.is_same() => format!("{} is up to date: nothing to change", self.path),
            None => format!("{}, new, for {}", self.path, self.commit),
            Some(_) if self.plan.versions.is_empty() => format!("{} → {}", self.path, self.commit),
            Some(_) => format!("{} → {}", self.path, versions(self.plan)),
        }
    }

    fn counts(&self) -> String {
        let is_old = |entry: &String| !entry.is_empty() && !self.plan.added.contains(entry);
        let changed = self
            .plan
            .changes
            .iter()
            .filter(|(entry, _)| is_old(entry))
            .count();
        let parts = [
            (changed, "rewritten"),
            (self.plan.added.len(), "added"),
            (self.plan.removed.len(), "removed"),
        ];
        let said: Vec<String> = parts
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| format!("{} {what}", count(*number, "entry")))
            .collect();
        if said.is_empty() {
            "no entry changed".to_owned()
        } else {
            said.join(", ")
        }
    }

    fn change(&self) -> Change {
        let file = |text: &str| File {
            content: Content::Bytes(text.as_bytes().to_vec()),
            mode: 0,
        };
        Change {
            from: self.before.map(|_| self.path.to_owned()),
            path: self.path.to_owned(),
            before: self.before.map(file),
            after: file(&self.plan.text),
            fields: Vec::new(),
            template: None,
        }
    }

    fn json(&self) -> Value {
        let Self {
            plan,
            path,
            commit,
            args,
            remaining,
            ..
        } = self;
        let part = |entry: &str,
                    PartChange {
                        field,
                        found,
                        expected,
                    }: &PartChange| json!({ "entry": entry, "field": field, "found": found, "expected": expected });
        let changes: Vec<Value> = plan
            .changes
            .iter()
            .flat_map(|(entry, parts)| parts.iter().map(move |one| part(entry, one)))
            .collect();
        json!({
            "dry_run": args.dry_run,
            "path": path,
            "commit": commit,
            "changes": changes,
            "added": plan.added,
            "removed": plan.removed,
            "not_offered": plan.not_offered,
            "findings": remaining,
        })
    }

    fn markdown(&self) -> String {
        let mut out = format!("## {}\n", self.headline());
        // Writing to a string cannot fail.
        if !self.is_same() {
            let _ = write!(
                out,
                "\n{}\n\n| entry | field | before | after |\n| --- | --- | --- | --- |\n",
                self.counts()
            );
        }
        for (entry, parts) in &self.plan.changes {
            for PartChange {
                field,
                found,
                expected,
            } in parts
            {
                let [entry, found, expected] =
                    [entry, found, expected].map(|text| markdown::code(text));
                let _ = writeln!(out, "| {entry} | {field} | {found} | {expected} |");
            }
        }
        for (what, folders) in self.folders() {
            let _ = writeln!(
                out,
                "\n{what}: {}",
                folders
                    .iter()
                    .map(|folder| markdown::code(folder))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        }
        if !self.remaining.is_empty() {
            out.push_str("\n`update library --check` still finds:\n\n");
            markdown::table(&mut out, self.remaining);
        }
        out
    }

    /// What there is to say of whole entries.
    fn folders(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        let plan = self.plan;
        let all = [
            ("Added", plan.added.as_slice()),
            (
                "Removed, since the tree has them no more",
                plan.removed.as_slice(),
            ),
            ("In the tree, and not offered", plan.not_offered.as_slice()),
        ];
        all.into_iter().filter(|(_, folders)| !folders.is_empty())
    }
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:@%+=,".contains(c);
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", harmless(word).replace('\'', r"'\''"))
    }
}

/// The versions that entries come to.
fn versions(plan: &Plan) -> String {
    plan.versions
        .iter()
        .rev()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

impl Output {
    /// Prints what an update of a library file does, or would do.
    pub fn library(&mut self, update: &LibraryUpdate) -> anyhow::Result<()> {
        match (self.quiet, self.format) {
            (true, _) => Ok(()),
            (_, Format::Json) => self.json(&update.json()),
            (_, Format::Text) => finished(self.library_text(update)),
            (_, Format::Markdown) => finished(write!(self.out, "{}", update.markdown())),
            (_, Format::Github) => {
                finished(self.library_text(update))?;
                finished(
                    update.remaining.iter().try_for_each(|finding| {
                        github::annotate(&mut self.out, "warning", finding)
                    }),
                )?;
                github::append_summary(&update.markdown())
            }
        }
    }

    fn library_text(&mut self, update: &LibraryUpdate) -> io::Result<()> {
        let (out, plan) = (&mut self.out, update.plan);
        writeln!(out, "{}", harmless(&update.headline()))?;
        if !plan.changes.is_empty() {
            writeln!(out)?;
        }
        for (entry, parts) in &plan.changes {
            let title = if entry.is_empty() {
                "all entries"
            } else {
                entry
            };
            writeln!(out, "  {BOLD}{}{BOLD:#}", harmless(title))?;
            let width = parts.iter().map(|part| part.field.len()).max().unwrap_or(0);
            for PartChange {
                field,
                found,
                expected,
            } in parts
            {
                let [found, expected] = [found, expected].map(|text| harmless(text));
                match (found.is_empty(), expected.is_empty()) {
                    (true, _) => writeln!(
                        out,
                        "      {field:width$}  {NEW}{expected}{NEW:#}{DIM}  new{DIM:#}"
                    )?,
                    (_, true) => writeln!(
                        out,
                        "      {field:width$}  {OLD}{found}{OLD:#}{DIM}  taken out{DIM:#}"
                    )?,
                    _ => writeln!(
                        out,
                        "      {field:width$}  {OLD}{found}{OLD:#} → {NEW}{expected}{NEW:#}"
                    )?,
                }
            }
        }
        for (what, folders) in update.folders() {
            writeln!(out, "\n{NOTE}{what}:{NOTE:#}")?;
            folders
                .iter()
                .try_for_each(|folder| writeln!(out, "  {}", harmless(folder)))?;
        }
        if !plan.not_offered.is_empty() {
            writeln!(out, "  {DIM}--add <DIRECTORY> offers one{DIM:#}")?;
        }
        if !update.is_same() {
            writeln!(out, "\n{}", update.counts())?;
            if update.args.diff {
                diff::print(out, &update.change(), false)?;
            }
        }
        if !update.remaining.is_empty() {
            writeln!(
                out,
                "\n{NOTE}`update library --check` will still find:{NOTE:#}"
            )?;
            print_findings(out, "  ", update.remaining)?;
        }
        if update.args.dry_run && !update.is_same() {
            writeln!(out, "\nA dry run: nothing was written.")?;
        }
        Ok(())
    }

    /// Prints, to people, what they do with a library file that is written.
    pub fn library_left_to_do(&mut self, update: &LibraryUpdate, root: &Path) {
        if self.quiet || !matches!(self.format, Format::Text | Format::Github) {
            return;
        }
        let LibraryUpdate {
            path, image, plan, ..
        } = update;
        let title = match plan.versions.is_empty() {
            true => format!("Update {image}"),
            false => format!("Update {image} to {}", versions(plan)),
        };
        let path = quoted(path);
        let root = if root == Path::new(".") {
            String::new()
        } else {
            format!(" -C {}", quoted(&root.display().to_string()))
        };
        // The file is written: that this cannot be said is no failure any more.
        let _ = writeln!(
            self.out,
            "\nWhat is left to do:\n  \
             update library{root} {path} --check    {DIM}once the commit is pushed{DIM:#}\n  \
             git add --all && git commit -m \"{title}\", there, and open the pull request to docker-library/official-images"
        );
    }
}
