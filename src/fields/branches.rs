//! Which archive each hash of a Dockerfile is of, and which architecture each branch of a `case` is for.
//!
//! A hash is bound by what stands beside it: by the branch whose variable an address of ours has as its architecture, or by
//! an address that names one archive alone. What nothing binds is a hash of nobody's, or, where it could be ours, a field
//! for which nothing is right.

use std::collections::BTreeMap;
use std::ops::Range;

use memchr::memmem;

use super::spans::{is_word, last_word, line_before, skip, trimmed_end};
use super::{Kind, found};
use crate::version::{apk_arch, release_arch};

/// What a Dockerfile is seen to say of archives, in the order of the text.
#[derive(Default)]
pub(super) struct Seen {
    /// The addresses of our archives.
    pub(super) addresses: Vec<Address>,
    /// What is assigned to variables that are called like an architecture.
    pub(super) arches: Vec<Assigned>,
    /// What is assigned to variables that are called like a hash, right or not.
    pub(super) sums: Vec<Range<usize>>,
    /// Words that look like a hash.
    pub(super) words: Vec<Range<usize>>,
    /// Where branches end.
    pub(super) ends: Vec<usize>,
    /// An address that is not of our archives is made of our version.
    pub(super) has_other_download: bool,
}

/// What an address says of the archive that it is of.
pub(super) struct Address {
    pub(super) at: usize,
    pub(super) system: &'static str,
    /// The release's name of the architecture, or, with the `$`, the variable that holds it.
    pub(super) arch: String,
    pub(super) ending: &'static str,
}

impl Address {
    fn variable(&self) -> Option<&str> {
        let name = self.arch.strip_prefix('$')?;
        Some(name.trim_matches(['{', '}']))
    }

    fn platform(&self, arch: &str) -> Box<str> {
        [self.system, "-", arch, ".", self.ending].concat().into()
    }
}

/// A variable that is called like an architecture, with its value.
pub(super) struct Assigned {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) labels: Option<Range<usize>>,
}

/// A branch of a `case` or an `if` that names an architecture.
struct Branch<'a> {
    range: Range<usize>,
    assigned: &'a Assigned,
    /// The address that takes its architecture from here.
    address: Option<&'a Address>,
    /// The release's name that is to stand there.
    arch: String,
}

/// The fields of hashes and architectures; `key` is the version key, which names of hashes of ours may begin with.
pub(super) fn fields(text: &[u8], seen: &Seen, key: &str) -> Vec<(Range<usize>, Kind)> {
    let others = downloads_of_others(text, seen);
    let branches = branches(text, seen, &others);
    let mut fields = Vec::new();
    if !branches.is_empty() && memmem::find(text, b"apk --print-arch").is_some() {
        architectures(text, &branches, &mut fields);
    }
    let owner = |at: usize| {
        let before = branches.partition_point(|branch| branch.range.start <= at);
        let branch = branches.get(before.checked_sub(1)?)?;
        branch.range.contains(&at).then_some(before - 1)
    };
    // What stands in each branch: what is called a hash, and else what looks like one.
    let mut inside: BTreeMap<usize, Vec<&Range<usize>>> = BTreeMap::new();
    let (mut outside, mut called): (Vec<&Range<usize>>, Vec<&Range<usize>>) = Default::default();
    let values = seen.sums.iter().map(|sum| (sum, true));
    let words = seen
        .words
        .iter()
        .filter(|word| is_sha256(word))
        .map(|word| (word, false));
    for (hash, is_called_so) in values.chain(words) {
        match owner(hash.start) {
            Some(index) => {
                let all = inside.entry(index).or_default();
                if !all.iter().any(|other| other.start == hash.start) {
                    all.push(hash);
                }
            }
            None if is_called_so => called.push(hash),
            None => outside.push(hash),
        }
    }
    let mut is_bound = false;
    let mut foreign = Vec::new();
    for (index, hashes) in inside {
        let branch = &branches[index];
        let Some(address) = branch.address else {
            // Of another program, where its architecture goes into an address that is not ours; else of nobody known.
            match is_used(text, &branch.assigned.name) {
                true => foreign.extend(hashes),
                false => fields.extend(
                    hashes
                        .into_iter()
                        .map(|hash| (hash.clone(), Kind::Hash(None))),
                ),
            }
            continue;
        };
        let platform = (hashes.len() == 1).then(|| address.platform(&branch.arch));
        is_bound |= platform.is_some();
        fields.extend(
            hashes
                .into_iter()
                .map(|hash| (hash.clone(), Kind::Hash(platform.clone()))),
        );
    }
    match one(&seen.addresses.iter().collect::<Vec<_>>()) {
        Some(platform) => {
            // Called a hash, whether it is one or not.
            let hashes = if outside.is_empty() { called } else { outside };
            let (hashes, is_named) = named(text, hashes, key);
            // Where something else is downloaded too, or it is called like something else, it may be of that.
            let is_certain = is_named
                || others.is_empty() && hashes.iter().all(|hash| may_be_ours(text, hash, key));
            let platform = (hashes.len() == 1 && is_certain).then_some(platform);
            is_bound |= platform.is_some();
            fields.extend(
                hashes
                    .into_iter()
                    .map(|hash| (hash.clone(), Kind::Hash(platform.clone()))),
            );
        }
        None => {
            // In a `case` a hash is of an architecture; elsewhere it is of another tool that the image installs.
            for hash in outside {
                let line = line(text, hash.start);
                let here: Vec<&Address> = seen
                    .addresses
                    .iter()
                    .filter(|address| line.contains(&address.at))
                    .collect();
                let platform = one(&here);
                if platform.is_some() || memmem::find(&text[line], b";;").is_some() {
                    is_bound |= platform.is_some();
                    fields.push((hash.clone(), Kind::Hash(platform)));
                } else {
                    foreign.push(hash);
                }
            }
        }
    }
    // Something of our version is downloaded, and no hash is known to be of it: any of the others may be.
    let downloads = !seen.addresses.is_empty() || seen.has_other_download;
    if downloads && !is_bound {
        let others = seen.words.iter().filter(|word| !is_sha256(word));
        fields.extend(
            foreign
                .into_iter()
                .chain(others)
                .map(|hash| (hash.clone(), Kind::Hash(None))),
        );
    }
    fields
}

/// Whether a variable is used somewhere: `$name`, `${name}`.
fn is_used(text: &[u8], name: &Range<usize>) -> bool {
    let name = &text[name.clone()];
    let is_variable = |at: usize| text[..at].ends_with(b"$") || text[..at].ends_with(b"${");
    let is_whole = |at: usize| text.get(at + name.len()).is_none_or(|byte| !is_word(*byte));
    memmem::find_iter(text, name).any(|at| is_variable(at) && is_whole(at))
}

fn is_sha256(word: &Range<usize>) -> bool {
    word.len() == 64
}

/// The line of a place.
fn line(text: &[u8], at: usize) -> Range<usize> {
    let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
    let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline);
    start..end
}

/// The one archive that all of some addresses name.
fn one(addresses: &[&Address]) -> Option<Box<str>> {
    let platform = |address: &&Address| address.platform(&address.arch);
    let first = addresses.first().map(platform)?;
    let is_it = |address: &&&Address| address.variable().is_none() && platform(address) == first;
    (addresses.iter().filter(is_it).count() == addresses.len()).then_some(first)
}

/// Of the hashes in a file that names one archive those whose line has the version key in front of them, if any has.
/// And whether there are such.
fn named<'a>(
    text: &[u8],
    hashes: Vec<&'a Range<usize>>,
    key: &str,
) -> (Vec<&'a Range<usize>>, bool) {
    let is_named = |hash: &Range<usize>| {
        variable_of(text, hash).is_some_and(|name| name.contains(&key.to_uppercase()))
    };
    let ours: Vec<&Range<usize>> = hashes
        .iter()
        .copied()
        .filter(|hash| is_named(hash))
        .collect();
    match ours.is_empty() {
        true => (hashes, false),
        false => (ours, true),
    }
}

/// The variable that a hash is assigned to, in capitals.
fn variable_of(text: &[u8], hash: &Range<usize>) -> Option<String> {
    let before = line_before(text, hash.start);
    let unquoted = trimmed_end(before, |byte| b"\"'".contains(&byte));
    let first = before.trim_ascii_start();
    let is_set = first.starts_with(b"ENV ") || first.starts_with(b"ARG ");
    if !is_set && !unquoted.ends_with(b"=") {
        return None;
    }
    let unquoted = trimmed_end(unquoted, |byte| b" \t=".contains(&byte));
    Some(String::from_utf8_lossy(last_word(unquoted)).to_uppercase())
}

/// Whether a hash is assigned to a variable that is called like the server, or like nothing in particular: `GIT_DOWNLOAD_SHA256`,
/// rather than `TINI_SHA256`.
fn may_be_ours(text: &[u8], hash: &Range<usize>, key: &str) -> bool {
    const ANYBODY: [&str; 8] = [
        "ARCHIVE", "BINARY", "DOWNLOAD", "FILE", "GIT", "RELEASE", "SERVER", "URL",
    ];
    let Some(name) = variable_of(text, hash) else {
        return true;
    };
    let is_known = |word: &str| {
        let is_kind = ["SHA", "SUM", "HASH", "CHECK"]
            .iter()
            .any(|kind| word.starts_with(kind));
        word.is_empty()
            || is_kind
            || ANYBODY.contains(&word)
            || key.split('_').any(|own| own == word)
    };
    name.split('_')
        .all(|word| is_known(word) || word.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The addresses of what is not an archive of ours, in an instruction that downloads: from the `://` on.
fn downloads_of_others(text: &[u8], seen: &Seen) -> Vec<Range<usize>> {
    if seen.addresses.is_empty() {
        return Vec::new();
    }
    let address = |at: usize| {
        let is_part = |byte: u8| !byte.is_ascii_whitespace() && !b"\"'`;,".contains(&byte);
        let end = skip(text, at, is_part);
        let first = seen.addresses.partition_point(|address| address.at < at);
        let is_ours = seen
            .addresses
            .get(first)
            .is_some_and(|address| address.at < end);
        let is_list = memmem::find(&text[at..end], b"SHA256SUMS").is_some();
        let start = line_before(text, at).trim_ascii_start();
        let is_label = start.starts_with(b"#") || start.starts_with(b"LABEL");
        let has_path = text[at + 3..end]
            .iter()
            .filter(|byte| **byte == b'/')
            .count()
            > 1;
        (!is_ours && !is_list && !is_label && has_path).then_some(at..end)
    };
    memmem::find_iter(text, b"://")
        .filter_map(address)
        .collect()
}

/// The lines of the instruction that a place is in.
fn instruction(text: &[u8], at: usize) -> Range<usize> {
    let goes_on = |end: usize| {
        let code = trimmed_end(&text[..end], |byte| {
            byte.is_ascii_whitespace() && byte != b'\n'
        });
        code.ends_with(b"\\") || code.ends_with(b"`")
    };
    let mut whole = line(text, at);
    while whole.start > 0 && goes_on(whole.start - 1) {
        whole.start = line(text, whole.start - 1).start;
    }
    while whole.end < text.len() && goes_on(whole.end) {
        whole.end = line(text, whole.end + 1).end;
    }
    whole
}

fn branches<'a>(text: &[u8], seen: &'a Seen, others: &[Range<usize>]) -> Vec<Branch<'a>> {
    let mut branches: Vec<Branch> = Vec::new();
    let mut ends = seen.ends.iter().copied().peekable();
    let variables: BTreeMap<&str, &Address> = seen
        .addresses
        .iter()
        .rev()
        .filter_map(|address| Some((address.variable()?, address)))
        .collect();
    let ours: Vec<usize> = seen.addresses.iter().map(|address| address.at).collect();
    // Where other addresses use a variable, by its name; and the instruction that was looked at last.
    let mut shared: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut here = 0..0;
    for assigned in &seen.arches {
        let start = assigned
            .labels
            .as_ref()
            .map_or(assigned.name.start, |labels| labels.start);
        while ends.next_if(|end| *end < assigned.value.end).is_some() {}
        if let Some(last) = branches.last_mut() {
            last.range.end = last.range.end.min(start);
        }
        let name = found(text, &assigned.name);
        let address = variables.get(&*name).copied();
        // What is downloaded of another program with the same variable, and not of ours in that instruction, is not ours.
        let address = address.filter(|_| {
            let shared = shared.entry(name.to_string()).or_insert_with(|| {
                let [plain, closed] = [format!("${name}"), format!("${{{name}}}")];
                let uses = |other: &&Range<usize>| {
                    let address = found(text, other);
                    address.contains(&plain) || address.contains(&closed)
                };
                others
                    .iter()
                    .filter(uses)
                    .map(|other| other.start)
                    .collect()
            });
            shared.is_empty() || {
                if !here.contains(&start) {
                    here = instruction(text, start);
                }
                let is_here = |places: &[usize]| {
                    let first = places.partition_point(|at| *at < here.start);
                    places.get(first).is_some_and(|at| *at < here.end)
                };
                is_here(&ours) && !is_here(shared)
            }
        });
        // An architecture that no address of ours has, and no `case` chooses, says nothing of the hashes behind it.
        if address.is_none() && assigned.labels.is_none() {
            continue;
        }
        let value = found(text, &assigned.value);
        let right = assigned
            .labels
            .as_ref()
            .and_then(|labels| right_arch(&found(text, labels), &value));
        branches.push(Branch {
            range: start..ends.peek().copied().unwrap_or(text.len()),
            assigned,
            address,
            arch: right.unwrap_or_else(|| value.into_owned()),
        });
    }
    branches
}

/// The labels of our branches, and the architectures behind them.
fn architectures(text: &[u8], branches: &[Branch], fields: &mut Vec<(Range<usize>, Kind)>) {
    let ours = || branches.iter().filter(|branch| branch.address.is_some());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    ours().for_each(|branch| *counts.entry(&branch.arch).or_default() += 1);
    let has_labels = ours().any(|branch| branch.assigned.labels.is_some());
    for branch in ours().filter(|_| has_labels) {
        let labels = branch.assigned.labels.as_ref();
        if let Some(labels) = labels {
            let twice = counts[branch.arch.as_str()] > 1;
            let arch = branch.arch.as_str().into();
            fields.push((labels.clone(), Kind::Labels { arch, twice }));
        }
        let labels = labels.map(|labels| found(text, labels).into());
        fields.push((branch.assigned.value.clone(), Kind::Arch { labels }));
    }
}

/// The labels of a `case` branch, without quotes.
fn labels_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('|')
        .map(|label| label.trim().trim_matches(['"', '\'']))
}

/// The release's name for the labels of a branch: what stands there where one of them pairs with it, else the first one's;
/// `None` where `apk` prints none of them.
pub(super) fn right_arch(labels: &str, found: &str) -> Option<String> {
    let mut names = labels_in(labels).filter_map(release_arch).peekable();
    let first = *names.peek()?;
    Some(
        names
            .find(|name| *name == found)
            .unwrap_or(first)
            .to_owned(),
    )
}

/// What the labels in front of the release's name of an architecture are to be; `None` where they are right.
pub(super) fn right_labels(labels: &str, arch: &str) -> Option<Result<String, String>> {
    if right_arch(labels, arch).is_some() {
        return None;
    }
    let none = || {
        format!(
            "`apk --print-arch` never prints {labels}, and {arch} is not an architecture of Alpine"
        )
    };
    Some(apk_arch(arch).map(str::to_owned).ok_or_else(none))
}
