const { test, expect, hitBy } = require('../support/kanban');

test.describe('Points', () => {
  test('of a column are added up', hitBy('bug'), async ({ board }) => {
    for (const points of [3, 5, 8]) await board.has(`worth ${points}`, { points });
    await board.open();
    await test.step('look at the sum', async () => {
      await expect(board.column('To do').locator('.sum')).toHaveText('3 cards, 16 points', { timeout: 2000 });
    });
  });

  test('change with the field of the card', async ({ board }) => {
    await board.add('Guess');
    await board.card('Guess').getByLabel('Points').fill('13');
    await board.card('Guess').getByLabel('Points').press('Tab');
    await expect(board.column('To do').locator('.sum')).toHaveText('1 cards, 13 points');
  });

  test('go along when a card moves', async ({ board }) => {
    await board.has('Heavy', { points: 5 });
    await board.open();
    await board.press('Heavy', 'Forward');
    await expect(board.column('Doing').locator('.sum')).toHaveText('1 cards, 5 points');
    await expect(board.column('To do').locator('.sum')).toHaveText('0 cards, 0 points');
  });
});
