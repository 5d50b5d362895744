# The worker that shakedown starts beside an RSpec suite: it loads the suite once, stays warm, and runs the examples it
# is asked for, as often as it is asked. It stands behind ruby_worker.rb, in one file with it.
#
# Needs rspec-core 3.10 or newer.

module ShakedownWorker
  # How RSpec's exceptions are to be read.
  module Dialect
    def self.clean(frames)
      cleaner = RSpec.configuration.backtrace_formatter
      frames.reject { |frame| cleaner.exclude?(frame) }
    end

    def self.parts_of(exception)
      exception.all_exceptions if exception.is_a?(RSpec::Core::MultipleExceptionError)
    end
  end

  # Turns what RSpec reports into the protocol's events.
  class Recorder < BaseRecorder
    NOTIFICATIONS = %i[message example_started example_passed example_failed example_pending].freeze

    # Errors outside of examples while the suite was loading, as [exception or nil, RSpec's text].
    attr_reader :load_errors
    attr_reader :last_outside_exception

    def initialize(wire)
      super
      @load_errors = []
      @loading = true
    end

    def loaded
      @loading = false
    end

    def example_started(notification)
      example = notification.example
      announce_attempt(@attempts[example])
      @wire.write("started", "selector" => example.id) if @unfinished[example]
    end

    def example_passed(notification)
      ended(notification.example, "passed")
    end

    def example_failed(notification)
      example = notification.example
      ended(example, "failed", failure: failure_of(example))
    end

    # RSpec calls both pending: what was skipped, and what failed as it was expected to.
    def example_pending(notification)
      example = notification.example
      ended(example, "skipped", reason: Text.bounded(example.execution_result.pending_message))
    end

    # The suite itself can send messages, too; they belong to its other output. While it loads, RSpec's are noise.
    def message(notification)
      if @capture
        @capture << notification.message.to_s
      elsif !@loading
        $stderr.puts(notification.message)
      end
    end

    # An error that belongs to no example; the block has RSpec put it into words.
    def outside_error(exception, &block)
      text = capture(&block)
      @last_outside_exception = exception
      return @load_errors << [exception, text] if @loading

      @wire.write("error", Failure.describe(exception).merge("message" => Text.bounded(text)))
    end

    private

    # A group that fails as a whole reports even those of its examples that ended before; their first report stands.
    def ended(example, outcome, failure: nil, reason: nil)
      return unless @unfinished.delete(example)

      @wire.write("ended", "selector" => example.id, "outcome" => outcome, "duration_ms" => duration_ms(example),
                           "failure" => failure, "reason" => reason,
                           "attachments" => @witness.attachments(example))
    end

    # RSpec's own clock, which a suite that stops the time does not stop.
    def duration_ms(example)
      [(example.execution_result.run_time * 1000).round(1), 0].max
    end

    def failure_of(example)
      failure = Failure.describe(example.execution_result.exception, Stages.of(example))
      return failure if failure["file"]

      failure.merge("file" => Catalogue.file_of(example), "line" => Catalogue.line_of(example))
    end

    def capture
      @capture = []
      yield
      @capture.join("\n").delete_prefix("\n")
    ensure
      @capture = nil
    end
  end

  # Remembers of an example's exceptions which of them came from a hook before or after it.
  module Stages
    # Exception to "setup" or "teardown".
    def self.of(example)
      example.instance_variable_get(:@shakedown_stages) || {}
    end

    def self.forget(example)
      example.instance_variable_set(:@shakedown_stages, nil)
    end

    def set_exception(exception)
      (@shakedown_stages ||= {}.compare_by_identity)[exception] ||= @shakedown_stage if @shakedown_stage
      super
    end

    # A group whose before(:context) hook failed does this to all of its examples.
    def fail_with_exception(reporter, exception)
      during("setup") { super }
    end

    private

    # If it fails, set_exception is called later, and nothing else comes in between.
    def run_before_example
      @shakedown_stage = "setup"
      super
      @shakedown_stage = nil
    end

    def run_after_example
      @shakedown_stage = nil
      during("teardown") { super }
    end

    # What the example expected of its doubles is its own matter.
    def verify_mocks
      during(nil) { super }
    end

    def during(stage)
      before = @shakedown_stage
      @shakedown_stage = stage
      yield
    ensure
      @shakedown_stage = before
    end
  end

  # What we change in RSpec, all of it from the outside.
  module Adjustments
    module_function

    def install(recorder)
      RSpec::Core::Runner.disable_autorun!
      survive_exit
      hear_outside_errors(recorder)
      look_at_failures(recorder.witness)
      RSpec::Core::Example.prepend(Stages)
      replace_formatters(recorder)
      take_seed(ENV["SHAKEDOWN_SEED"])
      RSpec.configuration.backtrace_exclusion_patterns << /#{Regexp.escape(__FILE__)}/
    end

    # RSpec lets SystemExit through, which would end the worker. To have it treated as any failure is enough: of the
    # example, hook or file from which it came. A forked child, however, really means to exit.
    def survive_exit
      RSpec::Support::AllExceptionsExceptOnesWeMustNotRescue.singleton_class.prepend(
        Module.new do
          def ===(exception)
            (SystemExit === exception && ShakedownWorker.in_worker_process?) || super
          end
        end
      )
    end

    def hear_outside_errors(recorder)
      RSpec::Core::Reporter.prepend(
        Module.new do
          define_method(:notify_non_example_exception) do |exception, description|
            recorder.outside_error(exception) { super(exception, description) }
          end

          # RSpec would leave with exit!, and say why to formatters only.
          define_method(:abort_with) do |text, _status|
            recorder.load_errors << [nil, text.to_s.strip]
            RSpec.world.wants_to_quit = true
          end
        end
      )
    end

    # Hooks after the example, Capybara's among them, reset what the browser shows. So we look before the first of them.
    def look_at_failures(witness)
      return unless RSpec::Core::Example.private_method_defined?(:run_after_example)

      RSpec::Core::Example.prepend(
        Module.new do
          define_method(:run_after_example) do
            witness.look(self) if @exception && !pending? && ShakedownWorker.in_worker_process?
            super()
          end
          private :run_after_example
        end
      )
    end

    # We are the only formatter; those that the suite would add find no effect. The reporter itself must not exist
    # before the suite's options are read, or some of them would come too late.
    def replace_formatters(recorder)
      nowhere = File.open(File::NULL, "w")
      configuration = RSpec.configuration
      configuration.deprecation_stream = nowhere
      configuration.force(output_stream: nowhere)
      configuration.add_formatter(formatter_class(recorder), nowhere)
      %i[add_formatter formatter=].each do |name|
        configuration.define_singleton_method(name) { |*_arguments| nil }
      end
    end

    def formatter_class(recorder)
      formatter = Class.new do
        define_method(:initialize) { |_output| nil }
        Recorder::NOTIFICATIONS.each do |name|
          define_method(name) { |notification| recorder.public_send(name, notification) }
        end
      end
      RSpec::Core::Formatters.register(formatter, *Recorder::NOTIFICATIONS)
      formatter
    end

    # RSpec's setter would also make the order random. A seed that the suite names itself still wins.
    def take_seed(seed)
      RSpec.configuration.ordering_manager.instance_variable_set(:@seed, seed.to_i) if seed && !seed.empty?
    end

    # OPTIONS: RSpec's, from .rspec and the like. Overrides those that make no sense in a worker.
    def override(options)
      %i[formatters runner color profile dry_run].each { |name| options.delete(name) }
      options.update(color_mode: :off, fail_fast: false, dry_run: false)
    end
  end

  # The examples of a loaded suite, and how to name them.
  class Catalogue
    def self.file_of(example)
      Failure.relative(example.metadata[:rerun_file_path])
    end

    # In the file that includes it, for an example that is shared from another one.
    def self.line_of(example)
      example.location_rerun_argument.to_s[/:(\d+)\z/, 1]&.to_i || example.metadata[:line_number]
    end

    # Right after loading: once they run, examples change their descriptions, and RSpec counts other ones as filtered.
    def initialize(world)
      @by_selector = world.all_examples.map { |example| [example.id, example] }.to_h
      @listing = world.all_example_groups.flat_map(&:filtered_examples).map { |example| entry(example) }
    end

    # Only what RSpec would run.
    attr_reader :listing

    # Also what its filters leave out: RSpec, too, runs what is asked for by its id.
    def [](selector)
      @by_selector[selector]
    end

    private

    def entry(example)
      { "selector" => example.id, "file" => Catalogue.file_of(example), "line" => Catalogue.line_of(example),
        "name" => Text.utf8(name_of(example)), "tags" => tags_of(example) }
    end

    def name_of(example)
      return example.full_description unless example.metadata[:description].to_s.empty?

      "#{example.full_description.to_s.strip} #{example.description}".strip
    end

    def tags_of(example)
      own = example.metadata.reject { |key, value| !value || RSpec::Core::Metadata::RESERVED_KEYS.include?(key) }
      own.map { |key, value| Text.utf8(tag(key, value)) }
    end

    def tag(key, value)
      case value
      when String, Symbol, Numeric then "#{key}:#{value}"
      else key.to_s
      end
    end
  end

  # Runs units, in the order that the suite configures.
  class UnitRunner < BaseUnitRunner
    def initialize(wire, recorder, catalogue)
      super(wire, catalogue)
      @recorder = recorder
      @world = RSpec.world
      @reporter = RSpec.configuration.reporter
      @pristine = {}
    end

    # Set once a before(:suite) hook has failed: then every example fails with it.
    attr_writer :suite_failure

    private

    # ATTEMPTS: example to attempt number. Returns how many of them ended.
    def run_round(attempts)
      attempts.each_key { |example| make_fresh(example) }
      @recorder.begin_round(attempts)
      @suite_failure ? fail_all(attempts) : run_groups(attempts)
      @recorder.ended_count
    end

    def run_groups(attempts)
      # Whatever wanted to stop an earlier unit does not stop this one.
      @world.wants_to_quit = false
      filter(attempts)
      groups = @world.ordered_example_groups.reject { |group| group.descendant_filtered_examples.empty? }
      groups.each { |group| group.run(@reporter) }
    end

    def fail_all(attempts)
      attempts.each_key { |example| example.fail_with_exception(@reporter, @suite_failure) }
    end

    def filter(attempts)
      @world.all_example_groups.each do |group|
        @world.filtered_examples[group] = group.examples.select { |example| attempts.key?(example) }
        group.instance_variable_set(:@descendant_filtered_examples, nil)
      end
    end

    # An example keeps its exception, its result, and in its metadata whether it was pending or skipped.
    def make_fresh(example)
      pristine = (@pristine[example] ||= example.metadata.dup)
      example.metadata.replace(pristine)
      example.metadata[:execution_result] = RSpec::Core::Example::ExecutionResult.new
      example.instance_variable_set(:@exception, nil)
      Stages.forget(example)
    end
  end

  # From start to end.
  class Session < BaseSession
    private

    def load_framework
      require "rspec/core"
      Failure.dialect = Dialect
      say_hello("rspec", RSpec::Core::Version::STRING)
      true
    rescue LoadError => e
      say_hello("rspec", nil)
      say_load_error([[nil, "RSpec can't be loaded: #{Text.utf8(e.message)}"]])
    end

    def load_suite
      started = now
      @recorder = Recorder.new(@wire)
      Adjustments.install(@recorder)
      read_spec_files
      return report_load_errors if suite_is_broken?

      @recorder.loaded
      @catalogue = Catalogue.new(RSpec.world)
      say_loaded(started)
    end

    # The same steps as the command rspec takes, up to where that would begin to run.
    def read_spec_files
      options = RSpec::Core::ConfigurationOptions.new(@paths)
      Adjustments.override(options.options)
      RSpec::Core::Runner.new(options).setup($stderr, $stdout)
    rescue SystemExit, StandardError, ScriptError => e
      # RSpec leaves so on options that it does not know, for example.
      @recorder.load_errors << [e, "#{e.class}: #{e.message}"]
    end

    def suite_is_broken?
      RSpec.world.wants_to_quit || @recorder.load_errors.any?
    end

    # Returns false.
    def report_load_errors
      errors = @recorder.load_errors
      errors << [nil, "the suite asked RSpec to quit while it was loading"] if errors.empty?
      say_load_error(errors)
    end

    # The suite's hooks enclose the first unit to the last, and don't run when there is none.
    def serve
      unit = next_unit
      return unless unit

      runner = UnitRunner.new(@wire, @recorder, @catalogue)
      within_suite_hooks(runner) do
        while unit
          # The suite may have set handlers of its own.
          leave_at_once_on_signals
          runner.run(unit)
          unit = next_unit
        end
      end
    end

    def within_suite_hooks(runner)
      RSpec.configuration.reporter.report(@catalogue.listing.size) do
        RSpec.configuration.with_suite_hooks do
          # It starts as false, and a failing before(:suite) hook is what sets it.
          runner.suite_failure = @recorder.last_outside_exception if RSpec.world.wants_to_quit
          yield
        end
      end
    end
  end
end

ShakedownWorker.main(ARGV, ShakedownWorker::Session, %w[rspec-core])
