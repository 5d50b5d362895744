//! Running one command within a container, to its end.

use std::time::Duration;

use futures::StreamExt as _;
use tokio::io::AsyncWriteExt as _;

use super::in_words;
use crate::engine::{self, Engine, ExecSpec, Output};

/// How much of a command's output is kept for the message, the last bytes.
const OUTPUT: usize = 800;

/// A command to be run.
#[derive(Debug, Default)]
pub(super) struct Once<'a> {
    /// Program and arguments.
    pub(super) command: &'a [String],
    /// Environment variables, above the container's own.
    pub(super) variables: Vec<(String, String)>,
    /// What it reads from its standard input, where that is connected.
    pub(super) input: Option<&'a str>,
}

/// Runs it, within `limit`. The error says in words why it did not end with exit code 0. A command that is late is
/// not waited for any longer, but not ended either.
pub(super) async fn run_once(
    engine: &dyn Engine,
    container: &str,
    once: Once<'_>,
    limit: Duration,
) -> Result<(), String> {
    let running = async {
        let exec =
            ExecSpec { command: once.command.to_vec(), environment: once.variables, with_input: once.input.is_some() };
        let mut exec = engine.exec(container, &exec).await.map_err(|error| error.to_string())?;
        if let Some(input) = once.input {
            // A command that does not read to the end says why by its exit code.
            let _ = exec.input.write_all(input.as_bytes()).await;
            let _ = exec.input.shutdown().await;
        }
        let mut said = Vec::new();
        while let Some(Ok(Output::Stdout(chunk) | Output::Stderr(chunk))) = exec.output.next().await {
            said.extend_from_slice(&chunk);
            said.drain(..said.len().saturating_sub(OUTPUT));
        }
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        match engine::exit_code(engine, &exec.id).await.map_err(|error| error.to_string())? {
            0 => Ok(()),
            code if said.is_empty() => Err(format!("exit code {code}")),
            code => Err(format!("exit code {code}: {said}")),
        }
    };
    match tokio::time::timeout(limit, running).await {
        Ok(result) => result,
        Err(_) => {
            let limit = in_words(limit);
            Err(format!("no answer within {limit}"))
        }
    }
}
