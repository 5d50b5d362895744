//! pytest 7.0 or later, with or without Selenium or Playwright.

use super::Shim;

pub(super) const SHIM: Shim = Shim {
    path: "/shakedown_pytest_worker.py",
    source: include_str!("pytest_worker.py"),
    // What a test prints shall be heard at once, and be there after a crash.
    start: &["python3", "-u", "/shakedown_pytest_worker.py"],
    // Nothing of the suite's own can get in the way.
    kill: &["python3", "-I", "-S", "/shakedown_pytest_worker.py", "--kill"],
    tell: &["python3", "-I", "-S", "/shakedown_pytest_worker.py", "--tell"],
};
