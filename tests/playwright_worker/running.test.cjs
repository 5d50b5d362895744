'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const { eventually, folder, loaded, loadedFile, of, outcomes, read } = require('./support.cjs');

test('a unit of one test runs just that one', async () => {
  const worker = await loadedFile(`
    const { appendFileSync } = require('fs');
    for (const name of ['one', 'one and more', 'two']) test(name, () => appendFileSync('ran', name + ';'));
  `);
  const events = await worker.run('tests/a.spec.js › one');
  assert.deepEqual(events.map((event) => event.type), ['started', 'ended', 'unit_ended']);
  assert.deepEqual(events.at(-1), { type: 'unit_ended', unit: 'u1', asked: 1, ran: 1, unknown: [], not_run: [], blocked: [] });
  assert.equal(read('ran'), 'one;');
});

test('a test that another file makes runs, ahead of need and not', async () => {
  for (const file of ['tests/a.spec.js', 'tests/[a] > b.spec.js']) {
    const worker = await loaded({
      'tests/shared.js': "module.exports = (test) => test('shared', () => {});",
      [file]: "test.describe('asks', () => require('./shared')(test));",
    });
    const listed = (await worker.list()).find((one) => one.file === file);
    assert.equal(listed.line, 2);
    assert.deepEqual(outcomes(await worker.run(listed.selector)), ['passed shared']);
  }
});

test('tests run one at a time in the order of the suite, whatever the configuration says of workers and retries', async () => {
  const worker = await loaded({
    'playwright.config.js': "module.exports = { testDir: 'tests', workers: 4, retries: 3, repeatEach: 2, fullyParallel: true, maxFailures: 1, globalTimeout: 1 };",
    'tests/a.spec.js': "test('1', () => { throw new Error('no'); }); test('2', () => {});",
    'tests/b.spec.js': "test('3', () => {});",
  });
  const selectors = (await worker.list()).map((one) => one.selector);
  const events = await worker.run(...selectors.toReversed());
  assert.deepEqual(events.slice(0, -1).map((event) => event.type), ['started', 'ended', 'started', 'ended', 'started', 'ended']);
  assert.deepEqual(outcomes(events), ['failed 1', 'passed 2', 'passed 3']);
});

test('a failure has its class, message, place, frames and step', async () => {
  const worker = await loaded({
    'tests/helper.js': 'module.exports = (expect) => {\n  expect(1).toBe(2);\n};\n',
    'tests/a.spec.js': `
      const helper = require('./helper');
      test('fails', async () => {
        await test.step('looks', async () => {
          await test.step('closely', () => helper(expect));
        });
      });
    `,
  });
  const { outcome, failure } = await worker.runOne('tests/a.spec.js › fails');
  assert.equal(outcome, 'failed');
  assert.equal(failure.class, 'Error');
  assert.equal(failure.message,
    'expect(received).toBe(expected) // Object.is equality\n\nExpected: 2\nReceived: 1\n\nin step: looks › closely');
  assert.deepEqual([failure.file, failure.line], ['tests/helper.js', 2]);
  assert.match(failure.backtrace[0], /tests\/helper\.js:2:13/);
});

test('hooks and fixtures are named when they fail', async () => {
  const worker = await loadedFile(`
    test.describe('each', () => { test.beforeEach(() => { throw new Error('no set-up'); }); test('1', () => {}); });
    test.describe('after', () => { test.afterEach(() => { throw new Error('no clean-up'); }); test('2', () => {}); });
    const more = test.extend({ thing: async ({}, use) => { throw new TypeError('no thing'); } });
    more('3', ({ thing }) => {});
  `);
  const messages = of(await worker.runAll(), 'ended').map(({ failure }) => failure.message);
  assert.deepEqual(messages.slice(0, 2), [
    'in setup: no set-up\n\nin beforeEach hook', 'in teardown: no clean-up\n\nin afterEach hook']);
  assert.match(messages[2], /^in setup: no thing\n\nin .*thing/i);
});

test('a beforeAll hook that fails fails each test it stands before', async () => {
  const worker = await loadedFile(`
    test.describe('group', () => {
      test.beforeAll(() => { throw new Error('no shop'); });
      test('1', () => {}); test('2', () => {});
    });
    test('3', () => {});
  `);
  const events = await worker.runAll();
  assert.deepEqual(outcomes(events).sort(), ['failed 1', 'failed 2', 'passed 3']);
  const messages = of(events, 'ended').filter((one) => one.failure).map((one) => one.failure.message);
  assert.deepEqual(messages, ['in setup: no shop\n\nin beforeAll hook',
    'did not run, as a beforeAll hook failed: in setup: no shop\n\nin beforeAll hook']);
});

test('an afterAll hook that fails fails the last test before it', async () => {
  const worker = await loadedFile("test.afterAll(() => { throw new Error('no way out'); });\ntest('1', () => {}); test('2', () => {});");
  const events = await worker.runAll();
  assert.deepEqual(outcomes(events), ['passed 1', 'failed 2']);
  assert.equal(of(events, 'ended')[1].failure.message, 'in teardown: no way out\n\nin afterAll hook');
});

test('marks mean what they mean to Playwright, with their reasons', async () => {
  const worker = await loadedFile(`
    test.skip('s1', () => {});
    test('s2', () => { test.skip(true, 'not on Mondays'); });
    test.fixme('s3', () => {});
    test('f1', () => { test.fail(true, 'known'); throw new Error('x'); });
    test('f2', () => { test.fail(true, 'known'); });
  `);
  const events = await worker.runAll();
  assert.deepEqual(outcomes(events), ['skipped s1', 'skipped s2', 'skipped s3', 'passed f1', 'failed f2']);
  const ended = of(events, 'ended');
  assert.deepEqual(ended.slice(0, 3).map((one) => one.reason), ['', 'not on Mondays', 'fixme']);
  assert.equal(ended[4].failure.message, 'expected to fail, but passed: known');
});

test('time limits of Playwright are failures, in its words', async () => {
  const worker = await loadedFile("test('slow', async () => { test.setTimeout(200); await new Promise(() => {}); });");
  const { failure } = await worker.runOne('tests/a.spec.js › slow');
  assert.deepEqual([failure.class, failure.message], ['TimeoutError', 'Test timeout of 200ms exceeded.']);
});

test('several errors of one test, and what is no error at all, are told', async () => {
  const worker = await loadedFile(`
    test('soft', () => { expect.soft(1).toBe(2); expect.soft(3, 'the count').toBe(4); });
    test('text', () => { throw 'just text'; });
  `);
  const [soft, text] = of(await worker.runAll(), 'ended').map(({ failure }) => failure.message);
  assert.match(soft, /^2 errors:\n\n1\) Error: expect[^]*\n\n2\) Error: the count/);
  assert.equal(text, "thrown: 'just text'");
});

test('a message that is no well-formed text, or far too long, arrives all the same', async () => {
  const worker = await loadedFile(`
    test('odd', () => { throw new Error('half \\ud83e and \\u0000'); });
    test('long', () => { throw new Error('ü'.repeat(200000)); });
  `);
  const [odd, long] = of(await worker.runAll(), 'ended').map(({ failure }) => failure.message);
  assert.equal(odd, 'half \ufffd and \u0000');
  assert.match(long, /ü\n\[cut here: \d+ more bytes\]$/);
});

test('what a test writes is heard before it ends, and nothing of it in the protocol', async () => {
  const worker = await loadedFile("test('noisy', () => { console.log('out: 1'); console.error('err: 2'); process.stdout.write('{}\\n'); });");
  await worker.runOne('tests/a.spec.js › noisy');
  assert.match(worker.stderr, /out: 1\n/);
  assert.match(worker.stderr, /err: 2\n/);
});

test('tests see the lane and their attempt', async () => {
  const worker = await loadedFile("test('env', () => { throw new Error(process.env.SHAKEDOWN_LANE + '/' + process.env.SHAKEDOWN_ATTEMPT); });");
  const selector = 'tests/a.spec.js › env';
  assert.equal((await worker.runOne(selector, 3)).failure.message, '2/3');
  assert.equal((await worker.runOne(selector, 4)).failure.message, '2/4');
});

test('a test that is asked for twice runs twice, each with its attempt', async () => {
  const worker = await loadedFile("test('env', () => { throw new Error(process.env.SHAKEDOWN_ATTEMPT); });");
  const selector = 'tests/a.spec.js › env';
  const events = await worker.run([selector, 1], [selector, 2]);
  assert.deepEqual(of(events, 'ended').map((one) => one.failure.message), ['1', '2']);
});

test('what the suite does not have is unknown, and the rest runs', async () => {
  const worker = await loadedFile("test('one', () => {});");
  const events = await worker.run('tests/a.spec.js › two', 'tests/a.spec.js › one');
  assert.deepEqual(outcomes(events), ['passed one']);
  assert.deepEqual(events.at(-1).unknown, ['tests/a.spec.js › two']);
  assert.deepEqual((await worker.run('nothing')).map((event) => event.type), ['unit_ended']);
});

test('what a test attaches is kept where it fails, with its kind', async () => {
  const worker = await loadedFile(`
    test('fails', async ({}, info) => {
      require('fs').writeFileSync(info.outputPath('log.txt'), 'from a file');
      await info.attach('the log', { path: info.outputPath('log.txt') });
      await info.attach('answer', { body: '{"n":1}', contentType: 'application/json' });
      throw new Error('no');
    });
  `);
  const { attachments } = await worker.runOne('tests/a.spec.js › fails');
  const content = (kind) => fs.readFileSync(attachments.find((one) => one.kind === kind).path, 'utf8');
  assert.equal(content('the log'), 'from a file');
  assert.equal(content('answer'), '{"n":1}');
  assert.match(attachments.find((one) => one.kind === 'answer').path, /\/answer[^/]*\.json$/);
});

test('where the configuration traces retries, a second attempt is traced', async () => {
  const worker = await loaded({
    'playwright.config.js': "module.exports = { testDir: 'tests', retries: 2, use: { trace: 'on-first-retry' } };",
    'tests/a.spec.js': "test('fails', () => { throw new Error('no'); });",
  });
  const kinds = async (attempt) => (await worker.runOne('tests/a.spec.js › fails', attempt)).attachments.map((one) => one.kind);
  assert.ok(!(await kinds(1)).includes('trace'));
  assert.ok((await kinds(2)).includes('trace'));
  assert.ok(!(await kinds(1)).includes('trace'));
});

const SERIAL = `
  const { appendFileSync } = require('fs');
  test.describe.serial('checkout', () => {
    for (const name of ['1', '2', '3']) test(name, () => {
      appendFileSync('ran', name);
      if (process.env.BREAK === name) throw new Error('no ' + name);
    });
  });
  test('4', () => {});
`;

test('what stands before a test in its serial suite runs first, and is told as that', async () => {
  const worker = await loadedFile(SERIAL);
  const events = await worker.run('tests/a.spec.js › checkout › 3');
  assert.deepEqual(events.map((event) => event.type), ['before', 'before', 'started', 'ended', 'unit_ended']);
  assert.deepEqual(of(events, 'before').map((event) => event.name), ['a.spec.js › checkout › 1', 'a.spec.js › checkout › 2']);
  assert.deepEqual(outcomes(events), ['passed 3']);
  assert.equal(read('ran'), '123');
});

test('what comes after a failure in a serial suite is given back', async () => {
  const worker = await loadedFile(SERIAL, { environment: { BREAK: '2' } });
  const events = await worker.runAll();
  assert.deepEqual(outcomes(events), ['passed 1', 'failed 2', 'passed 4']);
  assert.deepEqual(events.at(-1).not_run, ['tests/a.spec.js › checkout › 3']);
});

test('a test of a serial suite fails with what failed before it, where that was not asked for', async () => {
  const worker = await loadedFile(SERIAL, { environment: { BREAK: '2' } });
  const events = await worker.run('tests/a.spec.js › checkout › 3', 'tests/a.spec.js › 4');
  assert.deepEqual(outcomes(events).sort(), ['failed 3', 'passed 4']);
  const { failure } = of(events, 'ended').find((one) => one.failure);
  assert.equal(failure.message, 'did not run, as a.spec.js › checkout › 2 failed, which has to run before: no 2');
  assert.deepEqual(events.at(-1).not_run, []);
});

test('a project that others depend on is held to account when it fails, and their tests are not', async () => {
  const worker = await loaded({
    'playwright.config.js': "module.exports = { testDir: 'tests', projects: [{ name: 'log in', testMatch: /setup/ }, { name: 'app', dependencies: ['log in'] }] };",
    'tests/setup.js': "require('@playwright/test').test('logs in', () => { throw new Error('wrong password'); });",
    'tests/a.spec.js': "test('1', () => {}); test('2', () => {});",
  });
  const [setup, ...behind] = (await worker.list()).map((one) => one.selector);
  assert.equal((await worker.runOne(setup)).failure.message, 'wrong password');
  const cause = 'did not run, as log in › setup.js › logs in failed, which has to run before: wrong password';
  for (const asked of [[behind[1]], behind]) {
    const events = await worker.run(...asked);
    assert.deepEqual(events.map((event) => event.type), ['before', 'unit_ended']);
    assert.deepEqual(events.at(-1).blocked, asked.map((selector) => ({ selector, cause })));
    assert.equal(events.at(-1).ran, 0);
  }
  const events = await worker.runAll();
  assert.deepEqual(outcomes(events), ['failed logs in']);
  assert.deepEqual(events.at(-1).blocked, behind.map((selector) => ({ selector, cause })));
});

test('of a project that others depend on just what is asked for runs, and all of it where they need it', async () => {
  const worker = await loaded({
    'playwright.config.js': `module.exports = { testDir: 'tests', projects: [{ name: 'log in', testMatch: /setup/ },
      { name: 'other', testMatch: /none/ }, { name: 'smoke', dependencies: ['log in'] }, { name: 'full', dependencies: ['smoke'] },
      { name: 'free' }, { name: 'elsewhere', dependencies: ['other'] }] };`,
    'tests/setup.js': "require('@playwright/test').test('logs in', () => console.log('log in'));",
    'tests/none.js': "require('@playwright/test').test('is of no use', () => console.log('other'));",
    'tests/a.spec.js': "for (const name of ['1', '2']) test(name, ({}, info) => console.log(info.project.name + ' ' + name));",
  });
  const said = async (selector) => {
    const before = worker.stderr.length;
    const events = await worker.run(selector);
    assert.equal(of(events, 'ended').length, 1, selector);
    return worker.stderr.slice(before).trim().split(/\n+/);
  };
  assert.deepEqual(await said('[free] tests/a.spec.js › 2'), ['free 2']);
  assert.deepEqual(await said('[smoke] tests/a.spec.js › 1'), ['log in', 'smoke 1']);
  assert.deepEqual(await said('[full] tests/a.spec.js › 2'), ['log in', 'smoke 1', 'smoke 2', 'full 2']);
  assert.deepEqual(await said('[log in] tests/setup.js › logs in'), ['log in']);
});

test('a global set-up that fails fails the tests of the unit', async () => {
  const worker = await loaded({
    'playwright.config.js': "module.exports = { testDir: 'tests', globalSetup: './setup.js' };",
    'setup.js': "module.exports = () => { throw new Error('no data'); };",
    'tests/a.spec.js': "test('1', () => {});",
  });
  const events = await worker.runAll();
  assert.deepEqual(outcomes(events), ['failed 1']);
  assert.match(of(events, 'ended')[0].failure.message, /no data/);
});

test('web servers and global set-up of the configuration surround each unit', async () => {
  const worker = await loaded({
    'playwright.config.js': `module.exports = { testDir: 'tests', globalSetup: './setup.js',
      webServer: { command: 'node server.js', port: 8731 } };`,
    'server.js': "require('http').createServer((_, answer) => answer.end('served')).listen(8731);",
    'setup.js': "module.exports = () => require('fs').appendFileSync('ran', 'set up;');",
    'tests/a.spec.js': "test('asks', async ({ request }) => { expect(await (await request.get('http://localhost:8731')).text()).toBe('served'); });",
  });
  assert.deepEqual(outcomes(await worker.runAll()), ['passed asks']);
  assert.deepEqual(outcomes(await worker.runAll()), ['passed asks']);
  assert.equal(read('ran'), 'set up;set up;');
});

const SERVER = `
  require('fs').appendFileSync('served', 'up;');
  require('http').createServer((asked, answer) => {
    answer.end('served');
    if (asked.url === '/stop') setTimeout(() => process.exit(1), 10);
  }).listen(Number(process.argv[2] ?? 8732));
`;

test('web servers that may be found running are kept up between units, and started again where they end', async () => {
  const worker = await loaded({
    'playwright.config.js': `module.exports = { testDir: 'tests', use: { baseURL: 'http://localhost:8732' }, webServer: [
      { command: 'node server.js', url: 'http://localhost:8732/up', reuseExistingServer: true },
      { command: 'node ../server.js 8733', cwd: 'tests', port: 8733, reuseExistingServer: true }] };`,
    'server.js': SERVER,
    'tests/a.spec.js': `for (const path of ['/', '/stop']) test(path, async ({ request }) => {
      expect(await (await request.get(path)).text()).toBe('served');
      if (path === '/stop') await expect(async () => expect(await request.get('/').catch(() => 0)).toBe(0)).toPass();
    });`,
  });
  const first = read('served');
  assert.equal(first, 'up;');
  for (let unit = 0; unit < 3; unit += 1) assert.deepEqual(outcomes(await worker.run('tests/a.spec.js › /')), ['passed /']);
  assert.equal(read('served'), 'up;');
  assert.deepEqual(outcomes(await worker.run('tests/a.spec.js › /stop')), ['passed /stop']);
  assert.deepEqual(outcomes(await worker.run('tests/a.spec.js › /')), ['passed /']);
  assert.equal(read('served'), 'up;up;');
  assert.equal(read('tests/served'), 'up;');
  worker.send({ type: 'quit' });
  assert.equal(await worker.ended, 0);
  await eventually(() => !worker.processes().length, 'nothing of it stays');
});

test('several web servers that must not be found running surround each unit', async () => {
  const worker = await loaded({
    'playwright.config.js': `module.exports = { testDir: 'tests', webServer: [
      { command: 'node server.js 8734', port: 8734 }, { command: 'node server.js 8735', port: 8735 }] };`,
    'server.js': SERVER,
    'tests/a.spec.js': "test('1', () => {});",
  });
  for (let unit = 0; unit < 2; unit += 1) assert.deepEqual(outcomes(await worker.runAll()), ['passed 1']);
  assert.equal(read('served'), 'up;up;up;up;');
});

test('an error outside of the tests is told, and fails none', async () => {
  const worker = await loaded({
    'playwright.config.js': "module.exports = { testDir: 'tests', globalTeardown: './over.js' };",
    'over.js': "module.exports = () => { throw new Error('can not tidy up'); };",
    'tests/a.spec.js': "test('1', () => {});",
  });
  const events = await worker.runAll();
  assert.deepEqual(outcomes(events), ['passed 1']);
  assert.match(of(events, 'error')[0].message, /can not tidy up/);
});
