const { test, expect, hitBy } = require('../support/kanban');

test.describe('Adding', () => {
  test('makes one card, however often the button is clicked', hitBy('double-submit'), async ({ board, page }) => {
    await page.getByLabel('Title of the card').fill('Just one');
    const saved = page.waitForResponse((answer) => answer.request().method() === 'POST');
    await page.getByRole('button', { name: 'Add card' }).dblclick();
    await saved;
    await page.waitForLoadState('networkidle');
    await board.open();
    await expect(board.titles('To do')).toHaveText(['Just one']);
  });

  test('clears the field for the next one', async ({ board, page }) => {
    await board.add('First');
    await expect(page.getByLabel('Title of the card')).toHaveValue('');
    await board.add('Second');
    await expect(board.titles('To do')).toHaveText(['First', 'Second']);
  });

  test('works with the Enter key', { tag: '@phone' }, async ({ board, page }) => {
    await page.getByLabel('Title of the card').fill('By key');
    await page.getByLabel('Title of the card').press('Enter');
    await expect(board.titles('To do')).toHaveText(['By key']);
  });
});
