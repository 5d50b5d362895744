RSpec.describe "Checkout" do
  it "places an order" do
    product = create_product(price: 15)
    sign_in_as_customer(address: true)
    go_to_checkout_with(product, quantity: 2)
    pay
    expect(page).to have_content("Thank you for your order")
    expect(page).to have_content("2 × #{product[:name]}, £30.00")
    expect(page).to have_content("Total £34.95")
  end

  it "empties the cart" do
    sign_in_as_customer(address: true)
    go_to_checkout_with(create_product)
    pay
    expect(page).to have_content("Thank you for your order")
    expect(page).to have_css("#cart-count", text: "0")
  end

  it "asks visitors to sign in and then goes on" do
    customer, = create_customer
    add_to_cart(create_product)
    visit "/cart"
    click_link "Go to checkout"
    fill_in "Email", with: customer.email
    fill_in "Password", with: customer.password
    click_button "Sign in"
    expect(page).to have_css("h1", text: "Checkout")
    expect(page).to have_content("To pay: £14.95")
  end

  it "fills in the address of the account" do
    customer, = sign_in_as_customer(address: true)
    go_to_checkout_with(create_product)
    expect(page).to have_field("Recipient", with: customer.name)
    expect(page).to have_field("Street", with: "1 Quay Street")
  end

  it "asks for the parts of the address that are missing" do
    sign_in_as_customer
    go_to_checkout_with(create_product)
    fill_in "Street", with: "2 Mill Lane"
    pay
    expect(page).to have_content("Please fill in: city, postcode.")
  end

  it "asks for a proper card number" do
    sign_in_as_customer(address: true)
    go_to_checkout_with(create_product)
    pay(card: "4242")
    expect(page).to have_content("Please check the card number.")
  end

  it "lets the customer try another card when one is declined" do
    sign_in_as_customer(address: true)
    go_to_checkout_with(create_product)
    pay(card: Shopping::DECLINED_CARD)
    expect(page).to have_content("The bank declined this card.")
    pay
    expect(page).to have_content("Thank you for your order")
  end

  it "orders once, however often the button is clicked", fault: "double-submit" do
    sign_in_as_customer(address: true)
    go_to_checkout_with(create_product)
    fill_in "Card number", with: Shopping::CARD
    find_button("Place order").double_click
    expect(page).to have_content("Thank you for your order")
    visit "/account/orders"
    expect(page).to have_css(".order", count: 1)
  end

  it "applies the discount to the order" do
    sign_in_as_customer(address: true)
    product = create_product(price: 40)
    visit_cart_with(product)
    fill_in "Discount code", with: create_discount(percent: 50)
    click_button "Apply"
    expect(page).to have_content("−£20.00")
    click_link "Go to checkout"
    expect(page).to have_content("To pay: £24.95")
    pay
    expect(page).to have_content("Total £24.95")
  end
end
