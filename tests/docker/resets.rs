//! Environments that are made clean again on a real engine: by a command, from a template, by one that stood by.

use crate::stage::{Manifest, Stage, write};

const STOREFRONT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/test-manifests/storefront/compose.yaml");

/// Finds the shop as it was seeded, and leaves a notice behind.
const NOTICE_SPEC: &str = r##"
require "json"
require "net/http"

RSpec.describe "Shop of NAME" do
  def get(path) = JSON.parse(Net::HTTP.get(URI("#{ENV.fetch("STOREFRONT_URL")}#{path}")))

  def put_notice(text)
    uri = URI("#{ENV.fetch("STOREFRONT_URL")}/api/admin/notice")
    headers = { "Content-Type" => "application/json", "X-Admin-Token" => ENV.fetch("ADMIN_TOKEN") }
    Net::HTTP.start(uri.host, uri.port) { |http| http.put(uri.path, JSON.generate(text:), headers) }
  end

  it "is found as it was seeded" do
    expect(get("/api/me")["notice"]).to be_nil
    expect(put_notice("Closed")).to be_a(Net::HTTPSuccess)
    expect(get("/api/me")["notice"]).to eq "Closed"
  end
end
"##;

#[test]
fn a_database_that_is_cloned_from_its_template_is_as_new_for_every_unit() {
    let stage = Stage::new("a_database_that_is_cloned_from_its_template_is_as_new_for_every_unit");
    let folder = stage.folder().join("manifest");
    for name in ["one", "two", "three", "four"] {
        let spec = NOTICE_SPEC.replace("NAME", name);
        write(&folder.join(format!("spec/{name}_spec.rb")), spec);
    }
    let mount =
        format!("services:\n  browser:\n    volumes: [\"{}:/suite/spec/own:ro\"]\n", folder.join("spec").display());
    write(&folder.join("mount.yaml"), mount);
    let manifest = |reset: &str| {
        let manifest = format!(
            "[suite]\nname = \"storefront\"\nframework = \"rspec\"\npaths = [\"spec/own\"]\n\n\
             [environment]\ncompose = [{STOREFRONT:?}, \"mount.yaml\"]\nrunner = \"browser\"\nlanes = 1\n{reset}\n"
        );
        write(&folder.join("shakedown.toml"), manifest);
        stage.shakedown(&folder).with("--attempts 1").patiently()
    };
    // Without a reset each finds what the one before it has left: the check that this suite can fail. Three failures after
    // a pass make the environment suspect, so that they are tried in a fresh one, where the first of them passes.
    let record = manifest("reset = { after = \"never\" }").run().expect_code(1).record();
    assert_eq!((record.json.counts.failed, record.json.counts.flaky), (2, 1));

    let reset = "reset = { service = \"db\", postgres = \"storefront\", after = \"unit\" }";
    let record = manifest(reset).run().expect_code(0).record();
    assert_eq!(record.json.counts.passed, 4);
    let [environment] = &record.json.environments[..] else { panic!("{:#?}", record.json.environments) };
    assert_eq!(environment.resets, 4);
}

#[test]
fn a_command_cleans_up_between_units_and_one_that_fails_costs_the_environment() {
    let stage = Stage::new("a_command_cleans_up_between_units_and_one_that_fails_costs_the_environment");
    let run = |command: &str| {
        let settings = format!("lanes = 1\nreset = {{ service = \"web\", command = {command:?}, after = \"unit\" }}");
        let paths = &["spec/counter_spec.rb", "spec/value_spec.rb"];
        let manifest = Manifest { paths, settings: &settings, ..Manifest::default() };
        stage.shakedown(stage.manifest(&manifest)).run().expect_code(0)
    };
    let record = run("echo reset >> /data/resets && test $(wc --lines < /data/resets) -le 2").record();
    let [environment] = &record.json.environments[..] else { panic!("{:#?}", record.json.environments) };
    assert_eq!(environment.resets, 2);

    let finished = run("echo the cache is locked; exit 3");
    let said = "could not be reset, and is replaced: `sh -c echo the cache is locked; exit 3` in web: exit code 3: the \
                cache is locked";
    assert!(finished.said.contains(said), "{}", finished.said);
    assert!(finished.record().json.environments.len() > 1);
}

#[test]
fn a_lane_goes_on_in_the_environment_that_stood_by() {
    let stage = Stage::new("a_lane_goes_on_in_the_environment_that_stood_by");
    let settings = "lanes = 1\nstandby = 1";
    let paths = &["spec/hang_spec.rb", "spec/counter_spec.rb"];
    let manifest = stage.manifest(&Manifest { paths, settings, ..Manifest::default() });
    // Its time limit leaves the spare all the time that it needs.
    let run = stage.shakedown(manifest).faults("hang").with("--test-timeout 12s").run().expect_code(0);
    let record = run.record();
    assert_eq!(record.history.outcomes("is shown"), ["timed out", "passed"]);
    let second = record.json.environments.iter().find(|environment| environment.id == "1.2").expect("a second one");
    assert!(second.standby, "{second:#?}");
    assert!(second.boot_ms.is_some_and(|waited| waited < 500), "{second:#?}");
    assert!(record.folder.join("logs/1.2/web.log").is_file(), "its logs stand under the lane's name for it");
    assert!(!record.folder.join("logs/s1").exists());
    assert!(run.said.contains("1 taken from standby"), "{}", run.said);
}
