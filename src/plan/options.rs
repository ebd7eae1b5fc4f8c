//! What an update is asked for besides versions, as the command line spells it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};

use crate::repository::config::looks_like_a_version;
use crate::version::{Variant, is_numbered};

/// What the user asks for besides versions, and what they allow.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Copy the old version directory instead of renaming it.
    pub keep: bool,
    /// Pin zeros for an archive that the release lacks.
    pub allow_missing: bool,
    /// Accept a version below the tree's.
    pub allow_downgrade: bool,
    /// Accept other hashes for the version that the tree is at.
    pub repin: bool,
    /// Families to move to another base.
    pub bases: Vec<Base>,
    /// Variants to add.
    pub adds: Vec<Add>,
    /// Variants and series to remove.
    pub removes: Vec<Remove>,
    /// The runners of workflows: operating system → the version in the label.
    pub runners: BTreeMap<String, String>,
    /// The version directories that are asked for, and have no newer release.
    pub stays: BTreeSet<String>,
}

impl Options {
    /// Whether a whole series is to be removed.
    pub fn removes_series(&self, name: &str) -> bool {
        let mut removes = self.removes.iter();
        removes.any(|one| one.variant.is_none() && one.series.as_deref() == Some(name))
    }
}

/// A series, where one is named in front of what it is for: the `2.14.x` of `2.14.x/alpine3.23`.
pub(super) type InSeries = Option<String>;

/// Whether a directory is meant: the series that is named, or any.
pub(super) fn is_meant(series: &InSeries, directory: &str) -> bool {
    series.as_deref().is_none_or(|series| series == directory)
}

fn split_series(text: &str) -> (InSeries, &str) {
    // Shells complete the name of a folder with a `/`.
    match text.strip_suffix('/').unwrap_or(text).split_once('/') {
        Some((series, rest)) => (Some(series.to_owned()), rest),
        None => (None, text.strip_suffix('/').unwrap_or(text)),
    }
}

/// A variant to add: `alpine3.23`, `2.14.x/alpine3.23`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    pub(super) series: InSeries,
    /// The variant.
    pub variant: Variant,
}

impl FromStr for Add {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (series, name) = split_series(text);
        let is_named = |series: &String| series.starts_with(|c: char| c.is_ascii_alphanumeric());
        let variant =
            Variant::parse(name).filter(|one| series.iter().all(is_named) && is_usual(one));
        let variant = variant
            .context("expected the name of a variant, such as alpine3.19 or nanoserver-ltsc2022")?;
        Ok(Self { series, variant })
    }
}

/// Whether the name of a variant has the usual form: `alpine3.19`, `nanoserver-ltsc2022`, `scratch`.
fn is_usual(variant: &Variant) -> bool {
    let dash = if variant.is_windows() { "-" } else { "" };
    let is_spelt = variant.name == format!("{}{dash}{}", variant.family, variant.base);
    let has_base = is_numbered(variant.base_tag())
        && variant.family != "scratch"
        && !variant.base.ends_with(['.', '-'])
        && (!variant.is_windows() || variant.is_on_windows_base());
    variant.base.is_empty() || is_spelt && has_base
}

/// A family, or one variant of it, that moves to another base: `alpine=3.19`, `alpine3.18=3.19`, `windows=ltsc2022`,
/// `2.9.x/alpine=3.18`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    pub(super) series: InSeries,
    pub(super) from: Variant,
    pub(super) to: String,
}

impl FromStr for Base {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (series, rest) = split_series(text);
        let parts = rest
            .split_once('=')
            .and_then(|(from, to)| Some((Variant::parse(from)?, to)));
        let (from, to) =
            parts.with_context(|| "expected FAMILY=BASE, such as alpine=3.19".to_owned())?;
        ensure!(from.family != "scratch", "scratch has no base");
        let base = Self {
            series,
            from,
            to: to.to_owned(),
        };
        // Read back from the name of its folder, it must be what was asked for.
        let family = Variant::parse(&base.from.family).and_then(|family| family.on(to));
        let is_known = |variant: &Variant| variant.base == to && is_usual(variant);
        ensure!(
            !to.is_empty() && family.is_some_and(|variant| is_known(&variant)),
            "expected a numbered base, such as {}",
            if base.from.is_windows() {
                "1809 or ltsc2022"
            } else {
                "3.19"
            }
        );
        Ok(base)
    }
}

impl fmt::Display for Base {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{}{}={}", self.prefix(), self.from, self.to)
    }
}

impl Base {
    /// The series that is named, as it stands in front of a variant.
    fn prefix(&self) -> String {
        let series = self.series.iter().map(|series| format!("{series}/"));
        series.collect()
    }

    /// Whether a variant is of the family; `windows` stands for all families of Windows.
    pub(super) fn is_of_family(&self, variant: &Variant) -> bool {
        variant.family == self.from.family || self.from.family == "windows" && variant.is_windows()
    }

    /// Whether a variant is one that is meant.
    pub(super) fn is_of(&self, variant: &Variant) -> bool {
        let is_base = variant.base == self.from.base || variant.base_tag() == self.from.base;
        self.is_of_family(variant) && (self.from.base.is_empty() || is_base)
    }

    /// Which of these variants move, and to which name.
    pub(super) fn renames(&self, variants: &[Variant]) -> Result<BTreeMap<String, String>> {
        let moving: Vec<&Variant> = variants
            .iter()
            .filter(|variant| self.is_of(variant) && variant.base_tag() != self.to)
            .filter(|variant| variant.base.is_empty() || !variant.base_tag().is_empty())
            .collect();
        let bases: BTreeSet<&str> = moving.iter().map(|variant| variant.base_tag()).collect();
        if bases.len() > 1 {
            let names: Vec<&str> = moving.iter().map(|variant| variant.name.as_str()).collect();
            let example = bases.first().unwrap_or(&"");
            let is_windows = moving.iter().any(|variant| variant.is_windows());
            let dash = if is_windows { "-" } else { "" };
            bail!(
                "`--base {self}` could move any of {}: say which, as in `--base {}{}{dash}{example}={}`",
                names.join(", "),
                self.prefix(),
                self.from.family,
                self.to
            );
        }
        let moved = moving.iter().map(|variant| {
            let new = variant.on(&self.to);
            let new = new.with_context(|| format!("{variant} cannot be on {}", self.to))?;
            Ok((*variant, new))
        });
        let moved: Vec<(&Variant, Variant)> = moved.collect::<Result<_>>()?;
        let twice = moved.iter().filter(|(_, new)| variants.contains(new));
        let twice: Vec<&(&Variant, Variant)> = twice.collect();
        if let [(old, new), ..] = twice.as_slice() {
            let series = self.prefix();
            let removes = twice
                .iter()
                .map(|(old, _)| format!("--remove {series}{old}"));
            let removes = Vec::from_iter(removes).join(" ");
            bail!(
                "`--base {self}`: {old} cannot become {new}, which is there already: `{removes}`, in its place, drops what is old"
            );
        }
        let renames = moved.into_iter();
        Ok(renames
            .map(|(old, new)| (old.name.clone(), new.name))
            .collect())
    }
}

/// A variant, of one series or of all, or a whole series: `alpine3.21`, `2.12.x/alpine3.21`, `2.12.x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remove {
    pub(super) series: InSeries,
    pub(super) variant: Option<Variant>,
}

impl FromStr for Remove {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let whole = text.strip_suffix('/').unwrap_or(text);
        if looks_like_a_version(whole) {
            let (series, variant) = (Some(whole.to_owned()), None);
            return Ok(Self { series, variant });
        }
        let (series, name) = split_series(text);
        let variant = Variant::parse(name).with_context(
            || "expected the name of a variant or a series, such as alpine3.19 or 2.12.x",
        )?;
        let variant = Some(variant);
        Ok(Self { series, variant })
    }
}
