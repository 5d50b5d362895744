# frozen_string_literal: true

require_relative "../config/environment"
require "rails/test_help"

class ActiveSupport::TestCase
  # As Rails generates it. In a worker of shakedown it has no effect.
  parallelize(workers: :number_of_processors)
end
