# frozen_string_literal: true

require_relative "service_helper"

RSpec.describe "Service" do
  it("goes wrong: disk") { expect_well "disk" }
end
