# frozen_string_literal: true

require_relative "spec_helper"

RSpec.describe "Value" do
  it "is 0 at first" do
    expect(visit("/value/fresh")).to eq "0"
  end

  it "keeps what is written" do
    put("/value/kept", "tea")
    expect(visit("/value/kept")).to eq "tea"
  end

  it "keeps what is written last" do
    %w[tea milk].each { |text| put("/value/twice", text) }
    expect(visit("/value/twice")).to eq "milk"
  end
end
