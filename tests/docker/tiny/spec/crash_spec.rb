# frozen_string_literal: true

require_relative "spec_helper"

RSpec.describe "Report" do
  it "is made" do
    visit("/crash") if fault?("crash")
    expect(visit("/value/report")).to eq "0"
  end

  it "is sent" do
    expect(put("/value/sent", "yes")).to eq "yes"
  end
end
