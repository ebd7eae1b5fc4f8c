//! Series, as workflows spell them.

use std::ops::Range;

use semver::Version;

use crate::repository::Directory;
use crate::text::{is_typo, span_of, spliced};

/// What stands between the two numbers of a series: one is that of a pattern, and nothing stands in `v214`.
const SIGNS: [&str; 5] = [".", "_", "-", r"\.", ""];

impl Directory {
    /// Its two numbers: those of its name, whatever version it is at.
    pub fn numbers(&self) -> (u64, u64) {
        let Version { major, minor, .. } = self.version;
        let mut numbers = self.name.split('.').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
            _ => (major, minor),
        }
    }

    /// Its two numbers, joined in every way that is known: `2.14`, `2_14`, `2-14`, `2\.14`, `214`.
    fn spellings(&self) -> [String; 5] {
        let (major, minor) = self.numbers();
        SIGNS.map(|between| format!("{major}{between}{minor}"))
    }

    /// Where a text spells this series, or another one of the same major version: each place, the number of the spelling, and
    /// whether it is this one. A whole version is none.
    fn places<'t>(&self, text: &'t str) -> impl Iterator<Item = (Range<usize>, usize, bool)> + 't {
        let (major, minor) = self.numbers();
        let [major, minor] = [major, minor].map(|number| number.to_string());
        let length = major.len();
        let place = move |at: usize| {
            let (before, rest) = (&text[..at], &text[at + length..]);
            let kind = SIGNS.iter().position(|sign| rest.starts_with(*sign))?;
            let sign = SIGNS[kind];
            let rest = &rest[sign.len()..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at(digits);
            let before = before.strip_suffix('v').unwrap_or(before);
            // `uses: somebody/action@v2.14` is another program's.
            let joins = |c: char| match c {
                '.' => sign == ".",
                // `outputs.s2_14`
                _ if c.is_ascii_alphabetic() => sign != "_",
                _ => c.is_ascii_digit() || c == '@',
            };
            let next = after.strip_prefix('.');
            let goes_on = next.is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()));
            // `v214`, not `v20`, `arm64v8` or `2140`
            let is_joined = minor.len() > 1 && digits == minor.len();
            let is_joined =
                is_joined && text[..at].ends_with('v') && !before.ends_with(char::is_alphanumeric);
            let is_one = !number.is_empty() && !before.ends_with(joins) && !goes_on;
            let is_one = is_one && (!sign.is_empty() || is_joined);
            is_one.then(|| (at..text.len() - after.len(), kind, number == minor))
        };
        let starts: Vec<usize> = text.match_indices(&major).map(|(at, _)| at).collect();
        starts.into_iter().filter_map(place)
    }

    /// Whether numbers that could spell it do: `2.14.x`, `v2.14.`, `linux-2_14`. By themselves they may be another program's.
    fn is_certain(&self, text: &str, (place, kind): &(Range<usize>, usize)) -> bool {
        let (before, after) = (&text[..place.start], &text[place.end..]);
        match SIGNS[*kind] {
            "." => {
                text[place.start..].starts_with(&self.name)
                    || before.ends_with('v') && after.starts_with('.')
            }
            "" => true,
            "_" if before.ends_with(|c: char| c.is_ascii_alphabetic()) => true,
            _ => before.ends_with(['-', '_', 'v', '^', '(']),
        }
    }

    /// Where a text spells it first.
    pub fn first_in(&self, text: &str) -> Option<Range<usize>> {
        let own = self.places(text).filter(|(.., is_own)| *is_own);
        let mut own = own.map(|(place, kind, _)| (place, kind));
        let first = own.find(|one| self.is_certain(text, one));
        first.map(|(place, _)| place)
    }

    /// Whether a text spells it.
    pub fn is_in(&self, text: &str) -> bool {
        self.first_in(text).is_some()
    }

    /// Where a text spells another series, in the way in which it would spell this one: of the same major version, or by digits
    /// that were swapped, as in `21.1`.
    pub fn other_in(&self, text: &str) -> Option<Range<usize>> {
        let mut places = self.places(text);
        let other = places.find(|(.., is_own)| !is_own);
        other.map(|(place, ..)| place).or_else(|| {
            let is_part = |c: char| c.is_ascii_digit() || "._-".contains(c);
            let words = text.split(|c| !is_part(c));
            let mut words = words.map(|word| word.trim_matches(['.', '_', '-']));
            let swapped = words.find(|word| is_typo(word, &self.spelled_like(word)));
            swapped.map(|word| span_of(text, word))
        })
    }

    /// This series as another one is spelled.
    pub fn spelled_like(&self, other: &str) -> String {
        let (major, minor) = self.numbers();
        let sign: String = other.chars().filter(|c| !c.is_ascii_digit()).collect();
        format!("{major}{sign}{minor}")
    }

    /// A text with every spelling of this series moved to another one, and its version with it.
    pub fn moved(&self, text: &str, to: &Self) -> String {
        let spellings = to.spellings();
        let places = self.places(text).filter(|(.., is_own)| *is_own);
        let places = places.map(|(place, kind, _)| (place, &spellings[kind]));
        let out = spliced(text, places);
        let [old, new] = [self, to].map(|directory| directory.version.to_string());
        // `uses: somebody/action@v2.14.4` is another program's.
        let is_own = |at: &usize| !out[..*at].trim_end_matches('v').ends_with('@');
        let places = places_of(&out, &old).filter(is_own);
        spliced(&out, places.map(|at| (at..at + old.len(), &new)))
    }
}

/// Where a version stands in a text as a whole: in `v1.2.3-alpine3.18`, not in `1.2.30`.
pub fn places_of<'t>(text: &'t str, version: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_whole = move |at: &usize| {
        let (before, after) = (&text[..*at], &text[at + version.len()..]);
        let before = before.strip_suffix('v').unwrap_or(before);
        let is_part = |c: char| c.is_ascii_alphanumeric();
        let rest = after.strip_prefix('.').unwrap_or(after);
        !before.ends_with(|c: char| is_part(c) || c == '.') && !rest.starts_with(is_part)
    };
    text.match_indices(version)
        .map(|(at, _)| at)
        .filter(is_whole)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn series(directory: &str, version: &str) -> Directory {
        Directory::new(directory, version.parse().unwrap())
    }

    #[test]
    fn every_spelling_of_a_series_is_moved_and_nothing_else() {
        let (old, new) = (series("2.12.x", "2.12.15"), series("2.14.x", "2.14.0"));
        let text = "linux-2_12: 2.12.x v2.12. '2.12' 12.12 2.120 2.12.3 x2.12 2.12.15 1.2.12";
        assert_eq!(
            old.moved(text, &new),
            "linux-2_14: 2.14.x v2.14. '2.14' 12.12 2.120 2.12.3 x2.12 2.14.0 1.2.12"
        );
        let text = "linux_v212 v212 212 v2120 v212.1 xv212 @v212 v21";
        assert_eq!(
            old.moved(text, &new),
            "linux_v214 v214 212 v2120 v212.1 xv212 @v212 v21"
        );
    }
}
