const { test, expect } = require('../support/kanban');

test.describe('Cards', () => {
  test('are added to the first column', { tag: ['@smoke', '@phone'] }, async ({ board }) => {
    await board.add('Water the plants');
    await expect(board.titles('To do')).toHaveText(['Water the plants']);
    await expect(board.column('To do').locator('.sum')).toHaveText('1 cards, 1 points');
  });

  test('stay in the order in which they were added', async ({ board }) => {
    for (const title of ['one', 'two', 'three', 'four']) await board.add(title);
    await expect(board.titles('To do')).toHaveText(['one', 'two', 'three', 'four']);
  });

  test('need a title', async ({ board, page }) => {
    await page.getByRole('button', { name: 'Add card' }).click();
    await expect(page.getByRole('alert')).toHaveText('a card has a title');
    await expect(board.column('To do').locator('.card')).toHaveCount(0);
  });

  test('may have any title', async ({ board }) => {
    for (const title of ['<b>bold</b>', '“quoted” & \'such\'', '🦊 emoji', '100 % $HOME']) await board.add(title);
    await expect(board.titles('To do')).toHaveText(['<b>bold</b>', '“quoted” & \'such\'', '🦊 emoji', '100 % $HOME']);
  });

  test('get another title by a double click', async ({ board, page }) => {
    await board.add('Tipo');
    await board.card('Tipo').locator('.title').dblclick();
    await page.getByLabel('Edit title').fill('Typo');
    await page.getByLabel('Edit title').press('Enter');
    await expect(board.titles('To do')).toHaveText(['Typo']);
  });

  test('keep their title when the change is given up', async ({ board, page }) => {
    await board.add('As it was');
    await board.card('As it was').locator('.title').dblclick();
    await page.getByLabel('Edit title').fill('Something else');
    await page.getByLabel('Edit title').press('Escape');
    await expect(board.titles('To do')).toHaveText(['As it was']);
  });

  test('are deleted when that is meant', async ({ board, page }) => {
    await board.add('Goes');
    await board.add('Stays');
    await board.press('Goes', 'Delete');
    await page.getByRole('button', { name: 'Yes, delete' }).click();
    await expect(board.titles('To do')).toHaveText(['Stays']);
  });

  test('are not deleted when it is not meant', async ({ board, page }) => {
    await board.add('Stays');
    await board.press('Stays', 'Delete');
    await page.getByRole('button', { name: 'Keep it' }).click();
    await expect(board.titles('To do')).toHaveText(['Stays']);
  });

  test('have an assignee, who is still there after a reload', async ({ board, page }) => {
    await board.add('Assigned');
    await board.card('Assigned').getByLabel('Assignee').fill('Ada');
    const saved = page.waitForResponse((answer) => answer.request().method() === 'PATCH');
    await board.card('Assigned').getByLabel('Assignee').press('Tab');
    await saved;
    await board.open();
    await expect(board.card('Assigned').getByLabel('Assignee')).toHaveValue('Ada');
  });

  test('get labels and lose them again', async ({ board }) => {
    await board.add('Labelled');
    for (const label of ['urgent', 'home']) {
      await board.card('Labelled').getByLabel('New label').fill(label);
      await board.card('Labelled').getByLabel('New label').press('Enter');
      await expect(board.card('Labelled').locator('.label').last()).toHaveText(label);
    }
    await board.card('Labelled').locator('.label').first().click();
    await expect(board.card('Labelled').locator('.label')).toHaveText(['home']);
  });

  test('survive a reload', async ({ board }) => {
    await board.add('Kept');
    await board.open();
    await expect(board.titles('To do')).toHaveText(['Kept']);
  });
});
