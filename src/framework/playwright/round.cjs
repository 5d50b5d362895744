
// Part of the Playwright worker, in the worker's own process: the tests of one process, and what becomes of each.

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
    /// Those that a project which theirs depends on has kept from running.
    this.blocked = [];
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
    await this.suite.servers?.ensure();
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
        if (entry) return this.begin(entry);
        return this.wire.write('before', { name: message.title });
      case 'ended':
        this.suite.prepareNext();
        if (message.outcome === 'failed') this.blame.push(message);
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
      const cause = this.blocker(entry);
      if (cause) this.blocked.push({ selector: entry.selector, cause });
      else this.tell(entry, { outcome: 'failed', duration: 0, failure: this.why(entry) });
    }
  }

  // How a project failed that its own one depends on: that is held against the test that failed there, not this one.
  blocker(entry) {
    const needs = this.suite.facts.needs?.[entry.project] ?? [];
    const blamed = this.blame.find(({ project }) => needs.includes(project));
    if (!blamed) return undefined;
    return Text.bounded(`did not run, as ${blamed.title} failed, which has to run before: ${blamed.failure.message}`);
  }

  // What else failed and has to do with it: a test before it in its serial suite, or a beforeAll hook of its file.
  why(entry) {
    const blamed = this.blame.find(({ id, setUp }) => {
      const other = this.suite.byId.get(id);
      return other && ((entry.group && other.group === entry.group) || (setUp && other.absolute === entry.absolute));
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
