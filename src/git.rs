//! Questions to the installed `git` about the repository that a tree is in. Nothing is changed, fetched or given to a shell.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::repository::config::{Config, Pattern, Stated};
use crate::repository::{Blob, Repository};

/// A repository, asked through its `git`.
pub struct Git {
    root: PathBuf,
}

/// Whether a commit is in what a library file fetches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It is.
    Yes,
    /// It is not: in this ref, for people.
    No(String),
    /// The remote of that name is known here, and has no such branch.
    Missing(String),
    /// Nothing is known of such a ref here.
    Unknown,
}

impl Git {
    /// The repository that a folder is in, whose paths are counted from that folder.
    pub fn within(root: &Path) -> Result<Self> {
        let git = Self {
            root: root.to_owned(),
        };
        ensure!(
            git.run(&["rev-parse", "--is-inside-work-tree"])?
                .status
                .success(),
            "no git repository"
        );
        Ok(git)
    }

    /// The repository whose top folder `root` is. An error where there is none, or no `git`.
    pub fn open(root: &Path) -> Result<Self> {
        let git = Self {
            root: root.to_owned(),
        };
        let output = git.run(&["rev-parse", "--show-prefix"])?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let reason = said
                .lines()
                .find_map(|line| line.strip_prefix("fatal: "))
                .unwrap_or("git fails")
                .to_owned();
            let (short, place) = (reason.split(" (").next().unwrap_or(&reason), root.display());
            if short.contains("dubious ownership") {
                bail!(
                    "{place} belongs to somebody else, and git refuses it: `git config --global --add safe.directory {place}`"
                );
            }
            bail!(
                "{place} is {}",
                if short.starts_with("not a") {
                    short.to_owned()
                } else {
                    format!("no git repository: {short}")
                }
            );
        }
        let prefix = String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned();
        ensure!(
            prefix.is_empty(),
            "{} is the folder {prefix} of a git repository, and folders in a library file are counted from its top",
            root.display()
        );
        Ok(git)
    }

    /// The commit that is checked out, in 40 hex digits; `None` before the first one.
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
        Ok(self
            .line(&["rev-parse", "--is-shallow-repository"])?
            .as_deref()
            == Some("true"))
    }

    /// The remotes, each with its address as one that everybody can read from.
    fn remotes(&self) -> Result<Vec<(String, String)>> {
        let listed = self
            .run(&["config", "--get-regexp", r"^remote\..*\.url$"])?
            .stdout;
        let listed = String::from_utf8_lossy(&listed);
        let remote = |line: &str| {
            let (key, url) = line.split_once(' ')?;
            Some((
                key.strip_prefix("remote.")?
                    .strip_suffix(".url")?
                    .to_owned(),
                public(url),
            ))
        };
        Ok(listed.lines().filter_map(remote).collect())
    }

    /// Whether a commit is in what is fetched (`refs/heads/main`) from the repository with that address: asked of what is
    /// known of the remote, else of the branch here.
    pub fn reach(&self, commit: &str, fetched: &str, address: &str) -> Result<Reach> {
        let remotes = self.remotes()?;
        let remote = remotes
            .iter()
            .find(|(_, url)| *url == public(address))
            .map_or("origin", |(name, _)| name);
        let tracked = fetched
            .strip_prefix("refs/heads/")
            .map(|branch| format!("refs/remotes/{remote}/{branch}"));
        for name in tracked.iter().map(String::as_str).chain([fetched]) {
            if self.commit(name)?.is_none() {
                continue;
            }
            let output = self.run(&["merge-base", "--is-ancestor", commit, name])?;
            let short = ["refs/remotes/", "refs/heads/", "refs/tags/"]
                .iter()
                .find_map(|start| name.strip_prefix(start));
            return Ok(match output.status.code() {
                Some(0) => Reach::Yes,
                Some(1) => Reach::No(short.unwrap_or(name).to_owned()),
                _ => Reach::Unknown,
            });
        }
        let known = self.line(&[
            "for-each-ref",
            "--count=1",
            "--format=%(refname)",
            &format!("refs/remotes/{remote}/"),
        ])?;
        let is_known = known.is_some() && tracked.is_some() && !self.is_shallow()?;
        Ok(if is_known {
            Reach::Missing(remote.to_owned())
        } else {
            Reach::Unknown
        })
    }

    /// Whether a folder is the same at two commits, both of which are here.
    pub fn is_same(&self, one: &str, other: &str, folder: &str) -> Result<bool> {
        let at = |commit: &str| {
            self.line(&[
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                &format!("{commit}:{folder}"),
            ])
        };
        let (one, other) = (at(one)?, at(other)?);
        Ok(one.is_some() && one == other)
    }

    /// The files below these folders that are not as the commit has them that is checked out, new ones too.
    pub fn changed(&self, paths: &[&str]) -> Result<Vec<String>> {
        let off = self.filters_off()?;
        let settings = off.iter().flat_map(|setting| ["-c", setting]);
        let status = [
            "status",
            "--porcelain",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--ignore-submodules=all",
            "--",
        ];
        let args: Vec<&str> = settings
            .chain(status)
            .chain(paths.iter().copied())
            .collect();
        let listed = self.output(&args)?;
        let name = |line: &[u8]| Some(String::from_utf8_lossy(line.get(3..)?).into_owned());
        Ok(listed.split(|&byte| byte == 0).filter_map(name).collect())
    }

    /// The settings that keep git from running the filters that a repository names.
    fn filters_off(&self) -> Result<Vec<String>> {
        let listed = self
            .run(&["config", "--name-only", "--get-regexp", r"^filter\."])?
            .stdout;
        let keys = String::from_utf8_lossy(&listed);
        let key = |line: &str| {
            let value = if line.ends_with(".required") {
                "false"
            } else {
                ""
            };
            format!("{line}={value}")
        };
        Ok(keys.lines().map(key).collect())
    }

    /// Whether git ignores a path.
    pub fn ignores(&self, path: &str) -> Result<bool> {
        Ok(self
            .run(&["check-ignore", "--quiet", "--", path])?
            .status
            .success())
    }

    /// The Dockerfiles of a commit's version directories, as a repository. Where the commit has no `update.toml`, `fallback`
    /// says what it is.
    pub fn repository(&self, commit: &str, fallback: &Config) -> Result<Repository> {
        let listed = self.output(&["ls-tree", "-r", "-z", "--full-tree", commit])?;
        let files: Vec<Listed> = listed
            .split(|&byte| byte == 0)
            .filter_map(Listed::parse)
            .collect();
        let stated = files.iter().find(|file| file.path == "update.toml");
        let stated = stated.map(|file| {
            Stated::parse(
                &self.blobs(&[file])?.concat(),
                &format!("update.toml of {commit}"),
            )
        });
        let stated = stated.transpose()?;
        let folders = files
            .iter()
            .filter_map(|file| Some(file.path.split_once('/')?.0));
        let folders: BTreeSet<&str> = folders.collect();
        let folders = Vec::from_iter(folders);
        let pattern = match &stated {
            Some(stated) => stated
                .directory()
                .unwrap_or_else(|| Pattern::infer(&folders)),
            None if folders
                .iter()
                .any(|name| fallback.directory.matches(name).is_some()) =>
            {
                fallback.directory.clone()
            }
            None => Pattern::infer(&folders),
        };
        let is_wanted = |file: &&Listed| {
            let parts: Vec<&str> = file.path.split('/').collect();
            let is_inside = parts.len() > 2 && pattern.matches(parts[0]).is_some();
            is_inside
                && parts
                    .last()
                    .is_some_and(|name| crate::repository::is_dockerfile(name))
        };
        let wanted: Vec<&Listed> = files.iter().filter(is_wanted).collect();
        let texts = self.blobs(&wanted)?;
        let blobs = wanted.iter().zip(texts).map(|(file, text)| Blob {
            path: file.path.clone(),
            text,
        });
        let blobs: Vec<Blob> = blobs.collect();
        let config = match stated {
            Some(stated) => stated.complete(
                pattern,
                std::iter::once(blobs.iter().map(|blob| blob.text.clone()).collect()),
            )?,
            None => Config {
                directory: pattern,
                ..fallback.clone()
            },
        };
        Ok(Repository::of_blobs(config, &blobs))
    }

    /// The contents of blobs, in their order.
    fn blobs(&self, blobs: &[&Listed]) -> Result<Vec<Vec<u8>>> {
        let mut child = self
            .command(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (mut input, mut output) = child
            .stdin
            .take()
            .zip(child.stdout.take())
            .context("git has no input or output")?;
        let names: String = blobs
            .iter()
            .map(|blob| format!("{}\n", blob.name))
            .collect();
        let mut all = Vec::new();
        // Both pipes are small: what is asked for goes in while what is answered comes out.
        thread::scope(|scope| {
            let writer = scope.spawn(move || input.write_all(names.as_bytes()));
            output.read_to_end(&mut all)?;
            writer
                .join()
                .map_err(|_| anyhow::anyhow!("the thread that asks git ended"))?
                .context("git takes no more questions")
        })?;
        child.wait()?;
        let mut rest = all.as_slice();
        blobs
            .iter()
            .map(|blob| {
                next(&mut rest).with_context(|| format!("git has no content of {}", blob.path))
            })
            .collect()
    }

    /// What git answers, without the end of its line; `None` where it has no answer.
    fn line(&self, args: &[&str]) -> Result<Option<String>> {
        let output = self.run(args)?;
        let line =
            String::from_utf8(output.stdout).context("git answers in something else than UTF-8")?;
        Ok(output
            .status
            .success()
            .then(|| line.trim_end().to_owned())
            .filter(|line| !line.is_empty()))
    }

    fn output(&self, args: &[&str]) -> Result<Vec<u8>> {
        let output = self.run(args)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "git {} fails: {}",
            args.join(" "),
            said.trim_end()
        );
        Ok(output.stdout)
    }

    fn run(&self, args: &[&str]) -> Result<Output> {
        match self.command(args).output() {
            Err(problem) if problem.kind() == ErrorKind::NotFound => {
                bail!(
                    "git is not installed, or not on PATH; without it nothing is known of commits"
                )
            }
            other => other.context("cannot start git"),
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        // Nothing that a repository names is run.
        let safe = [
            "safe.bareRepository=explicit",
            "core.fsmonitor=false",
            "core.hooksPath=/dev/null",
        ];
        command.args(safe.iter().flat_map(|setting| ["-c", setting]));
        command
            .arg("-C")
            .arg(&self.root)
            .arg("--no-replace-objects")
            .args(args)
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        // Messages in English, for what is read of them; nothing fetched behind the back.
        command
            .env("LC_ALL", "C")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0");
        // A hook of git runs with these, which would name another repository.
        [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_COMMON_DIR",
            "GIT_PREFIX",
        ]
        .iter()
        .for_each(|name| {
            command.env_remove(name);
        });
        command
    }
}

/// A file of a commit.
struct Listed {
    name: String,
    path: String,
}

impl Listed {
    /// From a line of `git ls-tree`; `None` for what is no regular file, or has a name that is not UTF-8.
    fn parse(line: &[u8]) -> Option<Self> {
        let (info, path) = std::str::from_utf8(line).ok()?.split_once('\t')?;
        let [mode, kind, name] = info.split(' ').collect::<Vec<_>>().try_into().ok()?;
        let is_file = kind == "blob" && mode.starts_with("100");
        is_file.then(|| Self {
            name: name.to_owned(),
            path: path.to_owned(),
        })
    }
}

/// Takes the next answer of `git cat-file --batch` off: `<name> blob <size>`, a newline, the content, a newline.
fn next(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let head = std::str::from_utf8(&rest[..end]).ok()?;
    let size: usize = head
        .rsplit_once(" blob ")
        .or(head.rsplit_once(' '))?
        .1
        .parse()
        .ok()?;
    let content = rest.get(end + 1..end + 1 + size)?.to_vec();
    *rest = rest.get(end + 2 + size..)?;
    Some(content)
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
