//! The fields of any text are in order, do not overlap, and can be rewritten to themselves.
#![no_main]

use std::sync::LazyLock;

use update::check::templates::written;
use update::fields::DocumentKind;
use update::fields::expected::Expected;
use update::fields::scan::Scanner;
use update::repository::Document;
use update::repository::config::{Config, Pattern};
use update::version::Variant;

static SCANNERS: LazyLock<[Scanner; 2]> = LazyLock::new(|| {
    let names = ["alpine3.18", "scratch", "windowsservercore-1809", "nanoserver-1809"];
    let variants = names.map(|name| Variant::parse(name).unwrap()).into();
    let [image, server, owner] = ["nats-streaming", "nats-streaming-server", "nats-io"].map(str::to_owned);
    let config = Config { image, server, owner, directory: Pattern::default() };
    let series = Config { directory: Pattern::series(), ..config.clone() };
    [config, series].map(|config| Scanner::new(&config, &variants, &["build-images-2019.ps1".to_owned()].into()).expect("few names"))
});

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    for scanner in SCANNERS.iter() {
        for kind in [DocumentKind::Dockerfile, DocumentKind::Script, DocumentKind::Workflow] {
            let document = Document::new(scanner, kind, text.to_vec(), 0);
            let mut end = 0;
            for field in &document.fields {
                assert!(end <= field.span.start && field.span.start <= field.span.end && field.span.end <= text.len());
                end = field.span.end;
            }
            // What is not UTF-8 is not written as it stands.
            if std::str::from_utf8(text).is_ok() {
                let same = document.fields.iter().map(|field| Expected::Exactly(document.found(field).into_owned()));
                assert_eq!(written(&document, &same.collect::<Vec<_>>()), text);
            }
        }
    }
});
