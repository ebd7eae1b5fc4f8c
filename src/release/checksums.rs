//! SHA-256 values, and the `SHA256SUMS` file that a release publishes. Where that file comes from is `release`'s business.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};

use crate::text::{excerpt, harmless};

/// A SHA-256 value. Read from 64 hex digits in either case, written in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
        ensure!(
            digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit),
            "`{}` is not a SHA-256: expected 64 hex digits, found {}",
            excerpt(text),
            match text.chars().count() {
                64 => "other characters among them".to_owned(),
                count => format!("{count} characters"),
            }
        );
        let mut value = [0; 32];
        for (byte, pair) in value.iter_mut().zip(digits.chunks(2)) {
            // A letter, of either case, has its number less 9 in its last bits.
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

impl fmt::Debug for Sha256 {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, out)
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
    /// Reads `SHA256SUMS` as `sha256sum --check --strict` does (text and binary lines, `\`-escaped names, BSD lines, CRLF,
    /// blank lines and lines that begin with `#`), and stricter: a malformed line, two hashes for one name, and a file
    /// without any hash are errors, all of them reported together with their line numbers.
    pub fn parse(text: &[u8]) -> Result<Self> {
        ensure!(
            !text.starts_with(b"\xff\xfe") && !text.starts_with(b"\xfe\xff"),
            "is UTF-16, as PowerShell's `>` writes it: expected UTF-8"
        );
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut checksums = BTreeMap::new();
        let mut problems = String::new();
        for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.trim_ascii().is_empty() || line.starts_with(b"#") {
                continue;
            }
            let entry = parse_line(line).and_then(|(hash, name)| {
                match checksums.insert(name.clone(), hash) {
                    Some(other) if other != hash => {
                        bail!("a second hash for {}: {other}, then {hash}", excerpt(&name))
                    }
                    _ => Ok(()),
                }
            });
            if let Err(problem) = entry {
                write!(problems, "\n  line {}: {problem}", number + 1)?;
            }
        }
        ensure!(
            problems.is_empty(),
            "not a list of SHA-256 sums:{}",
            first_lines(&problems, 10)
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

/// A web page can stand where the checksums should be: its first lines say so as well as all of them.
fn first_lines(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    match lines.len().checked_sub(most + 1) {
        None | Some(0) => text.to_owned(),
        Some(more) => format!(
            "{}\n  and {more} more lines like these",
            lines[..=most].join("\n")
        ),
    }
}

/// `HASH  NAME`, `HASH *NAME`, the same behind a `\` with an escaped name, or `SHA256 (NAME) = HASH`.
fn parse_line(line: &[u8]) -> Result<(Sha256, String)> {
    let line = str::from_utf8(line).context("not UTF-8")?;
    let line = line.trim_start_matches([' ', '\t']);
    let bare = line.strip_prefix('\\');
    let (escaped, line) = (bare.is_some(), bare.unwrap_or(line));
    let (hash, name) = match line.strip_prefix("SHA256 (") {
        Some(bsd) => {
            let (name, hash) = bsd.rsplit_once(") = ").with_context(|| malformed(line))?;
            (hash, name)
        }
        None => {
            let (hash, rest) = line.split_once(' ').with_context(|| malformed(line))?;
            let name = rest.strip_prefix([' ', '*']);
            (hash, name.with_context(|| malformed(line))?)
        }
    };
    let name = match escaped {
        true => unescape(name)?,
        false => name.to_owned(),
    };
    // `sha256sum ./*` writes it so, and means the same file.
    let name = name.strip_prefix("./").unwrap_or(&name);
    ensure!(!name.is_empty(), malformed(line));
    Ok((hash.parse()?, name.to_owned()))
}

fn malformed(line: &str) -> String {
    let start: String = line.chars().take(60).collect();
    format!("expected `<hash>  <name>`, found `{}`", harmless(&start))
}

/// Undoes the escapes of coreutils' file names: `\\`, `\n` and `\r`.
fn unescape(name: &str) -> Result<String> {
    let mut out = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('r') => '\r',
                _ => bail!("an unknown escape in the name `{}`", excerpt(name)),
            },
            c => c,
        });
    }
    Ok(out)
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
    fn every_form_of_line_that_sha256sum_accepts_is_read() {
        let text = format!(
            "# comment\n\n{A}  text\r\n{A} *binary\n\\{A}  a\\\\b\\nc\nSHA256 (bsd (1)) = {A}\n{}  upper\n{A}   leading space",
            A.to_uppercase()
        );
        assert_eq!(
            parsed(&text).unwrap(),
            [
                " leading space",
                "a\\b\nc",
                "binary",
                "bsd (1)",
                "text",
                "upper"
            ]
        );
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
        assert!(refusal(&format!("{}  x", &A[1..])).contains("found 63 characters"));
        assert!(refusal(&format!("{A} x")).contains("expected `<hash>  <name>`"));
        assert!(refusal(&format!("{A}  ")).contains("expected"));
        let page = "<!DOCTYPE html>\n".to_owned() + &"<p>Log in</p>\n".repeat(40);
        let message = refusal(&page);
        assert!(
            message.contains("line 1: ") && message.contains("and 31 more lines"),
            "{message}"
        );
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
