//! The fields of any text are in order, do not overlap, and can be rewritten to themselves.
#![no_main]

use std::sync::LazyLock;

use update::config::Config;
use update::fields::{Scanner, said};
use update::rules::rewrite;
use update::tree::Role;
use update::version::Variant;

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| {
    let variants = [
        "alpine3.18",
        "scratch",
        "windowsservercore-1809",
        "nanoserver-1809",
    ]
    .map(|name| Variant::parse(name).unwrap());
    Scanner::new(&Config::default(), &variants.into()).unwrap()
});

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    for role in [Role::Dockerfile, Role::Script, Role::Workflow] {
        let fields = SCANNER.scan(text, role);
        let mut end = 0;
        for field in &fields {
            assert!(
                end <= field.span.start
                    && field.span.start <= field.span.end
                    && field.span.end <= text.len()
            );
            end = field.span.end;
        }
        // A field holds no byte above ASCII, so that what it says is what stands there.
        let same: Vec<_> = fields
            .into_iter()
            .map(|field| {
                let found = said(text, &field.span);
                (field, Some(Ok(found)))
            })
            .collect();
        if !same
            .iter()
            .any(|(_, must)| matches!(must, Some(Ok(found)) if found.contains('\u{fffd}')))
        {
            assert_eq!(rewrite(text, &same), text);
        }
    }
});
