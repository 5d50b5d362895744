# frozen_string_literal: true

require "net/http"

# Talking to the application, and the faults that tests of shakedown plant in this suite.
module Tiny
  def visit(path)
    ask(Net::HTTP::Get.new(path))
  end

  def put(path, text)
    ask(Net::HTTP::Put.new(path), text)
  end

  def post(path)
    ask(Net::HTTP::Post.new(path), "")
  end

  # As planted: "hang" strikes a test's first attempt only, "hang=always" every one.
  def fault?(name)
    faults = ENV.fetch("TINY_FAULTS", "").split(",")
    faults.include?("#{name}=always") || (faults.include?(name) && first_attempt?)
  end

  private

  def first_attempt?
    ENV["SHAKEDOWN_ATTEMPT"] == "1"
  end

  def ask(request, body = nil)
    request.body = body
    # Longer than any limit that shakedown is given, so that it is shakedown that notices.
    Net::HTTP.start("web", 8000, open_timeout: 5, read_timeout: 300, max_retries: 0) { |http| http.request(request).body }
  end
end

RSpec.configure do |config|
  config.include Tiny
  # Makes a run long enough to be stopped in its midst.
  config.before { visit("/pause") if fault?("slow") }
end
