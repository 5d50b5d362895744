# frozen_string_literal: true

require "application_system_test_case"

class LikingTest < ApplicationSystemTestCase
  test "counts a like without loading the page again" do
    entry = write(likes: 2)
    visit root_path
    execute_script("window.stayed = true")
    within_entry(entry) do
      click_button "Like"
      if first_time?("short-wait")
        assert_equal "3", find(".likes").text
      else
        assert_selector ".likes", text: "3", exact_text: true
      end
    end
    assert evaluate_script("window.stayed")
  end

  test "can be liked again and again" do
    entry = write
    visit root_path
    within_entry(entry) do
      %w[1 2 3].each do |likes|
        click_button "Like"
        assert_selector ".likes", text: likes, exact_text: true
      end
    end
    assert_equal 3, entry.reload.likes
  end

  test "likes one entry and no other" do
    entry = write
    other = write
    visit root_path
    within_entry(entry) { click_button "Like" }
    within_entry(entry) { assert_selector ".likes", text: "1", exact_text: true }
    within_entry(other) { assert_selector ".likes", text: "0", exact_text: true }
  end
end
