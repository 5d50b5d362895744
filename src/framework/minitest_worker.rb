
# The worker that shakedown starts beside a minitest suite, of Rails or not: it loads the suite once, stays warm, and
# runs the tests it is asked for, as often as it is asked. It stands behind ruby_worker.rb, in one file with it.
#
# minitest's own run, its command line, its plugins and its reporters are left out; classes are run as it does. A test
# is named by its file, its class and its method, as a class may be reopened in another file.
#
# Needs minitest 5.11 or newer.

module ShakedownWorker
  # How minitest's exceptions are to be read: as the suite has its backtraces filtered, for Rails by its own cleaner.
  module Dialect
    module_function

    def clean(frames)
      frames = frames.reject { |frame| frame.start_with?(__FILE__) }
      filtered = Minitest.backtrace_filter.filter(frames)
      return filtered unless defined?(::Rails) && ::Rails.respond_to?(:backtrace_cleaner)

      cleaned = ::Rails.backtrace_cleaner.clean(filtered)
      cleaned.empty? ? filtered : cleaned
    end

    def parts_of(_exception)
      nil
    end

    # What was raised, without minitest's wrapping.
    def unwrap(failure)
      failure.is_a?(Minitest::UnexpectedError) ? failure.error : failure
    end
  end

  # A test of the suite.
  Entry = Struct.new(:selector, :runnable, :method_name, :file, :line, :name) do
    # There is one of each, and comparing all members would take its time.
    def hash
      object_id.hash
    end

    def eql?(other)
      equal?(other)
    end

    def listing
      { "selector" => selector, "file" => file, "line" => line, "name" => name, "tags" => [] }
    end
  end

  # Prepended to each test that runs: tells what is raised before and after the test's own method from what it raises
  # itself, makes exit a failure, and looks at the browser before anything resets it.
  module Watched
    { before_setup: "setup", setup: "setup", after_setup: "setup",
      before_teardown: "teardown", teardown: "teardown", after_teardown: "teardown" }.each do |hook, stage|
      define_method(hook) do
        shakedown_staged(stage) { super() }
      end
    end

    # Exception to "setup" or "teardown".
    def shakedown_stages
      @shakedown_stages ||= {}.compare_by_identity
    end

    def capture_exceptions(&block)
      known = failures.size
      super() do
        block.call
      rescue SystemExit => e
        raise unless ShakedownWorker.in_worker_process?

        failures << Minitest::UnexpectedError.new(e)
      end
      shakedown_note(known)
      @shakedown_stage = nil
    end

    private

    # minitest replaces an exception that can't be sent to another process. Here it is sent nowhere.
    def sanitize_exception(exception)
      exception
    end

    # When the hook raises, the stage stays until that is captured. Some hooks capture by themselves.
    def shakedown_staged(stage)
      known = failures.size
      @shakedown_stage = stage
      yield
      shakedown_note(known)
      @shakedown_stage = nil
    end

    def shakedown_note(known)
      fresh = failures.drop(known)
      fresh.each { |failure| shakedown_stages[Dialect.unwrap(failure)] ||= @shakedown_stage } if @shakedown_stage
      return if @shakedown_stage == "teardown" || fresh.all? { |failure| failure.is_a?(Minitest::Skip) }

      @shakedown_witness.look(self) if ShakedownWorker.in_worker_process?
    end
  end

  # Takes the place of minitest's reporter, and turns what it hears into the protocol's events.
  class Recorder < BaseRecorder
    def initialize(wire)
      super
      @current = nil
    end

    # Tests of the round that have not ended yet, in the order in which they were asked for.
    def unfinished
      @unfinished.keys
    end

    # The test that is about to be recorded, and the instance that runs it.
    def start(entry)
      @current = entry
      @instance = nil
      @outside = []
      @began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      @began_at = Time.now
    end

    attr_writer :instance

    def prerecord(_runnable, _method_name)
      announce_attempt(@attempts[@current])
      @wire.write("started", "selector" => @current.selector)
    end

    # What hooks of a whole class report has the name of no test that runs.
    def record(result)
      return outside(result.failures) unless @current && result.name == @current.method_name

      stages = @instance&.singleton_class&.include?(Watched) ? @instance.shakedown_stages : {}
      ended(@current, result.failures, stages, result.time)
    end

    # The test itself could not be run to its end, or not at all.
    def fail(entry, exception, stage = nil)
      @wire.write("started", "selector" => entry.selector) unless @current.equal?(entry)
      stages = stage ? {}.compare_by_identity.merge!(exception => stage) : {}
      ended(entry, [exception], stages, @current.equal?(entry) ? since_start : 0)
    end

    def outside(failures)
      (@outside_failures ||= []).concat(failures.map { |failure| Dialect.unwrap(failure) })
    end

    # What hooks of a class have reported since this was asked for.
    def take_outside
      taken = @outside_failures || []
      @outside_failures = []
      @current = nil
      taken
    end

    # minitest asks its reporters this on a signal.
    def passed?
      true
    end

    private

    def ended(entry, failures, stages, seconds)
      return unless @unfinished.delete(entry)

      wrong, skips = failures.partition { |failure| !failure.is_a?(Minitest::Skip) }
      outcome = if wrong.any? then "failed" elsif skips.any? then "skipped" else "passed" end
      @wire.write("ended", "selector" => entry.selector, "outcome" => outcome,
                           "duration_ms" => [(seconds * 1000).round(1), 0].max,
                           "failure" => wrong.any? ? failure_of(entry, wrong, stages) : nil,
                           "reason" => outcome == "skipped" ? Text.bounded(skips.first.message) : nil,
                           "attachments" => wrong.any? ? attachments_of(@instance) : [])
      @instance = nil
    end

    def failure_of(entry, failures, stages)
      failure = Failure.describe_several(failures.map { |wrapped| Dialect.unwrap(wrapped) }, stages)
      return failure if failure["file"]

      failure.merge("file" => entry.file, "line" => entry.line)
    end

    # With the pictures that Rails takes of a failed system test.
    def attachments_of(instance)
      return [] unless instance

      own = { absolute_image_path: "screenshot", absolute_html_path: "page" }.map do |path, kind|
        file = instance.respond_to?(path, true) ? instance.send(path).to_s : ""
        # File systems cut times off.
        { "kind" => kind, "path" => file } if File.file?(file) && File.mtime(file) >= @began_at - 1
      rescue StandardError, ScriptError
        nil
      end
      @witness.attachments(instance) + own.compact
    end

    def since_start
      Process.clock_gettime(Process::CLOCK_MONOTONIC) - @began
    end
  end

  # What we change in minitest, all of it from the outside.
  module Adjustments
    module_function

    def install(recorder)
      # So that autorun, whoever asks for it, runs nothing.
      Minitest.class_variable_set(:@@installed_at_exit, true)
      watch_tests(recorder)
      Minitest.seed = Integer(ENV.fetch("SHAKEDOWN_SEED", ""), exception: false) || Random.new_seed % 0xFFFF
      # One worker runs one test at a time; Rails reads this.
      ENV["PARALLEL_WORKERS"] = "1"
    end

    def watch_tests(recorder)
      Minitest::Test.prepend(
        Module.new do
          define_method(:run) do
            @shakedown_witness = recorder.witness
            recorder.instance = self
            singleton_class.prepend(Watched)
            super()
          end
        end
      )
    end
  end

  # The suite's files: finds them as minitest's and Rails' tasks do, and loads them.
  class Files
    PATTERNS = %w[*_test.rb test_*.rb *_spec.rb].freeze
    HELPERS = %w[test_helper.rb].freeze

    # The file that was loaded when a class came to be, for each class with tests.
    attr_reader :homes

    def initialize(paths)
      @paths = paths
      @homes = {}.compare_by_identity
    end

    # Absolute paths, each once.
    def all
      @all ||= @paths.flat_map { |path| expand(path) }.uniq
    end

    # Returns what went wrong, as [exception, text].
    def load
      %w[lib test spec].each { |folder| $LOAD_PATH.unshift(File.join(SUITE_ROOT, folder)) if File.directory?(folder) }
      ENV["RAILS_ENV"] ||= "test" if File.file?("config/environment.rb")
      # It holds nothing of the suite's; a plugin that focuses tests writes there.
      ARGV.clear
      all.map { |file| load_file(file) }.compact
    rescue Errno::ENOENT => e
      [[nil, "there is no file or folder #{e.message[/- (.*)/, 1]} in the suite's directory #{Dir.pwd}"]]
    end

    private

    def expand(path)
      return Dir.glob(path).sort.map { |file| File.expand_path(file) } if path.match?(/[*?\[{]/)
      raise Errno::ENOENT, path unless File.exist?(path)
      return [File.expand_path(path)] unless File.directory?(path)

      found = PATTERNS.flat_map { |pattern| Dir.glob("**/#{pattern}", base: path) }
      found.uniq.sort.reject { |file| HELPERS.include?(File.basename(file)) }
           .map { |file| File.expand_path(file, path) }
    end

    def load_file(file)
      before = Minitest::Runnable.runnables.size
      require file
      nil
    rescue SystemExit, StandardError, ScriptError => e
      [e, "#{e.class}: #{Failure.message_of(e, {})}"]
    ensure
      Minitest::Runnable.runnables.drop(before).each { |runnable| @homes[runnable] ||= file }
    end
  end

  # The tests of a loaded suite, and how to name them.
  class Catalogue
    def initialize(files)
      @files = files
      @order = files.all.each_with_index.to_h
      @anonymous = Hash.new(0)
      entries = Minitest::Runnable.runnables.flat_map { |runnable| entries_of(runnable) }
      entries = entries.each_with_index.sort_by { |(place, _), index| [*place, index] }.map { |(_, entry), _| entry }
      tell_apart(entries)
      @by_selector = entries.map { |entry| [entry.selector, entry] }.to_h
      @listing = entries.select { |entry| focused?(entry) }.map(&:listing)
    end

    attr_reader :listing

    # Also what is not focused.
    def [](selector)
      @by_selector[selector]
    end

    private

    # With their places: order of the file, line.
    def entries_of(runnable)
      methods = runnable.runnable_methods
      return [] if methods.empty?

      owner = name_of(runnable)
      defined = runnable.public_instance_methods(true).each_with_index.to_h
      methods.sort_by { |name| defined[name.to_sym] || 0 }.map do |method_name|
        path, line = place_of(runnable, method_name)
        file = Failure.relative(path)
        selector = "#{file}::#{owner}##{method_name}"
        [[@order.fetch(path, @order.size), line],
         Entry.new(Text.utf8(selector), runnable, method_name, file, line, title(runnable, owner, method_name))]
      end
    end

    # A class may be reopened in another file, and inherit from one: where a test's own method stands, or otherwise its
    # class.
    def place_of(runnable, method_name)
      method = runnable.instance_method(method_name)
      path, line = method.source_location
      path = File.expand_path(path.to_s)
      return [path, line.to_i] if method.owner == runnable && @order.key?(path)

      class_path, class_line = class_place(runnable)
      home = class_path || @files.homes[runnable]
      home ? [home, class_path ? class_line : 0] : [path, line.to_i]
    end

    def class_place(runnable)
      path, line = Object.const_source_location(runnable.name.to_s)
      path && [File.expand_path(path), line]
    rescue NameError
      nil # that of a specification is no constant
    end

    def name_of(runnable)
      name = runnable.name.to_s
      return name unless name.empty?

      home = @files.homes[runnable]
      "(anonymous #{@anonymous[home] += 1})"
    end

    # Specifications number their tests, so that a name would change with each one that is added before.
    def title(runnable, owner, method_name)
      plain = method_name.to_s.sub(/\Atest_\d{4}_/, "")
      is_spec = defined?(Minitest::Spec) && runnable <= Minitest::Spec && plain != method_name.to_s
      Text.utf8(is_spec ? "#{owner} #{plain}" : "#{owner}##{method_name}")
    end

    # Two specifications of a file may have the same name.
    def tell_apart(entries)
      entries.group_by(&:selector).each_value do |same|
        same.drop(1).each_with_index { |entry, index| entry.selector = "#{entry.selector} (#{index + 2})" }
      end
    end

    # minitest-focus asks for tests as one would on the command line.
    def focused?(entry)
      return true unless filter

      filter === entry.method_name.to_s || filter === "#{entry.runnable}##{entry.method_name}"
    end

    def filter
      return @filter if defined?(@filter)

      asked = ARGV.map { |argument| argument[/\A(?:-n|--name)=?(.+)/, 1] }.compact.last
      @filter = asked && (asked =~ %r{\A/(.*)/\z} ? Regexp.new(Regexp.last_match(1)) : asked)
    end
  end

  # Runs units: in random order by the seed, unless a class has another order.
  class UnitRunner < BaseUnitRunner
    def initialize(wire, recorder, catalogue)
      super(wire, catalogue)
      @recorder = recorder
    end

    private

    # ATTEMPTS: entry to attempt number. Returns how many of them ended.
    def run_round(attempts)
      @recorder.begin_round(attempts)
      asked = attempts.keys.group_by(&:runnable)
      asked.keys.shuffle(random: Random.new(Minitest.seed)).each { |runnable| run_class(runnable, asked[runnable]) }
      @recorder.ended_count
    end

    # What a class sets up for all of its tests, as with minitest-hooks, encloses those that were asked for.
    def run_class(runnable, entries)
      thrown = nil
      begin
        runnable.with_info_handler(@recorder) { ordered(runnable, entries).each { |entry| run_test(entry) } }
      rescue SystemExit, StandardError, ScriptError => e
        raise unless ShakedownWorker.in_worker_process?

        thrown = e
      end
      wrong = [thrown, *@recorder.take_outside].compact
      left = @recorder.unfinished.select { |entry| entry.runnable.equal?(runnable) }
      if left.any?
        why = wrong.first || RuntimeError.new("its class did not run it")
        left.each { |entry| @recorder.fail(entry, why, "setup") }
      else
        wrong.each { |exception| @wire.write("error", Failure.describe(exception)) }
      end
    end

    def ordered(runnable, entries)
      by_method = entries.map { |entry| [entry.method_name.to_s, entry] }.to_h
      srand(Minitest.seed)
      runnable.runnable_methods.map { |name| by_method[name.to_s] }.compact
    end

    def run_test(entry)
      @recorder.start(entry)
      run_method(entry.runnable, entry.method_name)
    rescue SystemExit, StandardError, ScriptError => e
      raise unless ShakedownWorker.in_worker_process?

      # In a hook round the test, for example.
      @recorder.fail(entry, e)
    end

    # A class that is to run in parallel would only hand its tests on.
    def run_method(runnable, name)
      kind = Minitest::Runnable.singleton_class
      if kind.method_defined?(:run_one_method)
        kind.instance_method(:run_one_method).bind(runnable).call(runnable, name, @recorder)
      else
        @recorder.prerecord(runnable, name)
        @recorder.record(runnable.new(name).run)
      end
    end
  end

  # From start to end.
  class Session < BaseSession
    private

    def load_framework
      require "minitest"
      Failure.dialect = Dialect
      say_hello("minitest", Minitest::VERSION)
      true
    rescue LoadError => e
      say_hello("minitest", nil)
      say_load_error([[nil, "minitest can't be loaded: #{Text.utf8(e.message)}"]])
    end

    def load_suite
      started = now
      @recorder = Recorder.new(@wire)
      Adjustments.install(@recorder)
      files = Files.new(@paths)
      errors = files.load
      return say_load_error(errors) if errors.any?

      @catalogue = Catalogue.new(files)
      say_loaded(started)
    end

    def serve
      runner = UnitRunner.new(@wire, @recorder, @catalogue)
      while (unit = next_unit)
        # The suite may have set handlers of its own.
        leave_at_once_on_signals
        runner.run(unit)
      end
      Minitest.class_variable_get(:@@after_run).reverse_each(&:call)
    end
  end
end

ShakedownWorker.main(ARGV.dup, ShakedownWorker::Session, %w[minitest rails])
