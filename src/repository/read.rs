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
use super::listing::{Problems, Role, list, load};
use super::{
    Body, Directory, Document, Folder, Item, LARGEST_DOCUMENT, Names, Origin, Repository,
    TEMPLATES, TESTS, Tree, WORKFLOWS, read_file, read_if_there,
};
use crate::fields::DocumentKind;
use crate::parallel;
use crate::problems::refuse;
use crate::version::Variant;

/// The error that stops the reading of a repository.
const CANNOT: &str = "cannot read the repository";

/// The names of everything in a repository, its documents not read yet.
pub struct Outline {
    root: PathBuf,
    names: Arc<Names>,
    /// The version directories by their names: files are listed, and not read.
    trees: Vec<(String, Vec<Folder>)>,
    shared: [Vec<Folder>; 3],
    strays: Vec<String>,
}

/// The repository that the working folder is in: that folder, or the nearest one above it that holds version directories or an
/// `update.toml`, within the same git work tree. The working folder itself where there is none.
pub fn discover() -> PathBuf {
    let holds_versions = |folder: &Path| {
        let is_version = |name: &String| looks_like_a_version(name) && folder.join(name).is_dir();
        let names = names_in(folder).unwrap_or_default();
        folder.join("update.toml").is_file() || names.iter().any(is_version)
    };
    let here = std::env::current_dir().unwrap_or_default();
    for (depth, folder) in here.ancestors().enumerate() {
        if depth > 0 && holds_versions(folder) {
            return std::iter::repeat_n("..", depth).collect();
        }
        if holds_versions(folder) || folder.join(".git").exists() {
            break;
        }
    }
    PathBuf::from(".")
}

/// The names of what is in a folder, in their order; those that are not UTF-8 are left out.
fn names_in(folder: &Path) -> std::io::Result<Vec<String>> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
    let names: Vec<Option<String>> = names.collect::<std::io::Result<_>>()?;
    let mut names: Vec<String> = names.into_iter().flatten().collect();
    names.sort();
    Ok(names)
}

impl Outline {
    /// Lists the repository at `root`.
    pub fn read(root: &Path) -> Result<Self> {
        let all = names_in(root);
        let all = all.with_context(|| format!("cannot read the folder {}", root.display()))?;
        let place = root.join("update.toml");
        let stated = read_if_there(&place, LARGEST_DOCUMENT)?;
        let stated = stated.map(|text| Stated::parse(&text, &place.display().to_string()));
        let stated = stated.transpose()?.unwrap_or_default();
        let folders = all.iter().filter(|name| root.join(name).is_dir());
        let folders: Vec<&str> = folders.map(String::as_str).collect();
        let pattern = stated
            .directory
            .clone()
            .unwrap_or_else(|| Pattern::infer(&folders));
        let is_version = |name: &&String| pattern.matches(name).is_some();
        let (versions, others): (Vec<String>, Vec<String>) =
            all.into_iter().partition(|name| is_version(&name));
        let listed = parallel::map(&versions, 0, |_, name| {
            list(root, name, Role::VersionDirectory)
        });
        let (trees, problems): (Vec<Vec<Folder>>, Vec<Problems>) = listed.into_iter().unzip();
        let mut problems = problems.concat();
        let rest = [
            (TESTS, Role::Tests),
            (WORKFLOWS, Role::Workflows),
            (TEMPLATES, Role::Templates),
        ];
        let shared = rest.map(|(name, role)| {
            let (folders, more) = list(root, name, role);
            problems.extend(more);
            folders
        });
        refuse(CANNOT, problems, "")?;
        let variants_of = |folders: &[Folder]| -> Vec<Variant> {
            folders.iter().filter_map(Folder::variant).collect()
        };
        let is_stray = |name: &String| {
            looks_like_a_version(name)
                && !variants_of(&list(root, name, Role::VersionDirectory).0).is_empty()
        };
        let strays: Vec<String> = others.into_iter().filter(is_stray).collect();
        let misfit = strays
            .first()
            .map(|stray| format!(", and {stray} does not fit the layout"));
        ensure!(
            !trees.is_empty() || shared[2].len() > 1,
            "no version directory (such as 0.25.6 or 2.14.x) and no templates in {}{}: run `update` in the repository, or name its folder with `-C <DIR>`",
            root.display(),
            misfit.unwrap_or_default()
        );
        let trees: Vec<(String, Vec<Folder>)> = versions.into_iter().zip(trees).collect();
        // The newest version directory that downloads something says what repository it is, else templates.
        let mut newest: Vec<_> = trees.iter().collect();
        newest.sort_by_key(|(name, _)| std::cmp::Reverse(pattern.matches(name)));
        let newest = newest
            .into_iter()
            .map(|(_, folders)| folders)
            .chain([&shared[2]]);
        let texts = newest.map(|folders| dockerfiles(root, folders));
        let config = stated.complete(pattern.clone(), texts)?;
        let families = shared[2][1..]
            .iter()
            .filter_map(|folder| Variant::parse(&folder.name));
        let variants = trees
            .iter()
            .flat_map(|(_, folders)| variants_of(folders))
            .chain(families);
        let inside = trees.iter().flat_map(|(_, folders)| folders);
        let items = inside.chain(&shared[0]).flat_map(|folder| &folder.items);
        let scripts = items.filter(|item| matches!(item.body, Body::Unread(DocumentKind::Script)));
        let scripts = scripts.map(|item| item.name.clone());
        let names = Arc::new(Names::new(config, &variants.collect(), &scripts.collect())?);
        Ok(Self {
            root: root.to_owned(),
            names,
            trees,
            shared,
            strays,
        })
    }

    /// The names of the repository.
    pub fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// The version directory that the names say is the newest; one without variants only where no other has any.
    pub fn newest(&self) -> Option<&str> {
        let pattern = &self.names.config.directory;
        let has_variants = |folders: &[Folder]| folders.iter().any(|one| one.variant().is_some());
        let newest = self.trees.iter();
        let newest =
            newest.max_by_key(|(name, folders)| (has_variants(folders), pattern.matches(name)));
        newest.map(|(name, _)| name.as_str())
    }

    /// The version directories, each with its variants.
    pub fn variants(&self) -> impl Iterator<Item = (String, BTreeSet<Variant>)> {
        let all = self.trees.iter();
        all.map(|(name, folders)| {
            (
                name.clone(),
                folders.iter().filter_map(Folder::variant).collect(),
            )
        })
    }

    /// Reads the version directories, several at once, and keeps of each what `keep` makes of it. In the order of names.
    pub fn trees<T: Send>(&self, keep: impl Fn(Tree) -> T + Sync) -> Result<Vec<T>> {
        let results = parallel::map(&self.trees, 0, |_, (name, folders)| {
            let (folders, problems) = load(folders, &self.root, &self.names);
            (keep(tree(&self.names, name, folders)), problems)
        });
        let (trees, problems): (Vec<T>, Vec<Problems>) = results.into_iter().unzip();
        refuse(CANNOT, problems.concat(), "")?;
        Ok(trees)
    }

    /// The whole repository, with these version directories.
    pub fn with(&self, mut trees: Vec<Tree>) -> Result<Repository> {
        trees.sort_by(|a, b| a.directory.cmp(&b.directory));
        let mut problems = Problems::new();
        let [mut tests, mut workflows, mut templates] = self.shared.each_ref().map(|folders| {
            let (folders, more) = load(folders, &self.root, &self.names);
            problems.extend(more);
            folders
        });
        refuse(CANNOT, problems, "")?;
        templates.remove(0);
        let (mut tests, mut workflows) = (tests.swap_remove(0), workflows.swap_remove(0));
        (tests.name, workflows.name) = (TESTS.to_owned(), WORKFLOWS.to_owned());
        Ok(Repository {
            root: self.root.clone(),
            names: Arc::clone(&self.names),
            trees,
            tests,
            workflows,
            templates,
            strays: self.strays.clone(),
        })
    }
}

/// The texts of Dockerfiles, with their paths. What cannot be read is reported when everything is read.
fn dockerfiles(root: &Path, folders: &[Folder]) -> Vec<(String, Vec<u8>)> {
    let items = folders.iter().flat_map(|folder| &folder.items);
    let dockerfiles =
        items.filter(|item| matches!(item.body, Body::Unread(DocumentKind::Dockerfile)));
    let read = |item: &Item| {
        let path = item.origin.path();
        let (text, _) = read_file(&root.join(path), LARGEST_DOCUMENT).ok()?;
        Some((path.to_owned(), text))
    };
    dockerfiles.filter_map(read).collect()
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
    /// The repository that some Dockerfiles of a commit are, each with its path, at least two folders deep.
    pub fn of_files(config: Config, files: Vec<(String, Vec<u8>)>) -> Result<Self> {
        let folder = |path: &str| Some(path.split_once('/')?.1.split_once('/')?.0.to_owned());
        let variants = files
            .iter()
            .filter_map(|(path, _)| Variant::parse(&folder(path)?));
        let names = Arc::new(Names::new(config, &variants.collect(), &BTreeSet::new())?);
        let mut all: BTreeMap<String, BTreeMap<String, Folder>> = BTreeMap::new();
        for (path, text) in files {
            let [above, name, rest] = *path.splitn(3, '/').collect::<Vec<_>>() else {
                continue;
            };
            let document = Document::new(&names.scanner, DocumentKind::Dockerfile, text, 0);
            let inside = all.entry(above.to_owned()).or_default();
            let folder = inside.entry(name.to_owned());
            let folder = folder.or_insert_with(|| Folder::new(above, name));
            folder.items.push(Item {
                name: rest.to_owned(),
                origin: Origin::At(path.clone()),
                body: Body::Document(Arc::new(document)),
            });
        }
        let trees = all.into_iter();
        let trees = trees.map(|(name, inside)| tree(&names, &name, inside.into_values().collect()));
        let mut trees: Vec<Tree> = trees.collect();
        trees.sort_by(|a, b| a.directory.cmp(&b.directory));
        Ok(Self {
            root: PathBuf::new(),
            names,
            trees,
            tests: Folder::default(),
            workflows: Folder::default(),
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
