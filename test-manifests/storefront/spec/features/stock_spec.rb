RSpec.describe "Stock" do
  it "goes down with an order" do
    product = create_product(stock: 10)
    _, session = create_customer
    order_through_api(session, product, quantity: 4)
    expect_stock(product, "6 in stock")
  end

  it "counts both of two orders at the same moment", fault: "lost-update" do
    product = create_product(stock: 10)
    sessions = Array.new(2) { create_customer.last }
    sessions.map { |session| Thread.new { order_through_api(session, product) } }.each(&:join)
    expect_stock(product, "8 in stock")
  end

  it "tells the customer when somebody else was faster" do
    product = create_product(stock: 1)
    _, rival = create_customer
    sign_in_as_customer(address: true)
    go_to_checkout_with(product)
    order_through_api(rival, product)
    pay
    expect(page).to have_content("#{product[:name]} has just been sold out.")
  end
end
