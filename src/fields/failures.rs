//! Whether a check that fails ends the build. Where it does not, an archive is installed that is not the one whose hash is pinned.

use super::commands::{Code, Does, Instruction, Statement, Word, opening};
use super::spans::has;

/// The commands that end an instruction as failed; PowerShell ignores case.
const ENDING: [&[u8]; 5] = [b"exit", b"false", b"return", b"throw", b"Write-Error"];
/// How many instructions, or statements, are looked at: no file has more of them.
const FAR: usize = 64;

/// How many bytes of an instruction are looked at for its shell.
const HEAD: usize = 4096;

/// Whether an instruction fails where a command in it does that compares a hash.
pub(super) fn end_the_build(code: &Code, instruction: &Instruction, check: &Statement) -> bool {
    let text = &code.text[check.span.clone()];
    let words = code.words(check);
    let all = code.statements_of(instruction);
    let number = all.partition_point(|one| one.span.start <= check.span.start);
    let mut behind = all[number..].iter().take(FAR).map(|one| code.words(one));
    let is_asked = opening(words).iter().any(|word| word.text == b"if");
    // `… || exit 1`, `if (… -ne …) { exit 1 }`
    if is_asked || check.does(Does::Compare) || has(text, b"||") {
        let functions = functions(code, &all[..number]);
        return ends(words, &functions) || behind.any(|words| ends(words, &functions));
    }
    let is_end = |word: &Word| matches!(word.text, b"fi" | b"esac" | b"done");
    text.ends_with(b"&")
        || behind.all(|words| words.iter().all(is_end))
        || stops(code, instruction, &all[..number])
}

/// The functions of a shell that are made in statements which say that an instruction fails: `die() { echo no; exit 1; }`.
fn functions<'a>(code: &Code<'a>, statements: &[Statement]) -> Vec<&'a [u8]> {
    let all = statements.iter().take(FAR);
    let words = || all.clone().map(|one| code.words(one));
    let made = words().flatten();
    let made = made.filter(|word| code.text[word.span().end..].starts_with(b"()"));
    let names: Vec<&[u8]> = made.map(|word| word.text).collect();
    let fails = !names.is_empty() && words().any(|words| ends(words, &[]));
    if fails { names } else { Vec::new() }
}

/// Whether words say that an instruction fails, perhaps by one of these functions.
fn ends(words: &[Word], functions: &[&[u8]]) -> bool {
    let is_fine = |number: usize| words.get(number).is_some_and(|word| word.text == b"0");
    let is_ending = |text: &[u8]| {
        // `[Environment]::Exit(1)`
        let name = text.rsplit(|byte| *byte == b':').next().unwrap_or(text);
        ENDING.iter().any(|one| one.eq_ignore_ascii_case(name)) || functions.contains(&text)
    };
    let mut words = words.iter().enumerate();
    words.any(|(number, word)| is_ending(word.text) && !is_fine(number + 1))
}

/// Whether the shell of an instruction stops at a command that fails: by `set -e` in one of these statements, or by an option.
fn stops(code: &Code, instruction: &Instruction, before: &[Statement]) -> bool {
    // `RUN bash -ec '…'`, `#!/bin/sh -e`
    let start = instruction.span.start;
    if has(
        &code.text[start..instruction.span.end.min(start + HEAD)],
        b"sh -e",
    ) {
        return true;
    }
    let set = before.iter().take(FAR).map(|one| code.words(one));
    let set = set.filter(|words| words.iter().any(|word| word.text == b"set"));
    if let Some(is_set) = set.filter_map(is_told).last() {
        return is_set;
    }
    let end = code.number(instruction.span.start);
    let mut above = code.instructions[..end].iter().rev().take(FAR);
    let first = |one: &Instruction| code.statements_of(one).first().map(|one| code.words(one));
    let shell = above.find_map(|one| {
        let words = first(one)?;
        matches!(words.first()?.text, b"SHELL" | b"FROM").then_some(words)
    });
    shell.and_then(is_told) == Some(true)
}

/// What the last one of these options says of stopping: `-e`, `-eux`, `-o errexit`, `+e`.
fn is_told(words: &[Word]) -> Option<bool> {
    let mut told = words
        .iter()
        .filter_map(|word| match word.text.split_first()? {
            _ if word.text == b"errexit" => Some(true),
            (b'-', options) if options.len() <= 6 && options.contains(&b'e') => Some(true),
            (b'+', options) if options.contains(&b'e') => Some(false),
            _ => None,
        });
    told.next_back()
}
