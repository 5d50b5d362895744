# The pages: frames with forms, filled by the scripts under public/js.
class Storefront
  # A visitor gets a token with the first page, and never from the API: answers that cross cannot overwrite each other.
  before do
    next if token || request.path.start_with?("/api/", "/healthz", "/__")

    set_token(SecureRandom.urlsafe_base64(24))
  end

  helpers do
    def page(view, title:, script: nil, **locals)
      @title = title
      @script = script || view
      erb view, locals:
    end

    def signed_in_page!
      redirect "/sign-in?next=#{Rack::Utils.escape(request.fullpath)}" unless customer
    end

    def admin_page!
      signed_in_page!
      customer[:admin] or raise Refused.new("This page is only for administrators.", status: 403)
    end
  end

  get("/") { page :home, title: "Welcome" }
  get("/catalogue") { page :catalogue, title: "Catalogue" }
  get("/search") { page :search, title: "Search" }
  get("/cart") { page :cart, title: "Your cart" }
  get("/sign-up") { page :sign_up, title: "Create an account", script: :account }
  get("/sign-in") { page :sign_in, title: "Sign in", script: :account }

  get "/products/:slug" do
    product = Catalogue.product(params[:slug])
    page :product, title: product[:name], slug: product[:slug]
  end

  get "/checkout" do
    signed_in_page!
    page :checkout, title: "Checkout", key: SecureRandom.uuid, guarded: !Faults.open?("double-submit")
  end

  get "/account" do
    signed_in_page!
    page :account, title: "Your account"
  end

  get "/account/orders" do
    signed_in_page!
    page :orders, title: "Your orders"
  end

  get "/account/wishes" do
    signed_in_page!
    page :wishes, title: "Your wish list"
  end

  get "/orders/:number" do
    signed_in_page!
    page :order, title: "Order #{Orders.find(params[:number], customer:)[:number]}", number: params[:number]
  end

  get "/orders/:number/invoice" do
    signed_in_page!
    order = Orders.find(params[:number], customer:)
    Queue.new.pop if Faults.open?("hang") # fault hang: waits for a printer that nobody has started
    erb :invoice, layout: false, locals: { order: }
  end

  get "/admin/products" do
    admin_page!
    page :admin_products, title: "Products", script: :admin
  end

  get "/admin/products/:id" do
    admin_page!
    page :admin_product, title: "Product", script: :admin, id: params[:id]
  end

  get "/admin/orders" do
    admin_page!
    page :admin_orders, title: "Orders", script: :admin
  end

  get "/admin/notice" do
    admin_page!
    page :admin_notice, title: "Notice", script: :admin
  end

  get "/admin/sales" do
    admin_page!
    exit!(1) if Faults.open?("crash") # fault crash: the report takes the whole process with it
    page :admin_sales, title: "Sales in the last day", script: :admin, sales: Orders.sales
  end

  not_found do
    next response.body if response.body.any? # an API's own answer

    @title = "Sorry"
    @message = "There is no such page."
    erb :sorry
  end
end
