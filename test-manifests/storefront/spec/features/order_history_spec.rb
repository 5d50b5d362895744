RSpec.describe "Order history" do
  it "is empty for a new customer" do
    sign_in_as_customer
    visit "/account/orders"
    expect(page).to have_content("You have not ordered anything yet")
  end

  it "lists orders, the latest first" do
    _, session = sign_in_as_customer
    product = create_product
    numbers = Array.new(2) { order_through_api(session, product) }
    visit "/account/orders"
    expect(page).to have_css(".order", count: 2)
    expect(all(".order a").map(&:text)).to eq(numbers.reverse)
  end

  it "shows an order with its lines" do
    _, session = sign_in_as_customer
    product = create_product(price: 9.99)
    number = order_through_api(session, product, quantity: 3)
    visit "/account/orders"
    click_link number
    expect(page).to have_css("h1", text: "Order #{number}")
    expect(page).to have_content("3 × #{product[:name]}, £29.97")
    expect(page).to have_content("1 Quay Street, Bristol BS1 4DJ")
  end

  it "keeps other people's orders private" do
    _, somebody = create_customer
    number = order_through_api(somebody, create_product)
    sign_in_as_customer
    visit "/orders/#{number}"
    expect(page).to have_content("There is no such order.")
  end
end
