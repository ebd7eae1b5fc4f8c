//! The patterns of one repository's fields, as text: made from its names and variants.

use std::collections::BTreeSet;

use memchr::memmem::Finder;

use super::{Kind, SYSTEMS, VERSION};
use crate::config::Config;
use crate::tree::Role;
use crate::version::Variant;

/// The base of a variant as it stands in text: `3.18`, `1809`, `ltsc2022`.
const BASE: &str = r"(?:\d+(?:\.\d+)*|ltsc\d+)";

/// Words of which a text must have one for a pattern to match in it, which is seen faster than that it does not match.
pub(super) struct Needs(Vec<Finder<'static>>);

impl Needs {
    pub(super) fn nothing() -> Self {
        Self(Vec::new())
    }

    pub(super) fn any_of<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self(
            words
                .into_iter()
                .map(|word| Finder::new(word).into_owned())
                .collect(),
        )
    }

    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        self.0.is_empty() || self.0.iter().any(|word| word.find(text).is_some())
    }
}

const EVERYWHERE: &[Role] = &[Role::Dockerfile, Role::Script, Role::Workflow];
const IN_CODE: &[Role] = &[Role::Dockerfile, Role::Script];

/// What several patterns are made of.
pub(super) struct Words {
    /// The image's name, as a reference begins with it.
    pub(super) reference: String,
    /// The name of a variant, of the tree's or of another base.
    pub(super) word: String,
    /// The name of a family.
    pub(super) families: String,
    /// How shells write a default, in front of it: `${NAME:-0.25.6}`.
    pub(super) default: &'static str,
}

impl Words {
    pub(super) fn new(config: &Config, variants: &BTreeSet<Variant>) -> Self {
        // Where one name begins another the longer one must be tried first; no name at all must match nothing.
        let any_of = |names: BTreeSet<&str>| match names.is_empty() {
            true => r"[^\s\S]".to_owned(),
            false => format!(
                "(?:{})",
                Vec::from_iter(names.into_iter().rev().map(regex::escape)).join("|")
            ),
        };
        let named = |has_base: bool| {
            variants
                .iter()
                .filter(move |variant| variant.base.is_empty() != has_base)
        };
        let families = any_of(
            variants
                .iter()
                .map(|variant| variant.family.as_str())
                .collect(),
        );
        let [based, plain] = [true, false].map(|has_base| {
            any_of(
                named(has_base)
                    .map(|variant| variant.name.as_str())
                    .collect(),
            )
        });
        let image = regex::escape(&config.image);
        Self {
            reference: format!(r#"(?m)(?:^|[^\w./@-])(?:docker\.io/)?(?:library/)?{image}:"#),
            word: format!("(?:{based}|{families}-?{BASE}|{plain})"),
            families,
            default: r#"(?:["']?\$\{\w+:?[-=])?"#,
        }
    }
}

/// The patterns whose group `it` is a field: each with its kind, the roles that it is looked for in, and what a text must have.
pub(super) fn plain(
    config: &Config,
    variants: &BTreeSet<Variant>,
    words: &Words,
) -> Vec<(String, Kind, &'static [Role], Needs)> {
    let Words {
        reference,
        word,
        families,
        default,
    } = words;
    let key = regex::escape(&config.version_key());
    let server = regex::escape(&config.server);
    let directory = config.directory.regex();
    let holder = r"(?:\$\{[^}\s]*\}|\$\([^)\s]*\)|\$\w+(?:\[\w+\])?|\{\d+\})";
    let is_lines = config.directory.has_lines();
    let path = match is_lines {
        true => format!(r#"(?m)(?:^|[\s"'=/\\(])(?<it>{directory})(?:[/\\\s"');]|$)"#),
        false => format!(r#"(?m)(?:^|[\s"'=/\\(])(?<it>{directory})[/\\](?:{word}|tests)\b"#),
    };
    let below: BTreeSet<&str> = variants
        .iter()
        .map(|variant| variant.family.as_str())
        .chain(["tests"])
        .collect();
    let below: Vec<String> = below
        .iter()
        .flat_map(|name| [format!("/{name}"), format!("\\{name}")])
        .collect();
    let in_path = if is_lines {
        Needs::nothing()
    } else {
        Needs::any_of(below.iter().map(String::as_str))
    };
    let image = || Needs::any_of([format!("{}:", config.image).as_str()]);
    let address = Kind::Version { key: false };
    vec![
        (
            format!(r"{reference}{holder}-(?<it>[A-Za-z][\w.-]*)"),
            Kind::TagVariant,
            EVERYWHERE,
            image(),
        ),
        (
            format!(r"{reference}(?<it>v?\d+\.\d+\.\d+[\w.-]*)"),
            Kind::Tag,
            EVERYWHERE,
            image(),
        ),
        (
            format!(r"{reference}(?<it>{word})"),
            Kind::TagVariant,
            &[Role::Script],
            image(),
        ),
        // What a Dockerfile copies from is one image: a tag that moves is not, and must become one.
        (
            format!(r"{reference}(?<it>(?:v?\d[\w.]*-)?(?:{word}|{families}\b))"),
            Kind::Tag,
            &[Role::Dockerfile],
            image(),
        ),
        (
            format!(
                r#"\b{key}(?:[ \t]*=[ \t]*|:?[-=]|[ \t]+){default}["']?(?<it>v?\d[\w+-]*(?:\.[\w+-]+)*)"#
            ),
            Kind::Version { key: true },
            EVERYWHERE,
            Needs::any_of([config.version_key().as_str()]),
        ),
        (
            format!(
                r"\b{server}-v(?<it>\d+\.\d+\.\d+(?:-[\w.-]+?)??)(?:-(?:{SYSTEMS}|\W)|\.[A-Za-z]|[^\w.-]|$)"
            ),
            address.clone(),
            EVERYWHERE,
            Needs::any_of([format!("{}-v", config.server).as_str()]),
        ),
        (
            format!(r"/{server}/releases/download/v(?<it>{VERSION})"),
            address.clone(),
            EVERYWHERE,
            Needs::any_of(["/releases/download/v"]),
        ),
        (
            format!(r#"image\.version["']?[= \t]["']?(?<it>{VERSION})"#),
            address,
            IN_CODE,
            Needs::any_of(["image.version"]),
        ),
        (path, Kind::Directory, EVERYWHERE, in_path),
        (
            format!(r#"\.\.[/\\](?<it>{directory})(?:[/\\\s"');]|$)"#),
            Kind::Directory,
            EVERYWHERE,
            Needs::any_of(["../", r"..\"]),
        ),
        (
            format!(r"(?m)(?:^|[^\w.:-]|[}})]-)(?<it>{word})"),
            Kind::Variant,
            &[Role::Script],
            Needs::nothing(),
        ),
        (
            format!(r"(?m)(?:^|[^A-Za-z.])(?<it>{families})[-\d.]*[{{$*]"),
            Kind::Family,
            &[Role::Script],
            Needs::nothing(),
        ),
        (
            format!(r"(?m)(?:^|[^\w.-]|:-)v?(?<it>{VERSION})"),
            Kind::Mention,
            IN_CODE,
            Needs::nothing(),
        ),
    ]
}
