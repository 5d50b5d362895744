//! What every engine must do, said once and held against the one in memory (`fake_…`) and a real one (`docker_…`,
//! which needs a Docker engine and the image `debian:bookworm-slim`).

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use shakedown::engine::docker::DockerEngine;
use shakedown::engine::fake::{Answer, Does, FakeEngine, Life, Verb};
use shakedown::engine::{
    ContainerSpec, ContainerState, Engine, EngineError, ExecSpec, FileInside, FileSpec, Happened, HostPort, ImageBuild,
    ImageInfo, Labels, NetworkSpec, Output, RefusalKind, ThingKind, Volume, VolumeSource, VolumeSpec, read_files,
};
use shakedown::environment::{Subnets, label, sweep};
use shakedown::id::RunId;
use shakedown::owner::Owner;
use tokio::io::AsyncWriteExt as _;

const IMAGE: &str = "debian:bookworm-slim";
/// Nothing here takes longer, on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// An engine, and names on it that are nobody else's.
struct Ground {
    engine: Arc<dyn Engine>,
    run: RunId,
    subnets: Subnets,
}

impl Ground {
    fn of(engine: Arc<dyn Engine>) -> Self {
        let salt = rand::random();
        Self { engine, run: RunId::new(Timestamp::now(), salt), subnets: Subnets::starting_at(salt) }
    }

    async fn docker() -> Self {
        Self::of(Arc::new(DockerEngine::connect().await.expect("a Docker engine")))
    }

    /// What the contract does with real programs is scripted here.
    fn fake() -> Self {
        let engine = FakeEngine::new()
            .with_image(IMAGE, ImageInfo::default())
            .with_life("-says", Life { says: vec!["one".into(), "two".into()], ..Life::ends(Duration::ZERO, 3) })
            .with_life("-ends", Life::ends(Duration::from_millis(500), 3))
            .with_answers("", "exit 3", vec![Answer { stderr: "err\n".into(), ..Answer::saying(3, "out\n") }])
            .with_answers("", "perl", vec![Answer { out_of_memory: true, ..Answer::code(137) }])
            .with_answers("", "no-such-program", vec![Answer::saying(127, "no-such-program: not found")])
            .with_answers("", "cat /tmp/written", vec![Answer::saying(0, "content")]);
        engine.script(Verb::BuildImage, "fails", 1, 99, Does::Refuse(RefusalKind::Other));
        Self::of(Arc::new(engine))
    }

    fn name(&self, what: &str) -> String {
        format!("shakedown-contract-{}-{what}", self.run)
    }

    fn labels(&self) -> Labels {
        let owner = Owner::this_process().expect("/proc");
        [(label::RUN, self.run.to_string()), (label::LEASE, owner.to_string())]
            .map(|(key, value)| (key.to_owned(), value))
            .into()
    }

    fn filter(&self) -> String {
        format!("{}={}", label::RUN, self.run)
    }

    async fn network(&self) -> NetworkSpec {
        loop {
            let spec = NetworkSpec { name: self.name("network"), subnet: self.subnets.next(), labels: self.labels() };
            match self.engine.create_network(&spec).await {
                Ok(_) => return spec,
                Err(error) if error.kind() == RefusalKind::SubnetTaken => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn container(&self, what: &str, script: &str) -> ContainerSpec {
        ContainerSpec {
            name: self.name(what),
            image: IMAGE.to_owned(),
            command: Some(["sh", "-c", script].map(str::to_owned).into()),
            labels: self.labels(),
            network: self.name("network"),
            init: true,
            ..ContainerSpec::default()
        }
    }

    async fn create(&self, what: &str, script: &str) -> String {
        let spec = self.container(what, script);
        self.engine.create_container(&spec).await.expect("created");
        spec.name
    }

    /// A container that runs until it is removed.
    async fn running(&self) -> String {
        self.network().await;
        let name = self.create("runs", "sleep infinity").await;
        self.engine.start_container(&name).await.expect("started");
        name
    }

    /// Runs a command to its end: standard output, standard error, exit code.
    async fn exec(&self, container: &str, command: &[&str], input: Option<&str>) -> (String, String, i64) {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let spec = ExecSpec { command, with_input: input.is_some(), ..ExecSpec::default() };
        let mut exec = self.engine.exec(container, &spec).await.expect("started");
        if let Some(input) = input {
            exec.input.write_all(input.as_bytes()).await.expect("written");
            exec.input.shutdown().await.expect("closed");
        }
        let (out, err) = texts(exec.output).await;
        loop {
            if let Some(code) = self.engine.exec_exit_code(&exec.id).await.expect("known") {
                return (out, err, code);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn ended(&self, container: &str) -> (i64, bool) {
        loop {
            match self.engine.inspect_container(container).await.expect("inspected") {
                ContainerState::Exited { code, out_of_memory } => return (code, out_of_memory),
                ContainerState::Created | ContainerState::Running { .. } => {}
                ContainerState::Gone => panic!("{container} is gone"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// All that a stream gives until its end, by standard output and standard error.
async fn texts(mut output: BoxStream<'static, Result<Output, EngineError>>) -> (String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(chunk) = output.next().await {
        match chunk.expect("no loss") {
            Output::Stdout(bytes) => out.extend_from_slice(&bytes),
            Output::Stderr(bytes) => err.extend_from_slice(&bytes),
        }
    }
    (String::from_utf8(out).expect("text"), String::from_utf8(err).expect("text"))
}

/// Holds an engine to a rule; whatever comes of it, nothing is left there.
async fn hold(ground: Ground, rule: impl for<'a> FnOnce(&'a Ground) -> Pin<Box<dyn Future<Output = ()> + 'a>>) {
    let held = AssertUnwindSafe(tokio::time::timeout(LONGEST, rule(&ground))).catch_unwind().await;
    sweep::sweep_run(&*ground.engine, &ground.run).await.expect("swept");
    match held {
        Ok(in_time) => in_time.expect("in time"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
    assert_eq!(ground.engine.list(&ground.filter()).await.expect("listed"), []);
}

macro_rules! contract {
    ($($rule:ident, $fake:ident, $docker:ident;)*) => {$(
        #[tokio::test]
        async fn $fake() {
            hold(Ground::fake(), |ground| Box::pin($rule(ground))).await;
        }

        #[tokio::test]
        async fn $docker() {
            hold(Ground::docker().await, |ground| Box::pin($rule(ground))).await;
        }
    )*};
}

contract! {
    answers, fake_an_engine_that_is_there_answers, docker_an_engine_that_is_there_answers;
    lives, fake_a_container_is_created_runs_and_is_gone, docker_a_container_is_created_runs_and_is_gone;
    removes, fake_removing_twice_or_what_never_was_is_fine, docker_removing_twice_or_what_never_was_is_fine;
    execs, fake_exec_gives_both_streams_and_the_exit_code, docker_exec_gives_both_streams_and_the_exit_code;
    reads, fake_exec_reads_its_input_to_the_end, docker_exec_reads_its_input_to_the_end;
    misses, fake_a_missing_program_is_said_with_126_or_127, docker_a_missing_program_is_said_with_126_or_127;
    writes, fake_a_written_file_is_there, docker_a_written_file_is_there;
    is_given, fake_a_file_that_a_container_is_given_is_there_at_its_start, docker_a_file_that_a_container_is_given_is_there_at_its_start;
    reads_back, fake_a_file_is_read_back_and_so_is_a_folder, docker_a_file_is_read_back_and_so_is_a_folder;
    logs, fake_logs_come_from_the_first_byte_to_the_end, docker_logs_come_from_the_first_byte_to_the_end;
    dies, fake_what_happens_to_a_container_is_told_in_its_order, docker_what_happens_to_a_container_is_told_in_its_order;
    starves, fake_want_of_memory_is_told_of_any_process, docker_want_of_memory_is_told_of_any_process;
    lists, fake_things_are_listed_by_their_labels, docker_things_are_listed_by_their_labels;
    not_found, fake_what_is_not_there_is_not_found, docker_what_is_not_there_is_not_found;
    stopped, fake_nothing_starts_in_a_container_that_ended, docker_nothing_starts_in_a_container_that_ended;
    conflicts, fake_a_name_is_given_once, docker_a_name_is_given_once;
    subnets, fake_a_taken_subnet_is_told_as_such, docker_a_taken_subnet_is_told_as_such;
    ports, fake_a_taken_port_is_told_as_such, docker_a_taken_port_is_told_as_such;
    in_use, fake_what_is_in_use_can_be_removed_later_only, docker_what_is_in_use_can_be_removed_later_only;
    builds, fake_an_image_is_built_listed_and_removed, docker_an_image_is_built_listed_and_removed;
    build_fails, fake_a_failed_build_carries_its_log, docker_a_failed_build_carries_its_log;
    pull_fails, fake_an_image_that_cant_be_had_is_told_as_such, docker_an_image_that_cant_be_had_is_told_as_such;
    tells, fake_an_engine_tells_of_its_host, docker_an_engine_tells_of_its_host;
    tells_subnets, fake_an_engine_tells_the_subnets_in_use, docker_an_engine_tells_the_subnets_in_use;
    tells_images, fake_an_engine_tells_of_its_images, docker_an_engine_tells_of_its_images;
    freezes, fake_a_containers_files_become_an_image, docker_a_containers_files_become_an_image;
    cut_off, fake_an_archive_that_breaks_off_makes_no_image, docker_an_archive_that_breaks_off_makes_no_image;
    leases, fake_what_a_lost_host_has_left_is_swept, docker_what_a_lost_host_has_left_is_swept;
    uses_time, fake_processor_time_is_told_of_what_runs, docker_processor_time_is_told_of_what_runs;
}

async fn lives(ground: &Ground) {
    let engine = &ground.engine;
    assert_eq!(engine.inspect_container(&ground.name("runs")).await, Ok(ContainerState::Gone));
    ground.network().await;
    let name = ground.create("runs", "sleep infinity").await;
    assert_eq!(engine.inspect_container(&name).await, Ok(ContainerState::Created));
    engine.start_container(&name).await.expect("started");
    assert!(matches!(engine.inspect_container(&name).await, Ok(ContainerState::Running { .. })));
    engine.remove_container(&name).await.expect("removed while it runs");
    assert_eq!(engine.inspect_container(&name).await, Ok(ContainerState::Gone));
}

async fn removes(ground: &Ground) {
    let engine = &ground.engine;
    let network = ground.network().await;
    let container = ground.create("runs", "sleep infinity").await;
    let volume = ground.name("volume");
    engine.create_volume(&VolumeSpec::new(volume.as_str(), ground.labels())).await.expect("created");
    for _ in 0..2 {
        engine.remove_container(&container).await.expect("container");
        // By its name, as when its id is not known yet.
        engine.remove_network(&network.name).await.expect("network");
        engine.remove_volume(&volume).await.expect("volume");
        engine.remove_image("shakedown/never-was:1").await.expect("image");
    }
}

async fn execs(ground: &Ground) {
    let container = ground.running().await;
    let said = ground.exec(&container, &["sh", "-c", "echo out; echo err >&2; exit 3"], None).await;
    assert_eq!(said, ("out\n".to_owned(), "err\n".to_owned(), 3));
}

async fn reads(ground: &Ground) {
    let container = ground.running().await;
    let said = ground.exec(&container, &["cat"], Some("two\nlines")).await;
    assert_eq!(said, ("two\nlines".to_owned(), String::new(), 0));
}

async fn misses(ground: &Ground) {
    let container = ground.running().await;
    let (out, err, code) = ground.exec(&container, &["no-such-program"], None).await;
    assert!([126, 127].contains(&code), "{code}");
    assert!(format!("{out}{err}").contains("no-such-program"), "{out} {err}");
}

async fn writes(ground: &Ground) {
    let container = ground.running().await;
    ground.engine.write_file(&container, "/tmp/written", b"content").await.expect("written");
    let (out, _, code) = ground.exec(&container, &["cat", "/tmp/written"], None).await;
    assert_eq!((out.as_str(), code), ("content", 0));
}

async fn is_given(ground: &Ground) {
    ground.network().await;
    let file =
        FileSpec { path: "/run/secrets/token".to_owned(), content: b"4711".into(), uid: 1000, gid: 5, mode: 0o440 };
    let spec = ContainerSpec { files: vec![file], ..ground.container("runs", "sleep infinity") };
    ground.engine.create_container(&spec).await.expect("created");
    ground.engine.start_container(&spec.name).await.expect("started");
    let files = read_files(&*ground.engine, &spec.name, "/run/secrets/token", 1 << 20).await.expect("read");
    assert_eq!(files, [FileInside { path: "token".to_owned(), content: b"4711".to_vec() }]);
}

async fn reads_back(ground: &Ground) {
    let container = ground.running().await;
    let read = async |path: &str, most| read_files(&*ground.engine, &container, path, most).await;
    ground.engine.write_file(&container, "/opt/one", b"first").await.expect("written");
    let files = read("/opt/one", 1 << 20).await.expect("read");
    assert_eq!(files, [FileInside { path: "one".to_owned(), content: b"first".to_vec() }]);
    ground.engine.write_file(&container, "/opt/two", b"second").await.expect("written");
    let mut paths: Vec<String> = read("/opt", 1 << 20).await.expect("read").into_iter().map(|file| file.path).collect();
    paths.sort();
    assert_eq!(paths, ["opt/one", "opt/two"]);

    let error = read("/opt/three", 1 << 20).await.expect_err("not there");
    assert!(matches!(error, EngineError::ReadArchive { .. }), "{error}");
    assert_eq!(error.kind(), RefusalKind::NotFound, "{error}");
    let error = read("/opt", 100).await.expect_err("too large");
    assert!(error.to_string().contains("/opt could not be read"), "{error}");
    assert!(error.to_string().contains("more than 100 bytes"), "{error}");
}

async fn logs(ground: &Ground) {
    ground.network().await;
    let container = ground.create("says", "echo one; echo two; exit 3").await;
    ground.engine.start_container(&container).await.expect("started");
    assert_eq!(ground.ended(&container).await, (3, false));
    for _ in 0..2 {
        let (out, _) = texts(ground.engine.follow_logs(&container, None)).await;
        let lines: Vec<&str> = out.lines().map(|line| line.split_once(' ').expect("a time first").1).collect();
        assert_eq!(lines, ["one", "two"]);
    }
    let (all, _) = texts(ground.engine.follow_logs(&container, None)).await;
    let last = all.lines().last().and_then(|line| line.split_once(' ')).expect("a line").0;
    let last: Timestamp = last.parse().expect("a time");
    let (again, _) = texts(ground.engine.follow_logs(&container, Some(last))).await;
    assert!(all.ends_with(&again) && again.contains(" two"), "from that second on: {again}");
    let later = last + Duration::from_secs(2);
    assert_eq!(texts(ground.engine.follow_logs(&container, Some(later))).await.0, "");
}

async fn dies(ground: &Ground) {
    ground.network().await;
    let mut events = ground.engine.events(&ground.filter());
    let mut of_others = ground.engine.events(&format!("{}=nobody", label::RUN));
    let container = ground.create("ends", "sleep 1; exit 3").await;
    ground.engine.start_container(&container).await.expect("started");
    let mut told = Vec::new();
    while told.last() != Some(&Happened::Ended(3)) {
        let event = events.next().await.expect("no end").expect("no loss");
        assert_eq!(event.container, container);
        told.push(event.what);
    }
    // The stream may open a moment after the start.
    told.retain(|what| *what != Happened::Started);
    ground.engine.remove_container(&container).await.expect("removed");
    told.push(events.next().await.expect("no end").expect("no loss").what);
    let other = ground.create("runs", "sleep infinity").await;
    ground.engine.start_container(&other).await.expect("started");
    ground.engine.remove_container(&other).await.expect("removed while it runs");
    for _ in 0..4 {
        told.push(events.next().await.expect("no end").expect("no loss").what);
    }
    let killed = Happened::Signalled("9".to_owned());
    let rest = [Happened::Removed, Happened::Started, killed, Happened::Ended(137), Happened::Removed];
    assert_eq!(told, [&[Happened::Ended(3)][..], &rest].concat());
    assert!(of_others.next().now_or_never().is_none());
}

async fn starves(ground: &Ground) {
    ground.network().await;
    let mut events = ground.engine.events(&ground.filter());
    let spec = ContainerSpec { memory: Some(32 << 20), ..ground.container("runs", "sleep infinity") };
    ground.engine.create_container(&spec).await.expect("created");
    ground.engine.start_container(&spec.name).await.expect("started");
    let (_, _, code) = ground.exec(&spec.name, &["perl", "-e", "$_ = 'a' x (256 << 20); sleep 9"], None).await;
    assert_eq!(code, 137);
    loop {
        let event = events.next().await.expect("no end").expect("no loss");
        if event.what == Happened::OutOfMemory {
            break assert_eq!(event.container, spec.name);
        }
    }
    let state = ground.engine.inspect_container(&spec.name).await.expect("inspected");
    assert!(matches!(state, ContainerState::Running { .. }), "it lives on: {state:?}");
}

async fn lists(ground: &Ground) {
    let container = ground.running().await;
    let volume = ground.name("volume");
    ground.engine.create_volume(&VolumeSpec::new(volume.as_str(), ground.labels())).await.expect("created");
    let all = ground.engine.list(label::RUN).await.expect("listed");
    let mut found = ground.engine.list(&ground.filter()).await.expect("listed");
    assert!(found.iter().all(|thing| all.contains(thing)), "by key alone there is more");
    found.sort_by_key(|thing| thing.kind);
    let kinds: Vec<_> = found.iter().map(|thing| (thing.kind, thing.name.clone())).collect();
    let expected =
        [(ThingKind::Container, container), (ThingKind::Network, ground.name("network")), (ThingKind::Volume, volume)];
    assert_eq!(kinds, expected);
    for thing in found {
        assert_eq!(thing.labels.get(label::LEASE), ground.labels().get(label::LEASE));
    }
}

async fn not_found(ground: &Ground) {
    let engine = &ground.engine;
    let nobody = ground.name("nobody");
    let exec = ExecSpec { command: vec!["true".to_owned()], ..ExecSpec::default() };
    let refused = [
        engine.start_container(&nobody).await.expect_err("start"),
        engine.exec(&nobody, &exec).await.expect_err("exec"),
        engine.exec_exit_code("0123456789ab").await.expect_err("exit code"),
        engine.write_file(&nobody, "/tmp/x", b"").await.expect_err("write"),
        read_files(&**engine, &nobody, "/tmp", 1 << 20).await.expect_err("read"),
    ];
    for error in refused {
        assert_eq!(error.kind(), RefusalKind::NotFound, "{error}");
    }
    ground.network().await;
    let spec = ContainerSpec { image: "shakedown/never-was:1".to_owned(), ..ground.container("x", "true") };
    let error = engine.create_container(&spec).await.expect_err("create");
    assert_eq!(error.kind(), RefusalKind::NotFound, "{error}");
    assert!(matches!(error, EngineError::CreateContainer { .. }));
    assert_eq!(engine.inspect_image("shakedown/never-was:1").await, Ok(None));
}

async fn stopped(ground: &Ground) {
    ground.network().await;
    let container = ground.create("says", "exit 3").await;
    ground.engine.start_container(&container).await.expect("started");
    ground.ended(&container).await;
    let exec = ExecSpec { command: vec!["true".to_owned()], ..ExecSpec::default() };
    let error = ground.engine.exec(&container, &exec).await.expect_err("exec");
    assert_eq!(error.kind(), RefusalKind::Conflict, "{error}");
}

async fn conflicts(ground: &Ground) {
    ground.network().await;
    ground.create("runs", "sleep infinity").await;
    let spec = ground.container("runs", "sleep infinity");
    let error = ground.engine.create_container(&spec).await.expect_err("create");
    assert_eq!(error.kind(), RefusalKind::Conflict, "{error}");
    // A volume that is there is as good as made.
    for _ in 0..2 {
        ground.engine.create_volume(&VolumeSpec::new(ground.name("volume"), ground.labels())).await.expect("created");
    }
}

async fn subnets(ground: &Ground) {
    let network = ground.network().await;
    let second = NetworkSpec { name: ground.name("second"), ..network };
    let error = ground.engine.create_network(&second).await.expect_err("create");
    assert_eq!(error.kind(), RefusalKind::SubnetTaken, "{error}");
}

async fn ports(ground: &Ground) {
    // Free a moment ago, which is the best that can be had.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port();
    let port = HostPort {
        host_ip: "127.0.0.1".to_owned(),
        host_port: Some(free),
        container_port: 80,
        protocol: "tcp".to_owned(),
    };
    ground.network().await;
    for name in ["first", "second"] {
        let spec = ContainerSpec { ports: vec![port.clone()], ..ground.container(name, "sleep infinity") };
        ground.engine.create_container(&spec).await.expect("created");
    }
    ground.engine.start_container(&ground.name("first")).await.expect("started");
    let error = ground.engine.start_container(&ground.name("second")).await.expect_err("start");
    assert_eq!(error.kind(), RefusalKind::PortTaken, "{error}");
}

async fn in_use(ground: &Ground) {
    let engine = &ground.engine;
    let network = ground.network().await;
    let volume = ground.name("volume");
    engine.create_volume(&VolumeSpec::new(volume.as_str(), ground.labels())).await.expect("created");
    let mount = Volume { source: VolumeSource::Named(volume.clone()), target: "/data".to_owned(), read_only: false };
    let spec = ContainerSpec { volumes: vec![mount], ..ground.container("runs", "sleep infinity") };
    engine.create_container(&spec).await.expect("created");
    engine.start_container(&spec.name).await.expect("started");
    assert!(engine.remove_network(&network.name).await.is_err());
    assert_eq!(engine.remove_volume(&volume).await.expect_err("in use").kind(), RefusalKind::Conflict);
    engine.remove_container(&spec.name).await.expect("container");
    engine.remove_network(&network.name).await.expect("network");
    engine.remove_volume(&volume).await.expect("volume");
}

fn build(ground: &Ground, tag: &str, dockerfile: &str) -> ImageBuild {
    let mut context = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(dockerfile.len() as u64);
    header.set_mode(0o644);
    context.append_data(&mut header, "Dockerfile", dockerfile.as_bytes()).expect("appended");
    ImageBuild {
        tag: format!("shakedown-contract/{tag}:{}", ground.run),
        context: context.into_inner().expect("an archive").into(),
        dockerfile: "Dockerfile".to_owned(),
        args: Vec::new(),
        target: None,
        labels: ground.labels(),
        ..ImageBuild::default()
    }
}

async fn answers(ground: &Ground) {
    assert_eq!(ground.engine.ping().await, Ok(()));
}

async fn builds(ground: &Ground) {
    let engine = &ground.engine;
    let image = build(ground, "works", &format!("FROM {IMAGE}\nENV made=here\n"));
    let lines = std::sync::Mutex::new(0);
    let count = |_: &str| *lines.lock().expect("whole") += 1;
    let built = engine.build_image(&image, &count).await;
    let found = engine.inspect_image(&image.tag).await;
    let listed = engine.list_images(&[ground.filter()]).await;
    engine.remove_image(&image.tag).await.expect("removed");
    built.expect("built");
    assert!(*lines.lock().expect("whole") > 0);
    assert!(found.expect("inspected").is_some());
    assert_eq!(listed.expect("listed"), std::slice::from_ref(&image.tag));
    assert_eq!(engine.inspect_image(&image.tag).await, Ok(None));
}

async fn build_fails(ground: &Ground) {
    let image = build(ground, "fails", &format!("FROM {IMAGE}\nRUN echo before the end; exit 7\n"));
    let error = ground.engine.build_image(&image, &|_| {}).await.expect_err("build");
    let EngineError::Build { refusal, log, .. } = &error else { panic!("{error}") };
    assert_eq!(refusal.kind, RefusalKind::Other, "{error}");
    assert!(log.iter().any(|line| line.to_lowercase().contains("step 1")), "{error}");
}

async fn pull_fails(ground: &Ground) {
    // Port 1 of the engine's own host: nobody serves images there.
    let error = ground.engine.pull_image("localhost:1/never-was:1", None, &|_| {}).await.expect_err("pull");
    assert!(matches!(error, EngineError::Pull { .. }), "{error}");
    assert!(!matches!(error.kind(), RefusalKind::Unreachable | RefusalKind::TimedOut), "{error}");
}

async fn uses_time(ground: &Ground) {
    let container = ground.running().await;
    let first = async |container: &str| {
        let mut figures = ground.engine.follow_figures(container);
        tokio::time::timeout(Duration::from_secs(30), figures.next()).await.expect("in time").expect("a figure")
    };
    let told = first(&container).await.expect("told");
    assert!(told.cpu > Duration::ZERO && told.memory > 0, "{told:?}");
    assert!(first(&ground.name("nobody")).await.is_err());
}

async fn tells(ground: &Ground) {
    let first = ground.engine.host().await.expect("told");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let second = ground.engine.host().await.expect("told");
    assert!(first.clock < second.clock, "its clock goes");
    assert!(!first.name.is_empty() && !first.storage.is_empty() && !first.root.is_empty(), "{first:?}");
}

async fn tells_subnets(ground: &Ground) {
    let spec = ground.network().await;
    let used = ground.engine.used_subnets().await.expect("told");
    assert!(used.iter().any(|used| used.network == spec.name && used.subnet == spec.subnet), "{used:?}");
}

async fn tells_images(ground: &Ground) {
    let image = build(ground, "stored", &format!("FROM {IMAGE}\nENV made=here\n"));
    ground.engine.build_image(&image, &|_| {}).await.expect("built");
    let stored = ground.engine.stored_images(&ground.filter()).await;
    ground.engine.remove_image(&image.tag).await.expect("removed");
    let stored = stored.expect("listed");
    assert_eq!(stored.iter().flat_map(|image| &image.references).collect::<Vec<_>>(), [&image.tag]);
    assert!(stored[0].size > 1 << 20, "{stored:?}");
    assert!(image.labels.iter().all(|(name, value)| stored[0].labels.get(name) == Some(value)), "{stored:?}");
}

async fn freezes(ground: &Ground) {
    let engine = &ground.engine;
    ground.network().await;
    let traps = "trap 'exit 0' TERM; while true; do sleep 0.1; done";
    let volume = Volume { source: VolumeSource::Anonymous, target: "/data".to_owned(), read_only: false };
    let spec = ContainerSpec { volumes: vec![volume], ..ground.container("frozen", traps) };
    let from = spec.name.as_str();
    engine.create_container(&spec).await.expect("created");
    engine.start_container(from).await.expect("started");
    engine.write_file(from, "/opt/own", b"of the container").await.expect("written");
    engine.write_file(from, "/data/kept", b"of a volume").await.expect("written");
    engine.stop_container(from, Duration::from_secs(20)).await.expect("stopped");
    let (code, _) = ground.ended(from).await;
    assert_eq!(code, 0, "it could end by itself");

    let (making, tag) = (ground.name("making") + ":1", ground.name("made") + ":1");
    let labels = ground.labels();
    engine.import_image(&making, &labels, engine.read_archive(from, "/")).await.expect("made");
    engine.tag_image(&making, &tag).await.expect("tagged");
    engine.remove_image(&making).await.expect("removed");
    assert_eq!(engine.inspect_image(&making).await, Ok(None));
    let listed = engine.list_images(&[ground.filter()]).await.expect("listed");
    let again = ContainerSpec { image: tag.clone(), ..ground.container("again", "sleep infinity") };
    let created = engine.create_container(&again).await;
    let mut files = Vec::new();
    for path in ["/opt/own", "/data/kept"] {
        files.extend(read_files(&**engine, &again.name, path, 1 << 20).await);
    }
    engine.remove_container(&again.name).await.expect("removed");
    engine.remove_image(&tag).await.expect("removed");
    created.expect("created from the image");
    assert_eq!(listed, [tag]);
    let contents: Vec<&[u8]> = files.iter().flatten().map(|file| file.content.as_slice()).collect();
    assert_eq!(contents, [b"of the container".as_slice(), b"of a volume"]);
}

async fn cut_off(ground: &Ground) {
    let tag = ground.name("never") + ":1";
    let nobody = ground.engine.read_archive(&ground.name("nobody"), "/");
    let error = ground.engine.import_image(&tag, &ground.labels(), nobody).await.expect_err("no archive");
    assert!(matches!(error, EngineError::ReadArchive { .. }), "{error}");
    assert_eq!(ground.engine.inspect_image(&tag).await, Ok(None));
    let error = ground.engine.tag_image(&tag, &tag).await.expect_err("no image");
    assert!(matches!(error, EngineError::TagImage { .. }) && error.kind() == RefusalKind::NotFound, "{error}");
    let error = ground.engine.stop_container(&tag, Duration::from_secs(1)).await.expect_err("no container");
    assert!(matches!(error, EngineError::StopContainer { .. }), "{error}");
}

/// Things of a process on a host that is not this one, with and without a lease that holds.
async fn leases(ground: &Ground) {
    let engine = &ground.engine;
    let now = engine.host().await.expect("told").clock;
    let mut labels = ground.labels();
    labels.insert(label::LEASE.to_owned(), "a-host-that-never-was/boot/1/1".to_owned());
    engine.create_volume(&VolumeSpec::new(ground.name("thing"), labels.clone())).await.expect("made");
    let lease = async |name: &str, until: Timestamp| {
        let mut labels = labels.clone();
        labels.insert(label::LEASE_UNTIL.to_owned(), until.to_string());
        engine.create_volume(&VolumeSpec::new(ground.name(name), labels.clone())).await.expect("made");
    };
    lease("ran-out", now - Duration::from_secs(3600)).await;
    lease("holds", now + Duration::from_secs(60)).await;
    let ours = async || engine.list(&ground.filter()).await.expect("listed").len();
    sweep::sweep_dead(&**engine).await.expect("swept");
    assert_eq!(ours().await, 3);
    engine.remove_volume(&ground.name("holds")).await.expect("removed");
    sweep::sweep_dead(&**engine).await.expect("swept");
    assert_eq!(ours().await, 0);
}
