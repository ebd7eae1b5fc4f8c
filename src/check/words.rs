//! Words of scripts and workflows that are a typo for what is there: for a family of variants, or the name of a script, where no
//! field and no path tells what is meant.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::fields::scan::is_script;
use crate::repository::{Directory, Repository, TESTS};
use crate::text::{is_typo, span_of};

/// The most names that one word is compared with.
const MOST: usize = 64;

/// Shorter names are too much like other words.
const SHORTEST: usize = 6;

/// What Windows' own names of its bases begin with.
const LTSC: &str = "ltsc";

/// The one of some names for which a word, which is none of them, is a typo.
pub(super) fn meant<'n>(word: &str, known: &BTreeSet<&'n str>) -> Option<&'n str> {
    let mut first = known.iter().take(MOST);
    let typo = first.find(|name| is_typo(word, name)).copied();
    typo.filter(|_| !known.contains(word))
}

/// The names of what is there.
pub(super) struct Names<'a> {
    families: BTreeSet<&'a str>,
    /// The families that have such bases.
    on_ltsc: BTreeSet<&'a str>,
    scripts: BTreeSet<&'a str>,
    /// What the names of scripts begin with, up to a number that a matrix may make.
    stems: BTreeSet<&'a str>,
    /// What is built from beside a `Dockerfile`: `Dockerfile.preview`.
    files: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    /// Those of some version directories, and of the scripts at the root.
    pub(super) fn new(
        directories: impl Iterator<Item = &'a Directory> + Clone,
        root: &'a [String],
    ) -> Self {
        let variants = directories.clone().flat_map(|one| &one.variants);
        let on_ltsc = variants.clone().filter(|one| one.base.starts_with(LTSC));
        let families = variants.map(|one| one.family.as_str());
        let scripts = directories.flat_map(|one| &one.scripts).chain(root);
        let scripts: BTreeSet<&str> = scripts.map(String::as_str).collect();
        let stem = |name: &&'a str| {
            let number = name.find(|c: char| c.is_ascii_digit())?;
            Some(&name[..number])
        };
        Self {
            families: families.filter(|name| name.len() >= SHORTEST).collect(),
            on_ltsc: on_ltsc.map(|one| one.family.as_str()).collect(),
            stems: scripts.iter().filter_map(stem).collect(),
            scripts,
            files: BTreeSet::new(),
        }
    }

    /// Those and the Dockerfiles of a repository.
    pub(super) fn with_files(mut self, repository: &'a Repository) -> Self {
        let folders = repository.trees.iter().flat_map(|tree| &tree.folders);
        let names = folders
            .flat_map(|folder| &folder.items)
            .map(|item| item.name.as_str());
        self.files = names
            .filter(|name| name.starts_with("Dockerfile."))
            .collect();
        self
    }

    /// Whether there is a script of that name.
    pub(super) fn has_script(&self, name: &str) -> bool {
        self.scripts.contains(name)
    }

    /// The name at the end of a path in a line of code that looks like a Dockerfile, behind an expression, which hides the folder.
    pub(super) fn files<'t>(&self, code: &'t str) -> Option<(&'t str, &'a str)> {
        let (_, rest) = code.rsplit_once("}}/")?;
        let is_end = |c: char| c.is_whitespace() || "\"'".contains(c);
        let name = rest.split(is_end).next()?.rsplit('/').next()?;
        Some((name, meant(name, &self.files)?))
    }

    /// Words of a line of code that look like a family, each with the one that is there: in a path, behind an expression, in front
    /// of a base, or in a list beside a variant.
    pub(super) fn families<'t>(&self, code: &'t str) -> Vec<(&'t str, &'a str)> {
        let is_letter = |c: char| c.is_ascii_lowercase();
        let words = code.split(|c| !is_letter(c));
        let words = words.filter(|word| word.len() > 2);
        let misspelt = words.filter_map(|word| {
            let Range { start, end } = span_of(code, word);
            let (before, after) = (&code[..start], &code[end..]);
            let goes_on = |c: char| c.is_ascii_alphanumeric() || "._@".contains(c);
            if before.ends_with(goes_on) {
                return None;
            }
            let on_base = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit() || c == '$');
            // `windowsservercore-lts2022`
            let family = before.strip_suffix('-').unwrap_or_default();
            let family = &family[family.trim_end_matches(is_letter).len()..];
            if self.on_ltsc.contains(family) && on_base(after) && is_typo(word, LTSC) {
                return Some((word, LTSC));
            }
            let rest = after.strip_prefix('-');
            let has_base =
                on_base(after) || rest.is_some_and(|rest| on_base(rest) || rest.starts_with("lts"));
            let is_whole = !after.starts_with(goes_on);
            let is_named = before.ends_with(['/', '\\']) || before.ends_with("}-");
            let is_listed = || {
                let [before, after] = [before.strip_suffix(' '), after.strip_prefix(' ')];
                let before = before.and_then(|before| before.rsplit(' ').next());
                let after = after.and_then(|after| after.split([' ', ';']).next());
                let mut beside = [before, after].into_iter().flatten();
                beside.any(|word| self.is_variant(word))
            };
            let may_be = has_base || is_whole && (is_named || is_listed());
            let new = may_be.then(|| meant(word, &self.families)).flatten();
            new.map(|family| (word, family))
        });
        misspelt.collect()
    }

    /// Whether a word is called like a variant of a family that has bases: `alpine3.22`.
    fn is_variant(&self, word: &str) -> bool {
        let family = word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let family = family.strip_suffix(LTSC).unwrap_or(family);
        let family = family.strip_suffix('-').unwrap_or(family);
        family.len() < word.len() && self.families.contains(family)
    }

    /// Words of a command that look like a script, likewise, and like the folder of scripts; `is_inside` tells whether it may run there.
    pub(super) fn scripts<'t>(
        &self,
        code: &'t str,
        is_inside: &mut dyn FnMut() -> bool,
    ) -> Vec<(&'t str, &'a str)> {
        let is_end = |c: char| c.is_whitespace() || "\"';&|()".contains(c);
        let paths = code.split(is_end).filter(|word| word.contains(['/', '\\']));
        let misspelt = paths.filter_map(|path| {
            let whole = path.split("${{").next().unwrap_or_default();
            let (folder, name) = whole.rsplit_once(['/', '\\'])?;
            let folder = folder.rsplit(['/', '\\']).next().unwrap_or_default();
            let (known, is_name) = match whole == path {
                true => (&self.scripts, is_script(name)),
                false => (&self.stems, name.len() >= SHORTEST),
            };
            match folder {
                _ if !is_name => None,
                _ if known.contains(name) => is_typo(folder, TESTS).then_some((folder, TESTS)),
                TESTS | "." if folder == TESTS || is_inside() => Some((name, meant(name, known)?)),
                _ => None,
            }
        });
        misspelt.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Variant;

    #[test]
    fn what_is_misspelt_is_told_from_what_is_another_word() {
        let mut directory = Directory::new("2.14.x", "2.14.5".parse().unwrap());
        let variants = ["alpine3.22", "scratch", "windowsservercore-ltsc2022"];
        directory.variants = variants.map(|name| Variant::parse(name).unwrap()).to_vec();
        directory.scripts = vec!["build-images-2022.ps1".to_owned()];
        let root = ["run-images.sh".to_owned()];
        let names = Names::new(std::iter::once(&directory), &root);
        let families = |code| names.families(code).into_iter().map(|(_, new)| new);
        let scripts = |code| {
            names
                .scripts(code, &mut || true)
                .into_iter()
                .map(|(_, new)| new)
        };
        for (code, meant) in [
            ("--tag x:${{ v }}-alpinee3.22", "alpine"),
            ("context: ./2.14.x/scartch", "scratch"),
            ("x:${v}-windowsservecrore-ltsc2022", "windowsservercore"),
            ("windowsservercore-lts${{ matrix.ltsc }}", "ltsc"),
            ("for variant in alpine3.22 scrach; do", "scratch"),
            (
                "for variant in scrach windowsservercore-ltsc2022; do",
                "scratch",
            ),
        ] {
            assert_eq!(families(code).collect::<Vec<_>>(), [meant], "{code}");
        }
        for (code, meant) in [
            ("./build-image-${{ matrix.ltsc }}.ps1", "build-images-"),
            ("run: ./tests/run-image.sh", "run-images.sh"),
            (r"run: .\test\run-images.sh", "tests"),
        ] {
            assert_eq!(scripts(code).collect::<Vec<_>>(), [meant], "{code}");
        }
        let others = "./2.14.x/scratch alpines Alpine3.22 x:alpine3.22 alpine-ltsc ./run.sh tools/run-image.sh \
             ./run-images-${{ v }}.sh ./build-images-2022.ps1 team/alpine.js windowsservercore-ltsc2022 scratched/";
        assert_eq!(families(others).count() + scripts(others).count(), 0);
    }
}
