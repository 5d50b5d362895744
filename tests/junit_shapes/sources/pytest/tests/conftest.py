import pytest


@pytest.fixture
def till():
    yield
    raise RuntimeError("not closed")


@pytest.fixture
def printer():
    raise RuntimeError("no printer")
