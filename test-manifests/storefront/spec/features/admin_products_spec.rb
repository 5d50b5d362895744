RSpec.describe "Administration of products" do
  before { sign_in(Shopping::ADMIN) }

  def edit(product)
    visit "/admin/products/#{product[:id]}"
    expect(page).to have_field("Name", with: product[:name])
  end

  def save
    click_button "Save product"
    expect(page).to have_content("Product saved")
  end

  it "adds a product to the shop" do
    name = unique("Barometer")
    visit "/admin/products/new"
    fill_in "Name", with: name
    select "Odds and ends", from: "Category" # not in the menu, so the seeded categories stay as they are
    fill_in "Price in pounds", with: "18.50"
    fill_in "Stock", with: "12"
    click_button "Save product"
    expect(page).to have_css("h1", text: "Edit product")
    visit_product(slug: name.downcase.tr(" ", "-"), name:)
    expect(page).to have_content("£18.50")
    expect(page).to have_content("12 in stock")
  end

  it "finds a product by its name" do
    product = create_product
    visit "/admin/products"
    fill_in "Filter by name", with: product[:name]
    expect(page).to have_css("#products[aria-busy=false] tr", count: 1) # the list is drawn anew with every key
    click_link product[:name]
    expect(page).to have_field("Name", with: product[:name])
  end

  it "changes the price that customers see", fault: "stale-cache" do
    product = create_product(price: 20)
    visit_product(product)
    expect(page).to have_css(".price", text: "£20.00")
    edit(product)
    fill_in "Price in pounds", with: "17.50"
    save
    visit_product(product)
    expect(page).to have_css(".price", text: "£17.50")
  end

  it "changes the description" do
    product = create_product(description: "Old words.")
    edit(product)
    fill_in "Description", with: "New words."
    save
    visit_product(product)
    expect(page).to have_content("New words.")
  end

  it "takes a product out of the shop" do
    product = create_product
    edit(product)
    uncheck "Shown in the shop"
    save
    visit "/products/#{product[:slug]}"
    expect(page).to have_content("There is no such product.")
  end

  it "refuses a price of nothing" do
    edit(create_product)
    fill_in "Price in pounds", with: "0"
    click_button "Save product"
    expect(page).to have_content("The price must be more than zero.")
  end

  it "refuses a second product of the same name" do
    product = create_product
    visit "/admin/products/new"
    fill_in "Name", with: product[:name]
    select "Tea", from: "Category"
    fill_in "Price in pounds", with: "5"
    fill_in "Stock", with: "1"
    click_button "Save product"
    expect(page).to have_content("There is already a product with this name.")
  end
end
