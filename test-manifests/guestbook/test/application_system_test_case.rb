# frozen_string_literal: true

require "test_helper"
require "capybara/dsl"
require "selenium-webdriver"

# Current ChromeDriver calls it an unknown error when a script has just replaced the element that was found. This
# Capybara is older than that and would give up; it shall look again, as it does for every other stale element.
class HeadlessShell < Capybara::Selenium::Driver
  def invalid_element_errors
    super | [Selenium::WebDriver::Error::UnknownError]
  end
end

Capybara.register_driver :headless_shell do |app|
  options = Selenium::WebDriver::Chrome::Options.new(binary: "/usr/lib/chromium/chromium-headless-shell")
  options.add_argument("--no-sandbox") # the container is the sandbox, and its user is root
  options.add_argument("--window-size=1280,900")
  options.add_argument("--disable-background-networking")
  HeadlessShell.new(app, browser: :chrome, capabilities: options,
                         service: Selenium::WebDriver::Service.chrome(path: "/usr/bin/chromedriver"))
end

class ApplicationSystemTestCase < ActionDispatch::SystemTestCase
  driven_by :headless_shell

  # What a test leaves behind in the process that runs it: see README.md.
  cattr_accessor :poisoned

  setup do
    raise "an earlier test has left its mark" if poisoned
  end

  private

  def write(name: "Robin", message: "Hello", approved: true, **more)
    Entry.create!(name: name, message: message, approved: approved, **more)
  end

  def sign_in
    visit new_session_path
    fill_in "Password", with: SessionsController::PASSWORD
    click_button "Sign in"
    assert_text "Welcome back."
  end

  def within_entry(entry, &block)
    within("#entry-#{entry.id}", &block)
  end

  # For faults that show once.
  def first_time?(fault)
    Guestbook.fault?(fault) && ENV.fetch("SHAKEDOWN_ATTEMPT", "1") == "1"
  end
end
