//! A library file of any content: its parts are in order and within it, checking it says only what is so, and an update
//! that is not refused is right at once: another one changes nothing.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use update::library::{Image, Offer, Plan, Wanted, images, parse, plan};
use update::repository::Repository;

static TREE: LazyLock<(Repository, Vec<Image>)> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../trees/series/after");
    let repository = Repository::read(&root).unwrap();
    let images = images(&repository);
    (repository, images)
});

fn planned(text: &str) -> anyhow::Result<Plan> {
    let (repository, images) = &*TREE;
    let offer = Offer { images, pattern: &repository.names.config.directory, place: "the tree" };
    let wanted = Wanted {
        commit: "2222222222222222222222222222222222222222".to_owned(),
        fetch: None,
        adds: Vec::new(),
        is_same: &|_, _| true,
    };
    plan(text, &offer, &wanted)
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (manifest, problems) = parse(text);
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
