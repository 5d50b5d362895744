RSpec.describe "Search" do
  def search_for(words)
    visit "/"
    fill_in "Search the shop", with: words
  end

  it "shows results while typing", fault: "short-wait" do
    product = create_product(price: 7.50)
    search_for(product[:name])
    # Fault short-wait: an author in a hurry gave the results 150 ms. A quick server makes it, a busy one does not.
    wait = Faults.open?("short-wait") ? 0.15 : Capybara.default_max_wait_time
    expect(page).to have_css("#live-results .result", text: "#{product[:name]} £7.50", wait:)
  end

  it "goes to the product when a result is clicked" do
    product = create_product
    search_for(product[:name])
    expect(page).to have_css("#live-results[aria-busy=false] .result", count: 1) # no more answers that move it
    within("#live-results") { click_link product[:name] }
    expect(page).to have_css("h1", text: product[:name])
  end

  it "shows all results after pressing Enter", fault: "short-wait" do
    word = unique("Set")
    3.times { |n| create_product(name: "#{word} #{n}") }
    search_for("#{word}\n")
    wait = Faults.open?("short-wait") ? 0.15 : Capybara.default_max_wait_time # the same hurry, see above
    expect(page).to have_css("h1", text: "3 results for “#{word}”", wait:)
  end

  it "ignores upper and lower case" do
    product = create_product
    search_for(product[:name].upcase)
    expect(page).to have_css("#live-results .result", text: product[:name])
  end

  it "says so when nothing is found" do
    search_for(unique("Unobtainium"))
    expect(page).to have_css("#live-results", text: "Nothing found")
  end

  it "takes wildcards and markup for ordinary text" do
    search_for("100%_<b>bold</b>\n")
    expect(page).to have_content("0 results for “100%_<b>bold</b>”")
  end

  it "closes the results with the escape key" do
    product = create_product
    search_for(product[:name])
    expect(page).to have_css("#live-results[aria-busy=false] .result")
    find_field("Search the shop").send_keys(:escape)
    expect(page).to have_no_css("#live-results .result")
  end

  it "does not find products that are hidden from the shop" do
    product = create_product(visible: false)
    search_for(product[:name])
    expect(page).to have_css("#live-results", text: "Nothing found")
  end
end
