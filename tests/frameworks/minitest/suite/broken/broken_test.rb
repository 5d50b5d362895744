# frozen_string_literal: true

require "test_helper"

class BrokenTest < Minitest::Test
  def test_never
    mark "never"
  end

  no_such_word "nowhere" # broken here
end
