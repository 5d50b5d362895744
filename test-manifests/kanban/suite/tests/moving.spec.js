const { test, expect } = require('../support/kanban');

test.describe('Moving', () => {
  test('takes a card forward and back', { tag: '@phone' }, async ({ board }) => {
    await board.add('Travels');
    for (const [button, column] of [['Forward', 'Doing'], ['Forward', 'Done'], ['Back', 'Doing'], ['Back', 'To do']]) {
      await board.press('Travels', button);
      await expect(board.titles(column)).toHaveText(['Travels']);
    }
  });

  test('ends at the first and the last column', async ({ board }) => {
    await board.has('First');
    await board.has('Last', { column: 'Done' });
    await board.open();
    await expect(board.card('First').getByRole('button', { name: 'Back' })).toHaveCount(0);
    await expect(board.card('Last').getByRole('button', { name: 'Forward' })).toHaveCount(0);
  });

  test('puts a card behind those that are there', async ({ board }) => {
    await board.has('Already there', { column: 'Doing' });
    await board.has('Comes');
    await board.open();
    await board.press('Comes', 'Forward');
    await expect(board.titles('Doing')).toHaveText(['Already there', 'Comes']);
  });

  test('goes up within a column', async ({ board }) => {
    for (const title of ['a', 'b', 'c']) await board.has(title);
    await board.open();
    await board.press('c', 'Up');
    await expect(board.titles('To do')).toHaveText(['a', 'c', 'b']);
    await board.press('c', 'Up');
    await expect(board.titles('To do')).toHaveText(['c', 'a', 'b']);
    await expect(board.card('c').getByRole('button', { name: 'Up' })).toHaveCount(0);
  });

  test('is refused where too much is being done', async ({ board, page }) => {
    for (const title of ['1', '2', '3']) await board.has(title, { column: 'Doing' });
    await board.has('one too many');
    await board.open();
    await board.press('one too many', 'Forward');
    await expect(page.getByRole('alert')).toHaveText('no more than 3 cards can be in Doing');
    await expect(board.titles('To do')).toHaveText(['one too many']);
  });

  test('is possible again when there is room', async ({ board, page }) => {
    for (const title of ['1', '2', '3']) await board.has(title, { column: 'Doing' });
    await board.has('waits');
    await board.open();
    await board.press('2', 'Forward');
    await expect(board.titles('Done')).toHaveText(['2']);
    await board.press('waits', 'Forward');
    await expect(board.titles('Doing')).toHaveText(['1', '3', 'waits']);
    await expect(page.getByRole('alert')).toHaveText('');
  });

  test('is seen by somebody else who looks', async ({ board, newBoard, browser, baseURL }) => {
    await board.add('Shared');
    await board.press('Shared', 'Forward');
    await expect(board.titles('Doing')).toHaveText(['Shared']);
    const context = await browser.newContext({ baseURL });
    const page = await context.newPage();
    await page.goto(`/boards/${board.id}`);
    await expect(page.getByRole('region', { name: 'Doing' }).locator('.title')).toHaveText(['Shared']);
    await context.close();
  });
});
