RSpec.describe "Wish list" do
  it "remembers a product" do
    sign_in_as_customer
    product = create_product
    visit_product(product)
    click_button "Add to wish list"
    expect(page).to have_button("Remove from wish list")
    visit "/account/wishes"
    expect(page).to have_link(product[:name])
  end

  it "forgets a product" do
    _, session = sign_in_as_customer
    product = create_product
    session.put("/api/wishes/#{product[:slug]}")
    visit_product(product)
    click_button "Remove from wish list"
    expect(page).to have_button("Add to wish list")
    visit "/account/wishes"
    expect(page).to have_content("Nothing on your wish list yet")
  end
end
