//! One definition of a service put over another, by Compose's rules: as a second file does, and a service that extends
//! another. Pure.
//!
//! Maps are merged key by key, lists appended, anything else replaced. The exceptions stand in [`rule`].

use super::tree::{Entry, Node, Tag, Value};

/// How the values of a setting go together.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// By what they are: maps by key, lists one after the other, anything else replaced.
    AsTheyAre,
    /// The later one alone.
    Replace,
    /// `NAME: value` maps or `NAME=value` lists, by name.
    Pairs,
    /// Maps by key, where a list is a map of names without values and a text is a map with this one key.
    Map(&'static str),
    /// As maps, but only of the same `driver`.
    SameDriver,
    /// Lists, or single texts, in which the later of two items with the same key stands.
    Items(fn(&Node) -> Option<String>),
}

fn rule(path: &[&str]) -> Rule {
    match path {
        ["command" | "entrypoint"] | ["healthcheck", "test"] => Rule::Replace,
        ["environment" | "labels" | "annotations" | "sysctls"]
        | ["build", "args" | "labels" | "additional_contexts"]
        | ["deploy", "labels"] => Rule::Pairs,
        ["build"] => Rule::Map("context"),
        ["depends_on" | "networks"] => Rule::Map(""),
        ["logging"] => Rule::SameDriver,
        ["volumes" | "devices"] => Rule::Items(|node| target(node, 1, "")),
        ["tmpfs"] => Rule::Items(|node| target(node, 0, "")),
        ["configs"] => Rule::Items(|node| target(node, 0, "/")),
        ["secrets"] => Rule::Items(|node| target(node, 0, "/run/secrets/")),
        ["ports"] => Rule::Items(port),
        ["env_file" | "label_file" | "dns" | "dns_opt" | "dns_search"] => Rule::Items(|node| field(node, "path")),
        _ => Rule::AsTheyAre,
    }
}

/// Puts the service `over` over `base`.
pub(super) fn service(base: Node, over: Node) -> Node {
    merge(base, over, &mut Vec::new())
}

/// Puts one section of the top level, such as `volumes`, over another.
pub(super) fn section(base: Node, over: Node) -> Node {
    maps(base, over, &mut vec!["services".to_owned()])
}

/// Drops what is tagged `!reset` where there was nothing to be reset.
pub(super) fn without_reset(node: &mut Node) {
    match &mut node.value {
        Value::Null | Value::Text(_) => {}
        Value::List(items) => items.iter_mut().for_each(without_reset),
        Value::Map(entries) => {
            entries.retain(|entry| entry.tag != Some(Tag::Reset));
            entries.iter_mut().for_each(|entry| without_reset(&mut entry.node));
        }
    }
}

fn merge(base: Node, over: Node, path: &mut Vec<String>) -> Node {
    // Who writes a key without a value leaves what is there, as in Compose.
    if over.value == Value::Null {
        return base;
    }
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    match rule(&names) {
        Rule::Replace => over,
        Rule::Pairs => maps(pairs(base), pairs(over), path),
        Rule::Map(key) => maps(as_map(base, key), as_map(over, key), path),
        Rule::SameDriver => {
            let driver = |node: &Node| field(node, "driver");
            if driver(&base) == driver(&over) || driver(&over).is_none() { maps(base, over, path) } else { over }
        }
        Rule::Items(key) => items(base, over, key),
        Rule::AsTheyAre => match (&base.value, &over.value) {
            (Value::Map(_), Value::Map(_)) => maps(base, over, path),
            (Value::List(_), Value::List(_)) => items(base, over, text),
            (Value::Null | Value::Text(_) | Value::List(_) | Value::Map(_), _) => over,
        },
    }
}

fn maps(base: Node, over: Node, path: &mut Vec<String>) -> Node {
    match (base.value, over.value) {
        (Value::Map(mut entries), Value::Map(later)) => {
            for entry in later {
                put(&mut entries, entry, path);
            }
            Node { place: base.place, value: Value::Map(entries) }
        }
        (below, Value::Null) => Node { place: base.place, value: below },
        (_, above) => Node { place: over.place, value: above },
    }
}

fn put(entries: &mut Vec<Entry>, entry: Entry, path: &mut Vec<String>) {
    let Some(index) = entries.iter().position(|below| below.key == entry.key) else {
        if entry.tag != Some(Tag::Reset) {
            entries.push(entry);
        }
        return;
    };
    match entry.tag {
        Some(Tag::Reset) => {
            entries.remove(index);
        }
        Some(Tag::Override) => entries[index] = entry,
        None => {
            path.push(entry.key.clone());
            let below = &mut entries[index];
            let taken = std::mem::replace(&mut below.node, Node { place: below.place, value: Value::Null });
            // A value that is replaced is blamed where it was written last.
            if !matches!(entry.node.value, Value::Null | Value::Map(_)) {
                below.place = entry.place;
            }
            below.node = merge(taken, entry.node, path);
            path.pop();
        }
    }
}

/// A list of `NAME=value` as a map; what is neither stays, and is reported by who reads it.
fn pairs(node: Node) -> Node {
    let Value::List(items) = &node.value else { return node };
    let mut entries: Vec<Entry> = Vec::new();
    for item in items {
        let Value::Text(text) = &item.value else { return node };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Value::Text(value.to_owned())),
            None => (text.as_str(), Value::Null),
        };
        let node = Node { place: item.place, value };
        let entry = Entry { key: name.to_owned(), place: item.place, node, tag: None };
        // A name without a value takes that of the process, so that it replaces, too.
        match entries.iter_mut().find(|below| below.key == entry.key) {
            Some(below) => *below = entry,
            None => entries.push(entry),
        }
    }
    Node { place: node.place, value: Value::Map(entries) }
}

fn as_map(node: Node, key_of_text: &str) -> Node {
    match node.value {
        Value::Text(text) if !key_of_text.is_empty() => {
            let inner = Node { place: node.place, value: Value::Text(text) };
            let entry = Entry { key: key_of_text.to_owned(), place: node.place, node: inner, tag: None };
            Node { place: node.place, value: Value::Map(vec![entry]) }
        }
        Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Text(_))) => {
            let entries = items.into_iter().filter_map(|item| match item.value {
                Value::Text(key) => {
                    let node = Node { place: item.place, value: Value::Null };
                    Some(Entry { key, place: item.place, node, tag: None })
                }
                Value::Null | Value::List(_) | Value::Map(_) => None,
            });
            Node { place: node.place, value: Value::Map(entries.collect()) }
        }
        value @ (Value::Null | Value::Text(_) | Value::List(_) | Value::Map(_)) => Node { place: node.place, value },
    }
}

fn items(base: Node, over: Node, key: fn(&Node) -> Option<String>) -> Node {
    let as_items = |node: Node| match node.value {
        Value::List(items) => Some(items),
        Value::Text(_) => Some(vec![node]),
        Value::Null | Value::Map(_) => None,
    };
    let place = base.place;
    let Some(mut list) = as_items(base) else { return over };
    // What is no list is kept as it is, and reported by who reads it.
    if let Value::Map(_) = over.value {
        return over;
    }
    for item in as_items(over).unwrap_or_default() {
        let name = key(&item);
        match list.iter_mut().find(|below| name.is_some() && key(below) == name) {
            Some(below) => *below = item,
            None => list.push(item),
        }
    }
    Node { place, value: Value::List(list) }
}

fn text(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

/// A text, or the text under `key` of a map.
fn field(node: &Node, key: &str) -> Option<String> {
    text(node).or_else(|| text(&node.get(key)?.node))
}

/// The path within the container: that part of a text between colons, or the only one; `folder` is put in front of
/// one that isn't absolute.
fn target(node: &Node, part: usize, folder: &str) -> Option<String> {
    let target = match &node.value {
        Value::Text(text) => {
            let parts: Vec<&str> = text.split(':').collect();
            parts.get(part).or(parts.first()).map(|part| (*part).to_owned())
        }
        Value::Map(_) => node.get("target").or_else(|| node.get("source")).and_then(|entry| text(&entry.node)),
        Value::Null | Value::List(_) => None,
    }?;
    let target = if target.starts_with('/') || folder.is_empty() { target } else { format!("{folder}{target}") };
    Some(target.trim_end_matches('/').to_owned())
}

/// A port with all that makes it another one.
fn port(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(if text.contains('/') { text.clone() } else { format!("{text}/tcp") }),
        Value::Map(_) => {
            let part = |key: &str| node.get(key).and_then(|entry| text(&entry.node));
            let in_front = |key: &str| part(key).map(|text| format!("{text}:")).unwrap_or_default();
            let protocol = part("protocol").unwrap_or_else(|| "tcp".to_owned());
            Some(format!("{}{}{}/{protocol}", in_front("host_ip"), in_front("published"), part("target")?))
        }
        Value::Null | Value::List(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The merged service as one line, for reading.
    fn merged(base: &str, over: &str) -> String {
        show(&service(Node::parse(base, 0).unwrap(), Node::parse(over, 1).unwrap()))
    }

    fn show(node: &Node) -> String {
        let all = |texts: Vec<String>| texts.join(", ");
        match &node.value {
            Value::Null => "~".to_owned(),
            Value::Text(text) => text.clone(),
            Value::List(items) => format!("[{}]", all(items.iter().map(show).collect())),
            Value::Map(entries) => {
                let entries = entries.iter().map(|entry| format!("{}: {}", entry.key, show(&entry.node)));
                format!("{{{}}}", all(entries.collect()))
            }
        }
    }

    #[test]
    fn every_setting_is_merged_as_compose_merges_it() {
        for (base, over, expected) in [
            ("image: a", "image: b", "{image: b}"),
            ("image: a", "image:", "{image: a}"),
            ("image: a", "build: .", "{image: a, build: .}"),
            ("command: a b", "command: [c]", "{command: [c]}"),
            ("entrypoint: [a]", "entrypoint: [b]", "{entrypoint: [b]}"),
            ("environment: [A=1, B=2, C]", "environment: { B: 3, D: }", "{environment: {A: 1, B: 3, C: ~, D: ~}}"),
            ("labels: { a: x }", "labels: [a=y, b=z]", "{labels: {a: y, b: z}}"),
            ("ports: ['80:80', '81']", "ports: ['80:80', '82:80']", "{ports: [80:80, 81, 82:80]}"),
            (
                "ports: ['8080:80']",
                "ports: [{ target: 80, published: 8080 }]",
                "{ports: [{target: 80, published: 8080}]}",
            ),
            ("expose: [80]", "expose: [81, 80]", "{expose: [80, 81]}"),
            ("dns: 1.1.1.1", "dns: [1.1.1.1, 8.8.8.8]", "{dns: [1.1.1.1, 8.8.8.8]}"),
            (
                "volumes: ['./a:/data', 'b:/b']",
                "volumes: [{ type: bind, source: ./c, target: /data/ }, '/x']",
                "{volumes: [{type: bind, source: ./c, target: /data/}, b:/b, /x]}",
            ),
            ("tmpfs: /tmp", "tmpfs: ['/tmp:size=1m', /run]", "{tmpfs: [/tmp:size=1m, /run]}"),
            ("devices: ['/a:/x']", "devices: ['/b:/x:r']", "{devices: [/b:/x:r]}"),
            ("depends_on: [a]", "depends_on: { b: { condition: c } }", "{depends_on: {a: ~, b: {condition: c}}}"),
            ("networks: [a]", "networks: { a: { aliases: [x] } }", "{networks: {a: {aliases: [x]}}}"),
            ("build: .", "build: { target: t }", "{build: {context: ., target: t}}"),
            ("build: { args: [A=1] }", "build: { args: { A: 2 } }", "{build: {args: {A: 2}}}"),
            (
                "logging: { driver: a, options: { x: 1 } }",
                "logging: { options: { y: 2 } }",
                "{logging: {driver: a, options: {x: 1, y: 2}}}",
            ),
            ("logging: { driver: a, options: { x: 1 } }", "logging: { driver: b }", "{logging: {driver: b}}"),
            (
                "healthcheck: { test: [CMD, a], retries: 3 }",
                "healthcheck: { test: [CMD, b] }",
                "{healthcheck: {test: [CMD, b], retries: 3}}",
            ),
            ("secrets: [a, b]", "secrets: [{ source: c, target: a }]", "{secrets: [{source: c, target: a}, b]}"),
            (
                "ulimits: { nofile: 1, nproc: 2 }",
                "ulimits: { nofile: { soft: 3 } }",
                "{ulimits: {nofile: {soft: 3}, nproc: 2}}",
            ),
            ("env_file: a.env", "env_file: [b.env, a.env]", "{env_file: [a.env, b.env]}"),
            ("cap_add: [A]", "cap_add: [A, B]", "{cap_add: [A, B]}"),
        ] {
            assert_eq!(merged(base, over), expected, "{base} under {over}");
        }
    }

    #[test]
    fn tags_take_away_and_replace() {
        let base = "ports: ['80:80']\nenvironment: { A: 1, B: 2 }\nvolumes: ['a:/a']\n";
        let over = "ports: !reset []\nenvironment: !override\n  C: 3\nvolumes: ['b:/b']\nexpose: !reset\n";
        assert_eq!(merged(base, over), "{environment: {C: 3}, volumes: [a:/a, b:/b]}");
        let mut alone = Node::parse("a: 1\nb: !reset 2\n", 0).unwrap();
        without_reset(&mut alone);
        assert_eq!(show(&alone), "{a: 1}");
    }

    #[test]
    fn what_is_replaced_is_blamed_where_it_was_written_last() {
        let node = service(Node::parse("image: a\ncpus: 1", 0).unwrap(), Node::parse("\ncpus: many", 1).unwrap());
        let place = |key| node.get(key).map(|entry| (entry.place.file, entry.node.place.file, entry.node.place.line));
        assert_eq!(place("image"), Some((0, 0, 1)));
        assert_eq!(place("cpus"), Some((1, 1, 2)));
    }
}
