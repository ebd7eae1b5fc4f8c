//! What is in a commit: the Dockerfiles of its version directories, as a repository.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::process::Stdio;
use std::thread;

use anyhow::{Context, Result};

use super::Git;
use crate::repository::config::{Config, Pattern, Stated};
use crate::repository::{Repository, is_dockerfile};

impl Git {
    /// The Dockerfiles of a commit's version directories, as a repository. `fallback` is for a commit without an `update.toml`.
    pub fn repository(&self, commit: &str, fallback: &Config) -> Result<Repository> {
        let listed = self.output(&["ls-tree", "-r", "-z", "--full-tree", commit])?;
        let lines = listed.split(|&byte| byte == 0);
        let files: Vec<Listed> = lines.filter_map(Listed::parse).collect();
        let stated = files.iter().find(|file| file.path == "update.toml");
        let stated = stated.map(|file| {
            let text = self.blobs(&[file])?.concat();
            Stated::parse(&text, &format!("update.toml of {commit}"))
        });
        let stated = stated.transpose()?;
        let folders = files
            .iter()
            .filter_map(|file| Some(file.path.split_once('/')?.0));
        let folders: BTreeSet<&str> = folders.collect();
        let folders = Vec::from_iter(folders);
        let fits = |name: &&str| fallback.directory.matches(name).is_some();
        let pattern = match &stated {
            Some(stated) => stated.directory.clone(),
            None => folders.iter().any(fits).then(|| fallback.directory.clone()),
        };
        let pattern = pattern.unwrap_or_else(|| Pattern::infer(&folders));
        let is_wanted = |file: &&Listed| match *file.path.split('/').collect::<Vec<_>>() {
            [directory, _, .., name] => pattern.matches(directory).is_some() && is_dockerfile(name),
            _ => false,
        };
        let wanted: Vec<&Listed> = files.iter().filter(is_wanted).collect();
        let paths = wanted.iter().map(|file| file.path.clone());
        let texts: Vec<(String, Vec<u8>)> = paths.zip(self.blobs(&wanted)?).collect();
        let config = match stated {
            Some(stated) => stated.complete(pattern, std::iter::once(texts.clone()))?,
            None => Config {
                directory: pattern,
                ..fallback.clone()
            },
        };
        Repository::of_files(config, texts)
    }

    /// The contents of blobs, in their order.
    fn blobs(&self, blobs: &[&Listed]) -> Result<Vec<Vec<u8>>> {
        let names = blobs.iter().map(|blob| blob.name.as_str());
        let all = self.asked("--batch", names)?;
        let mut rest = all.as_slice();
        let content = |blob: &&Listed| {
            next(&mut rest).with_context(|| format!("git has no content of {}", blob.path))
        };
        blobs.iter().map(content).collect()
    }

    /// The object names of folders in commits, each by commit and folder, of those that are there.
    pub fn folders(
        &self,
        commits: &BTreeSet<String>,
        folders: &[String],
    ) -> Result<BTreeMap<(String, String), String>> {
        let in_all = |commit: &String| {
            let pair = |folder: &String| (commit.clone(), folder.clone());
            folders.iter().map(pair).collect::<Vec<_>>()
        };
        let pairs: Vec<(String, String)> = commits.iter().flat_map(in_all).collect();
        let name = |(commit, folder): &(String, String)| format!("{commit}:{folder}");
        let answers = self.asked("--batch-check", pairs.iter().map(name))?;
        let answers = String::from_utf8(answers)?;
        let object = |line: &str| match line.split(' ').collect::<Vec<_>>().as_slice() {
            [name, "tree", _] => Some((*name).to_owned()),
            _ => None,
        };
        let all = pairs.into_iter().zip(answers.lines().map(object));
        Ok(all.filter_map(|(pair, name)| Some((pair, name?))).collect())
    }

    /// What `git cat-file` answers to names of objects, all asked of one process.
    fn asked(&self, how: &str, names: impl Iterator<Item = impl AsRef<str>>) -> Result<Vec<u8>> {
        let mut command = self.command(&["cat-file", how]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (mut input, mut output) = pipes.context("git has no input or output")?;
        let names: String = names
            .flat_map(|name| [name.as_ref().to_owned(), "\n".to_owned()])
            .collect();
        let mut all = Vec::new();
        // Both pipes are small: what is asked for goes in while what is answered comes out.
        thread::scope(|scope| {
            let writer = scope.spawn(move || input.write_all(names.as_bytes()));
            output.read_to_end(&mut all)?;
            writer
                .join()
                .map_err(|_| anyhow::anyhow!("the thread that asks git ended"))?
                .context("git closed its input")
        })?;
        child.wait()?;
        Ok(all)
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
    let size: usize = head.rsplit_once(' ')?.1.parse().ok()?;
    let content = rest.get(end + 1..end + 1 + size)?.to_vec();
    *rest = rest.get(end + 2 + size..)?;
    Some(content)
}
