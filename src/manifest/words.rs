//! A command in `shakedown.toml`.

use toml::de::DeValue;

use super::findings::Findings;
use super::section::{Section, kind_of};

/// Reads a list of words, or a text for a shell. `None` where there is none, or where a problem was reported.
pub(super) fn read(section: &Section<'_>, key: &str, help: &str, findings: &mut Findings) -> Option<Vec<String>> {
    let found = section.get(key)?;
    match found.value {
        DeValue::String(_) => {
            let text = section.text(key, findings)?;
            Some(vec!["sh".to_owned(), "-c".to_owned(), text.value])
        }
        DeValue::Array(_) => {
            let words: Vec<String> = section.texts(key, findings)?.into_iter().map(|word| word.value).collect();
            if words.is_empty() {
                findings.problem(found.line, format!("\"{key}\" is empty"), help);
                return None;
            }
            Some(words)
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Table(_) => {
            let message = format!("\"{key}\" is {}", kind_of(found.value));
            findings.problem(found.line, message, format!("a text for a shell, or a list of words; {help}"));
            None
        }
    }
}
