RSpec.describe "Changing the password" do
  def change_password(from:, to:)
    visit "/account"
    fill_in "Current password", with: from
    fill_in "New password", with: to
    click_button "Change password"
  end

  it "lets the customer sign in with the new one" do
    customer, = sign_in_as_customer
    change_password(from: customer.password, to: "close sesame")
    expect(page).to have_content("Password changed")
    click_button "Sign out"
    expect(page).to have_link("Sign in")
    sign_in(customer.dup.tap { |someone| someone.password = "close sesame" })
  end

  it "needs the current one" do
    sign_in_as_customer
    change_password(from: "a guess", to: "close sesame")
    expect(page).to have_content("The current password is wrong.")
  end
end
