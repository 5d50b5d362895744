//! Making images of what containers hold.

use std::sync::{Arc, Mutex, PoisonError};

use bollard::models::CreateImageInfo;
use bollard::query_parameters::{CreateImageOptions, TagImageOptions};
use bytes::Bytes;
use futures::stream::{BoxStream, TryStreamExt as _};

use super::{DockerEngine, IMAGE, QUICK, within};
use crate::engine::{EngineError, Labels, Refusal};

impl DockerEngine {
    /// Sends the archive as it comes, so that no more than a few chunks of it are held.
    pub(super) async fn import(
        &self,
        tag: &str,
        labels: &Labels,
        archive: BoxStream<'static, Result<Bytes, EngineError>>,
    ) -> Result<(), EngineError> {
        let failed = |refusal| EngineError::ImportImage { image: tag.to_owned(), refusal };
        let (repository, version) = split(tag);
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            repo: Some(repository.to_owned()),
            tag: Some(version.to_owned()),
            changes: labels.iter().map(|(name, value)| format!("LABEL {name}=\"{value}\"")).collect(),
            ..Default::default()
        };
        // What cuts the archive off is a better answer than what the engine makes of half of it.
        let cut_off = Arc::new(Mutex::new(None));
        let noting = cut_off.clone();
        let body = bollard::body_try_stream(archive.map_err(move |error| {
            let message = error.to_string();
            noting.lock().unwrap_or_else(PoisonError::into_inner).replace(error);
            std::io::Error::other(message)
        }));
        let steps = self.docker.create_image(Some(options), Some(body), None);
        let importing = steps.try_for_each(|step: CreateImageInfo| {
            std::future::ready(match step.error_detail.and_then(|detail| detail.message) {
                Some(error) => Err(bollard::errors::Error::DockerStreamError { error }),
                None => Ok(()),
            })
        });
        let imported = within(IMAGE, importing).await.map_err(failed);
        match cut_off.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => imported,
        }
    }

    pub(super) async fn tag(&self, image: &str, tag: &str) -> Result<(), Refusal> {
        let (repository, version) = split(tag);
        let options = TagImageOptions { repo: Some(repository.to_owned()), tag: Some(version.to_owned()) };
        within(QUICK, self.docker.tag_image(image, Some(options))).await
    }
}

/// Repository and tag of a reference that has both.
fn split(reference: &str) -> (&str, &str) {
    reference.rsplit_once(':').unwrap_or((reference, "latest"))
}
