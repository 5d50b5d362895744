
// Part of the Playwright worker, in the worker's own process: ending everything that a worker has started.

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
