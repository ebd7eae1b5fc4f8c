//! Over generated trees: an update gives exactly the tree of the new version, `check` finds nothing in it, a second update
//! changes nothing, and a tree left half-edited is repaired.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use semver::Version;
use update::check::check;
use update::plan::{Options, Plan, plan, targets};
use update::release::checksums::Checksums;
use update::repository::Repository;
use update::repository::config::{Config, Pattern};
use update::version::{apk_arch, parse_version};

/// Path → text.
type Files = BTreeMap<String, String>;

const ARCHES: [&str; 9] = [
    "arm64", "arm6", "arm7", "amd64", "386", "s390x", "ppc64le", "riscv64", "loong64",
];

/// How somebody writes their repository.
#[derive(Debug, Clone)]
struct Style {
    series: bool,
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
                (series, image),
                alpines,
                windows,
                arches,
                look,
                ends_with_newline,
                script,
                preview,
                upper_case_hashes,
            )| Style {
                series,
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

/// Two versions, the second above the first, of one series.
fn versions() -> impl Strategy<Value = (Version, Version)> {
    let suffix = || prop::sample::select(vec!["", "", "-RC.3", "-preview.1", "-binary", "-odd.2"]);
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
        let directory = if self.series {
            Pattern::series()
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
        if self.upper_case_hashes && archive.contains("windows") {
            hash(archive).to_uppercase()
        } else {
            hash(archive)
        }
    }

    fn checksums(&self, version: &Version) -> Checksums {
        let archives = ARCHES
            .iter()
            .map(|arch| format!("linux-{arch}.tar.gz"))
            .chain(["windows-amd64.zip".to_owned()]);
        let lines = archives.map(|platform| self.config().archive(version, &platform));
        Checksums::parse(
            lines
                .map(|name| format!("{}  {name}\n", hash(&name)))
                .collect::<String>()
                .as_bytes(),
        )
        .expect("sums")
    }

    /// The whole tree, as its maintainers write it when that version is out.
    #[expect(clippy::too_many_lines, reason = "one tree, told in one place")]
    fn tree(&self, version: &Version) -> Files {
        let config = self.config();
        let directory = config.directory.render(version);
        let (image, server, key) = (&config.image, &config.server, config.version_key());
        let (between, quote) = (self.between, self.quote);
        let mut files = Files::new();
        let mut variants: Vec<String> = Vec::new();
        let mut add = |variant: &str, name: &str, text: String| {
            files.insert(format!("{directory}/{variant}/{name}"), self.text(&text));
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
                     RUN wget ('https://github.com/nats-io/{server}/releases/download/v{{0}}/{server}-v{{0}}-windows-amd64.zip' -f $env:{key}) -OutFile a.zip; \
                     if ((Get-FileHash a.zip).Hash -ne $env:{key}_SHASUM) {{ exit 1 }}\n"
                ),
            );
            let from = format!(
                "FROM mcr.microsoft.com/windows/nanoserver:{base}\nCOPY --from={image}:{version}-{core} C:\\\\a C:\\\\a\n"
            );
            add(&nano, "Dockerfile", from);
            variants.extend([core, nano]);
        }
        let tests = if self.series {
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
            files.insert(format!("{tests}/{name}.{ending}"), self.text(&body));
        }
        files
    }
}

/// The repository that some files are.
fn read(files: &Files) -> Repository {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
    Repository::read(folder.path()).expect("a repository")
}

fn planned(files: &Files, style: &Style, version: &Version, options: &Options) -> Plan {
    let repository = read(files);
    let targets = targets(&repository, std::slice::from_ref(version), options).expect("targets");
    let published = BTreeMap::from([(version.clone(), style.checksums(version))]);
    plan(repository, targets, &published, options).expect("a plan")
}

/// The files after a plan, all of which have fields.
fn after(plan: &Plan) -> Files {
    let text = |item: &update::repository::Item| {
        String::from_utf8(item.document().expect("a document").text.clone()).expect("UTF-8")
    };
    plan.after
        .items()
        .map(|(path, item)| (path, text(item)))
        .collect()
}

/// The files after an update that needs no release, planned with what they pin themselves.
fn moved(files: &Files, options: &Options) -> Files {
    let repository = read(files);
    let aims = targets(&repository, &[], options).expect("targets");
    after(&plan(repository, aims, &BTreeMap::new(), options).expect("a plan"))
}

/// Nothing is found in the files, and an update to the same version changes nothing.
fn is_right(files: &Files, style: &Style, version: &Version) -> Result<(), TestCaseError> {
    prop_assert_eq!(&check(&read(files)).findings, &[]);
    prop_assert!(
        planned(files, style, version, &Options::default())
            .changes
            .is_empty()
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_update_gives_exactly_the_tree_of_the_new_version(style in style(), (old, new) in versions()) {
        let before = style.tree(&old);
        let wanted = style.tree(&new);
        is_right(&before, &style, &old)?;
        let found = after(&planned(&before, &style, &new, &Options::default()));
        prop_assert_eq!(&found, &wanted);
        is_right(&found, &style, &new)?;
    }

    #[test]
    fn a_tree_left_half_edited_is_repaired(
        style in style(),
        (old, new) in versions(),
        edited in prop::collection::vec(any::<bool>(), 40),
    ) {
        // Files of the new version, some with the text of the old one: moved by hand, and not all of them edited.
        let mut files = style.tree(&new);
        let directory = style.config().directory;
        let (was, is) = (format!("{}/", directory.render(&old)), format!("{}/", directory.render(&new)));
        for ((path, text), edited) in files.iter_mut().zip(edited) {
            let old_path = path.strip_prefix(&is).map_or(path.clone(), |rest| format!("{was}{rest}"));
            if !edited {
                *text = style.tree(&old)[&old_path].clone();
            }
        }
        let allowed = Options { allow_downgrade: true, ..Options::default() };
        let found = after(&planned(&files, &style, &new, &allowed));
        prop_assert_eq!(&found, &style.tree(&new));
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
        prop_assert_eq!(&found, &wanted.tree(&version));
        is_right(&found, &wanted, &version)?;
    }

    #[test]
    fn a_variant_that_is_added_is_right_at_once(style in style(), (_, version) in versions()) {
        let mut adds = vec!["alpine3.22"];
        if !style.windows.is_empty() {
            adds.extend(["windowsservercore-ltsc2028", "nanoserver-ltsc2028"]);
        }
        let adds = adds.into_iter().map(|add| add.parse().expect("a variant")).collect();
        let before = style.tree(&version);
        let options = Options { adds, ..Options::default() };
        let found = moved(&before, &options);
        prop_assert!(before.keys().all(|path| found.contains_key(path)));
        is_right(&found, &style, &version)?;
        prop_assert_eq!(&moved(&found, &options), &found);
    }
}
