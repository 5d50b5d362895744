//! Following a pull, whose end nobody knows beforehand: a large image may take long, but not in silence.

use std::time::Duration;

use futures::stream::{Stream, StreamExt as _};

use super::super::{Progress, Refusal, RefusalKind};

/// A registry that sends nothing for so long is not waited for any longer. Extracting a large layer takes an engine
/// some time without a word, too.
const SILENT_FOR: Duration = Duration::from_secs(300);

/// Tells every step, until the end, an error, or a silence that lasts too long.
pub(super) async fn follow(
    steps: impl Stream<Item = Result<Option<String>, Refusal>>,
    progress: Progress<'_>,
) -> Result<(), Refusal> {
    let mut steps = std::pin::pin!(steps);
    let mut last = "nothing at all".to_owned();
    loop {
        match tokio::time::timeout(SILENT_FOR, steps.next()).await {
            Ok(None) => return Ok(()),
            Ok(Some(step)) => {
                if let Some(status) = step? {
                    progress(&status);
                    last = format!("\"{status}\"");
                }
            }
            Err(_) => {
                let seconds = SILENT_FOR.as_secs();
                let message =
                    format!("the registry sent nothing for {seconds} s; the last that was heard of it is {last}");
                return Err(Refusal { kind: RefusalKind::TimedOut, message });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn trickle(pauses: Vec<u64>) -> impl Stream<Item = Result<Option<String>, Refusal>> {
        stream::iter(pauses).then(async |seconds| {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok(Some("Downloading".to_owned()))
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_registry_that_trickles_is_waited_for_and_one_that_falls_silent_is_not() {
        assert_eq!(follow(trickle(vec![299; 30]), &|_| {}).await, Ok(()));
        let error = follow(trickle(vec![1, 301]), &|_| {}).await.expect_err("silent");
        assert_eq!(error.kind, RefusalKind::TimedOut);
        let said = "the registry sent nothing for 300 s; the last that was heard of it is \"Downloading\"";
        assert_eq!(error.message, said);
    }
}
