//! Manifests as users write them: broken ones with the exact message, good ones with what was read.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use shakedown::manifest::{Manifest, Problems, Warning, load};

fn cases(name: &str) -> PathBuf {
    Path::new("tests/manifest").join(name)
}

fn load_with(folder: &Path, variables: &[(&str, &str)]) -> Result<(Manifest, Vec<Warning>), Problems> {
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    load(folder, &|name| variables.get(name).cloned())
}

/// The messages for `folder`, with paths relative to it.
fn messages(folder: &Path) -> String {
    let problems = load_with(folder, &[]).expect_err(&format!("{} has no problem", folder.display()));
    relative(&problems.to_string(), folder)
}

fn relative(text: &str, folder: &Path) -> String {
    let folder = folder.display().to_string();
    text.replace(&format!("{folder}/"), "").replace(&folder, ".")
}

/// Keeps snapshots beside the cases.
fn snapshots(filters: Vec<(&str, &str)>) -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("manifest/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_filters(filters);
    settings.bind_to_scope()
}

/// Each folder of `broken` is a case; `expected.txt` holds its messages, word for word. After a change of wording,
/// `SHAKEDOWN_BLESS=1 cargo test --test manifest` writes them anew: read the diff.
#[test]
fn every_broken_manifest_gets_its_exact_messages() {
    let bless = std::env::var_os("SHAKEDOWN_BLESS").is_some();
    let mut folders: Vec<PathBuf> = fs::read_dir(cases("broken"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 20, "only {} cases were found", folders.len());
    let mut wrong = Vec::new();
    for folder in folders {
        let actual = messages(&folder) + "\n";
        let file = folder.join("expected.txt");
        if bless {
            fs::write(&file, &actual).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if actual != expected {
            wrong.push(format!("--- {}\nexpected:\n{expected}\nactual:\n{actual}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_that_are_not_utf_8_are_named_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("shakedown.toml"), b"[suite]\nname = \"caf\xe9\"\n").unwrap();
    let help = "\n    save the file in the encoding UTF-8";
    assert_eq!(messages(folder.path()), format!("shakedown.toml:2: is not UTF-8 text{help}"));

    let toml = "[suite]\nname = \"shop\"\nframework = \"rspec\"\n[environment]\nrunner = \"web\"\n";
    fs::write(folder.path().join("shakedown.toml"), toml).unwrap();
    fs::write(folder.path().join("compose.yaml"), b"services:\n  web:\n    image: caf\xe9\n").unwrap();
    assert_eq!(messages(folder.path()), format!("compose.yaml:3: is not UTF-8 text{help}"));
}

#[test]
fn a_folder_that_is_not_there_is_one_problem() {
    let expected =
        "no/such/place: there is no such folder\n    give a folder that holds shakedown.toml and a Compose file";
    assert_eq!(load_with(Path::new("no/such/place"), &[]).unwrap_err().to_string(), expected);
}

#[test]
fn a_file_that_is_no_manifest_is_refused() {
    let problems = load_with(&cases("rich/docker-compose.yml"), &[]).unwrap_err().to_string();
    assert!(problems.contains("is not a manifest"), "{problems}");
}

#[test]
fn the_folder_and_the_file_in_it_mean_the_same() {
    let variables = [("DB_PASSWORD", "x")];
    let (by_folder, _) = load_with(&cases("rich"), &variables).unwrap();
    let (by_file, _) = load_with(&cases("rich/shakedown.toml"), &variables).unwrap();
    assert_eq!(by_folder.folder, by_file.folder);
    assert_eq!(by_folder.compose, by_file.compose);
}

#[test]
fn defaults_stand_in_for_what_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let toml = "[suite]\nname = \"shop\"\nframework = \"rspec\"\n[environment]\nrunner = \"web\"\n";
    fs::write(folder.path().join("shakedown.toml"), toml).unwrap();
    fs::write(folder.path().join("docker-compose.yaml"), "services:\n  web:\n    image: web\n").unwrap();
    let (mut manifest, warnings) = load_with(folder.path(), &[]).unwrap();
    assert_eq!(warnings, []);
    manifest.folder = PathBuf::new();
    manifest.compose.services.clear();
    manifest.compose.file = manifest.compose.file.file_name().unwrap().into();
    let _settings = snapshots(Vec::new());
    insta::assert_debug_snapshot!(manifest);
}

#[test]
fn a_rich_compose_file_is_read_in_full() {
    let variables =
        [("DB_PASSWORD", "p$ss word"), ("TAG", "from-process"), ("PASSED_THROUGH", "yes"), ("HOME", "/home/somebody")];
    let (manifest, warnings) = load_with(&cases("rich"), &variables).unwrap();
    let here = regex::escape(&std::env::current_dir().unwrap().display().to_string());
    let _settings = snapshots(vec![(here.as_str(), "[here]")]);
    insta::assert_debug_snapshot!(manifest);
    let warnings: Vec<String> = warnings.iter().map(|warning| relative(&warning.to_string(), &cases("rich"))).collect();
    insta::assert_snapshot!("warnings_of_a_rich_compose_file", warnings.join("\n"));
}

#[test]
fn several_files_with_includes_and_extended_services_become_one() {
    let (manifest, warnings) = load_with(&cases("several"), &[]).unwrap();
    let here = regex::escape(&std::env::current_dir().unwrap().display().to_string());
    let _settings = snapshots(vec![(here.as_str(), "[here]")]);
    insta::assert_debug_snapshot!(manifest.compose);
    assert_eq!(warnings, []);
}

#[test]
fn profiles_are_switched_on_by_the_manifest_the_environment_and_the_runner() {
    let services = |variables: &[(&str, &str)]| {
        let (manifest, _) = load_with(&cases("several"), variables).unwrap();
        manifest.compose.services.keys().filter(|name| ["mailer", "tracer"].contains(&name.as_str())).count()
    };
    assert_eq!(services(&[]), 2);
    assert_eq!(services(&[("COMPOSE_PROFILES", "")]), 1);
    assert_eq!(services(&[("COMPOSE_PROFILES", "nothing, mail")]), 2);
}

#[test]
fn values_of_env_files_are_marked_as_secrets_unless_the_compose_file_says_them_too() {
    let (manifest, _) = load_with(&cases("rich"), &[("DB_PASSWORD", "x")]).unwrap();
    let web = &manifest.compose.services["web"];
    assert_eq!(web.secret_variables, ["API_KEY"]);
    assert_eq!(web.environment["API_KEY"], "s3cr$t");
    assert_eq!(web.environment["SHARED"], "from the anchor");
}

#[test]
fn a_fixed_host_port_is_fine_for_a_single_lane() {
    let folder = tempfile::tempdir().unwrap();
    let toml = fs::read_to_string(cases("broken/publish/shakedown.toml")).unwrap();
    let toml = toml.replace("[\"web\", \"db\", \"wbe\"]", "[\"web\"]\nlanes = 1");
    fs::write(folder.path().join("shakedown.toml"), toml).unwrap();
    fs::copy(cases("broken/publish/compose.yaml"), folder.path().join("compose.yaml")).unwrap();
    let (manifest, _) = load_with(folder.path(), &[]).unwrap();
    assert_eq!(manifest.compose.services["web"].ports[0].host_port, Some(8000));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    /// Whatever a line is replaced by, there is an answer: never a panic, and no problem without a message.
    #[test]
    fn any_line_may_be_anything(toml in 0usize..20, yaml in 0usize..130, text in " {0,6}[-a-z:\"'${}\\[\\]#&*!|,0-9é ]{0,12}") {
        let folder = tempfile::tempdir().unwrap();
        for (name, replaced) in [("shakedown.toml", toml), ("docker-compose.yml", yaml)] {
            let content = fs::read_to_string(cases("rich").join(name)).unwrap();
            let mut lines: Vec<&str> = content.lines().collect();
            if let Some(line) = lines.get_mut(replaced) {
                *line = &text;
            }
            fs::write(folder.path().join(name), lines.join("\n")).unwrap();
        }
        let dot_env = format!("TAG=1\n{text}\n");
        fs::write(folder.path().join(".env"), dot_env).unwrap();
        if let Err(Problems(problems)) = load_with(folder.path(), &[("DB_PASSWORD", "x")]) {
            assert!(!problems.is_empty());
            assert!(problems.is_sorted_by_key(|problem| (problem.file.clone(), problem.line)));
            assert!(problems.iter().all(|problem| !problem.message.is_empty() && !problem.message.contains("incomplete")));
        }
    }
}

/// Every manifest that comes with the project loads as it is, with nothing set in the environment.
#[test]
fn the_manifests_of_this_repository_have_no_problems() {
    let Ok(folders) = fs::read_dir("test-manifests") else { return };
    for folder in folders.map(|entry| entry.unwrap().path()).filter(|path| path.join("shakedown.toml").exists()) {
        if let Err(problems) = load_with(&folder, &[]) {
            panic!("{problems}");
        }
    }
}
