//! Finds the fields of a document in one pass: words tell where one may begin, a small matcher of its kind decides.
//!
//! Matchers look at no more than a word, a line or a bound, so that the time grows with the text and with nothing else.

mod bases;
mod dockerfile;
mod names;
mod owners;
mod starts;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::OnceLock;

use anyhow::{Result, ensure};

use self::starts::Words;
use self::words::name_of;
use super::branches::{self, Address, Seen};
use super::downloads::Own;
use super::spans::{
    BACK, after, base, ends, has, is_comment, is_tag, last_word, line_before, past, skip,
    trimmed_end, variable_of,
};
use super::{DocumentKind, Facts, Field, Kind, RUNNERS, about, found, hashes, items};
use crate::repository::config::{Config, Pattern, upper_cased};
use crate::text::span_of;
use crate::version::{Variant, is_numbered};

/// Finds the fields of one repository's documents.
pub struct Scanner {
    key: String,
    image: String,
    server: String,
    /// The names of the variables that give a version without being the version key: `NATS_VERSION`, `NATS_SERVER_VERSION`.
    version_names: [String; 2],
    /// The owner's namespace, in front of the image's name: `nats-io/`.
    namespace: String,
    directory: Pattern,
    /// The longest first: where one name begins another the longer one is tried first.
    families: Vec<String>,
    /// The names of variants that are more than a family and a numbered base.
    names: BTreeSet<String>,
    /// How the names of scripts begin, up to the part that may move; the longest first where one begins another.
    scripts: Vec<String>,
    /// The words that may begin a field, for each kind of document that has been met.
    words: [OnceLock<Words>; 3],
}

/// The operating systems of archives, as their names give them: in front of one the version ends.
const SYSTEMS: [&str; 2] = ["linux", "windows"];

/// The most families, and the most names of scripts, that a repository may have.
const MOST_NAMES: usize = 256;

impl Scanner {
    /// For a repository with those names, variants and scripts.
    /// An error where there are more of them than any repository has use for: each is looked for in every document.
    pub fn new(
        config: &Config,
        variants: &BTreeSet<Variant>,
        scripts: &BTreeSet<String>,
    ) -> Result<Self> {
        let families = variants.iter().map(|variant| variant.family.as_str());
        let families: BTreeSet<&str> = families.collect();
        let is_odd = |variant: &&Variant| !is_numbered(&variant.base);
        let scripts = stems(scripts);
        let counts = [
            (families.len(), "families of variants, such as `alpine`"),
            (scripts.len(), "names of scripts"),
        ];
        for (count, what) in counts {
            ensure!(
                count <= MOST_NAMES,
                "expected at most {MOST_NAMES} {what}, found {count}: remove those that do not belong here"
            );
        }
        let names = variants.iter().filter(is_odd);
        let names = names.map(|variant| variant.name.clone());
        Ok(Self {
            words: Default::default(),
            version_names: [&config.image, &config.server]
                .map(|name| format!("{}_VERSION", upper_cased(name))),
            key: config.version_key(),
            image: config.image.clone(),
            server: config.server.clone(),
            namespace: match config.owner.is_empty() {
                true => String::new(),
                false => format!("{}/", config.owner),
            },
            directory: config.directory.clone(),
            families: families.into_iter().rev().map(str::to_owned).collect(),
            names: names.collect(),
            scripts: scripts.into_iter().rev().collect(),
        })
    }

    /// The fields of a text, in the order in which they stand there; none overlaps another. And what it says as a whole.
    pub fn scan(&self, text: &[u8], kind: DocumentKind) -> (Vec<Field>, Facts) {
        let mut scan = Scan {
            scanner: self,
            text,
            kind,
            found: Vec::new(),
            seen: Seen::default(),
            facts: Facts::default(),
            variables: Variables::default(),
        };
        let mut at = 0;
        while let Some((begin, found)) = self.next(text, at, kind) {
            let end = found.end;
            at = begin(&mut scan, found).unwrap_or(end).max(end);
        }
        scan.finish()
    }

    /// The end of a variant's name that begins at `at`: one of the tree's, or of a family of the tree's on another base.
    fn variant(&self, text: &[u8], at: usize) -> Option<usize> {
        self.variant_in(text, at, true)
    }

    /// The same; `dash_goes_on` says whether a dash behind the name continues its word.
    fn variant_in(&self, text: &[u8], at: usize, dash_goes_on: bool) -> Option<usize> {
        let run = &text[at..skip(text, at, is_tag)];
        let run = trimmed_end(run, |byte| byte == b'.' || byte == b'-');
        let run = std::str::from_utf8(run).ok()?;
        let mut families = self.families.iter();
        let family = families.find(|family| run.starts_with(family.as_str()))?;
        let dash = past(text, at + family.len(), b"-");
        let is_name = self.names.contains(run);
        let base = base(text, dash).filter(|end| !is_name || ends(text, *end, dash_goes_on));
        let whole = is_name.then_some(at + run.len());
        let plain = self.names.contains(family).then_some(at + family.len());
        let end = base.or(whole).or(plain);
        end.filter(|end| ends(text, *end, dash_goes_on))
    }

    /// The end of a family's name that begins at `at`.
    fn family(&self, text: &[u8], at: usize) -> Option<usize> {
        let mut families = self.families.iter();
        families.find_map(|family| after(text, at, family.as_bytes()))
    }
}

/// Gives variants and scripts behind the name of a version directory that directory: `../2.14.x/alpine3.22`,
/// `2.14.x/tests/build-images.sh`.
fn in_paths(text: &[u8], fields: &mut [Field]) {
    for number in 1..fields.len() {
        let (before, behind) = fields.split_at_mut(number);
        let (last, field) = (&before[number - 1], &mut behind[0]);
        let between = &text[last.span.end..field.span.start];
        let directory = match &mut field.kind {
            Kind::Variant { directory } if between.len() == 1 => directory,
            Kind::Script { directory } if matches!(between, b"/tests/" | br"\tests\") => directory,
            _ => continue,
        };
        if last.is_directory() {
            *directory = Some(found(text, &last.span).into());
        }
    }
}

/// Whether that is the name of a script.
pub fn is_script(name: &str) -> bool {
    name.ends_with(".sh") || name.ends_with(".ps1")
}

/// What scripts are called in front of a base or a year: `build-images-` of `build-images-2019.ps1`.
fn stems(scripts: &BTreeSet<String>) -> BTreeSet<String> {
    let stem = |name: &String| {
        let digits = name.find(|c: char| c.is_ascii_digit() || c == '.');
        let end = name.find("ltsc").into_iter().chain(digits).min();
        name[..end.unwrap_or(name.len())].to_owned()
    };
    let all = scripts.iter().map(stem);
    all.filter(|stem| stem.len() > 2).collect()
}

/// The variables that references are made of, by name.
#[derive(Default)]
struct Variables<'a> {
    versions: BTreeSet<&'a [u8]>,
    variants: BTreeSet<&'a [u8]>,
    /// The names of stages whose image is a variable.
    stages: BTreeSet<&'a [u8]>,
    /// Numbers that may be what such a variable is set to.
    values: Vec<Range<usize>>,
}

/// Where each variable is set to a version.
type Values<'a> = BTreeMap<&'a [u8], Vec<Range<usize>>>;

/// A scan under way.
struct Scan<'a> {
    scanner: &'a Scanner,
    text: &'a [u8],
    kind: DocumentKind,
    found: Vec<(Range<usize>, Kind)>,
    seen: Seen,
    facts: Facts,
    variables: Variables<'a>,
}

impl<'a> Scan<'a> {
    fn put(&mut self, span: Range<usize>, kind: Kind) -> Option<usize> {
        let end = span.end;
        self.found.push((span, kind));
        Some(end)
    }

    fn before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).map(|before| self.text[before])
    }

    /// Whether the word in which a place is, is an address.
    fn in_address(&self, at: usize) -> bool {
        let line = line_before(self.text, at);
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'(');
        let start = line.iter().rposition(is_end).map_or(0, |end| end + 1);
        line[start..].windows(3).any(|three| three == b"://")
    }

    fn is_comment(&self, at: usize) -> bool {
        is_comment(self.text, at)
    }

    fn finish(mut self) -> (Vec<Field>, Facts) {
        let mut found = Vec::new();
        if self.kind == DocumentKind::Dockerfile {
            let names = self.scanner.version_names.iter();
            self.variables.versions.extend(names.map(String::as_bytes));
        }
        let values = self.version_values();
        if self.kind == DocumentKind::Dockerfile {
            self.made_by_variables();
            self.keep_known_addresses(&values);
            self.give_up_mentions();
            self.add_labels();
            let own = Own {
                server: &self.scanner.server,
                key: &self.scanner.key,
                versions: &self.variables.versions,
            };
            found = branches::fields(self.text, &self.seen, &own, &mut self.facts);
            let names = [&self.scanner.image, &self.scanner.server].map(String::as_bytes);
            let has_own = found.iter().any(|(_, kind)| matches!(kind, Kind::Hash(_)));
            let mut lists = hashes::copied_lists(self.text).into_iter();
            self.facts.has_stray_hash |=
                lists.any(|list| !has_own || names.iter().any(|name| has(list, name)));
        }
        if self.kind != DocumentKind::Dockerfile {
            // The ID of a commit is shorter.
            let hashes = hashes::words(self.text).into_iter();
            let hashes: Vec<Range<usize>> = hashes.filter(|hash| hash.len() >= 50).collect();
            let key = self.scanner.key.as_bytes();
            let is_beside = |hash: &Range<usize>| has(line_before(self.text, hash.start), key);
            let archive = || format!("{}-v", self.scanner.server);
            self.facts.has_stray_hash |= hashes.iter().any(is_beside)
                || !hashes.is_empty() && has(self.text, archive().as_bytes());
        }
        self.assigned_variables(&values, &mut found);
        found.append(&mut self.found);
        // Stable: of those that begin at the same place the first one found comes first.
        found.sort_by_key(|(span, _)| span.start);
        let mut fields: Vec<Field> = Vec::with_capacity(found.len());
        for (span, kind) in found {
            if fields.last().is_none_or(|last| last.span.end <= span.start) {
                fields.push(Field {
                    in_comment: self.is_comment(span.start),
                    span,
                    kind,
                });
            }
        }
        let is_reference = |field: &Field| field.kind == Kind::Tag && !field.in_comment;
        self.facts.has_reference = fields.iter().any(is_reference);
        if self.kind != DocumentKind::Dockerfile {
            in_paths(self.text, &mut fields);
        }
        if self.kind == DocumentKind::Workflow {
            let (text, pattern) = (self.text, &self.scanner.directory);
            let structure = about::complete(text, pattern, &mut fields);
            let in_line = |line: &[u8]| self.scanner.scan(line, DocumentKind::Workflow).0;
            items::complete(text, &structure, &mut fields, (pattern, &in_line));
            self.facts.structure = structure;
        }
        (fields, self.facts)
    }

    /// The variable that a version is assigned to, with a `v` in front or without.
    fn holder(&self, version: &Range<usize>) -> Option<&'a [u8]> {
        let has_v = self.text[..version.start].ends_with(b"v");
        variable_of(self.text, version.start - usize::from(has_v))
    }

    /// Where such variables are used: `$name`, `${name}`, `$env:name`.
    fn uses(&self, is_one: impl Fn(&[u8]) -> bool) -> impl Iterator<Item = usize> {
        let text = self.text;
        let names = memchr::memchr_iter(b'$', text).map(|at| name_of(&text[at..]));
        let names = names.filter(move |name| is_one(name));
        names.map(|name| span_of(text, name).start)
    }

    /// Where such variables are part of an address.
    fn in_addresses(&self, is_one: impl Fn(&[u8]) -> bool) -> impl Iterator<Item = usize> {
        let uses = self.uses(is_one);
        uses.filter(|at| self.in_address(*at) && !self.is_comment(*at))
    }

    /// Adds where variables that hold our version go into addresses, and addresses of our project that are of no archive; the
    /// version key itself is seen where it stands.
    fn made_by_variables(&mut self) {
        let versions = &self.variables.versions;
        let made = self.in_addresses(|name| versions.contains(name));
        let mut made: Vec<usize> = made.collect();
        let project = format!("/{}/", self.scanner.server);
        let project = memchr::memmem::find_iter(self.text, project.as_bytes());
        made.extend(project.filter(|at| self.in_address(*at) && !self.is_comment(*at)));
        self.seen.made.extend(made);
        self.seen.made.sort_unstable();
        self.seen.made.dedup();
    }

    /// A version in a variable that goes into other addresses than ours is another program's.
    fn give_up_mentions(&mut self) {
        let mentions = self.found.iter().enumerate();
        let mentions = mentions.filter(|(_, (_, kind))| *kind == Kind::Mention { is_ours: true });
        let is_other = |span: &Range<usize>| {
            let name = self.holder(span)?;
            let is_known = self.variables.versions.contains(name);
            (!is_known).then(|| self.in_addresses(|one| one == name).next())?
        };
        // No file has more of them.
        let others = mentions
            .enumerate()
            .filter(|(count, (_, (span, _)))| *count > 64 || is_other(span).is_some());
        let others: Vec<usize> = others.map(|(_, (number, _))| number).collect();
        for number in others {
            self.found[number].1 = Kind::Mention { is_ours: false };
        }
    }

    /// What the variables other than the version key are set to that give a version.
    fn version_values(&self) -> Values<'a> {
        let mut values = Values::new();
        let key = self.scanner.key.as_bytes();
        for span in &self.variables.values {
            let name = self
                .holder(span)
                .filter(|name| *name != key && self.variables.versions.contains(name));
            if let Some(name) = name.filter(|_| !self.is_comment(span.start)) {
                values.entry(name).or_default().push(span.clone());
            }
        }
        values
    }

    /// Leaves addresses out whose version nothing in the file gives: nobody knows of which release they are.
    fn keep_known_addresses(&mut self, values: &Values) {
        let key = self.scanner.key.as_bytes();
        let has_key = self
            .found
            .iter()
            .any(|(_, kind)| *kind == Kind::Version { key: true });
        let is_known = |name: &Range<usize>| {
            let name = &self.text[name.clone()];
            name == key && has_key || values.contains_key(name)
        };
        let addresses = std::mem::take(&mut self.seen.addresses).into_iter();
        let (known, others): (Vec<Address>, Vec<Address>) =
            addresses.partition(|address| address.versions.iter().flatten().all(is_known));
        self.seen.addresses = known;
        self.seen
            .made
            .extend(others.iter().map(|address| address.at));
        self.seen.made.sort_unstable();
    }

    /// The fields of what the variables are set to that references are made of.
    fn assigned_variables(&mut self, values: &Values, found: &mut Vec<(Range<usize>, Kind)>) {
        let key = self.scanner.key.as_bytes();
        if self.variables.versions.contains(key) && self.kind == DocumentKind::Dockerfile {
            // Addresses and tags have the `v` that they need: in the variable another one would be too many.
            let keyed = self.found.iter_mut();
            let keyed = keyed.filter(|(_, kind)| *kind == Kind::Version { key: true });
            for (span, _) in keyed.filter(|(span, _)| self.text[..span.start].ends_with(b"v")) {
                span.start -= 1;
            }
        }
        let said = |span: &Range<usize>| &self.text[span.clone()];
        for spans in values.values() {
            // In another stage, or for another command, it may be another program's version.
            let is_one = spans.iter().all(|span| said(span) == said(&spans[0]));
            let in_dockerfile = self.kind == DocumentKind::Dockerfile;
            found.extend(spans.iter().map(|span| {
                let kind = match said(span).contains(&b'-') {
                    _ if !is_one && in_dockerfile => Kind::Mention { is_ours: false },
                    // Perhaps with a variant behind it.
                    true => Kind::Tag,
                    false => Kind::Version { key: false },
                };
                (span.clone(), kind)
            }));
        }
        // In a script the name of a variant is found wherever it stands.
        if self.variables.variants.is_empty() || self.kind != DocumentKind::Dockerfile {
            return;
        }
        for equals in memchr::memchr_iter(b'=', self.text) {
            let name = last_word(&self.text[equals.saturating_sub(BACK)..equals]);
            if self.variables.variants.contains(name) {
                let from = equals + 1;
                let end = self.scanner.variant(self.text, from);
                found.extend(end.map(|end| (from..end, Kind::TagVariant)));
            }
        }
    }
}
