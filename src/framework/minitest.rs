//! minitest 5.11 or later: plain tests, specifications, and Rails' system tests, with or without Capybara.

use super::Shim;

pub(super) const SHIM: Shim = Shim {
    path: "/shakedown_minitest_worker.rb",
    source: concat!(include_str!("ruby_worker.rb"), include_str!("minitest_worker.rb")),
    start: &["ruby", "/shakedown_minitest_worker.rb"],
    kill: &["ruby", "/shakedown_minitest_worker.rb", "--kill"],
    tell: &["ruby", "/shakedown_minitest_worker.rb", "--tell"],
};
