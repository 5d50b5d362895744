// What the tests have in common: a board of their own each, and the faults that can be planted.
const base = require('@playwright/test');
const faults = require('./faults');

const { expect } = base;

// A page that shows a board.
class Board {
  constructor(page, request, { id, name }) {
    Object.assign(this, { page, request, id, name });
  }

  async open() {
    await this.page.goto(`/boards/${this.id}`);
    await expect(this.page.locator('body')).toHaveAttribute('data-ready', 'yes');
    return this;
  }

  // Makes a card behind the page's back.
  async has(title, fields = {}) {
    const { column, ...rest } = fields;
    const card = await (await this.request.post(`/api/boards/${this.id}/cards`, { data: { title, column } })).json();
    if (Object.keys(rest).length) await this.request.patch(`/api/boards/${this.id}/cards/${card.id}`, { data: rest });
    return card;
  }

  async add(title) {
    await this.page.getByLabel('Title of the card').fill(title);
    await this.page.getByRole('button', { name: 'Add card' }).click();
    await expect(this.card(title)).toBeVisible();
  }

  column(name) {
    return this.page.getByRole('region', { name, exact: true });
  }

  card(title) {
    return this.page.getByRole('article', { name: title, exact: true });
  }

  titles(column) {
    return this.column(column).locator('.title');
  }

  press(title, button) {
    return this.card(title).getByRole('button', { name: button, exact: true }).click();
  }
}

let count = 0;

const test = base.test.extend({
  // A new board, shown.
  board: async ({ page, newBoard }, use) => use(await (await newBoard(page)).open()),

  newBoard: async ({ request }, use) => {
    await use(async (page, name = `Board ${process.pid}-${(count += 1)}-${Date.now()}`) => {
      const answer = await request.post('/api/boards', { data: { name } });
      return new Board(page, request, await answer.json());
    });
  },

  // Opens the window of the fault that a test names, for as long as it runs.
  faults: [async ({ request }, use, info) => {
    const named = info.annotations.filter(({ type }) => type === 'fault').map(({ description }) => description);
    const open = named.filter((name) => faults.strikes(name));
    if (open.length) await request.put('/api/faults', { data: { open } });
    await use(open);
    if (open.length) await request.put('/api/faults', { data: { open: [] } });
  }, { auto: true }],
});

// What a test says of itself when a fault can hit it.
const hitBy = (fault) => ({ annotation: { type: 'fault', description: fault } });

module.exports = { test, expect, hitBy, Board };
