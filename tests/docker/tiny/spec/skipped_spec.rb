# frozen_string_literal: true

require_relative "spec_helper"

RSpec.describe "Export" do
  it "writes a page for the printer" do
    skip "the printer is out of paper"
  end
end
