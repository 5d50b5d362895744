# frozen_string_literal: true

require_relative "support"

class KillCheck < WorkerTest
  def test_a_worker_keeps_account_of_what_it_has_said_and_heard
    worker = loaded("RSpec.describe('A') { it('x') { } }", environment: { "SHAKEDOWN_WORKER" => "run/1.1/1" })
    worker.send_message(type: "list")
    said = 2 + worker.events_until("listed").size
    out, status = Open3.capture2("ruby", Worker::PROGRAM, "--tell", "run/1.1/1")
    assert_equal [said, 1], out.split.map(&:to_i)
    assert status.success?
    assert_equal "", Open3.capture2("ruby", Worker::PROGRAM, "--tell", "nobody").first
  end

  def kill(token)
    out, status = Open3.capture2({ "SHAKEDOWN_WORKER" => token }, "ruby", Worker::PROGRAM, "--kill", token)
    assert status.success?
    JSON.parse(out)["killed"]
  end

  # A process that says when it runs, and then waits for ever. Ends with the block.
  def process(environment, script = "echo ready; exec sleep infinity")
    Open3.popen2(environment, "sh", "-c", script) do |_stdin, stdout, thread|
      assert stdout.wait_readable(Worker::DEADLINE_SECONDS)
      assert_equal "ready\n", stdout.gets
      yield thread
    ensure
      Process.kill(:KILL, thread.pid) if thread.alive?
    end
  end

  def assert_killed(thread)
    assert thread.join(Worker::DEADLINE_SECONDS), "still alive"
    assert_equal 9, thread.value.termsig
  end

  def test_kills_what_carries_the_token_and_nothing_else
    process({ "SHAKEDOWN_WORKER" => "t1" }) do |mine|
      process({ "SHAKEDOWN_WORKER" => "t12" }) do |other|
        assert_equal 1, kill("t1")
        assert_killed(mine)
        assert other.alive?
      end
    end
  end

  def test_kills_children_that_hide_the_token
    process({ "SHAKEDOWN_WORKER" => "t2" }, "env -i setsid sleep infinity & echo ready; wait") do |parent|
      # The shell has forked by now, but the child may not have dropped the token yet: it counts either way.
      assert_equal 2, kill("t2")
      assert_killed(parent)
    end
  end

  def test_kills_orphans_that_carry_the_token
    process({ "SHAKEDOWN_WORKER" => "t3" }, "setsid sh -c 'setsid sleep infinity &' ; echo ready; exec sleep infinity") do |_parent|
      assert_equal 2, kill("t3")
      assert_equal 0, kill("t3")
    end
  end

  def test_kills_a_worker_in_the_midst_of_an_example
    write("spec/a_spec.rb" => "RSpec.describe('A') { it('x') { system('sleep infinity') } }")
    worker = start_loaded(environment: { "SHAKEDOWN_WORKER" => "t4" })
    worker.send_message(type: "run", unit: "u", tests: [{ selector: "./spec/a_spec.rb[1:1]", attempt: 1 }])
    worker.events_until("started")
    assert_operator kill("t4"), :>=, 1
    assert_equal 9, worker.exit_status.termsig
    assert_equal 0, kill("t4")
  end

  def test_nothing_to_kill
    assert_equal 0, kill("nobody")
  end

  def test_without_a_token_it_refuses
    _out, status = Open3.capture2("ruby", Worker::PROGRAM, "--kill", "", err: File::NULL)
    refute status.success?
  end
end
