# Planted faults, see README.md. An example that can hit one says so: `it "…", fault: "lost-update"`. When
# STOREFRONT_FAULTS lists that fault, its window is opened before the example and closed after it.
#
#   STOREFRONT_FAULTS="lost-update,hang=first,short-wait=0.3"
#
# Modes: always; first (only on the first attempt, which SHAKEDOWN_ATTEMPT tells); or a probability.
module Faults
  DEFAULT_MODES = {
    "short-wait" => "first", "double-submit" => "first", "lost-update" => "first", "stale-cache" => "first",
    "leftover" => "always", "bug" => "always", "hang" => "always", "crash" => "first"
  }.freeze

  PLANTED = ENV.fetch("STOREFRONT_FAULTS", "").split(",").map(&:strip).reject(&:empty?).to_h do |entry|
    name, mode = entry.split("=", 2)
    unless DEFAULT_MODES.key?(name)
      raise ArgumentError, "Unknown fault #{name.inspect}, known are: #{DEFAULT_MODES.keys.join(', ')}"
    end
    mode ||= DEFAULT_MODES[name]
    unless %w[always first].include?(mode) || mode.match?(/\A(0(\.\d+)?|1(\.0+)?)\z/)
      raise ArgumentError, "Unknown mode #{mode.inspect} of fault #{name}: always, first, or a probability such as 0.3"
    end
    [name, mode]
  end.freeze

  @open = []

  def self.open?(name) = @open.include?(name)

  def self.open_for(names)
    @open = names.select { |name| strikes?(PLANTED[name]) }
    Api.new.post("/__faults", open: @open)
  end

  def self.close
    @open = []
    Api.new.post("/__faults", open: [])
  rescue SystemCallError, SocketError, EOFError, Timeout::Error
    # Nobody is there to tell: that is what the fault crash does.
  end

  def self.strikes?(mode)
    case mode
    when nil then false
    when "always" then true
    when "first" then ENV.fetch("SHAKEDOWN_ATTEMPT", "1") == "1"
    else Random.rand < Float(mode)
    end
  end
end

RSpec.configure do |config|
  config.around(:each, :fault) do |example|
    planted = Array(example.metadata[:fault]) & Faults::PLANTED.keys
    next example.run if planted.empty?

    Faults.open_for(planted)
    begin
      example.run
    ensure
      Faults.close
    end
  end
end
