# frozen_string_literal: true

# Debian's Rails, without Bundler.
require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"
require "rails/test_unit/railtie"

module Guestbook
  class Application < Rails::Application
    config.load_defaults 6.1
    config.secret_key_base = "only ever used in tests"
    config.eager_load = false
  end

  # What is wrong on purpose: see README.md.
  def self.fault?(name)
    ENV.fetch("GUESTBOOK_FAULTS", "").split(",").include?(name)
  end
end
