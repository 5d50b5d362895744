
// Part of the Playwright worker, in the worker's own process: one `playwright test`, started ahead of need or not.

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
