"""What the tests share: a browser for each process, words for what people do at the desk, and planted faults."""

import pytest

import faults
from browser import Slot
from desk import Desk


@pytest.fixture(scope="session")
def slot():
    """One browser for the whole process; it is replaced where it has died."""
    slot = Slot()
    yield slot
    slot.quit()


@pytest.fixture(autouse=True)
def planted(request):
    """Opens the windows of those faults that the test names, and closes them afterwards."""
    names = [mark.args[0] for mark in request.node.iter_markers("fault") if faults.strikes(mark.args[0])]
    request.node.struck = names
    if not names:
        yield
        return
    faults.set_open(names)
    yield
    faults.set_open([])


@pytest.fixture
def desk(slot):
    """The browser, without what the test before left in it."""
    return Desk(slot.fresh())


@pytest.fixture
def agent(desk):
    """The desk, at which an agent of the test's own is signed in."""
    desk.sign_in(desk.make_agent())
    return desk
