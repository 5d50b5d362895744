//! RSpec 3.10 or later, with or without Capybara.

use super::Shim;

pub(super) const SHIM: Shim = Shim {
    path: "/shakedown_rspec_worker.rb",
    source: include_str!("rspec_worker.rb"),
    start: &["ruby", "/shakedown_rspec_worker.rb"],
    kill: &["ruby", "/shakedown_rspec_worker.rb", "--kill"],
    tell: &["ruby", "/shakedown_rspec_worker.rb", "--tell"],
};
