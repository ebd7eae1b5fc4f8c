//! A repository in a folder of its own, and the program run on it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Path → permission bits and bytes (of a link, its target); a folder without files is listed with a `/` at its end.
pub type Snapshot = BTreeMap<String, (u32, Vec<u8>)>;

/// The releases that the repository has recorded.
pub fn releases() -> PathBuf {
    project().join("tests/releases")
}

/// The releases that are recorded for the tree with several series.
pub const RELEASES_OF_SERIES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/trees/series/releases");

pub fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The tree of a test, `streaming/before` say.
pub fn tree(name: &str) -> PathBuf {
    project().join("tests/trees").join(name)
}

/// What the program did.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the program runs");
        Self {
            status: output.status.code().expect("the program ends by itself"),
            stdout: String::from_utf8(output.stdout).expect("output in UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("errors in UTF-8"),
        }
    }

    #[track_caller]
    pub fn exits_with(self, status: i32) -> Self {
        assert_eq!(
            self.status, status,
            "stdout:\n{}stderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    #[track_caller]
    pub fn says(self, expected: &str) -> Self {
        assert_eq!(self.stdout, expected);
        self
    }

    /// Every part stands in the error, which is the only output.
    #[track_caller]
    pub fn fails_with(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "wanted `{part}` in:\n{}",
                self.stderr
            );
        }
        assert_eq!(self.stdout, "");
        self.exits_with(2)
    }
}

/// The program with that working folder and arguments, and nothing of the caller's settings.
pub fn program(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_update"));
    command.current_dir(folder).args(args).env_clear();
    command
}

pub fn run(folder: &Path, args: &[&str]) -> Run {
    Run::of(&mut program(folder, args))
}

/// A copy of a tree, removed at the end.
pub struct Repository {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Repository {
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self {
            root: folder.path().to_owned(),
            _folder: folder,
        }
    }

    pub fn of(tree: &Path) -> Self {
        Self::empty().with(tree)
    }

    /// A copy in a folder of its own inside of another, so that files beside it are not part of it.
    pub fn nested(tree: &Path) -> Self {
        let mut repository = Self::empty();
        repository.root.push("here");
        repository.with(tree)
    }

    fn with(self, tree: &Path) -> Self {
        let repository = self;
        for (path, (mode, bytes)) in snapshot(tree) {
            repository.write(&path, bytes);
            repository.set_mode(&path, mode);
        }
        repository
    }

    /// A repository like the one that this project is, at 0.25.6: the project's own moves on.
    pub fn of_this_project() -> Self {
        Self::of(&tree("own"))
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders can be made");
        fs::write(path, content).expect("files can be written");
    }

    pub fn set_mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode))
            .expect("modes can be set");
    }

    pub fn read(&self, path: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(path)).expect(path)).into_owned()
    }

    /// Replaces a text that stands in the file, everywhere.
    #[track_caller]
    pub fn edit(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "no `{old}` in {path}:\n{text}");
        self.write(path, text.replace(old, new));
    }

    pub fn rename(&self, old: &str, new: &str) {
        fs::rename(self.path(old), self.path(new)).expect("it can be renamed");
    }

    pub fn remove(&self, path: &str) {
        let path = self.path(path);
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.expect("it can be removed");
    }

    pub fn snapshot(&self) -> Snapshot {
        snapshot(self.root())
    }

    pub fn run(&self, args: &[&str]) -> Run {
        run(self.root(), args)
    }

    /// An update from the recorded releases.
    pub fn update(&self, args: &[&str]) -> Run {
        let releases = releases();
        self.run(&[&["--from", releases.to_str().expect("UTF-8")], args].concat())
    }

    /// The update fails with these words, and leaves every byte as it was.
    #[track_caller]
    pub fn update_fails(&self, args: &[&str], parts: &[&str]) {
        let before = self.snapshot();
        self.update(args).fails_with(parts);
        same(&self.snapshot(), &before);
    }

    /// The findings of `check`, a line each, without the count below them.
    #[track_caller]
    pub fn findings(&self) -> Vec<String> {
        let run = self.run(&["check"]);
        assert!(run.status < 2, "{}", run.stderr);
        let lines: Vec<String> = run.stdout.lines().map(str::to_owned).collect();
        assert_eq!(run.status == 0, lines.len() == 1, "{lines:?}");
        lines[..lines.len() - 1].to_vec()
    }

    /// `check` finds these, by path, line and rule, and nothing else.
    #[track_caller]
    pub fn finds(&self, expected: &[&str]) {
        let findings = self.findings();
        let matches = findings.len() == expected.len()
            && findings
                .iter()
                .zip(expected)
                .all(|(found, part)| found.contains(part));
        assert!(matches, "wanted {expected:#?}, found {findings:#?}");
    }
}

/// Everything below a folder.
pub fn snapshot(root: &Path) -> Snapshot {
    fn walk(root: &Path, folder: &Path, all: &mut Snapshot) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .strip_prefix(root)
                .expect("below it")
                .to_str()
                .expect("UTF-8")
                .to_owned();
            let metadata = fs::symlink_metadata(&path).expect("metadata");
            let mode = metadata.permissions().mode() & 0o7777;
            if metadata.is_symlink() {
                let target = fs::read_link(&path).expect("a link");
                all.insert(name, (mode, target.to_str().expect("UTF-8").into()));
            } else if metadata.is_dir() {
                walk(root, &path, all);
                if fs::read_dir(&path).expect("a folder").next().is_none() {
                    all.insert(format!("{name}/"), (mode, Vec::new()));
                }
            } else {
                all.insert(name, (mode, fs::read(&path).expect("a file")));
            }
        }
    }
    let mut all = Snapshot::new();
    walk(root, root, &mut all);
    all
}

/// Two trees are the same; says the first paths in which they are not.
#[track_caller]
pub fn same(found: &Snapshot, expected: &Snapshot) {
    let paths: std::collections::BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    let show = |file: Option<&(u32, Vec<u8>)>| {
        file.map(|(mode, bytes)| format!("{mode:o} {}", String::from_utf8_lossy(bytes)))
    };
    let different: Vec<String> = paths
        .into_iter()
        .filter(|path| found.get(*path) != expected.get(*path))
        .map(|path| {
            format!(
                "{path}\nfound: {:?}\nwanted: {:?}",
                show(found.get(path)),
                show(expected.get(path))
            )
        })
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}
