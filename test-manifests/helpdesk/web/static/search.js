// Shows what is found while one types; an answer that is overtaken by a later question is dropped.
const words = document.querySelector('#words');
const results = document.querySelector('#results');
let asked = 0;

words.oninput = async () => {
  asked += 1;
  const mine = asked;
  const found = await (await fetch(`/api/search?q=${encodeURIComponent(words.value)}`)).json();
  if (mine !== asked) return;
  results.replaceChildren(...found.map(({ id, subject, status }) => {
    const item = document.createElement('li');
    const link = Object.assign(document.createElement('a'), { href: `/tickets/${id}`, textContent: subject });
    item.append(link, ` (${status})`);
    return item;
  }));
  document.querySelector('#none').hidden = found.length > 0 || !words.value.trim();
};
