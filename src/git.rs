//! Questions to the installed `git` about the repository that a tree is in, and the one commit that a user can ask for.
//! Nothing else is changed, and nothing is given to a shell.

mod objects;

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::text::{excerpt, without_password};

/// A repository, asked through its `git`.
pub struct Git {
    root: PathBuf,
}

/// A file that differs from the commit that is checked out.
pub struct Changed {
    /// Counted from the folder that git is asked in.
    pub path: String,
    /// How it differs in the index, and from that in the folder: two letters of `git status --porcelain`.
    pub code: [u8; 2],
}

/// The names of the tags of a repository at an address, without the `^{}` of annotated ones.
pub fn tags(address: &str) -> Result<Vec<String>> {
    let git = Git {
        root: PathBuf::from("."),
    };
    let mut command = git.command(&["ls-remote", "--tags", "--refs", "--", address]);
    // The repository that the folder is in is not read: it could name programs. Only http and https are spoken, with an https
    // address only that. No password is asked for; a server that is silent or slow for long is given up.
    let is_safe = address.to_ascii_lowercase().starts_with("https:");
    let protocols = if is_safe { "https" } else { "http:https" };
    command
        .env("GIT_DIR", "/dev/null")
        .env("GIT_ALLOW_PROTOCOL", protocols)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_HTTP_LOW_SPEED_LIMIT", "10000")
        .env("GIT_HTTP_LOW_SPEED_TIME", "30");
    let shown = excerpt(&without_password(address));
    let output = bounded(&mut command, LARGEST_LIST)?.with_context(|| {
        format!("cannot list the tags of {shown}: more than {LARGEST_LIST} bytes of them")
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    let why = said.lines().last().unwrap_or("git fails");
    // Git repeats the address, as far as it understands it.
    let why = match shown == excerpt(address) {
        true => why.trim_start_matches("fatal: "),
        false => why.rsplit_once("': ").map_or("git fails", |(_, why)| why),
    };
    let why = if why.contains('@') { "git fails" } else { why };
    ensure!(
        output.status.success(),
        "cannot list the tags of {shown}: {}; check the network, or name another place with `--from <URL|DIR>`",
        excerpt(why)
    );
    let listed = String::from_utf8_lossy(&output.stdout);
    let name = |line: &str| Some(line.split_once("\trefs/tags/")?.1.to_owned());
    Ok(listed.lines().filter_map(name).collect())
}

/// More bytes than any list of tags has: ten thousand have less than one million.
const LARGEST_LIST: u64 = 16 << 20;

/// The output of git, of up to so many bytes; `None` where it is longer.
fn bounded(command: &mut Command, largest: u64) -> Result<Option<Output>> {
    let mut child = started(command.stdout(Stdio::piped()).spawn())?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    if let Some(out) = child.stdout.take() {
        out.take(largest + 1).read_to_end(&mut stdout)?;
    }
    if stdout.len() as u64 > largest {
        child.kill()?;
    }
    if let Some(said) = child.stderr.take() {
        said.take(1 << 16).read_to_end(&mut stderr)?;
    }
    let status = child.wait()?;
    let output = Output {
        status,
        stdout,
        stderr,
    };
    Ok(Some(output).filter(|output| output.stdout.len() as u64 <= largest))
}

/// What starting git gives, or why it does not start.
fn started<T>(output: std::io::Result<T>) -> Result<T> {
    match output {
        Err(problem) if problem.kind() == ErrorKind::NotFound => {
            bail!("git is not installed, or not on PATH")
        }
        other => other.context("cannot start git"),
    }
}

/// What git printed, where it did what it was asked for.
fn succeeded(args: &[&str], output: Output) -> Result<Vec<u8>> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "git {} fails: {}",
        args.join(" "),
        said.trim_end()
    );
    Ok(output.stdout)
}

impl Git {
    /// The repository that a folder is in, whose paths are counted from that folder. An error where there is none, or no `git`.
    pub fn within(root: &Path) -> Result<Self> {
        let git = Self {
            root: root.to_owned(),
        };
        let output = git.run(&["rev-parse", "--is-inside-work-tree"])?;
        let said = String::from_utf8_lossy(&output.stderr);
        let (said, place) = (
            said.trim_end().trim_start_matches("fatal: "),
            root.display(),
        );
        let is_none = said.starts_with("not a git repository");
        ensure!(!is_none, "{place} is not a git repository");
        let mut lines = said.lines().map(str::trim);
        let why = lines.next().unwrap_or_default();
        let advice = lines.find(|line| line.starts_with("git config "));
        let advice = advice.map_or(String::new(), |advice| format!(": run `{advice}`"));
        ensure!(
            output.status.success(),
            "git refuses {place}: {why}{advice}"
        );
        Ok(git)
    }

    /// The repository whose top folder `root` is.
    pub fn open(root: &Path) -> Result<Self> {
        let git = Self::within(root)?;
        let (prefix, place) = (git.prefix()?, root.display());
        ensure!(
            prefix.is_empty(),
            "{place} is the folder {prefix} of a git repository, and paths in a library file begin at the repository's top: name its top folder with `-C`"
        );
        Ok(git)
    }

    /// The folder in its work tree that paths are counted from: nothing, or a path that ends in `/`.
    pub fn prefix(&self) -> Result<String> {
        let prefix = self.line(&["rev-parse", "--show-prefix"])?;
        Ok(prefix.unwrap_or_default())
    }

    /// The commit that is checked out, in hex digits: 40, or 64 with SHA-256; `None` before the first one.
    pub fn head(&self) -> Result<Option<String>> {
        self.commit("HEAD")
    }

    /// The commit of that name or that begins with these digits; `None` where the repository has none.
    pub fn commit(&self, name: &str) -> Result<Option<String>> {
        self.line(&[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &format!("{name}^{{commit}}"),
        ])
    }

    /// Whether only a part of the history is here, so that an unknown commit means nothing.
    pub fn is_shallow(&self) -> Result<bool> {
        let answer = self.line(&["rev-parse", "--is-shallow-repository"])?;
        Ok(answer.as_deref() == Some("true"))
    }

    /// The remotes, each with its address as one that everybody can read from.
    fn remotes(&self) -> Result<Vec<(String, String)>> {
        let args = ["config", "--get-regexp", r"^remote\..*\.url$"];
        let listed = self.run(&args)?.stdout;
        let listed = String::from_utf8_lossy(&listed);
        let remote = |line: &str| {
            let (key, url) = line.split_once(' ')?;
            let name = key.strip_prefix("remote.")?.strip_suffix(".url")?;
            Some((name.to_owned(), public(url)))
        };
        Ok(listed.lines().filter_map(remote).collect())
    }

    /// Why Docker would not find a commit in what it fetches (`refs/heads/main`) from the repository with that address, and
    /// whether that is sure; nothing where it would. By what was last fetched of the remote, else by the branch here.
    pub fn unreached(
        &self,
        commit: &str,
        fetched: &str,
        address: &str,
    ) -> Result<Option<(bool, String)>> {
        let remotes = self.remotes()?;
        let known = remotes.iter().find(|(_, url)| *url == public(address));
        let remote = known.map_or("origin", |(name, _)| name);
        let branch = fetched.strip_prefix("refs/heads/");
        let tracked = branch.map(|branch| format!("refs/remotes/{remote}/{branch}"));
        for name in tracked.iter().map(String::as_str).chain([fetched]) {
            if self.commit(name)?.is_none() {
                continue;
            }
            let output = self.run(&["merge-base", "--is-ancestor", commit, name])?;
            match output.status.code() {
                Some(0) => return Ok(None),
                Some(1) => {
                    let mut starts = ["refs/remotes/", "refs/heads/", "refs/tags/"].into_iter();
                    let short = starts
                        .find_map(|start| name.strip_prefix(start))
                        .unwrap_or(name);
                    return Ok(Some((
                        true,
                        format!(
                            "{commit} is not in {short}, so Docker, which fetches {fetched}, cannot find it: push or merge it; if you have, run `git fetch`"
                        ),
                    )));
                }
                _ => break,
            }
        }
        let refs = format!("refs/remotes/{remote}/");
        let args = ["for-each-ref", "--count=1", "--format=%(refname)", &refs];
        let known = self.line(&args)?;
        let lacks = |name: &String| Ok::<bool, anyhow::Error>(self.commit(name)?.is_none());
        let lacks = tracked.as_ref().map(lacks).transpose()? == Some(true);
        Ok(Some(
            match known.is_some() && lacks && !self.is_shallow()? {
                true => (
                    true,
                    format!(
                        "{remote} has no branch {fetched}, from which Docker fetches the commit: name the right one with `--fetch` (without GitFetch it is refs/heads/master)"
                    ),
                ),
                false => (
                    false,
                    format!(
                        "this clone does not know {fetched}, from which Docker fetches: check that {commit} is pushed there"
                    ),
                ),
            },
        ))
    }

    /// The files below these folders that differ from the commit that is checked out, new ones too; with `with_ignored` those
    /// that git ignores as well.
    pub fn changed(&self, paths: &[&str], with_ignored: bool) -> Result<Vec<String>> {
        let all = self.status(paths, with_ignored)?.into_iter();
        Ok(all.map(|one| one.path).collect())
    }

    /// The same with how they differ.
    pub fn status(&self, paths: &[&str], with_ignored: bool) -> Result<Vec<Changed>> {
        let ignored = match with_ignored {
            true => "--ignored=matching",
            false => "--ignored=no",
        };
        let status =
            "status --porcelain -z --no-renames --untracked-files=all --ignore-submodules=all";
        let options = status.split(' ').chain([ignored, "--"]);
        let args: Vec<&str> = options.chain(paths.iter().copied()).collect();
        let mut command = self.command(&args);
        self.filters_off(&mut command)?;
        let listed = succeeded(&args, started(command.output())?)?;
        // Git counts them from the top of its work tree.
        let prefix = self.prefix()?;
        let one = |line: &[u8]| {
            let path = String::from_utf8_lossy(line.get(3..)?);
            Some(Changed {
                path: path.strip_prefix(&prefix).unwrap_or(&path).to_owned(),
                code: [line[0], line[1]],
            })
        };
        Ok(listed.split(|&byte| byte == 0).filter_map(one).collect())
    }

    /// The files that the index has by these paths or patterns.
    pub fn listed(&self, paths: &[&str]) -> Result<Vec<String>> {
        let args = [&["ls-files", "-z", "--"], paths].concat();
        let listed = self.output(&args)?;
        let files = listed
            .split(|&byte| byte == 0)
            .filter(|file| !file.is_empty());
        Ok(files
            .map(|file| String::from_utf8_lossy(file).into_owned())
            .collect())
    }

    /// Keeps git from running the filters that a repository names. A name can hold any bytes: in the environment, unlike in `-c`,
    /// none has a meaning.
    fn filters_off(&self, command: &mut Command) -> Result<()> {
        let listed = ["config", "-z", "--name-only", "--get-regexp", r"^filter\."];
        let listed = self.run(&listed)?.stdout;
        let count = std::env::var("GIT_CONFIG_COUNT").ok();
        let mut number: usize = count.and_then(|count| count.parse().ok()).unwrap_or(0);
        let keys = listed.split(|byte| *byte == 0);
        for key in keys.filter(|key| !key.is_empty()) {
            let key = std::str::from_utf8(key)
                .context("git has a filter whose name is not UTF-8: look at its configuration")?;
            // Empty is no command, and for `required` it is false.
            command
                .env(format!("GIT_CONFIG_KEY_{number}"), key)
                .env(format!("GIT_CONFIG_VALUE_{number}"), "");
            number += 1;
        }
        command.env("GIT_CONFIG_COUNT", number.to_string());
        Ok(())
    }

    /// Why nothing could be committed now, where that can be told before it is tried.
    pub fn cannot_commit(&self) -> Result<Option<&'static str>> {
        let is_there = |name: &str| -> Result<bool> {
            let path = self.line(&["rev-parse", "--git-path", name])?;
            Ok(path.is_some_and(|path| self.root.join(path).exists()))
        };
        let has_name = |variable: &str| self.succeeds(&["var", variable]);
        Ok(if is_there("index.lock")? {
            Some("another git process is at work (or left its index.lock): wait for it to finish")
        } else if is_there("MERGE_HEAD")? || is_there("CHERRY_PICK_HEAD")? {
            Some("a merge is not finished: finish it first")
        } else if !has_name("GIT_AUTHOR_IDENT")? || !has_name("GIT_COMMITTER_IDENT")? {
            Some("git does not know who commits: set user.name and user.email")
        } else {
            None
        })
    }

    /// Commits these paths as they are now and nothing else, with the user's own settings and hooks.
    pub fn commit_paths(&self, paths: &[&str], message: &str) -> Result<()> {
        for args in [
            &["add", "--all", "--"][..],
            &["commit", "--quiet", "--only", "-m", message, "--"],
        ] {
            let mut command = Command::new("git");
            command.arg("-C").arg(&self.root).arg("--literal-pathspecs");
            let output = started(command.args(args).args(paths).output())?;
            succeeded(&args[..1], output)?;
        }
        Ok(())
    }

    /// The first lines of the messages of the newest commits, the newest one first.
    pub fn subjects(&self) -> Result<Vec<String>> {
        // Before the first commit there are none.
        let args = ["log", "--max-count=50", "--no-merges", "--format=%s"];
        let listed = self.run(&args)?.stdout;
        let subjects = String::from_utf8_lossy(&listed);
        Ok(subjects.lines().map(str::to_owned).collect())
    }

    /// Whether what is checked out is a branch.
    pub fn is_on_branch(&self) -> Result<bool> {
        self.succeeds(&["symbolic-ref", "--quiet", "HEAD"])
    }

    /// Whether git ignores a path.
    pub fn ignores(&self, path: &str) -> Result<bool> {
        self.succeeds(&["check-ignore", "--quiet", "--", path])
    }

    /// What git answers, without the end of its line; `None` where it has no answer.
    fn line(&self, args: &[&str]) -> Result<Option<String>> {
        let output = self.run(args)?;
        let line = String::from_utf8(output.stdout).context("git's answer is not UTF-8")?;
        let line = line.trim_end();
        let is_answer = output.status.success() && !line.is_empty();
        Ok(is_answer.then(|| line.to_owned()))
    }

    fn succeeds(&self, args: &[&str]) -> Result<bool> {
        Ok(self.run(args)?.status.success())
    }

    fn output(&self, args: &[&str]) -> Result<Vec<u8>> {
        succeeded(args, self.run(args)?)
    }

    fn run(&self, args: &[&str]) -> Result<Output> {
        started(self.command(args).output())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        // Nothing that a repository names is run.
        let safe = "safe.bareRepository=explicit core.fsmonitor=false core.hooksPath=/dev/null log.showSignature=false";
        command.args(safe.split(' ').flat_map(|setting| ["-c", setting]));
        command
            .arg("-C")
            .arg(&self.root)
            .arg("--no-replace-objects")
            .args(args)
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        // Messages in English, since some are read; nothing is fetched unasked.
        command
            .env("LC_ALL", "C")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0");
        // A hook of git runs with these, which would name another repository.
        for name in ["DIR", "WORK_TREE", "INDEX_FILE", "COMMON_DIR", "PREFIX"] {
            command.env_remove(format!("GIT_{name}"));
        }
        command
    }
}

/// `git@github.com:owner/name.git` as an address that needs no key and gives away no password, in the form that library files
/// have.
fn public(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let Some((scheme, rest)) = url.split_once("://") else {
        let path = url.strip_prefix("git@github.com:");
        return path.map_or(url.to_owned(), |path| {
            public(&format!("https://github.com/{path}"))
        });
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or(host);
    match host {
        "github.com" => format!("https://github.com/{}.git", path.trim_end_matches(".git")),
        _ => format!("{scheme}://{host}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_key_becomes_one_that_everybody_can_read() {
        for url in [
            "git@github.com:a/b.git",
            "ssh://git@github.com/a/b",
            "https://github.com/a/b/",
            "https://github.com/a/b.git",
        ] {
            assert_eq!(public(url), "https://github.com/a/b.git");
        }
        assert_eq!(
            public("https://user:password@github.com/a/b.git"),
            "https://github.com/a/b.git"
        );
        assert_eq!(
            public("https://user:password@example.com/a/b"),
            "https://example.com/a/b"
        );
        assert_eq!(public("/srv/git/b.git"), "/srv/git/b.git");
    }
}
