# frozen_string_literal: true

require "test_helper"

# Two files define it.
class TwinTest < Minitest::Test
  def test_role_twin_b
    mark "twin b"
  end
end
