const { test } = require('@playwright/test');

const mark = (role) => console.log(`<<${role}>>`);

// Asked for by another file.
const shared = () => test('role shared', () => mark('shared'));

module.exports = { mark, shared };
