const { test } = require('@playwright/test');
const { mark } = require('../support/roles');

test('role passes', () => mark('passes'));
test.only('role focused', () => mark('focused'));
test.describe('others', () => test('role plain', () => mark('plain')));
