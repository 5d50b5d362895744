
// Part of the Playwright worker, in Playwright's process: naming the suite's tests.

// Tests, and how to name them.
class Catalogue {
  constructor(config, suite, root) {
    this.config = config;
    this.suite = suite;
    this.root = root;
    this.modes = new Map();
  }

  // Projects that run after others, to tidy up behind them, are nothing to be run by themselves.
  static tidying(config) {
    return new Set(config.projects.map((project) => project.teardown).filter(Boolean));
  }

  // Each project with all that has to run before it.
  static needs(config) {
    const direct = new Map(config.projects.map((project) => [project.name, project.dependencies ?? []]));
    const all = (name, seen) => {
      for (const need of direct.get(name) ?? []) {
        if (!seen.has(need)) all(need, seen.add(need));
      }
      return seen;
    };
    return Object.fromEntries([...direct.keys()].map((name) => [name, [...all(name, new Set())]]));
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
    const tidying = Catalogue.tidying(this.config);
    const tests = this.focused(this.suite).filter((test) => !tidying.has(test.titlePath()[1]));
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
      project,
      // Playwright refuses a file in which two tests would have the same.
      selector: Text.plain(`${before}${shown} › ${titles.join(' › ')}`),
      file: shown,
      line: Catalogue.line(test, file),
      name: Text.plain(`${before}${titles.join(' › ')}`),
      tags: project ? [...tags, `project:${project}`] : tags,
      group: this.group(test),
      // Playwright runs each project in processes of its own.
      project: project ? Text.plain(project) : null,
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
