//! Plans an update: from a tree, releases and options to the tree that must be, all of it in memory.
//!
//! Pure: fetching is `release`'s business, showing `report`'s, writing `apply`'s.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context, Result, bail, ensure};
use semver::Version;

use crate::check::pins::Pin;
use crate::check::{Finding, Report, check};
use crate::fields::{Field, Kind, said};
use crate::rules::{Model, Places, Scope, rewrite};
use crate::sums::{Sha256, Sums};
use crate::templates;
use crate::tree::{Content, File, Files, Role, Tree, below};
use crate::version::Variant;

/// What the user allows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Copy the old version directory instead of renaming it.
    pub keep: bool,
    /// Pin zeros for an archive that the release lacks.
    pub allow_missing: bool,
    /// Accept a version below the tree's.
    pub allow_downgrade: bool,
    /// Accept other hashes for the version that the tree is at.
    pub repin: bool,
}

/// A version directory that is written, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
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
}

/// A file that an update writes, moves or copies.
#[derive(Debug, Clone)]
pub struct Change {
    /// Where it was, if it was.
    pub from: Option<String>,
    /// Where it will be.
    pub path: String,
    /// What it was.
    pub before: Option<File>,
    /// What it will be.
    pub after: File,
    /// Which fields change.
    pub fields: Vec<FieldChange>,
    /// The template that it is written from, where more than fields changes.
    pub template: Option<String>,
}

/// A field that says something else after an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// What the field is called: `version`, `sha256 arm64`.
    pub label: String,
    /// The line in which it will stand.
    pub line: usize,
    /// What it said; empty where it is new.
    pub found: String,
    /// What it will say.
    pub expected: String,
}

/// What an update will do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The version directories that it writes.
    pub targets: Vec<Target>,
    /// The files that it writes, moves or copies, by their new paths; those that stay as they are are left out.
    pub changes: Vec<Change>,
    /// The files that are gone afterwards.
    pub removed: Vec<String>,
    /// What `check` will find in what the update does not write.
    pub remaining: Vec<Finding>,
    /// The hashes that the targets pin.
    pub pins: Vec<Pin>,
}

/// Where each version goes, and what it is made from.
pub fn targets(model: &Model, versions: &[Version], options: Options) -> Result<Vec<Target>> {
    let lines = model.tree.config.directory.has_lines();
    let mut targets: Vec<Target> = Vec::new();
    let mut problems = Vec::new();
    for version in versions {
        match target(model, version, options) {
            Ok(target) => {
                let shares = |other: &Target| other.directory == target.directory || other.source == target.source && !lines;
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
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(targets)
}

fn target(model: &Model, version: &Version, options: Options) -> Result<Target> {
    let pattern = &model.tree.config.directory;
    let lines = pattern.has_lines();
    let name = pattern.render(version);
    let mut candidates = model.directories.iter().filter(|directory| !directory.variants.is_empty());
    let newest = candidates.clone().next_back();
    let in_place = candidates.clone().find(|directory| directory.name == name);
    let source = match in_place {
        Some(own) => Some(own),
        None => candidates.clone().rfind(|directory| directory.version < *version).or(candidates.next()),
    };
    let Some(source) = source else {
        ensure!(
            !model.tree.templates().is_empty(),
            "no version directory with variants in it (such as {name}/alpine3.18/Dockerfile), and no `templates`: \
             nothing to make {name} from. Is this the right folder? `-C <DIR>` names another one"
        );
        return Ok(Target { version: version.clone(), directory: name, source: None, old: None, moves: false });
    };
    // Lines stand side by side; a tree with one version at a time is where its newest one is.
    let at = if lines || in_place.is_some() { source } else { newest.unwrap_or(source) };
    if *version < at.version && !options.allow_downgrade {
        let place = if lines { format!("{}, which {} is at", at.version, at.name) } else { format!("the tree's {}", at.version) };
        bail!("{version} is below {place}: `--allow-downgrade` accepts that");
    }
    Ok(Target {
        version: version.clone(),
        moves: in_place.is_none() && !lines && !options.keep,
        directory: name,
        source: Some(source.name.clone()),
        old: Some(source.version.clone()),
    })
}

/// Plans the update of `model`'s tree to the targets; `sums` holds what each target's release publishes, in their order.
///
/// Every archive that is missing, every hash that would change without leave, and every field for which nothing is right
/// is reported, all of one kind together.
pub fn plan(model: &Model, targets: Vec<Target>, sums: &[Sums], options: Options) -> Result<Plan> {
    if !options.repin {
        let problems: Vec<String> = targets.iter().zip(sums).flat_map(|(target, sums)| repinned(model, target, sums)).collect();
        ensure!(
            problems.is_empty(),
            "the release's hashes are not those that the tree pins for the same version:\n  {}\n\
             A hash was edited by hand, or the release was uploaded again. Find out which; `--repin` accepts the release's",
            problems.join("\n  ")
        );
    }
    let draft = Draft::new(model, &targets)?;
    if !options.allow_missing {
        let problems: Vec<String> = targets.iter().zip(sums).flat_map(|(target, sums)| draft.missing(target, sums)).collect();
        ensure!(
            problems.is_empty(),
            "the release lacks archives that the Dockerfiles pin:\n  {}\n\
             Wait until it is complete, or let `--allow-missing` pin zeros, with which their builds fail",
            problems.join("\n  ")
        );
    }
    let problems: Vec<String> = targets.iter().zip(sums).flat_map(|(target, sums)| draft.doubtful(target, sums)).collect();
    ensure!(
        problems.is_empty(),
        "the release's SHA256SUMS cannot be right:\n  {}\nAsk those who published it; nothing was written",
        problems.join("\n  ")
    );
    let after = draft.model.next(draft.written(&targets, sums))?;
    let mut fatal = Vec::new();
    let mut remaining = Vec::new();
    let is_ours =
        |path: &str| after.tree.directory_of(path).is_some_and(|name| targets.iter().any(|target| target.directory == name));
    let Report { findings, mut pins, .. } = check(&after)?;
    for finding in findings {
        let ours = is_ours(&finding.path);
        let allowed = options.allow_missing && finding.found.parse().is_ok_and(|hash: Sha256| hash == Sha256::ZERO);
        let advice = ["folder", "order", "script"].contains(&finding.rule) || allowed;
        if advice
            || !(ours || model.tree.role(&finding.path) == Some(Role::Script) && model.tree.directory_of(&finding.path).is_none())
        {
            remaining.push(finding);
        } else {
            let origin = draft.origins.get(&finding.path).unwrap_or(&finding.path);
            fatal.push(format!("{origin}:{}: {}: {}", finding.line, finding.rule, finding.message));
        }
    }
    ensure!(
        fatal.is_empty(),
        "what an update cannot put right by itself:\n  {}\nMend it by hand, then run this again",
        fatal.join("\n  ")
    );
    pins.retain(|pin| is_ours(&pin.place.path));
    Ok(Plan { changes: draft.changes(model, &after), removed: draft.removed(model), remaining, pins, targets })
}

/// The pins of a target's version that its release contradicts. A pin of a file that gives another version is an old one.
fn repinned(model: &Model, target: &Target, sums: &Sums) -> Vec<String> {
    let mut problems = Vec::new();
    if target.old.as_ref() != Some(&target.version) {
        return problems;
    }
    for (path, file) in below(&model.tree.files, &target.directory) {
        if model.tree.role(path) != Some(Role::Dockerfile) {
            continue;
        }
        let fields = model.scanner.scan(file.text(), Role::Dockerfile);
        let version = target.version.to_string();
        let is_key = |kind: &Kind| *kind == Kind::Version { key: true };
        if fields.iter().any(|field| is_key(&field.kind) && said(file.text(), &field.span) != version) {
            continue;
        }
        for field in fields.iter().filter(|field| !field.in_comment) {
            let Kind::Hash(Some(platform)) = &field.kind else { continue };
            let archive = model.tree.config.archive(&target.version, platform);
            let Ok(found) = said(file.text(), &field.span).parse::<Sha256>() else { continue };
            if let Some(published) = sums.get(&archive)
                && found != published
                && found != Sha256::ZERO
            {
                let (line, _) = Places::new(file.text()).of(field.span.start);
                problems.push(format!("{path}:{line}: {archive}: pinned {found}, published {published}"));
            }
        }
    }
    problems
}

/// The tree with its files where they will be, their fields not yet written.
struct Draft {
    /// A model of it; its target directories are at their new versions.
    model: Model,
    /// New path → the file that it was, for those that come from another place.
    sources: BTreeMap<String, String>,
    /// New path → the file that its text comes from: the template where there is one.
    origins: BTreeMap<String, String>,
}

impl Draft {
    fn new(before: &Model, targets: &[Target]) -> Result<Self> {
        let tree = &before.tree;
        let mut files = tree.files.clone();
        let mut directories = tree.directories.clone();
        let (mut sources, mut origins) = (BTreeMap::new(), BTreeMap::new());
        for target in targets {
            directories.insert(target.directory.clone());
            let Some(source) = target.source.as_ref().filter(|source| **source != target.directory) else { continue };
            for (path, file) in below(&tree.files, source) {
                let new = format!("{}{}", target.directory, &path[source.len()..]);
                if target.moves {
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
            for variant in variants_of(before, target) {
                for (name, source, file) in templates::files(before, &variant) {
                    let path = format!("{}/{variant}/{name}", target.directory);
                    origins.insert(path.clone(), source.clone());
                    files.insert(path, file.clone());
                }
            }
        }
        let mut model = before.next(Tree { config: tree.config.clone(), files, directories })?;
        for target in targets {
            let own = model.directories.iter_mut().find(|directory| directory.name == target.directory);
            let own = own.filter(|own| !own.variants.is_empty());
            own.with_context(|| format!("no variant for {}: `templates` has no Dockerfile", target.directory))?.version =
                target.version.clone();
        }
        model.directories.sort_by(|a, b| a.version.cmp(&b.version));
        Ok(Self { model, sources, origins })
    }

    /// The files that the targets' versions are written in: their own, and those of the root. Each with its target, of
    /// the root's the newest one's.
    fn written_files<'a>(&'a self, targets: &'a [Target]) -> impl Iterator<Item = (&'a String, &'a File, Role, Option<usize>)> {
        let tree = &self.model.tree;
        tree.files.iter().filter_map(move |(path, file)| {
            let role = tree.role(path).filter(|_| !file.is_link() && !path.starts_with("templates/"))?;
            let own = tree.directory_of(path);
            let target = targets.iter().position(|target| Some(target.directory.as_str()) == own);
            (own.is_none() || target.is_some()).then_some((path, file, role, target))
        })
    }

    /// What no list of sums can say of the archives that the Dockerfiles of a target pin: zeros, or one hash for two.
    fn doubtful(&self, target: &Target, sums: &Sums) -> Vec<String> {
        let mut names: BTreeMap<Sha256, BTreeSet<String>> = BTreeMap::new();
        for (_, archive, _) in self.pinned(target) {
            if let Some(hash) = sums.get(&archive) {
                names.entry(hash).or_default().insert(archive);
            }
        }
        let doubtful = names.into_iter().filter(|(hash, names)| *hash == Sha256::ZERO || names.len() > 1);
        doubtful.map(|(hash, names)| format!("{hash} for {}", Vec::from_iter(names).join(" and "))).collect()
    }

    /// The archives that the Dockerfiles of a target pin and its release lacks.
    fn missing(&self, target: &Target, sums: &Sums) -> BTreeSet<String> {
        let mut missing = BTreeMap::new();
        for (path, archive, at) in self.pinned(target).into_iter().filter(|(_, archive, _)| sums.get(archive).is_none()) {
            let (line, _) = Places::new(self.model.tree.files[path].text()).of(at);
            let origin = self.origins.get(path).map_or(path, String::as_str);
            let slash = sums.with_slash(&archive).map(|name| format!("; `{name}` has a `/`, and is another file"));
            missing.entry(archive).or_insert(format!("pinned in {origin}:{line}{}", slash.unwrap_or_default()));
        }
        missing.into_iter().map(|(archive, place)| format!("{archive} ({place})")).collect()
    }

    /// The archives that the Dockerfiles of a target pin: path, archive and place.
    fn pinned(&self, target: &Target) -> Vec<(&str, String, usize)> {
        let config = &self.model.tree.config;
        let mut pinned = Vec::new();
        for (path, file) in below(&self.model.tree.files, &target.directory) {
            if self.model.tree.role(path) != Some(Role::Dockerfile) {
                continue;
            }
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
    fn written(&self, targets: &[Target], sums: &[Sums]) -> Tree {
        let mut tree = self.model.tree.clone();
        for (path, file, role, target) in self.written_files(targets) {
            let hash = |platform: &str| {
                let archive = self.model.tree.config.archive(&targets[target?].version, platform);
                Some(sums[target?].get(&archive).unwrap_or(Sha256::ZERO))
            };
            // A file of the root may give the version that the one directory was at.
            let only = if targets.len() == 1 { targets.first() } else { None };
            let old = target.map(|index| &targets[index]).or(only).and_then(|target| target.old.as_ref());
            let scope = Scope { old, hash: &hash, ..self.model.scope(path) };
            let text = rewrite(file.text(), &self.model.judge(file.text(), role, &scope));
            tree.files.insert(path.clone(), File { content: Content::Bytes(text), mode: file.mode });
        }
        tree
    }

    fn changes(&self, before: &Model, after: &Model) -> Vec<Change> {
        let mut changes = Vec::new();
        for (path, file) in &after.tree.files {
            let from = self.sources.get(path).or(before.tree.files.get_key_value(path).map(|(path, _)| path));
            let old = from.and_then(|from| before.tree.files.get(from));
            if from == Some(path) && old == Some(file) {
                continue;
            }
            let (was, is) = (old.map(|old| Stated::of(after, path, old)).unwrap_or_default(), Stated::of(after, path, file));
            let template = self.origins.get(path).filter(|origin| origin.starts_with("templates/") && was.rest != is.rest);
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

    fn removed(&self, before: &Model) -> Vec<String> {
        before.tree.files.keys().filter(|path| !self.model.tree.files.contains_key(*path)).cloned().collect()
    }
}

/// The variants of a target: those of its source, or one per template.
fn variants_of(model: &Model, target: &Target) -> Vec<Variant> {
    match &target.source {
        Some(source) => model.tree.variants(source),
        None => model.tree.templates().into_iter().filter_map(|family| templates::variant_of(model, family)).collect(),
    }
}

/// What a text states, and what else is in it.
#[derive(Default)]
struct Stated {
    /// Label, line and value of each field.
    fields: Vec<(String, usize, String)>,
    rest: Vec<u8>,
}

impl Stated {
    fn of(model: &Model, path: &str, file: &File) -> Self {
        let text = file.text();
        let fields = model.tree.role(path).map(|role| model.scanner.scan(text, role)).unwrap_or_default();
        let masked: Vec<_> = fields.iter().map(|field| (field.clone(), Some(Ok(field.kind.label())))).collect();
        let places = Places::new(text);
        let stated = |field: &Field| (field.kind.label(), places.of(field.span.start).0, said(text, &field.span));
        Self { fields: fields.iter().map(stated).collect(), rest: rewrite(text, &masked) }
    }

    /// The fields that say something else: the first of a label here is compared with the first of that label there.
    fn compared_with(&self, after: &Self) -> Vec<FieldChange> {
        let mut before: BTreeMap<&str, VecDeque<&str>> = BTreeMap::new();
        for (label, _, found) in &self.fields {
            before.entry(label).or_default().push_back(found);
        }
        let mut changes = Vec::new();
        for (label, line, expected) in &after.fields {
            let found = before.get_mut(label.as_str()).and_then(VecDeque::pop_front).unwrap_or_default();
            if found != expected {
                let (label, found, expected) = (label.clone(), found.to_owned(), expected.clone());
                changes.push(FieldChange { label, line: *line, found, expected });
            }
        }
        changes
    }
}

/// The links and bytes of a tree after a plan, for tests and for a dry run: old files with the changes made.
pub fn applied(files: &Files, plan: &Plan) -> Files {
    let mut files = files.clone();
    plan.removed.iter().for_each(|path| drop(files.remove(path)));
    files.extend(plan.changes.iter().map(|change| (change.path.clone(), change.after.clone())));
    files
}
