import unittest

from support import WorkerCase


class ListingCheck(WorkerCase):
    def test_says_hello_before_it_loads_the_suite(self):
        self.write(test_a="import sys, time\nprint('loading')\ntime.sleep(1000)")
        worker = self.start()
        hello = worker.event()
        self.assertEqual(("hello", 2, "pytest", worker.pid),
                         tuple(hello[key] for key in ("type", "protocol", "framework", "pid")))
        self.assertRegex(hello["version"], r"^\d+\.\d+")

    def test_tells_how_long_loading_took(self):
        self.assertIsInstance(self.start().until("loaded")[-1]["duration_ms"], int)

    def test_lists_selector_file_line_and_name(self):
        self.write(tests__ui__test_cart="""\
            def test_adds(): pass

            class TestFull:
                def test_refuses(self): pass
        """)
        worker = self.loaded(None, "tests/ui")
        self.assertEqual([
            {"type": "test", "selector": "tests/ui/test_cart.py::test_adds", "file": "tests/ui/test_cart.py", "line": 1,
             "name": "test_adds", "tags": []},
            {"type": "test", "selector": "tests/ui/test_cart.py::TestFull::test_refuses", "file": "tests/ui/test_cart.py",
             "line": 4, "name": "TestFull::test_refuses", "tags": []}], self.list(worker))

    def test_listing_is_the_same_again_even_after_a_run(self):
        worker = self.loaded("import pytest\n@pytest.mark.parametrize('n', [1, 2])\ndef test_x(n): assert n == 1")
        first = self.list(worker)
        self.run_unit(worker, *[test["selector"] for test in first])
        self.assertEqual(first, self.list(worker))
        self.assertEqual(first, self.list(self.loaded()))

    def test_parametrised_names_may_hold_any_character(self):
        values = ['say "hi"', "two\\nlines", "[1:2]", "it's 🛒 é", "back\\\\slash", "a::b", "$x", "", " ", "a/b.py"]
        worker = self.loaded("import pytest\n@pytest.mark.parametrize('value', %r)\ndef test_x(value): assert value != '$x'"
                             % (values,))
        tests = self.list(worker)
        self.assertEqual(len(values), len({test["selector"] for test in tests}))
        for test, value in zip(tests, values):
            event = self.run_one(worker, test["selector"])
            self.assertEqual((test["selector"], "failed" if value == "$x" else "passed"),
                             (event["selector"], event["outcome"]))
        self.assertEqual(["test_a.py"] * len(values), [test["file"] for test in tests])

    def test_ids_with_any_character_that_pytest_does_not_escape(self):
        self.write_file("pytest.ini", "[pytest]\ndisable_test_id_escaping_and_forfeit_all_rights_to_community_support = true")
        worker = self.loaded("import pytest\n@pytest.mark.parametrize('v', ['é 🛒', 'a\\nb'])\ndef test_x(v): pass")
        self.assertEqual(["test_x[é 🛒]", "test_x[a\nb]"], [test["name"] for test in self.list(worker)])
        self.assertEqual(["passed", "passed"], self.outcomes(self.run_all(worker)))

    def test_items_with_the_same_id_have_their_own_selectors(self):
        self.write(conftest="""
            import pytest
            class Item(pytest.Item):
                def runtest(self): assert self.value == 1
                def reportinfo(self): return self.path, 0, self.name
            class File(pytest.File):
                def collect(self):
                    for value in (1, 2):
                        item = Item.from_parent(self, name="same")
                        item.value = value
                        yield item
            def pytest_collect_file(file_path, parent):
                if file_path.suffix == ".cases": return File.from_parent(parent, path=file_path)
        """)
        self.write_file("a.cases", "")
        worker = self.loaded()
        tests = self.list(worker)
        self.assertEqual(["a.cases::same", "a.cases::same#2"], [test["selector"] for test in tests])
        self.assertEqual(["passed", "failed"], self.outcomes(self.run_all(worker)))
        self.assertEqual(["failed"], self.outcomes(self.run_unit(worker, "a.cases::same#2")))

    def test_an_inherited_test_belongs_to_the_file_that_inherits_it(self):
        self.write(base="class Base:\n    def test_x(self): assert False\n")
        worker = self.loaded("from base import Base\n\nclass TestA(Base): pass\n")
        [test] = self.list(worker)
        self.assertEqual(("test_a.py", 3), (test["file"], test["line"]))
        failure = self.run_one(worker, test["selector"])["failure"]
        self.assertEqual(("base.py", 2), (failure["file"], failure["line"]))

    def test_tags_are_the_suites_own_marks(self):
        self.write_file("pytest.ini", "[pytest]\nmarkers =\n    slow\n    owner\n    weight\n")
        worker = self.loaded("""
            import pytest
            pytestmark = pytest.mark.slow
            @pytest.mark.owner("team a")
            class TestA:
                @pytest.mark.weight(3)
                @pytest.mark.weight(4)
                @pytest.mark.skipif(False, reason="")
                def test_x(self): pass
        """)
        self.assertEqual(["owner:team a", "slow", "weight:3", "weight:4"], sorted(self.list(worker)[0]["tags"]))

    def test_lists_only_the_paths_given(self):
        for name in "abc":
            self.write(**{"test_" + name: "def test_x(): pass\ndef test_y(): pass"})
        self.assertEqual(["test_a.py::test_x", "test_a.py::test_y", "test_b.py::test_y"],
                         self.selectors(self.loaded(None, "test_a.py", "test_b.py::test_y")))

    def test_without_paths_the_suite_says_where_its_tests_are(self):
        self.write(checks__test_a="def test_x(): pass", other__test_b="def test_x(): pass")
        self.write_file("pytest.ini", "[pytest]\ntestpaths = checks")
        self.assertEqual(["checks/test_a.py::test_x"], self.selectors(self.loaded()))

    def test_a_suite_without_tests_lists_none(self):
        worker = self.loaded("")
        self.assertEqual([], self.list(worker))
        self.assertEqual(([], 0), worker.quit())

    def test_lists_what_pytest_would_run(self):
        suite = "import pytest\n@pytest.mark.slow\ndef test_apples(): pass\ndef test_pears(): pass\n"
        for options, wanted in (("-m slow", ["apples"]), ("-m 'not slow'", ["pears"]), ("-k pears", ["pears"]),
                                ("--deselect test_a.py::test_pears", ["apples"]), ("-k nowhere", [])):
            with self.subTest(options):
                self.write_file("pyproject.toml",
                                '[tool.pytest.ini_options]\naddopts = "%s"\nmarkers = ["slow"]\n' % options)
                self.assertEqual(["test_a.py::test_" + name for name in wanted], self.selectors(self.loaded(suite)))

    def test_modules_of_the_working_directory_can_be_imported(self):
        self.write(shop__words="WORD = 1", tests__test_a="from shop.words import WORD\ndef test_x(): assert WORD == 1")
        self.assertEqual(["passed"], self.outcomes(self.run_all(self.loaded(None, "tests"))))


if __name__ == "__main__":
    unittest.main()
