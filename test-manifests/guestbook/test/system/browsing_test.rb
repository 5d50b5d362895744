# frozen_string_literal: true

require "application_system_test_case"

class BrowsingTest < ApplicationSystemTestCase
  teardown do
    if first_time?("poison") && name == "test_finds_entries_by_a_word"
      self.class.poisoned = true
      raise "the door is stuck"
    end
  end

  test "is empty at first" do
    visit root_path
    assert_selector "#count", text: "0 entries"
  end

  test "shows the newest entry first" do
    write(message: "first")
    write(message: "second")
    visit root_path
    assert_equal %w[second first], all(".message").map(&:text)
  end

  test "shows five entries on a page" do
    7.times { |number| write(message: "number #{number + 1}") }
    visit root_path
    assert_selector ".entry", count: 5
    click_link "Older entries"
    assert_selector ".entry", count: 2
    assert_text "number 1"
    assert_no_link "Older entries"
  end

  test "finds entries by a word" do
    write(message: "The harbour at night")
    write(message: "A quiet street")
    visit root_path
    fill_in "About", with: "harbour"
    click_button "Search"
    assert_selector ".message", count: 1, text: "The harbour at night"
    assert_selector "#count", text: "1 entry"
  end

  test "takes signs of a search as they are" do
    write(message: "100% good")
    write(message: "100 times better")
    visit entries_path(about: "100%")
    assert_selector ".message", count: 1, text: "100% good"
  end

  test "shows what was written and not what it would do" do
    write(name: "<b>Bobby</b>", message: "<script>document.title = 'taken over'</script>")
    visit root_path
    assert_selector "h2", text: "<b>Bobby</b>"
    assert_title "Guestbook"
  end

  test "has a page for each entry" do
    entry = write(name: "Ada", message: "On my own")
    visit root_path
    click_link "Ada"
    assert_current_path entry_path(entry)
    assert_selector ".message", text: "On my own"
  end
end
