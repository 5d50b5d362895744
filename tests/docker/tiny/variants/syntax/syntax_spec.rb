RSpec.describe "Cart" do
  it("can't be read") { ) }
end
