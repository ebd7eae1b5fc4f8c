//! Progress of downloads, for people.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Mutex;

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::release::verify::{Archive, Progress};

/// The progress of several archives.
pub struct Bars {
    all: MultiProgress,
    names: Vec<String>,
    bars: Mutex<BTreeMap<usize, ProgressBar>>,
    lines: bool,
}

impl Bars {
    /// A bar for each archive on a terminal, else a line when one is done, unless it is quiet.
    pub(super) fn new(archives: &[Archive], is_terminal: bool, quiet: bool) -> Self {
        let target = match is_terminal {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let names = archives.iter().map(|archive| archive.name.clone());
        Self {
            all: MultiProgress::with_draw_target(target),
            names: names.collect(),
            bars: Mutex::default(),
            lines: !is_terminal && !quiet,
        }
    }

    fn bar(&self, archive: usize) -> ProgressBar {
        let bars = self.bars.lock();
        let mut bars = bars.unwrap_or_else(|poisoned| poisoned.into_inner());
        let bar = || ProgressBar::no_length().with_message(short(&self.names[archive]));
        let new = || self.all.add(bar());
        bars.entry(archive).or_insert_with(new).clone()
    }
}

impl Progress for Bars {
    fn begin(&self, archive: usize, size: Option<u64>) {
        let bar = self.bar(archive);
        let style = ProgressStyle::with_template(match size {
            Some(_) => "{bar:9} {bytes:>10}/{total_bytes:10} {msg}",
            None => "{spinner} {bytes:>10} {msg}",
        });
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        if let Some(size) = size {
            bar.set_length(size);
        }
        bar.set_position(0);
    }

    fn advance(&self, archive: usize, bytes: u64) {
        self.bar(archive).inc(bytes);
    }

    fn end(&self, archive: usize, done: bool) {
        let bar = self.bar(archive);
        if self.lines && done {
            // Progress that cannot be shown is no reason to stop.
            let (name, size) = (&self.names[archive], HumanBytes(bar.position()));
            let _ = writeln!(io::stderr(), "hashed {name} ({size})");
        }
        bar.finish_and_clear();
    }
}

/// An archive's name without that of its server, which all have: a bar takes 60 columns.
fn short(archive: &str) -> String {
    let short = archive.split_once("-v").map_or(archive, |(_, short)| short);
    short.to_owned()
}
