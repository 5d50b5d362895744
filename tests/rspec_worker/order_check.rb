# frozen_string_literal: true

require_relative "support"

class OrderCheck < WorkerTest
  SUITE = "RSpec.describe('A') { 12.times { |i| it(i.to_s) { } } }"

  def order_with(seed, options: "", helper: "")
    write(".rspec" => "--require spec_helper\n#{options}\n", "spec/spec_helper.rb" => helper)
    worker = loaded(SUITE, environment: { "SHAKEDOWN_SEED" => seed })
    @listed = selectors(worker)
    ended(run_unit(worker, *@listed)).map { |event| event["selector"] }
  end

  def test_a_random_suite_is_ordered_by_the_seed
    helper = "RSpec.configure { |c| c.order = :random; Kernel.srand(c.seed) }"
    first = order_with("42", helper: helper)
    assert_equal first, order_with("42", helper: helper)
    refute_equal first, order_with("43", helper: helper)
    refute_equal @listed, first
  end

  def test_a_suite_that_is_random_by_its_options_file_is_ordered_by_the_seed_as_rspec_would
    first = order_with("42", options: "--order rand")
    out, = Open3.capture2("rspec", "--seed", "42", "--format", "json", chdir: @directory)
    assert_equal(JSON.parse(out[out.index("{")..])["examples"].map { |example| example["id"] }, first)
  end

  def test_a_suite_in_defined_order_stays_so
    assert_equal order_with("42"), @listed
  end

  def test_the_suites_own_seed_wins
    helper = "RSpec.configure { |c| c.order = 'random:7' }"
    assert_equal order_with("42", helper: helper), order_with("43", helper: helper)
    assert_equal order_with("42", options: "--seed 7"), order_with("43", options: "--seed 7")
  end

  def test_a_listing_is_in_defined_order
    order_with("42", options: "--order rand")
    assert_equal((1..12).map { |i| "./spec/a_spec.rb[1:#{i}]" }, @listed)
  end
end
