

# Part of the pytest worker: ends everything that a worker has started.


class Killer:
    """The kill mode. Next to nothing of Python's library is loaded for it: it must be quick, and work when all else is
    broken."""

    ROUNDS = 50
    PAUSE_SECONDS = 0.02

    def __init__(self, token):
        self.mark = b"SHAKEDOWN_WORKER=" + os.fsencode(token)
        self.killed = set()

    def run(self):
        """Again until none is left, since a process can start another one while we look, and a large one takes a
        moment to be gone. Returns how many were killed."""
        for _ in range(self.ROUNDS):
            parents = self.read_parents()
            victims = self.find_victims(parents)
            if not victims and not any(pid in parents for pid in self.killed):
                break
            for pid in victims:
                self.kill(pid)
            time.sleep(self.PAUSE_SECONDS)
        return len(self.killed)

    def find_victims(self, parents):
        """Children count even without the mark: Chromium's overwrite their environment with a title. Parents come
        first, or they would go on when their children end."""
        marked = {pid for pid in parents if self.is_marked(pid)}
        descend = {pid for pid in parents if self.descends_from_any(marked, pid, parents)}
        own = self.own_line(parents)
        return [pid for pid in sorted(marked) + sorted(descend - marked) if pid not in own]

    def read_parents(self):
        """Process id to parent's process id, of every process that has not ended yet."""
        parents = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open("/proc/%s/stat" % name, "rb") as file:
                    # The program's name is in parentheses and may itself hold some.
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
            except (OSError, ValueError):
                continue  # it ended while we looked
            if state not in (b"Z", b"X"):
                parents[int(name)] = int(parent)
        return parents

    def is_marked(self, pid):
        try:
            with open("/proc/%d/environ" % pid, "rb") as file:
                return self.mark in file.read().split(b"\0")
        except OSError:
            return False

    def descends_from_any(self, ancestors, pid, parents):
        while pid in parents:
            pid = parents[pid]
            if pid in ancestors:
                return True
        return False

    def own_line(self, parents):
        line = {PID}
        pid = PID
        while pid in parents:
            pid = parents[pid]
            line.add(pid)
        return line

    def kill(self, pid):
        try:
            os.kill(pid, 9)
            self.killed.add(pid)
        except OSError:
            pass  # it ended by itself
