// The page of a board: it draws what the API tells, and tells the API what is clicked.
const path = `/api${location.pathname}`;
const $ = (selector) => document.querySelector(selector);
const make = (tag, fields = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), fields);
  element.append(...children);
  return element;
};

async function ask(method, where, body) {
  const answer = await fetch(where, { method, body: body && JSON.stringify(body) });
  const told = await answer.json();
  $('.error').textContent = told.error ?? '';
  return told;
}

async function change(card, fields) {
  await ask('PATCH', `${path}/cards/${card.id}`, fields);
  const { textContent: error } = $('.error');
  await draw();
  $('.error').textContent = error;
}

function button(label, does) {
  return make('button', { type: 'button', textContent: label, onclick: does });
}

function drawCard(card, column, columns, place) {
  const at = columns.findIndex(({ name }) => name === column.name);
  const title = make('strong', { className: 'title', textContent: card.title, tabIndex: 0 });
  title.ondblclick = () => {
    const input = make('input', { value: card.title, ariaLabel: 'Edit title' });
    input.onkeydown = ({ key }) => {
      if (key === 'Enter') change(card, { title: input.value });
      if (key === 'Escape') draw();
    };
    title.replaceWith(input);
    input.focus();
  };
  const points = make('input', { type: 'number', min: 0, value: card.points, ariaLabel: 'Points', className: 'points' });
  points.onchange = () => change(card, { points: Number(points.value) });
  const assignee = make('input', { value: card.assignee, ariaLabel: 'Assignee' });
  assignee.onchange = () => change(card, { assignee: assignee.value });
  const label = make('input', { ariaLabel: 'New label' });
  label.onkeydown = ({ key }) => key === 'Enter' && change(card, { labels: [...card.labels, label.value] });
  const labels = card.labels.map((text) => {
    const element = make('span', { className: 'label', textContent: text, title: 'Remove' });
    element.onclick = () => change(card, { labels: card.labels.filter((one) => one !== text) });
    return element;
  });
  const comment = make('input', { ariaLabel: 'New comment' });
  comment.onkeydown = async ({ key }) => {
    if (key !== 'Enter') return;
    const told = await ask('POST', `${path}/cards/${card.id}/comments`, { text: comment.value });
    if (!told.error) draw();
  };
  const comments = make('ol', { className: 'comments' }, ...card.comments.map((text) => make('li', { textContent: text })));
  const vote = button('Vote', async () => {
    await ask('POST', `${path}/cards/${card.id}/votes`);
    draw();
  });
  const votes = make('span', { className: 'votes', textContent: `${card.votes} votes` });
  const moves = [];
  if (at > 0) moves.push(button('Back', () => change(card, { column: columns[at - 1].name })));
  if (at < columns.length - 1) moves.push(button('Forward', () => change(card, { column: columns[at + 1].name })));
  if (place > 0) moves.push(button('Up', () => change(card, { position: place - 1 })));
  const remove = button('Delete', () => {
    const sure = make('dialog', {}, make('p', { textContent: `Delete ${card.title}?` }),
      button('Keep it', () => sure.remove()),
      button('Yes, delete', async () => {
        sure.remove();
        await ask('DELETE', `${path}/cards/${card.id}`);
        draw();
      }));
    document.body.append(sure);
    sure.showModal();
  });
  return make('article', { className: 'card', ariaLabel: card.title }, title, ' ', ...labels, make('div', {}, points, assignee, label),
    make('div', {}, vote, ' ', votes), comments, comment, make('div', {}, ...moves, remove));
}

async function draw() {
  const board = await (await fetch(path)).json();
  $('h1').textContent = board.name;
  document.title = board.name;
  const columns = board.columns.map((column) => {
    const cards = board.cards.filter((card) => card.column === column.name);
    return make('section', { className: 'column', ariaLabel: column.name },
      make('h2', { textContent: column.name }),
      make('p', { className: 'sum', textContent: `${cards.length} cards, ${column.points} points` }),
      ...cards.map((card, place) => drawCard(card, column, board.columns, place)));
  });
  $('#columns').replaceChildren(...columns);
}

let key = crypto.randomUUID?.() ?? String(Math.random());
$('#add').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { title } = event.target.elements;
  const told = await ask('POST', `${path}/cards`, { title: title.value, key });
  if (told.error) return;
  await draw();
  title.value = '';
  key = String(Math.random());
});
$('#rename').addEventListener('submit', async (event) => {
  event.preventDefault();
  await ask('PATCH', path, { name: event.target.elements.name.value });
  draw();
});
$('#search').addEventListener('input', async ({ target }) => {
  const found = await ask('GET', `${path}/search?q=${encodeURIComponent(target.value)}`);
  if (target.value !== $('#search input').value) return;
  const shown = found.map((card) => make('li', { className: 'result', textContent: `${card.title} (${card.column})` }));
  const none = target.value && !found.length ? [make('li', { textContent: 'Nothing was found' })] : [];
  $('#results').replaceChildren(...shown, ...none);
});
$('#search').addEventListener('submit', (event) => event.preventDefault());
$('#report').href = `${location.pathname}/report`;
$('#export').href = `${location.pathname}/export.csv`;
$('#announcement').textContent = (await (await fetch('/api/announcement')).json()).text;
await draw();
document.body.dataset.ready = 'yes';
