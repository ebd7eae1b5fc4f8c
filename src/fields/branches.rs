//! Which archive each hash of a Dockerfile belongs to, and which architecture each branch of a `case` is for.
//!
//! A hash belongs to the file that is hashed where it, or its variable, is compared. Where an archive of ours was downloaded to
//! that file, it is that archive's, in a branch that of its architecture; where another download was, it is another program's.
//! For any other hash no value is right.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::checks::Checks;
use super::commands::Code;
use super::downloads::{Of, Own};
use super::hashes::{self, Named};
use super::spans::variable_of;
use super::{Facts, Kind, found};
use crate::release::checksums::Sha256;
use crate::version::release_arch;

/// What a Dockerfile says of archives, in the order of the text.
#[derive(Default)]
pub(super) struct Seen {
    /// The addresses of our archives.
    pub(super) addresses: Vec<Address>,
    /// The assignments to variables whose names end in `arch`, and what a variable is in the branches of a `case` over it.
    pub(super) arches: Vec<Assigned>,
    /// Where branches end.
    pub(super) ends: Vec<usize>,
    /// Where our version is part of an address that is no archive's of ours.
    pub(super) made: Vec<usize>,
}

/// The address of an archive of ours.
pub(super) struct Address {
    pub(super) at: usize,
    pub(super) system: &'static str,
    /// The release's name of the architecture, or, with the `$`, the variable that holds it.
    pub(super) arch: String,
    /// Where that stands.
    pub(super) span: Range<usize>,
    /// The variables that hold the version, in the path and in the name.
    pub(super) versions: [Option<Range<usize>>; 2],
    /// The labels of its branch, where it names its architecture and is in the first statement of the branch.
    pub(super) labels: Option<Range<usize>>,
    pub(super) ending: &'static str,
}

impl Address {
    pub(super) fn variable(&self) -> Option<&str> {
        let name = self.arch.strip_prefix('$')?;
        Some(name.trim_matches(['{', '}']))
    }

    fn platform(&self, arch: &str) -> Box<str> {
        [self.system, "-", arch, ".", self.ending].concat().into()
    }
}

/// A variable whose name ends in `arch`, with its value.
pub(super) struct Assigned {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) labels: Option<Range<usize>>,
}

impl Assigned {
    /// Whether nothing is assigned: the variable is what the label of a branch says.
    fn is_label(&self) -> bool {
        self.labels.as_ref() == Some(&self.value)
    }
}

/// A branch of a `case` or an `if` that names an architecture.
struct Branch<'a> {
    span: Range<usize>,
    assigned: &'a Assigned,
    /// The release's name of the architecture that is expected there.
    arch: Cow<'a, str>,
    /// The address that takes its architecture from here.
    address: &'a Address,
    /// The `case` is over what `apk --print-arch` prints.
    is_by_apk: bool,
}

/// Archives without a hash, each with where it is named.
type Unpinned = Vec<(usize, Box<str>)>;

/// What a hash belongs to.
#[derive(PartialEq, Eq)]
enum Bound {
    /// This archive of ours.
    Ours(Box<str>),
    /// Another program.
    Others,
    /// Nothing known: no command compares it.
    Unchecked,
    /// Nobody can tell.
    Unknown,
}

/// The fields of hashes and architectures. Adds to the facts the archives without a hash, where others have one, and the checks of
/// hashes that do not end the build.
pub(super) fn fields(
    text: &[u8],
    seen: &Seen,
    own: &Own,
    facts: &mut Facts,
) -> Vec<(Range<usize>, Kind)> {
    let hashes = hashes::words(text);
    let has_labels = seen.addresses.iter().any(|one| one.labels.is_some());
    if seen.arches.is_empty() && hashes.is_empty() && !has_labels {
        return Default::default();
    }
    let ours: Vec<usize> = seen.addresses.iter().map(|address| address.at).collect();
    let checks = Checks::new(text, (&ours, &seen.made), own);
    let pins = Pins {
        text,
        seen,
        values: values(text, seen, &checks.code),
        named: Named::new(text, &hashes, &checks.code),
        checks,
    };
    let branches = pins.branches();
    let mut fields = Vec::new();
    architectures(text, &branches, &mut fields);
    for address in &seen.addresses {
        if let labels @ Some(_) = pins.labels(address).map(Into::into) {
            fields.push((address.span.clone(), Kind::Arch { labels }));
        }
    }
    let bound = hashes.iter().map(|hash| pins.bound(hash, &branches));
    let mut bound: Vec<Bound> = bound.collect();
    one_each(text, &hashes, &mut bound);
    // Something of our version is downloaded, and no hash is known to be of it: any unchecked hash may be.
    let has_pin = bound.iter().any(|of| matches!(of, Bound::Ours(_)));
    let has_unpinned = (!ours.is_empty() || !seen.made.is_empty()) && !has_pin;
    facts.unpinned = pins.unpinned(&branches, &bound);
    facts.unheeded = pins.checks.unheeded;
    for (hash, of) in hashes.into_iter().zip(bound) {
        let platform = match of {
            Bound::Ours(platform) => Some(platform),
            Bound::Unchecked if hash.len() >= 50 || has_unpinned => None,
            // Another shorter one may be the ID of a commit.
            Bound::Unchecked if variable_of(text, hash.start).is_some_and(hashes::is_short) => None,
            Bound::Unknown => None,
            Bound::Others | Bound::Unchecked => continue,
        };
        fields.push((hash, Kind::Hash(platform)));
    }
    fields
}

/// The values of variables whose names end in `arch`; `None` where one has several, or is set to something else too.
fn values<'a>(
    text: &'a [u8],
    seen: &'a Seen,
    code: &Code,
) -> BTreeMap<&'a [u8], Option<&'a Range<usize>>> {
    let mut values: BTreeMap<&[u8], Option<&Range<usize>>> = BTreeMap::new();
    for Assigned { name, value, .. } in &seen.arches {
        let only = values.entry(&text[name.clone()]);
        only.and_modify(|only| *only = None).or_insert(Some(value));
    }
    for (name, value) in &mut values {
        *value = value.filter(|_| code.assignments(name, &(0..text.len())) <= 1);
    }
    values
}

/// The branch that a hash is in.
fn branch_of<'b, 'a>(hash: &Range<usize>, branches: &'b [Branch<'a>]) -> Option<&'b Branch<'a>> {
    let before = branches.partition_point(|branch| branch.span.start <= hash.start);
    let last = before.checked_sub(1).map(|last| &branches[last]);
    last.filter(|branch| branch.span.contains(&hash.start))
}

/// A Dockerfile, to be asked what each of its hashes belongs to.
struct Pins<'a> {
    text: &'a [u8],
    seen: &'a Seen,
    checks: Checks<'a>,
    values: BTreeMap<&'a [u8], Option<&'a Range<usize>>>,
    named: Named<'a>,
}

impl<'a> Pins<'a> {
    /// The branches whose variable an address of ours in the same instruction uses, and no other download there.
    fn branches(&self) -> Vec<Branch<'a>> {
        let code = &self.checks.code;
        let mut takers: BTreeMap<(usize, &str), &Address> = BTreeMap::new();
        for address in self.seen.addresses.iter().rev() {
            let number = code.number(address.at);
            takers.extend(address.variable().map(|name| ((number, name), address)));
        }
        let reset = self.reset();
        // A project calls its archives `armv6` or `arm6`, and all of them so.
        let arches = self.seen.arches.iter();
        let mut arches = arches.map(|one| found(self.text, &one.value));
        let is_arm = |arch: &str| arch.starts_with("armv") && arch.len() == 5;
        let is_other = !arches.any(|arch| ["arm5", "arm6", "arm7"].contains(&&*arch));
        let mut branches: Vec<Branch> = Vec::new();
        let mut ends = self.seen.ends.iter().copied().peekable();
        for assigned in &self.seen.arches {
            let labels = assigned.labels.as_ref();
            let start = labels.map_or(assigned.name.start, |labels| labels.start);
            while ends.next_if(|end| *end < assigned.value.end).is_some() {}
            if let Some(last) = branches.last_mut() {
                last.span.end = last.span.end.min(start);
            }
            let number = code.number(start);
            let name = found(self.text, &assigned.name);
            let is_certain = !self.checks.taken.contains(&(number, name.as_bytes()))
                && !reset.contains(&(number, name.as_bytes()));
            let taker = takers.get(&(number, &*name)).filter(|_| is_certain);
            let Some(address) = taker else { continue };
            let instruction = &code.instructions[number];
            let end = ends.peek().copied().unwrap_or(instruction.span.end);
            let value = found(self.text, &assigned.value);
            let is_by_apk =
                instruction.is_by_apk && !assigned.is_label() && !(is_other && is_arm(&value));
            let right = labels.filter(|_| is_by_apk);
            let right = right.and_then(|labels| right_arch(&found(self.text, labels), &value));
            branches.push(Branch {
                span: start..end.min(instruction.span.end),
                assigned,
                arch: right.map_or(value, Cow::Borrowed),
                address,
                is_by_apk,
            });
        }
        branches
    }

    /// The variables for architectures that an instruction sets elsewhere than in the branches of one `case` or `if`.
    fn reset(&self) -> BTreeSet<(usize, &'a [u8])> {
        let code = &self.checks.code;
        let closes = |end: &&usize| {
            let word = &self.text[**end..];
            word.starts_with(b"esac") || word.starts_with(b"fi")
        };
        let closed: Vec<usize> = self.seen.ends.iter().filter(closes).copied().collect();
        // How often each is set to a word, and how many of those constructs were closed by the first time.
        let mut words: BTreeMap<(usize, &[u8]), (usize, usize)> = BTreeMap::new();
        let mut reset = BTreeSet::new();
        for assigned in &self.seen.arches {
            let name = &assigned.name;
            let key = (code.number(name.start), &self.text[name.clone()]);
            let before = closed.partition_point(|end| *end < name.start);
            let (count, first) = words.entry(key).or_insert((0, before));
            *count += usize::from(!assigned.is_label());
            reset.extend((*first != before).then_some(key));
        }
        let is_more = |((number, name), (count, _)): (&(usize, &'a [u8]), &(usize, usize))| {
            let instruction = &code.instructions[*number];
            let is_more = code.assignments(name, &instruction.span) > *count;
            is_more.then_some((*number, *name))
        };
        reset.extend(words.iter().filter_map(is_more));
        reset
    }

    /// What a hash belongs to: what the statement hashes that compares the hash, or its variable.
    fn bound(&self, hash: &Range<usize>, branches: &[Branch]) -> Bound {
        let checks = &self.checks;
        let number = checks.code.number(hash.start);
        let instruction = &checks.code.instructions[number];
        let name = variable_of(self.text, hash.start);
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        let (of, is_used) = match name {
            None => (checks.compared(hash.start), true),
            Some(name) => {
                let end = match instruction.is_run {
                    true => instruction.span.end,
                    false => self.text.len(),
                };
                checks.compared_with(name.as_bytes(), &(hash.end..end))
            }
        };
        let beside = |of: u128| {
            let branch = branch_of(hash, branches);
            let own = branch.and_then(|branch| {
                let name = found(self.text, &branch.assigned.name);
                let mut own = self.addresses(of);
                let own = own.find(|one| one.variable() == Some(&*name))?;
                Some(own.platform(&branch.arch))
            });
            let segment = self.in_segment(hash).filter(|_| instruction.is_run);
            let is_it = |one: &&Address| self.addresses(of).any(|own| own.at == one.at);
            own.or_else(|| segment.filter(is_it).map(|address| self.platform(address)))
        };
        let bound = |archive: Option<Box<str>>| archive.map_or(Bound::Unknown, Bound::Ours);
        match (of, checks.downloads[number], name) {
            (Some(Of::Ours(_)), _, Some(name))
                if self.named.is_reset(&checks.code, number, name.as_bytes()) =>
            {
                Bound::Unknown
            }
            (Some(Of::Ours(of)), ..) => bound(beside(of).or_else(|| self.only(of))),
            (Some(Of::Others), ..) => Bound::Others,
            (Some(Of::Unclear), ..) => Bound::Unknown,
            // A variable that nothing uses: it belongs to what the instruction downloads, to ours only if its name is plain.
            (None, Some(Of::Others), Some(_)) if !is_used => Bound::Others,
            (None, Some(Of::Ours(of)), Some(name))
                if !is_used && hashes::is_named_like_one(name) =>
            {
                bound(beside(of))
            }
            _ => Bound::Unchecked,
        }
    }

    /// The archives without a hash, where others have one and all hashes are known. Branches of a `case` over `apk`'s names are
    /// not among them: `check` looks at their labels.
    fn unpinned(&self, branches: &[Branch], bound: &[Bound]) -> Unpinned {
        let pinned = bound.iter().filter_map(|of| match of {
            Bound::Ours(platform) => Some(&**platform),
            _ => None,
        });
        let pinned: BTreeSet<&str> = pinned.collect();
        if pinned.is_empty() || bound.contains(&Bound::Unknown) {
            return Vec::new();
        }
        let own = self.seen.addresses.iter();
        let own = own.filter(|address| address.variable().is_none());
        let own = own.map(|address| (self.platform(address), address.at));
        let others = branches.iter().filter(|branch| !branch.is_by_apk);
        let others = others.map(|branch| {
            let platform = branch.address.platform(&branch.arch);
            (platform, branch.assigned.value.start)
        });
        let all: BTreeMap<Box<str>, usize> = own.chain(others).collect();
        let lacking = all
            .into_iter()
            .filter(|(platform, _)| !pinned.contains(&**platform));
        lacking.map(|(platform, at)| (at, platform)).collect()
    }

    /// The one address that stands beside a hash: `amd64) url='…-linux-amd64.tar.gz'; sha256='<hash>' ;;`.
    fn in_segment(&self, hash: &Range<usize>) -> Option<&Address> {
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
        Some(only).filter(|only| only.variable().is_none())
    }

    /// The labels in front of an address that names its architecture, in a `case` over `apk`'s names.
    fn labels(&self, address: &Address) -> Option<Cow<'a, str>> {
        let code = &self.checks.code;
        let labels = address.labels.as_ref()?;
        let is_by_apk = code.instructions[code.number(address.at)].is_by_apk;
        is_by_apk.then(|| found(self.text, labels))
    }

    /// The platform that an address which names its architecture is expected to be for.
    fn platform(&self, address: &Address) -> Box<str> {
        let labels = self.labels(address);
        let right = labels.and_then(|labels| right_arch(&labels, &address.arch));
        address.platform(right.unwrap_or(&address.arch))
    }

    /// The addresses of ours whose numbers are set bits.
    fn addresses(&self, of: u128) -> impl Iterator<Item = &'a Address> {
        let all = self.seen.addresses.iter().take(u128::BITS as usize);
        let all = all
            .enumerate()
            .filter(move |(number, _)| of >> number & 1 == 1);
        all.map(|(_, address)| address)
    }

    /// The only archive that some addresses name; a variable counts where it has a single value.
    fn only(&self, of: u128) -> Option<Box<str>> {
        let archive = |address: &Address| {
            let Some(name) = address.variable() else {
                return Some(self.platform(address));
            };
            let value = (*self.values.get(name.as_bytes())?)?;
            Some(address.platform(&found(self.text, value)))
        };
        let all: BTreeSet<Option<Box<str>>> = self.addresses(of).map(archive).collect();
        all.into_iter().reduce(|_, _| None).flatten()
    }
}

/// A hash that is an archive's in one place is that archive's in all. An archive with two different hashes has none that is
/// known.
fn one_each(text: &[u8], hashes: &[Range<usize>], bound: &mut [Bound]) {
    let said = |hash: &Range<usize>| found(text, hash).parse::<Sha256>().ok();
    let said = |hash: &Range<usize>| said(hash).filter(|said| *said != Sha256::ZERO);
    let said: Vec<Option<Sha256>> = hashes.iter().map(said).collect();
    let known = said.iter().zip(bound.iter());
    let known = known.filter_map(|(said, of)| match of {
        Bound::Ours(platform) => Some((platform.clone(), (*said)?)),
        _ => None,
    });
    let known: BTreeSet<(Box<str>, Sha256)> = known.collect();
    let archives: BTreeMap<Sha256, &str> = known.iter().map(|(of, said)| (*said, &**of)).collect();
    let pairs = known.iter().zip(known.iter().skip(1));
    let twice = pairs.filter(|(one, next)| one.0 == next.0);
    let twice: BTreeSet<&str> = twice.map(|(one, _)| &*one.0).collect();
    for (said, of) in said.iter().zip(bound) {
        let same = said.and_then(|said| archives.get(&said));
        if let (Some(platform), false) = (same, matches!(of, Bound::Ours(_))) {
            *of = Bound::Ours((*platform).into());
        }
        if matches!(of, Bound::Ours(platform) if twice.contains(&**platform)) {
            *of = Bound::Unknown;
        }
    }
}

/// The labels of our branches, and the architectures behind them.
fn architectures(text: &[u8], branches: &[Branch], fields: &mut Vec<(Range<usize>, Kind)>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let by_apk = || branches.iter().filter(|branch| branch.is_by_apk);
    by_apk().for_each(|branch| *counts.entry(&*branch.arch).or_default() += 1);
    let has_labels = by_apk().any(|branch| branch.assigned.labels.is_some());
    for branch in by_apk().filter(|_| has_labels) {
        let labels = branch.assigned.labels.as_ref();
        if let Some(labels) = labels {
            let twice = counts[&*branch.arch] > 1;
            let arch = (*branch.arch).into();
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

/// The release's name of the architecture for the labels of a branch: the one that is found, where it pairs with a label, else
/// that of the first label; `None` where `apk` prints none of them.
pub(super) fn right_arch(labels: &str, found: &str) -> Option<&'static str> {
    let mut names = labels_in(labels).filter_map(release_arch).peekable();
    let first = *names.peek()?;
    let right = names.find(|name| *name == found);
    Some(right.unwrap_or(first))
}
