//! On which branch work is, and how it gets from there to a pull request.

use super::Git;
use crate::text::quoted;

/// Where a commit would go.
#[derive(PartialEq, Eq)]
pub struct Branch {
    /// Its name; `None` where no branch is checked out.
    name: Option<String>,
    /// Where it is pushed to; `None` where there is no remote.
    remote: Option<String>,
}

impl Git {
    /// The branch that is checked out.
    pub fn branch(&self) -> Branch {
        let line = |args: &[&str]| self.line(args).ok().flatten();
        let name = line(&["symbolic-ref", "--quiet", "--short", "HEAD"]);
        let setting = name.as_ref().map(|name| format!("branch.{name}.remote"));
        let tracked = setting.and_then(|setting| line(&["config", &setting]));
        let remotes = || line(&["remote"]).unwrap_or_default();
        let first = || {
            let remotes = remotes();
            let mut all = remotes.lines();
            let origin = all.clone().find(|remote| *remote == "origin");
            origin.or_else(|| all.next()).map(str::to_owned)
        };
        let remote = tracked.or_else(first);
        Branch { name, remote }
    }
}

impl Branch {
    /// Where a commit goes, in a sentence.
    pub fn place(&self) -> String {
        match &self.name {
            Some(name) => format!("to {name}"),
            None => "to a detached HEAD".to_owned(),
        }
    }

    /// Whether a pull request can be made from it.
    fn is_own(&self) -> bool {
        let name = self.name.as_deref();
        name.is_some_and(|name| !["main", "master"].contains(&name))
    }

    /// The command that goes to a branch of its own for a commit of that title, where one is needed.
    pub fn switch(&self, git: &Git, place: &str, title: &str) -> Option<String> {
        if self.is_own() {
            return None;
        }
        let slug = slug(title);
        let is_there = |name: &String| {
            let name = format!("refs/heads/{name}");
            git.succeeds(&["show-ref", "--verify", "--quiet", &name])
                .unwrap_or(false)
        };
        let more = (2..10).map(|number| format!("{slug}-{number}"));
        let free = std::iter::once(slug.clone())
            .chain(more)
            .find(|name| !is_there(name));
        let free = free.unwrap_or_else(|| slug.clone());
        Some(format!("git{place} switch -c {}", quoted(&free)))
    }

    /// The command that pushes it.
    pub fn push(&self, place: &str) -> Option<String> {
        let remote = quoted(self.remote.as_ref()?);
        Some(format!("git{place} push -u {remote} HEAD"))
    }

    /// The same where the commit of that title is made already: to a branch of its own, where one is needed.
    pub fn push_commit(&self, place: &str, title: &str) -> Option<String> {
        let remote = quoted(self.remote.as_ref()?);
        match self.is_own() {
            true => self.push(place),
            false => {
                let branch = slug(title);
                Some(format!("git{place} push {remote} HEAD:refs/heads/{branch}"))
            }
        }
    }
}

/// A title as the name of a branch: `update-to-2.14.5`.
fn slug(title: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let words = title.split(|c| !is_plain(c));
    let words = words
        .map(|word| word.trim_matches('.'))
        .filter(|word| !word.is_empty());
    let mut slug = Vec::from_iter(words)
        .join("-")
        .to_lowercase()
        .replace("..", ".");
    if slug.len() > 60 {
        slug.truncate(60);
        slug.truncate(slug.rfind('-').unwrap_or(60));
    }
    slug.trim_end_matches(['.', '-']).to_owned()
}
