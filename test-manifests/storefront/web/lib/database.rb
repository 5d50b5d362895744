require "sequel"

# As many connections as Puma has threads. Connecting waits until the first query.
DB = Sequel.connect(ENV.fetch("DATABASE_URL"), max_connections: 8, test: false)

# A database that is restarted, or restored under the application's feet, cuts its connections: each is looked at before
# it is used, and replaced where it is dead.
DB.extension(:connection_validator)
DB.pool.connection_validation_timeout = -1
