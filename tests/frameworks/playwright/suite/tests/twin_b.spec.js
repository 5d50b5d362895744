const { test } = require('@playwright/test');
const { mark } = require('../support/roles');

test.describe('Twins', () => {
  test('role twin', () => mark('twin b'));
});
