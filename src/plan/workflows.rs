//! What an update adds to workflows as wholes: a new series is wired in beside the one that it is copied from, and a matrix gets
//! items. What is taken out of them is in `cuts`.
//!
//! Text with a structure: what is repeated or cut is whole lines, or items in brackets, and the rest stays byte for byte.

use std::collections::BTreeSet;
use std::ops::Range;

use super::edits::Edit;
use crate::fields::workflow::{Job, Part, Structure};
use crate::fields::{Field, Named, fields_in, saying_more};
use crate::repository::{Directory, Document};
use crate::text::Places;

/// A workflow whose text is UTF-8.
#[derive(Clone, Copy)]
pub(super) struct Workflow<'a> {
    pub(super) text: &'a str,
    pub(super) structure: &'a Structure,
    pub(super) fields: &'a [Field],
}

/// What there is to repeat behind a place.
struct Repeat {
    at: usize,
    text: String,
    label: &'static str,
    name: String,
}

/// An item of a matrix that is added, and the Windows in its row, as it is and as it is to be.
pub(super) type NewItem = (String, Option<[String; 2]>);

impl<'a> Workflow<'a> {
    pub(super) fn of(document: &'a Document) -> Option<Self> {
        Some(Self {
            text: document.utf8()?,
            structure: &document.facts.structure,
            fields: &document.fields,
        })
    }

    /// The text, and what it consists of.
    pub(super) fn parts(self) -> (&'a str, &'a Structure) {
        (self.text, self.structure)
    }

    /// Whether a part of the text names a series: in it, or by an item of which a matrix makes its name.
    pub(super) fn names(self, series: &Directory, said: &str, part: &Range<usize>) -> bool {
        let is_made = |field: &Field| {
            let item = &self.text[field.span.clone()];
            let mut made = field.kind.made(Named::Directory);
            made.any(|made| made.name(item) == series.name)
        };
        series.is_in(said) || fields_in(self.fields, part).any(is_made)
    }

    /// The text with a new series beside the one that it is copied from: a twin for each job that is about that one alone, an
    /// item for each item of a list that is about it beside others, a variable for each that is called after it beside others.
    /// `all` are the series that there are. And what a summary says of it.
    pub(super) fn with_series(
        self,
        (from, to): (&Directory, &Directory),
        all: &[Directory],
    ) -> (String, Vec<Edit>) {
        let series = NewSeries {
            workflow: self,
            from,
            to,
            all,
        };
        let jobs = series.jobs();
        let twins = series.twins(&jobs);
        let items = series.items(&jobs);
        inserted(self.text, twins.into_iter().chain(items).collect())
    }

    /// The text with new items behind those of its matrices for which `added` gives some, the Windows in their row moved: unless
    /// their job has them already, their row says `latest`, or their job runs on the old Windows alone.
    pub(super) fn with_items(
        self,
        items: &[&Field],
        added: impl Fn(&Field) -> BTreeSet<NewItem>,
    ) -> (String, Vec<Edit>) {
        let (text, structure) = self.parts();
        let lists = structure.lists().into_iter().flatten();
        let lists = lists.map(|item| (item.span, false));
        let brackets = structure.bracket_lists(text).into_iter().flatten();
        let lists: Vec<(Range<usize>, bool)> =
            lists.chain(brackets.map(|item| (item, true))).collect();
        let jobs = structure.jobs.iter().map(|job| &job.part.lines);
        let more = jobs.flat_map(|job| saying_more(text.as_bytes(), &structure.lines[job.clone()]));
        let more: BTreeSet<usize> = more.collect();
        let (mut repeats, mut known) = (Vec::new(), BTreeSet::new());
        for field in items.iter().rev() {
            let (at, added) = (field.span.start, added(field));
            if added.is_empty() {
                continue;
            }
            let around = lists.iter().filter(|(item, _)| item.contains(&at));
            let Some((item, is_bracket)) = around.min_by_key(|(item, _)| item.len()) else {
                continue;
            };
            let job = structure.job_at(at).map(|job| &job.part.span);
            let is_there = |name: &String| {
                let mut others = items.iter().map(|field| &field.span);
                others.any(|other| {
                    let is_here = job.is_none_or(|job| job.contains(&other.start));
                    is_here && text[other.clone()] == *name
                })
            };
            let is_bound = |year: &str| {
                let lines = job.map(|job| structure.lines_in(job)).unwrap_or_default();
                structure.lines[lines].iter().any(|line| {
                    let code = &text[line.span.start..line.end];
                    line.key(text.as_bytes()) == Some(b"runs-on")
                        && code.contains(&format!("windows-{year}"))
                })
            };
            for (name, years) in added.into_iter().filter(|(name, _)| !is_there(name)) {
                let [before, after] =
                    [item.start..at, field.span.end..item.end].map(|part| &text[part]);
                let mut copy = [before, &name, after].concat();
                if let Some([old, new]) = &years {
                    copy = copy.replace(old, new);
                }
                let is_bound = years.is_some_and(|[old, _]| is_bound(&old));
                if is_bound || latest(&copy) > 0 || more.contains(&at) {
                    continue;
                }
                // Two siblings may be the nearest ones, each in its own series: behind the last one.
                if !known.insert((job.map(|job| job.start), copy.trim().to_owned())) {
                    continue;
                }
                let (at, text) = match is_bracket {
                    true => behind(text, item, std::iter::once(copy.trim().to_owned())),
                    false => (item.end, copy),
                };
                let label = "item";
                repeats.push(Repeat {
                    at,
                    text,
                    label,
                    name,
                });
            }
        }
        inserted(text, repeats)
    }

    /// Whether a line gives one of these items an `id` that would be there twice.
    fn has_fixed_id<'p>(&self, from: &Directory, items: impl Iterator<Item = &'p Part>) -> bool {
        let mut lines = items.flat_map(|item| &self.structure.lines[item.lines.clone()]);
        lines.any(|line| {
            let is_id = line.key(self.text.as_bytes()) == Some(b"id");
            is_id && !from.is_in(&self.text[line.span.start..line.end])
        })
    }
}

/// A new series, and what is wired into a workflow for it.
struct NewSeries<'a> {
    workflow: Workflow<'a>,
    from: &'a Directory,
    to: &'a Directory,
    all: &'a [Directory],
}

/// Parts of a text, each with the series that it names.
type NamedParts<'a> = Vec<(Range<usize>, BTreeSet<&'a str>)>;

impl<'a> NewSeries<'a> {
    /// The names of such series.
    fn those(&self, is_one: impl Fn(&Directory) -> bool) -> BTreeSet<&'a str> {
        let all = self.all.iter().chain([self.to]);
        let all = all.filter(|series| is_one(series));
        all.map(|series| series.name.as_str()).collect()
    }

    fn named(&self, part: &Range<usize>) -> BTreeSet<&'a str> {
        let (text, structure) = self.workflow.parts();
        let said = structure.said(text, part, true);
        self.those(|series| self.workflow.names(series, &said, part))
    }

    fn is_own(&self, named: &BTreeSet<&str>) -> bool {
        is_only(named, self.from)
    }

    /// The jobs that are about the source alone, each with its number.
    fn jobs(&self) -> Vec<(usize, &'a Job)> {
        let (text, structure) = self.workflow.parts();
        // What only the value of a variable says is not what a job is about.
        let is_alone = |(_, job): &(usize, &Job)| {
            let span = &job.part.span;
            self.is_own(&self.named(span)) && self.from.is_in(&structure.said(text, span, false))
        };
        structure.jobs.iter().enumerate().filter(is_alone).collect()
    }

    /// Twins of the jobs that are called after the source, behind the last of those that are about it alone.
    fn twins(&self, alone: &[(usize, &Job)]) -> Vec<Repeat> {
        let ((text, structure), from, to) = (self.workflow.parts(), self.from, self.to);
        let jobs = &structure.jobs;
        let is_twin = |job: &Job| is_only(&self.named(&job.part.span), to);
        if jobs.iter().any(is_twin) {
            return Vec::new();
        }
        let called = alone.iter();
        let called = called.filter(|(_, job)| from.is_in(&text[job.name.clone()]));
        let twin = |(number, job): &(usize, &Job)| {
            let before = number.checked_sub(1).map(|before| &jobs[before]);
            let start = before.map_or(job.part.span.start, |job| job.part.span.end);
            // The first one has no gap of its own above it.
            let gap = match (before, jobs.get(1)) {
                (Some(_), _) => "",
                (None, Some(next)) => gap_at(text, job.part.span.end, next.part.span.start),
                (None, None) if text.contains("\r\n") => "\r\n",
                (None, None) => "\n",
            };
            let twin = from.moved(&text[start..job.part.span.end], to);
            Repeat {
                at: alone.last().map_or(0, |(_, last)| last.part.span.end),
                text: gap.to_owned() + &twin,
                label: "job",
                name: from.moved(&text[job.name.clone()], to),
            }
        };
        called.map(twin).collect()
    }

    /// Items of lists, and variables, behind those of the source.
    fn items(&self, alone: &[(usize, &Job)]) -> Vec<Repeat> {
        let ((text, structure), from, to) = (self.workflow.parts(), self.from, self.to);
        let starts = alone.iter().map(|(_, job)| job.part.span.start);
        let starts: BTreeSet<usize> = starts.collect();
        let repeat = |(at, text): (usize, String)| Repeat {
            at,
            text,
            label: "directory",
            name: to.name.clone(),
        };
        let by_key = |setting: &Part| {
            let key = &structure.lines[setting.lines.start].keys[0];
            let key = &text[key.clone()];
            (setting.span.clone(), self.those(|series| series.is_in(key)))
        };
        let with_names = |item: Range<usize>| (item.clone(), self.named(&item));
        let settings = structure.settings(text.as_bytes()).into_iter();
        let settings = settings.map(|all| (all.iter().map(by_key).collect(), all));
        let lists = structure.lists().into_iter().map(|list| {
            let spans = list.iter().map(|item| item.span.clone());
            (spans.map(with_names).collect(), list)
        });
        let lines = lists.chain(settings).filter_map(|(items, list)| {
            let (own, end) = self.last(items, &starts)?;
            let items = list.iter().filter(|item| own.contains(&item.span));
            let body: String = own.iter().map(|item| &text[item.clone()]).collect();
            let is_free = !self.workflow.has_fixed_id(from, items);
            is_free.then(|| repeat((end.end, from.moved(&body, to))))
        });
        let brackets = structure.bracket_lists(text).into_iter();
        let brackets = brackets.filter_map(|items| {
            let items = items.into_iter().map(with_names).collect();
            let (own, end) = self.last(items, &starts)?;
            let words = own.into_iter().map(|item| text[item].trim());
            let words = words.map(|word| from.moved(word, to));
            Some(repeat(behind(text, &end, words)))
        });
        lines.chain(brackets).collect()
    }

    /// The items about the source, and the last of them: where others are about other series, and none about the new one. What
    /// jobs have that are about the source alone, which begin at `alone`, their twins have; and one that is named after it is not
    /// for all.
    fn last(
        &self,
        items: NamedParts,
        alone: &BTreeSet<usize>,
    ) -> Option<(Vec<Range<usize>>, Range<usize>)> {
        let (text, structure) = self.workflow.parts();
        let all: BTreeSet<&str> = items.iter().flat_map(|(_, names)| names).copied().collect();
        let own = items.into_iter().filter(|(_, names)| self.is_own(names));
        let own: Vec<Range<usize>> = own.map(|(item, _)| item).collect();
        let last = own.last()?.clone();
        let is_open = structure.job_at(last.start).is_none_or(|job| {
            let is_alone = alone.contains(&job.part.span.start);
            !is_alone && !self.from.is_in(&text[job.name.clone()])
        });
        let is_wanted = all.len() > 1 && !all.contains(self.to.name.as_str());
        (is_wanted && is_open).then_some((own, last))
    }
}

/// Whether a series is the only one that is named.
fn is_only(named: &BTreeSet<&str>, series: &Directory) -> bool {
    named.len() == 1 && named.contains(series.name.as_str())
}

/// How often a text says `latest`, which only one series, or one row of a matrix, can be; runners of that name, and the versions of
/// other programs, are none.
pub(super) fn latest(text: &str) -> usize {
    let all = text.match_indices("latest");
    let is_other = |at: usize| text[..at].ends_with('-') || text[..at].ends_with("version: ");
    all.filter(|(at, _)| !is_other(*at)).count()
}

/// The blank lines that begin at a place.
pub(super) fn gap_at(text: &str, start: usize, end: usize) -> &str {
    let rest = &text[start..end];
    &rest[..rest.len() - rest.trim_start_matches(['\r', '\n']).len()]
}

/// Where words go behind an item of a list in brackets, and with what between them: in lines of their own, where the item is.
fn behind(text: &str, item: &Range<usize>, words: impl Iterator<Item = String>) -> (usize, String) {
    let said = &text[item.clone()];
    let blank = &said[..said.len() - said.trim_start().len()];
    let blank = if blank.contains('\n') { blank } else { " " };
    let new = words.map(|word| format!(",{blank}{word}"));
    (item.start + said.trim_end().len(), new.collect())
}

/// The text with what is repeated put in, and what a summary says of it.
fn inserted(text: &str, mut repeats: Vec<Repeat>) -> (String, Vec<Edit>) {
    repeats.sort_by_key(|repeat| repeat.at);
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let (mut out, mut from, mut starts) = (String::with_capacity(text.len()), 0, Vec::new());
    for repeat in repeats {
        out.push_str(&text[from..repeat.at]);
        // The last line may have no end.
        let is_line = !repeat.text.starts_with(',');
        if is_line && !out.ends_with('\n') {
            out.push_str(newline);
        }
        let blank = repeat.text.len() - repeat.text.trim_start_matches(['\r', '\n']).len();
        starts.push((out.len() + blank, repeat.label, repeat.name));
        out.push_str(&repeat.text);
        from = repeat.at;
    }
    out.push_str(&text[from..]);
    let places = Places::new(out.as_bytes());
    let edit = |(at, label, name): (usize, &str, String)| {
        Edit::new(label.to_owned(), places.of(at).0, "", &name)
    };
    let edits = starts.into_iter().map(edit).collect();
    (out, edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::series::tests::series;

    #[test]
    fn a_new_series_gets_twins_of_jobs_and_items_of_lists() {
        let all = [series("2.12.x", "2.12.15"), series("2.14.x", "2.14.5")];
        let text = "\
on: push
jobs:
  linux-2_12:
    if: ${{ startsWith(github.ref_name, 'v2.12.') }}
    steps:
      - run: cd ./2.12.x/tests

  linux-2_14:
    if: ${{ startsWith(github.ref_name, 'v2.14.') }}
    steps:
      - run: cd ./2.14.x/tests

  windows-2_14:
    needs: linux-2_14
    steps:
      - run: cd ./2.14.x/tests

  all:
    strategy:
      matrix:
        series: [2.12.x, '2.14.x']
        version:
          - 2.12.x
          - 2.14.x # newest
          - other
";
        let new = series("2.16.x", "2.16.0");
        let with_series = |text: &str| {
            let structure = &Structure::new(text.as_bytes());
            let fields = &[];
            Workflow {
                text,
                structure,
                fields,
            }
            .with_series((&all[1], &new), &all)
        };
        let (found, edits) = with_series(text);
        let twins = "
  linux-2_16:
    if: ${{ startsWith(github.ref_name, 'v2.16.') }}
    steps:
      - run: cd ./2.16.x/tests

  windows-2_16:
    needs: linux-2_16
    steps:
      - run: cd ./2.16.x/tests
";
        let expected = text
            .replace("\n  all:", &format!("{twins}\n  all:"))
            .replace("'2.14.x']", "'2.14.x', '2.16.x']")
            .replace(
                "          - 2.14.x # newest\n",
                "          - 2.14.x # newest\n          - 2.16.x # newest\n",
            );
        assert_eq!(found, expected);
        let said: Vec<&str> = edits.iter().map(|edit| edit.expected.as_str()).collect();
        assert_eq!(said, ["linux-2_16", "windows-2_16", "2.16.x", "2.16.x"]);
        assert_eq!(with_series(&found).0, found);
    }
}
