//! What an update is for programs, as `docs/output.schema.json` says.

use serde::Serialize;

use super::title::title;
use crate::finding::Finding;
use crate::plan::{Edit, FileChange, Plan, Target};

/// What an update is for programs.
#[derive(Serialize)]
struct Json<'a> {
    dry_run: bool,
    image: &'a str,
    server: &'a str,
    title: String,
    versions: Vec<JsonVersion<'a>>,
    files: Vec<JsonFile<'a>>,
    removed: &'a [String],
    fixes: Vec<JsonFix<'a>>,
    findings: &'a [Finding],
    notes: &'a [String],
    vouched: &'a [String],
}

#[derive(Serialize)]
struct JsonVersion<'a> {
    version: String,
    from: Option<String>,
    directory: &'a str,
    source: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonFile<'a> {
    action: &'static str,
    path: &'a str,
    from: Option<&'a str>,
    template: Option<&'a str>,
    fields: Vec<JsonField<'a>>,
}

/// A field that was wrong before, and is put right although nobody asked.
#[derive(Serialize)]
struct JsonFix<'a> {
    path: &'a str,
    #[serde(flatten)]
    field: JsonField<'a>,
}

#[derive(Serialize)]
struct JsonField<'a> {
    field: &'a str,
    line: usize,
    found: &'a str,
    expected: &'a str,
}

pub(super) fn json(plan: &Plan, is_dry_run: bool, vouched: &[String]) -> serde_json::Value {
    fn version(target: &Target) -> JsonVersion<'_> {
        let Target {
            version,
            old,
            directory,
            source,
            ..
        } = target;
        let (version, from) = (version.to_string(), old.as_ref().map(ToString::to_string));
        JsonVersion {
            version,
            from,
            directory,
            source: source.as_deref(),
        }
    }
    fn file(change: &FileChange) -> JsonFile<'_> {
        let FileChange {
            action,
            path,
            from,
            template,
            edits,
            ..
        } = change;
        let fields = edits.iter().map(field);
        let (from, template) = (from.as_deref(), template.as_deref());
        JsonFile {
            action: action.name(),
            path,
            from,
            template,
            fields: fields.collect(),
        }
    }
    fn field(edit: &Edit) -> JsonField<'_> {
        JsonField {
            field: &edit.label,
            line: edit.line,
            found: &edit.found,
            expected: &edit.expected,
        }
    }
    let config = &plan.after.names.config;
    let fixes = plan.fixes().map(|(path, edit)| JsonFix {
        path,
        field: field(edit),
    });
    let json = Json {
        dry_run: is_dry_run,
        image: &config.image,
        server: &config.server,
        title: title(plan),
        versions: plan.targets.iter().map(version).collect(),
        files: plan.changes.iter().map(file).collect(),
        removed: &plan.removed,
        fixes: fixes.collect(),
        findings: &plan.remaining,
        notes: &plan.notes,
        vouched,
    };
    serde_json::to_value(json).unwrap_or_default()
}
