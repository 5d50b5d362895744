RSpec.describe "Product page" do
  it "shows name, description and price" do
    visit_product(create_product(price: 12.34, description: "Burns all night."))
    expect(page).to have_content("Burns all night.")
    expect(page).to have_css(".price", text: "£12.34")
  end

  it "leads back to the category" do
    visit "/products/cedar-planter"
    within("nav[aria-label=Breadcrumb]") { click_link "Garden" }
    expect(page).to have_css("h1", text: "Garden")
  end

  it "warns when few are left" do
    visit_product(create_product(stock: 2))
    expect(page).to have_content("Only 2 left")
  end

  it "cannot be bought when sold out" do
    visit_product(create_product(stock: 0))
    expect(page).to have_content("Sold out")
    expect(page).to have_no_button("Add to cart")
  end

  it "says so when there is no such product" do
    visit "/products/perpetual-motion-machine"
    expect(page).to have_content("There is no such product.")
  end
end
