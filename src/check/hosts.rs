//! The rule about hosts: a workflow runs the scripts for a Windows base on a host that can run its containers.

use std::collections::BTreeSet;

use crate::check::Finding;
use crate::check::scripts::Mention;
use crate::fields::hosts::jobs;
use crate::rules::{Model, Places};
use crate::tree::{Role, below};

/// Microsoft's version compatibility of Windows containers: a host runs containers of its own version, from Server 2022
/// on those of earlier ones down to 2022 too.
fn can_run(host: &str, base: u32) -> bool {
    match host.parse::<u32>() {
        Ok(host) => host == base || base >= 2022 && host >= base,
        // The newest host: of what is older than 2022 it runs none.
        Err(_) => base >= 2022,
    }
}

/// Checks each job that runs scripts by their names and has hosts of Windows.
pub(super) fn check(model: &Model, mentions: &[Mention], findings: &mut Vec<Finding>) {
    for (path, file) in below(&model.tree.files, ".github/workflows") {
        if model.tree.role(path) != Some(Role::Workflow) || file.is_link() {
            continue;
        }
        for job in jobs(file.text()) {
            let Some((at, _)) = job.windows.first() else {
                continue;
            };
            let runs = |script: &str| {
                let is_name = |line: &str| line.trim_start_matches(['-', ' ']).starts_with("name:");
                let lines = job.code.iter().map(|line| String::from_utf8_lossy(line));
                lines
                    .into_iter()
                    .any(|line| !is_name(&line) && line.contains(script))
            };
            let scripts = mentions
                .iter()
                .filter(|mention| mention.role == Role::Script);
            let scripts =
                scripts.filter(|mention| mention.path.rsplit('/').next().is_some_and(runs));
            let bases: BTreeSet<(&str, u32)> = scripts
                .filter_map(|mention| mention.windows.as_ref())
                .map(|(base, year)| (base.as_str(), *year))
                .collect();
            for (base, year) in bases {
                if job.windows.iter().any(|(_, host)| can_run(host, year)) {
                    continue;
                }
                let (line, column) = Places::new(file.text()).of(*at);
                let hosts: Vec<&str> = job.windows.iter().map(|(_, host)| host.as_str()).collect();
                findings.push(Finding {
                    path: path.clone(),
                    line,
                    column,
                    rule: "host",
                    found: format!("windows-{}", hosts.join(", windows-")),
                    expected: format!("windows-{year}"),
                    message: format!(
                        "windows-{} cannot run the base {base} of a script here: wanted windows-{year}",
                        hosts.join(", windows-")
                    ),
                });
            }
        }
    }
}
