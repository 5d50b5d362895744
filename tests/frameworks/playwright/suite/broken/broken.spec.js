const { test } = require('@playwright/test');
const { mark } = require('../support/roles');

test('is never seen', () => mark('never'));
noSuchWord('nowhere'); // broken here
