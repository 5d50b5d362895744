'use strict';

// The worker that shakedown starts beside a Playwright Test suite. Playwright runs a process for each set of tests and
// can't be told to wait for more, so this one stays up, lists the suite once, and starts `playwright test` for each unit,
// with a reporter of its own that tells of each test as it begins and ends.
//
//   node playwright_worker.cjs FILTER...      in the folder of the configuration: serve the protocol below
//   node playwright_worker.cjs --tell TOKEN   print how many lines the worker with that token has said and heard
//   node playwright_worker.cjs --kill TOKEN   kill every process started with SHAKEDOWN_WORKER=TOKEN, with its children
//
// Playwright itself loads this file, too, as the reporter.
//
// Protocol version 2, one JSON object on each line. Before each object that the worker says stand a checksum (CRC-32 of
// what follows, in eight hexadecimal digits) and a number (from 1): "3d1a9c0e 1 {...}".
//
//   standard input (at an end of file without a quit, the worker ends with exit code 75)
//     {"type":"list"}
//     {"type":"run","unit":ID,"lane":LANE,"tests":[{"selector":SELECTOR,"attempt":NUMBER},...]}
//     {"type":"quit"}
//
//   standard output
//     hello       protocol, framework, version, pid: at once
//     loaded      duration_ms
//     load_error  message, file, line: the suite can't be loaded; the worker ends with exit code 1
//     test        selector, file, line, name, tags, group: one for each test of each project; group is its outermost
//                 serial suite
//     listed      count: the end of a listing
//     started     selector
//     ended       selector, outcome (passed, failed or skipped), duration_ms, failure or null, reason or null, attachments
//                 failure: class, message, file, line, backtrace
//                 attachments: each with its kind (screenshot, trace, video, or the name the suite gave) and its path
//     unit_ended  unit, asked, ran, unknown (the selectors that the suite does not have), not_run (those that were not
//                 started as a test of this unit, before them in their serial suite, has failed)
//     error       message, file, line: something failed outside of the tests
//
// The order is Playwright's. Its retries are off, and it runs one test at a time. What it can't leave out it does for
// each unit: web servers of the configuration, global set-up, and the projects that others depend on, whose tests are
// therefore not listed.
//
// Each `playwright test` but the first is started ahead of need: it reads its configuration, and then waits for its list
// of tests, which is a named pipe. That is only done where the configuration starts nothing by itself.
//
// Environment: SHAKEDOWN_LANE and SHAKEDOWN_ATTEMPT are set for each unit.
//
// Needs Node 18 or newer and Playwright Test 1.42 or newer, and nothing else.

const childProcess = require('child_process');
const fs = require('fs');
const path = require('path');

const PROTOCOL = 2;
const CUT_OFF = 75;
/// Evidence is looked for here, as that of the other workers.
const FOLDER = '/tmp/shakedown_evidence';
/// Tells the reporter where its orders are.
const ORDERS = 'SHAKEDOWN_PLAYWRIGHT_ORDERS';
/// Where the reporter writes to, in Playwright's process.
const REPORT = 3;

// Text as the protocol takes it: well-formed, without colours, of bounded length.
const Text = {
  LIMIT_BYTES: 64 * 1024,

  plain(text) {
    // eslint-disable-next-line no-control-regex
    return Buffer.from(String(text).replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')).toString();
  },

  bounded(text) {
    const bytes = Buffer.from(Text.plain(text));
    if (bytes.length <= Text.LIMIT_BYTES) return bytes.toString();
    const kept = bytes.subarray(0, Text.LIMIT_BYTES).toString().replace(/\ufffd$/, '');
    return `${kept}\n[cut here: ${bytes.length - Text.LIMIT_BYTES} more bytes]`;
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// In Playwright's process: the reporter.

// An error as the protocol shows it.
class Failure {
  static BACKTRACE_LINES = 50;

  constructor(root) {
    this.root = root;
  }

  // Of a test that did not end as the suite expects.
  describe(test, result) {
    const errors = result.errors.length ? result.errors : [result.error].filter(Boolean);
    if (!errors.length) return this.withoutError(test, result);
    const all = errors.map((error) => this.words(error));
    const [first] = all;
    let { message } = first;
    if (all.length > 1) {
      const numbered = all.map((words, index) => `${index + 1}) ${words.class ? `${words.class}: ` : ''}${words.message}`);
      message = `${all.length} errors:\n\n${numbered.join('\n\n')}`;
    }
    const where = Failure.place(result.steps);
    if (where.stage) message = `in ${where.stage}: ${message}`;
    const within = [where.hook && `in ${where.hook}`, where.steps.length && `in step: ${where.steps.join(' › ')}`];
    message = [message, ...within.filter(Boolean)].join('\n\n');
    return { ...this.position(errors, test), class: first.class, message: Text.bounded(message) };
  }

  // Of something outside of the tests.
  outside(error) {
    const words = this.words(error);
    const { file, line } = this.position([error]);
    return { message: Text.bounded(words.class ? `${words.class}: ${words.message}` : words.message), file, line };
  }

  withoutError(test, result) {
    const known = result.status === 'passed' && test.expectedStatus === 'failed';
    const notes = test.annotations.filter((note) => note.type === 'fail' && note.description);
    const reason = notes.map((note) => `: ${note.description}`).join('');
    const message = known ? `expected to fail, but passed${reason}` : `ended as ${result.status}, and no error was told`;
    return { class: '', message: Text.bounded(message), ...this.at(test.location), backtrace: [] };
  }

  // The class in front of the message is Playwright's own addition.
  words(error) {
    const text = Text.plain(error.message ?? error.stack ?? `thrown: ${error.value}`);
    const named = /^([A-Za-z_$][\w$]*(?:Error|Exception)|Error): ([^]*)$/.exec(text);
    if (named) return { class: named[1], message: named[2] };
    return { class: /timeout .*exceeded/i.test(text) ? 'TimeoutError' : '', message: text };
  }

  // File, line and frames: the first place in the project's own code.
  position(errors, test) {
    const frames = (errors.map((error) => error.stack).find(Boolean) ?? '').split('\n').filter((l) => /^\s+at /.test(l));
    const own = frames.filter((frame) => this.isOwn(frame));
    const shown = (own.length ? own : frames).slice(0, Failure.BACKTRACE_LINES);
    const backtrace = shown.map((frame) => Text.plain(frame.trim().replace(/^at /, '').replaceAll(`${this.root}/`, '')));
    const told = errors.map((error) => error.location).find((location) => location && this.isOwn(location.file));
    return { ...this.at(told ?? this.locate(own[0]) ?? test?.location), backtrace };
  }

  locate(frame) {
    const found = frame && /\(?((?:file:\/\/)?\/[^()]+):(\d+):\d+\)?\s*$/.exec(frame);
    return found ? { file: found[1].replace('file://', ''), line: Number(found[2]) } : undefined;
  }

  at(location) {
    return location ? { file: path.relative(this.root, location.file), line: location.line } : { file: null, line: null };
  }

  isOwn(text) {
    return text.includes(`${this.root}/`) && !text.includes('/node_modules/');
  }

  // Where it went wrong: before or after the test itself, in which hook or fixture, in which of the suite's own steps.
  static place(steps) {
    const place = { stage: undefined, hook: undefined, steps: [] };
    let level = steps;
    for (;;) {
      const step = (level ?? []).find((one) => one.error);
      if (!step) return place;
      const outer = { 'Before Hooks': 'setup', 'After Hooks': 'teardown', 'Worker Cleanup': 'teardown' }[step.title];
      if (step.category === 'hook' && outer && !place.stage) place.stage = outer;
      else if (step.category === 'hook' || step.category === 'fixture') place.hook ??= Text.plain(step.title);
      else if (step.category === 'test.step') place.steps.push(Text.plain(step.title));
      level = step.steps;
    }
  }
}

// Tests, and how to name them.
class Catalogue {
  constructor(config, suite, root) {
    this.config = config;
    this.suite = suite;
    this.root = root;
    this.modes = new Map();
  }

  // What Playwright does before any other project is not a test of its own.
  static servants(config) {
    return new Set(config.projects.flatMap((project) => [...(project.dependencies ?? []), project.teardown].filter(Boolean)));
  }

  // Asked where Playwright can be asked; older versions keep it to themselves.
  learnModes(testRun) {
    const learn = (suite) => {
      this.modes.set(suite, testRun.mode(suite));
      suite.suites.forEach(learn);
    };
    learn(this.suite);
  }

  mode(suite) {
    return this.modes.get(suite) ?? suite._parallelMode;
  }

  list() {
    const servants = Catalogue.servants(this.config);
    const tests = this.focused(this.suite).filter((test) => !servants.has(test.titlePath()[1]));
    return tests.map((test) => this.entry(test));
  }

  // A listing of Playwright's shows what stands beside a focused test, though that would not run. Whether something is
  // focused it only tells its own code.
  focused(suite) {
    const chosen = (within) => {
      const found = within.suites.flatMap((inner) => {
        const deeper = chosen(inner);
        return deeper.length ? deeper : inner._only ? inner.allTests() : [];
      });
      return [...found, ...within.tests.filter((test) => test._only)];
    };
    const only = new Set(chosen(suite));
    return suite.allTests().filter((test) => !only.size || only.has(test));
  }

  entry(test) {
    const [, project, , ...titles] = test.titlePath();
    const file = Catalogue.file(test);
    const shown = path.relative(this.root, file);
    const before = project ? `[${project}] ` : '';
    const tags = (test.tags ?? []).map((tag) => Text.plain(tag.replace(/^@/, '')));
    return {
      id: test.id,
      // Playwright refuses a file in which two tests would have the same.
      selector: Text.plain(`${before}${shown} › ${titles.join(' › ')}`),
      file: shown,
      line: Catalogue.line(test, file),
      name: Text.plain(`${before}${titles.join(' › ')}`),
      tags: project ? [...tags, `project:${project}`] : tags,
      group: this.group(test),
      absolute: file,
      // Playwright chooses files by the one that it loads, and tests by the one that they stand in.
      files: [...new Set([file, test.location.file])],
      inRoot: [...new Set([file, test.location.file])].map((one) => path.relative(this.config.rootDir, one)),
      grep: [project, path.relative(this.config.rootDir, file), ...titles].join(' '),
    };
  }

  static file(test) {
    for (let suite = test.parent; suite; suite = suite.parent) {
      if (suite.type === 'file' && suite.location) return suite.location.file;
    }
    return test.location.file;
  }

  // A test may be made by a function in another file; then that of the suite around it says where.
  static line(test, file) {
    if (test.location.file === file) return test.location.line;
    for (let suite = test.parent; suite; suite = suite.parent) {
      if (suite.location?.file === file && suite.location.line) return suite.location.line;
    }
    return null;
  }

  // Of the outermost serial suite around it.
  group(test) {
    let serial;
    for (let suite = test.parent; suite; suite = suite.parent) {
      if (this.mode(suite) === 'serial') serial = suite;
    }
    return serial ? Text.plain(`${serial.titlePath().join(' › ')}:${serial.location?.line ?? 0}`) : null;
  }
}

// What Playwright calls.
class Reporter {
  constructor() {
    this.folder = process.env[ORDERS];
    delete process.env[ORDERS];
    this.root = process.cwd();
    this.failure = new Failure(this.root);
    this.bodies = 0;
  }

  // Synchronous, so that nothing is lost however this process ends.
  emit(type, fields = {}) {
    let rest = Buffer.from(`${JSON.stringify({ type, ...fields })}\n`);
    while (rest.length) {
      try {
        rest = rest.subarray(fs.writeSync(REPORT, rest));
      } catch (error) {
        if (error.code === 'EAGAIN') continue;
        // Nobody hears us any more.
        if (error.code === 'EPIPE') process.exit(CUT_OFF);
        throw error;
      }
    }
  }

  // For older versions nothing but a reporter that prints keeps them from adding one.
  printsToStdio() {
    return true;
  }

  // After the files were loaded; an order that was not there when this process began is there now.
  takeOrders() {
    this.orders ??= JSON.parse(fs.readFileSync(path.join(this.folder, 'orders.json'), 'utf8'));
    Object.assign(process.env, this.orders.environment);
    return this.orders;
  }

  // Since Playwright 1.62. Its own ids need no escaping.
  async preprocess({ config, suite, testRun }) {
    testRun.skipSharding();
    const orders = this.takeOrders();
    if (orders.list) {
      this.catalogue = new Catalogue(config, suite, this.root);
      this.catalogue.learnModes(testRun);
      return;
    }
    const wanted = new Set(orders.ids);
    const servants = Catalogue.servants(config);
    for (const test of suite.allTests()) {
      if (!wanted.has(test.id) && !servants.has(test.titlePath()[1])) testRun.exclude(test);
    }
  }

  onBegin(config, suite) {
    const exact = Boolean(this.orders);
    if (!this.takeOrders().list) return this.emit('begin');
    const uses = config.projects.map((project) => project.use ?? {});
    this.emit('facts', {
      exact,
      // A process that starts something of its own before it looks at its list of tests can't be started ahead.
      ahead: exact && !config.globalSetup && !config.globalTeardown && !config.webServer && !config.shard,
      retryTrace: uses.some((use) => /retr/.test(use.trace?.mode ?? use.trace ?? '')),
    });
    const catalogue = this.catalogue ?? new Catalogue(config, suite, this.root);
    catalogue.list().forEach((entry) => this.emit('test', { entry }));
    this.emit('listed');
  }

  onTestBegin(test, result) {
    // Playwright tells so of tests, too, that it is not going to run.
    if (result.workerIndex >= 0) this.emit('began', { id: test.id });
  }

  onTestEnd(test, result) {
    const ended = { id: test.id, title: Text.plain(test.titlePath().slice(1).filter(Boolean).join(' › ')) };
    if (result.status === 'interrupted') return this.emit('passed_over', ended);
    if (result.status === 'skipped') {
      if (test.expectedStatus !== 'skipped') return this.emit('passed_over', ended);
      return this.emit('ended', { ...ended, outcome: 'skipped', duration: result.duration, reason: this.reason(test, result) });
    }
    const outcome = result.status === test.expectedStatus ? 'passed' : 'failed';
    const failed = outcome === 'failed' ? { failure: this.failure.describe(test, result), attachments: this.keep(result) } : {};
    const setUp = outcome === 'failed' && Failure.place(result.steps).hook === 'beforeAll hook';
    this.emit('ended', { ...ended, outcome, duration: result.duration, setUp, ...failed });
  }

  reason(test, result) {
    const notes = [...(result.annotations ?? []), ...test.annotations];
    const found = notes.filter((note) => note.type === 'skip' || note.type === 'fixme');
    const words = (note) => [note.type === 'fixme' ? 'fixme' : '', note.description ?? ''].filter(Boolean).join(': ');
    return Text.bounded(found.map(words).find(Boolean) ?? '');
  }

  // Files are where they are; what has no file gets one.
  keep(result) {
    return result.attachments.flatMap((attachment) => {
      const kind = Text.plain(attachment.name);
      if (attachment.path) return [{ kind, path: path.resolve(this.root, attachment.path) }];
      if (!attachment.body) return [];
      try {
        const folder = path.join(this.folder, 'attached');
        fs.mkdirSync(folder, { recursive: true });
        const name = `${attachment.name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 80)}-${(this.bodies += 1)}`;
        const file = path.join(folder, name + Reporter.extension(attachment));
        fs.writeFileSync(file, attachment.body);
        return [{ kind, path: file }];
      } catch {
        return []; // what can't be kept is not the test's fault
      }
    });
  }

  static extension({ name, contentType }) {
    if (/\.[A-Za-z0-9]{1,5}$/.test(name)) return path.extname(name);
    const known = { 'text/plain': '.txt', 'text/markdown': '.md', 'text/html': '.html', 'application/json': '.json' };
    const pictures = { 'image/png': '.png', 'image/jpeg': '.jpg', 'application/zip': '.zip', 'video/webm': '.webm' };
    return known[contentType] ?? pictures[contentType] ?? '';
  }

  onStdOut(chunk) {
    this.emit('output', { text: chunk.toString() });
  }

  onStdErr(chunk) {
    this.emit('output', { text: chunk.toString() });
  }

  onError(error) {
    this.emit('error', this.failure.outside(error));
  }

  onEnd() {
    this.emit('end');
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// In the worker's process.

// Processes and their environments, as Linux shows them.
class Processes {
  // Process id to parent's process id, of every process that has not ended yet.
  static parents() {
    const parents = new Map();
    for (const name of fs.readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        // The program's name is in parentheses and may itself hold some.
        const stat = fs.readFileSync(`/proc/${name}/stat`, 'latin1');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (state !== 'Z' && state !== 'X') parents.set(Number(name), Number(parent));
      } catch {
        continue; // it ended while we looked
      }
    }
    return parents;
  }

  static isMarked(pid, mark) {
    try {
      return fs.readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
    } catch {
      return false;
    }
  }

  // This process and those it descends from.
  static ownLine(parents) {
    const line = new Set();
    for (let pid = process.pid; pid; pid = parents.get(pid)) line.add(pid);
    return line;
  }

  static kill(pid) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it ended by itself
    }
  }
}

// Kills all that carries a worker's token, but for this process.
class Killer {
  static ROUNDS = 50;
  static PAUSE_MS = 20;

  constructor(token) {
    this.mark = `SHAKEDOWN_WORKER=${token}`;
    this.killed = new Set();
  }

  // Again until none is left, since a process can start another one while we look, and a large one takes a moment to be
  // gone. Returns how many were killed.
  run() {
    for (let round = 0; round < Killer.ROUNDS; round += 1) {
      const parents = Processes.parents();
      const victims = this.victims(parents);
      if (!victims.length && ![...this.killed].some((pid) => parents.has(pid))) break;
      victims.forEach((pid) => {
        Processes.kill(pid);
        this.killed.add(pid);
      });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Killer.PAUSE_MS);
    }
    return this.killed.size;
  }

  // Children count even without the mark: Chromium's overwrite their environment with a title.
  victims(parents) {
    const own = Processes.ownLine(parents);
    const marked = new Set([...parents.keys()].filter((pid) => Processes.isMarked(pid, this.mark)));
    const descends = (pid) => {
      for (let up = parents.get(pid); up; up = parents.get(up)) if (marked.has(up)) return true;
      return false;
    };
    return [...parents.keys()].filter((pid) => !own.has(pid) && (marked.has(pid) || descends(pid)));
  }
}

// How much was said and heard, kept where --tell finds it.
class Account {
  static path(token) {
    return `/tmp/shakedown_worker_${token.replace(/[^A-Za-z0-9.-]/g, '_')}.account`;
  }

  constructor(token) {
    try {
      this.file = token && fs.openSync(Account.path(token), fs.constants.O_CREAT | fs.constants.O_RDWR, 0o644);
    } catch {
      this.file = undefined; // without it, the worker works as well
    }
  }

  keep(said, heard) {
    if (!this.file) return;
    const digits = (number) => String(number).padStart(12, '0');
    try {
      fs.writeSync(this.file, `${digits(said)} ${digits(heard)}\n`, 0);
    } catch {
      this.file = undefined;
    }
  }
}

// The protocol's two ends. The suite runs in other processes, which have neither.
class Wire {
  constructor() {
    this.said = 0;
    this.heard = 0;
    this.account = new Account(process.env.SHAKEDOWN_WORKER);
    process.stdout.on('error', () => Wire.leave(CUT_OFF));
    process.stderr.on('error', () => {});
  }

  // At once, with what runs.
  static leave(code) {
    if (process.env.SHAKEDOWN_WORKER) new Killer(process.env.SHAKEDOWN_WORKER).run();
    process.exit(code);
  }

  // Hands on each message as it comes. At the end of the input nobody is there any more, so what runs ends, too.
  listen(take) {
    let rest = '';
    let told = false;
    process.stdin.setEncoding('utf8');
    process.stdin.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        this.account.keep(this.said, (this.heard += 1));
        const message = this.parse(line);
        told ||= message?.type === 'quit';
        if (message) take(message);
      }
    });
    const over = () => told || Wire.leave(CUT_OFF);
    process.stdin.on('end', over).on('error', over);
  }

  parse(line) {
    try {
      const message = JSON.parse(line);
      if (message && typeof message === 'object') return message;
    } catch {
      // told below
    }
    this.write('error', { message: Text.bounded(`not a message: ${line}`), file: null, line: null });
    return undefined;
  }

  write(type, fields = {}) {
    const line = `${(this.said += 1)} ${JSON.stringify({ type, ...fields })}`;
    this.account.keep(this.said, this.heard);
    process.stdout.write(`${Wire.checksum(Buffer.from(line))} ${line}\n`);
  }

  output(text) {
    process.stderr.write(text);
  }

  static checksum(bytes) {
    let crc = 0xffffffff;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    }
    return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
  }
}

// One process of `playwright test`.
class PlaywrightProcess {
  /// What a process wrote last is kept up to this length, to explain its end.
  static LAST_WORDS = 4096;
  /// What a process left running may hold its pipes open.
  static QUIET_MS = 300;
  static count = 0;

  constructor(cli, wire) {
    this.cli = cli;
    this.wire = wire;
    this.folder = path.join(FOLDER, `${process.pid}-${(PlaywrightProcess.count += 1)}`);
    fs.mkdirSync(this.folder, { recursive: true });
    this.words = '';
    this.waiting = [];
    this.listener = (message) => this.waiting.push(message);
  }

  file(name) {
    return path.join(this.folder, name);
  }

  order(orders) {
    fs.writeFileSync(this.file('orders.json'), JSON.stringify(orders));
  }

  start(options, environment = {}) {
    const command = [this.cli, 'test', `--reporter=${__filename}`, '--workers=1', '--retries=0', '--repeat-each=1',
      '--max-failures=0', '--global-timeout=0', '--pass-with-no-tests', `--output=${this.file('results')}`, ...options];
    this.child = childProcess.spawn(process.execPath, command, {
      env: { ...process.env, ...environment, [ORDERS]: this.folder },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.child.stdout.on('data', (chunk) => this.hear(chunk));
    this.child.stderr.on('data', (chunk) => this.hear(chunk));
    this.listen(this.child.stdio[REPORT]);
    this.ended = this.end();
    return this;
  }

  // Tests to be told in a moment: Playwright waits where it reads the list of them.
  startAhead() {
    if (childProcess.spawnSync('mkfifo', [this.file('pipe')]).status !== 0) return undefined;
    fs.linkSync(this.file('pipe'), this.file('tests'));
    return this.start([`--test-list=${this.file('tests')}`]);
  }

  // Where it does not wait yet, it will find a file; otherwise it reads from the pipe, and when it reads again, the file.
  release(list) {
    fs.writeFileSync(this.file('list'), list);
    fs.renameSync(this.file('list'), this.file('tests'));
    const give = () => {
      try {
        const pipe = fs.openSync(this.file('pipe'), fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
        fs.writeSync(pipe, list);
        fs.closeSync(pipe);
      } catch (error) {
        if (error.code !== 'ENXIO') throw error; // nobody waits
      }
    };
    give();
    // It may have been about to open the pipe.
    const again = setInterval(() => (this.reported ? clearInterval(again) : give()), 50);
    this.child.once('exit', () => clearInterval(again));
  }

  hear(chunk) {
    this.lastHeard = Date.now();
    const text = chunk.toString();
    this.words = (this.words + text).slice(-PlaywrightProcess.LAST_WORDS);
    this.wire.output(text);
  }

  listen(stream) {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('error', () => {});
    stream.on('data', (chunk) => {
      this.lastHeard = Date.now();
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      lines.forEach((line) => {
        this.reported = true;
        this.listener(JSON.parse(line));
      });
    });
  }

  // Everything heard so far and from now on.
  each(listener) {
    this.listener = listener;
    this.waiting.splice(0).forEach(listener);
  }

  // Resolves to the exit code or the signal, when all that was said has been heard.
  end() {
    return new Promise((resolve) => {
      const done = (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`);
      this.child.once('error', (error) => {
        this.words += error.message;
        resolve('no start');
      });
      this.child.once('close', done);
      this.child.once('exit', (code, signal) => {
        this.over = true;
        const look = () => {
          if (Date.now() - (this.lastHeard ?? 0) < PlaywrightProcess.QUIET_MS) setTimeout(look, 50);
          else done(code, signal);
        };
        setTimeout(look, PlaywrightProcess.QUIET_MS);
      });
    });
  }

  kill() {
    if (!this.over) this.child.kill('SIGKILL');
    this.remove();
  }

  remove() {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

// Runs tests of the suite in processes of Playwright's.
class Suite {
  constructor(cli, wire, filters) {
    this.cli = cli;
    this.wire = wire;
    this.filters = filters;
    this.facts = {};
    /// By selector.
    this.tests = new Map();
    this.byId = new Map();
  }

  // Returns what is wrong with the suite, or nothing.
  async load() {
    const lister = new PlaywrightProcess(this.cli, this.wire);
    lister.order({ list: true, environment: {} });
    const errors = [];
    let listed = false;
    lister.each((message) => {
      if (message.type === 'facts') this.facts = message;
      if (message.type === 'test') this.add(message.entry);
      if (message.type === 'listed') listed = true;
      if (message.type === 'error') errors.push(message);
    });
    lister.start(['--list', ...this.filters]);
    const end = await lister.ended;
    lister.remove();
    if (listed && !errors.length && end === 'exit code 0') return this.prepareNext();
    return Suite.loadError(errors, lister.words.trim() || `playwright test --list ended with ${end}`);
  }

  add(entry) {
    this.tests.set(entry.selector, entry);
    this.byId.set(entry.id, entry);
  }

  // Errors of the configuration are only written.
  static loadError(errors, words) {
    if (errors.length) {
      const placed = errors.find((error) => error.file) ?? errors[0];
      return { message: Text.bounded(errors.map((error) => error.message).join('\n\n')), file: placed.file, line: placed.line };
    }
    const found = new RegExp(`(${process.cwd()}/[^\\s:()]+):\\s?(?:.*\\((\\d+):\\d+\\)|(\\d+))`).exec(words);
    const line = found && Number(found[2] ?? found[3]);
    return { message: Text.bounded(words), file: found ? path.relative(process.cwd(), found[1]) : null, line: line || null };
  }

  // What is not used is worth nothing to anybody.
  prepareNext() {
    if (this.facts.ahead && !this.next) this.next = new PlaywrightProcess(this.cli, this.wire).startAhead();
  }

  close() {
    this.next?.kill();
    this.last?.remove();
  }

  async run({ unit, lane, tests }) {
    const known = tests.filter((test) => this.tests.has(test.selector));
    const unknown = tests.filter((test) => !this.tests.has(test.selector)).map((test) => test.selector);
    const not = [];
    let ran = 0;
    for (const round of Suite.rounds(known)) {
      const run = new Round(this, lane, round);
      await run.run();
      ran += run.told;
      not.push(...run.notRun);
    }
    this.wire.write('unit_ended', { unit, asked: tests.length, ran, unknown, not_run: not });
  }

  // Playwright runs a test once in a process, and a process has one number of the attempt.
  static rounds(tests) {
    const rounds = [];
    for (const { selector, attempt } of tests) {
      let round = rounds.find((one) => one.attempt === (attempt ?? 1) && !one.selectors.has(selector));
      if (!round) rounds.push((round = { attempt: attempt ?? 1, selectors: new Set() }));
      round.selectors.add(selector);
    }
    return rounds;
  }

  // A process that will run these tests.
  processFor(entries, attempt, lane) {
    const environment = { SHAKEDOWN_ATTEMPT: String(attempt), ...(lane ? { SHAKEDOWN_LANE: String(lane) } : {}) };
    // What the configuration asks for at Playwright's retries, it shall have at ours.
    const trace = this.facts.retryTrace && attempt > 1 ? ['--trace=retain-on-failure'] : [];
    const orders = { environment, ids: entries.map((entry) => entry.id) };
    const files = [...new Set(entries.flatMap((entry) => entry.inRoot))];
    const listable = this.facts.exact && files.every((file) => !/[>›\n]|^[[#\s]|\s$|:\d+$/.test(file));
    const list = files.join('\n');
    this.last?.remove();
    if (listable && !trace.length && this.next && !this.next.over) {
      const process = this.next;
      this.next = undefined;
      process.order(orders);
      process.release(list);
      return (this.last = process);
    }
    const process = new PlaywrightProcess(this.cli, this.wire);
    process.order(orders);
    let chosen = [];
    if (listable) {
      fs.writeFileSync(process.file('tests'), list);
      chosen = [`--test-list=${process.file('tests')}`];
    } else {
      const escape = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
      chosen = [...new Set(entries.flatMap((entry) => entry.files))].map((file) => `${escape(file)}$`);
      if (!this.facts.exact) {
        // Tags stand behind the titles, unless a title has them already.
        const titles = entries.map((entry) => escape(entry.grep)).join('|');
        chosen.push(`--grep=^\\s*(?:${titles})(?:\\s+@\\S+)*\\s*$`);
      }
    }
    return (this.last = process.start([...trace, ...chosen], environment));
  }
}

// Tests that run in one process, and in further ones where that ends too soon.
class Round {
  constructor(suite, lane, { attempt, selectors }) {
    this.suite = suite;
    this.wire = suite.wire;
    this.lane = lane;
    this.attempt = attempt;
    this.waiting = new Map([...selectors].map((selector) => [suite.tests.get(selector).id, suite.tests.get(selector)]));
    this.told = 0;
    this.notRun = [];
    /// Groups in which a test that was asked for has failed.
    this.failedGroups = new Set();
  }

  async run() {
    let before;
    do {
      before = this.waiting.size;
      await this.runOnce();
    } while (this.crashed && this.waiting.size && this.waiting.size < before);
    this.settle();
  }

  // With the tests that come before one in its serial suite.
  withPrelude() {
    const last = new Map();
    const all = [...this.suite.tests.values()];
    all.forEach((entry, index) => {
      if (entry.group && this.waiting.has(entry.id)) last.set(entry.group, index);
    });
    return all.filter((entry, index) => this.waiting.has(entry.id) || index < (last.get(entry.group) ?? -1));
  }

  async runOnce() {
    this.dropHopeless();
    if (!this.waiting.size) return;
    this.current = undefined;
    this.blame = [];
    const process = this.suite.processFor(this.withPrelude(), this.attempt, this.lane);
    process.each((message) => this.take(message));
    this.end = await process.ended;
    this.words = process.words;
    this.crashed = !this.finished;
    this.finished = false;
    if (this.crashed) {
      // The browser, for one, outlives a process that was killed.
      if (this.suite.next) this.suite.next.kill();
      this.suite.next = undefined;
      if (global.process.env.SHAKEDOWN_WORKER) new Killer(global.process.env.SHAKEDOWN_WORKER).run();
      if (this.current) {
        const message = `the process of playwright test ended with ${this.end} while this test ran`;
        this.tell(this.current, { outcome: 'failed', duration: Date.now() - this.since, failure: Round.plain(message) });
      }
    }
    this.suite.prepareNext();
  }

  static plain(message) {
    return { class: '', message: Text.bounded(message), file: null, line: null, backtrace: [] };
  }

  take(message) {
    const entry = this.waiting.get(message.id);
    switch (message.type) {
      case 'output':
        return this.wire.output(message.text);
      case 'began':
        if (!entry) return undefined;
        return this.begin(entry);
      case 'ended':
        this.suite.prepareNext();
        if (message.outcome === 'failed' && (!entry || message.setUp)) this.blame.push(message);
        return entry && this.tell(entry, message);
      case 'error':
        this.errors = [...(this.errors ?? []), message];
        return this.wire.write('error', { message: message.message, file: message.file, line: message.line });
      case 'end':
        this.finished = true;
        return undefined;
      default:
        return undefined;
    }
  }

  begin(entry) {
    this.current = entry;
    this.since = Date.now();
    this.wire.write('started', { selector: entry.selector });
  }

  // Playwright has some tests end that it never began: those that are skipped anyway.
  tell(entry, { outcome, duration, failure, reason, attachments }) {
    if (this.current !== entry) this.begin(entry);
    this.waiting.delete(entry.id);
    this.told += 1;
    this.current = undefined;
    if (outcome === 'failed' && entry.group) this.failedGroups.add(entry.group);
    this.wire.write('ended', { selector: entry.selector, outcome, duration_ms: Math.max(duration, 0), failure: failure ?? null,
      reason: reason ?? null, attachments: attachments ?? [] });
  }

  // What comes after a failure in a serial suite has nothing to stand on, and is given back.
  dropHopeless() {
    for (const entry of this.waiting.values()) {
      if (!this.failedGroups.has(entry.group)) continue;
      this.waiting.delete(entry.id);
      this.notRun.push(entry.selector);
    }
  }

  // No test that was asked for ends without a word.
  settle() {
    this.dropHopeless();
    for (const entry of [...this.waiting.values()]) {
      this.tell(entry, { outcome: 'failed', duration: 0, failure: this.why(entry) });
    }
  }

  // What else failed and has to do with it: a test before it in its serial suite, a beforeAll hook of its file, or a
  // project that its own one depends on, whose tests are not listed.
  why(entry) {
    const blamed = this.blame.find(({ id, setUp }) => {
      const other = this.suite.byId.get(id);
      return !other || (entry.group && other.group === entry.group) || (setUp && other.absolute === entry.absolute);
    });
    if (blamed) {
      const what = blamed.setUp ? 'a beforeAll hook failed' : `${blamed.title} failed, which has to run before`;
      return { ...blamed.failure, message: Text.bounded(`did not run, as ${what}: ${blamed.failure.message}`) };
    }
    const [error] = this.errors ?? [];
    if (error) return { ...Round.plain(error.message), file: error.file, line: error.line };
    const said = this.words.trim() ? `; it said last: ${this.words.trim()}` : '';
    return Round.plain(`the process of playwright test ended with ${this.end} and did not run this test${said}`);
  }
}

// From start to end.
class Session {
  constructor(filters) {
    this.wire = new Wire();
    this.filters = filters;
  }

  // Returns the exit code.
  async run() {
    const found = Session.find();
    this.wire.write('hello', { protocol: PROTOCOL, framework: 'playwright', version: found?.version ?? null, pid: process.pid });
    if (!found) {
      const message = `@playwright/test can't be found from ${process.cwd()}: install it there (npm ci), or have the runner's working_dir name the folder with playwright.config`;
      return this.loadError({ message, file: null, line: null });
    }
    const started = process.hrtime.bigint();
    this.suite = new Suite(found.cli, this.wire, this.filters);
    const wrong = await this.suite.load();
    if (wrong) return this.loadError(wrong);
    this.wire.write('loaded', { duration_ms: Math.round(Number(process.hrtime.bigint() - started) / 1e6) });
    return this.serve();
  }

  loadError(error) {
    this.wire.write('load_error', error);
    return 1;
  }

  static find() {
    try {
      const description = require.resolve('@playwright/test/package.json', { paths: [process.cwd()] });
      const { version } = JSON.parse(fs.readFileSync(description, 'utf8'));
      return { version, cli: path.join(path.dirname(description), 'cli.js') };
    } catch {
      return undefined;
    }
  }

  // One after another; resolves to the exit code when told to quit.
  serve() {
    return new Promise((resolve, reject) => {
      let before = Promise.resolve();
      this.wire.listen((message) => {
        before = before.then(() => this.take(message, resolve)).catch(reject);
      });
    });
  }

  async take(message, quit) {
    if (message.type === 'list') this.list();
    else if (message.type === 'run') await this.suite.run(message);
    else if (message.type === 'quit') {
      this.suite.close();
      quit(0);
    } else this.wire.write('error', { message: `unknown type of message: ${message.type}`, file: null, line: null });
  }

  list() {
    for (const { selector, file, line, name, tags, group } of this.suite.tests.values()) {
      this.wire.write('test', { selector, file, line, name, tags, group });
    }
    this.wire.write('listed', { count: this.suite.tests.size });
  }
}

async function main([first, second, ...rest]) {
  if (first === '--kill') return console.log(JSON.stringify({ killed: second ? new Killer(second).run() : 0 }));
  if (first === '--tell') {
    try {
      process.stdout.write(fs.readFileSync(Account.path(second ?? ''), 'utf8'));
    } catch {
      // it keeps none
    }
    return undefined;
  }
  process.on('SIGINT', () => Wire.leave(130));
  process.on('SIGTERM', () => Wire.leave(143));
  return Wire.leave(await new Session([first, second, ...rest].filter((word) => word !== undefined)).run());
}

if (require.main === module) main(process.argv.slice(2));
else module.exports = Reporter;
