const { readFileSync, readdirSync } = require('fs');
const { test, expect } = require('../support/kanban');
const faults = require('../support/faults');

const parent = (pid) => Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1).split(' ')[1]);

// Playwright's process is between this one and what started it.
const killWorker = () => process.kill(parent(process.ppid), 'SIGKILL');

function killBrowser() {
  const mine = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of mine) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('headless-shell')) process.kill(pid, 'SIGKILL');
    } catch {
      continue; // it ended while we looked
    }
  }
}

const ends = { 'kill-worker': killWorker, 'kill-browser': killBrowser, 'kill-runner': () => process.kill(1, 'SIGTERM') };

// Something ends in the midst of a test, where that is asked for.
test.describe('Ending', () => {
  for (const name of ['a before', 'b in the midst', 'c after']) {
    test(name, async ({ board }) => {
      await board.add(name);
      const struck = Object.keys(ends).filter((fault) => name === 'b in the midst' && faults.strikes(fault));
      for (const fault of struck) {
        ends[fault]();
        // Without a browser the test goes on and fails; otherwise nobody is there to hear how it ends.
        if (fault !== 'kill-browser') await new Promise(() => {});
      }
      await expect(board.titles('To do')).toHaveText([name]);
    });
  }
});
