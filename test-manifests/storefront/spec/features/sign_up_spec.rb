RSpec.describe "Signing up" do
  def sign_up(customer)
    visit "/sign-up"
    fill_in "Name", with: customer.name
    fill_in "Email", with: customer.email
    fill_in "Password", with: customer.password
    click_button "Create account"
  end

  it "makes an account and signs in" do
    customer = new_customer
    sign_up(customer)
    expect_signed_in(customer)
  end

  it "refuses an address that has an account" do
    existing, = create_customer
    sign_up(new_customer.tap { |customer| customer.email = existing.email.upcase })
    expect(page).to have_content("There is already an account with this email address.")
  end

  it "refuses a short password" do
    sign_up(new_customer.tap { |customer| customer.password = "sesame" })
    expect(page).to have_content("A password needs at least 8 characters.")
  end

  it "refuses what is no email address" do
    sign_up(new_customer.tap { |customer| customer.email = "robin at example" })
    expect(page).to have_content("Please give a valid email address.")
  end

  it "shows a name with markup as it was written" do
    customer = new_customer.tap { |someone| someone.name = "<i>Robin</i> #{SecureRandom.hex(3)}" }
    sign_up(customer)
    expect_signed_in(customer)
  end
end
