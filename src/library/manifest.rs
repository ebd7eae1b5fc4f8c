//! The file's own grammar: paragraphs of fields, folded lines, comments. Every part knows where it stands, so that a part
//! can be rewritten and the rest kept to the byte.
//!
//! What the fields mean is `format`'s business and that of the rules.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::finding::Problem;
use crate::text::span_of;

/// A break of the file's own grammar.
pub(super) fn malformed(at: usize, message: &str) -> Problem {
    Problem::new(at, "format", "", "", message.to_owned())
}

/// The fields that hold tags.
const TAGS: [&str; 2] = ["Tags", "SharedTags"];

/// A library file, taken apart.
pub struct Manifest {
    /// The whole file.
    pub text: String,
    /// The same with blanks in the places of comments.
    code: String,
    /// The first is the global one, each other an entry.
    pub paragraphs: Vec<Paragraph>,
    /// How its lines end.
    pub newline: &'static str,
}

/// Fields with no empty line between them.
pub struct Paragraph {
    /// Its lines, from its first field to the end of its last.
    pub span: Range<usize>,
    /// In their order.
    pub fields: Vec<Field>,
}

/// A name and a value, which can go on in lines that begin with a space.
pub struct Field {
    /// Its lines, the comments among them too.
    pub lines: Range<usize>,
    /// Where its name stands.
    pub name: Range<usize>,
    /// Where its value stands, without the space around it.
    pub value: Range<usize>,
    /// The parts of the value between commas, without the space around them; an empty part is an empty range.
    pub items: Vec<Range<usize>>,
}

impl Manifest {
    /// Takes a file apart, and says what breaks the grammar.
    pub fn parse(text: &str) -> (Self, Vec<Problem>) {
        let (mut paragraphs, mut problems): (Vec<Paragraph>, Vec<Problem>) =
            (Vec::new(), Vec::new());
        let (mut at, mut is_between) = (0, true);
        let mut code = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let lines = at..at + line.len();
            at = lines.end;
            if line.starts_with('#') {
                code.extend(std::iter::repeat_n(' ', line.len()));
                continue;
            }
            code.push_str(line);
            if line.trim().is_empty() {
                if line.contains([' ', '\t']) && !is_between {
                    let message = "a line of spaces does not end a paragraph, and what follows becomes part of it: make it empty";
                    problems.push(malformed(lines.start, message));
                }
                is_between = true;
                continue;
            }
            if line.starts_with([' ', '\t']) {
                match paragraphs.last_mut().filter(|_| !is_between) {
                    Some(paragraph) => paragraph.extend(lines.end),
                    None => problems.push(malformed(
                        lines.start,
                        "a line that begins with a space continues a field, and there is none above it",
                    )),
                }
                continue;
            }
            let is_name =
                |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic());
            let Some(name) = line.split_once(':').map(|(name, _)| name).filter(is_name) else {
                let message = "found a line that is no field, expected `Name: value`, a comment or an empty line";
                problems.push(malformed(lines.start, message));
                continue;
            };
            let name = lines.start..lines.start + name.len();
            let field = Field {
                value: name.end + 1..lines.end,
                name,
                lines: lines.clone(),
                items: Vec::new(),
            };
            if is_between {
                paragraphs.push(Paragraph {
                    span: lines.clone(),
                    fields: Vec::new(),
                });
                is_between = false;
            }
            if let Some(paragraph) = paragraphs.last_mut() {
                paragraph.fields.push(field);
                paragraph.span.end = lines.end;
            }
        }
        if paragraphs.is_empty() && problems.is_empty() {
            let message =
                "has no field: expected a paragraph with Maintainers, then an entry for each image";
            problems.push(malformed(0, message));
        }
        for paragraph in &mut paragraphs {
            let mut names = BTreeSet::new();
            for field in &mut paragraph.fields {
                (field.value, field.items) = items(&code, field.value.clone());
                let name = &text[field.name.clone()];
                if !names.insert(name.to_ascii_lowercase()) {
                    let message = format!(
                        "a second `{name}` in one paragraph: remove one, or put an empty line between two entries"
                    );
                    problems.push(malformed(field.name.start, &message));
                }
            }
        }
        let manifest = Self {
            text: text.to_owned(),
            code,
            paragraphs,
            newline: if text.contains("\r\n") { "\r\n" } else { "\n" },
        };
        (manifest, problems)
    }

    /// The paragraphs that offer images.
    pub fn entries(&self) -> &[Paragraph] {
        self.paragraphs.get(1..).unwrap_or_default()
    }

    /// The first paragraph, whose fields hold for every entry that does not say otherwise.
    pub fn global(&self) -> Option<&Paragraph> {
        self.paragraphs.first()
    }

    /// Every field, of all paragraphs.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        let paragraphs = self.paragraphs.iter();
        paragraphs.flat_map(|paragraph| &paragraph.fields)
    }

    /// What a field is called.
    pub fn name(&self, field: &Field) -> &str {
        &self.text[field.name.clone()]
    }

    /// What a field holds, for whichever architecture: `GitCommit` also of `arm64v8-GitCommit`.
    pub fn bare_name(&self, field: &Field) -> &str {
        let name = self.name(field);
        name.rsplit('-').next().unwrap_or(name)
    }

    /// A paragraph's own field of that name.
    pub fn own<'a>(&self, paragraph: &'a Paragraph, name: &str) -> Option<&'a Field> {
        let mut fields = paragraph.fields.iter();
        fields.find(|field| self.name(field) == name)
    }

    /// A paragraph's field of that name, else the global one.
    pub fn field<'a>(&'a self, paragraph: &'a Paragraph, name: &str) -> Option<&'a Field> {
        self.own(paragraph, name)
            .or_else(|| self.own(self.global()?, name))
    }

    /// The value of a paragraph's field of that name, or of the global one.
    pub fn value(&self, paragraph: &Paragraph, name: &str) -> Option<Cow<'_, str>> {
        self.field(paragraph, name)
            .map(|field| self.said(&field.value))
    }

    /// The items of a paragraph's own field of that name, each with its text; empty ones are left out.
    pub fn items<'a>(
        &'a self,
        paragraph: &'a Paragraph,
        name: &str,
    ) -> impl Iterator<Item = (&'a Range<usize>, Cow<'a, str>)> {
        let field = self.own(paragraph, name);
        let items = field.into_iter().flat_map(|field| &field.items);
        let items = items.filter(|item| !item.is_empty());
        items.map(|item| (item, self.said(item)))
    }

    /// The tags of an entry, its own and those that it shares: the field's name, where each stands, and its text.
    pub fn tags<'a>(
        &'a self,
        entry: &'a Paragraph,
    ) -> impl Iterator<Item = (&'static str, &'a Range<usize>, Cow<'a, str>)> {
        TAGS.into_iter().flat_map(|name| {
            self.items(entry, name)
                .map(move |(item, tag)| (name, item, tag))
        })
    }

    /// A paragraph's own fields that hold commits, those of single architectures too.
    pub fn commits<'a>(&self, paragraph: &'a Paragraph) -> impl Iterator<Item = &'a Field> {
        let fields = paragraph.fields.iter();
        fields.filter(|field| self.bare_name(field) == "GitCommit")
    }

    /// What a span says: where it is folded, its lines joined, comments left out.
    pub fn said(&self, span: &Range<usize>) -> Cow<'_, str> {
        let code = self.code[span.clone()].trim();
        if !code.contains('\n') {
            return Cow::Borrowed(code);
        }
        let lines = code.lines().map(str::trim);
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        Cow::Owned(lines.join(" "))
    }

    /// A paragraph's lines, and those of the comment that stands right above it.
    pub fn with_comment(&self, paragraph: &Paragraph) -> Range<usize> {
        let start = paragraph.span.start;
        let lines = self.text[..start].split_inclusive('\n').rev();
        let comment = lines.take_while(|line| line.starts_with('#'));
        start - comment.map(str::len).sum::<usize>()..paragraph.span.end
    }
}

impl Paragraph {
    /// Extends the last field by a folded line.
    fn extend(&mut self, end: usize) {
        self.span.end = end;
        if let Some(field) = self.fields.last_mut() {
            field.lines.end = end;
            field.value.end = end;
        }
    }
}

/// A value without the space around it, and its parts between commas; `code` is the text without its comments.
fn items(code: &str, value: Range<usize>) -> (Range<usize>, Vec<Range<usize>>) {
    let value = code[value].trim();
    let parts = value.split(',').filter(|_| !value.is_empty());
    let items = parts.map(|part| span_of(code, part.trim()));
    (span_of(code, value), items.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_knows_where_it_stands() {
        let text = "# head\nMaintainers: A <a@b.c> (@a),\n\tB (@b)\nX:\n\nTags: 1.2.3,\n# a comment\n 1.2 ,latest\n";
        let (manifest, problems) = Manifest::parse(text);
        assert_eq!(problems.len(), 0);
        let said = |index: usize, name: &str| -> Vec<String> {
            manifest
                .items(&manifest.paragraphs[index], name)
                .map(|(_, said)| said.into_owned())
                .collect()
        };
        assert_eq!(said(0, "Maintainers"), ["A <a@b.c> (@a)", "B (@b)"]);
        assert_eq!(said(0, "X"), [""; 0]);
        assert_eq!(said(1, "Tags"), ["1.2.3", "1.2", "latest"]);
        assert_eq!(
            &text[manifest.paragraphs[1].span.clone()],
            "Tags: 1.2.3,\n# a comment\n 1.2 ,latest\n"
        );
    }

    #[test]
    fn what_is_not_of_the_grammar_is_named_by_its_place() {
        for (text, at) in [
            (" a: b\n", 0),
            ("A: b\n\n c\n", 6),
            ("A: b\nc\n", 5),
            ("A: b\na: c\n", 5),
            (": b\n", 0),
            ("A B: c\n", 0),
        ] {
            let (_, problems) = Manifest::parse(text);
            assert_eq!(
                problems
                    .iter()
                    .map(|problem| problem.at)
                    .collect::<Vec<_>>(),
                [at],
                "{text:?}"
            );
        }
    }
}
