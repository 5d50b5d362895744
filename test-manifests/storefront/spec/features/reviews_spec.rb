RSpec.describe "Reviews" do
  let(:product) { create_product }

  def review(stars, text)
    select stars, from: "Stars"
    fill_in "Your review", with: text
    click_button "Send review"
  end

  it "shows a new review and the average" do
    _, other = create_customer
    other.post("/api/products/#{product[:slug]}/reviews", rating: 2, body: "A bit dim.")
    customer, = sign_in_as_customer
    visit_product(product)
    review("5", "Bright as day!")
    expect(page).to have_content("5 stars by #{customer.name}: Bright as day!")
    expect(page).to have_content("3.5 of 5 stars from 2")
  end

  it "needs stars" do
    sign_in_as_customer
    visit_product(product)
    review("Choose", "No idea.")
    expect(page).to have_content("Please choose 1 to 5 stars.")
  end

  it "takes one review from each customer" do
    _, session = sign_in_as_customer
    session.post("/api/products/#{product[:slug]}/reviews", rating: 4, body: "Good.")
    visit_product(product)
    review("5", "Very good!")
    expect(page).to have_content("You have already reviewed this product.")
  end

  it "can be read but not written by visitors" do
    visit_product(product)
    expect(page).to have_content("No reviews yet")
    expect(page).to have_no_button("Send review")
  end
end
