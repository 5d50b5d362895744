RSpec.describe "Cancelling an order" do
  it "puts the goods back on the shelf" do
    _, session = sign_in_as_customer
    product = create_product(stock: 10)
    number = order_through_api(session, product, quantity: 4)
    visit "/orders/#{number}"
    click_button "Cancel order"
    expect(page).to have_css(".badge", text: "cancelled")
    expect_stock(product, "10 in stock")
  end

  it "is not offered once the order is on its way" do
    _, session = sign_in_as_customer
    number = order_through_api(session, create_product)
    Api.admin.post("/api/admin/orders/#{number}/dispatch")
    visit "/orders/#{number}"
    expect(page).to have_css(".badge", text: "dispatched")
    expect(page).to have_no_button("Cancel order")
  end
end
