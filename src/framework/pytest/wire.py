"""The worker that shakedown starts beside a pytest suite: it collects the suite once, stays warm, and runs the items
it is asked for, as often as it is asked.

  python3 -u pytest_worker.py PATH...      in the suite's directory: serve the protocol below
  python3 pytest_worker.py --tell TOKEN    print how many lines the worker with that token has said and heard
  python3 pytest_worker.py --kill TOKEN    kill every process that was started with SHAKEDOWN_WORKER=TOKEN, with its
                                           children

Protocol version 2, one JSON object on each line. Before each object that the worker says stand a checksum (CRC-32 of
what follows, in eight hexadecimal digits) and a number (from 1), so that nothing is lost or changed unnoticed on a bad
connection: "3d1a9c0e 1 {...}".

  standard input (at an end of file without a quit, the worker ends with exit code 75)
    {"type":"list"}
    {"type":"run","unit":ID,"lane":LANE,"tests":[{"selector":SELECTOR,"attempt":NUMBER},...]}
    {"type":"quit"}

  standard output
    hello       protocol, framework, version, pid: at once
    loaded      duration_ms
    load_error  message, file, line: the suite can't be collected; the worker ends with exit code 1
    test        selector, file, line, name, tags: one for each item, in the order in which pytest collected them
    listed      count: the end of a listing
    started     selector
    ended       selector, outcome (passed, failed or skipped), duration_ms, failure or null, reason or null, attachments
                failure: class, message, file, line, backtrace
                attachments: what the browser showed when the item failed, each with its kind (screenshot, page or
                browser) and its path in this container
    unit_ended  unit, asked, ran, unknown (the selectors that the suite does not have), spoiled (whether something of
                wider scope than a test failed, so that a fresh worker should run what comes next)
    error       message, class, file, line, backtrace: something failed outside of the items

Fixtures of function scope belong to their item. Those of class, module and package scope live as long as items of one
unit need them, and end with the unit at the latest; what goes wrong when they are torn down is told as an error, as no
single item is to blame. Those of session scope live as long as the worker.

Environment: SHAKEDOWN_SEED is the seed of pytest-randomly, where that is installed. SHAKEDOWN_LANE is set with each
unit, SHAKEDOWN_ATTEMPT before each item.

Needs Python 3.8 and pytest 7.0 or newer, and nothing else.

The files of this folder are joined to one, in the order that src/framework/pytest.rs has.
"""

import os
import sys
import time

PROTOCOL = 2
CUT_OFF = 75
PID = os.getpid()
FOREIGN_DIRECTORIES = ("site-packages", "dist-packages", "node_modules", ".tox", ".nox", ".venv")
# Held in a tuple, as libraries that stop the time replace what modules hold.
CLOCK = (time.monotonic,)


def in_worker_process():
    """A suite may fork, and the child may go on as if it were the worker. It isn't."""
    return os.getpid() == PID


class Account:
    """How much was said and heard, kept where --tell finds it: when a worker seems to hang, its connection may be at
    fault."""

    @staticmethod
    def path(token):
        name = "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "_" for c in token)
        return "/tmp/shakedown_worker_%s.account" % name

    def __init__(self, token):
        self.file = None
        if token:
            try:
                self.file = os.open(self.path(token), os.O_CREAT | os.O_RDWR, 0o644)
            except OSError:
                pass  # without it, the worker works as well

    def keep(self, said, heard, pwrite=os.pwrite):
        if self.file is not None:
            try:
                pwrite(self.file, b"%012d %012d\n" % (said, heard), 0)
            except OSError:
                pass


class Text:
    """Text as the protocol takes it: valid UTF-8, of bounded length."""

    LIMIT_BYTES = 64 * 1024

    @staticmethod
    def utf8(text):
        return str(text).encode("utf-8", "backslashreplace").decode("utf-8")

    @classmethod
    def bounded(cls, text):
        encoded = cls.utf8(text).encode("utf-8")
        if len(encoded) <= cls.LIMIT_BYTES:
            return encoded.decode("utf-8")
        more = len(encoded) - cls.LIMIT_BYTES
        return "%s\n[cut here: %d more bytes]" % (encoded[: cls.LIMIT_BYTES].decode("utf-8", "ignore"), more)


class Wire:
    """The protocol's two ends, out of the suite's reach: whatever the suite prints goes to standard error, and whatever
    it reads is empty."""

    def __init__(self):
        # Copies are closed in programs that are started.
        self.input = os.fdopen(os.dup(0), "rb")
        self.output = os.dup(1)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 0)
        os.close(nowhere)
        os.dup2(2, 1)
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="backslashreplace", write_through=True)
        import json
        import threading
        import zlib

        self.parse_json, self.to_json = json.loads, json.JSONEncoder(ensure_ascii=False).encode
        self.checksum, self.lock = zlib.crc32, threading.Lock()
        self.said = self.heard = 0
        self.account = Account(os.environ.get("SHAKEDOWN_WORKER"))
        self.os_write, self.leave = os.write, os._exit

    def read(self):
        """The next message as a dict, or None at the end."""
        while True:
            if not in_worker_process():
                self.leave(0)
            line = self.input.readline()
            if not line:
                return None
            with self.lock:
                self.heard += 1
                self.account.keep(self.said, self.heard)
            try:
                message = self.parse_json(line.decode("utf-8"))
            except ValueError:
                self.write("error", Failure.plain("not JSON: %s" % line.decode("utf-8", "replace")))
                continue
            if isinstance(message, dict):
                return message
            self.write("error", Failure.plain("not a message: %s" % line.decode("utf-8", "replace")))

    def write(self, kind, fields=None):
        if not in_worker_process():
            return
        message = self.to_json(dict({"type": kind}, **(fields or {})))
        with self.lock:
            self.said += 1
            line = b"%d %s" % (self.said, message.encode("utf-8", "backslashreplace"))
            self.account.keep(self.said, self.heard)
            line = b"%08x %s\n" % (self.checksum(line), line)
            try:
                while line:
                    line = line[self.os_write(self.output, line):]
            except BrokenPipeError:
                # Nobody hears us any more; that is no error of the item that runs.
                self.leave(CUT_OFF)
