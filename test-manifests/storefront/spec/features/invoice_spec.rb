RSpec.describe "Invoice" do
  it "shows what was bought, ready for the printer", fault: "hang" do
    _, session = sign_in_as_customer
    product = create_product(price: 11)
    number = order_through_api(session, product, quantity: 2)
    visit "/orders/#{number}/invoice"
    expect(page).to have_css("h1", text: "Invoice #{number}")
    expect(page).to have_content("#{product[:name]} 2 £22.00")
    expect(page).to have_content("Total £26.95")
  end
end
