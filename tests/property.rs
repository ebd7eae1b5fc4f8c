//! Over generated trees: an update gives exactly the tree of the new version, `check` finds nothing in it, a second update
//! changes nothing, and a tree left half-edited is repaired.

use std::collections::BTreeSet;

use proptest::prelude::*;
use semver::Version;
use update::check::check;
use update::config::{Config, Pattern};
use update::plan::{Options, Plan, applied, plan, targets};
use update::rules::Model;
use update::sums::Sums;
use update::tree::{Content, File, Files, Tree};
use update::version::{Variant, apk_arch, parse_version};

const ARCHES: [&str; 9] = [
    "arm64", "arm6", "arm7", "amd64", "386", "s390x", "ppc64le", "riscv64", "loong64",
];

/// How somebody writes their repository.
#[derive(Debug, Clone)]
struct Style {
    lines: bool,
    image: &'static str,
    alpines: Vec<&'static str>,
    windows: Vec<&'static str>,
    arches: Vec<&'static str>,
    /// Between a key and its value.
    between: &'static str,
    quote: &'static str,
    indent: &'static str,
    newline: &'static str,
    ends_with_newline: bool,
    /// The scripts name images in full, or with the version in a variable, or loop over variants.
    script: usize,
    preview: bool,
    upper_case_hashes: bool,
}

fn style() -> impl Strategy<Value = Style> {
    let names = (
        any::<bool>(),
        prop::sample::select(vec!["nats", "nats-streaming"]),
    );
    let alpines = prop::sample::subsequence(
        vec!["alpine3.9", "alpine3.18", "alpine3.21", "alpine"],
        1..=2,
    );
    let windows = prop::sample::subsequence(vec!["1809", "ltsc2022", "ltsc2025"], 0..=3);
    let arches = prop::sample::subsequence(ARCHES.to_vec(), 1..=9);
    let look = (
        prop::sample::select(vec![" ", "="]),
        prop::sample::select(vec!["", "'", "\""]),
        prop::sample::select(vec!["\t", "    "]),
        prop::sample::select(vec!["\n", "\r\n"]),
    );
    (
        names,
        alpines,
        windows,
        arches,
        look,
        any::<bool>(),
        0..3_usize,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(
                (lines, image),
                alpines,
                windows,
                arches,
                look,
                ends_with_newline,
                script,
                preview,
                upper_case_hashes,
            )| Style {
                lines,
                image,
                alpines,
                windows,
                arches,
                between: look.0,
                quote: look.1,
                indent: look.2,
                newline: look.3,
                ends_with_newline,
                script,
                preview,
                upper_case_hashes,
            },
        )
}

/// Two versions, the second above the first, of one line.
fn versions() -> impl Strategy<Value = (Version, Version)> {
    let suffix =
        || prop::sample::select(vec!["", "", "-RC.3", "-preview.1", "-binary", "-alpine.2"]);
    (
        (0..4_u64, 0..30_u64, 0..40_u64, 1..3_u64),
        suffix(),
        suffix(),
    )
        .prop_map(|((major, minor, patch, step), old, new)| {
            let version = |patch: u64, suffix: &str| {
                parse_version(&format!("{major}.{minor}.{patch}{suffix}")).expect("a version")
            };
            (version(patch, old), version(patch + step, new))
        })
}

fn file(text: String, mode: u32) -> File {
    File {
        content: Content::Bytes(text.into_bytes()),
        mode,
    }
}

/// A hash that is the archive's alone.
fn hash(archive: &str) -> String {
    let hash = archive
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{hash:016x}a").repeat(4)[..64].to_owned()
}

impl Style {
    fn config(&self) -> Config {
        let directory = if self.lines {
            Pattern::lines()
        } else {
            Pattern::default()
        };
        Config {
            image: self.image.to_owned(),
            server: format!("{}-server", self.image),
            owner: "nats-io".to_owned(),
            directory,
        }
    }

    fn text(&self, text: &str) -> String {
        let text = text.replace('\t', self.indent);
        let text = if self.ends_with_newline {
            text.as_str()
        } else {
            text.trim_end()
        };
        text.replace('\n', self.newline)
    }

    fn pin(&self, archive: &str) -> String {
        if self.upper_case_hashes {
            hash(archive).to_uppercase()
        } else {
            hash(archive)
        }
    }

    fn sums(&self, version: &Version) -> Sums {
        let archives = ARCHES
            .iter()
            .map(|arch| format!("linux-{arch}.tar.gz"))
            .chain(["windows-amd64.zip".to_owned()]);
        let lines = archives.map(|platform| self.config().archive(version, &platform));
        Sums::parse(
            lines
                .map(|name| format!("{}  {name}\n", hash(&name)))
                .collect::<String>()
                .as_bytes(),
        )
        .expect("sums")
    }

    /// The whole tree, as its maintainers write it when that version is out.
    #[expect(clippy::too_many_lines, reason = "one tree, told in one place")]
    fn tree(&self, version: &Version) -> Tree {
        let config = self.config();
        let directory = config.directory.render(version);
        let (image, server, key) = (&config.image, &config.server, config.version_key());
        let (between, quote) = (self.between, self.quote);
        let mut files = Files::new();
        let mut variants: Vec<String> = Vec::new();
        let mut add = |variant: &str, name: &str, text: String| {
            files.insert(
                format!("{directory}/{variant}/{name}"),
                file(self.text(&text), 0o644),
            );
        };
        for alpine in &self.alpines {
            let base = alpine.trim_start_matches("alpine");
            let tag = if base.is_empty() { "latest" } else { base };
            let branches: String = self
                .arches
                .iter()
                .map(|arch| {
                    let label = apk_arch(arch).expect("an architecture of Alpine's");
                    let pin = self.pin(&config.archive(version, &format!("linux-{arch}.tar.gz")));
                    format!("\t{label}) natsArch='{arch}'; sha256='{pin}' ;; \\\n")
                })
                .collect();
            add(
                alpine,
                "Dockerfile",
                format!(
                    "FROM alpine:{tag}\nENV {key}{between}{quote}{version}{quote}\n\
                     RUN case \"$(apk --print-arch)\" in \\\n{branches}\tesac; \\\n\
                     \twget https://github.com/nats-io/{server}/releases/download/v${{{key}}}/{server}-v${{{key}}}-linux-${{natsArch}}.tar.gz\n"
                ),
            );
            if self.preview {
                let name = "Dockerfile.preview";
                add(
                    alpine,
                    name,
                    format!("ARG BASE_IMAGE={image}:{version}-{alpine}\nFROM $BASE_IMAGE\n"),
                );
            }
            variants.push((*alpine).to_owned());
        }
        let source = &self.alpines[0];
        add(
            "scratch",
            "Dockerfile",
            format!("FROM scratch\nCOPY --from={image}:{version}-{source} /bin/{server} /\n"),
        );
        variants.push("scratch".to_owned());
        for base in &self.windows {
            let (core, nano) = (
                format!("windowsservercore-{base}"),
                format!("nanoserver-{base}"),
            );
            let pin = self.pin(&config.archive(version, "windows-amd64.zip"));
            add(
                &core,
                "Dockerfile",
                format!(
                    "# escape=`\nFROM mcr.microsoft.com/windows/servercore:{base}\nENV {key}{between}{version}\n\
                     ENV {key}_SHASUM{between}{quote}{pin}{quote}\n\
                     RUN wget ('https://github.com/nats-io/{server}/releases/download/v{{0}}/{server}-v{{0}}-windows-amd64.zip' -f $env:{key})\n"
                ),
            );
            let from = format!(
                "FROM mcr.microsoft.com/windows/nanoserver:{base}\nCOPY --from={image}:{version}-{core} C:\\\\a C:\\\\a\n"
            );
            add(&nano, "Dockerfile", from);
            variants.extend([core, nano]);
        }
        let tests = if self.lines {
            format!("{directory}/tests")
        } else {
            "tests".to_owned()
        };
        for (name, ending, windows) in [
            ("build-images", "sh", false),
            ("run-images", "sh", false),
            ("build-images", "ps1", true),
        ] {
            let ours = variants
                .iter()
                .filter(|variant| variant.contains("server") == windows);
            let all: Vec<&str> = ours.map(String::as_str).collect();
            let body = match self.script {
                0 => all
                    .iter()
                    .map(|variant| format!("docker build --tag {image}:{version}-{variant} ../{directory}/{variant}\n"))
                    .collect(),
                1 => {
                    format!("ver=({key} {version})\n")
                        + &all
                            .iter()
                            .map(|variant| {
                                format!("(\n\tcd ../{variant}\n\tdocker build --tag \"{image}:${{ver[1]}}-{variant}\" .\n)\n")
                            })
                            .collect::<String>()
                }
                _ => format!(
                    "{key}={version}\nfor variant in {}; do\n\tdocker build --tag \"{image}:${key}-$variant\" .\ndone\n",
                    all.join(" ")
                ),
            };
            files.insert(
                format!("{tests}/{name}.{ending}"),
                file(self.text(&body), 0o755),
            );
        }
        Tree {
            config,
            files,
            directories: BTreeSet::from([directory]),
        }
    }
}

fn planned(tree: &Tree, style: &Style, version: &Version) -> Plan {
    let model = Model::new(tree.clone()).expect("a model");
    let targets =
        targets(&model, std::slice::from_ref(version), &Options::default()).expect("targets");
    plan(&model, targets, &[style.sums(version)], &Options::default()).expect("a plan")
}

fn after(tree: &Tree, plan: &Plan) -> Tree {
    let directories = plan
        .targets
        .iter()
        .map(|target| target.directory.clone())
        .collect();
    Tree {
        config: tree.config.clone(),
        files: applied(&tree.files, plan),
        directories,
    }
}

/// The tree after an update that needs no release, planned with what the tree itself pins.
fn moved(tree: &Tree, options: &Options) -> Tree {
    let model = Model::new(tree.clone()).expect("a model");
    let aims = targets(&model, &[], options).expect("targets");
    let pins = check(&model)
        .expect("a report")
        .pins
        .into_iter()
        .map(|pin| (pin.archive.name.clone(), pin.hash))
        .collect();
    after(tree, &plan(&model, aims, &[pins], options).expect("a plan"))
}

/// Nothing is found in the tree, and an update to the same version changes nothing.
fn is_right(tree: &Tree, style: &Style, version: &Version) -> Result<(), TestCaseError> {
    let report = check(&Model::new(tree.clone()).expect("a model")).expect("a report");
    prop_assert_eq!(&report.findings, &[]);
    prop_assert!(planned(tree, style, version).changes.is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_update_gives_exactly_the_tree_of_the_new_version(style in style(), (old, new) in versions()) {
        let before = style.tree(&old);
        let wanted = style.tree(&new);
        is_right(&before, &style, &old)?;
        let found = after(&before, &planned(&before, &style, &new));
        for (path, file) in &wanted.files {
            let text = |file: Option<&File>| file.map(|file| String::from_utf8_lossy(file.text()).into_owned());
            prop_assert_eq!(text(found.files.get(path)), text(Some(file)), "{}", path);
        }
        prop_assert_eq!(&found.files, &wanted.files);
        is_right(&found, &style, &new)?;
    }

    #[test]
    fn a_tree_left_half_edited_is_repaired(
        style in style(),
        (old, new) in versions(),
        edited in prop::collection::vec(any::<bool>(), 40),
    ) {
        // Files of the new version, some with the text of the old one: moved by hand, and not all of them edited.
        let mut tree = style.tree(&new);
        let directory = style.config().directory;
        let (was, is) = (format!("{}/", directory.render(&old)), format!("{}/", directory.render(&new)));
        for ((path, file), edited) in tree.files.iter_mut().zip(edited) {
            let old_path = path.strip_prefix(&is).map_or(path.clone(), |rest| format!("{was}{rest}"));
            if !edited {
                *file = style.tree(&old).files[&old_path].clone();
            }
        }
        let allowed = Options { allow_downgrade: true, ..Options::default() };
        let model = Model::new(tree.clone()).expect("a model");
        let aims = targets(&model, std::slice::from_ref(&new), &allowed).expect("targets");
        let found = after(&tree, &plan(&model, aims, &[style.sums(&new)], &allowed).expect("a plan"));
        prop_assert_eq!(&found.files, &style.tree(&new).files);
        is_right(&found, &style, &new)?;
    }

    #[test]
    fn a_base_moves_wherever_it_stands(style in style(), (_, version) in versions()) {
        // Not one of those that trees are made with.
        let mut wanted = style.clone();
        let (mut bases, new) = (Vec::new(), "alpine3.22");
        if let Some(alpine) = wanted.alpines.iter_mut().find(|alpine| **alpine != "alpine") {
            bases.push(format!("{alpine}=3.22"));
            *alpine = new;
        }
        if let Some(windows) = wanted.windows.first_mut() {
            bases.push(format!("windows-{windows}=ltsc2028"));
            *windows = "ltsc2028";
        }
        prop_assume!(!bases.is_empty());
        let bases = bases.iter().map(|base| base.parse().expect("a base")).collect();
        let found = moved(&style.tree(&version), &Options { bases, ..Options::default() });
        prop_assert_eq!(&found.files, &wanted.tree(&version).files);
        is_right(&found, &wanted, &version)?;
    }

    #[test]
    fn a_variant_that_is_added_is_right_at_once(style in style(), (_, version) in versions()) {
        let mut adds = vec!["alpine3.22"];
        if !style.windows.is_empty() {
            adds.extend(["windowsservercore-ltsc2028", "nanoserver-ltsc2028"]);
        }
        let adds: Vec<Variant> = adds.into_iter().filter_map(Variant::parse).collect();
        let before = style.tree(&version);
        let options = Options { adds, ..Options::default() };
        let found = moved(&before, &options);
        prop_assert!(before.files.keys().all(|path| found.files.contains_key(path)));
        is_right(&found, &style, &version)?;
        prop_assert_eq!(&moved(&found, &options).files, &found.files);
    }
}
