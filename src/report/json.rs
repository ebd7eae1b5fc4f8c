//! An update as JSON, as `docs/output.schema.json` describes it. What a version, a file and an edit are there, their own types
//! say.

use serde::Serialize;
use serde_json::{Value, json};

use super::title::title;
use crate::plan::{Edit, Plan};

/// A part of a whole, with what it is a part of.
#[derive(Serialize)]
struct Fix<'a> {
    path: &'a str,
    #[serde(flatten)]
    edit: &'a Edit,
}

pub(super) fn json(plan: &Plan, is_dry_run: bool, vouched: &[String]) -> Value {
    let config = &plan.after.names.config;
    let fixes = plan.fixes().map(|(path, edit)| Fix { path, edit });
    json!({
        "dry_run": is_dry_run,
        "image": config.image,
        "server": config.server,
        "title": title(plan),
        "versions": plan.targets,
        "files": plan.changes,
        "removed": plan.removed,
        "fixes": fixes.collect::<Vec<_>>(),
        "findings": plan.remaining,
        "notes": plan.notes,
        "vouched": vouched,
    })
}
