//! Series, as workflows spell them.

use std::ops::Range;

use semver::Version;

use crate::repository::Directory;

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

    /// Its two numbers, joined in every way that is known: `2.14`, `2_14`, `2-14`.
    fn spellings(&self) -> [String; 3] {
        let (major, minor) = self.numbers();
        ['.', '_', '-'].map(|between| format!("{major}{between}{minor}"))
    }

    /// Where a text spells the series: each place, and the number of the spelling. A whole version is none.
    fn places(&self, text: &str) -> Vec<(Range<usize>, usize)> {
        let mut places = Vec::new();
        for (kind, spelling) in self.spellings().iter().enumerate() {
            for (at, _) in text.match_indices(spelling.as_str()) {
                let (before, after) = (&text[..at], &text[at + spelling.len()..]);
                let before = before.strip_suffix('v').unwrap_or(before);
                let joins = |c: char| c.is_ascii_alphanumeric() || kind == 0 && c == '.';
                let mut next = after.chars();
                let goes_on = match next.next() {
                    Some('.') => next.next().is_some_and(|c| c.is_ascii_digit()),
                    Some(c) => c.is_ascii_digit(),
                    None => false,
                };
                // `uses: somebody/action@v2.14` is another program's.
                if !before.ends_with(joins) && !before.ends_with('@') && !goes_on {
                    places.push((at..at + spelling.len(), kind));
                }
            }
        }
        places.sort_by_key(|(place, _)| place.start);
        places
    }

    /// Whether numbers that could spell it do: `2.14.x`, `v2.14.`, `linux-2_14`. By themselves they may be another program's.
    fn is_certain(&self, text: &str, place: &Range<usize>) -> bool {
        let (before, after) = (&text[..place.start], &text[place.end..]);
        match text[place.clone()].contains('.') {
            true => {
                text[place.start..].starts_with(&self.name)
                    || before.ends_with('v') && after.starts_with('.')
            }
            false => before.ends_with(['-', '_', 'v']),
        }
    }

    /// Where a text spells it first.
    pub fn first_in(&self, text: &str) -> Option<Range<usize>> {
        let mut places = self.places(text).into_iter();
        places.find_map(|(place, _)| self.is_certain(text, &place).then_some(place))
    }

    /// Whether a text spells it.
    pub fn is_in(&self, text: &str) -> bool {
        self.first_in(text).is_some()
    }

    /// Where a text spells another series of the same major version, in the way in which it would spell this one.
    pub fn other_in(&self, text: &str) -> Option<Range<usize>> {
        let (major, minor) = self.numbers();
        let is_number = |c: char| c.is_ascii_digit();
        text.match_indices(&major.to_string())
            .find_map(|(at, found)| {
                let before = &text[..at];
                let before = before.strip_suffix('v').unwrap_or(before);
                let rest = text[at + found.len()..].strip_prefix(['.', '_', '-'])?;
                let digits = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
                let end = text.len() - rest.len() + digits;
                let is_whole = !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
                let other = rest[..digits].parse::<u64>().ok()?;
                (is_whole && other != minor).then_some(at..end)
            })
    }

    /// A text with every spelling of this series moved to another one, and its version with it.
    pub fn moved(&self, text: &str, to: &Self) -> String {
        let spellings = to.spellings();
        let places = self.places(text).into_iter();
        let out = with(text, places.map(|(place, kind)| (place, &*spellings[kind])));
        let [old, new] = [self, to].map(|directory| directory.version.to_string());
        with(
            &out,
            places_of(&out, &old).map(|at| (at..at + old.len(), &*new)),
        )
    }
}

/// A text with something else in some places, which are in order.
fn with<'n>(text: &str, places: impl Iterator<Item = (Range<usize>, &'n str)>) -> String {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (place, new) in places {
        out += &text[from..place.start];
        out += new;
        from = place.end;
    }
    out + &text[from..]
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
    }
}
