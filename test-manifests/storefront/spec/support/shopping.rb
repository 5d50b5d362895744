require "securerandom"

# Words for what examples do. Everything that is made here has a name of its own, so examples share a shop in peace.
module Shopping
  Customer = Struct.new(:name, :email, :password, keyword_init: true)

  CARD = "4242 4242 4242 4242".freeze
  DECLINED_CARD = "4000 0000 0000 0002".freeze
  ADMIN = Customer.new(name: "Ada Admin", email: "admin@storefront.test", password: "harbour-light").freeze

  def unique(word) = "#{word} #{SecureRandom.alphanumeric(8)}"

  # --- data, through the API --------------------------------------------------------------------------------------

  def create_category(name: unique("Season"))
    Api.admin.post("/api/admin/categories", name:, slug: name.downcase.tr(" ", "-"))
  end

  def create_product(name: unique("Lamp"), price: 10.00, stock: 20, category: nil, **more)
    # Without a category it goes to a shelf that is not in the menu: the seeded categories stay as they are.
    more[:category_id] = category[:id] if category
    Api.admin.post("/api/admin/products", name:, price_cents: (price * 100).round, stock:, **more)
  end

  def create_discount(percent:, expires_on: nil)
    "SAVE#{SecureRandom.alphanumeric(8).upcase}".tap do |code|
      Api.admin.post("/api/admin/discounts", code:, percent:, expires_on:)
    end
  end

  def new_customer
    Customer.new(name: unique("Robin"), email: "#{SecureRandom.hex(6)}@example.test", password: "open sesame")
  end

  # A customer with an account, and an API session signed in to it.
  def create_customer(address: false)
    customer = new_customer
    session = Api.new
    session.post("/api/sign-up", customer.to_h)
    session.put("/api/account/address", street: "1 Quay Street", city: "Bristol", postcode: "BS1 4DJ") if address
    [customer, session]
  end

  def order_through_api(session, product, quantity: 1)
    session.post("/api/cart/lines", product_id: product[:id], quantity:)
    session.post("/api/orders", recipient: "Robin", street: "1 Quay Street", city: "Bristol", postcode: "BS1 4DJ", card: CARD)[:number]
  end

  # --- steps in the browser ---------------------------------------------------------------------------------------

  def sign_in(customer)
    visit "/sign-in"
    fill_in "Email", with: customer.email
    fill_in "Password", with: customer.password
    click_button "Sign in"
    expect_signed_in(customer)
  end

  def sign_in_as_customer(address: false)
    customer, session = create_customer(address:)
    sign_in(customer)
    [customer, session]
  end

  def expect_signed_in(customer)
    within("#account-menu") { expect(page).to have_link(customer.name) }
  end

  def visit_product(product)
    visit "/products/#{product[:slug]}"
    expect(page).to have_css("h1", text: product[:name])
  end

  def add_to_cart(product, quantity: 1)
    visit_product(product)
    fill_in "Quantity", with: quantity
    click_button "Add to cart"
    expect(page).to have_content("Added to your cart")
  end

  def visit_cart_with(*products)
    products.each { |product| add_to_cart(product) }
    visit "/cart"
    expect(page).to have_css("#sums")
  end

  def go_to_checkout_with(product, quantity: 1)
    add_to_cart(product, quantity:)
    visit "/checkout"
    expect(page).to have_content("To pay:")
  end

  def pay(card: CARD)
    fill_in "Card number", with: card
    click_button "Place order"
  end

  def expect_stock(product, text)
    visit_product(product)
    expect(page).to have_css(".stock", text:, exact_text: true)
  end
end
