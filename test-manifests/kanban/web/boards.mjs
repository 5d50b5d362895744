// What the board does, and all that it knows.
import { isOpen } from './faults.mjs';

const COLUMNS = ['To do', 'Doing', 'Done'];
/// No more cards than this are worked on at a time.
const LIMIT = 3;
const boards = new Map();
let next = 1;
let banner = '';
let overviewCache;

const id = () => String(next++);

export const get = (which) => boards.get(which);

export function create(name) {
  const board = { id: id(), name, cards: [], keys: new Map() };
  boards.set(board.id, board);
  overviewCache = undefined;
  return show(board);
}

export function show({ id: which, name, cards }) {
  const columns = COLUMNS.map((column) => ({ name: column, points: points(cards.filter((card) => card.column === column)) }));
  return { id: which, name, columns, cards };
}

function points(cards) {
  const counted = isOpen('bug') ? cards.slice(0, 2) : cards;
  return counted.reduce((sum, card) => sum + card.points, 0);
}

export function rename(board, name) {
  board.name = name;
  if (!isOpen('stale-cache')) overviewCache = undefined;
  return show(board);
}

// The same key means the same card: what is sent twice is made once.
export function addCard(board, column, title, key) {
  if (key && board.keys.has(key)) return board.keys.get(key);
  const card = { id: id(), column: column ?? COLUMNS[0], title, points: 1, labels: [], assignee: '', votes: 0, comments: [] };
  board.cards.push(card);
  if (key) board.keys.set(key, card);
  overviewCache = undefined;
  return card;
}

// Returns why not, if not.
export function changeCard(board, card, change) {
  const { column, position, ...rest } = change;
  if (column && column !== card.column) {
    if (!COLUMNS.includes(column)) return `there is no column ${column}`;
    const there = board.cards.filter((one) => one.column === column).length;
    if (column === 'Doing' && there >= LIMIT) return `no more than ${LIMIT} cards can be in Doing`;
    card.column = column;
    board.cards.push(board.cards.splice(board.cards.indexOf(card), 1)[0]);
  }
  if (position !== undefined) move(board, card, position);
  Object.assign(card, rest);
  return undefined;
}

// To that place, from 0, among the cards of its column.
function move(board, card, position) {
  const others = board.cards.filter((one) => one !== card);
  const before = others.filter((one) => one.column === card.column)[position];
  others.splice(before ? others.indexOf(before) : others.length, 0, card);
  board.cards = others;
}

export function removeCard(board, card) {
  board.cards.splice(board.cards.indexOf(card), 1);
  return { removed: card.id };
}

export function search({ cards }, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (card) => [card.title, card.assignee, ...card.labels].join(' ').toLowerCase();
  return cards.filter((card) => wanted.length && wanted.every((word) => text(card).includes(word)));
}

export function overview() {
  overviewCache ??= [...boards.values()].map(({ id: which, name, cards }) => ({ id: which, name, cards: cards.length }));
  return overviewCache;
}

export const announcement = () => banner;

export function announce(text) {
  banner = text;
  return banner;
}

export function csv({ cards }) {
  const quoted = (text) => `"${String(text).replaceAll('"', '""')}"`;
  const lines = cards.map((card) => [card.title, card.column, card.points, card.assignee].map(quoted).join(','));
  return ['title,column,points,assignee', ...lines].join('\n');
}

export function report(board) {
  const safe = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const rows = show(board).columns.map(({ name, points: sum }) => {
    const count = board.cards.filter((card) => card.column === name).length;
    return `<tr><td>${name}</td><td class="count">${count}</td><td class="points">${sum}</td></tr>`;
  });
  return `<!doctype html><title>Report</title><h1>${safe(board.name)}</h1><table>${rows.join('')}</table>`;
}
