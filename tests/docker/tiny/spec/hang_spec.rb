# frozen_string_literal: true

require_relative "spec_helper"

RSpec.describe "Invoice" do
  it "is shown" do
    visit("/hang") if fault?("hang")
    expect(visit("/value/invoice")).to eq "0"
  end

  it "can be numbered" do
    expect(post("/up/invoice-number")).to eq "1"
  end
end
