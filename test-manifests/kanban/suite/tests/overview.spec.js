const { test, expect, hitBy } = require('../support/kanban');

test.describe('Overview', () => {
  const line = (page, name) => page.getByRole('listitem').filter({ hasText: name });

  test('leads to a board', { tag: '@smoke' }, async ({ board, page }) => {
    await page.goto('/');
    await page.getByRole('link', { name: board.name }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(board.name);
  });

  test('counts the cards', async ({ board, page }) => {
    await board.has('one');
    await page.goto('/');
    await expect(line(page, board.name)).toContainText('(1 card)');
    await board.has('two');
    await page.reload();
    await expect(line(page, board.name)).toContainText('(2 cards)');
  });

  test('shows a board by its new name', hitBy('stale-cache'), async ({ board, page }) => {
    await page.goto('/');
    await expect(line(page, board.name)).toBeVisible();
    await board.open();
    const name = `Renamed ${Date.now()}`;
    await page.getByLabel('New name').fill(name);
    await page.getByRole('button', { name: 'Rename' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
    await page.getByRole('link', { name: 'All boards' }).click();
    await expect(line(page, name)).toBeVisible({ timeout: 2000 });
  });
});
