from support import WorkerCase

# One test that passes and two that fail, each of which writes down that it ran, and where.
COUNTED = """
    import os, pytest
    def ran(name):
        with open("ran", "a") as file: file.write("%s %d\\n" % (name, os.getpid()))
    def test_one():
        ran("one")
        assert False
    def test_two():
        ran("two")
    @pytest.mark.flaky(reruns=2)
    def test_three():
        ran("three")
        assert False
"""


class SpreadingCheck(WorkerCase):
    """Options of the suite that spread tests, repeat them or stop early are the tool's business here. Where their plugin
    is missing, pytest refuses the option, so that no check passes by it."""

    PLUGINS = True

    def counted(self, options):
        """All of the suite, twice in one worker: each time everything once, in the worker itself."""
        self.write_file("pytest.ini", "[pytest]\naddopts = %s\n" % options)
        worker = self.loaded(COUNTED)
        for _ in range(2):
            events = self.run_all(worker)
            self.assertEqual(["failed", "passed", "failed"], self.outcomes(events), worker.stderr())
            self.assertEqual(["started", "ended"] * 3 + ["unit_ended"], self.kinds(events))
            self.assertEqual((3, 3, False), tuple(events[-1][key] for key in ("asked", "ran", "spoiled")))
        names = ["%s %d" % (name, worker.pid) for name in ("one", "two", "three")]
        self.assertEqual(names * 2, self.read("ran").splitlines())
        self.assertEqual(([], 0), worker.quit())

    def test_tests_are_not_spread(self):
        self.counted("-n 4")

    def test_tests_are_not_spread_by_file(self):
        self.counted("-n 2 --dist loadfile")

    def test_tests_are_not_spread_over_processes_that_are_named(self):
        self.counted("--dist each --tx 2*popen")

    def test_tests_are_not_repeated(self):
        self.counted("--reruns 2")

    def test_nothing_waits_between_repetitions(self):
        self.counted("--reruns 2 --reruns-delay 1000")

    def test_a_failure_does_not_stop_the_rest(self):
        self.counted("-x")

    def test_nor_do_several(self):
        self.counted("--maxfail=1 -n 4 --reruns 2")


class DjangoCheck(WorkerCase):
    """pytest-django."""

    PLUGINS = True

    def setUp(self):
        super().setUp()
        self.write_file("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = settings\npythonpath = .\n")
        self.write(settings="""
            SECRET_KEY, USE_TZ, ROOT_URLCONF, STATIC_URL = "x", True, "urls", "/static/"
            INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
            DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
        """, urls="""
            from django.contrib.auth.models import Group
            from django.http import HttpResponse
            from django.urls import path
            urlpatterns = [path("groups", lambda _: HttpResponse(str(Group.objects.count())))]
        """, conftest="""
            import pytest
            @pytest.fixture(scope="session")
            def django_db_setup(django_db_setup, django_db_blocker):
                from django.contrib.auth.models import Group
                with django_db_blocker.unblock():
                    Group.objects.create(name="seeded")
                print("seeded")
                yield
                print("dropped")
        """)

    def test_the_database_of_the_session_survives_between_units_and_tests_leave_nothing_in_it(self):
        worker = self.loaded("""
            import pytest
            from django.contrib.auth.models import Group
            from django.test import TestCase
            @pytest.mark.django_db
            def test_one():
                assert [group.name for group in Group.objects.all()] == ["seeded"]
                Group.objects.create(name="one")
            def test_fails(db):
                Group.objects.create(name="fails")
                assert Group.objects.count() == 1
            class TestClass(TestCase):
                @classmethod
                def setUpTestData(cls):
                    cls.mine = Group.objects.create(name="mine")
                def test_x(self): self.assertEqual(2, Group.objects.count())
                def test_y(self): self.assertEqual("mine", self.mine.name)
            def test_forbidden(): Group.objects.count()
        """)
        one, fails, x, y, forbidden = ["test_a.py::" + name for name in (
            "test_one", "test_fails", "TestClass::test_x", "TestClass::test_y", "test_forbidden")]
        expected = {one: "passed", fails: "failed", x: "passed", y: "passed", forbidden: "failed"}
        for unit in ([one], [x], [fails, y], [one, fails], [x, y, one, forbidden], [one]):
            events = self.run_unit(worker, *unit)
            found = {event["selector"]: event["outcome"] for event in self.ended(events)}
            self.assertEqual({test: expected[test] for test in unit}, found, worker.stderr())
            self.assertEqual([], self.errors(events))
            self.assertFalse(events[-1]["spoiled"])
        self.assertEqual(["seeded"], self.told(worker))
        self.assertEqual(([], 0), worker.quit())
        self.assertEqual(["seeded", "dropped"], self.told(worker))

    def told(self, worker):
        """Plugins may have warnings to give besides."""
        return [line for line in self.output(worker) if line in ("seeded", "dropped")]

    def test_a_live_server_is_one_for_all_units(self):
        worker = self.loaded("""
            import urllib.request
            def ask(server):
                print(server.url)
                return urllib.request.urlopen(server.url + "/groups").read()
            def test_x(live_server): assert ask(live_server).isdigit()
            def test_y(live_server): assert ask(live_server) == b"0"  # as it is flushed after each test
        """)
        for test in ("test_a.py::test_x", "test_a.py::test_y", "test_a.py::test_x"):
            self.assertEqual("passed", self.run_one(worker, test)["outcome"], worker.stderr())
        urls = [line for line in self.output(worker) if line.startswith("http://")]
        self.assertEqual((3, 1), (len(urls), len(set(urls))), urls)
        self.assertEqual(["seeded"], self.told(worker))


class AsyncioCheck(WorkerCase):
    """pytest-asyncio."""

    PLUGINS = True
    SUITE = """\
        import asyncio, pytest, pytest_asyncio
        made = []
        @pytest_asyncio.fixture
        async def thing():
            await asyncio.sleep(0)
            made.append(1)
            yield "thing"
            await asyncio.sleep(0)
            print("thing gone")
        @pytest.mark.asyncio
        async def test_holds(thing):
            await asyncio.sleep(0)
            assert thing == "thing"
        @pytest.mark.asyncio
        async def test_fails():
            await asyncio.sleep(0)
            raise ValueError("no answer")
        class TestDeep:
            @pytest.mark.asyncio
            async def test_once(self, thing):
                assert not hasattr(self, "mark")
                self.mark = True
        @pytest.mark.asyncio
        async def test_late():
            await asyncio.wait_for(asyncio.Event().wait(), 0.01)
    """

    def held(self, worker):
        names = ["test_holds", "test_fails", "TestDeep::test_once", "test_late"]
        for unit in ([names[0]], names, [names[1]], names[::-1]):
            events = self.run_unit(worker, *["test_a.py::" + name for name in unit])
            outcomes = {event["selector"].split("::", 1)[1]: event["outcome"] for event in self.ended(events)}
            expected = {name: "failed" if name in ("test_fails", "test_late") else "passed" for name in unit}
            self.assertEqual(expected, outcomes, worker.stderr())
            self.assertEqual([], self.errors(events))
        failure = self.run_one(worker, "test_a.py::test_fails")["failure"]
        self.assertEqual(("ValueError", "no answer", "test_a.py", 17),
                         tuple(failure[key] for key in ("class", "message", "file", "line")))
        self.assertEqual("test_a.py:17: in test_fails", failure["backtrace"][0])
        self.assertEqual(5, worker.stderr().count("thing gone"))

    def test_marked_tests_and_their_fixtures_run(self):
        self.held(self.loaded(self.SUITE))

    def test_all_run_where_the_suite_says_so(self):
        self.write_file("pytest.ini", "[pytest]\nasyncio_mode = auto\n")
        self.held(self.loaded(self.SUITE.replace("@pytest.mark.asyncio", "# by itself")))
