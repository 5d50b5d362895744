# frozen_string_literal: true

require_relative "spec_helper"

RSpec.describe "Counter" do
  it "starts at one" do
    expect(post("/up/once")).to eq "1"
  end

  it "counts on" do
    expect(Array.new(3) { post("/up/thrice") }).to eq %w[1 2 3]
  end

  it "goes past nine" do
    put("/value/nine", "9")
    expect(post("/up/nine")).to eq "10"
  end
end
