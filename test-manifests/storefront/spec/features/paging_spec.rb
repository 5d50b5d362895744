RSpec.describe "Paging through the catalogue" do
  it "goes to the next page and back" do
    visit "/catalogue?category=tea"
    expect(page).to have_content("Page 1 of 2")
    click_link "Next"
    expect(page).to have_content("Page 2 of 2")
    expect(page).to have_css("#products .card", count: 8)
    click_link "Previous"
    expect(page).to have_content("Page 1 of 2")
  end

  it "offers no way beyond the last page" do
    visit "/catalogue?category=tea&page=2"
    expect(page).to have_content("Page 2 of 2")
    expect(page).to have_no_link("Next")
  end

  it "keeps the sorting from page to page" do
    visit "/catalogue?category=outdoors&sort=dearest"
    click_link "Next"
    expect(page).to have_content("Page 2 of 2")
    expect(page).to have_select("Sort by", selected: "Price, high to low")
  end

  it "shows the last page when asked for one that is not there" do
    visit "/catalogue?category=tea&page=99"
    expect(page).to have_content("Page 2 of 2")
  end
end
