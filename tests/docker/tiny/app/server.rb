# frozen_string_literal: true

# The application: named values that can be read, written and counted up, and addresses at which things go wrong.

require "socket"

FAULTS = ENV.fetch("TINY_FAULTS", "").split(",")
SCHEMA = File.read("/data/schema")
VALUES = Hash.new("0")

$stdout.sync = true
$stderr.sync = true
puts "web: listens on port 8000"

def health
  return "200 OK", "well" unless FAULTS.include?("sick")

  warn "web: the licence has expired"
  ["503 Service Unavailable", "not well"]
end

def answer(verb, path, body)
  _, kind, name = path.split("/", 3)
  case [verb, kind]
  when %w[GET healthz] then health
  when %w[GET schema] then ["200 OK", SCHEMA]
  when %w[GET value] then ["200 OK", VALUES[name]]
  when %w[PUT value] then ["200 OK", VALUES[name] = body]
  when %w[POST up] then ["200 OK", VALUES[name] = VALUES[name].next]
  when %w[GET pause] then sleep(0.3) && ["200 OK", "rested"]
  when %w[GET hang] then sleep
  when %w[GET crash] then warn("web: can't go on") || exit!(7)
  else ["404 Not Found", "nothing at #{path}"]
  end
end

def serve(client)
  verb, path = client.gets.to_s.split
  length = 0
  while (line = client.gets) && line != "\r\n"
    length = line.split.last.to_i if line.downcase.start_with?("content-length:")
  end
  status, text = answer(verb, path.to_s, client.read(length))
  client.write("HTTP/1.0 #{status}\r\nContent-Length: #{text.bytesize}\r\n\r\n#{text}")
rescue SystemCallError
  # The visitor went away.
ensure
  client.close
end

server = TCPServer.new("0.0.0.0", 8000)
loop { Thread.new(server.accept) { |client| serve(client) } }
