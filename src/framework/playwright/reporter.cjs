
// Part of the Playwright worker, in Playwright's process: the reporter.

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
    for (const project of suite.suites) {
      const tests = project.allTests();
      const unwanted = tests.some((test) => wanted.has(test.id)) ? tests.filter((test) => !wanted.has(test.id)) : [project];
      unwanted.forEach((target) => Reporter.exclude(testRun, target));
    }
  }

  // Playwright refuses it of what runs because other projects depend on it, and runs that only where they do.
  static exclude(testRun, target) {
    try {
      testRun.exclude(target);
    } catch {
      // as it is to be
    }
  }

  onBegin(config, suite) {
    const exact = Boolean(this.orders);
    if (!this.takeOrders().list) return this.emit('begin');
    const servers = Reporter.webServers(config);
    const uses = config.projects.map((project) => project.use ?? {});
    this.emit('facts', {
      exact,
      // A process that starts something of its own before it looks at its list of tests can't be started ahead.
      ahead: exact && !config.globalSetup && !config.globalTeardown && !config.shard,
      servers,
      needs: Catalogue.needs(config),
      retryTrace: uses.some((use) => /retr/.test(use.trace?.mode ?? use.trace ?? '')),
    });
    const catalogue = this.catalogue ?? new Catalogue(config, suite, this.root);
    catalogue.list().forEach((entry) => this.emit('test', { entry }));
    this.emit('listed');
  }

  onTestBegin(test, result) {
    // Playwright tells so of tests, too, that it is not going to run.
    if (result.workerIndex >= 0) this.emit('began', { id: test.id, title: Reporter.title(test) });
  }

  onTestEnd(test, result) {
    const ended = { id: test.id, project: test.titlePath()[1], title: Reporter.title(test) };
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

  // Where there are several, Playwright only tells its own code.
  static webServers(config) {
    const inner = Object.getOwnPropertySymbols(config).map((symbol) => config[symbol]).find((one) => one?.webServers);
    const folder = path.dirname(config.configFile ?? process.cwd());
    const all = config.webServer ? [config.webServer] : inner?.webServers ?? [];
    return all.map((server) => ({ ...server, cwd: path.resolve(folder, server.cwd ?? '.') }));
  }

  static title(test) {
    return Text.plain(test.titlePath().slice(1).filter(Boolean).join(' › '));
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
