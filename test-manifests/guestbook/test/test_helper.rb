# frozen_string_literal: true

require_relative "../config/environment"
require "rails/test_help"
