# frozen_string_literal: true

require_relative "service_helper"

RSpec.describe "Service" do
  it("goes wrong: deaf") { expect_well "deaf" }
end
