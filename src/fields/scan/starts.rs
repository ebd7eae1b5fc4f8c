//! Where a field may begin: words that are looked for all at once.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use super::super::spans::{is_digit, trimmed_end};
use super::{DocumentKind, RUNNERS, Scan, Scanner};

/// Looks at what a word may begin. Returns where to go on, where that is further than behind the word.
pub(super) type Begin = fn(&mut Scan, Range<usize>) -> Option<usize>;

/// The words that are looked for in one kind of documents.
pub(super) struct Words {
    /// What each may begin; of those that stand at one place the first one counts.
    starts: Vec<Begin>,
    /// The number of the first one that begins a number.
    numbers: usize,
    finder: AhoCorasick,
}

impl Words {
    fn new(kind: DocumentKind, table: Vec<(Begin, Vec<String>)>, numbers: Vec<String>) -> Self {
        let (number, count): (Begin, usize) =
            (|scan, found| scan.number(found.start), numbers.len());
        let all = table.into_iter().chain([(number, numbers)]);
        let all = all.flat_map(|(start, words)| words.into_iter().map(move |word| (start, word)));
        let (starts, words): (Vec<Begin>, Vec<String>) = all.unzip();
        // A DFA searches faster, an NFA is built faster.
        let made = match kind {
            DocumentKind::Dockerfile => AhoCorasickKind::DFA,
            DocumentKind::Script | DocumentKind::Workflow => AhoCorasickKind::ContiguousNFA,
        };
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .kind(Some(made))
            .build(words);
        let finder = finder.unwrap_or_else(|_| unreachable!("words of a bounded length"));
        let numbers = starts.len() - count;
        Self {
            starts,
            numbers,
            finder,
        }
    }
}

impl Scanner {
    /// What may begin a field in documents of a kind, but for numbers.
    fn table(&self, kind: DocumentKind) -> Vec<(Begin, Vec<String>)> {
        let words = |words: &str| Vec::from_iter(words.split(' ').map(str::to_owned));
        let labels = words("opencontainers.image.version label-schema.version");
        let runners = RUNNERS.map(|system| format!("{system}-")).to_vec();
        let (families, scripts) = (self.families.clone(), self.scripts.clone());
        let reference = vec![format!("{}:", self.image)];
        let archive = vec![format!("{}-v", self.server)];
        let mut table: Vec<(Begin, Vec<String>)> = vec![
            (|scan, found| scan.key(found.start), vec![self.key.clone()]),
            (|scan, found| scan.reference(found.start), reference),
            (|scan, found| scan.archive(found.start), archive),
            (
                |scan, found| scan.download(found.start),
                words("/releases/download/"),
            ),
        ];
        let label: Begin = |scan, found| scan.label(found.end);
        let script: Begin = |scan, found| scan.script(found.start);
        let family: Begin = |scan, found| scan.family_or_variant(found.start);
        table.extend::<Vec<(Begin, _)>>(match kind {
            DocumentKind::Dockerfile => vec![
                (label, labels),
                (
                    |scan, found| scan.from(found.start),
                    words("FROM from From"),
                ),
                (|scan, found| scan.arch(found.end), words("rch= RCH=")),
                (
                    |scan, found| scan.branch_end(found),
                    words(";; esac elif else fi"),
                ),
            ],
            DocumentKind::Script => vec![(script, scripts), (family, families), (label, labels)],
            DocumentKind::Workflow => vec![
                (script, scripts),
                (|scan, found| scan.runner(found), runners),
                (
                    |scan, found| scan.behind_expression(found.end),
                    words("}}-"),
                ),
                (
                    family,
                    families.iter().flat_map(|name| spelled(name)).collect(),
                ),
            ],
        });
        table
    }

    /// The first place from `at` on where a field may begin, what it may be, and where the word ends that tells so.
    pub(super) fn next(
        &self,
        text: &[u8],
        at: usize,
        kind: DocumentKind,
    ) -> Option<(Begin, Range<usize>)> {
        let words = || Words::new(kind, self.table(kind), self.directory.starts());
        let words = self.words[kind as usize].get_or_init(words);
        let hit = words.finder.find(Input::new(text).range(at..))?;
        // The first digits of a number may stand before its word.
        let is_number = hit.pattern().as_usize() >= words.numbers && is_digit(text[hit.start()]);
        let before = &text[at..hit.start()];
        let before = if is_number {
            trimmed_end(before, is_digit)
        } else {
            before
        };
        Some((words.starts[hit.pattern()], at + before.len()..hit.end()))
    }
}

/// A name as it is written: `alpine`, `Alpine`, `ALPINE`.
fn spelled(name: &str) -> [String; 3] {
    let large = name.to_ascii_uppercase();
    [name.to_owned(), large[..1].to_owned() + &name[1..], large]
}
