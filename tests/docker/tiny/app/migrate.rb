# frozen_string_literal: true

# What has to be done before the application can start: here, to leave a file that it reads.

$stdout.sync = true
puts "migrate: is at work"
abort "migrate: column \"price\" is missing" if ENV.fetch("TINY_FAULTS", "").split(",").include?("migrate")

File.write("/data/schema", "7")
