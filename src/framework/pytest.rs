//! pytest 7.0 or later, with or without Selenium or Playwright.

use super::Shim;

pub(super) const SHIM: Shim = Shim {
    path: "/shakedown_pytest_worker.py",
    source: concat!(
        include_str!("pytest/wire.py"),
        include_str!("pytest/killer.py"),
        include_str!("pytest/failure.py"),
        include_str!("pytest/witness.py"),
        include_str!("pytest/catalogue.py"),
        include_str!("pytest/recorder.py"),
        include_str!("pytest/units.py"),
        include_str!("pytest/plugin.py"),
        include_str!("pytest/main.py"),
    ),
    // What a test prints shall be heard at once, and be there after a crash.
    start: &["python3", "-u", "/shakedown_pytest_worker.py"],
    // Nothing of the suite's own can get in the way.
    kill: &["python3", "-I", "-S", "/shakedown_pytest_worker.py", "--kill"],
    tell: &["python3", "-I", "-S", "/shakedown_pytest_worker.py", "--tell"],
};
