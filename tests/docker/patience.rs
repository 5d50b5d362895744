//! Waiting for what comes about by itself: a look every few milliseconds, and a deadline.

use std::time::{Duration, Instant};

/// The pause between two looks.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Whether `is_so` comes true within `span`. It is looked once more at the end of it.
pub(crate) fn comes_true(span: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + span;
    loop {
        let late = Instant::now() > deadline;
        if is_so() {
            return true;
        }
        if late {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN_AFTER);
    }
}
