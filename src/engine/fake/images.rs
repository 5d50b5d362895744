//! Images made of containers' files, and containers' ends.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::super::{ContainerState, ImageInfo, Labels, Refusal, RefusalKind};
use super::refusal;
use super::world::{Image, World};

impl World {
    pub(super) fn files_of_image(&self, reference: &str) -> Option<BTreeMap<String, Vec<u8>>> {
        self.images.iter().find(|image| image.reference == reference).map(|image| image.files.clone())
    }

    pub(super) fn import_image(&mut self, tag: &str, labels: &Labels, archive: &[u8]) -> Result<(), Refusal> {
        let broken = |error: std::io::Error| refusal(RefusalKind::Other, &error.to_string());
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(archive).entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            let path = format!("/{}", entry.path().map_err(broken)?.display());
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(broken)?;
            files.insert(path, content);
        }
        let info = ImageInfo { id: format!("sha256:{}", self.number()), ..ImageInfo::default() };
        let labels = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        self.images.insert(0, Image { reference: tag.to_owned(), info, labels, files });
        Ok(())
    }

    pub(super) fn tag_image(&mut self, image: &str, tag: &str) -> Result<(), Refusal> {
        let Some(found) = self.images.iter().find(|known| known.reference == image).cloned() else {
            return Err(refusal(RefusalKind::NotFound, &format!("no such image: {image}")));
        };
        self.images.retain(|known| known.reference != tag);
        self.images.insert(0, Image { reference: tag.to_owned(), ..found });
        Ok(())
    }

    /// Its first process follows the signal at once.
    pub(super) fn stop_container(&mut self, name: &str) -> Result<(), Refusal> {
        if self.inspect(name) == ContainerState::Gone {
            return Err(refusal(RefusalKind::NotFound, &format!("no such container: {name}")));
        }
        self.end(name, 0, false);
        Ok(())
    }
}
