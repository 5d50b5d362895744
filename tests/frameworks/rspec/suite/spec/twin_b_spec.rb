# frozen_string_literal: true

RSpec.describe "Twins" do
  it("role twin") { mark "twin b" }
end
