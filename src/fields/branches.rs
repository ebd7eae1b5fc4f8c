//! Which archive each hash of a Dockerfile is of, and which architecture each branch of a `case` is for.
//!
//! A hash is bound by the instruction in which it stands, or in which its variable is used: where that downloads archives of
//! ours and nothing else, it is of the one whose branch it is in, else of the only one. Where it downloads nothing of ours,
//! the hash is another program's; for any other no value is right.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::downloads::{Downloads, Of};
use super::spans::{
    has, is_comment, is_setting, is_word, last_word, line_before, skip, trimmed_end,
};
use super::{Kind, found};
use crate::release::checksums::Sha256;
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
    /// Where branches end.
    pub(super) ends: Vec<usize>,
    /// Where our version goes into an address that is not of our archives.
    pub(super) made: Vec<usize>,
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
    span: Range<usize>,
    assigned: &'a Assigned,
    /// The release's name that is to stand there.
    arch: String,
    /// The address that takes its architecture from here.
    address: &'a Address,
    /// It is chosen by what `apk` prints.
    is_by_apk: bool,
}

/// What a hash is of.
enum Bound {
    /// This archive of ours.
    Ours(Box<str>),
    /// Another program.
    Others,
    /// Nothing here: its variable is used nowhere.
    Unused,
    /// Nobody can tell.
    Unknown,
}

/// The fields of hashes and architectures.
pub(super) fn fields(text: &[u8], seen: &Seen) -> Vec<(Range<usize>, Kind)> {
    let words = hex_words(text);
    if seen.arches.is_empty() && seen.sums.is_empty() && words.is_empty() {
        return Vec::new();
    }
    let ours: Vec<usize> = seen.addresses.iter().map(|address| address.at).collect();
    let pins = Pins::new(text, seen, Downloads::new(text, &ours, &seen.made));
    let branches = pins.branches();
    let mut fields = Vec::new();
    architectures(text, &branches, &mut fields);
    // What is called a hash, and what looks like one.
    let words = words.into_iter().filter(|word| !is_key_id(text, word));
    let mut hashes: Vec<Range<usize>> = seen.sums.iter().cloned().chain(words).collect();
    hashes.sort_by_key(|span| span.start);
    hashes.dedup_by_key(|span| span.start);
    let bound = hashes.iter().map(|hash| pins.bound(hash, &branches));
    let mut bound: Vec<Bound> = bound.collect();
    one_each(text, &hashes, &mut bound);
    // Something of our version is downloaded, and no hash is known to be of it: what nobody knows may be.
    let has_pin = bound.iter().any(|of| matches!(of, Bound::Ours(_)));
    let has_unpinned = (!ours.is_empty() || !seen.made.is_empty()) && !has_pin;
    for (hash, of) in hashes.into_iter().zip(bound) {
        let platform = match of {
            Bound::Ours(platform) => Some(platform),
            Bound::Unused if has_unpinned => None,
            Bound::Unknown if hash.len() == 64 || has_unpinned => None,
            Bound::Unknown | Bound::Unused | Bound::Others => continue,
        };
        fields.push((hash, Kind::Hash(platform)));
    }
    fields
}

/// What is asked of a Dockerfile for each of its hashes.
struct Pins<'a> {
    text: &'a [u8],
    seen: &'a Seen,
    downloads: Downloads<'a>,
    /// The one archive that each instruction downloads, of those that download one of ours.
    archives: BTreeMap<usize, Box<str>>,
}

impl<'a> Pins<'a> {
    fn new(text: &'a [u8], seen: &'a Seen, downloads: Downloads<'a>) -> Self {
        // What a variable says that has one value.
        let mut values: BTreeMap<&[u8], Option<&Range<usize>>> = BTreeMap::new();
        for Assigned { name, value, .. } in &seen.arches {
            let only = values.entry(&text[name.clone()]);
            only.and_modify(|only| *only = None).or_insert(Some(value));
        }
        let archive = |at: usize| {
            let before = seen.addresses.partition_point(|address| address.at < at);
            let address = &seen.addresses[before];
            let Some(name) = address.variable() else {
                return Some(address.platform(&address.arch));
            };
            let value = (*values.get(name.as_bytes())?)?;
            Some(address.platform(&found(text, value)))
        };
        let ours = downloads.instructions.iter().enumerate();
        let ours = ours.filter(|(_, instruction)| instruction.of == Of::Ours);
        let archives = ours.filter_map(|(number, instruction)| {
            let all = downloads.addresses(&instruction.span).map(archive);
            let all: BTreeSet<Option<Box<str>>> = all.collect();
            let only = all.into_iter().reduce(|_, _| None).flatten()?;
            Some((number, only))
        });
        Self {
            text,
            seen,
            archives: archives.collect(),
            downloads,
        }
    }

    /// The branches whose architecture an address of ours in the same instruction has.
    fn branches(&self) -> Vec<Branch<'a>> {
        let downloads = &self.downloads;
        let mut takers: BTreeMap<(usize, &str), &Address> = BTreeMap::new();
        for address in self.seen.addresses.iter().rev() {
            let number = downloads.number(address.at);
            takers.extend(address.variable().map(|name| ((number, name), address)));
        }
        let mut branches: Vec<Branch> = Vec::new();
        let mut ends = self.seen.ends.iter().copied().peekable();
        for assigned in &self.seen.arches {
            let labels = assigned.labels.as_ref();
            let start = labels.map_or(assigned.name.start, |labels| labels.start);
            while ends.next_if(|end| *end < assigned.value.end).is_some() {}
            if let Some(last) = branches.last_mut() {
                last.span.end = last.span.end.min(start);
            }
            let number = downloads.number(start);
            let instruction = &downloads.instructions[number];
            let name = found(self.text, &assigned.name);
            let Some(address) = takers.get(&(number, &*name)) else {
                continue;
            };
            if instruction.of != Of::Ours {
                continue;
            }
            let end = ends.peek().copied().unwrap_or(instruction.span.end);
            let value = found(self.text, &assigned.value);
            let is_by_apk = instruction.is_by_apk;
            let right = labels.filter(|_| is_by_apk);
            let right = right.and_then(|labels| right_arch(&found(self.text, labels), &value));
            branches.push(Branch {
                span: start..end.min(instruction.span.end),
                assigned,
                arch: right.unwrap_or_else(|| value.into_owned()),
                address,
                is_by_apk,
            });
        }
        branches
    }

    /// What a hash is of: what the instruction downloads in which it stands, or in which its variable is used.
    fn bound(&self, hash: &Range<usize>, branches: &[Branch]) -> Bound {
        let downloads = &self.downloads;
        let own = downloads.number(hash.start);
        let is_run = downloads.instructions[own].of != Of::Nothing;
        let used: Vec<usize> = match variable_of(self.text, hash) {
            None => vec![own],
            Some(name) => {
                let end = match is_run {
                    true => downloads.instructions[own].span.end,
                    false => self.text.len(),
                };
                let mut used = downloads.using(&name, &(hash.end..end));
                // What is called nothing but a hash is one of what is there.
                if used.is_empty() && is_run && is_plain(&name) {
                    used.push(own);
                }
                used
            }
        };
        let of = |number: &usize| downloads.instructions[*number].of;
        match used.first().map(of) {
            None => Bound::Unused,
            Some(first) if used.iter().any(|number| of(number) != first) => Bound::Unknown,
            Some(Of::Others) => Bound::Others,
            Some(Of::Ours) => {
                let branch = self.in_branch(hash, branches).filter(|_| is_run);
                let mut all = used.iter().map(|number| self.archives.get(number));
                let first = all.next().flatten();
                let only = first.filter(|first| all.all(|archive| archive == Some(*first)));
                let archive = branch.or_else(|| only.cloned());
                archive.map_or(Bound::Unknown, Bound::Ours)
            }
            _ => Bound::Unknown,
        }
    }

    /// The archive of the branch that a hash is in: by its architecture, or by the address in it.
    fn in_branch(&self, hash: &Range<usize>, branches: &[Branch]) -> Option<Box<str>> {
        let before = branches.partition_point(|branch| branch.span.start <= hash.start);
        let last = before.checked_sub(1).map(|last| &branches[last]);
        if let Some(branch) = last.filter(|branch| branch.span.contains(&hash.start)) {
            return Some(branch.address.platform(&branch.arch));
        }
        // `amd64) url='…-linux-amd64.tar.gz'; sha256='<hash>' ;;`
        let ends = &self.seen.ends;
        let next = ends.partition_point(|end| *end < hash.start);
        let end = ends.get(next)?;
        let start = next.checked_sub(1).map_or(0, |last| ends[last]);
        let addresses = &self.seen.addresses;
        let from = addresses.partition_point(|address| address.at < start);
        let mut inside = addresses[from..]
            .iter()
            .take_while(|address| address.at < *end);
        let only = inside.next().filter(|_| inside.next().is_none())?;
        only.variable().is_none().then(|| only.platform(&only.arch))
    }
}

/// The words of nothing but hex digits, as long as hashes are. An image's digest says which bytes the base is, not which
/// archive.
fn hex_words(text: &[u8]) -> Vec<Range<usize>> {
    // One of so many bytes is in each of them.
    const SHORTEST: usize = 32;
    const LONGEST: usize = 128;
    let (mut words, mut at) = (Vec::new(), SHORTEST - 1);
    while let Some(byte) = text.get(at) {
        if !byte.is_ascii_hexdigit() {
            at += SHORTEST;
            continue;
        }
        let start = at - last_word(&text[at.saturating_sub(LONGEST)..at]).len();
        let end = skip(text, at, is_word);
        at = end + SHORTEST - 1;
        // Of a SHA-256 digits may be missing, or too many.
        let is_long = matches!(end - start, SHORTEST | 40 | 50..=90 | 96 | LONGEST);
        let is_whole = start == 0 || !is_word(text[start - 1]);
        let is_hash = is_long && is_whole && text[start..end].iter().all(u8::is_ascii_hexdigit);
        if is_hash && !text[..start].ends_with(b"@sha256:") && !is_comment(text, start) {
            words.push(start..end);
        }
    }
    words
}

/// Whether a variable is called nothing but a hash.
fn is_plain(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut kinds = ["sha", "sum", "hash", "check"].into_iter();
    kinds.any(|kind| name.starts_with(kind))
}

/// One archive has one hash: of what differs nobody knows which it is.
fn one_each(text: &[u8], hashes: &[Range<usize>], bound: &mut [Bound]) {
    let said = |hash: &Range<usize>| found(text, hash).parse::<Sha256>().ok();
    let said = |hash: &Range<usize>| said(hash).filter(|said| *said != Sha256::ZERO);
    let mut known: BTreeMap<Box<str>, BTreeSet<Sha256>> = BTreeMap::new();
    for (hash, of) in hashes.iter().zip(bound.iter()) {
        if let Bound::Ours(platform) = of {
            known
                .entry(platform.clone())
                .or_default()
                .extend(said(hash));
        }
    }
    for of in bound {
        if matches!(of, Bound::Ours(platform) if known[platform].len() > 1) {
            *of = Bound::Unknown;
        }
    }
}

/// The labels of our branches, and the architectures behind them.
fn architectures(text: &[u8], branches: &[Branch], fields: &mut Vec<(Range<usize>, Kind)>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let by_apk = || branches.iter().filter(|branch| branch.is_by_apk);
    by_apk().for_each(|branch| *counts.entry(&branch.arch).or_default() += 1);
    let has_labels = by_apk().any(|branch| branch.assigned.labels.is_some());
    for branch in by_apk().filter(|_| has_labels) {
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

/// Whether digits are the name of a key rather than a hash: of those who sign a release.
fn is_key_id(text: &[u8], word: &Range<usize>) -> bool {
    let keys = ["KEY", "FINGERPRINT", "GPG", "PGP"];
    let is_key = |name: &String| keys.iter().any(|key| name.contains(key));
    let before = &text[word.start.saturating_sub(400)..word.start];
    word.len() == 40
        && (variable_of(text, word).is_some_and(|name| is_key(&name.to_uppercase()))
            || has(before, b"recv-key")
            || has(before, b"gpg "))
}

/// The variable that a hash is assigned to.
fn variable_of(text: &[u8], hash: &Range<usize>) -> Option<String> {
    let before = line_before(text, hash.start);
    let unquoted = trimmed_end(before, |byte| b"\"'".contains(&byte));
    // `${SHA256:-<hash>}`
    let default = before
        .strip_suffix(b":-")
        .or(before.strip_suffix(b":="))
        .or(before.strip_suffix(b"-"));
    if let Some(default) = default {
        let name = last_word(default);
        let is_open = default[..default.len() - name.len()].ends_with(b"${");
        return is_open.then(|| String::from_utf8_lossy(name).into_owned());
    }
    let is_set = is_setting(before);
    let bare = trimmed_end(unquoted, |byte| b" \t".contains(&byte));
    let is_spaced = bare.len() < unquoted.len() || bare.ends_with(b" =");
    if !is_set && !bare.ends_with(b"=") {
        return None;
    }
    let unquoted = trimmed_end(unquoted, |byte| b" \t=".contains(&byte));
    let name = last_word(unquoted);
    // `$sha256 = '…'`, in PowerShell
    if !is_set && is_spaced && !unquoted[..unquoted.len() - name.len()].ends_with(b"$") {
        return None;
    }
    // `--checksum=`
    let is_option = unquoted[..unquoted.len() - name.len()].ends_with(b"-");
    (!is_option && !name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
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
    let right = names.find(|name| *name == found);
    Some(right.unwrap_or(first).to_owned())
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
