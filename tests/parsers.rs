//! The parsers agree with slow, obvious versions of themselves on any text.

mod slow;

use std::collections::BTreeMap;

use proptest::prelude::*;
use update::fields::scan::Scanner;
use update::fields::{DocumentKind, Kind, found};
use update::release::checksums::Checksums;
use update::repository::config::{Config, Pattern};
use update::version::Variant;

/// Texts of pieces that matter to a parser, in any order.
fn text_of(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 0..12).prop_map(|pieces| pieces.concat())
}

const HASH: &str = "caf2839d14c610d9d62afeb9022ee36aa4ff5adc86d0402bb7e1a5d7f5e7d26f";
const OTHER: &str = "CAF2839D14C610D9D62AFEB9022EE36AA4FF5ADC86D0402BB7E1A5D7F5E7D26E";

const PIECES_OF_SUMS: &[&str] = &[
    HASH, OTHER, HASH, HASH, "  ", " *", "  ", " ", "\n", "\r\n", "\n", "\\", "\\n", "\\\\", "#",
    "SHA256 (", ") = ", "name", "other", "\t", "é", "\r", "0",
];

const PIECES_OF_FILES: &[&str] = &[
    "NATS_STREAMING_SERVER",
    "NATS_STREAMING_SERVER",
    "_SHASUM",
    "X",
    " ",
    "\t",
    "=",
    " = ",
    ":-",
    ":=",
    "-",
    "\"",
    "'",
    "0.25.6",
    "0.25",
    "v1.2.3",
    "2.14.0-RC.3",
    ".",
    "..",
    "1",
    "v",
    "\n",
    "# ",
    ")",
    "}",
    "é",
    "_",
    "+",
    "/",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_what_their_lines_say(text in text_of(PIECES_OF_SUMS)) {
        let found = Checksums::parse(text.as_bytes()).ok().map(|sums| {
            sums.iter().map(|(name, hash)| (name.to_owned(), hash.to_string())).collect::<BTreeMap<_, _>>()
        });
        prop_assert_eq!(found, slow::sums(text.as_bytes()));
    }

    #[test]
    fn versions_behind_the_key_are_found_wherever_they_stand(text in text_of(PIECES_OF_FILES)) {
        thread_local!(static SCANNER: Scanner = Scanner::new(&config(), &[].into(), &[].into()).expect("no names"));
        let (fields, _) = SCANNER.with(|scanner| scanner.scan(text.as_bytes(), DocumentKind::Workflow));
        let versions = fields.into_iter().filter(|field| field.kind == Kind::Version { key: true });
        let said: Vec<(usize, String)> =
            versions.map(|field| (field.span.start, found(text.as_bytes(), &field.span).into_owned())).collect();
        prop_assert_eq!(said, slow::keyed_versions(&text, "NATS_STREAMING_SERVER"));
    }
}

fn config() -> Config {
    let [image, server, owner] =
        ["nats-streaming", "nats-streaming-server", "nats-io"].map(str::to_owned);
    Config {
        image,
        server,
        owner,
        directory: Pattern::default(),
    }
}

/// Every file below a folder.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let inside = entries.flat_map(|entry| match entry.path() {
        path if path.is_dir() => files(&path),
        path => vec![path],
    });
    inside.collect()
}

#[test]
fn a_text_that_begins_and_ends_anywhere_is_scanned() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let variants = [
        "alpine3.18",
        "scratch",
        "windowsservercore-1809",
        "nanoserver-1809",
    ]
    .into_iter()
    .filter_map(Variant::parse)
    .collect();
    let [image, server, owner] =
        ["nats-streaming", "nats-streaming-server", "nats-io"].map(str::to_owned);
    let directory = Pattern::default();
    let scanner = Scanner::new(
        &Config {
            image,
            server,
            owner,
            directory,
        },
        &variants,
        &["build-images-2019.ps1".to_owned()].into(),
    )
    .expect("few names");
    let mut texts: Vec<Vec<u8>> = files(&root.join("tests/trees/streaming/before"))
        .iter()
        .map(|path| std::fs::read(path).expect("a file"))
        .collect();
    texts.push(b"ENV SHA256=".to_vec());
    for text in texts {
        for end in 0..=text.len() {
            for kind in [
                DocumentKind::Dockerfile,
                DocumentKind::Script,
                DocumentKind::Workflow,
            ] {
                let (fields, _) = scanner.scan(&text[..end], kind);
                assert!(fields.iter().all(|field| field.span.end <= end));
                let (fields, _) = scanner.scan(&text[end..], kind);
                assert!(
                    fields
                        .iter()
                        .all(|field| field.span.end <= text.len() - end)
                );
            }
        }
    }
}
