'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const { eventually, loaded, loadedFile, of, outcomes, read, folder } = require('./support.cjs');

const NAMES = "for (const name of ['1', '2', '3'])";

test('a test that exits or is killed costs itself only', async () => {
  for (const end of ['process.exit(0)', "process.kill(process.pid, 'SIGKILL')", 'process.abort()']) {
    const worker = await loadedFile(`${NAMES} test(name, () => { console.log('in ' + name); if (name === '2') ${end}; });`);
    const events = await worker.runAll();
    assert.deepEqual(outcomes(events), ['passed 1', 'failed 2', 'passed 3'], end);
    assert.match(of(events, 'ended')[1].failure.message, /worker process exited unexpectedly/);
    assert.match(worker.stderr, /in 2\n/);
  }
});

test('when Playwright itself is killed, that costs the test that ran, and the rest runs in another process', async () => {
  const worker = await loadedFile(`${NAMES} test(name, async () => {
    console.log('in ' + name);
    if (name === '2') { process.kill(process.ppid, 'SIGKILL'); await new Promise(() => {}); }
  });`);
  const events = await worker.runAll();
  assert.deepEqual(outcomes(events), ['passed 1', 'failed 2', 'passed 3']);
  assert.equal(of(events, 'ended')[1].failure.message, 'the process of playwright test ended with signal SIGKILL while this test ran');
  assert.deepEqual(outcomes(await worker.runAll()), ['passed 1', 'failed 2', 'passed 3'], 'and again');
});

test('a process that never comes as far as a test fails those it was to run, with what it said', async () => {
  const worker = await loaded({
    'playwright.config.js': "if (process.env.SHAKEDOWN_ATTEMPT) { console.error('not today'); process.exit(3); }\nmodule.exports = { testDir: 'tests', globalSetup: './none.js' };",
    'none.js': 'module.exports = () => {};',
    'tests/a.spec.js': "test('1', () => {}); test('2', () => {});",
  });
  const events = await worker.runAll();
  assert.deepEqual(outcomes(events), ['failed 1', 'failed 2']);
  assert.match(of(events, 'ended')[0].failure.message, /ended with exit code 3 and did not run this test; it said last: not today/);
});

test('the next process waits ahead of need, and takes its tests when they come', async () => {
  const worker = await loadedFile("test('1', () => {}); test('2', () => { throw new Error('no'); });");
  for (const [selector, expected] of [['1', 'passed 1'], ['2', 'failed 2'], ['1', 'passed 1']]) {
    await eventually(() => worker.processes().length === 2, 'one process beside the worker');
    assert.deepEqual(outcomes(await worker.run(`tests/a.spec.js › ${selector}`)), [expected]);
  }
});

test('no process starts ahead of need where that would start a server or set something up', async () => {
  const worker = await loaded({
    'playwright.config.js': "module.exports = { testDir: 'tests', globalSetup: './setup.js' };",
    'setup.js': "module.exports = () => require('fs').appendFileSync('ran', 'x');",
    'tests/a.spec.js': "test('1', () => {});",
  });
  assert.equal(worker.processes().length, 1);
  await worker.runAll();
  await eventually(() => worker.processes().length === 1, 'the worker alone');
  assert.equal(read('ran'), 'x');
});

test('told to quit, the worker ends and nothing of it stays', async () => {
  const worker = await loadedFile("test('1', () => {});");
  await worker.runAll();
  worker.send({ type: 'quit' });
  assert.equal(await worker.ended, 0);
  assert.deepEqual(worker.processes(), []);
});

test('cut off, the worker ends with a code of its own, and with what it runs', async () => {
  const worker = await loadedFile("test('hangs', async () => { test.setTimeout(0); await new Promise(() => {}); });");
  worker.send({ type: 'run', unit: 'u1', lane: '1', tests: [{ selector: 'tests/a.spec.js › hangs', attempt: 1 }] });
  await worker.until('started');
  worker.child.stdin.end();
  assert.equal(await worker.ended, 75);
  assert.deepEqual(worker.processes(), []);
});

test('a signal ends the worker at once, with what it runs', async () => {
  for (const [signal, code] of [['SIGTERM', 143], ['SIGINT', 130]]) {
    const worker = await loadedFile("test('hangs', async () => { test.setTimeout(0); await new Promise(() => {}); });");
    worker.send({ type: 'run', unit: 'u1', lane: '1', tests: [{ selector: 'tests/a.spec.js › hangs', attempt: 1 }] });
    await worker.until('started');
    worker.child.kill(signal);
    assert.equal(await worker.ended, code);
    assert.deepEqual(worker.processes(), []);
  }
});

test('killing by token ends all that the worker started, whatever it ignores, and nothing else', async () => {
  const worker = await loadedFile(`test('hangs', async () => {
    test.setTimeout(0);
    const child = require('child_process').spawn('sh', ['-c', "trap '' TERM INT; echo $$ > child; while :; do sleep 1; done"],
      { detached: true, env: { PATH: process.env.PATH } });
    process.on('SIGTERM', () => {}); process.on('SIGINT', () => {});
    await new Promise(() => {});
  });
  test('1', () => {});`);
  const other = await loaded({});
  worker.send({ type: 'run', unit: 'u1', lane: '1', tests: [{ selector: 'tests/a.spec.js › hangs', attempt: 1 }] });
  await worker.until('started').catch(() => {});
  await eventually(() => fs.existsSync(`${folder()}/child`) && read('child').trim(), 'the child runs');
  const child = read('child').trim();
  assert.ok(worker.kill() >= 3);
  assert.equal(await worker.ended, 'SIGKILL');
  assert.ok(!fs.existsSync(`/proc/${child}`) || fs.readFileSync(`/proc/${child}/stat`, 'latin1').includes(') Z '));
  assert.deepEqual(worker.processes(), []);
  assert.deepEqual(outcomes(await other.run('tests/a.spec.js › 1')), ['passed 1']);
  assert.equal(worker.kill(), 0);
});

test('it tells how much was said and heard', async () => {
  const worker = await loadedFile("test('1', () => {});");
  await worker.list();
  assert.equal(worker.command('--tell', worker.token).stdout, `${String(worker.lines).padStart(12, '0')} 000000000001\n`);
  assert.equal(worker.command('--tell', 'nobody').stdout, '');
});

test('what is no message is told, and does no harm', async () => {
  const worker = await loadedFile("test('1', () => {});");
  worker.child.stdin.write('{nonsense\n[]\n{"type":"dance"}\n');
  const [first, , third] = [await worker.next(), await worker.next(), await worker.next()];
  assert.equal(first.message, 'not a message: {nonsense');
  assert.equal(third.message, 'unknown type of message: dance');
  assert.deepEqual(outcomes(await worker.runAll()), ['passed 1']);
});
