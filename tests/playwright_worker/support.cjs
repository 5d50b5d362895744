'use strict';

const assert = require('node:assert/strict');
const childProcess = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');
const { afterEach, beforeEach } = require('node:test');

const PROGRAM = process.env.WORKER ?? path.join(__dirname, 'playwright_worker.cjs');
/// Where @playwright/test is installed.
const PACKAGES = process.env.PACKAGES ?? path.join(__dirname, 'node_modules');
const DEADLINE_MS = 60_000;

// A running worker, spoken to as the tool does. Every wait has a deadline.
class Worker {
  constructor(folder, filters, environment) {
    this.token = `t${process.pid}-${(Worker.count = (Worker.count ?? 0) + 1)}`;
    const env = { ...process.env, SHAKEDOWN_WORKER: this.token, ...environment };
    delete env.NODE_TEST_CONTEXT;
    this.child = childProcess.spawn(process.execPath, [PROGRAM, ...filters], { cwd: folder, env });
    this.stderr = '';
    this.events = [];
    this.waiting = [];
    this.lines = 0;
    let rest = '';
    this.child.stdout.setEncoding('utf8').on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      lines.forEach((line) => this.heard(this.checked(line)));
    });
    this.child.stderr.setEncoding('utf8').on('data', (chunk) => (this.stderr += chunk));
    this.exit = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        this.heard(undefined);
        resolve(code ?? signal);
      });
    });
  }

  // Its exit code, or the signal that ended it.
  get ended() {
    const late = new Promise((_, reject) => {
      setTimeout(() => reject(new Error(`the worker does not end; stderr: ${this.stderr}`)), DEADLINE_MS).unref();
    });
    return Promise.race([this.exit, late]);
  }

  // Every line has its checksum and the next number.
  checked(line) {
    const [, checksum, body, number, message] = /^([0-9a-f]{8}) ((\d+) (.*))$/.exec(line);
    if (zlib.crc32) assert.equal(Number.parseInt(checksum, 16), zlib.crc32(body), line);
    assert.equal(Number(number), (this.lines += 1), line);
    return JSON.parse(message);
  }

  heard(event) {
    this.events.push(event);
    this.waiting.splice(0).forEach((wake) => wake());
  }

  send(message) {
    this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  // The next event, or undefined at the end.
  async next() {
    const deadline = Date.now() + DEADLINE_MS;
    while (!this.events.length) {
      const left = deadline - Date.now();
      assert.ok(left > 0, `nothing within ${DEADLINE_MS} ms; stderr: ${this.stderr}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.events.shift();
  }

  // All events up to one of this type, which must come.
  async until(type) {
    const events = [];
    for (;;) {
      const event = await this.next();
      assert.ok(event, `the worker ended before ${type}; events: ${JSON.stringify(events)}; stderr: ${this.stderr}`);
      events.push(event);
      if (event.type === type) return events;
    }
  }

  async list() {
    this.send({ type: 'list' });
    return (await this.until('listed')).filter((event) => event.type === 'test');
  }

  // All events of a unit. TESTS: selectors, or [selector, attempt].
  async run(...tests) {
    const asked = tests.map((test) => [test].flat()).map(([selector, attempt]) => ({ selector, attempt: attempt ?? 1 }));
    this.send({ type: 'run', unit: 'u1', lane: '2', tests: asked });
    return this.until('unit_ended');
  }

  // The one end of a test that was run alone.
  async runOne(selector, attempt = 1) {
    const ended = of(await this.run([selector, attempt]), 'ended');
    assert.equal(ended.length, 1);
    return ended[0];
  }

  async runAll() {
    return this.run(...(await this.list()).map((test) => test.selector));
  }

  command(...words) {
    const env = { ...process.env };
    delete env.NODE_TEST_CONTEXT;
    return childProcess.spawnSync(process.execPath, [PROGRAM, ...words], { encoding: 'utf8', env });
  }

  kill() {
    return JSON.parse(this.command('--kill', this.token).stdout).killed;
  }

  // Processes with its token.
  processes() {
    return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`SHAKEDOWN_WORKER=${this.token}`);
      } catch {
        return false;
      }
    });
  }
}

function of(events, type) {
  return events.filter((event) => event.type === type);
}

// `outcome title` for each test that ended, in that order.
function outcomes(events) {
  return of(events, 'ended').map((event) => `${event.outcome} ${event.selector.split(' › ').at(-1)}`);
}

const CONFIG = 'module.exports = { testDir: "tests" };\n';
const HEAD = "const { test, expect } = require('@playwright/test');\n";

let folder;
let workers;

beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'suite-')));
  fs.symlinkSync(PACKAGES, path.join(folder, 'node_modules'));
  workers = [];
});

afterEach(() => {
  workers.forEach((worker) => worker.kill());
  fs.rmSync(folder, { recursive: true, force: true });
});

// FILES: path to content. Spec files in plain JavaScript get their first line.
function write(files) {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, name.endsWith('.spec.js') ? HEAD + content : content);
  }
}

function read(name) {
  return fs.readFileSync(path.join(folder, name), 'utf8');
}

function start(files, { filters = [], environment = {} } = {}) {
  const configured = Object.keys(files).some((name) => name.startsWith('playwright.config'));
  write({ ...(configured ? {} : { 'playwright.config.js': CONFIG }), ...files });
  const worker = new Worker(folder, filters, environment);
  workers.push(worker);
  return worker;
}

// A worker that has loaded the suite.
async function loaded(files, options) {
  const worker = start(files, options);
  await worker.until('loaded');
  return worker;
}

// A worker that has loaded a suite of one file, tests/a.spec.js.
function loadedFile(content, options) {
  return loaded({ 'tests/a.spec.js': content }, options);
}

// Polls until it holds.
async function eventually(condition, what) {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `not within ${DEADLINE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

module.exports = { eventually, folder: () => folder, loaded, loadedFile, of, outcomes, read, start, write };
