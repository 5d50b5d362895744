// A board with columns and cards, kept in memory: an API, and pages that talk to it.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

import { isOpen, planted, setOpen } from './faults.mjs';
import * as boards from './boards.mjs';

const PORT = 8000;
const FILES = { '/board.js': 'text/javascript', '/style.css': 'text/css' };

// What a route throws to answer with that status.
class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const found = (thing, what) => {
  if (!thing) throw new Refused(404, `there is no such ${what}`);
  return thing;
};

// Method and path to what is done; `:name` stands for a part.
const routes = [];
const route = (method, path, handle) => {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name);
  const pattern = new RegExp(`^${path.replace(/:\w+/g, '([^/]+)').replace(/\./g, '\\.')}$`);
  routes.push({ method, pattern, names, handle });
};

const board = ({ board: id }) => found(boards.get(id), 'board');
const card = (names) => found(board(names).cards.find((one) => one.id === names.card), 'card');

route('GET', '/healthz', () => ({ ok: true }));
route('POST', '/api/boards', (_, { name }) => {
  if (!name?.trim()) throw new Refused(422, 'a board has a name');
  return boards.create(name.trim());
});
route('GET', '/api/boards/:board', (names) => boards.show(board(names)));
route('PATCH', '/api/boards/:board', (names, { name }) => boards.rename(board(names), name));
route('POST', '/api/boards/:board/cards', async (names, { column, title, key }) => {
  if (!title?.trim()) throw new Refused(422, 'a card has a title');
  // What takes a moment is where a second click finds room.
  if (isOpen('double-submit')) await pause(300);
  return boards.addCard(board(names), column, title.trim(), isOpen('double-submit') ? undefined : key);
});
route('PATCH', '/api/boards/:board/cards/:card', (names, change) => {
  const refusal = boards.changeCard(board(names), card(names), change);
  if (refusal) throw new Refused(409, refusal);
  return card(names);
});
route('DELETE', '/api/boards/:board/cards/:card', (names) => boards.removeCard(board(names), card(names)));
route('POST', '/api/boards/:board/cards/:card/comments', (names, { text }) => {
  if (!text?.trim()) throw new Refused(422, 'a comment has a text');
  card(names).comments.push(text.trim());
  return card(names);
});
route('POST', '/api/boards/:board/cards/:card/votes', async (names) => {
  const voted = card(names);
  if (isOpen('lost-update')) {
    const { votes } = voted;
    await pause(800);
    voted.votes = votes + 1;
  } else voted.votes += 1;
  return voted;
});
route('GET', '/api/boards/:board/search', async (names, _, query) => {
  if (isOpen('short-wait')) await pause(1500);
  return boards.search(board(names), query.get('q') ?? '');
});
route('GET', '/api/overview', () => boards.overview());
route('GET', '/api/announcement', () => ({ text: boards.announcement() }));
route('PUT', '/api/announcement', (_, { text }) => ({ text: boards.announce(text ?? '') }));
route('PUT', '/api/faults', (_, { open }) => {
  if (!planted()) throw new Refused(404, 'this board has no faults');
  setOpen(open);
  return { open };
});
route('GET', '/boards/:board/export.csv', async (names) => {
  if (isOpen('hang')) await new Promise(() => {});
  return { type: 'text/csv', body: boards.csv(board(names)) };
});
route('GET', '/boards/:board/report', (names) => {
  if (isOpen('crash')) {
    console.error('report: out of paper');
    process.exit(1);
  }
  return { type: 'text/html', body: boards.report(board(names)) };
});
route('GET', '/', () => page('overview.html'));
route('GET', '/boards/:board', (names) => board(names) && page('board.html'));

const page = async (name) => ({ type: 'text/html', body: await readFile(new URL(`public/${name}`, import.meta.url)) });

async function answer(request) {
  const url = new URL(request.url, 'http://board');
  if (request.method === 'GET' && FILES[url.pathname]) {
    return { type: FILES[url.pathname], body: await readFile(new URL(`public${url.pathname}`, import.meta.url)) };
  }
  let text = '';
  for await (const chunk of request) text += chunk;
  for (const { method, pattern, names, handle } of routes) {
    const match = method === request.method && pattern.exec(url.pathname);
    if (!match) continue;
    const values = Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(match[index + 1])]));
    const made = await handle(values, text ? JSON.parse(text) : {}, url.searchParams);
    return made?.type && made.body !== undefined ? made : { type: 'application/json', body: JSON.stringify(made) };
  }
  throw new Refused(404, 'there is nothing here');
}

const server = createServer(async (request, response) => {
  const started = performance.now();
  let status = 200;
  try {
    const { type, body } = await answer(request);
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }).end(body);
  } catch (error) {
    status = error.status ?? 500;
    if (status === 500) console.error(error);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: error.message }));
  }
  if (request.url !== '/healthz') {
    console.log(`${new Date().toISOString()} ${request.method} ${request.url} ${status} ${(performance.now() - started).toFixed(1)} ms`);
  }
});
server.listen(PORT, () => console.log(`the board listens on port ${PORT}`));
process.on('SIGTERM', () => process.exit(0));
