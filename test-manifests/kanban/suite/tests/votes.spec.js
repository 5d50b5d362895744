const { test, expect, hitBy } = require('../support/kanban');

test.describe('Votes', () => {
  test('are counted', async ({ board }) => {
    await board.add('Popular');
    for (const votes of ['1 votes', '2 votes', '3 votes']) {
      await board.press('Popular', 'Vote');
      await expect(board.card('Popular').locator('.votes')).toHaveText(votes);
    }
  });

  test('of two people at the same moment both count', hitBy('lost-update'), async ({ board, browser, baseURL }) => {
    await board.add('Popular');
    const context = await browser.newContext({ baseURL });
    const other = await context.newPage();
    await other.goto(`/boards/${board.id}`);
    const votes = [board.page, other].map(async (page) => {
      const counted = page.waitForResponse((answer) => answer.url().endsWith('/votes'));
      await page.getByRole('article', { name: 'Popular' }).getByRole('button', { name: 'Vote' }).click();
      await counted;
    });
    await Promise.all(votes);
    await context.close();
    await board.open();
    await expect(board.card('Popular').locator('.votes')).toHaveText('2 votes', { timeout: 2000 });
  });

  test('of one card are not those of another', async ({ board }) => {
    await board.add('Voted for');
    await board.add('Passed over');
    await board.press('Voted for', 'Vote');
    await expect(board.card('Voted for').locator('.votes')).toHaveText('1 votes');
    await expect(board.card('Passed over').locator('.votes')).toHaveText('0 votes');
  });
});
