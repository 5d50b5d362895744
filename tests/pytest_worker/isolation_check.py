import os
import signal

from support import WorkerCase


class IsolationCheck(WorkerCase):
    def test_what_the_suite_prints_never_reaches_the_protocol(self):
        worker = self.loaded("""
            import os, subprocess, sys
            print("loading")
            def test_x(capfd):
                with capfd.disabled():
                    print("print")
                    sys.stdout.write("write\\n")
                    sys.__stdout__.write("original\\n")
                    os.write(1, b"descriptor\\n")
                    subprocess.run("echo child", shell=True)
                    subprocess.run("for i in 3 4 5 6 7; do (echo none >&$i) 2>/dev/null; done", shell=True)
            def test_captured(capsys):
                print("taken")
                assert capsys.readouterr().out == "taken\\n"
        """)
        events = self.run_all(worker)
        self.assertEqual(["started", "ended", "started", "ended", "unit_ended"], self.kinds(events))
        self.assertEqual(["passed", "passed"], self.outcomes(events))
        self.assertEqual(["loading", "print", "write", "original", "descriptor", "child"], self.output(worker))

    def test_output_is_there_before_a_crash(self):
        worker = self.loaded("import os\ndef test_x():\n    print('last words', end='')\n    os._exit(9)\ndef test_y(): pass")
        self.ask(worker, "test_a.py::test_x", "test_a.py::test_y")
        self.assertEqual([{"type": "started", "selector": "test_a.py::test_x"}], worker.to_the_end())
        self.assertEqual(9, worker.exit_code())
        self.assertEqual("last words", worker.stderr())

    def test_what_the_suite_reads_is_empty(self):
        worker = self.loaded("import subprocess, sys\ndef test_x():\n    assert sys.stdin.read() == ''\n"
                             "    assert subprocess.run('cat', stdout=-1).stdout == b''\ndef test_y(): pass")
        self.assertEqual(["passed", "passed"], self.outcomes(self.run_all(worker)))

    def test_pytest_makes_no_noise_and_leaves_no_files(self):
        self.write_file("pytest.ini", "[pytest]\naddopts = -v -rA --durations=5 --junitxml=out.xml --color=yes --tb=long\n")
        worker = self.loaded("def test_x(): assert False\ndef test_y(): pass")
        self.assertEqual(["failed", "passed"], self.outcomes(self.run_all(worker)))
        self.assertEqual(([], 0), worker.quit())
        self.assertEqual([], self.output(worker))
        self.assertFalse(os.path.exists(os.path.join(self.directory, "out.xml")))

    def test_messages_carry_no_colour(self):
        self.write_file("pytest.ini", "[pytest]\naddopts = --color=yes -vv\n")
        worker = self.loaded("def test_x(): assert {'a': 1} == {'a': 2}")
        self.assertNotIn("\x1b", self.run_one(worker, "test_a.py::test_x")["failure"]["message"])

    def test_options_that_make_no_sense_in_a_worker_have_no_effect(self):
        suite = "def test_x(): assert False\ndef test_y(): assert False\ndef test_z(): pass"
        for options in ("-x", "--maxfail=1", "--lf", "--ff", "--sw", "--collect-only", "--setup-plan", "--setup-only",
                        "--setup-show", "--pdb", "--trace", "--fixtures", "--version", "--markers", "-q -q"):
            with self.subTest(options):
                self.write_file("pytest.ini", "[pytest]\naddopts = %s\n" % options)
                worker = self.loaded(suite)
                self.assertEqual(3, len(self.list(worker)))
                for _ in range(2):
                    self.assertEqual(["failed", "failed", "passed"], self.outcomes(self.run_all(worker)))

    def test_what_was_logged_is_shown_where_a_test_failed(self):
        worker = self.loaded("import logging\ndef test_x():\n    logging.warning('smoke')\n    assert False\n"
                             "def test_y(): logging.warning('calm')")
        self.run_all(worker)
        self.assertRegex(worker.stderr(), "smoke")
        self.assertNotRegex(worker.stderr(), "calm")

    def test_exit_in_a_test_fails_it_and_the_rest_goes_on(self):
        worker = self.loaded("""\
            import pytest, sys
            def test_exits(): sys.exit(3)
            def test_aborts(): sys.exit("enough")
            def test_goes_on(): pass
            @pytest.fixture
            def leaving(): exit()
            def test_fixture(leaving): pass
        """)
        events = self.run_all(worker)
        self.assertEqual(["failed", "failed", "passed", "failed"], self.outcomes(events))
        failures = [event["failure"] for event in self.ended(events) if event["failure"]]
        self.assertEqual(["the test called exit (status 3)", "the test called exit (status 1): enough",
                          "in setup: the test called exit (status 0)"], [failure["message"] for failure in failures])
        self.assertEqual(("SystemExit", "test_a.py", 2), tuple(failures[0][k] for k in ("class", "file", "line")))

    def test_exit_in_a_wider_fixture_fails_its_tests_only(self):
        self.write(test_b="""
            import pytest, sys
            @pytest.fixture(scope="module", autouse=True)
            def leaving():
                yield
                sys.exit(1)
            def test_x(): pass
        """, test_c="def test_x(): pass")
        worker = self.loaded("""
            import pytest, sys
            @pytest.fixture(scope="module", autouse=True)
            def leaving(): sys.exit(1)
            def test_x(): pass
        """)
        for _ in range(2):
            events = self.run_all(worker)
            self.assertEqual(["failed", "passed", "passed"], self.outcomes(events))
            self.assertEqual(1, len(self.errors(events)), events)

    def test_a_forked_child_is_not_another_worker(self):
        worker = self.loaded("""
            import os, sys
            def code(child): return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            def test_exits():
                child = os.fork()
                if child == 0: sys.exit(4)
                assert code(child) == 4
            def test_fails():
                child = os.fork()
                if child == 0: raise ValueError("in the child")
                assert code(child) == 1
            def test_goes_on():
                child = os.fork()
                if child: assert code(child) == 0
        """)
        events = self.run_all(worker)
        self.assertEqual(["started", "ended"] * 3 + ["unit_ended"], self.kinds(events))
        self.assertEqual(["passed"] * 3, self.outcomes(events), events)
        self.assertEqual(["passed"], self.outcomes(self.run_unit(worker, "test_a.py::test_exits")))

    def test_signals_end_it_at_once(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            worker = self.loaded("""
                import atexit, pytest, signal, time
                signal.signal(%d, lambda *_: None)
                atexit.register(print, "at exit")
                @pytest.fixture(scope="session", autouse=True)
                def session():
                    yield
                    print("session down")
                def test_x(): time.sleep(1000)
            """ % number)
            self.ask(worker, "test_a.py::test_x")
            worker.until("started")
            os.kill(worker.pid, number)
            self.assertEqual(code, worker.exit_code())
            self.assertEqual("", worker.stderr())

    def test_quit_and_end_of_input_run_what_was_left_for_the_exit(self):
        for code in (0, 75):
            worker = self.loaded("import atexit\natexit.register(print, 'at exit')")
            if code == 0:
                worker.send(type="quit")
            else:
                worker.process.stdin.close()
            self.assertEqual(code, worker.exit_code())
            self.assertEqual("at exit\n", worker.stderr())

    def test_what_is_not_understood_is_told_and_the_worker_goes_on(self):
        worker = self.loaded("def test_x(): pass")
        for line in ("{", "[]", '{"type":"dance"}'):
            worker.send_line(line)
            self.assertEqual("error", worker.event()["type"])
        self.assertEqual(1, len(self.list(worker)))

    def test_an_error_of_the_worker_itself_is_told(self):
        worker = self.loaded("def test_x(): pass")
        worker.send(type="run", unit="u")
        error = worker.event()
        self.assertEqual(("error", "KeyError"), (error["type"], error["class"]))
        self.assertEqual(1, worker.exit_code())

    def test_a_suite_that_stops_the_session_does_not_stop_the_next_test(self):
        worker = self.loaded("def test_x(request): request.session.shouldstop = 'enough'\n"
                             "def test_y(request): request.session.shouldfail = 'enough'\ndef test_z(): pass")
        for _ in range(2):
            self.assertEqual(["passed"] * 3, self.outcomes(self.run_all(worker)))

    def test_a_suite_that_stops_the_clock_does_not_stop_ours(self):
        worker = self.loaded("""
            import time
            def test_x(monkeypatch):
                monkeypatch.setattr(time, "monotonic", lambda: 0)
                monkeypatch.setattr(time, "perf_counter", lambda: 0)
                time.sleep(0.05)
        """)
        self.assertGreater(self.run_one(worker, "test_a.py::test_x")["duration_ms"], 40)

    def test_plugins_still_hear_of_each_test(self):
        self.write(conftest="""
            def pytest_runtest_logreport(report):
                if report.when == "call": print("heard", report.nodeid, report.outcome)
            def pytest_runtest_logstart(nodeid): print("start", nodeid)
            def pytest_runtest_logfinish(nodeid): print("finish", nodeid)
            def pytest_exception_interact(node): print("interact", node.name)
            def pytest_sessionfinish(): print("session finished")
        """)
        worker = self.loaded("def test_x(): assert 1 == 2")
        self.run_all(worker)
        worker.quit()
        self.assertEqual(["start test_a.py::test_x", "heard test_a.py::test_x failed", "interact test_x",
                          "finish test_a.py::test_x", "session finished"], self.output(worker))

    def test_what_a_browser_showed_is_kept_of_a_failure(self):
        self.write(conftest="""
            import pytest
            class Driver:
                current_url, title = "http://web/cart", "Cart"
                open = True
                def save_screenshot(self, path):
                    assert self.open
                    with open(path, "w") as file: file.write("picture")
                @property
                def page_source(self): return "<p>é</p>"
                def get_log(self, kind): return [{"level": "SEVERE", "message": "oops"}]
            class Page:
                url = "http://web/"
                def screenshot(self, path, timeout):
                    with open(path, "w") as file: file.write("picture")
                def content(self): return "<p>page</p>"
                def title(self): return "Home"
            @pytest.fixture
            def driver():
                driver = Driver()
                yield driver
                driver.open = False
            @pytest.fixture
            def page(): return Page()
            @pytest.fixture
            def cart(driver):
                class Cart: pass
                cart = Cart()
                cart.driver = driver
                return cart
            @pytest.fixture(autouse=True)
            def late(request):
                yield
                if "late" in request.node.name: raise ValueError("late")
        """)
        worker = self.loaded("""
            import pytest, unittest.mock
            def test_driver(driver): assert False
            def test_page(page): assert False
            def test_cart(cart): assert False
            def test_none(): assert False
            def test_mock(monkeypatch):
                driver = unittest.mock.MagicMock()
                assert False
            def test_passes(driver): pass
            @pytest.mark.xfail
            def test_expected(driver): assert False
            def test_late(driver): pass
        """)
        shown = {}
        for event in self.ended(self.run_all(worker)):
            shown[event["selector"].split("::")[1]] = event["attachments"]
        kinds = {name: [attachment["kind"] for attachment in attachments] for name, attachments in shown.items()}
        everything = ["screenshot", "page", "browser"]
        self.assertEqual({"test_driver": everything, "test_page": everything, "test_cart": everything, "test_none": [],
                          "test_mock": [], "test_passes": [], "test_expected": [], "test_late": []}, kinds)
        contents = []
        for attachment in shown["test_driver"] + shown["test_page"]:
            with open(attachment["path"], encoding="utf-8") as file:
                contents.append(file.read())
        self.assertEqual(["picture", "<p>é</p>", "address: http://web/cart\ntitle: Cart\nconsole:\n  SEVERE oops\n",
                          "picture", "<p>page</p>", "address: http://web/\ntitle: Home\n"], contents)
