//! The labels of GitHub's hosts in a workflow: in `runs-on`, and in the matrix that it may take them from.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::Kind;

static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    // Larger hosts and those of another processor have more behind the version: they are somebody's choice.
    Regex::new(r#"(?-u)(?:^|[\s\["',{])(?<system>ubuntu|windows|macos)-(?<it>latest|\d+(?:\.\d+)?)(?:$|[\s\]"',}])"#)
        .expect("a fixed pattern")
});

/// Adds the versions in the labels of hosts.
pub(super) fn scan(text: &[u8], found: &mut Vec<(Range<usize>, Kind)>) {
    for line in lines(text) {
        for (it, system) in line.labels {
            found.push((it, Kind::Host { system }));
        }
    }
}

/// A line of a workflow, without its comment, and the versions in the labels of hosts there.
struct Line<'a> {
    code: &'a [u8],
    labels: Vec<(Range<usize>, String)>,
}

/// The lines of a workflow.
///
/// A host is named behind `runs-on` and its `labels`, and behind a key of the `matrix` that a `runs-on` takes its value
/// from. What stands in an expression (`${{ … }}`) is nobody's label.
fn lines(text: &[u8]) -> Vec<Line<'_>> {
    static FROM_MATRIX: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?-u)runs-on[^\n]*?matrix\.([\w-]+)").expect("a fixed pattern")
    });
    static KEY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?-u)(?:^|[\s{,\["'-])([A-Za-z][\w-]*)["']?\s*:(?:\s|$)"#)
            .expect("a fixed pattern")
    });
    let taken: BTreeSet<&[u8]> = FROM_MATRIX
        .captures_iter(text)
        .filter_map(|groups| Some(groups.get(1)?.as_bytes()))
        .collect();
    let mut lines = Vec::new();
    let mut start = 0;
    // The keys that a line is below, each with its indent.
    let mut keys: Vec<(usize, &[u8])> = Vec::new();
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let end = line
            .windows(2)
            .position(|two| two[0].is_ascii_whitespace() && two[1] == b'#')
            .unwrap_or(line.len());
        let code = if line.trim_ascii_start().starts_with(b"#") {
            &[]
        } else {
            line[..end].trim_ascii_end()
        };
        let mut labels = Vec::new();
        if !code.is_empty() {
            let indent = code.len() - code.trim_ascii_start().len();
            // The items of a list may stand as far left as its key.
            let is_item = code[indent..].starts_with(b"-");
            keys.retain(|(of, _)| *of < indent || *of == indent && is_item);
            let here: Vec<(usize, &[u8])> = KEY
                .captures_iter(code)
                .filter_map(|groups| groups.get(1))
                .map(|key| (key.start(), key.as_bytes()))
                .collect();
            // A label may end in the character that the next one begins with, so each search starts where a label ended.
            let mut from = 0;
            while let Some(groups) = LABEL.captures_at(code, from) {
                let (Some(system), Some(it)) = (groups.name("system"), groups.name("it")) else {
                    break;
                };
                from = it.end();
                let before = &code[..it.start()];
                let in_expression = before.windows(3).filter(|three| three == b"${{").count()
                    > before.windows(2).filter(|two| two == b"}}").count();
                let key = here
                    .iter()
                    .rev()
                    .find(|(at, _)| *at < it.start())
                    .or(keys.last())
                    .map(|(_, key)| *key);
                let in_matrix = || keys.iter().chain(&here).any(|(_, key)| *key == b"matrix");
                let names = key.is_some_and(|key| {
                    key == b"runs-on" || key == b"labels" || taken.contains(key) && in_matrix()
                });
                if names && !in_expression {
                    let system = String::from_utf8_lossy(system.as_bytes()).into_owned();
                    labels.push((start + it.start()..start + it.end(), system));
                }
            }
            keys.extend(here.first().copied());
        }
        lines.push(Line { code, labels });
        start += line.len();
    }
    lines
}

/// A job of a workflow: the lines of its text, and the versions of Windows that it runs on.
pub struct Job<'a> {
    /// Its text, without comments, a line each.
    pub code: Vec<&'a [u8]>,
    /// Where the first host stands, in bytes, and what each says: `2019`, `latest`.
    pub windows: Vec<(usize, String)>,
}

/// The jobs of a workflow: what is indented once below `jobs:`.
pub fn jobs(text: &[u8]) -> Vec<Job<'_>> {
    let mut jobs: Vec<Job> = Vec::new();
    let (mut in_jobs, mut depth) = (false, None);
    for line in lines(text) {
        let indent = line.code.len() - line.code.trim_ascii_start().len();
        if line.code.is_empty() {
            continue;
        }
        if indent == 0 {
            in_jobs = line.code.starts_with(b"jobs:");
            continue;
        }
        if !in_jobs {
            continue;
        }
        if *depth.get_or_insert(indent) == indent {
            jobs.push(Job {
                code: Vec::new(),
                windows: Vec::new(),
            });
        }
        let Some(job) = jobs.last_mut() else { continue };
        job.code.push(line.code);
        for (it, _) in line
            .labels
            .into_iter()
            .filter(|(_, system)| system == "windows")
        {
            job.windows
                .push((it.start, String::from_utf8_lossy(&text[it]).into_owned()));
        }
    }
    jobs
}
