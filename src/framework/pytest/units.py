

# Part of the pytest worker: running the items of a unit, and when fixtures end.


class Upto:
    """Stands for an item that needs a chain of collectors, and no more."""

    def __init__(self, chain):
        self.chain = chain

    def listchain(self):
        return self.chain


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
