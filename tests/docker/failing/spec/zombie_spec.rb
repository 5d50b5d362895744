# frozen_string_literal: true

require_relative "service_helper"

RSpec.describe "Browser" do
  it "leaves processes behind that do not want to end" do
    3.times { spawn("sh", "-c", "trap '' TERM; sleep 300") }
    10.times { spawn("true") }
    sleep 3 # until a step that nothing waits for has ended
    expect(ask("child", "ping")).to eq "well"
  end

  it "fails in the same environment as it was left" do
    expect(first_attempt?).to be false
  end
end
