RSpec.describe "Access to the administration" do
  it "is refused to customers" do
    sign_in_as_customer
    visit "/admin/products"
    expect(page).to have_content("This page is only for administrators.")
  end

  it "asks visitors to sign in" do
    visit "/admin/orders"
    expect(page).to have_css("h1", text: "Sign in")
  end

  it "is offered to administrators in the header" do
    sign_in(Shopping::ADMIN)
    click_link "Administration"
    expect(page).to have_css("h1", text: "Products")
  end
end
