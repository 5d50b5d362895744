//! The verbs, one after another: record, do as scripted, then change the world.

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use jiff::Timestamp;
use tokio::io::BufReader;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::super::{
    ContainerEvent, ContainerSpec, ContainerState, Engine, EngineError, EngineHost, EngineInfo, Exec, ExecSpec,
    Figures, ImageBuild, ImageInfo, Labelled, Labels, NetworkSpec, Output, Progress, Refusal, RefusalKind, StoredImage,
    ThingKind, UsedSubnet, VolumeSpec,
};
use super::process::{self, Inside};
use super::{FakeEngine, Verb, lost, refusal};

/// How much a process' standard input holds.
const PIPE: usize = 64 << 10;

#[async_trait]
impl Engine for FakeEngine {
    async fn describe(&self) -> Result<EngineInfo, EngineError> {
        self.call(Verb::Describe, "", "").await.map_err(|refusal| EngineError::Describe { refusal })?;
        Ok(EngineInfo { version: "0.0".to_owned(), api: "0.0".to_owned(), cpus: 4, memory: 8 << 30 })
    }

    async fn ping(&self) -> Result<(), EngineError> {
        self.call(Verb::Ping, "", "").await.map(drop).map_err(|refusal| EngineError::Ping { refusal })
    }

    async fn inspect_image(&self, image: &str) -> Result<Option<ImageInfo>, EngineError> {
        let failed = |refusal| EngineError::Image { image: image.to_owned(), refusal };
        self.call(Verb::InspectImage, image, "").await.map_err(failed)?;
        Ok(self.world().image(image))
    }

    async fn pull_image(
        &self,
        image: &str,
        _platform: Option<&str>,
        progress: Progress<'_>,
    ) -> Result<(), EngineError> {
        let failed = |refusal| EngineError::Pull { image: image.to_owned(), refusal };
        self.call(Verb::PullImage, image, "").await.map_err(failed)?;
        progress("Pulling");
        // Only what is there can be pulled: an engine in memory has no registry.
        match self.world().image(image) {
            Some(_) => Ok(()),
            None => Err(failed(refusal(RefusalKind::NotFound, "no such image in any registry"))),
        }
    }

    async fn build_image(&self, build: &ImageBuild, progress: Progress<'_>) -> Result<(), EngineError> {
        progress("Step 1/1");
        let failed =
            |refusal| EngineError::Build { image: build.tag.clone(), refusal, log: vec!["Step 1/1".to_owned()] };
        self.call(Verb::BuildImage, &build.tag, "").await.map_err(failed)?;
        let labels = build.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        self.world().add_image(&build.tag, ImageInfo { id: build.tag.clone(), ..ImageInfo::default() }, labels);
        Ok(())
    }

    async fn list_images(&self, labels: &[String]) -> Result<Vec<String>, EngineError> {
        let failed = |refusal| EngineError::Image { image: labels.join(", "), refusal };
        self.call(Verb::ListImages, &labels.join(" "), "").await.map_err(failed)?;
        Ok(self.world().images_with(labels))
    }

    async fn remove_image(&self, image: &str) -> Result<(), EngineError> {
        let failed = |refusal| EngineError::Image { image: image.to_owned(), refusal };
        self.call(Verb::RemoveImage, image, "").await.map_err(failed)?;
        self.world().remove_image(image);
        Ok(())
    }

    async fn import_image(
        &self,
        tag: &str,
        labels: &Labels,
        mut archive: BoxStream<'static, Result<Bytes, EngineError>>,
    ) -> Result<(), EngineError> {
        let failed = |refusal| EngineError::ImportImage { image: tag.to_owned(), refusal };
        self.call(Verb::ImportImage, tag, "").await.map_err(failed)?;
        let mut whole = Vec::new();
        while let Some(chunk) = archive.next().await {
            whole.extend_from_slice(&chunk?);
        }
        self.world().import_image(tag, labels, &whole).map_err(failed)
    }

    async fn tag_image(&self, image: &str, tag: &str) -> Result<(), EngineError> {
        let failed = |refusal| EngineError::TagImage { image: image.to_owned(), tag: tag.to_owned(), refusal };
        self.call(Verb::TagImage, image, tag).await.map_err(failed)?;
        self.world().tag_image(image, tag).map_err(failed)
    }

    async fn create_network(&self, network: &NetworkSpec) -> Result<String, EngineError> {
        let failed = |refusal| EngineError::CreateNetwork { network: network.name.clone(), refusal };
        let late = self.call(Verb::CreateNetwork, &network.name, "").await.map_err(failed)?;
        let spec = network.clone();
        self.land(late, |world| world.create_network(spec)).await.map_err(failed)
    }

    async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        let failed = |refusal| removal(ThingKind::Network, id, refusal);
        self.call(Verb::RemoveNetwork, id, "").await.map_err(failed)?;
        self.world().remove_network(id).map_err(failed)
    }

    async fn create_volume(&self, volume: &VolumeSpec) -> Result<(), EngineError> {
        let failed = |refusal| EngineError::CreateVolume { volume: volume.name.clone(), refusal };
        let details = volume.in_memory.as_ref().map(|options| format!("in memory {options}")).unwrap_or_default();
        let late = self.call(Verb::CreateVolume, &volume.name, &details).await.map_err(failed)?;
        let VolumeSpec { name, labels, in_memory: _ } = volume.clone();
        self.land(late, move |world| {
            world.create_volume(&name, labels);
            Ok(())
        })
        .await
        .map_err(failed)
    }

    async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let failed = |refusal| removal(ThingKind::Volume, name, refusal);
        self.call(Verb::RemoveVolume, name, "").await.map_err(failed)?;
        self.world().remove_volume(name).map_err(failed)
    }

    async fn create_container(&self, container: &ContainerSpec) -> Result<(), EngineError> {
        let failed = |refusal| EngineError::CreateContainer { container: container.name.clone(), refusal };
        let from = format!("from {}", container.image);
        let late = self.call(Verb::CreateContainer, &container.name, &from).await.map_err(failed)?;
        let spec = container.clone();
        self.land(late, |world| world.create_container(spec)).await.map_err(failed)
    }

    async fn start_container(&self, name: &str) -> Result<(), EngineError> {
        let failed = |refusal| EngineError::StartContainer { container: name.to_owned(), refusal };
        self.call(Verb::StartContainer, name, "").await.map_err(failed)?;
        let life = self.world().start(name).map_err(failed)?;
        if let Some((after, code)) = life.ends {
            let (engine, name) = (self.clone(), name.to_owned());
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                engine.world().end(&name, code, life.out_of_memory);
            });
        }
        Ok(())
    }

    async fn stop_container(&self, name: &str, _grace: Duration) -> Result<(), EngineError> {
        let failed = |refusal| EngineError::StopContainer { container: name.to_owned(), refusal };
        self.call(Verb::StopContainer, name, "").await.map_err(failed)?;
        self.world().stop_container(name).map_err(failed)
    }

    async fn inspect_container(&self, name: &str) -> Result<ContainerState, EngineError> {
        let failed = |refusal| EngineError::InspectContainer { container: name.to_owned(), refusal };
        self.call(Verb::InspectContainer, name, "").await.map_err(failed)?;
        Ok(self.world().inspect(name))
    }

    async fn remove_container(&self, name: &str) -> Result<(), EngineError> {
        let failed = |refusal| removal(ThingKind::Container, name, refusal);
        self.call(Verb::RemoveContainer, name, "").await.map_err(failed)?;
        self.world().remove_container(name);
        Ok(())
    }

    async fn write_file(&self, container: &str, path: &str, content: &[u8]) -> Result<(), EngineError> {
        let failed = |refusal| {
            let (container, path) = (container.to_owned(), path.to_owned());
            EngineError::WriteFile { container, path, refusal }
        };
        self.call(Verb::WriteFile, container, path).await.map_err(failed)?;
        self.world().write_file(container, path, content).map_err(failed)
    }

    fn read_archive(&self, container: &str, path: &str) -> BoxStream<'static, Result<Bytes, EngineError>> {
        let (engine, container, path) = (self.clone(), container.to_owned(), path.to_owned());
        let reading = async move {
            let read = match engine.call(Verb::ReadArchive, &container, &path).await {
                Ok(_) => engine.world().archive(&container, &path),
                Err(refusal) => Err(refusal),
            };
            read.map_err(|refusal| EngineError::ReadArchive { container, path, refusal })
        };
        stream::once(reading).boxed()
    }

    async fn exec(&self, container: &str, exec: &ExecSpec) -> Result<Exec, EngineError> {
        let command = exec.command.join(" ");
        let error = |refusal| EngineError::Exec { container: container.to_owned(), command: command.clone(), refusal };
        self.call(Verb::Exec, container, &command).await.map_err(error)?;
        let (id, program, kill, account) = self.world().exec(container, exec).map_err(error)?;
        let (input, read) = tokio::io::duplex(PIPE);
        let (write, output) = mpsc::unbounded_channel();
        let inside = Inside {
            engine: self.clone(),
            container: container.to_owned(),
            input: BufReader::new(read),
            output: write,
            account,
        };
        tokio::spawn(process::run(id.clone(), program, inside, kill));
        let broken = EngineError::Exec { container: container.to_owned(), command: command.clone(), refusal: lost() };
        let input: Pin<Box<dyn tokio::io::AsyncWrite + Send>> = match exec.with_input {
            true => Box::pin(input),
            false => Box::pin(tokio::io::sink()),
        };
        Ok(Exec { id, input, output: self.stream(output, broken) })
    }

    async fn exec_exit_code(&self, id: &str) -> Result<Option<i64>, EngineError> {
        let failed = |refusal| EngineError::Exec { container: String::new(), command: id.to_owned(), refusal };
        self.call(Verb::ExecExitCode, id, "").await.map_err(failed)?;
        match self.world().processes.get(id) {
            Some(process) => Ok(process.exit_code),
            None => Err(failed(refusal(RefusalKind::NotFound, "no such exec"))),
        }
    }

    fn follow_logs(
        &self,
        container: &str,
        since: Option<Timestamp>,
    ) -> BoxStream<'static, Result<Output, EngineError>> {
        let broken = |refusal| EngineError::Stream { what: format!("logs of {container}"), refusal };
        let (listener, lines) = mpsc::unbounded_channel();
        let mut world = self.world();
        world.note_call(Verb::FollowLogs, container, "");
        match world.follow_log(container, since, listener) {
            Err(refusal) => stream::iter([Err(broken(refusal))]).boxed(),
            Ok(()) => {
                drop(world);
                self.stream(lines, broken(lost()))
            }
        }
    }

    fn follow_figures(&self, container: &str) -> BoxStream<'static, Result<Figures, EngineError>> {
        let mut world = self.world();
        world.note_call(Verb::FollowFigures, container, "");
        let told = match world.inspect(container) {
            ContainerState::Gone => Err(EngineError::Stream {
                what: format!("figures of {container}"),
                refusal: refusal(RefusalKind::NotFound, "no such container"),
            }),
            ContainerState::Created | ContainerState::Running { .. } | ContainerState::Exited { .. } => {
                Ok(Figures { cpu: Duration::from_secs(1), memory: 1 << 20, ..Figures::default() })
            }
        };
        stream::iter([told]).boxed()
    }

    fn events(&self, label: &str) -> BoxStream<'static, Result<ContainerEvent, EngineError>> {
        let (listener, events) = mpsc::unbounded_channel();
        let mut world = self.world();
        world.note_call(Verb::Events, label, "");
        world.event_listeners.push((label.to_owned(), listener));
        drop(world);
        self.stream(events, EngineError::Stream { what: "events".to_owned(), refusal: lost() })
    }

    async fn list(&self, label: &str) -> Result<Vec<Labelled>, EngineError> {
        let failed = |refusal| EngineError::List { label: label.to_owned(), refusal };
        self.call(Verb::List, label, "").await.map_err(failed)?;
        Ok(self.world().list(label))
    }

    async fn host(&self) -> Result<EngineHost, EngineError> {
        self.call(Verb::Host, "", "").await.map_err(|refusal| EngineError::Host { refusal })?;
        Ok(self.world().host())
    }

    async fn used_subnets(&self) -> Result<Vec<UsedSubnet>, EngineError> {
        self.call(Verb::UsedSubnets, "", "").await.map_err(|refusal| EngineError::UsedSubnets { refusal })?;
        Ok(self.world().used_subnets())
    }

    async fn stored_images(&self, label: &str) -> Result<Vec<StoredImage>, EngineError> {
        let failed = |refusal| EngineError::StoredImages { label: label.to_owned(), refusal };
        self.call(Verb::StoredImages, label, "").await.map_err(failed)?;
        Ok(self.world().stored_images(label))
    }
}

impl FakeEngine {
    /// What comes through a channel, until its end or until the connection is lost, which is `broken`.
    fn stream<T: Send + 'static>(
        &self,
        items: UnboundedReceiver<T>,
        broken: EngineError,
    ) -> BoxStream<'static, Result<T, EngineError>> {
        let connection = self.world().connection.clone();
        stream::unfold(Some((items, connection, broken)), |open| async move {
            let (mut items, connection, broken) = open?;
            tokio::select! {
                biased;
                () = connection.cancelled() => Some((Err(broken), None)),
                item = items.recv() => item.map(|item| (Ok(item), Some((items, connection, broken)))),
            }
        })
        .boxed()
    }
}

fn removal(kind: ThingKind, name: &str, refusal: Refusal) -> EngineError {
    EngineError::Remove { kind: kind.word(), name: name.to_owned(), refusal }
}
