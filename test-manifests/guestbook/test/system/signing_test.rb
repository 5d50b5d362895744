# frozen_string_literal: true

require "application_system_test_case"

class SigningTest < ApplicationSystemTestCase
  test "thanks whoever signs, and waits for a moderator" do
    visit root_path
    click_link "Sign the guestbook"
    fill_in "Name", with: "Ada"
    fill_in "Message", with: "What a lovely harbour"
    click_button "Sign"
    assert_selector "#notice", text: "Thank you, Ada."
    assert_no_selector ".entry"
    assert_equal ["What a lovely harbour"], Entry.where(approved: false).pluck(:message)
  end

  test "asks for name and message" do
    visit new_entry_path
    click_button "Sign"
    assert_selector "#errors li", count: 2
    assert_text "Name can't be blank"
    assert_text "Message can't be blank"
    assert_equal 0, Entry.count
  end

  test "keeps what was written when something is missing" do
    visit new_entry_path
    fill_in "Message", with: "No name"
    click_button "Sign"
    assert_text "Name can't be blank"
    assert_field "Message", with: "No name"
  end

  test "counts the characters that are left" do
    visit new_entry_path
    assert_text "500 characters left"
    fill_in "Message", with: "Hello"
    assert_text "495 characters left"
  end
end
