//! Asking for the host, subnets and images.

use std::collections::HashMap;

use bollard::models::{ImageSummary, Network, SystemInfo, SystemVersion};
use bollard::query_parameters::{ListImagesOptions, ListNetworksOptions};
use jiff::Timestamp;

use super::super::{EngineHost, Refusal, StoredImage, UsedSubnet};
use super::convert::short_reference;
use super::{DockerEngine, QUICK, SLOW, label_filter, within};

impl DockerEngine {
    pub(super) async fn ask_host(&self) -> Result<EngineHost, Refusal> {
        let info = within(QUICK, self.docker.info()).await?;
        let version = within(QUICK, self.docker.version()).await?;
        Ok(host(info, &version))
    }

    pub(super) async fn ask_subnets(&self) -> Result<Vec<UsedSubnet>, Refusal> {
        let networks = within(QUICK, self.docker.list_networks(None::<ListNetworksOptions>)).await?;
        Ok(networks.into_iter().flat_map(subnets).collect())
    }

    pub(super) async fn ask_images(&self, label: &str) -> Result<Vec<StoredImage>, Refusal> {
        let options = ListImagesOptions { filters: label_filter(&[label.to_owned()]), ..Default::default() };
        let mut images = within(SLOW, self.docker.list_images(Some(options))).await?;
        images.sort_by_key(|image| std::cmp::Reverse(image.created));
        Ok(images.into_iter().map(image).collect())
    }
}

fn host(info: SystemInfo, version: &SystemVersion) -> EngineHost {
    let parts = version.components.as_deref().unwrap_or_default();
    let is_podman = parts.iter().any(|part| part.name.contains("Podman"));
    let options = info.security_options.unwrap_or_default();
    EngineHost {
        product: if is_podman { "Podman" } else { "Docker" }.to_owned(),
        name: info.name.unwrap_or_default(),
        system: info.operating_system.unwrap_or_default(),
        kernel: info.kernel_version.unwrap_or_default(),
        cgroups: info.cgroup_version.map(|version| version.to_string()).unwrap_or_default(),
        rootless: options.iter().any(|option| option.contains("rootless")),
        storage: info.driver.unwrap_or_default(),
        root: info.docker_root_dir.unwrap_or_default(),
        // An engine that does not tell its time is taken to have ours.
        clock: info.system_time.and_then(|time| time.parse().ok()).unwrap_or_else(Timestamp::now),
    }
}

fn subnets(network: Network) -> impl Iterator<Item = UsedSubnet> {
    let name = network.name.unwrap_or_default();
    let configs = network.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    let subnets = configs.into_iter().filter_map(|config| config.subnet).filter(|subnet| !subnet.contains(':'));
    subnets.map(move |subnet| UsedSubnet { network: name.clone(), subnet })
}

fn image(image: ImageSummary) -> StoredImage {
    let labels: HashMap<String, String> = image.labels;
    StoredImage {
        references: image.repo_tags.into_iter().filter(|tag| tag != "<none>:<none>").map(short_reference).collect(),
        labels: labels.into_iter().collect(),
        size: u64::try_from(image.size).unwrap_or(0),
        created: Timestamp::from_second(image.created).unwrap_or_default(),
    }
}
