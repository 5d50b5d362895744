//! `[order]`: which tests stay together, and which must not run at the same time.

use std::collections::BTreeSet;
use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

use super::findings::Findings;
use super::section::{Located, Section};

/// The keys of `[order]`.
pub(super) const KEYS: &[&str] = &["group", "exclusive"];
const EXCLUSIVE: &[&str] = &["resource", "files", "tags"];
/// A test's own tag says with this that it holds a resource.
const TAG: &str = "exclusive:";
const FILES_HELP: &str = "a pattern of files as the suite lists them, such as \"spec/checkout/**\"";

/// `[order]`.
#[derive(Clone, Debug, Default)]
pub struct OrderSettings {
    /// Files that match one of these patterns are run together, in one lane and in the order in which they are listed.
    pub groups: Vec<FilePattern>,
    /// What only one lane may use at a time.
    pub exclusive: Vec<Exclusive>,
}

/// A resource, and the tests that use it.
#[derive(Clone, Debug)]
pub struct Exclusive {
    /// Its name.
    pub resource: String,
    /// Files whose tests use it.
    pub files: Vec<FilePattern>,
    /// Tags of tests that use it.
    pub tags: Vec<String>,
}

/// A pattern of files.
#[derive(Clone)]
pub struct FilePattern {
    text: String,
    matcher: GlobMatcher,
}

impl FilePattern {
    /// The pattern; the error says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches("./").to_owned();
        let glob = GlobBuilder::new(&text).literal_separator(true).build().map_err(|error| error.kind().to_string())?;
        Ok(Self { matcher: glob.compile_matcher(), text })
    }

    /// Whether a file is meant.
    pub fn matches(&self, file: &str) -> bool {
        self.matcher.is_match(file.trim_start_matches("./"))
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for FilePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl OrderSettings {
    /// The group that a file belongs to, by its place in `groups`: the first whose pattern it matches.
    pub fn group_of(&self, file: &str) -> Option<usize> {
        self.groups.iter().position(|pattern| pattern.matches(file))
    }

    /// What a test must have for itself while it runs: by its file, by its tags, and by tags such as
    /// `exclusive:payments-sandbox`.
    pub fn needs_of(&self, file: &str, tags: &[String]) -> BTreeSet<String> {
        let by_settings = self.exclusive.iter().filter(|exclusive| {
            exclusive.files.iter().any(|pattern| pattern.matches(file))
                || exclusive.tags.iter().any(|tag| tags.iter().any(|has| has.trim_start_matches('@') == tag))
        });
        let by_tag = tags.iter().filter_map(|tag| tag.trim_start_matches('@').strip_prefix(TAG));
        let by_tag = by_tag.filter(|resource| !resource.is_empty()).map(str::to_owned);
        by_settings.map(|exclusive| exclusive.resource.clone()).chain(by_tag).collect()
    }
}

/// Reads `[order]`.
pub(super) fn read(order: &Section<'_>, findings: &mut Findings) -> OrderSettings {
    let groups = order.texts("group", findings).unwrap_or_default();
    let groups = groups.iter().filter_map(|text| pattern(text, findings)).collect();
    let sections = order.tables("exclusive", "order.exclusive", EXCLUSIVE, findings).unwrap_or_default();
    let exclusive = sections.iter().filter_map(|section| exclusive(section, findings)).collect();
    OrderSettings { groups, exclusive }
}

fn exclusive(section: &Section<'_>, findings: &mut Findings) -> Option<Exclusive> {
    let files = section.texts("files", findings);
    let tags = section.texts("tags", findings);
    if section.get("files").is_none() && section.get("tags").is_none() {
        let message = "[[order.exclusive]] has neither \"files\" nor \"tags\"";
        findings.problem(section.line(), message, "say which tests use the resource: files = [\"spec/payments/**\"]");
    }
    if section.get("resource").is_none() {
        section.missing(
            "resource",
            "a name of your own for what the tests share, such as \"payments-sandbox\"",
            findings,
        );
        return None;
    }
    let resource = section.text("resource", findings)?.value;
    let files = files.unwrap_or_default();
    Some(Exclusive {
        resource,
        files: files.iter().filter_map(|text| pattern(text, findings)).collect(),
        tags: tags.unwrap_or_default().into_iter().map(|tag| tag.value.trim_start_matches('@').to_owned()).collect(),
    })
}

fn pattern(text: &Located<String>, findings: &mut Findings) -> Option<FilePattern> {
    match FilePattern::new(&text.value) {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            findings.problem(text.line, format!("\"{}\" is no pattern: {why}", text.value), FILES_HELP);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> OrderSettings {
        let pattern = |text| FilePattern::new(text).expect("a pattern");
        OrderSettings {
            groups: vec![pattern("spec/checkout/**"), pattern("./spec/*_spec.rb")],
            exclusive: vec![
                Exclusive {
                    resource: "sandbox".to_owned(),
                    files: vec![pattern("spec/pay/**")],
                    tags: vec!["payments".to_owned()],
                },
                Exclusive { resource: "mail".to_owned(), files: Vec::new(), tags: vec!["mail".to_owned()] },
            ],
        }
    }

    #[test]
    fn a_file_belongs_to_the_first_group_that_it_matches() {
        let group = |file| settings().group_of(file);
        assert_eq!(group("spec/checkout/a/b_spec.rb"), Some(0));
        assert_eq!(group("spec/b_spec.rb"), Some(1));
        assert_eq!(group("./spec/b_spec.rb"), Some(1));
        assert_eq!(group("spec/other/b_spec.rb"), None);
    }

    #[test]
    fn a_test_needs_what_its_file_its_tags_and_the_manifest_say() {
        let needs = |file: &str, tags: &[&str]| {
            let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
            settings().needs_of(file, &tags).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(needs("spec/cart_spec.rb", &["js"]), Vec::<String>::new());
        assert_eq!(needs("spec/pay/card_spec.rb", &[]), ["sandbox"]);
        assert_eq!(needs("spec/cart_spec.rb", &["@payments", "mail"]), ["mail", "sandbox"]);
        assert_eq!(needs("spec/cart_spec.rb", &["exclusive:printer", "exclusive:"]), ["printer"]);
        assert_eq!(needs("spec/cart_spec.rb", &["@exclusive:printer"]), ["printer"]);
    }
}
