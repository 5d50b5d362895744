# One process, so that what is kept in memory (the product cache) is kept once.
environment "production"
port 8000
threads 8, 8
workers 0
quiet
log_requests false # the application writes its own line for each request
force_shutdown_after 2
