//! A second Docker engine, for what must not be done to the one that everybody uses: restarts, `kill -9`, TLS.
//!
//! It lives in a network namespace of its own: two engines in one would take each other's default bridge and firewall
//! rules away.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::patience::comes_true;

/// Starting and stopping an engine takes less, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a run makes has it.
const RUN: &str = "label=dev.shakedown.run";

/// An engine with a folder and a socket of its own.
pub(crate) struct PrivateEngine {
    folder: TempDir,
    arguments: Vec<String>,
    /// A process that does nothing but hold the network namespace, through every restart.
    namespace: Child,
    dockerd: Option<Child>,
}

impl PrivateEngine {
    /// Starts one; only root can.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with further arguments.
    pub(crate) fn start_with(arguments: &[String]) -> Self {
        // Sockets have short paths, so that this can't stand in a folder of some depth.
        let folder = tempfile::Builder::new().prefix("engine").tempdir_in("/tmp").expect("a folder");
        let namespace = Command::new("unshare").args(["--net", "sleep", "infinity"]).stdin(Stdio::null()).spawn();
        let namespace = namespace.expect("unshare can be started");
        let mut engine = Self { folder, arguments: arguments.to_vec(), namespace, dockerd: None };
        engine.await_namespace();
        engine.start_again();
        engine
    }

    /// The holder starts in our own namespace, in which no second engine may ever start.
    fn await_namespace(&self) {
        let net = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).ok();
        let ours = net("self").expect("/proc shows our namespace");
        let is_made = || net(&self.namespace.id().to_string()).is_some_and(|its| its != ours);
        assert!(comes_true(PATIENCE, is_made), "no network namespace could be made: that needs root");
    }

    /// Where it listens, for `DOCKER_HOST`.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.path("docker.sock").display())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it, after it was stopped or killed, and waits until it answers.
    pub(crate) fn start_again(&mut self) {
        self.try_start().unwrap_or_else(|why| panic!("{why}:\n{}", self.log()));
    }

    fn try_start(&mut self) -> Result<(), &'static str> {
        assert!(self.dockerd.is_none(), "it runs");
        // A killed engine's containerd dies with it. Where nobody reaps the dead, its process id seems to be alive.
        let _ = fs::remove_file(self.path("exec/containerd/containerd.pid"));
        let log = File::options().create(true).append(true).open(self.path("log")).expect("a log");
        let option = |name: &str, value: &str| format!("--{name}={}", self.path(value).display());
        let child = Command::new("nsenter")
            .args([&format!("--net=/proc/{}/ns/net", self.namespace.id()), "dockerd"])
            .args([option("data-root", "data"), option("exec-root", "exec"), option("pidfile", "pid")])
            .args(["--host", &self.address(), "--shutdown-timeout=5"])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.dockerd = Some(child.expect("dockerd can be started: scripts/engine installs it"));
        let answers = || self.docker(&["version", "--format", "{{.Server.Version}}"]).0;
        comes_true(PATIENCE, answers).then_some(()).ok_or("it does not answer")
    }

    /// Stops it as `systemctl stop` does: its containers end, too.
    pub(crate) fn stop(&mut self) {
        self.end(Signal::SIGTERM).unwrap_or_else(|why| panic!("{why}:\n{}", self.log()));
    }

    /// Ends it at once: its containers live on, with nobody to look after them.
    pub(crate) fn kill(&mut self) {
        self.end(Signal::SIGKILL).unwrap_or_else(|why| panic!("{why}:\n{}", self.log()));
    }

    fn end(&mut self, signal: Signal) -> Result<(), &'static str> {
        let mut child = self.dockerd.take().ok_or("it does not run")?;
        kill(Pid::from_raw(child.id().try_into().expect("a process id")), signal).expect("it is ours");
        if comes_true(PATIENCE, || child.try_wait().expect("it is ours").is_some()) {
            return Ok(());
        }
        let _ = child.kill();
        let _ = child.wait();
        Err("it does not end")
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Copies an image from the engine that everybody uses.
    pub(crate) fn copy_image(&self, image: &str) {
        copy_image_to(&self.address(), self.folder.path(), image);
    }

    fn docker(&self, arguments: &[&str]) -> (bool, String) {
        docker_at(&self.address(), arguments)
    }

    /// The names of all that runs have made on it and that is still there.
    pub(crate) fn things(&self) -> Vec<String> {
        things_at(&self.address())
    }

    /// Waits until nothing of any run is left on it.
    pub(crate) fn assert_nothing_stays(&self, within: Duration) {
        assert_nothing_stays_at(&self.address(), within);
    }
}

/// Runs Docker's own command against an engine: whether it succeeded, and what it said.
pub(crate) fn docker_at(address: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("docker").args(["--host", address]).args(arguments).output();
    let output = output.expect("docker can be started");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// Copies an image from the engine that everybody uses to another, by way of a folder.
pub(crate) fn copy_image_to(address: &str, folder: &Path, image: &str) {
    let file = folder.join("image.tar");
    let file = file.to_str().expect("text");
    let saved = Command::new("docker").args(["save", "--output", file, image]).status().expect("docker");
    assert!(saved.success(), "{image} can't be saved");
    let (loaded, said) = docker_at(address, &["load", "--input", file]);
    assert!(loaded, "{said}");
    fs::remove_file(file).expect("it is there");
}

/// The names of all that runs have made on an engine and that is still there.
pub(crate) fn things_at(address: &str) -> Vec<String> {
    let list = |arguments: &[&str]| {
        let (listed, said) = docker_at(address, &[arguments, &["--filter", RUN]].concat());
        assert!(listed, "{said}");
        said.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let containers = list(&["ps", "--all", "--format", "container {{.Names}}"]);
    let networks = list(&["network", "ls", "--format", "network {{.Name}}"]);
    let volumes = list(&["volume", "ls", "--format", "volume {{.Name}}"]);
    [containers, networks, volumes].concat()
}

/// Waits until nothing of any run is left on an engine.
pub(crate) fn assert_nothing_stays_at(address: &str, within: Duration) {
    assert!(comes_true(within, || things_at(address).is_empty()), "left behind: {:#?}", things_at(address));
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the private engine's log:\n{}", self.log());
        }
        // What a killed engine left running can only be ended by another one with the same folders.
        let runs = self.dockerd.is_some() || self.try_start().is_ok();
        let (_, ids) = self.docker(&["ps", "--all", "--quiet"]);
        let ids: Vec<&str> = ids.split_whitespace().collect();
        if runs && !ids.is_empty() {
            self.docker(&[&["rm", "--force", "--volumes"][..], &ids].concat());
        }
        // A panic here would hide why the test failed.
        if let Err(why) = self.end(Signal::SIGTERM) {
            eprintln!("the private engine could not be stopped: {why}");
        }
        let _ = self.namespace.kill();
        let _ = self.namespace.wait();
        end_shims_of(self.folder.path());
        unmount_below(self.folder.path());
    }
}

/// What looked after the containers of a killed engine lives on, though its containers are gone.
fn end_shims_of(folder: &Path) {
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        if line.contains("containerd-shim") && line.contains(&format!("{}/", folder.display())) {
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
    }
}

/// A stopped engine may leave mounts behind, which would keep its folder from being removed.
fn unmount_below(folder: &Path) {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let below =
        mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|path| Path::new(path).starts_with(folder));
    for path in below {
        let _ = Command::new("umount").args(["--lazy", path]).status();
    }
}
