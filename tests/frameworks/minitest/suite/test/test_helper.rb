# frozen_string_literal: true

require "minitest/autorun"
require "minitest/hooks"
require_relative "support/shared"

class Minitest::Test
  def mark(role)
    puts "<<#{role}>>"
  end
end
