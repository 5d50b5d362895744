const { test, expect, Board } = require('../support/kanban');

// One card from its beginning to its end: each test goes on where the one before it stopped.
test.describe.serial('A card', () => {
  let made;

  const open = (page, request) => new Board(page, request, made).open();

  test('is made', async ({ page, request }) => {
    made = await (await request.post('/api/boards', { data: { name: `Walk ${Date.now()}` } })).json();
    const board = await open(page, request);
    await board.add('Paint the fence');
  });

  test('is estimated', async ({ page, request }) => {
    const board = await open(page, request);
    await board.card('Paint the fence').getByLabel('Points').fill('5');
    await board.card('Paint the fence').getByLabel('Points').press('Tab');
    await expect(board.column('To do').locator('.sum')).toHaveText('1 cards, 5 points');
  });

  test('is begun', async ({ page, request }) => {
    const board = await open(page, request);
    await board.press('Paint the fence', 'Forward');
    await expect(board.column('Doing').locator('.sum')).toHaveText('1 cards, 5 points');
  });

  test('is talked about', async ({ page, request }) => {
    const board = await open(page, request);
    await board.card('Paint the fence').getByLabel('New comment').fill('Green?');
    await board.card('Paint the fence').getByLabel('New comment').press('Enter');
    await expect(board.column('Doing').locator('.comments li')).toHaveText(['Green?']);
  });

  test('is done', async ({ page, request }) => {
    const board = await open(page, request);
    await board.press('Paint the fence', 'Forward');
    await expect(board.titles('Done')).toHaveText(['Paint the fence']);
  });
});
