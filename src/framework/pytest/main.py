

# Part of the pytest worker: from start to end.


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
