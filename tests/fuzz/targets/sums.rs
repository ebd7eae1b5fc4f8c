//! The parser of SHA256SUMS says what its slow, obvious version says.
#![no_main]

#[path = "../../slow/mod.rs"]
#[allow(dead_code)]
mod slow;

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    let found = update::release::checksums::Checksums::parse(text).ok();
    let expected = slow::sums(text);
    assert_eq!(
        found.is_some(),
        expected.is_some(),
        "{:?}",
        String::from_utf8_lossy(text)
    );
    for (name, hash) in expected.into_iter().flatten() {
        assert_eq!(
            found
                .as_ref()
                .and_then(|sums| sums.get(&name))
                .map(|hash| hash.to_string()),
            Some(hash)
        );
    }
});
