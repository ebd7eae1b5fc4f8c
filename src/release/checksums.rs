//! SHA-256 values, and the `SHA256SUMS` file that a release publishes. Where that file comes from is `release`'s business.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, ensure};

use crate::text::excerpt;

/// A SHA-256 value. Read from 64 hex digits in either case, written in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The pin of an archive that the release does not have: nothing hashes to it, so the build fails closed.
    pub const ZERO: Self = Self([0; 32]);

    /// The first twelve digits: enough to tell two apart, short enough to read.
    pub fn short(self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl From<[u8; 32]> for Sha256 {
    fn from(value: [u8; 32]) -> Self {
        Self(value)
    }
}

impl FromStr for Sha256 {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.as_bytes();
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        ensure!(
            text.len() == 64 && is_hex,
            "`{}` is not a SHA-256: expected 64 hex digits",
            excerpt(text)
        );
        let mut value = [0; 32];
        for (byte, pair) in value.iter_mut().zip(digits.chunks(2)) {
            // The low bits of a letter, of either case, are its value less 9.
            let digit = |c: u8| (c & 0xf) + 9 * (c >> 6);
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
        Ok(Self(value))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// What a release publishes: archive name → SHA-256.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checksums(BTreeMap<String, Sha256>);

impl FromIterator<(String, Sha256)> for Checksums {
    fn from_iter<T: IntoIterator<Item = (String, Sha256)>>(pairs: T) -> Self {
        Self(BTreeMap::from_iter(pairs))
    }
}

impl Checksums {
    /// Reads `SHA256SUMS`: lines of `<hash>  <name>` or `<hash> *<name>`, blank ones and those that begin with `#` left out.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let is_utf_16 = text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff");
        ensure!(
            !is_utf_16,
            "is UTF-16, as PowerShell's `>` writes it: expected UTF-8"
        );
        ensure!(
            !text.trim_ascii_start().starts_with(b"<"),
            "is a web page, not the checksums of a release: is a login page in between?"
        );
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let text = std::str::from_utf8(text).context("not UTF-8")?;
        let (mut checksums, mut problems) = (BTreeMap::new(), Vec::new());
        for (number, line) in text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let added = parse_line(line).and_then(|(hash, name)| {
                let known = *checksums.entry(name.to_owned()).or_insert(hash);
                let name = excerpt(name);
                ensure!(
                    known == hash,
                    "a second hash for {name}: {known}, then {hash}"
                );
                Ok(())
            });
            let problem = added.err();
            problems.extend(problem.map(|problem| format!("\n  line {}: {problem}", number + 1)));
        }
        let more = problems.len().saturating_sub(10);
        problems.truncate(10);
        let problems = problems.concat();
        ensure!(
            problems.is_empty(),
            "not a list of SHA-256 sums:{problems}{}",
            if more > 0 { "\n  and more" } else { "" }
        );
        ensure!(!checksums.is_empty(), "no hash in it: the file is empty");
        Ok(Self(checksums))
    }

    /// The hash of the archive of that name.
    pub fn get(&self, archive: &str) -> Option<Sha256> {
        self.0.get(archive).copied()
    }

    /// All names and hashes, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Sha256)> {
        self.0.iter().map(|(name, hash)| (name.as_str(), *hash))
    }
}

fn parse_line(line: &str) -> Result<(Sha256, &str)> {
    let parts = line.split_once(' ').and_then(|(hash, rest)| {
        let name = rest.strip_prefix([' ', '*'])?;
        // `sha256sum ./*` writes it so, and means the same file.
        Some((hash, name.strip_prefix("./").unwrap_or(name)))
    });
    let parts = parts.filter(|(_, name)| !name.is_empty());
    let (hash, name) =
        parts.with_context(|| format!("expected `<hash>  <name>`, found `{}`", excerpt(line)))?;
    let hash: Sha256 = hash.parse()?;
    ensure!(
        hash != Sha256::ZERO,
        "found zeros for {}, expected a hash",
        excerpt(name)
    );
    Ok((hash, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "caf2839d14c610d9d62afeb9022ee36aa4ff5adc86d0402bb7e1a5d7f5e7d26f";

    fn parsed(text: &str) -> Result<Vec<String>> {
        Ok(Checksums::parse(text.as_bytes())?.0.into_keys().collect())
    }

    fn refusal(text: &str) -> String {
        format!("{:#}", parsed(text).unwrap_err())
    }

    #[test]
    fn every_form_of_line_that_tools_write_is_read() {
        let text = format!(
            "# comment\n\n{A}  text\r\n{A} *binary\n{}  upper\n{A}  ./here",
            A.to_uppercase()
        );
        assert_eq!(parsed(&text).unwrap(), ["binary", "here", "text", "upper"]);
        assert_eq!(
            Checksums::parse(text.as_bytes())
                .unwrap()
                .get("upper")
                .unwrap()
                .to_string(),
            A
        );
    }

    #[test]
    fn the_same_hash_twice_is_fine_and_another_is_not() {
        assert_eq!(parsed(&format!("{A}  x\n{A}  x\n")).unwrap(), ["x"]);
        let other = A.replace('c', "d");
        assert!(
            refusal(&format!("{A}  x\n{other}  x\n"))
                .contains(&format!("line 2: a second hash for x: {A}, then {other}"))
        );
    }

    #[test]
    fn what_is_no_list_of_sums_is_refused_with_line_numbers() {
        assert!(refusal("").contains("empty"));
        assert!(refusal("\n# nothing\n").contains("empty"));
        assert!(refusal(&format!("{A}  x\n{}", &A[1..])).contains("line 2"));
        assert!(refusal(&format!("{}  x", &A[1..])).contains("expected 64 hex digits"));
        assert!(refusal(&format!("{A} x")).contains("expected `<hash>  <name>`"));
        assert!(refusal(&format!("{A}  ")).contains("expected"));
        let page = "<!DOCTYPE html>\n".to_owned() + &"<p>Log in</p>\n".repeat(40);
        assert!(refusal(&page).contains("is a web page"));
        let text = "Log in\n".repeat(40);
        assert!(refusal(&text).ends_with("\n  and more"));
    }

    #[test]
    fn a_hash_is_64_hex_digits() {
        assert_eq!(A.parse::<Sha256>().unwrap().short(), "caf2839d14c6");
        assert_eq!(Sha256::ZERO.to_string(), "0".repeat(64));
        for bad in [
            "",
            &A[1..],
            &format!("{A}0"),
            &A.replace('c', "g"),
            &"é".repeat(32),
        ] {
            assert!(bad.parse::<Sha256>().is_err(), "{bad}");
        }
    }
}
