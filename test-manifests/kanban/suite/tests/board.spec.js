const { test, expect } = require('../support/kanban');

test.describe('Board', { tag: '@smoke' }, () => {
  test('starts with three columns and no cards', { tag: '@phone' }, async ({ board, page }) => {
    await expect(page.getByRole('heading', { level: 2 })).toHaveText(['To do', 'Doing', 'Done']);
    await expect(page.getByRole('article')).toHaveCount(0);
    await expect(board.column('Doing').locator('.sum')).toHaveText('0 cards, 0 points');
  });

  test('is created on the page of all boards', { tag: '@phone' }, async ({ page }) => {
    const name = `Garden ${Date.now()}`;
    await page.goto('/');
    await page.getByLabel('Name of the board').fill(name);
    await page.getByRole('button', { name: 'Create board' }).click();
    await expect(page).toHaveURL(/\/boards\/\d+$/);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
  });

  test('needs a name', async ({ page }) => {
    await page.goto('/');
    await page.getByRole('button', { name: 'Create board' }).click();
    await expect(page.getByRole('alert')).toHaveText('a board has a name');
  });

  test('is renamed', async ({ board, page }) => {
    await page.getByLabel('New name').fill('Kitchen');
    await page.getByRole('button', { name: 'Rename' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Kitchen');
    await board.open();
    await expect(page).toHaveTitle('Kitchen');
  });

  test('that is not there is not found', async ({ request }) => {
    const answer = await request.get('/boards/999999');
    expect(answer.status()).toBe(404);
    expect((await answer.json()).error).toBe('there is no such board');
  });

  test('keeps its cards apart from another board’s', async ({ board, newBoard, page }) => {
    await board.add('Only here');
    const other = await newBoard(page);
    await other.open();
    await expect(page.getByRole('article')).toHaveCount(0);
  });
});
