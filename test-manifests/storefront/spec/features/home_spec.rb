RSpec.describe "Home page" do
  it "leads to every category" do
    visit "/"
    within("#categories") do
      ["Tea", "Coffee", "Kitchen", "Garden", "Stationery", "Outdoors"].each { |name| expect(page).to have_link(name) }
      click_link "Garden"
    end
    expect(page).to have_css("h1", text: "Garden")
  end

  it "shows a product that has just been added among the new arrivals" do
    product = create_product
    visit "/"
    within("#new-arrivals") { click_link product[:name] }
    expect(page).to have_css("h1", text: product[:name])
  end
end
