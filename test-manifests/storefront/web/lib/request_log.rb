require "time"

# One line for each request. Health checks are left out: they would drown the rest.
class RequestLog
  def initialize(app)
    @app = app
  end

  def call(env)
    started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    status, headers, body = @app.call(env)
    log(env, status, started) unless env["PATH_INFO"] == "/healthz"
    [status, headers, body]
  end

  private

  def log(env, status, started)
    milliseconds = (Process.clock_gettime(Process::CLOCK_MONOTONIC) - started) * 1000
    path = env["PATH_INFO"]
    path += "?#{env['QUERY_STRING']}" unless env["QUERY_STRING"].to_s.empty?
    $stdout.write(format("%s %s %s %d %.1f ms\n", Time.now.utc.iso8601(3), env["REQUEST_METHOD"], path, status, milliseconds))
  end
end
