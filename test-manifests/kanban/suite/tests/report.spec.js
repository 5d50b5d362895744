const { test, expect, hitBy } = require('../support/kanban');

test.describe('Report', () => {
  test('counts each column', hitBy('crash'), async ({ board, page }) => {
    await board.has('a', { points: 2 });
    await board.has('b', { column: 'Done', points: 3 });
    await page.getByRole('link', { name: 'Report' }).click();
    await expect(page.locator('.count')).toHaveText(['1', '0', '1']);
    await expect(page.locator('.points')).toHaveText(['2', '0', '3']);
  });

  test('has the name of the board, as it is written', async ({ newBoard, page }) => {
    const board = await newBoard(page, `<Garden> & ${Date.now()}`);
    await board.open();
    await page.getByRole('link', { name: 'Report' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(board.name);
  });
});
