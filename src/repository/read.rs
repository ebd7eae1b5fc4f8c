//! Reads a repository: first the names of everything in it, then the documents, each scanned as it is read.
//!
//! Symbolic links are never followed. What cannot be read, or stands where something else is expected, is an error, all of
//! them reported together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use semver::Version;

use super::config::{Config, Pattern, Stated, looks_like_a_version};
use super::listing::{Listed, Problems, Role, refuse};
use super::{
    Blob, Body, Directory, Document, Folder, Item, LARGEST_DOCUMENT, Names, Origin, Repository,
    TEMPLATES, TESTS, Tree, WORKFLOWS, read_if_there,
};
use crate::fields::DocumentKind;
use crate::parallel;
use crate::version::Variant;

/// The names of everything in a repository, its documents not read yet.
pub struct Outline {
    root: PathBuf,
    names: Arc<Names>,
    /// The version directories, at the version in their names: files are listed, and not read.
    trees: Vec<Listed>,
    shared: [Listed; 3],
    strays: Vec<String>,
}

/// The repository that a folder is in: the folder, or the nearest one above it that holds version directories, within the
/// same git work tree. The folder itself where there is none.
pub fn discover(start: &Path) -> PathBuf {
    let holds_versions = |folder: &Path| {
        let is_version = |entry: fs::DirEntry| {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let name = entry.file_name().into_string().unwrap_or_default();
            is_folder && looks_like_a_version(&name)
        };
        let is_stated = folder.join("update.toml").is_file();
        is_stated || fs::read_dir(folder).is_ok_and(|all| all.flatten().any(is_version))
    };
    let Ok(whole) = start.canonicalize() else {
        return start.to_owned();
    };
    let mut found = start.to_owned();
    for folder in whole.ancestors() {
        if holds_versions(folder) {
            return found;
        }
        if folder.join(".git").exists() {
            break;
        }
        found = match found == Path::new(".") {
            true => PathBuf::from(".."),
            false => found.join(".."),
        };
    }
    start.to_owned()
}

impl Outline {
    /// Lists the repository at `root`.
    pub fn read(root: &Path) -> Result<Self> {
        let top = Top::read(root)?;
        let stated = read_if_there(&root.join("update.toml"), LARGEST_DOCUMENT)?;
        let stated = stated
            .map(|text| Stated::parse(&text, &root.join("update.toml").display().to_string()));
        let stated = stated.transpose()?.unwrap_or_default();
        let pattern = stated.directory().unwrap_or_else(|| {
            Pattern::infer(&top.folders.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let is_version = |name: &&String| pattern.matches(name).is_some();
        let mut problems = top.misplaced(&pattern);
        let directories: Vec<&String> = top.folders.iter().filter(is_version).collect();
        let listed = parallel::map(&directories, 0, |_, name| {
            Listed::read(root, name, Role::VersionDirectory)
        });
        let rest = [
            (TESTS, Role::Tests),
            (WORKFLOWS, Role::Workflows),
            (TEMPLATES, Role::Templates),
        ];
        let (trees, more): (Vec<Listed>, Vec<Problems>) = listed.into_iter().unzip();
        problems.extend(more.concat());
        let shared = rest.map(|(name, role)| {
            let (listed, more) = Listed::read(root, name, role);
            problems.extend(more);
            listed
        });
        refuse(&problems)?;
        let is_stray =
            |name: &&String| pattern.matches(name).is_none() && looks_like_a_version(name);
        let strays = top.folders.iter().filter(is_stray);
        let has_variants = |name: &&String| {
            let (listed, _) = Listed::read(root, name, Role::VersionDirectory);
            listed.variants().next().is_some()
        };
        let strays: Vec<String> = strays.filter(has_variants).cloned().collect();
        let misfit = |stray: &String| format!(", and {stray} does not fit the layout");
        let misfit = strays.first().map(misfit).unwrap_or_default();
        ensure!(
            !trees.is_empty() || shared[2].folders.len() > 1,
            "no version directory (such as 0.25.6 or 2.14.x) and no templates in {}{misfit}: run it in the repository, or name that with `-C <DIR>`",
            root.display()
        );
        let config = Self::config(&stated, pattern, root, (&trees, &shared[2]))?;
        let templates = shared[2].folders.iter();
        let families = templates.filter_map(|(name, _)| Variant::parse(name));
        let variants = trees.iter().flat_map(Listed::variants).chain(families);
        let variants: BTreeSet<Variant> = variants.collect();
        let scripts = trees.iter().chain([&shared[0]]).flat_map(Listed::scripts);
        let names = Arc::new(Names::new(config, &variants, &scripts.collect())?);
        Ok(Self {
            root: root.to_owned(),
            names,
            trees,
            shared,
            strays,
        })
    }

    /// What repository it is: said, or read off the newest version directory that downloads something, else templates.
    fn config(
        stated: &Stated,
        pattern: Pattern,
        root: &Path,
        (trees, templates): (&[Listed], &Listed),
    ) -> Result<Config> {
        let mut newest: Vec<&Listed> = trees.iter().collect();
        newest.sort_by_key(|listed| std::cmp::Reverse(pattern.matches(&listed.name)));
        newest.push(templates);
        let texts = newest.into_iter().map(|listed| listed.dockerfiles(root));
        stated.complete(pattern, texts)
    }

    /// The names of the repository.
    pub fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// The version directory that the names say is the newest.
    pub fn newest(&self) -> Option<&str> {
        let pattern = &self.names.config.directory;
        self.trees
            .iter()
            .map(|listed| listed.name.as_str())
            .max_by_key(|name| pattern.matches(name))
    }

    /// The version directories, each with its variants.
    pub fn variants(&self) -> impl Iterator<Item = (String, BTreeSet<Variant>)> {
        let all = self.trees.iter();
        all.map(|listed| (listed.name.clone(), listed.variants().collect()))
    }

    /// Reads the version directories, several at once, and keeps of each what `keep` makes of it. In the order of names.
    pub fn trees<T: Send>(&self, keep: impl Fn(Tree) -> T + Sync) -> Result<Vec<T>> {
        let results = parallel::map(&self.trees, 0, |_, listed| {
            let (folders, problems) = listed.load(&self.root, &self.names);
            (keep(tree(&self.names, &listed.name, folders)), problems)
        });
        let (trees, problems): (Vec<T>, Vec<Problems>) = results.into_iter().unzip();
        refuse(&problems.concat())?;
        Ok(trees)
    }

    /// The whole repository, with these version directories.
    pub fn with(&self, mut trees: Vec<Tree>) -> Result<Repository> {
        trees.sort_by(|a, b| a.directory.cmp(&b.directory));
        let mut problems = Problems::new();
        let [tests, workflows, mut templates] = self.shared.each_ref().map(|listed| {
            let (folders, more) = listed.load(&self.root, &self.names);
            problems.extend(more);
            folders
        });
        refuse(&problems)?;
        let flat = |mut folders: Vec<Folder>, name: &str| Folder {
            name: name.to_owned(),
            ..folders.swap_remove(0)
        };
        templates.remove(0);
        Ok(Repository {
            root: self.root.clone(),
            names: Arc::clone(&self.names),
            trees,
            tests: flat(tests, TESTS),
            workflows: flat(workflows, WORKFLOWS),
            templates,
            strays: self.strays.clone(),
        })
    }
}

/// A version directory: at the version in its name; of a series at the one that most of its Dockerfiles give, of those that
/// belong to it where there are any, and at its first where none gives one.
fn tree(names: &Names, name: &str, folders: Vec<Folder>) -> Tree {
    let pattern = &names.config.directory;
    let named = pattern.matches(name);
    let mut tree = Tree {
        directory: Directory::new(name, named.unwrap_or_else(|| Version::new(0, 0, 0))),
        origin: Some(name.to_owned()),
        folders,
    };
    tree.refresh();
    if pattern.has_series() {
        let belongs = |version: &Version| pattern.render(version) == name;
        let given = tree.versions().into_iter();
        let given =
            given.max_by_key(|(version, count)| (belongs(version), *count, version.clone()));
        tree.directory.version = given.map_or(tree.directory.version, |(version, _)| version);
    }
    tree
}

impl Repository {
    /// The repository that some Dockerfiles of a commit are.
    pub fn of_blobs(config: Config, blobs: &[Blob]) -> Result<Self> {
        type Named<'a> = Vec<(&'a str, &'a Blob)>;
        let mut folders: BTreeMap<&str, BTreeMap<&str, Named>> = BTreeMap::new();
        for blob in blobs {
            let parts: Vec<&str> = blob.path.splitn(3, '/').collect();
            if let [directory, folder, name] = *parts {
                let inside = folders.entry(directory).or_default();
                inside.entry(folder).or_default().push((name, blob));
            }
        }
        let variants = folders.values().flat_map(|folders| folders.keys());
        let variants = variants.filter_map(|name| Variant::parse(name)).collect();
        let names = Arc::new(Names::new(config, &variants, &BTreeSet::new())?);
        let item = |(name, blob): &(&str, &Blob)| {
            let (kind, text) = (DocumentKind::Dockerfile, blob.text.clone());
            let document = Document::new(&names.scanner, kind, text, 0);
            Item {
                name: (*name).to_owned(),
                origin: Origin::At(blob.path.clone()),
                body: Body::Document(Arc::new(document)),
            }
        };
        let folder = |(name, blobs): (&&str, &Vec<(&str, &Blob)>)| Folder {
            name: (*name).to_owned(),
            origin: None,
            items: blobs.iter().map(item).collect(),
        };
        let trees = folders
            .iter()
            .map(|(name, inside)| tree(&names, name, inside.iter().map(folder).collect()));
        let mut trees: Vec<Tree> = trees.collect();
        trees.sort_by(|a, b| a.directory.cmp(&b.directory));
        let (root, nothing) = (PathBuf::new(), Folder::default());
        let (tests, workflows) = (nothing.clone(), nothing);
        Ok(Self {
            root,
            names,
            trees,
            tests,
            workflows,
            templates: Vec::new(),
            strays: Vec::new(),
        })
    }

    /// Reads the repository at `root`, with everything in it.
    pub fn read(root: &Path) -> Result<Self> {
        let outline = Outline::read(root)?;
        let trees = outline.trees(|tree| tree)?;
        outline.with(trees)
    }
}

/// What is directly in the top folder.
struct Top {
    root: PathBuf,
    folders: Vec<String>,
    /// What is no folder, and whether it is a link.
    others: Vec<(String, bool)>,
}

impl Top {
    fn read(root: &Path) -> Result<Self> {
        let cannot = || format!("cannot read the folder {}", root.display());
        let (mut folders, mut others) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(root).with_context(cannot)? {
            let entry = entry.with_context(cannot)?;
            let kind = entry.file_type().with_context(cannot)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if kind.is_dir() {
                folders.push(name);
            } else {
                others.push((name, kind.is_symlink()));
            }
        }
        folders.sort();
        others.sort();
        Ok(Self {
            root: root.to_owned(),
            folders,
            others,
        })
    }

    /// What stands where a folder that is read is expected.
    fn misplaced(&self, pattern: &Pattern) -> Problems {
        let is_expected = |name: &str| {
            pattern.matches(name).is_some() || [TEMPLATES, TESTS, ".github"].contains(&name)
        };
        let others = self.others.iter().filter(|(name, _)| is_expected(name));
        let say = |(name, is_link): &(String, bool)| match is_link {
            true => format!(
                "{name}: a symbolic link, where a folder is expected: put the folder itself there"
            ),
            false => format!("{name}: not a folder, where a folder is expected"),
        };
        let mut problems: Problems = others.map(say).collect();
        if fs::symlink_metadata(self.root.join(WORKFLOWS)).is_ok_and(|found| found.is_symlink()) {
            problems.push(say(&(WORKFLOWS.to_owned(), true)));
        }
        problems
    }
}
