require "bcrypt"
require "json"
require "securerandom"
require "sinatra/base"

require_relative "lib/database"
require_relative "lib/faults"
require_relative "lib/refused"
require_relative "lib/request_log"
require_relative "lib/accounts"
require_relative "lib/product_cache"
require_relative "lib/catalogue"
require_relative "lib/cart"
require_relative "lib/orders"

# The shop: pages are empty frames that scripts fill from the JSON API under /api.
class Storefront < Sinatra::Base
  use RequestLog

  set :root, __dir__
  set :static_cache_control, [:public, { max_age: 3600 }]
  set :show_exceptions, false
  set :raise_errors, false
  set :dump_errors, false # the error handler below tells what is worth telling

  COOKIE = "storefront_session".freeze

  helpers do
    def token = request.cookies[COOKIE]

    def set_token(value)
      response.set_cookie(COOKIE, value:, path: "/", httponly: true, same_site: :lax)
    end

    def customer
      return @customer if defined?(@customer)

      @customer = token && Accounts.by_token(token)
    end

    def cart = @cart ||= Cart.for(customer, token)

    def body_json
      @body_json ||= JSON.parse(request.body.read, symbolize_names: true)
    rescue JSON::ParserError
      raise Refused.new("The request is not valid JSON.", status: 400)
    end

    def json(value)
      content_type :json
      JSON.generate(value)
    end

    def need_customer!
      customer or raise Refused.new("Please sign in first.", status: 401)
    end

    # The token is for programs: importers, and the suite that prepares its data.
    def need_admin!
      return if Rack::Utils.secure_compare(request.env["HTTP_X_ADMIN_TOKEN"].to_s, ENV.fetch("ADMIN_TOKEN"))

      need_customer![:admin] or raise Refused.new("Only for administrators.", status: 403)
    end

    # Escapes text for the few pages that the server fills itself.
    def h(text) = Rack::Utils.escape_html(text.to_s)

    def pounds(cents) = format("£%.2f", cents / 100.0)
  end

  error Refused do
    refusal = env["sinatra.error"]
    status refusal.status
    next json(error: refusal.message) if request.path.start_with?("/api/")

    @title = "Sorry"
    @message = refusal.message
    erb :sorry
  end

  error do
    problem = env["sinatra.error"]
    warn problem.full_message(highlight: false)
    status 500
    request.path.start_with?("/api/") ? json(error: "Something went wrong.") : "Something went wrong."
  end

  get "/healthz" do
    DB.get(1)
    content_type :text
    "ok"
  end
end

require_relative "routes/pages"
require_relative "routes/catalogue"
require_relative "routes/account"
require_relative "routes/cart"
require_relative "routes/orders"
require_relative "routes/admin"
require_relative "routes/faults" if Faults.planted?
