//! An update as JSON, as `docs/output.schema.json` describes it. The types of versions, files and edits say themselves what they
//! are there.

use serde::Serialize;
use serde_json::{Value, json};

use crate::plan::{Edit, Plan};

/// An edit that nobody asked for, with its file.
#[derive(Serialize)]
struct Fix<'a> {
    path: &'a str,
    #[serde(flatten)]
    edit: &'a Edit,
}

pub(super) fn of(plan: &Plan, title: &str, is_dry_run: bool, vouched: &[String]) -> Value {
    let config = &plan.after.names.config;
    let fixes = plan.fixes().map(|(path, edit)| Fix { path, edit });
    json!({
        "dry_run": is_dry_run,
        "image": config.image,
        "server": config.server,
        "title": title,
        "versions": plan.targets,
        "files": plan.changes,
        "removed": plan.removed,
        "fixes": fixes.collect::<Vec<_>>(),
        "findings": plan.remaining,
        "notes": plan.notes,
        "vouched": vouched,
    })
}
