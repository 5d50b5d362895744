# frozen_string_literal: true

require_relative "spec_helper"

RSpec.describe "Schema" do
  it "is the one that the migration left" do
    expect(visit("/schema")).to eq "7"
  end
end
