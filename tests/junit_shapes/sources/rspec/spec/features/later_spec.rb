RSpec.describe "Later" do
  it "is not written yet"

  it("waits", pending: "until the printer is there") { raise "no printer" }

  xit("is left out") { nil }

  it("works 🚀") { puts "said" }
end
