
// Part of the Playwright worker, in Playwright's process: what went wrong, and where in the suite.

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
