// Which faults strike in this attempt: KANBAN_FAULTS is a comma list of `name` or `name=mode`. See README.md.
const ALWAYS = ['leftover', 'bug', 'hang'];

const modes = new Map((process.env.KANBAN_FAULTS ?? '').split(',').map((one) => one.trim()).filter(Boolean).map((one) => {
  const [name, mode] = one.split('=');
  return [name, mode ?? (ALWAYS.includes(name) ? 'always' : 'first')];
}));

function strikes(name) {
  const mode = modes.get(name);
  if (!mode) return false;
  if (mode === 'always') return true;
  if (mode === 'first') return (process.env.SHAKEDOWN_ATTEMPT ?? '1') === '1';
  return Math.random() < Number(mode);
}

module.exports = { strikes };
