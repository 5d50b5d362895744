"""A running worker, spoken to as the tool does, and suites made up for one check each. Every wait has a deadline."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest
import zlib

PROGRAM = os.environ.get("WORKER", os.path.join(os.path.dirname(os.path.abspath(__file__)), "pytest_worker.py"))
DEADLINE_SECONDS = 30


class Worker:
    def __init__(self, directory, paths, environment):
        self.log = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen([sys.executable, "-u", PROGRAM] + paths, cwd=directory, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, env=dict(os.environ, **environment))
        self.pid = self.process.pid
        self.buffer, self.lines = b"", 0

    def send_line(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def send(self, **message):
        self.send_line(json.dumps(message))

    def read_line(self):
        while b"\n" not in self.buffer:
            if not select.select([self.process.stdout], [], [], DEADLINE_SECONDS)[0]:
                raise AssertionError("the worker says nothing; stderr: %s" % self.stderr())
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                assert not self.buffer, "half a line: %r" % self.buffer
                return None
            self.buffer += chunk
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line

    def event(self):
        """The next event, or None at the end of the output. Its checksum and number must be right."""
        line = self.read_line()
        if line is None:
            return None
        checksum, _, body = line.partition(b" ")
        number, _, message = body.partition(b" ")
        self.lines += 1
        assert int(checksum, 16) == zlib.crc32(body) and int(number) == self.lines, line
        return json.loads(message.decode("utf-8"))

    def until(self, kind):
        """All events up to one of this kind, which must come."""
        events = []
        while not events or events[-1]["type"] != kind:
            event = self.event()
            if event is None:
                raise AssertionError("ended before %s; events: %s; stderr: %s" % (kind, events, self.stderr()))
            events.append(event)
        return events

    def to_the_end(self):
        return list(iter(self.event, None))

    def stderr(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def exit_code(self):
        return self.process.wait(DEADLINE_SECONDS)

    def quit(self):
        self.send(type="quit")
        events = self.to_the_end()
        return events, self.exit_code()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()


class WorkerCase(unittest.TestCase):
    maxDiff = None
    # Whether pytest loads the plugins that are installed.
    PLUGINS = False

    def setUp(self):
        self.directory = os.path.realpath(tempfile.mkdtemp(prefix="suite"))
        self.workers = []

    def tearDown(self):
        for worker in self.workers:
            worker.stop()
        shutil.rmtree(self.directory)

    def write(self, **files):
        """Names with `__` for `/`, without their `.py`."""
        for name, content in files.items():
            path = name.replace("____init__", "/__init__") if name.endswith("____init__") else name.replace("__", "/")
            self.write_file(path + ".py", content)

    def write_file(self, path, content):
        path = os.path.join(self.directory, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(content))

    def read(self, path):
        with open(os.path.join(self.directory, path)) as file:
            return file.read()

    def start(self, *paths, **environment):
        plugins = {} if self.PLUGINS else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        worker = Worker(self.directory, list(paths), dict(plugins, **environment))
        self.workers.append(worker)
        return worker

    def loaded(self, content=None, *paths, **environment):
        """A worker that has loaded the suite; CONTENT is that of test_a.py."""
        if content is not None:
            self.write(test_a=content)
        worker = self.start(*paths, **environment)
        worker.until("loaded")
        return worker

    def load_error(self, *paths, **environment):
        """The load_error event of a suite that can't be loaded, after which nothing comes."""
        worker = self.start(*paths, **environment)
        events = worker.to_the_end()
        self.assertEqual(["hello", "load_error"], [event["type"] for event in events], worker.stderr())
        self.assertEqual(1, worker.exit_code())
        return events[-1]

    def list(self, worker):
        worker.send(type="list")
        events = worker.until("listed")
        self.assertEqual(len(events) - 1, events[-1]["count"])
        return events[:-1]

    def selectors(self, worker):
        return [test["selector"] for test in self.list(worker)]

    def ask(self, worker, *tests):
        asked = [{"selector": test, "attempt": 1} if isinstance(test, str) else {"selector": test[0], "attempt": test[1]}
                 for test in tests]
        worker.send(type="run", unit="u1", lane="2", tests=asked)

    def run_unit(self, worker, *tests):
        """All events of a unit. TESTS: selectors, or (selector, attempt)."""
        self.ask(worker, *tests)
        return worker.until("unit_ended")

    def run_all(self, worker):
        return self.run_unit(worker, *self.selectors(worker))

    def run_one(self, worker, *test):
        """The one event of an item that was run alone."""
        [event] = self.ended(self.run_unit(worker, test if len(test) > 1 else test[0]))
        return event

    @staticmethod
    def kinds(events):
        return [event["type"] for event in events]

    @staticmethod
    def ended(events):
        return [event for event in events if event["type"] == "ended"]

    @classmethod
    def outcomes(cls, events):
        return [event["outcome"] for event in cls.ended(events)]

    @staticmethod
    def errors(events):
        return [event["message"] for event in events if event["type"] == "error"]

    def output(self, worker):
        return worker.stderr().splitlines()
