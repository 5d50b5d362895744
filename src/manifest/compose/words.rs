//! A command line as text, split into words the way a shell would.

/// Splits at blanks. Single quotes keep all, double quotes keep all but `\"`, `\\`, `\$` and `` \` ``, a backslash
/// keeps the character after it.
pub(super) fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some('\'') => break,
                        Some(inner) => word.push(inner),
                        None => return Err(unclosed('\'')),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some('"') => break,
                        Some('\\') => match rest.next() {
                            Some(escaped @ ('"' | '\\' | '$' | '`')) => word.push(escaped),
                            Some('\n') => {}
                            Some(other) => word.extend(['\\', other]),
                            None => return Err(unclosed('"')),
                        },
                        Some(inner) => word.push(inner),
                        None => return Err(unclosed('"')),
                    }
                }
            }
            '\\' => match rest.next() {
                Some('\n') => {}
                Some(escaped) => word.get_or_insert_default().push(escaped),
                None => return Err("ends in a backslash".to_owned()),
            },
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

fn unclosed(quote: char) -> String {
    format!("a quote {quote} is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        let cases: [(&str, &[&str]); 10] = [
            ("", &[]),
            ("sleep infinity", &["sleep", "infinity"]),
            ("  two   blanks ", &["two", "blanks"]),
            ("sh -c 'a b; c'", &["sh", "-c", "a b; c"]),
            (r#"echo "a \"b\" \n c""#, &["echo", r#"a "b" \n c"#]),
            (r"a\ b c", &["a b", "c"]),
            ("a'b'\"c\"d", &["abcd"]),
            ("empty '' there", &["empty", "", "there"]),
            ("multi \\\n line", &["multi", "line"]),
            ("tab\tnew\nline", &["tab", "new", "line"]),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn an_open_quote_is_an_error() {
        assert_eq!(split("sh -c 'oops"), Err("a quote ' is not closed".to_owned()));
        assert_eq!(split("sh -c \"oops\\"), Err("a quote \" is not closed".to_owned()));
        assert_eq!(split("oops\\"), Err("ends in a backslash".to_owned()));
    }
}
