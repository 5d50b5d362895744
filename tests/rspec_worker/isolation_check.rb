# frozen_string_literal: true

require_relative "support"

class IsolationCheck < WorkerTest
  A = "./spec/a_spec.rb"

  def test_what_the_suite_prints_never_reaches_the_protocol
    worker = loaded(<<~RUBY)
      puts "loading"
      RSpec.describe "A" do
        it "x" do
          puts "puts"
          STDOUT.write "write\\n"
          $stdout << "shift\\n"
          system("echo system")
          IO.new(1, autoclose: false).syswrite("descriptor\\n")
          system("echo none >&3; echo none >&4; echo none >&5; echo none >&6; echo none >&7; true", err: File::NULL)
          RSpec.configuration.reporter.message("message")
        end
      end
    RUBY
    events = run_unit(worker, "#{A}[1:1]")
    assert_equal %w[started ended unit_ended], events.map { |event| event["type"] }
    assert_equal %w[passed], outcomes(events)
    assert_equal %w[loading puts write shift system descriptor message], worker.stderr.lines(chomp: true)
  end

  def test_what_the_suite_reads_is_empty
    worker = loaded(<<~RUBY)
      RSpec.describe "A" do
        it("reads as a script would, which has arguments") { expect { gets }.to raise_error(SystemCallError) }
        it("x") { expect([$stdin.read, STDIN.gets, `cat`]).to eq ["", nil, ""] }
        it("y") { }
      end
    RUBY
    assert_equal %w[passed passed passed], outcomes(run_unit(worker, *selectors(worker)))
  end

  def test_rspec_makes_no_noise
    write(".rspec" => "--format documentation --format progress --profile --warnings --out report.txt\n")
    worker = loaded(<<~RUBY)
      RSpec.configure do |config|
        config.formatter = :documentation
        config.add_formatter "Nonsense::Formatter"
        config.profile_examples = 3
        config.filter_run_excluding :slow
      end
      RSpec.deprecate("something old")
      RSpec.describe("A") { it("x") { fail } ; it("y") { } }
    RUBY
    run_unit(worker, *selectors(worker))
    worker.send_message(type: "quit")
    assert worker.exit_status.success?
    assert_empty worker.stderr
    refute_path_exists File.join(@directory, "report.txt")
  end

  def test_deprecations_that_raise_still_raise
    worker = loaded(<<~RUBY)
      RSpec.configure { |config| config.raise_errors_for_deprecations! }
      RSpec.describe("A") { it("x") { RSpec.deprecate("something old") } }
    RUBY
    assert_equal "RSpec::Core::DeprecationError", run_one(worker, "#{A}[1:1]")["failure"]["class"]
  end

  def test_autorun_does_not_run_the_suite_again
    worker = loaded("require 'rspec/autorun'\nRSpec.describe('A') { it('x') { puts 'ran' } }")
    worker.send_message(type: "quit")
    assert worker.exit_status.success?
    assert_empty worker.stderr
  end

  def test_exit_in_an_example_fails_it_and_the_rest_goes_on
    worker = loaded(<<~RUBY)
      RSpec.describe "A" do
        after { puts "after" }
        it("exits") { exit 3 }
        it("aborts") { abort "enough" }
        it("goes on") { }
        describe("in a hook") { before { exit }; it("x") { } }
      end
    RUBY
    events = run_unit(worker, *selectors(worker))
    assert_equal %w[failed failed passed failed], outcomes(events)
    assert_equal ["the test called exit (status 3)", "the test called exit (status 1): enough", "in setup: the test called exit (status 0)"],
                 ended(events).map { |event| event.dig("failure", "message") }.compact
    assert_equal ["SystemExit", "spec/a_spec.rb", 3], ended(events).first["failure"].values_at("class", "file", "line")
    assert_equal 4, worker.stderr.lines.count("after\n")
  end

  def test_exit_in_a_context_hook_fails_its_examples_only
    worker = loaded(<<~RUBY)
      RSpec.describe("A") { before(:context) { exit }; it("x") { } }
      RSpec.describe("B") { after(:context) { exit }; it("x") { } }
      RSpec.describe("C") { it("x") { } }
    RUBY
    events = run_unit(worker, *selectors(worker))
    assert_equal %w[failed passed passed], outcomes(events)
    assert_equal 1, of_type(events, "error").size
  end

  def test_exit_bang_ends_the_worker_after_started
    worker = loaded("RSpec.describe('A') { it('x') { exit!(9) }; it('y') { } }")
    worker.send_message(type: "run", unit: "u", tests: [{ selector: "#{A}[1:1]", attempt: 1 }])
    assert_equal [{ "type" => "started", "selector" => "#{A}[1:1]" }], worker.events_to_the_end
    assert_equal 9, worker.exit_status.exitstatus
  end

  def test_a_forked_child_is_not_another_worker
    worker = loaded(<<~RUBY)
      RSpec.describe "A" do
        it("exits in the child") { fork { exit 4 }; Process.wait; expect($?.exitstatus).to eq 4 }
        it("leaves by exit") { child = fork; exit 5 unless child; Process.wait(child); expect($?.exitstatus).to eq 5 }
        it("goes on in the child") { child = fork; Process.wait(child) if child }
      end
    RUBY
    events = run_unit(worker, *selectors(worker))
    assert_equal %w[started ended] * 3 + %w[unit_ended], events.map { |event| event["type"] }
    assert_equal %w[passed passed passed], outcomes(events)
    assert_equal %w[passed], outcomes(run_unit(worker, "#{A}[1:1]"))
  end

  def test_signals_end_it_at_once
    %w[INT TERM].zip([130, 143]).each do |signal, code|
      worker = loaded(<<~RUBY)
        trap("#{signal}") { }
        at_exit { puts "at exit" }
        RSpec.configure { |config| config.after(:suite) { puts "after suite" } }
        RSpec.describe("A") { it("x") { sleep } }
      RUBY
      worker.send_message(type: "run", unit: "u", tests: [{ selector: "#{A}[1:1]", attempt: 1 }])
      worker.events_until("started")
      Process.kill(signal, worker.pid)
      assert_equal code, worker.exit_status.exitstatus
      assert_empty worker.stderr
    end
  end

  def test_quit_and_end_of_input_run_at_exit_blocks
    2.times do |i|
      worker = loaded("at_exit { puts 'at exit' }")
      i.zero? ? worker.send_message(type: "quit") : worker.close_stdin
      assert_equal i.zero? ? 0 : 75, worker.exit_status.exitstatus
      assert_equal "at exit\n", worker.stderr
    end
  end

  def test_what_is_not_understood_is_told_and_the_worker_goes_on
    worker = loaded("RSpec.describe('A') { it('x') { } }")
    ["{", "[]", '{"type":"dance"}'].each do |line|
      worker.send_line(line)
      assert_equal "error", worker.event["type"]
    end
    assert_equal 1, list(worker).size
  end

  def test_an_error_of_the_worker_itself_is_told
    worker = loaded("RSpec.describe('A') { it('x') { } }")
    worker.send_message(type: "run", unit: "u")
    assert_equal %w[error KeyError], worker.event.values_at("type", "class")
    refute worker.exit_status.success?
  end

  def test_a_suite_under_bundler_gets_its_locked_gems
    skip "no bundler" unless system("bundle --version", out: File::NULL)
    write("Gemfile" => "gem 'rspec'\n")
    assert system("bundle install --local --quiet", err: File::NULL, chdir: @directory)
    worker = loaded("RSpec.describe('A') { it('x') { expect(defined?(Bundler)).to be_truthy; require 'minitest' } }")
    failure = run_one(worker, "#{A}[1:1]")["failure"]
    assert_equal "LoadError", failure["class"]
  end

  def test_a_suite_whose_locked_gems_are_missing_goes_on_without_bundler
    write("Gemfile" => "gem 'rspec'\ngem 'nowhere-to-be-found'\n",
          "Gemfile.lock" => "GEM\n  specs:\n    nowhere-to-be-found (1.0)\n    rspec-core (3.12.0)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  nowhere-to-be-found\n  rspec\n")
    worker = loaded("RSpec.describe('A') { it('x') { } }")
    assert_equal %w[passed], outcomes(run_unit(worker, "#{A}[1:1]"))
    assert_match(/going on without Bundler/, worker.stderr)
  end
end
