//! The labels of GitHub's hosts in a workflow: in `runs-on`, and in the matrix that it may take them from.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::Kind;

static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    // Larger hosts and those of another processor have more behind the version: they are somebody's choice.
    Regex::new(r#"(?-u)(?:^|[\s\["',])(?<system>ubuntu|windows|macos)-(?<it>latest|\d+(?:\.\d+)?)(?:$|[\s\]"',}])"#)
        .expect("a fixed pattern")
});

/// Adds the versions in the labels of hosts.
pub(super) fn scan(text: &[u8], found: &mut Vec<(Range<usize>, Kind)>) {
    for line in lines(text) {
        let mut from = 0;
        while let Some(groups) = LABEL.captures_at(line.code, from) {
            let (Some(system), Some(it)) = (groups.name("system"), groups.name("it")) else { break };
            from = it.end();
            if line.may_name_hosts {
                let system = String::from_utf8_lossy(system.as_bytes()).into_owned();
                found.push((line.start + it.start()..line.start + it.end(), Kind::Host { system }));
            }
        }
    }
}

/// A line of a workflow, without its comment.
struct Line<'a> {
    start: usize,
    code: &'a [u8],
    may_name_hosts: bool,
}

/// The lines of a workflow. A host may be named behind `runs-on:` and `matrix:`, and in what is indented below them.
fn lines(text: &[u8]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let (mut start, mut block) = (0, None);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let end = line.windows(2).position(|two| two[0].is_ascii_whitespace() && two[1] == b'#').unwrap_or(line.len());
        let code = if line.starts_with(b"#") { &[] } else { line[..end].trim_ascii_end() };
        let indent = code.len() - code.trim_ascii_start().len();
        let item = code.trim_ascii_start();
        // The items of a list may stand as far left as its key.
        let is_inside = |from: usize| indent > from || indent == from && item.starts_with(b"- ");
        if !code.is_empty() && block.is_some_and(|from| !is_inside(from)) {
            block = None;
        }
        let key = item.strip_prefix(b"- ").unwrap_or(item);
        if block.is_none() && (key.starts_with(b"runs-on:") || key.starts_with(b"matrix:")) {
            block = Some(indent);
        }
        lines.push(Line { start, code, may_name_hosts: block.is_some() });
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
            jobs.push(Job { code: Vec::new(), windows: Vec::new() });
        }
        let Some(job) = jobs.last_mut() else { continue };
        job.code.push(line.code);
        for groups in LABEL.captures_iter(line.code).filter(|groups| line.may_name_hosts && &groups["system"] == b"windows") {
            if let Some(it) = groups.name("it") {
                job.windows.push((line.start + it.start(), String::from_utf8_lossy(it.as_bytes()).into_owned()));
            }
        }
    }
    jobs
}
