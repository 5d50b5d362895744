RSpec.describe "Signing in and out" do
  it "signs in with email and password" do
    customer, = create_customer
    sign_in(customer)
    expect(page).to have_current_path("/")
  end

  it "refuses a wrong password" do
    customer, = create_customer
    visit "/sign-in"
    fill_in "Email", with: customer.email
    fill_in "Password", with: "open barley"
    click_button "Sign in"
    expect(page).to have_content("Email or password is wrong.")
  end

  it "does not tell whether an address has an account" do
    visit "/sign-in"
    fill_in "Email", with: new_customer.email
    fill_in "Password", with: "open sesame"
    click_button "Sign in"
    expect(page).to have_content("Email or password is wrong.")
  end

  it "goes on to the page that was asked for" do
    customer, = create_customer
    visit "/account/orders"
    expect(page).to have_css("h1", text: "Sign in")
    fill_in "Email", with: customer.email
    fill_in "Password", with: customer.password
    click_button "Sign in"
    expect(page).to have_css("h1", text: "Your orders")
  end

  it "signs out" do
    customer, = sign_in_as_customer
    click_button "Sign out"
    within("#account-menu") do
      expect(page).to have_link("Sign in")
      expect(page).to have_no_link(customer.name)
    end
    visit "/account"
    expect(page).to have_css("h1", text: "Sign in")
  end
end
