//! Properties of library files: many files, put together from what people write in them.

use proptest::prelude::*;

use update::library::{Manifest, Plan, View, Wanted, plan};
use update::repository::Repository;

const COMMIT: &str = "2222222222222222222222222222222222222222";

fn repository() -> Repository {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trees/series/after");
    Repository::read(&root).expect("a repository")
}

fn updated(text: &str, view: &View) -> anyhow::Result<Plan> {
    let wanted = Wanted {
        commit: COMMIT.to_owned(),
        fetch: None,
        adds: Vec::new(),
        is_same: &|_, _| true,
    };
    plan(text, view, &wanted)
}

/// A list as people fold it, with comments between.
fn list(name: &'static str, items: Vec<String>) -> impl Strategy<Value = String> {
    let separators = prop::sample::select(vec![
        ", ",
        ",",
        " ,",
        ",\n      ",
        ",\n# a comment\n\t",
        ", \n ",
    ]);
    prop::collection::vec(separators, items.len()).prop_map(move |separators| {
        let mut line = format!("{name}: ");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                line.push_str(separators[index]);
            }
            line.push_str(item);
        }
        line + "\n"
    })
}

/// The entry of a variant, at an older version and perhaps on an older base.
fn entry(
    line: &'static str,
    minor: &'static str,
    variant: &'static str,
    is_newest: bool,
) -> impl Strategy<Value = String> {
    let numbered = prop::sample::select(vec!["", "alpine3.19", "alpine3.20"]);
    let fields = (
        numbered,
        0..15_u32,
        1..16_usize,
        prop::bool::ANY,
        prop::sample::select(vec!["\n", "\n\n", "\n# a comment\n\n"]),
    );
    fields.prop_flat_map(move |(older, patch, levels, is_dotted, end)| {
        let name = if variant.starts_with("alpine") && !older.is_empty() {
            older
        } else {
            variant
        };
        let all = [
            format!("{minor}.{patch}-{name}"),
            format!("{minor}-{name}"),
            format!("2-{name}"),
            name.to_owned(),
        ];
        let chosen = all
            .into_iter()
            .enumerate()
            .filter(|(level, _)| levels & (1 << level) != 0 && (is_newest || *level < 2));
        let mut tags: Vec<String> = chosen.map(|(_, tag)| tag).collect();
        if tags.is_empty() {
            tags.push(format!("{minor}-{name}"));
        }
        let architecture = if variant.contains("server") {
            "windows-amd64"
        } else {
            "amd64, arm64v8"
        };
        let directory = if is_dotted {
            format!("./{line}/{name}/")
        } else {
            format!("{line}/{name}")
        };
        list("Tags", tags).prop_map(move |tags| {
            format!(
                "{tags}Architectures: {architecture}\nDirectory: {directory}\n{}",
                &end[1..]
            )
        })
    })
}

fn files() -> impl Strategy<Value = String> {
    let newest = [
        "alpine3.22",
        "scratch",
        "windowsservercore-ltsc2022",
        "nanoserver-ltsc2022",
    ];
    let older = [
        "alpine3.21",
        "scratch",
        "windowsservercore-ltsc2022",
        "nanoserver-ltsc2022",
    ];
    let entries: Vec<_> = newest
        .iter()
        .map(|variant| entry("2.14.x", "2.14", variant, true).boxed())
        .collect();
    let more: Vec<_> = older
        .iter()
        .map(|variant| entry("2.12.x", "2.12", variant, false).boxed())
        .collect();
    let all: Vec<_> = entries.into_iter().chain(more).collect();
    let newline = prop::sample::select(vec!["\n", "\r\n"]);
    let kept = prop::collection::vec(prop::bool::weighted(0.8), 8);
    (all, kept, newline, prop::bool::ANY).prop_map(|(entries, kept, newline, is_ended)| {
        let head = "# head\nMaintainers: The NATS Maintainers <info@nats.io> (@nats-io)\nGitRepo: https://github.com/nats-io/nats-docker.git\nGitCommit: 1111111111111111111111111111111111111111\n";
        let entries: Vec<String> = entries.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(entry, _)| entry).collect();
        let text = format!("{head}\n{}", entries.join("\n"));
        let text = if is_ended { text.as_str() } else { text.trim_end() };
        text.replace('\n', newline)
    })
}

/// What is not of a field that an update writes.
fn kept(text: &str) -> Vec<&str> {
    let is_kept = |line: &&str| {
        ["#", "Maintainers", "GitRepo", "Architectures"]
            .iter()
            .any(|start| line.starts_with(start))
    };
    text.lines().filter(is_kept).collect()
}

#[test]
fn an_update_is_right_at_once_and_keeps_what_is_not_its_own() {
    let repository = repository();
    let view = View::of(&repository);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let result = runner.run(&files(), |text| {
        let (manifest, problems) = Manifest::parse(&text);
        prop_assume!(problems.is_empty() && manifest.entries().len() > 1);
        let first = updated(&text, &view);
        let Ok(first) = first else {
            return Err(TestCaseError::fail(format!(
                "{:#}\n{text}",
                first.expect_err("an error")
            )));
        };
        prop_assert_eq!(kept(&text), kept(&first.text), "in\n{}", text);
        prop_assert_eq!(text.contains('\r'), first.text.contains('\r'));
        prop_assert_eq!(text.ends_with('\n'), first.text.ends_with('\n'));
        let wrong: Vec<_> = first
            .remaining
            .iter()
            .filter(|problem| !["order", "alias"].contains(&problem.finding.rule))
            .collect();
        prop_assert!(wrong.is_empty(), "{:?}\n{}", wrong, first.text);
        let second = updated(&first.text, &view).expect("a second update");
        prop_assert_eq!(&first.text, &second.text);
        prop_assert!(second.changes.is_empty());
        Ok(())
    });
    result.expect("the property holds");
}
