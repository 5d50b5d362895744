// An article can be called helpful once on each visit.
const button = document.querySelector('#helped');
button.onclick = async () => {
  button.disabled = true;
  const answer = await fetch(button.dataset.path, { method: 'POST' });
  document.querySelector('#helpful').textContent = (await answer.json()).helpful;
};
