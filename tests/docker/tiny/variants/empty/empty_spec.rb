# frozen_string_literal: true

RSpec.describe "Nothing" do
end
