//! This host and the manifest.

use super::super::facts::{Facts, ManifestFacts};
use super::Finding;
use super::engine::space;
use crate::environment::images::NeededImage;
use crate::report::text::count;

pub(super) fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(why) = &facts.pool {
        let (message, todo) = why.split_once('\n').unwrap_or((why, "see the README's part on the manifest"));
        findings.push(Finding::problem("subnets", message, todo.trim()));
    }
    findings.push(reports(facts));
    findings.extend(facts.history.as_ref().map(history));
    match &facts.manifest {
        None => {}
        Some(Err(problems)) => {
            findings.push(Finding::problem("manifest", problems.clone(), "mend it, then look again"))
        }
        Some(Ok(manifest)) => findings.extend(manifest_findings(manifest)),
    }
    findings
}

fn reports(facts: &Facts) -> Finding {
    let place = facts.reports.display().to_string();
    match &facts.reports_space {
        Ok(found) => space("reports", *found, &place, "make room, or choose another place with --reports"),
        Err(why) => Finding::problem("reports", why.clone(), "choose another place with --reports"),
    }
}

fn history(history: &Result<usize, String>) -> Finding {
    match history {
        Ok(0) => Finding::fine("history", "can be read"),
        Ok(known) => Finding::fine("history", format!("knows {} of the suite", count(*known, "environment"))),
        Err(why) => {
            let (message, todo) = why.split_once('\n').unwrap_or((why, "choose another with --database"));
            Finding::problem("history", message, todo.trim())
        }
    }
}

fn manifest_findings(manifest: &ManifestFacts) -> Vec<Finding> {
    let told = format!("suite {} of {} is well-formed", manifest.suite, count(manifest.services, "service"));
    let mut findings = vec![match manifest.warnings {
        0 => Finding::fine("manifest", told),
        warnings => Finding::note(
            "manifest",
            format!("{told}, with {}", count(warnings, "warning")),
            "`shakedown check` shows them",
        ),
    }];
    match &manifest.images {
        None => {}
        Some(Err(why)) => findings.push(Finding::problem("its images", why.clone(), "see why, then look again")),
        Some(Ok(images)) => findings.push(needed(images)),
    }
    findings
}

fn needed(images: &[NeededImage]) -> Finding {
    let missing: Vec<&NeededImage> = images.iter().filter(|image| !image.there).collect();
    if missing.is_empty() {
        return Finding::fine("its images", format!("all {} are on the engine", images.len()));
    }
    let each = missing.iter().map(|image| match image.built {
        true => format!("{} is to be built", image.service),
        false => format!("{} is to be pulled ({})", image.service, image.reference),
    });
    let told = format!(
        "{} of {} are on the engine; {}",
        images.len() - missing.len(),
        images.len(),
        each.collect::<Vec<_>>().join(", ")
    );
    Finding::note("its images", told, "the next run does so before its first test, which takes its time")
}
