//! An update for programs.

use serde_json::{Value, json};

use super::action;
use crate::cli::UpdateArgs;
use crate::plan::{Change, FieldChange, Plan, Target};

/// What an update does, or would do.
pub(super) fn update(plan: &Plan, args: &UpdateArgs) -> Value {
    let field = |field: &FieldChange| json!({ "field": field.label, "line": field.line, "found": field.found, "expected": field.expected });
    let file = |change: &Change| {
        json!({
            "action": action(plan, change),
            "path": change.path,
            "from": change.from,
            "template": change.template,
            "fields": change.fields.iter().map(field).collect::<Vec<_>>(),
        })
    };
    let target = |target: &Target| {
        json!({
            "version": target.version.to_string(),
            "from": target.old.as_ref().map(ToString::to_string),
            "directory": target.directory,
            "source": target.source,
        })
    };
    json!({
        "dry_run": args.dry_run,
        "versions": plan.targets.iter().map(target).collect::<Vec<_>>(),
        "files": plan.changes.iter().map(file).collect::<Vec<_>>(),
        "removed": plan.removed,
        "findings": plan.remaining,
    })
}
