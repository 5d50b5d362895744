# Product pages are read far more often than products change, so they are kept in memory for a while.
module ProductCache
  LIFETIME = 300 # seconds
  Entry = Struct.new(:value, :fresh_until)

  @entries = {}
  @changes = 0
  @lock = Mutex.new

  def self.fetch(slug)
    entry, changes = @lock.synchronize { [@entries[slug], @changes] }
    return entry.value if entry && entry.fresh_until > now

    value = yield
    # What was read before somebody's change must not be kept after it.
    @lock.synchronize { @entries[slug] = Entry.new(value, now + LIFETIME) if value && changes == @changes }
    value
  end

  def self.forget(slug)
    @lock.synchronize do
      @changes += 1
      @entries.delete(slug)
    end
  end

  def self.now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  private_class_method :now
end
