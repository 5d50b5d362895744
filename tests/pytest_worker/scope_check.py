from support import WorkerCase

SCOPES = """
    import pytest
    def made(name):
        print("make", name)
        yield
        print("drop", name)
    @pytest.fixture(scope="session", autouse=True)
    def of_session(): yield from made("session")
    @pytest.fixture(scope="package", autouse=True)
    def of_package(): yield from made("package")
    @pytest.fixture(scope="module", autouse=True)
    def of_module(): yield from made("module")
    @pytest.fixture(scope="class", autouse=True)
    def of_class(): yield from made("class")
    @pytest.fixture
    def own(): yield from made("own")
"""


class ScopeCheck(WorkerCase):
    def test_wider_fixtures_live_as_long_as_a_unit_needs_them_and_those_of_the_session_as_long_as_the_worker(self):
        self.write(tests____init__="", tests__conftest=SCOPES, tests__test_b="def test_z(): print('z')")
        self.write(tests__test_a="""
            class TestA:
                def test_x(self, own): print("x")
                def test_y(self): print("y")
            class TestB:
                def test_w(self): print("w")
        """)
        worker = self.loaded()
        self.assertEqual([], self.output(worker))
        self.run_unit(worker, "tests/test_a.py::TestA::test_x", "tests/test_a.py::TestA::test_y",
                      "tests/test_a.py::TestB::test_w", "tests/test_b.py::test_z")
        first = self.output(worker)
        # Where a package begins and ends differs between versions of pytest.
        self.assertEqual("make session, make module, make class, make own, x, drop own, y, drop class, make class, w, "
                         "drop class, drop module, make module, make class, z, drop class, drop module",
                         ", ".join(line for line in first if "package" not in line))
        self.assertEqual(first.count("make package"), first.count("drop package"))
        self.assertGreaterEqual(first.count("make package"), 1)
        self.run_unit(worker, "tests/test_a.py::TestA::test_y")
        second = self.output(worker)[len(first):]
        self.assertEqual("make module, make class, y, drop class, drop module",
                         ", ".join(line for line in second if "package" not in line))
        before = len(self.output(worker))
        self.assertEqual(([], 0), worker.quit())
        self.assertEqual(["drop session"], self.output(worker)[before:])

    def test_hooks_of_module_and_class_run_once_for_each_unit(self):
        worker = self.loaded("""
            def setup_module(): print("module up")
            def teardown_module(): print("module down")
            class TestA:
                @classmethod
                def setup_class(cls): print("class up")
                @classmethod
                def teardown_class(cls): print("class down")
                def test_x(self): print("x")
                def test_y(self): print("y")
        """)
        for _ in range(2):
            before = len(self.output(worker))
            self.run_all(worker)
            self.assertEqual(["module up", "class up", "x", "y", "class down", "module down"],
                             self.output(worker)[before:])

    def test_a_wider_teardown_that_fails_is_an_error_of_its_own_and_spoils_the_worker(self):
        worker = self.loaded("""\
            import pytest
            @pytest.fixture(scope="module")
            def door():
                yield
                raise IOError("stuck")
            def test_x(door): pass
            def test_y(door): pass
        """)
        for _ in range(2):
            events = self.run_all(worker)
            self.assertEqual(["started", "ended", "started", "ended", "error", "unit_ended"], self.kinds(events))
            self.assertEqual(["passed", "passed"], self.outcomes(events))
            error = events[-2]
            self.assertEqual(("OSError", "test_a.py", 5), (error["class"], error["file"], error["line"]))
            self.assertEqual("in teardown of test_a.py: OSError: stuck", error["message"])
            self.assertTrue(events[-1]["spoiled"])

    def test_a_failing_module_fixture_fails_each_item_of_its_unit_and_is_tried_again_in_the_next(self):
        worker = self.loaded("""
            import os, pytest
            @pytest.fixture(scope="module")
            def door():
                print("try")
                if os.environ["SHAKEDOWN_ATTEMPT"] == "1": raise IOError("no key")
            def test_x(door): pass
            def test_y(door): pass
            def test_z(): pass
        """)
        events = self.run_all(worker)
        self.assertEqual(["failed", "failed", "passed"], self.outcomes(events))
        self.assertEqual("in setup: no key", self.ended(events)[1]["failure"]["message"])
        self.assertEqual(["passed"], self.outcomes(self.run_unit(worker, ("test_a.py::test_x", 2))))
        self.assertEqual(["try", "try"], self.output(worker))

    def test_a_failing_session_fixture_is_told_spoils_the_worker_and_is_tried_again(self):
        worker = self.loaded("""\
            import os, pytest
            @pytest.fixture(scope="session")
            def server():
                if os.environ["SHAKEDOWN_ATTEMPT"] == "1": raise IOError("no port")
                yield
                print("server down")
            def test_x(server): pass
            def test_y(server): pass
        """)
        events = self.run_all(worker)
        self.assertEqual(["failed", "failed"], self.outcomes(events))
        self.assertEqual(["the fixture server (session scope) could not be set up: OSError: no port"], self.errors(events))
        self.assertTrue(events[-1]["spoiled"])
        events = self.run_unit(worker, ("test_a.py::test_x", 2))
        self.assertEqual((["passed"], [], False), (self.outcomes(events), self.errors(events), events[-1]["spoiled"]))
        worker.quit()
        self.assertEqual(["server down"], self.output(worker))

    def test_a_session_fixture_that_skips_skips_every_time(self):
        worker = self.loaded("""
            import pytest
            @pytest.fixture(scope="session")
            def gpu(): pytest.skip("no GPU")
            def test_x(gpu): pass
            def test_y(gpu): pass
        """)
        for _ in range(2):
            events = self.run_all(worker)
            self.assertEqual([("skipped", "no GPU")] * 2, [(e["outcome"], e["reason"]) for e in self.ended(events)])
            self.assertFalse(events[-1]["spoiled"])

    def test_a_session_teardown_that_fails_is_told_at_the_end(self):
        worker = self.loaded("""
            import pytest
            @pytest.fixture(scope="session", autouse=True)
            def server():
                yield
                raise IOError("can't stop")
            def test_x(): pass
        """)
        self.run_all(worker)
        events, code = worker.quit()
        self.assertEqual((["in teardown of the session: OSError: can't stop"], 0), (self.errors(events), code))

    def test_a_unit_goes_on_after_pytest_exit_and_its_fixtures_are_torn_down(self):
        worker = self.loaded("""\
            import pytest
            @pytest.fixture
            def own():
                yield
                print("own down")
            @pytest.fixture(scope="module", autouse=True)
            def door():
                print("door up")
                yield
                print("door down")
            def test_x(own): pytest.exit("enough")
            def test_y(own): print("y")
            def test_z(): raise KeyboardInterrupt
            def test_w(): pass
        """)
        for _ in range(2):
            before = len(self.output(worker))
            events = self.run_all(worker)
            self.assertEqual(["failed", "passed", "failed", "passed"], self.outcomes(events))
            self.assertEqual("the test called pytest.exit: enough", self.ended(events)[0]["failure"]["message"])
            self.assertEqual(("test_a.py", 11), tuple(self.ended(events)[0]["failure"][k] for k in ("file", "line")))
            self.assertEqual(["door up", "own down", "y", "own down", "door down"], self.output(worker)[before:])
