const { test, expect, hitBy } = require('../support/kanban');

test.describe('Search', () => {
  test.beforeEach(async ({ board }) => {
    await board.has('Buy paint', { labels: ['shop'], assignee: 'Ada' });
    await board.has('Paint the fence', { assignee: 'Grace' });
    await board.has('Call Ada', { column: 'Done' });
    await board.open();
  });

  const results = (page) => page.locator('.result');

  test('finds cards while one types', hitBy('short-wait'), async ({ page }) => {
    await page.getByLabel('Search').fill('paint');
    // Whoever wrote this had a quick machine.
    await expect(results(page)).toHaveText(['Buy paint (To do)', 'Paint the fence (To do)'], { timeout: 1000 });
  });

  test('finds by assignee and label', async ({ page }) => {
    await page.getByLabel('Search').fill('ada');
    await expect(results(page)).toHaveText(['Buy paint (To do)', 'Call Ada (Done)']);
    await page.getByLabel('Search').fill('shop');
    await expect(results(page)).toHaveText(['Buy paint (To do)']);
  });

  test('wants all words', async ({ page }) => {
    await page.getByLabel('Search').fill('paint grace');
    await expect(results(page)).toHaveText(['Paint the fence (To do)']);
  });

  test('says when there is nothing', async ({ page }) => {
    await page.getByLabel('Search').fill('zebra');
    await expect(page.locator('#results')).toHaveText('Nothing was found');
  });

  test('shows nothing when the field is empty again', async ({ page }) => {
    await page.getByLabel('Search').fill('paint');
    await expect(results(page)).toHaveCount(2);
    await page.getByLabel('Search').fill('');
    await expect(page.locator('#results li')).toHaveCount(0);
  });
});
