# Defects planted on purpose, see README.md. STOREFRONT_FAULTS lists those that this shop has; the suite opens and
# closes their windows through /__faults. In an honest shop nothing is listed and no window can open.
module Faults
  PLANTED = ENV.fetch("STOREFRONT_FAULTS", "").split(",").map { |entry| entry.split("=").first.to_s.strip }.reject(&:empty?).freeze

  @open = [].freeze

  def self.planted? = PLANTED.any?

  def self.open=(names)
    @open = (names & PLANTED).freeze
  end

  def self.open?(name) = @open.include?(name)

  # Widens a race that is really there, so that it shows nearly every time.
  def self.window(name, seconds)
    sleep(seconds) if open?(name)
  end
end
