$stdout.sync = true
require_relative "app"
run Storefront
