# frozen_string_literal: true

require "test_helper"
require "minitest/focus"

class FocusTest < Minitest::Test
  def test_role_passes
    mark "passes"
  end

  focus
  def test_role_focused
    mark "focused"
  end

  def test_role_plain
    mark "plain"
  end
end
