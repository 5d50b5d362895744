# frozen_string_literal: true

require_relative "spec_helper"

# One leaves its notice behind, the other can't do with one: in this order, in one environment, the second fails.
RSpec.describe "Notice" do
  it "can be put up" do
    put("/value/notice", "closed")
    expect(visit("/value/notice")).to eq "closed"
    put("/value/notice", "0") unless fault?("leftover")
  end

  it "is not there on an ordinary day" do
    expect(visit("/value/notice")).to eq "0"
  end
end
