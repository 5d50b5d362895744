import os

from support import WorkerCase


class LoadErrorCheck(WorkerCase):
    def place(self, error):
        return error["file"], error["line"]

    def test_a_syntax_error(self):
        self.write(test_x="def test_x():\n    ) (\n")
        error = self.load_error()
        self.assertRegex(error["message"], "SyntaxError")
        self.assertEqual(("test_x.py", 2), self.place(error))

    def test_an_exception_while_loading(self):
        self.write(helper="def give_up():\n    raise ValueError('bad luck')", tests__test_x="\nfrom helper import give_up\ngive_up()\n")
        error = self.load_error("tests")
        self.assertRegex(error["message"], "bad luck")
        self.assertEqual(("helper.py", 2), self.place(error))

    def test_a_module_that_is_missing(self):
        self.write(tests__test_x="\nimport nowhere_to_be_found\n")
        error = self.load_error()
        self.assertRegex(error["message"], "No module named 'nowhere_to_be_found'")
        self.assertEqual(("tests/test_x.py", 2), self.place(error))

    def test_all_errors_are_told(self):
        self.write(test_x="raise ValueError('one')", test_y="raise ValueError('two')", test_z="")
        self.assertRegex(self.load_error()["message"], "(?s)one.*two")

    def test_a_conftest_that_fails(self):
        self.write(conftest="import sys\nraise ValueError('bad luck')", test_x="")
        error = self.load_error()
        self.assertRegex(error["message"], "bad luck")
        self.assertEqual(("conftest.py", 2), self.place(error))

    def test_a_conftest_deeper_down_that_fails(self):
        self.write(tests__deep__conftest="\n\nraise ValueError('bad luck')", tests__deep__test_x="")
        error = self.load_error()
        self.assertRegex(error["message"], "bad luck")
        self.assertEqual(("tests/deep/conftest.py", 3), self.place(error))

    def test_a_path_that_is_missing(self):
        self.assertRegex(self.load_error("test_gone.py")["message"], "test_gone.py")

    def test_an_option_that_pytest_does_not_know(self):
        self.write_file("pytest.ini", "[pytest]\naddopts = --nonsense\n")
        self.assertRegex(self.load_error()["message"], "--nonsense")

    def test_a_configuration_that_can_not_be_read(self):
        self.write_file("pytest.ini", "[pytest\n")
        self.assertRegex(self.load_error()["message"], "pytest.ini")

    def test_a_mark_that_is_not_declared(self):
        self.write_file("pytest.ini", "[pytest]\naddopts = --strict-markers\n")
        self.write(test_x="import pytest\n@pytest.mark.nowhere\ndef test_x(): pass")
        error = self.load_error()
        self.assertRegex(error["message"], "'nowhere' not found in `markers`")
        self.assertEqual("test_x.py", error["file"])

    def test_exit_while_loading(self):
        for name, text in (("test_x", "exit \\(status 3\\)|SystemExit: 3"), ("conftest", "the suite called exit \\(status 3\\)")):
            with self.subTest(name):
                self.write(**{name: "\nimport sys\nsys.exit(3)"})
                error = self.load_error()
                self.assertRegex(error["message"], text)
                self.assertEqual((name + ".py", 3), self.place(error))

    def test_pytest_exit_while_loading(self):
        self.write(test_x="import pytest\npytest.exit('not today')")
        self.assertRegex(self.load_error()["message"], "(pytest.exit|outcomes.Exit): not today")

    def test_a_hook_that_fails(self):
        self.write(conftest="def pytest_collection_modifyitems(items):\n    raise ValueError('bad luck')", test_x="")
        error = self.load_error()
        self.assertRegex(error["message"], "bad luck")
        self.assertEqual(("conftest.py", 2), self.place(error))

    def test_two_parameters_of_which_one_is_unknown(self):
        self.write(test_x="import pytest\n@pytest.mark.parametrize('n', [1])\ndef test_x(): pass")
        self.assertRegex(self.load_error()["message"], "uses no argument 'n'")

    def test_no_pytest_at_all(self):
        self.write_file("empty/pytest.py", "raise ImportError('no such thing')")
        worker = self.start(PYTHONPATH=os.path.join(self.directory, "empty"))
        hello, error = worker.to_the_end()
        self.assertIsNone(hello["version"])
        self.assertRegex(error["message"], "pytest can't be loaded by .*: no such thing")
        self.assertEqual(1, worker.exit_code())

    def test_a_pytest_that_is_too_old(self):
        self.write_file("old/pytest.py", "__version__ = '6.2.5'")
        worker = self.start(PYTHONPATH=os.path.join(self.directory, "old"))
        self.assertRegex(worker.to_the_end()[-1]["message"], "pytest 7.0 or newer is needed, and this is 6.2.5")
