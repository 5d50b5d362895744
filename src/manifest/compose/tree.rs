//! A Compose file as a tree in which every node knows its line.
//!
//! Serde's derived structs stop at the first thing they dislike; a tree can be walked to the end, so that all
//! problems are reported at once. YAML's own matters (anchors, merge keys, duplicate keys) are settled here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::NonFiniteFloatPolicy;
use serde_saphyr::{Spanned, UserMessageFormatter};

use super::super::findings::Place;

/// A value and the place it was written in; for an alias or a merge, the place of the original.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// A YAML value. Numbers and truth values are kept as text: what they mean is up to who reads them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map with its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) node: Node,
    /// How its value goes together with one that it is merged over.
    pub(super) tag: Option<Tag>,
}

/// Compose's own YAML tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// `!reset`: as if neither this nor the value below it had been written.
    Reset,
    /// `!override`: replaces the value below it instead of being merged with it.
    Override,
}

/// Why a text is no YAML.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

impl Node {
    /// Reads the YAML text of the file with this number.
    pub(super) fn parse(text: &str, file: usize) -> Result<Self, SyntaxError> {
        let (text, tags) = without_tags(text);
        let options = serde_saphyr::options! {
            // `yes` and `on` are words, as in Compose.
            strict_booleans: true,
            // Who writes `0755` doesn't mean 493, which is what Compose makes of it.
            leading_zero_numbers_as_strings: true,
            non_finite_float_policy: NonFiniteFloatPolicy::AsString,
            with_snippet: false,
        };
        let parsed: Result<Self, _> = serde_saphyr::from_str_with_options(&text, options);
        let mut node = parsed.map_err(|error| SyntaxError {
            line: error.location().and_then(|location| usize::try_from(location.line()).ok()).filter(|line| *line > 0),
            message: without_place(&error.render_with_formatter(&UserMessageFormatter)),
        })?;
        node.settle(file, &tags);
        Ok(node)
    }

    /// Writes the file, and the tags of its lines, into everything below.
    fn settle(&mut self, file: usize, tags: &BTreeMap<usize, Tag>) {
        self.place.file = file;
        match &mut self.value {
            Value::Null | Value::Text(_) => {}
            Value::List(items) => items.iter_mut().for_each(|item| item.settle(file, tags)),
            Value::Map(entries) => {
                for entry in entries {
                    entry.place.file = file;
                    entry.tag = tags.get(&entry.place.line).copied();
                    entry.node.settle(file, tags);
                }
            }
        }
    }

    /// The value of `key`, if this is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            Value::Null | Value::Text(_) | Value::List(_) => None,
        }
    }

    /// What this is, in a sentence.
    ///
    /// It never quotes: a text where none belongs may be a secret.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "empty",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { place: place_of(&spanned), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// Drops ` at line 3, column 12`: the line stands in front of the message.
fn without_place(message: &str) -> String {
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message[..end].trim().replace('\n', " ")
}

fn place_of<T>(spanned: &Spanned<T>) -> Place {
    Place { file: 0, line: usize::try_from(spanned.defined.line()).unwrap_or(usize::MAX) }
}

/// Blanks Compose's tags, which the YAML reader does not hand on, and says which lines had one. The tag of a key must
/// stand in the key's line; nothing is moved, so that every line keeps its number.
fn without_tags(text: &str) -> (Cow<'_, str>, BTreeMap<usize, Tag>) {
    let mut tags = BTreeMap::new();
    if !text.contains("!reset") && !text.contains("!override") {
        return (Cow::Borrowed(text), tags);
    }
    let mut lines: Vec<String> = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let mut line = line.to_owned();
        for (word, tag) in [("!reset", Tag::Reset), ("!override", Tag::Override)] {
            let Some(start) = line.find(word) else { continue };
            let (before, after) = (&line[..start], &line[start + word.len()..]);
            let key = before.trim().strip_suffix(':');
            if key.is_some_and(is_plain_key) && (after.is_empty() || after.starts_with([' ', '\t', '\r'])) {
                tags.insert(index + 1, tag);
                line.replace_range(start..start + word.len(), &" ".repeat(word.len()));
            }
        }
        lines.push(line);
    }
    (Cow::Owned(lines.join("\n")), tags)
}

fn is_plain_key(text: &str) -> bool {
    let text = text.trim_matches(['"', '\'']);
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    // An unquoted `3.10` becomes `3.1`, as it does in Compose.
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = pairs.next_key::<Spanned<String>>()? {
            let place = place_of(&key);
            entries.push(Entry { key: key.value, place, node: pairs.next_value()?, tag: None });
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(node: &Node, path: &[&str]) -> Option<(String, usize)> {
        let mut node = node;
        for key in path {
            node = &node.get(key)?.node;
        }
        match &node.value {
            Value::Text(text) => Some((text.clone(), node.place.line)),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    #[test]
    fn every_value_knows_its_line() {
        let node = Node::parse("a: 1\nb:\n  c: yes\n  d: 0755\n", 0).unwrap();
        assert_eq!(text(&node, &["a"]), Some(("1".to_owned(), 1)));
        assert_eq!(text(&node, &["b", "c"]), Some(("yes".to_owned(), 3)));
        assert_eq!(text(&node, &["b", "d"]), Some(("0755".to_owned(), 4)));
    }

    #[test]
    fn merged_and_aliased_values_keep_the_line_where_they_were_written() {
        let yaml = "x-base: &base\n  one: 1\n  two: 2\nwhole: *base\nmerged:\n  <<: *base\n  two: own\n";
        let node = Node::parse(yaml, 0).unwrap();
        assert_eq!(text(&node, &["whole", "two"]), Some(("2".to_owned(), 3)));
        assert_eq!(text(&node, &["merged", "one"]), Some(("1".to_owned(), 2)));
        assert_eq!(text(&node, &["merged", "two"]), Some(("own".to_owned(), 7)));
    }

    #[test]
    fn syntax_errors_have_a_line() {
        let error = Node::parse("services:\n  web:\n    image: [a\n", 0).unwrap_err();
        assert!(error.line.is_some(), "{error:?}");
        let error = Node::parse("a: 1\nb: 2\na: 3\n", 0).unwrap_err();
        assert_eq!(error.line, Some(3));
    }

    #[test]
    fn tags_of_compose_are_told_from_text() {
        let yaml = "a:\n  ports: !reset []\n  command: !override\n    - x\n  text: 'no !reset here'\n  plain: 1\n";
        let node = Node::parse(yaml, 3).unwrap();
        let a = &node.get("a").unwrap().node;
        let tag = |key| a.get(key).unwrap().tag;
        assert_eq!(tag("ports"), Some(Tag::Reset));
        assert_eq!(tag("command"), Some(Tag::Override));
        assert_eq!((tag("text"), tag("plain")), (None, None));
        assert_eq!(text(&node, &["a", "text"]), Some(("no !reset here".to_owned(), 5)));
        assert_eq!(a.get("plain").unwrap().place, Place { file: 3, line: 6 });
    }
}
