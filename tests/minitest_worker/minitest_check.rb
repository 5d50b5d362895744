# frozen_string_literal: true

require_relative "support"

# What the conformance suite does not ask of every framework.
class MinitestCheck < WorkerTest
  HELPER = 'require "minitest/autorun"'

  # A worker that has loaded the suite of one file, test/a_test.rb.
  def loaded(content, **options)
    write("test/a_test.rb" => "#{HELPER}\n#{content}")
    start_loaded("test", **options)
  end

  def of(method, class_name = "ATest", file = "test/a_test.rb")
    "#{file}::#{class_name}##{method}"
  end

  def messages(events)
    ended(events).map { |event| event.dig("failure", "message") }
  end

  def test_lists_selector_file_line_and_name
    worker = loaded("class ATest < Minitest::Test\n  def test_b; end\n  def test_a; end\n  def helper; end\nend")
    assert_equal [[of("test_b"), "test/a_test.rb", 3, "ATest#test_b"], [of("test_a"), "test/a_test.rb", 4, "ATest#test_a"]],
                 list(worker).map { |test| test.values_at("selector", "file", "line", "name") }
  end

  def test_autorun_runs_nothing_and_blocks_for_afterwards_run_at_the_end
    worker = loaded("Minitest.after_run { puts 'after' }\nclass ATest < Minitest::Test; def test_a; puts 'ran'; end; end")
    run_unit(worker, of("test_a"))
    worker.send_message(type: "quit")
    assert worker.exit_status.success?
    assert_equal "ran\nafter\n", worker.stderr
  end

  def test_specifications_are_named_without_their_numbers_and_told_apart
    worker = loaded(<<~RUBY)
      require "minitest/spec"
      describe("List") { it("is empty") { _([]).must_be_empty }; describe("full") { it("is not") { puts "full" } } }
      describe("List") { it("is empty") { raise "the second" } }
    RUBY
    tests = list(worker)
    assert_equal ["List is empty", "List::full is not", "List is empty"], tests.map { |test| test["name"] }
    assert_equal 3, tests.map { |test| test["selector"] }.uniq.size
    assert_equal ["the second"], messages(run_unit(worker, tests.last["selector"]))
    assert_equal "passed", run_one(worker, tests.first["selector"])["outcome"]
  end

  def test_a_class_of_two_files_has_its_tests_in_both
    write("test/b_test.rb" => "#{HELPER}\nclass ATest\n  def test_b; end\nend")
    worker = loaded("class ATest < Minitest::Test\n  def test_a; end\nend")
    assert_equal [of("test_a"), of("test_b", "ATest", "test/b_test.rb")], selectors(worker)
    assert_equal %w[passed passed], outcomes(run_unit(worker, *selectors(worker)))
  end

  def test_inherited_and_included_tests_belong_to_the_class_that_has_them
    write("test/test_helper.rb" => <<~RUBY, "test/b_test.rb" => "require 'test_helper'\nclass BTest < Base; include Shared; end")
      #{HELPER}
      class Base < Minitest::Test
        def test_base; end
      end
      module Shared
        def test_shared; end
      end
    RUBY
    worker = start_loaded("test/b_test.rb")
    own = list(worker).select { |test| test["name"].start_with?("BTest#") }
    assert_equal [["test/b_test.rb", 2]] * 2, own.map { |test| test.values_at("file", "line") }
    assert_equal %w[BTest#test_base BTest#test_shared], own.map { |test| test["name"] }.sort
    assert_equal %w[passed passed], outcomes(run_unit(worker, *own.map { |test| test["selector"] }))
  end

  def test_all_that_failed_is_told_with_where_it_failed
    worker = loaded(<<~RUBY)
      class ATest < Minitest::Test
        def test_a; flunk "in it"; end
        def teardown; raise IOError, "after"; end
      end
    RUBY
    failure = run_one(worker, of("test_a"))["failure"]
    assert_equal ["Minitest::Assertion", "test/a_test.rb", 3], failure.values_at("class", "file", "line")
    assert_equal "2 errors:\n\n1) Minitest::Assertion: in it\n\n2) IOError: in teardown: after", failure["message"]
  end

  def test_an_exception_that_can_not_be_sent_elsewhere_keeps_its_class
    worker = loaded(<<~RUBY)
      class Odd < StandardError; def initialize; @proc = proc {}; super("odd"); end; end
      class ATest < Minitest::Test; def test_a; raise Odd; end; end
    RUBY
    assert_equal %w[Odd odd], run_one(worker, of("test_a"))["failure"].values_at("class", "message")
  end

  def test_exit_is_a_failure_wherever_it_is_called_and_its_test_s_own
    worker = loaded(<<~RUBY)
      class ATest < Minitest::Test
        def setup; exit 4 if name == "test_setup"; end
        def teardown; exit 5 if name == "test_teardown"; end
        def test_setup; end
        def test_a; exit; end
        def test_abort; abort "enough"; end
        def test_teardown; end
        def test_well; end
      end
    RUBY
    events = run_unit(worker, *selectors(worker))
    assert_equal 1, outcomes(events).count("passed")
    assert_equal ["in setup: the test called exit (status 4)", "in teardown: the test called exit (status 5)",
                  "the test called exit (status 0)", "the test called exit (status 1): enough"], messages(events).compact.sort
  end

  def test_a_forked_child_is_not_another_worker
    worker = loaded(<<~RUBY)
      class ATest < Minitest::Test
        def test_a
          Process.wait(fork { exit 7 })
          assert_equal 7, $?.exitstatus
          fork { return }
          Process.wait
        end
      end
    RUBY
    assert_equal %w[started ended unit_ended], run_unit(worker, of("test_a")).map { |event| event["type"] }
    assert_equal "passed", run_one(worker, of("test_a"))["outcome"]
  end

  def test_skips_have_reasons_and_a_failing_teardown_is_not_hidden_by_them
    worker = loaded(<<~RUBY)
      class ATest < Minitest::Test
        def setup; skip "not today" if name == "test_b"; end
        def test_a; skip "no printer"; end
        def test_b; end
        def test_c; skip "but"; end
        def teardown; raise "stuck" if name == "test_c"; end
      end
    RUBY
    events = %w[test_a test_b test_c].map { |name| run_one(worker, of(name)) }
    assert_equal [["skipped", "no printer"], ["skipped", "not today"], ["failed", nil]],
                 events.map { |event| event.values_at("outcome", "reason") }
  end

  def test_a_class_that_runs_in_parallel_runs_here
    worker = loaded(<<~RUBY)
      class ATest < Minitest::Test
        parallelize_me!
        def test_a; assert_same Thread.main, Thread.current; end
        def test_b; end
      end
    RUBY
    assert_equal %w[passed passed], outcomes(run_unit(worker, of("test_a"), of("test_b")))
  end

  def test_what_is_set_up_for_a_whole_class_encloses_its_tests_and_its_failures_are_told
    worker = loaded(<<~RUBY)
      require "minitest/hooks"
      class ATest < Minitest::Test
        include Minitest::Hooks
        def before_all; super; raise "no table" if ENV["SHAKEDOWN_ATTEMPT"] == "2"; puts "before"; end
        def after_all; puts "after"; raise "stuck" if ENV["SHAKEDOWN_ATTEMPT"] == "3"; super; end
        def test_a; end
        def test_b; end
      end
    RUBY
    both = [of("test_a"), of("test_b")]
    assert_equal %w[passed passed], outcomes(run_unit(worker, *both))
    assert_equal "before\nafter\n", worker.stderr
    assert_equal ["in setup: no table"] * 2, messages(run_unit(worker, *both.map { |test| [test, 2] }))
    events = run_unit(worker, *both.map { |test| [test, 3] })
    assert_equal %w[passed passed], outcomes(events)
    assert_equal ["stuck"], of_type(events, "error").map { |event| event["message"] }
  end

  def test_an_exception_round_a_test_fails_it_and_the_others_go_on
    worker = loaded(<<~RUBY)
      require "minitest/hooks"
      class ATest < Minitest::Test
        include Minitest::Hooks
        def around; raise "round" if name == "test_a"; super; end
        def test_a; end
        def test_b; end
      end
    RUBY
    events = ended(run_unit(worker, of("test_a"), of("test_b")))
    by_test = events.map { |event| [event["selector"], event["outcome"]] }.to_h
    assert_equal({ of("test_a") => "failed", of("test_b") => "passed" }, by_test)
  end

  def test_the_seed_orders_tests
    suite = "class ATest < Minitest::Test; 12.times { |i| define_method(\"test_\#{i}\") { } }; end"
    orders = %w[42 42 43].map do |seed|
      worker = loaded(suite, environment: { "SHAKEDOWN_SEED" => seed })
      ended(run_unit(worker, *selectors(worker))).map { |event| event["selector"] }
    end
    assert_equal orders[0], orders[1]
    refute_equal orders[0], orders[2]
  end

  def test_a_test_runs_again_in_the_same_worker_from_a_fresh_start
    worker = loaded(<<~RUBY)
      class ATest < Minitest::Test
        def test_a; assert_nil @seen; @seen = true; assert_equal "2", ENV["SHAKEDOWN_ATTEMPT"]; end
      end
    RUBY
    assert_equal %w[failed passed passed], outcomes(run_unit(worker, of("test_a"), [of("test_a"), 2]) + run_unit(worker, [of("test_a"), 2]))
  end

  def test_errors_while_loading_are_all_told_with_the_first_place
    write("test/b_test.rb" => "raise 'second'")
    write("test/a_test.rb" => "#{HELPER}\nclass ATest < Minitest::Test\n  def test_a(\nend")
    error = start("test").events_until("load_error").last
    assert_equal "test/a_test.rb", error["file"]
    assert_match(/SyntaxError.*RuntimeError: second/m, error["message"])
  end

  def test_a_path_that_is_missing_and_a_suite_that_exits_are_load_errors
    assert_match(%r{no file or folder test/gone}, start("test/gone").events_until("load_error").last["message"])
    write("test/a_test.rb" => "abort 'not in production'")
    assert_match(/not in production/, start("test").events_until("load_error").last["message"])
  end

  def test_only_the_paths_given_are_loaded
    write("test/a/one_test.rb" => "#{HELPER}\nclass OneTest < Minitest::Test; def test_a; end; end",
          "test/a/test_two.rb" => "#{HELPER}\nclass TwoTest < Minitest::Test; def test_a; end; end",
          "test/a/three_spec.rb" => "#{HELPER}\ndescribe('Three') { it('a') { } }",
          "test/a/other.rb" => "raise 'never'", "test/b/four_test.rb" => "raise 'never'")
    assert_equal %w[OneTest#test_a TwoTest#test_a], list(start_loaded("test/a/{one,test}*.rb")).map { |test| test["name"] }
    assert_equal ["OneTest#test_a", "Three a", "TwoTest#test_a"],
                 list(start_loaded("test/a")).map { |test| test["name"] }.sort
  end

  def test_what_is_asked_for_runs_though_other_tests_are_focused
    worker = loaded(<<~RUBY)
      require "minitest/focus"
      class ATest < Minitest::Test
        def test_a; end
        focus
        def test_b; end
      end
    RUBY
    assert_equal [of("test_b")], selectors(worker)
    assert_equal %w[passed], outcomes(run_unit(worker, of("test_a")))
  end
end
