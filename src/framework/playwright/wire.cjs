
// Part of the Playwright worker, in the worker's own process: the protocol.

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
