//! A library file of any content: its parts are in order and within it, checking it says only what is so, and an update
//! that is not refused is right at once: another one changes nothing.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use update::library::{Manifest, Plan, View, Wanted, plan};
use update::repository::Repository;

static VIEW: LazyLock<View> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../trees/series/after");
    View::of(&Repository::read(&root).unwrap())
});

fn planned(text: &str) -> anyhow::Result<Plan> {
    let wanted = Wanted {
        commit: "2222222222222222222222222222222222222222".to_owned(),
        fetch: None,
        adds: Vec::new(),
        is_same: &|_, _| true,
    };
    plan(text, &VIEW, &wanted)
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (manifest, problems) = Manifest::parse(text);
    let mut end = 0;
    for paragraph in &manifest.paragraphs {
        assert!(end <= paragraph.span.start && paragraph.span.end <= text.len());
        end = paragraph.span.end;
    }
    assert!(problems.iter().all(|problem| problem.at <= text.len()));
    let Ok(first) = planned(text) else { return };
    let second = planned(&first.text).unwrap();
    assert_eq!(second.text, first.text);
});
