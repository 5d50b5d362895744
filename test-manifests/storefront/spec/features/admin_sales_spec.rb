RSpec.describe "Sales report" do
  it "adds up what was sold of a product", fault: "crash" do
    product = create_product(price: 10)
    [2, 3].each { |quantity| order_through_api(create_customer.last, product, quantity:) }
    sign_in(Shopping::ADMIN)
    visit "/admin/sales"
    expect(find("tr", text: product[:name])).to have_content("#{product[:name]} 5 £50.00")
  end

  it "leaves out orders that were cancelled" do
    product = create_product
    session = create_customer.last
    number = order_through_api(session, product)
    session.post("/api/orders/#{number}/cancel")
    sign_in(Shopping::ADMIN)
    visit "/admin/sales"
    expect(page).to have_css("h1", text: "Sales in the last day")
    expect(page).to have_no_content(product[:name])
  end
end
