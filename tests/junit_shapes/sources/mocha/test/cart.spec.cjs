const assert = require('node:assert');

describe('Cart', () => {
  it('adds up', () => {});

  it('keeps "quoted" & <marked up> names', () => {
    assert.strictEqual(2, 1);
  });

  describe('when empty', () => {
    it('later');

    it('says so 🚀', () => {
      throw new TypeError('no text');
    });
  });
});

describe('Till', () => {
  before(() => {
    throw new Error('no till');
  });

  it('opens', () => {});
});
