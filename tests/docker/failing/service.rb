# frozen_string_literal: true

# A service that answers on port 7000, until it is asked to go wrong in its own way.
#
#   ruby service.rb WAY

require "socket"

$stdout.sync = true
$stderr.sync = true
WAY = ARGV.fetch(0)

def allocate
  warn "#{WAY}: takes all the memory there is"
  "a" * (256 << 20)
end

def fill_disk
  File.open("/data/blocks", "w") { |file| loop { file.write("a" * (1 << 16)) } }
rescue SystemCallError => e
  abort "#{WAY}: could not extend file: #{e.message}"
end

def go_wrong(server)
  case WAY
  when "memory" then allocate
  when "child" then Process.wait(fork { allocate })
  when "disk" then fill_disk
  when "hang" then Process.kill(:STOP, Process.pid)
  when "deaf" then server.close
  end
end

server = TCPServer.new("0.0.0.0", 7000)
puts "#{WAY}: listens"
loop do
  sleep if server.closed?
  client = server.accept
  case client.gets.to_s.chomp
  when "ping" then client.puts "well"
  when "wrong"
    go_wrong(server)
    client.puts "not well"
  end
  client.close
rescue IOError, SystemCallError
  sleep 0.1
end
