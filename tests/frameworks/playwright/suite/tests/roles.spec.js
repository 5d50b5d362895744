const { spawn } = require('child_process');
const { test, expect } = require('@playwright/test');
const { mark, shared } = require('../support/roles');

test.describe('Roles', () => {
  test('role passes', () => mark('passes'));

  test('role fails', () => {
    mark('fails');
    expect('two', 'expected one, got two').toBe('one'); // fails here
  });

  test('role skipped', () => {
    test.skip(true, 'not on a Tuesday');
  });

  test('role pending', () => {
    mark('pending');
    test.fail(true, 'bug 7');
    expect(1).toBe(2);
  });

  test('role fixed', () => {
    mark('fixed');
    test.fail(true, 'bug 8');
  });

  test('role tagged', { tag: '@smoke' }, () => mark('tagged'));

  test.describe('with a failing hook', () => {
    test.beforeEach(() => { throw new Error('no table'); }); // setup fails here
    test('role setup', () => mark('setup'));
  });

  test.describe('with a hook that fails later', () => {
    test.afterEach(() => { throw new Error('stuck door'); }); // teardown fails here
    test('role teardown', () => mark('teardown'));
  });

  test('role environment', () => {
    mark('environment');
    const names = ['SHAKEDOWN_RUN_ID', 'SHAKEDOWN_LANE', 'SHAKEDOWN_ATTEMPT', 'SHAKEDOWN_SEED', 'TEST_ENV_NUMBER'];
    console.log(`env(${names.map((name) => process.env[name]).join(' ')})`);
  });

  test.describe('violence', () => {
    test('role exits', () => {
      console.log('last words of exits');
      process.exit(0);
    });

    test('role dies', () => {
      console.log('last words of dies');
      process.reallyExit(0);
    });

    test('role killed', async () => {
      console.log('last words of killed');
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => {});
    });

    test('role deaf', async () => {
      ['SIGINT', 'SIGTERM'].forEach((signal) => process.on(signal, () => {}));
      spawn('sh', ['-c', "trap '' INT TERM; exec sleep 48211"], { detached: true });
      await new Promise(() => {});
    });
  });

  test.describe('with a costly context', () => {
    test.beforeAll(() => mark('context'));
    test('role first', () => mark('first'));
    test('role second', () => mark('second'));
  });

  test.describe('nested', () => test.describe('deeper', shared));

  for (const number of [1, 10]) test(`role number ${number}`, () => mark(`number_${number}`));

  test('role plain', () => mark('plain'));
});
