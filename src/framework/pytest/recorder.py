

# Part of the pytest worker: what pytest's reports of an item mean together.


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
