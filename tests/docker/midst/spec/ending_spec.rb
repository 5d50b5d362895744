# frozen_string_literal: true

# Honest examples, in the midst of which something can be made to end, by MIDST.
RSpec.describe "Ending", type: :feature do
  def expect_to_see(text)
    visit "data:text/html,<h1>#{text}</h1>"
    yield if block_given?
    expect(page).to have_css("h1", text: text)
  end

  def end_something
    return unless ENV["SHAKEDOWN_ATTEMPT"] == "1"

    case ENV["MIDST"]
    when "kill-worker" then Process.kill(:KILL, Process.pid) && sleep
    when "kill-browser" then kill_browser
    # The container's first process ends on it, and takes the container along.
    when "kill-runner" then Process.kill(:TERM, 1) && sleep
    end
  end

  def kill_browser
    processes = Dir.glob("/proc/[0-9]*/exe").select do |exe|
      File.readlink(exe).include?("chromium-headless-shell")
    rescue SystemCallError
      false
    end
    processes.each { |exe| Process.kill(:KILL, exe[/\d+/].to_i) rescue nil }
  end

  it("a before") { expect_to_see "before" }
  it("b in the midst") { expect_to_see("in the midst") { end_something } }
  it("c after") { expect_to_see "after" }
end
