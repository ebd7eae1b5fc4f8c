//! The part of a repository that `update` reads: version directories, templates, scripts and workflows, as they are on disk.
//!
//! What they say is `fields`' business; what they must say, `rules`'; writing, `apply`'s.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use walkdir::WalkDir;

use crate::config::{Config, Pattern, infer_pattern};
use crate::parallel;
use crate::version::Variant;

/// Path → file. Paths are relative to the repository, with `/` between their parts on every system.
pub type Files = BTreeMap<String, File>;

/// A file as it is, or must be, on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What is in it.
    pub content: Content,
    /// Permission bits as `chmod` counts them; 0 where the system has none.
    pub mode: u32,
}

/// What is in a file.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Bytes, mostly text, not always UTF-8.
    Bytes(Vec<u8>),
    /// Bytes that are where they were, on disk: of a release that is history.
    Unread(PathBuf),
    /// A symbolic link that stays inside the repository. It travels along; what it points to is read where it stands.
    Link(PathBuf),
}

impl fmt::Debug for Content {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).fmt(out),
            Self::Unread(path) | Self::Link(path) => write!(out, "{}", path.display()),
        }
    }
}

impl File {
    /// The file's bytes; none for a link, and of what is not read.
    pub fn text(&self) -> &[u8] {
        match &self.content {
            Content::Bytes(bytes) => bytes,
            Content::Unread(_) | Content::Link(_) => &[],
        }
    }

    /// The file's bytes, from disk where they are still there.
    pub fn read(&self) -> Result<Cow<'_, [u8]>> {
        match &self.content {
            Content::Unread(path) => Ok(Cow::Owned(fs::read(path)?)),
            _ => Ok(Cow::Borrowed(self.text())),
        }
    }

    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        matches!(self.content, Content::Link(_))
    }

    /// Whether anybody may run it.
    pub fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}

/// What is read of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// What repository it is.
    pub config: Config,
    /// Every file below version directories and `templates`, and the scripts and workflows of the root.
    pub files: Files,
    /// The names of the version directories, those without any file too.
    pub directories: BTreeSet<String>,
}

/// What becomes of the files of older releases, of which there may be thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// They are read.
    Read,
    /// They stay on disk, to be read one by one, where each version has a directory of its own.
    Leave,
}

/// How a file is read for its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A Dockerfile of a version directory or a template.
    Dockerfile,
    /// A test script: `*.sh` or `*.ps1` directly in a `tests` folder.
    Script,
    /// A workflow of `.github/workflows`.
    Workflow,
}

impl Tree {
    /// Reads the repository at `root`. What cannot be read, a name that is not UTF-8 and a symbolic link that leads out of
    /// the repository are errors, reported together.
    pub fn read(root: &Path, history: History) -> Result<Self> {
        let (folders, links) = top_level(root)?;
        let known = Config::from_file(root)?;
        let pattern = match &known {
            Some(config) => config.directory.clone(),
            None => infer_pattern(folders.iter().map(String::as_str)),
        };
        let is_version = |name: &&String| pattern.parse(name).is_some();
        if let Some(link) = links
            .iter()
            .find(|name| is_version(name) || *name == "templates" || *name == "tests")
        {
            bail!(
                "{}: a symbolic link, where a folder was wanted: put the folder itself there",
                root.join(link).display()
            );
        }
        let directories: BTreeSet<String> = folders.iter().filter(is_version).cloned().collect();

        let newest = directories.iter().max_by_key(|name| pattern.parse(name));
        let is_old = |name: &String| {
            history == History::Leave && !pattern.has_lines() && Some(name) != newest
        };
        let names: Vec<&String> = directories.iter().collect();
        let read = parallel::map(&names, 0, |_, name| {
            Reader::read(root, name, usize::MAX, is_old(name), |_| true)
        });
        let is_read = |path: &str| role(path, &pattern).is_some();
        let rest = [
            ("templates", usize::MAX),
            ("tests", 1),
            (".github/workflows", 1),
        ];
        let rest = rest.map(|(folder, depth)| {
            Reader::read(root, folder, depth, false, |path| {
                depth > 1 || is_read(path)
            })
        });
        let (mut files, mut problems) = (Files::new(), Vec::new());
        for reader in read.into_iter().chain(rest) {
            files.extend(reader.files);
            problems.extend(reader.problems);
        }
        for (path, file) in files
            .iter()
            .filter(|(path, file)| file.is_link() && role(path, &pattern).is_some())
        {
            // Read where it stands, or not at all: then it would be overlooked.
            let target = fs::canonicalize(root.join(path))
                .ok()
                .zip(fs::canonicalize(root).ok());
            let target = target.and_then(|(target, root)| {
                Some(target.strip_prefix(root).ok()?.to_str()?.replace('\\', "/"))
            });
            if !target.is_some_and(|target| {
                files.contains_key(&target) && role(&target, &pattern).is_some()
            }) {
                problems.push(format!(
                    "{path}: a symbolic link to {:?}, which is not read: put the file itself there",
                    file.content
                ));
            }
        }
        ensure!(
            problems.is_empty(),
            "cannot read the repository:\n  {}",
            problems.join("\n  ")
        );

        let config = known.map_or_else(|| Config::infer(&files, pattern), Ok)?;
        Ok(Self {
            config,
            files,
            directories,
        })
    }

    /// The variants of a version directory: its folders with a `Dockerfile` or `Dockerfile.…` in them.
    pub fn variants(&self, directory: &str) -> Vec<Variant> {
        let names: BTreeSet<&str> = below(&self.files, directory)
            .filter_map(
                |(path, _)| match path.split('/').collect::<Vec<_>>().as_slice() {
                    [_, folder, file] if is_dockerfile(file) => Some(*folder),
                    _ => None,
                },
            )
            .collect();
        names.into_iter().filter_map(Variant::parse).collect()
    }

    /// The families that have a template.
    pub fn templates(&self) -> BTreeSet<&str> {
        below(&self.files, "templates")
            .filter_map(|(path, _)| path.split('/').nth(1))
            .collect()
    }

    /// Of some files those whose fields are statements, each with how it is read: not templates, and not links, whose targets
    /// are read where they stand.
    pub fn stating<'a>(
        &self,
        files: impl Iterator<Item = (&'a String, &'a File)>,
    ) -> impl Iterator<Item = (&'a String, &'a File, Role)> {
        let own = |path: &str, file: &File| {
            self.role(path)
                .filter(|_| !file.is_link() && !path.starts_with("templates/"))
        };
        files.filter_map(move |(path, file)| Some((path, file, own(path, file)?)))
    }

    /// The Dockerfiles of a version directory.
    pub fn dockerfiles(&self, directory: &str) -> impl Iterator<Item = (&String, &File)> {
        below(&self.files, directory).filter(|(path, _)| self.role(path) == Some(Role::Dockerfile))
    }

    /// How the file at `path` is read; `None` where it has no fields.
    pub fn role(&self, path: &str) -> Option<Role> {
        role(path, &self.config.directory)
    }

    /// The version directory that `path` is in.
    pub fn directory_of<'a>(&self, path: &'a str) -> Option<&'a str> {
        let first = path.split('/').next()?;
        self.directories.contains(first).then_some(first)
    }
}

/// The files below a folder.
pub fn below<'a>(
    files: &'a Files,
    folder: &str,
) -> impl Iterator<Item = (&'a String, &'a File)> + use<'a> {
    let start = format!("{folder}/");
    files
        .range(start.clone()..)
        .take_while(move |(path, _)| path.starts_with(&start))
}

/// Whether a file of that name is a Dockerfile, rather than what an editor or a merge left beside one.
pub fn is_dockerfile(name: &str) -> bool {
    let beside = [
        "~",
        ".bak",
        ".dockerignore",
        ".orig",
        ".rej",
        ".swp",
        ".tmp",
    ];
    name.starts_with("Dockerfile") && !beside.iter().any(|ending| name.ends_with(ending))
}

fn role(path: &str, pattern: &Pattern) -> Option<Role> {
    let parts: Vec<&str> = path.split('/').collect();
    let ends = |name: &str, endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let in_directory = |name: &str| pattern.parse(name).is_some();
    match parts.as_slice() {
        [".github", "workflows", name] if ends(name, &[".yml", ".yaml"]) => Some(Role::Workflow),
        ["tests", name] if ends(name, &[".sh", ".ps1"]) => Some(Role::Script),
        [first, "tests", name] if in_directory(first) && ends(name, &[".sh", ".ps1"]) => {
            Some(Role::Script)
        }
        [first, .., name]
            if (*first == "templates" || in_directory(first)) && is_dockerfile(name) =>
        {
            Some(Role::Dockerfile)
        }
        _ => None,
    }
}

/// The names of the folders and of the symbolic links in `root`.
fn top_level(root: &Path) -> Result<(Vec<String>, Vec<String>)> {
    let cannot = || format!("cannot read the folder {}", root.display());
    let (mut folders, mut links) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(root).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let kind = entry.file_type().with_context(cannot)?;
        if let Ok(name) = entry.file_name().into_string() {
            if kind.is_dir() {
                folders.push(name);
            } else if kind.is_symlink() {
                links.push(name);
            }
        }
    }
    Ok((folders, links))
}

/// A file's bytes; `None` where there is no file.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(problem) => Err(problem).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Files of a folder, and everything there that could not be read.
#[derive(Default)]
struct Reader {
    files: Vec<(String, File)>,
    problems: Vec<String>,
}

impl Reader {
    /// Reads the files of a folder, where there is one, that `wanted` accepts by their path; where they are to stay on disk, only
    /// their names.
    fn read(
        root: &Path,
        folder: &str,
        depth: usize,
        stay: bool,
        wanted: impl Fn(&str) -> bool,
    ) -> Self {
        let mut reader = Self::default();
        let start = root.join(folder);
        if !start.is_dir() {
            return reader;
        }
        for entry in WalkDir::new(start).max_depth(depth) {
            let read = entry.map_err(walk_error).and_then(|entry| {
                if entry.file_type().is_dir() {
                    return Ok(None);
                }
                let relative = entry.path().strip_prefix(root)?;
                let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
                let path = parts
                    .with_context(|| format!("{}: its name is not UTF-8", relative.display()))?
                    .join("/");
                if !wanted(&path) {
                    return Ok(None);
                }
                if stay && entry.file_type().is_file() {
                    return Ok(Some((
                        path,
                        File {
                            content: Content::Unread(entry.into_path()),
                            mode: 0,
                        },
                    )));
                }
                let file = read_file(root, entry.path(), entry.file_type())
                    .with_context(|| path.clone())?;
                Ok(Some((path, file)))
            });
            match read {
                Ok(found) => reader.files.extend(found),
                Err(problem) => reader.problems.push(format!("{problem:#}")),
            }
        }
        reader
    }
}

/// Names the place once, which walkdir's own error does twice.
fn walk_error(error: walkdir::Error) -> anyhow::Error {
    let place = error
        .path()
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    match error.into_io_error() {
        Some(problem) => anyhow::Error::new(problem).context(place),
        None => anyhow::anyhow!("{place}: a circle of symbolic links"),
    }
}

fn read_file(root: &Path, path: &Path, kind: fs::FileType) -> Result<File> {
    if kind.is_symlink() {
        let target = fs::canonicalize(path).context("a symbolic link that leads nowhere")?;
        ensure!(
            target.starts_with(fs::canonicalize(root)?),
            "a symbolic link that leads out of the repository, to {}: put the file itself there",
            target.display()
        );
        return Ok(File {
            content: Content::Link(fs::read_link(path)?),
            mode: 0,
        });
    }
    ensure!(kind.is_file(), "neither a file nor a folder");
    Ok(File {
        content: Content::Bytes(fs::read(path)?),
        mode: mode(&fs::metadata(path)?),
    })
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0
}
