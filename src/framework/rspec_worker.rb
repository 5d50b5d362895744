# frozen_string_literal: true

# The worker that shakedown starts beside an RSpec suite: it loads the suite once, stays warm, and runs the examples it
# is asked for, as often as it is asked.
#
#   ruby rspec_worker.rb PATH...        in the suite's directory: serve the protocol below
#   ruby rspec_worker.rb --tell TOKEN   print how many lines the worker with that token has said and heard
#   ruby rspec_worker.rb --kill TOKEN   kill every process that was started with SHAKEDOWN_WORKER=TOKEN, with its children
#
# Protocol version 2, one JSON object on each line. Before each object that the worker says stand a checksum (CRC-32 of
# what follows, in eight hexadecimal digits) and a number (from 1), so that nothing is lost or changed unnoticed on a bad
# connection: "3d1a9c0e 1 {...}".
#
#   standard input (at an end of file without a quit, the worker ends with exit code 75)
#     {"type":"list"}
#     {"type":"run","unit":ID,"lane":LANE,"tests":[{"selector":SELECTOR,"attempt":NUMBER},...]}
#     {"type":"quit"}
#
#   standard output
#     hello       protocol, framework, version, pid: at once
#     loaded      duration_ms
#     load_error  message, file, line: the suite can't be loaded; the worker ends with exit code 1
#     test        selector, file, line, name, tags: one for each example, in the order of their definition
#     listed      count: the end of a listing
#     started     selector
#     ended       selector, outcome (passed, failed or skipped), duration_ms, failure or null, reason or null, attachments
#                 failure: class, message, file, line, backtrace; the message of what failed in a hook begins with
#                 "in setup: " or "in teardown: "
#                 attachments: what the browser showed when the example failed, each with its kind (screenshot, page or
#                 browser) and its path in this container
#     unit_ended  unit, asked, ran, unknown (the selectors that the suite does not have)
#     error       message, class, file, line, backtrace: something failed outside of the examples
#
# Environment: SHAKEDOWN_SEED orders a suite that orders itself randomly. SHAKEDOWN_LANE is set with
# each unit, SHAKEDOWN_ATTEMPT before each example.
#
# Needs Ruby 2.7 and rspec-core 3.10 or newer, and nothing else.

module ShakedownWorker
  PROTOCOL = 2
  CUT_OFF = 75
  # With the separator at its end.
  SUITE_ROOT = File.join(Dir.pwd, "")
  PID = Process.pid

  # A suite may fork, and the child may go on as if it were the worker. It isn't.
  def self.in_worker_process?
    Process.pid == PID
  end

  # The kill mode. Nothing of Ruby's library is loaded for it: it must be quick, and work when all else is broken.
  class Killer
    ROUNDS = 50
    PAUSE_SECONDS = 0.02

    def initialize(token)
      @mark = "SHAKEDOWN_WORKER=#{token}".b
      @killed = {}
    end

    # Again until none is left, since a process can start another one while we look, and a large one takes a moment to
    # be gone. Returns how many were killed.
    def run
      ROUNDS.times do
        parents = read_parents
        victims = find_victims(parents)
        break if victims.empty? && @killed.keys.none? { |pid| parents.key?(pid) }

        victims.each { |pid| kill(pid) }
        sleep PAUSE_SECONDS
      end
      @killed.size
    end

    private

    # Children count even without the mark: Chromium's overwrite their environment with a title.
    def find_victims(parents)
      marked = parents.keys.select { |pid| marked?(pid) }
      victims = marked + parents.keys.select { |pid| descends_from_any?(marked, pid, parents) }
      victims.uniq - own_line(parents)
    end

    # Process id to parent's process id, of every process that has not ended yet.
    def read_parents
      Dir.children("/proc").grep(/\A\d+\z/).each_with_object({}) do |name, parents|
        # The program's name is in parentheses and may itself hold some.
        state, parent = File.binread("/proc/#{name}/stat").rpartition(")").last.split
        parents[name.to_i] = parent.to_i unless %w[Z X].include?(state)
      rescue SystemCallError
        next # it ended while we looked
      end
    end

    def marked?(pid)
      File.binread("/proc/#{pid}/environ").split("\0").include?(@mark)
    rescue SystemCallError
      false
    end

    def descends_from_any?(ancestors, pid, parents)
      while (pid = parents[pid])
        return true if ancestors.include?(pid)
      end
      false
    end

    def own_line(parents)
      line = [PID]
      line << parents[line.last] while parents.key?(line.last)
      line
    end

    def kill(pid)
      Process.kill(:KILL, pid)
      @killed[pid] = true
    rescue SystemCallError
      nil # it ended by itself
    end
  end

  # How much was said and heard, kept where --tell finds it: when a worker seems to hang, its connection may be at fault.
  class Account
    def self.path(token)
      "/tmp/shakedown_worker_#{token.gsub(/[^A-Za-z0-9.-]/, '_')}.account"
    end

    def initialize(token)
      @file = File.open(self.class.path(token), File::CREAT | File::RDWR, 0o644) if token
    rescue SystemCallError
      @file = nil # without it, the worker works as well
    end

    def keep(said, heard)
      @file&.pwrite(format("%012d %012d\n", said, heard), 0)
    rescue SystemCallError
      nil
    end
  end

  # The protocol's two ends, out of the suite's reach: whatever the suite prints goes to standard error, and whatever it
  # reads is empty.
  class Wire
    def initialize
      @input = STDIN.dup
      @output = STDOUT.dup
      STDIN.reopen(File::NULL)
      STDOUT.reopen(STDERR)
      $stdout.sync = $stderr.sync = @output.sync = true
      [@input, @output].each { |io| io.close_on_exec = true }
      @lock = Mutex.new
      @said = @heard = 0
      @account = Account.new(ENV["SHAKEDOWN_WORKER"])
    end

    # The next message as a Hash, or nil at the end.
    def read
      loop do
        exit!(0) unless ShakedownWorker.in_worker_process?
        line = @input.gets
        return nil unless line

        @lock.synchronize { @account.keep(@said, @heard += 1) }
        message = parse(line)
        return message if message
      end
    end

    def write(type, fields = {})
      return unless ShakedownWorker.in_worker_process?

      message = JSON.generate({ "type" => type }.merge(fields))
      @lock.synchronize do
        line = "#{@said += 1} #{message}"
        @account.keep(@said, @heard)
        @output.write(format("%08x %s\n", Zlib.crc32(line), line))
      end
    rescue Errno::EPIPE
      # Nobody hears us any more; that is no error of the example that runs.
      exit!(CUT_OFF)
    end

    private

    def parse(line)
      message = JSON.parse(line)
      return message if message.is_a?(Hash)

      write("error", Failure.plain("not a message: #{Text.utf8(line)}"))
      nil
    rescue JSON::ParserError
      write("error", Failure.plain("not JSON: #{Text.utf8(line)}"))
      nil
    end
  end

  # Text as the protocol takes it: valid UTF-8, of bounded length.
  module Text
    LIMIT_BYTES = 64 * 1024

    module_function

    def utf8(text)
      text = text.to_s
      if [Encoding::BINARY, Encoding::US_ASCII].include?(text.encoding)
        text = text.dup.force_encoding(Encoding::UTF_8)
      end
      text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace).scrub
    end

    def bounded(text)
      text = utf8(text)
      return text if text.bytesize <= LIMIT_BYTES

      "#{text.byteslice(0, LIMIT_BYTES).scrub('')}\n[cut here: #{text.bytesize - LIMIT_BYTES} more bytes]"
    end
  end

  # An exception as the protocol shows it.
  module Failure
    BACKTRACE_LINES = 50
    FRAME = /\A(.+?):(\d+)/.freeze
    # Gems that are installed inside of the project are not the project's own code.
    FOREIGN_DIRECTORIES = %w[vendor/bundle/ node_modules/ .bundle/].freeze

    module_function

    # STAGES: "setup" or "teardown" for exceptions that did not come from the test itself.
    def describe(exception, stages = {})
      frames = frames_of(exception)
      file, line = place_in(exception, frames)
      { "class" => Text.utf8(exception.class), "message" => Text.bounded(staged_message(exception, stages)),
        "file" => file, "line" => line,
        "backtrace" => frames.first(BACKTRACE_LINES).map { |frame| relative(Text.utf8(frame)) } }
    end

    # For what went wrong without an exception.
    def plain(message)
      { "class" => nil, "message" => Text.bounded(message), "file" => nil, "line" => nil, "backtrace" => [] }
    end

    def staged_message(exception, stages)
      stage = stages[exception]
      "#{"in #{stage}: " if stage}#{message_of(exception, stages)}"
    end

    def message_of(exception, stages)
      case exception
      when SystemExit then exit_message(exception)
      when RSpec::Core::MultipleExceptionError then numbered_messages(exception, stages)
      else exception.message
      end
    rescue StandardError => e
      "(its message can't be shown: #{e.class})"
    end

    def exit_message(exception)
      said = exception.message.to_s
      said = said == "exit" ? "" : ": #{said}"
      "the test called exit (status #{exception.status})#{said}"
    end

    def numbered_messages(exception, stages)
      parts = exception.all_exceptions.each_with_index.map do |inner, index|
        "#{index + 1}) #{inner.class}: #{staged_message(inner, stages)}"
      end
      "#{exception.summary}:\n\n#{parts.join("\n\n")}"
    end

    # Without RSpec's own frames, unless there are no others.
    def frames_of(exception)
      frames = inner_backtrace(exception) || exception.backtrace || []
      cleaner = RSpec.configuration.backtrace_formatter
      cleaned = frames.reject { |frame| cleaner.exclude?(frame) }
      cleaned.empty? ? frames : cleaned
    end

    # Where RSpec makes one exception out of several, that one was raised elsewhere or not at all.
    def inner_backtrace(exception)
      exception.all_exceptions.map(&:backtrace).compact.first if exception.respond_to?(:all_exceptions)
    end

    # File and line of the first frame in the project's own code. A syntax error has its place in the message only.
    def place_in(exception, frames)
      frames = exception.message.lines + frames if exception.is_a?(SyntaxError)
      frames.each do |frame|
        path, line = Text.utf8(frame).match(FRAME)&.captures
        return [relative(path), line.to_i] if path && own?(path)
      end
      [nil, nil]
    end

    def own?(path)
      path = File.expand_path(path, SUITE_ROOT)
      path.start_with?(SUITE_ROOT) && path != __FILE__ && !relative(path).start_with?(*FOREIGN_DIRECTORIES)
    end

    # Also of a whole frame.
    def relative(path)
      path.delete_prefix(SUITE_ROOT).delete_prefix("./")
    end
  end

  # Keeps what the browser showed when an example failed, where the suite uses Capybara: for each session that was
  # used a picture, the page and, as text, the address, the title and the console. Whatever goes wrong here is not the
  # example's fault and is passed over.
  class Witness
    FOLDER = "/tmp/shakedown_evidence"
    # All sessions of one example have so long together. A browser that hangs is why many an example fails.
    LIMIT_SECONDS = 6
    LIMIT_BYTES = 8 * 1024 * 1024

    def initialize
      @kept = {}
      @count = 0
    end

    # Right after the example's own code failed, before any hook resets the sessions.
    def look(example)
      sessions = used_sessions
      return if sessions.empty?

      require "timeout"
      @count += 1
      folder = File.join(FOLDER, "#{PID}-#{@count}")
      [FOLDER, folder].each { |path| Dir.mkdir(path) unless Dir.exist?(path) }
      kept = @kept[example] = []
      Timeout.timeout(LIMIT_SECONDS) do
        sessions.each_with_index { |(name, session), index| keep(kept, folder, session, name, index) }
      end
    rescue StandardError, ScriptError
      nil
    end

    # What was kept of the example, once.
    def attachments(example)
      @kept.delete(example) || []
    end

    private

    # Name to session. A session that no example has used since it was reset shows nothing.
    def used_sessions
      return {} unless defined?(::Capybara) && ::Capybara.respond_to?(:session_pool, true)

      pool = ::Capybara.send(:session_pool)
      pool.select { |_, session| session.instance_variable_get(:@touched) }
    end

    def keep(kept, folder, session, name, index)
      base = File.join(folder, index.zero? ? "page" : "page-#{index + 1}")
      picture(kept, "#{base}.png") { session.driver.save_screenshot("#{base}.png") }
      text(kept, "page", "#{base}.html") { session.driver.html }
      text(kept, "browser", "#{base}.txt") { describe(session, name) }
    end

    def picture(kept, path)
      yield
      kept << { "kind" => "screenshot", "path" => path } if File.size?(path)
    rescue StandardError, ScriptError
      nil # not every driver can
    end

    def text(kept, kind, path)
      File.write(path, Text.utf8(yield).byteslice(0, LIMIT_BYTES).scrub(""))
      kept << { "kind" => kind, "path" => path }
    rescue StandardError, ScriptError
      nil
    end

    def describe(session, name)
      lines = ["session: #{name}", "address: #{try { session.driver.current_url }}",
               "title: #{try { session.driver.title }}"]
      console = try { console_of(session.driver.browser) }
      lines << "console:" << console if console
      "#{lines.flatten.map { |line| Text.utf8(line) }.join("\n")}\n"
    end

    def console_of(browser)
      logs = browser.respond_to?(:logs) ? browser.logs : browser.manage.logs
      logs.get(:browser).map { |entry| "  #{entry.level} #{entry.message}" }
    end

    def try
      yield
    rescue StandardError, ScriptError
      nil
    end
  end

  # Turns what RSpec reports into the protocol's events.
  class Recorder
    NOTIFICATIONS = %i[message example_started example_passed example_failed example_pending].freeze

    # Errors outside of examples while the suite was loading, as [exception or nil, RSpec's text].
    attr_reader :load_errors
    attr_reader :last_outside_exception, :witness

    def initialize(wire)
      @wire = wire
      @witness = Witness.new
      @load_errors = []
      @loading = true
      @attempts = {}
      @unfinished = {}
    end

    def loaded
      @loading = false
    end

    # From here on reports concern these examples. ATTEMPTS: example to attempt number.
    def begin_round(attempts)
      @attempts = attempts
      @unfinished = attempts.transform_values { true }
      # For hooks that run before the first example does.
      announce_attempt(attempts.values.min)
    end

    def ended_count
      @attempts.size - @unfinished.size
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

    def announce_attempt(number)
      ENV["SHAKEDOWN_ATTEMPT"] = number.to_s if number
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

  # Runs units: any of the suite's examples, in the order that the suite configures, as often as asked.
  class UnitRunner
    def initialize(wire, recorder, catalogue)
      @wire = wire
      @recorder = recorder
      @catalogue = catalogue
      @world = RSpec.world
      @reporter = RSpec.configuration.reporter
      @pristine = {}
    end

    # Set once a before(:suite) hook has failed: then every example fails with it.
    attr_writer :suite_failure

    def run(message)
      tests = message.fetch("tests").map { |test| [test.fetch("selector"), test.fetch("attempt", 1)] }
      ENV["SHAKEDOWN_LANE"] = message["lane"] if message["lane"]
      known, unknown = tests.partition { |selector, _| @catalogue[selector] }
      ran = rounds(known).map { |attempts| run_round(attempts) }.sum
      @wire.write("unit_ended", "unit" => message["unit"], "asked" => tests.size, "ran" => ran,
                                "unknown" => unknown.map(&:first))
    end

    private

    # RSpec runs an example once in a pass, so one that is asked for again goes into another.
    def rounds(tests)
      tests.each_with_object([]) do |(selector, attempt), rounds|
        example = @catalogue[selector]
        round = rounds.find { |attempts| !attempts.key?(example) }
        rounds << (round = {}) unless round
        round[example] = attempt
      end
    end

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
  class Session
    def initialize(wire, paths)
      @wire = wire
      @paths = paths
    end

    # Returns the exit code.
    def run
      leave_at_once_on_signals
      return 1 unless load_framework && load_suite

      serve
      @told_to_quit ? 0 : CUT_OFF
    end

    private

    # RSpec's own handler would finish the example first, and Ruby's would run the suite's at_exit blocks.
    def leave_at_once_on_signals
      { "INT" => 130, "TERM" => 143 }.each { |signal, code| trap(signal) { exit!(code) } }
    end

    def load_framework
      require "rspec/core"
      say_hello(RSpec::Core::Version::STRING)
      true
    rescue LoadError => e
      say_hello(nil)
      @wire.write("load_error", "message" => "RSpec can't be loaded: #{Text.utf8(e.message)}", "file" => nil,
                                "line" => nil)
      false
    end

    def say_hello(version)
      @wire.write("hello", "protocol" => PROTOCOL, "framework" => "rspec", "version" => version, "pid" => PID)
    end

    def load_suite
      started = now
      @recorder = Recorder.new(@wire)
      Adjustments.install(@recorder)
      read_spec_files
      return report_load_errors if suite_is_broken?

      @recorder.loaded
      @catalogue = Catalogue.new(RSpec.world)
      @wire.write("loaded", "duration_ms" => ((now - started) * 1000).round)
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
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
      exception = errors.map(&:first).compact.first
      place = exception ? Failure.describe(exception) : {}
      @wire.write("load_error", "message" => Text.bounded(errors.map(&:last).join("\n\n")),
                                "file" => place["file"], "line" => place["line"])
      false
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

    # Answers listings on the way. Returns nil at the end.
    def next_unit
      while (message = @wire.read)
        case message["type"]
        when "list" then list
        when "run" then return message
        when "quit"
          @told_to_quit = true
          return nil
        else @wire.write("error", Failure.plain("unknown type of message: #{message['type'].inspect}"))
        end
      end
    end

    def list
      @catalogue.listing.each { |entry| @wire.write("test", entry) }
      @wire.write("listed", "count" => @catalogue.listing.size)
    end
  end

  # A suite that is locked with Bundler gets the gems it is locked to. That has to come before the first require, as a
  # library loaded in another version can't be exchanged any more.
  def self.set_up_bundler
    lock = ENV["BUNDLE_GEMFILE"] ? "#{ENV['BUNDLE_GEMFILE']}.lock" : "Gemfile.lock"
    return unless File.file?(lock) && File.read(lock).match?(/^ +rspec-core \(/)

    require "bundler"
    Bundler.setup
  rescue LoadError, StandardError => e
    warn "shakedown: going on without Bundler, which can't provide what #{lock} asks for: #{e.message}"
  end

  def self.main(arguments)
    if arguments.first == "--kill"
      token = arguments[1].to_s
      abort "usage: rspec_worker.rb --kill TOKEN" if token.empty?
      return puts(%({"killed":#{Killer.new(token).run}}))
    end
    return tell(arguments[1].to_s) if arguments.first == "--tell"

    work(arguments)
  end

  def self.tell(token)
    print File.read(Account.path(token))
  rescue SystemCallError
    nil # it keeps none
  end

  def self.work(paths)
    wire = Wire.new
    set_up_bundler
    require "json"
    require "zlib"
    exit Session.new(wire, paths).run
  rescue SystemExit
    raise
  rescue Exception => e # rubocop:disable Lint/RescueException -- nothing may end the worker without a word
    wire&.write("error", Failure.describe(e))
    raise
  end
end

ShakedownWorker.main(ARGV)
