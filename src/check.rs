//! `update check`: every field that does not say what it must, and everything that is missing, in file order.
//!
//! Works on a tree in memory, so that an update can ask it what the tree it is about to write would be worth.

mod hosts;
pub mod pins;
mod scripts;

use anyhow::{Context, Result};
use memchr::{memchr_iter, memmem};
use serde::Serialize;

use crate::fields::{Field, Kind, Must, said};
use crate::parallel;
use crate::rules::{Model, Places, Scope};
use crate::templates;
use crate::tree::{File, Role, below};
use crate::version::Variant;

/// Something that is not as it must be, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file or folder, relative to the repository, with `/`.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Which rule it breaks.
    pub rule: &'static str,
    /// What stands there.
    pub found: String,
    /// What must stand there.
    pub expected: String,
    /// Both, and why, in a sentence.
    pub message: String,
}

/// What `check` looked at, and what it found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// By path, line and column.
    pub findings: Vec<Finding>,
    /// Version directories, variants, files with fields, and fields.
    pub counts: [usize; 4],
    /// The hashes of archives.
    pub pins: Vec<pins::Pin>,
}

impl Report {
    /// Adds what other questions than `check`'s own have found.
    pub fn add(&mut self, findings: Vec<Finding>) {
        self.findings.extend(findings);
        self.findings.sort();
        self.findings.dedup();
    }
}

/// Checks a tree.
pub fn check(model: &Model) -> Result<Report> {
    let mut report = Report::default();
    check_folders(model, &mut report.findings);
    // Each version directory by itself, several at once; what is left of one is small.
    let parts: Vec<Result<Part>> = parallel::map(&model.directories, 0, |_, directory| {
        let files = below(&model.tree.files, &directory.name);
        let mut part = Part::of(model, model.tree.stating(files))?;
        scripts::check_folder(
            directory,
            &format!("{}/tests/", directory.name),
            &part.mentions,
            &mut part.findings,
        );
        let is_newest = Some(directory) == model.directories.last();
        part.mentions
            .retain(|mention| is_newest || mention.role == Role::Script);
        Ok(part)
    });
    let outside = model
        .tree
        .files
        .iter()
        .filter(|(path, _)| model.tree.directory_of(path).is_none());
    let mut all = Part::of(model, model.tree.stating(outside))?;
    for part in parts {
        all.add(part?);
    }
    let Part {
        findings,
        files,
        fields,
        pins,
        mentions,
    } = all;
    report.findings.extend(findings);
    pins::check(&pins, &mut report.findings);
    if let Some(newest) = model
        .directories
        .last()
        .filter(|_| !model.tree.config.directory.has_lines())
    {
        scripts::check_folder(newest, "tests/", &mentions, &mut report.findings);
    }
    hosts::check(model, &mentions, &mut report.findings);
    templates::check(model, &mut report.findings);
    let variants = model
        .directories
        .iter()
        .map(|directory| directory.variants.len())
        .sum();
    report.counts = [model.directories.len(), variants, files, fields];
    report.pins = pins;
    report.add(Vec::new());
    Ok(report)
}

/// What some files say, and what is found in each by itself.
#[derive(Default)]
struct Part {
    findings: Vec<Finding>,
    files: usize,
    fields: usize,
    pins: Vec<pins::Pin>,
    mentions: Vec<scripts::Mention>,
}

impl Part {
    fn of<'a>(
        model: &Model,
        files: impl Iterator<Item = (&'a String, &'a File, Role)>,
    ) -> Result<Self> {
        let mut part = Self::default();
        for (path, file, role) in files {
            let text = file.read().with_context(|| format!("cannot read {path}"))?;
            let seen = Seen::new(model, path, &text, role);
            part.files += 1;
            part.fields += seen.fields.len();
            seen.check_fields(&mut part.findings);
            if role == Role::Dockerfile {
                seen.check_branches(&mut part.findings);
                seen.check_missing(model, &mut part.findings);
                pins::gather(model, &seen, &mut part.pins);
            }
            scripts::gather(model, &seen, &mut part.mentions);
        }
        Ok(part)
    }

    fn add(&mut self, mut other: Self) {
        self.findings.append(&mut other.findings);
        self.pins.append(&mut other.pins);
        self.mentions.append(&mut other.mentions);
        self.files += other.files;
        self.fields += other.fields;
    }
}

/// A file, with its fields.
struct Seen<'a> {
    path: &'a str,
    text: &'a [u8],
    role: Role,
    scope: Scope<'a>,
    fields: Vec<(Field, Must)>,
    places: Places<'a>,
}

impl<'a> Seen<'a> {
    fn new(model: &'a Model, path: &'a str, text: &'a [u8], role: Role) -> Self {
        let scope = model.scope(path);
        let fields = model.judge(text, role, &scope);
        Self {
            path,
            text,
            role,
            scope,
            fields,
            places: Places::new(text),
        }
    }

    /// The fields that are statements, rather than mentions in a comment.
    fn statements(&self) -> impl Iterator<Item = &Field> {
        self.fields
            .iter()
            .map(|(field, _)| field)
            .filter(|field| !field.in_comment)
    }

    fn said(&self, field: &Field) -> String {
        said(self.text, &field.span)
    }

    fn finding(
        &self,
        rule: &'static str,
        at: usize,
        found: &str,
        expected: &str,
        message: String,
    ) -> Finding {
        let (line, column) = self.places.of(at);
        Finding {
            path: self.path.to_owned(),
            line,
            column,
            rule,
            found: found.to_owned(),
            expected: expected.to_owned(),
            message,
        }
    }

    fn check_fields(&self, findings: &mut Vec<Finding>) {
        if self.text.starts_with(b"\xff\xfe") || self.text.starts_with(b"\xfe\xff") {
            let message = "is UTF-16, in which no field is found: save it as UTF-8".to_owned();
            findings.push(self.finding("encoding", 0, "UTF-16", "UTF-8", message));
        }
        if let Some(at) = conflict(self.text) {
            let message = "has the marks of a merge that was not finished: finish it".to_owned();
            findings.push(self.finding("conflict", at, "<<<<<<<", "", message));
        }
        for (field, must) in &self.fields {
            let found = self.said(field);
            let (expected, message) = match must {
                Some(Ok(expected)) if *expected != found => (
                    expected.as_str(),
                    format!("says {found}, must be {expected}"),
                ),
                Some(Err(why)) => ("", format!("says {found}: {why}")),
                _ => continue,
            };
            findings.push(self.finding(
                field.kind.rule(),
                field.span.start,
                &found,
                expected,
                message,
            ));
        }
    }

    /// Every architecture that a Dockerfile names has a hash, if any has.
    fn check_branches(&self, findings: &mut Vec<Finding>) {
        let statements: Vec<&Field> = self.statements().collect();
        let is_hash = |field: &&&Field| matches!(field.kind, Kind::Hash(_));
        if !statements.iter().any(|field| is_hash(&field)) {
            return;
        }
        for branch in statements
            .split(|field| matches!(field.kind, Kind::Labels(_)))
            .skip(1)
        {
            if let Some(arch) = branch
                .iter()
                .find(|field| matches!(field.kind, Kind::Arch(_)))
                && !branch.iter().any(|field| is_hash(&field))
            {
                let message = format!("found no hash for {}", self.said(arch));
                findings.push(self.finding("hash", arch.span.start, "", "<sha256>", message));
            }
        }
    }

    /// What every Dockerfile of a variant has: a version, a hash for what it downloads, and its variant's base.
    fn check_missing(&self, model: &Model, findings: &mut Vec<Finding>) {
        let config = &model.tree.config;
        let has_hash = self
            .statements()
            .any(|field| matches!(field.kind, Kind::Hash(_)));
        let mut missing = |rule, expected: &str, why: &str| {
            findings.push(self.finding(
                rule,
                0,
                "",
                expected,
                format!("found none of `{expected}`: {why}"),
            ));
        };
        let gives_version = |kind: &Kind| {
            matches!(
                kind,
                Kind::Version { .. } | Kind::Tag | Kind::TagVariant | Kind::Mention
            )
        };
        let builds = self.scope.builds;
        if builds
            && !self.fields.iter().any(|(field, must)| {
                gives_version(&field.kind) && must.is_some() && !field.in_comment
            })
        {
            let expected = format!(
                "{}=<version>` or `{}:<version>-<variant>",
                config.version_key(),
                config.image
            );
            missing("version", &expected, "nothing in the file gives a version");
        }
        if !has_hash && model.scanner.downloads(self.text) {
            missing(
                "hash",
                "<sha256>",
                "the file downloads an archive and pins no hash for it",
            );
        }
        let Some(variant) = self.scope.variant else {
            return;
        };
        let has_base = self
            .statements()
            .any(|field| matches!(&field.kind, Kind::Base { image } if variant.is_on(image)));
        // A stage whose image is a variable may begin with anything.
        let is_from = |at: usize| at >= 5 && self.text[at - 5..at].eq_ignore_ascii_case(b"FROM ");
        if has_base || memchr_iter(b'$', self.text).any(is_from) {
            return;
        }
        let stages = model.scanner.stages(self.text);
        let is_other = |stage: &String| *stage == config.image || stage == "scratch";
        // `scratch` is Docker's name for no base at all.
        if variant.family == "scratch" && !stages.is_empty() && !stages.iter().any(is_other) {
            missing("base", "FROM scratch", "no stage begins with nothing");
        }
        let is_on_other =
            stages.iter().any(is_other) && !stages.iter().any(|stage| variant.is_on(stage));
        if variant.has_numbered_base() && !stages.is_empty() && !is_on_other {
            let expected = format!("FROM …:{}", variant.base);
            missing(
                "base",
                &expected,
                &format!("no stage begins with {} {}", variant.family, variant.base),
            );
        }
    }
}

/// Where a merge left its first mark.
fn conflict(text: &[u8]) -> Option<usize> {
    memmem::find_iter(text, b"<<<<<<< ").find(|&at| at == 0 || text[at - 1] == b'\n')
}

/// Version directories without variants, and folders that are called like a variant and have no Dockerfile.
fn check_folders(model: &Model, findings: &mut Vec<Finding>) {
    let families: Vec<&str> = model
        .directories
        .iter()
        .flat_map(|directory| &directory.variants)
        .map(|variant| variant.family.as_str())
        .collect();
    let mut missing = |path: String, expected: &str, message: String| {
        let (found, expected) = (String::new(), expected.to_owned());
        findings.push(Finding {
            path,
            line: 1,
            column: 1,
            rule: "folder",
            found,
            expected,
            message,
        });
    };
    for directory in &model.directories {
        if directory.variants.is_empty() {
            missing(
                directory.name.clone(),
                "a variant",
                "a version directory without variants".to_owned(),
            );
        }
        if model.tree.config.directory.render(&directory.version) != directory.name {
            let message = format!(
                "its Dockerfiles are at {}, which is not of this directory",
                directory.version
            );
            missing(directory.name.clone(), &directory.name, message);
        }
        for (path, _) in below(&model.tree.files, &directory.name) {
            let mut parts = path.split('/').skip(1);
            let (Some(folder), Some(_)) = (parts.next(), parts.next()) else {
                continue;
            };
            let is_known = model
                .tree
                .files
                .contains_key(&format!("{}/{folder}/Dockerfile", directory.name));
            let looks_like = Variant::parse(folder)
                .is_some_and(|variant| families.contains(&variant.family.as_str()));
            if looks_like && !is_known {
                missing(
                    format!("{}/{folder}", directory.name),
                    "Dockerfile",
                    "a variant's folder without a Dockerfile".to_owned(),
                );
            }
        }
    }
}
