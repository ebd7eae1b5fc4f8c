//! Which version directories an update writes, what each is made from, and which of its variants move.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use semver::Version;

use crate::rules::{Directory, Model};
use crate::templates;
use crate::version::Variant;

/// What the user asks for beside versions, and what they allow.
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
    pub adds: Vec<Variant>,
    /// The hosts that workflows run on: operating system → the version in its label.
    pub hosts: BTreeMap<String, String>,
}

/// A family, or one variant of it, that moves to another base: `alpine=3.19`, `alpine3.18=3.19`, `windows=ltsc2022`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    from: Variant,
    to: String,
}

impl FromStr for Base {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text
            .split_once('=')
            .and_then(|(from, to)| Some((Variant::parse(from)?, to)));
        let (from, to) =
            parts.with_context(|| format!("`{text}`: wanted FAMILY=BASE, such as alpine=3.19"))?;
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        ensure!(
            to.starts_with(|c: char| c.is_ascii_alphanumeric()) && to.chars().all(plain),
            "`{text}`: `{to}` is no base, such as 3.19 or ltsc2022"
        );
        let base = Self {
            from,
            to: to.to_owned(),
        };
        // Read back from the name of its folder, it must be what was asked for.
        let dash = if base.from.is_windows() { "-" } else { "" };
        let named = Variant::parse(&format!("{}{dash}{to}", base.from.family));
        let is_known = |variant: &Variant| variant.base == to && variant.has_numbered_base();
        ensure!(
            named
                .filter(is_known)
                .is_some_and(|variant| !variant.is_windows() || variant.windows_year().is_some()),
            "`{text}`: `{to}` is no numbered base, such as {}",
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
        write!(out, "{}={}", self.from, self.to)
    }
}

impl Base {
    /// Whether a variant is of the family; `windows` stands for all families of Windows.
    fn is_of_family(&self, variant: &Variant) -> bool {
        variant.family == self.from.family || self.from.family == "windows" && variant.is_windows()
    }

    /// Whether a variant is one that is meant.
    fn is_of(&self, variant: &Variant) -> bool {
        self.is_of_family(variant) && (self.from.base.is_empty() || variant.base == self.from.base)
    }

    /// Which of these variants move, and to which name.
    fn renames(&self, variants: &[Variant]) -> Result<BTreeMap<String, String>> {
        let moving: Vec<&Variant> = variants
            .iter()
            .filter(|variant| self.is_of(variant) && variant.base != self.to)
            .collect();
        let bases: BTreeSet<&str> = moving.iter().map(|variant| variant.base.as_str()).collect();
        if bases.len() > 1 {
            let names: Vec<&str> = moving.iter().map(|variant| variant.name.as_str()).collect();
            let example = bases.first().unwrap_or(&"");
            let dash = if moving.iter().any(|variant| variant.is_windows()) {
                "-"
            } else {
                ""
            };
            bail!(
                "`--base {self}` could move any of {}: say which, as in `--base {}{dash}{example}={}`",
                names.join(", "),
                self.from.family,
                self.to
            );
        }
        let mut renames = BTreeMap::new();
        for variant in moving {
            let start = variant
                .name
                .strip_suffix(variant.base.as_str())
                .unwrap_or(&variant.name);
            let dash = if variant.base.is_empty() && variant.is_windows() {
                "-"
            } else {
                ""
            };
            let name = format!("{start}{dash}{}", self.to);
            ensure!(
                !variants.iter().any(|other| other.name == name),
                "`--base {self}`: {name} stands beside {variant} already: remove one of them"
            );
            renames.insert(variant.name.clone(), name);
        }
        Ok(renames)
    }
}

/// A version directory that is written, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A release is asked for, whose sums are needed. Otherwise the directory stays at its version, and the tree's own
    /// pins are good.
    pub has_release: bool,
    /// The version that it will be at.
    pub version: Version,
    /// Its name.
    pub directory: String,
    /// The directory that it comes from, itself where it is rewritten in place; `None` where templates alone make it.
    pub source: Option<String>,
    /// The version that the source is at.
    pub old: Option<Version>,
    /// The source is renamed to it, rather than copied.
    pub moves: bool,
    /// Variants that move to another base: old name → new name.
    pub renames: BTreeMap<String, String>,
}

/// Where each version goes, and what it is made from.
pub fn targets(model: &Model, versions: &[Version], options: &Options) -> Result<Vec<Target>> {
    let lines = model.tree.config.directory.has_lines();
    let mut targets: Vec<Target> = Vec::new();
    let mut problems = Vec::new();
    for version in versions {
        match target(model, version, options) {
            Ok(target) => {
                let shares = |other: &Target| {
                    other.directory == target.directory || other.source == target.source && !lines
                };
                if let Some(other) = targets.iter().find(|other| shares(other)) {
                    problems.push(format!(
                        "{} and {version} would both be made of {}: give one of them",
                        other.version,
                        target.source.as_deref().unwrap_or("templates")
                    ));
                }
                targets.push(target);
            }
            Err(problem) => problems.push(format!("{problem:#}")),
        }
    }
    if versions.is_empty() && !(options.bases.is_empty() && options.adds.is_empty()) {
        let all = model
            .directories
            .iter()
            .filter(|directory| !directory.variants.is_empty());
        // A tree with one version at a time is where its newest one is.
        let kept = if lines {
            0
        } else {
            all.clone().count().saturating_sub(1)
        };
        targets.extend(all.skip(kept).map(in_place));
        ensure!(
            !targets.is_empty(),
            "no version directory with variants in it: nothing to move, and nothing to add to"
        );
    }
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    for base in &options.bases {
        let mut is_known = false;
        for target in &mut targets {
            let variants = variants_of(model, target);
            is_known |= variants.iter().any(|variant| {
                base.is_of(variant) || base.is_of_family(variant) && variant.base == base.to
            });
            target.renames.extend(
                base.renames(&variants)
                    .with_context(|| format!("in {}", target.directory))?,
            );
        }
        let directories: Vec<&str> = targets
            .iter()
            .map(|target| target.directory.as_str())
            .collect();
        ensure!(
            is_known,
            "`--base {base}`: no variant of that name in {}",
            directories.join(", ")
        );
    }
    if versions.is_empty() {
        targets.retain(|target| !target.renames.is_empty() || !options.adds.is_empty());
    }
    Ok(targets)
}

/// A directory that stays at its version.
fn in_place(directory: &Directory) -> Target {
    Target {
        has_release: false,
        version: directory.version.clone(),
        directory: directory.name.clone(),
        source: Some(directory.name.clone()),
        old: Some(directory.version.clone()),
        moves: false,
        renames: BTreeMap::new(),
    }
}

/// The variants of a target before they move: those of its source, or one per template.
pub(super) fn variants_of(model: &Model, target: &Target) -> Vec<Variant> {
    match &target.source {
        Some(source) => model.tree.variants(source),
        None => model
            .tree
            .templates()
            .into_iter()
            .filter_map(|family| templates::variant_of(model, family))
            .collect(),
    }
}

fn target(model: &Model, version: &Version, options: &Options) -> Result<Target> {
    let pattern = &model.tree.config.directory;
    let lines = pattern.has_lines();
    let name = pattern.render(version);
    let mut candidates = model
        .directories
        .iter()
        .filter(|directory| !directory.variants.is_empty());
    let newest = candidates.clone().next_back();
    let in_place = candidates.clone().find(|directory| directory.name == name);
    let source = match in_place {
        Some(own) => Some(own),
        None => candidates
            .clone()
            .rfind(|directory| directory.version < *version)
            .or(candidates.next()),
    };
    let Some(source) = source else {
        ensure!(
            !model.tree.templates().is_empty(),
            "no version directory with variants in it (such as {name}/alpine3.18/Dockerfile), and no `templates`: \
             nothing to make {name} from. Is this the right folder? `-C <DIR>` names another one"
        );
        return Ok(Target {
            has_release: true,
            version: version.clone(),
            directory: name,
            source: None,
            old: None,
            moves: false,
            renames: BTreeMap::new(),
        });
    };
    // Lines stand side by side; a tree with one version at a time is where its newest one is.
    let at = if lines || in_place.is_some() {
        source
    } else {
        newest.unwrap_or(source)
    };
    if *version < at.version && !options.allow_downgrade {
        let place = if lines {
            format!("{}, which {} is at", at.version, at.name)
        } else {
            format!("the tree's {}", at.version)
        };
        bail!("{version} is below {place}: `--allow-downgrade` accepts that");
    }
    Ok(Target {
        has_release: true,
        version: version.clone(),
        moves: in_place.is_none() && !lines && !options.keep,
        directory: name,
        source: Some(source.name.clone()),
        old: Some(source.version.clone()),
        renames: BTreeMap::new(),
    })
}
