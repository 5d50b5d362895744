//! Files that the worker wrote when a test failed: what the browser showed.

use std::collections::BTreeSet;
use std::path::Path;

use crate::engine::read_files;
use crate::environment::Environment;
use crate::framework::protocol::SaidAttachment;

/// All files of one attempt together, in bytes.
const MOST: usize = 32 << 20;

/// Files for an evidence folder, and what is to be said of those that are missing.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By path within the evidence folder.
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) notes: Vec<String>,
}

/// Reads what the worker named out of the runner.
pub(super) async fn fetch(environment: &Environment, attachments: &[SaidAttachment]) -> Found {
    let mut found = Found::default();
    let parent = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let folders: BTreeSet<String> = attachments.iter().filter_map(|attachment| parent(&attachment.path)).collect();
    for folder in folders {
        match read_files(environment.engine(), environment.runner(), &folder, MOST).await {
            Ok(files) => {
                for file in files {
                    let name = Path::new(&file.path).file_name().and_then(|name| name.to_str());
                    let said = attachments.iter().any(|a| a.path.rsplit('/').next() == name);
                    if let Some(name) = name.filter(|_| said) {
                        found.files.push((format!("browser/{name}"), file.content));
                    }
                }
            }
            Err(error) => found.notes.push(format!("what the browser showed could not be read: {error}")),
        }
    }
    found
}
