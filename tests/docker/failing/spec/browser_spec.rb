# frozen_string_literal: true

require_relative "service_helper"

RSpec.describe "Browser" do
  it "takes all the memory there is" do
    # Killed by the kernel, it would be a test that fails for no reason that anybody could see in it.
    size = first_attempt? ? 512 : 1
    expect(system("ruby", "-e", "$stderr.puts 'browser: starts'; 'a' * (#{size} << 20)")).to be true
  end
end
