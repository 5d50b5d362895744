# frozen_string_literal: true

require "test_helper"

NAMES = [
  "with  two blanks",
  %q(it's "quoted" `so`),
  '$HOME $(id) ${x} #{y} %s %d',
  '[1] (a|b) {c} * ? ^ .+ \d ' + "\\",
  "first line\nsecond line",
  "🚀 über façade",
  "a/b::c › d, e; f & g | h > /dev/null <i>&amp;</i>",
  "--fail-fast -x"
].freeze

describe "Odd [names] $(of) 'groups'" do
  NAMES.each_with_index { |name, index| it(name) { mark "odd #{index + 1}" } }
end
