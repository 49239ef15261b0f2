//! What stands where: a document's values without the values.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Error, Location, Spanned};

use crate::field::{Path, Step};

/// A part of a text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A value's place.
pub(super) struct Node {
    /// Where it is written. A mapping or a list in block style has no mark of its own and no length.
    pub(super) at: Extent,
    /// The alias through which it is meant here, if it is written elsewhere.
    pub(super) alias: Option<Extent>,
    pub(super) content: Content,
}

pub(super) enum Content {
    Scalar,
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
pub(super) struct Member {
    pub(super) name: String,
    /// Where its name is written.
    pub(super) key: Extent,
    pub(super) node: Node,
}

/// A value that was looked for, or the innermost one around it that is there.
#[derive(Clone, Copy)]
pub(super) struct Found<'n> {
    /// Where its name is written, if it has one.
    pub(super) key: Option<Extent>,
    pub(super) node: &'n Node,
}

/// The value of a YAML text, and where everything in it stands.
pub(super) fn parse(text: &str) -> Result<(Value, Node), Error> {
    let parsed: Spanned<Parsed> = serde_saphyr::from_str(text)?;
    Ok(placed(parsed))
}

/// An error of the reader without its place, which is shown by itself.
pub(super) fn in_words(error: &Error) -> String {
    let error = error.without_snippet();
    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!(
                "the field `{}` stands in one object twice: which one counts is anybody's guess",
                key.escape_debug()
            )
        }
        Error::MultipleDocuments { .. } => "a second document begins here: one file holds one".to_owned(),
        error => {
            let text = error.to_string();
            match text.rsplit_once(" at line ") {
                Some((text, _)) => text.replace("budget breached:", "more than is read of one file:"),
                None => text,
            }
        }
    }
}

impl Node {
    /// This node as the outermost one.
    pub(super) fn top(&self) -> Found<'_> {
        Found { key: None, node: self }
    }

    /// Follows the path as far as it leads.
    pub(super) fn found(&self, path: &Path<'_>) -> Found<'_> {
        let mut found = self.top();
        for step in path.steps() {
            let next = match (&found.node.content, step) {
                (Content::Object(members), Step::Member(name)) => {
                    members.iter().find(|member| member.name == *name).map(Member::found)
                }
                (Content::List(items), Step::Item(index)) => items.get(*index).map(Node::top),
                _ => None,
            };
            match next {
                Some(next) => found = next,
                None => break,
            }
        }
        found
    }

    /// The last byte of what is written of it on its first line.
    pub(super) fn end_on_line(&self, text: &str) -> usize {
        let end = self.at.end.max(self.at.start);
        let is_near = |other: usize| text.get(end..other).is_some_and(|between| !between.contains('\n'));
        let below: Option<usize> = match &self.content {
            Content::Scalar => None,
            Content::List(items) => {
                items.iter().rev().find_map(|item| Some(item.written_end(text)).filter(|end| is_near(*end)))
            }
            Content::Object(members) => members.iter().rev().find_map(|member| {
                let end = member.node.written_end(text);
                [end, member.key.end].into_iter().find(|end| is_near(*end))
            }),
        };
        below.unwrap_or(end)
    }

    fn written_end(&self, text: &str) -> usize {
        self.alias.map_or_else(|| self.end_on_line(text), |alias| alias.end)
    }
}

impl Member {
    fn found(&self) -> Found<'_> {
        Found { key: Some(self.key), node: &self.node }
    }
}

impl<'n> Found<'n> {
    /// Follows a path as the core writes it as far as it leads. Names may hold what separates steps: the reading that
    /// leads furthest counts.
    pub(super) fn below(self, path: &str) -> Self {
        self.furthest(path, true).1
    }

    /// The part of the path that is left, in bytes, and what was found.
    fn furthest(self, path: &str, is_top: bool) -> (usize, Self) {
        let here = (path.len(), self);
        let nexts: Vec<(&str, Self)> = match &self.node.content {
            Content::Scalar => Vec::new(),
            Content::List(items) => {
                let index = path.strip_prefix('[').and_then(|path| path.split_once(']'));
                let item = index
                    .and_then(|(index, rest)| Some((rest, items.get(index.parse::<usize>().ok()?)?.top())));
                item.into_iter().collect()
            }
            Content::Object(members) => {
                let Some(path) = (if is_top { Some(path) } else { path.strip_prefix('.') }) else {
                    return here;
                };
                let ends = |rest: &&str| rest.is_empty() || rest.starts_with(['.', '[']);
                let after = |member: &'n Member| {
                    let escaped = member.name.escape_debug().to_string();
                    let rest = path.strip_prefix(member.name.as_str()).filter(ends);
                    rest.or_else(|| path.strip_prefix(escaped.as_str()).filter(ends))
                        .map(|rest| (rest, member.found()))
                };
                members.iter().filter_map(after).collect()
            }
        };
        let further = nexts.into_iter().map(|(rest, next)| next.furthest(rest, false));
        further.chain([here]).min_by_key(|(left, _)| *left).unwrap_or(here)
    }
}

/// A value while it is read.
struct Parsed {
    value: Value,
    content: Content,
}

fn placed(parsed: Spanned<Parsed>) -> (Value, Node) {
    let at = extent(parsed.defined);
    let alias = (parsed.referenced != parsed.defined).then(|| extent(parsed.referenced));
    (parsed.value.value, Node { at, alias, content: parsed.value.content })
}

fn extent(location: Location) -> Extent {
    let span = location.span();
    let start = span.byte_offset().map_or(0, |offset| offset as usize);
    Extent { start, end: start + span.byte_len().map_or(0, |length| length as usize) }
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Takes values as `serde_json::Value` does. Depth and size are bounded by serde-saphyr's budget.
struct Reader;

impl Reader {
    fn scalar<E>(value: impl Into<Value>) -> Result<Parsed, E> {
        Ok(Parsed { value: value.into(), content: Content::Scalar })
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Parsed;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Parsed, E> {
        Self::scalar(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Parsed, E> {
        Self::scalar(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Parsed, E> {
        Self::scalar(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Parsed, E> {
        Self::scalar(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Parsed, E> {
        Self::scalar(value)
    }

    fn visit_string<E>(self, value: String) -> Result<Parsed, E> {
        Self::scalar(value)
    }

    fn visit_unit<E>(self) -> Result<Parsed, E> {
        Self::scalar(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Parsed, E> {
        Self::scalar(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Parsed, D::Error> {
        Parsed::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Parsed, A::Error> {
        let (mut values, mut nodes) = (Vec::new(), Vec::new());
        while let Some(item) = items.next_element()? {
            let (value, node) = placed(item);
            values.push(value);
            nodes.push(node);
        }
        Ok(Parsed { value: Value::Array(values), content: Content::List(nodes) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Parsed, A::Error> {
        let (mut values, mut members) = (Map::new(), Vec::new());
        while let Some((name, item)) = entries.next_entry::<Spanned<String>, _>()? {
            let (value, node) = placed(item);
            values.insert(name.value.clone(), value);
            members.push(Member { name: name.value, key: extent(name.defined), node });
        }
        Ok(Parsed { value: Value::Object(values), content: Content::Object(members) })
    }
}
