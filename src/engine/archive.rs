//! Reading files out of a container.

use std::io::Read as _;

use futures::StreamExt as _;

use super::{Engine, EngineError, Refusal, RefusalKind};

/// A regular file of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInside {
    /// Where it lies, beginning with the last part of the path that was asked for.
    pub path: String,
    /// What it holds.
    pub content: Vec<u8>,
}

/// The file at `path` in a container, or all files of the folder there, into memory.
///
/// # Errors
/// When there is nothing at `path` (the kind is [`RefusalKind::NotFound`]), when the archive of it has more than `most`
/// bytes, or when the engine fails.
pub async fn read_files(
    engine: &dyn Engine,
    container: &str,
    path: &str,
    most: usize,
) -> Result<Vec<FileInside>, EngineError> {
    let failed = |message: String| EngineError::ReadArchive {
        container: container.to_owned(),
        path: path.to_owned(),
        refusal: Refusal { kind: RefusalKind::Other, message },
    };
    let mut archive = Vec::new();
    let mut chunks = engine.read_archive(container, path);
    while let Some(chunk) = chunks.next().await {
        archive.extend_from_slice(&chunk?);
        if archive.len() > most {
            return Err(failed(format!("it has more than {most} bytes")));
        }
    }
    files(&archive).map_err(|error| failed(error.to_string()))
}

fn files(archive: &[u8]) -> std::io::Result<Vec<FileInside>> {
    let mut files = Vec::new();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_file() {
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.push(FileInside { path, content });
        }
    }
    Ok(files)
}
