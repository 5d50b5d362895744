# The notice is one for the whole shop, so these examples are the exception to the rule that everybody brings data of
# their own. They clean up after themselves, and they keep their order: with the fault leftover the first one leaves its
# notice hanging, and the last one stumbles over it.
RSpec.describe "Notice", order: :defined do
  def publish(text)
    sign_in(Shopping::ADMIN)
    visit "/admin/notice"
    fill_in "Text", with: text
    click_button "Publish notice"
    expect(page).to have_css("#notice", text:)
  end

  after { Api.admin.delete("/api/admin/notice") unless Faults.open?("leftover") }

  it "is shown to visitors when an administrator publishes it", fault: "leftover" do
    publish("Closed on Monday")
    click_button "Sign out"
    expect(page).to have_link("Sign up")
    expect(page).to have_css("#notice", text: "Closed on Monday")
  end

  it "is not there on an ordinary day" do
    visit "/"
    expect(page).to have_link("Sign up") # by then the header has been filled
    expect(page).to have_no_css("#notice")
  end

  it "disappears when it is taken down" do
    publish("Late deliveries this week")
    click_button "Take down notice"
    expect(page).to have_no_css("#notice")
    visit "/"
    expect(page).to have_link("Ada Admin")
    expect(page).to have_no_css("#notice")
  end
end
