# frozen_string_literal: true

# What the workers of Ruby frameworks have in common. The file of one framework stands behind this one when it is written
# into a runner, so that each worker is a single file:
#
#   ruby WORKER PATH...        in the suite's directory: serve the protocol below
#   ruby WORKER --tell TOKEN   print how many lines the worker with that token has said and heard
#   ruby WORKER --kill TOKEN   kill every process that was started with SHAKEDOWN_WORKER=TOKEN, with its children
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
#     test        selector, file, line, name, tags: one for each test, in the order of their definition
#     listed      count: the end of a listing
#     started     selector
#     ended       selector, outcome (passed, failed or skipped), duration_ms, failure or null, reason or null, attachments
#                 failure: class, message, file, line, backtrace; the message of what failed in a hook begins with
#                 "in setup: " or "in teardown: "
#                 attachments: what the browser showed when the test failed, each with its kind (screenshot, page or
#                 browser) and its path in this container
#     unit_ended  unit, asked, ran, unknown (the selectors that the suite does not have)
#     error       message, class, file, line, backtrace: something failed outside of the tests
#
# Environment: SHAKEDOWN_LANE is set with each unit, SHAKEDOWN_ATTEMPT before each test. SHAKEDOWN_SEED orders what the
# suite itself orders randomly.
#
# Needs Ruby 2.7 or newer, and nothing else than the framework.

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
      # Nobody hears us any more; that is no error of the test that runs.
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

    # How a framework's exceptions are to be read; before one is loaded, as they are.
    module Plain
      # The frames that are not the framework's own.
      def self.clean(frames)
        frames
      end

      # The exceptions that are wrapped in one that has a summary, or nil.
      def self.parts_of(_exception)
        nil
      end
    end

    @dialect = Plain
    singleton_class.attr_accessor :dialect

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

    # For a test with several, none of which stands for all.
    def describe_several(exceptions, stages = {})
      first = describe(exceptions.first, stages)
      return first if exceptions.size == 1

      message = "#{exceptions.size} errors:\n\n#{numbered(exceptions, stages)}"
      first.merge("message" => Text.bounded(message))
    end

    def staged_message(exception, stages)
      stage = stages[exception]
      "#{"in #{stage}: " if stage}#{message_of(exception, stages)}"
    end

    def message_of(exception, stages)
      return exit_message(exception) if exception.is_a?(SystemExit)

      parts = dialect.parts_of(exception)
      parts ? "#{exception.summary}:\n\n#{numbered(parts, stages)}" : exception.message
    rescue StandardError => e
      "(its message can't be shown: #{e.class})"
    end

    def exit_message(exception)
      said = exception.message.to_s
      said = said == "exit" ? "" : ": #{said}"
      "the test called exit (status #{exception.status})#{said}"
    end

    def numbered(exceptions, stages)
      parts = exceptions.each_with_index.map do |exception, index|
        "#{index + 1}) #{exception.class}: #{staged_message(exception, stages)}"
      end
      parts.join("\n\n")
    end

    # Without the framework's own frames, unless there are no others.
    def frames_of(exception)
      frames = inner_backtrace(exception) || exception.backtrace || []
      cleaned = dialect.clean(frames)
      cleaned.empty? ? frames : cleaned
    end

    # Where the framework makes one exception out of several, that one was raised elsewhere or not at all.
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

  # Keeps what the browser showed when a test failed, where the suite uses Capybara: for each session that was
  # used a picture, the page and, as text, the address, the title and the console. Whatever goes wrong here is not the
  # test's fault and is passed over.
  class Witness
    FOLDER = "/tmp/shakedown_evidence"
    # All sessions of one test have so long together. A browser that hangs is why many a test fails.
    LIMIT_SECONDS = 6
    LIMIT_BYTES = 8 * 1024 * 1024

    def initialize
      @kept = {}
      @count = 0
    end

    # Right after the test's own code failed, before any hook resets the sessions.
    def look(test)
      sessions = used_sessions
      return if sessions.empty?

      require "timeout"
      @count += 1
      folder = File.join(FOLDER, "#{PID}-#{@count}")
      [FOLDER, folder].each { |path| Dir.mkdir(path) unless Dir.exist?(path) }
      kept = @kept[test] = []
      Timeout.timeout(LIMIT_SECONDS) do
        sessions.each_with_index { |(name, session), index| keep(kept, folder, session, name, index) }
      end
    rescue StandardError, ScriptError
      nil
    end

    # What was kept of the test, once.
    def attachments(test)
      @kept.delete(test) || []
    end

    private

    # Name to session. A session that no test has used since it was reset shows nothing.
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

  # What is told of a round of tests: which attempts it is made of, and which of them have not ended yet.
  class BaseRecorder
    attr_reader :witness

    def initialize(wire)
      @wire = wire
      @witness = Witness.new
      @attempts = {}
      @unfinished = {}
    end

    # From here on reports concern these tests. ATTEMPTS: test to attempt number.
    def begin_round(attempts)
      @attempts = attempts
      @unfinished = attempts.transform_values { true }
      # For hooks that run before the first test does.
      announce_attempt(attempts.values.min)
    end

    def ended_count
      @attempts.size - @unfinished.size
    end

    private

    def announce_attempt(number)
      ENV["SHAKEDOWN_ATTEMPT"] = number.to_s if number
    end
  end

  # Runs units: any of the suite's tests, as often as asked. A framework's own says run_round.
  class BaseUnitRunner
    def initialize(wire, catalogue)
      @wire = wire
      @catalogue = catalogue
    end

    def run(message)
      tests = message.fetch("tests").map { |test| [test.fetch("selector"), test.fetch("attempt", 1)] }
      ENV["SHAKEDOWN_LANE"] = message["lane"] if message["lane"]
      known, unknown = tests.partition { |selector, _| @catalogue[selector] }
      ran = rounds(known).map { |attempts| run_round(attempts) }.sum
      @wire.write("unit_ended", "unit" => message["unit"], "asked" => tests.size, "ran" => ran,
                                "unknown" => unknown.map(&:first))
    end

    private

    # A test runs once in a pass, so one that is asked for again goes into another. Test to attempt number each.
    def rounds(tests)
      tests.each_with_object([]) do |(selector, attempt), rounds|
        test = @catalogue[selector]
        round = rounds.find { |attempts| !attempts.key?(test) }
        rounds << (round = {}) unless round
        round[test] = attempt
      end
    end
  end

  # From start to end: what a framework's own session inherits. That one says load_framework, load_suite (both whether
  # they succeeded) and serve.
  class BaseSession
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

    # The framework's own handler would finish the test first, and Ruby's would run the suite's at_exit blocks.
    def leave_at_once_on_signals
      { "INT" => 130, "TERM" => 143 }.each { |signal, code| trap(signal) { exit!(code) } }
    end

    def say_hello(framework, version)
      @wire.write("hello", "protocol" => PROTOCOL, "framework" => framework, "version" => version, "pid" => PID)
    end

    def say_loaded(started)
      @wire.write("loaded", "duration_ms" => ((now - started) * 1000).round)
      true
    end

    # ERRORS: [exception or nil, text]. Returns false.
    def say_load_error(errors)
      exception = errors.map(&:first).compact.first
      place = exception ? Failure.describe(exception) : {}
      @wire.write("load_error", "message" => Text.bounded(errors.map(&:last).join("\n\n")),
                                "file" => place["file"], "line" => place["line"])
      false
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
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
  # library loaded in another version can't be exchanged any more. GEMS: one of these must be locked.
  def self.set_up_bundler(gems)
    lock = ENV["BUNDLE_GEMFILE"] ? "#{ENV['BUNDLE_GEMFILE']}.lock" : "Gemfile.lock"
    return unless File.file?(lock) && File.read(lock).match?(/^ +(#{gems.join('|')}) \(/)

    require "bundler"
    Bundler.setup
  rescue LoadError, StandardError => e
    warn "shakedown: going on without Bundler, which can't provide what #{lock} asks for: #{e.message}"
  end

  # SESSION: the framework's own; GEMS: its names for Bundler.
  def self.main(arguments, session, gems)
    if arguments.first == "--kill"
      token = arguments[1].to_s
      abort "usage: ruby #{$PROGRAM_NAME} --kill TOKEN" if token.empty?
      return puts(%({"killed":#{Killer.new(token).run}}))
    end
    return tell(arguments[1].to_s) if arguments.first == "--tell"

    work(arguments, session, gems)
  end

  def self.tell(token)
    print File.read(Account.path(token))
  rescue SystemCallError
    nil # it keeps none
  end

  def self.work(paths, session, gems)
    wire = Wire.new
    set_up_bundler(gems)
    require "json"
    require "zlib"
    exit session.new(wire, paths).run
  rescue SystemExit
    raise
  rescue Exception => e # rubocop:disable Lint/RescueException -- nothing may end the worker without a word
    wire&.write("error", Failure.describe(e))
    raise
  end
end
