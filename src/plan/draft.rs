//! The tree with its files where an update will put them, and then with their fields written.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

use super::stated::Stated;
use super::targets::{Options, Target, variants_of};
use super::{Change, scripts};
use crate::fields::Kind;
use crate::rules::{Model, Places, Scope, rewrite};
use crate::sums::{Sha256, Sums};
use crate::templates;
use crate::tree::{Content, File, Files, Role, Tree, below};
use crate::version::Variant;

/// The tree with its files where they will be, their fields not yet written.
pub(super) struct Draft {
    /// A model of it; its target directories are at their new versions.
    pub(super) model: Model,
    /// New path → the file that it was, for those that come from another place.
    sources: BTreeMap<String, String>,
    /// New path → the file that its text comes from: the template where there is one.
    origins: BTreeMap<String, String>,
    /// The folders of the variants that are added.
    added: BTreeSet<String>,
}

impl Draft {
    pub(super) fn new(before: &Model, targets: &[Target], options: &Options) -> Result<Self> {
        let tree = &before.tree;
        let mut files = tree.files.clone();
        let mut directories = tree.directories.clone();
        let (mut sources, mut origins, mut added) =
            (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        for target in targets {
            directories.insert(target.directory.clone());
            let Some(source) = &target.source else {
                continue;
            };
            let leaves = target.moves || *source == target.directory;
            for (path, file) in below(&tree.files, source) {
                let new = moved_path(path, target);
                if new == *path {
                    continue;
                }
                if leaves {
                    files.remove(path);
                }
                files.insert(new.clone(), file.clone());
                origins.insert(new.clone(), path.clone());
                sources.insert(new, path.clone());
            }
            if target.moves {
                directories.remove(source);
            }
        }
        for target in targets {
            let mut variants = variants_of(before, target);
            for variant in &mut variants {
                let renamed = target
                    .renames
                    .get(&variant.name)
                    .and_then(|name| Variant::parse(name));
                *variant = renamed.unwrap_or_else(|| variant.clone());
            }
            for variant in &options.adds {
                if variants.contains(variant) {
                    continue;
                }
                let based = variants
                    .iter()
                    .find(|other| other.family == variant.family && !other.base.is_empty());
                if let Some(other) = based.filter(|_| variant.base.is_empty()) {
                    bail!(
                        "`{variant}` names no base: wanted the name of a variant, such as {other}"
                    );
                }
                added.insert(format!("{}/{variant}", target.directory));
                add_from_sibling(before, target, variant, &variants, &mut files, &mut origins)?;
                variants.push(variant.clone());
            }
            for variant in &variants {
                for (name, source, file) in templates::files(before, variant) {
                    let path = format!("{}/{variant}/{name}", target.directory);
                    origins.insert(path.clone(), source.clone());
                    files.insert(path, file.clone());
                }
            }
        }
        let mut model = before.next(Tree {
            config: tree.config.clone(),
            files,
            directories,
        })?;
        for target in targets {
            let own = model
                .directories
                .iter_mut()
                .find(|directory| directory.name == target.directory);
            let own = own.filter(|own| !own.variants.is_empty());
            own.with_context(|| {
                format!(
                    "no variant for {}: `templates` has no Dockerfile",
                    target.directory
                )
            })?
            .version = target.version.clone();
        }
        model.directories.sort_by(|a, b| a.version.cmp(&b.version));
        Ok(Self {
            model,
            sources,
            origins,
            added,
        })
    }

    /// The files that the targets' versions are written in: their own, and those of the root. Each with its target, of
    /// the root's the newest one's.
    fn written_files<'a>(
        &'a self,
        targets: &'a [Target],
    ) -> impl Iterator<Item = (&'a String, &'a File, Role, Option<usize>)> {
        let tree = &self.model.tree;
        tree.stating(tree.files.iter())
            .filter_map(move |(path, file, role)| {
                let own = tree.directory_of(path);
                let target = targets
                    .iter()
                    .position(|target| Some(target.directory.as_str()) == own);
                (own.is_none() || target.is_some()).then_some((path, file, role, target))
            })
    }

    /// What no list of sums can say of the archives that the Dockerfiles of a target pin: zeros, or one hash for two.
    pub(super) fn doubtful(&self, target: &Target, sums: &Sums) -> Vec<String> {
        let mut names: BTreeMap<Sha256, BTreeSet<String>> = BTreeMap::new();
        for (_, archive, _) in self.pinned(target) {
            if let Some(hash) = sums.get(&archive) {
                names.entry(hash).or_default().insert(archive);
            }
        }
        let doubtful = names
            .into_iter()
            .filter(|(hash, names)| *hash == Sha256::ZERO || names.len() > 1);
        doubtful
            .map(|(hash, names)| format!("{hash} for {}", Vec::from_iter(names).join(" and ")))
            .collect()
    }

    /// The archives that the Dockerfiles of a target pin and its release lacks.
    pub(super) fn missing(&self, target: &Target, sums: &Sums) -> Vec<String> {
        let mut missing = BTreeMap::new();
        for (path, archive, at) in self
            .pinned(target)
            .into_iter()
            .filter(|(_, archive, _)| sums.get(archive).is_none())
        {
            let (line, _) = Places::new(self.model.tree.files[path].text()).of(at);
            let origin = self.place(path);
            let slash = sums
                .with_slash(&archive)
                .map(|name| format!("; `{name}` has a `/`, and is another file"));
            missing.entry(archive).or_insert(format!(
                "pinned in {origin}:{line}{}",
                slash.unwrap_or_default()
            ));
        }
        missing
            .into_iter()
            .map(|(archive, place)| format!("{archive} ({place})"))
            .collect()
    }

    /// The archives that the Dockerfiles of a target pin: path, archive and place.
    fn pinned(&self, target: &Target) -> Vec<(&str, String, usize)> {
        let config = &self.model.tree.config;
        let mut pinned = Vec::new();
        for (path, file) in self.model.tree.dockerfiles(&target.directory) {
            for field in self.model.scanner.scan(file.text(), Role::Dockerfile) {
                if let (Kind::Hash(Some(platform)), false) = (&field.kind, field.in_comment) {
                    let archive = config.archive(&target.version, platform);
                    pinned.push((path.as_str(), archive, field.span.start));
                }
            }
        }
        pinned
    }

    /// The tree with every field of the targets written.
    ///
    /// `sums` holds the hashes that are known of each target. Of a release that is all there is: what it lacks is zeros.
    /// Without a release other hashes stay as they are.
    pub(super) fn written(&self, targets: &[Target], sums: &[Sums], options: &Options) -> Tree {
        let mut tree = self.model.tree.clone();
        let renames = targets
            .iter()
            .flat_map(|target| target.renames.clone())
            .collect();
        for (path, file, role, target) in self.written_files(targets) {
            let hash = |platform: &str| {
                let archive = self
                    .model
                    .tree
                    .config
                    .archive(&targets[target?].version, platform);
                let lacking = targets[target?].has_release.then_some(Sha256::ZERO);
                sums[target?].get(&archive).or(lacking)
            };
            // A file of the root may give the version that the one directory was at.
            let only = if targets.len() == 1 {
                targets.first()
            } else {
                None
            };
            let of = target.map(|index| &targets[index]).or(only);
            let old =
                of.and_then(|target| target.old.as_ref().filter(|old| **old != target.version));
            let renames = target.map_or(&renames, |index| &targets[index].renames);
            let scope = Scope {
                old,
                hash: &hash,
                renames,
                hosts: &options.hosts,
                ..self.model.scope(path)
            };
            let text = rewrite(file.text(), &self.model.judge(file.text(), role, &scope));
            tree.files.insert(
                path.clone(),
                File {
                    content: Content::Bytes(text),
                    mode: file.mode,
                },
            );
        }
        let put = |tree: &mut Tree, (path, text): (String, Vec<u8>)| {
            let mode = tree.files.get(&path).map_or(0o644, |file| file.mode);
            tree.files.insert(
                path,
                File {
                    content: Content::Bytes(text),
                    mode,
                },
            );
        };
        templates::moved(&self.model, &renames)
            .into_iter()
            .for_each(|file| put(&mut tree, file));
        let had: Vec<Vec<Variant>> = targets.iter().map(|target| self.had(target)).collect();
        let scripts = scripts::extended(&tree, targets, &had, options);
        scripts.into_iter().for_each(|file| put(&mut tree, file));
        tree
    }

    /// The variants of a target but for those that are added.
    fn had(&self, target: &Target) -> Vec<Variant> {
        let new = |variant: &Variant| {
            self.added
                .contains(&format!("{}/{variant}", target.directory))
        };
        self.model
            .tree
            .variants(&target.directory)
            .into_iter()
            .filter(|variant| !new(variant))
            .collect()
    }

    pub(super) fn changes(&self, before: &Model, after: &Model) -> Vec<Change> {
        let mut changes = Vec::new();
        for (path, file) in &after.tree.files {
            let from = self.sources.get(path).or(before
                .tree
                .files
                .get_key_value(path)
                .map(|(path, _)| path));
            let old = from.and_then(|from| before.tree.files.get(from));
            if from == Some(path) && old == Some(file) {
                continue;
            }
            let (was, is) = (
                old.map(|old| Stated::of(after, path, old))
                    .unwrap_or_default(),
                Stated::of(after, path, file),
            );
            let is_template =
                |origin: &&String| origin.starts_with("templates/") && was.rest != is.rest;
            let template = self
                .origins
                .get(path)
                .filter(|origin| from.is_none() || is_template(origin));
            changes.push(Change {
                from: from.cloned(),
                path: path.clone(),
                before: old.cloned(),
                after: file.clone(),
                fields: was.compared_with(&is),
                template: template.cloned(),
            });
        }
        changes
    }

    /// Where a file is put right: where its text comes from. A sibling that is copied is not to blame.
    pub(super) fn place<'a>(&'a self, path: &'a str) -> &'a str {
        let is_copy = self
            .added
            .iter()
            .any(|folder| path.starts_with(&format!("{folder}/")));
        let origin = self
            .origins
            .get(path)
            .filter(|origin| !is_copy || origin.starts_with("templates/"));
        origin.map_or(path, String::as_str)
    }

    pub(super) fn removed(&self, before: &Model) -> Vec<String> {
        before
            .tree
            .files
            .keys()
            .filter(|path| !self.model.tree.files.contains_key(*path))
            .cloned()
            .collect()
    }
}

/// Where a file of a target's source goes.
fn moved_path(path: &str, target: &Target) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts[0] = &target.directory;
    if let (true, Some(name)) = (parts.len() > 2, target.renames.get(parts[1])) {
        parts[1] = name;
    }
    parts.join("/")
}

/// Adds the files of a new variant that has no template: those of its family's nearest sibling.
fn add_from_sibling(
    before: &Model,
    target: &Target,
    variant: &Variant,
    siblings: &[Variant],
    files: &mut Files,
    origins: &mut BTreeMap<String, String>,
) -> Result<()> {
    if templates::files(before, variant).next().is_some() {
        return Ok(());
    }
    let sibling = nearest(variant, siblings).with_context(|| {
        format!(
            "`--add {variant}`: no template for {0} in `templates/{0}`, and no variant of that family in {1}",
            variant.family, target.directory
        )
    })?;
    let (from, to) = (
        format!("{}/{sibling}", target.directory),
        format!("{}/{variant}", target.directory),
    );
    let copies: Vec<(String, File)> = below(files, &from)
        .map(|(path, file)| (format!("{to}{}", &path[from.len()..]), file.clone()))
        .collect();
    for (path, file) in copies {
        let source = format!("{from}{}", &path[to.len()..]);
        origins.insert(
            path.clone(),
            origins.get(&source).cloned().unwrap_or(source),
        );
        files.insert(path, file);
    }
    Ok(())
}

/// The variant of the same family whose base is the nearest: the next lower one, or else the lowest.
pub(super) fn nearest<'a>(variant: &Variant, siblings: &'a [Variant]) -> Option<&'a Variant> {
    let numbers = |variant: &Variant| -> Vec<u64> {
        variant
            .base
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|digits| digits.parse().ok())
            .collect()
    };
    let mut family: Vec<&Variant> = siblings
        .iter()
        .filter(|sibling| sibling.family == variant.family && *sibling != variant)
        .collect();
    family.sort_by_key(|sibling| numbers(sibling));
    let lower = family
        .iter()
        .rev()
        .find(|sibling| numbers(sibling) < numbers(variant))
        .copied();
    lower.or(family.first().copied())
}
