# frozen_string_literal: true

require "application_system_test_case"

# Honest tests, in the midst of which something can be made to end: see README.md.
class EndingTest < ApplicationSystemTestCase
  # In the order in which they are written.
  i_suck_and_my_tests_are_order_dependent!

  test "a before" do
    write(message: "before")
    visit root_path
    assert_text "before"
  end

  test "b in the midst" do
    write(message: "in the midst")
    visit root_path
    end_something
    assert_text "in the midst"
  end

  test "c after" do
    write(message: "after")
    visit root_path
    assert_text "after"
  end

  private

  def end_something
    Process.kill(:KILL, Process.pid) && sleep if first_time?("kill-worker")
    kill_browser if first_time?("kill-browser")
    # The container's first process ends on it, and takes the container along.
    Process.kill(:TERM, 1) && sleep if first_time?("kill-runner")
  end

  def kill_browser
    processes = Dir.glob("/proc/[0-9]*/exe").select do |exe|
      File.readlink(exe).include?("chromium-headless-shell")
    rescue SystemCallError
      false
    end
    processes.each { |exe| Process.kill(:KILL, exe[/\d+/].to_i) rescue nil }
  end
end
