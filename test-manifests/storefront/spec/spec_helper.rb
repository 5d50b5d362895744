require "capybara/rspec"

Dir[File.join(__dir__, "support", "*.rb")].sort.each { |file| require file }

Capybara.configure do |config|
  config.app_host = ENV.fetch("STOREFRONT_URL", "http://web:8000")
  config.run_server = false
  config.default_driver = :headless_shell
  config.javascript_driver = :headless_shell
  config.default_max_wait_time = 10 # seconds; costs nothing unless something is late
  config.enable_aria_label = true
  config.save_path = "tmp/screenshots"
end

RSpec.configure do |config|
  config.define_derived_metadata(file_path: %r{/spec/features/}) { |metadata| metadata[:type] = :feature }
  config.expect_with(:rspec) { |expectations| expectations.syntax = :expect }
  config.disable_monkey_patching!

  config.include Shopping, type: :feature

  config.after(type: :feature) do |example|
    next unless example.exception

    name = example.id.delete_prefix("./").gsub(/[^\w]+/, "-")
    page.save_screenshot("#{name}.png")
  rescue StandardError => e
    warn "No screenshot of the failure: #{e.class}"
  end
end
