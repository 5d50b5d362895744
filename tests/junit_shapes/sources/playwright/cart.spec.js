import { test, expect } from '@playwright/test';

test.describe('Cart', () => {
  test('adds up', async () => {
    test.info().annotations.push({ type: 'issue', description: 'prices' });
    console.log('said');
  });

  test('keeps "quoted" & <marked up> names', async () => {
    await test.info().attach('note', { body: 'kept', contentType: 'text/plain' });
    await test.info().attach('page', { path: import.meta.filename, contentType: 'text/plain' });
    expect(2).toBe(1);
  });

  test('passes at the second try', async () => {
    expect(test.info().retry).toBe(1);
  });

  test.fixme('later', async () => {});

  test('stops by itself', async () => {
    test.skip(true, 'not on Mondays');
  });
});
