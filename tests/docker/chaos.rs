//! Everything goes wrong, in random order and at random moments: and yet no verdict is wrong, nothing stays, and every
//! run ends.
//!
//! `SHAKEDOWN_TEST_SEED` takes another seed, `SHAKEDOWN_CHAOS_FAULTS` another number of faults: for a soak, thousands.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::Signal;
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use shakedown::verdict::Outcome;

use crate::guard::assert_gone_soon;
use crate::outcome::History;
use crate::program::Running;
use crate::proxy::{Mischief, Proxy};
use crate::stage::{Stage, TINY, write};

/// Where `SHAKEDOWN_TEST_SEED` names no other.
const SEED: u64 = 20_261_124;
/// How many faults strike in all.
const FAULTS: usize = 100;
const FAULTS_PER_RUN: usize = 9;
const FILES: usize = 4;
const TESTS_PER_FILE: usize = 4;
const ENGINE: &str = "/var/run/docker.sock";

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    KillWeb,
    KillDatabase,
    KillRunner,
    Disconnect,
    CutLog,
    CutEvents,
    CutWorker,
    CutAny,
    Delay,
    Stall,
    Garble,
    GarbleWorker,
    KillProcess,
}

impl Fault {
    const ALL: [Self; 13] = [
        Self::KillWeb,
        Self::KillDatabase,
        Self::KillRunner,
        Self::Disconnect,
        Self::CutLog,
        Self::CutEvents,
        Self::CutWorker,
        Self::CutAny,
        Self::Delay,
        Self::Stall,
        Self::Garble,
        Self::GarbleWorker,
        Self::KillProcess,
    ];
}

/// Takes down which tests came to their end, as they say themselves: over the network, past the engine.
struct Marks {
    port: u16,
    marks: Arc<Mutex<HashSet<String>>>,
}

impl Marks {
    fn listen() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").expect("a port");
        let port = listener.local_addr().expect("it has one").port();
        let marks: Arc<Mutex<HashSet<String>>> = Arc::default();
        let all = marks.clone();
        std::thread::spawn(move || {
            for visitor in listener.incoming().map_while(Result::ok) {
                let mut line = String::new();
                if BufReader::new(&visitor).read_line(&mut line).is_ok() {
                    all.lock().expect("whole").insert(line.trim().to_owned());
                    let _ = (&visitor).write_all(b"noted\n");
                }
            }
        });
        Self { port, marks }
    }

    fn has(&self, run: &str, test: &str, attempt: u32) -> bool {
        self.marks.lock().expect("whole").contains(&format!("{run} {attempt} {test}"))
    }
}

/// An honest suite: whoever can reach the application passes.
fn manifest(stage: &Stage, marks: &Marks) -> PathBuf {
    let folder = stage.folder().join("chaos");
    let helper = format!(
        r##"require "net/http"
require "socket"

def ask(host, request, body = nil)
  request.body = body
  Net::HTTP.start(host, 8000, open_timeout: 5, read_timeout: 10, max_retries: 0) {{ |http| http.request(request).body }}
end

# The host, as the network's gateway.
def mark(example)
  gateway = File.readlines("/proc/net/route").map(&:split).find {{ |route| route[1] == "00000000" }}[2]
  address = [gateway].pack("H*").bytes.reverse.join(".")
  file = example.metadata[:file_path].delete_prefix("./")
  TCPSocket.open(address, {port}, connect_timeout: 5) do |host|
    host.puts "#{{ENV["SHAKEDOWN_RUN_ID"]}} #{{ENV["SHAKEDOWN_ATTEMPT"]}} #{{file}}::#{{example.full_description}}"
    raise "the mark was not noted" unless host.gets == "noted\n"
  end
end
"##,
        port = marks.port
    );
    write(&folder.join("chaos/helper.rb"), helper);
    for file in 0..FILES {
        let spec = format!(
            r#"require_relative "helper"

RSpec.describe "Chaos {file}" do
  {TESTS_PER_FILE}.times do |number|
    it "is survived #{{number}}" do |example|
      %w[web db].each do |host|
        ask(host, Net::HTTP::Put.new("/value/{file}#{{number}}"), "x")
        sleep 0.15
        expect(ask(host, Net::HTTP::Get.new("/value/{file}#{{number}}"))).to eq "x"
      end
      mark(example)
    end
  end
end
"#
        );
        write(&folder.join(format!("chaos/chaos_{file}_spec.rb")), spec);
    }
    let service = |name: &str, rest: &str| format!("  {name}:\n    build: {TINY}\n    init: true\n{rest}");
    let check = "    healthcheck:\n      test: [\"CMD\", \"bash\", \"-c\", \"exec 3<>/dev/tcp/127.0.0.1/8000\"]\n";
    let server =
        format!("    command: sh -c 'mkdir -p /data; echo 7 > /data/schema; exec ruby app/server.rb'\n{check}");
    let runner = "    command: sleep infinity\n    volumes: [\"./chaos:/suite/chaos:ro\"]\n    depends_on:\n      \
                  web: {condition: service_healthy}\n      db: {condition: service_healthy}\n";
    let services = [service("web", &server), service("db", &server), service("runner", runner)].concat();
    write(&folder.join("compose.yaml"), format!("services:\n{services}"));
    let settings = "[suite]\nname = \"chaos\"\nframework = \"rspec\"\npaths = [\"chaos\"]\n\n[environment]\n\
                    runner = \"runner\"\nlanes = 3\nready_within = \"40s\"\n\n[retry]\ntest_timeout = \"40s\"\n";
    write(&folder.join("shakedown.toml"), settings);
    folder
}

fn docker(arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(arguments).output().expect("docker can be started");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A running container of the run that stands for this service.
fn container(run: &str, service: &str, random: &mut impl Rng) -> Option<String> {
    let (run, service) = (format!("label=dev.shakedown.run={run}"), format!("label=dev.shakedown.service={service}"));
    let found = docker(&["ps", "--filter", &run, "--filter", &service, "--format", "{{.Names}}"])?;
    let names: Vec<&str> = found.lines().collect();
    (!names.is_empty()).then(|| names[random.random_range(0..names.len())].to_owned())
}

/// Lets a fault strike; returns what it struck, if there was something.
fn strike(fault: Fault, run: &str, running: &Running, proxy: &Proxy, random: &mut Pcg64Mcg) -> Option<String> {
    let mut kill = |service: &str| {
        let name = container(run, service, random)?;
        docker(&["kill", &name]).map(|_| name)
    };
    match fault {
        Fault::KillWeb => kill("web"),
        Fault::KillDatabase => kill("db"),
        Fault::KillRunner => kill("runner"),
        Fault::Disconnect => {
            let service = ["web", "db", "runner"][random.random_range(0..3)];
            let name = container(run, service, random)?;
            let network =
                docker(&["inspect", "--format", "{{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}", &name])?;
            docker(&["network", "disconnect", "--force", network.trim(), &name]).map(|_| name)
        }
        Fault::CutLog => proxy.strike("/logs?", Mischief::Cut, random),
        Fault::CutEvents => proxy.strike("/events?", Mischief::Cut, random),
        Fault::CutWorker => proxy.strike("/exec/", Mischief::Cut, random),
        Fault::CutAny => proxy.strike("", Mischief::Cut, random),
        Fault::Delay => {
            let span = Duration::from_millis(random.random_range(50..1000));
            proxy.strike("", Mischief::Stall(span), random)
        }
        Fault::Stall => {
            let span = Duration::from_millis(random.random_range(2_000..12_000));
            proxy.strike("", Mischief::Stall(span), random)
        }
        Fault::Garble => proxy.strike("", Mischief::Garble(random.random()), random),
        Fault::GarbleWorker => proxy.strike("/exec/", Mischief::Garble(random.random()), random),
        Fault::KillProcess => {
            running.signal(Signal::SIGKILL);
            Some("the process".to_owned())
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn whatever_goes_wrong_no_verdict_is_wrong_and_nothing_stays() {
    let stage = Stage::new("whatever_goes_wrong_no_verdict_is_wrong_and_nothing_stays");
    let seed = number("SHAKEDOWN_TEST_SEED").unwrap_or(SEED);
    let wanted = number("SHAKEDOWN_CHAOS_FAULTS").map_or(FAULTS, |faults| usize::try_from(faults).expect("a number"));
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let marks = Marks::listen();
    let manifest = manifest(&stage, &marks);
    eprintln!("seed {seed}");
    let mut struck: BTreeMap<Fault, usize> = BTreeMap::new();
    let mut ended: BTreeMap<String, usize> = BTreeMap::new();
    for nth in 0.. {
        let total: usize = struck.values().sum();
        if total >= wanted {
            break;
        }
        let proxy = Proxy::new(&stage.folder().join(format!("engine{nth}.sock")), Path::new(ENGINE));
        let mut running = stage.shakedown(&manifest).env("DOCKER_HOST", &proxy.address()).start();
        let began = running.until_or_end("shakedown of ");
        let mut told = Vec::new();
        if let Some(run) = running.run_id().filter(|_| began) {
            for _ in 0..FAULTS_PER_RUN {
                if !running.listen_for(Duration::from_millis(random.random_range(100..1200))) {
                    break;
                }
                let fault = Fault::ALL[random.random_range(0..Fault::ALL.len())];
                // A killed process is a fault that ends the run, so that most of them have to go without.
                if fault == Fault::KillProcess && random.random_bool(0.7) {
                    continue;
                }
                if let Some(what) = strike(fault, &run, &running, &proxy, &mut random) {
                    told.push(format!("{fault:?} {what}"));
                    *struck.entry(fault).or_default() += 1;
                }
                if fault == Fault::KillProcess {
                    break;
                }
            }
            let finished = running.finish();
            let word = finished.code().map_or("killed".to_owned(), |code| format!("exit code {code}"));
            eprintln!("run {nth}, {word}, {:.1} s: {told:?}", finished.took.as_secs_f64());
            let killed = finished.was_ended_by(Signal::SIGKILL);
            let fine = killed || matches!(finished.code(), Some(0 | 3));
            assert!(fine, "seed {seed}, run {nth}, {word}: {told:#?}\n{}", finished.said);
            *ended.entry(word).or_default() += 1;
            check(&finished.reports, &run, &marks, &format!("seed {seed}, run {nth}: {told:#?}\n{}", finished.said));
            assert_gone_soon(&run);
        } else {
            running.finish();
        }
    }
    eprintln!("struck {struck:?}; {ended:?}");
    assert!(ended.get("exit code 0").is_some_and(|runs| *runs >= 2), "too few runs came to a verdict: {ended:?}");
}

/// No test is said to have failed, and none to have passed that has not run.
fn check(reports: &Path, run: &str, marks: &Marks, context: &str) {
    let history = History::read(reports, run);
    for attempt in &history.attempts {
        match &attempt.outcome {
            Outcome::Passed => {
                let marked = marks.has(run, attempt.test.as_str(), attempt.number.0);
                assert!(marked, "{} passed and has not run\n{context}", attempt.test);
            }
            Outcome::EnvironmentBroke { .. } | Outcome::Interrupted => {}
            Outcome::Failed(_) | Outcome::TimedOut { .. } | Outcome::Skipped { .. } => {
                panic!("{attempt:#?}\n{context}");
            }
        }
    }
}
