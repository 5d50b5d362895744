
// Part of the Playwright worker, in the worker's own process: from start to end.

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
    for (const { selector, file, line, name, tags, group, project } of this.suite.tests.values()) {
      this.wire.write('test', { selector, file, line, name, tags, group, project });
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
