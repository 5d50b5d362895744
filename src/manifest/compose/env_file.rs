//! Files with a variable a line: `env_file` and `.env`.

use super::interpolate::{Lookup, expand};

/// A variable of a file. Without a value it is passed through from the process environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: Option<String>,
}

/// A line that could not be read. It never quotes the line: what stands there may be a secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadLine {
    pub(super) line: usize,
    pub(super) message: &'static str,
}

/// Reads `NAME=value` lines; blank lines and those that start with `#` are skipped, `export ` in front is dropped.
///
/// Single quotes keep all; double quotes know `\n`, `\t`, `\"`, `\\` and `\$`; both may span lines. Without quotes the
/// value ends at ` #`. Variables are filled in but for single quotes, from `lookup` first and from the lines above.
/// With `raw` everything after `=` is the value.
pub(super) fn parse(text: &str, raw: bool, lookup: Lookup<'_>) -> (Vec<Variable>, Vec<BadLine>) {
    let mut variables: Vec<Variable> = Vec::new();
    let mut bad = Vec::new();
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    while let Some((number, line)) = lines.next() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let content = content.strip_prefix("export ").map_or(content, str::trim_start);
        let (name, value) = match content.split_once('=') {
            Some((name, value)) => (name.trim(), Some(if raw { value } else { value.trim_start() })),
            None => (content, None),
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            bad.push(BadLine { line: number, message: "expected NAME=value" });
            continue;
        }
        let known = |wanted: &str| {
            let above = || variables.iter().rev().find(|variable| variable.name == wanted);
            lookup(wanted).or_else(|| above().and_then(|variable| variable.value.clone()))
        };
        let value = match value {
            Some(value) if !raw => match unquote(value, &mut lines, &known) {
                Ok(value) => Some(value),
                Err(message) => {
                    bad.push(BadLine { line: number, message });
                    continue;
                }
            },
            as_it_is => as_it_is.map(str::to_owned),
        };
        variables.push(Variable { name: name.to_owned(), value });
    }
    (variables, bad)
}

fn unquote<'t>(
    value: &'t str,
    lines: &mut impl Iterator<Item = (usize, &'t str)>,
    lookup: Lookup<'_>,
) -> Result<String, &'static str> {
    // Passwords are full of dollars: one that starts no variable is just that.
    let fill = |text: &str| match expand(text, lookup) {
        Err(unfilled) if unfilled.stray => Ok(text.replace("$$", "$")),
        other => other.map_err(|_| "a variable that the value requires is not set"),
    };
    let Some(quote @ ('"' | '\'')) = value.chars().next() else {
        let end = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
        let bare = if value.starts_with('#') { "" } else { &value[..end] };
        return fill(bare.trim_end());
    };
    let mut inner = String::new();
    let mut line = &value[1..];
    loop {
        let mut characters = line.chars();
        while let Some(c) = characters.next() {
            match c {
                '\\' if quote == '"' => match characters.next() {
                    Some('n') => inner.push('\n'),
                    Some('r') => inner.push('\r'),
                    Some('t') => inner.push('\t'),
                    Some('$') => inner.push_str("$$"),
                    Some(escaped @ ('"' | '\\')) => inner.push(escaped),
                    Some(other) => inner.extend(['\\', other]),
                    None => inner.push('\\'),
                },
                closing if closing == quote => {
                    let after = characters.as_str().trim_start();
                    if !after.is_empty() && !after.starts_with('#') {
                        return Err("there is text after the closing quote");
                    }
                    return if quote == '"' { fill(&inner) } else { Ok(inner) };
                }
                plain => inner.push(plain),
            }
        }
        inner.push('\n');
        line = lines.next().ok_or("the quote is not closed")?.1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, Option<String>)> {
        let (variables, bad) = parse(text, false, &|name| (name == "HOST").then(|| "db".to_owned()));
        assert_eq!(bad, []);
        variables.into_iter().map(|variable| (variable.name, variable.value)).collect()
    }

    #[test]
    fn every_form_of_line_is_read() {
        for (text, name, value) in [
            ("A=1", "A", "1"),
            ("export A=1", "A", "1"),
            ("A = spaced out ", "A", "spaced out"),
            ("A=", "A", ""),
            ("A=x # comment", "A", "x"),
            ("A=x#kept", "A", "x#kept"),
            ("A=# nothing", "A", ""),
            ("A=b=c", "A", "b=c"),
            ("A='it # is $HOST'", "A", "it # is $HOST"),
            (r#"A="x\ty\n\"z\" \$HOST" # comment"#, "A", "x\ty\n\"z\" $HOST"),
            ("A=\"two\nlines\"", "A", "two\nlines"),
            ("URL=pg://${HOST}/shop", "URL", "pg://db/shop"),
            ("URL=\"pg://$HOST/${NAME:-shop}\"", "URL", "pg://db/shop"),
            ("A=1\r", "A", "1"),
            ("A=pa$!ss", "A", "pa$!ss"),
        ] {
            assert_eq!(values(text), [(name.to_owned(), Some(value.to_owned()))], "{text}");
        }
    }

    #[test]
    fn comments_and_blank_lines_are_skipped_and_a_bare_name_has_no_value() {
        assert_eq!(values("# one\n\n  # two\nTOKEN\n"), [("TOKEN".to_owned(), None)]);
    }

    #[test]
    fn a_value_can_use_those_above_it() {
        assert_eq!(values("A=1\nB=${A}2\n")[1], ("B".to_owned(), Some("12".to_owned())));
    }

    #[test]
    fn raw_values_are_left_alone() {
        let (variables, bad) = parse("A=\"$B\" # c", true, &|_| None);
        assert_eq!(bad, []);
        assert_eq!(variables[0].value.as_deref(), Some("\"$B\" # c"));
    }

    #[test]
    fn bad_lines_are_reported_without_their_text() {
        let (_, bad) = parse("ok=1\nthis is wrong\n=x\nA='open\n", false, &|_| None);
        assert_eq!(
            bad,
            [
                BadLine { line: 2, message: "expected NAME=value" },
                BadLine { line: 3, message: "expected NAME=value" },
                BadLine { line: 4, message: "the quote is not closed" },
            ]
        );
    }
}
