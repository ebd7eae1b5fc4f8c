//! Every token that states something, made wrong in turn, is found by `check`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use update::check;

/// Mistakes that no look at the tree alone can find, and words with a number that state nothing: what stands in them, as they
/// are listed below, and why.
const NOT_FOUND: &[(&str, &str)] = &[
    (
        "sha256='",
        "the digits of a hash: `check --online` compares them",
    ),
    ("SHA256=", "the same"),
    ("SHASUM", "the same"),
    ("sha256sum", "a command, and the variable that it reads"),
    ("0.0.0", "any version is right in a template"),
    (
        "FROM mcr.microsoft.com/windows/servercore:1809",
        "and any base",
    ),
    ("FROM mcr.microsoft.com/windows/nanoserver:1809", "the same"),
    ("FROM alpine:3.18", "the same"),
    ("aarch64|arm64", "one label that Alpine prints is enough"),
    (
        "windows-amd64.zip",
        "whether a release has an archive: `check --online` asks",
    ),
    ("Move-Item", "the folder in an archive"),
    ("RUN $url", "`{0}`, the first argument of a format"),
    ("222", "a port"),
    ("strip-components", "an option of tar"),
    ("NATS_DOCKERIZED", "a switch"),
    ("exit 1", "a status"),
    ("LASTEXITCODE", "the same"),
    ("ailed", "the same"),
    (">&2", "a file"),
    ("$1", "an argument"),
    ("$0", "the same"),
    ("[1]", "an index"),
    ("leep", "a second"),
    ("cd \"../${ver", "the same"),
    ("- name:", "what a step is called"),
    ("platforms:", "what an image is built for"),
    ("runs-on:", "a runner"),
    ("uses:", "somebody else's action"),
    ("matrix.year }}.ps1", "the ending of a file"),
    ("on Windows Server", "what a job is called"),
];

/// The documents of a tree, by their paths in it.
fn documents(root: &Path) -> Vec<PathBuf> {
    let all = walkdir::WalkDir::new(root).sort_by_file_name();
    let files = all.into_iter().map(|entry| entry.expect("readable"));
    let is_document = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("Dockerfile")
            || [".sh", ".ps1", ".yml", ".yaml"]
                .iter()
                .any(|ending| name.ends_with(ending))
    };
    let paths = files.filter(|entry| entry.file_type().is_file());
    paths
        .map(|entry| entry.path().strip_prefix(root).expect("inside").to_owned())
        .filter(is_document)
        .collect()
}

/// The tokens of a text that may state something: words with a number in them, and the names of variants without one.
fn tokens(text: &str) -> Vec<std::ops::Range<usize>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let mut tokens = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if is_part(c) {
            start.get_or_insert(at);
        } else if let Some(from) = start.take() {
            let word = text[from..at].trim_end_matches(['.', '-']);
            if word.contains(|c: char| c.is_ascii_digit()) || word == "scratch" {
                tokens.push(from..from + word.len());
            }
        }
    }
    tokens
}

/// What the token can be mistaken for: with its last digit another one, or with a letter more; or what else there is of its
/// kind.
fn mistakes(token: &str, others: &[String]) -> Vec<String> {
    let others = others
        .iter()
        .filter(|_| others.iter().any(|other| other == token));
    let others = others.filter(|other| *other != token).cloned();
    others.chain([wrong(token)]).collect()
}

/// The token with its last digit another one, or with a letter more.
fn wrong(token: &str) -> String {
    let stem = token.strip_suffix(".ps1").unwrap_or(token);
    match stem.rfind(|c: char| c.is_ascii_digit()) {
        None => format!("{token}x"),
        Some(at) => {
            let digit = token.as_bytes()[at] - b'0';
            format!("{}{}{}", &token[..at], (digit + 1) % 10, &token[at + 1..])
        }
    }
}

/// The names of the folders in a folder.
fn folders(root: &Path) -> Vec<String> {
    let all = fs::read_dir(root)
        .expect("a folder")
        .map(|entry| entry.expect("readable"));
    let folders = all.filter(|entry| entry.file_type().expect("a type").is_dir());
    folders
        .map(|entry| entry.file_name().into_string().expect("UTF-8"))
        .collect()
}

/// The names of the version directories of a tree.
fn directories(root: &Path) -> Vec<String> {
    let is_version = |name: &String| name.starts_with(|c: char| c.is_ascii_digit());
    folders(root).into_iter().filter(is_version).collect()
}

/// The names of the variants of all version directories of a tree.
fn variants(root: &Path) -> Vec<String> {
    let all = directories(root)
        .into_iter()
        .flat_map(|name| folders(&root.join(name)));
    let all: BTreeSet<String> = all.filter(|name| name != "tests").collect();
    all.into_iter().collect()
}

#[test]
fn every_statement_that_is_made_wrong_is_found() {
    let trees = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trees");
    let mut missed = BTreeSet::new();
    let mut found = 0;
    for tree in ["streaming/before", "own", "series/before"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        for entry in walkdir::WalkDir::new(trees.join(tree)) {
            let entry = entry.expect("readable");
            let to = root.join(entry.path().strip_prefix(trees.join(tree)).expect("inside"));
            if entry.file_type().is_dir() {
                fs::create_dir_all(to).expect("a folder");
            } else {
                fs::copy(entry.path(), to).expect("a copy");
            }
        }
        for path in documents(root) {
            let text = fs::read_to_string(root.join(&path)).expect("UTF-8");
            for token in tokens(&text) {
                let line = text[..token.start].rfind('\n').map_or(0, |end| end + 1);
                let line = text[line..].lines().next().unwrap_or_default().trim();
                if line.starts_with('#') {
                    continue;
                }
                let kinds = [directories(root), variants(root)];
                let mistakes: BTreeSet<String> = kinds
                    .iter()
                    .flat_map(|others| mistakes(&text[token.clone()], others))
                    .chain([wrong(&text[token.clone()])])
                    .collect();
                for mistake in mistakes {
                    let mutant = [&text[..token.start], &mistake, &text[token.end..]].concat();
                    fs::write(root.join(&path), mutant).expect("written");
                    let findings = check::read(root).map(|(_, _, report)| report.findings.len());
                    if findings.is_ok_and(|findings| findings == 0) {
                        let name = path.file_name().unwrap_or_default().to_string_lossy();
                        missed.insert(format!(
                            "{name}: {} → {mistake}: {line}",
                            &text[token.clone()]
                        ));
                    } else {
                        found += 1;
                    }
                }
            }
            fs::write(root.join(&path), text).expect("written");
        }
    }
    let is_known = |(part, _): &&(&str, &str), missed: &str| missed.contains(part);
    let unknown: Vec<&String> = missed
        .iter()
        .filter(|missed| !NOT_FOUND.iter().any(|known| is_known(&known, missed)))
        .collect();
    assert!(unknown.is_empty(), "{found} found, missed:\n{unknown:#?}");
    for known in NOT_FOUND {
        let is_used = missed.iter().any(|missed| is_known(&known, missed));
        assert!(is_used, "nothing is missed any more of: {}", known.1);
    }
    assert!(found > 300, "only {found} mistakes were made");
}
