//! What scripts and workflows have for the nearest sibling of a variant that is added, they get for the variant, too.

use std::sync::Arc;

use super::draft::nearest;
use super::units::mentions;
use super::work::Work;
use super::workflows::NewItem;
use super::{passages, scripts};
use crate::check::{no_change, scripts_of};
use crate::fields::expected::{Expected, Scope, is_misread};
use crate::fields::{Field, Kind, Made, Named};
use crate::repository::{Body, Document, Item, Origin, Place};
use crate::version::Variant;

/// A variant that is new in a version directory.
struct Addition {
    directory: String,
    sibling: Variant,
    variant: Variant,
    /// The variants that are there without it.
    siblings: Vec<Variant>,
}

impl Addition {
    /// The item of a matrix that makes for the variant what this item makes for its sibling: where all that it makes is there.
    fn item(&self, field: &Field, scope: &Scope, document: &Document) -> Option<NewItem> {
        let Kind::Item { made } = &field.kind else {
            return None;
        };
        let found = document.found(field);
        let is_here = |one: &&Made| one.directory.iter().all(|name| **name == *self.directory);
        let mut items = made.iter().filter(is_here).filter_map(|one| {
            let name = one.name(&found);
            let new = match one.names {
                Named::Variant if name == self.sibling.name => self.variant.name.clone(),
                Named::Script => scripts::named_after(&name, &self.sibling, &self.variant)?,
                _ => return None,
            };
            let item = new.strip_prefix(&*one.before)?.strip_suffix(&*one.after)?;
            Some(item.to_owned())
        });
        let is_right = |item: &String| scope.item(item, made) == Expected::Exactly(item.clone());
        let year = |variant: &Variant| Some(variant.windows_year()?.to_string());
        let years = year(&self.sibling).zip(year(&self.variant));
        let item = items.next().filter(is_right)?;
        let is_misread = !document.is_quoted(&field.span) && is_misread(&item);
        (!is_misread).then_some((item, years.map(|(old, new)| [old, new])))
    }
}

impl Work<'_> {
    /// The variants that are new in a version directory, each with its nearest sibling and those that are there before it.
    fn additions(&self) -> Vec<Addition> {
        let mut all = Vec::new();
        for target in self.targets {
            let Some(tree) = self.after.tree(&target.directory) else {
                continue;
            };
            let is_new = |variant: &Variant| {
                let folder = tree.folder(&variant.name);
                folder.is_some_and(|folder| folder.origin.is_none())
                    && target.adds.contains(variant)
            };
            let variants = tree.directory.variants.iter().cloned();
            let (new, mut siblings): (Vec<Variant>, Vec<Variant>) = variants.partition(is_new);
            for variant in new {
                if let Some(sibling) = nearest(&variant, &siblings).cloned() {
                    all.push(Addition {
                        directory: target.directory.clone(),
                        sibling,
                        variant: variant.clone(),
                        siblings: siblings.clone(),
                    });
                }
                siblings.push(variant);
            }
        }
        all
    }

    /// Gives scripts, and the matrices of workflows, what they have for the nearest sibling of a variant for the variant that is
    /// added, too.
    pub(super) fn extend(&mut self) {
        let additions = self.additions();
        if additions.is_empty() {
            return;
        }
        for addition in &additions {
            self.extend_by(addition);
        }
        let directories = self.after.directories();
        let new = self.edited(|place, workflow| {
            let scope = Scope::of(&self.after.names, &directories, no_change(), place);
            let structure = workflow.structure;
            let is_item = |field: &&Field| {
                let is_item = matches!(field.kind, Kind::Item { .. });
                let at = field.span.start;
                let line = structure.line_at(at);
                let is_excluded = || structure.is_below(workflow.text.as_bytes(), line, b"exclude");
                is_item && structure.is_in_matrix(at) && !is_excluded()
            };
            let items: Vec<&Field> = place.document.statements().filter(is_item).collect();
            let added = |field: &Field| {
                let added = additions.iter();
                let added = added.filter_map(|one| one.item(field, &scope, place.document));
                added.collect()
            };
            workflow.with_items(&items, added)
        });
        self.put(new);
    }

    /// Gives the scripts of a version directory what they have for one variant for another one, too.
    fn extend_by(&mut self, addition: &Addition) {
        let (sibling, variant) = (&addition.sibling, &addition.variant);
        let Some(tree) = self.after.tree(&addition.directory) else {
            return;
        };
        let (mut new, mut made) = (Vec::new(), Vec::new());
        for place in scripts_of(&self.after, tree) {
            let text = place.document.utf8().unwrap_or_default();
            if !mentions(text, &sibling.name) || mentions(text, &variant.name) {
                continue;
            }
            let write = |text: String| self.with_text(place.document, text.into_bytes());
            let Some(name) = scripts::named_after(&place.item.name, sibling, variant) else {
                let all = &tree.directory.variants;
                let text = passages::repeated(text, &sibling.name, &variant.name, all);
                new.extend(text.map(|text| {
                    let edits = vec![scripts::added(&text, variant)];
                    (place.path(), (write(text), edits))
                }));
                continue;
            };
            let mut others = scripts_of(&self.after, tree);
            let there =
                others.find(|other| other.folder == place.folder && other.item.name == name);
            let pair = (sibling, variant);
            let with = |all: &[Variant]| scripts::for_another_runner(text, pair, all);
            // Somebody has given it a form of its own.
            let is_own = |there: &Place| {
                with(&addition.siblings).is_none_or(|was| was.as_bytes() != there.document.text)
            };
            let all = [addition.siblings.as_slice(), std::slice::from_ref(variant)].concat();
            let Some(text) = with(&all).filter(|_| !there.as_ref().is_some_and(is_own)) else {
                continue;
            };
            let mut edits = vec![scripts::added(&text, variant)];
            let written = write(text);
            if let Some(there) = there {
                edits.retain(|_| !matches!(there.item.origin, Origin::MadeFrom(_)));
                new.push((there.path(), (written, edits)));
            } else {
                let origin = Origin::MadeFrom(place.item.origin.path().to_owned());
                let body = Body::Document(Arc::new(written));
                let directory = place.tree.map(|tree| tree.directory.name.clone());
                made.push((directory, Item { name, origin, body }));
            }
        }
        for (directory, item) in made {
            self.after.add(directory.as_deref(), item);
        }
        self.put(new);
    }
}
