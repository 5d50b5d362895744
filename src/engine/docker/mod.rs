//! An engine over Docker's API. This folder is the only place that names the client library.

pub mod connection;
mod convert;
mod files;
mod host;
mod pull;
mod store;

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use bollard::models::{BuildInfo, CreateImageInfo};
use bollard::query_parameters::{
    BuildImageOptions, CreateContainerOptions, CreateImageOptions, DownloadFromContainerOptions, EventsOptions,
    ListContainersOptions, ListImagesOptions, ListNetworksOptions, ListVolumesOptions, LogsOptions,
    RemoveContainerOptions, RemoveImageOptions, RemoveVolumeOptions, StartContainerOptions, StatsOptions,
    StopContainerOptions, UploadToContainerOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    ContainerEvent, ContainerSpec, ContainerState, Engine, EngineError, EngineHost, EngineInfo, Exec, ExecSpec,
    Figures, ImageBuild, ImageInfo, Labelled, Labels, NetworkSpec, Output, Progress, Refusal, RefusalKind, StoredImage,
    ThingKind, UsedSubnet, VolumeSpec,
};
use connection::{Asked, Connection, Tls};
use convert::refusal;

/// The oldest version of the API that has all that is needed.
const OLDEST_API: (usize, usize) = (1, 41);
/// For the call that asks whether an engine is there.
const PING: Duration = Duration::from_secs(5);
/// For calls that an engine answers at once.
const QUICK: Duration = Duration::from_secs(30);
/// For calls that start or remove things, on a busy host.
const SLOW: Duration = Duration::from_secs(120);
/// For builds and pulls.
const IMAGE: Duration = Duration::from_secs(1800);
/// The pause between two looks at a container that has ended and is not yet put away.
const PUTTING_AWAY: Duration = Duration::from_millis(20);
/// How many lines of a build's log are kept for its error message.
const BUILD_LOG_LINES: usize = 25;

/// A Docker engine.
#[derive(Clone, Debug)]
pub struct DockerEngine {
    docker: Docker,
    info: EngineInfo,
}

impl DockerEngine {
    /// Connects to the engine that the environment variables name, or to the local one, and asks what it is.
    pub async fn connect() -> Result<Self, EngineError> {
        let connection = Connection::find(&Asked::default());
        let connection = connection.map_err(|message| EngineError::Connect {
            address: "the address that the environment names".to_owned(),
            refusal: Refusal { kind: RefusalKind::Other, message },
        })?;
        Self::connect_to(&connection).await
    }

    /// Connects to an engine, and asks what it is.
    pub async fn connect_to(connection: &Connection) -> Result<Self, EngineError> {
        let address = &connection.address;
        let lost = |refusal| EngineError::Connect { address: address.clone(), refusal };
        let docker = match &connection.tls {
            None => Docker::connect_with_host(address),
            Some(Tls { ca, cert, key }) => {
                Docker::connect_with_ssl(address, key, cert, ca, IMAGE.as_secs(), API_DEFAULT_VERSION)
            }
        };
        let docker = docker.map_err(|e| lost(refusal(e)))?.with_timeout(IMAGE);
        let docker = within(QUICK, docker.negotiate_version()).await.map_err(lost)?;
        let api = docker.client_version();
        if (api.major_version, api.minor_version) < OLDEST_API {
            let message = format!(
                "it speaks API {}.{} at most, and {}.{} is needed: Docker 20.10 or newer",
                api.major_version, api.minor_version, OLDEST_API.0, OLDEST_API.1
            );
            return Err(EngineError::TooOld {
                address: address.clone(),
                refusal: Refusal { kind: RefusalKind::Other, message },
            });
        }
        let info = within(QUICK, docker.info()).await.map_err(lost)?;
        let info = EngineInfo {
            version: info.server_version.unwrap_or_default(),
            api: format!("{}.{}", api.major_version, api.minor_version),
            cpus: u32::try_from(info.ncpu.unwrap_or(1)).unwrap_or(1).max(1),
            memory: u64::try_from(info.mem_total.unwrap_or(0)).unwrap_or(0),
        };
        Ok(Self { docker, info })
    }
}

/// Awaits a call for at most `limit`.
async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, bollard::errors::Error>>,
) -> Result<T, Refusal> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => answer.map_err(refusal),
        Err(_) => Err(Refusal {
            kind: RefusalKind::TimedOut,
            message: format!("the engine did not answer within {} s", limit.as_secs()),
        }),
    }
}

/// Not found means that there is nothing left to remove; a removal that is under way already is as good.
fn removed(answer: Result<(), Refusal>) -> Result<(), Refusal> {
    match answer {
        Err(refusal) if refusal.kind == RefusalKind::NotFound => Ok(()),
        Err(refusal) if refusal.message.contains("is already in progress") => Ok(()),
        other => other,
    }
}

fn label_filter(labels: &[String]) -> Option<HashMap<String, Vec<String>>> {
    Some(HashMap::from([("label".to_owned(), labels.to_vec())]))
}

#[async_trait]
impl Engine for DockerEngine {
    async fn describe(&self) -> Result<EngineInfo, EngineError> {
        Ok(self.info.clone())
    }

    async fn ping(&self) -> Result<(), EngineError> {
        within(PING, self.docker.ping()).await.map(drop).map_err(|refusal| EngineError::Ping { refusal })
    }

    async fn inspect_image(&self, image: &str) -> Result<Option<ImageInfo>, EngineError> {
        match within(QUICK, self.docker.inspect_image(image)).await {
            Ok(found) => Ok(Some(convert::image_info(found))),
            Err(refusal) if refusal.kind == RefusalKind::NotFound => Ok(None),
            Err(refusal) => Err(EngineError::Image { image: image.to_owned(), refusal }),
        }
    }

    async fn pull_image(&self, image: &str, platform: Option<&str>, progress: Progress<'_>) -> Result<(), EngineError> {
        let with_tag = if image.contains('@') || image.rsplit('/').next().is_some_and(|name| name.contains(':')) {
            image.to_owned()
        } else {
            format!("{image}:latest")
        };
        let platform = platform.unwrap_or_default().to_owned();
        let options = CreateImageOptions { from_image: Some(with_tag), platform, ..Default::default() };
        let failed = |step: CreateImageInfo| match step.error_detail.and_then(|detail| detail.message) {
            Some(error) => Err(bollard::errors::Error::DockerStreamError { error }),
            None => Ok(step.status),
        };
        let steps = self.docker.create_image(Some(options), None, None);
        let steps = steps.map(|step| step.and_then(failed).map_err(refusal));
        pull::follow(steps, progress).await.map_err(|refusal| EngineError::Pull { image: image.to_owned(), refusal })
    }

    async fn build_image(&self, build: &ImageBuild, progress: Progress<'_>) -> Result<(), EngineError> {
        let options = BuildImageOptions {
            dockerfile: build.dockerfile.clone(),
            t: Some(build.tag.clone()),
            buildargs: Some(build.args.iter().cloned().collect()),
            target: build.target.clone().unwrap_or_default(),
            cachefrom: Some(build.cache_from.clone()),
            networkmode: build.network.clone(),
            shmsize: build.shm_size.and_then(|bytes| i32::try_from(bytes).ok()),
            extrahosts: Some(build.extra_hosts.join(",")).filter(|hosts| !hosts.is_empty()),
            platform: build.platform.clone().unwrap_or_default(),
            labels: Some(build.labels.clone().into_iter().collect()),
            rm: true,
            forcerm: true,
            ..Default::default()
        };
        let mut log: Vec<String> = Vec::new();
        let context = bollard::body_full(build.context.clone());
        let building = self.docker.build_image(options, None, Some(context)).try_for_each(|step: BuildInfo| {
            for line in step.stream.iter().flat_map(|text| text.lines()).filter(|line| !line.trim().is_empty()) {
                progress(line);
                log.push(line.to_owned());
            }
            std::future::ready(match step.error_detail.and_then(|detail| detail.message) {
                Some(error) => Err(bollard::errors::Error::DockerStreamError { error }),
                None => Ok(()),
            })
        });
        let built = within(IMAGE, building).await;
        built.map_err(|refusal| EngineError::Build {
            image: build.tag.clone(),
            refusal,
            log: log.split_off(log.len().saturating_sub(BUILD_LOG_LINES)),
        })
    }

    async fn list_images(&self, labels: &[String]) -> Result<Vec<String>, EngineError> {
        let options = ListImagesOptions { filters: label_filter(labels), ..Default::default() };
        let mut images = within(QUICK, self.docker.list_images(Some(options)))
            .await
            .map_err(|refusal| EngineError::Image { image: labels.join(", "), refusal })?;
        images.sort_by_key(|image| std::cmp::Reverse(image.created));
        Ok(images.into_iter().flat_map(|image| image.repo_tags).map(convert::short_reference).collect())
    }

    async fn remove_image(&self, image: &str) -> Result<(), EngineError> {
        let answer = within(SLOW, self.docker.remove_image(image, None::<RemoveImageOptions>, None)).await;
        removed(answer.map(drop)).map_err(|refusal| EngineError::Image { image: image.to_owned(), refusal })
    }

    async fn import_image(
        &self,
        tag: &str,
        labels: &Labels,
        archive: BoxStream<'static, Result<Bytes, EngineError>>,
    ) -> Result<(), EngineError> {
        self.import(tag, labels, archive).await
    }

    async fn tag_image(&self, image: &str, tag: &str) -> Result<(), EngineError> {
        self.tag(image, tag).await.map_err(|refusal| EngineError::TagImage {
            image: image.to_owned(),
            tag: tag.to_owned(),
            refusal,
        })
    }

    async fn create_network(&self, network: &NetworkSpec) -> Result<String, EngineError> {
        within(SLOW, self.docker.create_network(convert::network(network)))
            .await
            .map(|made| made.id)
            .map_err(|refusal| EngineError::CreateNetwork { network: network.name.clone(), refusal })
    }

    async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        removed(within(SLOW, self.docker.remove_network(id)).await).map_err(|refusal| EngineError::Remove {
            kind: ThingKind::Network.word(),
            name: id.to_owned(),
            refusal,
        })
    }

    async fn create_volume(&self, volume: &VolumeSpec) -> Result<(), EngineError> {
        within(SLOW, self.docker.create_volume(convert::volume(volume)))
            .await
            .map(drop)
            .map_err(|refusal| EngineError::CreateVolume { volume: volume.name.clone(), refusal })
    }

    async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let options = RemoveVolumeOptions { force: true };
        removed(within(SLOW, self.docker.remove_volume(name, Some(options))).await)
            .map_err(|refusal| EngineError::Remove { kind: ThingKind::Volume.word(), name: name.to_owned(), refusal })
    }

    async fn create_container(&self, container: &ContainerSpec) -> Result<(), EngineError> {
        let failed = |refusal| EngineError::CreateContainer { container: container.name.clone(), refusal };
        let platform = container.platform.clone().unwrap_or_default();
        let options = CreateContainerOptions { name: Some(container.name.clone()), platform };
        let making = self.docker.create_container(Some(options), convert::container(container));
        within(SLOW, making).await.map_err(failed)?;
        if container.files.is_empty() {
            return Ok(());
        }
        let archive = files::archive(&container.files)
            .map_err(|e| failed(Refusal { kind: RefusalKind::Other, message: e.to_string() }))?;
        let options = UploadToContainerOptions { path: "/".to_owned(), ..Default::default() };
        let body = bollard::body_full(archive.into());
        within(SLOW, self.docker.upload_to_container(&container.name, Some(options), body)).await.map_err(failed)
    }

    async fn start_container(&self, name: &str) -> Result<(), EngineError> {
        within(SLOW, self.docker.start_container(name, None::<StartContainerOptions>))
            .await
            .map_err(|refusal| EngineError::StartContainer { container: name.to_owned(), refusal })
    }

    async fn stop_container(&self, name: &str, grace: Duration) -> Result<(), EngineError> {
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let options = StopContainerOptions { t: Some(seconds), ..Default::default() };
        within(SLOW + grace, self.docker.stop_container(name, Some(options)))
            .await
            .map_err(|refusal| EngineError::StopContainer { container: name.to_owned(), refusal })
    }

    async fn inspect_container(&self, name: &str) -> Result<ContainerState, EngineError> {
        let asked = Instant::now();
        loop {
            match within(QUICK, self.docker.inspect_container(name, None)).await {
                Ok(found) => return Ok(convert::container_state(found)),
                Err(refusal) if refusal.kind == RefusalKind::NotFound => return Ok(ContainerState::Gone),
                Err(refusal) if convert::is_being_put_away(&refusal) && asked.elapsed() < QUICK => {}
                Err(refusal) => return Err(EngineError::InspectContainer { container: name.to_owned(), refusal }),
            }
            tokio::time::sleep(PUTTING_AWAY).await;
        }
    }

    async fn remove_container(&self, name: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptions { v: true, force: true, link: false };
        removed(within(SLOW, self.docker.remove_container(name, Some(options))).await).map_err(|refusal| {
            EngineError::Remove { kind: ThingKind::Container.word(), name: name.to_owned(), refusal }
        })
    }

    async fn write_file(&self, container: &str, path: &str, content: &[u8]) -> Result<(), EngineError> {
        let failed =
            |refusal| EngineError::WriteFile { container: container.to_owned(), path: path.to_owned(), refusal };
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let archive = files::archive_of_one(name, content)
            .map_err(|e| failed(Refusal { kind: RefusalKind::Other, message: e.to_string() }))?;
        let options = UploadToContainerOptions { path: format!("{folder}/"), ..Default::default() };
        let body = bollard::body_full(archive.into());
        within(SLOW, self.docker.upload_to_container(container, Some(options), body)).await.map_err(failed)
    }

    fn read_archive(&self, container: &str, path: &str) -> BoxStream<'static, Result<Bytes, EngineError>> {
        let options = DownloadFromContainerOptions { path: path.to_owned() };
        let (container, path) = (container.to_owned(), path.to_owned());
        let of = container.clone();
        async_stream_of(self.docker.clone(), move |docker| {
            docker.download_from_container(&container, Some(options)).boxed()
        })
        .map_err(move |e| EngineError::ReadArchive { container: of.clone(), path: path.clone(), refusal: refusal(e) })
        .boxed()
    }

    async fn exec(&self, container: &str, exec: &ExecSpec) -> Result<Exec, EngineError> {
        let command = exec.command.join(" ");
        let failed = |refusal| EngineError::Exec { container: container.to_owned(), command: command.clone(), refusal };
        let options = CreateExecOptions {
            attach_stdin: Some(exec.with_input),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            env: Some(exec.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
            cmd: Some(exec.command.clone()),
            ..Default::default()
        };
        let id = within(SLOW, self.docker.create_exec(container, options)).await.map_err(failed)?.id;
        match within(SLOW, self.docker.start_exec(&id, None::<StartExecOptions>)).await.map_err(failed)? {
            StartExecResults::Attached { output, input } => {
                let lost = (container.to_owned(), command.clone());
                let output = output
                    .map_ok(self::output)
                    .map_err(move |e| EngineError::Exec {
                        container: lost.0.clone(),
                        command: lost.1.clone(),
                        refusal: refusal(e),
                    })
                    .boxed();
                Ok(Exec { id, input, output })
            }
            StartExecResults::Detached => {
                Err(failed(Refusal { kind: RefusalKind::Other, message: "the engine gave no streams".into() }))
            }
        }
    }

    async fn exec_exit_code(&self, id: &str) -> Result<Option<i64>, EngineError> {
        let found = within(QUICK, self.docker.inspect_exec(id)).await.map_err(|refusal| EngineError::Exec {
            container: String::new(),
            command: id.to_owned(),
            refusal,
        })?;
        Ok(if found.running == Some(true) { None } else { found.exit_code })
    }

    fn follow_figures(&self, container: &str) -> BoxStream<'static, Result<Figures, EngineError>> {
        let options = StatsOptions { stream: true, one_shot: false };
        let what = format!("figures of {container}");
        let container = container.to_owned();
        async_stream_of(self.docker.clone(), move |docker| docker.stats(&container, Some(options)).boxed())
            .map_ok(convert::figures)
            .map_err(move |e| EngineError::Stream { what: what.clone(), refusal: refusal(e) })
            .boxed()
    }

    fn follow_logs(
        &self,
        container: &str,
        since: Option<Timestamp>,
    ) -> BoxStream<'static, Result<Output, EngineError>> {
        // The client takes whole seconds.
        let since = since.and_then(|since| i32::try_from(since.as_second()).ok()).unwrap_or(0);
        let options =
            LogsOptions { follow: true, stdout: true, stderr: true, timestamps: true, since, ..Default::default() };
        let what = format!("logs of {container}");
        let docker = self.docker.clone();
        let container = container.to_owned();
        // The client borrows itself for the stream's life, so the stream has to own a client.
        async_stream_of(docker, move |docker| docker.logs(&container, Some(options)).boxed())
            .map_ok(output)
            .map_err(move |e| EngineError::Stream { what: what.clone(), refusal: refusal(e) })
            .boxed()
    }

    fn events(&self, label: &str) -> BoxStream<'static, Result<ContainerEvent, EngineError>> {
        let filters = HashMap::from([
            ("type".to_owned(), vec!["container".to_owned()]),
            ("event".to_owned(), convert::ACTIONS.map(str::to_owned).to_vec()),
            ("label".to_owned(), vec![label.to_owned()]),
        ]);
        let options = EventsOptions { filters: Some(filters), ..Default::default() };
        async_stream_of(self.docker.clone(), move |docker| docker.events(Some(options)).boxed())
            .try_filter_map(|event| std::future::ready(Ok(convert::event(event))))
            .map_err(|e| EngineError::Stream { what: "events".to_owned(), refusal: refusal(e) })
            .boxed()
    }

    async fn list(&self, label: &str) -> Result<Vec<Labelled>, EngineError> {
        let filters = label_filter(&[label.to_owned()]);
        let failed = |refusal| EngineError::List { label: label.to_owned(), refusal };
        let containers = ListContainersOptions { all: true, filters: filters.clone(), ..Default::default() };
        let containers = within(SLOW, self.docker.list_containers(Some(containers))).await.map_err(failed)?;
        let networks = ListNetworksOptions { filters: filters.clone() };
        let networks = within(SLOW, self.docker.list_networks(Some(networks))).await.map_err(failed)?;
        let volumes = ListVolumesOptions { filters };
        let volumes = within(SLOW, self.docker.list_volumes(Some(volumes))).await.map_err(failed)?;
        Ok(convert::labelled(containers, networks, volumes.volumes.unwrap_or_default()))
    }

    async fn host(&self) -> Result<EngineHost, EngineError> {
        self.ask_host().await.map_err(|refusal| EngineError::Host { refusal })
    }

    async fn used_subnets(&self) -> Result<Vec<UsedSubnet>, EngineError> {
        self.ask_subnets().await.map_err(|refusal| EngineError::UsedSubnets { refusal })
    }

    async fn stored_images(&self, label: &str) -> Result<Vec<StoredImage>, EngineError> {
        let failed = |refusal| EngineError::StoredImages { label: label.to_owned(), refusal };
        self.ask_images(label).await.map_err(failed)
    }
}

fn output(output: LogOutput) -> Output {
    match output {
        LogOutput::StdErr { message } => Output::Stderr(message),
        LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message } => {
            Output::Stdout(message)
        }
    }
}

/// A stream that owns the client which it was made from.
fn async_stream_of<T: Send + 'static>(
    docker: Docker,
    open: impl FnOnce(&Docker) -> BoxStream<'_, Result<T, bollard::errors::Error>> + Send + 'static,
) -> BoxStream<'static, Result<T, bollard::errors::Error>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(64);
    tokio::spawn(async move {
        let mut stream = open(&docker);
        loop {
            tokio::select! {
                item = stream.next() => match item {
                    Some(item) => {
                        if sender.send(item).await.is_err() {
                            return;
                        }
                    }
                    None => return,
                },
                () = sender.closed() => return,
            }
        }
    });
    futures::stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|item| (item, receiver)) })
        .boxed()
}
