
// Part of the Playwright worker, in the worker's own process: the suite, and which process runs what of it.

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
    if (listed && !errors.length && end === 'exit code 0') return this.getReady();
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

  // Before the first unit.
  async getReady() {
    const servers = this.facts.servers ?? [];
    if (Servers.canKeep(servers)) this.servers = new Servers(this.wire, servers);
    this.facts.ahead &&= Boolean(this.servers) || !servers.length;
    await this.servers?.ensure();
    this.prepareNext();
  }

  // What is not used is worth nothing to anybody.
  prepareNext() {
    if (this.facts.ahead && !this.next) this.next = new PlaywrightProcess(this.cli, this.wire).startAhead();
  }

  close() {
    this.next?.kill();
    this.servers?.stop();
    this.last?.remove();
  }

  async run({ unit, lane, tests }) {
    const known = tests.filter((test) => this.tests.has(test.selector));
    const unknown = tests.filter((test) => !this.tests.has(test.selector)).map((test) => test.selector);
    const not = [];
    const blocked = [];
    let ran = 0;
    for (const round of Suite.rounds(known)) {
      const run = new Round(this, lane, round);
      await run.run();
      ran += run.told;
      not.push(...run.notRun);
      blocked.push(...run.blocked);
    }
    this.wire.write('unit_ended', { unit, asked: tests.length, ran, unknown, not_run: not, blocked });
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
    // One that others depend on would otherwise run for their sake only, and as a whole.
    const needed = new Set(Object.values(this.facts.needs ?? {}).flat());
    const byProject = entries.some((entry) => needed.has(entry.project));
    this.last?.remove();
    if (listable && !trace.length && !byProject && this.next && !this.next.over) {
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
    const projects = byProject ? [...new Set(entries.map((entry) => `--project=${entry.project}`))] : [];
    return (this.last = process.start([...trace, ...projects, ...chosen], environment));
  }
}
