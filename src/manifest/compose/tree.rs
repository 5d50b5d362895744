//! A Compose file as a tree in which every node knows its line.
//!
//! Serde's derived structs stop at the first thing they dislike; a tree can be walked to the end, so that all
//! problems are reported at once. YAML's own matters (anchors, merge keys, duplicate keys) are settled here.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::NonFiniteFloatPolicy;
use serde_saphyr::{Spanned, UserMessageFormatter};

/// A value and the line it was written in; for an alias or a merge, the line of the original.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
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
    pub(super) line: usize,
    pub(super) node: Node,
}

/// Why a text is no YAML.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

impl Node {
    /// Reads YAML text.
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxError> {
        let options = serde_saphyr::options! {
            // `yes` and `on` are words, as in Compose.
            strict_booleans: true,
            // Who writes `0755` doesn't mean 493, which is what Compose makes of it.
            leading_zero_numbers_as_strings: true,
            non_finite_float_policy: NonFiniteFloatPolicy::AsString,
            with_snippet: false,
        };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| SyntaxError {
            line: error.location().and_then(|location| usize::try_from(location.line()).ok()).filter(|line| *line > 0),
            message: without_place(&error.render_with_formatter(&UserMessageFormatter)),
        })
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
        Ok(Self { line: line_of(&spanned), value: spanned.value })
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

fn line_of<T>(spanned: &Spanned<T>) -> usize {
    usize::try_from(spanned.defined.line()).unwrap_or(usize::MAX)
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
            let line = line_of(&key);
            entries.push(Entry { key: key.value, line, node: pairs.next_value()? });
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
            Value::Text(text) => Some((text.clone(), node.line)),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    #[test]
    fn every_value_knows_its_line() {
        let node = Node::parse("a: 1\nb:\n  c: yes\n  d: 0755\n").unwrap();
        assert_eq!(text(&node, &["a"]), Some(("1".to_owned(), 1)));
        assert_eq!(text(&node, &["b", "c"]), Some(("yes".to_owned(), 3)));
        assert_eq!(text(&node, &["b", "d"]), Some(("0755".to_owned(), 4)));
    }

    #[test]
    fn merged_and_aliased_values_keep_the_line_where_they_were_written() {
        let yaml = "x-base: &base\n  one: 1\n  two: 2\nwhole: *base\nmerged:\n  <<: *base\n  two: own\n";
        let node = Node::parse(yaml).unwrap();
        assert_eq!(text(&node, &["whole", "two"]), Some(("2".to_owned(), 3)));
        assert_eq!(text(&node, &["merged", "one"]), Some(("1".to_owned(), 2)));
        assert_eq!(text(&node, &["merged", "two"]), Some(("own".to_owned(), 7)));
    }

    #[test]
    fn syntax_errors_have_a_line() {
        let error = Node::parse("services:\n  web:\n    image: [a\n").unwrap_err();
        assert!(error.line.is_some(), "{error:?}");
        let error = Node::parse("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!(error.line, Some(3));
    }
}
