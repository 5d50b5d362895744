const { test, expect } = require('../support/kanban');

test.describe('Comments', () => {
  const say = async (board, text) => {
    await board.card('Talked about').getByLabel('New comment').fill(text);
    await board.card('Talked about').getByLabel('New comment').press('Enter');
  };

  test.beforeEach(async ({ board }) => {
    await board.add('Talked about');
  });

  test('stand below the card', async ({ board }) => {
    await say(board, 'Who does it?');
    await expect(board.card('Talked about').locator('.comments li')).toHaveText(['Who does it?']);
  });

  test('stand in their order', async ({ board }) => {
    for (const text of ['Who?', 'Me.', 'When?']) {
      await say(board, text);
      await expect(board.card('Talked about').locator('.comments li').last()).toHaveText(text);
    }
    await expect(board.card('Talked about').locator('.comments li')).toHaveText(['Who?', 'Me.', 'When?']);
  });

  test('need a text', async ({ board, page }) => {
    await say(board, ' ');
    await expect(page.getByRole('alert')).toHaveText('a comment has a text');
    await expect(board.card('Talked about').locator('.comments li')).toHaveCount(0);
  });

  test('go along when the card moves', async ({ board }) => {
    await say(board, 'Soon');
    await expect(board.card('Talked about').locator('.comments li')).toHaveText(['Soon']);
    await board.press('Talked about', 'Forward');
    await expect(board.column('Doing').locator('.comments li')).toHaveText(['Soon']);
  });
});
