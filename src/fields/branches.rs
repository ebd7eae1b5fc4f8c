//! Which archive each hash of a Dockerfile is of, and which architecture each branch of a `case` is for.
//!
//! A hash is bound by what stands beside it: by the branch whose variable an address of ours has as its architecture, or by
//! the download that it follows. What nothing binds belongs to somebody else; or, where it could be ours, no value is right
//! for it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::downloads::{Downloads, Of};
use super::hash_names::{is_key_id, may_be_ours, names_us, variable_of};
use super::spans::{is_setting, line_before, skip};
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
    /// What its architecture goes into, where that is known.
    of: Option<Of>,
    /// It is chosen by what `apk` prints.
    is_apk: bool,
}

/// A hash, with what is asked of it again and again.
struct Hash<'a> {
    span: &'a Range<usize>,
    /// What it says; of zeros nothing.
    sha256: Option<Sha256>,
    /// The variable that it is assigned to.
    name: Option<String>,
    /// Its name, if it has one, is none of another program's.
    may_be_ours: bool,
    /// The number of the branch that it is in.
    branch: Option<usize>,
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
    if seen.arches.is_empty() && seen.sums.is_empty() && seen.words.is_empty() {
        return Vec::new();
    }
    let made = not_ours(text, seen);
    let ours: Vec<usize> = seen.addresses.iter().map(|address| address.at).collect();
    let downloads = Downloads::new(text, &ours, &made);
    let branches = branches(text, seen, &downloads);
    let mut fields = Vec::new();
    architectures(text, &branches, &mut fields);
    let hashes = hashes(text, seen, &branches, key);
    let (inside, outside): (Vec<&Hash>, Vec<&Hash>) =
        hashes.iter().partition(|hash| hash.branch.is_some());
    let mut bound: Vec<(&Hash, Bound)> = Vec::new();
    for hashes in inside.chunk_by(|a, b| a.branch == b.branch) {
        if let Some(number) = hashes[0].branch {
            bound.extend(in_branch(&branches[number], hashes, &downloads));
        }
    }
    bound.extend(by_downloads(&outside, (seen, &downloads), key));
    same_again(&mut bound);
    one_each(&mut bound);
    // Something of our version is downloaded, and no hash is known to be of it: what nobody knows may be.
    let is_ours = |(_, of): &(&Hash, Bound)| matches!(of, Bound::Ours(_));
    let has_unpinned =
        (!seen.addresses.is_empty() || !made.is_empty()) && !bound.iter().any(is_ours);
    for (hash, of) in bound {
        let platform = match of {
            Bound::Ours(platform) => Some(platform),
            // Beside one of ours its name tells enough.
            Bound::Unknown if !has_unpinned && !hash.may_be_ours => continue,
            Bound::Unknown if is_sha256(hash.span) || has_unpinned || hash.branch.is_some() => None,
            Bound::Unknown | Bound::Others => continue,
        };
        fields.push((hash.span.clone(), Kind::Hash(platform)));
    }
    if has_unpinned {
        let is_other = |word: &&Range<usize>| !is_sha256(word) && !is_key_id(text, word);
        let others = seen.words.iter().filter(is_other);
        let unknown = others.filter(|word| {
            let before = downloads.before(word.start);
            before.is_none_or(|one| one.of != Of::Others)
        });
        fields.extend(unknown.map(|hash| (hash.clone(), Kind::Hash(None))));
    }
    fields
}

/// The hashes, in the order of the text: what is called one, and what looks like one.
fn hashes<'a>(text: &[u8], seen: &'a Seen, branches: &[Branch], key: &str) -> Vec<Hash<'a>> {
    let words = seen.words.iter().filter(|word| !is_key_id(text, word));
    let mut all: Vec<&Range<usize>> = seen.sums.iter().chain(words).collect();
    all.sort_by_key(|span| span.start);
    all.dedup_by_key(|span| span.start);
    let hash = |span: &'a Range<usize>| {
        let before = branches.partition_point(|branch| branch.range.start <= span.start);
        let last = before.checked_sub(1);
        let name = variable_of(text, span);
        let said = std::str::from_utf8(&text[span.clone()]);
        let sha256 = said.ok().and_then(|said| said.parse().ok());
        Hash {
            span,
            sha256: sha256.filter(|said| *said != Sha256::ZERO),
            may_be_ours: may_be_ours(name.as_deref(), key),
            name,
            branch: last.filter(|last| branches[*last].range.contains(&span.start)),
        }
    };
    all.into_iter().map(hash).collect()
}

/// What the hashes of one branch are of.
fn in_branch<'h, 'a>(
    branch: &Branch,
    hashes: &[&'h Hash<'a>],
    downloads: &Downloads,
) -> Vec<(&'h Hash<'a>, Bound)> {
    let checked = |hash: &Hash| {
        let name = hash.name.as_ref()?;
        downloads.checked_with(name, hash.span.end)
    };
    let checked: Vec<Option<Of>> = hashes.iter().map(|hash| checked(hash)).collect();
    let all = || hashes.iter().copied().zip(checked.iter().copied());
    let may_be = |(hash, of): &(&Hash, Option<Of>)| hash.may_be_ours && *of != Some(Of::Others);
    let ours = all().filter(may_be).count();
    let of = |(hash, of): (&'h Hash<'a>, Option<Of>)| {
        let Some(address) = branch.address else {
            // Of another program, where its architecture goes into a download that is not of our version; else of nobody known.
            let of = match branch.of {
                Some(Of::Others) => Bound::Others,
                _ => Bound::Unknown,
            };
            return (hash, of);
        };
        let of = match (hash.may_be_ours, of) {
            (_, Some(Of::Others)) => Bound::Others,
            (_, Some(Of::Made | Of::Unclear)) => Bound::Unknown,
            // What stands alone in our branch, and is called like something else, may be ours all the same.
            (false, None) if ours > 0 => Bound::Others,
            (false, _) => Bound::Unknown,
            (true, None) if branch.of == Some(Of::Unclear) => Bound::Unknown,
            (true, _) if ours == 1 => Bound::Ours(address.platform(&branch.arch)),
            (true, _) => Bound::Unknown,
        };
        (hash, of)
    };
    all().map(of).collect()
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
fn by_downloads<'h, 'a>(
    hashes: &[&'h Hash<'a>],
    (seen, downloads): (&Seen, &Downloads),
    key: &str,
) -> Vec<(&'h Hash<'a>, Bound)> {
    let mut bound = Vec::new();
    // Those of which only a name can tell.
    let mut open: Vec<&Hash> = Vec::new();
    for hash in hashes.iter().copied() {
        match by_download(hash, seen, downloads) {
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
    let is_named = |hash: &&Hash| hash.may_be_ours && names_us(hash.name.as_deref(), key);
    let named = open.iter().filter(|hash| is_named(hash)).count();
    for hash in open {
        let of = match (&only, is_named(&hash)) {
            (Some(archive), true) if named == 1 => Bound::Ours(archive.clone()),
            (_, false) if named > 0 => Bound::Others,
            _ => Bound::Unknown,
        };
        bound.push((hash, of));
    }
    bound
}

/// What a hash outside of branches is of: the archive that is named behind it or in front of it, or the download that it, or
/// its variable, is compared with. `None` where there is none of that.
fn by_download(hash: &Hash, seen: &Seen, downloads: &Downloads) -> Option<Bound> {
    let text = downloads.text;
    let Hash {
        span: hash,
        name,
        may_be_ours: is_known,
        ..
    } = hash;
    let ours = |archive: Option<Box<str>>| match archive.filter(|_| *is_known) {
        Some(archive) => Bound::Ours(archive),
        None => Bound::Unknown,
    };
    // `<hash>  server-v1.2.3-linux-amd64.tar.gz`
    let named = skip(text, hash.end, |byte| b" *".contains(&byte));
    let (addresses, ends) = (&seen.addresses, &seen.ends);
    if let Ok(index) = addresses.binary_search_by_key(&named, |address| address.at) {
        return Some(ours(addresses[index].archive()));
    }
    let used = |name: &String| downloads.first_use(name, hash.end);
    let used = name.as_ref().and_then(used);
    let place = used.unwrap_or(hash.start);
    let followed = downloads.before(place);
    let checked = match (name, used) {
        (Some(_), None) => None,
        _ => downloads.checked_at(place),
    };
    // `amd64) url='…-linux-amd64.tar.gz'; sha256='<hash>' ;;`
    let last = |all: usize| all.checked_sub(1);
    let next = addresses.partition_point(|address| address.at < hash.start);
    let end = last(ends.partition_point(|end| *end < hash.start));
    let end = end.map_or(0, |index| ends[index]);
    // Of the same branch or in front of the hash; nothing else is downloaded between.
    let start = followed.filter(|download| download.span.start < hash.start);
    let start = start.map_or(0, |download| download.span.start).max(end);
    let is_set = || is_setting(line_before(text, hash.start));
    // `amd64) sha256='<hash>'; url='…-linux-amd64.tar.gz' ;;`
    let close = ends.partition_point(|close| *close < hash.end);
    let close = ends.get(close).copied();
    let is_behind = |one: &&Address| name.is_some() && close.is_some_and(|close| one.at < close);
    let address = last(next)
        .map(|index| &seen.addresses[index])
        .filter(|one| one.at > start);
    let address = address.or(seen.addresses.get(next).filter(is_behind));
    if let Some(address) =
        address.filter(|one| !is_set() && downloads.are_together(one.at, hash.start))
    {
        let is_of = matches!(checked, Some(Of::Ours(_)));
        return Some(ours(address.archive().filter(|_| is_of)));
    }
    Some(match checked? {
        Of::Others if !*is_known || used.is_some() || name.is_none() => Bound::Others,
        Of::Ours(at) => {
            let index = addresses.partition_point(|address| address.at < at);
            ours(addresses.get(index).and_then(Address::archive))
        }
        Of::Others | Of::Made | Of::Unclear => Bound::Unknown,
    })
}

/// What stands somewhere else too, is of the same archive there.
fn same_again(bound: &mut [(&Hash, Bound)]) {
    let known = bound.iter().filter_map(|(hash, of)| match of {
        Bound::Ours(platform) => Some((hash.sha256?, platform.clone())),
        _ => None,
    });
    let known: BTreeMap<Sha256, Box<str>> = known.collect();
    for (hash, of) in bound {
        let same = hash.sha256.and_then(|said| known.get(&said));
        if let (Some(platform), false) = (same, matches!(of, Bound::Ours(_))) {
            *of = Bound::Ours(platform.clone());
        }
    }
}

/// One archive has one hash: of what differs nobody knows which it is.
fn one_each(bound: &mut [(&Hash, Bound)]) {
    let mut hashes: BTreeMap<Box<str>, BTreeSet<Sha256>> = BTreeMap::new();
    for (hash, of) in bound.iter() {
        if let (Bound::Ours(platform), Some(said)) = (of, hash.sha256) {
            hashes.entry(platform.clone()).or_default().insert(said);
        }
    }
    for (_, of) in bound {
        if matches!(of, Bound::Ours(platform) if hashes.get(platform).is_some_and(|all| all.len() > 1))
        {
            *of = Bound::Unknown;
        }
    }
}

fn is_sha256(word: &Range<usize>) -> bool {
    word.len() == 64
}

fn branches<'a>(text: &[u8], seen: &'a Seen, downloads: &Downloads) -> Vec<Branch<'a>> {
    let mut branches: Vec<Branch> = Vec::new();
    let mut ends = seen.ends.iter().copied().peekable();
    let named = seen.addresses.iter().rev();
    let named = named.filter_map(|address| Some((address.variable()?, address)));
    let variables: BTreeMap<&str, &Address> = named.collect();
    // Where variables are set.
    let mut set: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for assigned in &seen.arches {
        let places = set.entry(&text[assigned.name.clone()]).or_default();
        places.push(assigned.name.start);
    }
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
        // The next downloads that have the variable, until it is set again, are what it is for; where there are none in this
        // instruction, all that do.
        let places = &set[&text[assigned.name.clone()]];
        let set_again = |used: usize| {
            let next = places.partition_point(|at| *at < used);
            places.get(next).copied().unwrap_or(text.len())
        };
        let used = downloads.first_use(&name, assigned.value.end);
        let end = used.map_or(text.len(), set_again);
        let of = downloads.with_behind(&name, assigned.value.end..end);
        let of = of.or_else(|| {
            let of = all.entry(name.to_string());
            *of.or_insert_with(|| downloads.of_all_with(&name))
        });
        let may_be = of.is_none_or(|of| matches!(of, Of::Ours(_) | Of::Unclear));
        let address = variables.get(&*name).copied().filter(|_| may_be);
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
            of,
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
