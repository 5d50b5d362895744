# frozen_string_literal: true

require "socket"

# What goes wrong does so in a test's first attempt only.
module Failing
  def first_attempt?
    ENV["SHAKEDOWN_ATTEMPT"] == "1"
  end

  def ask(service, question)
    socket = TCPSocket.new(service, 7000)
    socket.puts question
    socket.gets.to_s.chomp
  ensure
    socket&.close
  end

  def expect_well(service)
    expect(ask(service, first_attempt? ? "wrong" : "ping")).to eq "well"
  end
end

RSpec.configure { |config| config.include Failing }
