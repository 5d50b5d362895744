import os
import signal
import subprocess
import sys
import time

import pytest

from support.shared import Shared, mark


def test_role_passes():
    mark("passes")


def test_role_fails():
    mark("fails")
    assert "one" == "two", "expected one, got two"  # fails here


def test_role_skipped():
    pytest.skip("not on a Tuesday")


@pytest.mark.xfail(reason="bug 7")
def test_role_pending():
    mark("pending")
    assert 1 == 2


@pytest.mark.xfail(reason="bug 8")
def test_role_fixed():
    mark("fixed")


@pytest.mark.smoke
def test_role_tagged():
    mark("tagged")


@pytest.fixture
def table():
    raise RuntimeError("no table")  # setup fails here


def test_role_setup(table):
    mark("setup")


@pytest.fixture
def door():
    yield
    raise RuntimeError("stuck door")  # teardown fails here


def test_role_teardown(door):
    mark("teardown")


def test_role_environment():
    mark("environment")
    names = ["SHAKEDOWN_RUN_ID", "SHAKEDOWN_LANE", "SHAKEDOWN_ATTEMPT", "SHAKEDOWN_SEED", "TEST_ENV_NUMBER"]
    print("env(%s)" % " ".join(os.environ.get(name, "") for name in names))


def test_role_exits():
    print("last words of exits")
    sys.exit(0)


def test_role_dies():
    print("last words of dies")
    os._exit(0)


def test_role_killed():
    print("last words of killed")
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(1000)


def test_role_deaf():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    subprocess.run(["sleep", "48211"])
    time.sleep(48211)


class TestContext:
    @pytest.fixture(scope="class", autouse=True)
    def context(self):
        mark("context")

    def test_role_first(self):
        mark("first")

    def test_role_second(self):
        mark("second")


class TestShared(Shared):
    pass


@pytest.mark.parametrize("role", ["role_number_1", "role_number_10"])
def test_number(role):
    mark(role[len("role_"):])


def test_role_plain():
    mark("plain")
