

# Part of the pytest worker: what pytest is told to do, and calls.


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
