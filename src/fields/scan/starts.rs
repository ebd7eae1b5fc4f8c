//! Where a field may begin: words that are looked for all at once.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use super::super::spans::{is_digit, trimmed_end};
use super::{DocumentKind, RUNNERS, Scanner};

/// What a word may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Key,
    Reference,
    Archive,
    Download,
    Label,
    From,
    Arch,
    BranchEnd,
    Number,
    Family,
    Expression,
    Script,
    Runner,
}

/// The words that are looked for in one kind of documents.
pub(super) struct Words {
    /// What each may begin; of those that stand at one place the first one counts.
    starts: Vec<Start>,
    finder: AhoCorasick,
}

impl Words {
    fn new(kind: DocumentKind, table: Vec<(Start, Vec<String>)>) -> Self {
        let all = table.into_iter();
        let all = all.flat_map(|(start, words)| words.into_iter().map(move |word| (start, word)));
        let (starts, words): (Vec<Start>, Vec<String>) = all.unzip();
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
        Self { starts, finder }
    }
}

impl Scanner {
    /// What may begin a field in documents of a kind.
    fn table(&self, kind: DocumentKind) -> Vec<(Start, Vec<String>)> {
        let words = |words: &[&str]| Vec::from_iter(words.iter().map(|word| (*word).to_owned()));
        let labels = words(&["opencontainers.image.version", "label-schema.version"]);
        let runners = RUNNERS.map(|system| format!("{system}-")).to_vec();
        let (families, scripts) = (self.families.clone(), self.scripts.clone());
        let mut table = vec![
            (Start::Key, vec![self.key.clone()]),
            (Start::Reference, vec![format!("{}:", self.image)]),
            (Start::Archive, vec![format!("{}-v", self.server)]),
            (Start::Download, words(&["/releases/download/"])),
        ];
        table.extend(match kind {
            DocumentKind::Dockerfile => vec![
                (Start::Label, labels),
                (Start::From, words(&["FROM", "from", "From"])),
                (Start::Arch, words(&["rch=", "RCH="])),
                (
                    Start::BranchEnd,
                    words(&[";;", "esac", "elif", "else", "fi"]),
                ),
            ],
            DocumentKind::Script => vec![
                (Start::Script, scripts),
                (Start::Family, families),
                (Start::Label, labels),
            ],
            DocumentKind::Workflow => vec![
                (Start::Script, scripts),
                (Start::Runner, runners),
                (Start::Expression, words(&["}}-"])),
                (
                    Start::Family,
                    families.iter().flat_map(|name| spelled(name)).collect(),
                ),
            ],
        });
        table.push((Start::Number, self.directory.starts()));
        table
    }

    /// The first place from `at` on where a field may begin, what it may be, and where the word ends that tells so.
    pub(super) fn next(
        &self,
        text: &[u8],
        at: usize,
        kind: DocumentKind,
    ) -> Option<(Start, Range<usize>)> {
        let words = self.words[kind as usize].get_or_init(|| Words::new(kind, self.table(kind)));
        let hit = words.finder.find(Input::new(text).range(at..))?;
        let start = words.starts[hit.pattern()];
        // The first digits of a number may stand before its word.
        let digits = match start {
            Start::Number if is_digit(text[hit.start()]) => {
                trimmed_end(&text[at..hit.start()], is_digit)
            }
            _ => &text[at..hit.start()],
        };
        Some((start, at + digits.len()..hit.end()))
    }
}

/// A name as it is written: `alpine`, `Alpine`, `ALPINE`.
fn spelled(name: &str) -> [String; 3] {
    let large = name.to_ascii_uppercase();
    [name.to_owned(), large[..1].to_owned() + &name[1..], large]
}
