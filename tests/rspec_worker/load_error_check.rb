# frozen_string_literal: true

require_relative "support"

class LoadErrorCheck < WorkerTest
  # The load_error event of a suite that can't be loaded, after which nothing comes.
  def load_error(files, *paths)
    write(files)
    worker = start(*paths)
    events = worker.events_to_the_end
    assert_equal %w[hello load_error], events.map { |event| event["type"] }
    assert_equal 1, worker.exit_status.exitstatus
    events.last
  end

  def test_a_syntax_error
    error = load_error("spec/x_spec.rb" => "RSpec.describe 'A' do\n  it('x') { ) }\nend")
    assert_match(/syntax error/, error["message"])
    assert_match(/x_spec\.rb/, error["message"])
    assert_equal ["spec/x_spec.rb", 2], error.values_at("file", "line")
  end

  def test_an_exception_while_loading
    error = load_error("spec/x_spec.rb" => "\nraise ArgumentError, 'bad luck'")
    assert_match(%r{An error occurred while loading \./spec/x_spec\.rb.*bad luck}m, error["message"])
    assert_equal ["spec/x_spec.rb", 2], error.values_at("file", "line")
  end

  def test_all_errors_are_told
    error = load_error("spec/x_spec.rb" => "raise 'one'", "spec/y_spec.rb" => "raise 'two'", "spec/z_spec.rb" => "")
    assert_match(/one.*two/m, error["message"])
  end

  def test_a_helper_that_is_missing
    error = load_error(".rspec" => "--require nowhere\n", "spec/x_spec.rb" => "")
    assert_match(/nowhere/, error["message"])
    assert_equal [nil, nil], error.values_at("file", "line")
  end

  def test_a_path_that_is_missing
    assert_match(/gone_spec\.rb/, load_error({}, "spec/gone_spec.rb")["message"])
  end

  def test_an_option_that_rspec_does_not_know
    assert_match(/--nonsense/, load_error(".rspec" => "--nonsense\n")["message"])
  end

  def test_exit_while_loading
    assert_match(/exit/, load_error("spec/x_spec.rb" => "exit 0")["message"])
  end

  def test_only_failures_without_a_place_to_remember_them
    assert_match(/only-failures/, load_error(".rspec" => "--only-failures\n", "spec/x_spec.rb" => "")["message"])
  end

  def test_a_suite_that_asks_to_quit
    assert_match(/asked RSpec to quit/, load_error("spec/x_spec.rb" => "RSpec.world.wants_to_quit = true")["message"])
  end

  def test_no_rspec_at_all
    write("empty/rspec/core.rb" => "raise LoadError, 'no such thing'")
    worker = start(environment: { "RUBYLIB" => File.join(@directory, "empty") })
    hello, error = worker.events_to_the_end
    assert_nil hello["version"]
    assert_match(/RSpec can't be loaded: no such thing/, error["message"])
    assert_equal 1, worker.exit_status.exitstatus
  end
end
