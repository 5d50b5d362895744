# frozen_string_literal: true

require_relative "spec_helper"

RSpec.describe "Health" do
  it "is reported" do
    expect(visit("/healthz")).to eq "well"
  end

  it "is not told at other addresses" do
    expect(visit("/health")).to eq "nothing at /health"
  end
end
