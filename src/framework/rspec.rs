//! RSpec 3.10 or later, with or without Capybara.

use super::Shim;

pub(super) const SHIM: Shim = Shim {
    path: "/shakedown_rspec_worker.rb",
    source: concat!(include_str!("ruby_worker.rb"), include_str!("rspec_worker.rb")),
    start: &["ruby", "/shakedown_rspec_worker.rb"],
    kill: &["ruby", "/shakedown_rspec_worker.rb", "--kill"],
    tell: &["ruby", "/shakedown_rspec_worker.rb", "--tell"],
};
