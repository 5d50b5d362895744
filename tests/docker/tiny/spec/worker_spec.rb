# frozen_string_literal: true

require_relative "spec_helper"

RSpec.describe "Picture" do
  it "can be drawn" do
    Process.kill(:KILL, Process.pid) if fault?("kill")
    expect(visit("/value/picture")).to eq "0"
  end

  it "can be framed" do
    expect(visit("/value/frame")).to eq "0"
  end
end
