# One process, so that what is kept in memory (the product cache) is kept once.
environment "production"
port 8000
threads 8, 8
workers 0
quiet
log_requests false # the application writes its own line for each request
force_shutdown_after 2
raise_exception_on_sigterm false # as process 1 it would end with code 1, which looks like a crash
