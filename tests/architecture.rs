//! What must not be known where: the module map of the design, held against the imports of every file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Each module, and what of ours it may name; `*` stands for anything. A module may only know what stands above it,
/// so that the story reads from top to bottom and no import goes up.
const MODULES: &[(&str, &[&str])] = &[
    ("id", &[]),
    ("verdict", &[]),
    ("signature", &["verdict"]),
    ("secrets", &[]),
    ("owner", &[]),
    ("event", &["id", "verdict"]),
    ("manifest", &[]),
    // Settings that the program hands on as the Compose file has them.
    ("engine", &["manifest::compose::Device", "manifest::compose::Tuning"]),
    (
        "environment",
        &[
            "engine",
            "event::BrokenEnvironment",
            "event::ResourceUse",
            "event::ServiceUse",
            "id",
            "manifest",
            "owner",
            "secrets",
        ],
    ),
    ("framework", &["engine", "id::LaneIndex", "manifest"]),
    (
        "plan",
        &[
            "event",
            "framework::ListedTest",
            "id",
            "manifest::Exclusive",
            "manifest::FilePattern",
            "manifest::OrderSettings",
        ],
    ),
    (
        "selection",
        &[
            "framework::ListedTest",
            "id",
            "manifest::FilePattern",
            "manifest::OrderSettings",
            "plan",
            "verdict::TestVerdict",
        ],
    ),
    ("queue", &["id", "verdict"]),
    (
        "evidence",
        &[
            "engine",
            "environment",
            "event",
            "framework::protocol::SaidAttachment",
            "id",
            "secrets",
            "signature",
            "verdict",
        ],
    ),
    ("lane", &["environment", "event", "evidence", "framework", "id", "manifest", "queue::TestIndex", "verdict"]),
    (
        "conductor",
        &[
            "event",
            "evidence::Place",
            "framework::ListedTest",
            "id",
            "lane",
            "manifest::OrderSettings",
            "plan",
            "queue",
            "selection",
            "verdict",
        ],
    ),
    ("store", &["event", "id", "signature", "verdict"]),
    ("report", &["event", "id", "signature", "verdict"]),
    ("exit", &["verdict"]),
    ("cli", &["engine::docker::connection::Asked", "selection"]),
    ("clean", &["cli::CleanArgs", "engine", "environment", "exit", "id", "owner", "report::text"]),
    ("guard", &["cli::GuardArgs", "engine", "environment::sweep", "id", "owner", "store"]),
    ("run", &["*"]),
    (
        "doctor",
        &[
            "cli::DoctorArgs",
            "engine",
            "environment",
            "exit",
            "id",
            "manifest",
            "report::terminal::Paint",
            "report::text",
            "run::lanes",
            "run::subnets",
            "store",
        ],
    ),
    ("main", &["*"]),
    ("lib", &[]),
];

/// Libraries that are named in one place only.
const LIBRARIES: &[(&str, &str)] = &[
    ("bollard", "engine/docker/"),
    ("sqlx", "store/"),
    ("quick_junit", "report/junit.rs"),
    ("quick_xml", "framework/junit.rs"),
    ("chrono", "report/junit.rs"),
    ("indicatif", "report/terminal/"),
];

/// Where nothing waits: no async code, no I/O.
const PURE: &[&str] = &[
    "id.rs",
    "verdict/",
    "event.rs",
    "plan.rs",
    "plan/",
    "selection/",
    "queue/",
    "conductor/state",
    "secrets.rs",
    "signature/",
];

/// No file is longer, in lines.
const LONGEST: usize = 500;

/// A source file without its comment lines.
struct Source {
    /// Relative to `src`.
    path: String,
    /// The module of the first level that it belongs to.
    module: String,
    /// How many modules deep it is: 1 for `src/plan.rs` and for `src/queue/mod.rs`.
    depth: usize,
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(files.len() > 20, "only {} files under {}", files.len(), root.display());
    let sources = files.into_iter().map(|file| {
        let path = file.strip_prefix(&root).expect("under src").to_str().expect("text").to_owned();
        let text = fs::read_to_string(&file).expect("readable");
        let names = path.trim_end_matches(".rs").trim_end_matches("/mod");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        Source {
            module: names.split('/').next().expect("a name").to_owned(),
            depth: names.split('/').count(),
            code,
            lines: text.lines().count(),
            path,
        }
    });
    sources.collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The paths under `crate::` that some code names, groups taken apart: `engine::Engine`.
fn named(code: &str) -> BTreeSet<String> {
    let paths = Regex::new(r"\bcrate::((?:\w+::)*)(\w+|\{[^}]*\})").expect("a pattern");
    let mut named = BTreeSet::new();
    for found in paths.captures_iter(code) {
        let (prefix, last) = (&found[1], &found[2]);
        for name in last.trim_matches(['{', '}']).split(',') {
            let name = name.split(" as ").next().unwrap_or_default().trim().trim_start_matches('{');
            let path =
                if name == "self" { prefix.trim_end_matches("::").to_owned() } else { format!("{prefix}{name}") };
            if !name.is_empty() {
                named.insert(path);
            }
        }
    }
    named
}

/// Whether `path` is `allowed`, or within it.
fn within(path: &str, allowed: &str) -> bool {
    allowed == "*" || path == allowed || path.strip_prefix(allowed).is_some_and(|rest| rest.starts_with("::"))
}

#[test]
fn every_module_names_only_what_it_may_know() {
    let table: BTreeMap<_, _> = MODULES.iter().copied().collect();
    let mut breaches = Vec::new();
    for source in sources() {
        let Some(allowed) = table.get(source.module.as_str()) else {
            breaches.push(format!(
                "src/{}: module `{}` is not in the table of tests/architecture.rs: say there what it may know",
                source.path, source.module
            ));
            continue;
        };
        for path in named(&source.code) {
            let own = within(&path, &source.module);
            if !own && !allowed.iter().any(|allowed| within(&path, allowed)) {
                let may = if allowed.is_empty() { "nothing of ours".to_owned() } else { allowed.join(", ") };
                breaches.push(format!("src/{} names crate::{path}; `{}` may know {may}", source.path, source.module));
            }
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn no_module_climbs_out_of_its_folder_by_super() {
    let imports = Regex::new(r"(?m)^(?:pub(?:\([a-z]+\))? )?use ((?:super::)+)").expect("a pattern");
    for source in sources() {
        for found in imports.captures_iter(&source.code) {
            let climbs = found[1].matches("super::").count();
            assert!(climbs < source.depth, "src/{}: write `use crate::…` instead of `{}`", source.path, &found[0]);
        }
    }
}

#[test]
fn every_module_of_the_table_knows_only_what_stands_above_it() {
    for (place, (module, allowed)) in MODULES.iter().enumerate() {
        for known in allowed.iter().filter(|known| **known != "*") {
            let first = known.split("::").next().expect("a name");
            let above = MODULES[..place].iter().any(|(other, _)| *other == first);
            assert!(above, "`{module}` may know `{known}`, which does not stand above it");
        }
    }
}

#[test]
fn every_module_of_the_table_is_there() {
    let modules: BTreeSet<String> = sources().into_iter().map(|source| source.module).collect();
    for (module, _) in MODULES {
        assert!(modules.contains(*module), "`{module}` is in the table of tests/architecture.rs and not under src");
    }
}

#[test]
fn a_library_is_named_only_where_it_belongs() {
    for source in sources() {
        for (library, place) in LIBRARIES {
            let names = Regex::new(&format!(r"\b(use {library}\b|{library}::)")).expect("a pattern");
            let may = source.path.starts_with(place);
            assert!(may || !names.is_match(&source.code), "src/{} names {library}; only {place} may", source.path);
        }
    }
}

#[test]
fn what_decides_neither_waits_nor_reads_nor_writes() {
    let waits = Regex::new(r"\b(tokio|futures)::|\basync (fn|move|\{)|\.await\b|\bstd::(fs|net|process|io)\b")
        .expect("a pattern");
    for source in sources().iter().filter(|source| PURE.iter().any(|pure| source.path.starts_with(pure))) {
        let found = waits.find(&source.code).map(|found| found.as_str());
        assert_eq!(found, None, "in src/{}, which only decides", source.path);
    }
}

#[test]
fn the_manifest_knows_nothing_of_async_code() {
    for source in sources().iter().filter(|source| source.module == "manifest") {
        let waits = ["tokio::", ".await", "async "].into_iter().find(|word| source.code.contains(word));
        assert_eq!(waits, None, "in src/{}", source.path);
    }
}

#[test]
fn no_file_is_longer_than_can_be_read_at_once() {
    for source in sources() {
        assert!(source.lines <= LONGEST, "src/{} has {} lines; {LONGEST} are the most", source.path, source.lines);
    }
}

#[test]
fn groups_and_paths_are_both_read() {
    let code =
        "use crate::engine::{self, Engine as E, docker};\nlet x = crate::queue::TestIndex::MAX;\nuse crate::{a, b};";
    let found: Vec<String> = named(code).into_iter().collect();
    assert_eq!(found, ["a", "b", "engine", "engine::Engine", "engine::docker", "queue::TestIndex::MAX"]);
    assert!(within("queue::TestIndex::MAX", "queue::TestIndex") && !within("queues", "queue"));
}
