# frozen_string_literal: true

RSpec.describe "Roles" do
  it("role passes") { mark "passes" }

  it "role fails" do
    mark "fails"
    expect("two").to eq("one"), "expected one, got two" # fails here
  end

  it("role skipped") { skip "not on a Tuesday" }

  it "role pending" do
    mark "pending"
    pending "bug 7"
    expect(1).to eq(2)
  end

  it "role fixed" do
    mark "fixed"
    pending "bug 8"
  end

  it("role tagged", :smoke) { mark "tagged" }

  describe "with a failing hook" do
    before { raise "no table" } # setup fails here
    it("role setup") { mark "setup" }
  end

  describe "with a hook that fails later" do
    after { raise "stuck door" } # teardown fails here
    it("role teardown") { mark "teardown" }
  end

  it "role environment" do
    mark "environment"
    names = %w[SHAKEDOWN_RUN_ID SHAKEDOWN_LANE SHAKEDOWN_ATTEMPT SHAKEDOWN_SEED TEST_ENV_NUMBER]
    puts "env(#{names.map { |name| ENV[name] }.join(' ')})"
  end

  describe "violence" do
    it("role exits") { puts "last words of exits"; exit 0 }
    it("role dies") { puts "last words of dies"; exit! 0 }
    it("role killed") { puts "last words of killed"; Process.kill(:KILL, Process.pid); sleep }

    it "role deaf" do
      %w[INT TERM].each { |signal| trap(signal, "IGNORE") }
      spawn("sleep", "48211")
      sleep
    end
  end

  describe "with a costly context" do
    before(:context) { mark "context" }
    it("role first") { mark "first" }
    it("role second") { mark "second" }
  end

  describe("nested") { describe("deeper") { it_behaves_like "what others ask for" } }

  [1, 10].each { |number| it("role number #{number}") { mark "number_#{number}" } }

  it("role plain") { mark "plain" }
end
