# frozen_string_literal: true

require "test_helper"

# Two files define it.
class TwinTest < Minitest::Test
  def test_role_twin_a
    mark "twin a"
  end
end
