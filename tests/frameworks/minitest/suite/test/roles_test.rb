# frozen_string_literal: true

require "test_helper"

class RolesTest < Minitest::Test
  include Shared # role shared

  def test_role_passes
    mark "passes"
  end

  def test_role_fails
    mark "fails"
    assert_equal "one", "two", "expected one, got two" # fails here
  end

  def test_role_skipped
    skip "not on a Tuesday"
  end

  def test_role_environment
    mark "environment"
    names = %w[SHAKEDOWN_RUN_ID SHAKEDOWN_LANE SHAKEDOWN_ATTEMPT SHAKEDOWN_SEED TEST_ENV_NUMBER]
    puts "env(#{names.map { |name| ENV[name] }.join(' ')})"
  end

  def test_role_exits
    puts "last words of exits"
    exit 0
  end

  def test_role_dies
    puts "last words of dies"
    exit! 0
  end

  def test_role_killed
    puts "last words of killed"
    Process.kill(:KILL, Process.pid)
    sleep
  end

  def test_role_deaf
    %w[INT TERM].each { |signal| trap(signal, "IGNORE") }
    spawn("sleep", "48211")
    sleep
  end

  [1, 10].each { |number| define_method("test_role_number_#{number}") { mark "number_#{number}" } }

  def test_role_plain
    mark "plain"
  end
end

class SetupTest < Minitest::Test
  def setup
    raise "no table" # setup fails here
  end

  def test_role_setup
    mark "setup"
  end
end

class TeardownTest < Minitest::Test
  def teardown
    raise "stuck door" # teardown fails here
  end

  def test_role_teardown
    mark "teardown"
  end
end

class ContextTest < Minitest::Test
  include Minitest::Hooks

  def before_all
    super
    mark "context"
  end

  def test_role_first
    mark "first"
  end

  def test_role_second
    mark "second"
  end
end
