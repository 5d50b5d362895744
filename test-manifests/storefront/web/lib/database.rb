require "sequel"

# As many connections as Puma has threads. Connecting waits until the first query.
DB = Sequel.connect(ENV.fetch("DATABASE_URL"), max_connections: 8, test: false)
