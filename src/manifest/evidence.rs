//! What is kept of a run: `[evidence]`, and `artifacts` in `[suite]`.

use globset::GlobBuilder;

use super::EvidenceSettings;
use super::compose::units;
use super::findings::Findings;
use super::section::Section;

/// Less than this would not hold a start.
const LEAST_LOG: u64 = 64 << 10;

/// Reads `[evidence]`.
pub(super) fn settings(evidence: &Section<'_>, findings: &mut Findings) -> EvidenceSettings {
    let default = EvidenceSettings::default();
    let Some(written) = evidence.text("log_cap", findings) else { return default };
    match units::bytes(&written.value) {
        Ok(log_cap) if log_cap >= LEAST_LOG => EvidenceSettings { log_cap },
        Ok(_) => {
            findings.problem(written.line, "\"log_cap\" is too little", "at least \"64 KiB\"");
            default
        }
        Err(reason) => {
            findings.problem(
                written.line,
                format!("\"log_cap\": {reason}"),
                "a size with its unit, such as \"64 MiB\"",
            );
            default
        }
    }
}

/// Reads `artifacts`: patterns that name a folder before their first wildcard, as that folder is what can be copied out
/// of a container.
pub(super) fn artifacts(suite: &Section<'_>, findings: &mut Findings) -> Vec<String> {
    const HELP: &str = "a pattern below a folder of the runner, such as \"tmp/screenshots/**\"";
    let patterns = suite.texts("artifacts", findings).unwrap_or_default();
    let mut artifacts = Vec::new();
    for pattern in patterns {
        let text = pattern.value.trim_start_matches("./").to_owned();
        let wild = text.find(['*', '?', '[', '{']).unwrap_or(text.len());
        let in_folder = text[..wild].rfind('/').is_some_and(|slash| slash > 0);
        if let Err(error) = GlobBuilder::new(&text).literal_separator(true).build() {
            findings.problem(pattern.line, format!("\"{text}\" is no pattern: {}", error.kind()), HELP);
        } else if !in_folder || text.split('/').any(|part| part == "..") {
            findings.problem(pattern.line, format!("\"{text}\" can't be a pattern of artifacts"), HELP);
        } else {
            artifacts.push(text);
        }
    }
    artifacts
}
