# frozen_string_literal: true

RSpec.describe "Broken" do
  it("is never seen") { mark "never" }
  no_such_word "nowhere" # broken here
end
