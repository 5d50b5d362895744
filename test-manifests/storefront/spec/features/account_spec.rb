RSpec.describe "Account" do
  it "keeps a new address" do
    sign_in_as_customer
    visit "/account"
    fill_in "Street", with: "7 Lighthouse Road"
    fill_in "City", with: "Whitby"
    fill_in "Postcode", with: "yo21 1aa"
    click_button "Save address"
    expect(page).to have_content("Address saved")
    refresh
    expect(page).to have_field("Street", with: "7 Lighthouse Road")
    expect(page).to have_field("Postcode", with: "YO21 1AA")
  end

  it "refuses half an address" do
    sign_in_as_customer
    visit "/account"
    fill_in "Street", with: "7 Lighthouse Road"
    click_button "Save address"
    expect(page).to have_content("Please fill in: city, postcode.")
  end

  it "shows a new name in the header at once" do
    customer, = sign_in_as_customer
    visit "/account"
    renamed = customer.dup.tap { |someone| someone.name = unique("Wren") }
    fill_in "Name", with: renamed.name
    click_button "Save name"
    expect_signed_in(renamed)
  end
end
