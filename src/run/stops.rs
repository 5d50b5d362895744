//! What asks a run to stop: signals and the deadline.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::conductor::Stops;
use crate::verdict::{Interruption, StopReason};

/// Listens as long as it lives.
pub(super) struct Listening {
    /// What is heard.
    pub(super) stops: Stops,
    _task: AbortOnDrop,
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Listening {
    /// Starts to listen: the first SIGINT or SIGTERM asks to stop, the second to stop at once; `deadline` counts from
    /// now.
    pub(super) fn start(deadline: Option<Duration>) -> std::io::Result<Self> {
        let (interrupts, terminates) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (sender, reasons) = mpsc::channel(4);
        let kill = CancellationToken::new();
        let task = tokio::spawn(listen(interrupts, terminates, deadline, sender, kill.clone()));
        Ok(Self { stops: Stops { reasons, kill }, _task: AbortOnDrop(task) })
    }
}

async fn listen(
    mut interrupts: Signal,
    mut terminates: Signal,
    deadline: Option<Duration>,
    sender: mpsc::Sender<StopReason>,
    kill: CancellationToken,
) {
    let until_deadline = async {
        match deadline {
            Some(deadline) => tokio::time::sleep(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(until_deadline);
    let mut deadline_passed = false;
    let mut signals = 0;
    loop {
        let reason = tokio::select! {
            _ = interrupts.recv() => StopReason::Signal(Interruption::Interrupt),
            _ = terminates.recv() => StopReason::Signal(Interruption::Terminate),
            () = &mut until_deadline, if !deadline_passed => {
                deadline_passed = true;
                StopReason::Deadline
            }
        };
        if matches!(reason, StopReason::Signal(_)) {
            signals += 1;
        }
        if signals > 1 {
            kill.cancel();
        }
        // The run may be past the point where it can be stopped.
        let _ = sender.try_send(reason);
    }
}
