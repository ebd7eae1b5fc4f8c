//! The fields of a Dockerfile that belong to the archives it downloads: hashes, and the architectures that choose them.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::Result;
use regex::bytes::{Captures, Regex};

use super::{Kind, Must, SYSTEMS, contains, is_comment, line_at, line_before, said};
use crate::config::Config;
use crate::version::{apk_arch, release_arch};

/// The patterns of one server's archives.
pub(super) struct ArchiveScanner {
    /// What is called a hash in a branch, whether it is one or not.
    in_branch: Regex,
    /// What is called a hash in an `ENV` or `ARG`, whether it is one or not.
    in_environment: Regex,
    archive: Regex,
    branch: Regex,
    branch_end: Regex,
    key: String,
    server: String,
}

impl ArchiveScanner {
    /// What its patterns are made from.
    pub(super) fn patterns(config: &Config) -> [String; 5] {
        let server = regex::escape(&config.server);
        let label = r#"["']?[\w-]+["']?"#;
        let go_on = r"[ \t]*(?:[\\`]\r?\n[ \t]*)?";
        [
            r#"(?i)\b\w*(?:sha|sum|hash)[\d_]*(?:sum)?=["']?(?<it>[^"';\s\\`]*)"#.to_owned(),
            r#"(?m)^[ \t]*(?:(?:ENV|ARG)[ \t]+)?\w*(?:SHA|SUM)\w*(?:=|[ \t]+)["']?(?<it>[^"'\s\\`$]+)"#.to_owned(),
            format!(
                r#"(?<ours>\b{server}-v[^\s"'/]*?-)?\b(?<os>{SYSTEMS})-(?<arch>[a-z0-9]+|\$\{{?\w+\}}?)\.(?<ending>tar\.gz|tgz|zip)\b"#
            ),
            format!(
                r#"(?:(?<labels>{label}(?:[ \t]*\|[ \t]*{label})*)[ \t]*\){go_on}(?:\w+=[^;\r\n]*;{go_on})*?)?\b\w*[aA](?:rch|RCH)=["']?(?<arch>\w[\w.-]*)"#
            ),
            r";;|\besac\b|\bfi\b|\belif\b".to_owned(),
        ]
    }

    /// From the patterns, in their order.
    pub(super) fn new(config: &Config, mut next: impl FnMut() -> Result<Regex>) -> Result<Self> {
        Ok(Self {
            in_branch: next()?,
            in_environment: next()?,
            archive: next()?,
            branch: next()?,
            branch_end: next()?,
            key: config.version_key(),
            server: config.server.clone(),
        })
    }

    /// Hashes, and the architectures that they belong to.
    pub(super) fn scan(&self, text: &[u8], found: &mut Vec<(Range<usize>, Kind)>) {
        let archives = self.archives(text);
        let branches = self.branches(text);
        let chooses_by_apk = contains(text, b"apk --print-arch");
        let any_labels = branches.iter().any(|branch| branch.labels.is_some());
        for branch in branches.iter().filter(|_| chooses_by_apk) {
            if let (true, None) = (any_labels, &branch.labels) {
                let why = "the `case` has no label here, as in `x86_64) natsArch='amd64'`";
                found.push((branch.arch.clone(), Kind::Arch(Some(Err(why.to_owned())))));
            } else if let Some(labels) = &branch.labels {
                let (labels_must, arch_must) = pairing(&said(text, labels), branch, &branches);
                found.push((labels.clone(), Kind::Labels(labels_must)));
                found.push((branch.arch.clone(), Kind::Arch(arch_must)));
            }
        }
        for branch in &branches {
            let platform = format!("{}-{}.{}", archives.os, branch.name, archives.ending);
            found.extend(
                self.hash_of(text, branch)
                    .map(|hash| (hash, Kind::Hash(Some(platform)))),
            );
        }
        let outside = |hash: &Range<usize>| {
            !branches
                .iter()
                .any(|branch| branch.range.contains(&hash.start))
        };
        let mut hashes: Vec<Range<usize>> = self.hashes(text).filter(outside).collect();
        // Without an archive of its own a hash is somebody else's, of a tool that the image installs; but not in a `case`.
        let Some(platform) = &archives.single else {
            let lines = hashes
                .into_iter()
                .map(|hash| (line_at(text, hash.start), hash));
            let in_case = lines.filter(|(line, _)| contains(line, b";;"));
            found
                .extend(in_case.map(|(line, hash)| (hash, Kind::Hash(self.archives(line).single))));
            return;
        };
        if hashes.is_empty() {
            let said = self
                .in_environment
                .captures_iter(text)
                .filter_map(|groups| Some(groups.name("it")?.range()));
            hashes = said.filter(|hash| !is_comment(text, hash.start)).collect();
        }
        let named =
            |hash: &Range<usize>| contains(line_before(text, hash.start), self.key.as_bytes());
        let (ours, other): (Vec<_>, Vec<_>) = hashes.into_iter().partition(named);
        let hashes = if ours.is_empty() { other } else { ours };
        let platform = (hashes.len() == 1).then(|| platform.clone());
        found.extend(
            hashes
                .into_iter()
                .map(|hash| (hash, Kind::Hash(platform.clone()))),
        );
    }

    /// What stands for the hash in a branch: what is called so, else what looks so.
    fn hash_of(&self, text: &[u8], branch: &Branch) -> Option<Range<usize>> {
        let named = self
            .in_branch
            .captures_at(text, branch.range.start)
            .and_then(|groups| groups.name("it"));
        let named = named.map(|hash| hash.range()).filter(|hash| {
            branch.range.contains(&hash.start) && text.get(hash.start) != Some(&b'$')
        });
        named.or_else(|| {
            self.hashes(text)
                .find(|hash| branch.range.contains(&hash.start))
        })
    }

    /// Whatever looks like a hash. An image's digest says which bytes the base is, not which archive.
    fn hashes(&self, text: &[u8]) -> impl Iterator<Item = Range<usize>> {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let mut start = 0;
        let words = text.split(move |byte| !is_word(byte)).map(move |word| {
            start += word.len() + 1;
            start - word.len() - 1..start - 1
        });
        let is_hash = |word: &Range<usize>| {
            word.len() == 64 && text[word.clone()].iter().all(u8::is_ascii_hexdigit)
        };
        words
            .filter(is_hash)
            .filter(|hash| !text[..hash.start].ends_with(b"@sha256:"))
    }

    /// What the addresses in a Dockerfile say of the archives it downloads.
    fn archives(&self, text: &[u8]) -> Archives {
        let has_any = [".tar.gz", ".tgz", ".zip"]
            .iter()
            .any(|ending| contains(text, ending.as_bytes()));
        let all: Vec<Captures> = if has_any {
            self.archive.captures_iter(text).collect()
        } else {
            Vec::new()
        };
        let ours = all
            .iter()
            .filter(|groups| groups.name("ours").is_some())
            .collect::<Vec<_>>();
        let relevant = if ours.is_empty() {
            all.iter().collect()
        } else {
            ours
        };
        let group = |groups: &Captures, name: &str| {
            said(text, &groups.name(name).map_or(0..0, |group| group.range()))
        };
        let any = relevant
            .iter()
            .find(|groups| groups["arch"].starts_with(b"$"));
        let single: BTreeSet<String> = relevant
            .iter()
            .filter(|groups| !groups["arch"].starts_with(b"$"))
            .map(|groups| {
                format!(
                    "{}-{}.{}",
                    group(groups, "os"),
                    group(groups, "arch"),
                    group(groups, "ending")
                )
            })
            .collect();
        Archives {
            os: any.map_or("linux".to_owned(), |groups| group(groups, "os")),
            ending: any.map_or("tar.gz".to_owned(), |groups| group(groups, "ending")),
            single: if any.is_none() && single.len() == 1 {
                single.into_iter().next()
            } else {
                None
            },
        }
    }

    /// The branches of a Dockerfile that name an architecture.
    fn branches(&self, text: &[u8]) -> Vec<Branch> {
        let mut branches: Vec<Branch> = Vec::new();
        if !contains(text, b"rch=") && !contains(text, b"RCH=") {
            return branches;
        }
        for groups in self.branch.captures_iter(text) {
            let (Some(all), Some(arch)) = (groups.get(0), groups.name("arch")) else {
                continue;
            };
            let end = self
                .branch_end
                .find_at(text, arch.end())
                .map_or(text.len(), |end| end.start());
            if let Some(last) = branches.last_mut() {
                last.range.end = last.range.end.min(all.start());
            }
            if is_comment(text, arch.start()) {
                continue;
            }
            let labels = groups.name("labels").map(|labels| labels.range());
            let said_arch = said(text, &arch.range());
            let apk = labels
                .as_ref()
                .and_then(|labels| right_arch(&said(text, labels), &said_arch));
            branches.push(Branch {
                range: all.start()..end,
                labels,
                arch: arch.range(),
                name: apk.unwrap_or(said_arch),
            });
        }
        branches
    }

    /// Whether a Dockerfile downloads an archive of the server.
    pub(super) fn downloads(&self, text: &[u8]) -> bool {
        contains(text, self.server.as_bytes())
            && self
                .archive
                .captures_iter(text)
                .any(|groups| groups.name("ours").is_some())
    }
}

/// What a Dockerfile's addresses say of the archives: system and ending where the architecture is a variable, or the only one.
struct Archives {
    os: String,
    ending: String,
    single: Option<String>,
}

/// A branch of a `case` or an `if` that names an architecture.
struct Branch {
    range: Range<usize>,
    labels: Option<Range<usize>>,
    arch: Range<usize>,
    /// The release's name that must stand there.
    name: String,
}

/// The labels of a `case` branch, without quotes.
fn labels_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('|')
        .map(|label| label.trim().trim_matches(['"', '\'']))
}

/// The release's name for the labels of a branch: what stands there where one of them pairs with it, else the first one's;
/// `None` where `apk` prints none of them.
fn right_arch(labels: &str, found: &str) -> Option<String> {
    let mut names = labels_in(labels).filter_map(release_arch).peekable();
    let first = *names.peek()?;
    Some(
        names
            .find(|name| *name == found)
            .unwrap_or(first)
            .to_owned(),
    )
}

/// What the labels and the architecture of a branch must be, where they are wrong.
fn pairing(labels: &str, branch: &Branch, all: &[Branch]) -> (Must, Must) {
    if all.iter().filter(|other| other.name == branch.name).count() > 1 {
        let why = format!(
            "two branches are for {}: give each architecture one, and its own name",
            branch.name
        );
        return (Some(Err(why)), None);
    }
    if right_arch(labels, &branch.name).is_some() {
        return (None, Some(Ok(branch.name.clone())));
    }
    let labels_must = apk_arch(&branch.name).map(str::to_owned).ok_or_else(|| {
        format!(
            "`apk --print-arch` never prints {labels}, and {} is no architecture of Alpine's",
            branch.name
        )
    });
    (Some(labels_must), None)
}
