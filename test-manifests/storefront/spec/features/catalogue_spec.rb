RSpec.describe "Catalogue" do
  def listed_names
    all("#products .card a").map(&:text)
  end

  # Sorting is compared within a category of our own, where nobody else adds anything.
  let(:category) { create_category }

  def fill_shelf
    create_product(name: "#{category[:name]} Bell", price: 30, category:)
    create_product(name: "#{category[:name]} Anchor", price: 20, category:)
    create_product(name: "#{category[:name]} Compass", price: 10, category:)
  end

  def in_order(*words)
    words.map { |word| "#{category[:name]} #{word}" }
  end

  it "lists the first products with name and price" do
    visit "/catalogue?category=coffee"
    expect(page).to have_css("#products .card", count: 12)
    expect(first("#products .card")).to have_content(/Dark Decaf.*£\d+\.\d\d/m)
  end

  it "shows one category only" do
    visit "/catalogue"
    within("#categories") { click_link "Tea" }
    expect(page).to have_css("h1", text: "Tea")
    expect(page).to have_link("Evening Assam")
    expect(page).to have_no_link("Beech Kettle")
  end

  it "marks the chosen category" do
    visit "/catalogue?category=kitchen"
    expect(page).to have_css("#categories [aria-current=page]", text: "Kitchen")
  end

  it "sorts by name unless told otherwise" do
    fill_shelf
    visit "/catalogue?category=#{category[:slug]}"
    expect(page).to have_content("3 products")
    expect(listed_names).to eq(in_order("Anchor", "Bell", "Compass"))
  end

  it "sorts by price, low to high" do
    fill_shelf
    visit "/catalogue?category=#{category[:slug]}"
    select "Price, low to high", from: "Sort by"
    expect(page).to have_current_path(/sort=cheapest/)
    expect(page).to have_content("3 products")
    expect(listed_names).to eq(in_order("Compass", "Anchor", "Bell"))
  end

  it "sorts by price, high to low" do
    fill_shelf
    visit "/catalogue?category=#{category[:slug]}&sort=dearest"
    expect(page).to have_content("3 products")
    expect(listed_names).to eq(in_order("Bell", "Anchor", "Compass"))
  end

  it "marks products that are sold out" do
    create_product(name: "#{category[:name]} Bell", stock: 0, category:)
    visit "/catalogue?category=#{category[:slug]}"
    expect(find(".card", text: "Bell")).to have_content("Sold out")
  end

  it "says so when a category is empty" do
    visit "/catalogue?category=#{category[:slug]}"
    expect(page).to have_content("Nothing here yet")
  end

  it "says so when there is no such category" do
    visit "/catalogue?category=submarines"
    expect(page).to have_content("There is no such category.")
  end
end
