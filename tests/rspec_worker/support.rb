# frozen_string_literal: true

require "fileutils"
require "io/wait"
require "json"
require "minitest/autorun"
require "open3"
require "tmpdir"
require "zlib"

# A running worker, spoken to as the tool does. Every wait has a deadline.
class Worker
  PROGRAM = File.expand_path(ENV.fetch("WORKER", "rspec_worker.rb"), __dir__)
  DEADLINE_SECONDS = 30

  attr_reader :pid

  def initialize(directory, paths, environment)
    @stderr = File.open(File.join(directory, "stderr.log"), "w+")
    @stdin, @stdout, @thread = Open3.popen2(environment, "ruby", PROGRAM, *paths, chdir: directory, err: @stderr)
    @pid = @thread.pid
    @buffer = +""
    @lines = 0
  end

  def send_line(line)
    @stdin.puts(line)
    @stdin.flush
  end

  def send_message(message)
    send_line(JSON.generate(message))
  end

  def close_stdin
    @stdin.close
  end

  # The next event, or nil at the end of the output.
  def event
    line = read_line
    line && JSON.parse(checked(line))
  end

  # All events up to one of this type, which must come.
  def events_until(type)
    events = []
    loop do
      event = self.event
      raise "the worker ended before #{type}; events: #{events}; stderr: #{stderr}" unless event

      events << event
      return events if event["type"] == type
    end
  end

  def events_to_the_end
    events = []
    while (event = self.event)
      events << event
    end
    events
  end

  def stderr
    File.read(@stderr.path)
  end

  def exit_status
    raise "the worker does not end; stderr: #{stderr}" unless @thread.join(DEADLINE_SECONDS)

    @thread.value
  end

  def kill
    Process.kill(:KILL, @pid) if @thread.alive?
    [@stdin, @stdout, @stderr].each { |io| io.close unless io.closed? }
    @thread.join
  end

  private

  # Every line has its checksum and the next number.
  def checked(line)
    checksum, body = line.chomp.split(" ", 2)
    raise "the checksum is wrong: #{line}" unless checksum == format("%08x", Zlib.crc32(body))

    number, message = body.split(" ", 2)
    raise "not line #{@lines + 1}: #{line}" unless number == (@lines += 1).to_s

    message
  end

  def read_line
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + DEADLINE_SECONDS
    until @buffer.include?("\n")
      left = deadline - Process.clock_gettime(Process::CLOCK_MONOTONIC)
      raise "nothing within #{DEADLINE_SECONDS} s; stderr: #{stderr}" unless left.positive? && @stdout.wait_readable(left)

      chunk = @stdout.read_nonblock(65_536, exception: false)
      return (@buffer.empty? ? nil : raise("half a line: #{@buffer}")) if chunk.nil?

      @buffer << chunk unless chunk == :wait_readable
    end
    @buffer.slice!(0..@buffer.index("\n")).force_encoding(Encoding::UTF_8)
  end
end

# Suites made up for one check each.
class WorkerTest < Minitest::Test
  def setup
    @directory = File.realpath(Dir.mktmpdir("suite"))
    @workers = []
  end

  def teardown
    @workers.each(&:kill)
    FileUtils.rm_rf(@directory)
  end

  # FILES: path to content.
  def write(files)
    files.each do |path, content|
      path = File.join(@directory, path)
      FileUtils.mkdir_p(File.dirname(path))
      File.write(path, content)
    end
  end

  def read(path)
    File.read(File.join(@directory, path))
  end

  def start(*paths, environment: {})
    paths = ["spec"] if paths.empty?
    worker = Worker.new(@directory, paths, environment)
    @workers << worker
    worker
  end

  # A worker that has loaded the suite of one file, spec/a_spec.rb.
  def loaded(content, **options)
    write("spec/a_spec.rb" => content)
    start_loaded(**options)
  end

  def start_loaded(*paths, **options)
    worker = start(*paths, **options)
    worker.events_until("loaded")
    worker
  end

  def list(worker)
    worker.send_message(type: "list")
    worker.events_until("listed").select { |event| event["type"] == "test" }
  end

  def selectors(worker)
    list(worker).map { |test| test["selector"] }
  end

  # All events of a unit. TESTS: selectors, or [selector, attempt].
  def run_unit(worker, *tests)
    tests = tests.map { |selector, attempt| { selector: selector, attempt: attempt || 1 } }
    worker.send_message(type: "run", unit: "u1", tests: tests)
    worker.events_until("unit_ended")
  end

  def of_type(events, type)
    events.select { |event| event["type"] == type }
  end

  def ended(events)
    of_type(events, "ended")
  end

  # Outcomes in the order in which the examples ended.
  def outcomes(events)
    ended(events).map { |event| event["outcome"] }
  end

  # The one event of an example that was run alone.
  def run_one(worker, selector, attempt = 1)
    events = ended(run_unit(worker, [selector, attempt]))
    assert_equal 1, events.size
    events.first
  end

  # What the command rspec itself would run.
  def ids_according_to_rspec(*paths)
    out, _status = Open3.capture2("rspec", "--dry-run", "--format", "json", *paths, chdir: @directory)
    JSON.parse(out[out.index("{")..]).fetch("examples").map { |example| example["id"] }
  end
end
