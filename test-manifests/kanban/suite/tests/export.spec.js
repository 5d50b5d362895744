const { test, expect, hitBy } = require('../support/kanban');

test.describe('Export', () => {
  test('has a line for each card', hitBy('hang'), async ({ board, request }) => {
    await board.has('a "quoted" one', { points: 2, assignee: 'Ada' });
    const answer = await request.get(`/boards/${board.id}/export.csv`, { timeout: 0 });
    expect(await answer.text()).toBe('title,column,points,assignee\n"a ""quoted"" one","To do","2","Ada"');
  });

  test('of an empty board is the heading alone', async ({ board, request }) => {
    const answer = await request.get(`/boards/${board.id}/export.csv`);
    expect(answer.headers()['content-type']).toContain('text/csv');
    expect(await answer.text()).toBe('title,column,points,assignee');
  });
});
