//! The forms of scripts that are understood: lists in a line, whole commands and blocks; and where the name of a variant stands.

use std::ops::Range;

use crate::text::spliced;
use crate::version::Variant;

/// The item of a list in a line that is a variant's name, or has it in it. `None` where the line is something else.
pub(super) fn item(line: &str, name: &str) -> Option<Range<usize>> {
    let at = position(line, name)?;
    let separates = |c: char| c.is_whitespace() || ",;".contains(c);
    // A bracket opens the list, but not where it belongs to a variable.
    let opens =
        |(index, c): &(usize, char)| separates(*c) || *c == '(' && !line[..*index].ends_with('$');
    let start = line[..at]
        .char_indices()
        .rev()
        .find(opens)
        .map_or(0, |(before, c)| before + c.len_utf8());
    let end = line[at..]
        .find(|c: char| separates(c) || ")]".contains(c))
        .map_or(line.len(), |after| at + after);
    let word = &line[start..end];
    let is_closed = word.matches('[').count() == word.matches(']').count()
        && ['"', '\'']
            .iter()
            .all(|quote| word.matches(*quote).count() % 2 == 0);
    let is_plain = is_closed && !word.contains(['=', '|', '`', '&']);
    let in_quotes = ['"', '\'']
        .iter()
        .any(|quote| line[..start].matches(*quote).count() % 2 == 1);
    let is_list = ["for ", "foreach", "=(", "@(", " in "]
        .iter()
        .any(|mark| line.contains(mark))
        || is_by_comma(line, &(start..end));
    (is_plain && !in_quotes && is_list && !mentions(&line[end..], name)).then_some(start..end)
}

/// Whether the items of a list are separated by commas.
pub(super) fn is_by_comma(line: &str, item: &Range<usize>) -> bool {
    line[item.end..].starts_with(',') || line[..item.start].trim_end().ends_with(',')
}

/// Whether some lines are whole commands: everything that opens in them closes there (brackets, blocks of a shell, `pushd`), and
/// no line goes on.
pub(super) fn is_whole(text: &str) -> bool {
    let code: Vec<&str> = text.lines().filter(|line| is_code(line)).collect();
    let code = code.join("\n");
    let goes_on = ["\\", "`", "&&", "||"]
        .iter()
        .any(|end| code.trim_end().ends_with(end));
    // The label of a `case` closes a bracket that nothing opened.
    let brackets = [('(', ')'), ('{', '}'), ('[', ']')]
        .iter()
        .all(|(open, close)| code.matches(*open).count() == code.matches(*close).count());
    let count = |words: &[&str]| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_$./".contains(c);
        let is_it = |word: &&str| words.iter().any(|wanted| word.eq_ignore_ascii_case(wanted));
        code.split(|c| !is_part(c)).filter(is_it).count()
    };
    let is_powershell = code.contains("if (") || code.contains("foreach (");
    !goes_on
        && brackets
        && count(&["pushd", "Push-Location"]) == count(&["popd", "Pop-Location"])
        && (is_powershell || count(&["if"]) == count(&["fi"]) && count(&["do"]) == count(&["done"]))
        && count(&["case"]) == count(&["esac"])
}

/// Whether what comes behind a text is in the folder in which the text began, or in one beside it.
pub(super) fn returns(text: &str) -> bool {
    let mut is_back = true;
    let mut depth = 0_usize;
    for line in text.lines().map(str::trim) {
        depth = (depth + line.matches('(').count()).saturating_sub(line.matches(')').count());
        let mut commands = ["cd ", "Set-Location "].into_iter();
        let Some(target) = commands.find_map(|command| line.strip_prefix(command)) else {
            continue;
        };
        let target = target.trim_matches(['"', '\'']);
        if depth == 0 {
            // To a folder beside this one and no further: from there the same step leads to the next one.
            let rest = target.strip_prefix("../").or(target.strip_prefix("..\\"));
            let beside = rest.is_some_and(|rest| !rest.contains(['/', '\\', '$']));
            is_back = beside || ["..", "-"].contains(&target);
        }
    }
    is_back
}

/// A list that begins in a line with its first item, and goes on below.
pub(super) fn opens_list(unit: &str) -> bool {
    unit.contains('=') && unit.trim_end().ends_with(',')
}

/// Where a variant's name stands as a whole.
fn positions<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_whole = move |at: &usize| {
        let after = &text[at + name.len()..];
        let more = after.strip_prefix(['.', '-']).unwrap_or(after);
        !text[..*at].ends_with(word) && !more.starts_with(word)
    };
    text.match_indices(name).map(|(at, _)| at).filter(is_whole)
}

/// The first of them.
pub(super) fn position(text: &str, name: &str) -> Option<usize> {
    positions(text, name).next()
}

/// Whether a line is more than a comment.
pub(super) fn is_code(line: &str) -> bool {
    !line.trim_start().starts_with('#')
}

pub(super) fn mentions(text: &str, name: &str) -> bool {
    let mut lines = text.lines().filter(|line| is_code(line));
    lines.any(|line| position(line, name).is_some())
}

/// The name of a script with the variant, the base or the year of Windows in it moved.
pub(super) fn renamed(name: &str, old: &Variant, new: &Variant) -> String {
    let spellings = [
        Some(old.name.clone()).zip(Some(new.name.clone())),
        old.windows_name().zip(new.windows_name()),
        Some(old.base.clone()).zip(Some(new.base.clone())),
    ];
    let mut name = name.to_owned();
    for (from, to) in spellings.into_iter().flatten() {
        let is_word = |c: char| c.is_ascii_alphanumeric();
        let whole = name.match_indices(&from).map(|(at, _)| at).find(|at| {
            !name[..*at].ends_with(is_word) && !name[at + from.len()..].starts_with(is_word)
        });
        if let Some(at) = whole.filter(|_| !from.is_empty()) {
            name.replace_range(at..at + from.len(), &to);
        }
    }
    name
}

pub(super) fn replaced(text: &str, old: &str, new: &str) -> String {
    spliced(
        text,
        positions(text, old).map(|at| (at..at + old.len(), new)),
    )
}
