# frozen_string_literal: true

require_relative "support/shared"

RSpec.configure { |config| config.filter_run_when_matching :focus }

def mark(role)
  puts "<<#{role}>>"
end
