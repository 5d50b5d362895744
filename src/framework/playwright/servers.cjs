
// Part of the Playwright worker, in the worker's own process: web servers of the configuration, kept up between units.

// What `webServer` starts, where each of it may be found running (`reuseExistingServer`) and says by a port or an address
// when it is there. Playwright, which would start and stop it with each process, then finds it.
class Servers {
  static POLL_MS = 50;
  /// How long Playwright waits unless it is told.
  static READY_MS = 60_000;

  constructor(wire, servers) {
    this.wire = wire;
    this.servers = servers.map((server) => ({ ...server, url: server.url || `http://localhost:${server.port}` }));
  }

  // Whether all of these can be kept up.
  static canKeep(servers) {
    const may = (one) => one.reuseExistingServer && one.command && (one.port || one.url) && !one.wait;
    return servers.length > 0 && servers.every(may);
  }

  // Has all of them up. What does not come up is left to Playwright, which says why.
  async ensure() {
    for (const server of this.servers) {
      if (await Servers.answers(server)) continue;
      Servers.stop(server);
      await this.start(server);
    }
  }

  async start(server) {
    server.over = false;
    server.child = childProcess.spawn(server.command, [], {
      cwd: server.cwd, env: { BROWSER: 'none', ...process.env, ...server.env }, shell: true, detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { child } = server;
    const over = () => (server.over ||= server.child === child);
    child.on('error', over).on('exit', over);
    server.child.stdout.on('data', (chunk) => server.stdout === 'pipe' && this.wire.output(chunk.toString()));
    server.child.stderr.on('data', (chunk) => server.stderr !== 'ignore' && this.wire.output(chunk.toString()));
    const deadline = Date.now() + (server.timeout || Servers.READY_MS);
    while (!(await Servers.answers(server))) {
      if (server.over || Date.now() > deadline) return Servers.stop(server);
      await new Promise((resolve) => setTimeout(resolve, Servers.POLL_MS));
    }
    return undefined;
  }

  // As Playwright asks.
  static answers(server) {
    if (server.port) return Servers.listens(Number(server.port));
    return Servers.asked(new URL(server.url));
  }

  static async listens(port) {
    for (const host of ['127.0.0.1', '::1']) {
      const there = await new Promise((resolve) => {
        const socket = net.connect({ host, port });
        socket.setTimeout(1000, () => resolve(false) || socket.destroy());
        socket.once('connect', () => resolve(true) || socket.destroy()).once('error', () => resolve(false));
      });
      if (there) return true;
    }
    return false;
  }

  static asked(address) {
    return new Promise((resolve) => {
      const { get } = address.protocol === 'https:' ? https : http;
      const request = get(address, { rejectUnauthorized: false, timeout: 1000 }, (answer) => {
        answer.resume();
        resolve(answer.statusCode >= 200 && answer.statusCode < 404);
      });
      request.on('error', () => resolve(false)).on('timeout', () => request.destroy());
    });
  }

  // With what it has started, as it has a group of its own.
  static stop(server) {
    try {
      if (server.child && !server.over) process.kill(-server.child.pid, 'SIGKILL');
    } catch {
      // it ended by itself
    }
    server.over = true;
  }

  stop() {
    this.servers.forEach(Servers.stop);
  }
}
