# frozen_string_literal: true

require_relative "service_helper"

RSpec.describe "Service" do
  it("goes wrong: child") { expect_well "child" }
end
