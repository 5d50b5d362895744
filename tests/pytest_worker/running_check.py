from support import WorkerCase


class RunningCheck(WorkerCase):
    def test_runs_exactly_what_is_asked(self):
        worker = self.loaded("""
            def test_one(): pass
            class TestDeep:
                def test_two(self): pass
                def test_three(self): assert False
            def test_four(): pass
        """)
        events = self.run_unit(worker, "test_a.py::TestDeep::test_three", "test_a.py::test_four")
        self.assertEqual(["started", "ended", "started", "ended", "unit_ended"], self.kinds(events))
        self.assertEqual([("test_a.py::TestDeep::test_three", "failed"), ("test_a.py::test_four", "passed")],
                         [(event["selector"], event["outcome"]) for event in self.ended(events)])
        self.assertEqual({"type": "unit_ended", "unit": "u1", "asked": 2, "ran": 2, "unknown": [], "spoiled": False},
                         events[-1])

    def test_started_comes_before_the_fixtures(self):
        worker = self.loaded("""
            import pytest, time
            @pytest.fixture
            def slow(): time.sleep(1000)
            def test_x(slow): pass
        """)
        self.ask(worker, "test_a.py::test_x")
        self.assertEqual({"type": "started", "selector": "test_a.py::test_x"}, worker.event())

    def test_a_failure_tells_class_message_place_and_backtrace(self):
        worker = self.loaded("""\
            def check(found):
                assert found == {"a": 2}, "wrong"
            def check_quietly(found):
                assert found["a"] == len(found) + 1
            def test_x():
                check({"a": 1})
            def test_y():
                check_quietly({"a": 1})
            def test_z():
                raise KeyError("gone")
        """)
        x, y, z = self.ended(self.run_all(worker))
        self.assertIsNone(x["reason"])
        failure = x["failure"]
        self.assertEqual(("AssertionError", "test_a.py", 2), (failure["class"], failure["file"], failure["line"]))
        self.assertRegex(failure["message"], r"wrong\nassert {'a': 1} == {'a': 2}")
        self.assertEqual(["test_a.py:2: in check", "test_a.py:6: in test_x"], failure["backtrace"])
        self.assertEqual("assert 1 == (1 + 1)\n +  where 1 = len({'a': 1})", y["failure"]["message"])
        self.assertEqual(("KeyError", "'gone'", 10), (z["failure"]["class"], z["failure"]["message"], z["failure"]["line"]))

    def test_the_same_item_runs_again_from_a_fresh_start(self):
        worker = self.loaded("""
            import os, pytest
            runs = []
            FIRST = lambda: os.environ["SHAKEDOWN_ATTEMPT"] == "1"
            @pytest.fixture
            def made():
                runs.append(1)
                return len(runs)
            class TestA:
                def test_fails_first(self, made):
                    assert not hasattr(self, "mark")
                    self.mark = True
                    assert made > 1
                def test_skips_first(self, request):
                    if FIRST(): pytest.skip("not yet")
                def test_marked_first(self, request):
                    if FIRST():
                        request.node.add_marker(pytest.mark.xfail(reason="soon"))
                        assert False
                    assert request.node.get_closest_marker("xfail") is None
        """)
        everything = self.selectors(worker)
        first = self.ended(self.run_unit(worker, *everything))
        self.assertEqual(["failed", "skipped", "skipped"], [event["outcome"] for event in first])
        self.assertEqual([None, "not yet", "soon"], [event["reason"] for event in first])
        second = self.ended(self.run_unit(worker, *[(selector, 2) for selector in everything]))
        self.assertEqual(["passed", "passed", "passed"], [event["outcome"] for event in second], second)
        self.assertEqual([None] * 3, [event["failure"] for event in second])

    def test_an_item_asked_for_twice_in_a_unit_runs_twice(self):
        worker = self.loaded("import os\ndef test_x(): assert os.environ['SHAKEDOWN_ATTEMPT'] != '1'\ndef test_y(): pass")
        events = self.run_unit(worker, ("test_a.py::test_x", 1), ("test_a.py::test_x", 2), "test_a.py::test_y")
        self.assertEqual(["failed", "passed", "passed"], self.outcomes(events))
        self.assertEqual((3, 3), (events[-1]["asked"], events[-1]["ran"]))

    def test_unknown_selectors_are_told(self):
        worker = self.loaded("def test_x(): pass\ndef test_y(): pass")
        events = self.run_unit(worker, "test_a.py::test_gone", "test_a.py::test_x", "test_a.py", "test_a.py::test")
        self.assertEqual(["passed"], self.outcomes(events))
        self.assertEqual((4, 1, ["test_a.py::test_gone", "test_a.py", "test_a.py::test"]),
                         (events[-1]["asked"], events[-1]["ran"], events[-1]["unknown"]))

    def test_attempt_and_lane_are_known_to_fixtures_and_item(self):
        worker = self.loaded("""
            import os, pytest
            @pytest.fixture(autouse=True)
            def around():
                print("before", os.environ["SHAKEDOWN_ATTEMPT"], os.environ["SHAKEDOWN_LANE"])
            def test_x(): print("x", os.environ["SHAKEDOWN_ATTEMPT"])
            def test_y(): print("y", os.environ["SHAKEDOWN_ATTEMPT"])
        """)
        self.run_unit(worker, ("test_a.py::test_x", 3), ("test_a.py::test_y", 2))
        self.assertEqual(["before 3 2", "x 3", "before 2 2", "y 2"], self.output(worker))

    def test_skipped_expected_and_unexpected(self):
        worker = self.loaded("""\
            import pytest
            @pytest.mark.xfail(reason="bug 7")
            def test_expected(): assert False
            @pytest.mark.xfail(reason="bug 8", strict=True)
            def test_fixed():
                pass
            @pytest.mark.xfail(reason="bug 9")
            def test_fixed_and_allowed(): pass
            @pytest.mark.xfail(raises=KeyError)
            def test_other(): raise ValueError("other")
            def test_imperative(): pytest.xfail("bug 10")
            @pytest.mark.xfail
            def test_silent(): assert False
            def test_skips(): pytest.skip("no printer")
            @pytest.mark.skip(reason="off")
            def test_off(): assert False
            @pytest.mark.skipif(True, reason="not here")
            def test_conditional(): assert False
            def test_missing(): pytest.importorskip("nowhere_to_be_found")
        """)
        events = self.ended(self.run_all(worker))
        self.assertEqual([
            ("skipped", "bug 7"), ("failed", None), ("passed", None), ("failed", None), ("skipped", "bug 10"),
            ("skipped", "failed as it is expected to"), ("skipped", "no printer"), ("skipped", "off"),
            ("skipped", "not here")], [(event["outcome"], event["reason"]) for event in events][:-1])
        self.assertRegex(events[-1]["reason"], "could not import 'nowhere_to_be_found'")
        self.assertEqual(("[XPASS(strict)] bug 8", "test_a.py", 4),
                         tuple(events[1]["failure"][key] for key in ("message", "file", "line")))
        self.assertEqual(("ValueError", "other"), (events[3]["failure"]["class"], events[3]["failure"]["message"]))

    def test_setup_and_teardown_are_told_apart(self):
        worker = self.loaded("""\
            import pytest
            @pytest.fixture
            def early(): raise IOError("no door")
            @pytest.fixture
            def late():
                yield
                raise RuntimeError("stuck")
            def test_early(early): pass
            def test_late(late): pass
            def test_both(late): assert 1 == 2
            class TestA:
                def setup_method(self): self.value = 1
                def teardown_method(self): assert self.value == 1
                def test_x(self): self.value += 1
            def test_lookup(nowhere): pass
        """)
        events = self.ended(self.run_all(worker))
        early, late, both, method, lookup = [event["failure"] for event in events]
        self.assertEqual(("OSError", "in setup: no door", 3), (early["class"], early["message"], early["line"]))
        self.assertEqual(("RuntimeError", "in teardown: stuck", 7), (late["class"], late["message"], late["line"]))
        self.assertEqual("AssertionError", both["class"])
        self.assertEqual("1) AssertionError: assert 1 == 2\n\n2) RuntimeError: in teardown: stuck", both["message"])
        self.assertRegex(method["message"], "^in teardown: assert 2 == 1")
        self.assertRegex(lookup["message"], "^in setup: fixture 'nowhere' not found")
        self.assertEqual(("test_a.py", 15), (lookup["file"], lookup["line"]))

    def test_tests_of_unittest(self):
        worker = self.loaded("""\
            import unittest
            class CartTest(unittest.TestCase):
                @classmethod
                def setUpClass(cls): print("class up")
                @classmethod
                def tearDownClass(cls): print("class down")
                def setUp(self): print("up")
                def tearDown(self): print("down")
                def test_adds(self): self.assertEqual(1, 2)
                @unittest.skip("later")
                def test_later(self): pass
                @unittest.expectedFailure
                def test_expected(self): self.fail()
                def test_works(self): pass
        """)
        everything = self.selectors(worker)
        for _ in range(2):
            events = self.ended(self.run_unit(worker, *everything))
            self.assertEqual({"test_adds": "failed", "test_later": "skipped", "test_expected": "skipped",
                              "test_works": "passed"},
                             {event["selector"].split("::")[-1]: event["outcome"] for event in events})
            failure = next(event["failure"] for event in events if event["outcome"] == "failed")
            self.assertEqual(("AssertionError", "1 != 2", "test_a.py", 9),
                             tuple(failure[key] for key in ("class", "message", "file", "line")))
        self.assertEqual(2, self.output(worker).count("class down"))

    def test_messages_are_valid_utf8_of_bounded_length(self):
        worker = self.loaded("""
            def test_surrogate(): raise ValueError("caf\\udce9")
            def test_long(): raise ValueError("é" * 50000)
            def dig(n):
                if n == 0: raise ValueError("deep")
                dig(n - 1)
            def test_deep(): dig(200)
            class Mute(Exception):
                def __str__(self): raise OSError("no")
            def test_mute(): raise Mute()
            def test_chained():
                try: raise OSError("first")
                except OSError as error: raise ValueError("second") from error
            def test_emoji(): assert "🛒" == "é"
        """)
        surrogate, long, deep, mute, chained, emoji = [event["failure"] for event in self.ended(self.run_all(worker))]
        self.assertEqual("caf\\udce9", surrogate["message"])
        self.assertLess(len(long["message"].encode()), 66000)
        self.assertRegex(long["message"], r"\[cut here: 34464 more bytes\]$")
        self.assertEqual(50, len(deep["backtrace"]))
        self.assertRegex(mute["message"], "can't be shown: OSError")
        self.assertEqual("second\ncaused by OSError: first", chained["message"])
        self.assertRegex(emoji["message"], "'🛒' == 'é'")

    def test_a_duration_is_measured_in_milliseconds(self):
        worker = self.loaded("import time\ndef test_x(): time.sleep(0.12)")
        self.assertAlmostEqual(120, self.run_one(worker, "test_a.py::test_x")["duration_ms"], delta=100)

    def test_packages_inside_of_the_project_are_not_its_own_code(self):
        self.write_file("venv/lib/python3/site-packages/helper.py", "def helper(): raise ValueError('deep')")
        worker = self.loaded("import sys\nsys.path.append('venv/lib/python3/site-packages')\nimport helper\n"
                             "def test_x(): helper.helper()", "test_a.py")
        failure = self.run_one(worker, "test_a.py::test_x")["failure"]
        self.assertEqual(("test_a.py", 4), (failure["file"], failure["line"]))

    def test_plain_asserts_of_a_helper_are_shown_by_their_source(self):
        self.write(helper="def check(a):\n    assert a == 2\n")
        worker = self.loaded("from helper import check\ndef test_x(): check(1)")
        failure = self.run_one(worker, "test_a.py::test_x")["failure"]
        self.assertEqual(("assert a == 2", "helper.py", 2), (failure["message"], failure["file"], failure["line"]))

    def test_a_fixture_may_come_with_another_value_in_the_middle_of_a_unit(self):
        worker = self.loaded("""
            import pytest
            @pytest.fixture(scope="module", params=["red", "blue"])
            def colour(request):
                print("make", request.param)
                yield request.param
                print("drop", request.param)
            def test_x(colour): print("x", colour)
            def test_y(colour): print("y", colour)
        """)
        everything = self.selectors(worker)
        self.run_unit(worker, *reversed(everything))
        self.assertEqual(["make red", "x red", "y red", "drop red", "make blue", "x blue", "y blue", "drop blue"],
                         self.output(worker))
