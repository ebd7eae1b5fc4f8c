//! Which archive each hash of a Dockerfile is of, and which architecture each branch of a `case` is for.
//!
//! A hash is bound by what stands beside it: by the branch whose variable an address of ours has as its architecture, or by
//! the download that it follows. What nothing binds belongs to somebody else; or, where it could be ours, no value is right
//! for it.

use std::collections::BTreeMap;
use std::ops::Range;

use memchr::memmem;

use super::downloads::{Downloads, Of};
use super::spans::{last_word, line_before, trimmed_end};
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

    /// The archive, where the address names one.
    fn archive(&self) -> Option<Box<str>> {
        self.variable().is_none().then(|| self.platform(&self.arch))
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
    /// Its architecture goes into a download of another program.
    is_others: bool,
    /// It is chosen by what `apk` prints.
    is_apk: bool,
}

/// What a hash is of.
enum Bound {
    /// This archive of ours.
    Ours(Box<str>),
    /// Another program.
    Others,
    /// Nobody can tell.
    Unknown,
}

/// The fields of hashes and architectures; `key` is the version key, which names of hashes of ours may begin with.
pub(super) fn fields(text: &[u8], seen: &Seen, key: &str) -> Vec<(Range<usize>, Kind)> {
    let made = not_ours(text, seen);
    let ours: Vec<usize> = seen.addresses.iter().map(|address| address.at).collect();
    let downloads = Downloads::new(text, &ours, &made);
    let branches = branches(text, seen, &downloads);
    let mut fields = Vec::new();
    architectures(text, &branches, &mut fields);
    let is_known = |hash: &Range<usize>| may_be_ours(text, hash, key);
    // What stands in each branch, and what stands in none: what is called a hash, and else what looks like one.
    let mut inside: BTreeMap<usize, Vec<&Range<usize>>> = BTreeMap::new();
    let mut outside: Vec<&Range<usize>> = Vec::new();
    let words = seen.words.iter().filter(|word| is_sha256(word));
    for hash in seen.sums.iter().chain(words) {
        let before = branches.partition_point(|branch| branch.range.start <= hash.start);
        let branch = before
            .checked_sub(1)
            .filter(|last| branches[*last].range.contains(&hash.start));
        let all = branch.map_or(&mut outside, |branch| inside.entry(branch).or_default());
        all.push(hash);
    }
    outside.sort_by_key(|hash| hash.start);
    outside.dedup_by_key(|hash| hash.start);
    let mut bound: Vec<(&Range<usize>, Bound)> = Vec::new();
    for (index, mut hashes) in inside {
        hashes.sort_by_key(|hash| hash.start);
        hashes.dedup_by_key(|hash| hash.start);
        let branch = &branches[index];
        let Some(address) = branch.address else {
            // Of another program, where its architecture goes into a download that is not of our version; else of nobody known.
            bound.extend(hashes.into_iter().map(|hash| match branch.is_others {
                true => (hash, Bound::Others),
                false => (hash, Bound::Unknown),
            }));
            continue;
        };
        let ours = hashes.iter().filter(|hash| is_known(hash)).count();
        for hash in hashes {
            let of = match is_known(hash) {
                true if ours == 1 => Bound::Ours(address.platform(&branch.arch)),
                true => Bound::Unknown,
                // What stands alone in our branch, and is called like something else, may be ours all the same.
                false if ours == 0 => Bound::Unknown,
                false => Bound::Others,
            };
            bound.push((hash, of));
        }
    }
    bound.extend(by_downloads(text, &outside, (seen, &downloads), key));
    same_again(text, &mut bound);
    // Something of our version is downloaded, and no hash is known to be of it: what nobody knows may be.
    let is_ours = |(_, of): &(&Range<usize>, Bound)| matches!(of, Bound::Ours(_));
    let has_unpinned =
        (!seen.addresses.is_empty() || !made.is_empty()) && !bound.iter().any(is_ours);
    let in_case = |hash: &Range<usize>| {
        branches
            .iter()
            .any(|branch| branch.range.contains(&hash.start))
    };
    for (hash, of) in bound {
        let platform = match of {
            Bound::Ours(platform) => Some(platform),
            // Beside one of ours its name tells enough.
            Bound::Unknown if !has_unpinned && !is_known(hash) => continue,
            Bound::Unknown if is_sha256(hash) || has_unpinned || in_case(hash) => None,
            Bound::Unknown | Bound::Others => continue,
        };
        fields.push((hash.clone(), Kind::Hash(platform)));
    }
    if has_unpinned {
        let others = seen
            .words
            .iter()
            .filter(|word| !is_sha256(word) && !is_key_id(text, word));
        let unknown = others.filter(|word| {
            downloads
                .before(word.start)
                .is_none_or(|one| one.of != Of::Others)
        });
        fields.extend(unknown.map(|hash| (hash.clone(), Kind::Hash(None))));
    }
    fields
}

/// Where our version goes into an address that is not of one of our archives.
fn not_ours(text: &[u8], seen: &Seen) -> Vec<usize> {
    let is_one_word = |from: usize, to: usize| {
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`;".contains(byte);
        to - from < 400 && !text[from..to].iter().any(is_end)
    };
    let is_other = |at: &usize| {
        let next = seen.addresses.partition_point(|address| address.at < *at);
        let last = next.checked_sub(1).map(|last| seen.addresses[last].at);
        let next = seen.addresses.get(next).map(|address| address.at);
        !next.is_some_and(|next| is_one_word(*at, next))
            && !last.is_some_and(|last| is_one_word(last, *at))
    };
    seen.made.iter().copied().filter(is_other).collect()
}

/// What the hashes outside of branches are of.
fn by_downloads<'h>(
    text: &[u8],
    hashes: &[&'h Range<usize>],
    (seen, downloads): (&Seen, &Downloads),
    key: &str,
) -> Vec<(&'h Range<usize>, Bound)> {
    let mut bound = Vec::new();
    // Those of which only the file's one archive, or a name, can tell.
    let mut open: Vec<&Range<usize>> = Vec::new();
    for hash in hashes.iter().copied() {
        match by_download(text, hash, (seen, downloads), key) {
            Some(of) => bound.push((hash, of)),
            None => open.push(hash),
        }
    }
    let mut archives = seen.addresses.iter().map(Address::archive);
    let first = archives.next().flatten();
    let only = first.filter(|first| {
        !downloads.has(Of::Made) && archives.all(|archive| archive.as_ref() == Some(first))
    });
    // One that is called like the server says that others are not of it.
    let is_named = |hash: &&Range<usize>| names_us(text, hash, key) && may_be_ours(text, hash, key);
    let may_be = |hash: &&Range<usize>| {
        may_be_ours(text, hash, key) && !downloads.has(Of::Others) && downloads.may_be_checked(hash)
    };
    let has_bound = bound.iter().any(|(_, of)| matches!(of, Bound::Ours(_)));
    let named = open.iter().filter(|hash| is_named(hash)).count();
    let possible = open.iter().filter(|hash| may_be(hash)).count();
    for hash in open {
        let is_it = match named {
            0 => may_be(&hash) && possible == 1 && !has_bound,
            one => is_named(&hash) && one == 1,
        };
        let of = match &only {
            Some(archive) if is_it => Bound::Ours(archive.clone()),
            _ if named > 0 && !is_named(&hash) => Bound::Others,
            _ => Bound::Unknown,
        };
        bound.push((hash, of));
    }
    bound
}

/// What a hash outside of branches is of: the archive that is named behind it or in front of it, or the download that it
/// follows, or its variable does. `None` where there is none of that.
fn by_download(
    text: &[u8],
    hash: &Range<usize>,
    (seen, downloads): (&Seen, &Downloads),
    key: &str,
) -> Option<Bound> {
    let is_known = may_be_ours(text, hash, key);
    let ours = |archive: Option<Box<str>>| match archive.filter(|_| is_known) {
        Some(archive) => Bound::Ours(archive),
        None => Bound::Unknown,
    };
    // `<hash>  server-v1.2.3-linux-amd64.tar.gz`
    let named = hash.end
        + text[hash.end..]
            .iter()
            .take_while(|byte| b" *".contains(byte))
            .count();
    if let Ok(index) = seen
        .addresses
        .binary_search_by_key(&named, |address| address.at)
    {
        return Some(ours(seen.addresses[index].archive()));
    }
    let name = variable_of(text, hash);
    let used = name
        .as_ref()
        .and_then(|name| downloads.first_use(name, hash.end));
    let place = used.unwrap_or(hash.start);
    let followed = match name {
        None => downloads.before(place).or(downloads.with(place)),
        Some(_) => downloads.before(place),
    };
    // `amd64) url='…-linux-amd64.tar.gz'; sha256='<hash>' ;;`
    let last = |all: usize| all.checked_sub(1);
    let address = last(
        seen.addresses
            .partition_point(|address| address.at < hash.start),
    );
    let address = address.map(|index| &seen.addresses[index]);
    let end = last(seen.ends.partition_point(|end| *end < hash.start))
        .map_or(0, |index| seen.ends[index]);
    let start = followed.map_or(0, |download| download.span.start).max(end);
    let is_set = || line_before(text, hash.start).trim_ascii_start();
    let is_set = || is_set().starts_with(b"ENV ") || is_set().starts_with(b"ARG ");
    if let Some(address) = address
        .filter(|one| one.at > start && !is_set() && downloads.are_together(one.at, hash.start))
    {
        let is_of = followed.is_none_or(|download| downloads.is_checked(hash, &download.span));
        return Some(ours(address.archive().filter(|_| is_of)));
    }
    Some(match followed?.of {
        Of::Others if !is_known || used.is_some() || name.is_none() => Bound::Others,
        Of::Ours(at) => {
            let index = seen.addresses.partition_point(|address| address.at < at);
            ours(seen.addresses.get(index).and_then(Address::archive))
        }
        Of::Others | Of::Made => Bound::Unknown,
    })
}

/// What stands somewhere else too, is of the same archive there.
fn same_again(text: &[u8], bound: &mut [(&Range<usize>, Bound)]) {
    let said = |hash: &Range<usize>| text[hash.clone()].to_ascii_lowercase();
    let mut known: BTreeMap<Vec<u8>, Box<str>> = BTreeMap::new();
    for (hash, of) in bound.iter() {
        if let (Bound::Ours(platform), true) =
            (of, text[(*hash).clone()].iter().any(|byte| *byte != b'0'))
        {
            known.insert(said(hash), platform.clone());
        }
    }
    for (hash, of) in bound.iter_mut() {
        let same = known.get(&said(hash));
        if let (Some(platform), false) = (same, matches!(of, Bound::Ours(_))) {
            *of = Bound::Ours(platform.clone());
        }
    }
}

fn is_sha256(word: &Range<usize>) -> bool {
    word.len() == 64
}

/// Whether digits are the name of a key rather than a hash: of those who sign a release.
fn is_key_id(text: &[u8], word: &Range<usize>) -> bool {
    let is_key = |name: &String| {
        ["KEY", "FINGERPRINT", "GPG", "PGP"]
            .iter()
            .any(|key| name.contains(key))
    };
    let before = &text[word.start.saturating_sub(400)..word.start];
    word.len() == 40
        && (variable_of(text, word).is_some_and(|name| is_key(&name.to_uppercase()))
            || memmem::find(before, b"recv-key").is_some()
            || memmem::find(before, b"gpg ").is_some())
}

/// The variable that a hash is assigned to.
fn variable_of(text: &[u8], hash: &Range<usize>) -> Option<String> {
    let before = line_before(text, hash.start);
    let unquoted = trimmed_end(before, |byte| b"\"'".contains(&byte));
    let first = before.trim_ascii_start();
    let is_set = first.starts_with(b"ENV ") || first.starts_with(b"ARG ");
    if !is_set && !unquoted.ends_with(b"=") {
        return None;
    }
    let unquoted = trimmed_end(unquoted, |byte| b" \t=".contains(&byte));
    let name = last_word(unquoted);
    // `--checksum=`
    let is_option = unquoted[..unquoted.len() - name.len()].ends_with(b"-");
    (!is_option && !name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

/// The words of a variable's name, in capitals: `FOO`, `SHA` of `FOO_SHA256` and of `fooSha256`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if c == '_' || was_lower && c.is_ascii_uppercase() {
            words.push(String::new());
        }
        was_lower = c.is_ascii_lowercase();
        if c != '_'
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_uppercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a hash is assigned to a variable that is called like the server, or like nothing in particular: `GIT_DOWNLOAD_SHA256`,
/// rather than `TINI_SHA256`.
fn may_be_ours(text: &[u8], hash: &Range<usize>, key: &str) -> bool {
    const ANYBODY: [&str; 20] = [
        "ARCHIVE", "BINARY", "DOWNLOAD", "FILE", "GIT", "RELEASE", "SERVER", "URL", "AMD", "ARM",
        "ARMV", "ARMHF", "AARCH", "X", "I", "S", "PPC64LE", "RISCV", "LINUX", "WINDOWS",
    ];
    let Some(name) = variable_of(text, hash) else {
        return true;
    };
    let is_known = |word: &String| {
        let bare = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_kind = ["SHA", "SUM", "HASH", "CHECK"]
            .iter()
            .any(|kind| word.starts_with(kind));
        bare.is_empty()
            || is_kind
            || ANYBODY.contains(&bare)
            || ANYBODY.contains(&&**word)
            || is_of(key, word)
    };
    words(&name).iter().all(is_known)
}

fn is_of(key: &str, word: &str) -> bool {
    key.split('_').any(|own| own.eq_ignore_ascii_case(word))
}

/// Whether a hash is assigned to a variable that is called like the server.
fn names_us(text: &[u8], hash: &Range<usize>, key: &str) -> bool {
    let name = variable_of(text, hash).unwrap_or_default();
    words(&name).iter().any(|word| is_of(key, word))
}

fn branches<'a>(text: &[u8], seen: &'a Seen, downloads: &Downloads) -> Vec<Branch<'a>> {
    let mut branches: Vec<Branch> = Vec::new();
    let mut ends = seen.ends.iter().copied().peekable();
    let variables: BTreeMap<&str, &Address> = seen
        .addresses
        .iter()
        .rev()
        .filter_map(|address| Some((address.variable()?, address)))
        .collect();
    // What all downloads are of that use a variable, by its name.
    let mut all: BTreeMap<String, Option<Of>> = BTreeMap::new();
    for assigned in &seen.arches {
        let labels = assigned.labels.as_ref();
        let start = labels.map_or(assigned.name.start, |labels| labels.start);
        while ends.next_if(|end| *end < assigned.value.end).is_some() {}
        if let Some(last) = branches.last_mut() {
            last.range.end = last.range.end.min(start);
        }
        let name = found(text, &assigned.name);
        // The next download that has the variable is what it is for; where there is none in this instruction, all that do.
        let next = downloads.next_with(&name, assigned.value.end);
        let of = next.map(|next| next.of).or_else(|| {
            let of = all.entry(name.to_string());
            *of.or_insert_with(|| downloads.of_all_with(&name))
        });
        let is_ours = of.is_none_or(|of| matches!(of, Of::Ours(_)));
        let address = variables.get(&*name).copied().filter(|_| is_ours);
        // An architecture that no address of ours has, and no `case` chooses, says nothing of the hashes behind it.
        if address.is_none() && labels.is_none() {
            continue;
        }
        let value = found(text, &assigned.value);
        let is_apk = downloads.is_by_apk(start);
        let right = labels.filter(|_| is_apk);
        let right = right.and_then(|labels| right_arch(&found(text, labels), &value));
        branches.push(Branch {
            range: start..ends.peek().copied().unwrap_or(text.len()),
            assigned,
            address,
            is_others: of == Some(Of::Others),
            arch: right.unwrap_or_else(|| value.into_owned()),
            is_apk,
        });
    }
    branches
}

/// The labels of our branches, and the architectures behind them.
fn architectures(text: &[u8], branches: &[Branch], fields: &mut Vec<(Range<usize>, Kind)>) {
    let is_ours = |branch: &&Branch| branch.address.is_some() && branch.is_apk;
    let ours = || branches.iter().filter(is_ours);
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
