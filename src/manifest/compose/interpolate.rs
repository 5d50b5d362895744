//! `$NAME`, `${NAME}`, `${NAME:-default}` and the like.
//!
//! The rules are Compose's own as serde-saphyr implements them, but applied to one text at a time: so every missing
//! variable is reported and not only the first, and a number that comes from a variable keeps its spelling
//! (`RUBY=3.10` stays `3.10`).

use std::collections::HashMap;

use serde_saphyr::Error;
use serde_saphyr::options::PropertySyntax;

use super::super::findings::Findings;
use super::tree::{Node, Value};

/// Looks a variable up.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Why a text could not be filled in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfilled {
    /// Whether a `$` starts no variable, rather than a required variable having no value.
    pub(super) stray: bool,
    pub(super) message: String,
    pub(super) help: String,
}

/// Fills the variables in everywhere below `node`; what can't be is reported and left as it is.
pub(super) fn fill(node: &mut Node, lookup: Lookup<'_>, findings: &mut Findings) {
    match &mut node.value {
        Value::Null => {}
        Value::Text(text) => match expand(text, lookup) {
            Ok(filled) => *text = filled,
            Err(unfilled) => findings.problem(node.place, unfilled.message, unfilled.help),
        },
        Value::List(items) => items.iter_mut().for_each(|item| fill(item, lookup, findings)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| fill(&mut entry.node, lookup, findings)),
    }
}

/// Fills the variables of one text in. One that is unset and has no default becomes empty, as in Compose.
pub(super) fn expand(text: &str, lookup: Lookup<'_>) -> Result<String, Unfilled> {
    if !text.contains('$') {
        return Ok(text.to_owned());
    }
    let invalid = || Unfilled {
        stray: true,
        message: "a \"$\" that starts no variable".to_owned(),
        help: "write $$ for a plain \"$\", and ${NAME} or ${NAME:-default} for a variable".to_owned(),
    };
    // JSON's quoting is YAML's double quoting.
    let quoted = serde_json::to_string(text).map_err(|_| invalid())?;
    let options = serde_saphyr::options! {
        property_syntax: PropertySyntax::DockerCompose,
        with_snippet: false,
    };
    let options = options.with_properties(values_of_names_in(text, lookup));
    serde_saphyr::from_str_with_options::<String>(&quoted, options).map_err(|error| {
        if let Error::PropertyRequiredButUnset { name, message, .. } = &error {
            required(name, message, "not set")
        } else if let Error::PropertyRequiredButEmpty { name, message, .. } = &error {
            required(name, message, "empty")
        } else {
            invalid()
        }
    })
}

fn required(name: &str, message: &str, state: &str) -> Unfilled {
    let reason = if message.is_empty() { String::new() } else { format!(": {message}") };
    Unfilled {
        stray: false,
        message: format!("the variable {name} is required but {state}{reason}"),
        help: format!("set {name} in the environment, or in a file named .env beside the Compose file"),
    }
}

/// The values of all names that `text` might mean. serde-saphyr wants a table; there is none of all that `lookup`
/// knows, and a name too many does no harm.
fn values_of_names_in(text: &str, lookup: Lookup<'_>) -> HashMap<String, String> {
    let is_name = |c: char| c == '_' || c.is_alphanumeric();
    text.split('$')
        .skip(1)
        .map(|rest| rest.strip_prefix('{').unwrap_or(rest))
        .map(|rest| rest.split(|c| !is_name(c)).next().unwrap_or_default())
        .filter(|name| !name.is_empty())
        .filter_map(|name| Some((name.to_owned(), lookup(name)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Option<String> {
        match name {
            "TAG" => Some("3.10".to_owned()),
            "EMPTY" => Some(String::new()),
            "ODD" => Some("a\"b: {c}\n$TAG".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn every_style_is_filled_in() {
        for (text, expected) in [
            ("plain", "plain"),
            ("$TAG", "3.10"),
            ("ruby:${TAG}-slim", "ruby:3.10-slim"),
            ("${UNSET}", ""),
            ("${UNSET:-default}", "default"),
            ("${UNSET-default}", "default"),
            ("${EMPTY:-default}", "default"),
            ("${EMPTY-default}", ""),
            ("${UNSET:-${TAG}}", "3.10"),
            ("${TAG:+set}", "set"),
            ("${UNSET+set}", ""),
            ("${TAG:?needed}", "3.10"),
            ("$$TAG costs $$5", "$TAG costs $5"),
            ("${ODD}", "a\"b: {c}\n$TAG"),
            ("quote \" back\\slash\ttab é", "quote \" back\\slash\ttab é"),
        ] {
            assert_eq!(expand(text, &known), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_required_variable_says_its_message() {
        let unset = expand("${DB_PASS:?set a password}", &known).unwrap_err();
        assert_eq!(unset.message, "the variable DB_PASS is required but not set: set a password");
        let empty = expand("${EMPTY:?}", &known).unwrap_err();
        assert_eq!(empty.message, "the variable EMPTY is required but empty");
    }

    #[test]
    fn a_stray_dollar_is_a_problem() {
        assert!(expand("${not closed", &known).is_err());
        assert!(expand("${}", &known).is_err());
    }
}
