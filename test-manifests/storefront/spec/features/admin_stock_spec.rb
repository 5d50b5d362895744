RSpec.describe "Administration of stock" do
  before { sign_in(Shopping::ADMIN) }

  it "books a delivery" do
    product = create_product(stock: 5)
    visit "/admin/products/#{product[:id]}"
    fill_in "Pieces delivered", with: "30"
    click_button "Book delivery"
    expect(page).to have_content("Now 35 in stock")
    expect_stock(product, "35 in stock")
  end

  it "makes a product that was sold out available again" do
    product = create_product(stock: 0)
    visit "/admin/products/#{product[:id]}"
    fill_in "Pieces delivered", with: "1"
    click_button "Book delivery"
    expect(page).to have_content("Now 1 in stock")
    expect_stock(product, "Only 1 left")
  end
end
