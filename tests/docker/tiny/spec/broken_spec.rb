# frozen_string_literal: true

require_relative "spec_helper"

RSpec.describe "Total" do
  it "adds up" do
    put("/value/total", "41")
    expect(post("/up/total")).to eq(fault?("broken") ? "43" : "42")
  end

  it "of nothing is nothing" do
    expect(visit("/value/nothing")).to eq "0"
  end
end
