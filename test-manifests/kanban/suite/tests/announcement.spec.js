const { test, expect } = require('../support/kanban');
const faults = require('../support/faults');

// The one thing that exists once for all boards: each test that hangs it up takes it down.
test.describe('Announcement', () => {
  const announce = (request, text) => request.put('/api/announcement', { data: { text } });

  test('is shown on every board', async ({ board, page, request }) => {
    await announce(request, 'Closed on Monday');
    await board.open();
    await expect(page.getByRole('status')).toHaveText('Closed on Monday');
    if (!faults.strikes('leftover')) await announce(request, '');
  });

  test('is not there on an ordinary day', async ({ board, page }) => {
    await expect(page.locator('#announcement')).toHaveText('', { timeout: 2000 });
    await expect(board.column('Doing')).toBeVisible();
  });

  test('is replaced by a later one', async ({ page, request }) => {
    await announce(request, 'First');
    await announce(request, 'Second');
    await page.goto('/');
    await expect(page.getByRole('status')).toHaveText('Second');
    await announce(request, '');
  });
});
