# frozen_string_literal: true

RSpec.describe "Focus" do
  it("role passes") { mark "passes" }
  fit("role focused") { mark "focused" }
  describe("others") { it("role plain") { mark "plain" } }
end
