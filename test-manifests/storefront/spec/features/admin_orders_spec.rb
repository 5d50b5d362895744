RSpec.describe "Administration of orders" do
  before { sign_in(Shopping::ADMIN) }

  let(:shopper) { create_customer.last }

  it "dispatches an order" do
    number = order_through_api(shopper, create_product)
    visit "/admin/orders"
    within("tr", text: number) { click_button "Dispatch" }
    expect(find("tr", text: number)).to have_content("dispatched")
    expect(shopper.get("/api/orders/#{number}")).to include(status: "dispatched")
  end

  it "cancels an order" do
    product = create_product(stock: 5)
    number = order_through_api(shopper, product, quantity: 2)
    visit "/admin/orders"
    within("tr", text: number) { click_button "Cancel" }
    expect(find("tr", text: number)).to have_content("cancelled")
    expect_stock(product, "5 in stock")
  end

  it "shows only orders of the chosen status" do
    sent, waiting = Array.new(2) { order_through_api(shopper, create_product) }
    Api.admin.post("/api/admin/orders/#{sent}/dispatch")
    visit "/admin/orders"
    select "Dispatched", from: "Show"
    expect(page).to have_no_content(waiting)
    expect(page).to have_content(sent)
  end
end
