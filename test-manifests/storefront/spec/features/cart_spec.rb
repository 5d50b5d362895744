RSpec.describe "Cart" do
  def expect_sums(**sums)
    sums.each { |name, amount| expect(page).to have_css("#sums .sum", text: /#{name}\s+#{Regexp.escape(amount)}/i) }
  end

  def change_quantity(product, quantity)
    fill_in "Quantity of #{product[:name]}", with: quantity
    click_button "Update #{product[:name]}"
  end

  it "is empty at first" do
    visit "/cart"
    expect(page).to have_content("Your cart is empty")
    expect(page).to have_css("#cart-count", text: "0")
  end

  it "counts what was added in the header" do
    add_to_cart(create_product, quantity: 3)
    expect(page).to have_css("#cart-count", text: "3")
  end

  it "adds to a line that is already there" do
    product = create_product
    2.times { add_to_cart(product, quantity: 2) }
    visit "/cart"
    expect(page).to have_field("Quantity of #{product[:name]}", with: "4")
  end

  it "survives a reload" do
    product = create_product
    visit_cart_with(product)
    refresh
    expect(page).to have_link(product[:name])
  end

  it "adds up two products and shipping" do
    visit_cart_with(create_product(price: 12.50), create_product(price: 7.25))
    expect_sums(subtotal: "£19.75", shipping: "£4.95", total: "£24.70")
  end

  it "adds up three products and more", fault: "bug" do
    visit_cart_with(create_product(price: 5), create_product(price: 6.50), create_product(price: 8))
    expect_sums(subtotal: "£19.50", shipping: "£4.95", total: "£24.45")
  end

  it "ships large orders for free" do
    visit_cart_with(create_product(price: 50))
    expect_sums(shipping: "Free", total: "£50.00")
  end

  it "changes a quantity" do
    product = create_product(price: 4)
    visit_cart_with(product)
    change_quantity(product, 5)
    expect_sums(subtotal: "£20.00")
    expect(page).to have_css("#cart-count", text: "5")
  end

  it "refuses more than there is in stock" do
    product = create_product(stock: 4)
    visit_cart_with(product)
    change_quantity(product, 5)
    expect(page).to have_content("Only 4 in stock.")
    expect(page).to have_field("Quantity of #{product[:name]}", with: "1")
  end

  it "refuses a quantity of zero on the product page" do
    visit_product(create_product)
    fill_in "Quantity", with: 0
    click_button "Add to cart"
    expect(page).to have_content("Please give a quantity of at least 1.")
  end

  it "removes a line" do
    keep = create_product
    drop = create_product
    visit_cart_with(keep, drop)
    click_button "Remove #{drop[:name]}"
    expect(page).to have_no_link(drop[:name])
    expect(page).to have_link(keep[:name])
  end

  it "is empty again when the last line is removed" do
    product = create_product
    visit_cart_with(product)
    click_button "Remove #{product[:name]}"
    expect(page).to have_content("Your cart is empty")
  end

  it "keeps what a visitor collected when the visitor signs in" do
    customer, session = create_customer
    before = create_product
    session.post("/api/cart/lines", product_id: before[:id])
    now = create_product
    add_to_cart(now)
    sign_in(customer)
    visit "/cart"
    expect(page).to have_link(before[:name])
    expect(page).to have_link(now[:name])
  end
end
