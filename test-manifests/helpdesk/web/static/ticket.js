// A reply is sent without leaving the page, with a key that makes a second click harmless.
const form = document.querySelector('#answer');
const sent = document.querySelector('#sent');
let underWay = 0;

form.onsubmit = async (event) => {
  event.preventDefault();
  underWay += 1;
  sent.textContent = 'Sending';
  const reply = { body: form.body.value, internal: form.internal.checked, key: form.dataset.key };
  const answer = await fetch(form.dataset.path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(reply),
  });
  const told = await answer.json();
  underWay -= 1;
  if (told.error) sent.textContent = told.error;
  else if (underWay === 0) location.reload();
};
