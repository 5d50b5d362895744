//! What the engine in memory tells of its host. Its clock starts at a fixed time and goes with tokio's.

use jiff::Timestamp;
use tokio::time::Instant;

use super::super::{EngineHost, Labels, StoredImage, UsedSubnet};
use super::world::{World, carries};

/// The clock's start: 2026-11-24 09:00 UTC.
const START: i64 = 1_795_510_800;
/// The size of every image.
const IMAGE_SIZE: u64 = 100 << 20;

impl World {
    pub(super) fn host(&mut self) -> EngineHost {
        let since = *self.clock_since.get_or_insert_with(Instant::now);
        EngineHost {
            product: "Fake".to_owned(),
            name: "memory".to_owned(),
            system: "none".to_owned(),
            kernel: "none".to_owned(),
            cgroups: "2".to_owned(),
            rootless: false,
            storage: "memory".to_owned(),
            root: "/nowhere".to_owned(),
            clock: Timestamp::from_second(START).unwrap_or_default() + since.elapsed(),
        }
    }

    pub(super) fn used_subnets(&self) -> Vec<UsedSubnet> {
        let networks = self.networks.values();
        networks.map(|spec| UsedSubnet { network: spec.name.clone(), subnet: spec.subnet.clone() }).collect()
    }

    pub(super) fn stored_images(&self, label: &str) -> Vec<StoredImage> {
        let labels = |pairs: &[String]| -> Labels {
            let pairs = pairs.iter().filter_map(|pair| pair.split_once('='));
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        };
        let images = self.images.iter().map(|image| StoredImage {
            references: vec![image.reference.clone()],
            labels: labels(&image.labels),
            size: IMAGE_SIZE,
            created: Timestamp::from_second(START).unwrap_or_default(),
        });
        images.filter(|image| carries(&image.labels, label)).collect()
    }
}
