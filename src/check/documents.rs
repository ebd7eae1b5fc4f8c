//! The rules about one document: each field says what is expected, and nothing is missing that every Dockerfile has.

use std::sync::Arc;

use memchr::memmem;

use crate::fields::expected::{Expected, Scope};
use crate::fields::{DocumentKind, Field, Kind, found};
use crate::finding::Finding;
use crate::repository::{Document, Place};
use crate::text::Places;

/// How far in front of a tag the name of its image is looked for, in bytes.
pub(super) const BACK: usize = 200;

/// A document with what its fields are expected to say.
pub(super) struct Seen<'a> {
    pub(super) path: String,
    pub(super) document: &'a Arc<Document>,
    pub(super) places: Places<'a>,
    pub(super) scope: &'a Scope<'a>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(scope: &'a Scope<'a>, place: &Place<'a>) -> Self {
        Self {
            path: place.path(),
            document: place.document,
            places: Places::new(&place.document.text),
            scope,
        }
    }

    pub(super) fn at(&self, at: usize, rule: &'static str, message: String) -> Finding {
        Finding::at(&self.path, self.places.of(at), rule, message)
    }

    pub(super) fn check(&self, findings: &mut Vec<Finding>) {
        let text = &self.document.text;
        if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
            let message = "is UTF-16, in which no field is found: save it as UTF-8".to_owned();
            let finding = self.at(0, "encoding", message);
            findings.push(finding.found("UTF-16").expected("UTF-8"));
        }
        if let Some(at) = conflict(text) {
            let message = "has unresolved merge-conflict markers".to_owned();
            findings.push(self.at(at, "conflict", message).found("<<<<<<<"));
        }
        let fields = self.document.fields.iter();
        findings.extend(fields.filter_map(|field| self.check_field(field)));
        if self.document.kind != DocumentKind::Workflow {
            let fields = self.document.statements();
            findings.extend(fields.filter_map(|field| self.check_image(field)));
        }
        if self.document.kind == DocumentKind::Dockerfile {
            self.check_branches(findings);
            self.check_missing(findings);
            self.check_systems(findings);
        }
    }

    /// What is wrong with a field.
    pub(super) fn check_field(&self, field: &Field) -> Option<Finding> {
        let found = self.document.found(field);
        let wrong = |message: String| {
            let finding = self.at(field.span.start, field.kind.rule(), message);
            finding.found(&*found)
        };
        match self.scope.expected(field, self.document) {
            Expected::Exactly(expected) if found != expected => {
                let message = format!("found {}, expected {expected}", shown(&found));
                let finding = wrong(message).fixed_by(self.scope.fix(field));
                Some(finding.expected(expected))
            }
            Expected::Impossible(why) => {
                let sign = if why.starts_with("expected") {
                    ","
                } else {
                    ":"
                };
                let finding = wrong(format!("found {}{sign} {why}", shown(&found)));
                // What is no hash is replaced by the published one.
                let is_hash = matches!(field.kind, Kind::Hash(Some(_)));
                match is_hash && why.starts_with("expected") {
                    true => Some(finding.fixed_by(self.scope.fix(field))),
                    false => Some(finding),
                }
            }
            _ => None,
        }
    }

    /// What is tagged with our version and a variant of ours is our image.
    fn check_image(&self, field: &Field) -> Option<Finding> {
        let text = &self.document.text;
        let line = &text[field.span.start.saturating_sub(BACK)..field.span.start];
        let line = line.rsplit(|byte| *byte == b'\n').next()?;
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        let before = match field.kind {
            // `nats:2.14.5-alpine3.22`
            Kind::Mention { .. } => line.strip_suffix(b":")?,
            // `nats:${ver[1]}-alpine3.22`
            Kind::TagVariant | Kind::Variant { .. } => {
                let start = memmem::rfind(line, b":$")?;
                let is_one = |byte: &u8| is_part(byte) || b"${}[]():".contains(byte);
                let version = line[start + 1..].strip_suffix(b"-")?;
                version.iter().all(is_one).then_some(&line[..start])?
            }
            _ => return None,
        };
        let start = before.iter().rposition(|byte| !is_part(byte));
        let start = start.map_or(0, |last| last + 1);
        let name = String::from_utf8_lossy(&before[start..]);
        let config = &self.scope.names.config;
        // Of another publisher, or with a variable in its name, it may be anything.
        let is_open = matches!(before[..start].last(), Some(b'/' | b'$' | b'}'));
        let is_ours = name.is_empty() || [&*config.image, &*config.server].contains(&&*name);
        let is_mention = matches!(field.kind, Kind::Mention { .. });
        let is_own = || self.scope.is_own_tag(&self.document.found(field));
        if is_open || is_ours || is_mention && !is_own() {
            return None;
        }
        let at = field.span.start - line.len() + start;
        let message = format!("found {name}, expected {}, whose tag this is", config.image);
        let finding = self.at(at, "image", message).found(&*name);
        Some(finding.expected(&*config.image))
    }

    /// Every architecture that a Dockerfile names has a hash, if any has.
    fn check_branches(&self, findings: &mut Vec<Finding>) {
        let is_hash = |field: &&Field| matches!(field.kind, Kind::Hash(_));
        let is_label = |field: &&Field| matches!(field.kind, Kind::Labels { .. });
        let statements: Vec<&Field> = self.document.statements().collect();
        if !statements.iter().any(is_hash) {
            return;
        }
        for branch in statements.split(is_label).skip(1) {
            let mut fields = branch.iter().filter(|_| !branch.iter().any(is_hash));
            if let Some(arch) = fields.find(|field| matches!(field.kind, Kind::Arch { .. })) {
                let message = format!("missing the hash of {}", self.document.found(arch));
                let finding = self.at(arch.span.start, "hash", message);
                findings.push(finding.expected("<sha256>"));
            }
        }
        for (at, platform) in &self.document.facts.unpinned {
            let message = format!("missing the hash of {platform}: others in this file have one");
            findings.push(self.at(*at, "hash", message).expected("<sha256>"));
        }
        for at in &self.document.facts.unheeded {
            let message = "the build goes on where this check fails: expected `set -e` in front of it, or `exit 1` behind it";
            findings.push(self.at(*at, "failure", message.to_owned()));
        }
    }

    /// Archives are for the system that the variant runs on.
    fn check_systems(&self, findings: &mut Vec<Finding>) {
        let Some(variant) = self.scope.variant.filter(|_| self.scope.builds) else {
            return;
        };
        let own = if variant.is_windows() {
            "windows"
        } else {
            "linux"
        };
        for system in &self.document.facts.systems {
            let found = found(&self.document.text, system);
            if (found == "windows") != variant.is_windows() {
                let message = format!("found {found}, expected {own}, which {variant} runs on");
                let finding = self.at(system.start, "architecture", message);
                findings.push(finding.found(found).expected(own));
            }
        }
    }

    /// What every Dockerfile of a variant has: a version, a hash for what it downloads, and its variant's base.
    fn check_missing(&self, findings: &mut Vec<Finding>) {
        let (names, variant) = (self.scope.names, self.scope.variant);
        let facts = &self.document.facts;
        let mut missing = |at, rule, expected: &str, why: &str| {
            let message = format!("missing `{expected}`: {why}");
            findings.push(self.at(at, rule, message).expected(expected));
        };
        let gives_version = |field: &&Field| match field.kind {
            Kind::Version { .. } | Kind::Tag | Kind::TagVariant | Kind::Mention { .. } => {
                self.scope.expected(field, self.document) != Expected::Anything
            }
            _ => false,
        };
        let mut statements = self.document.statements();
        if self.scope.builds && !statements.any(|field| gives_version(&field)) {
            let (key, image) = (names.config.version_key(), &names.config.image);
            let expected = format!("{key}=<version>` or `{image}:<version>-<variant>");
            missing(
                0,
                "version",
                &expected,
                "nothing in the file gives a version",
            );
        }
        let mut statements = self.document.statements();
        let has_hash = statements.any(|field| matches!(field.kind, Kind::Hash(_)));
        if facts.downloads && !has_hash {
            let why = "an archive is downloaded, and no hash is pinned for it";
            let text = &self.document.text;
            let path = memmem::find(text, b"/releases/download/").unwrap_or(0);
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'=".contains(byte);
            let address = text[..path].iter().rposition(is_end);
            let address = address.map_or(0, |end| end + 1);
            missing(address, "hash", "<sha256>", why);
        }
        let Some(variant) = variant else { return };
        // `FROM golang:1.24-alpine3.22`
        let own = format!("-{variant}");
        let is_base = |field: &Field| match &field.kind {
            Kind::Base { image } => {
                variant.is_on(image) || self.document.found(field).ends_with(&own)
            }
            _ => false,
        };
        // A last stage whose image is a variable may be based on anything.
        if self.document.statements().any(is_base) || facts.has_variable_stage {
            return;
        }
        let stages = &facts.stages;
        let has = |image: &str| stages.iter().any(|stage| **stage == *image);
        let copies = has(&names.config.image);
        // `scratch` is Docker's name for no base at all.
        if variant.family == "scratch" && !stages.is_empty() && !copies && !has("scratch") {
            missing(0, "base", "FROM scratch", "no stage is based on scratch");
        }
        let is_on_other = copies && !stages.iter().any(|stage| variant.is_on(stage));
        if variant.has_numbered_base() && !stages.is_empty() && !is_on_other {
            let base = variant.base_tag();
            let why = format!("no stage is based on {} {base}", variant.family);
            missing(0, "base", &format!("FROM …:{base}"), &why);
        }
    }
}

/// What was found, for a message: `nothing` where it is empty.
fn shown(found: &str) -> &str {
    if found.is_empty() { "nothing" } else { found }
}

/// Where the first merge-conflict marker stands.
fn conflict(text: &[u8]) -> Option<usize> {
    memmem::find_iter(text, b"<<<<<<< ").find(|&at| at == 0 || text[at - 1] == b'\n')
}
