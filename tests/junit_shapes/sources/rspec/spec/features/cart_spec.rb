RSpec.describe "Cart" do
  it("adds up three products and more") { expect(3).to eq 3 }

  it('keeps "quoted" & <marked up> names') { expect("£17.50").to eq "£19.50" }

  it("raises") { raise KeyError, "no price" }

  it "collects failures", :aggregate_failures do
    expect(1).to eq 2
    expect("a").to eq "b"
  end
end
