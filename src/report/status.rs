//! The summary of `update status`.

use semver::Version;
use serde::Serialize;

use super::summary::{Headline, Summary};
use crate::finding::Finding;
use crate::repository::Names;
use crate::tag::is_preview;
use crate::text::count;

/// Where a version directory stands.
#[derive(Serialize)]
pub struct Standing {
    /// Its name.
    pub directory: String,
    /// The version that it is at, where it has variants.
    pub version: Option<Version>,
    /// The newest stable release of its series, where one is known.
    pub newest: Option<Version>,
    /// That one is newer.
    pub is_behind: bool,
    /// How many variants it has.
    pub variants: usize,
    /// How many findings `check` has in it.
    pub findings: usize,
    /// The version at which the library file offers it.
    pub library: Option<Version>,
    /// How many of its variants that does not offer.
    pub not_offered: usize,
    /// How many of its entries an update of that would change.
    pub outdated: usize,
}

/// What `update status` has found out.
pub struct Status<'a> {
    /// Each version directory.
    pub rows: &'a [Standing],
    /// All findings, those outside of version directories too.
    pub findings: &'a [Finding],
    /// What a row says where no stable release is known.
    pub without: &'static str,
    /// A library file was compared.
    pub has_library: bool,
    /// What somebody should know.
    pub notes: Vec<String>,
    /// What somebody can do, in sentences.
    pub advice: Vec<String>,
}

/// What `update status` says.
pub fn of_status(names: &Names, status: Status) -> Summary {
    let Status { rows, findings, .. } = status;
    let head = ["directory", "version", "newest", "variants", "findings"];
    let library = status.has_library.then_some("library");
    let head = head.into_iter().chain(library).map(str::to_owned).collect();
    let row = |row: &Standing| {
        let newest = match &row.newest {
            Some(newest) if row.is_behind || row.version.as_ref().is_some_and(is_preview) => {
                newest.to_string()
            }
            Some(_) => "up to date".to_owned(),
            None => status.without.to_owned(),
        };
        let findings = match row.findings {
            0 => "none".to_owned(),
            many => many.to_string(),
        };
        let offered = match &row.library {
            Some(offered) if Some(offered) == row.version.as_ref() => {
                let entries = (row.outdated, "entry", "outdated");
                let behind = [entries, (row.not_offered, "variant", "not offered")];
                let behind = behind.iter().filter(|(number, ..)| *number > 0);
                let behind =
                    behind.map(|(number, what, is)| format!("{} {is}", count(*number, what)));
                match Vec::from_iter(behind).join(", ").as_str() {
                    "" => "up to date".to_owned(),
                    behind => behind.to_owned(),
                }
            }
            Some(offered) => offered.to_string(),
            None => "not offered".to_owned(),
        };
        let cells = [
            row.directory.clone(),
            row.version
                .as_ref()
                .map_or("none".to_owned(), Version::to_string),
            newest,
            row.variants.to_string(),
            findings,
        ];
        let offered = status.has_library.then_some(offered);
        cells.into_iter().chain(offered).collect()
    };
    let inside: usize = rows.iter().map(|row| row.findings).sum();
    let mut counts = Vec::new();
    if findings.len() > inside {
        let others = count(findings.len() - inside, "finding");
        counts.push(format!("{others} outside the version directories"));
    }
    counts.extend(status.advice);
    let config = &names.config;
    Summary {
        headlines: vec![Headline::new(&config.image, "")],
        table: std::iter::once(head).chain(rows.iter().map(row)).collect(),
        json: serde_json::json!({
            "image": config.image,
            "server": config.server,
            "directories": rows,
            "findings": findings.len(),
            "notes": status.notes,
        }),
        counts,
        lists: vec![("Notes", status.notes, "")],
        ..Summary::default()
    }
}
