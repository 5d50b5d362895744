# frozen_string_literal: true

require_relative "spec_helper"

# Names that are awkward in XML, in file names and on a terminal.
RSpec.describe "Names" do
  it "may hold <tags> & \"quotes\"" do
    expect(visit("/value/tags")).to eq "0"
  end

  it "may hold 🛒 and é" do
    expect(visit("/value/unicode")).to eq "0"
  end

  2.times do |number|
    it "may be given twice" do
      expect(visit("/value/twice#{number}")).to eq "0"
    end
  end
end
