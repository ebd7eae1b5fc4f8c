//! Which version directories an update writes, what each is made from, and which of its variants move, come or go.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow, bail, ensure};
use semver::Version;
use serde::Serialize;

use super::options::{Base, InSeries, Options, is_meant};
use crate::check::templates::variant_of;
use crate::problems::joined;
use crate::repository::{Directory, Repository, Tree};
use crate::text::by_number;
use crate::version::{Variant, is_below};

/// A version directory that is written, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// A release is asked for, whose checksums are needed. Otherwise the directory stays at its version, and the tree's own
    /// pins are good.
    #[serde(skip)]
    pub has_release: bool,
    /// The version that it will be at.
    pub version: Version,
    /// Its name.
    pub directory: String,
    /// The directory that it comes from, itself where it is rewritten in place; `None` where templates alone make it.
    pub source: Option<String>,
    /// The version that the source is at.
    #[serde(rename = "from")]
    pub old: Option<Version>,
    /// The source is renamed to it, rather than copied.
    #[serde(skip)]
    pub moves: bool,
    /// Variants that move to another base: old name → new name.
    #[serde(skip)]
    pub renames: BTreeMap<String, String>,
    /// Variants that are added.
    #[serde(skip)]
    pub adds: Vec<Variant>,
    /// Variants that are removed.
    #[serde(skip)]
    pub removes: Vec<Variant>,
}

impl Target {
    /// Whether it is a copy of its source.
    pub fn is_copy(&self) -> bool {
        !self.moves && self.source.iter().any(|source| *source != self.directory)
    }

    /// The series that it will be.
    pub(super) fn series(&self) -> Directory {
        Directory::new(&self.directory, self.version.clone())
    }

    /// The directory that it comes from, as it is.
    pub(super) fn source_in<'r>(&self, repository: &'r Repository) -> Option<&'r Tree> {
        repository.tree(self.source.as_deref()?)
    }

    /// Whether it stays at its version, and is only repaired.
    pub fn is_repair(&self) -> bool {
        self.old.as_ref() == Some(&self.version)
            && self.renames.is_empty()
            && self.adds.is_empty()
            && self.removes.is_empty()
    }

    /// Why a variant cannot be added where one of its family is removed: what is said of that one would be repeated for it.
    fn replaced(&self) -> Option<anyhow::Error> {
        let pairs = self.adds.iter().flat_map(|add| {
            let gone = self.removes.iter().filter(|gone| gone.family == add.family);
            gone.map(move |gone| (add, gone))
        });
        let (add, gone) = pairs.into_iter().next()?;
        let directory = &self.directory;
        Some(match add.base_tag() {
            "" => anyhow!(
                "`--add {add}` and `--remove {gone}` cannot be combined in {directory}: run one after the other"
            ),
            base => anyhow!(
                "`--add {add}` and `--remove {gone}` cannot be combined in {directory}: use `--base {gone}={base}`, or run one after the other"
            ),
        })
    }

    /// A directory for a release, made from that one, or from templates alone.
    fn new(version: &Version, directory: String, source: Option<&Tree>) -> Self {
        let source = source.map(|source| &source.directory);
        Self {
            has_release: true,
            version: version.clone(),
            directory,
            source: source.map(|source| source.name.clone()),
            old: source.map(|source| source.version.clone()),
            moves: false,
            renames: BTreeMap::new(),
            adds: Vec::new(),
            removes: Vec::new(),
        }
    }

    /// A directory that stays at its version.
    fn in_place(tree: &Tree) -> Self {
        let (name, version) = (tree.directory.name.clone(), &tree.directory.version);
        Self {
            has_release: false,
            ..Self::new(version, name, Some(tree))
        }
    }
}

/// Where each version goes, and what it is made from. Everything that is wrong with what is asked is one error.
pub fn targets(
    repository: &Repository,
    versions: &[Version],
    options: &Options,
) -> Result<Vec<Target>> {
    let has_series = repository.names.config.directory.has_series();
    ensure!(
        !options.keep || !has_series,
        "`--keep` copies a directory per version; here directories are series, which are updated in place: leave it out"
    );
    let (mut targets, mut problems) = (Vec::new(), Vec::new());
    for version in versions {
        match target(repository, version, options) {
            Ok(target) => {
                problems.extend(twice(&targets, &target, has_series));
                targets.push(target);
            }
            Err(problem) => problems.push(problem),
        }
    }
    let bases = options.bases.iter().map(|base| &base.series);
    let adds = options.adds.iter().map(|add| &add.series);
    let removes = variants_removed(options).map(|(series, _)| series);
    let asked: Vec<&InSeries> = bases.chain(adds).chain(removes).collect();
    let all = versions.is_empty() && options.stays.is_empty();
    let is_given = |name: &String| all || options.stays.contains(name);
    let others = in_place(repository, &targets, &asked, &is_given);
    targets.extend(others);
    problems.extend(unknown(repository, &asked, &targets));
    for base in &options.bases {
        problems.extend(move_base(repository, base, &mut targets).err());
    }
    for target in &mut targets {
        let there = variants_of(repository, target);
        let is_here = |series: &InSeries| is_meant(series, &target.directory);
        let adds = options.adds.iter().filter(|add| is_here(&add.series));
        let adds = adds.filter(|add| !there.contains(&add.variant));
        let adds = BTreeSet::from_iter(adds.map(|add| add.variant.clone()));
        let removes = variants_removed(options)
            .filter(|(series, gone)| is_here(series) && there.contains(gone));
        let removes = removes.map(|(_, gone)| gone.clone()).collect();
        (target.adds, target.removes) = (adds.into_iter().collect(), removes);
    }
    problems.extend(contradicted(options, &targets));
    problems.extend(unmakeable(repository, &targets));
    problems.extend(targets.iter().filter_map(Target::replaced));
    joined(problems)?;
    targets.retain(|target| target.has_release || !target.is_repair());
    Ok(targets)
}

/// What is wrong with a target beside others: its version is there already, or it would take the place of one.
fn twice(others: &[Target], target: &Target, has_series: bool) -> Option<anyhow::Error> {
    let Target {
        version,
        directory,
        source,
        ..
    } = target;
    if others.iter().any(|other| other.version == *version) {
        return Some(anyhow!("{version} is given twice"));
    }
    let shares =
        |other: &&Target| other.directory == *directory || other.source == *source && !has_series;
    let other = &others.iter().find(shares)?.version;
    let source = source.as_deref().unwrap_or("templates");
    Some(match has_series {
        true => anyhow!("{other} and {version} are both of {directory}: give only one"),
        false => {
            anyhow!("{other} and {version} would both be made from {source}: give only one")
        }
    })
}

/// The directories that stay at their version and are `asked` for: by name, or without, where they are given.
fn in_place(
    repository: &Repository,
    targets: &[Target],
    asked: &[&InSeries],
    is_given: &dyn Fn(&String) -> bool,
) -> Vec<Target> {
    let has_series = repository.names.config.directory.has_series();
    let trees = with_variants(repository);
    // A tree with one version at a time is where its newest one is.
    let current = match has_series {
        true => &trees[..],
        false => &trees[trees.len().saturating_sub(1)..],
    };
    let is_target = |name: &String| {
        targets.iter().any(|target| {
            target.directory == *name || target.source.as_ref() == Some(name) && target.moves
        })
    };
    let is_asked = |name: &String| {
        let mut asked = asked.iter();
        asked.any(|series| {
            series
                .as_ref()
                .map_or_else(|| is_given(name), |series| series == name)
        })
    };
    let stay = current.iter().filter(|tree| {
        let name = &tree.directory.name;
        is_asked(name) && !is_target(name)
    });
    stay.map(|tree| Target::in_place(tree)).collect()
}

/// The series that are asked for and not there.
fn unknown(repository: &Repository, asked: &[&InSeries], targets: &[Target]) -> Vec<anyhow::Error> {
    let is_known = |series: &&String| targets.iter().any(|target| target.directory == **series);
    let asked: BTreeSet<&String> = asked.iter().filter_map(|series| series.as_ref()).collect();
    let unknown = asked.into_iter().filter(|series| !is_known(series));
    unknown
        .map(|series| match repository.tree(series) {
            Some(_) => anyhow!("{series} is an older version directory, which stays as it is: only the newest one is changed"),
            None => anyhow!("no version directory {series}: {}", existing(repository)),
        })
        .collect()
}

/// The series that are to go as wholes, and that something else is asked for.
fn contradicted(options: &Options, targets: &[Target]) -> Vec<anyhow::Error> {
    let whole = options.removes.iter();
    let whole = whole.filter(|remove| remove.variant.is_none());
    let whole = whole.filter_map(|remove| remove.series.as_ref());
    let both = whole.filter(|series| {
        let is_it = |target: &Target| {
            target.directory == **series || target.source.as_ref() == Some(*series)
        };
        targets.iter().any(is_it)
    });
    let both = both.map(|series| {
        anyhow!("`--remove {series}` cannot be combined with another change of {series}: run one after the other")
    });
    let new = targets.iter().filter(|target| target.is_copy());
    let reduced = new.flat_map(|target| {
        target.removes.iter().map(move |variant| {
            let Target { version, directory, .. } = target;
            anyhow!("{directory} is new: run `update {version}` first, then `update --remove {directory}/{variant}`")
        })
    });
    let comes_and_goes = targets.iter().flat_map(|target| {
        let goes = |add: &&Variant| {
            let mut removes = variants_removed(options);
            removes.any(|(series, gone)| is_meant(series, &target.directory) && gone == *add)
        };
        let twice = target.adds.iter().filter(goes);
        twice.map(|add| anyhow!("`--add {add}` and `--remove {add}`: give only one"))
    });
    let moves_and_goes = targets.iter().flat_map(|target| {
        let both = target.removes.iter();
        let both = both.filter(|gone| target.renames.contains_key(&gone.name));
        both.map(|gone| {
            let new = &target.renames[&gone.name];
            anyhow!("`--remove {gone}`, which `--base` moves to {new}: give only one")
        })
    });
    let comes_twice = targets.iter().flat_map(|target| {
        let both = target
            .renames
            .iter()
            .filter(|(_, new)| target.adds.iter().any(|add| add.name == **new));
        both.map(|(old, new)| {
            anyhow!("`--add {new}`, which `--base` moves {old} to: give only one")
        })
    });
    let twice = comes_and_goes.chain(moves_and_goes).chain(comes_twice);
    both.chain(reduced).chain(twice).collect()
}

/// The variants that cannot be added: without a base, or with nothing to make them from.
fn unmakeable(repository: &Repository, targets: &[Target]) -> Vec<anyhow::Error> {
    let (mut problems, mut lacking) = (Vec::new(), BTreeMap::<&Variant, Vec<&str>>::new());
    for target in targets {
        let mut there = variants_of(repository, target);
        there.retain(|variant| !target.removes.contains(variant));
        for add in target.adds.iter().filter(|add| !there.contains(add)) {
            let mut family = there.iter().filter(|other| other.family == add.family);
            let is_on_other = |other: &&Variant| !other.base.is_empty() && add.base.is_empty();
            if let Some(other) = family.clone().find(is_on_other) {
                problems.push(anyhow!(
                    "`{add}` names no base: expected the name of a variant, such as {other}"
                ));
            } else if repository.template(&add.family).is_none() && family.next().is_none() {
                lacking.entry(add).or_default().push(&target.directory);
            }
        }
    }
    let is_reduced = targets.iter().any(|target| !target.removes.is_empty());
    problems.extend(lacking.into_iter().map(|(add, places)| {
        let (family, places) = (&add.family, places.join(", "));
        let stays = if is_reduced { " that stays" } else { "" };
        anyhow!(
            "`--add {add}`: nothing to make it from: there is no `templates/{family}`, and no {family} variant{stays} in {places}"
        )
    }));
    problems
}

/// The variants to remove, each with its series where that is named.
fn variants_removed(options: &Options) -> impl Iterator<Item = (&InSeries, &Variant)> {
    let removes = options.removes.iter();
    removes.filter_map(|remove| Some((&remove.series, remove.variant.as_ref()?)))
}

pub(super) fn existing(repository: &Repository) -> String {
    let trees = repository.trees.iter();
    there_are(trees.map(|tree| tree.directory.name.as_str()))
}

/// The variants that there are, in the version directory that is named or in all.
pub(super) fn existing_variants(repository: &Repository, series: &InSeries) -> String {
    let trees = repository.trees.iter().map(|tree| &tree.directory);
    let meant = trees.filter(|directory| is_meant(series, &directory.name));
    let variants = meant.flat_map(|directory| &directory.variants);
    there_are(variants.map(|variant| variant.name.as_str()))
}

fn there_are<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = names.collect();
    let mut names = Vec::from_iter(names);
    names.sort_by(|a, b| by_number(a, b));
    let are = if names.len() == 1 { "is" } else { "are" };
    format!("there {are} {}", names.join(", "))
}

/// Which variants of the targets a base moves.
fn move_base(repository: &Repository, base: &Base, targets: &mut [Target]) -> Result<()> {
    let is_meant = |target: &Target| is_meant(&base.series, &target.directory);
    let mut is_known = false;
    for target in targets.iter_mut().filter(|target| is_meant(target)) {
        let variants = variants_of(repository, target);
        is_known |= variants.iter().any(|variant| {
            base.is_of(variant) || base.is_of_family(variant) && variant.base == base.to
        });
        let renames = base
            .renames(&variants)
            .map_err(|problem| anyhow!("in {}: {problem}", target.directory))?;
        for (old, new) in renames {
            let earlier = target.renames.insert(old.clone(), new.clone());
            ensure!(
                earlier.is_none_or(|earlier| earlier == new),
                "`--base {base}`: another `--base` moves {old} already: give only one"
            );
        }
    }
    let mut meant = targets.iter().filter(|target| is_meant(target)).peekable();
    if meant.peek().is_some() && !is_known {
        let places: Vec<&str> = meant.map(|target| target.directory.as_str()).collect();
        let what = match base.from.base.as_str() {
            "" => format!("variant of the family {}", base.from),
            _ => format!("variant {}", base.from),
        };
        bail!(
            "`--base {base}`: no {what} in {}: {}",
            places.join(", "),
            existing_variants(repository, &base.series)
        );
    }
    Ok(())
}

/// The variants of a target before they move: those of its source, or one per template.
pub(super) fn variants_of(repository: &Repository, target: &Target) -> Vec<Variant> {
    match (&target.source, target.source_in(repository)) {
        (Some(_), tree) => tree.map_or(Vec::new(), |tree| tree.directory.variants.clone()),
        (None, _) => repository.templates.iter().filter_map(variant_of).collect(),
    }
}

/// The version directories that have variants.
fn with_variants(repository: &Repository) -> Vec<&Tree> {
    let trees = repository.trees.iter();
    trees
        .filter(|tree| !tree.directory.variants.is_empty())
        .collect()
}

fn target(repository: &Repository, version: &Version, options: &Options) -> Result<Target> {
    let pattern = &repository.names.config.directory;
    let has_series = pattern.has_series();
    let name = pattern.render(version);
    let candidates = with_variants(repository);
    let in_place = candidates.iter().find(|tree| tree.directory.name == name);
    let below = candidates
        .iter()
        .rfind(|tree| tree.directory.version < *version);
    let Some(source) = in_place.or(below).or(candidates.first()) else {
        ensure!(
            !repository.templates.is_empty(),
            "no version directory with variants in it (such as {name}/alpine3.18/Dockerfile), and no templates: \
             nothing to make {name} from. Is this the right folder? `-C <DIR>` names another one"
        );
        return Ok(Target::new(version, name, None));
    };
    // Series stand side by side; a tree with one version at a time is where its newest one is.
    let newest = candidates.last().unwrap_or(source);
    let at = match has_series || in_place.is_some() {
        true => source,
        false => newest,
    };
    let at = &at.directory;
    ensure!(
        options.allow_downgrade || !is_below(version, &at.version),
        "{version} is below the {} of {}/: `--allow-downgrade` accepts that",
        at.version,
        at.name
    );
    Ok(Target {
        moves: in_place.is_none() && !has_series && !options.keep,
        ..Target::new(version, name, Some(source))
    })
}
