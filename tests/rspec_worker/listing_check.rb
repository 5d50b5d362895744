# frozen_string_literal: true

require_relative "support"

class ListingCheck < WorkerTest
  def test_says_hello_before_it_loads_the_suite
    write("spec/a_spec.rb" => "STDOUT.puts 'loading'; sleep")
    hello = start.event
    assert_equal ["hello", 2, "rspec"], hello.values_at("type", "protocol", "framework")
    assert_match(/\A3\.\d+\.\d+\z/, hello["version"])
    assert_equal @workers.last.pid, hello["pid"]
  end

  def test_tells_how_long_loading_took
    write("spec/a_spec.rb" => "")
    assert_kind_of Integer, start.events_until("loaded").last["duration_ms"]
  end

  def test_lists_selector_file_line_and_name
    worker = loaded(<<~RUBY)
      RSpec.describe "Cart" do
        it("adds an item") { }
        describe "when full" do
          it("refuses") { }
        end
      end
    RUBY
    assert_equal [
      { "type" => "test", "selector" => "./spec/a_spec.rb[1:1]", "file" => "spec/a_spec.rb", "line" => 2,
        "name" => "Cart adds an item", "tags" => [] },
      { "type" => "test", "selector" => "./spec/a_spec.rb[1:2:1]", "file" => "spec/a_spec.rb", "line" => 4,
        "name" => "Cart when full refuses", "tags" => [] }
    ], list(worker)
  end

  def test_counts_what_it_listed
    worker = loaded("RSpec.describe('A') { it('x') { }; it('y') { } }")
    worker.send_message(type: "list")
    assert_equal({ "type" => "listed", "count" => 2 }, worker.events_until("listed").last)
  end

  def test_listing_is_the_same_again_even_after_a_run
    worker = loaded(<<~RUBY)
      RSpec.describe "Sum" do
        subject { 2 }
        it { is_expected.to eq 2 }
        it("fails") { fail }
        pending("waits") { fail }
      end
    RUBY
    first = list(worker)
    run_unit(worker, *first.map { |test| test["selector"] })
    assert_equal first, list(worker)
    assert_equal first, list(start_loaded)
  end

  def test_an_example_without_a_description_is_named_by_its_place
    worker = loaded("RSpec.describe('Sum') do\n  it { expect(1).to eq 1 }\nend")
    assert_equal ["Sum example at ./spec/a_spec.rb:2"], list(worker).map { |test| test["name"] }
  end

  def test_names_may_hold_any_character
    names = ["say \"hi\"", "two\nlines", "[1:2]", "it's 🛒 é", "back\\slash", "tab\t", "nul\0"]
    worker = loaded(<<~RUBY)
      RSpec.describe do
        #{names.map { |name| "it(#{name.dump}) { }" }.join("\n  ")}
      end
    RUBY
    assert_equal names, list(worker).map { |test| test["name"] }
    assert_equal ["passed"] * names.size, outcomes(run_unit(worker, *selectors(worker)))
  end

  def test_equal_names_have_their_own_selectors
    worker = loaded("RSpec.describe('A') do\n  2.times { |i| it('same') { expect(i).to eq 0 } }\nend")
    tests = list(worker)
    assert_equal ["A same", "A same"], tests.map { |test| test["name"] }
    assert_equal 2, tests.map { |test| test["selector"] }.uniq.size
    assert_equal %w[passed failed], outcomes(run_unit(worker, *tests.map { |test| test["selector"] }))
  end

  def test_shared_examples_belong_to_the_file_that_includes_them
    write("spec/support/shared.rb" => "RSpec.shared_examples('a list') do\n  it('is empty') { fail 'no' }\nend",
          "spec/a_spec.rb" => <<~RUBY,
            require_relative "support/shared"
            RSpec.describe "A" do
              it_behaves_like "a list"
            end
          RUBY
          "spec/b_spec.rb" => "require_relative 'support/shared'\nRSpec.describe('B') { include_examples 'a list' }")
    worker = start_loaded
    tests = list(worker)
    assert_equal [["spec/a_spec.rb", 3, "A behaves like a list is empty"], ["spec/b_spec.rb", 2, "B is empty"]],
                 tests.map { |test| test.values_at("file", "line", "name") }
    failure = run_one(worker, tests.first["selector"])["failure"]
    assert_equal ["spec/support/shared.rb", 2], failure.values_at("file", "line")
  end

  # By the id that it prints itself, RSpec alone would run nothing, and succeed.
  def test_an_example_of_a_group_that_is_shared_twice_is_run_by_its_selector
    write("spec/support/shared.rb" => <<~RUBY, "spec/a_spec.rb" => <<~RUBY2)
      RSpec.shared_examples "a $list ( [ *" do |name|
        describe("deep") { it("$has ( [ * \#{name}") { puts name } }
      end
    RUBY
      require_relative "support/shared"
      RSpec.describe "A" do
        it_behaves_like "a $list ( [ *", "one"
        describe("nested") { it_behaves_like "a $list ( [ *", "two" }
      end
    RUBY2
    worker = start_loaded
    tests = list(worker)
    assert_equal ["spec/a_spec.rb"] * 2, tests.map { |test| test["file"] }
    assert_match(/\$has \( \[ \* two\z/, tests.last["name"])
    assert_equal "passed", run_one(worker, tests.last["selector"])["outcome"]
    assert_equal "two\n", worker.stderr
    assert_equal %w[passed passed], outcomes(run_unit(worker, *tests.map { |test| test["selector"] }))
  end

  def test_tags_are_the_users_metadata
    worker = loaded(<<~RUBY)
      RSpec.describe "A", :slow, type: :feature, off: false, nothing: nil do
        it("x", :js, owner: "team a", weight: 3, hook: -> { }) { }
        xit("y") { }
      end
    RUBY
    assert_equal [["hook", "js", "owner:team a", "slow", "type:feature", "weight:3"],
                  ["skip:Temporarily skipped with xit", "slow", "type:feature"]],
                 list(worker).map { |test| test["tags"].sort }
  end

  def test_lists_only_the_paths_given
    write("spec/a_spec.rb" => "RSpec.describe('A') { it('x') { } }",
          "spec/b_spec.rb" => "RSpec.describe('B') { it('x') { }; it('y') { } }",
          "spec/c_spec.rb" => "RSpec.describe('C') { it('x') { } }")
    assert_equal %w[./spec/a_spec.rb[1:1] ./spec/b_spec.rb[1:2]],
                 selectors(start_loaded("spec/a_spec.rb", "./spec/b_spec.rb[1:2]"))
  end

  def test_a_suite_without_examples_lists_none
    worker = loaded("")
    assert_empty list(worker)
    worker.send_message(type: "quit")
    assert worker.exit_status.success?
  end

  FILTERED = {
    "an excluded tag" => ["", "RSpec.configure { |c| c.filter_run_excluding :slow }"],
    "focus" => ["", "RSpec.configure { |c| c.filter_run_when_matching :focus }"],
    "a tag in .rspec" => ["--tag slow\n", ""],
    "an excluded tag in .rspec" => ["--tag ~slow\n", ""],
    "an option in .rspec-local" => ["", "", ".rspec-local", "--tag slow\n"],
    "a helper by another name" => ["--require rails_helper\n", "", "spec/rails_helper.rb", <<~RUBY],
      require "spec_helper"
      RSpec.configure { |c| c.filter_run_including :slow }
    RUBY
    "a name in .rspec" => ["--example pears\n", ""],
    "all of it filtered" => ["--tag nowhere\n", ""],
    "nothing matches the filter, so run all" => ["", "RSpec.configure { |c| c.filter_run :no; c.run_all_when_everything_filtered = true }"]
  }.freeze

  FILTERED.each do |name, (options, helper, more, content)|
    define_method("test_lists_what_rspec_would_run_with_#{name.tr(' ', '_')}") do
      write(more => content) if more
      write(".rspec" => "--require spec_helper\n--format documentation\n--color\n#{options}", "spec/spec_helper.rb" => helper,
            "spec/a_spec.rb" => <<~RUBY)
              RSpec.describe "A" do
                it("apples", :slow) { }
                fit("pears") { }
                it("plums") { }
              end
            RUBY
      assert_equal ids_according_to_rspec, selectors(start_loaded)
    end
  end
end
