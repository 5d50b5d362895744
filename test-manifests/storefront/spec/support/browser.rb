require "selenium-webdriver"

# Current ChromeDriver calls it an unknown error when a script has just replaced the element that was found. This Capybara
# is older than that and would give up; it shall look again, as it does for every other stale element.
class HeadlessShell < Capybara::Selenium::Driver
  def invalid_element_errors = super | [Selenium::WebDriver::Error::UnknownError]
end

Capybara.register_driver :headless_shell do |app|
  # Calls may take as long as a slow page does; when a test has run for too long is decided by whoever runs it.
  http = Selenium::WebDriver::Remote::Http::Default.new(open_timeout: 60, read_timeout: 600)
  options = Selenium::WebDriver::Chrome::Options.new(binary: "/usr/lib/chromium/chromium-headless-shell")
  options.add_argument("--no-sandbox") # the container is the sandbox, and its user is root
  options.add_argument("--window-size=1280,900")
  options.add_argument("--force-prefers-reduced-motion")
  options.add_argument("--disable-background-networking")
  HeadlessShell.new(app, browser: :chrome, http_client: http, capabilities: options,
                         service: Selenium::WebDriver::Service.chrome(path: "/usr/bin/chromedriver"))
end
