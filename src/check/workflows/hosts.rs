//! What a job runs for a Windows, it runs on a runner of that Windows: a container of one base does not start on another host.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::words::Names;
use super::Workflow;
use crate::fields::Kind;
use crate::text::span_of;
use crate::version::year_in;

impl Workflow<'_> {
    /// Each Windows runner is of a Windows that its row of a matrix names, or else its job, where they name any.
    pub(super) fn check_hosts(&self, names: &Names) {
        let (document, structure) = (self.place.document, self.structure);
        let named: BTreeSet<(usize, u32)> = document.windows_years().collect();
        let (mut seen, mut isolated) = (BTreeSet::new(), BTreeMap::new());
        let is_windows = |kind: &Kind| matches!(kind, Kind::Runner { system, is_asked: false } if **system == *"windows");
        for field in self.fields(is_windows) {
            let at = field.span.start;
            let Ok(year) = self.text[field.span.clone()].parse::<u32>() else {
                continue;
            };
            // A container that is isolated by Hyper-V starts on a newer one.
            let job = structure.job_at(at).map(|job| job.part.span.clone());
            let is_isolated = job.iter().any(|job| {
                let known = isolated.entry(job.start);
                *known.or_insert_with(|| self.text[job.clone()].contains("hyperv"))
            });
            if is_isolated {
                continue;
            }
            let row = structure.item_at(at).filter(|_| structure.is_in_matrix(at));
            let row = row.map(|row| row.span);
            let parts = row.into_iter().chain(job.clone());
            let mut named = parts.map(|part| named.range((part.start, 0)..(part.end, 0)));
            let Some(named) = named.find(|named| named.clone().next().is_some()) else {
                continue;
            };
            let years: BTreeSet<u32> = named.clone().map(|(_, year)| *year).collect();
            if years.contains(&year) {
                // What is for which item of a matrix only its conditions say.
                let is_alone = !structure.is_in_matrix(at);
                let newer = named.filter(|(_, other)| is_alone && *other > year);
                if let Some(job) = job.filter(|job| is_alone && seen.insert(job.start)) {
                    self.check_years(year, &job, names);
                }
                let is_run = |at: usize| self.is_started(at) || structure.is_in_matrix(at);
                for (at, newer) in newer.filter(|(at, _)| is_run(*at)) {
                    let message = format!(
                        "found Windows Server {newer}, expected {year} at most: this runs on windows-{year}"
                    );
                    self.add(
                        self.finding(*at, "runner", message)
                            .found(newer.to_string()),
                    );
                }
                continue;
            }
            let all = Vec::from_iter(years.iter().map(u32::to_string)).join(" or ");
            let why = "what this job runs is for that Windows";
            self.report_expected(&field.span, "runner", &all, why);
        }
    }

    /// The scripts that jobs of one Windows start are not for an older one, where its own are there, and are not started.
    fn check_years(&self, year: u32, job: &Range<usize>, names: &Names) {
        let mut named: BTreeMap<String, bool> = BTreeMap::new();
        let scripts = self.fields_in(job);
        for field in scripts.filter(|field| matches!(field.kind, Kind::Script { .. })) {
            let name = &self.text[field.span.clone()];
            let Some(old) = year_in(name).filter(|old| *old < year) else {
                continue;
            };
            let own = name.replace(&old.to_string(), &year.to_string());
            if !names.has_script(name) || !names.has_script(&own) {
                continue;
            }
            let is_named = named.entry(own.clone());
            let is_named = *is_named.or_insert_with(|| self.text[job.clone()].contains(&own));
            if !is_named && self.is_started(field.span.start) {
                let why = format!("this runs on windows-{year}");
                self.report_expected(&field.span, "runner", &own, &why);
            }
        }
    }

    /// Whether a command begins with what stands at a place, or builds or runs an image of it.
    fn is_started(&self, at: usize) -> bool {
        let (structure, text) = (self.structure, self.text);
        let number = structure.line_at(at);
        let code = structure.lines[number].code(text.as_bytes());
        let before = text
            .get(span_of(text.as_bytes(), code).start..at)
            .unwrap_or_default();
        let last = before.rsplit([';', '&', '|']).next().unwrap_or_default();
        let last = last.trim_start();
        structure.is_below(text.as_bytes(), number, b"run")
            && (!last.contains(' ') || last.starts_with("docker "))
    }
}
