//! `[suite.command]`: any program as a framework.

use std::num::NonZeroUsize;

use globset::GlobBuilder;

use super::findings::Findings;
use super::section::{Located, Section, kind_of};
use super::suggest;

const KEYS: &[&str] = &["at_once", "files", "junit", "list", "lists", "run"];
const LISTS: [&str; 2] = ["files", "tests"];
/// No command is given more tests at once.
const MOST_AT_ONCE: u32 = 1000;
const RUN_HELP: &str = "a command with {tests} or {files} where the test goes, and {junit} where it takes a path for its JUnit XML: \
     run = \"bin/test --junit {junit} {tests}\"";

/// How the tests of a suite are found and run by commands in the runner service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSuite {
    /// What the tests are.
    pub items: CommandItems,
    /// Runs one of them, or several.
    pub run: CommandTemplate,
    /// How many tests of a unit one command is given at most.
    pub at_once: NonZeroUsize,
    /// Patterns of the JUnit files that the program writes wherever it is used to, relative to the runner's working
    /// directory; empty where it is told a path, or writes none.
    pub reports: Vec<String>,
}

impl CommandSuite {
    /// A suite whose tests are run one by one.
    pub fn new(items: CommandItems, run: CommandTemplate) -> Self {
        Self { items, run, at_once: NonZeroUsize::MIN, reports: Vec::new() }
    }

    /// Whether results are to be had besides the exit code.
    pub fn writes_results(&self) -> bool {
        !self.reports.is_empty() || self.run.holds("{junit}")
    }
}

/// What the tests of a command suite are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandItems {
    /// The files that these patterns match, relative to the runner's working directory.
    Files(Vec<String>),
    /// The lines that a command writes.
    List {
        /// The command.
        command: CommandTemplate,
        /// What a line names.
        names: ItemKind,
    },
}

/// What a test of a command suite is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A file: all testcases in its results are its own.
    File,
    /// A test: its results must name it.
    Test,
}

/// A command with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandTemplate {
    /// A text for a shell.
    Shell(String),
    /// Program and arguments, without a shell.
    Words(Vec<String>),
}

impl CommandTemplate {
    /// Whether a placeholder stands in it.
    pub fn holds(&self, placeholder: &str) -> bool {
        match self {
            Self::Shell(text) => text.contains(placeholder),
            Self::Words(words) => words.iter().any(|word| word.contains(placeholder)),
        }
    }
}

/// Reads the section, which a suite with `framework = "command"` must have.
pub(super) fn read(suite: &Section<'_>, findings: &mut Findings) -> Option<CommandSuite> {
    if let Some(paths) = suite.get("paths") {
        let help = "name the tests by \"files\" or \"list\" in [suite.command]";
        findings.problem(paths.line, "\"paths\" means nothing to the framework \"command\"", help);
    }
    if suite.get("command").is_none() {
        suite.missing("command", "add a section [suite.command] with \"run\" and \"files\" or \"list\"", findings);
        return None;
    }
    let section = suite.table("command", "suite.command", KEYS, findings)?;
    let items = items(&section, findings);
    let run = match section.get("run") {
        None => {
            section.missing("run", RUN_HELP, findings);
            None
        }
        Some(_) => template(&section, "run", findings),
    };
    let run = run.filter(|run| {
        let names_tests = run.value.holds("{tests}") || run.value.holds("{files}");
        if !names_tests {
            findings.problem(run.line, "\"run\" does not say where the test goes", RUN_HELP);
        }
        names_tests
    });
    let reports = reports(&section, run.as_ref(), findings);
    let at_once = at_once(&section, run.as_ref(), reports.as_deref(), findings);
    Some(CommandSuite { items: items?, run: run?.value, at_once: at_once?, reports: reports? })
}

/// Where the program writes its results by itself.
fn reports(
    section: &Section<'_>,
    run: Option<&Located<CommandTemplate>>,
    findings: &mut Findings,
) -> Option<Vec<String>> {
    let Some(found) = section.get("junit") else { return Some(Vec::new()) };
    let patterns = section.texts("junit", findings)?;
    if patterns.is_empty() {
        findings.problem(
            found.line,
            "\"junit\" is empty",
            "name files: junit = [\"target/surefire-reports/TEST-*.xml\"]",
        );
        return None;
    }
    if run.is_some_and(|run| run.value.holds("{junit}")) {
        let help =
            "leave out {junit} where the program writes to a place of its own, and \"junit\" where it takes a path";
        findings.problem(found.line, "both \"junit\" and {junit} in \"run\" say where the results are", help);
        return None;
    }
    let good = patterns.iter().filter(|pattern| is_pattern(pattern, "junit", findings)).count();
    (good == patterns.len()).then(|| patterns.into_iter().map(|pattern| pattern.value).collect())
}

/// How many tests a command takes. Several are only told apart by their results.
fn at_once(
    section: &Section<'_>,
    run: Option<&Located<CommandTemplate>>,
    reports: Option<&[String]>,
    findings: &mut Findings,
) -> Option<NonZeroUsize> {
    let Some(found) = section.get("at_once") else { return Some(NonZeroUsize::MIN) };
    let count = NonZeroUsize::new(section.whole("at_once", 1..=MOST_AT_ONCE, findings)? as usize)?;
    let run = run?;
    if count == NonZeroUsize::MIN {
        return Some(count);
    }
    if reports.is_some_and(<[_]>::is_empty) && !run.value.holds("{junit}") {
        let help = "add {junit} to \"run\", where the command takes a path for its JUnit XML, or say by \"junit\" where it \
                    writes them";
        findings.problem(found.line, "\"at_once\" needs results by which the tests are told apart", help);
        return None;
    }
    if let CommandTemplate::Shell(text) = &run.value
        && let Some(placeholder) = joined_placeholder(text)
    {
        let message =
            format!("{placeholder} does not stand by itself in \"run\", though \"at_once\" puts several words there");
        let help = "put blanks around it, or give a list of words, of which that one comes once for each test: \
                    run = [\"bin/test\", \"--only={tests}\"]";
        findings.problem(run.line, message, help);
        return None;
    }
    Some(count)
}

/// The first placeholder that is a part of a word.
fn joined_placeholder(text: &str) -> Option<&'static str> {
    ["{tests}", "{files}"].into_iter().find(|name| {
        let is_apart = |next: Option<char>| next.is_none_or(|c| c.is_whitespace() || "();|&<>".contains(c));
        text.match_indices(name).any(|(at, _)| {
            !is_apart(text[..at].chars().next_back()) || !is_apart(text[at + name.len()..].chars().next())
        })
    })
}

fn items(section: &Section<'_>, findings: &mut Findings) -> Option<CommandItems> {
    let names = lists(section, findings);
    match (section.get("files"), section.get("list")) {
        (Some(_), Some(list)) => {
            findings.problem(list.line, "both \"files\" and \"list\" name the tests", "leave one of them out");
            None
        }
        (None, None) => {
            let help = "files = [\"tests/**/*.sh\"], or a command that names one a line: list = \"ls tests/*.sh\"";
            section.missing("files", help, findings);
            None
        }
        (Some(files), None) => {
            if let Some(lists) = section.get("lists") {
                findings.problem(
                    lists.line,
                    "\"lists\" without \"list\"",
                    "leave it out: what \"files\" names are files",
                );
            }
            let patterns = section.texts("files", findings)?;
            if patterns.is_empty() {
                findings.problem(files.line, "\"files\" is empty", "name files, or patterns such as \"tests/**/*.sh\"");
            }
            let good = patterns.iter().filter(|pattern| is_pattern(pattern, "files", findings)).count();
            (good == patterns.len())
                .then(|| CommandItems::Files(patterns.into_iter().map(|pattern| pattern.value).collect()))
        }
        (None, Some(_)) => {
            let command = template(section, "list", findings)?.value;
            Some(CommandItems::List { command, names: names? })
        }
    }
}

fn is_pattern(pattern: &Located<String>, key: &str, findings: &mut Findings) -> bool {
    match GlobBuilder::new(&pattern.value).literal_separator(true).build() {
        Ok(_) => true,
        Err(error) => {
            let message = format!("\"{}\" in \"{key}\" is no pattern: {}", pattern.value, error.kind());
            findings.problem(
                pattern.line,
                message,
                "* and ? stand for parts of a name, ** for any folders, [ab] and {a,b} for a choice",
            );
            false
        }
    }
}

fn lists(section: &Section<'_>, findings: &mut Findings) -> Option<ItemKind> {
    if section.get("lists").is_none() {
        return Some(ItemKind::File);
    }
    let lists = section.text("lists", findings)?;
    match lists.value.as_str() {
        "files" => Some(ItemKind::File),
        "tests" => Some(ItemKind::Test),
        other => {
            findings.problem(
                lists.line,
                format!("\"lists\" can't be \"{other}\""),
                suggest::help(other, "values", LISTS),
            );
            None
        }
    }
}

/// A text, or a list of words.
fn template(section: &Section<'_>, key: &str, findings: &mut Findings) -> Option<Located<CommandTemplate>> {
    let found = section.get(key)?;
    if found.value.is_array() {
        let words = section.texts(key, findings)?;
        if words.is_empty() {
            findings.problem(found.line, format!("\"{key}\" is empty"), "the program, and its arguments");
            return None;
        }
        let words = words.into_iter().map(|word| word.value).collect();
        return Some(Located { value: CommandTemplate::Words(words), line: found.line });
    }
    let Some(text) = found.value.as_str() else {
        let kind = kind_of(found.value);
        findings.problem(
            found.line,
            format!("\"{key}\" is {kind}"),
            "a text for a shell, or a list of words: [\"program\", \"argument\"]",
        );
        return None;
    };
    let text = text.trim();
    if text.is_empty() {
        findings.plain_problem(found.line, format!("\"{key}\" is empty"));
        return None;
    }
    if let Some(placeholder) = quoted_placeholder(text) {
        let help = "what is filled in is quoted already: write it without quotes";
        findings.problem(found.line, format!("{placeholder} stands in quotes in \"{key}\""), help);
        return None;
    }
    Some(Located { value: CommandTemplate::Shell(text.to_owned()), line: found.line })
}

/// The first placeholder that stands within quotes, where the quotes that it brings would end them.
fn quoted_placeholder(text: &str) -> Option<&'static str> {
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (character, quote) {
            ('\\', None | Some('"')) => {
                characters.next();
            }
            ('\'' | '"', None) => quote = Some(character),
            (_, Some(open)) if character == open => quote = None,
            ('{', Some(_)) => {
                let found = ["{tests}", "{files}"].into_iter().find(|name| text[at..].starts_with(name));
                if found.is_some() {
                    return found;
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_in_quotes_are_found() {
        assert_eq!(quoted_placeholder("run '{tests}'"), Some("{tests}"));
        assert_eq!(quoted_placeholder("run \"a {files}\""), Some("{files}"));
        assert_eq!(quoted_placeholder("run \"a \\\" {tests}\""), Some("{tests}"));
        assert_eq!(quoted_placeholder("run 'a' {tests} \"b\" \\' {files}"), None);
        assert_eq!(quoted_placeholder("run \"{junit}\" {tests}"), None);
    }

    #[test]
    fn placeholders_that_are_part_of_a_word_are_found() {
        assert_eq!(joined_placeholder("run --only={tests} {files}"), Some("{tests}"));
        assert_eq!(joined_placeholder("run {tests} {files}.js"), Some("{files}"));
        assert_eq!(joined_placeholder("(run {tests}; ls\n{files})"), None);
        assert_eq!(joined_placeholder("{tests}"), None);
    }
}
