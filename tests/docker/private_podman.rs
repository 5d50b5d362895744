//! Podman's service on a socket of its own, as a second kind of engine.
//!
//! It lives in network, mount and process namespaces of its own: it can touch nothing of Docker's bridges, and whatever
//! it starts (which outlives the service, unlike Docker's) ends with the first process in there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::patience::comes_true;
use crate::private_engine::{assert_nothing_stays_at, copy_image_to, docker_at, things_at};

/// Starting and stopping it takes less, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Podman's service, with all that it keeps in a folder.
pub(crate) struct PrivatePodman {
    folder: TempDir,
    /// Makes the namespaces. With it ends the first process in them, and so all others.
    maker: Child,
    /// The first process in the namespaces: it sees to the dead, as they are handed over to it.
    first: Pid,
    service: Option<(Child, Pid)>,
}

impl PrivatePodman {
    /// Starts one; only root can.
    pub(crate) fn start() -> Self {
        for (program, arguments) in [("podman", ["--version"]), ("/usr/lib/podman/netavark", ["--version"])] {
            let found = Command::new(program).args(arguments).stdout(Stdio::null()).status();
            assert!(found.is_ok(), "{program} is missing: scripts/test installs it, by {PACKAGES} on Debian");
        }
        // Sockets have short paths, so that this can't stand in a folder of some depth.
        let folder = tempfile::Builder::new().prefix("podman").tempdir_in("/tmp").expect("a folder");
        fs::write(folder.path().join("containers.conf"), settings(folder.path())).expect("written");
        // What Podman keeps in /run by whatever settings is kept from the host by a /run of its own.
        let inside = "mount -t tmpfs tmpfs /run && ip link set lo up && exec catatonit -- sleep infinity";
        let mut maker = Command::new("unshare")
            .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", inside])
            .stdin(Stdio::null())
            .spawn()
            .expect("unshare can be started");
        let mut first = None;
        let is_made = || {
            let ended = maker.try_wait().expect("it is ours");
            assert_eq!(ended, None, "no namespaces could be made: that needs root");
            first = child_of(maker.id()).filter(|process| name_of(*process) == "catatonit");
            first.is_some()
        };
        assert!(comes_true(PATIENCE, is_made), "no namespaces could be made");
        let first = first.expect("it was found");
        let mut podman = Self { folder, maker, first, service: None };
        podman.start_again();
        podman
    }

    /// Where it listens, for `--engine`.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.path("podman.sock").display())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Podman's own command, with the same folders.
    fn podman(&self) -> Command {
        let option = |name: &str, value: &str| format!("--{name}={}", self.path(value).display());
        let mut command = Command::new("nsenter");
        command
            .args([&format!("--target={}", self.first), "--net", "--mount", "--pid", "podman"])
            .args([option("root", "root"), option("runroot", "run"), option("tmpdir", "tmp")])
            .args([option("network-config-dir", "networks"), "--cgroup-manager=cgroupfs".to_owned()])
            .arg("--events-backend=file")
            .env("CONTAINERS_CONF", self.path("containers.conf"))
            .stdin(Stdio::null());
        command
    }

    /// Starts the service, after it was killed, and waits until it answers.
    pub(crate) fn start_again(&mut self) {
        assert!(self.service.is_none(), "it runs");
        let log = File::options().create(true).append(true).open(self.path("log")).expect("a log");
        let mut command = self.podman();
        command.args(["system", "service", "--time=0", &self.address()]).stdout(Stdio::null()).stderr(log);
        let entering = command.spawn().expect("nsenter can be started");
        let mut service = None;
        let answers = || {
            service = child_of(entering.id()).filter(|process| name_of(*process) == "podman");
            docker_at(&self.address(), &["version", "--format", "{{.Server.Version}}"]).0
        };
        assert!(comes_true(PATIENCE, answers), "it does not answer:\n{}", self.log());
        self.service = Some((entering, service.expect("who answers runs")));
    }

    /// Ends the service at once. Its containers live on.
    pub(crate) fn kill(&mut self) {
        let (mut entering, service) = self.service.take().expect("it runs");
        kill(service, Signal::SIGKILL).expect("it is ours");
        entering.wait().expect("it was started");
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Copies an image from Docker. Podman keeps it as one that was made here, under `localhost/`; it gets the name that
    /// Docker knows it by.
    pub(crate) fn copy_image(&self, image: &str) {
        copy_image_to(&self.address(), self.folder.path(), image);
        let named = self.podman().args(["tag", image, &format!("docker.io/{image}")]).output().expect("started");
        assert!(named.status.success(), "{}", said(&named));
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

/// What a Debian machine needs for it.
const PACKAGES: &str = "apt-get install podman netavark aardvark-dns catatonit runc";

/// Settings that work whatever the host's are, and that no option sets. The runtime is runc since crun refuses hosts on
/// which control groups of both versions are mounted, and the limits are ours since it may be that nobody can raise them.
fn settings(folder: &Path) -> String {
    let limit = |option: &str| {
        let told =
            Command::new("bash").args(["-c", &format!("ulimit -H {option}")]).output().expect("bash can be started");
        said(&told).trim().to_owned()
    };
    let (files, processes) = (limit("-n"), limit("-u"));
    format!(
        "[containers]\ndefault_ulimits = [\"nofile={files}:{files}\", \"nproc={processes}:{processes}\"]\n\
         log_driver = \"k8s-file\"\n[network]\nnetwork_backend = \"netavark\"\n[engine]\nruntime = \"runc\"\n\
         volume_path = {:?}\n",
        folder.join("volumes")
    )
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// The first child of a process, as this namespace sees it.
fn child_of(process: u32) -> Option<Pid> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok().map(Pid::from_raw)
}

fn name_of(process: Pid) -> String {
    fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default().trim().to_owned()
}

impl Drop for PrivatePodman {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("Podman's log:\n{}", self.log());
        }
        let containers: Vec<String> = fs::read_dir(self.path("root/overlay-containers"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        // Neither what fails here nor a panic may hide why the test failed. The first process is gone when all others in
        // its namespace are.
        let _ = kill(self.first, Signal::SIGKILL);
        comes_true(PATIENCE, || matches!(self.maker.try_wait(), Ok(Some(_))));
        let _ = self.maker.kill();
        let _ = self.maker.wait();
        if let Some((mut entering, _)) = self.service.take() {
            let _ = entering.wait();
        }
        remove_control_groups_of(&containers);
    }
}

/// Control groups are the host's, and stay when processes are killed.
fn remove_control_groups_of(containers: &[String]) {
    for hierarchy in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
        let parent = hierarchy.path().join("libpod_parent");
        let is_ours = |name: &str| containers.iter().any(|container| name.contains(container.as_str()));
        for group in fs::read_dir(&parent).into_iter().flatten().flatten() {
            if is_ours(&group.file_name().to_string_lossy()) {
                comes_true(Duration::from_secs(5), || fs::remove_dir(group.path()).is_ok());
            }
        }
        // Only where they are empty, so that another Podman's are left alone.
        let _ = fs::remove_dir(parent.join("conmon"));
        let _ = fs::remove_dir(parent);
    }
}
