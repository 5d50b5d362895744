'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { folder, loaded, loadedFile, outcomes, start } = require('./support.cjs');

test('each test is listed with its file, line, name, tags and project', async () => {
  const worker = await loaded({
    'playwright.config.js': "module.exports = { testDir: 'tests', projects: [{ name: 'desktop' }, { name: 'small screen' }] };",
    'tests/deep/board.spec.js': "test.describe('Board', { tag: '@ui' }, () => {\n  test('adds a card', { tag: ['@slow'] }, () => {});\n});\n",
  });
  const [first, second] = await worker.list();
  assert.deepEqual(first, {
    type: 'test',
    selector: '[desktop] tests/deep/board.spec.js › Board › adds a card',
    file: 'tests/deep/board.spec.js',
    line: 3,
    name: '[desktop] Board › adds a card',
    tags: ['ui', 'slow', 'project:desktop'],
    group: null,
    project: 'desktop',
  });
  assert.equal(second.name, '[small screen] Board › adds a card');
});

test('listing again, and from a second worker, says the same', async () => {
  const files = { 'tests/a.spec.js': "test('one', () => {}); test('two', () => {});" };
  const worker = await loaded(files);
  const listed = await worker.list();
  assert.equal(listed.length, 2);
  assert.deepEqual(await worker.list(), listed);
  assert.deepEqual(await (await loaded(files)).list(), listed);
});

test('a suite without tests is empty, and no error', async () => {
  assert.deepEqual(await (await loaded({ 'tests/a.spec.js': '' })).list(), []);
});

test('what stands beside a focused test is not listed, as it would not run', async () => {
  const worker = await loadedFile(`
    test('left out', () => {});
    test.only('focused', () => {});
    test.describe('part', () => { test.only('inner', () => {}); test('its neighbour', () => {}); });
    test.describe.only('whole', () => { test('both', () => {}); test('of these', () => {}); });
  `);
  const names = (await worker.list()).map((one) => one.name);
  assert.deepEqual(names, ['focused', 'part › inner', 'whole › both', 'whole › of these']);
  assert.equal((await worker.runOne('tests/a.spec.js › part › inner')).outcome, 'passed');
});

test('names survive whatever they are made of, and each means one test', async () => {
  const names = ['with "quotes" and \'those\'', 'brackets [1] (2) {3}', '$HOME `x` \\ * ? ^ |', 'an 🦊 emoji', '> and › in it',
    'a line\nbreak', '#hash', '-g', '@at'];
  const worker = await loadedFile(names.map((name) => `test(${JSON.stringify(name)}, () => {});`).join('\n'));
  const listed = await worker.list();
  assert.deepEqual(listed.map((one) => one.name), names);
  assert.equal(new Set(listed.map((one) => one.selector)).size, names.length);
  for (const { selector } of listed.slice(-4)) {
    assert.deepEqual((await worker.run(selector)).filter((one) => one.selector).map((one) => [one.type, one.selector]),
      [['started', selector], ['ended', selector]]);
  }
  assert.equal(outcomes(await worker.runAll()).filter((one) => one.startsWith('passed')).length, names.length);
});

test('tests of a file whose own name is odd are run', async () => {
  const worker = await loaded({ 'tests/[a] > (b).spec.js': "test('one', () => {}); test('two', () => {});" });
  const [{ selector }] = await worker.list();
  assert.deepEqual(outcomes(await worker.run(selector)), ['passed one']);
});

test('a serial suite is a group, the outermost one, and in each project another', async () => {
  const worker = await loaded({
    'playwright.config.js': "module.exports = { testDir: 'tests', projects: [{ name: 'a' }, { name: 'b' }] };",
    'tests/a.spec.js': `
      test('alone', () => {});
      test.describe.serial('outer', () => { test('1', () => {}); test.describe.serial('inner', () => test('2', () => {})); });
      test.describe('free', () => { test.describe.configure({ mode: 'parallel' }); test('3', () => {}); });
    `,
  });
  const groups = (await worker.list()).map((one) => one.group);
  const [alone, first, second, free, , other] = groups;
  assert.deepEqual([alone, free], [null, null]);
  assert.ok(first && first === second && other && other !== first, String(groups));
});

test('tests of projects that others depend on are listed, and those that tidy up are not', async () => {
  const worker = await loaded({
    'playwright.config.js': `module.exports = { testDir: 'tests', projects: [
      { name: 'log in', testMatch: /setup/, teardown: 'log out' }, { name: 'log out', testMatch: /over/ },
      { name: 'app', dependencies: ['log in'] }] };`,
    'tests/setup.js': "require('@playwright/test').test('logs in', () => console.log('logs in'));",
    'tests/over.js': "require('@playwright/test').test('logs out', () => console.log('logs out'));",
    'tests/a.spec.js': "test('works', () => console.log('works'));",
  });
  assert.deepEqual((await worker.list()).map((one) => one.name), ['[log in] logs in', '[app] works']);
  assert.deepEqual(outcomes(await worker.run('[app] tests/a.spec.js › works')), ['passed works']);
  assert.equal(worker.stderr.replace(/\n+/g, '\n'), 'logs in\nworks\nlogs out\n');
  assert.deepEqual(outcomes(await worker.runAll()), ['passed logs in', 'passed works']);
});

test('filters are Playwright\'s own', async () => {
  const files = { 'tests/a.spec.js': "test('one', () => {});", 'tests/b.spec.js': "test('two', () => {});" };
  const worker = await loaded(files, { filters: ['tests/b.spec.js'] });
  assert.deepEqual((await worker.list()).map((one) => one.name), ['two']);
});

test('the suite may be TypeScript and modules', async () => {
  const worker = await loaded({
    'playwright.config.ts': "import { defineConfig } from '@playwright/test';\nexport default defineConfig({ testDir: './tests' });\n",
    'tests/a.spec.ts': "import { test, expect } from '@playwright/test';\ninterface A { n: number }\n\ntest('typed', () => {\n  const a: A = { n: 1 };\n  expect(a.n).toBe(2);\n});\n",
  });
  const [{ selector, line }] = await worker.list();
  assert.equal(line, 4);
  const { failure } = await worker.runOne(selector);
  assert.deepEqual([failure.file, failure.line], ['tests/a.spec.ts', 6]);
});

test('a spec that can not be read is a load error with its place', async () => {
  const worker = start({ 'tests/a.spec.js': "test('one', () => {\n" });
  const error = (await worker.until('load_error')).at(-1);
  assert.match(error.message, /SyntaxError|Unexpected token/);
  assert.equal(error.file, 'tests/a.spec.js');
  assert.equal(error.line, 3);
  assert.equal(await worker.ended, 1);
});

test('a spec that throws while it is read is a load error with its place', async () => {
  const worker = start({ 'tests/a.spec.js': "\nthrow new Error('no such shop');\n" });
  const error = (await worker.until('load_error')).at(-1);
  assert.match(error.message, /no such shop/);
  assert.deepEqual([error.file, error.line], ['tests/a.spec.js', 3]);
});

test('a configuration that can not be read is a load error with its place', async () => {
  const worker = start({ 'playwright.config.js': "module.exports = {\n  testDir: oops,\n};\n" });
  const error = (await worker.until('load_error')).at(-1);
  assert.match(error.message, /oops is not defined/);
  assert.deepEqual([error.file, error.line], ['playwright.config.js', 2]);
});

test('two tests of one name are a load error, as Playwright has it', async () => {
  const worker = start({ 'tests/a.spec.js': "test('one', () => {});\ntest('one', () => {});\n" });
  const error = (await worker.until('load_error')).at(-1);
  assert.match(error.message, /duplicate test title/i);
});

test('without Playwright the load error says where it was looked for', async () => {
  const worker = start({});
  fs.unlinkSync(path.join(folder(), 'node_modules'));
  const error = (await worker.until('load_error')).at(-1);
  assert.match(error.message, new RegExp(`can't be found from ${folder()}`));
});
