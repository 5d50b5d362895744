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


class Failure:
    """An exception as the protocol shows it."""

    BACKTRACE_LINES = 50
    # With the separator at its end.
    SUITE_ROOT = os.path.join(os.getcwd(), "")
    # Folders of pytest and its parts, whose frames say nothing about the suite.
    machinery = ()

    @classmethod
    def describe(cls, exception):
        frames = cls.frames_of(exception)
        own = next((frame for frame in frames if cls.is_own(frame[0])), None)
        if own is None and isinstance(exception, SyntaxError) and exception.filename:
            own = (exception.filename, exception.lineno, "")
            own = own if cls.is_own(own[0]) else None
        return {
            "class": Text.utf8(cls.class_of(exception)),
            "message": Text.bounded(cls.message_of(exception)),
            "file": Text.utf8(cls.relative(own[0])) if own else None,
            "line": own[1] if own else None,
            "backtrace": [Text.utf8("%s:%s: in %s" % (cls.relative(path), line, name))
                          for path, line, name in frames[: cls.BACKTRACE_LINES]],
        }

    @staticmethod
    def plain(message):
        """For what went wrong without an exception."""
        return {"class": "", "message": Text.bounded(message), "file": None, "line": None, "backtrace": []}

    @staticmethod
    def class_of(exception):
        kind = type(exception)
        plain = kind.__module__ in ("builtins", "__main__") or kind.__module__.split(".")[0] == "_pytest"
        return kind.__qualname__ if plain else "%s.%s" % (kind.__module__, kind.__qualname__)

    @classmethod
    def message_of(cls, exception):
        try:
            if isinstance(exception, SystemExit):
                return cls.exit_message(exception)
            if type(exception).__qualname__ == "FixtureLookupError":
                return exception.formatrepr().errorstring
            if type(exception).__qualname__ == "Exit" and type(exception).__module__ == "_pytest.outcomes":
                return "the test called pytest.exit: %s" % exception
            inner = getattr(exception, "exceptions", None)
            if isinstance(inner, (list, tuple)) and inner and all(isinstance(e, BaseException) for e in inner):
                parts = ["%d) %s: %s" % (i + 1, cls.class_of(e), cls.message_of(e)) for i, e in enumerate(inner)]
                return "\n\n".join(["%s:" % getattr(exception, "message", exception)] + parts)
            text = str(exception)
            if not text and isinstance(exception, AssertionError):
                text = cls.source_of(exception)
            cause = exception.__cause__
            if cause is not None and cause is not exception:
                text += "\ncaused by %s: %s" % (cls.class_of(cause), str(cause))
            return text
        except Exception as error:
            return "(its message can't be shown: %s)" % type(error).__name__

    @staticmethod
    def exit_message(exception):
        if exception.code is None or isinstance(exception.code, int):
            return "the test called exit (status %d)" % (exception.code or 0)
        return "the test called exit (status 1): %s" % exception.code

    @staticmethod
    def source_of(exception):
        """The line that was asserted, where pytest did not rewrite it."""
        import linecache

        step = exception.__traceback__
        while step is not None and step.tb_next is not None:
            step = step.tb_next
        return linecache.getline(step.tb_frame.f_code.co_filename, step.tb_lineno).strip() if step else ""

    @classmethod
    def frames_of(cls, exception):
        """Path, line and function of each frame, innermost first; without pytest's own, unless there are no others."""
        frames, step = [], exception.__traceback__
        while step is not None:
            code = step.tb_frame.f_code
            hidden = bool(step.tb_frame.f_locals.get("__tracebackhide__", False))
            hidden = hidden or code.co_filename == __file__ or code.co_filename.startswith(cls.machinery)
            frames.append((hidden, (code.co_filename, step.tb_lineno, code.co_name)))
            step = step.tb_next
        frames.reverse()
        return [frame for hidden, frame in frames if not hidden] or [frame for _, frame in frames]

    @classmethod
    def is_own(cls, path):
        """Packages that are installed inside of the project are not the project's own code."""
        path = os.path.join(cls.SUITE_ROOT, path)
        parts = path[len(cls.SUITE_ROOT):].split(os.sep)
        return path.startswith(cls.SUITE_ROOT) and path != __file__ and not set(parts) & set(FOREIGN_DIRECTORIES) \
            and os.path.exists(path)

    @classmethod
    def relative(cls, path):
        return path[len(cls.SUITE_ROOT):] if path.startswith(cls.SUITE_ROOT) else path

    @classmethod
    def place_in(cls, text):
        """File and line of the last place in the project's own code that a text of pytest's names."""
        import re

        place = (None, None)
        for path, line in re.findall(r"^E?\s*(?:File \")?([^\s:\"][^:\"\n]*)(?:\", line |:)(\d+)", text, re.MULTILINE):
            if cls.is_own(path):
                place = (cls.relative(os.path.normpath(path)), int(line))
        return place


class Witness:
    """Keeps what the browser showed when an item failed, where one of its fixtures, or its object, is a driver of
    Selenium or a page of Playwright: a picture, the page and, as text, the address, the title and the console. Whatever
    goes wrong here is not the item's fault and is passed over."""

    FOLDER = "/tmp/shakedown_evidence"
    # All browsers of one item have so long together. A browser that hangs is why many an item fails.
    LIMIT_SECONDS = 6
    LIMIT_BYTES = 8 * 1024 * 1024
    MOST_BROWSERS = 4

    def __init__(self):
        self.count = 0

    def look(self, item):
        """Right after the item's own code failed, before any fixture is torn down."""
        kept = []
        try:
            browsers = self.browsers_of(item)
            if not browsers:
                return kept
            self.count += 1
            folder = os.path.join(self.FOLDER, "%d-%d" % (PID, self.count))
            os.makedirs(folder, exist_ok=True)
            deadline = CLOCK[0]() + self.LIMIT_SECONDS
            for index, (kind, browser) in enumerate(browsers):
                base = os.path.join(folder, "page" if index == 0 else "page-%d" % (index + 1))
                left = deadline - CLOCK[0]()
                if left > 0:
                    kept += self.ask_playwright(browser, base, left) if kind == "playwright" \
                        else self.ask_selenium(browser, base, left)
        except Exception:
            pass
        return kept

    def browsers_of(self, item):
        values = list((getattr(item, "funcargs", None) or {}).values())
        definitions = getattr(getattr(item, "_request", None), "_fixture_defs", None) or {}
        for definition in list(definitions.values()):
            cached = getattr(definition, "cached_result", None)
            if cached is not None and cached[2] is None:
                values.append(cached[0])
        instance, holder = getattr(item, "instance", None), getattr(item, "cls", None)
        values += [value for of in (instance, holder) if of is not None for value in self.attributes(of)]
        # A page object or another helper holds its browser as an attribute.
        values += [inner for value in list(values) for inner in self.attributes(value)]
        found, seen = [], set()
        for value in values:
            kind = self.kind_of(value)
            if kind and id(value) not in seen:
                seen.add(id(value))
                found.append((kind, value))
        return found[: self.MOST_BROWSERS]

    @staticmethod
    def attributes(value):
        try:
            return list(vars(value).values()) if not isinstance(value, type(os)) else []
        except TypeError:
            return []

    @staticmethod
    def kind_of(value):
        """By what the class has: asking the object itself may ask the browser."""
        import inspect

        kind = type(value)
        if kind.__module__ in ("unittest.mock", "mock"):
            return None
        if callable(getattr(kind, "save_screenshot", None)) and hasattr(kind, "page_source"):
            return "selenium"
        picture = getattr(kind, "screenshot", None)
        if callable(picture) and callable(getattr(kind, "content", None)) and not inspect.iscoroutinefunction(picture):
            return "playwright"
        return None

    def ask_selenium(self, driver, base, limit):
        """In a thread, as nothing else bounds how long a driver takes to answer."""
        import threading

        kept = []

        def ask():
            picture = base + ".png"
            self.attempt(lambda: driver.save_screenshot(picture))
            if os.path.exists(picture) and os.path.getsize(picture):
                kept.append({"kind": "screenshot", "path": picture})
            self.write(kept, "page", base + ".html", self.attempt(lambda: driver.page_source))
            lines = ["address: %s" % self.attempt(lambda: driver.current_url),
                     "title: %s" % self.attempt(lambda: driver.title)]
            console = self.attempt(lambda: driver.get_log("browser"))
            if console is not None:
                lines.append("console:")
                lines += ["  %s %s" % (entry.get("level"), entry.get("message")) for entry in console]
            self.write(kept, "browser", base + ".txt", "\n".join(lines) + "\n")

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(limit)
        return list(kept)

    def ask_playwright(self, page, base, limit):
        """Its objects belong to their thread; but it bounds the time by itself, and a page that can't be pictured in
        time is asked for nothing else."""
        kept, picture = [], base + ".png"
        self.attempt(lambda: page.screenshot(path=picture, timeout=limit * 1000))
        if not (os.path.exists(picture) and os.path.getsize(picture)):
            return kept
        kept.append({"kind": "screenshot", "path": picture})
        self.write(kept, "page", base + ".html", self.attempt(page.content))
        title = page.title if callable(getattr(page, "title", None)) else (lambda: None)
        text = "address: %s\ntitle: %s\n" % (self.attempt(lambda: page.url), self.attempt(title))
        self.write(kept, "browser", base + ".txt", text)
        return kept

    def write(self, kept, kind, path, text):
        if text is None:
            return
        with open(path, "wb") as file:
            file.write(Text.utf8(text).encode("utf-8")[: self.LIMIT_BYTES])
        kept.append({"kind": kind, "path": path})

    @staticmethod
    def attempt(ask):
        try:
            return ask()
        except Exception:
            return None  # not every driver can


class Catalogue:
    """The items of a collected suite, and how to name them."""

    # What pytest itself gives a meaning; of these marks, no tag is made.
    OWN_MARKS = {"parametrize", "usefixtures", "filterwarnings", "skip", "skipif", "xfail"}

    def __init__(self, items):
        self.by_selector, self.place = {}, {}
        self.listing = []
        for item in items:
            selector = self.unused(Text.utf8(item.nodeid))
            self.by_selector[selector] = item
            self.place[selector] = len(self.place)
            self.listing.append(self.entry(selector, item))

    def unused(self, selector):
        """A collector may give several items the same id."""
        candidate, number = selector, 1
        while candidate in self.by_selector:
            number += 1
            candidate = "%s#%d" % (selector, number)
        return candidate

    def entry(self, selector, item):
        path = str(getattr(item, "path", None) or item.location[0])
        inside = os.path.join(Failure.SUITE_ROOT, path)
        file = Failure.relative(inside) if inside.startswith(Failure.SUITE_ROOT) else os.path.relpath(inside)
        name = selector.split("::", 1)[1] if "::" in selector else item.name
        return {"selector": selector, "file": Text.utf8(file), "line": self.line_of(item, inside),
                "name": Text.utf8(name), "tags": self.tags_of(item)}

    @staticmethod
    def line_of(item, path):
        """Where the item is inherited from another file, its class's line."""
        try:
            place, line = item.reportinfo()[:2]
            if os.path.realpath(str(place)) != os.path.realpath(path):
                place, line = item.getparent(type(item.parent)).reportinfo()[:2]
            if os.path.realpath(str(place)) == os.path.realpath(path) and line is not None:
                return line + 1
        except Exception:
            pass
        return None

    def tags_of(self, item):
        tags = []
        for mark in item.iter_markers():
            if mark.name in self.OWN_MARKS:
                continue
            values = [str(value) for value in mark.args if isinstance(value, (str, int, float))]
            for tag in ["%s:%s" % (mark.name, value) for value in values] or [mark.name]:
                tag = Text.utf8(tag)
                if tag not in tags:
                    tags.append(tag)
        return tags


class Upto:
    """Stands for an item that needs a chain of collectors, and no more."""

    def __init__(self, chain):
        self.chain = chain

    def listchain(self):
        return self.chain


class Recorder:
    """Hears what pytest reports of the item that runs."""

    def __init__(self, wire):
        self.wire, self.witness = wire, Witness()
        self.item = None

    def begin(self, item):
        self.item, self.reports, self.raised, self.attachments = item, [], {}, []

    def raised_in(self, when, exception):
        self.raised[when] = exception

    def reported(self, report):
        if self.item is not None and in_worker_process():
            self.reports.append(report)

    def look(self, when):
        if when in ("setup", "call") and not self.attachments:
            self.attachments = self.witness.look(self.item)

    def verdict(self, stopped):
        """What all reports of the item mean together: outcome, failure, reason. STOPPED is an exception with which the
        item wanted to end the whole session."""
        failures = []
        for report in self.reports:
            if report.failed:
                failures.append((getattr(report, "when", None), self.failure(report)))
        if stopped is not None:
            failures.append(("call", Failure.describe(stopped)))
        self.tell_logs(failures)
        if failures:
            return "failed", self.folded(failures), None
        for report in self.reports:
            if report.skipped:
                return "skipped", None, Text.bounded(self.reason(report))
        if not any(report.when == "call" for report in self.reports):
            plain = Failure.plain("pytest reported nothing of this test's own code")
            return "failed", dict(plain, **self.place()), None
        return "passed", None, None

    def failure(self, report):
        when = getattr(report, "when", None)
        exception = self.raised.get(when)
        if exception is None or hasattr(report, "context"):
            # Without an exception: a test that passes though it must not, and parts that plugins report by themselves.
            return dict(Failure.plain(getattr(report, "longreprtext", "") or "pytest gave no reason"), **self.place())
        failure = Failure.describe(exception)
        return failure if failure["file"] else dict(failure, **self.place())

    def place(self):
        entry = Catalogue.line_of(self.item, str(getattr(self.item, "path", "")))
        path = os.path.join(Failure.SUITE_ROOT, str(getattr(self.item, "path", self.item.location[0])))
        return {"file": Text.utf8(Failure.relative(path)), "line": entry}

    def folded(self, failures):
        """What failed before and after the test's own code is told apart from it."""
        named = []
        for when, failure in failures:
            prefix = {"setup": "in setup: ", "teardown": "in teardown: "}.get(when, "")
            message = Text.bounded(prefix + failure["message"]) if prefix else failure["message"]
            named.append(dict(failure, message=message))
        if len(named) == 1:
            return named[0]
        parts = ["%d) %s%s" % (i + 1, failure["class"] and failure["class"] + ": ", failure["message"])
                 for i, failure in enumerate(named)]
        return dict(named[0], message=Text.bounded("\n\n".join(parts)))

    @staticmethod
    def reason(report):
        if hasattr(report, "wasxfail"):
            reason = report.wasxfail
            return (reason[len("reason: "):] if reason.startswith("reason: ") else reason) or "failed as it is expected to"
        if isinstance(report.longrepr, tuple):
            reason = report.longrepr[2]
            return reason[len("Skipped: "):] if reason.startswith("Skipped: ") else reason
        return str(report.longrepr or "")

    def tell_logs(self, failures):
        """What was logged is not written anywhere by itself."""
        if not failures:
            return
        told = []
        for report in self.reports:
            for title, content in getattr(report, "sections", None) or []:
                if title.startswith("Captured log") and (title, content) not in told:
                    told.append((title, content))
                    sys.stderr.write("--- %s\n%s\n" % (title, content.rstrip("\n")))


class Adjustments:
    """What of the suite's options makes no sense in a worker: to spread or repeat tests, to stop early, to ask or tell
    somebody, and to run only what failed before."""

    NEUTRAL = {
        "numprocesses": None, "maxprocesses": None, "dist": "no", "distload": False, "tx": [], "px": [],
        "looponfail": False, "forked": False, "reruns": 0, "force_reruns": 0, "force_flaky": False, "maxfail": 0,
        "collectonly": False, "lf": False, "failedfirst": False, "newfirst": False, "stepwise": False,
        "stepwise_skip": False, "stepwise_reset": False, "cacheshow": None, "usepdb": False, "trace": False,
        "setuponly": False, "setupplan": False, "setupshow": False, "showfixtures": False,
        "show_fixtures_per_test": False, "markers": False, "version": 0, "help": False, "xmlpath": None,
        "htmlpath": None, "report_log": None, "json_report": False, "pastebin": None,
        "continue_on_collection_errors": False, "color": "no",
    }

    @classmethod
    def make(cls, config):
        for name, value in cls.NEUTRAL.items():
            if hasattr(config.option, name):
                setattr(config.option, name, list(value) if isinstance(value, list) else value)
        seed = os.environ.get("SHAKEDOWN_SEED", "")
        if seed.isdigit() and getattr(config.option, "randomly_seed", None) == "default":
            config.option.randomly_seed = int(seed) % 2**32

    @staticmethod
    def silence(config):
        """The reporter stays, as other plugins speak to it."""
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        writer = getattr(reporter, "_tw", None)
        if writer is not None:
            writer._file = open(os.devnull, "w")


class UnitRunner:
    """Runs units: any of the suite's items, in the order that pytest gave them, as often as asked."""

    def __init__(self, wire, recorder, catalogue, session):
        self.wire, self.recorder, self.catalogue, self.session = wire, recorder, catalogue, session
        self.pristine = {}
        self.spoiled, self.current = False, None
        # Fixtures of wider scope are torn down by us, so that what goes wrong there fails no item.
        self.state = session._setupstate
        self.tear_down_to = self.state.teardown_exact
        self.state.teardown_exact = self.tear_down_item

    def run(self, message):
        tests = [(test["selector"], test.get("attempt", 1)) for test in message["tests"]]
        if message.get("lane"):
            os.environ["SHAKEDOWN_LANE"] = message["lane"]
        unknown = [selector for selector, _ in tests if selector not in self.catalogue.by_selector]
        known = [test for test in tests if test[0] in self.catalogue.by_selector]
        self.spoiled = False
        order = [test for round in self.rounds(known) for test in round]
        for index, (selector, attempt) in enumerate(order):
            follower = self.catalogue.by_selector[order[index + 1][0]] if index + 1 < len(order) else None
            self.run_item(selector, attempt, follower)
        self.forget_failed_fixtures()
        self.wire.write("unit_ended", {"unit": message.get("unit"), "asked": len(tests), "ran": len(order),
                                       "unknown": unknown, "spoiled": self.spoiled})

    def rounds(self, tests):
        """An item that is asked for again runs once all others have."""
        rounds = []
        for test in tests:
            free = next((round for round in rounds if all(test[0] != other for other, _ in round)), None)
            if free is None:
                free = []
                rounds.append(free)
            free.append(test)
        return [sorted(round, key=lambda test: self.catalogue.place[test[0]]) for round in rounds]

    def run_item(self, selector, attempt, follower):
        item = self.catalogue.by_selector[selector]
        self.make_fresh(item)
        os.environ["SHAKEDOWN_ATTEMPT"] = str(attempt)
        # Whatever wanted to stop the session before does not stop this item.
        self.session.shouldstop = self.session.shouldfail = False
        self.recorder.begin(item)
        self.wire.write("started", {"selector": selector})
        started, stopped = CLOCK[0](), None
        self.current = item
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=follower)
        except BaseException as exception:  # pytest.exit, or what a plugin raises
            stopped = exception
            self.abandon(item)
        if not in_worker_process():
            os._exit(1 if stopped is not None else 0)
        outcome, failure, reason = self.recorder.verdict(stopped)
        duration = max(round((CLOCK[0]() - started) * 1000, 1), 0)
        self.wire.write("ended", {"selector": selector, "outcome": outcome, "duration_ms": duration, "failure": failure,
                                  "reason": reason, "attachments": self.recorder.attachments})
        self.recorder.item = None
        self.tear_down_wider(follower.listchain() if follower is not None else [self.session])

    def make_fresh(self, item):
        """An item keeps what it logged, the marks that were added to it, and the object that its class made."""
        marks, keywords = getattr(item, "own_markers", None), getattr(getattr(item, "keywords", None), "_markers", None)
        if item not in self.pristine:
            self.pristine[item] = (list(marks or []), dict(keywords or {}), list(getattr(item, "user_properties", [])))
        elif marks is not None and keywords is not None:
            kept_marks, kept_keywords, properties = self.pristine[item]
            marks[:] = kept_marks
            keywords.clear()
            keywords.update(kept_keywords)
            item.user_properties[:] = properties
        if getattr(item, "cls", None) is not None:
            for name in ("_obj", "_instance"):
                if vars(item).get(name) is not None:
                    delattr(item, name)
        if isinstance(getattr(item, "_report_sections", None), list):
            del item._report_sections[:]

    def tear_down_item(self, _follower):
        """In the place of pytest's own: ends what belongs to the item, and leaves the rest to tear_down_wider."""
        self.tear_down_to(Upto(self.current.listchain()[:-1]))

    def abandon(self, item):
        """An item that was left half-way has not been torn down."""
        try:
            self.tear_down_to(Upto(item.listchain()[:-1]))
        except BaseException as exception:
            self.tell("in teardown of %s" % item.nodeid, exception)
        if hasattr(item, "_request"):
            item._request = False
            item.funcargs = None

    def tear_down_wider(self, chain):
        """Ends all fixtures that are not needed within this chain of collectors."""
        for _ in range(1 + len(self.state.stack)):
            before = list(self.state.stack)
            try:
                self.tear_down_to(Upto(chain) if chain else None)
                return
            except BaseException as exception:
                gone = [getattr(node, "nodeid", "") for node in before if node not in self.state.stack]
                names = ", ".join(name for name in gone if name not in ("", "."))
                self.tell("in teardown of %s" % (names or "the session"), exception)

    def end(self):
        """Ends the session's fixtures, too."""
        self.tear_down_wider([])
        self.state.teardown_exact = self.tear_down_to

    def forget_failed_fixtures(self):
        """pytest keeps how a fixture of the session failed for as long as the session lives, and fails with it whatever
        needs that fixture. Here that would be the worker's whole life: so it is told, and tried anew."""
        definitions = getattr(self.session._fixturemanager, "_arg2fixturedefs", {})
        for name, several in definitions.items():
            for definition in several:
                cached = getattr(definition, "cached_result", None)
                error = self.error_in(cached[2]) if cached is not None else None
                if error is None or type(error).__name__ in ("Skipped", "XFailed"):
                    continue
                definition.cached_result = None
                self.tell("the fixture %s (%s scope) could not be set up" % (name, definition.scope), error)

    @staticmethod
    def error_in(kept):
        """Versions of pytest keep it alone, or with its class and traceback."""
        several = kept if isinstance(kept, tuple) else (kept,)
        return next((part for part in several if isinstance(part, BaseException)), None)

    def tell(self, what, exception):
        self.spoiled = True
        failure = Failure.describe(exception)
        message = Text.bounded("%s: %s: %s" % (what, failure["class"], failure["message"]))
        self.wire.write("error", dict(failure, message=message))


def make_plugins(pytest, session_of_worker):
    """Our two plugins. pytest tells hooks by their functions, which carry its marks."""

    class Serving:
        @pytest.hookimpl(hookwrapper=True)
        def pytest_cmdline_main(self, config):
            Adjustments.make(config)
            yield

        @pytest.hookimpl(trylast=True)
        def pytest_configure(self, config):
            Adjustments.silence(config)

        def pytest_collectreport(self, report):
            if report.failed:
                session_of_worker.load_error(report)

        def pytest_internalerror(self, excrepr, excinfo):
            session_of_worker.internal_error(excrepr, excinfo)
            return True

        def pytest_keyboard_interrupt(self, excinfo):
            session_of_worker.internal_error(excinfo.value, excinfo)

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtestloop(self, session):
            session_of_worker.serve(session)
            return True

    class Running:
        """Registered last of all, so that it is asked first and sees what all others made of a report."""

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_protocol(self, item, nextitem):
            # In the place of plugins that would repeat or fork it.
            from _pytest.runner import runtestprotocol

            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            runtestprotocol(item, nextitem=nextitem)
            item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
            return True

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtest_makereport(self, item, call):
            if not in_worker_process():
                leave_child(call.excinfo)
            made = yield
            recorder = session_of_worker.recorder
            if item is recorder.item:
                exception = call.excinfo.value if call.excinfo is not None else None
                recorder.raised_in(call.when, exception)
                if made.get_result().failed:
                    recorder.look(call.when)

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_logreport(self, report):
            session_of_worker.recorder.reported(report)

    return Serving(), Running()


def leave_child(raised):
    """A forked child that comes out of its test ends, as it would have without pytest."""
    if raised is None:
        os._exit(0)
    if isinstance(raised.value, SystemExit):
        code = raised.value.code
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)
    import traceback

    traceback.print_exception(type(raised.value), raised.value, raised.value.__traceback__)
    os._exit(1)


class Overheard:
    """Standard error while the suite is loaded: what pytest says there is why it could not be."""

    LIMIT = 64 * 1024

    def __init__(self, stream):
        self.stream, self.text = stream, ""

    def write(self, text):
        self.text = (self.text + str(text))[-self.LIMIT:]
        return self.stream.write(text)

    def __getattr__(self, name):
        return getattr(self.stream, name)


class Session:
    """From start to end."""

    def __init__(self, wire, paths):
        self.wire, self.paths = wire, paths
        self.recorder = Recorder(wire)
        self.load_errors, self.place = [], None
        self.loaded = self.told_to_quit = self.cut_off = False

    def run(self):
        """Returns the exit code."""
        self.leave_at_once_on_signals()
        pytest = self.load_framework()
        if pytest is None:
            return 1
        self.started = CLOCK[0]()
        serving, self.running = make_plugins(pytest, self)
        sys.path[0] = os.getcwd()
        self.heard = sys.stderr = Overheard(sys.stderr)
        status = None
        try:
            # What the suite writes is not captured: it shall be heard at once, and be there after a crash.
            status = pytest.main(["--capture=no"] + self.paths, plugins=[serving])
        except BaseException as exception:
            self.internal_error(exception, None, exception)
        if self.loaded:
            return 0 if self.told_to_quit else CUT_OFF if self.cut_off else 1
        self.report_load_errors(status)
        return 1

    def leave_at_once_on_signals(self):
        """pytest would finish the item first, and tear down the whole session."""
        import signal

        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            signal.signal(number, lambda *_, code=code, leave=os._exit: leave(code))

    def load_framework(self):
        try:
            import pytest
        except ImportError as error:
            self.say_hello(None)
            return self.refuse("pytest can't be loaded by %s: %s" % (sys.executable, error))
        self.say_hello(pytest.__version__)
        if sys.version_info < (3, 8):
            return self.refuse("Python 3.8 or newer is needed, and this is %s" % sys.version.split()[0])
        if int(pytest.__version__.split(".")[0]) < 7:
            return self.refuse("pytest 7.0 or newer is needed, and this is %s" % pytest.__version__)
        import _pytest
        import pluggy

        Failure.machinery = tuple(os.path.join(os.path.dirname(module.__file__), "") for module in (_pytest, pluggy)) \
            + (os.path.dirname(pytest.__file__) + "/pytest", os.path.dirname(os.__file__) + "/unittest/")
        return pytest

    def say_hello(self, version):
        self.wire.write("hello", {"protocol": PROTOCOL, "framework": "pytest", "version": version, "pid": PID})

    def refuse(self, message):
        self.wire.write("load_error", {"message": Text.bounded(message), "file": None, "line": None})

    def internal_error(self, excrepr, excinfo, exception=None):
        exception = exception if exception is not None else excinfo.value
        failure = Failure.describe(exception)
        text = failure["message"] if isinstance(exception, SystemExit) else "%s: %s" % (failure["class"], failure["message"])
        text = text.replace("the test called", "the suite called")
        if self.loaded:
            message = Text.bounded("pytest itself failed: %s" % text)
            return self.wire.write("error", dict(failure, message=message))
        self.place = self.place or (failure["file"], failure["line"])
        self.load_errors.append(text)

    def load_error(self, report):
        text = str(getattr(report, "longreprtext", "") or report.longrepr)
        if self.place is None:
            self.place = Failure.place_in(text)
            path = os.path.join(Failure.SUITE_ROOT, report.nodeid.split("::")[0])
            if self.place[0] is None and os.path.isfile(path):
                self.place = (Failure.relative(path), None)
        self.load_errors.append(text)

    def report_load_errors(self, status):
        message = "\n\n".join(self.load_errors) or self.heard.text.strip() \
            or "pytest ended with status %s while the suite was loaded" % status
        file, line = self.place or (None, None)
        if file is None:
            file, line = Failure.place_in(self.load_errors[0] if self.load_errors else message)
        self.wire.write("load_error", {"message": Text.bounded(message), "file": file and Text.utf8(file), "line": line})

    def serve(self, session):
        """The session's fixtures live from the first unit to the last."""
        if self.load_errors or session.testsfailed:
            return
        sys.stderr = self.heard.stream
        self.loaded = True
        session.config.pluginmanager.register(self.running, "shakedown-running")
        catalogue = Catalogue(session.items)
        self.wire.write("loaded", {"duration_ms": round((CLOCK[0]() - self.started) * 1000)})
        runner = UnitRunner(self.wire, self.recorder, catalogue, session)
        while True:
            # The suite may have set handlers of its own.
            self.leave_at_once_on_signals()
            unit = self.next_unit(catalogue)
            if unit is None:
                break
            runner.run(unit)
        runner.end()

    def next_unit(self, catalogue):
        """Answers listings on the way. Returns None at the end."""
        while True:
            message = self.wire.read()
            if message is None:
                self.cut_off = True
                return None
            kind = message.get("type")
            if kind == "run":
                return message
            if kind == "quit":
                self.told_to_quit = True
                return None
            if kind == "list":
                for entry in catalogue.listing:
                    self.wire.write("test", entry)
                self.wire.write("listed", {"count": len(catalogue.listing)})
            else:
                self.wire.write("error", Failure.plain("unknown type of message: %r" % (kind,)))


def main(arguments):
    if arguments[:1] == ["--kill"]:
        if len(arguments) < 2 or not arguments[1]:
            sys.exit("usage: pytest_worker.py --kill TOKEN")
        print('{"killed":%d}' % Killer(arguments[1]).run())
    elif arguments[:1] == ["--tell"]:
        try:
            with open(Account.path(arguments[1])) as file:
                sys.stdout.write(file.read())
        except (IndexError, OSError):
            pass  # it keeps none
    else:
        wire = Wire()
        try:
            code = Session(wire, arguments).run()
        except BaseException as exception:  # nothing may end the worker without a word
            wire.write("error", Failure.describe(exception))
            raise
        sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
