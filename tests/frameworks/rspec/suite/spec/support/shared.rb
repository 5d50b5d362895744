# frozen_string_literal: true

RSpec.shared_examples "what others ask for" do
  it("role shared") { mark "shared" }
end
