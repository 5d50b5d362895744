# frozen_string_literal: true

require_relative "spec_helper"

RSpec.describe "Greeting" do
  it "comes in time" do
    expect(fault?("flaky") ? "too late" : visit("/healthz")).to eq "well"
  end

  it "is the same for all" do
    expect(visit("/healthz")).to eq visit("/healthz")
  end
end
