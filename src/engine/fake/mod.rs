//! An engine in memory, for tests of this crate: it keeps containers, networks, volumes and images, records every
//! call as text, and does as it is scripted. It is public only because integration tests use it.
//!
//! `script` says what may be scripted; `world` is what there is, and changes without waiting; `process` is what runs
//! within a container; `suite` and `worker` are a test suite and the worker that runs it. All time is tokio's, so that
//! a test with paused time never really waits. What it does like a real engine stands in `tests/engine_contract.rs`.

mod command;
mod host;
mod images;
mod process;
mod script;
mod suite;
mod verbs;
mod worker;
mod world;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::{Happened, ImageInfo, Labelled, Refusal, RefusalKind};
pub use script::{Answer, Does, Life, Verb};
pub use suite::{Behaviour, FakeSuite, FakeTest, SuiteFault};
use world::World;

/// An engine in memory. Clones share everything.
#[derive(Clone, Default)]
pub struct FakeEngine {
    world: Arc<Mutex<World>>,
}

impl std::fmt::Debug for FakeEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeEngine").finish_non_exhaustive()
    }
}

impl FakeEngine {
    /// An engine with nothing on it.
    pub fn new() -> Self {
        Self::default()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A scripted panic happens outside of the lock; should another poison it, the world is still whole.
        self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The engine has this image.
    pub fn with_image(self, reference: &str, info: ImageInfo) -> Self {
        self.world().add_image(reference, info, Vec::new());
        self
    }

    /// Whatever process is started with an open standard input is a worker of this suite.
    pub fn with_suite(self, suite: FakeSuite) -> Self {
        self.world().suite = Some(Arc::new(suite));
        self
    }

    /// A process whose words hold [`LIST_TESTS`](Self::LIST_TESTS) or [`RUN_TESTS`](Self::RUN_TESTS) lists or runs the
    /// tests of the suite, as the framework `command` has it done.
    pub const LIST_TESTS: &str = "list-tests";
    /// `run-tests TEST` runs a test, or all tests of a file; `run-tests TEST JUNIT` also writes results.
    pub const RUN_TESTS: &str = "run-tests";

    /// What a container whose name ends with `name` does once it is started; without this it runs, silently.
    pub fn with_life(self, name: &str, life: Life) -> Self {
        self.world().lives.push((name.to_owned(), life));
        self
    }

    /// What commands that hold `words` answer in containers whose name ends with `container`: one answer after
    /// another in each container, the last for ever. Other commands succeed and say nothing.
    pub fn with_answers(self, container: &str, words: &str, answers: Vec<Answer>) -> Self {
        self.world().add_answers(container, words, answers);
        self
    }

    /// From the `first` matching call on (counted from 1), the next `times` calls of `verb` on a subject that holds
    /// `subject` do this.
    pub fn script(&self, verb: Verb, subject: &str, first: u32, times: u32, does: Does) {
        self.world().script(verb, subject, first, times, does);
    }

    /// All calls so far: verb, subject, details.
    pub fn calls(&self) -> Vec<String> {
        self.world().calls.clone()
    }

    /// All containers, networks and volumes that there are.
    pub fn things(&self) -> Vec<Labelled> {
        self.world().list("")
    }

    /// A running container's first process ends now.
    pub fn end_container(&self, name: &str, code: i64, out_of_memory: bool) {
        self.world().end(name, code, out_of_memory);
    }

    /// Something is told to have happened to a container; it changes nothing else.
    pub fn tell(&self, name: &str, what: Happened) {
        self.world().tell(name, what);
    }

    /// Whatever is run in a container from now on neither writes nor ends.
    pub fn freeze(&self, name: &str) {
        self.world().frozen.insert(name.to_owned());
    }

    /// A container's first process writes a line.
    pub fn write_log(&self, name: &str, line: &str) {
        self.world().write_log(name, line);
    }

    /// The connection is lost: every call is refused as unreachable, every stream breaks off. What there is, stays.
    pub fn disconnect(&self) {
        self.world().connection.cancel();
    }

    /// The connection is there again, for new calls and streams.
    pub fn reconnect(&self) {
        self.world().connection = tokio_util::sync::CancellationToken::new();
    }

    /// Records a call, and does as it is scripted. Returns after how long the call takes effect, whether or not
    /// somebody still waits for it then.
    async fn call(&self, verb: Verb, subject: &str, details: &str) -> Result<Option<Duration>, Refusal> {
        let does = self.world().note_call(verb, subject, details);
        self.connected()?;
        match does {
            None => Ok(None),
            Some(Does::Refuse(kind)) => Err(refusal(kind, &format!("scripted: {kind:?}"))),
            Some(Does::Delay(time)) => {
                tokio::time::sleep(time).await;
                self.connected().map(|()| None)
            }
            Some(Does::LandLate(time)) => Ok(Some(time)),
            Some(Does::Never) => std::future::pending().await,
            Some(Does::Panic) => panic!("scripted: {} {subject}", verb.word()),
        }
    }

    fn connected(&self) -> Result<(), Refusal> {
        if self.world().connection.is_cancelled() { Err(lost()) } else { Ok(()) }
    }

    /// Changes the world, at once or after a while; in that case also when nobody waits any more.
    async fn land<T: Send + 'static>(
        &self,
        late: Option<Duration>,
        change: impl FnOnce(&mut World) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let Some(late) = late else { return change(&mut self.world()) };
        let engine = self.clone();
        let landing = tokio::spawn(async move {
            tokio::time::sleep(late).await;
            change(&mut engine.world())
        });
        landing.await.unwrap_or_else(|error| Err(refusal(RefusalKind::Other, &error.to_string())))
    }
}

fn refusal(kind: RefusalKind, message: &str) -> Refusal {
    Refusal { kind, message: message.to_owned() }
}

fn lost() -> Refusal {
    refusal(RefusalKind::Unreachable, "the connection is lost")
}
