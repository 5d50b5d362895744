# frozen_string_literal: true

require "application_system_test_case"

class ModerationTest < ApplicationSystemTestCase
  test "asks for the password" do
    visit new_session_path
    fill_in "Password", with: "guess"
    click_button "Sign in"
    assert_selector "#alert", text: "That is not the password."
  end

  test "shows entries that wait to moderators only" do
    write(message: "waiting", approved: false)
    visit root_path
    assert_selector "#count", text: "0 entries"
    sign_in
    assert_selector ".message", text: "waiting"
  end

  test "makes an entry public" do
    entry = write(name: "Ada", approved: false)
    sign_in
    within_entry(entry) { click_button "Approve" }
    assert_text "The entry by Ada is public now."
    click_button "Sign out"
    assert_text "Goodbye."
    assert_selector "#entry-#{entry.id}"
  end

  test "changes an entry" do
    entry = write(message: "Helo")
    sign_in
    within_entry(entry) { click_link "Edit" }
    fill_in "Message", with: "Hello"
    click_button "Save"
    assert_text "Saved."
    assert_equal "Hello", entry.reload.message
  end

  test "deletes an entry once that is confirmed" do
    entry = write(name: "Spam")
    sign_in
    dismiss_confirm { within_entry(entry) { click_button "Delete" } }
    assert_selector "#entry-#{entry.id}"
    accept_confirm { within_entry(entry) { click_button "Delete" } }
    assert_text "The entry by Spam is gone."
    assert_no_selector "#entry-#{entry.id}"
  end

  test "lets nobody else change an entry" do
    visit edit_entry_path(write)
    assert_current_path new_session_path
    assert_text "Please sign in first."
  end
end
