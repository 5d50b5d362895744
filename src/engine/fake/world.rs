//! What there is on the engine, and how it changes: at once, without waiting.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::super::{
    ContainerEvent, ContainerSpec, ContainerState, ExecSpec, Happened, ImageInfo, Labelled, Labels, NetworkSpec,
    Output, Refusal, RefusalKind, ThingKind, VolumeSource,
};
use super::process::{Account, Process, Program};
use super::script::{Answer, Does, Life, Rule, Verb};
use super::suite::FakeSuite;
use super::{FakeEngine, refusal};

/// The state of an engine.
#[derive(Default)]
pub(super) struct World {
    pub(super) calls: Vec<String>,
    pub(super) suite: Option<Arc<FakeSuite>>,
    pub(super) lives: Vec<(String, Life)>,
    pub(super) connection: CancellationToken,
    pub(super) processes: HashMap<String, Process>,
    pub(super) event_listeners: Vec<(String, UnboundedSender<ContainerEvent>)>,
    /// When the clock was first looked at.
    pub(super) clock_since: Option<tokio::time::Instant>,
    /// Containers in which nothing ends any more.
    pub(super) frozen: BTreeSet<String>,
    rules: Vec<Rule>,
    answers: Vec<Answers>,
    pub(super) images: Vec<Image>,
    pub(super) networks: BTreeMap<String, NetworkSpec>,
    volumes: BTreeMap<String, Labels>,
    containers: BTreeMap<String, Container>,
    numbers: u64,
}

#[derive(Clone)]
pub(super) struct Image {
    pub(super) reference: String,
    pub(super) info: ImageInfo,
    pub(super) labels: Vec<String>,
    /// What its containers begin with, by absolute path.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

struct Answers {
    container: String,
    words: String,
    answers: Vec<Answer>,
    given: HashMap<String, usize>,
}

struct Container {
    spec: ContainerSpec,
    state: ContainerState,
    log: Vec<String>,
    log_listeners: Vec<UnboundedSender<Output>>,
    /// By absolute path.
    files: BTreeMap<String, Vec<u8>>,
}

/// Whether a thing with these labels carries `label`: a key, `key=value`, or nothing at all.
pub(super) fn carries(labels: &Labels, label: &str) -> bool {
    match label.split_once('=') {
        None => label.is_empty() || labels.contains_key(label),
        Some((key, value)) => labels.get(key).is_some_and(|is| is == value),
    }
}

fn not_found(what: &str) -> Refusal {
    refusal(RefusalKind::NotFound, &format!("no such {what}"))
}

impl World {
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn script(&mut self, verb: Verb, subject: &str, first: u32, times: u32, does: Does) {
        self.rules.push(Rule { verb, subject: subject.to_owned(), first, times, does, seen: 0 });
    }

    pub(super) fn note_call(&mut self, verb: Verb, subject: &str, details: &str) -> Option<Does> {
        self.calls.push(format!("{} {subject} {details}", verb.word()).trim_end().to_owned());
        let mut does = None;
        for rule in &mut self.rules {
            if rule.verb == verb && (subject.contains(&rule.subject) || details.contains(&rule.subject)) {
                rule.seen += 1;
                let applies = rule.seen >= rule.first && rule.seen - rule.first < rule.times;
                does = does.or(applies.then_some(rule.does));
            }
        }
        does
    }

    pub(super) fn add_answers(&mut self, container: &str, words: &str, answers: Vec<Answer>) {
        let (container, words) = (container.to_owned(), words.to_owned());
        self.answers.push(Answers { container, words, answers, given: HashMap::new() });
    }

    pub(super) fn add_image(&mut self, reference: &str, info: ImageInfo, labels: Vec<String>) {
        self.images.insert(0, Image { reference: reference.to_owned(), info, labels, files: BTreeMap::new() });
    }

    pub(super) fn image(&self, reference: &str) -> Option<ImageInfo> {
        self.images.iter().find(|image| image.reference == reference).map(|image| image.info.clone())
    }

    pub(super) fn images_with(&self, labels: &[String]) -> Vec<String> {
        let with = self.images.iter().filter(|image| labels.iter().all(|label| image.labels.contains(label)));
        with.map(|image| image.reference.clone()).collect()
    }

    pub(super) fn remove_image(&mut self, reference: &str) {
        self.images.retain(|image| image.reference != reference);
    }

    pub(super) fn create_network(&mut self, spec: NetworkSpec) -> Result<String, Refusal> {
        if self.networks.values().any(|network| network.subnet == spec.subnet) {
            return Err(refusal(RefusalKind::SubnetTaken, "Pool overlaps with other one on this address space"));
        }
        let id = format!("network-{}", self.number());
        self.networks.insert(id.clone(), spec);
        Ok(id)
    }

    /// By id or name, as the engine takes both.
    pub(super) fn remove_network(&mut self, network: &str) -> Result<(), Refusal> {
        let found = self.networks.iter().find(|(id, spec)| id.as_str() == network || spec.name == network);
        let Some((id, name)) = found.map(|(id, spec)| (id.clone(), spec.name.clone())) else { return Ok(()) };
        let in_use = self.containers.values().any(|c| [&id, &name].contains(&&c.spec.network) && c.is_running());
        if in_use {
            return Err(refusal(RefusalKind::Other, "the network has active endpoints"));
        }
        self.networks.remove(&id);
        Ok(())
    }

    pub(super) fn create_volume(&mut self, name: &str, labels: Labels) {
        self.volumes.entry(name.to_owned()).or_insert(labels);
    }

    pub(super) fn remove_volume(&mut self, name: &str) -> Result<(), Refusal> {
        let named = VolumeSource::Named(name.to_owned());
        if self.containers.values().any(|c| c.spec.volumes.iter().any(|volume| volume.source == named)) {
            return Err(refusal(RefusalKind::Conflict, "the volume is in use"));
        }
        self.volumes.remove(name);
        Ok(())
    }

    pub(super) fn create_container(&mut self, spec: ContainerSpec) -> Result<(), Refusal> {
        let Some(mut files) = self.files_of_image(&spec.image) else {
            return Err(not_found(&format!("image: {}", spec.image)));
        };
        if self.containers.contains_key(&spec.name) {
            return Err(refusal(RefusalKind::Conflict, "the container's name is already in use"));
        }
        files.extend(spec.files.iter().map(|file| (file.path.clone(), file.content.clone())));
        let container =
            Container { state: ContainerState::Created, log: Vec::new(), log_listeners: Vec::new(), files, spec };
        self.containers.insert(container.spec.name.clone(), container);
        Ok(())
    }

    /// Starts a container; returns what it does from now on.
    pub(super) fn start(&mut self, name: &str) -> Result<Life, Refusal> {
        let Some(container) = self.containers.get(name) else { return Err(not_found(&format!("container: {name}"))) };
        let taken = |c: &Container| {
            c.is_running()
                && c.spec.ports.iter().any(|port| {
                    port.host_port.is_some() && container.spec.ports.iter().any(|ours| ours.host_port == port.host_port)
                })
        };
        if self.containers.values().any(taken) {
            return Err(refusal(RefusalKind::PortTaken, "port is already allocated"));
        }
        let life = self.life_of(name);
        if let Some(container) = self.containers.get_mut(name) {
            container.state = ContainerState::Running { address: None };
        }
        self.tell(name, Happened::Started);
        for line in &life.says {
            self.write_log(name, line);
        }
        Ok(life)
    }

    fn life_of(&mut self, name: &str) -> Life {
        let ours = |(of, life): &&mut (String, Life)| name.ends_with(of.as_str()) && life.times != Some(0);
        let Some((_, life)) = self.lives.iter_mut().find(ours) else { return Life::default() };
        if let Some(times) = &mut life.times {
            *times -= 1;
        }
        life.clone()
    }

    pub(super) fn inspect(&self, name: &str) -> ContainerState {
        self.containers.get(name).map_or(ContainerState::Gone, |container| container.state.clone())
    }

    /// A container's first process ends; its other processes with it.
    pub(super) fn end(&mut self, name: &str, code: i64, out_of_memory: bool) {
        let Some(container) = self.containers.get_mut(name).filter(|container| container.is_running()) else { return };
        container.state = ContainerState::Exited { code, out_of_memory };
        container.log_listeners.clear();
        for process in self.processes.values().filter(|process| process.container == name) {
            process.kill.cancel();
        }
        if out_of_memory {
            self.tell(name, Happened::OutOfMemory);
        }
        self.tell(name, Happened::Ended(code));
    }

    /// Tells those who listen what happened to a container.
    pub(super) fn tell(&mut self, name: &str, what: Happened) {
        let Some(container) = self.containers.get(name) else { return };
        let labels = &container.spec.labels;
        self.event_listeners.retain(|(label, listener)| {
            let event = ContainerEvent { container: name.to_owned(), what: what.clone() };
            if carries(labels, label) { listener.send(event).is_ok() } else { !listener.is_closed() }
        });
    }

    /// The container that goes by `alias` in the network of `container` ends.
    pub(super) fn end_beside(&mut self, container: &str, alias: &str, code: i64) {
        if let Some(name) = self.beside(container, alias) {
            self.write_log(&name, "Segmentation fault");
            self.end(&name, code, false);
        }
    }

    /// The container that goes by `alias` in the network of `container` loses a process for want of memory.
    pub(super) fn starve_beside(&mut self, container: &str, alias: &str) {
        if let Some(name) = self.beside(container, alias) {
            self.write_log(&name, "worker 7 was killed");
            self.tell(&name, Happened::OutOfMemory);
        }
    }

    /// Whatever is run in the container that goes by `alias` in the network of `container` does not end any more.
    pub(super) fn freeze_beside(&mut self, container: &str, alias: &str) {
        if let Some(name) = self.beside(container, alias) {
            self.frozen.insert(name);
        }
    }

    /// Whether the container that goes by `alias` in the network of `container` runs.
    pub(super) fn runs_beside(&self, container: &str, alias: &str) -> bool {
        let beside = self.beside(container, alias);
        beside.and_then(|name| self.containers.get(&name)).is_some_and(Container::is_running)
    }

    fn beside(&self, container: &str, alias: &str) -> Option<String> {
        let network = &self.containers.get(container)?.spec.network;
        let is_it = |c: &&Container| c.spec.network == *network && c.spec.aliases.iter().any(|name| name == alias);
        self.containers.values().find(is_it).map(|c| c.spec.name.clone())
    }

    pub(super) fn remove_container(&mut self, name: &str) {
        if self.containers.get(name).is_some_and(Container::is_running) {
            self.tell(name, Happened::Signalled("9".to_owned()));
        }
        self.end(name, super::process::KILLED, false);
        self.tell(name, Happened::Removed);
        self.containers.remove(name);
    }

    pub(super) fn write_log(&mut self, name: &str, line: &str) {
        let Some(container) = self.containers.get_mut(name) else { return };
        let line = format!("2026-01-01T00:00:00.000000000Z {line}\n");
        container.log_listeners.retain(|listener| listener.send(Output::Stdout(Bytes::from(line.clone()))).is_ok());
        container.log.push(line);
    }

    pub(super) fn write_file(&mut self, name: &str, path: &str, content: &[u8]) -> Result<(), Refusal> {
        let Some(container) = self.containers.get_mut(name) else {
            return Err(not_found(&format!("container: {name}")));
        };
        container.files.insert(path.to_owned(), content.to_owned());
        Ok(())
    }

    /// A file, or a folder's files, as a tar archive.
    pub(super) fn archive(&self, name: &str, path: &str) -> Result<Bytes, Refusal> {
        let Some(container) = self.containers.get(name) else { return Err(not_found(&format!("container: {name}"))) };
        let parent = path.rfind('/').map_or(0, |slash| slash + 1);
        let within = |file: &str| {
            path == "/" || file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let failed = |error: std::io::Error| refusal(RefusalKind::Other, &error.to_string());
        let mut archive = tar::Builder::new(Vec::new());
        let mut found = path == "/";
        for (file, content) in container.files.iter().filter(|(file, _)| within(file)) {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, &file[parent..], content.as_slice()).map_err(failed)?;
            found = true;
        }
        if !found {
            return Err(not_found(&format!("file: {path}")));
        }
        archive.into_inner().map(Bytes::from).map_err(failed)
    }

    /// A container's log so far, from the second of `since` on, and whatever comes, until it ends.
    pub(super) fn follow_log(
        &mut self,
        name: &str,
        since: Option<Timestamp>,
        listener: UnboundedSender<Output>,
    ) -> Result<(), Refusal> {
        let is_wanted = |line: &str| {
            let at: Option<Timestamp> = line.split_once(' ').and_then(|(at, _)| at.parse().ok());
            since.zip(at).is_none_or(|(since, at)| at.as_second() >= since.as_second())
        };
        let Some(container) = self.containers.get_mut(name) else {
            return Err(not_found(&format!("container: {name}")));
        };
        for line in container.log.iter().filter(|line| is_wanted(line)) {
            let _ = listener.send(Output::Stdout(Bytes::from(line.clone())));
        }
        if container.is_running() {
            container.log_listeners.push(listener);
        }
        Ok(())
    }

    /// Starts a process in a container; returns its id, what it does, and what kills it.
    pub(super) fn exec(
        &mut self,
        name: &str,
        spec: &ExecSpec,
    ) -> Result<(String, Program, CancellationToken, Arc<Account>), Refusal> {
        match self.containers.get(name) {
            None => return Err(not_found(&format!("container: {name}"))),
            Some(container) if !container.is_running() => {
                return Err(refusal(RefusalKind::Conflict, &format!("container {name} is not running")));
            }
            Some(_) => {}
        }
        let program = self.program(name, spec);
        let (id, kill) = (format!("exec-{}", self.number()), CancellationToken::new());
        let (container, environment) = (name.to_owned(), spec.environment.clone());
        let account = Arc::new(Account::default());
        let process = Process { container, environment, exit_code: None, kill: kill.clone(), account: account.clone() };
        self.processes.insert(id.clone(), process);
        Ok((id, program, kill, account))
    }

    fn program(&mut self, name: &str, spec: &ExecSpec) -> Program {
        if self.frozen.contains(name) {
            return Program::Hangs;
        }
        let command = spec.command.join(" ");
        let scripted = self.answers.iter_mut().find(|a| name.ends_with(&a.container) && command.contains(&a.words));
        if let Some(Answers { answers, given, .. }) = scripted {
            let given = given.entry(name.to_owned()).or_default();
            let answer = answers.get(*given).or(answers.last()).cloned().unwrap_or_default();
            *given += 1;
            return Program::Answers(answer);
        }
        let is_ours = |word: &String| [FakeEngine::LIST_TESTS, FakeEngine::RUN_TESTS].contains(&word.as_str());
        if let (Some(suite), Some(first)) = (&self.suite, spec.command.iter().position(is_ours)) {
            let words = spec.command[first..].to_vec();
            let attempt = spec.environment.iter().find(|(name, _)| name == "SHAKEDOWN_ATTEMPT");
            let attempt = attempt.and_then(|(_, attempt)| attempt.parse().ok()).unwrap_or(0);
            return Program::Commands { suite: suite.clone(), words, attempt };
        }
        match (&self.suite, spec.command.as_slice()) {
            (Some(_), [.., kill, token]) if kill == "--kill" => Program::Kills(token.clone()),
            (Some(_), [.., tell, token]) if tell == "--tell" => Program::Tells(token.clone()),
            (Some(suite), _) if spec.with_input => Program::Works(suite.clone()),
            (_, [cat]) if cat == "cat" => Program::Copies,
            _ => Program::Answers(Answer::default()),
        }
    }

    pub(super) fn process_ended(&mut self, id: &str, code: i64) {
        if let Some(process) = self.processes.get_mut(id) {
            process.exit_code = Some(code);
        }
    }

    pub(super) fn account(&self, container: &str, token: &str) -> Option<String> {
        let ours = |p: &&Process| p.container == container && p.environment.iter().any(|(_, value)| value == token);
        let account = &self.processes.values().find(ours)?.account;
        Some(format!("{} {}\n", account.said.load(Ordering::Relaxed), account.heard.load(Ordering::Relaxed)))
    }

    pub(super) fn kill_processes(&self, container: &str, token: &str) {
        let ours = |p: &&Process| p.container == container && p.environment.iter().any(|(_, value)| value == token);
        for process in self.processes.values().filter(ours) {
            process.kill.cancel();
        }
    }

    pub(super) fn list(&self, label: &str) -> Vec<Labelled> {
        let thing = |kind, id: &str, name: &str, labels: &Labels| Labelled {
            kind,
            id: id.to_owned(),
            name: name.to_owned(),
            labels: labels.clone(),
        };
        let containers =
            self.containers.iter().map(|(name, c)| thing(ThingKind::Container, name, name, &c.spec.labels));
        let networks = self.networks.iter().map(|(id, n)| thing(ThingKind::Network, id, &n.name, &n.labels));
        let volumes = self.volumes.iter().map(|(name, labels)| thing(ThingKind::Volume, name, name, labels));
        containers.chain(networks).chain(volumes).filter(|thing| carries(&thing.labels, label)).collect()
    }
}

impl Container {
    fn is_running(&self) -> bool {
        matches!(self.state, ContainerState::Running { .. })
    }
}
