# frozen_string_literal: true

require_relative "support"

class RunningCheck < WorkerTest
  A = "./spec/a_spec.rb"

  def test_runs_exactly_what_is_asked
    worker = loaded(<<~RUBY)
      RSpec.describe "A" do
        it("one") { }
        describe("deep") { describe("deeper") { it("two") { }; it("three") { fail "no" } } }
      end
      RSpec.describe("B") { it("four") { } }
    RUBY
    events = run_unit(worker, "#{A}[1:2:1:2]", "#{A}[2:1]")
    assert_equal %w[started ended started ended unit_ended], events.map { |event| event["type"] }
    assert_equal [["#{A}[1:2:1:2]", "failed"], ["#{A}[2:1]", "passed"]],
                 ended(events).map { |event| event.values_at("selector", "outcome") }
    assert_equal({ "type" => "unit_ended", "unit" => "u1", "asked" => 2, "ran" => 2, "unknown" => [] }, events.last)
  end

  def test_started_comes_before_the_before_hooks
    worker = loaded("RSpec.describe('A') { before { sleep }; it('x') { } }")
    worker.send_message(type: "run", unit: "u", tests: [{ selector: "#{A}[1:1]", attempt: 1 }])
    assert_equal({ "type" => "started", "selector" => "#{A}[1:1]" }, worker.event)
  end

  def test_a_failure_tells_class_message_place_and_backtrace
    worker = loaded(<<~RUBY)
      RSpec.describe "A" do
        def check
          expect(1).to eq(2)
        end
        it("x") { check }
      end
    RUBY
    event = run_one(worker, "#{A}[1:1]")
    assert_nil event["reason"]
    failure = event["failure"]
    assert_equal "RSpec::Expectations::ExpectationNotMetError", failure["class"]
    assert_equal "\nexpected: 2\n     got: 1\n\n(compared using ==)\n", failure["message"]
    assert_equal ["spec/a_spec.rb", 3], failure.values_at("file", "line")
    assert_equal ["spec/a_spec.rb:3:in `check'", "spec/a_spec.rb:5:in `block (2 levels) in <top (required)>'"],
                 failure["backtrace"]
  end

  def test_the_same_example_runs_again_from_a_fresh_start
    worker = loaded(<<~RUBY)
      RSpec.describe "A" do
        runs = 0
        let(:memo) { runs += 1 }
        it("fails first") { |example| example.metadata[:mark] = true; expect(memo).to be > 1 }
        it("skips first") { |example| expect(example.metadata[:skip]).to be_nil; skip "not yet" if ENV["SHAKEDOWN_ATTEMPT"] == "1" }
        it("unmarked") { |example| expect(example.metadata[:mark]).to be_nil }
        it("pending first") { pending "soon" if ENV["SHAKEDOWN_ATTEMPT"] == "1"; fail if ENV["SHAKEDOWN_ATTEMPT"] == "1" }
      end
    RUBY
    all = selectors(worker)
    assert_equal %w[failed skipped passed skipped], outcomes(run_unit(worker, *all.map { |selector| [selector, 1] }))
    assert_equal %w[passed passed passed passed], outcomes(run_unit(worker, *all.map { |selector| [selector, 2] }))
    again = ended(run_unit(worker, *all.map { |selector| [selector, 1] }))
    assert_equal [nil, "not yet", nil, "soon"], again.map { |event| event["reason"] }
    assert_equal [nil] * 4, again.map { |event| event["failure"] }
  end

  def test_an_example_asked_for_twice_in_a_unit_runs_twice
    worker = loaded("RSpec.describe('A') { it('x') { fail if ENV['SHAKEDOWN_ATTEMPT'] == '1' } }")
    events = run_unit(worker, ["#{A}[1:1]", 1], ["#{A}[1:1]", 2])
    assert_equal %w[failed passed], outcomes(events)
    assert_equal [2, 2], events.last.values_at("asked", "ran")
  end

  def test_unknown_selectors_are_told
    worker = loaded("RSpec.describe('A') { it('x') { } }")
    events = run_unit(worker, "#{A}[9:9]", "#{A}[1:1]", "./spec/gone_spec.rb[1:1]")
    assert_equal %w[passed], outcomes(events)
    assert_equal [3, 1, ["#{A}[9:9]", "./spec/gone_spec.rb[1:1]"]], events.last.values_at("asked", "ran", "unknown")
  end

  def test_the_attempt_is_known_to_hooks_and_example
    worker = loaded(<<~RUBY)
      RSpec.describe "A" do
        before(:context) { puts "context \#{ENV['SHAKEDOWN_ATTEMPT']}" }
        before { puts "before \#{ENV['SHAKEDOWN_ATTEMPT']}" }
        it("x") { puts "x \#{ENV['SHAKEDOWN_ATTEMPT']}" }
        it("y") { puts "y \#{ENV['SHAKEDOWN_ATTEMPT']}" }
      end
    RUBY
    run_unit(worker, ["#{A}[1:1]", 3], ["#{A}[1:2]", 2])
    assert_equal ["context 2", "before 3", "x 3", "before 2", "y 2"], worker.stderr.lines(chomp: true)
  end

  def test_pending_skipped_and_fixed
    worker = loaded(<<~RUBY)
      RSpec.describe "A" do
        it("is pending") { pending "bug 7"; fail }
        it("is fixed") { pending "bug 8" }
        it("skips") { skip "no printer" }
        xit("is switched off") { fail }
        it "has no body"
        it("is pending by metadata", pending: "bug 9") { fail }
      end
    RUBY
    events = ended(run_unit(worker, *selectors(worker)))
    assert_equal [["skipped", "bug 7"], ["failed", nil], ["skipped", "no printer"],
                  ["skipped", "Temporarily skipped with xit"], ["skipped", "Not yet implemented"], ["skipped", "bug 9"]],
                 events.map { |event| event.values_at("outcome", "reason") }
    fixed = events[1]["failure"]
    assert_equal ["RSpec::Core::Pending::PendingExampleFixedError", "spec/a_spec.rb", 3],
                 fixed.values_at("class", "file", "line")
    assert_match(/Expected example to fail/, fixed["message"])
  end

  def test_aggregated_failures_keep_all_messages
    worker = loaded(<<~RUBY)
      RSpec.describe "A" do
        it "x", :aggregate_failures do
          expect(1).to eq 11
          expect(2).to eq 22
        end
      end
    RUBY
    failure = run_one(worker, "#{A}[1:1]")["failure"]
    assert_equal "RSpec::Expectations::MultipleExpectationsNotMetError", failure["class"]
    assert_match(/expected: 11.*expected: 22/m, failure["message"])
    assert_equal ["spec/a_spec.rb", 3], failure.values_at("file", "line")
  end

  def test_a_failure_in_the_example_and_one_after_it_are_both_told
    worker = loaded("RSpec.describe('A') do\n  after { fail 'after' }\n  it('x') { fail 'in it' }\nend")
    failure = run_one(worker, "#{A}[1:1]")["failure"]
    assert_equal "RSpec::Core::MultipleExceptionError", failure["class"]
    assert_equal "Got 0 failures and 2 other errors:\n\n1) RuntimeError: in it\n\n2) RuntimeError: in teardown: after", failure["message"]
    assert_equal ["spec/a_spec.rb", 3], failure.values_at("file", "line")
    refute_empty failure["backtrace"]
  end

  def test_failing_hooks_fail_their_example
    worker = loaded(<<~RUBY)
      RSpec.describe "A" do
        describe("before") { before { fail "early" }; it("x") { } }
        describe("after") { after { fail "late" }; it("x") { } }
        describe("around") { around { |example| fail "round" }; it("x") { } }
        describe("around without running") { around { |example| }; it("x") { } }
      end
    RUBY
    events = ended(run_unit(worker, *selectors(worker)))
    assert_equal %w[failed failed failed skipped], events.map { |event| event["outcome"] }
    assert_equal ["in setup: early", "in teardown: late", "round"], events.first(3).map { |event| event["failure"]["message"] }
    assert_match(/did not execute the example/, events.last["reason"])
  end

  def test_a_failing_before_context_hook_fails_each_asked_example
    worker = loaded(<<~RUBY)
      RSpec.describe "A" do
        before(:context) { fail "no database" }
        it("x") { }
        it("not asked") { }
        describe("deep") { it("y") { } }
      end
    RUBY
    events = run_unit(worker, "#{A}[1:1]", "#{A}[1:3:1]")
    assert_equal %w[started ended started ended unit_ended], events.map { |event| event["type"] }
    assert_equal [["failed", "in setup: no database", 2]] * 2,
                 ended(events).map { |event| [event["outcome"], event["failure"]["message"], event["failure"]["line"]] }
    assert_equal 2, events.last["ran"]
  end

  def test_skip_in_a_before_context_hook_skips_each_asked_example_every_time
    worker = loaded("RSpec.describe('A') { before(:context) { skip 'no GPU' }; it('x') { }; it('y') { } }")
    2.times do
      events = ended(run_unit(worker, *selectors(worker)))
      assert_equal [["skipped", "no GPU"]] * 2, events.map { |event| event.values_at("outcome", "reason") }
    end
  end

  def test_a_failing_after_context_hook_is_an_error_of_its_own
    worker = loaded("RSpec.describe('A') do\n  after(:context) { raise IOError, 'stuck' }\n  it('x') { }\nend")
    events = run_unit(worker, "#{A}[1:1]")
    assert_equal %w[started ended error unit_ended], events.map { |event| event["type"] }
    error = events[2]
    assert_equal ["IOError", "spec/a_spec.rb", 2], error.values_at("class", "file", "line")
    assert_match(/after\(:context\).*stuck/m, error["message"])
    assert_equal %w[passed], outcomes(events)
  end

  def test_context_hooks_run_once_for_each_unit_and_suite_hooks_once_for_all
    write(".rspec" => "--require spec_helper", "spec/spec_helper.rb" => <<~RUBY, "spec/a_spec.rb" => <<~RUBY2)
      RSpec.configure do |config|
        config.before(:suite) { puts "before suite" }
        config.after(:suite) { puts "after suite" }
      end
    RUBY
      RSpec.describe "A" do
        before(:context) { @shared = "shared"; puts "before context" }
        after(:context) { puts "after context \#{@shared}" }
        it("x") { puts "x \#{@shared}" }
        it("y") { puts "y \#{@shared}" }
        describe("deep") { it("z") { puts "z \#{@shared}" } }
      end
    RUBY2
    worker = start_loaded
    assert_equal 3, list(worker).size
    assert_empty worker.stderr
    run_unit(worker, "#{A}[1:1]", "#{A}[1:2]")
    run_unit(worker, "#{A}[1:3:1]")
    worker.send_message(type: "quit")
    assert worker.exit_status.success?
    assert_equal ["before suite", "before context", "x shared", "y shared", "after context shared",
                  "before context", "z shared", "after context shared", "after suite"], worker.stderr.lines(chomp: true)
  end

  def test_a_failing_before_suite_hook_fails_every_example
    worker = loaded(<<~RUBY)
      RSpec.configure { |config| config.before(:suite) { fail "no server" } }
      RSpec.describe("A") { it("x") { puts "ran" }; it("y") { puts "ran" } }
    RUBY
    events = run_unit(worker, *selectors(worker))
    assert_equal %w[error started ended started ended unit_ended], events.map { |event| event["type"] }
    assert_equal ["in setup: no server"] * 2, ended(events).map { |event| event["failure"]["message"] }
    assert_equal %w[failed], outcomes(run_unit(worker, "#{A}[1:1]"))
    assert_empty worker.stderr
  end

  def test_a_failing_after_suite_hook_is_told_at_the_end
    worker = loaded(<<~RUBY)
      RSpec.configure { |config| config.after(:suite) { fail "can't stop" } }
      RSpec.describe("A") { it("x") { } }
    RUBY
    run_unit(worker, "#{A}[1:1]")
    worker.send_message(type: "quit")
    assert_equal [%w[error RuntimeError]], worker.events_to_the_end.map { |event| event.values_at("type", "class") }
    assert worker.exit_status.success?
  end

  def test_fail_fast_does_not_stop_a_unit
    write(".rspec" => "--fail-fast\n")
    worker = loaded("RSpec.configure { |c| c.fail_fast = 1 }; RSpec.describe('A') { 3.times { |i| it(i.to_s) { fail } } }")
    assert_equal %w[failed failed failed], outcomes(run_unit(worker, *selectors(worker)))
  end

  def test_a_suite_that_stops_a_unit_does_not_stop_the_next_one
    worker = loaded("RSpec.describe('A') { it('x') { RSpec.world.wants_to_quit = true }; it('y') { } }")
    events = run_unit(worker, *selectors(worker))
    assert_equal [2, 1], events.last.values_at("asked", "ran")
    assert_equal %w[passed], outcomes(run_unit(worker, "#{A}[1:2]"))
  end

  def test_messages_are_valid_utf8_of_bounded_length
    worker = loaded(<<~'RUBY')
      RSpec.describe "A" do
        it("x") { fail "caf\xE9" }
        it("y") { fail "caf\xE9".b }
        it("long") { fail "é" * 50_000 }
        it("deep") { def dig(n) n.zero? ? fail("deep") : dig(n - 1); end; dig(200) }
        it("mute") { raise Class.new(StandardError) { def message; raise "no"; end } }
      end
    RUBY
    x, y, long, deep, mute = ended(run_unit(worker, *selectors(worker))).map { |event| event["failure"] }
    assert_equal "caf\uFFFD", x["message"]
    assert_equal "caf\uFFFD", y["message"]
    assert_operator long["message"].bytesize, :<, 66_000
    assert_match(/\[cut here: 34464 more bytes\]\z/, long["message"])
    assert_equal 50, deep["backtrace"].size
    assert_match(/can't be shown/, mute["message"])
  end

  def test_messages_carry_no_colour
    write(".rspec" => "--force-color\n")
    worker = loaded("RSpec.configure { |c| c.color_mode = :on }; RSpec.describe('A') { it('x') { expect(\"a\\nb\").to eq \"a\\nc\" } }")
    refute_includes run_one(worker, "#{A}[1:1]")["failure"]["message"], "\e"
  end

  def test_a_duration_is_measured_in_milliseconds
    worker = loaded("RSpec.describe('A') { it('x') { sleep 0.12 } }")
    assert_in_delta 120, run_one(worker, "#{A}[1:1]")["duration_ms"], 100
  end

  def test_place_falls_back_to_the_example_where_no_frame_is_the_projects_own
    worker = loaded("RSpec.describe('A') do\n  it('x') { raise RuntimeError, 'far', ['/usr/share/gem.rb:1'] }\nend")
    failure = run_one(worker, "#{A}[1:1]")["failure"]
    assert_equal ["spec/a_spec.rb", 2, ["/usr/share/gem.rb:1"]], failure.values_at("file", "line", "backtrace")
  end

  def test_gems_inside_of_the_project_are_not_its_own_code
    write("vendor/bundle/gem.rb" => "def helper\n  fail 'deep'\nend")
    worker = loaded("require './vendor/bundle/gem'\nRSpec.describe('A') { it('x') { helper } }")
    assert_equal ["spec/a_spec.rb", 2], run_one(worker, "#{A}[1:1]")["failure"].values_at("file", "line")
  end

  def test_plugins_still_hear_from_the_reporter
    worker = loaded(<<~RUBY)
      listener = Class.new { def example_failed(n) puts "heard \#{n.example.description}"; end }.new
      RSpec.configuration.reporter.register_listener(listener, :example_failed)
      RSpec.describe("A") { it("x") { fail } }
    RUBY
    run_one(worker, "#{A}[1:1]")
    assert_equal "heard x\n", worker.stderr
  end
end
