RSpec.describe "Discount codes" do
  def apply(code)
    fill_in "Discount code", with: code
    click_button "Apply"
  end

  before { visit_cart_with(create_product(price: 20)) }

  it "takes the percentage off" do
    apply(create_discount(percent: 25))
    expect(page).to have_content("−£5.00")
    expect(page).to have_css(".sum", text: /Total\s+£19.95/)
  end

  it "does not mind lower case" do
    apply("welcome10")
    expect(page).to have_content("Discount WELCOME10")
  end

  it "refuses a code that has expired" do
    apply("SUMMER19")
    expect(page).to have_content("This code has expired.")
  end

  it "refuses a code that nobody gave out" do
    apply("FREE4EVER")
    expect(page).to have_content("We do not know this code.")
  end

  it "can be taken back" do
    apply(create_discount(percent: 50))
    click_button "Remove discount"
    expect(page).to have_css(".sum", text: /Total\s+£24.95/)
  end
end
