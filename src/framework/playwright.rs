//! Playwright Test (`@playwright/test`), 1.42 or later.
//!
//! Playwright has no supported way to keep a process warm: a `playwright test` runs one set of tests, and the server
//! behind its editor plugin is not part of its documented interface. So what stays up is the shim alone, and **each
//! unit pays a start**: Node, the configuration, the unit's files, a process for the tests, a browser. Two things keep
//! that small:
//!
//! - The next `playwright test` is started ahead of need and waits, its configuration read, where it opens its
//!   `--test-list FILE`: that is a named pipe. Not where the configuration has a `globalSetup`, or a `webServer` that must
//!   not be found running, since these would run ahead of need, too. One that may (`reuseExistingServer`) is kept up.
//! - A reporter of ours chooses the tests of the unit, by Playwright's own ids and its documented `preprocess` hook
//!   (since 1.62); nothing has to be escaped. Older versions are told files, and the exact titles by `--grep`.

use super::Shim;

pub(super) const SHIM: Shim = Shim {
    path: "/shakedown_playwright_worker.cjs",
    source: concat!(
        include_str!("playwright/head.cjs"),
        include_str!("playwright/failure.cjs"),
        include_str!("playwright/catalogue.cjs"),
        include_str!("playwright/reporter.cjs"),
        include_str!("playwright/killer.cjs"),
        include_str!("playwright/wire.cjs"),
        include_str!("playwright/process.cjs"),
        include_str!("playwright/servers.cjs"),
        include_str!("playwright/suite.cjs"),
        include_str!("playwright/round.cjs"),
        include_str!("playwright/main.cjs"),
    ),
    start: &["node", "/shakedown_playwright_worker.cjs"],
    kill: &["node", "/shakedown_playwright_worker.cjs", "--kill"],
    tell: &["node", "/shakedown_playwright_worker.cjs", "--tell"],
};
