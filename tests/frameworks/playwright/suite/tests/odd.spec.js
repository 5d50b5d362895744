const { test } = require('@playwright/test');
const { mark } = require('../support/roles');

const NAMES = [
  'with  two blanks',
  'it\'s "quoted" `so`',
  '$HOME $(id) ${x} #{y} %s %d',
  '[1] (a|b) {c} * ? ^ .+ \\d \\',
  'first line\nsecond line',
  '🚀 über façade',
  'a/b::c › d, e; f & g | h > /dev/null <i>&amp;</i>',
  '--fail-fast -x',
];

test.describe('Odd [names] $(of) \'groups\' > "here"', () => {
  NAMES.forEach((name, index) => test(name, () => mark(`odd ${index + 1}`)));
});
